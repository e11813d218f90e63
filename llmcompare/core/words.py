"""Says a comparison in sentences: the answer, the crossings, the assumptions behind them."""

from collections.abc import Iterator
from dataclasses import dataclass

from llmcompare.core.breakeven import Crossing
from llmcompare.core.comparison import Comparison, Pair
from llmcompare.core.cost import Band
from llmcompare.core.options import ApiOption, Deployment
from llmcompare.core.units import HOURS_PER_MONTH, count_text, usd_text

CROSSINGS_SPELLED_OUT = 3


def workload_text(comparison: Comparison) -> str:
    """The workload in one line."""
    workload = comparison.workload
    extras = []
    if workload.cached_input_fraction:
        extras.append(f"{workload.cached_input_fraction:.0%} of the input cached")
    if workload.thinking_tokens:
        extras.append(f"{workload.thinking_tokens:,.0f} thinking tokens")
    extra = f", {', '.join(extras)}" if extras else ""
    return (
        f"{count_text(workload.requests_per_month)} requests a month of {workload.input_tokens:,.0f} → "
        f"{workload.output_tokens:,.0f} tokens{extra}"
    )


def headline(comparison: Comparison) -> str:
    """Which option is cheapest, and whether the bands leave that open."""
    requests = comparison.workload.requests_per_month
    costs = [(option, option.curves.usd_per_month(requests)) for option in comparison.options]
    (best, band), *others = sorted(costs, key=lambda cost: cost[1].mid)
    if best.key == "today":
        return f"Nothing here beats today's bill of {usd_text(band.mid)} a month at median prices."
    model = comparison.model.display_name
    text = f"{_sentence_start(best.name)} is the cheapest way to run {model}: {band_text(band)} a month"
    open_against = [other.name for other, theirs in others if theirs.low < band.high]
    if open_against:
        text += f". Its price range overlaps with {' and '.join(open_against)}: the provider decides"
    return text + "."


def band_text(band: Band) -> str:
    """The middle with its spread."""
    if band.low == band.high:
        return usd_text(band.mid)
    return f"{usd_text(band.mid)} ({usd_text(band.low)} to {usd_text(band.high)})"


def option_sentences(comparison: Comparison) -> Iterator[str]:
    """One sentence per option."""
    if comparison.api is not None:
        yield api_sentence(comparison.api)
    elif comparison.api_missing:
        yield f"No API figure: {comparison.api_missing}."
    if comparison.rented is not None:
        yield rented_sentence(comparison.rented)
        if comparison.rented_at_scale is not None:
            yield "Cheapest to rent once it is busy: " + rented_sentence(comparison.rented_at_scale)
    elif comparison.rented_missing:
        yield f"No rented figure: {comparison.rented_missing}."
    today = comparison.today
    yield f"Today ({today.label}): {usd_text(today.usd_per_month)} a month for the same requests."


def api_sentence(api: ApiOption) -> str:
    """The API band, how many providers it rests on and what is kept out of it."""
    count = len(api.offers)
    apart = ", ".join(f"{number} {variant}" for variant, number in sorted(api.other_variants.items()))
    kept_apart = f" Kept apart: {apart}." if apart else ""
    providers = f"{count} provider{'s' if count != 1 else ''}"
    return f"Token-priced API: {band_text(api.usd_per_month)} a month, median of {providers}.{kept_apart}"


def rented_sentence(rented: Deployment) -> str:
    """What is rented, how full it is and what it costs."""
    price = rented.usd_per_gpu_hour
    spread = f" ({price.low:.2f} to {price.high:.2f})" if price.low != price.high else ""
    providers = f", median of {len(rented.offers)} providers" if rented.offers else ", your price"
    return (
        f"{rented.label}, rented: {band_text(rented.usd_per_month)} a month for {rented.replicas} "
        f"replica{'s' if rented.replicas != 1 else ''}, used {rented.utilisation_fraction:.0%} of the time, "
        f"at {price.mid:.2f} USD per GPU-hour{spread}{providers}. Capacity: {rented.basis}."
    )


def crossing_sentences(pair: Pair) -> str:
    """Where two options cross at median prices, and how far the price bands move that."""
    points = pair.crossings.points
    against = f"{_sentence_start(pair.first)} against {pair.second}: "
    if not points:
        return f"{against}they never cross at median prices, because {pair.crossings.reason}.{_band_sentence(pair)}"
    spelled = "; ".join(map(_crossing_text, points[:CROSSINGS_SPELLED_OUT]))
    rest = len(points) - CROSSINGS_SPELLED_OUT
    if rest > 0:
        spelled += f"; {rest} more crossings up to {count_text(points[-1].requests_per_month)} requests a month"
    if pair.crossings.searched_to_requests_per_month is not None:
        spelled += f"; the search ends at {count_text(pair.crossings.searched_to_requests_per_month)}"
    return f"{against}at median prices {spelled}.{_band_sentence(pair)}"


def _crossing_text(point: Crossing) -> str:
    volume = f"{count_text(point.requests_per_month)} requests a month"
    if point.kind == "equal":
        after = {"first": "cheaper beyond", "second": "dearer beyond", "same": "the same up to there"}
        return f"equal at {volume} ({usd_text(point.usd_per_month)}), {after[point.cheaper_after]}"
    turns = "cheaper" if point.cheaper_after == "first" else "dearer"
    return f"{turns} again from {volume}, at the step to one more replica"


def _band_sentence(pair: Pair) -> str:
    """What the price bands leave open."""
    if pair.earliest is None:
        return " At no listed price does it pay."
    if pair.latest == pair.earliest:
        return ""
    return f" With the best prices it pays {_from(pair.earliest)}, with the worst {_from(pair.latest)}."


def _from(volume: float | None) -> str:
    if volume is None:
        return "never"
    return "at any volume" if volume == 0 else f"from {count_text(volume)} requests a month"


def _sentence_start(text: str) -> str:
    return text[0].upper() + text[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A figure that no source backs, or a rule of reckoning, with what to do about it."""

    name: str
    value: str
    meaning: str
    editable_as: str | None
    """Field of the scenario that replaces it; None for a rule."""


def assumptions(comparison: Comparison) -> Iterator[Assumption]:
    """Everything behind the figures that was not read in a source."""
    scenario = comparison.scenario
    yield Assumption(
        name="workload",
        value=workload_text(comparison),
        meaning="the volume and shape in question, evenly spread over the month",
        editable_as="requests_per_month",
    )
    yield Assumption(
        name="month",
        value=f"{HOURS_PER_MONTH} hours",
        meaning="365 × 24 / 12, the convention of cloud price lists",
        editable_as=None,
    )
    yield Assumption(
        name="today",
        value=comparison.today.label,
        meaning="the API or bill that the options are compared with; it grows with the number of requests",
        editable_as="today",
    )
    if comparison.rented is None:
        return
    yield Assumption(
        name="target utilisation",
        value=f"{scenario.target_utilisation_fraction:.0%}",
        meaning="share of the measured capacity that is planned for; the rest is room for peaks",
        editable_as="target_utilisation_fraction",
    )
    if comparison.rented.capacity is not None:
        yield Assumption(
            name="other request shapes",
            value="0 ≤ time of an input token ≤ time of an output token",
            meaning="bounds the capacity when the workload has another shape than the measurement",
            editable_as="own_output_tokens_per_s",
        )
        yield Assumption(
            name="latency",
            value="no limit",
            meaning="measured rates are the largest seen; a latency limit lowers them",
            editable_as="own_output_tokens_per_s",
        )
