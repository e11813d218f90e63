"""The matrices of a model, from its shape: how many there are, how large, and what each is for."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from llmcompare.core.shapes import ModelShape

Role = Literal[
    "embeddings", "output", "query", "key", "value", "attention_output", "gate", "up", "down", "router", "norm"
]
COUNT_TOLERANCE_FRACTION = 0.06
"""Between the counted parameters and the stated ones; vendors round 14.8 billion to 14."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """One weight matrix, or those of all experts of a layer together."""

    role: Role
    layer: int
    """Counts from 0; 0 for what is in no layer."""
    elements: int
    row_size: int
    """Elements of a row; llama.cpp quantises within rows."""


@lru_cache(maxsize=1024)
def matrices(shape: ModelShape) -> tuple[Matrix, ...]:
    """All matrices of a model, in the order of its layers.

    The counted elements are taken where they agree with the stated parameters to 6%. A model with parts that the shape
    does not show (linear attention, vision) keeps its stated parameters: what attention and embeddings leave over is
    spread evenly over the feed-forward matrices.
    """
    tied = is_tied(shape)
    counted = tuple(_matrices(shape, tied=tied, ffn_elements=None))
    if shape.ffn_hidden_size and shape.vocabulary_size and _agrees(shape, _elements(counted)):
        return counted
    bare = tuple(_matrices(shape, tied=tied, ffn_elements=0))
    left = max(0, round(shape.params_total) - _elements(bare))
    return tuple(_matrices(shape, tied=tied, ffn_elements=left // (3 * shape.layer_count)))


@lru_cache(maxsize=1024)
def alike(shape: ModelShape) -> tuple[tuple[Matrix, bool, int], ...]:
    """Matrices that differ in their layer alone, as the first of them; whether their layers have experts; how many."""
    routers = {matrix.layer for matrix in matrices(shape) if matrix.role == "router"}
    found: dict[tuple[Role, int, int, bool], list[Matrix]] = {}
    for one in matrices(shape):
        found.setdefault((one.role, one.elements, one.row_size, one.layer in routers), []).append(one)
    return tuple((same[0], has_experts, len(same)) for (*_, has_experts), same in found.items())


@lru_cache(maxsize=1024)
def is_tied(shape: ModelShape) -> bool:
    """Whether embeddings and output are one matrix; where no source says so, what fits the parameter count better."""
    if shape.tied_embeddings is not None or not shape.ffn_hidden_size:
        return bool(shape.tied_embeddings)
    gaps = {
        tied: abs(_elements(_matrices(shape, tied=tied, ffn_elements=None)) - shape.params_total)
        for tied in (False, True)
    }
    return gaps[True] < gaps[False]


def _agrees(shape: ModelShape, elements: int) -> bool:
    holds_kv_everywhere = shape.full_kv_layer_count + shape.window_kv_layer_count == shape.layer_count
    gap = abs(elements - shape.params_total)
    return holds_kv_everywhere and gap <= COUNT_TOLERANCE_FRACTION * shape.params_total


def _elements(found: tuple[Matrix, ...] | Iterator[Matrix]) -> int:
    return sum(matrix.elements for matrix in found)


def _matrices(shape: ModelShape, *, tied: bool, ffn_elements: int | None) -> Iterator[Matrix]:
    width = shape.hidden_size
    table = (shape.vocabulary_size or 0) * width
    yield Matrix(role="embeddings", layer=0, elements=table, row_size=width)
    for layer in range(shape.layer_count):
        yield from _attention(shape, layer)
        yield from _feed_forward(shape, layer, ffn_elements)
        yield Matrix(role="norm", layer=layer, elements=2 * width, row_size=width)
    if not tied:
        yield Matrix(role="output", layer=0, elements=table, row_size=width)


def _attention(shape: ModelShape, layer: int) -> Iterator[Matrix]:
    width, heads, kv_heads = shape.hidden_size, shape.head_count, shape.kv_head_count
    yield Matrix(role="query", layer=layer, elements=width * heads * shape.key_size, row_size=width)
    yield Matrix(role="key", layer=layer, elements=width * kv_heads * shape.key_size, row_size=width)
    yield Matrix(role="value", layer=layer, elements=width * kv_heads * shape.value_size, row_size=width)
    size = heads * shape.value_size
    yield Matrix(role="attention_output", layer=layer, elements=width * size, row_size=size)


def _feed_forward(shape: ModelShape, layer: int, elements: int | None) -> Iterator[Matrix]:
    width, inner = shape.hidden_size, shape.ffn_hidden_size or shape.hidden_size
    moe = _has_experts(shape, layer)
    if elements is None:
        copies = (shape.expert_count or 1) + shape.shared_expert_count if moe else 1
        elements = copies * width * inner
    yield Matrix(role="gate", layer=layer, elements=elements, row_size=width)
    yield Matrix(role="up", layer=layer, elements=elements, row_size=width)
    yield Matrix(role="down", layer=layer, elements=elements, row_size=inner)
    if moe:
        yield Matrix(role="router", layer=layer, elements=width * (shape.expert_count or 0), row_size=width)


def _has_experts(shape: ModelShape, layer: int) -> bool:
    """The layers with experts are spread evenly, the last of each group has them (interleave_moe_layer_step)."""
    moe_layers = (shape.moe_layer_count or 0) if shape.expert_count else 0
    return (layer + 1) * moe_layers // shape.layer_count > layer * moe_layers // shape.layer_count
