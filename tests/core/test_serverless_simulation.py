"""The simulation of serverless workers against a slow one written from the rules, and what it refuses."""

from dataclasses import replace
from itertools import count, product

import numpy as np
import pytest

from llmcompare.core import serverless_kernel
from llmcompare.core.serverless import Fleet
from llmcompare.core.serverless_simulation import MAX_REQUESTS, simulate
from llmcompare.core.units import SECONDS_PER_HOUR
from llmcompare.errors import InputError

FLEET = Fleet(service_s=8, cold_start_s=30, idle_timeout_s=20)


class Worker:
    """One worker of the slow simulation."""

    def __init__(self, started_s: float, ready_s: float) -> None:
        self.started_s, self.ready_s = started_s, ready_s
        self.leaving: list[float] = []
        self.idle_since_s: float | None = None
        self.opened = -1
        """When it last had a free slot after none: the higher, the later."""


def slowly(fleet: Fleet, arrivals: list[float], *, end_s: float, most: int) -> dict[str, float]:
    """The rules as sentences, with lists and a search for the next event."""
    workers: list[Worker] = []
    waiting: list[tuple[float, bool]] = []
    ticks = count()
    seen = dict.fromkeys(("setup_s", "life_s", "idle_s", "starts", "peak", "cold", "queued", "waited_s", "met"), 0.0)

    def stop(worker: Worker, at_s: float) -> None:
        seen["life_s"] += at_s - worker.started_s
        workers.remove(worker)

    def take(worker: Worker, at_s: float) -> None:
        since_s, cold = waiting.pop(0)
        if cold:
            seen["waited_s"] += at_s - since_s
            seen["met"] += 1
        worker.leaving.append(at_s + fleet.service_s)

    def handle_until(until_s: float) -> None:
        while True:
            events = [(w.ready_s, 1, w) for w in workers if w.ready_s < float("inf")]
            events += [(w.leaving[0], 0, w) for w in workers if w.leaving]
            events += [(w.idle_since_s + fleet.idle_timeout_s, 2, w) for w in workers if w.idle_since_s is not None]
            due = [event for event in events if event[0] <= until_s]
            if not due:
                return
            at_s, kind, worker = min(due, key=lambda event: event[:2])
            if kind == 2:
                seen["idle_s"] += fleet.idle_timeout_s
                stop(worker, at_s)
                continue
            was_full = kind == 1 or len(worker.leaving) == fleet.requests_per_worker
            if kind == 1:
                worker.ready_s = float("inf")
                seen["setup_s"] += fleet.cold_start_s
            else:
                worker.leaving.pop(0)
            while waiting and len(worker.leaving) < fleet.requests_per_worker:
                take(worker, at_s)
            if was_full and len(worker.leaving) < fleet.requests_per_worker:
                worker.opened = next(ticks)
            if not worker.leaving:
                worker.idle_since_s = at_s

    for at_s in arrivals:
        handle_until(at_s)
        ready = [w for w in workers if w.ready_s == float("inf") and len(w.leaving) < fleet.requests_per_worker]
        if ready:
            worker = max(ready, key=lambda w: w.opened)
            if worker.idle_since_s is not None:
                seen["idle_s"] += at_s - worker.idle_since_s
                worker.idle_since_s = None
            worker.leaving.append(at_s + fleet.service_s)
            continue
        starting = sum(w.ready_s < float("inf") for w in workers)
        if len(waiting) >= starting * fleet.requests_per_worker and len(workers) < most:
            workers.append(Worker(at_s, at_s + fleet.cold_start_s))
            starting += 1
            seen["starts"] += 1
            seen["peak"] = max(seen["peak"], len(workers))
        waiting.append((at_s, starting > 0))
        seen["cold" if starting else "queued"] += 1
    handle_until(end_s)
    for worker in list(workers):
        if worker.ready_s < float("inf"):
            seen["setup_s"] += end_s - worker.started_s
        if worker.idle_since_s is not None:
            seen["idle_s"] += end_s - worker.idle_since_s
        stop(worker, end_s)
    return seen


KEEPING_UP = [
    (slots, most, rate)
    for slots, most, rate in product((1, 2, 5), (1, 3, 1_000), (0.01, 0.1, 0.6))
    if rate * FLEET.service_s < most * slots
]


@pytest.mark.parametrize(("slots", "most", "rate"), KEEPING_UP)
def test_the_fast_simulation_does_what_the_rules_say(slots, most, rate):
    fleet = replace(FLEET, requests_per_worker=slots)
    hours = 4_000 / rate / SECONDS_PER_HOUR
    end_s = hours * SECONDS_PER_HOUR
    gaps = np.random.default_rng(3).standard_exponential(serverless_kernel.CHUNK)
    arrivals = [float(at_s) for at_s in np.cumsum(gaps) / rate if at_s < end_s]
    seen = simulate(fleet, requests_per_s=[rate], hours=hours, max_workers=most, seed=3)
    by_hand = slowly(fleet, arrivals, end_s=end_s, most=most)
    assert seen.requests == len(arrivals)
    assert seen.starts == by_hand["starts"]
    assert seen.peak_workers == by_hand["peak"]
    assert seen.setup_s == pytest.approx(by_hand["setup_s"])
    assert seen.idle_s == pytest.approx(by_hand["idle_s"])
    assert seen.busy_s == pytest.approx(by_hand["life_s"] - by_hand["setup_s"] - by_hand["idle_s"])
    assert seen.cold_fraction == pytest.approx(by_hand["cold"] / len(arrivals))
    assert seen.queued_fraction == pytest.approx(by_hand["queued"] / len(arrivals))
    if by_hand["met"]:
        assert seen.wait_mean_s == pytest.approx(by_hand["waited_s"] / by_hand["met"])


def test_the_loop_says_the_same_uncompiled(monkeypatch):
    compiled = simulate(FLEET, requests_per_s=[0.3], hours=1, rounding_s=1, seed=2)
    monkeypatch.setattr(serverless_kernel, "loop", serverless_kernel.loop.py_func)
    assert simulate(FLEET, requests_per_s=[0.3], hours=1, rounding_s=1, seed=2) == compiled


def test_the_same_seed_is_the_same_month_and_another_seed_is_not():
    first = simulate(FLEET, requests_per_s=[0.2], hours=100, seed=1)
    assert simulate(FLEET, requests_per_s=[0.2], hours=100, seed=1) == first
    assert simulate(FLEET, requests_per_s=[0.2], hours=100, seed=2) != first


def test_a_month_at_ten_requests_a_second_is_26_million_requests_that_all_find_a_worker():
    seen = simulate(Fleet(service_s=2, cold_start_s=60, idle_timeout_s=60), requests_per_s=[10])
    assert seen.requests == pytest.approx(26_280_000, rel=0.001)
    assert seen.busy_s == pytest.approx(seen.requests * 2, rel=1e-4)
    assert seen.queued_fraction == 0
    assert 20 < seen.peak_workers < 700


def test_hours_have_their_own_rate_and_repeat():
    rates = [1.0, 0.0, 0.0, 0.25]
    seen = simulate(FLEET, requests_per_s=rates, hours=400)
    assert seen.requests == pytest.approx(400 / 4 * 1.25 * SECONDS_PER_HOUR, rel=0.01)
    even = simulate(FLEET, requests_per_s=[1.25 / 4], hours=400)
    # In hours without a request every worker goes down.
    assert seen.idle_s < even.idle_s


def test_the_median_wait_lies_between_none_and_a_cold_start_where_workers_are_not_limited():
    seen = simulate(FLEET, requests_per_s=[0.2], hours=500)
    assert 0 <= seen.wait_p50_s <= seen.wait_p95_s <= FLEET.cold_start_s * 1.001
    nobody = simulate(replace(FLEET, cold_start_s=0), requests_per_s=[0.2], hours=50)
    assert nobody.wait_mean_s == 0


def test_a_beginning_that_is_not_counted_takes_the_first_cold_starts_away():
    whole = simulate(FLEET, requests_per_s=[5], hours=2)
    settled = simulate(FLEET, requests_per_s=[5], hours=2, settle_fraction=0.2)
    assert settled.cold_fraction < whole.cold_fraction
    assert settled.busy_s == whole.busy_s


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"requests_per_s": []}, "requests_per_s must hold a rate above 0"),
        ({"requests_per_s": [0.0, 0.0]}, "requests_per_s must hold a rate above 0"),
        ({"requests_per_s": [1.0, -1.0]}, "requests_per_s must hold a rate above 0"),
        ({"requests_per_s": [float("nan")]}, "requests_per_s must hold a rate above 0"),
        ({"requests_per_s": [1.0], "hours": 0}, "hours is 0"),
        ({"requests_per_s": [1.0], "max_workers": 2}, "max_workers is 2, 2 requests at once, and 8 are asked for"),
        ({"requests_per_s": [MAX_REQUESTS / 1_000_000.0]}, "more than a simulation takes"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_a_sentence(how, sentence):
    with pytest.raises(InputError, match=sentence):
        simulate(FLEET, **how)
