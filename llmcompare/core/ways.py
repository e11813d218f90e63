"""Each option of a comparison as a function of its inputs: prices, capacities, tokens, shares."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TypeVar

from llmcompare.core.cost import Band, exactly, price_band
from llmcompare.core.curves import CostCurve, Curve, CurveBand, Floats
from llmcompare.core.knobs import TOKENS, Knob
from llmcompare.core.options import ApiOption, PriceBook, TodayOption, api_option, today_option
from llmcompare.core.owned import OwnedOption, owned_option
from llmcompare.core.rented import Deployment, replica_curve
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_option import ServerlessOption
from llmcompare.core.units import counted
from llmcompare.core.workload import Workload

Found = TypeVar("Found")


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
        # The workload is in tokens of the model already.
        found, _ = api_option(book, replace(scenario.as_typed, **asdict(workload), batch_fraction=batch_fraction))
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
        asked = replace(scenario.as_typed, **asdict(workload), batch_fraction=batch_fraction)
        return today_option(book, asked).curve

    return Way(
        fields=(*TOKENS, "cached_input_fraction", "batch_fraction"),
        knobs=(),
        curve=lambda changed, values: curve_of(changed.as_typed.workload, changed.batch_fraction),
    )


RateAt = Callable[[Scenario], float | None]
"""Requests per second of one replica of a fixed deployment, at the middle of the band; None where it cannot serve."""
TimesAt = Callable[[Scenario], tuple[float, float] | None]
"""Seconds of a request that has a serverless worker for itself, and in a full one; None where it cannot serve."""


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
        label=f"GPU price{_of(key)}",
        unit="USD per GPU-hour",
        band=deployment.usd_per_gpu_hour,
        basis=f"prices of {counted(len(offers), 'provider')}" if offers else "your price",
    )
    spot = ("spot_allowance_fraction",) if scenario.billing == "spot" else ()
    return Way(
        fields=(*TOKENS, "target_utilisation_fraction", "peak_to_mean", *spot),
        knobs=(price, _rate_knob(rate_name, deployment, deployment.requests_per_s, label=f"Capacity{_of(key)}")),
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
        there = replace(served_by, requests_per_s=exactly(moved))
        # A cheaper purchase may fall below the resale, which then falls with it.
        sold = min(changed.resale_usd, changed.purchase_usd or 0.0)
        found, _ = owned_option(replace(changed, resale_usd=sold), gpu=option.gpu, replicas=[there])
        return None if found is None else found.curves.mid

    return Way(
        fields=(
            *TOKENS, "target_utilisation_fraction", "peak_to_mean", "purchase_usd", "owned_months", "resale_usd",
            "usd_per_kwh", "pue", "hosting_usd_per_month", "staff_hours_per_month",
        ),
        knobs=(_rate_knob("owned_requests_per_s", served_by, option.requests_per_s, label="Capacity, own"),),
        curve=curve,
    )  # fmt: skip


def serverless_way(scenario: Scenario, option: ServerlessOption, *, times_at: TimesAt) -> Way:
    """Serverless workers of the same kind."""
    times_of, middle = _remembered(times_at), option.curves.mid
    price = price_band(plan.usd_per_worker_hour for plan in option.plans)

    @cache
    def at(
        times_s: tuple[float, float], cold_start_s: float, idle_timeout_s: float | None
    ) -> tuple[Curve, Callable[[float], float]]:
        given = {"cold_start_s": cold_start_s} | ({} if idle_timeout_s is None else {"idle_timeout_s": idle_timeout_s})
        plans = tuple(replace(plan, **given) for plan in option.plans)  # type: ignore[arg-type]
        found = replace(middle, plans=plans, alone_s=times_s[0], full_s=times_s[1])
        return found, cache(found.usd_per_month)

    def curve(changed: Scenario, values: Mapping[str, float]) -> Curve | None:
        times = times_of(changed)
        if times is None:
            return None
        slower = values["serverless_service_s"] / option.service_s.mid
        moved_s = (times[0] * slower, times[1] * slower)
        found, usd_of = at(moved_s, changed.cold_start_s, changed.idle_timeout_s)
        return Scaled(curve=found, usd_of=usd_of, factor=values["serverless_usd_per_worker_hour"] / price.mid)

    return Way(
        fields=(*TOKENS, "cold_start_s", "idle_timeout_s"),
        knobs=(
            Knob(
                name="serverless_usd_per_worker_hour",
                label="Serverless price",
                unit="USD per worker-hour",
                band=price,
                basis=f"prices of {counted(len(option.plans), 'provider')}",
            ),
            Knob(
                name="serverless_service_s",
                label="Serverless time of a request",
                unit="s",
                band=option.service_s,
                basis="predicted with its band",
            ),
        ),
        curve=curve,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A curve at prices that are higher or lower alike."""

    curve: Curve
    usd_of: Callable[[float], float]
    """Its cost at a volume, remembered: a map asks for one volume thousands of times."""
    factor: float

    def usd_per_month(self, requests_per_month: float) -> float:
        """US dollars for a month with this many requests."""
        return self.factor * self.usd_of(requests_per_month)

    def usd_at(self, requests_per_month: Floats) -> Floats:
        """The same for many volumes at once."""
        return self.factor * self.curve.usd_at(requests_per_month)


def _of(key: str) -> str:
    """Which of two rented options, where it is not the first."""
    return ", for growth" if key == "rented_at_scale" else ""


def _rate_knob(name: str, deployment: Deployment, band: Band, *, label: str) -> Knob:
    how = "predicted" if deployment.predicted else "measured" if deployment.capacity else "your"
    return Knob(
        name=name,
        label=label,
        unit="requests/s",
        band=band,
        basis=f"{how} rate with its band",
    )


def _remembered(found_at: Callable[[Scenario], Found]) -> Callable[[Scenario], Found]:
    """A map asks for thousands of points that differ in price and utilisation alone, on which no rate hangs."""
    known: dict[tuple[float, ...], Found] = {}

    def remembered(changed: Scenario) -> Found:
        tokens = (changed.input_tokens, changed.output_tokens, changed.thinking_tokens)
        if tokens not in known:
            known[tokens] = found_at(changed)
        return known[tokens]

    return remembered


def _over(curves: CurveBand[CostCurve], of: Callable[[CostCurve], float]) -> Band:
    return Band(low=of(curves.low), mid=of(curves.mid), high=of(curves.high))
