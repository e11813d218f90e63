"""What a request log says, in sentences."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from llmcompare.core.log_hours import Peak
from llmcompare.core.log_volume import DAYS_PER_WEEK
from llmcompare.core.phrases import Assumption
from llmcompare.core.request_log import LogSummary
from llmcompare.core.traffic import HOURS_PER_DAY
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR, count_text, counted, rounded

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FEW_REQUESTS = 300
"""In an hour: below it the busiest minute is as much chance as habit."""
SURPRISE = 1.5
"""The busiest minute of all over what the handed-over profile plans for, from which on it is mentioned."""
STRETCHES_NAMED = 6


def headline(found: LogSummary) -> str:
    """The answer in a sentence."""
    shape = f"{found.input.mean:,.0f} tokens in and {found.output.mean:,.0f} out at the mean"
    if found.requests_per_month is None:
        return f"{counted(found.requests, 'request')} at one moment, {shape}: no volume of a month can be told."
    return f"About {count_text(found.requests_per_month)} requests a month, {shape}."


def sentences(found: LogSummary) -> Iterator[str]:
    """Volume, tokens, hours, peaks, growth, each with what it rests on."""
    yield from volume_sentences(found)
    yield from token_sentences(found)
    yield from hour_sentences(found)


def volume_sentences(found: LogSummary) -> Iterator[str]:
    """What the log covers, requests of a month with their interval, growth."""
    zone = found.time_zone or "the log's own clock, which names no time zone"
    days = f"{found.span_days:,.1f} days" if found.span_days >= 1 else f"{found.span_days * HOURS_PER_DAY:,.1f} hours"
    yield (
        f"The log holds {counted(found.requests, 'request')} from {found.first:%Y-%m-%d %H:%M} to "
        f"{found.last:%Y-%m-%d %H:%M} ({zone}): {days}."
    )
    if found.requests_per_month is None or found.hours is None:
        return
    yield (
        f"At the mean rate of the week's 168 hours, a month of {HOURS_PER_MONTH} hours has "
        f"{found.requests_per_month:,.0f} requests{_interval_text(found)}"
    )
    if found.span_days < DAYS_PER_WEEK:
        yield "The log is shorter than a week, so some weekdays are a guess: take a longer one for a decision."
    yield _growth_sentence(found)


def token_sentences(found: LogSummary) -> Iterator[str]:
    """Mean and percentiles of the tokens, and which of them matters for what."""
    for name, spread in (("Input", found.input), ("Output", found.output), ("Thinking", found.thinking)):
        if spread is not None:
            yield (
                f"{name} tokens of a request: mean {spread.mean:,.0f}, half at most {spread.p50:,.0f}, 90% at most "
                f"{spread.p90:,.0f}, 99% at most {spread.p99:,.0f}."
            )
    yield (
        "Cost is linear in tokens, so it needs the means alone. Percentiles matter for latency and for the context: "
        f"99% of the requests need at most {found.together.p99:,.0f} tokens, the longest {found.together.most:,.0f}."
    )
    if found.cached_input_fraction is not None:
        yield f"{found.cached_input_fraction:.1%} of the input tokens were read from a cache."
    if found.characters_per_token is not None:
        yield f"Characters are turned into tokens by {found.characters_per_token:g} characters each: an assumption."


def hour_sentences(found: LogSummary) -> Iterator[str]:
    """What the log does not cover, the busiest hours and the busiest minute, requests in flight."""
    hours, peak = found.hours, found.peak
    if hours is None or peak is None:
        return
    if hours.filled:
        yield (
            f"The log does not cover {counted(len(hours.filled), 'hour')} of the 168 hours of a week "
            f"({_stretches(hours.filled)}): each gets the mean of its hour of the day, or of all where no day has it."
        )
    top = max(hours.weights)
    at = hours.weights.index(top)
    yield (
        f"The busiest hour of the week is {WEEKDAYS[at // HOURS_PER_DAY]} {at % HOURS_PER_DAY} h, with {top:.2f} times "
        "the mean rate."
    )
    yield from _peak_sentences(peak, planned=top * peak.minute_over_hour * hours.requests_per_hour / SECONDS_PER_HOUR)
    yield _concurrency_sentence(found)


def _peak_sentences(peak: Peak, *, planned: float) -> Iterator[str]:
    few = (
        " With so few requests in an hour that is as much chance as habit."
        if peak.busiest_hour_requests < FEW_REQUESTS
        else ""
    )
    yield (
        f"The busiest hour of all began on {peak.busiest_hour:%Y-%m-%d} at {peak.busiest_hour:%H:%M}, with "
        f"{counted(peak.busiest_hour_requests, 'request')}, {peak.hour_over_mean:.1f} times a mean hour; within it the "
        f"busiest minute had {peak.minute_over_hour:.1f} times a mean minute.{few}"
    )
    beyond = peak.requests_per_s / planned if planned else 0.0
    more = (
        f" That is {beyond:.1f} times what these figures plan for: look whether it is one to serve."
        if beyond >= SURPRISE
        else ""
    )
    yield (
        f"The largest rate within a minute was {rounded(peak.requests_per_s):g} requests/s, on "
        f"{peak.busiest_minute:%Y-%m-%d} at {peak.busiest_minute:%H:%M}.{more}"
    )


def _interval_text(found: LogSummary) -> str:
    if found.month_interval is None:
        return f"; {found.interval_missing}."
    low, high = (f"{requests:,.0f}" for requests in (found.month_interval.low, found.month_interval.high))
    if low == high:
        return ": every week of the log was alike."
    return f". If days go on to vary as they did, 8 of 10 months lie between {low} and {high}."


def _growth_sentence(found: LogSummary) -> str:
    growing = found.growth
    if growing is None:
        return f"Growth: {found.growth_missing}."
    band = growing.fraction_per_month
    said = f"{band.mid:+.1%} a month ({band.low:+.1%} to {band.high:+.1%}), from {growing.week_count} whole weeks"
    if not growing.is_told_from_none:
        return f"Growth: {said}, which cannot be told from none."
    return (
        f"Growth: {said}. So the volume handed over is that of the last four weeks, "
        f"{growing.recent_requests_per_month:,.0f} requests a month."
    )


def _concurrency_sentence(found: LogSummary) -> str:
    flight = found.concurrency
    if flight is None:
        return "How many requests are in flight at once cannot be told: the log does not say how long each took."
    left_out = f" {counted(flight.without_count, 'line')} without a duration left out." if flight.without_count else ""
    return (
        f"A request took {rounded(flight.duration_p50_s):g} s in the middle and 90% at most "
        f"{rounded(flight.duration_p90_s):g} s, so {rounded(flight.mean):g} were in flight at the mean and "
        f"{flight.most:,} at most.{left_out}"
    )


def _stretches(hours: Iterable[int]) -> str:
    """Hours of the week as stretches: Saturday 0 h to Sunday 24 h."""
    runs = []
    for _, group in groupby(enumerate(sorted(hours)), key=lambda pair: pair[1] - pair[0]):
        members = [hour for _, hour in group]
        runs.append(f"{_hour_text(members[0])} to {_hour_text(members[-1], end=True)}")
    rest = len(runs) - STRETCHES_NAMED
    return ", ".join(runs[:STRETCHES_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _hour_text(hour: int, *, end: bool = False) -> str:
    return f"{WEEKDAYS[hour // HOURS_PER_DAY]} {hour % HOURS_PER_DAY + end} h"


def assumptions(found: LogSummary) -> Iterator[Assumption]:
    """What no source backs."""
    if found.characters_per_token is not None:
        yield Assumption(
            name="characters per token",
            value=f"{found.characters_per_token:g}",
            meaning="turns the log's characters into tokens; 4 is usual for English prose",
            editable_as="characters per token",
        )
    yield Assumption(
        name="days are alike",
        value="8 of 10 months",
        meaning="the interval of a month takes days as independent of each other, and the coming month as like the log",
        editable_as=None,
    )
    if found.peak is not None:
        yield Assumption(
            name="time of a request",
            value="its beginning",
            meaning="the log's time is taken as the moment at which a request came in",
            editable_as=None,
        )
