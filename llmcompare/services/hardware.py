"""Which machines hold a model, how fast it is there and what that costs: rows for the Hardware page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

from llmcompare.core import memory
from llmcompare.core.calibration import Estimate, measured
from llmcompare.core.calibration_traits import runs_on, serves
from llmcompare.core.cost import Band, price_band, usd_per_mtok
from llmcompare.core.memory import GPU_COUNTS, Need, Use
from llmcompare.core.records import YOURS, Billing, Gpu, GpuOffer, StreamSpeed
from llmcompare.core.rented import rentable
from llmcompare.core.serving import most_sequences
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tables import Cell, Table, band_cells, estimate_cells
from llmcompare.core.units import BYTES_PER_GIB, rounded, usd_text
from llmcompare.services import doubts, fit
from llmcompare.services.catalogue import Facts
from llmcompare.services.fit import FORMATS_BEST_FIRST, Subject
from llmcompare.services.predict import MS_PER_S, Choice, Speeds, inverted, speeds

LEFT_OUT_WORDS = {"GeForce", "Instinct", "Quadro", "Generation", "Edition", "Blackwell", "Grace", "Hopper"}
BUILD = (
    "layer_count", "hidden_size", "head_count", "kv_head_count", "ffn_hidden_size", "vocabulary_size", "expert_count",
)  # fmt: skip
NEAR_CONTEXT = 2.0
"""Ratio of contexts within which a published figure stands for what is asked. Assumption."""
ENGINES = ("llama.cpp", "vllm", "sglang", "tensorrt-llm", "mlx", "optimum-habana")
"""That are compared: the one for files on any machine, those for many users, and the makers' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a GPU costs an hour, over the providers of one billing class."""

    usd_per_gpu_hour: Band
    offers: tuple[GpuOffer, ...]
    """One per provider, cheapest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A model in one format on the fewest of 1, 2, 4 or 8 equal GPUs that hold it."""

    gpu: Gpu
    format_name: str
    gpu_count: int | None
    """None when eight do not hold it."""
    need: Need
    """On gpu_count GPUs, on one where that is None."""
    largest_context_tokens: int | None
    price: Price | None
    """None where nobody lists one of this billing class."""


def priced_gpus(facts: Facts, billing: Billing) -> list[Gpu]:
    """GPUs that somebody offers under a billing class, largest memory last."""
    offered = {offer.gpu_id for offer in facts.gpu_offers if offer.billing == billing}
    return [gpu for gpu in known_gpus(facts) if gpu.gpu_id in offered]


def is_nominal(gpu: Gpu) -> bool:
    """The catalogue has the vendor's nominal figures of it, which nobody read again in a data sheet."""
    return gpu.source.startswith("nominal")


def known_gpus(facts: Facts) -> list[Gpu]:
    """GPUs and machines whose memory is known, largest memory last."""
    found = [gpu for gpu in facts.gpus.values() if gpu.memory_gb is not None]
    return sorted(found, key=lambda gpu: (gpu.memory_gb or 0, gpu.name))


def places(
    facts: Facts,
    model: Subject,
    use: Use,
    *,
    gpus: Sequence[Gpu],
    billing: Billing,
    formats: Sequence[str] = FORMATS_BEST_FIRST,
) -> list[Place]:
    """Every GPU with every format, in the order given. Raises InputError for a context beyond the model."""
    counts = fit.gpu_counts(facts, model, use, formats=formats)
    return [_place(facts, model, use, gpu, name, counts[gpu.gpu_id, name], billing) for gpu in gpus for name in formats]


def _place(
    facts: Facts, model: Subject, use: Use, gpu: Gpu, format_name: str, gpu_count: int | None, billing: Billing
) -> Place:
    needed = fit.need_of(model, use, format_name=format_name, gpu_count=gpu_count or 1)
    return Place(
        gpu=gpu,
        format_name=format_name,
        gpu_count=gpu_count,
        need=needed,
        largest_context_tokens=memory.largest_context_tokens(
            model.shape, use, needed=needed, usable_bytes_per_gpu=fit.usable_bytes(gpu)
        ),
        price=None if gpu_count is None else price(facts, gpu.gpu_id, billing=billing, gpu_count=gpu_count),
    )


def price(facts: Facts, gpu_id: str, *, billing: Billing, gpu_count: int) -> Price | None:
    """Minimum, median and maximum over providers, of machines with at most this many GPUs."""
    offers, _ = rentable(doubts.sound_gpu_offers(facts), gpu_id=gpu_id, billing=billing, gpu_count=gpu_count)
    if not offers:
        return None
    return Price(usd_per_gpu_hour=price_band(offer.usd_per_gpu_hour for offer in offers), offers=offers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A place with an engine: how fast it is there and what that costs."""

    place: Place
    engine: str
    speeds: Speeds
    usd_per_mtok: Band | None
    """Per million output tokens when as many streams run as fit; None where price or speed is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the medians may be at most; None for no limit."""

    ttft_ms: float | None = None
    tpot_ms: float | None = None


NO_LIMITS = Limits()


def served(
    facts: Facts,
    model: Subject,
    use: Use,
    found: Sequence[Place],
    *,
    output_tokens: int,
    streams: int | None = None,
    limits: Limits = NO_LIMITS,
) -> list[Served]:
    """Every place that holds the model with every engine that serves its format there, cheapest per token first.

    So many streams run at once, or as many as fit and as the limits allow where none are given. A place that breaks a
    limit with one stream alone has no rate and no cost: it cannot do what is asked.
    """
    pairs = [
        (place, engine) for place in found if place.gpu_count for engine in engines_on(place.gpu, place.format_name)
    ]
    if not pairs:
        return []
    choices = [
        Choice(
            gpu_id=place.gpu.gpu_id,
            gpu_count=place.gpu_count or 1,
            engine=engine,
            weight_format=place.format_name,
            kv_format=use.kv_format,
            concurrency=float(streams) if streams else _fitting_streams(model, use, place, engine),
        )
        for place, engine in pairs
    ]
    rates = speeds(
        facts,
        model.shape,
        choices,
        context_tokens=use.context_tokens,
        output_tokens=output_tokens,
        ttft_limit_ms=limits.ttft_ms,
        tpot_limit_ms=limits.tpot_ms,
    )
    if limits != NO_LIMITS:
        rates = [_within_limits(rate) for rate in rates]
    published = facts.stream_speeds
    rows = [
        Served(
            place=place,
            engine=engine,
            speeds=_with_measured(rate, _nearest(published, facts, model.shape, place, engine, use.context_tokens)),
            usd_per_mtok=_usd_per_mtok(place, rate),
        )
        for (place, engine), rate in zip(pairs, rates, strict=True)
        if rate.decode_tokens_per_s is not None
    ]
    return sorted(rows, key=_by_cost)


def _by_cost(one: Served) -> tuple[bool, bool, float]:
    """The cheapest first; then those without a price, then those that break a limit."""
    cost = one.usd_per_mtok
    return one.speeds.output_tokens_per_s is None, cost is None, cost.mid if cost else 0.0


def _fitting_streams(model: Subject, use: Use, place: Place, engine: str) -> float:
    """As many as the memory holds beside weights and buffers, and the engine runs at once."""
    usable = fit.usable_bytes(place.gpu)
    held = memory.largest_sequences(model.shape, use, needed=place.need, usable_bytes_per_gpu=usable)
    return max(1.0, min(float(held), most_sequences(engine)))


def _within_limits(rate: Speeds) -> Speeds:
    """The rate and the streams that keep the limits stand for those that fill the memory."""
    return replace(rate, output_tokens_per_s=rate.output_within_limits, sequences=rate.sequences_within_limits)


def _nearest(
    published: Mapping[tuple[object, ...], Sequence[StreamSpeed]],
    facts: Facts,
    shape: ModelShape,
    place: Place,
    engine: str,
    context_tokens: int,
) -> StreamSpeed | None:
    """A published figure of this very deployment, with the nearest context, at most half or twice as long."""
    key = (place.gpu.gpu_id, place.gpu_count, engine, place.format_name)
    alike = [
        one
        for one in published.get(key, ())
        if one.model_id in facts.shapes and _built_alike(facts.shapes[one.model_id], shape)
    ]
    near = [one for one in alike if _distance(one, context_tokens) <= log(NEAR_CONTEXT)]
    return min(near, key=lambda one: (_distance(one, context_tokens), one.record_id), default=None)


def _distance(one: StreamSpeed, context_tokens: int) -> float:
    return abs(log(one.context_tokens / context_tokens))


def _built_alike(one: ModelShape, other: ModelShape) -> bool:
    """The same layers and widths: chat and base models are as fast as each other."""
    return all(getattr(one, name) == getattr(other, name) for name in BUILD)


def _with_measured(rate: Speeds, found: StreamSpeed | None) -> Speeds:
    if found is None:
        return rate
    decode = measured(
        found.decode_tokens_per_s,
        source=f"{found.measured_by} ({found.record_id}, {found.as_of or 'undated'})",
        here=False,
    )
    return replace(rate, decode_tokens_per_s=decode, tpot_ms=inverted(decode, MS_PER_S))


def written_tokens(use: Use, output_tokens: float) -> int:
    """Tokens of a reply, in a context of which the prompt has half at least."""
    return max(1, min(round(output_tokens), use.context_tokens // 2))


def engines_on(gpu: Gpu, format_name: str) -> list[str]:
    """Engines that serve this format on this card."""
    return [
        name for name in ENGINES if serves(name, format_name) and runs_on(name, vendor=gpu.vendor, gpu_id=gpu.gpu_id)
    ]


def _usd_per_mtok(place: Place, rate: Speeds) -> Band | None:
    """The cheapest price with the fastest prediction, and so on."""
    if place.price is None or rate.output_tokens_per_s is None or place.gpu_count is None:
        return None
    price, speed, count = place.price.usd_per_gpu_hour, rate.output_tokens_per_s, place.gpu_count

    def cost(usd_per_gpu_hour: float, tokens_per_s: float) -> float:
        return usd_per_mtok(usd_per_hour=usd_per_gpu_hour * count, tokens_per_s=tokens_per_s)

    return Band(low=cost(price.low, speed.high), mid=cost(price.mid, speed.value), high=cost(price.high, speed.low))


def short_name(gpu: Gpu) -> str:
    """Of a GPU, for the axis of a chart: without maker, series and packaging."""
    name = gpu.name_without_vendor.split(" (")[0]
    if "GB" not in name.upper() and gpu.memory_gb is not None:
        name += f" {gpu.memory_gb:g}GB"
    words = [word for word in name.split() if word not in LEFT_OUT_WORDS]
    return " ".join([*words, f"({YOURS})"] if gpu.name.endswith(f"({YOURS})") else words)


def label(one: Served) -> str:
    """A deployment in a few words."""
    return f"{one.place.gpu_count} × {short_name(one.place.gpu)}, {one.place.format_name}, {one.engine}"


def cost_in_words(one: Served) -> str:
    """USD per million output tokens, or that nobody lists a price."""
    cost = one.usd_per_mtok
    if cost is None:
        return "no price of this class" if one.place.price is None else "no rate within the limits"
    band = f"{usd_text(cost.low)} to {usd_text(cost.high)}"
    return f"{usd_text(cost.mid)} per million output tokens, their prompts included ({band})"


def rate_in_words(rate: Estimate) -> str:
    """A speed with its band."""
    return f"{rounded(rate.value):,g} tokens/s ({rounded(rate.low):,g} to {rounded(rate.high):,g})"


def answer(model: Subject, use: Use, found: Sequence[Served], limits: Limits = NO_LIMITS) -> str:
    """The cheapest deployment per token in a sentence."""
    asked = f"{model.name} with {use.context_tokens:,} tokens of context{_limits_in_words(limits)}"
    if not found:
        return f"{asked} fits on none of these GPUs, not even on {max(GPU_COUNTS)} of them."
    best = found[0]
    if best.speeds.output_tokens_per_s is None and limits != NO_LIMITS:
        return f"{asked}: none of these GPUs keeps the limits with a single stream. Give more time, or less context."
    rate = best.speeds.decode_tokens_per_s
    speed = "" if rate is None else f", {rate_in_words(rate)} for one stream"
    if best.usd_per_mtok is None:
        return f"{asked}: {label(best)}{speed}; nobody lists a price of this class."
    return f"{asked} costs least per token on {label(best)}: {cost_in_words(best)}{speed}."


def _limits_in_words(limits: Limits) -> str:
    parts = []
    if limits.ttft_ms is not None:
        parts.append(f"{limits.ttft_ms:,.0f} ms to the first token")
    if limits.tpot_ms is not None:
        parts.append(f"{limits.tpot_ms:,.0f} ms per token")
    return f" and at most {' and '.join(parts)}" if parts else ""


def basis_of_answer(found: Sequence[Served]) -> str:
    """What the figures of the answer stand on."""
    rate = found[0].speeds.output_tokens_per_s if found else None
    decode = found[0].speeds.decode_tokens_per_s if found and rate is not None else None
    parts = []
    if decode is not None:
        parts.append(f"Speed of one stream: {decode.error_sentence}")
    if rate is not None:
        parts.append(f"Cost per token, from the rate of all streams and the list prices: {rate.error_sentence}")
    return " ".join(parts)


def served_table(found: Sequence[Served]) -> Table:
    """What to choose from, with every figure's band and basis."""
    return Table(
        name="deployments-predicted",
        title="Deployments, cheapest per token first",
        columns=(
            "gpu", "gpu_count", "weight_format", "engine", "usd_per_mtok_low", "usd_per_mtok_mid",
            "usd_per_mtok_high", "tokens_per_s_one_stream", "tokens_per_s_one_stream_p10",
            "tokens_per_s_one_stream_p90", "ttft_ms", "ttft_ms_p10", "ttft_ms_p90", "streams_at_once",
            "output_tokens_per_s", "output_tokens_per_s_p10", "output_tokens_per_s_p90", "basis",
            "usd_per_gpu_hour_low", "usd_per_gpu_hour_median", "usd_per_gpu_hour_high", "provider_count",
            "memory_gib", "largest_context_tokens", "as_of", "source", "row_id",
        ),
        rows=tuple(_served_row(one) for one in found),
    )  # fmt: skip


def _served_row(one: Served) -> tuple[Cell, ...]:
    place, rate, price = one.place, one.speeds, one.place.price
    decode = rate.decode_tokens_per_s
    return (
        place.gpu.name, place.gpu_count, place.format_name, one.engine, *band_cells(one.usd_per_mtok),
        *estimate_cells(decode), *estimate_cells(rate.ttft_ms),
        None if rate.sequences is None else int(rate.sequences), *estimate_cells(rate.output_tokens_per_s),
        rate.reason if decode is None else decode.error_sentence,
        *band_cells(None if price is None else price.usd_per_gpu_hour), len(price.offers) if price else 0,
        rounded(place.need.total_bytes / BYTES_PER_GIB), place.largest_context_tokens,
        place.gpu.as_of, place.gpu.source, place.gpu.row_id,
    )  # fmt: skip
