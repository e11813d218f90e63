"""Many deployments on serverless GPUs as arrays: what the cheapest, the median and the dearest provider bill."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from llmcompare.core import serverless_table
from llmcompare.core.cost import ENDS, End
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless import Billed, Floats
from llmcompare.core.serverless_curve import Hours, ServerlessPlan, levels
from llmcompare.core.serverless_table import Position, Span, Workers
from llmcompare.core.units import HOURS_PER_MONTH

Places = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class ServerlessField:
    """Deployments with the seconds of their requests, and the providers that each may run at."""

    offered: tuple[tuple[ServerlessPlan, ...], ...]
    """Different sets of providers, one plan each."""
    of: Places
    """The set of each deployment."""
    alone_s: Floats
    """Of a request that has a worker for itself."""
    full_s: Floats
    """Of a request in a worker whose slots are all taken."""
    scenario: Scenario

    @cached_property
    def _span(self) -> Span:
        return serverless_table.span_of(self.alone_s)

    @cached_property
    def _prices(self) -> Floats:
        """USD per worker-hour by place in a set and by set; infinite where a set has fewer."""
        return _padded([[plan.usd_per_worker_hour for plan in plans] for plans in self.offered], np.inf)

    def _workers(self, plan: ServerlessPlan) -> Workers:
        return Workers(
            cold_start_s=plan.cold_start_s,
            idle_timeout_s=plan.idle_timeout_s,
            requests_per_worker=plan.requests_per_worker,
            hours=self._hours,
            peak=self.scenario.spread.peak,
            target_utilisation_fraction=self.scenario.target_utilisation_fraction,
        )

    @cached_property
    def _hours(self) -> Hours:
        return levels(self.scenario.spread.levels)

    def _position(self, places: Places, speed: Floats | float) -> Position:
        return serverless_table.position(
            self.scenario.requests_per_worker,
            self._span,
            alone_s=self.alone_s[places] / speed,
            full_s=self.full_s[places] / speed,
        )

    def _by_plan(self, places: Places, requests_per_month: float, end: End, speed: Floats | float) -> Floats:
        """USD a month by place in a set, then as the speeds and places are; infinite where a set has fewer."""
        at, sets = self._position(places, speed), self.of[places]
        keys, key_of = self._billed[end]
        found = np.full((len(self._prices), *at.row.shape), np.inf)
        for number, (kind, billed) in enumerate(keys):
            held = key_of[:, sets] == number
            if held.any():
                table = serverless_table.log_billed(kind, billed, self._span, requests_per_month)
                workers = np.exp(serverless_table.read(table, at))
                for place in np.nonzero(held.any(axis=1))[0].tolist():
                    mine = held[place]
                    found[place][..., mine] = workers[..., mine] * self._prices[place, sets[mine]]
        return found * HOURS_PER_MONTH

    @cached_property
    def _billed(self) -> dict[End, tuple[list[tuple[Workers, Billed]], NDArray[np.intp]]]:
        """Different kinds of worker and of bill, and which one each plan is, by place in a set and by set."""
        found: dict[End, tuple[list[tuple[Workers, Billed]], NDArray[np.intp]]] = {}
        for end in ENDS:
            listed = [[(self._workers(plan), plan.billed(end)) for plan in plans] for plans in self.offered]
            keys = list(dict.fromkeys(key for one in listed for key in one))
            found[end] = keys, _padded([[keys.index(key) for key in one] for one in listed], -1).astype(np.intp)
        return found

    def usd(
        self, places: Places, requests_per_month: float, *, end: End = "mid", speed: Floats | float = 1.0
    ) -> Floats:
        """USD a month of these deployments at the cheapest, the median or the dearest provider.

        speed: of their requests over what is predicted; rows of draws give rows.
        """
        ordered = np.sort(self._by_plan(places, requests_per_month, end, speed), axis=0)
        counts = self.provider_counts[places]
        low, high = {"low": (0 * counts, 0 * counts), "mid": ((counts - 1) // 2, counts // 2)}.get(
            end, (counts - 1, counts - 1)
        )
        return np.asarray((_taken(ordered, low) + _taken(ordered, high)) / 2)

    @cached_property
    def _middle(self) -> Places:
        """Which kind of worker and of bill the provider in the middle has, of each deployment at the volume of now."""
        everyone, (_, key_of) = np.arange(len(self.of)), self._billed["mid"]
        by_plan = self._by_plan(everyone, self.scenario.requests_per_month, "mid", 1.0)
        place = _taken(np.argsort(by_plan, axis=0), (self.provider_counts - 1) // 2)
        return np.asarray(key_of[place.astype(np.intp), self.of], dtype=np.intp)

    def middle_workers(self, place: int) -> Workers:
        """The workers of the provider in the middle, of one deployment."""
        kinds, _ = self._billed["mid"]
        return kinds[int(self._middle[place])][0]

    def cold(self, places: Places, requests_per_month: float) -> tuple[Floats, Floats]:
        """Share of the requests that meet a cold start at the provider in the middle, and the mean wait of all."""
        at, mine, (keys, _) = self._position(places, 1.0), self._middle[places], self._billed["mid"]
        fraction, wait_s = np.zeros(len(places)), np.zeros(len(places))
        for number in np.unique(mine).tolist():
            shares, waits = serverless_table.cold(keys[number][0], self._span, requests_per_month)
            here = mine == number
            fraction[here] = np.clip(serverless_table.read(shares, at), 0.0, 1.0)[here]
            wait_s[here] = np.maximum(serverless_table.read(waits, at), 0.0)[here]
        return fraction, wait_s

    @cached_property
    def provider_counts(self) -> Places:
        """Of each deployment."""
        return np.asarray(np.isfinite(self._prices).sum(axis=0)[self.of], dtype=np.intp)


def is_over_limit(scenario: Scenario, *, ttft_ms: Floats, tpot_ms: Floats) -> NDArray[np.bool_]:
    """Which of these medians break a latency limit that the scenario sets."""
    limits = scenario.ttft_limit_ms or np.inf, scenario.tpot_limit_ms or np.inf
    return np.asarray((ttft_ms > limits[0]) | (tpot_ms > limits[1]))


def _padded(rows: Sequence[Sequence[float]], missing: float) -> Floats:
    """Rows as columns, all as long as the longest."""
    longest = max((len(row) for row in rows), default=0)
    return np.array([[*row, *[missing] * (longest - len(row))] for row in rows]).reshape(len(rows), longest).T


def _taken(ordered: NDArray[np.generic], at: Places) -> Floats:
    index = np.broadcast_to(at, ordered.shape[1:])[None]
    return np.asarray(np.take_along_axis(ordered, index, axis=0)[0])
