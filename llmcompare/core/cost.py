"""What a workload costs: per token through an API, or by the hour on rented GPUs."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, isclose, sqrt
from statistics import median

from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR, SECONDS_PER_MONTH, TOKENS_PER_MTOK
from llmcompare.core.workload import Workload
from llmcompare.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A figure with its spread: low <= mid <= high, all in the unit of the field that holds it."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """USD per million tokens of one API offer."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cached_input_usd_per_mtok: float | None = None
    """None where the offer lists no price for cached input; the input price is then charged."""


def api_usd_per_request(prices: TokenPrices, workload: Workload) -> float:
    """US dollars for one request through a token-priced API.

    >>> rag = Workload(requests_per_month=1, input_tokens=1000, output_tokens=300, cached_input_fraction=0.5)
    >>> round(
    ...     api_usd_per_request(
    ...         TokenPrices(input_usd_per_mtok=0.6, output_usd_per_mtok=1.2, cached_input_usd_per_mtok=0.2), rag
    ...     ),
    ...     9,
    ... )
    0.00076
    """
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCurve:
    """Monthly cost as a function of monthly requests: a rate per request plus whole replicas.

    A curve with replicas pays for at least one, so it is never free when idle.
    """

    usd_per_request: float = 0.0
    usd_per_replica_month: float = 0.0
    requests_per_replica_month: float | None = None
    """None for a curve without replicas."""

    def replicas(self, requests_per_month: float) -> int:
        """Whole replicas that serve this volume; 0 for a curve without replicas."""
        if self.requests_per_replica_month is None:
            return 0
        filled = requests_per_month / self.requests_per_replica_month
        # A product k x capacity divided by the capacity can come out as k + 1e-16: that is still k replicas.
        nearest = round(filled)
        whole = nearest if isclose(filled, nearest, rel_tol=1e-12) else ceil(filled)
        return max(1, whole)

    def usd_per_month(self, requests_per_month: float) -> float:
        """US dollars for a month with this many requests."""
        return self.usd_with(self.replicas(requests_per_month), requests_per_month)

    def usd_with(self, replicas: int, requests_per_month: float) -> float:
        """US dollars for a month with this many requests on a given number of replicas."""
        return self.usd_per_request * requests_per_month + self.usd_per_replica_month * replicas

    @property
    def usd_per_request_at_scale(self) -> float:
        """US dollars per request when every replica is full."""
        if self.requests_per_replica_month is None:
            return self.usd_per_request
        return self.usd_per_request + self.usd_per_replica_month / self.requests_per_replica_month


def rented_curve(
    *,
    usd_per_gpu_hour: float,
    gpus_per_replica: int,
    requests_per_s: float,
    target_utilisation_fraction: float = 1.0,
) -> CostCurve:
    """Whole replicas of whole GPUs, paid for every hour of the month whether busy or not.

    >>> curve = rented_curve(usd_per_gpu_hour=4.0, gpus_per_replica=2, requests_per_s=10)
    >>> curve.usd_per_month(26_280_000), curve.usd_per_month(26_280_001)
    (5840.0, 11680.0)
    """
    for name, value in (
        ("usd_per_gpu_hour", usd_per_gpu_hour),
        ("gpus_per_replica", gpus_per_replica),
        ("requests_per_s", requests_per_s),
    ):
        if not value > 0:
            raise InputError(f"{name} is {value:g}: give a number above 0.")
    if not 0 < target_utilisation_fraction <= 1:
        raise InputError(
            f"target_utilisation_fraction is {target_utilisation_fraction:g}: give a share above 0, at most 1."
        )
    return CostCurve(
        usd_per_replica_month=usd_per_gpu_hour * gpus_per_replica * HOURS_PER_MONTH,
        requests_per_replica_month=requests_per_s * target_utilisation_fraction * SECONDS_PER_MONTH,
    )
