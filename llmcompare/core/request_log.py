"""A request log as arrays, and what it says about the workload: volume, tokens, hours, peaks, growth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from llmcompare.core.cost import Band
from llmcompare.core.log_hours import EPOCH, SECONDS_PER_DAY, Clock, Day, Floats, Hours, Peak
from llmcompare.core.log_volume import Growth, growth, month_interval
from llmcompare.core.traffic import profile_text
from llmcompare.core.units import HOURS_PER_MONTH
from llmcompare.core.workload import CHARACTERS_PER_TOKEN, tokens_of_characters
from llmcompare.errors import InputError

BINS_PER_DOUBLING = 2
"""Of the distributions: each bin ends at 1.41 times the token count at which it begins."""
UTC_NAME = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RequestLog:
    """The requests of a log, in any order: arrays of one length."""

    seconds: Floats
    """Since 1970, in UTC; by the log's own clock where its times name no zone."""
    has_zone: bool
    input_tokens: Floats
    """With those read from a cache; characters where input_is_characters."""
    output_tokens: Floats
    """With those of thinking; characters where output_is_characters."""
    cached_tokens: Floats | None = None
    """Part of the input; None where the log has no such column."""
    thinking_tokens: Floats | None = None
    """Part of the output."""
    duration_s: Floats | None = None
    """From the time of the request on; NaN where a line has none."""
    input_is_characters: bool = False
    output_is_characters: bool = False

    @property
    def has_characters(self) -> bool:
        """Whether a factor turns some of its columns into tokens."""
        return self.input_is_characters or self.output_is_characters


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSpread:
    """Tokens of one kind over the requests of a log."""

    mean: float
    p50: float
    p90: float
    p99: float
    most: float
    none_count: int
    """Requests without any."""
    edges: tuple[float, ...]
    """Of the bins of the distribution, one more than counts."""
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCounts:
    """What a calendar month of a log adds up to."""

    month: str
    """As 2026-11."""
    requests: int
    input_tokens: float
    output_tokens: float
    """With thinking."""
    cached_tokens: float | None
    is_whole: bool
    """Whether the log covers it from its first to its last day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """Requests in flight, where the log says how long each took."""

    mean: float
    """Over the time that the log covers: requests per second times mean seconds."""
    most: int
    duration_p50_s: float
    duration_p90_s: float
    without_count: int
    """Lines without a duration, left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSummary:
    """What a request log says. What a log of one moment cannot say is None."""

    requests: int
    first: datetime
    last: datetime
    time_zone: str | None
    """None where the times name no zone and are taken as they stand."""
    span_days: float
    input: TokenSpread
    output: TokenSpread
    """Without thinking."""
    thinking: TokenSpread | None
    together: TokenSpread
    """Input and all output of a request: what a context must hold."""
    cached_input_fraction: float | None
    requests_per_month: float | None
    month_interval: Band | None
    """10th to 90th percentile of a coming month."""
    interval_missing: str | None
    hours: Hours | None
    peak: Peak | None
    days: tuple[Day, ...]
    months: tuple[MonthCounts, ...]
    growth: Growth | None
    growth_missing: str | None
    concurrency: Concurrency | None
    characters_per_token: float | None
    """Where characters were turned into tokens."""


def zone_named(name: str) -> ZoneInfo:
    """The time zone with this name. Raises InputError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"time zone {name[:60]!r} is not known: give one like UTC or Europe/Berlin.") from error


def summary(
    log: RequestLog, *, characters_per_token: float = CHARACTERS_PER_TOKEN, time_zone: str = UTC_NAME
) -> LogSummary:
    """What the log says about the workload. time_zone counts where the log's times name a zone. Raises InputError.

    >>> log = RequestLog(
    ...     seconds=np.arange(24 * 14) * 3_600.0,  # a request an hour for two weeks
    ...     has_zone=True,
    ...     input_tokens=np.full(336, 1_000.0),
    ...     output_tokens=np.full(336, 300.0),
    ... )
    >>> found = summary(log)
    >>> round(found.requests_per_month, 6), found.input.mean, found.output.p99, found.peak.minute_over_hour
    (730.0, 1000.0, 300.0, 60.0)
    """
    if len(log.seconds) == 0:
        raise InputError("the log holds no request: give at least one line with a time and token counts.")
    zone = zone_named(time_zone) if log.has_zone else None
    given = _tokens(log.input_tokens, characters_per_token, are_characters=log.input_is_characters)
    made = _tokens(log.output_tokens, characters_per_token, are_characters=log.output_is_characters)
    thinking = log.thinking_tokens
    first, last = float(log.seconds.min()), float(log.seconds.max())
    clock = Clock(log.seconds, zone) if last > first else None
    days = tuple(clock.days()) if clock is not None else ()
    hours = clock.hours() if clock is not None else None
    per_month = None if hours is None else hours.requests_per_hour * HOURS_PER_MONTH
    one_moment = "all its requests have the same time"
    interval, interval_missing = (
        (None, one_moment) if per_month is None else month_interval(days, requests_per_month=per_month)
    )
    growing, growth_missing = (
        (None, one_moment) if clock is None else growth(log.seconds, start=clock.start, end=clock.end)
    )
    return LogSummary(
        requests=len(log.seconds),
        first=_moment(first, zone, clock),
        last=_moment(last, zone, clock),
        time_zone=time_zone if log.has_zone else None,
        span_days=(last - first) / SECONDS_PER_DAY,
        input=token_spread(given),
        output=token_spread(made if thinking is None else made - thinking),
        thinking=None if thinking is None else token_spread(thinking),
        together=token_spread(given + made),
        cached_input_fraction=_cached_fraction(log, given),
        requests_per_month=per_month,
        month_interval=interval,
        interval_missing=interval_missing,
        hours=hours,
        peak=clock.peak() if clock is not None else None,
        days=days,
        months=_months(clock, days, given, made, log.cached_tokens),
        growth=growing,
        growth_missing=growth_missing,
        concurrency=_concurrency(log, clock),
        characters_per_token=characters_per_token if log.has_characters else None,
    )


def _moment(second: float, zone: ZoneInfo | None, clock: Clock | None) -> datetime:
    if clock is not None:
        return clock.moment(second)
    return datetime.fromtimestamp(second, zone).replace(tzinfo=None) if zone else EPOCH + timedelta(seconds=second)


def _tokens(values: Floats, characters_per_token: float, *, are_characters: bool) -> Floats:
    return values * tokens_of_characters(1, characters_per_token=characters_per_token) if are_characters else values


def _cached_fraction(log: RequestLog, input_tokens: Floats) -> float | None:
    total = float(input_tokens.sum())
    if log.cached_tokens is None or total == 0:
        return None
    return float(log.cached_tokens.sum()) / total


def token_spread(tokens: Floats) -> TokenSpread:
    """Mean, percentiles and distribution of the tokens of each request.

    >>> found = token_spread(np.array([0.0, 1.0, 1.0, 2.0, 1_000.0]))
    >>> found.mean, found.p50, found.none_count, found.counts[0], sum(found.counts)
    (200.8, 1.0, 1, 2, 4)
    """
    p50, p90, p99 = np.percentile(tokens, [50, 90, 99]).tolist()
    some = tokens[tokens > 0]
    low, high = (float(some.min()), float(some.max())) if len(some) else (1.0, 1.0)
    first, last = np.floor(np.log2(low) * BINS_PER_DOUBLING), np.floor(np.log2(high) * BINS_PER_DOUBLING) + 1
    edges = 2.0 ** (np.arange(first, last + 1) / BINS_PER_DOUBLING)
    counts, _ = np.histogram(some, edges)
    return TokenSpread(
        mean=float(tokens.mean()),
        p50=p50,
        p90=p90,
        p99=p99,
        most=float(tokens.max()),
        none_count=len(tokens) - len(some),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )


def _months(
    clock: Clock | None, days: Sequence[Day], given: Floats, made: Floats, cached: Floats | None
) -> tuple[MonthCounts, ...]:
    if clock is None:
        return ()
    first = days[0].number
    of_day = (clock.local(clock.seconds) // SECONDS_PER_DAY).astype(np.int64) - first
    length = days[-1].number - first + 1
    names = [str((EPOCH + timedelta(days=first + place)).date())[:7] for place in range(length)]

    def per_day(values: Floats | None) -> Floats:
        return np.bincount(of_day, values, minlength=length).astype(float)

    requests, inputs, outputs = per_day(None), per_day(given), per_day(made)
    cached_by_day = None if cached is None else per_day(cached)
    found = []
    for month in dict.fromkeys(names):
        at = [place for place, name in enumerate(names) if name == month]
        found.append(
            MonthCounts(
                month=month,
                requests=int(requests[at].sum()),
                input_tokens=float(inputs[at].sum()),
                output_tokens=float(outputs[at].sum()),
                cached_tokens=None if cached_by_day is None else float(cached_by_day[at].sum()),
                is_whole=len(at) == _length(month) and all(days[place].is_whole for place in at),
            )
        )
    return tuple(found)


def _length(month: str) -> int:
    start = datetime.strptime(month, "%Y-%m")
    return ((start + timedelta(days=31)).replace(day=1) - start).days


def _concurrency(log: RequestLog, clock: Clock | None) -> Concurrency | None:
    if log.duration_s is None or clock is None:
        return None
    known = ~np.isnan(log.duration_s)
    if not known.any():
        return None
    starts, lasting = np.sort(log.seconds[known]), log.duration_s[known]
    ends = np.sort(log.seconds[known] + lasting)
    # In flight just behind each start: those begun up to then, less those over by then.
    in_flight = np.searchsorted(starts, starts, side="right") - np.searchsorted(ends, starts, side="right")
    p50, p90 = np.percentile(lasting, [50, 90]).tolist()
    return Concurrency(
        mean=float(lasting.sum()) / clock.covered_s,
        most=int(in_flight.max()),
        duration_p50_s=p50,
        duration_p90_s=p90,
        without_count=int(len(known) - known.sum()),
    )


def scenario_fields(found: LogSummary) -> dict[str, Any]:
    """Fields of a scenario that the log says, rounded to what it can tell; the rest of a scenario stays as it is."""
    fields: dict[str, Any] = {
        "input_tokens": round(found.input.mean),
        "output_tokens": round(found.output.mean),
    }
    if found.thinking is not None:
        fields["thinking_tokens"] = round(found.thinking.mean)
    if found.cached_input_fraction is not None:
        fields["cached_input_fraction"] = round(found.cached_input_fraction, 4)
    growing = found.growth if found.growth is not None and found.growth.is_told_from_none else None
    if found.growth is not None:
        fields["growth_fraction_per_month"] = round(growing.fraction_per_month.mid, 4) if growing else 0.0
    if found.requests_per_month is not None:
        volume = found.requests_per_month if growing is None else growing.recent_requests_per_month
        fields["requests_per_month"] = max(1, round(volume))
    if found.hours is not None and found.peak is not None:
        fields["traffic"] = "own"
        fields["hourly_profile"] = profile_text(found.hours.weights)
        fields["peak_to_mean"] = round(found.peak.minute_over_hour, 2)
    return fields
