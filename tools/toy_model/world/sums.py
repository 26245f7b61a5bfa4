"""Counting and small sums, within a fixed range so that the toy can learn all of it."""

from __future__ import annotations

import random

LARGEST = 10  # operands of sums and differences
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
         "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty")

_PLUS = ("{a} plus {b}", "{a} + {b}", "{a}+{b}", "{a} and {b}", "{a} plus {b}", "{a} + {b}")
_MINUS = ("{a} minus {b}", "{a} - {b}", "{a}-{b}", "{a} minus {b}", "{a} take away {b}")
_FRAMES = ("what is {s}?", "what is {s}?", "what is {s}?", "{s}", "{s} = ?", "{s}?", "how much is {s}?",
    "can you tell me what {s} is?", "calculate {s}", "compute {s}", "{s} is?", "{s}=", "tell me {s}",
    "do you know what {s} is?", "what's {s}?", "and {s}?", "what about {s}?", "add {s}")


def _operands(rng: random.Random, plus: bool) -> tuple[int, int]:
    a, b = rng.randint(0, LARGEST), rng.randint(0, LARGEST)
    return (a, b) if plus or a >= b else (b, a)


def _spoken(rng: random.Random, number: int) -> str:
    return WORDS[number] if rng.random() < 0.3 else str(number)


def sum_pair(rng: random.Random) -> tuple[str, str]:
    """A question with a small sum or difference and its answer."""
    plus = rng.random() < 0.65
    a, b = _operands(rng, plus)
    form = rng.choice(_PLUS if plus else _MINUS).format(a=_spoken(rng, a), b=_spoken(rng, b))
    frame = rng.choice(_FRAMES)
    if frame.startswith("add") and not plus:
        frame = "what is {s}?"
    verb, result = ("plus", a + b) if plus else ("minus", a - b)
    return frame.format(s=form), f"{a} {verb} {b} is {result}."


def times_pair(rng: random.Random) -> tuple[str, str]:
    """Multiplication up to five times five, which small children learn first."""
    a, b = rng.randint(1, 5), rng.randint(1, 5)
    form = rng.choice(("{a} times {b}", "{a} * {b}", "{a} x {b}", "{a}*{b}")).format(a=_spoken(rng, a), b=_spoken(rng,
        b))
    return rng.choice(_FRAMES[:7]).format(s=form), f"{a} times {b} is {a * b}."


def counting_pair(rng: random.Random) -> tuple[str, str]:
    n = rng.randint(3, 10)
    ask = rng.choice(("count to {n}", "count from 1 to {n}", "can you count to {n}?", "count up to {n} please",
        "please count to {n}", "count till {n}", "can you count from one to {n}?", "count {n} numbers for me"))
    return ask.format(n=_spoken(rng, n)), ", ".join(str(i) for i in range(1, n + 1)) + "."


def plain_count_pair(rng: random.Random) -> tuple[str, str]:
    ask = rng.choice(("can you count?", "count", "can you count for me?", "do you know numbers?",
        "show me how you count", "do you know how to count?", "count for me"))
    return ask, "Yes, I can! 1, 2, 3, 4, 5, 6, 7, 8, 9, 10."


def backwards_pair(rng: random.Random) -> tuple[str, str]:
    n = rng.choice((3, 5, 10))
    ask = rng.choice(("count down from {n}", "count backwards from {n}", "can you count down from {n}?",
        "count from {n} to 1"))
    return ask.format(n=_spoken(rng, n)), ", ".join(str(i) for i in range(n, 0, -1)) + "."


def neighbour_pair(rng: random.Random) -> tuple[str, str]:
    n = rng.randint(1, 19)
    if rng.random() < 0.6:
        ask = rng.choice(("what comes after {n}?", "which number comes after {n}?", "what number is after {n}?",
            "what is the next number after {n}?"))
        return ask.format(n=_spoken(rng, n)), f"After {n} comes {n + 1}."
    ask = rng.choice(("what comes before {n}?", "which number comes before {n}?", "what number is before {n}?"))
    return ask.format(n=_spoken(rng, n)), f"Before {n} comes {n - 1}."


def compare_pair(rng: random.Random) -> tuple[str, str]:
    a, b = rng.sample(range(0, 21), 2)
    if rng.random() < 0.6:
        ask = rng.choice(("which is bigger, {a} or {b}?", "what is bigger, {a} or {b}?",
            "which number is larger, {a} or {b}?", "is {a} bigger than {b}?", "which is more, {a} or {b}?"))
        return ask.format(a=a, b=b), f"{max(a, b)} is bigger than {min(a, b)}."
    ask = rng.choice(("which is smaller, {a} or {b}?", "what is smaller, {a} or {b}?",
        "which number is smaller, {a} or {b}?", "is {a} smaller than {b}?", "which is less, {a} or {b}?"))
    return ask.format(a=a, b=b), f"{min(a, b)} is smaller than {max(a, b)}."


def too_big_pair(rng: random.Random) -> tuple[str, str]:
    a, b = rng.randint(21, 999), rng.randint(11, 999)
    op = rng.choice((" + ", " - ", " * ", " / ", " plus ", " minus ", " times ", " divided by ", "+", "*"))
    answer = rng.choice(("That sum is too big for me. I only know small numbers up to ten.",
        "I can only add small numbers, up to ten plus ten."))
    return rng.choice(_FRAMES[:8]).format(s=f"{a}{op}{b}"), answer
