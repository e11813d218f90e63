"""What one reply cost: its tokens at a list's prices, or its time at a machine's price by the hour."""

from dataclasses import dataclass

from llmcompare.core.cost import TokenPrices, api_usd_per_request
from llmcompare.core.facts import ReplyFact
from llmcompare.core.units import SECONDS_PER_HOUR
from llmcompare.core.workload import Workload

MS_PER_S = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPrice:
    """A price that a reply can have."""

    label: str
    tokens: TokenPrices | None = None
    usd_per_hour: float | None = None
    source: str
    as_of: str | None


def reply_seconds(reply: ReplyFact) -> float | None:
    """From the start of the prompt to the last token; None where a part of it was not measured.

    >>> said = {"reply_id": "r", "run_id": "r", "slot": 0, "model": "m", "ended_at": "", "text": "", "end": "end"}
    >>> reply_seconds(ReplyFact(**said, error=None, ttft_ms=500, generated_tokens=101, generation_tokens_per_s=50))
    2.5
    """
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
    >>> reply_usd(reply, ReplyPrice(label="a list", tokens=listed, source="", as_of=None))
    0.00125
    >>> reply_usd(reply, ReplyPrice(label="a machine", usd_per_hour=2, source="", as_of=None)) is None
    True
    """
    if price.tokens is not None:
        return _usd_of_tokens(reply, price.tokens)
    seconds = reply_seconds(reply)
    return None if seconds is None or price.usd_per_hour is None else price.usd_per_hour * seconds / SECONDS_PER_HOUR


def _usd_of_tokens(reply: ReplyFact, prices: TokenPrices) -> float | None:
    prompt, generated = reply.prompt_tokens, reply.generated_tokens
    if prompt is None or generated is None or prompt + generated == 0:
        return None
    cached = (reply.reused_tokens or 0) / prompt if prompt else 0.0
    tokens = Workload(
        requests_per_month=1, input_tokens=prompt, output_tokens=generated, cached_input_fraction=min(1.0, cached)
    )
    return api_usd_per_request(prices, tokens)
