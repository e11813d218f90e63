"""Prices that look wrong beside those of other providers, which no range counts: the checks of a refresh over all."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from statistics import median

from llmcompare.core.price_checks import FEWEST_PEERS, Compared, api_doubts, gpu_doubts
from llmcompare.core.records import SERVERLESS_BILLING, ApiOffer, GpuOffer
from llmcompare.core.tables import Cell, Table
from llmcompare.services.catalogue import Facts
from llmcompare.services.refresh_rows import PRICES, Rows


def doubts_table(facts: Facts) -> Table:
    """The prices with what is odd about them, and their rows."""
    return Table(
        name="doubtful-prices",
        title="Prices that look wrong",
        columns=("provider", "id", "what is odd", "offer", "as_of", "source", "row_id"),
        rows=tuple(sorted((*_apis(facts), *_gpus(facts)), key=lambda row: (str(row[1]), str(row[0]), str(row[3])))),
    )


@lru_cache(maxsize=4)
def by_row(facts: Facts) -> dict[str, str]:
    """What is odd about each price, by its row; prices that look right are not in it."""
    found = doubts_table(facts)
    doubt, row_id = found.columns.index("what is odd"), found.columns.index("row_id")
    return {str(row[row_id]): str(row[doubt]) for row in found.rows}


@lru_cache(maxsize=4)
def sound_gpu_offers(facts: Facts) -> list[GpuOffer]:
    """Present GPU prices without those that look wrong: what every range over providers is made of."""
    return [offer for offer in facts.gpu_offers if offer.row_id not in by_row(facts)]


@lru_cache(maxsize=8)
def sound_serverless_offers(facts: Facts, provider: str | None = None) -> list[GpuOffer]:
    """Present serverless prices without those that look wrong; those of a chosen provider count all the same."""
    odd = by_row(facts)
    return [one for one in facts.serverless_offers if one.row_id not in odd or one.provider == provider]


@lru_cache(maxsize=4)
def sound_api_offers(facts: Facts) -> list[ApiOffer]:
    """Present token prices without those that look wrong."""
    return [offer for offer in facts.api_offers if offer.row_id not in by_row(facts)]


def _apis(facts: Facts) -> Iterator[tuple[Cell, ...]]:
    by_model: dict[str, dict[str, list[ApiOffer]]] = defaultdict(lambda: defaultdict(list))
    offers = [offer for offer in facts.api_offers if offer.model_id and not offer.is_own]
    for offer in offers:
        by_model[offer.model_id or ""][offer.provider].append(offer)
    for offer in offers:
        others = [found for name, found in by_model[offer.model_id or ""].items() if name != offer.provider]
        odd = api_doubts(
            input_usd_per_mtok=offer.input_usd_per_mtok,
            output_usd_per_mtok=offer.output_usd_per_mtok,
            input_against=Compared(others=[median(one.input_usd_per_mtok for one in found) for found in others]),
            output_against=Compared(others=[median(one.output_usd_per_mtok for one in found) for found in others]),
        )
        if odd:
            yield (offer.provider, offer.model_id, "; ".join(odd), offer.api_model_name, *_row(offer))


def _gpus(facts: Facts) -> Iterator[tuple[Cell, ...]]:
    by_gpu: dict[tuple[str, str], dict[str, list[GpuOffer]]] = defaultdict(lambda: defaultdict(list))
    # Some serverless prices stand in both lists: those that say the form factor.
    rented = [offer for offer in facts.gpu_offers if offer.billing != SERVERLESS_BILLING]
    offers = [offer for offer in (*rented, *facts.serverless_offers) if not offer.is_own]
    for offer in offers:
        by_gpu[(offer.gpu_id, offer.billing)][offer.provider].append(offer)
    for offer in offers:
        middles = _others(by_gpu[(offer.gpu_id, offer.billing)], offer)
        if offer.billing == SERVERLESS_BILLING and len(middles) < FEWEST_PEERS:
            # Few sell one GPU by the second: what others ask for renting it is the next best thing to hold it against.
            middles += _others(by_gpu[(offer.gpu_id, "on-demand")], offer)
        odd = gpu_doubts(usd_per_gpu_hour=offer.usd_per_gpu_hour, against=Compared(others=middles))
        if odd:
            yield (offer.provider, offer.gpu_id, "; ".join(odd), offer.offer_name, *_row(offer))


def _others(by_provider: Mapping[str, Sequence[GpuOffer]], offer: GpuOffer) -> list[float]:
    """A price of each other provider, the one in the middle of its own."""
    others = [found for name, found in by_provider.items() if name != offer.provider]
    return [median(one.usd_per_gpu_hour for one in found) for found in others]


def _row(offer: ApiOffer | GpuOffer) -> Sequence[Cell]:
    return offer.as_of, offer.source, offer.row_id


def own_doubts(facts: Facts, table: str, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """What is odd about prices of the user's own beside the lists that they replace, in sentences.

    They are kept all the same: what somebody pays may be far from every list.
    """
    if table not in PRICES:
        return []
    known = Rows(facts)
    listed: dict[str, dict[str, list[tuple[float, ...]]]] = defaultdict(lambda: defaultdict(list))
    for row in known.known(table):
        listed[row.thing][row.offer[0]].append(row.usd)
    found = []
    for own in rows:
        try:
            thing, usd = known.price(table, own)
        except (KeyError, ValueError, ZeroDivisionError):
            # A cell that the rules refuse is told by them.
            continue
        against = [
            Compared(others=[median(prices[place] for prices in of_one) for of_one in listed[thing].values()])
            for place in range(len(usd))
        ]
        odd = (
            gpu_doubts(usd_per_gpu_hour=usd[0], against=against[0])
            if table == "gpu_prices"
            else api_doubts(
                input_usd_per_mtok=usd[0],
                output_usd_per_mtok=usd[1],
                input_against=against[0],
                output_against=against[1],
            )
        )
        found += [f"{thing}: {doubt}" for doubt in odd]
    return found
