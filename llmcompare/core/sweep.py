"""What every deployment of many models costs at one volume, and which cannot be told from the cheapest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from llmcompare.core.calibration import Calibration, known_efficiency
from llmcompare.core.cost import Band
from llmcompare.core.curves import whole_at
from llmcompare.core.fleet import Fleet, Floats, Out, Places
from llmcompare.core.roofline import Efficiency
from llmcompare.core.serving import CLOSED_LOOP, ONE_STREAM, Demand, Figures, figures, largest_output
from llmcompare.core.speed import Stack, taken
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_MONTH

MS_PER_S = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What each deployment is asked for."""

    input_tokens: float
    output_tokens: float
    """At least 1: a request without an answer takes as long as one with a single token."""
    concurrency: float | None
    """Requests at once on one replica; None for as many as fit and keep the limits."""
    ttft_limit_ms: float | None
    tpot_limit_ms: float | None
    input_of_models: tuple[float, ...] = ()
    """Of each of the fleet's models where they differ, in place of the input tokens above."""
    output_of_models: tuple[float, ...] = ()

    def input_at(self, model: Places) -> Floats:
        """Input tokens of deployments of these models."""
        return _at(self.input_of_models, model, alike=self.input_tokens)

    def output_at(self, model: Places) -> Floats:
        """Output tokens of deployments of these models."""
        return _at(self.output_of_models, model, alike=self.output_tokens)


def _at(of_models: tuple[float, ...], model: Places, *, alike: float) -> Floats:
    return np.array(of_models, float)[model] if of_models else np.full(len(model), float(alike))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What one replica of each deployment serves, at the 10th percentile, the middle and the 90th of its prediction."""

    low_requests_per_s: Floats
    mid_requests_per_s: Floats
    high_requests_per_s: Floats
    ttft_ms: Floats
    """Median of a single request; NaN where the GPU's arithmetic rate is not known."""
    tpot_ms: Floats
    out: Places
    """Out.TTFT or Out.TPOT where a limit is broken with a single request already, else Out.NOT."""


def rates(found: Fleet, asked: Asked, known: Calibration, *, quantity: str) -> Rates:
    """Serving rates of a whole fleet; quantity names the group of measurements whose error the band is."""
    constants, kept = known_efficiency(known, found.traits)
    given = (found.stack, taken(constants, found.trait))
    kept_fraction = kept[found.trait]
    one = figures(*given, _demand(found, asked, kind=ONE_STREAM), kept_fraction=kept_fraction)
    output, out = _output(found, asked, given, kept_fraction, one)
    bands = [known.band(quantity, traits.engine) for traits in found.traits]
    low, high = np.array([band.low_ratio for band in bands]), np.array([band.high_ratio for band in bands])
    mid = output / asked.output_at(found.model)
    return Rates(
        low_requests_per_s=mid * low[found.trait],
        mid_requests_per_s=mid,
        high_requests_per_s=mid * high[found.trait],
        ttft_ms=np.where(found.stack.rate_is_known, one.ttft_s * MS_PER_S, np.nan),
        tpot_ms=one.tpot_s * MS_PER_S,
        out=out,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTimes:
    """What a request takes in a worker of each deployment; NaN where the GPU's arithmetic rate is not known."""

    alone_s: Floats
    """Time to the first token and all further ones, of a request that has the worker for itself."""
    full_s: Floats
    """With all of the worker's slots taken."""
    output_tokens: Floats
    """Of one request, counted as the model counts."""
    full_ttft_ms: Floats
    full_tpot_ms: Floats
    low_ratio: Floats
    """Of the speed of a request to its middle, at the 10th percentile of the predictions."""
    high_ratio: Floats


def request_times(
    found: Fleet,
    asked: Asked,
    known: Calibration,
    *,
    requests_per_worker: int,
    first_token: str,
    further_token: str,
) -> RequestTimes:
    """Of a whole fleet; first_token and further_token name the groups of measurements whose errors the ratios are."""
    constants, kept = known_efficiency(known, found.traits)
    given = (found.stack, taken(constants, found.trait))
    kept_fraction = kept[found.trait]
    one = figures(*given, _demand(found, asked, kind=ONE_STREAM), kept_fraction=kept_fraction)
    together = replace(asked, concurrency=float(requests_per_worker))
    many = figures(*given, _demand(found, together, kind=CLOSED_LOOP), kept_fraction=kept_fraction)
    output = asked.output_at(found.model)
    first_s = np.where(found.stack.rate_is_known, one.ttft_s, np.nan)
    further_s = one.tpot_s * output
    alone_s = first_s + further_s
    first, further = (
        [known.band(quantity, traits.engine) for traits in found.traits] for quantity in (first_token, further_token)
    )

    def slowest_or_quickest(end: str) -> Floats:
        of_further = np.array([getattr(band, end) for band in further])
        # The error of the first token is that of a time, the error of further ones that of a rate.
        turned = "high_ratio" if end == "low_ratio" else "low_ratio"
        of_first = np.array([getattr(band, turned) for band in first])
        return np.asarray(alone_s / (first_s * of_first[found.trait] + further_s / of_further[found.trait]))

    return RequestTimes(
        alone_s=alone_s,
        full_s=np.maximum(alone_s, requests_per_worker * output / many.output_tokens_per_s),
        output_tokens=output,
        full_ttft_ms=np.where(found.stack.rate_is_known, many.ttft_s * MS_PER_S, np.nan),
        full_tpot_ms=many.tpot_s * MS_PER_S,
        low_ratio=slowest_or_quickest("low_ratio"),
        high_ratio=slowest_or_quickest("high_ratio"),
    )


def _demand(found: Fleet, asked: Asked, *, kind: int) -> Demand:
    count = len(found.model)
    at_once = found.fitting_sequences if asked.concurrency is None else np.full(count, asked.concurrency)
    return Demand(
        kind=np.full(count, kind),
        sequences=np.ones(count) if kind == ONE_STREAM else at_once,
        input_tokens=asked.input_at(found.model),
        output_tokens=asked.output_at(found.model),
        earlier_tokens=np.zeros(count),
        most_sequences=at_once,
        decode_only=np.zeros(count, dtype=bool),
    )


def _output(
    found: Fleet, asked: Asked, given: tuple[Stack, Efficiency], kept_fraction: Floats, one: Figures
) -> tuple[Floats, Places]:
    """Output tokens per second of as many requests as are asked for or fit, or as keep the limits."""
    demand = _demand(found, asked, kind=CLOSED_LOOP)
    many = figures(*given, demand, kept_fraction=kept_fraction)
    out = np.zeros(len(found.model), dtype=np.intp)
    if asked.ttft_limit_ms is None and asked.tpot_limit_ms is None:
        return many.output_tokens_per_s, out
    ttft, tpot = asked.ttft_limit_ms or np.inf, asked.tpot_limit_ms or np.inf
    best = largest_output(
        *given,
        demand,
        kept_fraction=kept_fraction,
        ttft_limit_s=ttft / MS_PER_S,
        tpot_limit_s=tpot / MS_PER_S,
    )
    # More than are asked for, or than fit, would still keep the limits.
    output = np.where(best.sequences >= many.sequences, many.output_tokens_per_s, best.output_tokens_per_s)
    out[np.isnan(best.output_tokens_per_s)] = Out.TPOT
    out[np.isnan(best.output_tokens_per_s) & (one.ttft_s * MS_PER_S > ttft)] = Out.TTFT
    return output, out


# --- money ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How replicas are counted and paid, for all deployments alike."""

    requests_per_month: float
    target_utilisation_fraction: float
    hours: Sequence[tuple[float, float]]
    """As curves.paid_hours gives them."""
    min_replicas: int
    spare_replicas: int


def rented_usd_per_month(
    rules: Rules, *, usd_per_gpu_hour: Floats, gpus: Floats, requests_per_s: Floats, cost_factor: Floats
) -> Floats:
    """What curves.rented_curve gives at one volume, for many deployments at once."""
    one = usd_per_gpu_hour * gpus * HOURS_PER_MONTH * cost_factor
    full_at = requests_per_s * rules.target_utilisation_fraction * SECONDS_PER_MONTH
    fewest, spare = rules.min_replicas, rules.spare_replicas
    running = np.zeros_like(one)
    for share, rate in rules.hours:
        needed = whole_at(rules.requests_per_month * rate / full_at)
        running += share * (np.maximum(needed, fewest) + spare)
    return one * running


def filled_replicas(rules: Rules, requests_per_s: Floats) -> Floats:
    """What the busiest hours fill at the planned share of capacity, in fractions of a replica."""
    full_at = requests_per_s * rules.target_utilisation_fraction * SECONDS_PER_MONTH
    return rules.requests_per_month * max(rate for _, rate in rules.hours) / full_at


def replicas(rules: Rules, requests_per_s: Floats) -> Floats:
    """In the busiest hours, spare ones included."""
    needed = whole_at(filled_replicas(rules, requests_per_s))
    return np.maximum(needed, rules.min_replicas) + rules.spare_replicas


def saving(today_usd_per_month: float, cost: Band) -> Band:
    """What an option leaves of today's bill, least where it is dearest; below 0 where it costs more.

    >>> saving(4_000, Band(low=800, mid=1_000, high=4_500))
    Band(low=-500, mid=3000, high=3200)
    """
    return Band(
        low=today_usd_per_month - cost.high, mid=today_usd_per_month - cost.mid, high=today_usd_per_month - cost.low
    )
