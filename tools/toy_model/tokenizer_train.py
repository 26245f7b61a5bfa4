#!/usr/bin/env python3
"""Trains the toy model's vocabulary on its training text."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from bpe import CONTROL_TOKENS, Bpe, train_merges

N_VOCAB = 1536


def texts_of(path: Path) -> Iterator[str]:
    """Every text of the documents; the role names too, which stand in the template."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            document = json.loads(line)
            if "text" in document:
                yield document["text"]
            for message in document.get("messages", []):
                yield message["role"] + "\n" + message["content"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, default=Path("build/toy_model/talks.jsonl"))
    parser.add_argument("--out", type=Path, default=Path("build/toy_model/merges.json"))
    parser.add_argument("--texts", type=int, default=150_000, help="how many texts are read")
    args = parser.parse_args()
    texts = itertools.islice(texts_of(args.text), args.texts)
    bpe = Bpe(train_merges(texts, N_VOCAB - len(CONTROL_TOKENS) - 256))
    bpe.save(args.out)
    print(f"{len(bpe.tokens)} tokens: {args.out}")


if __name__ == "__main__":
    main()
