"""The facts of a GGUF file, as its header gives them."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llmcompare.core.ggml_types import FILE_TYPES, GUESSED

ITEMS_KEPT = 1024
"""Longer arrays of numbers are counted only; what is asked for has one item per layer."""
KV_ELEMENT_BYTES = 2
"""The KV cache holds f16."""

Scalar = int | float | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """One row of the table of tensors."""

    name: str
    shape: tuple[int, ...]
    """As ggml counts: the length of a row comes first."""
    type_name: str
    size_bytes: int

    @property
    def elements(self) -> int:
        """Numbers in it."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayInfo:
    """An array of the metadata."""

    count: int
    items: tuple[int | float | bool, ...] | None
    """None where it is long or holds no numbers."""


@dataclass(frozen=True, kw_only=True)
class GgufHeader:
    """What a GGUF file says of itself."""

    path: Path
    file_bytes: int
    version: int
    metadata: Mapping[str, Scalar]
    arrays: Mapping[str, ArrayInfo]
    tensors: tuple[TensorInfo, ...]

    @property
    def architecture(self) -> str | None:
        """As llama.cpp names it."""
        return self._text("general.architecture")

    @property
    def name(self) -> str | None:
        """As its makers call it."""
        return self._text("general.name")

    @property
    def kind(self) -> str:
        """model, adapter, mmproj, imatrix …"""
        return self._text("general.type") or "model"

    @cached_property
    def quantization(self) -> str | None:
        """The format of the weights: what the file states, else the type of most of its bytes."""
        stated = self.metadata.get("general.file_type")
        if isinstance(stated, int) and (named := FILE_TYPES.get(stated & ~GUESSED)):
            return named
        sizes: Counter[str] = Counter()
        for tensor in self.tensors:
            sizes[tensor.type_name] += tensor.size_bytes
        return max(sizes, key=lambda name: sizes[name]) if sizes else None

    @cached_property
    def weights_bytes(self) -> int:
        """Of all tensors together, without padding."""
        return sum(tensor.size_bytes for tensor in self.tensors)

    @cached_property
    def parameters(self) -> int:
        """Numbers in all tensors together."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def layers(self) -> int | None:
        """Blocks of the network."""
        return self.count("block_count")

    @property
    def trained_context_tokens(self) -> int | None:
        """The longest text of its training."""
        return self.count("context_length")

    @property
    def kv_bytes_per_token(self) -> int | None:
        """Of an f16 cache that keeps every token in every layer: the most it can be, as windows may keep less."""
        heads = self._per_layer("attention.head_count")
        kv_heads = self._per_layer("attention.head_count_kv") or heads
        if kv_heads is None:
            return None
        width = self.count("embedding_length")
        default = width // heads[0] if width and heads and heads[0] else None
        key, value = (self.count(f"attention.{part}_length") or default for part in ("key", "value"))
        if key is None or value is None:
            return None
        return sum(kv_heads) * (key + value) * KV_ELEMENT_BYTES

    def count(self, key: str) -> int | None:
        """A number of the metadata that counts something, by its name without the architecture."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) and value >= 0 else None

    def _text(self, key: str) -> str | None:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None

    def _per_layer(self, key: str) -> tuple[int, ...] | None:
        """A count for each layer; a file may give one for all, or none for layers without attention."""
        array = self.arrays.get(f"{self.architecture}.{key}")
        if array is not None and array.items is not None:
            return tuple(item for item in array.items if isinstance(item, int) and item >= 0)
        one = self.count(key)
        # Layers without a limit would make a hostile file reserve a tuple of any size.
        if one is None or not self.layers or self.layers > ITEMS_KEPT:
            return None
        return (one,) * self.layers
