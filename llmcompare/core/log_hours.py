"""A request log over time: which hours it covers, how busy each hour of the week was, and its busiest moments."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.traffic import HOURS_PER_DAY, HOURS_PER_WEEK
from llmcompare.core.units import SECONDS_PER_HOUR

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

SLOT_S = 900
"""Zones differ from UTC by whole quarters of an hour."""
SLOTS_PER_DAY = 96
SECONDS_PER_DAY = 86_400
SECONDS_PER_MINUTE = 60
THURSDAY_HOURS = 72
"""1970 began on a Thursday: hours from Monday 0 h to it."""
LEAST_COVERED_S = 1_800
"""Of an hour of the week, for a rate of its own: fewer seconds say little about an hour."""
WHOLE_DAY_S = 23 * SECONDS_PER_HOUR
"""A day counts as whole from here on: a log from midnight to midnight has its first request a little later."""
EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The rate of every hour of the week over the mean rate, from a log."""

    weights: tuple[float, ...]
    """168 values with a mean of 1, Monday 0 h first."""
    requests_per_hour: float
    """Mean of the 168 rates: every hour of the week counts alike, however often the log covers it."""
    filled: tuple[int, ...]
    """Hours that the log does not cover, from 0 for Monday 0 h; each has the mean of its hour of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The busiest hour and minute of a log."""

    busiest_hour: datetime
    """When it began, by the log's clock."""
    busiest_hour_requests: int
    hour_over_mean: float
    """Requests of the busiest hour over those of a mean hour of the log."""
    minute_over_hour: float
    """Busiest minute of that hour over its mean minute, at least 1."""
    busiest_minute: datetime
    busiest_minute_requests: int

    @property
    def requests_per_s(self) -> float:
        """Of the busiest minute."""
        return self.busiest_minute_requests / SECONDS_PER_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One calendar day of a log."""

    number: int
    """Days since 1970-01-01, a Thursday."""
    requests: int
    is_whole: bool
    """Whether the log covers it."""

    @property
    def weekday(self) -> int:
        """0 for Monday."""
        return (self.number + 3) % 7

    @property
    def text(self) -> str:
        """As 2026-11-25."""
        return str((EPOCH + timedelta(days=self.number)).date())


class Clock:
    """The wall clock of a log: hours and days as people count them, over the stretch that the log covers."""

    def __init__(self, seconds: Floats, zone: ZoneInfo | None) -> None:
        """Takes at least two requests at different times; zone: None for times that are those of the clock already.

        The log covers the time from its first to its last request, and half a mean gap before and behind, so that
        the rate over it is that of the gaps.
        """
        self.seconds = seconds
        first, last = float(seconds.min()), float(seconds.max())
        half_gap = (last - first) / (len(seconds) - 1) / 2
        self.start, self.end = first - half_gap, last + half_gap
        self._first_slot = int(self.start // SLOT_S)
        count = int(self.end // SLOT_S) - self._first_slot + 1
        self._offsets = _offsets_s(self._first_slot, count, zone)
        edges = (self._first_slot + np.arange(count + 1)) * float(SLOT_S)
        self._covered_s = np.diff(np.clip(edges, self.start, self.end))
        self._slot_starts = edges[:-1] + self._offsets

    @property
    def covered_s(self) -> float:
        """Of the whole log."""
        return self.end - self.start

    def local(self, seconds: Floats) -> Floats:
        """Seconds of the wall clock since 1970-01-01 0 h on it."""
        moved: Floats = seconds + self._offsets[np.floor(seconds / SLOT_S).astype(np.int64) - self._first_slot]
        return moved

    def moment(self, second: float) -> datetime:
        """A time by the wall clock."""
        return EPOCH + timedelta(seconds=float(self.local(np.asarray([second]))[0]))

    def hours(self) -> Hours:
        """How busy each hour of the week was."""
        requests = np.bincount(hour_of_week(self.local(self.seconds)), minlength=HOURS_PER_WEEK)
        covered = np.bincount(hour_of_week(self._slot_starts), self._covered_s, minlength=HOURS_PER_WEEK).astype(float)
        return hours_of(requests, covered)

    def days(self) -> list[Day]:
        """Every calendar day from the first to the last request, in order."""
        by_slot = (self._slot_starts // SECONDS_PER_DAY).astype(np.int64)
        first, number = int(by_slot[0]), int(by_slot[-1] - by_slot[0] + 1)
        requests = np.bincount((self.local(self.seconds) // SECONDS_PER_DAY).astype(np.int64) - first, minlength=number)
        covered = np.bincount(by_slot - first, self._covered_s, minlength=number)
        busy = np.flatnonzero(requests)
        return [
            Day(number=first + place, requests=int(requests[place]), is_whole=bool(covered[place] >= WHOLE_DAY_S))
            for place in range(int(busy[0]), int(busy[-1]) + 1)
        ]

    def peak(self) -> Peak:
        """The busiest hour and minute."""
        minutes, counts = np.unique(np.floor(self.seconds / SECONDS_PER_MINUTE), return_counts=True)
        hours, starts = np.unique(minutes // 60, return_index=True)
        per_hour = np.add.reduceat(counts, starts)
        busiest = int(per_hour.argmax())
        hour_s = float(hours[busiest]) * SECONDS_PER_HOUR
        covered_s = min(self.end, hour_s + SECONDS_PER_HOUR) - max(self.start, hour_s)
        inside = counts[minutes // 60 == hours[busiest]]
        mean_minute = per_hour[busiest] / max(1.0, covered_s / SECONDS_PER_MINUTE)
        minute = int(counts.argmax())
        return Peak(
            busiest_hour=self.moment(max(hour_s, self.start)).replace(minute=0, second=0, microsecond=0),
            busiest_hour_requests=int(per_hour[busiest]),
            hour_over_mean=float(per_hour[busiest] / (len(self.seconds) * SECONDS_PER_HOUR / self.covered_s)),
            minute_over_hour=max(1.0, float(inside.max() / mean_minute)),
            busiest_minute=self.moment(max(float(minutes[minute]) * SECONDS_PER_MINUTE, self.start)).replace(
                second=0, microsecond=0
            ),
            busiest_minute_requests=int(counts[minute]),
        )


def hour_of_week(local_s: Floats) -> Whole:
    """Which of the 168 hours of a week, Monday 0 h first.

    >>> hour_of_week(np.array([0.0, 4 * 86_400.0])).tolist()  # Thursday 0 h and Monday 0 h
    [72, 0]
    """
    hours: Whole = (np.floor(local_s / SECONDS_PER_HOUR).astype(np.int64) + THURSDAY_HOURS) % HOURS_PER_WEEK
    return hours


def hours_of(requests: NDArray[np.int64], covered_s: Floats) -> Hours:
    """Rates of the 168 hours from their requests and the seconds that the log covers of each.

    An hour that the log does not cover gets the mean rate of its hour of the day over the other days, and the mean
    of all where no day has it.

    >>> requests, covered_s = np.zeros(168, dtype=np.int64), np.zeros(168)
    >>> requests[9], covered_s[9] = 30, 3_600  # Monday, 9 to 10 h
    >>> requests[33], covered_s[33] = 10, 3_600  # Tuesday, 9 to 10 h
    >>> found = hours_of(requests, covered_s)
    >>> found.requests_per_hour, found.weights[9], found.weights[33], found.weights[57], len(found.filled)
    (20.0, 1.5, 0.5, 1.0, 166)
    """
    least = min(LEAST_COVERED_S, float(covered_s.max()))
    known = covered_s >= least
    rates = np.where(known, requests / np.where(known, covered_s, 1) * SECONDS_PER_HOUR, np.nan)
    by_day = rates.reshape(-1, HOURS_PER_DAY)
    of_hour = np.asarray([np.nanmean(column) if (~np.isnan(column)).any() else np.nan for column in by_day.T])
    of_hour = np.where(np.isnan(of_hour), np.nanmean(rates), of_hour)
    whole = np.where(np.isnan(by_day), of_hour, by_day).ravel()
    mean = float(whole.mean())
    weights = whole / mean if mean > 0 else np.ones(HOURS_PER_WEEK)
    return Hours(weights=tuple(weights.tolist()), requests_per_hour=mean, filled=tuple(np.flatnonzero(~known).tolist()))


def _offsets_s(first_slot: int, count: int, zone: ZoneInfo | None) -> Floats:
    """Seconds to add to UTC in each quarter of an hour; day by day, and slot by slot where a day has two."""
    if zone is None:
        return np.zeros(count)
    days = -(-count // SLOTS_PER_DAY)
    at_edge = [_offset_s((first_slot + day * SLOTS_PER_DAY) * SLOT_S, zone) for day in range(days + 1)]
    offsets = np.repeat(at_edge[:-1], SLOTS_PER_DAY)
    for day in np.flatnonzero(np.diff(at_edge)).tolist():
        slots = range(day * SLOTS_PER_DAY, (day + 1) * SLOTS_PER_DAY)
        offsets[slots.start : slots.stop] = [_offset_s((first_slot + slot) * SLOT_S, zone) for slot in slots]
    return np.asarray(offsets[:count], dtype=float)


def _offset_s(second: int, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0
