"""What one reply cost: its tokens at a list's prices, its time at a price by the hour, or its share of a deployment."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from llmcompare.core.arithmetic import shown, steps, token_numbers
from llmcompare.core.comparison import Comparison, Option
from llmcompare.core.cost import Band, TokenPrices, api_usd_per_request, exactly, scaled
from llmcompare.core.facts import ReplyFact
from llmcompare.core.scenario import UsedRow
from llmcompare.core.units import SECONDS_PER_HOUR, count_text
from llmcompare.core.workload import Workload

MS_PER_S = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPrice:
    """A price that a reply can have."""

    label: str
    tokens: TokenPrices | None = None
    usd_per_hour: float | None = None
    row: UsedRow | None = None
    """Of the catalogue; None for what a person gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyCost:
    """What a reply costs somewhere, and how that comes about."""

    label: str
    """What it is charged at."""
    usd: Band | None
    how: tuple[str, ...]
    """The arithmetic at the middle of the band, line by line; why there is no figure where usd is None."""
    rows: tuple[UsedRow, ...] = ()


def reply_seconds(reply: ReplyFact) -> float | None:
    """From the start of the prompt to the last token; None where a part of it was not measured.

    >>> said = {"reply_id": "r", "run_id": "r", "slot": 0, "model": "m", "ended_at": "", "text": "", "end": "end"}
    >>> reply_seconds(ReplyFact(**said, error=None, ttft_ms=500, generated_tokens=101, generation_tokens_per_s=50))
    2.5
    """
    if reply.reply_ms is not None:
        return reply.reply_ms / MS_PER_S
    if reply.ttft_ms is None or reply.generated_tokens is None:
        return None
    if reply.generated_tokens < 2:
        return reply.ttft_ms / MS_PER_S
    if not reply.generation_tokens_per_s:
        return None
    return reply.ttft_ms / MS_PER_S + (reply.generated_tokens - 1) / reply.generation_tokens_per_s


def reply_usd(reply: ReplyFact, price: ReplyPrice) -> float | None:
    """US dollars for a reply; None where what the price counts was not measured.

    Cached input is charged at its own price only where the reply says how much of the prompt was cached.

    >>> said = {"reply_id": "r", "run_id": "r", "slot": 0, "model": "m", "ended_at": "", "text": "", "end": "end"}
    >>> reply = ReplyFact(**said, error=None, prompt_tokens=1000, generated_tokens=500)
    >>> listed = TokenPrices(input_usd_per_mtok=0.5, output_usd_per_mtok=1.5)
    >>> reply_usd(reply, ReplyPrice(label="a list", tokens=listed))
    0.00125
    >>> reply_usd(reply, ReplyPrice(label="a machine", usd_per_hour=2)) is None
    True
    """
    if price.tokens is not None:
        return _usd_of_tokens(reply, price.tokens)
    seconds = reply_seconds(reply)
    return None if seconds is None or price.usd_per_hour is None else price.usd_per_hour * seconds / SECONDS_PER_HOUR


def _usd_of_tokens(reply: ReplyFact, prices: TokenPrices) -> float | None:
    tokens = reply_workload(reply)
    return None if tokens is None else api_usd_per_request(prices, tokens)


def reply_workload(reply: ReplyFact, *, requests_per_month: float = 1.0) -> Workload | None:
    """A month of requests like this one; None where its tokens were not counted."""
    prompt, generated = reply.prompt_tokens, reply.generated_tokens
    if prompt is None or generated is None or prompt + generated == 0:
        return None
    cached = (reply.reused_tokens or 0) / prompt if prompt else 0.0
    return Workload(
        requests_per_month=requests_per_month,
        input_tokens=prompt,
        output_tokens=generated,
        cached_input_fraction=min(1.0, cached),
    )


NOT_COUNTED = "its tokens were not counted"
NOT_TIMED = "its time was not measured"


def reply_cost(reply: ReplyFact, price: ReplyPrice) -> ReplyCost:
    """The price of a reply with its arithmetic."""
    usd, tokens = reply_usd(reply, price), reply_workload(reply)
    if usd is None:
        how = NOT_COUNTED if price.tokens is not None else NOT_TIMED
    elif price.tokens is not None and tokens is not None:
        how = f"{token_numbers(tokens, price.tokens)} = {shown(usd)} USD"
    else:
        seconds = reply_seconds(reply) or 0.0
        how = f"{shown(seconds)} s × {shown(price.usd_per_hour or 0.0)} / {SECONDS_PER_HOUR} = {shown(usd)} USD"
    rows = () if price.row is None else (price.row,)
    return ReplyCost(label=price.label, usd=None if usd is None else exactly(usd), how=(how,), rows=rows)


def deployed_cost(comparison: Comparison, option: Option, rows: Sequence[UsedRow]) -> ReplyCost:
    """The share of one reply in a deployment's month, where the comparison is of a month of requests like it."""
    requests = comparison.workload.requests_per_month
    usd = scaled(option.curves.usd_per_month(requests), 1 / requests)
    lines = [f"{step.what}: {step.numbers} = {shown(step.result)} {step.unit}" for step in steps(comparison, option)]
    share = f"a reply: {shown(usd.mid * requests)} / {shown(requests)} = {shown(usd.mid)} USD"
    model = "" if option.key == "today" else f" with {comparison.model.display_name}"
    label = f"{option.name}{model}, one of {count_text(requests)} such requests a month"
    return ReplyCost(label=label, usd=usd, how=(*lines, share), rows=tuple(rows))


def usd_in_words(cost: ReplyCost) -> str:
    """The middle, with the band where there is one, in digits that count.

    >>> usd_in_words(ReplyCost(label="a list", usd=exactly(0.0012345), how=()))
    '0.00123 USD'
    """
    if cost.usd is None:
        return "not known"
    low, mid, high = (_digits(one) for one in (cost.usd.low, cost.usd.mid, cost.usd.high))
    return f"{mid} USD" if low == high else f"{mid} USD ({low} to {high})"


def price_in_words(cost: ReplyCost) -> str:
    """What it is charged at too, or why there is no price."""
    return f"no price at {cost.label}: {cost.how[0]}" if cost.usd is None else f"{usd_in_words(cost)}: {cost.label}"


def cost_json(cost: ReplyCost | None) -> dict[str, Any]:
    """Flat, units in the keys, null where nothing is chosen or known."""
    usd = None if cost is None else cost.usd
    return {
        "usd": None if usd is None else usd.mid,
        "usd_low": None if usd is None else usd.low,
        "usd_high": None if usd is None else usd.high,
        "priced_at": None if cost is None else cost.label,
        "price_how": [] if cost is None else list(cost.how),
        "price_row_ids": [] if cost is None else [row.row_id for row in cost.rows],
    }


def _digits(usd: float) -> str:
    """Three digits that count, without an exponent."""
    return f"{usd:.{max(2, 2 - floor(log10(usd)))}f}" if usd > 0 else "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheapest:
    """Which of several replies cost least."""

    slots: tuple[int, ...] = ()
    sure: bool = True
    """Whether no end of the bands puts another one first."""


def cheapest(costs: Sequence[ReplyCost | None]) -> Cheapest:
    """By the middle of the bands; none where fewer than two are known or all cost the same.

    Two replies at the same price move together, so their bands do not blur which is cheaper.

    >>> one, other = (ReplyCost(label=str(usd), usd=exactly(usd), how=()) for usd in (0.1, 0.2))
    >>> cheapest([other, None, one])
    Cheapest(slots=(2,), sure=True)
    """
    known = [(at, cost.label, cost.usd) for at, cost in enumerate(costs) if cost is not None and cost.usd is not None]
    least = min((usd.mid for _, _, usd in known), default=0.0)
    first = [one for one in known if one[2].mid == least]
    if len(first) == len(known):
        return Cheapest()
    most = max(usd.high for _, _, usd in first)
    labels = {label for _, label, _ in first}
    sure = all(usd.low >= most for _, label, usd in known if label not in labels)
    return Cheapest(slots=tuple(at for at, _, _ in first), sure=sure)
