#!/usr/bin/env python3
"""Makes a checkpoint of the embedded file, so that training can go on from it: on new text, say.

The weights are those of the file (Q8_0, so not quite those that were exported), the vocabulary is the file's, and the
optimizer begins anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from bpe import Bpe
from gguf_model import GgufModel
from model import Shape, ToyModel
from talk import bpe_of
from train import save


def load_tensors(model: ToyModel, tensors: dict[str, np.ndarray]) -> None:
    """The opposite of model.gguf_tensors(): its tensors are views of the parameters, or parts of them."""
    with torch.no_grad():
        for name, tensor in model.gguf_tensors().items():
            tensor.copy_(torch.from_numpy(np.asarray(tensors[name])))


def main() -> None:
    build = Path("build/toy_model")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-m", type=Path, default=Path("engine/runtime/builtin/hearth-toy.gguf"))
    parser.add_argument("--checkpoint", type=Path, default=build / "checkpoint.pt")
    parser.add_argument("--merges", type=Path, default=build / "merges.json")
    args = parser.parse_args()
    file = GgufModel(args.m)
    bpe: Bpe = bpe_of(file)
    model = ToyModel(Shape(n_vocab=len(bpe.tokens)))
    load_tensors(model, file.w)
    args.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    bpe.save(args.merges)
    save(args.checkpoint, model, optimizer=None, step=0)
    print(f"{args.m}: {args.checkpoint}, {args.merges}")


if __name__ == "__main__":
    main()
