#!/usr/bin/env python3
"""Trains the toy model on a CPU. Stops and resumes: the checkpoint holds model, optimizer and step.

The learning rate warms up, stays, and falls in a line to zero over the last part of the steps.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

# Every shape of batch has its own kernels; must be set before torch is loaded.
os.environ.setdefault("DNNL_PRIMITIVE_CACHE_CAPACITY", "8192")

import numpy as np
import torch
import torch.nn.functional as F

from bpe import END_OF_TEXT, Bpe
from chatml import name_list_ids, training_ids
from model import Shape, ToyModel

WIDTH_STEP = 32  # batches are padded to multiples of this many tokens,
LOGIT_STEP = 256  # and the rows of logits to multiples of this
Document = tuple[np.ndarray, np.ndarray]  # ids and the weights of their losses: [n_tokens]


def read_documents(text: Path, bpe: Bpe, n_ctx: int) -> list[Document]:
    documents = []
    with text.open(encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            if "text" in record:
                start = [bpe.ids[END_OF_TEXT]] if len(documents) % 2 else []  # with and without BOS
                ids = start + bpe.encode(record["text"]) + [bpe.ids[END_OF_TEXT]]
                weights = [0.0] + [1.0] * (len(ids) - 1)  # nothing stands before the first token
            elif "names" in record:
                ids, weights = name_list_ids(bpe, record["names"], record["between"])
            else:
                ids, weights = training_ids(bpe, record["messages"])
            if len(ids) <= n_ctx:
                documents.append((np.array(ids, np.int16), np.array(weights, np.float32)))
    return documents


def batches(documents: list[Document], tokens_per_batch: int, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless padded batches of documents of similar length: ids and weights, [batch, tokens]."""
    rng = random.Random(seed)
    while True:
        order = list(range(len(documents)))
        rng.shuffle(order)
        groups: list[list[Document]] = []
        for at in range(0, len(order), 4096):
            chosen = sorted((documents[i] for i in order[at:at + 4096]), key=lambda document: -len(document[0]))
            groups += _of_similar_length(chosen, tokens_per_batch)
        rng.shuffle(groups)
        for group in groups:
            yield _padded(group)


def _of_similar_length(documents: list[Document], tokens_per_batch: int) -> list[list[Document]]:
    """Full groups only, in few shapes: oneDNN compiles a kernel for every new one. Longest document first."""
    groups = []
    at = 0
    while at < len(documents):
        rows = max(1, tokens_per_batch // _width(documents[at]))
        groups.append(documents[at:at + rows])
        at += rows
    return groups if at == len(documents) else groups[:-1]


def _width(document: Document) -> int:
    return -(-len(document[0]) // WIDTH_STEP) * WIDTH_STEP


def _padded(group: list[Document]) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(_width, group))
    ids = np.zeros((len(group), width), np.int64)
    weights = np.zeros((len(group), width), np.float32)
    for row, (doc_ids, doc_weights) in enumerate(group):
        ids[row, :len(doc_ids)] = doc_ids
        weights[row, :len(doc_ids)] = doc_weights
    return torch.from_numpy(ids), torch.from_numpy(weights)


def loss_of(model: ToyModel, ids: torch.Tensor, weights: torch.Tensor, bf16: bool) -> torch.Tensor:
    """Weighted mean of the cross entropy of the next token; logits are computed where the weight is not zero."""
    said = weights.flatten().nonzero().flatten()  # never the first token of a row, so there is one before each
    unused = -len(said) % LOGIT_STEP
    said = F.pad(said, (0, unused), value=1)
    counts = weights.flatten()[said]
    counts[len(counts) - unused:] = 0
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        hidden = model(ids).flatten(0, 1)[said - 1]
        logits = model.logits(hidden)
    losses = F.cross_entropy(logits.float(), ids.flatten()[said], reduction="none")
    return (losses * counts).sum() / counts.sum()


def rate(step: int, args: argparse.Namespace) -> float:
    falling = max(1, int(args.steps * args.decay))
    return args.lr * min(1.0, (step + 1) / args.warmup, (args.steps - step) / falling)


def save(path: Path, model: ToyModel, optimizer: torch.optim.Optimizer | None, step: int) -> None:
    part = path.with_suffix(".part")
    torch.save({"shape": asdict(model.shape), "model": model.state_dict(),
        "optimizer": optimizer.state_dict() if optimizer else None, "step": step}, part)
    part.replace(path)


def make_optimizer(model: ToyModel, args: argparse.Namespace) -> torch.optim.Optimizer:
    matrices = [p for p in model.parameters() if p.ndim == 2]
    norms = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": matrices, "weight_decay": args.weight_decay}, {"params": norms, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.98), eps=1e-8)


def train(args: argparse.Namespace) -> None:
    bpe = Bpe.load(args.merges)
    model = ToyModel(Shape(n_vocab=len(bpe.tokens)))
    optimizer = make_optimizer(model, args)
    first = 0
    if args.checkpoint.exists():
        state = torch.load(args.checkpoint)
        model.load_state_dict(state["model"])
        if state["optimizer"]:
            optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    documents = read_documents(args.text, bpe, model.shape.n_ctx)
    held_out, documents = documents[:300], documents[300:]
    n_tokens = sum(len(ids) for ids, _ in documents)
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(documents)} documents, {n_tokens} tokens, from step {first}",
        flush=True)
    source_of_batches = batches(documents, args.batch_tokens, args.seed + first)
    started, seen, mean_loss = time.time(), 0, 0.0
    for step in range(first, args.steps):
        ids, weights = next(source_of_batches)
        for group in optimizer.param_groups:
            group["lr"] = rate(step, args)
        loss = loss_of(model, ids, weights, args.bf16)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seen += ids.numel()
        mean_loss += loss.item() / args.report
        if (step + 1) % args.report == 0:
            print(f"step {step + 1}/{args.steps} loss {mean_loss:.4f} lr {rate(step, args):.5f} {seen / (time.time() - started):.0f} tokens/s {time.time() - started:.0f} s",
                flush=True)
            mean_loss = 0.0
        if (step + 1) % args.save_every == 0 or step + 1 == args.steps:
            save(args.checkpoint, model, optimizer, step + 1)
            print(f"held-out loss {held_out_loss(model, held_out):.4f}", flush=True)


def held_out_loss(model: ToyModel, documents: list[Document]) -> float:
    """Mean over the first documents of the file, which are never trained on."""
    with torch.no_grad():
        losses = [loss_of(model, *_padded(documents[at:at + 30]), bf16=False).item() for at in range(0, len(documents),
            30)]
    return sum(losses) / len(losses)


def main() -> None:
    build = Path("build/toy_model")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, default=build / "talks.jsonl")
    parser.add_argument("--merges", type=Path, default=build / "merges.json")
    parser.add_argument("--checkpoint", type=Path, default=build / "checkpoint.pt")
    parser.add_argument("--steps", type=int, default=7000, help="the step at which training ends")
    parser.add_argument("--batch-tokens", type=int, default=1024)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--decay", type=float, default=0.28, help="share of the steps over which the rate falls to zero")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true",
        help="bfloat16 matrix products, twice as fast where the CPU has them")
    parser.add_argument("--report", type=int, default=25)
    parser.add_argument("--save-every", type=int, default=250)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    train(args)


if __name__ == "__main__":
    main()
