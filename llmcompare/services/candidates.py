"""Deployments with their serving rates, predicted and measured, and prices of their GPUs: what a sweep starts from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from llmcompare.core import sweep
from llmcompare.core.calibration_traits import SUPPORTED
from llmcompare.core.cost import Band, price_band
from llmcompare.core.fleet import Axes, Fleet, Floats, Places, fleet
from llmcompare.core.memory import Use
from llmcompare.core.records import Billing, Capacity, Gpu, GpuOffer
from llmcompare.core.rented import measured_rates, rentable
from llmcompare.core.scenario import Scenario
from llmcompare.core.shapes import ModelShape
from llmcompare.core.sweep import Asked, Rates, RequestTimes, rates
from llmcompare.core.weights import bits_per_weight
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import doubts, hardware
from llmcompare.services.books import book
from llmcompare.services.calibration import DECODE, OUTPUT, TTFT
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import for_model, for_models
from llmcompare.services.fit import FORMATS_BEST_FIRST
from llmcompare.services.overview import FAMILIES

FLEETS_KEPT = 4


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
    request_tokens: tuple[int, ...]
    """Of one request with each of them, in and out."""
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
    has_own_price: bool


def candidates(facts: Facts, scenario: Scenario, models: Sequence[str]) -> Candidates:
    """Every deployment of these models with what it serves, measured where somebody measured that very deployment."""
    found = _predicted(facts, _question(facts, scenario, models))
    takes_measured = (
        not scenario.has_latency_limit and scenario.concurrency is None and scenario.capacity_basis == "measured-first"
    )
    return replace(found, measured=tuple(_measured(facts, scenario, found)) if takes_measured else ())


def request_times(facts: Facts, scenario: Scenario, models: Sequence[str]) -> RequestTimes:
    """What a request takes in a worker of every deployment of the candidates, one place of each array for each."""
    return _request_times(facts, _question(facts, scenario, models), scenario.requests_per_worker)


@lru_cache(maxsize=FLEETS_KEPT)
def _request_times(facts: Facts, question: _Question, requests_per_worker: int) -> RequestTimes:
    found = _predicted(facts, question)
    return sweep.request_times(
        found.fleet,
        question.asked,
        facts.calibration,
        requests_per_worker=requests_per_worker,
        first_token=TTFT,
        further_token=DECODE,
    )


def _question(facts: Facts, scenario: Scenario, models: Sequence[str]) -> _Question:
    if scenario.own_output_tokens_per_s is not None:
        raise InputError(
            "own_output_tokens_per_s holds for one deployment, and a sweep asks many: leave it out here, or see what "
            "it costs over volume."
        )
    input_tokens, output_tokens = scenario.workload.whole_tokens
    of_models = [one.workload.whole_tokens for one in for_models(facts, scenario, _shaped(facts, models)).values()]
    # Where all models count the text alike the question is the one without a language, and its answer is kept.
    differ = set(of_models) - {(input_tokens, output_tokens)}
    concurrency = None if scenario.concurrency is None else round(scenario.concurrency)
    return _Question(
        models=tuple(models),
        asked=Asked(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            concurrency=concurrency,
            ttft_limit_ms=scenario.ttft_limit_ms,
            tpot_limit_ms=scenario.tpot_limit_ms,
            input_of_models=tuple(given for given, _ in of_models) if differ else (),
            output_of_models=tuple(made for _, made in of_models) if differ else (),
        ),
        context_tokens=input_tokens + output_tokens,
        sequences=concurrency or 1,
        min_bits_per_weight=scenario.min_bits_per_weight,
        only=(scenario.gpu, scenario.engine, scenario.weight_format),
        has_own_price=scenario.own_usd_per_gpu_hour is not None,
    )


def _shaped(facts: Facts, models: Sequence[str]) -> list[str]:
    return [name for name in models if name in facts.shapes]


@lru_cache(maxsize=FLEETS_KEPT)
def _predicted(facts: Facts, question: _Question) -> Candidates:
    known = _shaped(facts, question.models)
    axes = _axes(facts, question, known)
    use = Use(context_tokens=question.context_tokens, sequences=question.sequences)
    asked = question.asked
    contexts = [int(given + made) for given, made in zip(asked.input_of_models, asked.output_of_models, strict=True)]
    found = fleet(axes, use, min_bits_per_weight=question.min_bits_per_weight, context_tokens=contexts or None)
    return Candidates(
        fleet=found,
        rates=rates(found, asked, facts.calibration, quantity=OUTPUT),
        model_ids=tuple(known),
        request_tokens=tuple(contexts or [question.context_tokens] * len(known)),
        measured=(),
        without_shape=tuple(name for name in question.models if name not in facts.shapes),
    )


def _axes(facts: Facts, question: _Question, known: Sequence[str]) -> Axes:
    gpu_id, engine, weight_format = question.only
    offered = {offer.gpu_id for offer in facts.gpu_offers}
    if gpu_id is not None and gpu_id not in facts.gpus:
        raise UnknownIdError("GPU", gpu_id, facts.gpus)
    if gpu_id is not None and gpu_id not in offered and not question.has_own_price:
        raise InputError(f"nobody lists a price of {gpu_id}: give your own_usd_per_gpu_hour, or leave gpu out.")
    if engine is not None and engine not in SUPPORTED:
        raise UnknownIdError("engine", engine, SUPPORTED)
    if gpu_id is not None:
        offered.add(gpu_id)
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
        for row, served in measured_rates(book(facts, model_id), for_model(facts, scenario, model_id)):
            bits = _bits(shape, row.weight_format)
            if bits is None or bits >= scenario.min_bits_per_weight:
                yield place, row, served


def _bits(shape: ModelShape, format_name: str | None) -> float | None:
    try:
        return None if format_name is None else bits_per_weight(shape, format_name=format_name)
    except InputError:
        return None


# --- prices -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Of every GPU, billing class and number of GPUs: low, middle and high USD per GPU-hour; NaN without an offer."""

    band: Floats
    providers: Places
    counts: tuple[int, ...]


@lru_cache(maxsize=8)
def prices(facts: Facts, gpus: tuple[Gpu, ...], billings: tuple[Billing, ...], counts: tuple[int, ...]) -> Prices:
    by_place: dict[tuple[str, Billing], list[GpuOffer]] = {}
    for offer in doubts.sound_gpu_offers(facts):
        by_place.setdefault((offer.gpu_id, offer.billing), []).append(offer)
    band = np.full((len(gpus), len(billings), len(counts), 3), np.nan)
    providers = np.zeros((len(gpus), len(billings), len(counts)), dtype=np.intp)
    for at, gpu in enumerate(gpus):
        for place, billing in enumerate(billings):
            listed = by_place.get((gpu.gpu_id, billing), [])
            for size, count in enumerate(counts):
                offers, _ = rentable(listed, gpu_id=gpu.gpu_id, billing=billing, gpu_count=count)
                if offers:
                    found = price_band(offer.usd_per_gpu_hour for offer in offers)
                    band[at, place, size] = found.low, found.mid, found.high
                    providers[at, place, size] = len(offers)
    return Prices(band=band, providers=providers, counts=counts)
