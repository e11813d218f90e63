"""Checks of what the guide says on memory, hours and cost of fine-tuning."""

from collections.abc import Sequence
from math import ceil

from llmcompare.core.claims_known import (
    Check,
    Evidence,
    Known,
    Verdict,
    VerdictName,
    combined,
    given,
    nothing,
    printed,
    row,
    span,
    subjects,
    within,
)
from llmcompare.core.claims_tuning import EXAMPLES, FULL_FORMAT, RUN, gpu_hours, tuning_bytes
from llmcompare.core.claims_words import listed, number, said
from llmcompare.core.cost import Band
from llmcompare.core.finetune import FLOP_FROZEN, FLOP_FULL, FLOP_RECOMPUTED
from llmcompare.core.memory import usable_bytes
from llmcompare.core.records import Claim, GpuOffer
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.core.weights import weights_bytes

A100 = "a100-sxm-80gb"
PRICED = ("a100-pcie-80gb", "a100-sxm-80gb")


# --- memory -----------------------------------------------------------------------------------------------------------


def fits_hardware(known: Known, claim: Claim) -> Verdict:
    """That LoRA needs one GPU of a kind or two of another: whether they hold it, and whether less would do."""
    name, big, small = subjects(claim)
    shape = known.shapes.get(name)
    gpus = [known.gpus[gpu_id] for gpu_id in (big, small) if gpu_id in known.gpus]
    counts = given(claim, "a100_count"), given(claim, "rtx_4090_count")
    if shape is None or len(gpus) < 2 or None in counts:
        return nothing(f"The catalogue lacks the layers of {name} or the memory of {big} or {small}.")
    usable = [usable_bytes(gpu.memory_gb or 0) for gpu in gpus]
    needed = {way: tuning_bytes(shape, way) for way in ("LoRA", "QLoRA")}
    holds = [needed["LoRA"] <= one * (count or 0) for one, count in zip(usable, counts, strict=True)]
    less = [way for way in needed if needed[way] <= usable[1]]
    verdict: VerdictName = "contradicted" if not any(holds) else "partly" if less or not all(holds) else "holds"
    sizes = " and ".join(f"{way} {size / BYTES_PER_GIB:.1f} GiB" for way, size in needed.items())
    enough = f"One {gpus[1].name} is enough for {listed(less)}." if less else f"One {gpus[1].name} is not enough."
    return Verdict(
        verdict=verdict,
        explanation=(
            f"With one sequence of {RUN.tokens_per_example:,.0f} tokens: {sizes}. Usable are "
            f"{usable[0] / BYTES_PER_GIB:.0f} GiB of one {gpus[0].name} and {usable[1] / BYTES_PER_GIB:.1f} GiB of "
            f"each {gpus[1].name}. {enough}"
        ),
        figures={
            "lora_gib": round(needed["LoRA"] / BYTES_PER_GIB, 2),
            "qlora_gib": round(needed["QLoRA"] / BYTES_PER_GIB, 2),
            "usable_gib_of_each": [round(one / BYTES_PER_GIB, 2) for one in usable],
        },
        evidence=(*_model_rows(known, [name]), *(row(gpu, f"{gpu.name}: {gpu.memory_gb:g} GB") for gpu in gpus)),
    )


def memory_share(known: Known, claim: Claim) -> Verdict:
    """LoRA's memory as a share of full fine-tuning's, and of the weights alone."""
    names = [name for name in ("llama-3-8b", "llama-3-70b", "mistral-7b-v0.3", "qwen2.5-7b") if name in known.shapes]
    if not names:
        return nothing("The catalogue has no layers of a model, so its memory is not known.")
    of_full, of_weights = {}, {}
    for name in names:
        shape = known.shapes[name]
        lora = tuning_bytes(shape, "LoRA")
        of_full[name] = 100 * lora / tuning_bytes(shape, "full")
        of_weights[name] = 100 * lora / weights_bytes(shape, format_name=FULL_FORMAT)
    parts: list[VerdictName] = [
        "holds" if all(within(claim, share) for share in shares.values()) else "contradicted"
        for shares in (of_full, of_weights)
    ]
    words = "; ".join(
        f"{known.name(name)} {of_full[name]:.0f}% of full fine-tuning, {of_weights[name]:.0f}% of its weights"
        for name in names
    )
    return Verdict(
        verdict=combined(parts),
        explanation=f"LoRA of rank {RUN.rank} keeps all weights in memory: {words}.",
        figures={
            "claimed_percent": [float(text) for text in printed(claim)],
            "of_full_tuning_percent": [round(share, 1) for share in of_full.values()],
            "of_the_weights_percent": [round(share, 1) for share in of_weights.values()],
        },
        evidence=_model_rows(known, names),
    )


def _model_rows(known: Known, names: Sequence[str]) -> tuple[Evidence, ...]:
    models = [known.models[name] for name in names if name in known.models]
    return tuple(row(model, f"{model.display_name}: {model.params_total_billion}B parameters") for model in models)


# --- hours and dollars ------------------------------------------------------------------------------------------------


def _hours(known: Known, model_id: str, *, examples: float = EXAMPLES, is_full: bool = False) -> Band | None:
    shape, gpu = known.shapes.get(model_id), known.gpus.get(A100)
    if shape is None or gpu is None or gpu.matmul_tflop_per_s is None:
        return None
    rate = gpu.matmul_tflop_per_s * 1e12
    return gpu_hours(shape, flop_per_s=rate, examples=examples, is_full=is_full)


def _offers(known: Known) -> list[GpuOffer]:
    return [one for one in known.gpu_offers if one.gpu_id in PRICED and one.billing in ("on-demand", "community")]


def _rows(known: Known, model_id: str, offers: Sequence[GpuOffer] = ()) -> tuple[Evidence, ...]:
    gpu = known.gpus.get(A100)
    return (
        *_model_rows(known, [model_id]),
        *([] if gpu is None else [row(gpu, f"{gpu.name}: {gpu.matmul_tflop_per_s} TFLOP/s")]),
        *(row(one, f"{one.provider}, {one.billing}: {one.usd_per_gpu_hour:g} USD per GPU-hour") for one in offers),
    )


def _run_in_words(hours: Band) -> str:
    return (
        f"{EXAMPLES:,} examples of {RUN.tokens_per_example:,.0f} tokens, {RUN.epochs:g} times, are "
        f"{number(round(hours.mid, 2))} A100 hours ({number(round(hours.low, 2))} to "
        f"{number(round(hours.high, 2))}) at {FLOP_FROZEN + FLOP_RECOMPUTED:g} FLOP per parameter and token"
    )


def hours_times_price(known: Known, claim: Claim) -> Verdict:
    """GPU hours times a price, and whether the run takes so many hours."""
    claimed_hours, price = given(claim, "gpu_hours"), given(claim, "usd_per_gpu_hour")
    hours = _hours(known, claim.subject)
    if claimed_hours is None or price is None or hours is None:
        return nothing("The statement names no hours, or the catalogue lacks the layers of the model or the GPU.")
    product = round(claimed_hours * price, 6)
    parts: list[VerdictName] = [
        "holds" if within(claim, product) else "contradicted",
        "holds" if hours.low <= claimed_hours <= hours.high else "contradicted",
    ]
    return Verdict(
        verdict=combined(parts),
        explanation=f"{number(claimed_hours)} × {price:.2f} = {number(product)} USD. But {_run_in_words(hours)}.",
        figures={
            "claimed_usd": float(printed(claim)[0]),
            "product_usd": product,
            "claimed_gpu_hours": claimed_hours,
            "computed_gpu_hours": [round(hours.low, 3), round(hours.mid, 3), round(hours.high, 3)],
        },
        evidence=_rows(known, claim.subject),
    )


def hours_on_gpus(known: Known, claim: Claim) -> Verdict:
    """Whether the guide's own GPU hours make its hours: on one GPU, or on several that share the work."""
    total, hours = given(claim, "gpu_hours"), _hours(known, claim.subject)
    low, high = span(claim) or (0.0, 0.0)
    if total is None or low <= 0:
        return nothing("The statement names no GPU hours to start from.")
    counts = [count for count in range(1, ceil(total / low) + 1) if low <= total / count <= high]
    arithmetic: VerdictName = "holds" if 1 in counts else "partly" if counts else "contradicted"
    run: list[VerdictName] = []
    if hours is not None:
        run = ["holds" if hours.low <= high and hours.high >= low else "contradicted"]
    where = f"on {listed(map(str, counts))} GPUs that share it perfectly" if counts else "on no whole number of GPUs"
    return Verdict(
        verdict=combined([arithmetic, *run]),
        explanation=(
            f"{number(total)} GPU hours are {number(total)} hours on the one A100 that the guide names, and "
            f"{said(claim)} hours {where}.{f' Computed, {_run_in_words(hours)}.' if hours else ''}"
        ),
        figures={
            "claimed_hours": [low, high],
            "gpu_hours": total,
            "gpu_counts_that_fit": [float(count) for count in counts],
            "computed_gpu_hours": None if hours is None else round(hours.mid, 3),
        },
        evidence=(row(claim, claim.statement), *_rows(known, claim.subject)),
    )


def run_cost(known: Known, claim: Claim) -> Verdict:
    """What a run costs on A100s at today's prices."""
    hours, offers = _hours(known, claim.subject), _offers(known)
    if hours is None or not offers:
        return nothing("The catalogue lacks the layers of the model, or a price of an A100.")
    prices = sorted(one.usd_per_gpu_hour for one in offers)
    low, high = hours.low * prices[0], hours.high * prices[-1]
    allowed = span(claim) or (0.0, 0.0)
    inside = within(claim, low) and within(claim, high)
    touches = low <= allowed[1] and high >= allowed[0]
    return Verdict(
        verdict="holds" if inside else "partly" if touches else "contradicted",
        explanation=(
            f"{_run_in_words(hours)}. At {number(prices[0])} to {number(prices[-1])} USD an hour that is "
            f"{number(round(low, 2))} to {number(round(high, 2))} USD. {said(claim)} USD buy "
            f"{allowed[0] / prices[-1]:,.0f} to {allowed[1] / prices[0]:,.0f} A100 hours."
        ),
        figures={
            "claimed_usd": [allowed[0], allowed[1]],
            "computed_usd": [round(low, 3), round(high, 3)],
            "computed_gpu_hours": [round(hours.low, 3), round(hours.high, 3)],
        },
        evidence=_rows(known, claim.subject, offers),
    )


def full_over_lora(known: Known, claim: Claim) -> Verdict:
    """What full fine-tuning costs over LoRA, on the same GPUs."""
    name = "llama-3-8b"
    lora, full, shape = _hours(known, name), _hours(known, name, is_full=True), known.shapes.get(name)
    if lora is None or full is None or shape is None:
        return nothing("The catalogue lacks the layers of a model or the rate of a GPU.")
    ratio = full.mid / lora.mid
    usable = usable_bytes(known.gpus[A100].memory_gb or 0)
    gpus = {way: ceil(tuning_bytes(shape, way) / usable) for way in ("LoRA", "full")}
    return Verdict(
        verdict="holds" if within(claim, ratio) else "contradicted",
        explanation=(
            f"{FLOP_FULL + FLOP_RECOMPUTED:g} against {FLOP_FROZEN + FLOP_RECOMPUTED:g} FLOP per parameter and token "
            f"make {number(round(ratio, 2))} times the GPU hours, and so the price on the same GPUs. For its memory "
            f"{known.name(name)} needs {gpus['full']} A100 instead of {gpus['LoRA']}, each for a shorter time."
        ),
        figures={
            "claimed_ratio": [float(text) for text in printed(claim)],
            "gpu_hours_ratio": round(ratio, 3),
            "full_gpu_count": gpus["full"],
            "lora_gpu_count": gpus["LoRA"],
        },
        evidence=_rows(known, name),
    )


def cheaper_by(known: Known, claim: Claim) -> Verdict:
    """By how much a run on one model is cheaper than on another: as their parameters, on the same GPU."""
    ours, theirs = subjects(claim)
    own, other = _hours(known, ours), _hours(known, theirs)
    if own is None or other is None:
        return nothing(f"The catalogue lacks the layers of {ours} or {theirs}.")
    less = 100 * (1 - own.mid / other.mid)
    return Verdict(
        verdict="holds" if within(claim, less) else "contradicted",
        explanation=(
            f"The same examples on the nearest sizes: {known.name(ours)} takes {less:.1f}% less than "
            f"{known.name(theirs)}, because it has fewer parameters. The guide says {said(claim)}%."
        ),
        figures={"claimed_percent": [float(text) for text in printed(claim)], "computed_percent": round(less, 2)},
        evidence=(*_rows(known, ours), *_model_rows(known, [theirs])),
    )


CHECKS: dict[str, Check] = {
    "finetune-hardware-8b": fits_hardware,
    "lora-memory-share": memory_share,
    "lora-8-gpu-hours": hours_times_price,
    "lora-4-6-hours": hours_on_gpus,
    "lora-200-500": run_cost,
    "lora-9-50": run_cost,
    "full-tuning-5-10x": full_over_lora,
    "mistral-finetune-15-20-less": cheaper_by,
}
"""By statement."""
