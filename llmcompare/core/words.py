"""Says a comparison in sentences: the answer, the crossings, the assumptions behind them."""

from collections.abc import Iterable, Iterator, Mapping, Set

from llmcompare.core import elsewhere, serverless_words
from llmcompare.core.breakeven import Crossing
from llmcompare.core.comparison import Comparison, Pair
from llmcompare.core.curves import CostCurve
from llmcompare.core.options import ApiOption
from llmcompare.core.owned_words import owned_assumptions, owned_sentence
from llmcompare.core.phrases import Assumption, band_text, sentence_start
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_option import ServerlessOption
from llmcompare.core.units import HOURS_PER_MONTH, count_text, counted, usd_text

CROSSINGS_SPELLED_OUT = 3


def workload_text(comparison: Comparison) -> str:
    """The workload in one line."""
    workload = comparison.workload
    extras = []
    if workload.cached_input_fraction:
        extras.append(f"{workload.cached_input_fraction:.0%} of the input cached")
    if workload.thinking_tokens:
        extras.append(f"{workload.thinking_tokens:,.0f} thinking tokens")
    extras += _spread_texts(comparison.scenario)
    counting, typed = comparison.scenario.counting, comparison.scenario.as_typed
    if counting is not None and counting.factor != 1:
        extras.append(
            f"the {counting.language} text of {typed.input_tokens:,.0f} → {typed.output_tokens:,.0f} tokens of "
            f"{counting.typed_with}"
        )
    extra = f", {', '.join(extras)}" if extras else ""
    noun = "request" if workload.requests_per_month == 1 else "requests"
    return (
        f"{count_text(workload.requests_per_month)} {noun} a month of {workload.input_tokens:,.0f} → "
        f"{workload.output_tokens:,.0f} tokens{extra}"
    )


def _spread_texts(scenario: Scenario) -> Iterator[str]:
    if scenario.traffic != "flat":
        hours = {"business-hours": "in business hours", "own": "in hours of your own"}[scenario.traffic]
        yield f"{hours}, the busiest {scenario.spread.busiest_hour:.1f} times the mean"
    if scenario.peak_to_mean > 1:
        yield f"peaks of {scenario.peak_to_mean:g} times within an hour"
    if scenario.ttft_limit_ms is not None:
        yield f"first token within {scenario.ttft_limit_ms:,g} ms"
    if scenario.tpot_limit_ms is not None:
        yield f"{scenario.tpot_limit_ms:,g} ms per token at most"
    if scenario.batch_fraction:
        yield f"{scenario.batch_fraction:.0%} of the requests can wait"


def headline(comparison: Comparison) -> str:
    """Which option is cheapest, and whether the bands leave that open."""
    requests, model = comparison.workload.requests_per_month, comparison.model.display_name
    costs = [(option, option.curves.usd_per_month(requests)) for option in comparison.options]
    (best, band), *others = sorted(costs, key=lambda cost: cost[1].mid)
    if comparison.scenario.data_stays_here:
        return _here(comparison)
    if not others:
        return f"There is no figure for {model}: neither an API listing nor a deployment that can be priced."
    if best.key == "today":
        return f"Nothing here beats today's bill of {usd_text(band.mid)} a month at median prices."
    middle = best.curves.mid
    replicas = middle.replicas(requests) if isinstance(middle, CostCurve) else 0
    size = f" on {counted(replicas, 'replica')}" if replicas > 1 else ""
    less = [one for one in comparison.elsewhere if one.usd_per_month.mid < band.mid]
    way = "cheapest way" if not less else "cheapest way compared here"
    text = f"{sentence_start(best.name)}{size} is the {way} to run {model}: {band_text(band)} a month"
    open_against = [other.name for other, theirs in others if theirs.low < band.high]
    if open_against:
        decides = "the provider decides" if best.key == "api" else "the provider and the capacity reached decide"
        text += f". Its range overlaps with {' and '.join(open_against)}: {decides}"
    if less:
        least = min(less, key=lambda one: one.usd_per_month.mid)
        text += f". {sentence_start(least.name)} is predicted to cost less: {band_text(least.usd_per_month)} a month"
    return text + "."


def _here(comparison: Comparison) -> str:
    """What the own machine costs, where it is the only way."""
    found, bill, model = comparison.owned, comparison.today, comparison.model.display_name
    out = "The data must stay here, so APIs, serverless and rented GPUs are out"
    if found is None:
        why = comparison.owned_missing or "give its GPU and its purchase price"
        return f"{out}, and there is no figure of an own machine for {model}: {why} (0 if it is paid)."
    return (
        f"{out}: {found.name} runs {model} for {band_text(found.usd_per_month)} a month; today's bill ({bill.label}), "
        f"which sends the data away, is {usd_text(bill.usd_per_month)}."
    )


def option_sentences(comparison: Comparison) -> Iterator[str]:
    """One sentence per option."""
    if comparison.api is not None:
        yield api_sentence(comparison.api)
    elif comparison.api_missing:
        yield f"No API figure: {comparison.api_missing}."
    if comparison.rented is not None:
        yield rented_sentence(comparison.rented)
        if comparison.rented_at_scale is not None:
            yield "For growth: " + rented_sentence(comparison.rented_at_scale)
        yield from (elsewhere.sentence(one) for one in comparison.elsewhere if one.kind == "rented")
    elif comparison.rented_missing:
        yield f"No rented figure: {comparison.rented_missing}."
    if comparison.serverless is not None:
        yield serverless_sentence(comparison.serverless)
        yield from (elsewhere.sentence(one) for one in comparison.elsewhere if one.kind == "serverless")
    elif comparison.serverless_missing and (comparison.rented is not None or comparison.scenario.data_stays_here):
        yield f"No serverless figure: {comparison.serverless_missing}."
    if comparison.owned is not None:
        yield owned_sentence(comparison.owned)
    elif comparison.owned_missing and comparison.scenario.purchase_usd is not None:
        yield f"No own machine: {comparison.owned_missing}."
    today = comparison.today
    missing = (
        " It lists no price for cached input, so the input price is charged." if today.cached_price_missing else ""
    )
    missing += " It lists no batch price, so the full one is charged." if today.batch_price_missing else ""
    missing += " Its list asks more for requests as long as these: this is a lower bound." * today.beyond_base_price
    yield f"Today ({today.label}): {usd_text(today.usd_per_month)} a month for the same requests.{missing}"


def api_sentence(api: ApiOption) -> str:
    """The API band, how many providers it rests on and what is kept out of it."""
    statistic = "median of " if len(api.offers) > 1 else ""
    text = f"Token-priced API: {band_text(api.usd_per_month)} a month, {statistic}{api.providers_text}."
    if api.without_cached_price_count:
        count, of = api.without_cached_price_count, len(api.offers)
        text += f" {count} of {of} list no price for cached input, so their input price is charged."
    if api.without_batch_price_count:
        count, of = api.without_batch_price_count, len(api.offers)
        text += f" {count} of {of} list no batch price, so requests that can wait are charged the full one."
    if api.too_short_count:
        text += f" Left out, because their context is too short: {counted(api.too_short_count, 'listing')}."
    if api.beyond_base_price_count:
        listings = counted(api.beyond_base_price_count, "listing")
        text += f" Left out, because their price holds for shorter requests only: {listings}."
    text += _doubted(api.doubted, used={priced.offer.offer_id for priced in api.offers})
    if api.other_variants:
        apart = ", ".join(f"{number} {variant}" for variant, number in sorted(api.other_variants.items()))
        text += f" Kept apart: {apart}."
    return text


def _doubted(doubts: Mapping[str, str], *, used: Set[str]) -> str:
    """What looks wrong, and whether it counts."""
    text = ""
    for name, doubt in doubts.items():
        text += f" The price of {name} looks wrong and is "
        text += f"used because its provider is chosen: {doubt}." if name in used else f"left out: {doubt}."
    return text


def rented_sentence(rented: Deployment) -> str:
    """What is rented, how full it is, what it costs, and where its capacity comes from."""
    price = rented.usd_per_gpu_hour
    spread = f" ({price.low:.2f} to {price.high:.2f})" if price.low != price.high else ""
    listed = [offer for offer in rented.offers if not offer.is_own]
    providers = f", median of {counted(len(listed), 'provider')}" if listed else ", your price"
    return (
        f"{rented.label}, rented: {band_text(rented.usd_per_month)} a month for {counted(rented.replicas, 'replica')} "
        f"at {rented.utilisation_fraction:.0%} of capacity, "
        f"{price.mid:.2f} USD per GPU-hour{spread}{providers}. Capacity: {rented.basis}."
    )


def serverless_sentence(option: ServerlessOption) -> str:
    """What serverless GPUs cost, who offers them and how that comes about."""
    return (
        f"{option.label}, serverless: {band_text(option.usd_per_month)} a month, median of "
        f"{counted(len(option.plans), 'provider')}. {sentence_start(option.basis)}."
        + _doubted(option.doubted, used={f"{one.provider}/{one.offer_name}" for one in option.offers})
    )


def crossing_sentences(pair: Pair) -> str:
    """Where two options cross at median prices, and how far the price bands move that."""
    points = pair.crossings.points
    against = f"{sentence_start(pair.first)} against {pair.second}: "
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
        return " It does not pay even at the favourable end of prices and capacity."
    if pair.latest == pair.earliest:
        return ""
    return (
        f" At the favourable end of prices and capacity it pays {_from(pair.earliest)}, "
        f"at the other end {_from(pair.latest)}."
    )


def _from(volume: float | None) -> str:
    if volume is None:
        return "never"
    return "at any volume" if volume == 0 else f"from {count_text(volume)} requests a month"


def as_of_text(dates: Iterable[str | None]) -> str:
    """Oldest and newest date of some rows, and how many have none.

    >>> as_of_text(["2026-11-10", None, "2024-07"])
    'As of 2024-07 to 2026-11-10, 1 undated.'
    """
    found = list(dates)
    dated = sorted(as_of for as_of in found if as_of is not None)
    undated = f", {len(found) - len(dated)} undated" if len(dated) < len(found) else ""
    if not dated:
        return f"No dated rows{undated}."
    span = dated[0] if dated[0] == dated[-1] else f"{dated[0]} to {dated[-1]}"
    return f"As of {span}{undated}."


def assumptions(comparison: Comparison) -> Iterator[Assumption]:
    """Everything behind the figures that was not read in a source."""
    yield Assumption(
        name="workload",
        value=workload_text(comparison),
        meaning="the volume and shape in question, "
        + ("evenly spread over the month" if comparison.scenario.spread.peak == 1 else "every week of the month alike"),
        editable_as="requests_per_month",
    )
    yield Assumption(
        name="month",
        value=f"{HOURS_PER_MONTH} hours",
        meaning="365 × 24 / 12, the convention of cloud price lists",
        editable_as=None,
    )
    yield Assumption(
        name="prices",
        value="list prices in USD without tax",
        meaning="no discount, no minimum, no charge for storage or traffic",
        editable_as=None,
    )
    yield _tokens_assumption(comparison.scenario)
    yield Assumption(
        name="today",
        value=comparison.today.label,
        meaning="the API or bill that the options are compared with; it grows with the number of requests",
        editable_as="today",
    )
    if comparison.scenario.batch_fraction and comparison.workload.cached_input_fraction:
        yield Assumption(
            name="cached input in batches",
            value="the larger discount",
            meaning="where no source says whether the discounts of the cache and of the batch add up",
            editable_as="batch_fraction",
        )
    if comparison.rented is not None:
        yield from _rented_assumptions(comparison, comparison.rented)
    if comparison.serverless is not None:
        yield from serverless_words.assumptions(comparison.serverless, comparison.scenario)
    if comparison.owned is not None:
        yield from owned_assumptions(comparison.scenario)


def _tokens_assumption(scenario: Scenario) -> Assumption:
    counting = scenario.counting
    if counting is None:
        return Assumption(
            name="tokens",
            value="alike for every model",
            meaning="tokenizers differ: the same text may be more or fewer tokens with another model; choose its "
            "language, and whose tokens you gave",
            editable_as="language, tokens_of",
        )
    if counting.missing is not None:
        value, why = "as typed", f"{counting.missing}, so {counting.typed_with}'s tokens count for this model too"
    else:
        value = f"{counting.factor:.3g} for each token of {counting.typed_with}"
        why = (
            f"measured on one legal text in {counting.language}; {counting.low_factor:.3g} to "
            f"{counting.high_factor:.3g} between its articles, other kinds of text may differ more; today's API is "
            "charged the tokens as typed"
        )
    return Assumption(name="tokens", value=value, meaning=why, editable_as="language, tokens_of")


def _rented_assumptions(comparison: Comparison, rented: Deployment) -> Iterator[Assumption]:
    yield Assumption(
        name="target utilisation",
        value=f"{comparison.scenario.target_utilisation_fraction:.0%}",
        meaning="share of the capacity that is planned for; the rest is room for peaks",
        editable_as="target_utilisation_fraction",
    )
    scenario = comparison.scenario
    if scenario.spread.busiest_hour > 1:
        yield Assumption(
            name="replicas run",
            value=scenario.running,
            meaning="always-on: for the peak all month; scheduled: one number in busy hours, one in the others; "
            "profile: each hour its own number, started and stopped without loss",
            editable_as="running",
        )
    if scenario.billing == "spot":
        yield Assumption(
            name="interruptions of spot machines",
            value=f"{scenario.spot_allowance_fraction:.0%} more hours",
            meaning="paid and lost to starting again; how often a machine is taken away is not in the data",
            editable_as="spot_allowance_fraction",
        )
    drawn = [deployment for deployment in (rented, comparison.rented_at_scale) if deployment is not None]
    if left_out := max(deployment.larger_only_count for deployment in drawn):
        yield Assumption(
            name="machine size",
            value=f"{counted(left_out, 'provider')} left out",
            meaning="they offer this GPU only in machines that are larger than one replica",
            editable_as="gpus_per_replica",
        )
    if comparison.workload.cached_input_fraction > 0:
        yield Assumption(
            name="cached input on rented GPUs",
            value="counted as input",
            meaning="an engine that reuses prefixes serves more than this",
            editable_as="own_output_tokens_per_s",
        )
    if rented.predicted is not None:
        yield Assumption(
            name="cheapest of many predictions",
            value=f"{counted(len(comparison.deployments), 'deployment')} compared",
            meaning="the one that comes out cheapest is often one whose speed was predicted too high: read its band",
            editable_as="own_output_tokens_per_s",
        )
    if rented.capacity is None:
        return
    yield Assumption(
        name="other request shapes",
        value="0 ≤ time of an input token ≤ time of an output token",
        meaning="bounds the capacity when the workload has another shape than the measurement",
        editable_as="own_output_tokens_per_s",
    )
    yield Assumption(
        name="latency",
        value="no limit",
        meaning="rates as measured, at the load stated; a latency limit lowers them, more load may raise them",
        editable_as="own_output_tokens_per_s",
    )
    yield Assumption(
        name="weight format",
        value=", ".join(dict.fromkeys(d.weight_format or "not stated" for d in drawn)),
        meaning="of the measurement; a format with fewer bits may answer worse than the API's, which is seldom stated",
        editable_as="throughput_record",
    )
