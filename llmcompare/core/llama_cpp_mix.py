"""Which type llama.cpp gives each matrix of a file: a format such as Q4_K_M is a mix of types.

The rules are those of llama_tensor_get_type_impl and tensor_type_fallback in llama.cpp's src/llama-quant.cpp @ 007dbbf,
for models of the Llama, Mistral and Qwen families. Formats of one to three bits (IQ1 to IQ3) are taken to be made with
an importance matrix, which most of them need.
"""

from llmcompare.core.ggml_types import BLOCKS
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tensors import Matrix

BASE_TYPES = {
    "F32": "F32", "F16": "F16", "BF16": "BF16", "Q8_0": "Q8_0", "Q5_1": "Q5_1", "Q5_0": "Q5_0", "Q4_1": "Q4_1",
    "Q4_0": "Q4_0", "Q6_K": "Q6_K", "Q5_K_M": "Q5_K", "Q5_K_S": "Q5_K", "Q4_K_M": "Q4_K", "Q4_K_S": "Q4_K",
    "Q3_K_L": "Q3_K", "Q3_K_M": "Q3_K", "Q3_K_S": "Q3_K", "Q2_K": "Q2_K", "Q2_K_S": "Q2_K", "IQ4_NL": "IQ4_NL",
    "IQ4_XS": "IQ4_XS", "IQ3_M": "IQ3_S", "IQ3_S": "IQ3_S", "IQ3_XS": "IQ3_S", "IQ3_XXS": "IQ3_XXS", "IQ2_M": "IQ2_S",
    "IQ2_S": "IQ2_XS", "IQ2_XS": "IQ2_XS", "IQ2_XXS": "IQ2_XXS", "IQ1_M": "IQ1_M", "IQ1_S": "IQ1_S",
}  # fmt: skip
"""Format to the type of most of its matrices (llama_ftype_get_default_type)."""
FLAT = {"F32", "F16", "BF16"}
ONE_AND_TWO_BITS = {"IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ1_S", "IQ1_M"}
TWO_BITS_AND_MORE = {"IQ2_S", "IQ2_M"}
FIVE_BITS_BESIDE_EIGHT_EXPERTS = {
    "Q2_K", "Q3_K_S", "Q3_K_M", "Q4_K_S", "Q4_K_M", "IQ3_XXS", "IQ3_XS", "IQ3_S", "IQ3_M", "IQ4_NL", "IQ4_XS",
}  # fmt: skip
"""Formats whose attention output gets Q5_K in a model of 8 experts."""
FALLBACKS = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"),
    "Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0",
}  # fmt: skip
"""Type for rows that no whole blocks of 256 fit into."""


def tensor_type(
    shape: ModelShape, matrix: Matrix, *, file_format: str, tied: bool, importance_matrix: bool = False
) -> str:
    """The ggml type of one matrix in a file of this format.

    >>> from llmcompare.core.shapes import LLAMA_3_8B
    >>> down = Matrix(role="down", layer=0, elements=4096 * 14336, row_size=14336)
    >>> tensor_type(LLAMA_3_8B, down, file_format="Q4_K_M", tied=False)
    'Q6_K'
    """
    if matrix.role in ("norm", "router"):
        return "F32"
    base = BASE_TYPES[file_format]
    if file_format in FLAT:
        return base
    chosen = _chosen(shape, matrix, file_format, tied) or base
    if matrix.role == "down" and matrix.layer < shape.layer_count // 8:
        chosen = _of_early_down(chosen, file_format, importance_matrix)
    if matrix.row_size % BLOCKS[chosen][0] == 0:
        return chosen
    other = FALLBACKS.get(chosen, "F16")
    return other if matrix.row_size % BLOCKS[other][0] == 0 else "F16"


def _chosen(shape: ModelShape, matrix: Matrix, name: str, tied: bool) -> str | None:
    """None where the matrix keeps the type of the format."""
    if matrix.role == "output" or (tied and matrix.role == "embeddings"):
        return _of_output(matrix, name)
    if matrix.role == "embeddings":
        return _of_embeddings(name)
    if name in ONE_AND_TWO_BITS:
        return _of_few_bits(shape, matrix, name)
    match matrix.role:
        case "value":
            return _of_value(shape, matrix.layer, name)
        case "key" | "query":
            return _of_key_or_query(shape, matrix.role, name)
        case "down":
            return _of_down(shape, matrix.layer, name)
        case "attention_output":
            return _of_attention_output(shape, name)
        case "gate" | "up" if name == "IQ3_XS" and _is_middle(shape, matrix.layer):
            return "IQ3_XXS"
    return None


def _of_output(matrix: Matrix, name: str) -> str:
    if matrix.row_size % BLOCKS[BASE_TYPES[name]][0] or name == "Q8_0":
        return "Q8_0"
    return "Q5_K" if name in ONE_AND_TWO_BITS or name == "IQ3_XXS" else "Q6_K"


def _of_embeddings(name: str) -> str | None:
    if name in TWO_BITS_AND_MORE or name == "IQ3_XXS":
        return "IQ3_S"
    return "Q2_K" if name in ONE_AND_TWO_BITS else None


def _of_few_bits(shape: ModelShape, matrix: Matrix, name: str) -> str | None:
    more = "IQ3_S" if name in TWO_BITS_AND_MORE else "Q2_K"
    match matrix.role:
        case "value":
            return "Q4_K" if _shares_heads(shape) or (shape.expert_count or 0) >= 4 else more
        case "key" if shape.expert_count == 8:
            return "Q4_K"
        case "down" if matrix.layer < shape.layer_count // 8:
            return more
        case "attention_output":
            if shape.expert_count == 8:
                return "Q5_K"
            return {"IQ1_S": "IQ2_XXS", "IQ1_M": "IQ2_XXS", "IQ2_S": "IQ3_S", "IQ2_M": "IQ3_S"}.get(name)
    return None


def _of_value(shape: ModelShape, layer: int, name: str) -> str | None:
    if shape.expert_count == 8:
        return "Q8_0"
    chosen = _of_value_by_format(shape, layer, name)
    if _is_70b(shape) and (chosen or BASE_TYPES[name]) in ("Q3_K", "Q4_K"):
        return "Q5_K"
    return chosen


def _of_value_by_format(shape: ModelShape, layer: int, name: str) -> str | None:
    shares = _shares_heads(shape)
    match name:
        case "Q2_K":
            return "Q4_K" if shares else "Q3_K"
        case "Q2_K_S" | "IQ3_XXS" | "IQ3_XS" | "IQ3_S":
            return "Q4_K" if shares else None
        case "IQ3_M":
            return "Q4_K"
        case "Q3_K_M":
            return "Q5_K" if layer < 2 else "Q4_K"
        case "Q3_K_L":
            return "Q5_K"
        case "IQ4_NL" | "IQ4_XS":
            return "Q5_K" if shares else None
        case "Q4_K_M" | "Q5_K_M" if _more_bits(shape, layer):
            return "Q6_K"
        case "Q4_K_S" if layer < 4:
            return "Q5_K"
    return None


def _of_key_or_query(shape: ModelShape, role: str, name: str) -> str | None:
    if role == "key" and shape.expert_count == 8:
        return "Q8_0"
    return {"IQ3_XS": "IQ3_XXS", "IQ3_XXS": "IQ2_S"}.get(name)


def _of_down(shape: ModelShape, layer: int, name: str) -> str | None:
    early = layer < shape.layer_count // 8
    match name:
        case "Q2_K":
            return "Q3_K"
        case "Q2_K_S" if early:
            return "Q4_K"
        case "Q3_K_M":
            return "Q5_K" if layer < shape.layer_count // 16 else "Q4_K"
        case "IQ3_M" if early or (shape.expert_count == 8 and _more_bits(shape, layer)):
            return "Q4_K"
        case "Q3_K_L":
            return "Q5_K"
        case "Q4_K_M" | "Q5_K_M" if _more_bits(shape, layer):
            return "Q6_K"
        case "Q4_K_S" if early:
            return "Q5_K"
    return None


def _of_early_down(chosen: str, name: str, importance_matrix: bool) -> str:
    """The first eighth of the layers, where an importance matrix makes a difference."""
    if importance_matrix:
        return {"Q4_0": "Q4_1", "Q5_0": "Q5_1"}.get(name, chosen)
    return "Q5_K" if name in ("IQ4_NL", "IQ4_XS") else chosen


def _of_attention_output(shape: ModelShape, name: str) -> str | None:
    if shape.expert_count == 8:
        return "Q5_K" if name in FIVE_BITS_BESIDE_EIGHT_EXPERTS else None
    types = {"Q2_K": "Q3_K", "IQ3_XXS": "IQ3_S", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K", "IQ3_M": "Q4_K"}
    return types.get(name)


def _more_bits(shape: ModelShape, layer: int) -> bool:
    eighth = shape.layer_count // 8
    return layer < eighth or layer >= 7 * shape.layer_count // 8 or (layer - eighth) % 3 == 2


def _is_middle(shape: ModelShape, layer: int) -> bool:
    return shape.layer_count // 8 <= layer < 7 * shape.layer_count // 8


def _shares_heads(shape: ModelShape) -> bool:
    return shape.head_count // shape.kv_head_count >= 4


def _is_70b(shape: ModelShape) -> bool:
    """As llama.cpp tells it: 80 layers, heads that share keys."""
    return shape.layer_count == 80 and shape.head_count != shape.kv_head_count
