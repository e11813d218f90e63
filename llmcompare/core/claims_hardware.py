"""Checks of what the guide says on memory of GPUs and on weights in fewer bits."""

from collections.abc import Sequence

from llmcompare.core.claims_known import (
    Check,
    Known,
    Verdict,
    VerdictName,
    combined,
    equal,
    given,
    nothing,
    printed,
    row,
    share_verdict,
    within,
)
from llmcompare.core.claims_words import number, said
from llmcompare.core.memory import Use, fits, need, usable_bytes
from llmcompare.core.published import ListedFormat
from llmcompare.core.records import Claim
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.core.weights import BITS_16, bits_per_weight

FULL = "F16"
FOUR_BIT_FORMATS = ("gguf-q4_k_m", "awq-int4", "nvfp4", "mxfp4", "exl2-4.0bpw")
WEIGHED_MODELS = ("llama-3-8b-instruct", "llama-3-70b-instruct", "llama-3.1-405b-instruct")
"""A small, a large and a very large model: what is kept at 16 bits weighs less in a larger one."""
SERVED_FORMAT = "gguf-q4_k_m"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}%"


# --- memory -----------------------------------------------------------------------------------------------------------


def gpu_memory(known: Known, claim: Claim) -> Verdict:
    """The memory of one GPU."""
    gpu = known.gpus.get(claim.subject)
    (claimed,) = printed(claim)
    if gpu is None or gpu.memory_gb is None:
        return nothing(f"No row gives the memory of {claim.subject}.")
    times = gpu.memory_gb / float(claimed)
    return Verdict(
        verdict="holds" if equal(claimed, gpu.memory_gb) else "contradicted",
        explanation=f"{gpu.name} has {gpu.memory_gb:g} GB, {number(times)} times the {claimed} GB of the guide.",
        figures={"claimed_memory_gb": float(claimed), "published_memory_gb": gpu.memory_gb},
        evidence=(row(gpu, f"{gpu.name}: {gpu.memory_gb:g} GB"),),
    )


def fits_in_memory(known: Known, claim: Claim) -> Verdict:
    """That a model in 4 bits, with a context, fits a GPU with so much memory."""
    shape, context = known.shapes.get(claim.subject), given(claim, "context_tokens")
    (claimed,) = printed(claim)
    if shape is None or context is None:
        return nothing(f"The catalogue has no layers of {claim.subject}, so its memory is not known.")
    needed = need(shape, Use(context_tokens=round(context)), format_name=SERVED_FORMAT)
    usable = usable_bytes(float(claimed))
    gib = {
        "weights": needed.weights_bytes / BYTES_PER_GIB,
        "KV cache": needed.kv_cache_bytes / BYTES_PER_GIB,
        "buffers": needed.buffers_bytes / BYTES_PER_GIB,
    }
    total = needed.total_bytes / BYTES_PER_GIB
    cards = [gpu for gpu in known.gpus.values() if gpu.memory_gb == float(claimed)]
    model = known.models.get(claim.subject)
    return Verdict(
        verdict="holds" if fits(needed, usable_bytes_per_gpu=usable) else "contradicted",
        explanation=(
            f"In q4_k_m with {context:,.0f} tokens: {' + '.join(f'{size:.2f} {name}' for name, size in gib.items())} = "
            f"{total:.2f} GiB, and {usable / BYTES_PER_GIB:.2f} GiB of {claimed} GB can be used."
        ),
        figures={
            "memory_gb": float(claimed),
            "usable_gib": round(usable / BYTES_PER_GIB, 3),
            "needed_gib": round(total, 3),
            "context_tokens": context,
        },
        evidence=(
            *([] if model is None else [row(model, f"{model.display_name}: {model.params_total_billion}B parameters")]),
            *(row(gpu, f"{gpu.name}: {gpu.memory_gb:g} GB") for gpu in cards),
        ),
    )


# --- weights in fewer bits --------------------------------------------------------------------------------------------


def smaller_by(known: Known, claim: Claim) -> Verdict:
    """By how much 4-bit formats shrink a model kept in 16 bits: those that llama.cpp lists, and computed ones."""
    bits = given(claim, "bits")
    four = [one for one in known.formats if bits is not None and bits <= one.bits_per_weight < bits + 1 and "4" in
            one.quantization]  # fmt: skip
    full = next((one for one in known.formats if one.quantization == FULL), None)
    shapes = {name: known.shapes[name] for name in WEIGHED_MODELS if name in known.shapes}
    if bits is None or not (four and full) and not shapes:
        return nothing("No row says how many bits a 4-bit format takes per weight.")
    smaller = {f"{one.quantization} (8B, listed)": 1 - one.size_gib / full.size_gib for one in four if full}
    smaller |= {
        f"{name.removeprefix('gguf-')} ({known.name(model_id)})": 1
        - bits_per_weight(shape, format_name=name) / BITS_16
        for model_id, shape in shapes.items()
        for name in FOUR_BIT_FORMATS
    }  # fmt: skip
    true = [name for name, share in smaller.items() if within(claim, 100 * share)]
    low, high = min(smaller, key=lambda name: smaller[name]), max(smaller, key=lambda name: smaller[name])
    bits_alone = 1 - bits / BITS_16
    return Verdict(
        verdict=share_verdict(len(true), len(smaller)),
        explanation=(
            f"{bits:g} bits of 16 alone would be {_percent(bits_alone)}. Scales, and embeddings kept in more bits, "
            f"take some back: from {_percent(smaller[low])} ({low}) to {_percent(smaller[high])} ({high}). "
            f"{len(true)} of {len(smaller)} cases are within 1% of {said(claim)}%."
        ),
        figures={
            "claimed_percent": float(printed(claim)[0]),
            "least_percent": round(100 * smaller[low], 2),
            "most_percent": round(100 * smaller[high], 2),
            "cases_within_one_percent": len(true),
            "case_count": len(smaller),
        },
        evidence=(
            *(row(one, f"{one.quantization}: {one.bits_per_weight:g} bits per weight, {one.size_gib:g} GiB") for one in
              [*four, *([full] if full else [])]),
            *(row(known.models[name], f"{known.name(name)}: its layers") for name in shapes if name in known.models),
        ),
    )  # fmt: skip


def smaller_and_faster(known: Known, claim: Claim) -> Verdict:
    """That fewer bits take less memory, and less time to write and to read."""
    full = next((one for one in known.formats if one.quantization == FULL), None)
    others = [one for one in known.formats if one.quantization != FULL]
    if full is None or not others:
        return nothing("No list has sizes and speeds of weight formats.")
    smaller = [one for one in others if one.size_gib < full.size_gib]
    writes = _faster(others, full, "generation_tokens_per_s")
    reads = _faster(others, full, "prompt_tokens_per_s")
    parts: list[VerdictName] = [
        share_verdict(len(smaller), len(others)),
        share_verdict(*writes),
        share_verdict(*reads),
    ]
    return Verdict(
        verdict=combined(parts),
        explanation=(
            f"Of {len(others)} llama.cpp formats of one 8B model against F16, {len(smaller)} are smaller and "
            f"{writes[0]} of {writes[1]} write faster, but {reads[0]} of {reads[1]} read a prompt faster: reading is "
            f"bound by arithmetic, and unpacking costs some. F16 reads {full.prompt_tokens_per_s or 0:,.0f} and writes "
            f"{full.generation_tokens_per_s or 0:,.0f} tokens/s."
        ),
        figures={
            "format_count": len(others),
            "smaller_formats": len(smaller),
            "formats_that_write_faster": writes[0],
            "formats_that_read_faster": reads[0],
        },
        evidence=tuple(
            row(
                one,
                f"{one.quantization}: {one.size_gib:g} GiB, reads {one.prompt_tokens_per_s}, writes "
                f"{one.generation_tokens_per_s} tokens/s",
            )
            for one in [full, *others]
        ),
    )


def _faster(others: Sequence[ListedFormat], full: ListedFormat, field: str) -> tuple[int, int]:
    base = getattr(full, field)
    known = [getattr(one, field) for one in others if getattr(one, field) is not None]
    return (sum(rate > base for rate in known), len(known)) if base is not None else (0, 0)


CHECKS: dict[str, Check] = {
    "int4-75-percent": smaller_by,
    "llama-8b-q4-8gb": fits_in_memory,
    "l40s-is-8gb": gpu_memory,
    "quant-latency": smaller_and_faster,
}
"""By statement."""
