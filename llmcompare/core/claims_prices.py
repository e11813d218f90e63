"""Checks of what the guide says on prices of GPUs, of tokens and of an hour of serving."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby

from llmcompare.core.claims_known import (
    Check,
    Evidence,
    Known,
    Verdict,
    VerdictName,
    equal,
    given,
    nothing,
    printed,
    row,
    subjects,
)
from llmcompare.core.claims_words import listed, number
from llmcompare.core.memory import Use, fits, gpus_needed, need, usable_bytes
from llmcompare.core.records import Claim, GpuOffer
from llmcompare.core.shapes import ModelShape
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR

CONTEXT_TOKENS = 8_192
"""That a served model is given. Assumption."""
FORMATS_BEST_FIRST = ("bf16", "fp8", "gguf-q6_k", "gguf-q5_k_m", "awq-int4", "gguf-q4_k_m", "gguf-iq4_xs")
"""That a model may be kept in, most bits first."""
SERVED_FORMATS = ("bf16", "gguf-q4_k_m")
SHORT_MONTH_HOURS = 720
"""30 days: what the guide may have reckoned with besides 730 hours."""
DATED = "9"


def _billing_in_words(offer: GpuOffer) -> str:
    return f"{offer.provider} {offer.offer_name}, {offer.billing}, {offer.as_of or 'undated'}"


def _offer_row(offer: GpuOffer) -> Evidence:
    return row(offer, f"{_billing_in_words(offer)}: {offer.usd_per_gpu_hour:g} USD per GPU-hour")


# --- what a provider lists --------------------------------------------------------------------------------------------


def gpu_hour(known: Known, claim: Claim, *, provider: str) -> Verdict:
    """A price of one GPU at one provider: true if any of today's billing classes has it."""
    (claimed,) = printed(claim)
    seen = [one for one in known.gpu_price_history if one.provider == provider and one.gpu_id == claim.subject]
    if not seen:
        return nothing(f"No price of {claim.subject} at {provider} is in the price tables.")
    newest = [list(group)[-1] for _, group in groupby(sorted(seen, key=_class_and_day), key=lambda one: one.billing)]
    now = [one for one in newest if equal(claimed, one.usd_per_gpu_hour)]
    once = [one for one in seen if equal(claimed, one.usd_per_gpu_hour)]
    changed_on = None
    if once and not now:
        last = once[-1]
        changed_on = min((one.as_of or DATED for one in seen if (one.as_of or "") > (last.as_of or "")), default=None)
    prices = "; ".join(f"{one.billing} {one.usd_per_gpu_hour:g} ({one.as_of or 'undated'})" for one in newest)
    moved = [one for one in seen if one.billing == "on-demand" and one.gpu_count == 1]
    history = (
        f" On demand it went from {moved[0].usd_per_gpu_hour:g} ({moved[0].as_of}) to "
        f"{moved[-1].usd_per_gpu_hour:g} ({moved[-1].as_of})."
        if len({one.usd_per_gpu_hour for one in moved}) > 1
        else ""
    )
    return Verdict(
        verdict="holds" if now else "outdated" if once else "contradicted",
        explanation=f"Newest prices in USD per GPU-hour: {prices}.{history}",
        figures={
            "claimed_usd_per_hour": float(claimed),
            **{f"{one.billing}_usd_per_gpu_hour": one.usd_per_gpu_hour for one in newest},
            "changed_on": changed_on,
        },
        evidence=tuple(_offer_row(one) for one in seen),
    )


def _class_and_day(one: GpuOffer) -> tuple[str, str]:
    return one.billing, one.as_of or ""


def gpu_second(known: Known, claim: Claim, *, provider: str) -> Verdict:
    """One price of a GPU-second at one provider, whatever the GPU."""
    (claimed,) = printed(claim)
    listed_there = [
        one
        for one in known.gpu_price_history
        if one.provider == provider and one.billing == "serverless-per-second" and one.gpu_count == 1
    ]
    if not listed_there:
        return nothing(f"No price of a GPU-second at {provider} is in the price tables.")
    per_second = {one.row_id: one.usd_per_gpu_hour / SECONDS_PER_HOUR for one in listed_there}
    true = [one for one in listed_there if equal(claimed, per_second[one.row_id])]
    nearest = min(listed_there, key=lambda one: abs(per_second[one.row_id] - float(claimed)))
    off = per_second[nearest.row_id] / float(claimed) - 1
    gpus = len({one.gpu_id for one in listed_there})
    return Verdict(
        verdict="contradicted" if not true else "holds" if len(true) == len(listed_there) else "partly",
        explanation=(
            f"The guide names no GPU, and {provider} lists {gpus} at "
            f"{number(min(per_second.values()))} to {number(max(per_second.values()))} USD a second. Nearest is "
            f"{known.name(nearest.gpu_id)} at {number(per_second[nearest.row_id])} ({off:+.1%}, "
            f"{number(nearest.usd_per_gpu_hour)} USD an hour); {len(true)} of {len(listed_there)} listings round to "
            f"{claimed}."
        ),
        figures={
            "claimed_usd_per_gpu_second": float(claimed),
            "nearest_usd_per_gpu_second": per_second[nearest.row_id],
            "nearest_gpu": nearest.gpu_id,
            "listings_that_round_to_it": len(true),
            "listing_count": len(listed_there),
        },
        evidence=tuple(
            row(one, f"{_billing_in_words(one)}: {number(per_second[one.row_id])} USD a second") for one in listed_there
        ),
    )


# --- an hour of serving -----------------------------------------------------------------------------------------------


def _rented(known: Known) -> list[GpuOffer]:
    return [one for one in known.gpu_offers if one.billing in ("on-demand", "community") and one.gpu_id in known.gpus]


def holding(known: Known, shape: ModelShape, format_name: str) -> dict[str, int]:
    """GPUs that hold a model in a format with 8K of context, and how many of each it takes."""
    use = Use(context_tokens=CONTEXT_TOKENS)
    found = {}
    for gpu_id in dict.fromkeys(offer.gpu_id for offer in _rented(known)):
        usable = usable_bytes(known.gpus[gpu_id].memory_gb or 0)
        count = gpus_needed(shape, use, format_name=format_name, usable_bytes_per_gpu=usable)
        if count is not None:
            found[gpu_id] = count
    return found


def serving_hour(known: Known, claim: Claim) -> Verdict:
    """What an hour of a machine costs that holds a model."""
    shape = known.shapes.get(claim.subject)
    (claimed,) = printed(claim)
    if shape is None:
        return nothing(f"The catalogue has no layers of {claim.subject}, so its memory is not known.")
    machines = [_machines(known, shape, name) for name in SERVED_FORMATS]
    found = [one for listed_machines in machines for one in listed_machines]
    if not found:
        return nothing(f"No GPU with a price holds {claim.subject}.")
    cheapest = [_cheapest_by_class(one) for one in machines]
    same = [one for one in found if equal(claimed, one[0])]
    least = min(usd for usd, _, _ in found)
    words = [
        f"in {name.removeprefix('gguf-')} from {listed(map(_machine_in_words, of_class.values()))}"
        for name, of_class in zip(SERVED_FORMATS, cheapest, strict=True)
        if of_class
    ]
    also = f" Another that holds it: {_machine_in_words(same[0])}." if same else ""
    verdict: VerdictName = "holds" if equal(claimed, least) else "partly" if same else "contradicted"
    return Verdict(
        verdict=verdict,
        explanation=(
            f"With 8K of context it can be served {'; '.join(words)}.{also} The price is the GPU's, not the model's."
        ),
        figures={
            "claimed_usd_per_hour": float(claimed),
            **{
                f"cheapest_{name}_{billing}_usd_per_hour": round(one[0], 4)
                for name, of_class in zip(SERVED_FORMATS, cheapest, strict=True)
                for billing, one in of_class.items()
            },
            "machines_at_the_claimed_price": len(same),
        },
        evidence=(
            row(known.models[claim.subject], "its layers")
            if claim.subject in known.models
            else _offer_row(found[0][2]),
            *(_offer_row(one[2]) for of_class in cheapest for one in of_class.values()),
            *(_offer_row(one[2]) for one in same),
        ),
    )


Machine = tuple[float, int, GpuOffer]
"""USD an hour of as many GPUs as hold the model, their count, and the offer."""


def _machines(known: Known, shape: ModelShape, format_name: str) -> list[Machine]:
    counts = holding(known, shape, format_name)
    return [
        (offer.usd_per_gpu_hour * counts[offer.gpu_id], counts[offer.gpu_id], offer)
        for offer in _rented(known)
        if offer.gpu_id in counts and offer.gpu_count <= counts[offer.gpu_id]
    ]


def _cheapest_by_class(machines: Sequence[Machine]) -> dict[str, Machine]:
    classes = dict.fromkeys(one[2].billing for one in machines)
    return {name: min((one for one in machines if one[2].billing == name), key=lambda one: one[0]) for name in classes}


def _machine_in_words(one: Machine) -> str:
    usd, count, offer = one
    return f"{usd:.2f} USD an hour ({count} × {offer.gpu_id} at {offer.provider}, {offer.billing})"


def one_gpu(known: Known, claim: Claim) -> Verdict:
    """That models run on one GPU of a kind: in which formats they fit there. The subject ends with the GPU."""
    *names, gpu_id = subjects(claim)
    gpu = known.gpus.get(gpu_id)
    models = {name: known.shapes[name] for name in names if name in known.shapes}
    if gpu is None or gpu.memory_gb is None or not models:
        return nothing(f"The catalogue lacks the memory of {gpu_id} or the layers of {listed(names)}.")
    usable, use = usable_bytes(gpu.memory_gb), Use(context_tokens=CONTEXT_TOKENS)
    needed = {name: {f: need(shape, use, format_name=f) for f in FORMATS_BEST_FIRST} for name, shape in models.items()}
    fitting = {
        name: [f for f in FORMATS_BEST_FIRST if fits(needed[name][f], usable_bytes_per_gpu=usable)] for name in models
    }
    full = all(FORMATS_BEST_FIRST[0] in found for found in fitting.values())
    words = [
        f"{known.name(name)} needs {needed[name]['bf16'].total_bytes / 2**30:.0f} GiB in bf16 and "
        f"{needed[name]['gguf-q4_k_m'].total_bytes / 2**30:.0f} in q4_k_m; what fits is "
        f"{listed(f.removeprefix('gguf-') for f in fitting[name])}"
        for name in models
    ]
    price = given(claim, "usd_per_gpu_hour")
    offers = [one for one in known.gpu_price_history if one.gpu_id == gpu_id and one.usd_per_gpu_hour == price]
    return Verdict(
        verdict="holds" if full else "partly" if all(fitting.values()) else "contradicted",
        explanation=f"{gpu.name} has {gpu.memory_gb:g} GB, {usable / 2**30:.0f} GiB of it usable. {'. '.join(words)}.",
        figures={
            "memory_gb": gpu.memory_gb,
            **{f"{name}_bf16_gib": round(needed[name]["bf16"].total_bytes / 2**30, 1) for name in models},
            **{f"{name}_formats_that_fit": fitting[name] for name in models},
        },
        evidence=(
            row(gpu, f"{gpu.name}: {gpu.memory_gb:g} GB"),
            *(row(known.models[name], f"{known.models[name].params_total_billion} billion parameters")
              for name in models if name in known.models),
            *(_offer_row(one) for one in offers[-1:]),
        ),
    )  # fmt: skip


def month(known: Known, claim: Claim) -> Verdict:
    """Two monthly sums as hours of a month times an hourly price, and whether the two prices compare like with like."""
    mistral, llama = (given(claim, f"{name}_usd_per_hour") for name in ("mistral", "llama"))
    if mistral is None or llama is None:
        return nothing("The statement names no hourly price to start from.")
    first, second = printed(claim)
    hours = next(
        (h for h in (SHORT_MONTH_HOURS, HOURS_PER_MONTH) if equal(first, mistral * h) and equal(second, llama * h)),
        None,
    )
    offers = {
        price: [one for one in known.gpu_price_history if one.usd_per_gpu_hour == price and one.provider == "runpod"]
        for price in (mistral, llama)
    }
    rows = [found[-1] for found in offers.values() if found]
    memory = {one.gpu_id: known.gpus[one.gpu_id].memory_gb for one in rows if one.gpu_id in known.gpus}
    alike = len(memory) == 2 and len(set(memory.values())) == 1
    sums = f"{number(mistral)} × {hours or SHORT_MONTH_HOURS} = {mistral * (hours or SHORT_MONTH_HOURS):,.0f} USD and "
    sums += f"{number(llama)} × {hours or SHORT_MONTH_HOURS} = {llama * (hours or SHORT_MONTH_HOURS):,.0f} USD"
    gpus = listed(f"{known.name(gpu)} ({gb:g} GB)" for gpu, gb in memory.items() if gb)
    like = (
        f" But these are the prices of {gpus}: both hold the same models, so the difference is one of GPUs, and "
        "neither family is cheaper by it."
        if alike
        else ""
    )
    return Verdict(
        verdict="contradicted" if hours is None else "partly" if alike else "holds",
        explanation=f"{sums}{' (a month of 30 days)' if hours == SHORT_MONTH_HOURS else ''}.{like}",
        figures={
            "claimed_usd_per_month": [float(first), float(second)],
            "hours_per_month": hours,
            "at_720_h_usd_per_month": [round(mistral * SHORT_MONTH_HOURS, 2), round(llama * SHORT_MONTH_HOURS, 2)],
            "at_730_h_usd_per_month": [round(mistral * HOURS_PER_MONTH, 2), round(llama * HOURS_PER_MONTH, 2)],
        },
        evidence=(row(claim, claim.statement), *map(_offer_row, rows)),
    )


CHECKS: dict[str, Check] = {
    "runpod-h100-269": partial(gpu_hour, provider="runpod"),
    "runpod-a100-119": partial(gpu_hour, provider="runpod"),
    "replicate-gpu-second": partial(gpu_second, provider="replicate"),
    "modal-gpu-second": partial(gpu_second, provider="modal"),
    "llama-8b-270-per-hour": serving_hour,
    "mistral-large-190-per-hour": serving_hour,
    "mistral-large-a100": one_gpu,
    "qwen-72b-one-h100": one_gpu,
    "monthly-850-vs-1930": month,
}
"""By statement."""
