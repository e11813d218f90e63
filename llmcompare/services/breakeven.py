"""Two options of a comparison with everything that can be turned: what the crossing and the saving hang on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from llmcompare.core import rented as rented_core
from llmcompare.core.comparison import Comparison, Option, OptionKey
from llmcompare.core.cost import Band
from llmcompare.core.knobs import DEFAULT_SPREAD_FRACTION, LEAST, LEAST_UTILISATION, SHARES, Knob
from llmcompare.core.options import PriceBook
from llmcompare.core.phrases import Assumption
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.sensitivity import Bar, tornado, two_way
from llmcompare.core.serverless_option import ServerlessOption
from llmcompare.core.tables import Table
from llmcompare.core.two_options import TwoOptions, two_options
from llmcompare.core.units import rounded
from llmcompare.core.ways import RateAt, TimesAt, Way, api_way, owned_way, rented_way, serverless_way, today_way
from llmcompare.core.what_if import WhatIf, what_if
from llmcompare.errors import InputError
from llmcompare.services import books, serverless
from llmcompare.services.capacity import predicted_capacities
from llmcompare.services.catalogue import Facts

MAP_COLUMNS = 33
MAP_ROWS = 25
PRICES = ("usd_per_gpu_hour", "usd_per_worker_hour", "purchase_usd")
MAP_WIDER = 1.5
"""A map reaches at least this factor to both sides of the middle, as its edges show what is out of reach today."""


@dataclass(frozen=True, kw_only=True)
class Breakeven:
    """Everything that the Breakeven page, the report and the command line show."""

    pair: TwoOptions
    turned: WhatIf
    """The late option first."""
    spread_fraction: float

    @property
    def comparison(self) -> Comparison:
        """Where the two options come from."""
        return self.pair.comparison

    @cached_property
    def pays_from(self) -> tuple[Bar, ...]:
        """First volume at which the late option is no dearer, at both ends of every input."""
        inputs = [knob.input for knob in self.turned.knobs if knob.name != "requests_per_month"]
        return tornado(self.turned.pays_from, inputs)

    @cached_property
    def saving(self) -> tuple[Bar, ...]:
        """What the late option saves a month at the volume, at both ends of every input."""
        return tornado(self.turned.saving_usd_per_month, [knob.input for knob in self.turned.knobs])

    def knob(self, name: str) -> Knob:
        """An input by name."""
        return next(knob for knob in self.turned.knobs if knob.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingMap:
    """What the late option saves a month at every pair of two inputs."""

    x: Knob
    y: Knob
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    saving_usd_per_month: tuple[tuple[float | None, ...], ...]
    """A row per y."""


def breakeven(
    facts: Facts,
    comparison: Comparison,
    first: str,
    second: str,
    *,
    spread_fraction: float = DEFAULT_SPREAD_FRACTION,
) -> Breakeven:
    """Two options by key, in any order. Raises InputError for one that the comparison does not have."""
    pair, scenario = two_options(comparison, first, second), comparison.scenario
    book = books.book(facts, scenario.model)
    late, early = (_way(facts, book, comparison, option) for option in (pair.late, pair.early))
    turned = what_if(scenario, late, early, spread_fraction=spread_fraction)
    return Breakeven(pair=pair, turned=turned, spread_fraction=spread_fraction)


def _way(facts: Facts, book: PriceBook, comparison: Comparison, option: Option) -> Way:
    scenario = comparison.scenario
    if option.key == "api" and comparison.api is not None:
        return api_way(book, scenario, comparison.api)
    if option.key == "today":
        return today_way(book, scenario, comparison.today)
    if option.key == "owned" and comparison.owned is not None:
        return owned_way(scenario, comparison.owned, rate_at=_rate_at(facts, comparison.owned.served_by))
    if option.key == "serverless" and comparison.serverless is not None:
        return serverless_way(scenario, comparison.serverless, times_at=_times_at(facts, comparison.serverless))
    deployment = comparison.rented_at_scale if option.key == "rented_at_scale" else comparison.rented
    if deployment is None:
        raise InputError(f"{option.key!r} is an option whose inputs cannot be turned.")
    return rented_way(scenario, deployment, key=option.key, rate_at=_rate_at(facts, deployment))


def _rate_at(facts: Facts, deployment: Deployment) -> RateAt:
    """The middle rate of one replica for requests of any shape: from its measurement, else predicted anew."""

    def rate_at(changed: Scenario) -> float | None:
        found = rented_core.rate_at(deployment, changed.workload)
        if found is None and deployment.predicted is not None:
            found = _predicted(facts, deployment, changed)
        return None if found is None else found.mid

    return rate_at


def _times_at(facts: Facts, option: ServerlessOption) -> TimesAt:
    """Seconds of one request on the same kind of worker, alone and with all slots taken, predicted anew."""
    engine, weight_format = option.engine, option.weight_format or serverless.WEIGHT_FORMAT

    def times_at(changed: Scenario) -> tuple[float, float] | None:
        try:
            alone, full, _ = serverless.request_s(
                facts, changed, option.gpu, option.gpus_per_worker, engine=engine, weight_format=weight_format
            )
        except InputError:
            # These requests are too long for the worker: there is no such option.
            return None
        return alone.mid, full.mid

    return times_at


def _predicted(facts: Facts, deployment: Deployment, changed: Scenario) -> Band | None:
    asked = replace(changed, gpu=deployment.gpu.gpu_id, weight_format=deployment.weight_format)
    found, _ = predicted_capacities(facts, asked)
    same = (deployment.gpus_per_replica, deployment.engine)
    return next((one.requests_per_s for one in found if (one.gpu_count, one.engine) == same), None)


def map_names(found: Breakeven) -> tuple[str, str] | None:
    """The two inputs of the map to start with: a GPU price or what comes nearest, and the utilisation."""
    names = [knob.name for knob in found.turned.knobs]
    if len(names) < 2:
        return None
    x = next((name for name in names if name.endswith(PRICES)), names[0])
    y = next(name for name in ("target_utilisation_fraction", "api_price", *names) if name in names and name != x)
    return x, y


def saving_map(found: Breakeven, x_name: str, y_name: str) -> SavingMap:
    """The saving at every pair of two inputs, all others at their middle."""
    x, y = found.knob(x_name), found.knob(y_name)
    xs, ys = _reach(x, MAP_COLUMNS), _reach(y, MAP_ROWS)

    def saving(at_x: float, at_y: float) -> float | None:
        return found.turned.saving_usd_per_month({x_name: at_x, y_name: at_y})

    return SavingMap(x=x, y=y, xs=xs, ys=ys, saving_usd_per_month=two_way(saving, xs, ys))


def _reach(knob: Knob, count: int) -> tuple[float, ...]:
    if knob.name in SHARES:
        low, high = (LEAST_UTILISATION if knob.name == "target_utilisation_fraction" else 0.0), 1.0
    else:
        low = max(LEAST.get(knob.name, 0.0), min(knob.band.low, knob.band.mid / MAP_WIDER))
        high = max(knob.band.high, knob.band.mid * MAP_WIDER)
    return tuple(np.linspace(low, high, count).tolist())


def rows_used(found: Breakeven) -> Table:
    """The catalogue's rows behind the two options, with their sources."""
    comparison = found.comparison
    ids = {comparison.model.row_id}
    for option in (found.pair.late, found.pair.early):
        ids |= set(row_ids(comparison, option.key))
    rows = [(row.row_id, row.as_of, row.source) for row in comparison.rows_used if row.row_id in ids]
    return Table(name="rows-used", title="Rows used", columns=("row_id", "as_of", "source"), rows=tuple(rows))


def row_ids(comparison: Comparison, key: OptionKey) -> Iterator[str]:
    """The catalogue's rows behind one option."""
    deployment = {"rented": comparison.rented, "rented_at_scale": comparison.rented_at_scale}.get(key)
    if key == "owned" and comparison.owned is not None:
        deployment = comparison.owned.served_by
    if key == "api" and comparison.api is not None:
        yield from (priced.offer.row_id for priced in comparison.api.offers)
    if key == "serverless" and (option := comparison.serverless) is not None:
        yield option.gpu.row_id
        yield from (offer.row_id for offer in option.offers)
        yield from (terms.row_id for terms in option.terms)
    if key == "today" and comparison.today.offer is not None:
        yield comparison.today.offer.row_id
    if deployment is not None:
        yield deployment.gpu.row_id
        yield from (offer.row_id for offer in deployment.offers)
        if deployment.capacity is not None:
            yield deployment.capacity.row_id


def assumptions(found: Breakeven) -> list[Assumption]:
    """What the ranges stand on that no source backs."""
    spread = [knob.label.lower() for knob in found.turned.knobs if knob.is_assumption]
    if not spread:
        return []
    return [
        Assumption(
            name="spread of other inputs",
            value=f"{found.spread_fraction:.0%} to both sides",
            meaning=f"range of {', '.join(spread)}, of which the data has no band; shares move by as many points",
            editable_as="spread_fraction",
        )
    ]


def tornado_table(found: Breakeven) -> Table:
    """Every input with its range, and both results at its ends."""
    saving = {bar.input.name: bar for bar in found.saving}
    pays = {bar.input.name: bar for bar in found.pays_from}
    return Table(
        name="what-matters-most",
        title="What matters most",
        columns=(
            "input", "unit", "low", "mid", "high", "range_from", "pays_from_requests_per_month_at_low",
            "pays_from_requests_per_month_at_high", "saving_usd_per_month_at_low", "saving_usd_per_month_at_high",
        ),
        rows=tuple(
            (
                knob.label, knob.unit, *(rounded(value, 4) for value in (knob.band.low, knob.band.mid, knob.band.high)),
                knob.basis, *_ends(pays.get(knob.name)), *_ends(saving[knob.name]),
            )
            for knob in found.turned.knobs
        ),
    )  # fmt: skip


def _ends(bar: Bar | None) -> Sequence[float | None]:
    ends = (None, None) if bar is None else (bar.at_low, bar.at_high)
    return [None if value is None else rounded(value, 4) for value in ends]
