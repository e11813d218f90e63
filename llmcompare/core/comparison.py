"""Compares what one workload costs through token-priced APIs, on rented GPUs and at today's API."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from llmcompare.core import breakeven
from llmcompare.core.breakeven import Crossings
from llmcompare.core.options import ApiOption, CurveBand, PriceBook, TodayOption, api_option, today_option
from llmcompare.core.records import ApiOffer, Capacity, Gpu, GpuOffer, Model
from llmcompare.core.rented import Deployment, deployments
from llmcompare.core.scenario import Scenario
from llmcompare.core.workload import Workload

OptionKey = Literal["api", "rented", "rented_at_scale", "today"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to serve the workload, as curves over volume."""

    key: OptionKey
    name: str
    """In a sentence."""
    label: str
    """In a legend."""
    curves: CurveBand


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
class UsedRow:
    """A row of the catalogue that a figure rests on."""

    row_id: str
    source: str
    as_of: str | None


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
    pairs: tuple[Pair, ...]
    rows_used: tuple[UsedRow, ...]
    """The catalogue rows behind the figures."""
    fingerprint: str
    """Of the catalogue."""

    @property
    def options(self) -> tuple[Option, ...]:
        """Every option that has data."""
        return tuple(_options(self.api, self.rented, self.rented_at_scale, self.today))


def _options(
    api: ApiOption | None, rented: Deployment | None, at_scale: Deployment | None, today: TodayOption
) -> Iterator[Option]:
    if api is not None:
        label = f"token-priced API ({len(api.offers)} provider{'s' if len(api.offers) != 1 else ''})"
        yield Option(key="api", name="the token-priced API", label=label, curves=api.curves)
    keys: tuple[OptionKey, OptionKey] = ("rented", "rented_at_scale")
    for key, deployment in zip(keys, (rented, at_scale), strict=True):
        if deployment is not None:
            name = f"renting {deployment.short}"
            if rented is not None and at_scale is not None and rented.short == at_scale.short:
                name = f"renting {deployment.label}"
            yield Option(key=key, name=name, label=f"rented {deployment.label}", curves=deployment.curves)
    curves = CurveBand(low=today.curve, mid=today.curve, high=today.curve)
    yield Option(key="today", name="today's API", label=f"today: {today.label}", curves=curves)


def compare(book: PriceBook, scenario: Scenario, *, fingerprint: str) -> Comparison:
    """All options for a scenario. Raises UnknownIdError or InputError; an option without data says why instead."""
    api, api_missing = api_option(book, scenario)
    found, rented_missing = deployments(book, scenario)
    rented = found[0] if found else None
    at_scale = _for_growth(found, api)
    today = today_option(book, scenario)
    return Comparison(
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
        pairs=tuple(_pairs(tuple(_options(api, rented, at_scale, today)))),
        rows_used=tuple(dict.fromkeys(_used(row) for row in _rows_used(book.model, api, (rented, at_scale), today))),
        fingerprint=fingerprint,
    )


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


def _pairs(options: Sequence[Option]) -> Iterator[Pair]:
    """Rented options against the API and today's bill, the API against today's bill."""
    rank = {"rented": 0, "rented_at_scale": 0, "api": 1, "today": 2}
    for first in sorted(options, key=lambda option: rank[option.key]):
        for second in options:
            if rank[first.key] < rank[second.key]:
                yield _pair(first, second)


def _pair(first: Option, second: Option) -> Pair:
    one, other = first.curves, second.curves
    return Pair(
        first=first.name,
        second=second.name,
        crossings=breakeven.crossings(one.mid, other.mid, names=(first.name, second.name)),
        earliest=breakeven.first_volume_where_no_dearer(one.low, other.high),
        latest=breakeven.first_volume_where_no_dearer(one.high, other.low),
    )


def _rows_used(
    model: Model, api: ApiOption | None, rented: Sequence[Deployment | None], today: TodayOption
) -> Iterator[Model | ApiOffer | Gpu | GpuOffer | Capacity]:
    yield model
    if api is not None:
        yield from (priced.offer for priced in api.offers)
    for deployment in rented:
        if deployment is not None:
            yield deployment.gpu
            yield from deployment.offers
            if deployment.capacity is not None:
                yield deployment.capacity
    if today.offer is not None:
        yield today.offer


def _used(row: Model | ApiOffer | Gpu | GpuOffer | Capacity) -> UsedRow:
    return UsedRow(row_id=row.row_id, source=row.source, as_of=row.as_of)
