"""What a user tells, which the answer repeats, and what is asked about it later.

The words come from large lists and from syllables put together by chance: they cannot be learned by heart, only copied
from the conversation. So the toy learns to look back.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from world import facts, names, unknown
from world.phrasing import capitalise, pick

Pair = tuple[str, str]


def made_up_name(rng: random.Random) -> str:
    if rng.random() < 0.4:
        return rng.choice(names.FIRST) + rng.choice(names.MIDDLE) + rng.choice(names.LAST)
    said = [rng.choice(names.ONSETS) + rng.choice(names.VOWELS) for _ in range(rng.choice((1, 2, 2, 2, 3, 3)))]
    inner = [part + (rng.choice(names.CODAS) if rng.random() < 0.25 else "") for part in said[:-1]]
    return capitalise("".join(inner) + said[-1] + rng.choice(names.CODAS))


def made_up_word(rng: random.Random) -> str:
    return "".join(rng.choice(unknown.SYLLABLES) for _ in range(rng.randint(2, 4)))


def any_name(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return made_up_name(rng)
    return rng.choice(names.GIRLS + names.BOYS + names.OTHERS + names.OTHERS)


def a_thing(rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.3:
        return made_up_word(rng)
    return rng.choice(unknown.THINGS if draw < 0.7 else tuple(facts.DEFINITIONS))


def any_word(rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.25:
        return made_up_word(rng)
    if draw < 0.4:
        return any_name(rng)
    return rng.choice(tuple(facts.ANIMALS) if draw < 0.55 else unknown.THINGS + tuple(facts.DEFINITIONS))


@dataclass(frozen=True)
class Kind:
    """Something to tell: <w> is the word to copy, <k> one of `of` (whose cat, which sister)."""

    of: tuple[str, ...]
    word: str  # "name", "place", "thing" or "word"
    tells: tuple[str, ...]
    replies: tuple[str, ...]
    asks: tuple[str, ...]
    answers: tuple[str, ...]


KINDS: tuple[Kind, ...] = (
    Kind(("cat", "dog", "rabbit", "horse", "bird", "hamster", "fish", "pony", "parrot", "turtle"), "name",
         ("my <k> is {called|named} <w>", "my <k>'s name is <w>", "I have a <k> {called|named} <w>",
          "<w> is my <k>", "the name of my <k> is <w>", "we have a <k>, its name is <w>", "this is my <k> <w>"),
         ("That is a lovely name for a <k>! Hello, <w>!", "What a nice name! Please say hello to <w> from me.",
          "I like the name <w>. What does <w> like to do?"),
         ("what is my <k> called?", "what is the name of my <k>?", "do you remember my <k>'s name?",
          "what's my <k>'s name?", "who is <w>?"),
         ("Your <k> is called <w>.", "You said that your <k> is called <w>.")),
    Kind(("brother", "sister", "mother", "father", "friend", "son", "daughter", "aunt", "uncle", "teacher", "boss",
          "neighbour", "wife", "husband", "cousin"), "name",
         ("my <k> is {called|named} <w>", "my <k>'s name is <w>", "I have a <k> {called|named} <w>",
          "<w> is my <k>", "the name of my <k> is <w>", "my <k> <w> {visits me today|is funny|likes stories|is here}"),
         ("That is a nice name. Please say hello to <w> from me!", "Tell me more about <w>.",
          "It is good to hear about <w>. How is your <k>?"),
         ("what is my <k> called?", "what is the name of my <k>?", "do you remember my <k>'s name?",
          "what's my <k>'s name?", "who is <w>?"),
         ("Your <k> is called <w>.", "You said that your <k> is called <w>.")),
    Kind(("",), "place",
         ("I live in <w>", "I come from <w>", "I am from <w>", "I was born in <w>", "my home is in <w>",
          "we moved to <w>"),
         ("How do you like it in <w>?", "I do not know <w>, but it sounds nice. What do you like about <w>?"),
         ("where do I live?", "where am I from?", "do you know where I live?", "where is my home?"),
         ("You told me about <w>.", "Your home is in <w>.")),
    Kind(("book", "song", "game", "film", "band", "team", "flower", "toy", "sport", "word"), "word",
         ("my {favourite|favorite} <k> is <w>", "<w> is my {favourite|favorite} <k>", "the <k> I like best is <w>"),
         ("I do not know much about <w>, but I will remember it.", "Oh, <w>! What do you like about it?"),
         ("what is my {favourite|favorite} <k>?", "which <k> do I like{ best|}?",
          "do you remember my {favourite|favorite} <k>?"),
         ("Your favourite <k> is <w>.",)),
    Kind(("bought", "found", "made", "lost", "saw", "painted", "sold", "built"), "thing",
         ("I <k> a <w>", "{today|yesterday} I <k> a <w>", "I <k> a {new|old|small|big|red} <w>"),
         ("A <w>! Tell me more about it.", "How interesting! What is the <w> like?"),
         ("do you remember what I <k>?", "I <k> something. what was it?", "what was the thing that I <k>?"),
         ("You <k> a <w>.",)),
    Kind(("word", "secret word", "password", "code word", "name"), "word",
         ("{please |}remember the <k> <w>", "the <k> is <w>", "remember this <k>: <w>", "keep the <k> <w> in mind"),
         ("I will remember the <k>: <w>.", "All right. The <k> is <w>."),
         ("what {is|was} the <k>?", "tell me the <k>", "do you remember the <k>?", "say the <k>"),
         ("The <k> is <w>.",)),
    Kind(("like", "love", "miss", "collect", "need", "hate"), "word",
         ("I <k> <w>", "I <k> <w> {very much|a lot|so much}", "you know, I <k> <w>"),
         ("Why do you <k> <w>?", "You <k> <w>? Tell me why."),
         ("what do I <k>?", "do you know what I <k>?", "what did I say that I <k>?"),
         ("You <k> <w>.", "You told me that you <k> <w>.")),
)
_SOURCES = {"name": any_name, "thing": a_thing, "word": any_word,
    "place": lambda rng: capitalise(rng.choice(unknown.COUNTRIES)) if rng.random() < 0.3 else made_up_name(rng)}


def _filled(rng: random.Random, templates: tuple[str, ...], of: str, word: str) -> str:
    return pick(rng, templates, {"k": of, "w": word})


def telling_pairs(rng: random.Random) -> list[Pair]:
    """One to three things told, and questions about some of them, in any order."""
    told: list[tuple[Kind, str, str]] = []
    pairs: list[Pair] = []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        kind = rng.choice(KINDS)
        of, word = rng.choice(kind.of), _SOURCES[kind.word](rng)
        if any(former is kind and former_of == of for former, former_of, _ in told):
            continue  # a second name for the same cat would be a riddle
        told.append((kind, of, word))
        pairs.append((_filled(rng, kind.tells, of, word), capitalise(_filled(rng, kind.replies, of, word))))
    rng.shuffle(told)
    for kind, of, word in told:
        if rng.random() < 0.6:
            ask = rng.choice(kind.asks)
            if "<w>" in ask:
                pairs.append((_filled(rng, (ask,), of, word), f"That is your {of}."))
            else:
                pairs.append((_filled(rng, (ask,), of, word), capitalise(_filled(rng, kind.answers, of, word))))
    return pairs


def name_list(rng: random.Random) -> tuple[list[str], str]:
    """A few names again and again in any order, and what stands between them: after its first letters, a name that was
    there before can only be copied."""
    pool = [any_name(rng) for _ in range(rng.randint(2, 5))]
    return [rng.choice(pool) for _ in range(30)], rng.choice(("", "", " and", ",", "."))


def repeating_pair(rng: random.Random) -> Pair:
    """Some words to say again, in their order."""
    words = " ".join(any_word(rng) for _ in range(rng.choice((1, 1, 2, 2, 3, 4, 5, 6))))
    ask = pick(rng, ("say <w>", "can you say <w>?", "repeat after me: <w>", "please say <w>", "repeat: <w>",
        "repeat <w>", "say it after me: <w>"), {"w": words})
    return ask, f"All right: {words}."

