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
from llmcompare.core.records import ApiOffer, Capacity, Gpu, GpuOffer, Model
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
    """Present prices of all GPUs."""
    gpus: Mapping[str, Gpu]
    capacities: Sequence[Capacity]
    """Measurements that apply to the model."""

    @property
    def proprietary(self) -> dict[str, ApiOffer]:
        """Offers that may be today's API, by offer id."""
        return {offer.offer_id: offer for offer in self.api_offers if offer.family == "proprietary"}


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
            return "capacity: given by you"
        measured, same = self.capacity, self.capacity.measured_model_id == self.capacity.model_id
        on = "" if same else f" on {measured.measured_model_id}, which has the same architecture"
        return (
            f"measured{on} by {measured.measured_by}, {measured.as_of or 'undated'}: "
            f"{measured.output_tokens_per_s:,.0f} output tokens/s "
            f"at {measured.input_tokens:,.0f} → {measured.output_tokens:,.0f} tokens ({measured.record_id})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayOption:
    """The bill at the API in use."""

    label: str
    offer: ApiOffer | None
    """None when the bill was typed in."""
    curve: CostCurve
    usd_per_month: float


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
    of_variant = [offer for offer in listed if offer.variant == scenario.api_variant]
    if not of_variant:
        names = ", ".join(sorted({offer.variant for offer in listed}))
        return None, f"{book.model.display_name} is not listed as variant {scenario.api_variant!r}, only as {names}"
    offers = _cheapest_per_provider(_priced(offer, scenario.workload) for offer in of_variant)
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
    ), None


def _cheapest_per_provider(offers: Iterable[PricedApiOffer]) -> tuple[PricedApiOffer, ...]:
    best: dict[str, PricedApiOffer] = {}
    for offer in sorted(offers, key=lambda priced: (priced.usd_per_request, priced.offer.row_id)):
        best.setdefault(offer.offer.provider, offer)
    return tuple(best.values())


def deployments(book: PriceBook, scenario: Scenario) -> tuple[list[Deployment], str | None]:
    """Everything that could be rented for the model, cheapest first at this workload, or why there is nothing."""
    rows = book.capacities
    if scenario.gpu is not None and scenario.gpu not in book.gpus:
        raise UnknownIdError("GPU", scenario.gpu, book.gpus)
    if scenario.throughput_record is not None:
        chosen = [row for row in rows if row.record_id == scenario.throughput_record]
        if not chosen:
            known = [row.record_id for row in rows]
            raise UnknownIdError(f"throughput record of {book.model.model_id}", scenario.throughput_record, known)
    else:
        chosen = [row for row in _nearest_rows(rows, scenario.workload) if scenario.gpu in (None, row.gpu_id)]
    if not chosen:
        return _unmeasured(book, scenario)
    found = [
        deployment
        for row in chosen
        if row.gpu_id in book.gpus
        and (deployment := _deployment(book, scenario, book.gpus[row.gpu_id], row.gpu_count, row)) is not None
    ]
    if not found:
        names = ", ".join(sorted({row.gpu_id for row in chosen}))
        return [], f"no provider lists a price of class {scenario.billing} for {names}"
    return sorted(found, key=lambda d: (d.usd_per_month.mid, -d.requests_per_s.mid, d.label)), None


def _unmeasured(book: PriceBook, scenario: Scenario) -> tuple[list[Deployment], str | None]:
    on_gpu = f" on {scenario.gpu}" if scenario.gpu else ""
    if scenario.own_output_tokens_per_s is None:
        return [], (
            f"the throughput table holds no measured serving rate of {book.model.display_name}{on_gpu}; "
            "choose a GPU and give your own rate"
        )
    if scenario.gpu is None:
        return [], f"the throughput table does not say on which GPU {book.model.display_name} runs; choose one"
    own = _deployment(book, scenario, book.gpus[scenario.gpu], scenario.gpus_per_replica, None)
    if own is None:
        return [], f"no provider lists a price of class {scenario.billing} for {scenario.gpu}"
    return [own], None


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


def _deployment(
    book: PriceBook, scenario: Scenario, gpu: Gpu, gpus_per_replica: int, row: Capacity | None
) -> Deployment | None:
    offers = tuple(o for o in book.gpu_offers if o.gpu_id == gpu.gpu_id and o.billing == scenario.billing)
    own_price = scenario.own_usd_per_gpu_hour
    if own_price is None and not offers:
        return None
    price = price_band([own_price] if own_price is not None else [offer.usd_per_gpu_hour for offer in offers])
    rate = _requests_per_s(scenario, row)

    def curve(usd_per_gpu_hour: float, replica_requests_per_s: float) -> CostCurve:
        return rented_curve(
            usd_per_gpu_hour=usd_per_gpu_hour,
            gpus_per_replica=gpus_per_replica,
            requests_per_s=replica_requests_per_s,
            target_utilisation_fraction=scenario.target_utilisation_fraction,
        )

    curves = CurveBand(
        low=curve(price.low, rate.high), mid=curve(price.mid, rate.mid), high=curve(price.high, rate.low)
    )
    replicas = curves.mid.replicas(scenario.requests_per_month)
    return Deployment(
        gpu=gpu,
        gpus_per_replica=gpus_per_replica,
        engine=row.engine if row else "your engine",
        weight_format=row.weight_format if row else None,
        capacity=None if scenario.own_output_tokens_per_s is not None else row,
        own_output_tokens_per_s=scenario.own_output_tokens_per_s,
        requests_per_s=rate,
        usd_per_gpu_hour=price,
        offers=() if own_price is not None else offers,
        curves=curves,
        usd_per_month=curves.usd_per_month(scenario.requests_per_month),
        replicas=replicas,
        utilisation_fraction=scenario.workload.requests_per_s / (replicas * rate.mid),
    )


def _requests_per_s(scenario: Scenario, row: Capacity | None) -> Band:
    workload, own = scenario.workload, scenario.own_output_tokens_per_s
    if own is not None:
        if workload.billed_output_tokens == 0:
            raise InputError("own_output_tokens_per_s says nothing about requests without output tokens: leave it out.")
        rate = own / workload.billed_output_tokens
        return Band(low=rate, mid=rate, high=rate)
    if row is None:
        raise InputError("a deployment needs a measurement or your own rate.")
    measured = MeasuredCapacity(
        output_tokens_per_s=row.output_tokens_per_s, input_tokens=row.input_tokens, output_tokens=row.output_tokens
    )
    return requests_per_s(measured, workload)


def today_option(book: PriceBook, scenario: Scenario) -> TodayOption:
    """Today's bill, typed in or at the listed prices of a proprietary API; it grows with the number of requests."""
    requests = scenario.requests_per_month
    if scenario.today_usd_per_month is not None:
        curve = CostCurve(usd_per_request=scenario.today_usd_per_month / requests)
        return TodayOption(label="your bill", offer=None, curve=curve, usd_per_month=scenario.today_usd_per_month)
    offers = book.proprietary
    if scenario.today not in offers:
        raise UnknownIdError("API offer", scenario.today, offers)
    priced = _priced(offers[scenario.today], scenario.workload)
    return TodayOption(
        label=scenario.today,
        offer=priced.offer,
        curve=CostCurve(usd_per_request=priced.usd_per_request),
        usd_per_month=priced.usd_per_month,
    )
