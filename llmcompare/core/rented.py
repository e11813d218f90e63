"""Rented GPUs as an option of a comparison: every deployment with a known serving rate, at list prices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log

from llmcompare.core.cost import Band, MeasuredCapacity, exactly, price_band, requests_per_s
from llmcompare.core.curves import CostCurve, CurveBand, paid_hours, rented_curve
from llmcompare.core.options import PredictedCapacity, PriceBook, longer_than_context
from llmcompare.core.records import Billing, Capacity, Gpu, GpuOffer
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import rounded
from llmcompare.core.workload import Workload
from llmcompare.errors import InputError, UnknownIdError


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A model on a number of GPUs with a known output rate, priced at the list prices of one billing class."""

    gpu: Gpu
    gpus_per_replica: int
    engine: str
    weight_format: str | None
    capacity: Capacity | None
    """The measurement; None when the user gave the rate, or where it is predicted."""
    predicted: PredictedCapacity | None
    """None when the rate is measured or given."""
    own_output_tokens_per_s: float | None
    requests_per_s: Band
    """Of one full replica, for this workload."""
    usd_per_gpu_hour: Band
    offers: tuple[GpuOffer, ...]
    """One per provider, cheapest first; empty with an own price."""
    larger_only_count: int
    """Providers left out because they offer the GPU only in machines that are larger than a replica."""
    curves: CurveBand[CostCurve]
    usd_per_month: Band
    replicas: int
    """In the busiest hours, spare ones included, at the middle of the band."""
    utilisation_fraction: float
    """Mean share of the middle capacity that the workload uses."""

    @property
    def label(self) -> str:
        """As the table and the chart name it."""
        form = f" · {self.weight_format}" if self.weight_format else ""
        return f"{self.gpus_per_replica} × {self.gpu.name} · {self.engine}{form}"

    @property
    def short(self) -> str:
        """GPUs alone, for sentences."""
        return f"{self.gpus_per_replica} × {self.gpu.name_without_vendor}"

    @property
    def basis(self) -> str:
        """Where the capacity comes from."""
        if self.predicted is not None:
            rate, error = self.predicted.requests_per_s.mid, self.predicted.error.removeprefix("predicted: ")
            return (
                f"predicted: {self.predicted.sequences:,.0f} requests at a time give {rounded(rate):g} requests/s; "
                f"{error.rstrip('.')}"
            )
        if self.capacity is None:
            return f"{self.own_output_tokens_per_s:g} output tokens/s, given by you"
        row = self.capacity
        same = row.measured_model_id == row.model_id
        on = "" if same else f" on {row.measured_model_id}, which has the same architecture,"
        load = row.scenario if row.concurrency is None else f"{row.concurrency:g} requests at a time"
        return (
            f"measured{on} by {row.measured_by}, {row.as_of or 'undated'}: {row.output_tokens_per_s:,.0f} output "
            f"tokens/s at {row.input_tokens:,.0f} → {row.output_tokens:,.0f} tokens, {load} ({row.record_id})"
        )


def deployments(book: PriceBook, scenario: Scenario) -> tuple[list[Deployment], str | None]:
    """Everything that could be rented for the model, cheapest first at this workload, or why there is nothing."""
    if scenario.gpu is not None and scenario.gpu not in book.gpus:
        raise UnknownIdError("GPU", scenario.gpu, book.gpus)
    if too_long := longer_than_context(book.model, scenario.workload):
        return [], too_long
    if scenario.throughput_record is not None and scenario.has_latency_limit:
        return [], "a published rate says nothing about a latency limit: leave the measurement or the limit out"
    rows = _measurements(book, scenario)
    own = scenario.own_output_tokens_per_s is not None or scenario.own_usd_per_gpu_hour is not None
    if own and scenario.gpu is None and scenario.throughput_record is None:
        return [], "your own rate or price holds for one GPU: choose which"
    sites = _sites(book, scenario, rows)
    if not sites:
        on_gpu = f" on {scenario.gpu}" if scenario.gpu else ""
        return [], book.predicted_missing or (
            f"no serving rate of {book.model.display_name}{on_gpu} is measured or can be predicted for what is asked: "
            "choose a GPU and give your own rate"
        )
    found = [deployment for site in sites if (deployment := _deployment(book, scenario, site)) is not None]
    if not found:
        names = ", ".join(sorted({f"{site.gpus_per_replica} × {site.gpu.gpu_id}" for site in sites}))
        asked = {site.gpu.gpu_id for site in sites}
        larger = any(o.is_own and o.billing == scenario.billing and o.gpu_id in asked for o in book.gpu_offers)
        hint = ": your own price is of a machine with more GPUs than one replica has" if larger else ""
        return [], f"no provider lists a price of class {scenario.billing} for {names}{hint}"
    return sorted(found, key=lambda d: (d.usd_per_month.mid, -d.requests_per_s.mid, d.label)), None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where a replica would run and what it serves there."""

    gpu: Gpu
    gpus_per_replica: int
    row: Capacity | None
    """None where the user's own rate counts and no measurement was chosen, and where the rate is predicted."""
    requests_per_s: Band
    predicted: PredictedCapacity | None = None


def _measurements(book: PriceBook, scenario: Scenario) -> Sequence[Capacity]:
    """The measurement that was chosen, or the one of each deployment whose request shape is nearest."""
    rows = [row for row in book.capacities if row.gpu_id in book.gpus]
    if scenario.throughput_record is None:
        fitting = [row for row in rows if _is_asked_for(row, scenario)]
        return _nearest_rows(fitting, scenario.workload)
    chosen = [row for row in rows if row.record_id == scenario.throughput_record]
    if not chosen:
        known = [row.record_id for row in rows]
        raise UnknownIdError(f"throughput record of {book.model.model_id}", scenario.throughput_record, known)
    if scenario.gpu not in (None, chosen[0].gpu_id):
        raise InputError(
            f"throughput record {scenario.throughput_record!r} was measured on {chosen[0].gpu_id}, and gpu is "
            f"{scenario.gpu!r}: leave one of them out."
        )
    return chosen


def _is_asked_for(one: Capacity | PredictedCapacity, scenario: Scenario) -> bool:
    """Whether the GPU, the engine and the format are those asked for, where any are."""
    return all(
        asked in (None, held)
        for asked, held in (
            (scenario.gpu, one.gpu_id),
            (scenario.engine, one.engine),
            (scenario.weight_format, one.weight_format),
        )
    )


def measured_rates(book: PriceBook, scenario: Scenario) -> list[tuple[Capacity, Band]]:
    """Requests per second of one replica of every deployment that was measured and is asked for, no price needed."""
    rows = [row for row in book.capacities if row.gpu_id in book.gpus and _is_asked_for(row, scenario)]
    return [(row, requests_per_s(_measured(row), scenario.workload)) for row in _nearest_rows(rows, scenario.workload)]


def needs_prediction(capacities: Sequence[Capacity], scenario: Scenario) -> bool:
    """Whether published serving rates do not answer: a limit on latency or load, or none of what is asked for.

    A rate of the user's own, or a measurement that was chosen, always answers.
    """
    if scenario.own_output_tokens_per_s is not None or scenario.throughput_record is not None:
        return False
    asked = scenario.capacity_basis == "predicted" or scenario.has_latency_limit or scenario.concurrency is not None
    return asked or not any(_is_asked_for(row, scenario) for row in capacities)


def _sites(book: PriceBook, scenario: Scenario, rows: Sequence[Capacity]) -> list[_Site]:
    workload, own_rate = scenario.workload, scenario.own_output_tokens_per_s
    if needs_prediction(book.capacities, scenario):
        return [
            _Site(
                gpu=book.gpus[one.gpu_id],
                gpus_per_replica=one.gpu_count,
                row=None,
                requests_per_s=one.requests_per_s,
                predicted=one,
            )
            for one in book.predicted
            if _is_asked_for(one, scenario)
        ]
    if own_rate is None:
        return [
            _Site(
                gpu=book.gpus[row.gpu_id],
                gpus_per_replica=row.gpu_count,
                row=row,
                requests_per_s=requests_per_s(_measured(row), workload),
            )
            for row in rows
        ]
    if workload.billed_output_tokens == 0:
        raise InputError("own_output_tokens_per_s says nothing about requests without output tokens: leave it out.")
    row = rows[0] if scenario.throughput_record is not None else None
    gpu_id = row.gpu_id if row is not None else scenario.gpu
    rate = own_rate / workload.billed_output_tokens
    return [
        _Site(
            gpu=book.gpus[str(gpu_id)],
            gpus_per_replica=row.gpu_count if row is not None else scenario.gpus_per_replica,
            row=row,
            requests_per_s=exactly(rate),
        )
    ]


def _measured(row: Capacity) -> MeasuredCapacity:
    return MeasuredCapacity(
        output_tokens_per_s=row.output_tokens_per_s, input_tokens=row.input_tokens, output_tokens=row.output_tokens
    )


def _nearest_rows(rows: Sequence[Capacity], workload: Workload) -> list[Capacity]:
    """Per deployment, the measurement whose request shape is nearest to the workload's; the fastest of several."""

    def deployment(row: Capacity) -> tuple[str, int, str, str]:
        return row.gpu_id, row.gpu_count, row.engine, row.weight_format or ""

    def distance(row: Capacity) -> tuple[float, float, str]:
        shape = abs(log(max(workload.input_tokens, 1) / row.input_tokens)) + abs(
            log(max(workload.billed_output_tokens, 1) / row.output_tokens)
        )
        return shape, -row.output_tokens_per_s, row.record_id

    return [min(group, key=distance) for _, group in groupby(sorted(rows, key=deployment), key=deployment)]


def rentable(
    offers: Iterable[GpuOffer], *, gpu_id: str, billing: Billing, gpu_count: int
) -> tuple[tuple[GpuOffer, ...], int]:
    """Per provider the cheapest machine with at most this many GPUs, and how many providers offer only larger ones."""
    best: dict[str, GpuOffer] = {}
    providers = set()
    for offer in sorted(offers, key=lambda offer: (offer.usd_per_gpu_hour, offer.row_id)):
        if offer.gpu_id == gpu_id and offer.billing == billing:
            providers.add(offer.provider)
            if offer.gpu_count <= gpu_count:
                best.setdefault(offer.provider, offer)
    return tuple(best.values()), len(providers) - len(best)


def _deployment(book: PriceBook, scenario: Scenario, site: _Site) -> Deployment | None:
    """None where nobody lists a price."""
    own_price, row, rate = scenario.own_usd_per_gpu_hour, site.row, site.requests_per_s
    basis = site.row or site.predicted
    offers, larger_only_count = rentable(
        book.gpu_offers, gpu_id=site.gpu.gpu_id, billing=scenario.billing, gpu_count=site.gpus_per_replica
    )
    if own_price is None and not offers:
        return None
    price = price_band([own_price] if own_price is not None else [offer.usd_per_gpu_hour for offer in offers])

    def curve(usd_per_gpu_hour: float, replica_requests_per_s: float) -> CostCurve:
        return replica_curve(
            scenario,
            gpus_per_replica=site.gpus_per_replica,
            usd_per_gpu_hour=usd_per_gpu_hour,
            requests_per_s=replica_requests_per_s,
        )

    curves = CurveBand(
        low=curve(price.low, rate.high), mid=curve(price.mid, rate.mid), high=curve(price.high, rate.low)
    )
    replicas = curves.mid.replicas(scenario.requests_per_month)
    return Deployment(
        gpu=site.gpu,
        gpus_per_replica=site.gpus_per_replica,
        engine=basis.engine if basis else "your engine",
        weight_format=basis.weight_format if basis else None,
        capacity=row if scenario.own_output_tokens_per_s is None else None,
        predicted=site.predicted,
        own_output_tokens_per_s=scenario.own_output_tokens_per_s,
        requests_per_s=rate,
        usd_per_gpu_hour=price,
        offers=() if own_price is not None else offers,
        larger_only_count=0 if own_price is not None else larger_only_count,
        curves=curves,
        usd_per_month=curves.usd_per_month(scenario.requests_per_month),
        replicas=replicas,
        utilisation_fraction=scenario.workload.requests_per_s / (_mean_replicas(curves.mid, scenario) * rate.mid),
    )


def replica_curve(
    scenario: Scenario, *, gpus_per_replica: int, usd_per_gpu_hour: float, requests_per_s: float
) -> CostCurve:
    """Monthly cost of replicas that run as the scenario says, at one price and one capacity."""
    return rented_curve(
        usd_per_gpu_hour=usd_per_gpu_hour,
        gpus_per_replica=gpus_per_replica,
        requests_per_s=requests_per_s,
        target_utilisation_fraction=scenario.target_utilisation_fraction,
        hours=paid_hours(scenario.spread, scenario.running),
        min_replicas=scenario.min_replicas,
        spare_replicas=scenario.spare_replicas,
        cost_factor=1 + scenario.spot_allowance_fraction if scenario.billing == "spot" else 1.0,
    )


def rate_at(deployment: Deployment, workload: Workload) -> Band | None:
    """Requests per second of the same replica for requests of another shape; None where it would be predicted anew."""
    if deployment.capacity is not None:
        return requests_per_s(_measured(deployment.capacity), workload)
    if deployment.own_output_tokens_per_s is None or workload.billed_output_tokens == 0:
        return None
    rate = deployment.own_output_tokens_per_s / workload.billed_output_tokens
    return exactly(rate)


def _mean_replicas(curve: CostCurve, scenario: Scenario) -> float:
    """That run over the hours of the month."""
    requests = scenario.requests_per_month
    shares = [share for share, rate in paid_hours(scenario.spread, scenario.running) if rate > 0]
    running = [max(curve.min_replicas, group.needed(requests)) + curve.spare_replicas for group in curve.groups]
    quiet = (1 - sum(shares)) * (curve.min_replicas + curve.spare_replicas)
    return quiet + sum(share * count for share, count in zip(shares, running, strict=True))
