"""The rows that a comparison may use, and two of its options: token-priced APIs and today's bill."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llmcompare.core.cost import Band, TokenPrices, api_usd_per_request, price_band
from llmcompare.core.curves import CostCurve, CurveBand
from llmcompare.core.records import YOURS, ApiOffer, Capacity, Gpu, GpuOffer, Model
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import counted
from llmcompare.core.workload import Workload
from llmcompare.errors import UnknownIdError

GIVEN_ROW_ID = "given with the workload"
"""Of prices that stand in the scenario and in no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedCapacity:
    """What one replica serves of this workload as predicted, on the fewest equal GPUs that hold the model."""

    gpu_id: str
    gpu_count: int
    engine: str
    weight_format: str
    requests_per_s: Band
    """10th percentile, value and 90th percentile of the prediction."""
    sequences: float
    """Requests at once."""
    error: str
    """How wrong such predictions were, in a sentence."""


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
    predicted: Sequence[PredictedCapacity] = ()
    """Predictions for the model and the workload; none where measurements serve."""
    predicted_missing: str | None = None
    """Why there is none where one is needed."""
    doubts: Mapping[str, str] = field(default_factory=dict)
    """What is odd about API offers that look wrong, by row; they count only where their provider is chosen."""

    @property
    def proprietary(self) -> dict[str, ApiOffer]:
        """Offers that may be today's API, by offer id."""
        return proprietary_offers(self.api_offers)


def proprietary_offers(offers: Iterable[ApiOffer]) -> dict[str, ApiOffer]:
    """Offers that may be today's API, by offer id."""
    return {offer.offer_id: offer for offer in offers if offer.family == "proprietary"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedApiOffer:
    """One provider's cheapest listing of the model for this workload."""

    offer: ApiOffer
    usd_per_request: float
    usd_per_month: float
    cached_price_missing: bool
    """The workload reads from the cache, the offer lists no price for it: the input price is charged."""
    batch_price_missing: bool
    """Requests can wait, the offer lists no batch price: they are charged the full one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOption:
    """Token-priced APIs: the band runs over providers."""

    variant: str
    offers: tuple[PricedApiOffer, ...]
    """One per provider, cheapest first."""
    curves: CurveBand[CostCurve]
    usd_per_month: Band
    other_variants: dict[str, int]
    """Listings that are kept apart, by variant."""
    too_short_count: int
    """Listings left out because their context is shorter than a request."""
    beyond_base_price_count: int
    """Listings left out because their price holds for shorter requests only, and the table does not say the other."""
    doubted: Mapping[str, str]
    """Listings whose price looks wrong, by id, with what is odd: left out, or used because their provider is chosen."""

    @property
    def providers_text(self) -> str:
        """Whose prices these are, for a sentence: your price, the one provider, or how many there are."""
        if len(self.offers) > 1:
            are_own = all(priced.offer.is_own for priced in self.offers)
            return f"{len(self.offers)} prices of yours" if are_own else counted(len(self.offers), "provider")
        offer = self.offers[0].offer
        if not offer.is_own:
            return offer.provider
        return "your price" if offer.provider == YOURS else f"your price at {offer.provider}"

    @property
    def without_cached_price_count(self) -> int:
        """Offers that charge the input price for input read from the cache, because they list no other."""
        return sum(offer.cached_price_missing for offer in self.offers)

    @property
    def without_batch_price_count(self) -> int:
        """Offers that charge requests which can wait the full price, because they list no other."""
        return sum(offer.batch_price_missing for offer in self.offers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayOption:
    """The bill at the API in use."""

    label: str
    offer: ApiOffer | None
    """None when the bill was typed in."""
    curve: CostCurve
    usd_per_month: float
    cached_price_missing: bool
    batch_price_missing: bool = False
    beyond_base_price: bool = False
    """The list asks more for requests as long as these; the price of shorter ones is charged."""


def token_prices(offer: ApiOffer) -> TokenPrices:
    """What an offer asks per million tokens."""
    return TokenPrices(
        input_usd_per_mtok=offer.input_usd_per_mtok,
        output_usd_per_mtok=offer.output_usd_per_mtok,
        cached_input_usd_per_mtok=offer.cached_input_usd_per_mtok,
        batch_discount_fraction=offer.batch_discount_fraction,
        cached_in_batch=offer.cached_in_batch,
    )


def _priced(offer: ApiOffer, scenario: Scenario) -> PricedApiOffer:
    workload = scenario.workload
    usd = api_usd_per_request(token_prices(offer), workload, batch_fraction=scenario.batch_fraction)
    return PricedApiOffer(
        offer=offer,
        usd_per_request=usd,
        usd_per_month=usd * workload.requests_per_month,
        cached_price_missing=workload.cached_input_fraction > 0 and offer.cached_input_usd_per_mtok is None,
        batch_price_missing=scenario.batch_fraction > 0 and offer.batch_discount_fraction is None,
    )


def api_option(book: PriceBook, scenario: Scenario) -> tuple[ApiOption | None, str | None]:
    """Minimum, median and maximum over the providers of one variant, or why there is none.

    The user's own prices stand in for the list, and a chosen provider for all of them. Raises UnknownIdError for a
    provider that the price table does not know.
    """
    listed, missing = _own_offer(book.model, scenario) if _has_own_prices(scenario) else _listed(book, scenario)
    if missing or (missing := longer_than_context(book.model, scenario.workload)):
        return None, missing
    of_variant = [offer for offer in listed if offer.variant == scenario.api_variant]
    if not of_variant:
        names = ", ".join(sorted({offer.variant for offer in listed}))
        return None, f"{book.model.display_name} is not listed as variant {scenario.api_variant!r}, only as {names}"
    tokens = scenario.workload.tokens_per_request
    fitting = [offer for offer in of_variant if offer.context_tokens is None or offer.context_tokens >= tokens]
    if not fitting:
        return None, f"no provider takes requests of {tokens:,.0f} tokens for {book.model.display_name}"
    known = [offer for offer in fitting if not _is_beyond_base_price(offer, scenario)]
    if not known:
        return None, f"the prices of {book.model.display_name} in the table hold for shorter requests only"
    doubted = {offer.offer_id: book.doubts[offer.row_id] for offer in known if offer.row_id in book.doubts}
    counted_in = [one for one in known if one.offer_id not in doubted or scenario.api_provider == one.provider]
    if not counted_in:
        name, doubt = next(iter(doubted.items()))
        return (
            None,
            f"only {name} has a price, and it looks wrong: {doubt}; choose the provider to use it",
        )
    offers = _cheapest_per_provider(_priced(offer, scenario) for offer in counted_in)
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
        beyond_base_price_count=len(fitting) - len(known),
        doubted=doubted,
    ), None


def _listed(book: PriceBook, scenario: Scenario) -> tuple[list[ApiOffer], str | None]:
    """The listings of the model, those of one provider where one is chosen, or why there are none."""
    name, provider = book.model.display_name, scenario.api_provider
    listed = [offer for offer in book.api_offers if offer.model_id == book.model.model_id]
    if not listed:
        return [], f"no provider in the price table lists {name}"
    if provider is None:
        return listed, None
    if provider not in (known := {offer.provider for offer in book.api_offers}):
        raise UnknownIdError("API provider", provider, known)
    found = [offer for offer in listed if offer.provider == provider]
    others = ", ".join(sorted({offer.provider for offer in listed}))
    return found, None if found else f"{provider} lists no price for {name}; these do: {others}"


def _has_own_prices(scenario: Scenario) -> bool:
    return any(
        price is not None
        for price in (
            scenario.own_input_usd_per_mtok,
            scenario.own_cached_input_usd_per_mtok,
            scenario.own_output_usd_per_mtok,
        )
    )


def _own_offer(model: Model, scenario: Scenario) -> tuple[list[ApiOffer], str | None]:
    """The prices that the user gave as the only offer, or what is missing of them."""
    given, made = scenario.own_input_usd_per_mtok, scenario.own_output_usd_per_mtok
    cached = scenario.own_cached_input_usd_per_mtok
    if given is None or made is None:
        return [], "your own API price needs both figures, USD per million input and per million output tokens"
    if given == made == 0:
        return [], "your own API price is 0 for input and output: give what a million tokens cost"
    if cached is not None and cached > given:
        return [], f"your price of cached input, {cached:g} USD, is above that of input, {given:g} USD"
    return [
        ApiOffer(
            provider=scenario.api_provider or YOURS,
            api_model_name=model.model_id,
            model_id=model.model_id,
            family=model.family,
            variant=scenario.api_variant,
            input_usd_per_mtok=given,
            cached_input_usd_per_mtok=cached,
            output_usd_per_mtok=made,
            context_tokens=None,
            is_own=True,
            row_id=GIVEN_ROW_ID,
            as_of=None,
            source=YOURS,
        )
    ], None


def longer_than_context(model: Model, workload: Workload) -> str | None:
    """Why the model cannot serve requests of this length; None where it can, or where its context is unknown."""
    tokens, context = workload.tokens_per_request, model.context_tokens
    if context is None or tokens <= context:
        return None
    return f"a request of {tokens:,.0f} tokens is longer than the context of {model.display_name}, {context:,} tokens"


def _is_beyond_base_price(offer: ApiOffer, scenario: Scenario) -> bool:
    limit = offer.base_price_max_input_tokens
    return limit is not None and scenario.workload.input_tokens > limit


def _cheapest_per_provider(offers: Iterable[PricedApiOffer]) -> tuple[PricedApiOffer, ...]:
    best: dict[str, PricedApiOffer] = {}
    for offer in sorted(offers, key=lambda priced: (priced.usd_per_request, priced.offer.row_id)):
        best.setdefault(offer.offer.provider, offer)
    return tuple(best.values())


def today_option(book: PriceBook, scenario: Scenario) -> TodayOption:
    """Today's bill, typed in or at the listed prices of a proprietary API; it grows with the number of requests."""
    # Which tokenizer a proprietary API has is not known: it is charged the tokens as typed.
    scenario = scenario.as_typed
    requests = scenario.requests_per_month
    if scenario.today_usd_per_month is not None:
        curve = CostCurve(usd_per_request=scenario.today_usd_per_month / requests)
        bill = scenario.today_usd_per_month
        return TodayOption(label="your bill", offer=None, curve=curve, usd_per_month=bill, cached_price_missing=False)
    offers = book.proprietary
    if scenario.today not in offers:
        raise UnknownIdError("API offer", scenario.today, offers)
    priced = _priced(offers[scenario.today], scenario)
    return TodayOption(
        label=scenario.today,
        offer=priced.offer,
        curve=CostCurve(usd_per_request=priced.usd_per_request),
        usd_per_month=priced.usd_per_month,
        cached_price_missing=priced.cached_price_missing,
        batch_price_missing=priced.batch_price_missing,
        beyond_base_price=_is_beyond_base_price(priced.offer, scenario),
    )
