"""Which share of the requests meet a cold start on serverless GPUs: a formula for one worker, simulated for several."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from llmcompare.core.serverless import Fleet, one_worker, shared_service_s
from llmcompare.core.serverless_curve import Hours
from llmcompare.core.serverless_field import ServerlessField
from llmcompare.core.serverless_simulation import simulate
from llmcompare.core.serverless_words import ColdStarts
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR, SECONDS_PER_MONTH, rounded

GLANCE_REQUESTS = 60_000
"""Simulated for each rate of the day to see the cold starts of several workers."""
SETTLE_FRACTION = 0.2
"""Of a short simulation that is not counted: it begins with every worker down."""
ERRORS = 2.0
"""Standard errors that a simulated share is taken higher by where a limit hangs on it."""
SIMULATED_MOST = 32
"""Deployments of one question that are simulated: 5 ms each, for every different rate of the day."""


def cold_starts(
    fleet_at: Callable[[float], Fleet], hours: Hours, *, max_workers: int, requests_per_month: float
) -> ColdStarts:
    """Of a month whose hours have these rates, with the workers that each rate finds."""
    parts = []
    for share, rate in hours:
        requests_per_s = rounded(rate * requests_per_month / SECONDS_PER_MONTH, 6)
        if requests_per_s > 0:
            parts.append((share * rate, _met(fleet_at(requests_per_s), requests_per_s, max_workers)))
    weight = sum(share for share, _ in parts)
    fraction = sum(share * met.fraction for share, met in parts) / weight
    waited = [(share * met.fraction, met.wait_s) for share, met in parts if met.wait_s is not None and met.fraction]
    errors = [share * met.fraction_se for share, met in parts if met.fraction_se is not None]
    return ColdStarts(
        fraction=fraction,
        fraction_se=sum(error**2 for error in errors) ** 0.5 / weight if errors else None,
        wait_s=sum(share * wait for share, wait in waited) / sum(share for share, _ in waited) if waited else None,
    )


@lru_cache(maxsize=2_048)
def _met(fleet: Fleet, requests_per_s: float, max_workers: int) -> ColdStarts:
    if max_workers == 1:
        worker = one_worker(fleet, requests_per_s=requests_per_s)
        return ColdStarts(fraction=worker.cold_fraction, fraction_se=None, wait_s=worker.cold_wait_s)
    hours = GLANCE_REQUESTS / requests_per_s / SECONDS_PER_HOUR
    seen = simulate(
        fleet,
        requests_per_s=[requests_per_s],
        hours=min(10 * HOURS_PER_MONTH, hours),
        max_workers=max_workers,
        settle_fraction=SETTLE_FRACTION,
    )
    return ColdStarts(fraction=seen.cold_fraction, fraction_se=seen.cold_fraction_se, wait_s=seen.wait_mean_s)


def at_most(field: ServerlessField, place: int, *, requests_per_month: float) -> float:
    """Share of the requests of one deployment that meet a cold start, two standard errors added.

    What the table of a field says of several workers is a bound, 2 to 20 times as high.
    """
    workers = field.middle_workers(place)
    alone_s, full_s = rounded(float(field.alone_s[place])), rounded(float(field.full_s[place]))

    def fleet_at(requests_per_s: float) -> Fleet:
        service_s = shared_service_s(
            alone_s=alone_s,
            full_s=full_s,
            requests_per_worker=workers.requests_per_worker,
            requests_per_s=np.array([requests_per_s]),
        )
        return workers.fleet(float(service_s[0]))

    most = int(np.ceil(workers.most(requests_per_month, np.array([full_s]))[0]))
    found = cold_starts(fleet_at, workers.hours, max_workers=most, requests_per_month=requests_per_month)
    return min(1.0, found.fraction + ERRORS * (found.fraction_se or 0.0))
