"""What a request costs: per token through an API, or as a share of a machine's hour. Prices with their spread."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Literal, get_args

from llmcompare.core.records import CachedInBatch
from llmcompare.core.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK
from llmcompare.core.workload import Workload
from llmcompare.errors import InputError

End = Literal["low", "mid", "high"]
ENDS: tuple[End, ...] = get_args(End)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A figure with its spread: low <= mid <= high, all in the unit of the field that holds it."""

    low: float
    mid: float
    high: float


def exactly(value: float) -> Band:
    """A figure without a spread."""
    return Band(low=value, mid=value, high=value)


def scaled(band: Band, factor: float) -> Band:
    """A band times a number of 0 or more."""
    return Band(low=band.low * factor, mid=band.mid * factor, high=band.high * factor)


def added(one: Band, other: Band) -> Band:
    """Both low ends, both middles, both high ends: as if they moved together."""
    return Band(low=one.low + other.low, mid=one.mid + other.mid, high=one.high + other.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """USD per million tokens of one API offer."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cached_input_usd_per_mtok: float | None = None
    """None where the offer lists no price for cached input; the input price is then charged."""
    batch_discount_fraction: float | None = None
    """Off the prices of a request that can wait; None where no batch price is listed, and the full price is charged."""
    cached_in_batch: CachedInBatch | None = None
    """Discounts that cached input gets in a batch: both, that of the cache alone, or that of the batch alone; None
    where that is not known, and the larger of the two is taken."""

    @property
    def in_batch(self) -> "TokenPrices":
        """Prices of a request that waits for the batch price."""
        left = 1 - (self.batch_discount_fraction or 0.0)
        batch_input, cached = left * self.input_usd_per_mtok, self.cached_input_usd_per_mtok
        if cached is not None:
            choices = {"both": left * cached, "cached": cached, "batch": batch_input}
            cached = choices[self.cached_in_batch] if self.cached_in_batch else min(cached, batch_input)
        return TokenPrices(
            input_usd_per_mtok=batch_input,
            output_usd_per_mtok=left * self.output_usd_per_mtok,
            cached_input_usd_per_mtok=cached,
        )


def api_usd_per_request(prices: TokenPrices, workload: Workload, *, batch_fraction: float = 0.0) -> float:
    """US dollars for one request through a token-priced API: the mean, where a share of them waits for a batch price.

    >>> rag = Workload(requests_per_month=1, input_tokens=1000, output_tokens=300, cached_input_fraction=0.5)
    >>> listed = TokenPrices(
    ...     input_usd_per_mtok=0.6,
    ...     output_usd_per_mtok=1.2,
    ...     cached_input_usd_per_mtok=0.2,
    ...     batch_discount_fraction=0.5,
    ... )
    >>> round(api_usd_per_request(listed, rag), 9)
    0.00076
    >>> round(api_usd_per_request(listed, rag, batch_fraction=1), 9)  # 500 at 0.3, 500 at 0.2, 300 at 0.6
    0.00043
    """
    at_once, in_batch = _usd_per_request(prices, workload), _usd_per_request(prices.in_batch, workload)
    # Where a batch forgoes the cache it can be dearer: such requests are not made to wait.
    return (1 - batch_fraction) * at_once + batch_fraction * min(at_once, in_batch)


def _usd_per_request(prices: TokenPrices, workload: Workload) -> float:
    cached_price = prices.cached_input_usd_per_mtok
    if cached_price is None:
        cached_price = prices.input_usd_per_mtok
    cached_tokens = workload.input_tokens * workload.cached_input_fraction
    usd_times_mtok = (
        (workload.input_tokens - cached_tokens) * prices.input_usd_per_mtok
        + cached_tokens * cached_price
        + workload.billed_output_tokens * prices.output_usd_per_mtok
    )
    return usd_times_mtok / TOKENS_PER_MTOK


def price_band(prices: Iterable[float]) -> Band:
    """Minimum, median and maximum over providers, in the unit of the prices. Raises InputError for no price.

    >>> price_band([2.0, 12.0, 3.0, 4.0])
    Band(low=2.0, mid=3.5, high=12.0)
    """
    ordered = sorted(prices)
    if not ordered:
        raise InputError("there is no price to take a minimum, median and maximum of.")
    return Band(low=ordered[0], mid=median(ordered), high=ordered[-1])


def usd_per_mtok(*, usd_per_hour: float, tokens_per_s: float, utilisation_fraction: float = 1.0) -> float:
    """US dollars per million tokens on a rented machine.

    >>> round(usd_per_mtok(usd_per_hour=3.02, tokens_per_s=6_070.48 + 5_595.07), 3)
    0.072
    """
    return usd_per_hour / (tokens_per_s * utilisation_fraction * SECONDS_PER_HOUR) * TOKENS_PER_MTOK


def usd_per_request(*, usd_per_hour: float, requests_per_hour: float) -> float:
    """US dollars per request when a machine is paid by the hour and serves this many requests in it.

    >>> round(usd_per_request(usd_per_hour=2.70, requests_per_hour=200), 6)
    0.0135
    """
    return usd_per_hour / requests_per_hour


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCapacity:
    """The largest output rate that somebody measured on one replica, and the request shape it was measured with."""

    output_tokens_per_s: float
    input_tokens: float
    output_tokens: float


def requests_per_s(measured: MeasuredCapacity, workload: Workload) -> Band:
    """Requests per second that one replica serves when the workload has another shape than the measurement.

    The machine's time for a request is a x input + b x output tokens. One measurement does not tell a from b, but an
    output token never takes less time than an input token (0 <= a <= b), which bounds the time from both sides:
    only output tokens count, or all tokens count alike. Mid is the geometric mean. A workload of the measured
    shape gets the measured rate with no spread. Cached input is counted as input.

    >>> at_1000_1000 = MeasuredCapacity(output_tokens_per_s=4000, input_tokens=1000, output_tokens=1000)
    >>> requests_per_s(at_1000_1000, Workload(requests_per_month=1, input_tokens=1000, output_tokens=250))
    Band(low=6.4, mid=10.119288512538814, high=16.0)
    """
    measured_requests_per_s = measured.output_tokens_per_s / measured.output_tokens
    measured_tokens = measured.input_tokens + measured.output_tokens
    rates = [measured_requests_per_s * measured_tokens / workload.tokens_per_request]
    if workload.billed_output_tokens > 0:
        rates.append(measured_requests_per_s * measured.output_tokens / workload.billed_output_tokens)
    return Band(low=min(rates), mid=sqrt(min(rates) * max(rates)), high=max(rates))
