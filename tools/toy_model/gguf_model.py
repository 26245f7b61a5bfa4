"""Reads the exported GGUF file and runs it in numpy, float64, one token at a time.

Shares no code with the trainer or the writer, so that it can say whether the file is right; it reads only what
this project's file needs.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> Any:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values[0] if len(values) == 1 else values

    def string(self) -> str:
        length = self.take("Q")
        self.at += length
        return self.data[self.at - length:self.at].decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == 8:
            return self.string()
        if kind == 9:
            inner, count = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(count)]
        return self.take(_SCALARS[kind])


def read_gguf(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metadata and dequantised tensors, float64, rows first."""
    cursor = _Cursor(path.read_bytes())
    magic, version, n_tensors, n_keys = cursor.take("4sIQQ")
    assert (magic, version) == (b"GGUF", 3), f"{path}: not a GGUF file of version 3"
    metadata = {}
    for _ in range(n_keys):
        key = cursor.string()
        metadata[key] = cursor.value(cursor.take("I"))
    infos = []
    for _ in range(n_tensors):
        name = cursor.string()
        dims = [cursor.take("Q") for _ in range(cursor.take("I"))]
        infos.append((name, dims[::-1], cursor.take("I"), cursor.take("Q")))
    start = -(-cursor.at // metadata["general.alignment"]) * metadata["general.alignment"]
    return metadata, {name: _tensor(cursor.data, start + offset, dims, kind) for name, dims, kind, offset in infos}


def _tensor(data: bytes, at: int, dims: list[int], kind: int) -> np.ndarray:
    count = int(np.prod(dims))
    if kind == 0:
        return np.frombuffer(data, "<f4", count, at).astype(np.float64).reshape(dims)
    assert kind == 8, f"tensor type {kind} is not F32 or Q8_0"
    blocks = np.frombuffer(data, np.dtype([("d", "<f2"), ("q", "i1", 32)]), count // 32, at)
    return (blocks["d"].astype(np.float64)[:, None] * blocks["q"]).reshape(dims)


class GgufModel:
    """Feeds tokens one by one; keeps keys and values of all of them."""

    def __init__(self, path: Path) -> None:
        self.metadata, self.w = read_gguf(path)
        m = self.metadata
        self.n_layer, self.n_head, self.n_head_kv = m["llama.block_count"], m["llama.attention.head_count"], m["llama.attention.head_count_kv"]
        self.head_dim = m["llama.embedding_length"] // self.n_head
        self.eps = m["llama.attention.layer_norm_rms_epsilon"]
        self.frequency = m["llama.rope.freq_base"] ** (-np.arange(0, self.head_dim, 2) / self.head_dim)
        self.reset()

    def reset(self) -> None:
        self.n_past = 0
        self.keys: list[list[np.ndarray]] = [[] for _ in range(self.n_layer)]
        self.values: list[list[np.ndarray]] = [[] for _ in range(self.n_layer)]

    def _norm(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return x / np.sqrt(np.mean(x * x) + self.eps) * weight

    def _rope(self, heads: np.ndarray) -> np.ndarray:
        cos, sin = np.cos(self.n_past * self.frequency), np.sin(self.n_past * self.frequency)
        even, odd = heads[:, 0::2], heads[:, 1::2]
        out = np.empty_like(heads)
        out[:, 0::2], out[:, 1::2] = even * cos - odd * sin, even * sin + odd * cos
        return out

    def _attention(self, layer: int, x: np.ndarray) -> np.ndarray:
        def project(name: str, heads: int) -> np.ndarray:
            return (self.w[f"blk.{layer}.{name}.weight"] @ x).reshape(heads, self.head_dim)

        q = self._rope(project("attn_q", self.n_head))
        self.keys[layer].append(self._rope(project("attn_k", self.n_head_kv)))
        self.values[layer].append(project("attn_v", self.n_head_kv))
        keys, values = np.stack(self.keys[layer], 1), np.stack(self.values[layer], 1)
        mixed = []
        for head in range(self.n_head):
            of = head * self.n_head_kv // self.n_head
            scores = keys[of] @ q[head] / np.sqrt(self.head_dim)
            chances = np.exp(scores - scores.max())
            mixed.append(chances / chances.sum() @ values[of])
        return self.w[f"blk.{layer}.attn_output.weight"] @ np.concatenate(mixed)

    def _feed_forward(self, layer: int, x: np.ndarray) -> np.ndarray:
        gate = self.w[f"blk.{layer}.ffn_gate.weight"] @ x
        up = self.w[f"blk.{layer}.ffn_up.weight"] @ x
        return self.w[f"blk.{layer}.ffn_down.weight"] @ (gate / (1 + np.exp(-gate)) * up)

    def feed(self, token: int) -> np.ndarray:
        """Appends one token and returns the logits after it, [n_vocab]."""
        x = self.w["token_embd.weight"][token]
        for layer in range(self.n_layer):
            x = x + self._attention(layer, self._norm(x, self.w[f"blk.{layer}.attn_norm.weight"]))
            x = x + self._feed_forward(layer, self._norm(x, self.w[f"blk.{layer}.ffn_norm.weight"]))
        self.n_past += 1
        return self.w["token_embd.weight"] @ self._norm(x, self.w["output_norm.weight"])
