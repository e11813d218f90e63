"""The deployments on serverless GPUs that an advice chooses from, priced by the formulas of the Costs page."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.advice import Floats, Places, Uncertain
from llmcompare.core.advised import SERVERLESS
from llmcompare.core.cost import ENDS, End
from llmcompare.core.fleet import Out
from llmcompare.core.needs import Need
from llmcompare.core.records import SERVERLESS_BILLING
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_curve import ServerlessPlan
from llmcompare.core.serverless_field import ServerlessField, is_over_limit
from llmcompare.core.serverless_option import plans_of
from llmcompare.core.serverless_words import share_text
from llmcompare.core.sweep import MS_PER_S, RequestTimes
from llmcompare.errors import UnknownIdError
from llmcompare.services import doubts
from llmcompare.services.candidates import Candidates, candidates, request_times
from llmcompare.services.catalogue import Facts
from llmcompare.services.cold_starts import SIMULATED_MOST, at_most
from llmcompare.services.contenders import LEAST_USD, Block, cause

COLD_MOST = Need().max_cold_fraction
COLD = f"more than {share_text(COLD_MOST)} of the requests may meet a cold start, and a latency limit is set"
SLOW = "breaks the latency limit in a worker whose slots are all taken"


def field_of(
    facts: Facts, scenario: Scenario, models: Sequence[str]
) -> tuple[ServerlessField, Places, Candidates, RequestTimes]:
    """Every predicted deployment on a GPU that somebody offers serverless, and its places among the candidates.

    Raises UnknownIdError for an unknown provider.
    """
    known = {offer.provider for offer in facts.serverless_offers}
    if scenario.serverless_provider is not None and scenario.serverless_provider not in known:
        raise UnknownIdError("provider of serverless GPUs", scenario.serverless_provider, known)
    found = candidates(facts, scenario, models)
    times, fleet = request_times(facts, scenario, models), found.fleet
    sets, number_of = _plans(facts, scenario, found)
    of = number_of[fleet.gpu, fleet.gpu_count.astype(int)] if len(fleet.gpu) else np.zeros(0, dtype=np.intp)
    kept = np.nonzero((of >= 0) & (found.rates.out == Out.NOT) & np.isfinite(times.alone_s))[0]
    field = ServerlessField(
        offered=sets, of=of[kept], alone_s=times.alone_s[kept], full_s=times.full_s[kept], scenario=scenario
    )
    return field, kept, found, times


def out_of_limits(scenario: Scenario, field: ServerlessField, kept: Places, times: RequestTimes) -> NDArray[np.object_]:
    """Why each deployment of a field breaks the scenario's latency limits; None where it keeps them or none is set.

    Cold starts by their bound; the cheapest that are out for it alone are simulated.
    """
    reasons = np.full(len(kept), None, dtype=object)
    if not scenario.has_latency_limit:
        return reasons
    everyone, volume = np.arange(len(kept)), scenario.requests_per_month
    cold, _ = field.cold(everyone, volume)
    full = {"ttft_ms": times.full_ttft_ms[kept], "tpot_ms": times.full_tpot_ms[kept]}
    slow = is_over_limit(scenario, **full)
    doubtful = np.nonzero((cold > COLD_MOST) & ~slow)[0]
    cheapest = doubtful[np.argsort(field.usd(doubtful, volume), kind="stable")][:SIMULATED_MOST]
    for place in cheapest.tolist():
        cold[place] = min(cold[place], at_most(field, place, requests_per_month=volume))
    reasons[cold > COLD_MOST] = COLD
    reasons[slow] = SLOW
    return reasons


def is_in(reasons: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which have no reason to be out."""
    return np.array([reason is None for reason in reasons.tolist()], dtype=bool)


def usd_bands(
    field: ServerlessField, kept: Places, times: RequestTimes, places: Places, requests_per_month: float
) -> tuple[Floats, Floats, Floats]:
    """US dollars a month of these deployments, low, middle and high: low prices go with the highest speed."""
    at = kept[places]
    speeds: dict[End, Floats | float] = {"low": times.high_ratio[at], "mid": 1.0, "high": times.low_ratio[at]}
    low, mid, high = (field.usd(places, requests_per_month, end=end, speed=speeds[end]) for end in ENDS)
    return low, mid, high


def parts_at(found: Candidates, at: int) -> tuple[str, str, int, str, str]:
    """What a deployment is made of: model, GPU, count, engine and format."""
    fleet = found.fleet
    return (
        found.model_ids[fleet.model[at]], fleet.axes.gpus[fleet.gpu[at]].gpu_id, int(fleet.gpu_count[at]),
        fleet.axes.engines[fleet.engine[at]], fleet.axes.formats[fleet.weight_format[at]],
    )  # fmt: skip


def out_by_deployment(facts: Facts, scenario: Scenario) -> dict[tuple[str, int, str, str], str]:
    """Why deployments of the scenario's model break its latency limits, by GPU, count, engine and format."""
    field, kept, found, times = field_of(facts, scenario, (scenario.model,))
    reasons = out_of_limits(scenario, field, kept, times)
    return {
        parts_at(found, at)[1:]: str(reason)
        for at, reason in zip(kept.tolist(), reasons.tolist(), strict=True)
        if reason is not None
    }


def _plans(
    facts: Facts, scenario: Scenario, found: Candidates
) -> tuple[tuple[tuple[ServerlessPlan, ...], ...], NDArray[np.intp]]:
    """The different sets of providers, and the number of the one for each GPU and count; -1 for none."""
    gpus = found.fleet.axes.gpus
    counts = sorted({int(count) for count in np.unique(found.fleet.gpu_count)})
    sound = doubts.sound_serverless_offers(facts, scenario.serverless_provider)
    sets: list[tuple[ServerlessPlan, ...]] = []
    number_of = np.full((len(gpus), max(counts, default=0) + 1), -1, dtype=np.intp)
    for at, gpu in enumerate(gpus):
        here = [offer for offer in sound if offer.gpu_id == gpu.gpu_id]
        for count in counts if here else ():
            fitting = [offer for offer in here if offer.gpu_count <= count]
            plans = plans_of(scenario, fitting, facts.serverless_terms, gpus_per_worker=count)
            if plans:
                number_of[at, count] = len(sets)
                sets.append(plans)
    return tuple(sets), number_of


@lru_cache(maxsize=4)
def serverless_block(facts: Facts, scenario: Scenario, models: tuple[str, ...]) -> Block:
    """Every deployment on serverless GPUs, at the median of their providers."""
    field, kept, found, times = field_of(facts, scenario, models)
    fleet, everyone = found.fleet, np.arange(len(kept))
    gpu_ids = [fleet.axes.gpus[at].gpu_id for at in fleet.gpu[kept]]
    engines = [fleet.axes.engines[at] for at in fleet.engine[kept]]
    now = scenario.requests_per_month
    low, mid, high = (field.usd(everyone, now, end=end) for end in ENDS)
    tokens = times.output_tokens[kept]
    tokens_s = found.rates.tpot_ms[kept] / MS_PER_S * tokens

    def speed_at(places: Places, requests_per_month: float) -> Floats:
        _, waited_s = field.cold(places, requests_per_month)
        return np.asarray(tokens[places] / (tokens_s[places] + waited_s))

    def cost(requests_per_month: float) -> Callable[[Places, Floats, Floats], Floats]:
        return lambda places, price, rate: np.maximum(
            LEAST_USD, field.usd(places, requests_per_month, speed=rate) * price
        )

    return Block(
        kind=SERVERLESS,
        model_ids=tuple(found.model_ids[at] for at in fleet.model[kept]),
        gpu_ids=tuple(gpu_ids),
        gpu_counts=tuple(fleet.gpu_count[kept].astype(int).tolist()),
        engines=tuple(engines),
        weight_formats=tuple(fleet.axes.formats[at] for at in fleet.weight_format[kept]),
        provider_counts=tuple(field.provider_counts.tolist()),
        price=Uncertain(
            cause=np.array([cause("price", f"{gpu}:{SERVERLESS_BILLING}") for gpu in gpu_ids], dtype=np.intp),
            low=np.minimum(1.0, low / mid),
            high=np.maximum(1.0, high / mid),
        ),
        rate=Uncertain(
            cause=np.array([cause("speed", *pair) for pair in zip(gpu_ids, engines, strict=True)], dtype=np.intp),
            low=times.low_ratio[kept],
            high=times.high_ratio[kept],
        ),
        tokens_per_s=speed_at(everyone, now),
        cost=cost,
        measured=(False,) * len(kept),
        speed_at=speed_at,
        cold_at=lambda places, volume: field.cold(places, volume)[0],
        cold_simulated=lambda place: at_most(field, place, requests_per_month=now),
        full_ttft_ms=times.full_ttft_ms[kept],
        full_tpot_ms=times.full_tpot_ms[kept],
    )
