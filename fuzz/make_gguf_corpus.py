#!/usr/bin/env python3
"""Writes the seeds of fuzz_gguf into corpus/gguf/: small files, each with another feature."""
import pathlib
import struct

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
FORMATS = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q",
           I64: "q", F64: "d"}


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def payload(kind, value):
    """A value without its type number; an array is (element type, list)."""
    if kind == STRING:
        return string(value)
    if kind == ARRAY:
        element, items = value
        return struct.pack("<IQ", element, len(items)) + b"".join(payload(element, i) for i in items)
    return struct.pack("<" + FORMATS[kind], value)


def gguf(entries=(), tensors=(), data=b"", version=3, alignment=32):
    """tensors: (name, dims, type, offset)."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(entries))
    for key, kind, value in entries:
        out += string(key) + struct.pack("<I", kind) + payload(kind, value)
    for name, dims, kind, offset in tensors:
        out += string(name) + struct.pack("<I", len(dims))
        out += b"".join(struct.pack("<Q", d) for d in dims) + struct.pack("<IQ", kind, offset)
    if data:
        out += b"\0" * (-len(out) % alignment) + data
    return out


ARCHITECTURE = ("general.architecture", STRING, "llama")
VOCABULARY = [
    ARCHITECTURE,
    ("tokenizer.ggml.model", STRING, "llama"),
    ("tokenizer.ggml.tokens", ARRAY, (STRING, ["<s>", "a", b"\xff"])),
    ("tokenizer.ggml.scores", ARRAY, (F32, [0, -1, -2])),
    ("tokenizer.ggml.token_type", ARRAY, (I32, [3, 1, 6])),
    ("tokenizer.ggml.bos_token_id", U32, 0),
]
SEEDS = {
    "empty_model": gguf(),
    "version2": gguf([ARCHITECTURE], version=2),
    "big_endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "every_type": gguf([(f"type{kind}", kind, 1) for kind in FORMATS]),
    "arrays": gguf([(f"array{kind}", ARRAY, (kind, [0, 1])) for kind in FORMATS]),
    "nested": gguf([("n", ARRAY, (ARRAY, [(ARRAY, [(U8, [1])]), (STRING, ["x", ""])]))]),
    "vocabulary": gguf(VOCABULARY),
    "token_id_outside": gguf(VOCABULARY + [("tokenizer.ggml.eos_token_id", U32, 3)]),
    "one_tensor": gguf([ARCHITECTURE], [("w", [4], 0, 0)], bytes(range(16))),
    "two_tensors": gguf([ARCHITECTURE], [("a", [2, 2], 0, 0), ("b", [8], 1, 32)], bytes(48)),
    "scalar": gguf([ARCHITECTURE], [("s", [], 0, 0)], bytes(4)),
    "four_dims": gguf([ARCHITECTURE], [("t", [2, 1, 2, 1], 24, 0)], bytes(4)),
    "quantised": gguf([ARCHITECTURE, ("general.quantization_version", U32, 2)],
                      [("q", [32, 1], 8, 0), ("k", [256], 12, 64)], bytes(64 + 144)),
    "out_of_order": gguf([ARCHITECTURE], [("late", [8], 0, 64), ("early", [8], 0, 0)], bytes(96)),
    "aligned_to_64": gguf([("general.alignment", U32, 64)], [("a", [1], 0, 0), ("b", [1], 0, 64)],
                          bytes(68), alignment=64),
    "aligned_to_1": gguf([("general.alignment", U32, 1)], [("a", [1], 24, 0), ("b", [1], 24, 1)],
                         bytes(2), alignment=1),
    "overlap": gguf([], [("a", [8], 0, 0), ("b", [8], 0, 0)], bytes(32)),
    "twice": gguf([ARCHITECTURE, ARCHITECTURE], [("a", [1], 0, 0), ("a", [1], 0, 32)], bytes(36)),
    "split": gguf([("split.no", U16, 0), ("split.count", U16, 2), ("split.tensors.count", I32, 1)]),
    "wrong_types": gguf([("general.architecture", U32, 1), ("tokenizer.ggml.tokens", U8, 1)]),
    "huge_counts": b"GGUF" + struct.pack("<IQQ", 3, 1 << 63, 1 << 63),
}

if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "corpus" / "gguf"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)
