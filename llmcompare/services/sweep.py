"""Sweeps every deployment of some models: rented on every GPU and through every API, and why the others are out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from llmcompare.core.cost import Band, api_usd_per_request, paid_hours, price_band
from llmcompare.core.fleet import Axes, Fleet, Floats, Out, Places, fleet
from llmcompare.core.memory import Use
from llmcompare.core.options import longer_than_context, token_prices
from llmcompare.core.records import RENTED_BILLINGS, ApiOffer, Billing, Capacity, Gpu, GpuOffer
from llmcompare.core.rented import measured_rates
from llmcompare.core.scenario import Scenario
from llmcompare.core.sweep import Asked, Rates, Rules, filled_replicas, rates, rented_usd_per_month, replicas
from llmcompare.core.sweep_words import UNDER_SCORE, WITHOUT_SCORE
from llmcompare.core.weights import bits_per_weight
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import hardware
from llmcompare.services.books import book
from llmcompare.services.calibration import OUTPUT
from llmcompare.services.catalogue import Facts
from llmcompare.services.fit import FORMATS_BEST_FIRST
from llmcompare.services.overview import FAMILIES

FLEETS_KEPT = 4
PREDICTED, MEASURED = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a deployment may not exceed beyond the scenario's own limits."""

    billings: tuple[Billing, ...] = RENTED_BILLINGS
    max_usd_per_month: float | None = None
    min_score: float | None = None
    """Models with a lower score, or without one, are out."""


def models_named(facts: Facts, names: str) -> tuple[str, ...]:
    """Ids of the models in a list after commas, of a family, or all of the three families. Raises UnknownIdError."""
    found: list[str] = []
    for name in (part.strip() for part in names.split(",") if part.strip()):
        if name in ("all", *FAMILIES):
            wanted = FAMILIES if name == "all" else (name,)
            found += [model_id for model_id, model in facts.models.items() if model.family in wanted]
        else:
            found.append(facts.model(name).model_id)
    if not found:
        raise InputError("no model is named: give ids after commas, a family (llama, mistral, qwen) or all.")
    return tuple(dict.fromkeys(found))


# --- serving rates, which hang on neither price nor volume ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Deployments with a serving rate, predicted and measured ones in one list."""

    fleet: Fleet
    rates: Rates
    model_ids: tuple[str, ...]
    """Of the fleet's models."""
    measured: tuple[tuple[int, Capacity, Band], ...]
    """Place of the model, measurement, requests per second."""
    without_shape: tuple[str, ...]
    """Models of which no source gives layers and heads: nothing of them can be predicted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    models: tuple[str, ...]
    asked: Asked
    context_tokens: int
    sequences: int
    min_bits_per_weight: float
    only: tuple[str | None, str | None, str | None]
    """GPU, engine, format."""


def candidates(facts: Facts, scenario: Scenario, models: Sequence[str]) -> Candidates:
    """Every deployment of these models with what it serves, measured where somebody measured that very deployment."""
    workload = scenario.workload
    output_tokens = max(1, round(workload.billed_output_tokens))
    input_tokens = max(1, round(workload.input_tokens))
    concurrency = None if scenario.concurrency is None else round(scenario.concurrency)
    question = _Question(
        models=tuple(models),
        asked=Asked(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            concurrency=concurrency,
            ttft_limit_ms=scenario.ttft_limit_ms,
            tpot_limit_ms=scenario.tpot_limit_ms,
        ),
        context_tokens=input_tokens + output_tokens,
        sequences=concurrency or 1,
        min_bits_per_weight=scenario.min_bits_per_weight,
        only=(scenario.gpu, scenario.engine, scenario.weight_format),
    )
    found = _predicted(facts, question)
    takes_measured = (
        not scenario.has_latency_limit and concurrency is None and scenario.capacity_basis == "measured-first"
    )
    return replace(found, measured=tuple(_measured(facts, scenario, found)) if takes_measured else ())


@lru_cache(maxsize=FLEETS_KEPT)
def _predicted(facts: Facts, question: _Question) -> Candidates:
    known = [name for name in question.models if name in facts.shapes]
    axes = _axes(facts, question, known)
    use = Use(context_tokens=question.context_tokens, sequences=question.sequences)
    found = fleet(axes, use, min_bits_per_weight=question.min_bits_per_weight)
    return Candidates(
        fleet=found,
        rates=rates(found, question.asked, facts.calibration, quantity=OUTPUT),
        model_ids=tuple(known),
        measured=(),
        without_shape=tuple(name for name in question.models if name not in facts.shapes),
    )


def _axes(facts: Facts, question: _Question, known: Sequence[str]) -> Axes:
    gpu_id, engine, weight_format = question.only
    offered = {offer.gpu_id for offer in facts.gpu_offers}
    if gpu_id is not None and gpu_id not in facts.gpus:
        raise UnknownIdError("GPU", gpu_id, facts.gpus)
    gpus = [one for one in hardware.known_gpus(facts) if one.gpu_id in offered and gpu_id in (None, one.gpu_id)]
    return Axes(
        models=tuple(facts.shapes[name] for name in known),
        formats=FORMATS_BEST_FIRST if weight_format is None else (weight_format,),
        gpus=tuple(gpus),
        engines=hardware.ENGINES if engine is None else (engine,),
    )


def _measured(facts: Facts, scenario: Scenario, found: Candidates) -> Iterator[tuple[int, Capacity, Band]]:
    for place, model_id in enumerate(found.model_ids):
        if model_id not in facts.capacities:
            continue
        shape = found.fleet.axes.models[place]
        for row, served in measured_rates(book(facts, model_id), scenario):
            bits = _bits(shape, row.weight_format)
            if bits is None or bits >= scenario.min_bits_per_weight:
                yield place, row, served


def _bits(shape: object, format_name: str | None) -> float | None:
    try:
        return None if format_name is None else bits_per_weight(shape, format_name=format_name)  # type: ignore[arg-type]
    except InputError:
        return None


# --- prices -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prices:
    """Of every GPU, billing class and number of GPUs: low, middle and high USD per GPU-hour; NaN without an offer."""

    band: Floats
    providers: Places
    counts: tuple[int, ...]


@lru_cache(maxsize=8)
def _prices(facts: Facts, gpus: tuple[Gpu, ...], billings: tuple[Billing, ...], counts: tuple[int, ...]) -> _Prices:
    by_place: dict[tuple[str, Billing], list[GpuOffer]] = {}
    for offer in facts.gpu_offers:
        by_place.setdefault((offer.gpu_id, offer.billing), []).append(offer)
    band = np.full((len(gpus), len(billings), len(counts), 3), np.nan)
    providers = np.zeros((len(gpus), len(billings), len(counts)), dtype=np.intp)
    for at, gpu in enumerate(gpus):
        for place, billing in enumerate(billings):
            offers = by_place.get((gpu.gpu_id, billing), [])
            for size, count in enumerate(counts):
                best: dict[str, float] = {}
                for offer in offers:
                    if offer.gpu_count <= count:
                        price = offer.usd_per_gpu_hour
                        best[offer.provider] = min(price, best.get(offer.provider, price))
                if best:
                    found = price_band(best.values())
                    band[at, place, size] = found.low, found.mid, found.high
                    providers[at, place, size] = len(best)
    return _Prices(band=band, providers=providers, counts=counts)


# --- the sweep --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """Rented deployments as arrays, cheapest first, and API offers; one place of each array per rented deployment."""

    scenario: Scenario
    limits: Limits
    found: Candidates
    model: Places
    gpu: Places
    engine: tuple[str, ...]
    """Names that the places of engines mean, as in weight_format."""
    engine_at: Places
    weight_format: tuple[str | None, ...]
    format_at: Places
    billing_at: Places
    gpu_count: Floats
    low: Floats
    """USD per month, as mid and high."""
    mid: Floats
    high: Floats
    replicas: Floats
    filled: Floats
    """Replicas before rounding up."""
    providers: Places
    measured_at: Places
    """Place among the measured rates, -1 where the rate is predicted."""
    requests_per_s: Floats
    usd_per_gpu_hour: Floats
    out_of_price: dict[Billing, int]
    """Deployments that hold the model and keep the limits, and that nobody lists a price of this class for."""
    over_budget_count: int
    api: tuple[tuple[ApiOffer, float], ...]
    """Offers that take such requests, with USD per month, cheapest first."""
    api_out: tuple[tuple[ApiOffer, str], ...]
    models_out: tuple[tuple[str, str], ...]
    """Models that are out as such, with the reason."""

    def band(self, place: int) -> Band:
        """USD per month of one rented deployment."""
        return Band(low=float(self.low[place]), mid=float(self.mid[place]), high=float(self.high[place]))


def _scored(models: Sequence[str], scores: Mapping[str, Band], floor: float) -> Iterator[tuple[str, str | None]]:
    """Models with the reason why they are out for their score, None where they are in."""
    for name in models:
        score = scores.get(name)
        if score is None:
            yield name, WITHOUT_SCORE
        else:
            yield name, None if score.mid >= floor else UNDER_SCORE


def sweep(
    facts: Facts,
    scenario: Scenario,
    models: Sequence[str],
    limits: Limits | None = None,
    *,
    scores: Mapping[str, Band] | None = None,
) -> Swept:
    """Every deployment of these models at the scenario's volume. Raises UnknownIdError or InputError.

    scores: of the models, for a floor of the limits.
    """
    limits = limits or Limits()
    models_out: tuple[tuple[str, str], ...] = ()
    if limits.min_score is not None:
        judged = list(_scored(models, scores or {}, limits.min_score))
        models = [name for name, reason in judged if reason is None]
        models_out = tuple((name, reason) for name, reason in judged if reason is not None)
    found = candidates(facts, scenario, models)
    columns, names = _joined(found)
    axes = found.fleet.axes
    counts = tuple(sorted({int(count) for count in np.unique(columns["gpu_count"])}))
    prices = _prices(facts, axes.gpus, limits.billings, counts)
    size = np.searchsorted(np.array(counts), columns["gpu_count"].astype(int)) if counts else np.array([], dtype=int)
    gpu = columns["gpu"].astype(np.intp)
    place, billing = np.nonzero(~np.isnan(prices.band[gpu, :, size, 1])) if len(gpu) else (gpu, gpu)
    out_of_price = {name: int(len(gpu) - (billing == at).sum()) for at, name in enumerate(limits.billings)}
    taken = {name: column[place] for name, column in columns.items()}
    band = prices.band[gpu[place], billing, size[place]]
    own = scenario.own_usd_per_gpu_hour
    if own is not None:
        band = np.full_like(band, own)
    rules = Rules(
        requests_per_month=scenario.requests_per_month,
        target_utilisation_fraction=scenario.target_utilisation_fraction,
        hours=paid_hours(scenario.spread, scenario.running),
        min_replicas=scenario.min_replicas,
        spare_replicas=scenario.spare_replicas,
    )
    is_spot = np.array([name == "spot" for name in limits.billings])[billing]
    factor = np.where(is_spot, 1 + scenario.spot_allowance_fraction, 1.0)
    low, mid, high = (
        rented_usd_per_month(
            rules,
            usd_per_gpu_hour=band[:, at],
            gpus=taken["gpu_count"],
            requests_per_s=taken[rate],
            cost_factor=factor,
        )
        for at, rate in enumerate(("high_rate", "mid_rate", "low_rate"))
    )
    within = np.ones(len(mid), dtype=bool) if limits.max_usd_per_month is None else mid <= limits.max_usd_per_month
    # Ties go to what was measured, then to the larger rate.
    order = np.lexsort((-taken["mid_rate"], taken["measured"] < 0, mid))
    order = order[within[order]]
    api, api_out = _api(facts, scenario, models)
    return Swept(
        scenario=scenario,
        limits=limits,
        found=found,
        model=taken["model"][order].astype(np.intp),
        gpu=taken["gpu"][order].astype(np.intp),
        engine=names[0],
        engine_at=taken["engine"][order].astype(np.intp),
        weight_format=names[1],
        format_at=taken["format"][order].astype(np.intp),
        billing_at=billing[order],
        gpu_count=taken["gpu_count"][order],
        low=low[order],
        mid=mid[order],
        high=high[order],
        replicas=replicas(rules, taken["mid_rate"][order]),
        filled=filled_replicas(rules, taken["mid_rate"][order]),
        providers=prices.providers[gpu[place], billing, size[place]][order],
        measured_at=taken["measured"][order].astype(np.intp),
        requests_per_s=taken["mid_rate"][order],
        usd_per_gpu_hour=band[order, 1],
        out_of_price=out_of_price,
        over_budget_count=int((~within).sum()),
        api=api,
        api_out=api_out,
        models_out=models_out,
    )


def _joined(found: Candidates) -> tuple[dict[str, Floats], tuple[tuple[str, ...], tuple[str | None, ...]]]:
    """Columns of the predicted deployments that keep the limits, those measured in their place, and further ones."""
    one, rate = found.fleet, found.rates
    kept = np.nonzero(rate.out == Out.NOT)[0]
    columns = {
        "model": one.model[kept].astype(float),
        "gpu": one.gpu[kept].astype(float),
        "engine": one.engine[kept].astype(float),
        "format": one.weight_format[kept].astype(float),
        "gpu_count": one.gpu_count[kept],
        "low_rate": rate.low_requests_per_s[kept],
        "mid_rate": rate.mid_requests_per_s[kept],
        "high_rate": rate.high_requests_per_s[kept],
        "measured": np.full(len(kept), -1.0),
    }
    engines: list[str] = list(one.axes.engines)
    formats: list[str | None] = list(one.axes.formats)
    if not found.measured:
        return columns, (tuple(engines), tuple(formats))
    gpu_at = {gpu.gpu_id: at for at, gpu in enumerate(one.axes.gpus)}
    rows, replaced = [], np.zeros(len(kept), dtype=bool)
    for number, (model, row, served) in enumerate(found.measured):
        if row.gpu_id not in gpu_at:
            continue
        engine, weight_format = _place(engines, row.engine), _place(formats, row.weight_format)
        same = (
            (columns["model"] == model)
            & (columns["gpu"] == gpu_at[row.gpu_id])
            & (columns["engine"] == engine)
            & (columns["format"] == weight_format)
            & (columns["gpu_count"] == row.gpu_count)
        )
        replaced |= same
        rows.append(
            (
                model,
                gpu_at[row.gpu_id],
                engine,
                weight_format,
                row.gpu_count,
                served.low,
                served.mid,
                served.high,
                number,
            )
        )
    table = np.array(rows, dtype=float).reshape(-1, len(columns))
    joined = {
        name: np.concatenate([column[~replaced], table[:, at]]) for at, (name, column) in enumerate(columns.items())
    }
    return joined, (tuple(engines), tuple(formats))


def _place(names: list[str] | list[str | None], name: str | None) -> int:
    if name not in names:
        names.append(name)  # type: ignore[arg-type]
    return names.index(name)  # type: ignore[arg-type]


def _api(
    facts: Facts, scenario: Scenario, models: Sequence[str]
) -> tuple[tuple[tuple[ApiOffer, float], ...], tuple[tuple[ApiOffer, str], ...]]:
    """Every listing of these models, whatever its variant, and why some cannot take the requests."""
    workload, wanted = scenario.workload, set(models)
    priced, out = [], []
    for offer in facts.api_offers:
        if offer.model_id not in wanted or scenario.api_provider not in (None, offer.provider):
            continue
        too_long = longer_than_context(facts.models[offer.model_id], workload)
        if too_long is None and offer.context_tokens is not None and offer.context_tokens < workload.tokens_per_request:
            too_long = (
                f"the listing takes {offer.context_tokens:,} tokens, a request has {workload.tokens_per_request:,.0f}"
            )
        if too_long is not None:
            out.append((offer, too_long))
            continue
        usd = api_usd_per_request(token_prices(offer), workload, batch_fraction=scenario.batch_fraction)
        priced.append((offer, usd * workload.requests_per_month))
    return tuple(sorted(priced, key=lambda one: (one[1], one[0].row_id))), tuple(out)
