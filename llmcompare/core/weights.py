"""Bytes of a model's weights in a format, matrix by matrix: embeddings and output are seldom kept like the rest."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal

from llmcompare.core.ggml_types import BLOCKS
from llmcompare.core.llama_cpp_mix import BASE_TYPES, tensor_type
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tensors import Matrix, alike, is_tied, matrices
from llmcompare.errors import InputError

BITS_PER_BYTE = 8
BITS_16 = 16.0
GROUP_OF_128 = (16 + 4) / 128
"""Bits per weight that a 16-bit scale and a 4-bit zero point per 128 weights add."""
Maker = Literal["llama.cpp", "safetensors", "mlx", "exllama", "mlc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFormat:
    """How a model's weights are kept."""

    name: str
    """As throughput rows name it."""
    maker: Maker
    linear_bits: float
    """Per weight of the layers' matrices, scales and zero points included; of a GGUF format, of its main type."""
    embedding_bits: float
    output_bits: float
    mix: str | None = None
    """llama.cpp's name of a GGUF format, whose types are chosen matrix by matrix."""


def _kept_at_16(name: str, linear_bits: float) -> WeightFormat:
    return WeightFormat(
        name=name, maker="safetensors", linear_bits=linear_bits, embedding_bits=BITS_16, output_bits=BITS_16
    )


def _all_alike(name: str, maker: Maker, bits: float) -> WeightFormat:
    return WeightFormat(name=name, maker=maker, linear_bits=bits, embedding_bits=bits, output_bits=bits)


def _gguf(mix: str) -> WeightFormat:
    elements, size_bytes = BLOCKS[BASE_TYPES[mix]]
    bits = BITS_PER_BYTE * size_bytes / elements
    return WeightFormat(
        name=f"gguf-{mix.lower()}",
        maker="llama.cpp",
        linear_bits=bits,
        embedding_bits=bits,
        output_bits=bits,
        mix=mix,
    )


_LISTED = [
    _all_alike("fp32", "safetensors", 32.0),
    _all_alike("bf16", "safetensors", BITS_16),
    _all_alike("fp16", "safetensors", BITS_16),
    # NVIDIA's FP8 and NVFP4 models exclude lm_head (hf_quant_config.json); FP8 has one scale per matrix or 128 x 128.
    _kept_at_16("fp8", 8.0),
    # One FP8 scale for each 16 weights (group_size in hf_quant_config.json).
    _kept_at_16("nvfp4", 4 + 8 / 16),
    _kept_at_16("mxfp4", 4 + 8 / 32),
    # AWQ and GPTQ: groups of 128, lm_head and embeddings left alone.
    _kept_at_16("awq-int4", 4 + GROUP_OF_128),
    _kept_at_16("gptq-int4", 4 + GROUP_OF_128),
    _kept_at_16("gptq-int8", 8 + (16 + 8) / 128),
    _kept_at_16("int8", 8.0),
    _kept_at_16("int4", 4 + GROUP_OF_128),
    # One 32-bit scale for each 64 weights; double quantisation would save 0.37 bits.
    _kept_at_16("bnb-int4", 4 + 32 / 64),
    *(_all_alike(f"mlx-q{bits}", "mlx", bits + 32 / 64) for bits in (2, 3, 4, 5, 6, 8)),
    *(_all_alike(f"mlx-q{bits}-g32", "mlx", bits + 32 / 32) for bits in (4, 5, 6, 8)),
    _all_alike("mlc-q4f16_1", "mlc", 4 + 16 / 32),
    *map(_gguf, BASE_TYPES),
]
WEIGHT_FORMATS = {listed.name: listed for listed in _LISTED}
"""By name, as throughput rows name them. exl2 formats are read from their name: exl2-4.0bpw."""
OTHER_NAMES = {"awq": "awq-int4", "gptq": "gptq-int4", "float16": "fp16", "bfloat16": "bf16", "float32": "fp32"}
EXL2 = re.compile(r"^exl2-(\d+(?:\.\d+)?)bpw$")
EXL2_OUTPUT_BITS = 6.0
"""ExLlamaV2 keeps the output at 6 bits unless told otherwise, and the embeddings at 16."""


def weight_format(name: str) -> WeightFormat:
    """The format of this name; GGUF formats with or without `gguf-`, in either case. Raises InputError.

    >>> weight_format("Q4_K_M").name, weight_format("exl2-4.0bpw").linear_bits
    ('gguf-q4_k_m', 4.0)
    """
    wanted = name.strip().lower()
    wanted = OTHER_NAMES.get(wanted, wanted)
    if found := WEIGHT_FORMATS.get(wanted) or WEIGHT_FORMATS.get(f"gguf-{wanted}"):
        return found
    if (match := EXL2.match(wanted)) and 2 <= float(match[1]) <= 8:
        return WeightFormat(
            name=wanted,
            maker="exllama",
            linear_bits=float(match[1]),
            embedding_bits=BITS_16,
            output_bits=EXL2_OUTPUT_BITS,
        )
    close = get_close_matches(wanted, WEIGHT_FORMATS, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else "fp16, fp8, awq-int4 and gguf-q4_k_m are some."
    raise InputError(f"{name!r} is no weight format that is known here: {hint}")


def weights_bytes(shape: ModelShape, *, format_name: str, importance_matrix: bool = False) -> int:
    """Bytes of all weights of a model in a format.

    >>> from llmcompare.core.shapes import LLAMA_3_8B
    >>> round(weights_bytes(LLAMA_3_8B, format_name="gguf-q4_k_m") / 2**30, 2)
    4.58
    """
    return _summed(shape, format_name, importance_matrix).all_bytes


def bits_per_weight(shape: ModelShape, *, format_name: str) -> float:
    """Of all weights together."""
    elements = sum(matrix.elements * count for matrix, _, count in alike(shape))
    return weights_bytes(shape, format_name=format_name) * BITS_PER_BYTE / elements


def read_weights_bytes(shape: ModelShape, *, format_name: str) -> int:
    """Bytes of all weights but the embeddings, of which a token reads one row; all where they are the output too."""
    return _summed(shape, format_name, False).read_bytes


def expert_weights_bytes(shape: ModelShape, *, format_name: str) -> int:
    """Bytes of the routed experts, which can be kept in RAM while the rest is on a GPU; 0 for a dense model."""
    if shape.expert_count is None:
        return 0
    share = shape.expert_count / (shape.expert_count + shape.shared_expert_count)
    return round(share * _summed(shape, format_name, False).expert_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summed:
    """Bytes of a model in a format."""

    all_bytes: int
    read_bytes: int
    """Without embeddings that are no output."""
    expert_bytes: int
    """Of the feed-forward matrices in layers with experts."""


@lru_cache(maxsize=4096)
def _summed(shape: ModelShape, format_name: str, importance_matrix: bool) -> _Summed:
    # One pass for all three, once: the first question to the Advisor spent two thirds of its time here.
    kept, tied = weight_format(format_name), is_tied(shape)
    sizes = _Sizes(shape=shape, kept=kept, tied=tied, importance_matrix=importance_matrix)
    everything = embeddings = experts = 0
    for matrix, has_experts, size in sizes.listed():
        everything += size
        if matrix.role == "embeddings":
            embeddings += size
        elif has_experts and matrix.role in ("gate", "up", "down"):
            experts += size
    return _Summed(all_bytes=everything, read_bytes=everything - (0 if tied else embeddings), expert_bytes=experts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """Bytes of one matrix of a model in a format."""

    shape: ModelShape
    kept: WeightFormat
    tied: bool
    importance_matrix: bool

    def listed(self) -> Iterator[tuple[Matrix, bool, int]]:
        """Each matrix, whether its layer has experts, its bytes; those of one size together where layers are alike."""
        if self.kept.mix is None:
            yield from ((matrix, experts, count * self.of(matrix)) for matrix, experts, count in alike(self.shape))
            return
        routers = {matrix.layer for matrix in matrices(self.shape) if matrix.role == "router"}
        yield from ((matrix, matrix.layer in routers, self.of(matrix)) for matrix in matrices(self.shape))

    def of(self, matrix: Matrix) -> int:
        """Of all its elements."""
        if self.kept.mix is None:
            return round(matrix.elements * self._bits(matrix) / BITS_PER_BYTE)
        kind = tensor_type(
            self.shape,
            matrix,
            file_format=self.kept.mix,
            tied=self.tied,
            importance_matrix=self.importance_matrix,
        )
        elements, size_bytes = BLOCKS[kind]
        return -(-matrix.elements // elements) * size_bytes

    def _bits(self, matrix: Matrix) -> float:
        match matrix.role:
            case "embeddings":
                return self.kept.embedding_bits
            case "output":
                return self.kept.output_bits
            case "norm" | "router":
                return max(BITS_16, self.kept.linear_bits)
        return self.kept.linear_bits
