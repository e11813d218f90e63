"""How old a price may be before it is marked, and whether the price that decides an answer is too old."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from llmcompare.core.comparison import Comparison
from llmcompare.core.records import YOURS, ApiOffer, Billing, GpuOffer
from llmcompare.core.rented import Deployment
from llmcompare.core.tables import Cell, Table
from llmcompare.core.units import age_days

STALE_AFTER_DAYS = 30
MARKETPLACE_STALE_AFTER_DAYS = 7
MARKETPLACE: Billing = "community"
"""Prices that many hosts set for themselves. Spot prices are one provider's list, which changed no faster than the
others (docs/methodology.md)."""
AGE_COLUMN = "price_age"

Freshness = Literal["fresh", "stale", "undated", "yours"]
Offer = ApiOffer | GpuOffer


def limit_days(billing: str | None = None) -> int:
    """Days until a price counts as stale; an API has no billing class."""
    return MARKETPLACE_STALE_AFTER_DAYS if billing == MARKETPLACE else STALE_AFTER_DAYS


def freshness(as_of: str | None, *, today: date, billing: str | None = None, is_own: bool = False) -> Freshness:
    """Whether a price can still be taken for today's. The user's own is: it is what they pay, from its day on.

    >>> freshness("2026-11-10", today=date(2026, 11, 25)), freshness("2026-11", today=date(2026, 12, 2))
    ('fresh', 'stale')
    >>> freshness("2026-11-10", today=date(2026, 11, 25), billing="community")
    'stale'
    """
    if is_own:
        return "yours"
    if as_of is None:
        return "undated"
    return "stale" if age_days(as_of, today=today) > limit_days(billing) else "fresh"


def offer_freshness(offer: Offer, *, today: date) -> Freshness:
    """The same of an offer."""
    billing = offer.billing if isinstance(offer, GpuOffer) else None
    return freshness(offer.as_of, today=today, billing=billing, is_own=offer.is_own)


def marked(table: Table, *, today: date, prefix: str = "") -> Table:
    """A table of prices with the mark of each behind its date; `prefix` begins the names of its date and source."""
    date_column = f"{prefix}as_of"
    place = table.columns.index(date_column) + 1

    def mark(row: tuple[Cell, ...]) -> str:
        cells = dict(zip(table.columns, row, strict=True))
        as_of, billing = cells[date_column], cells.get("billing")
        return freshness(
            None if as_of is None else str(as_of),
            today=today,
            billing=None if billing is None else str(billing),
            is_own=str(cells[f"{prefix}source"]).startswith(YOURS),
        )

    return Table(
        name=table.name,
        title=table.title,
        columns=(*table.columns[:place], AGE_COLUMN, *table.columns[place:]),
        rows=tuple((*row[:place], mark(row), *row[place:]) for row in table.rows),
    )


def deciding_prices(comparison: Comparison) -> tuple[Offer, ...]:
    """The middle price of the cheapest option, or the two around it; none where a price was typed in."""
    requests = comparison.workload.requests_per_month
    best = min(comparison.options, key=lambda option: option.curves.usd_per_month(requests).mid)
    match best.key:
        case "api":
            return _middle([priced.offer for priced in comparison.api.offers]) if comparison.api else ()
        case "rented":
            return _rented(comparison.rented)
        case "rented_at_scale":
            return _rented(comparison.rented_at_scale)
        case "serverless":
            return (comparison.serverless.middle.offer,) if comparison.serverless else ()
        case "today":
            return (comparison.today.offer,) if comparison.today.offer else ()
        case _:
            return ()


def _rented(deployment: Deployment | None) -> tuple[Offer, ...]:
    return _middle(deployment.offers) if deployment else ()


def _middle(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Of prices in order: the median of an odd number, the two that it lies between of an even one."""
    return tuple(offers[(len(offers) - 1) // 2 : len(offers) // 2 + 1])


def stale_sentence(comparison: Comparison, *, today: date) -> str | None:
    """That the price behind the answer is old or undated; None where it is fresh or the user's own."""
    old = [o for o in deciding_prices(comparison) if offer_freshness(o, today=today) in ("stale", "undated")]
    if not old:
        return None
    # Two prices around a median may be of one provider.
    texts = dict.fromkeys(_age_text(offer, today=today) for offer in old)
    return f"The price that decides this may have moved: {' and '.join(texts)}."


def _age_text(offer: Offer, *, today: date) -> str:
    if offer.as_of is None:
        return f"the one of {offer.provider} is undated"
    return f"the one of {offer.provider} is {age_days(offer.as_of, today=today)} days old ({offer.as_of})"
