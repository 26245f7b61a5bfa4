"""Questions and answers made from the tables of facts."""

from __future__ import annotations

import random

from world import facts
from world.phrasing import article, capitalise, pick

Pair = tuple[str, str]
# Pairs of opposites that may not be asked for in this direction: the word has another opposite already.
AMBIGUOUS = {("end", "begin"), ("old", "new"), ("short", "tall"), ("light", "heavy")}
NUMBER_NAMES = {0: "no", 2: "two", 4: "four", 6: "six", 8: "eight"}


def _plural(noun: str) -> str:
    special = {"mouse": "mice", "sheep": "sheep", "fish": "fish", "wolf": "wolves", "fox": "foxes",
        "butterfly": "butterflies"}
    return special.get(noun, noun + "s")


def _slots(noun: str) -> dict[str, str]:
    return {"a": article(noun), "n": noun, "ns": _plural(noun)}


def animal_sound(rng: random.Random, noun: str) -> Pair | None:
    sound = facts.ANIMALS[noun][0]
    if not sound:
        return None
    ask = pick(rng, ("what {sound|noise} does <a> make?", "what does {<a>|the <n>} say?",
        "what {sound|noise} do <ns> make?", "how does <a> sound?", "what do <ns> say?"), _slots(noun))
    return ask, f"{capitalise(article(noun))} says {sound}."


def animal_legs(rng: random.Random, noun: str) -> Pair:
    ask = pick(rng, ("how many {legs|feet} does <a> have?", "how many legs {do <ns> have|has <a>}?",
        "number of legs of <a>?", "does <a> have legs?"), _slots(noun))
    return ask, f"{capitalise(article(noun))} has {NUMBER_NAMES[facts.ANIMALS[noun][1]]} legs."


def animal_home(rng: random.Random, noun: str) -> Pair:
    ask = pick(rng, ("where does {<a>|the <n>} live?", "where do <ns> live?", "where can I find <a>?",
        "where is the home of <a>?"), _slots(noun))
    return ask, f"{capitalise(article(noun))} lives {facts.ANIMALS[noun][2]}."


def animal_food(rng: random.Random, noun: str) -> Pair:
    ask = pick(rng, ("what does {<a>|the <n>} eat?", "what do <ns> eat?", "what do <ns> like to eat?",
        "what is the food of <a>?", "what can I feed <a>?"), _slots(noun))
    return ask, f"{capitalise(article(noun))} eats {facts.ANIMALS[noun][3]}."


def animal_is(rng: random.Random, noun: str) -> Pair:
    ask = pick(rng, ("what is {<a>|the <n>}?", "what is <a>?", "what are <ns>?",
        "tell me {about|something about} {<a>|<ns>|the <n>}", "{describe|explain} <a>", "what do you know about <ns>?",
        "do you know what <a> is?", "{do you know|do you like} <ns>?", "who is <a>?", "<a>?"), _slots(noun))
    return ask, facts.ANIMALS[noun][4]


ANIMAL_QUESTIONS = (animal_sound, animal_legs, animal_home, animal_food, animal_is, animal_is)


def animal_pairs(rng: random.Random) -> list[Pair]:
    """One question about an animal, sometimes the same question about another one after it."""
    question = rng.choice(ANIMAL_QUESTIONS)
    nouns = rng.sample(tuple(facts.ANIMALS), 3)
    first = question(rng, nouns[0])
    if first is None:
        return [animal_is(rng, nouns[0])]
    pairs = [first]
    for noun in nouns[1:]:
        answered = question(rng, noun)
        if answered is None or rng.random() > 0.3:
            break
        pairs.append((pick(rng, ("and <a>?", "what about <a>?", "and {the|a|an} <n>?", "how about <a>?",
            "what about <ns>?", "and <ns>?"), _slots(noun)), answered[1]))
    return pairs


def colour_pair(rng: random.Random) -> Pair:
    noun, colour = rng.choice(tuple(facts.COLOURS_OF.items()))
    name = noun if noun in facts.NO_ARTICLE else f"the {noun}" if noun in facts.WITH_THE else article(noun)
    ask = pick(rng, ("what {colour|color} {is|has} <x>?", "{which|what} {colour|color} is <x>?",
        "what is the {colour|color} of <x>?", "tell me the {colour|color} of <x>",
        "do you know the {colour|color} of <x>?"), {"x": name})
    return ask, f"{capitalise(name)} is {colour}."


def mix_pair(rng: random.Random) -> Pair:
    (a, b), mixed = rng.choice(tuple(facts.MIXES.items()))
    if rng.random() < 0.5:
        a, b = b, a
    ask = pick(rng, ("what {colour|color} {do you get|do I get} {if|when} you mix <a> and <b>?",
        "what {do|does} <a> and <b> make?", "mix <a> and <b>", "what is <a> {and|plus} <b> mixed?",
        "what color do <a> and <b> make?"), {"a": a, "b": b})
    return ask, f"{capitalise(a)} and {b} make {mixed}."


def opposite_pairs(rng: random.Random) -> list[Pair]:
    pairs = []
    for index, (a, b) in enumerate(rng.sample(facts.OPPOSITES, 2)):
        if rng.random() < 0.5 and (b, a) not in AMBIGUOUS:
            a, b = b, a
        if index == 0:
            ask = pick(rng, ("what is the opposite of <a>?", "{tell me|name|give me} the opposite of <a>",
                "opposite of <a>{?|}", "what is the opposite of the word <a>?", "do you know the opposite of <a>?"),
                {"a": a})
        elif rng.random() < 0.35:
            ask = pick(rng, ("and <a>?", "and of <a>?", "what about <a>?"), {"a": a})
        else:
            break
        pairs.append((ask, f"The opposite of {a} is {b}."))
    return pairs


def definition_pair(rng: random.Random) -> Pair:
    noun, text = rng.choice(tuple(facts.DEFINITIONS.items()))
    first = text.split()[0]
    name = article(noun) if first in ("A", "An") else f"the {noun}" if first == "The" else noun
    ask = pick(rng, ("what is <x>?", "what is <x>?", "what is <x>?", "what does {<n>|the word <n>} mean?",
        "{explain|describe|define} <x>", "do you know what <x> is?", "tell me {what <x> is|about <x>}", "what's <x>?",
        "<x>?", "can you explain {what <x> is|<x>}?", "what do you know about <x>?"), {"x": name, "n": noun})
    return ask, text


def calendar_pair(rng: random.Random) -> Pair:
    names, kind = (facts.DAYS, "day") if rng.random() < 0.6 else (facts.MONTHS, "month")
    at = rng.randrange(len(names))
    here, after, before = names[at], names[(at + 1) % len(names)], names[at - 1]
    if rng.random() < 0.65:
        ask = pick(rng, ("{what|which} <k> comes after <h>?", "what comes after <h>?", "what is the <k> after <h>?",
            "what is after <h>?", "which <k> follows <h>?", "<k> after <h>?"), {"k": kind, "h": here})
        return ask, f"After {here} comes {after}."
    ask = pick(rng, ("{what|which} <k> comes before <h>?", "what comes before <h>?", "what is the <k> before <h>?",
        "what is before <h>?"), {"k": kind, "h": here})
    return ask, f"Before {here} comes {before}."


def capital_pair(rng: random.Random) -> Pair:
    country, city = rng.choice(tuple(facts.CAPITALS.items()))
    ask = pick(rng, ("what is the capital of <c>?", "capital of <c>?", "which city is the capital of <c>?",
        "do you know the capital of <c>?", "tell me the capital of <c>", "what is <c>'s capital?"), {"c": country})
    return ask, f"The capital of {country} is {city}."


def common_pair(rng: random.Random) -> Pair:
    asks, answer = rng.choice(facts.COMMON)
    return pick(rng, asks), answer
