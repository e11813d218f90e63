"""Bytes of a model's weights in a format, matrix by matrix: embeddings and output are seldom kept like the rest."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal

from llmcompare.core.ggml_types import BLOCKS
from llmcompare.core.llama_cpp_mix import BASE_TYPES, tensor_type
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tensors import Matrix, is_tied, matrices
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


@lru_cache(maxsize=4096)
def weights_bytes(shape: ModelShape, *, format_name: str, importance_matrix: bool = False) -> int:
    """Bytes of all weights of a model in a format.

    >>> from llmcompare.core.shapes import LLAMA_3_8B
    >>> round(weights_bytes(LLAMA_3_8B, format_name="gguf-q4_k_m") / 2**30, 2)
    4.58
    """
    kept = weight_format(format_name)
    sizes = _Sizes(shape=shape, kept=kept, tied=is_tied(shape), importance_matrix=importance_matrix)
    return sum(map(sizes.of, matrices(shape)))


def bits_per_weight(shape: ModelShape, *, format_name: str) -> float:
    """Of all weights together."""
    elements = sum(matrix.elements for matrix in matrices(shape))
    return weights_bytes(shape, format_name=format_name) * BITS_PER_BYTE / elements


def active_weights_bytes(shape: ModelShape, *, format_name: str) -> float:
    """Bytes of the weights that one token uses; a token reads one row of the embeddings, so these are left out.

    The share of the parameters that is active, without embeddings, times the bytes of all weights without embeddings.
    """
    kept = weight_format(format_name)
    sizes = _Sizes(shape=shape, kept=kept, tied=is_tied(shape), importance_matrix=False)
    if sizes.tied:
        read = list(matrices(shape))
    else:
        read = [matrix for matrix in matrices(shape) if matrix.role != "embeddings"]
    all_elements = sum(matrix.elements for matrix in read)
    idle = shape.params_total - shape.params_active
    return sum(map(sizes.of, read)) * max(0.0, 1 - idle / all_elements)


def expert_weights_bytes(shape: ModelShape, *, format_name: str) -> int:
    """Bytes of the routed experts, which can be kept in RAM while the rest is on a GPU; 0 for a dense model."""
    if shape.expert_count is None:
        return 0
    kept = weight_format(format_name)
    sizes = _Sizes(shape=shape, kept=kept, tied=is_tied(shape), importance_matrix=False)
    share = shape.expert_count / (shape.expert_count + shape.shared_expert_count)
    routers = {matrix.layer for matrix in matrices(shape) if matrix.role == "router"}
    held = [one for one in matrices(shape) if one.role in ("gate", "up", "down") and one.layer in routers]
    return round(share * sum(map(sizes.of, held)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """Bytes of one matrix of a model in a format."""

    shape: ModelShape
    kept: WeightFormat
    tied: bool
    importance_matrix: bool

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
