#!/usr/bin/env python3
"""Writes the toy model's training text: one JSON document per line, the same bytes for the same seed.

A document is {"messages": [{"role": ..., "content": ...}, ...]}, {"text": a story on its own}, or {"names": [...],
"between": ...}, names again and again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from world.dialogue import conversation, lesson
from world.stories import random_story
from world.telling import name_list

SHARE_OF_STORIES = 0.01
SHARE_OF_LONG = 0.005  # conversations that fill most of the context


def document(rng: random.Random, share_of_lessons: float, share_of_names: float) -> dict[str, object]:
    if rng.random() < share_of_names:
        names, between = name_list(rng)
        return {"names": names, "between": between}
    draw = rng.random()
    if draw < SHARE_OF_STORIES:
        return {"text": random_story(rng)}
    if draw < SHARE_OF_STORIES + SHARE_OF_LONG:
        return {"messages": conversation(rng, 2600)}
    if rng.random() < share_of_lessons:
        return {"messages": lesson(rng)}
    return {"messages": conversation(rng, 900)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/toy_model/talks.jsonl"))
    parser.add_argument("--documents", type=int, default=45_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lessons", type=float, default=0.45, help="share of documents with one topic only")
    parser.add_argument("--names", type=float, default=0.2, help="share of documents that are lists of names")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("w", encoding="utf-8") as file:
        for _ in range(args.documents):
            file.write(json.dumps(document(rng, args.lessons, args.names), ensure_ascii=False) + "\n")
    print(f"{args.documents} documents, {args.out.stat().st_size / 1e6:.1f} MB: {args.out}")


if __name__ == "__main__":
    main()
