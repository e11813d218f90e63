"""Compares what one workload costs through token-priced APIs, on rented GPUs and at today's API."""

from collections.abc import Iterable
from dataclasses import dataclass

from llmcompare.core import breakeven
from llmcompare.core.breakeven import Crossings
from llmcompare.core.options import (
    ApiOption,
    CurveBand,
    Deployment,
    PriceBook,
    TodayOption,
    api_option,
    deployments,
    today_option,
)
from llmcompare.core.records import Model
from llmcompare.core.scenario import Scenario
from llmcompare.core.workload import Workload

API = "the token-priced API"
RENTED = "renting"
TODAY = "today's API"


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
    rented_missing: str | None
    """Why there is no rented option."""
    deployments: tuple[Deployment, ...]
    """All that could be rented, cheapest first at this workload."""
    today: TodayOption
    pairs: tuple[Pair, ...]
    rows_used: tuple[str, ...]
    """Ids of the catalogue rows behind the figures."""
    fingerprint: str
    """Of the catalogue."""


def compare(book: PriceBook, scenario: Scenario, *, fingerprint: str) -> Comparison:
    """All options for a scenario. Raises UnknownIdError or InputError; an option without data says why instead."""
    api, api_missing = api_option(book, scenario)
    found, rented_missing = deployments(book, scenario)
    rented = found[0] if found else None
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
        today=today,
        pairs=tuple(_pairs(api, rented, today)),
        rows_used=tuple(_rows_used(book.model, api, rented, today)),
        fingerprint=fingerprint,
    )


def _pairs(api: ApiOption | None, rented: Deployment | None, today: TodayOption) -> Iterable[Pair]:
    today_band = CurveBand(low=today.curve, mid=today.curve, high=today.curve)
    if rented is not None and api is not None:
        yield _pair(RENTED, rented.curves, API, api.curves)
    if rented is not None:
        yield _pair(RENTED, rented.curves, TODAY, today_band)
    if api is not None:
        yield _pair(API, api.curves, TODAY, today_band)


def _pair(first: str, first_curves: CurveBand, second: str, second_curves: CurveBand) -> Pair:
    return Pair(
        first=first,
        second=second,
        crossings=breakeven.crossings(first_curves.mid, second_curves.mid, names=(first, second)),
        earliest=breakeven.first_volume_where_no_dearer(first_curves.low, second_curves.high),
        latest=breakeven.first_volume_where_no_dearer(first_curves.high, second_curves.low),
    )


def _rows_used(model: Model, api: ApiOption | None, rented: Deployment | None, today: TodayOption) -> Iterable[str]:
    yield model.row_id
    if api is not None:
        yield from (priced.offer.row_id for priced in api.offers)
    if rented is not None:
        yield rented.gpu.row_id
        yield from (offer.row_id for offer in rented.offers)
        if rented.capacity is not None:
            yield rented.capacity.row_id
    if today.offer is not None:
        yield today.offer.row_id
