"""Prices that a reply can be given: its own server's listing, any other, a rented GPU, a deployment of the scenario."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypeVar, get_args

from llmcompare.core.comparison import Comparison, OptionKey
from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.core.options import token_prices
from llmcompare.core.records import ApiOffer, GpuOffer
from llmcompare.core.reply_price import (
    NOT_COUNTED,
    ReplyCost,
    ReplyPrice,
    deployed_cost,
    reply_cost,
    reply_workload,
)
from llmcompare.core.scenario import Scenario, UsedRow
from llmcompare.core.units import counted
from llmcompare.core.workload import Workload
from llmcompare.engines.endpoints import preset
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import breakeven, costs
from llmcompare.services.catalogue import Facts
from llmcompare.services.own_model import model_asked, name_asked

PriceKind = Literal["none", "API listing", "rented GPU", "deployment", "USD an hour"]
KINDS: tuple[PriceKind, ...] = get_args(PriceKind)
Offer = TypeVar("Offer", ApiOffer, GpuOffer)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChoice:
    """What a reply is to be priced at."""

    kind: PriceKind = "none"
    name: str | None = None
    """The listing, the GPU's offer, or the key of the deployment."""
    usd_per_hour: float | None = None
    overrides: bool = False
    """Counts even where the reply comes from a provider with a listing of its own."""


def listings(facts: Facts) -> dict[str, ApiOffer]:
    """Every listing of an API by an id that can stand in a link, the catalogue's models first."""
    known = sorted(facts.api_offers, key=lambda offer: (offer.model_id is None, offer.family, offer.offer_id))
    return {offer.offer_id: offer for offer in known}


def rentals(facts: Facts) -> dict[str, GpuOffer]:
    """Every offer of rented GPUs by a name that can stand in a link."""
    known = sorted(facts.gpu_offers, key=lambda offer: (offer.gpu_id, offer.gpu_count, offer.usd_per_gpu_hour))
    return {_rental_name(offer): offer for offer in known}


def _rental_name(offer: GpuOffer) -> str:
    where = f"{offer.provider} {offer.offer_name}, {offer.region}"
    return f"{offer.gpu_count} × {offer.gpu_id}, {offer.billing}, {where}"


DEPLOYMENTS: tuple[OptionKey, ...] = get_args(OptionKey)
"""The ways to serve a model; which of them it has, and on which GPUs, is each model's own."""
TODAY: OptionKey = "today"
"""Is paid whichever model replied."""


def of_listing(offer: ApiOffer) -> ReplyPrice:
    """As a price for replies."""
    label = (
        f"{offer.offer_id}: {offer.input_usd_per_mtok:g} USD per million tokens in, {offer.output_usd_per_mtok:g} out"
    )
    return ReplyPrice(label=label, tokens=token_prices(offer), row=UsedRow.of(offer))


def of_rental(offer: GpuOffer) -> ReplyPrice:
    """The whole machine for the time of the reply, and for nobody else meanwhile."""
    usd_per_hour = offer.usd_per_gpu_hour * offer.gpu_count
    label = f"{_rental_name(offer)}: {usd_per_hour:g} USD an hour, for this reply alone"
    return ReplyPrice(label=label, usd_per_hour=usd_per_hour, row=UsedRow.of(offer))


def of_machine(usd_per_hour: float) -> ReplyPrice:
    """A machine at a price by the hour that the person gave."""
    return ReplyPrice(label=f"a machine at {usd_per_hour:g} USD an hour, given by you", usd_per_hour=usd_per_hour)


def require_known(facts: Facts, choice: PriceChoice) -> None:
    """Raises UnknownIdError for a name that the catalogue does not have."""
    if choice.kind == "API listing" and choice.name is not None:
        _named("API listing", choice.name, listings(facts))
    if choice.kind == "rented GPU" and choice.name is not None:
        _named("offer of a GPU", choice.name, rentals(facts))
    if choice.kind == "deployment" and choice.name is not None:
        _deployment(choice.name)


def cost_of(
    run: RunFact, reply: ReplyFact, choice: PriceChoice, *, facts: Facts, scenario: Scenario
) -> ReplyCost | None:
    """What a reply costs as chosen, or at its own server's listing; None where nothing is chosen.

    Raises UnknownIdError for a name that the catalogue does not have.
    """
    listed = None if choice.overrides else _own_listing(run, reply.slot, listings(facts))
    if listed is not None:
        return reply_cost(reply, of_listing(listed))
    match choice:
        case PriceChoice(kind="API listing", name=str(name)):
            return reply_cost(reply, of_listing(_named("API listing", name, listings(facts))))
        case PriceChoice(kind="rented GPU", name=str(name)):
            return reply_cost(reply, of_rental(_named("offer of a GPU", name, rentals(facts))))
        case PriceChoice(kind="USD an hour", usd_per_hour=float(usd)):
            return reply_cost(reply, of_machine(usd))
        case PriceChoice(kind="deployment", name=str(name)):
            tokens = reply_workload(reply, requests_per_month=scenario.requests_per_month)
            if tokens is None:
                return ReplyCost(label=name, usd=None, how=(NOT_COUNTED,))
            return _of_deployment(facts, scenario, name, run, reply.slot, tokens)
    return None


def _of_deployment(facts: Facts, scenario: Scenario, name: str, run: RunFact, slot: int, tokens: Workload) -> ReplyCost:
    """Of the model that replied, where the catalogue has it."""
    key = _deployment(name)
    if key == TODAY:
        return _deployed(facts, scenario, key, tokens)
    model = model_asked(facts, run, slot)
    if model is None:
        reason = (
            f"the catalogue has no model of the name {name_asked(run, slot)!r}, so what serving it costs is not known"
        )
        return ReplyCost(label="a deployment of its model", usd=None, how=(reason,))
    return _deployed(facts, scenario.about(model.model_id), key, tokens)


def _deployment(name: str) -> OptionKey:
    if name not in DEPLOYMENTS:
        raise UnknownIdError("deployment", name, DEPLOYMENTS)
    return name


def _named(what: str, name: str, known: Mapping[str, Offer]) -> Offer:
    if name not in known:
        raise UnknownIdError(what, name, known)
    return known[name]


@lru_cache(maxsize=64)
def _deployed(facts: Facts, scenario: Scenario, key: OptionKey, tokens: Workload) -> ReplyCost:
    """A month in which every request is like the reply, at the scenario's volume, with everything else it says."""
    asked = replace(
        scenario,
        input_tokens=tokens.input_tokens,
        output_tokens=tokens.output_tokens,
        cached_input_fraction=tokens.cached_input_fraction,
        # Counted already, by the tokenizer of the model that replied; thinking is part of what was counted.
        thinking_tokens=0.0,
        language=None,
        tokens_of=None,
    )
    found = costs.compare(facts, asked)
    option = next((one for one in found.options if one.key == key), None)
    if option is None:
        label = f"a deployment of {found.model.display_name}"
        return ReplyCost(label=label, usd=None, how=(_missing(found, key),))
    ids = set(breakeven.row_ids(found, key))
    return deployed_cost(found, option, [row for row in found.rows_used if row.row_id in ids])


def _missing(found: Comparison, key: OptionKey) -> str:
    reasons = {"api": found.api_missing, "rented": found.rented_missing, "serverless": found.serverless_missing}
    at_scale = "nothing else serves growth better" if key == "rented_at_scale" else None
    return (reasons | {"owned": found.owned_missing}).get(key) or at_scale or "there is no such deployment"


def _own_listing(run: RunFact, slot: int, offers: Mapping[str, ApiOffer]) -> ApiOffer | None:
    endpoint = json.loads(run.slots[slot]).get("endpoint") if run.slots else None
    if not endpoint:
        return None
    try:
        known = preset(endpoint["preset_id"])
    except InputError:
        return None
    # A provider's prices are of its own address; the same program elsewhere is somebody else's.
    is_there = endpoint["base_url"] == known.base_url
    return offers.get(f"{known.provider}/{endpoint['model']}") if is_there and known.provider else None


def rows_in_words(cost: ReplyCost) -> str:
    """Which rows of the catalogue a cost rests on: all of them where they are few."""
    if not cost.rows:
        return "no row of the catalogue"
    dates = sorted({row.as_of for row in cost.rows if row.as_of})
    days = "undated" if not dates else dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    ids = ", ".join(row.row_id for row in cost.rows[:3])
    return f"{counted(len(cost.rows), 'row')} of the catalogue ({ids}{', …' if len(cost.rows) > 3 else ''}), {days}"
