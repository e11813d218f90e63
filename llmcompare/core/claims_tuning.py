"""Memory and GPU hours of fine-tuning, as far as the statements of the guide need them."""

from llmcompare.core.claims_costs import REQUEST
from llmcompare.core.cost import Band
from llmcompare.core.memory import SERVER_RUNTIME_BYTES_PER_GPU
from llmcompare.core.shapes import ModelShape
from llmcompare.core.units import SECONDS_PER_HOUR
from llmcompare.core.weights import weights_bytes

EXAMPLES = 1_000
"""What the guide reckons with."""
TOKENS_PER_EXAMPLE = REQUEST.tokens_per_request
EPOCHS = 3
UTILISATION = Band(low=0.2, mid=0.35, high=0.5)
"""Share of a GPU's dense 16-bit rate that training reaches. Assumption, as are the two above: the guide says none."""
FLOP_FULL, FLOP_FROZEN, FLOP_RECOMPUTED = 6, 4, 2
"""Per active parameter and token: forward and backward; without the gradients of frozen weights; forward once more."""
TRAINED_BYTES = 16
"""Per trained parameter: 16-bit weight and gradient, 32-bit copy and two moments of Adam."""
LORA_RANK = 16
"""On every matrix of a layer. Assumption."""
FULL_FORMAT, QLORA_FORMAT = "bf16", "bnb-int4"


def adapter_params(shape: ModelShape) -> float:
    """Parameters of a LoRA of rank 16 on every matrix of every layer."""
    heads, kv_heads, inner = shape.head_count, shape.kv_head_count, shape.ffn_hidden_size or 4 * shape.hidden_size
    query, cached = heads * shape.key_size, kv_heads * shape.key_size
    attention = 2 * (shape.hidden_size + query) + 2 * (shape.hidden_size + cached)
    return float(LORA_RANK * shape.layer_count * (attention + 3 * (shape.hidden_size + inner)))


def activation_bytes(shape: ModelShape) -> float:
    """Of one sequence with every layer's input kept and the rest computed again, and its logits with gradients."""
    inner = shape.ffn_hidden_size or 4 * shape.hidden_size
    kept = shape.layer_count * shape.hidden_size * 2
    one_layer = (8 * shape.hidden_size + 3 * inner) * 2
    logits = (shape.vocabulary_size or 0) * 8
    return TOKENS_PER_EXAMPLE * (kept + one_layer + logits)


def tuning_bytes(shape: ModelShape, way: str) -> float:
    """Memory of full fine-tuning, LoRA or QLoRA with one sequence at a time, on one GPU."""
    besides = activation_bytes(shape) + SERVER_RUNTIME_BYTES_PER_GPU
    if way == "full":
        return TRAINED_BYTES * shape.params_total + besides
    frozen = weights_bytes(shape, format_name=FULL_FORMAT if way == "LoRA" else QLORA_FORMAT)
    return frozen + TRAINED_BYTES * adapter_params(shape) + besides


def gpu_hours(*, params_active: float, flop_per_s: float, examples: float, is_full: bool = False) -> Band:
    """GPU hours of a run with recomputed activations, at the best, the middle and the worst utilisation.

    >>> hours = gpu_hours(params_active=8e9, flop_per_s=312e12, examples=1_000)
    >>> round(hours.mid, 3)  # 6 x 8e9 x 1,300 x 1,000 x 3 / (312e12 x 0.35 x 3,600)
    0.476
    """
    per_token = (FLOP_FULL if is_full else FLOP_FROZEN) + FLOP_RECOMPUTED
    flop = per_token * params_active * TOKENS_PER_EXAMPLE * examples * EPOCHS
    best, middle, worst = (
        flop / (flop_per_s * share * SECONDS_PER_HOUR) for share in (UTILISATION.high, UTILISATION.mid, UTILISATION.low)
    )
    return Band(low=best, mid=middle, high=worst)
