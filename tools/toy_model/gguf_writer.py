"""Writes a GGUF file, version 3: metadata, then tensors as F32 or Q8_0."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ALIGNMENT = 32
Q8_0_BLOCK = 32
_TYPE_F32, _TYPE_Q8_0 = 0, 8
_U32, _F32, _BOOL, _STRING, _ARRAY, _I32 = 4, 6, 7, 8, 9, 5


def _string(text: str) -> bytes:
    raw = text.encode("utf-8")
    return struct.pack("<Q", len(raw)) + raw


def _scalar(value: bool | int | float | str) -> tuple[int, bytes]:
    """The type number and the bytes of a value; whole numbers are u32."""
    if isinstance(value, bool):
        return _BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return _U32, struct.pack("<I", value)
    if isinstance(value, float):
        return _F32, struct.pack("<f", value)
    return _STRING, _string(value)


def _array(values: Sequence[int] | Sequence[str]) -> bytes:
    """Strings, or i32 as `token_type` has them."""
    if isinstance(values[0], str):
        kind, body = _STRING, b"".join(_string(str(value)) for value in values)
    else:
        kind, body = _I32, struct.pack(f"<{len(values)}i", *values)
    return struct.pack("<IQ", kind, len(values)) + body


def q8_0(matrix: np.ndarray) -> bytes:
    """Blocks of 32 along a row: a half-precision scale, then 32 signed bytes."""
    blocks = matrix.astype(np.float32).reshape(-1, Q8_0_BLOCK)
    scale = (np.abs(blocks).max(axis=1) / np.float32(127)).astype(np.float16)
    divisor = np.where(scale == 0, np.float32(1), scale.astype(np.float32))
    quants = np.clip(np.rint(blocks / divisor[:, None]), -127, 127).astype(np.int8)
    record = np.dtype([("d", "<f2"), ("q", "i1", Q8_0_BLOCK)])
    out = np.empty(len(blocks), record)
    out["d"], out["q"] = scale, quants
    return out.tobytes()


class GgufWriter:
    def __init__(self) -> None:
        self._metadata: list[bytes] = []
        self._tensors: list[tuple[str, tuple[int, ...], int, bytes]] = []

    def add(self, key: str, value: bool | int | float | str | Sequence[int] | Sequence[str]) -> None:
        if isinstance(value, (bool, int, float, str)):
            kind, body = _scalar(value)
        else:
            kind, body = _ARRAY, _array(value)
        self._metadata.append(_string(key) + struct.pack("<I", kind) + body)

    def add_tensor(self, name: str, values: np.ndarray) -> None:
        """Matrices become Q8_0, vectors stay F32. Shape: rows first, as numpy has it."""
        if values.ndim == 2:
            self._tensors.append((name, values.shape, _TYPE_Q8_0, q8_0(values)))
        else:
            self._tensors.append((name, values.shape, _TYPE_F32, values.astype("<f4").tobytes()))

    def write(self, path: Path) -> int:
        """Writes the file and returns its size in bytes."""
        infos, data = bytearray(), bytearray()
        for name, shape, kind, body in self._tensors:
            dims = shape[::-1]  # GGUF has the row length first
            infos += _string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, len(data))
            data += body + bytes(-len(body) % ALIGNMENT)
        head = struct.pack("<4sIQQ", b"GGUF", 3, len(self._tensors),
            len(self._metadata)) + b"".join(self._metadata) + infos
        head += bytes(-len(head) % ALIGNMENT)
        path.write_bytes(head + data)
        return len(head) + len(data)
