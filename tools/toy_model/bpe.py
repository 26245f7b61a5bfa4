"""Byte-level byte-pair encoding: the splitting rule, a trainer, and the encoder that the model is trained with.

Splits as `tokenizer.ggml.pre = "qwen2"` does: contractions, words with one leading mark or space, single digits,
runs of punctuation, line ends, spaces.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

END_OF_TEXT, IM_START, IM_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CONTROL_TOKENS = (END_OF_TEXT, IM_START, IM_END)

Pair = tuple[str, str]


def _class_of(letter: str) -> str:
    """The code points of one general category (its first letter), as the inside of a regex class."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)).startswith(letter):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)


@lru_cache(maxsize=1)
def splitter() -> re.Pattern[str]:
    letter, number = _class_of("L"), _class_of("N")
    return re.compile(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
        rf"|[^\r\n{letter}{number}]?[{letter}]+"
        rf"|[{number}]"
        rf"| ?[^\s{letter}{number}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


@lru_cache(maxsize=1)
def printable_bytes() -> tuple[str, ...]:
    """The character that stands for each byte in a GGUF vocabulary: itself if it is printable Latin-1."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    table = {byte: chr(byte) for byte in shown} | {byte: chr(256 + at) for at, byte in enumerate(hidden)}
    return tuple(table[byte] for byte in range(256))


def to_printable(text: str) -> str:
    table = printable_bytes()
    return "".join(table[byte] for byte in text.encode("utf-8"))


def train_merges(texts: Iterable[str], count: int) -> list[Pair]:
    """The `count` best merges, most frequent pair first; ties go to the pair that sorts first."""
    frequency = Counter(piece for text in texts for piece in splitter().findall(text))
    words = [list(to_printable(piece)) for piece in frequency]
    weights = list(frequency.values())
    pair_counts: Counter[Pair] = Counter()
    words_with: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, word in enumerate(words):
        _count_pairs(word, weights[index], pair_counts, words_with, index)
    merges: list[Pair] = []
    while len(merges) < count:
        best = min(pair_counts, key=lambda pair: (-pair_counts[pair], pair))
        merges.append(best)
        for index in words_with.pop(best):
            _count_pairs(words[index], -weights[index], pair_counts, words_with, index)
            words[index] = _merged(words[index], best)
            _count_pairs(words[index], weights[index], pair_counts, words_with, index)
        del pair_counts[best]
    return merges


def _count_pairs(word: list[str], weight: int, counts: Counter[Pair], words_with: defaultdict[Pair, set[int]],
    index: int) -> None:
    for pair in zip(word, word[1:]):
        counts[pair] += weight
        if weight > 0:
            words_with[pair].add(index)


def _merged(word: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    at = 0
    while at < len(word):
        if at + 1 < len(word) and (word[at], word[at + 1]) == pair:
            out.append(word[at] + word[at + 1])
            at += 2
        else:
            out.append(word[at])
            at += 1
    return out


class Bpe:
    """The vocabulary: control tokens, 256 bytes, then one token per merge."""

    def __init__(self, merges: list[Pair]) -> None:
        self.merges = merges
        self.tokens = [*CONTROL_TOKENS, *printable_bytes(), *(left + right for left, right in merges)]
        self.ids = {token: at for at, token in enumerate(self.tokens)}
        self._rank = {pair: at for at, pair in enumerate(merges)}
        self._byte_of = {char: byte for byte, char in enumerate(printable_bytes())}
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def load(cls, path: Path) -> "Bpe":
        return cls([(left, right) for left, right in json.loads(path.read_text(encoding="utf-8"))])

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.merges, ensure_ascii=False), encoding="utf-8")

    def encode(self, text: str) -> list[int]:
        """Ids of plain text: no control tokens are parsed or added."""
        return [token for piece in splitter().findall(text) for token in self._piece(piece)]

    def decode(self, ids: Iterable[int]) -> str:
        shown = "".join(self.tokens[token] for token in ids if token >= len(CONTROL_TOKENS))
        return bytes(self._byte_of[char] for char in shown).decode("utf-8", errors="replace")

    def _piece(self, piece: str) -> list[int]:
        if piece not in self._cache:
            word = list(to_printable(piece))
            while len(word) > 1:
                best = min(zip(word, word[1:]), key=lambda pair: self._rank.get(pair, len(self._rank)))
                if best not in self._rank:
                    break
                word = _merged(word, best)
            self._cache[piece] = [self.ids[part] for part in word]
        return self._cache[piece]
