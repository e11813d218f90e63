"""What a request log says, as JSON, as flags of the command line, and as tables; and a sample to see the form."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from math import cos, log, pi
from random import Random
from typing import Any

from llmcompare.core.request_log import LogSummary, TokenSpread, scenario_fields
from llmcompare.core.request_log_words import WEEKDAYS, headline, sentences
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.core.traffic import HOURS_PER_DAY
from llmcompare.services.request_log import ReadLog

SAMPLE_NAME = "example-request-log.csv"
SAMPLE_DAYS = 14
SAMPLE_START_S = 1_793_577_600
"""2026-11-02, a Monday, 0 h in UTC."""


def scenario_of(found: LogSummary, scenario: Scenario) -> Scenario:
    """The scenario with the figures of the log in it. Raises InputError."""
    return replace(scenario, **scenario_fields(found))


def flags(found: LogSummary) -> str:
    """Options that hand the log's figures to other commands."""
    fields = scenario_fields(found)
    query = scenario_of(found, Scenario()).query(every_field=True)
    return " ".join(f"--{name.replace('_', '-')} {query[name]}" for name in fields)


def log_json(read: ReadLog, found: LogSummary) -> dict[str, Any]:
    """Everything that the page shows; units are in the keys, None is unknown."""
    hours, peak, growing = found.hours, found.peak, found.growth
    return {
        "file": read.name,
        "columns": read.columns,
        "answer": headline(found),
        "sentences": [*sentences(found), *read.notes],
        "request_count": found.requests,
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "time_zone": found.time_zone,
        "span_days": found.span_days,
        "requests_per_month": found.requests_per_month,
        "requests_per_month_10th_to_90th": None if found.month_interval is None else asdict(found.month_interval),
        "interval_missing": found.interval_missing,
        "tokens": {
            name: None if spread is None else _spread_json(spread)
            for name, spread in (
                ("input", found.input), ("output", found.output), ("thinking", found.thinking),
                ("together", found.together),
            )
        },
        "cached_input_fraction": found.cached_input_fraction,
        "hourly_weights": None if hours is None else list(hours.weights),
        "hours_filled_in": None if hours is None else list(hours.filled),
        "peak": None
        if peak is None
        else asdict(peak)
        | {
            "busiest_hour": peak.busiest_hour.isoformat(),
            "busiest_minute": peak.busiest_minute.isoformat(),
            "requests_per_s": peak.requests_per_s,
        },
        "growth": None if growing is None else asdict(growing),
        "growth_missing": found.growth_missing,
        "concurrency": None if found.concurrency is None else asdict(found.concurrency),
        "characters_per_token": found.characters_per_token,
        "months": [asdict(month) for month in found.months],
        "bad_line_count": read.bad_count,
        "bad_lines": [asdict(bad) for bad in read.bad_lines],
        "scenario": scenario_fields(found),
        "flags": flags(found),
    }  # fmt: skip


def _spread_json(spread: TokenSpread) -> dict[str, float | int]:
    return {name: getattr(spread, name) for name in ("mean", "p50", "p90", "p99", "most", "none_count")}


def token_table(found: LogSummary) -> Table:
    """Mean and percentiles of each kind of token."""
    spreads = (
        ("input", found.input), ("output", found.output), ("thinking", found.thinking),
        ("together", found.together),
    )  # fmt: skip
    return Table(
        name="log-tokens",
        title="Tokens of a request",
        columns=("tokens", "mean", "p50", "p90", "p99", "most"),
        rows=tuple(
            (name, *(round(value, 1) for value in (spread.mean, spread.p50, spread.p90, spread.p99, spread.most)))
            for name, spread in spreads
            if spread is not None
        ),
    )


def hour_table(found: LogSummary) -> Table:
    """The 168 weights, as the sidebar takes them."""
    hours = found.hours
    return Table(
        name="log-hours",
        title="Hours of the week",
        columns=("weekday", "hour", "times_mean_rate", "in_log"),
        rows=()
        if hours is None
        else tuple(
            (WEEKDAYS[at // HOURS_PER_DAY], at % HOURS_PER_DAY, round(weight, 4), "no" if at in hours.filled else "yes")
            for at, weight in enumerate(hours.weights)
        ),
    )


def day_table(found: LogSummary) -> Table:
    """Requests of each day."""
    return Table(
        name="log-days",
        title="Requests per day",
        columns=("day", "weekday", "requests", "whole"),
        rows=tuple(
            (day.text, WEEKDAYS[day.weekday], day.requests, "yes" if day.is_whole else "no") for day in found.days
        ),
    )


def sample_csv() -> bytes:
    """A generated log of two weeks, to see the form: busier by day and on weekdays, the same each time."""
    drawn = Random(1)
    lines = ["timestamp,input_tokens,output_tokens,cached_tokens,latency_ms,remark"]
    second = 0.0
    while True:
        hour, weekday = second / 3_600 % HOURS_PER_DAY, int(second // 86_400) % 7
        per_hour = (1 - cos(2 * pi * (hour - 3) / HOURS_PER_DAY)) * (12 if weekday < 5 else 4) + 1
        second += -log(1 - drawn.random()) / per_hour * 3_600
        if second >= SAMPLE_DAYS * 86_400:
            return ("\n".join(lines) + "\n").encode()
        given, made = round(drawn.lognormvariate(7, 0.8)), round(drawn.lognormvariate(5.5, 0.6))
        moment = datetime.fromtimestamp(SAMPLE_START_S + second, UTC).isoformat(timespec="milliseconds")
        lines.append(f"{moment},{given},{made},{round(given * 0.4)},{300 + 20 * made},generated example")
