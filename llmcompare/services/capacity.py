"""Predicted serving rates of one model for one workload, on every GPU that somebody rents out."""

from dataclasses import dataclass
from functools import lru_cache

from llmcompare.core import weights
from llmcompare.core.cost import scaled
from llmcompare.core.memory import Use
from llmcompare.core.options import PredictedCapacity
from llmcompare.core.records import Billing
from llmcompare.core.scenario import Scenario
from llmcompare.errors import InputError
from llmcompare.services import fit, hardware
from llmcompare.services.catalogue import Facts
from llmcompare.services.fit import FORMATS_BEST_FIRST, Subject
from llmcompare.services.hardware import Limits, Served

REMEMBERED = 32
"""Answers kept: what one slider asks for again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a prediction hangs on; prices, volume and utilisation are not among it."""

    model: str
    input_tokens: int
    output_tokens: int
    billing: Billing
    gpu: str | None
    weight_format: str | None
    concurrency: int | None
    limits: Limits
    min_bits_per_weight: float


def question(scenario: Scenario) -> Question:
    """What the capacities of a scenario hang on."""
    input_tokens, output_tokens = scenario.workload.whole_tokens
    return Question(
        model=scenario.model,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        billing=scenario.billing,
        gpu=scenario.gpu,
        weight_format=scenario.weight_format,
        concurrency=None if scenario.concurrency is None else round(scenario.concurrency),
        limits=Limits(ttft_ms=scenario.ttft_limit_ms, tpot_ms=scenario.tpot_limit_ms),
        min_bits_per_weight=scenario.min_bits_per_weight,
    )


def predicted_capacities(facts: Facts, scenario: Scenario) -> tuple[tuple[PredictedCapacity, ...], str | None]:
    """A capacity for every deployment that holds the model and keeps the limits, or why there is none."""
    return _predicted(facts, question(scenario))


@lru_cache(maxsize=REMEMBERED)
def _predicted(facts: Facts, asked: Question) -> tuple[tuple[PredictedCapacity, ...], str | None]:
    try:
        model = fit.subject(facts, asked.model)
        formats = formats_above(model, asked.min_bits_per_weight, only=asked.weight_format)
        found = served(facts, model, asked, formats)
    except InputError as problem:
        return (), str(problem).rstrip(".")
    usable = tuple(one for place in found if (one := _capacity(place, asked)) is not None)
    if usable:
        return usable, None
    if not found:
        return (
            (),
            f"{model.name} fits on no {'GPU' if asked.gpu is None else asked.gpu} of the price list, not on eight",
        )
    return (), "no deployment keeps the latency limits with a single request: give more time, or a shorter request"


def formats_above(model: Subject, min_bits_per_weight: float, *, only: str | None = None) -> tuple[str, ...]:
    """Weight formats that keep the quality floor. Raises InputError where none does."""
    names = FORMATS_BEST_FIRST if only is None else (only,)
    bits = {name: weights.bits_per_weight(model.shape, format_name=name) for name in names}
    kept = tuple(name for name in names if bits[name] >= min_bits_per_weight)
    if not kept:
        highest = max(bits.values())
        raise InputError(
            f"min_bits_per_weight is {min_bits_per_weight:g}, and {', '.join(names)} of {model.name} has at most "
            f"{highest:.1f} bits: lower the floor."
        )
    return kept


def served(facts: Facts, model: Subject, asked: Question, formats: tuple[str, ...]) -> list[Served]:
    """Every GPU of the billing class, or the one asked for, with every format and engine, cheapest per token first."""
    use = Use(context_tokens=asked.input_tokens + asked.output_tokens, sequences=asked.concurrency or 1)
    gpus = hardware.priced_gpus(facts, asked.billing)
    if asked.gpu is not None:
        gpus = [gpu for gpu in hardware.known_gpus(facts) if gpu.gpu_id == asked.gpu]
    places = hardware.places(facts, model, use, gpus=gpus, billing=asked.billing, formats=formats)
    return hardware.served(
        facts,
        model,
        use,
        places,
        output_tokens=asked.output_tokens,
        streams=asked.concurrency,
        limits=asked.limits,
    )


def _capacity(one: Served, asked: Question) -> PredictedCapacity | None:
    rate, count = one.speeds.output_tokens_per_s, one.place.gpu_count
    if rate is None or count is None:
        return None
    return PredictedCapacity(
        gpu_id=one.place.gpu.gpu_id,
        gpu_count=count,
        engine=one.engine,
        weight_format=one.place.format_name,
        requests_per_s=scaled(rate.as_band, 1 / asked.output_tokens),
        sequences=one.speeds.sequences or 1.0,
        error=rate.error_sentence,
    )
