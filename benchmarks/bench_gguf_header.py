"""How long the header of a GGUF file of half a gigabyte takes, with a vocabulary of 151,936 tokens and its merges."""

import struct
import tempfile
import time
from pathlib import Path

from measuring import Results, Target, project_on_path, say_load

project_on_path()

from llmcompare.models.gguf import read_header  # noqa: E402
from llmcompare.models.gguf_shape import shape_of  # noqa: E402

REPEATS = 21
TOKENS, MERGES, LAYERS, WIDTH, INNER = 151_936, 151_387, 24, 896, 4_864
U32, TEXT, ARRAY = 4, 8, 9
Q8_0, BLOCK, BLOCK_BYTES = 8, 32, 34
"""Vocabulary, layers and format as those of Qwen2.5 0.5B in Q8_0: 0.53 GB."""


def text(value: str) -> bytes:
    """A text as the format writes it."""
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def texts(key: str, values: list[str]) -> bytes:
    """An array of texts."""
    return text(key) + struct.pack("<IIQ", ARRAY, TEXT, len(values)) + b"".join(map(text, values))


def numbers(key: str, count: int) -> bytes:
    """An array of numbers, the types of the tokens for example."""
    return text(key) + struct.pack("<IIQ", ARRAY, U32, count) + bytes(4 * count)


def number(key: str, value: int) -> bytes:
    """One number."""
    return text(key) + struct.pack("<II", U32, value)


def tensors() -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes of a dense model."""
    found = [("token_embd.weight", (WIDTH, TOKENS))]
    for layer in range(LAYERS):
        shapes = {
            "attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, 128), "attn_v": (WIDTH, 128), "attn_output": (WIDTH, WIDTH),
            "ffn_gate": (WIDTH, INNER), "ffn_up": (WIDTH, INNER), "ffn_down": (INNER, WIDTH),
        }  # fmt: skip
        found += [(f"blk.{layer}.{name}.weight", shape) for name, shape in shapes.items()]
    return found


def table() -> tuple[bytes, int]:
    """The table of tensors, one after the other, and the bytes of their weights."""
    rows, offset = [], 0
    for name, shape in tensors():
        rows.append(text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, Q8_0, offset))
        offset += -(-shape[0] * shape[1] // BLOCK * BLOCK_BYTES // 32) * 32
    return b"".join(rows), offset


def write(path: Path) -> None:
    """A sparse file: the header is real, the weights are a hole."""
    counts = {"block_count": LAYERS, "embedding_length": WIDTH, "attention.head_count": 14,
              "attention.head_count_kv": 2, "feed_forward_length": INNER, "context_length": 32_768}  # fmt: skip
    entries = [text("general.architecture") + struct.pack("<I", TEXT) + text("qwen2")]
    entries += [number(f"qwen2.{key}", value) for key, value in counts.items()]
    entries += [
        texts("tokenizer.ggml.tokens", [f"token{place:06d}"[-(place % 9 + 2) :] for place in range(TOKENS)]),
        numbers("tokenizer.ggml.token_type", TOKENS),
        texts("tokenizer.ggml.merges", [f"part{place % 997} of{place % 991}" for place in range(MERGES)]),
    ]
    rows, weights_bytes = table()
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors()), len(entries)) + b"".join(entries) + rows
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(len(head) + 32 + weights_bytes)


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.gguf"
        write(path)
        size_gb = path.stat().st_size / 1e9
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            shape_of([read_header(path)])
            times.append(time.perf_counter() - began)
    results.add(
        f"header and shape of a GGUF file of {size_gb:.2f} GB, 151,936 tokens", times, target=Target(0.5, "p95")
    )


if __name__ == "__main__":
    main()
