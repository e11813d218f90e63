"""Compares what one workload costs: token-priced APIs, serverless, rented and own GPUs, and today's API."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from llmcompare.core import breakeven
from llmcompare.core.breakeven import Crossings
from llmcompare.core.curves import Curve, CurveBand
from llmcompare.core.elsewhere import Elsewhere
from llmcompare.core.options import (
    GIVEN_ROW_ID,
    ApiOption,
    PriceBook,
    TodayOption,
    api_option,
    today_option,
)
from llmcompare.core.owned import OwnedOption
from llmcompare.core.records import ApiOffer, Capacity, Gpu, GpuOffer, Model, ServerlessTerms
from llmcompare.core.rented import Deployment, deployments
from llmcompare.core.scenario import Scenario, UsedRow
from llmcompare.core.serverless_option import ServerlessOption
from llmcompare.core.workload import Workload

Row = Model | ApiOffer | Gpu | GpuOffer | Capacity | ServerlessTerms
OptionKey = Literal["api", "serverless", "rented", "rented_at_scale", "owned", "today"]

STAYS_HERE = "the data must stay here"
"""Why what is served by others is no option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to serve the workload, as curves over volume."""

    key: OptionKey
    name: str
    """In a sentence."""
    label: str
    """In a legend."""
    curves: CurveBand[Curve]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two options and where their middle curves cross."""

    first: str
    second: str
    crossings: Crossings
    earliest: float | None = None
    """First volume at which the first option is no dearer, at its best prices and the other's worst."""
    latest: float | None = None
    """The same at its worst prices and the other's best; None when it then never pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that the Costs page, the report and the command line show."""

    scenario: Scenario
    model: Model
    workload: Workload
    api: ApiOption | None
    api_missing: str | None
    """Why there is no API option."""
    rented: Deployment | None
    """What is cheapest to rent at this workload."""
    rented_missing: str | None
    """Why there is no rented option."""
    deployments: tuple[Deployment, ...]
    """All that could be rented, cheapest first at this workload."""
    rented_at_scale: Deployment | None
    """What first pays against the API as volume grows, or is cheapest per request with every replica full where
    nothing pays; None where that is `rented` too."""
    today: TodayOption
    owned: OwnedOption | None
    owned_missing: str | None
    """Why there is no own machine."""
    serverless: ServerlessOption | None
    serverless_missing: str | None
    """Why there are no serverless GPUs."""
    pairs: tuple[Pair, ...]
    rows_used: tuple[UsedRow, ...]
    """The catalogue rows behind the figures."""
    fingerprint: str
    """Of the catalogue."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Cheaper deployments that are none of the options."""

    @property
    def options(self) -> tuple[Option, ...]:
        """Every option that has data."""
        return tuple(_options(self))


def _options(found: Comparison) -> Iterator[Option]:
    if found.api is not None:
        name, label = "the token-priced API", f"token-priced API ({found.api.providers_text})"
        yield Option(key="api", name=name, label=label, curves=found.api.curves)
    rented, at_scale = found.rented, found.rented_at_scale
    keys: tuple[OptionKey, OptionKey] = ("rented", "rented_at_scale")
    for key, deployment in zip(keys, (rented, at_scale), strict=True):
        if deployment is not None:
            name = f"renting {deployment.short}"
            if rented is not None and at_scale is not None and rented.short == at_scale.short:
                name = f"renting {deployment.label}"
            yield Option(key=key, name=name, label=f"rented {deployment.label}", curves=deployment.curves)
    if found.serverless is not None:
        name, label = f"serverless {found.serverless.short}", f"serverless {found.serverless.label}"
        yield Option(key="serverless", name=name, label=label, curves=found.serverless.curves)
    if found.owned is not None:
        yield Option(key="owned", name=found.owned.name, label=found.owned.label, curves=found.owned.curves)
    curve = found.today.curve
    curves = CurveBand(low=curve, mid=curve, high=curve)
    yield Option(key="today", name="today's API", label=f"today: {found.today.label}", curves=curves)


def _not_asked_for(_: object) -> tuple[None, None]:
    return None, None


def compare(
    book: PriceBook,
    scenario: Scenario,
    *,
    fingerprint: str,
    serverless_on: Callable[[Sequence[Deployment]], tuple[ServerlessOption | None, str | None]] = _not_asked_for,
    owned_with: Callable[[Deployment | None], tuple[OwnedOption | None, str | None]] = _not_asked_for,
) -> Comparison:
    """All options for a scenario. Raises UnknownIdError or InputError; an option without data says why instead.

    Where the data must stay here, what is served by others is no option.

    serverless_on and owned_with give the options that follow from what is rented, or why there is none: the one from
    everything that could be rented, cheapest first, the other from the cheapest.
    """
    api, api_missing = api_option(book, scenario)
    found, rented_missing = deployments(book, scenario)
    owned, owned_missing = owned_with(found[0] if found else None)
    if scenario.data_stays_here:
        found, rented_missing, api, api_missing = [], STAYS_HERE, None, STAYS_HERE
    rented = found[0] if found else None
    at_scale = _for_growth(found, api)
    today = today_option(book, scenario)
    serverless, serverless_missing = (None, STAYS_HERE) if scenario.data_stays_here else serverless_on(found)
    options = Comparison(
        scenario=scenario,
        model=book.model,
        workload=scenario.workload,
        api=api,
        api_missing=api_missing,
        rented=rented,
        rented_missing=rented_missing,
        deployments=tuple(found),
        rented_at_scale=at_scale,
        today=today,
        owned=owned,
        owned_missing=owned_missing,
        serverless=serverless,
        serverless_missing=serverless_missing,
        pairs=(),
        rows_used=(),
        fingerprint=fingerprint,
    )
    counted = () if scenario.counting is None else scenario.counting.rows
    rows_used = dict.fromkeys((*map(UsedRow.of, _rows_used(options)), *counted))
    return replace(options, pairs=tuple(_pairs(options.options)), rows_used=tuple(rows_used))


def _for_growth(found: Sequence[Deployment], api: ApiOption | None) -> Deployment | None:
    """The deployment to show beside the one that is cheapest now; None when that one serves growth best too."""
    if not found:
        return None
    pays = {}
    if api is not None:
        for deployment in found:
            volume = breakeven.first_volume_where_no_dearer(deployment.curves.mid, api.curves.mid)
            if volume is not None:
                pays[deployment] = volume
    # Ties go to what is cheaper with full replicas.
    best = min(pays or found, key=lambda d: (pays.get(d, 0.0), d.curves.mid.usd_per_request_at_scale))
    return None if best == found[0] else best


AGAINST: dict[OptionKey, tuple[OptionKey, ...]] = {
    "rented": ("api", "today"),
    "rented_at_scale": ("api", "today"),
    "serverless": ("rented", "api", "today"),
    "owned": ("rented", "api", "today"),
    "api": ("today",),
}
"""Which options each is set against; any two can be chosen on the Breakeven page."""


def _pairs(options: Sequence[Option]) -> Iterator[Pair]:
    by_key = {option.key: option for option in options}
    for key, others in AGAINST.items():
        if key in by_key:
            yield from (_pair(by_key[key], by_key[other]) for other in others if other in by_key)


def _pair(first: Option, second: Option) -> Pair:
    one, other = first.curves, second.curves
    return Pair(
        first=first.name,
        second=second.name,
        crossings=breakeven.crossings(one.mid, other.mid, names=(first.name, second.name)),
        earliest=breakeven.first_volume_where_no_dearer(one.low, other.high),
        latest=breakeven.first_volume_where_no_dearer(one.high, other.low),
    )


def _rows_used(found: Comparison) -> Iterator[Row]:
    yield found.model
    if found.api is not None:
        yield from (priced.offer for priced in found.api.offers if priced.offer.row_id != GIVEN_ROW_ID)
    for deployment in (found.rented, found.rented_at_scale):
        if deployment is not None:
            yield deployment.gpu
            yield from deployment.offers
            yield from _capacity_rows(deployment)
    if found.today.offer is not None:
        yield found.today.offer
    if found.serverless is not None:
        yield found.serverless.gpu
        yield from found.serverless.offers
        yield from found.serverless.terms
    if found.owned is not None:
        yield found.owned.gpu
        yield from _capacity_rows(found.owned.served_by)


def _capacity_rows(deployment: Deployment) -> list[Capacity]:
    return [] if deployment.capacity is None else [deployment.capacity]
