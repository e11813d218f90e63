"""Two options against each other: who is cheaper at the volume, where that changes, and how sure it is, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from llmcompare.core import elsewhere
from llmcompare.core.arithmetic import Step, crossing_step, never_steps, steps
from llmcompare.core.breakeven import (
    BandCrossings,
    CrossingInterval,
    band_crossings,
    first_volume_where_no_dearer,
)
from llmcompare.core.comparison import Comparison, Option, OptionKey
from llmcompare.core.cost import Band
from llmcompare.core.curves import CostCurve
from llmcompare.core.phrases import band_text, sentence_start
from llmcompare.core.tables import Table
from llmcompare.core.units import count_text, counted, rounded, usd_text
from llmcompare.errors import InputError

SPELLED_OUT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoOptions:
    """A pair of options of a comparison. The late one costs more at first and may become cheaper as volume grows."""

    comparison: Comparison
    late: Option
    early: Option
    bands: BandCrossings
    """Of the late option against the early one."""

    @property
    def requests_per_month(self) -> float:
        """The volume in question."""
        return self.comparison.workload.requests_per_month

    @property
    def late_usd(self) -> Band:
        """US dollars a month at the volume."""
        return self.late.curves.usd_per_month(self.requests_per_month)

    @property
    def early_usd(self) -> Band:
        """US dollars a month at the volume."""
        return self.early.curves.usd_per_month(self.requests_per_month)

    @property
    def saving_usd_per_month(self) -> float:
        """What the late option saves at the volume, at middle prices; below 0 where it costs more."""
        return self.early_usd.mid - self.late_usd.mid


def two_options(comparison: Comparison, first: str, second: str) -> TwoOptions:
    """Two options by key, in any order. Raises InputError for one that the comparison does not have."""
    found: dict[str, Option] = {option.key: option for option in comparison.options}
    for key in (first, second):
        if key not in found:
            why = getattr(comparison, f"{key}_missing", None)
            reason = f": {why}" if why else ""
            model, others = comparison.model.display_name, ", ".join(found)
            raise InputError(f"{key!r} is no option for {model} here{reason}. Choose among {others}.")
    if first == second:
        raise InputError(f"both options are {first!r}: choose two different ones.")
    one, other = found[first], found[second]
    # Dearer at the first request: that is the one whose crossings are worth naming.
    late, early = (other, one) if first_volume_where_no_dearer(one.curves.mid, other.curves.mid) == 0 else (one, other)
    bands = band_crossings(late.curves, early.curves, names=(late.name, early.name))
    return TwoOptions(comparison=comparison, late=late, early=early, bands=bands)


def default_pair(comparison: Comparison) -> tuple[OptionKey, OptionKey] | None:
    """The pair to start with: the API against rented GPUs, or the first two that there are; None for fewer."""
    keys = [option.key for option in comparison.options]
    if "api" in keys and "rented" in keys:
        return "api", "rented"
    return (keys[0], keys[1]) if len(keys) > 1 else None


def answer(pair: TwoOptions) -> str:
    """In one sentence: who is cheaper at the volume, and where they cross, with the interval."""
    late, early = pair.late_usd, pair.early_usd
    cheap, dear = (pair.late, pair.early) if late.mid < early.mid else (pair.early, pair.late)
    low, high = sorted((late.mid, early.mid))
    volume = f"At {count_text(pair.requests_per_month)} requests a month"
    if low == high:
        return f"{volume} both cost the same, {usd_text(low)} a month; {_crossing(pair)}."
    return (
        f"{volume} {cheap.name} is cheaper, {usd_text(low)} a month against {usd_text(high)} for {dear.name}; "
        f"{_crossing(pair)}."
    )


def _crossing(pair: TwoOptions) -> str:
    bands, points = pair.bands, pair.bands.middle.points
    if not points:
        if bands.earliest is None:
            return "they never cross"
        return f"at middle prices they never cross ({_from(bands.earliest)} at best)"
    where = f"they cross at {count_text(points[0].requests_per_month)} requests a month"
    return where if bands.earliest == bands.latest else f"{where} ({_interval(bands.earliest, bands.latest)})"


def _interval(earliest: float | None, latest: float | None) -> str:
    start = "never" if earliest is None else "at any volume" if earliest == 0 else count_text(earliest)
    return f"{start} at best, {'never' if latest is None else count_text(latest)} at worst"


def _from(volume: float) -> str:
    return "at any volume" if volume == 0 else f"from {count_text(volume)} requests a month"


def details(pair: TwoOptions) -> Iterator[str]:
    """How far apart the two are at the volume, how sure that is, and what it means that they never cross."""
    sides = ((pair.late, pair.late_usd), (pair.early, pair.early_usd))
    (cheap_option, cheap), (dear_option, dear) = sorted(sides, key=lambda side: side[1].mid)
    if 0 < cheap.mid < dear.mid:
        times = _times(dear.mid / cheap.mid)
        yield (
            f"{sentence_start(dear_option.name)} costs {times}: {band_text(dear)} a month, and {cheap_option.name} "
            f"{band_text(cheap)}."
        )
    if dear.low < cheap.high and dear.mid > cheap.mid:
        yield "The ranges overlap: the provider chosen can turn that."
    if pair.bands.middle.reason is not None:
        yield from _never(pair, pair.bands.middle.reason)
    kinds = {option.key for option, _ in sides}
    yield from (elsewhere.sentence(one) for one in pair.comparison.elsewhere if one.kind in kinds)


def _times(ratio: float) -> str:
    if ratio < 1.5:
        return f"{ratio - 1:.1%} more"
    return f"{ratio:.0f} times as much" if ratio >= 10 else f"{ratio:.2g} times as much"


def _never(pair: TwoOptions, reason: str) -> Iterator[str]:
    late, one, other = sentence_start(pair.late.name), pair.late.curves.mid, pair.early.curves.mid
    if isinstance(one, CostCurve) and isinstance(other, CostCurve) and not one.groups and not other.groups:
        each, against = usd_text(one.usd_per_request), usd_text(other.usd_per_request)
        yield f"{late} is dearer at every volume: {each} a request against {against}."
        return
    yield f"{late} never pays: {reason}."
    if would_do := _what_would_do(pair):
        yield would_do
    if pair.bands.earliest is None:
        yield "Not even at its lowest prices and highest capacity, against the other's highest prices, does it pay."
    else:
        yield (
            "At its lowest prices and highest capacity, against the other's highest prices, it would pay "
            f"{_from(pair.bands.earliest)}."
        )


def _what_would_do(pair: TwoOptions) -> str | None:
    """The GPU price and the capacity at which full replicas cost what the other option does."""
    one, other = pair.late.curves.mid, pair.early.curves.mid
    found = pair.comparison
    rented = found.rented if pair.late.key == "rented" else found.rented_at_scale
    if pair.late.key not in ("rented", "rented_at_scale") or rented is None:
        return None
    if not isinstance(one, CostCurve) or not isinstance(other, CostCurve) or other.groups or not other.usd_per_request:
        return None
    ratio, price, rate = (
        one.usd_per_request_at_scale / other.usd_per_request,
        rented.usd_per_gpu_hour,
        rented.requests_per_s,
    )
    return (
        f"To do so a GPU-hour would have to cost {usd_text(price.mid / ratio)} instead of {usd_text(price.mid)}, or a "
        f"replica serve {rate.mid * ratio:.3g} requests/s instead of {rate.mid:.3g}."
    )


def crossing_sentences(pair: TwoOptions) -> Iterator[str]:
    """The crossings one by one, with their intervals, as many as fit; then how many more there are."""
    middle, intervals = pair.bands.middle, pair.bands.intervals
    for one in intervals[:SPELLED_OUT]:
        yield _crossing_text(pair, one)
    rest = middle.points[SPELLED_OUT:]
    if rest:
        yield (
            f"{counted(len(rest), 'more crossing')} up to {count_text(rest[-1].requests_per_month)} requests a month, "
            "because replicas come in whole numbers. Beyond, "
            f"{(pair.late if rest[-1].cheaper_after == 'first' else pair.early).name} stays cheaper."
            if middle.searched_to_requests_per_month is None
            else f"{counted(len(rest), 'more crossing')}; the search ends at "
            f"{count_text(middle.searched_to_requests_per_month)} requests a month."
        )
    elif middle.points and middle.searched_to_requests_per_month is not None:
        yield f"The search ends at {count_text(middle.searched_to_requests_per_month)} requests a month."


def _crossing_text(pair: TwoOptions, one: CrossingInterval) -> str:
    point = one.crossing
    volume = f"{count_text(point.requests_per_month)} requests a month"
    if point.cheaper_after == "same":
        change = "both cost the same"
    else:
        cheaper = pair.late if point.cheaper_after == "first" else pair.early
        change = f"{cheaper.name} becomes cheaper"
    how = "equal cost at" if point.kind == "equal" else "at a step to one more replica, from"
    return f"{sentence_start(how)} {volume}: {change}. {_interval_text(pair, one)}"


def _interval_text(pair: TwoOptions, one: CrossingInterval) -> str:
    best, worst = one.at_best_requests_per_month, one.at_worst_requests_per_month
    if best is None and worst is None:
        return "At both ends of the bands this crossing is gone."
    if worst is None:
        return (
            f"At {count_text(best or 0)} where prices are best for {pair.late.name}; where they are worst, it is gone."
        )
    if best is None:
        return f"At {count_text(worst)} where prices are worst for {pair.late.name}; where they are best, it is gone."
    if best == worst:
        return "The bands do not move it."
    low, high = one.low_requests_per_month, one.high_requests_per_month
    return f"Between {count_text(low)} and {count_text(high)} as prices and capacity go."


def crossing_table(pair: TwoOptions) -> Table:
    """Every crossing that has an interval."""
    return Table(
        name="crossings",
        title="Crossings with their intervals",
        columns=(
            "requests_per_month", "low_requests_per_month", "high_requests_per_month", "kind", "cheaper_after",
            "usd_per_month", "vanishes_at",
        ),
        rows=tuple(
            (
                rounded(one.crossing.requests_per_month, 6), rounded(one.low_requests_per_month, 6),
                rounded(one.high_requests_per_month, 6), one.crossing.kind,
                {"first": pair.late.name, "second": pair.early.name, "same": "both"}[one.crossing.cheaper_after],
                rounded(one.crossing.usd_per_month, 6), _vanishes(one),
            )
            for one in pair.bands.intervals
        ),
    )  # fmt: skip


def _vanishes(one: CrossingInterval) -> str | None:
    ends = [
        name
        for name, volume in (("best", one.at_best_requests_per_month), ("worst", one.at_worst_requests_per_month))
        if volume is None
    ]
    return " and ".join(ends) or None


def arithmetic(pair: TwoOptions) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    """Headed lists of steps: both options, then the crossing or why there is none, then the saving."""
    parts = [(sentence_start(option.name), tuple(steps(pair.comparison, option))) for option in (pair.early, pair.late)]
    points = pair.bands.middle.points
    if points:
        step = crossing_step(pair.late, pair.early, points[0])
        if step is not None:
            parts.append(("The first crossing", (step,)))
    else:
        parts.append(("Why they never cross", tuple(never_steps(pair.late, pair.early))))
    return tuple((heading, found) for heading, found in parts if found)
