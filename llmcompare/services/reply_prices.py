"""Prices that a reply can be given: the listing of its own server, any other listing, or a machine by the hour."""

import json
from collections.abc import Mapping

from llmcompare.core.cost import TokenPrices
from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.core.records import ApiOffer
from llmcompare.core.reply_price import ReplyPrice
from llmcompare.engines.endpoints import preset
from llmcompare.errors import InputError
from llmcompare.services.catalogue import Facts


def listings(facts: Facts) -> dict[str, ApiOffer]:
    """Every listing of an API by an id that can stand in a link, the catalogue's models first."""
    known = sorted(facts.api_offers, key=lambda offer: (offer.model_id is None, offer.family, offer.offer_id))
    return {offer.offer_id: offer for offer in known}


def of_listing(offer: ApiOffer) -> ReplyPrice:
    """As a price for replies."""
    tokens = TokenPrices(
        input_usd_per_mtok=offer.input_usd_per_mtok,
        output_usd_per_mtok=offer.output_usd_per_mtok,
        cached_input_usd_per_mtok=offer.cached_input_usd_per_mtok,
    )
    label = (
        f"{offer.offer_id}: {offer.input_usd_per_mtok:g} USD per million tokens in, {offer.output_usd_per_mtok:g} out"
    )
    return ReplyPrice(label=label, tokens=tokens, source=offer.source, as_of=offer.as_of)


def of_machine(usd_per_hour: float) -> ReplyPrice:
    """A machine at a price by the hour that the person gave."""
    label = f"the time of the reply at {usd_per_hour:g} USD an hour"
    return ReplyPrice(label=label, usd_per_hour=usd_per_hour, source="given on the page", as_of=None)


def price_of(
    run: RunFact, reply: ReplyFact, chosen: ReplyPrice | None, offers: Mapping[str, ApiOffer]
) -> ReplyPrice | None:
    """What a slot costs: the listing of its own server where there is one, else what was chosen."""
    listed = _own_listing(run, reply.slot, offers)
    return chosen if listed is None else of_listing(listed)


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
