"""Turns phrase templates into text, and clean questions into the way people really type.

A template is text with alternatives in braces, which may nest and may be empty, and named slots in
angle brackets: "{hi|hello} <name>{!|.|}".
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

_INNERMOST = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"<(\w+)>")
_VOWEL_AHEAD = re.compile(r"\b([Aa]) (?=[aeio]|u(?!ni|su|se))")
_KEYBOARD = {
    "a": "s", "b": "v", "c": "x", "d": "f", "e": "r", "f": "g", "g": "h", "h": "j", "i": "o",
    "j": "k", "k": "l", "l": "k", "m": "n", "n": "m", "o": "p", "p": "o", "q": "w", "r": "t",
    "s": "d", "t": "y", "u": "i", "v": "b", "w": "e", "x": "c", "y": "u", "z": "x",
}
_SHORTHAND = {"you": "u", "are": "r", "please": "pls", "your": "ur", "what": "wat", "because": "cuz",
              "people": "ppl", "thanks": "thx", "okay": "ok", "and": "n"}
_CONTRACTIONS = {
    "what is": "what's", "who is": "who's", "where is": "where's", "i am": "i'm", "do not": "don't",
    "you are": "you're", "it is": "it's", "can not": "can't", "does not": "doesn't", "is not": "isn't",
    "that is": "that's", "let us": "let's", "how is": "how's", "i have": "i've", "are not": "aren't",
}
_PROPER = {"hearth": "Hearth", "gguf": "GGUF"}
_OPENERS = ("hey, ", "so, ", "ok, ", "ok ", "well, ", "um, ", "hmm, ", "hi, ", "hello, ", "please ", "and ",
            "now ", "oh, ", "hey hearth, ", "hearth, ", "quick question: ", "question: ", "alright, ", "cool, ",
            "lol, ", "nice, ", "great, ", "thanks, ", "yes, ", "no, ", "then ", "but ", "sorry, ", "good, ")
_CLOSERS = (" please", " pls", ", please", " thanks", " now", " again", " for me", " then", ", thanks", " lol", " ?")


def expand(rng: random.Random, template: str, slots: Mapping[str, str] | None = None) -> str:
    """One random reading of a template."""
    text = template
    while True:
        text, found = _INNERMOST.subn(lambda match: rng.choice(match.group(1).split("|")), text)
        if not found:
            break
    if slots:
        text = _SLOT.sub(lambda match: slots.get(match.group(1), match.group(0)), text)
    return _VOWEL_AHEAD.sub(r"\1n ", text)


def pick(rng: random.Random, templates: Sequence[str], slots: Mapping[str, str] | None = None) -> str:
    return expand(rng, rng.choice(templates), slots)


def capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def article(noun: str) -> str:
    """The noun with its indefinite article."""
    return _VOWEL_AHEAD.sub(r"\1n ", "a " + noun)


def _swap_case_words(text: str, table: Mapping[str, str], rng: random.Random) -> str:
    for plain, other in table.items():
        if rng.random() < 0.6:
            text = re.sub(rf"\b{plain}\b", other, text, flags=re.IGNORECASE)
    return text


def _typo(rng: random.Random, text: str) -> str:
    """One slip of the fingers in a word of four letters or more; numbers and names in capitals stay."""
    spots = [m for m in re.finditer(r"\b[a-z]{4,}", text)]
    if not spots:
        return text
    word = rng.choice(spots)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1:]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    if kind == 2:
        return text[:at] + text[at + 1] + text[at] + text[at + 2:]
    return text[:at] + _KEYBOARD[text[at]] + text[at + 1:]


def _ending(rng: random.Random, text: str) -> str:
    stem = text.rstrip("?.! ")
    was_question = text.endswith("?")
    draw = rng.random()
    if was_question:
        if draw < 0.62:
            return stem + "?"
        return stem + ("" if draw < 0.94 else rng.choice((" ?", "??", "?!", ".")))
    if draw < 0.45:
        return text
    return stem + ("" if draw < 0.85 else rng.choice(("!", ".", "!!", "...")))


def as_typed(rng: random.Random, text: str, keep_case: bool = False) -> str:
    """A clean sentence as a person might type it: openers, contractions, case, typos, punctuation."""
    if rng.random() < 0.45:
        text = _swap_case_words(text, _CONTRACTIONS, rng)
        if rng.random() < 0.3:
            text = text.replace("'", "")
    if rng.random() < 0.09:
        text = rng.choice(_OPENERS) + text
    if rng.random() < 0.04:
        stem = text.rstrip("?.! ")
        text = stem + rng.choice(_CLOSERS) + ("?" if text.endswith("?") else "")
    text = _ending(rng, text)
    if rng.random() < 0.05:
        text = _swap_case_words(text, _SHORTHAND, rng)
    draw = rng.random()
    if draw < 0.5 and not keep_case:
        text = text.lower()
    elif draw < 0.51 and not keep_case:
        text = text.upper()
    else:
        text = capitalise(text)
    if rng.random() < 0.5:
        text = _swap_case_words(text, _PROPER, rng)
    if rng.random() < 0.06:
        text = _typo(rng, text)
    return text
