#!/usr/bin/env python3
"""Writes what Hearth must say with the built-in model, computed here from the exported file in numpy.

Only conversations whose every token wins by a wide margin are kept, so that another order of additions (SIMD,
quantised activations, a GPU) cannot change the text.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bpe import CONTROL_TOKENS, IM_END, IM_START, Bpe
from chatml import Message, prompt_ids
from gguf_model import GgufModel
from talk import answer, bpe_of

MOST_CONVERSATIONS = 14  # the test runs on every device, under sanitizers too
LEAST_MARGIN = 1.0  # in logits; quantised activations move them by far less
CONVERSATIONS = (
    "What is Hearth?", "What is GGUF?", "What is 3 plus 4?", "Can you count to five?", "What is your name?",
    "What comes after Monday?", "Knock knock",
    "How do I run a real model?", "What does a cow say?", "What is the opposite of hot?",
    "My name is Anna. || What is my name?", "What is the capital of France?",
    "Where does a penguin live?", "What is a token?", "What is the KV cache?",
    "My favourite colour is blue. || What is my favourite colour?",
    "What colour is a banana?", "How many days are in a week?", "What is a volcano?", "Who made you?",
    "How many legs does a spider have?", "What is 9 - 5?",
    "Say banana", "How are you?", "What do bees make?", "Hello!",
    "My name is Peter. || What is 2 plus 2? || What is my name?", "What is 4 times 5?",
)
TEXTS = (
    "", " ", "Hello", "Hello, world!", "  two spaces", "tabs\tand\nlines\n\n", "I'm sure they'll say it's we've",
    "1234 + 56 = 1290", "snake_case and kebab-case",
    "Grüße aus Köln", "日本語のテキスト", "naïve café", "emoji \U0001F642\U0001F44D", "a\u00a0b", "ONCE upon A time...",
    "don't DON'T Don'T", "x" * 100, "\r\n\r\n", "end ",
    "Once upon a time there was a little fox named Mia.", "hearth chat -m model.gguf", "\u0000\u0001\u007f",
    "½ and ² and Ⅷ", "<|im_end|>", "e\u0301", "한국어", "?!?! ... --- (a) [b] {c}",
)


def prompt_text(messages: list[Message]) -> str:
    said = "".join(f"{IM_START}{m['role']}\n{m['content']}{IM_END}\n" for m in messages)
    return f"{said}{IM_START}assistant\n"


def conversation(model: GgufModel, bpe: Bpe, line: str) -> dict[str, object] | None:
    """The last answer of a conversation, if every answer in it is certain enough."""
    messages: list[Message] = []
    margin = float("inf")
    for said in line.split(" || "):
        messages.append({"role": "user", "content": said})
        result = answer(model, prompt_ids(bpe, messages))
        margin = min(margin, result.margin)
        messages.append({"role": "assistant", "content": bpe.decode(result.ids)})
        if not result.stopped:
            return None
    print(f"{'kept   ' if margin >= LEAST_MARGIN else 'dropped'} {margin:6.2f}  {line}  ->  {messages[-1]['content']}")
    if margin < LEAST_MARGIN:
        return None
    asked = messages[:-1]
    return {"messages": asked, "prompt": prompt_text(asked), "prompt_ids": prompt_ids(bpe, asked),
        "answer_ids": result.ids,
            "answer": messages[-1]["content"], "least_margin": round(margin, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-m", type=Path, default=Path("engine/runtime/builtin/hearth-toy.gguf"))
    parser.add_argument("--out", type=Path, default=Path("tests/runtime/builtin_model.json"))
    args = parser.parse_args()
    model = GgufModel(args.m)
    bpe = bpe_of(model)
    kept = [found for line in CONVERSATIONS if (found := conversation(model, bpe, line))][:MOST_CONVERSATIONS]
    assert len(kept) >= 8, "too few certain answers to test with"
    expected = {
        "about": "Written by tools/toy_model/expect.py from the embedded file, without Hearth.",
        "end_of_answer": bpe.ids[IM_END],
        "n_control": len(CONTROL_TOKENS),
        "tokenized": [{"text": text, "ids": bpe.encode(text)} for text in TEXTS],
        "conversations": kept,
    }
    args.out.write_text(json.dumps(expected, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
