#!/usr/bin/env python3
"""Talks with the exported GGUF file through the numpy implementation: answers to prompts, with their smallest margin.

Each argument is one conversation: the user's messages, separated by " || ". Or --file: one conversation per line.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bpe import CONTROL_TOKENS, Bpe
from chatml import prompt_ids
from gguf_model import GgufModel

MAX_ANSWER = 320


@dataclass(frozen=True)
class Answer:
    ids: list[int]
    margin: float  # smallest gap between the best and the second best logit
    stopped: bool  # whether it ended by itself


def bpe_of(model: GgufModel) -> Bpe:
    return Bpe([tuple(merge.split(" ")) for merge in model.metadata["tokenizer.ggml.merges"]])


def choose(logits: np.ndarray, temperature: float, rng: np.random.Generator) -> int:
    if temperature == 0:
        return int(np.argmax(logits))
    chances = np.exp((logits - logits.max()) / temperature)
    chances[chances < 0.05 * chances.max()] = 0  # min-p
    return int(rng.choice(len(logits), p=chances / chances.sum()))


def answer(model: GgufModel, prompt: list[int], temperature: float = 0,
    rng: np.random.Generator | None = None) -> Answer:
    rng = rng or np.random.default_rng(1)
    model.reset()
    for token in prompt:
        logits = model.feed(token)
    ids: list[int] = []
    margin = float("inf")
    while len(ids) < MAX_ANSWER and model.n_past < model.metadata["llama.context_length"]:
        second, best = np.partition(logits, -2)[-2:]
        margin = min(margin, float(best - second))
        token = choose(logits, temperature, rng)
        if token < len(CONTROL_TOKENS):
            return Answer(ids, margin, True)
        ids.append(token)
        logits = model.feed(token)
    return Answer(ids, margin, False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("conversations", nargs="*")
    parser.add_argument("-m", type=Path, default=Path("engine/runtime/builtin/hearth-toy.gguf"))
    parser.add_argument("--file", type=Path)
    parser.add_argument("--system")
    parser.add_argument("--temp", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ids", action="store_true", help="print the prompt's and the answer's ids, too")
    args = parser.parse_args()
    model = GgufModel(args.m)
    bpe = bpe_of(model)
    rng = np.random.default_rng(args.seed)
    lines = args.conversations + (args.file.read_text().splitlines() if args.file else [])
    for line in filter(None, lines):
        messages = [{"role": "system", "content": args.system}] if args.system else []
        for said in line.split(" || "):
            messages.append({"role": "user", "content": said})
            prompt = prompt_ids(bpe, messages)
            result = answer(model, prompt, args.temp, rng)
            text = bpe.decode(result.ids)
            messages.append({"role": "assistant", "content": text})
            print(f"> {said}\n  {text}  [{result.margin:.2f}{'' if result.stopped else ', did not stop'}]")
            if args.ids:
                print("  prompt", *prompt, "\n  answer", *result.ids)
        print()
        sys.stdout.flush()


if __name__ == "__main__":
    main()
