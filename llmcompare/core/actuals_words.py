"""A forecast against what came, in sentences and as a table."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import get_args

from llmcompare.core.actuals import Cause, Difference, Factor, Part
from llmcompare.core.phrases import sentence_start
from llmcompare.core.tables import Table
from llmcompare.core.units import HOURS_PER_MONTH, count_text, rounded, usd_text

CAUSES: tuple[Cause, ...] = get_args(Cause)
SMALL_FRACTION = 0.005
"""Of the forecast: a bill that is no further off came as forecast."""


def headline(found: Difference) -> str:
    """How far off, and what explains most of it."""
    if abs(found.fraction) < SMALL_FRACTION:
        return f"{month_text(found.month)} cost {usd_text(found.actual_usd)}, as forecast for {found.label}."
    off = f"{usd_text(abs(found.usd))} ({abs(found.fraction):.0%}) {'more' if found.usd > 0 else 'less'}"
    largest = max(found.parts, key=lambda part: part.usd if found.usd > 0 else -part.usd)
    why = "" if largest.factor.cause == "together" else f", most of it through {_cause(largest.factor)}"
    return (
        f"{month_text(found.month)} cost {usd_text(found.actual_usd)}, {off} than the forecast of "
        f"{usd_text(found.forecast_usd)} for {found.label}{why}."
    )


def _cause(factor: Factor) -> str:
    return factor.cause if factor.name == factor.cause else f"{factor.cause} ({factor.name})"


def sentences(found: Difference) -> Iterator[str]:
    """Part by part, the largest first, and what could not be told."""
    for part in sorted(found.parts, key=lambda part: -abs(part.usd)):
        is_nothing = part.factor.actual == part.factor.forecast == 0
        if part.factor.name != "all causes" and not is_nothing:
            yield part_sentence(part)
    yield from found.notes
    hours = hours_of(found.month)
    if hours != HOURS_PER_MONTH:
        yield f"The forecast is for {HOURS_PER_MONTH} hours; {month_text(found.month)} has {hours}."


def part_sentence(part: Part) -> str:
    """One part with what it rests on."""
    factor = part.factor
    sign = "+" if part.usd >= 0 else "−"
    return (
        f"{sentence_start(_cause(factor))}: {sign}{usd_text(abs(part.usd))}. {value_text(factor, factor.actual)} "
        f"{factor.unit} instead of {value_text(factor, factor.forecast)}."
    )


def value_text(factor: Factor, value: float) -> str:
    """A figure of a factor as it is read."""
    if factor.unit in ("of the input", "of the list price"):
        return f"{value:.1%}"
    if factor.unit.startswith("USD"):
        return usd_text(value)
    return count_text(value) if value >= 10_000 else f"{rounded(value, 4):,g}"


def month_text(month: str) -> str:
    """2026-11 as people say it.

    >>> month_text("2026-11")
    'November 2026'
    """
    return datetime.strptime(month, "%Y-%m").strftime("%B %Y")


def hours_of(month: str) -> int:
    """Hours of a calendar month.

    >>> hours_of("2026-02"), hours_of("2026-10")
    (672, 744)
    """
    year, number = map(int, month.split("-"))
    return monthrange(year, number)[1] * 24


def difference_table(found: Sequence[Difference]) -> Table:
    """Every month with its forecast, its bill and the parts by cause."""
    used = [cause for cause in CAUSES if any(part.factor.cause == cause for one in found for part in one.parts)]
    return Table(
        name="forecast-against-actual",
        title="Forecast against actual",
        columns=(
            "month", "forecast_usd", "actual_usd", "difference_usd", "difference_fraction",
            *(f"{cause}_usd" for cause in used), "against",
        ),
        rows=tuple(
            (
                one.month, round(one.forecast_usd, 2), round(one.actual_usd, 2), round(one.usd, 2),
                round(one.fraction, 4),
                *(
                    round(one.usd_of(cause), 2) if any(part.factor.cause == cause for part in one.parts) else None
                    for cause in used
                ),
                one.label,
            )
            for one in found
        ),
    )  # fmt: skip
