"""The options of a comparison, each built from rows of the catalogue: APIs, rented GPUs, today's bill."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log

from llmcompare.core.cost import (
    Band,
    CostCurve,
    MeasuredCapacity,
    TokenPrices,
    api_usd_per_request,
    price_band,
    rented_curve,
    requests_per_s,
)
from llmcompare.core.records import ApiOffer, Billing, Capacity, Gpu, GpuOffer, Model
from llmcompare.core.scenario import Scenario
from llmcompare.core.workload import Workload
from llmcompare.errors import InputError, UnknownIdError


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """The rows that a comparison for one model may use."""

    model: Model
    api_offers: Sequence[ApiOffer]
    """Newest rows of all models."""
    gpu_offers: Sequence[GpuOffer]
    """Newest rows of all GPUs, in any order."""
    gpus: Mapping[str, Gpu]
    capacities: Sequence[Capacity]
    """Measurements that apply to the model."""

    @property
    def proprietary(self) -> dict[str, ApiOffer]:
        """Offers that may be today's API, by offer id."""
        return proprietary_offers(self.api_offers)


def proprietary_offers(offers: Iterable[ApiOffer]) -> dict[str, ApiOffer]:
    """Offers that may be today's API, by offer id."""
    return {offer.offer_id: offer for offer in offers if offer.family == "proprietary"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveBand:
    """Monthly cost over volume at the favourable, the middle and the unfavourable end."""

    low: CostCurve
    mid: CostCurve
    high: CostCurve

    def usd_per_month(self, requests_per_month: float) -> Band:
        """Cost of the three curves at one volume."""
        low, mid, high = (c.usd_per_month(requests_per_month) for c in (self.low, self.mid, self.high))
        return Band(low=low, mid=mid, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedApiOffer:
    """One provider's cheapest listing of the model for this workload."""

    offer: ApiOffer
    usd_per_request: float
    usd_per_month: float
    cached_price_missing: bool
    """The workload reads from the cache, the offer lists no price for it: the input price is charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOption:
    """Token-priced APIs: the band runs over providers."""

    variant: str
    offers: tuple[PricedApiOffer, ...]
    """One per provider, cheapest first."""
    curves: CurveBand
    usd_per_month: Band
    other_variants: dict[str, int]
    """Listings that are kept apart, by variant."""
    too_short_count: int
    """Listings left out because their context is shorter than a request."""

    @property
    def without_cached_price_count(self) -> int:
        """Offers that charge the input price for input read from the cache, because they list no other."""
        return sum(offer.cached_price_missing for offer in self.offers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A model on a number of GPUs with a known output rate, priced at the list prices of one billing class."""

    gpu: Gpu
    gpus_per_replica: int
    engine: str
    weight_format: str | None
    capacity: Capacity | None
    """The measurement; None when the user gave the rate."""
    own_output_tokens_per_s: float | None
    requests_per_s: Band
    """Of one full replica, for this workload."""
    usd_per_gpu_hour: Band
    offers: tuple[GpuOffer, ...]
    """One per provider, cheapest first; empty with an own price."""
    larger_only_count: int
    """Providers left out because they offer the GPU only in machines that are larger than a replica."""
    curves: CurveBand
    usd_per_month: Band
    replicas: int
    """At the middle of the band."""
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
        return f"{self.gpus_per_replica} × {self.gpu.name.removeprefix(f'{self.gpu.vendor} ')}"

    @property
    def basis(self) -> str:
        """Where the capacity comes from."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayOption:
    """The bill at the API in use."""

    label: str
    offer: ApiOffer | None
    """None when the bill was typed in."""
    curve: CostCurve
    usd_per_month: float
    cached_price_missing: bool


def _priced(offer: ApiOffer, workload: Workload) -> PricedApiOffer:
    prices = TokenPrices(
        input_usd_per_mtok=offer.input_usd_per_mtok,
        output_usd_per_mtok=offer.output_usd_per_mtok,
        cached_input_usd_per_mtok=offer.cached_input_usd_per_mtok,
    )
    usd = api_usd_per_request(prices, workload)
    return PricedApiOffer(
        offer=offer,
        usd_per_request=usd,
        usd_per_month=usd * workload.requests_per_month,
        cached_price_missing=workload.cached_input_fraction > 0 and offer.cached_input_usd_per_mtok is None,
    )


def api_option(book: PriceBook, scenario: Scenario) -> tuple[ApiOption | None, str | None]:
    """Minimum, median and maximum over the providers of one variant, or why there is none."""
    listed = [offer for offer in book.api_offers if offer.model_id == book.model.model_id]
    if not listed:
        return None, f"no provider in the price table lists {book.model.display_name}"
    if too_long := _longer_than_context(book.model, scenario.workload):
        return None, too_long
    of_variant = [offer for offer in listed if offer.variant == scenario.api_variant]
    if not of_variant:
        names = ", ".join(sorted({offer.variant for offer in listed}))
        return None, f"{book.model.display_name} is not listed as variant {scenario.api_variant!r}, only as {names}"
    tokens = scenario.workload.tokens_per_request
    fitting = [offer for offer in of_variant if offer.context_tokens is None or offer.context_tokens >= tokens]
    if not fitting:
        return None, f"no provider takes requests of {tokens:,.0f} tokens for {book.model.display_name}"
    offers = _cheapest_per_provider(_priced(offer, scenario.workload) for offer in fitting)
    rates = price_band(offer.usd_per_request for offer in offers)
    curves = CurveBand(
        low=CostCurve(usd_per_request=rates.low),
        mid=CostCurve(usd_per_request=rates.mid),
        high=CostCurve(usd_per_request=rates.high),
    )
    return ApiOption(
        variant=scenario.api_variant,
        offers=offers,
        curves=curves,
        usd_per_month=curves.usd_per_month(scenario.requests_per_month),
        other_variants=dict(Counter(o.variant for o in listed if o.variant != scenario.api_variant)),
        too_short_count=len(of_variant) - len(fitting),
    ), None


def _longer_than_context(model: Model, workload: Workload) -> str | None:
    """Why the model cannot serve requests of this length; None where it can, or where its context is unknown."""
    tokens, context = workload.tokens_per_request, model.context_tokens
    if context is None or tokens <= context:
        return None
    return f"a request of {tokens:,.0f} tokens is longer than the context of {model.display_name}, {context:,} tokens"


def _cheapest_per_provider(offers: Iterable[PricedApiOffer]) -> tuple[PricedApiOffer, ...]:
    best: dict[str, PricedApiOffer] = {}
    for offer in sorted(offers, key=lambda priced: (priced.usd_per_request, priced.offer.row_id)):
        best.setdefault(offer.offer.provider, offer)
    return tuple(best.values())


def deployments(book: PriceBook, scenario: Scenario) -> tuple[list[Deployment], str | None]:
    """Everything that could be rented for the model, cheapest first at this workload, or why there is nothing."""
    if scenario.gpu is not None and scenario.gpu not in book.gpus:
        raise UnknownIdError("GPU", scenario.gpu, book.gpus)
    if too_long := _longer_than_context(book.model, scenario.workload):
        return [], too_long
    rows = _measurements(book, scenario)
    own = scenario.own_output_tokens_per_s is not None or scenario.own_usd_per_gpu_hour is not None
    if own and scenario.gpu is None and scenario.throughput_record is None:
        return [], "your own rate or price holds for one GPU: choose which"
    sites = _sites(book, scenario, rows)
    if not sites:
        on_gpu = f" on {scenario.gpu}" if scenario.gpu else ""
        return [], (
            f"the throughput table holds no measured serving rate of {book.model.display_name}{on_gpu}: "
            "choose a GPU and give your own rate"
        )
    found = [deployment for site in sites if (deployment := _deployment(book, scenario, site)) is not None]
    if not found:
        names = ", ".join(sorted({f"{site.gpus_per_replica} × {site.gpu.gpu_id}" for site in sites}))
        return [], f"no provider lists a price of class {scenario.billing} for {names}"
    return sorted(found, key=lambda d: (d.usd_per_month.mid, -d.requests_per_s.mid, d.label)), None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where a replica would run and what it serves there."""

    gpu: Gpu
    gpus_per_replica: int
    row: Capacity | None
    """None where the user's own rate counts and no measurement was chosen."""
    requests_per_s: Band


def _measurements(book: PriceBook, scenario: Scenario) -> Sequence[Capacity]:
    """The measurement that was chosen, or the one of each deployment whose request shape is nearest."""
    rows = [row for row in book.capacities if row.gpu_id in book.gpus]
    if scenario.throughput_record is None:
        return [row for row in _nearest_rows(rows, scenario.workload) if scenario.gpu in (None, row.gpu_id)]
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


def _sites(book: PriceBook, scenario: Scenario, rows: Sequence[Capacity]) -> list[_Site]:
    workload, own_rate = scenario.workload, scenario.own_output_tokens_per_s
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
            requests_per_s=Band(low=rate, mid=rate, high=rate),
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
    offers, larger_only_count = rentable(
        book.gpu_offers, gpu_id=site.gpu.gpu_id, billing=scenario.billing, gpu_count=site.gpus_per_replica
    )
    if own_price is None and not offers:
        return None
    price = price_band([own_price] if own_price is not None else [offer.usd_per_gpu_hour for offer in offers])

    def curve(usd_per_gpu_hour: float, replica_requests_per_s: float) -> CostCurve:
        return rented_curve(
            usd_per_gpu_hour=usd_per_gpu_hour,
            gpus_per_replica=site.gpus_per_replica,
            requests_per_s=replica_requests_per_s,
            target_utilisation_fraction=scenario.target_utilisation_fraction,
        )

    curves = CurveBand(
        low=curve(price.low, rate.high), mid=curve(price.mid, rate.mid), high=curve(price.high, rate.low)
    )
    replicas = curves.mid.replicas(scenario.requests_per_month)
    return Deployment(
        gpu=site.gpu,
        gpus_per_replica=site.gpus_per_replica,
        engine=row.engine if row else "your engine",
        weight_format=row.weight_format if row else None,
        capacity=row if scenario.own_output_tokens_per_s is None else None,
        own_output_tokens_per_s=scenario.own_output_tokens_per_s,
        requests_per_s=rate,
        usd_per_gpu_hour=price,
        offers=() if own_price is not None else offers,
        larger_only_count=0 if own_price is not None else larger_only_count,
        curves=curves,
        usd_per_month=curves.usd_per_month(scenario.requests_per_month),
        replicas=replicas,
        utilisation_fraction=scenario.workload.requests_per_s / (replicas * rate.mid),
    )


def today_option(book: PriceBook, scenario: Scenario) -> TodayOption:
    """Today's bill, typed in or at the listed prices of a proprietary API; it grows with the number of requests."""
    requests = scenario.requests_per_month
    if scenario.today_usd_per_month is not None:
        curve = CostCurve(usd_per_request=scenario.today_usd_per_month / requests)
        bill = scenario.today_usd_per_month
        return TodayOption(label="your bill", offer=None, curve=curve, usd_per_month=bill, cached_price_missing=False)
    offers = book.proprietary
    if scenario.today not in offers:
        raise UnknownIdError("API offer", scenario.today, offers)
    priced = _priced(offers[scenario.today], scenario.workload)
    return TodayOption(
        label=scenario.today,
        offer=priced.offer,
        curve=CostCurve(usd_per_request=priced.usd_per_request),
        usd_per_month=priced.usd_per_month,
        cached_price_missing=priced.cached_price_missing,
    )
