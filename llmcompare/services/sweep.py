"""Sweeps every deployment of some models: rented on every GPU and through every API, and why the others are out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from llmcompare.core.cost import Band, api_usd_per_request
from llmcompare.core.curves import paid_hours
from llmcompare.core.fleet import Floats, Out, Places
from llmcompare.core.options import api_option, longer_than_context, token_prices
from llmcompare.core.records import RENTED_BILLINGS, ApiOffer, Billing
from llmcompare.core.scenario import Scenario
from llmcompare.core.sweep import MS_PER_S, Rules, filled_replicas, rented_usd_per_month, replicas
from llmcompare.core.sweep_words import REASONS, UNDER_SCORE, WITHOUT_SCORE
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import doubts
from llmcompare.services.books import book
from llmcompare.services.candidates import Candidates, candidates, prices
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import for_model, for_models

Name = TypeVar("Name", str, str | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a deployment may not exceed beyond the scenario's own limits."""

    billings: tuple[Billing, ...] = RENTED_BILLINGS
    every_variant: bool = False
    """API listings of other variants (turbo, fp8, …) than the scenario's too."""
    max_usd_per_month: float | None = None
    min_score: float | None = None
    """Models with a lower score, or without one, are out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """Rented deployments as arrays, cheapest first, and API offers; one place of each array per rented deployment."""

    scenario: Scenario
    limits: Limits
    found: Candidates
    model: Places
    gpu: Places
    engine: tuple[str, ...]
    """Names that the places of engines mean, as in weight_format."""
    engine_at: Places
    weight_format: tuple[str | None, ...]
    format_at: Places
    billing_at: Places
    gpu_count: Floats
    low: Floats
    """USD per month, as mid and high."""
    mid: Floats
    high: Floats
    replicas: Floats
    filled: Floats
    """Replicas before rounding up."""
    providers: Places
    measured_at: Places
    """Place among the measured rates, -1 where the rate is predicted."""
    requests_per_s: Floats
    usd_per_gpu_hour: Floats
    unpriced: tuple[dict[str, Floats], Places, Places]
    """Deployments that hold the model and keep the limits, and the places among them and of the billing class of those
    that nobody lists a price of this class for."""
    over_budget: tuple[Places, Places]
    """Of the same deployments, those over the budget, with the billing class."""
    not_here: tuple[Places, Places]
    """All that could be rented, with the billing class, where the data must stay here; else none."""
    api: tuple[tuple[ApiOffer, float], ...]
    """Offers that take such requests, with USD per month, cheapest first."""
    api_out: tuple[tuple[ApiOffer, str], ...]
    models_out: tuple[tuple[str, str], ...]
    """Models that are out as such, with the reason."""

    @property
    def filled_is_exact(self) -> bool:
        """Whether all replicas run all month, so that a month's cost is replicas times one of them."""
        return self.scenario.running == "always-on" or self.scenario.traffic == "flat"

    def band(self, place: int) -> Band:
        """USD per month of one rented deployment."""
        return Band(low=float(self.low[place]), mid=float(self.mid[place]), high=float(self.high[place]))


def _scored(models: Sequence[str], scores: Mapping[str, Band], floor: float) -> Iterator[tuple[str, str | None]]:
    """Models with the reason why they are out for their score, None where they are in."""
    for name in models:
        score = scores.get(name)
        if score is None:
            yield name, WITHOUT_SCORE
        else:
            yield name, None if score.mid >= floor else UNDER_SCORE


def sweep(
    facts: Facts,
    scenario: Scenario,
    models: Sequence[str],
    limits: Limits | None = None,
    *,
    scores: Mapping[str, Band] | None = None,
) -> Swept:
    """Every deployment of these models at the scenario's volume. Raises UnknownIdError or InputError.

    scores: of the models, for a floor of the limits.
    """
    limits = _for_own_price(scenario, limits or Limits())
    models_out: tuple[tuple[str, str], ...] = ()
    if limits.min_score is not None:
        judged = list(_scored(models, scores or {}, limits.min_score))
        models = [name for name, reason in judged if reason is None]
        models_out = tuple((name, reason) for name, reason in judged if reason is not None)
    found = candidates(facts, scenario, models)
    columns, names = joined(found)
    axes = found.fleet.axes
    counts = tuple(sorted({int(count) for count in np.unique(columns["gpu_count"])}))
    prices_of = prices(facts, axes.gpus, limits.billings, counts)
    size = np.searchsorted(np.array(counts), columns["gpu_count"].astype(int)) if counts else np.array([], dtype=int)
    gpu = columns["gpu"].astype(np.intp)
    listed = prices_of.band[gpu, :, size] if len(gpu) else np.zeros((0, len(limits.billings), 3))
    if scenario.own_usd_per_gpu_hour is not None:
        listed = np.full_like(listed, scenario.own_usd_per_gpu_hour)
    place, billing = np.nonzero(~np.isnan(listed[:, :, 1]))
    without, of_class = np.nonzero(np.isnan(listed[:, :, 1]))
    taken = {name: column[place] for name, column in columns.items()}
    band = listed[place, billing]
    rules = Rules(
        requests_per_month=scenario.requests_per_month,
        target_utilisation_fraction=scenario.target_utilisation_fraction,
        hours=paid_hours(scenario.spread, scenario.running),
        min_replicas=scenario.min_replicas,
        spare_replicas=scenario.spare_replicas,
    )
    is_spot = np.array([name == "spot" for name in limits.billings])[billing]
    factor = np.where(is_spot, 1 + scenario.spot_allowance_fraction, 1.0)
    low, mid, high = (
        rented_usd_per_month(
            rules,
            usd_per_gpu_hour=band[:, at],
            gpus=taken["gpu_count"],
            requests_per_s=taken[rate],
            cost_factor=factor,
        )
        for at, rate in enumerate(("high_rate", "mid_rate", "low_rate"))
    )
    within = np.ones(len(mid), dtype=bool) if limits.max_usd_per_month is None else mid <= limits.max_usd_per_month
    # Ties go to what was measured, then to the larger rate.
    order = np.lexsort((-taken["mid_rate"], taken["measured"] < 0, mid))
    stays = scenario.data_stays_here
    order = order[within[order] & (not stays)]
    away = np.full(len(mid), stays)
    api, api_out = _api(facts, scenario, models, limits)
    return Swept(
        scenario=scenario,
        limits=limits,
        found=found,
        model=taken["model"][order].astype(np.intp),
        gpu=taken["gpu"][order].astype(np.intp),
        engine=names[0],
        engine_at=taken["engine"][order].astype(np.intp),
        weight_format=names[1],
        format_at=taken["format"][order].astype(np.intp),
        billing_at=billing[order],
        gpu_count=taken["gpu_count"][order],
        low=low[order],
        mid=mid[order],
        high=high[order],
        replicas=replicas(rules, taken["mid_rate"][order]),
        filled=filled_replicas(rules, taken["mid_rate"][order]),
        providers=prices_of.providers[gpu[place], billing, size[place]][order],
        measured_at=taken["measured"][order].astype(np.intp),
        requests_per_s=taken["mid_rate"][order],
        usd_per_gpu_hour=band[order, 1],
        unpriced=(columns, without, of_class),
        over_budget=(place[~within & ~away], billing[~within & ~away]),
        not_here=(place[away], billing[away]),
        api=api,
        api_out=api_out,
        models_out=models_out,
    )


def joined(found: Candidates) -> tuple[dict[str, Floats], tuple[tuple[str, ...], tuple[str | None, ...]]]:
    """Columns of the predicted deployments that keep the limits, those measured in their place, and further ones."""
    one, rate = found.fleet, found.rates
    kept = np.nonzero(rate.out == Out.NOT)[0]
    columns = {
        "model": one.model[kept].astype(float),
        "gpu": one.gpu[kept].astype(float),
        "engine": one.engine[kept].astype(float),
        "format": one.weight_format[kept].astype(float),
        "gpu_count": one.gpu_count[kept],
        "low_rate": rate.low_requests_per_s[kept],
        "mid_rate": rate.mid_requests_per_s[kept],
        "high_rate": rate.high_requests_per_s[kept],
        "measured": np.full(len(kept), -1.0),
        "tokens_per_s": MS_PER_S / rate.tpot_ms[kept],
    }
    engines: list[str] = list(one.axes.engines)
    formats: list[str | None] = list(one.axes.formats)
    if not found.measured:
        return columns, (tuple(engines), tuple(formats))
    gpu_at = {gpu.gpu_id: at for at, gpu in enumerate(one.axes.gpus)}
    rows, replaced = [], np.zeros(len(kept), dtype=bool)
    for number, (model, row, served) in enumerate(found.measured):
        if row.gpu_id not in gpu_at:
            continue
        engine, weight_format = _place(engines, row.engine), _place(formats, row.weight_format)
        same = (
            (columns["model"] == model)
            & (columns["gpu"] == gpu_at[row.gpu_id])
            & (columns["engine"] == engine)
            & (columns["format"] == weight_format)
            & (columns["gpu_count"] == row.gpu_count)
        )
        replaced |= same
        rows.append(
            (
                model,
                gpu_at[row.gpu_id],
                engine,
                weight_format,
                row.gpu_count,
                served.low,
                served.mid,
                served.high,
                number,
                # How fast a single request is there was not measured with it.
                columns["tokens_per_s"][same][0] if same.any() else np.nan,
            )
        )
    table = np.array(rows, dtype=float).reshape(-1, len(columns))
    joined = {
        name: np.concatenate([column[~replaced], table[:, at]]) for at, (name, column) in enumerate(columns.items())
    }
    return joined, (tuple(engines), tuple(formats))


def _place(names: list[Name], name: Name) -> int:
    """Where the name stands; at the end where it is new."""
    if name not in names:
        names.append(name)
    return names.index(name)


def _for_own_price(scenario: Scenario, limits: Limits) -> Limits:
    """A price of the user's own holds for one GPU, and for no billing class in particular. Raises InputError."""
    if scenario.own_usd_per_gpu_hour is None:
        return limits
    if scenario.gpu is None:
        raise InputError("own_usd_per_gpu_hour holds for one GPU: choose which with gpu.")
    return replace(limits, billings=(scenario.billing,))


def _api(
    facts: Facts, scenario: Scenario, models: Sequence[str], limits: Limits
) -> tuple[tuple[tuple[ApiOffer, float], ...], tuple[tuple[ApiOffer, str], ...]]:
    """The listings of these models with their cost, and why others are out. Raises UnknownIdError for a provider."""
    known = {offer.provider for offer in facts.api_offers}
    if scenario.api_provider is not None and scenario.api_provider not in known:
        raise UnknownIdError("API provider", scenario.api_provider, known)
    wanted, own = set(models), _own_offers(facts, scenario)
    counted = for_models(facts, scenario, wanted)
    priced, out = [], []
    for offer in (*own, *facts.api_offers):
        if offer.model_id not in wanted or (own and offer.model_id == scenario.model and offer not in own):
            continue
        of_model = counted[str(offer.model_id)]
        usd = api_usd_per_request(token_prices(offer), of_model.workload, batch_fraction=scenario.batch_fraction)
        usd *= scenario.requests_per_month
        reason = _against(facts, offer, of_model, limits, usd=usd, is_own=offer in own)
        if reason is None:
            priced.append((offer, usd))
        else:
            out.append((offer, reason))
    return tuple(sorted(priced, key=lambda one: (one[1], one[0].row_id))), tuple(out)


def _own_offers(facts: Facts, scenario: Scenario) -> tuple[ApiOffer, ...]:
    """The user's own API price of the scenario's model, where there is one."""
    if scenario.own_input_usd_per_mtok is None and scenario.own_output_usd_per_mtok is None:
        return ()
    option, _ = api_option(book(facts, scenario.model), for_model(facts, scenario))
    return () if option is None else tuple(priced.offer for priced in option.offers)


def _against(
    facts: Facts, offer: ApiOffer, scenario: Scenario, limits: Limits, *, usd: float, is_own: bool
) -> str | None:
    """Why a listing is out, None where it is in."""
    workload = scenario.workload
    if scenario.data_stays_here:
        return REASONS[Out.NOT_HERE]
    if scenario.api_provider not in (None, offer.provider) and not is_own:
        return f"another provider than {scenario.api_provider}"
    if scenario.api_provider is None and (doubt := doubts.by_row(facts).get(offer.row_id)) is not None:
        return f"its price looks wrong: {doubt}"
    if offer.variant != scenario.api_variant and not limits.every_variant and not is_own:
        return f"another variant than {scenario.api_variant}"
    if too_long := longer_than_context(facts.models[str(offer.model_id)], workload):
        return too_long
    if offer.context_tokens is not None and offer.context_tokens < workload.tokens_per_request:
        return f"takes {offer.context_tokens:,} tokens, a request has {workload.tokens_per_request:,.0f}"
    most = offer.base_price_max_input_tokens
    if most is not None and workload.input_tokens > most:
        return f"its price holds up to {most:,} input tokens, a request has {workload.input_tokens:,.0f}"
    if limits.max_usd_per_month is not None and usd > limits.max_usd_per_month:
        return REASONS[Out.OVER_BUDGET]
    return None
