"""Fine-tuning: what full tuning, LoRA and QLoRA need in memory, how long they take, when they have paid themselves."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal, get_args

from llmcompare.core.cost import Band
from llmcompare.core.memory import SERVER_RUNTIME_BYTES_PER_GPU
from llmcompare.core.shapes import ModelShape
from llmcompare.core.units import SECONDS_PER_HOUR
from llmcompare.core.weights import weights_bytes
from llmcompare.errors import InputError

Method = Literal["full", "LoRA", "QLoRA"]
METHODS: tuple[Method, ...] = get_args(Method)
Projections = Literal["all", "attention", "query and value"]
PROJECTIONS: tuple[Projections, ...] = get_args(Projections)

WEIGHT_BYTES = 2
GRADIENT_BYTES = 2
OPTIMISER_BYTES = 12
"""Per trained parameter with AdamW in mixed precision: a copy of the weight and two moments, 4 bytes each
(torchedup.dev/problems/training-memory-mixed-precision)."""
NF4_BITS_PER_WEIGHT = 4.127
"""4-bit NormalFloat with its constants quantised once more, which saves 0.373 of their 0.5 bits (arXiv 2305.14314;
mortalapps.com/learn/nlp-and-llms/qlora-double-quantization-techniques)."""
LAYER_BYTES_PER_HIDDEN = 34
"""Activations of one layer per token and hidden element in 16 bits, without the attention scores, which fused kernels
do not keep. Assumption, after arXiv 2205.05198: other feed-forward widths keep more or less."""
KEPT_BYTES_PER_HIDDEN = 2
"""Of a layer whose activations are computed again: its input alone."""
LOGIT_BYTES = 8
"""Per token and entry of the vocabulary: logits and their gradient in 4 bytes each. Assumption: they are not fused."""
FLOP_FULL, FLOP_FROZEN, FLOP_RECOMPUTED = 6.0, 4.0, 2.0
"""Per active parameter and token: forward and backward; without the gradients of frozen weights; forward once more."""
UTILISATION = Band(low=0.2, mid=0.35, high=0.5)
"""Share of a GPU's dense 16-bit rate. Assumption: Llama 3.1 405B reached 38 to 43% in pre-training (arXiv 2407.21783,
quoted at aiportalx.com/meta-ai/llama-3.1-8b); short sequences on few GPUs often reach less."""
QLORA_SPEED_FRACTION = 0.7
"""Of the speed of LoRA: every use of a weight unpacks it first. Assumption."""
MAX_RANK = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """One training run. Raises InputError for what cannot be.

    tokens_per_example counts prompt and answer together.
    """

    method: Method
    examples: int = 1_000
    tokens_per_example: int = 500
    """Assumption."""
    epochs: float = 3.0
    """Assumption."""
    sequences_per_step: int = 1
    """On each GPU, in memory at once."""
    rank: int = 16
    projections: Projections = "all"
    recomputes: bool = True
    """Gradient checkpointing: activations are computed again instead of kept."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"method is {self.method!r}: give one of {', '.join(METHODS)}.")
        if self.projections not in PROJECTIONS:
            raise InputError(f"projections is {self.projections!r}: give one of {', '.join(PROJECTIONS)}.")
        limits = {
            "examples": (1, 10**9), "tokens_per_example": (1, 10**7), "epochs": (0.01, 1_000),
            "sequences_per_step": (1, 10_000), "rank": (1, MAX_RANK),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not isfinite(value) or not low <= value <= high:
                raise InputError(f"{name} is {value:g}: give a number from {low:g} to {high:g}.")

    @property
    def tokens(self) -> float:
        """That the run reads, every epoch counted."""
        return self.examples * self.tokens_per_example * self.epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningMemory:
    """Bytes on each of some equal GPUs."""

    weights_bytes: float
    gradients_bytes: float
    optimiser_bytes: float
    adapter_bytes: float
    """Weights of the adapter; its gradients and optimiser are counted with the others."""
    activations_bytes: float
    logits_bytes: float
    runtime_bytes: float

    @property
    def total_bytes(self) -> float:
        """All parts."""
        return float(sum(getattr(self, name) for name in self.__dataclass_fields__))


def adapter_params(shape: ModelShape, *, rank: int, projections: Projections = "all") -> float:
    """Trained parameters of LoRA: rank times inputs and outputs of every matrix that gets an adapter.

    Of a mixture of experts each expert's matrices get their own; an unknown feed-forward width counts as four times the
    hidden size.

    >>> seven_b = ModelShape(
    ...     name="llama-7b",
    ...     params_total=6.74e9,
    ...     params_active=6.74e9,
    ...     layer_count=32,
    ...     hidden_size=4096,
    ...     head_count=32,
    ...     kv_head_count=32,
    ...     key_size=128,
    ...     value_size=128,
    ...     full_kv_layer_count=32,
    ... )
    >>> adapter_params(seven_b, rank=8, projections="query and value")
    4194304.0
    """
    query = shape.head_count * shape.key_size
    keys, values = shape.kv_head_count * shape.key_size, shape.kv_head_count * shape.value_size
    sides = shape.hidden_size + query + shape.hidden_size + values
    if projections != "query and value":
        sides += shape.hidden_size + keys + shape.hidden_size + shape.head_count * shape.value_size
    if projections == "all":
        inner = shape.ffn_hidden_size or 4 * shape.hidden_size
        sides += 3 * (shape.hidden_size + inner) * ((shape.expert_count or 1) + shape.shared_expert_count)
    return float(rank * shape.layer_count * sides)


def trained_params(shape: ModelShape, run: Tuning) -> float:
    """Parameters that the optimiser changes."""
    if run.method == "full":
        return shape.params_total
    return adapter_params(shape, rank=run.rank, projections=run.projections)


def memory(shape: ModelShape, run: Tuning, *, gpu_count: int = 1) -> TuningMemory:
    """Bytes on each GPU: weights, gradients and optimiser are shared out (ZeRO 3, FSDP), activations are its own."""
    if gpu_count < 1:
        raise InputError(f"gpu_count is {gpu_count}: give 1 or more.")
    trained = trained_params(shape, run)
    is_full = run.method == "full"
    tokens = run.sequences_per_step * run.tokens_per_example
    layer = LAYER_BYTES_PER_HIDDEN * shape.hidden_size * tokens
    # One layer is alive while it is computed again; the others keep their inputs.
    kept = KEPT_BYTES_PER_HIDDEN * shape.hidden_size * tokens * shape.layer_count + layer
    return TuningMemory(
        weights_bytes=base_bytes(shape, run.method) / gpu_count,
        gradients_bytes=GRADIENT_BYTES * trained / gpu_count,
        optimiser_bytes=OPTIMISER_BYTES * trained / gpu_count,
        adapter_bytes=0.0 if is_full else WEIGHT_BYTES * trained / gpu_count,
        activations_bytes=float(min(kept, layer * shape.layer_count) if run.recomputes else layer * shape.layer_count),
        logits_bytes=float(LOGIT_BYTES * (shape.vocabulary_size or 0) * tokens),
        runtime_bytes=float(SERVER_RUNTIME_BYTES_PER_GPU),
    )


def base_bytes(shape: ModelShape, method: Method) -> float:
    """Of the model's own weights: two bytes each, or 4-bit NormalFloat for QLoRA, with the embeddings in two bytes."""
    if method != "QLoRA":
        return float(weights_bytes(shape, format_name="bf16"))
    embeddings = (shape.vocabulary_size or 0) * shape.hidden_size * (1 if shape.tied_embeddings else 2)
    embeddings = min(embeddings, round(shape.params_total))
    return (shape.params_total - embeddings) * NF4_BITS_PER_WEIGHT / 8 + embeddings * WEIGHT_BYTES


def flop(shape: ModelShape, run: Tuning) -> float:
    """Operations of the run: 6 per active parameter and token, 4 with frozen weights, 2 more where it recomputes.

    >>> from llmcompare.core.shapes import LLAMA_3_8B
    >>> run = Tuning(method="full", examples=1_000, tokens_per_example=500, epochs=2, recomputes=False)
    >>> flop(LLAMA_3_8B, run)
    4.818e+16
    """
    per_token = (FLOP_FULL if run.method == "full" else FLOP_FROZEN) + FLOP_RECOMPUTED * run.recomputes
    return per_token * shape.params_active * run.tokens


def gpu_hours(
    shape: ModelShape, run: Tuning, *, flop_per_s: float, utilisation: Band = UTILISATION,
    qlora_speed_fraction: float = QLORA_SPEED_FRACTION,
) -> Band:  # fmt: skip
    """Hours of one GPU at the best, the middle and the worst utilisation. More GPUs share the hours, not their sum."""
    if not flop_per_s > 0 or not 0 < utilisation.low <= utilisation.mid <= utilisation.high <= 1:
        raise InputError("the utilisation must rise from low to high, above 0 and at most 1, and the rate be above 0.")
    if not 0 < qlora_speed_fraction <= 1:
        raise InputError(f"qlora_speed_fraction is {qlora_speed_fraction:g}: give a share above 0, at most 1.")
    slowed = qlora_speed_fraction if run.method == "QLoRA" else 1.0
    best, middle, worst = (
        flop(shape, run) / (flop_per_s * share * slowed * SECONDS_PER_HOUR)
        for share in (utilisation.high, utilisation.mid, utilisation.low)
    )
    return Band(low=best, mid=middle, high=worst)


def tuning_usd(hours: Band, *, usd_per_gpu_hour: Band) -> Band:
    """US dollars of a run: the cheapest price with the fewest hours, and so on."""
    return Band(
        low=hours.low * usd_per_gpu_hour.low,
        mid=hours.mid * usd_per_gpu_hour.mid,
        high=hours.high * usd_per_gpu_hour.high,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidBack:
    """After how many months a one-off cost is saved; None at an end where nothing is saved."""

    earliest: float | None
    months: float | None
    latest: float | None


def paid_back(once: Band, *, tuned_usd_per_month: Band, other_usd_per_month: Band) -> PaidBack:
    """Months until the run has paid itself: at the cheapest run and the largest saving, the middles, the other ends.

    >>> ten = Band(low=10, mid=10, high=10)
    >>> paid_back(
    ...     Band(low=10, mid=20, high=40),
    ...     tuned_usd_per_month=ten,
    ...     other_usd_per_month=Band(low=10, mid=15, high=20),
    ... )
    PaidBack(earliest=1.0, months=4.0, latest=None)
    """

    def months(usd: float, saved: float) -> float | None:
        return usd / saved if saved > 0 else None

    return PaidBack(
        earliest=months(once.low, other_usd_per_month.high - tuned_usd_per_month.low),
        months=months(once.mid, other_usd_per_month.mid - tuned_usd_per_month.mid),
        latest=months(once.high, other_usd_per_month.low - tuned_usd_per_month.high),
    )
