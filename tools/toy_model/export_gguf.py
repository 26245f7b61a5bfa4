#!/usr/bin/env python3
"""Writes a checkpoint of train.py as the GGUF file that is embedded in Hearth."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from bpe import CONTROL_TOKENS, END_OF_TEXT, IM_END, Bpe
from chatml import TEMPLATE
from gguf_writer import ALIGNMENT, GgufWriter
from model import Shape, ToyModel

DESCRIPTION = (
    "A toy chat model for Hearth's first start and its tests: small talk, small stories, small sums and questions about "
    "Hearth, in simple English. It knows nothing else."
)
_NORMAL, _CONTROL = 1, 3
_MOSTLY_Q8_0 = 7


def add_general(writer: GgufWriter, n_parameters: int) -> None:
    writer.add("general.architecture", "llama")
    writer.add("general.type", "model")
    writer.add("general.name", "Hearth Toy")
    writer.add("general.author", "The Hearth authors")
    writer.add("general.description", DESCRIPTION)
    writer.add("general.license", "MIT")
    writer.add("general.size_label", f"{n_parameters / 1e6:.1f}M")
    writer.add("general.languages", ["en"])
    writer.add("general.file_type", _MOSTLY_Q8_0)
    writer.add("general.quantization_version", 2)
    writer.add("general.alignment", ALIGNMENT)


def add_shape(writer: GgufWriter, shape: Shape) -> None:
    writer.add("llama.vocab_size", shape.n_vocab)
    writer.add("llama.context_length", shape.n_ctx)
    writer.add("llama.embedding_length", shape.n_embd)
    writer.add("llama.block_count", shape.n_layer)
    writer.add("llama.feed_forward_length", shape.n_ff)
    writer.add("llama.attention.head_count", shape.n_head)
    writer.add("llama.attention.head_count_kv", shape.n_head_kv)
    writer.add("llama.attention.layer_norm_rms_epsilon", shape.norm_eps)
    writer.add("llama.rope.dimension_count", shape.head_dim)
    writer.add("llama.rope.freq_base", shape.rope_base)


def add_tokenizer(writer: GgufWriter, bpe: Bpe) -> None:
    writer.add("tokenizer.ggml.model", "gpt2")
    writer.add("tokenizer.ggml.pre", "qwen2")
    writer.add("tokenizer.ggml.tokens", bpe.tokens)
    writer.add("tokenizer.ggml.token_type", [_CONTROL if token in CONTROL_TOKENS else _NORMAL for token in bpe.tokens])
    writer.add("tokenizer.ggml.merges", [f"{left} {right}" for left, right in bpe.merges])
    writer.add("tokenizer.ggml.bos_token_id", bpe.ids[END_OF_TEXT])
    writer.add("tokenizer.ggml.eos_token_id", bpe.ids[IM_END])
    writer.add("tokenizer.ggml.padding_token_id", bpe.ids[END_OF_TEXT])
    writer.add("tokenizer.ggml.add_bos_token", False)
    writer.add("tokenizer.chat_template", TEMPLATE)


def main() -> None:
    build = Path("build/toy_model")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=build / "checkpoint.pt")
    parser.add_argument("--merges", type=Path, default=build / "merges.json")
    parser.add_argument("--out", type=Path, default=Path("engine/runtime/builtin/hearth-toy.gguf"))
    args = parser.parse_args()
    state = torch.load(args.checkpoint)
    model = ToyModel(Shape(**state["shape"]))
    model.load_state_dict(state["model"])
    tensors = model.gguf_tensors()
    n_parameters = sum(tensor.numel() for tensor in tensors.values())
    writer = GgufWriter()
    add_general(writer, n_parameters)
    add_shape(writer, model.shape)
    add_tokenizer(writer, Bpe.load(args.merges))
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor.numpy())
    args.out.parent.mkdir(parents=True, exist_ok=True)
    size = writer.write(args.out)
    print(f"{n_parameters} parameters, {size} bytes, step {state['step']}: {args.out}")


if __name__ == "__main__":
    main()
