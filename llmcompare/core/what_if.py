"""Two options as functions of their inputs: what each costs when one price, capacity, share or token count changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache

from llmcompare.core.breakeven import first_volume_where_no_dearer
from llmcompare.core.cost import Band, CostCurve, Curve
from llmcompare.core.options import ApiOption, CurveBand, PriceBook, TodayOption, api_option, today_option
from llmcompare.core.owned import OwnedOption, owned_option
from llmcompare.core.rented import Deployment, replica_curve
from llmcompare.core.scenario import RANGES, Scenario
from llmcompare.core.sensitivity import Input
from llmcompare.core.units import counted
from llmcompare.core.workload import MAX_REQUESTS_PER_MONTH, MAX_TOKENS_PER_REQUEST, Workload

DEFAULT_SPREAD_FRACTION = 0.25
"""To both sides, for inputs of which the data has no band. Assumption, editable."""
LEAST_UTILISATION = 0.05
TOKENS = ("input_tokens", "output_tokens", "thinking_tokens")
SHARES = ("cached_input_fraction", "batch_fraction", "target_utilisation_fraction")
"""Fields that run from 0 to 1: their spread is in points, not in proportion."""
LEAST = {"peak_to_mean": 1.0, "pue": 1.0}
MOST = dict.fromkeys(TOKENS, MAX_TOKENS_PER_REQUEST) | {"requests_per_month": MAX_REQUESTS_PER_MONTH}
FIELDS = {
    "input_tokens": ("Input tokens", "per request"),
    "output_tokens": ("Output tokens", "per request"),
    "thinking_tokens": ("Thinking tokens", "per request"),
    "cached_input_fraction": ("Input read from cache", "share"),
    "batch_fraction": ("Requests that can wait", "share"),
    "target_utilisation_fraction": ("Target utilisation", "share of capacity"),
    "peak_to_mean": ("Peak within an hour", "over its mean"),
    "spot_allowance_fraction": ("Spot allowance", "of the hours"),
    "cold_start_s": ("Cold start", "s"),
    "idle_timeout_s": ("Idle timeout", "s"),
    "purchase_usd": ("Purchase of a machine", "USD"),
    "owned_months": ("Months of use", "months"),
    "resale_usd": ("Resale", "USD"),
    "pue": ("PUE", "ratio"),
    "usd_per_kwh": ("Electricity", "USD per kWh"),
    "hosting_usd_per_month": ("Hosting", "USD a month"),
    "staff_hours_per_month": ("Staff", "hours a month"),
    "requests_per_month": ("Volume", "requests a month"),
}
"""Fields of a scenario that can be turned, with label and unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """An input that can be turned, with its range, in words."""

    name: str
    label: str
    unit: str
    band: Band
    basis: str
    """Where the range comes from."""
    is_assumption: bool = False

    @property
    def input(self) -> Input:
        """For a tornado."""
        return Input(name=self.name, low=self.band.low, mid=self.band.mid, high=self.band.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One option that follows its inputs."""

    fields: tuple[str, ...]
    """Fields of the scenario on which its cost hangs, the volume apart."""
    knobs: tuple[Knob, ...]
    """Bands of the data: prices and capacities."""
    curve: Callable[[Scenario, Mapping[str, float]], Curve | None]
    """At a scenario and at values of the knobs; None where the option is not to be had there."""


def api_way(book: PriceBook, scenario: Scenario, option: ApiOption) -> Way:
    """Token-priced APIs: for every request shape the median of the providers, moved within the band."""
    mid_usd = option.curves.mid.usd_per_request

    @cache
    def median_usd(workload: Workload, batch_fraction: float) -> float | None:
        found, _ = api_option(book, replace(scenario, **asdict(workload), batch_fraction=batch_fraction))
        return None if found is None else found.curves.mid.usd_per_request

    def curve(changed: Scenario, values: Mapping[str, float]) -> CostCurve | None:
        usd = median_usd(changed.workload, changed.batch_fraction)
        return None if usd is None else CostCurve(usd_per_request=usd * values["api_price"] / mid_usd)

    price = Knob(
        name="api_price",
        label="API price",
        unit="USD per request",
        band=_over(option.curves, lambda one: one.usd_per_request),
        basis=f"prices of {option.providers_text}",
    )
    return Way(fields=(*TOKENS, "cached_input_fraction", "batch_fraction"), knobs=(price,), curve=curve)


def today_way(book: PriceBook, scenario: Scenario, option: TodayOption) -> Way:
    """Today's API at its list prices; a bill that was typed in stays what it is per request."""
    if option.offer is None:
        return Way(fields=(), knobs=(), curve=lambda changed, values: option.curve)

    @cache
    def curve_of(workload: Workload, batch_fraction: float) -> CostCurve:
        return today_option(book, replace(scenario, **asdict(workload), batch_fraction=batch_fraction)).curve

    return Way(
        fields=(*TOKENS, "cached_input_fraction", "batch_fraction"),
        knobs=(),
        curve=lambda changed, values: curve_of(changed.workload, changed.batch_fraction),
    )


RateAt = Callable[[Scenario], float | None]
"""Requests per second of one replica of a fixed deployment, at the middle of the band; None where it cannot serve."""


def rented_way(scenario: Scenario, deployment: Deployment, *, key: str, rate_at: RateAt) -> Way:
    """One deployment, rented: its GPUs, engine and format stay, the number of its replicas follows."""
    price_name, rate_name = f"{key}_usd_per_gpu_hour", f"{key}_requests_per_s"
    rate_of = _remembered(rate_at)

    def curve(changed: Scenario, values: Mapping[str, float]) -> CostCurve | None:
        rate = rate_of(changed)
        if rate is None:
            return None
        return replica_curve(
            changed,
            gpus_per_replica=deployment.gpus_per_replica,
            usd_per_gpu_hour=values[price_name],
            requests_per_s=rate * values[rate_name] / deployment.requests_per_s.mid,
        )

    offers = deployment.offers
    price = Knob(
        name=price_name,
        label=f"GPU price, {deployment.short}",
        unit="USD per GPU-hour",
        band=deployment.usd_per_gpu_hour,
        basis=f"prices of {counted(len(offers), 'provider')}" if offers else "your price",
    )
    spot = ("spot_allowance_fraction",) if scenario.billing == "spot" else ()
    return Way(
        fields=(*TOKENS, "target_utilisation_fraction", "peak_to_mean", *spot),
        knobs=(price, _rate_knob(rate_name, deployment, deployment.requests_per_s)),
        curve=curve,
    )


def owned_way(scenario: Scenario, option: OwnedOption, *, rate_at: RateAt) -> Way:
    """Own machines: the replica that they hold stays."""
    served_by, rate_of = option.served_by, _remembered(rate_at)

    def curve(changed: Scenario, values: Mapping[str, float]) -> Curve | None:
        rate = rate_of(changed)
        if rate is None:
            return None
        moved = rate * values["owned_requests_per_s"] / option.requests_per_s.mid
        there = replace(served_by, requests_per_s=Band(low=moved, mid=moved, high=moved))
        # A cheaper purchase may fall below the resale, which then falls with it.
        sold = min(changed.resale_usd, changed.purchase_usd or 0.0)
        found, _ = owned_option(replace(changed, resale_usd=sold), gpu=option.gpu, replicas=[there])
        return None if found is None else found.curves.mid

    return Way(
        fields=(
            *TOKENS, "target_utilisation_fraction", "peak_to_mean", "purchase_usd", "owned_months", "resale_usd",
            "usd_per_kwh", "pue", "hosting_usd_per_month", "staff_hours_per_month",
        ),
        knobs=(_rate_knob("owned_requests_per_s", served_by, option.requests_per_s),),
        curve=curve,
    )  # fmt: skip


def _rate_knob(name: str, deployment: Deployment, band: Band) -> Knob:
    how = "predicted" if deployment.predicted else "measured" if deployment.capacity else "your"
    return Knob(
        name=name,
        label=f"Capacity, {deployment.short}",
        unit="requests/s",
        band=band,
        basis=f"{how} rate with its band",
    )


def _remembered(rate_at: RateAt) -> RateAt:
    """A map asks for thousands of points that differ in price and utilisation alone, on which no rate hangs."""
    known: dict[tuple[float, ...], float | None] = {}

    def remembered(changed: Scenario) -> float | None:
        tokens = (changed.input_tokens, changed.output_tokens, changed.thinking_tokens)
        if tokens not in known:
            known[tokens] = rate_at(changed)
        return known[tokens]

    return remembered


def _over(curves: CurveBand, of: Callable[[CostCurve], float]) -> Band:
    return Band(low=of(curves.low), mid=of(curves.mid), high=of(curves.high))


# --- fields of the scenario -------------------------------------------------------------------------------------------


def field_knobs(scenario: Scenario, names: Iterable[str], *, spread_fraction: float) -> Iterator[Knob]:
    """Inputs of which the data has no band, with the spread to both sides; none where there is nothing to spread."""
    for name in dict.fromkeys(names):
        band = _spread(name, getattr(scenario, name), spread_fraction)
        if band is not None and band.low < band.high:
            label, unit = FIELDS[name]
            points = f"{spread_fraction * 100:g} points" if name in SHARES else f"{spread_fraction:.0%}"
            yield Knob(
                name=name, label=label, unit=unit, band=band, basis=f"assumption: {points} to both sides",
                is_assumption=True,
            )  # fmt: skip


def _spread(name: str, value: float | None, spread_fraction: float) -> Band | None:
    if value is None:
        return None
    if name in SHARES:
        least = LEAST_UTILISATION if name == "target_utilisation_fraction" else 0.0
        return Band(
            low=min(value, max(least, value - spread_fraction)), mid=value, high=min(1.0, value + spread_fraction)
        )
    least = LEAST.get(name, 0.0)
    _, most = RANGES.get(name, (0, float("inf")))
    return Band(low=max(least, value * (1 - spread_fraction)), mid=value, high=min(most, value * (1 + spread_fraction)))


# --- two options ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Two options and everything that can be turned."""

    scenario: Scenario
    first: Way
    second: Way
    knobs: tuple[Knob, ...]

    def curves(self, values: Mapping[str, float]) -> tuple[Curve, Curve] | None:
        """Both curves at some values, all other inputs at their middle; None where one is not to be had there."""
        every = {knob.name: knob.band.mid for knob in self.knobs} | dict(values)
        changed = self._scenario(every)
        first, second = self.first.curve(changed, every), self.second.curve(changed, every)
        return None if first is None or second is None else (first, second)

    def saving_usd_per_month(self, values: Mapping[str, float]) -> float | None:
        """What the first option saves against the second at the volume; below 0 where it costs more."""
        curves = self.curves(values)
        if curves is None:
            return None
        requests = values.get("requests_per_month", self.scenario.requests_per_month)
        return curves[1].usd_per_month(requests) - curves[0].usd_per_month(requests)

    def pays_from(self, values: Mapping[str, float]) -> float | None:
        """First volume at which the first option is no dearer; None where it never is."""
        curves = self.curves(values)
        return None if curves is None else first_volume_where_no_dearer(*curves)

    def _scenario(self, every: Mapping[str, float]) -> Scenario:
        held = self.scenario
        return _moved(held, tuple((n, v) for n, v in every.items() if n in FIELDS and v != getattr(held, n)))


@lru_cache(maxsize=256)
def _moved(scenario: Scenario, values: tuple[tuple[str, float], ...]) -> Scenario:
    """Remembered, because the columns of a map differ in a price alone."""
    return replace(scenario, **dict(values)) if values else scenario  # type: ignore[arg-type]


def what_if(scenario: Scenario, first: Way, second: Way, *, spread_fraction: float) -> WhatIf:
    """Two options with the knobs of both: bands of the data first, then the fields of the scenario."""
    fields = (*first.fields, *second.fields, "requests_per_month")
    shared = (*first.knobs, *second.knobs, *field_knobs(scenario, fields, spread_fraction=spread_fraction))
    return WhatIf(scenario=scenario, first=first, second=second, knobs=shared)
