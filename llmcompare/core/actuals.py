"""A month's real bill and counts against the forecast: how far off, and which part of it each cause explains."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import factorial, fsum, isfinite
from typing import Literal

from llmcompare.core.cost import TokenPrices, api_usd_per_request
from llmcompare.core.workload import MAX_TOKENS_PER_REQUEST, Workload
from llmcompare.errors import InputError

Cause = Literal["volume", "mix", "price", "speed", "together"]
MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
LARGEST = 1e15
"""Of any count; beyond it a figure is a slip of the pen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """What a month really was. Raises InputError for what no month can be. Counts that nobody knows are None."""

    month: str
    """As 2026-11."""
    usd: float
    """The bill, without tax."""
    requests: float | None = None
    input_tokens: float | None = None
    """Of all requests together, with those read from a cache."""
    output_tokens: float | None = None
    """Of all requests together, with thinking."""
    cached_tokens: float | None = None
    """Part of the input."""
    gpu_hours: float | None = None
    """Paid for; of rented GPUs."""

    def __post_init__(self) -> None:
        if not MONTH.fullmatch(self.month):
            raise InputError(f"month is {self.month[:20]!r}: write it as 2026-11.")
        for name in ("usd", "requests", "input_tokens", "output_tokens", "cached_tokens", "gpu_hours"):
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and 0 <= value <= LARGEST):
                raise InputError(f"{name} of {self.month} is {value:g}: give a number of 0 or more.")
        if self.usd == 0:
            raise InputError(f"usd of {self.month} is 0: give what was billed.")
        if self.requests == 0:
            raise InputError(f"requests of {self.month} is 0: give how many there were, or leave it empty.")
        if self.gpu_hours == 0:
            raise InputError(f"gpu_hours of {self.month} is 0: give how many were paid, or leave it empty.")
        if (self.cached_tokens or 0) > (self.input_tokens if self.input_tokens is not None else LARGEST):
            raise InputError(f"cached_tokens of {self.month} is above input_tokens, of which it is a part.")
        if self.input_tokens == self.output_tokens == 0:
            raise InputError(f"input_tokens and output_tokens of {self.month} are both 0: leave them empty.")
        for name in ("input_tokens", "output_tokens"):
            if self.requests and (getattr(self, name) or 0) > self.requests * MAX_TOKENS_PER_REQUEST:
                raise InputError(f"{name} of {self.month} is above 10 million per request: check it and requests.")

    @property
    def has_mix(self) -> bool:
        """Whether the tokens of a mean request are known."""
        return None not in (self.requests, self.input_tokens, self.output_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenForecast:
    """A month as it was forecast at an API that is paid by the token."""

    label: str
    usd: float
    workload: Workload
    prices: TokenPrices
    batch_fraction: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuForecast:
    """A month as it was forecast on rented GPUs."""

    label: str
    usd: float
    workload: Workload
    gpu_hours: float
    """Paid for."""


Forecast = TokenForecast | GpuForecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One of the figures whose product is a bill."""

    name: str
    cause: Cause
    unit: str
    forecast: float
    actual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one factor adds to the bill, in USD."""

    factor: Factor
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A bill against its forecast. The parts add up to the difference."""

    month: str
    label: str
    forecast_usd: float
    actual_usd: float
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    """What could not be told apart, and why."""

    @property
    def usd(self) -> float:
        """Bill less forecast."""
        return self.actual_usd - self.forecast_usd

    @property
    def fraction(self) -> float:
        """Of the forecast."""
        return self.usd / self.forecast_usd

    def usd_of(self, cause: Cause) -> float:
        """All parts with one cause."""
        return sum(part.usd for part in self.parts if part.factor.cause == cause)


def shares(
    cost: Callable[[Sequence[float]], float], before: Sequence[float], after: Sequence[float]
) -> tuple[float, ...]:
    """What each figure adds as all go from before to after: its mean over every order in which they can change.

    These are Shapley values. They add up to cost(after) − cost(before), and a figure that does not change adds 0.

    >>> shares(lambda f: f[0] * f[1], (100, 2), (150, 3))  # 50 more at 2 or at 3, 1 dearer for 100 or for 150
    (125.0, 125.0)
    """
    places = range(len(before))

    def at(changed: tuple[int, ...]) -> float:
        return cost([after[place] if place in changed else before[place] for place in places])

    found = [0.0] * len(before)
    for size in places:
        weight = factorial(size) * factorial(len(before) - size - 1) / factorial(len(before))
        for changed in combinations(places, size):
            start = at(changed)
            for place in places:
                if place not in changed:
                    found[place] += weight * (at((*changed, place)) - start)
    return tuple(found)


def difference(forecast: Forecast, actual: Actual) -> Difference:
    """How far off a forecast was, with the part of each cause as far as the counts tell them apart.

    >>> forecast = GpuForecast(
    ...     label="one GPU",
    ...     usd=2_000,
    ...     gpu_hours=1_000,
    ...     workload=Workload(requests_per_month=100_000, input_tokens=900, output_tokens=100),
    ... )
    >>> dearer = Actual(
    ...     month="2026-10",
    ...     usd=2_500,
    ...     gpu_hours=1_000,
    ...     requests=100_000,
    ...     input_tokens=90_000_000,
    ...     output_tokens=10_000_000,
    ... )
    >>> found = difference(forecast, dearer)
    >>> found.usd, found.fraction, round(found.usd_of("price"), 6), round(found.usd_of("speed"), 6)
    (500, 0.25, 500.0, 0.0)
    """
    if isinstance(forecast, TokenForecast):
        factors, cost, notes = _token_factors(forecast, actual)
    else:
        factors, cost, notes = _gpu_factors(forecast, actual)
    usd = list(shares(cost, [one.forecast for one in factors], [one.actual for one in factors]))
    # A product of many figures is rounded: what that leaves, far below a cent, goes to the largest part.
    usd[max(range(len(usd)), key=lambda place: abs(usd[place]))] += actual.usd - forecast.usd - fsum(usd)
    return Difference(
        month=actual.month,
        label=forecast.label,
        forecast_usd=forecast.usd,
        actual_usd=actual.usd,
        parts=tuple(Part(factor=factor, usd=part) for factor, part in zip(factors, usd, strict=True)),
        notes=tuple(notes),
    )


Cost = Callable[[Sequence[float]], float]


def _requests(forecast: Forecast, actual: Actual) -> Factor:
    return Factor(
        name="requests",
        cause="volume",
        unit="requests",
        forecast=forecast.workload.requests_per_month,
        actual=actual.requests or 0.0,
    )


def _product(values: Sequence[float]) -> float:
    found = 1.0
    for value in values:
        found *= value
    return found


def _untold(forecast: Forecast, actual: Actual) -> tuple[list[Factor], Cost, list[str]]:
    """Without the tokens of a request: volume, where that is known, and the rest in one."""
    if actual.requests is None:
        whole = Factor(name="all causes", cause="together", unit="USD", forecast=forecast.usd, actual=actual.usd)
        return [whole], _product, [f"The requests of {actual.month} are not given, so no cause can be told."]
    volume = _requests(forecast, actual)
    rest = Factor(
        name="cost of a request",
        cause="together",
        unit="USD per request",
        forecast=forecast.usd / volume.forecast,
        actual=actual.usd / volume.actual,
    )
    note = f"The tokens of {actual.month} are not given, so all causes but volume are in one."
    return [volume, rest], _product, [note]


def _token_factors(forecast: TokenForecast, actual: Actual) -> tuple[list[Factor], Cost, list[str]]:
    if actual.requests is None or actual.input_tokens is None or actual.output_tokens is None:
        return _untold(forecast, actual)
    planned, notes = forecast.workload, []
    cached = planned.cached_input_fraction
    if actual.cached_tokens is not None and actual.input_tokens > 0:
        cached = actual.cached_tokens / actual.input_tokens
    elif cached > 0:
        notes.append(f"The cached tokens of {actual.month} are not given: their share is taken as forecast.")

    def usd_per_request(values: Sequence[float]) -> float:
        if values[0] == values[2] == 0:
            return 0.0
        shape = replace(
            planned, requests_per_month=1, input_tokens=values[0], cached_input_fraction=values[1],
            output_tokens=values[2], thinking_tokens=0,
        )  # fmt: skip
        return api_usd_per_request(forecast.prices, shape, batch_fraction=forecast.batch_fraction)

    shapes = [
        (planned.input_tokens, planned.cached_input_fraction, planned.billed_output_tokens),
        (actual.input_tokens / actual.requests, cached, actual.output_tokens / actual.requests),
    ]
    listed = [usd_per_request(shape) for shape in shapes]
    if min(listed) == 0:
        return _untold(forecast, actual)
    names = (("input tokens", "tokens per request"), ("cached share", "of the input"),
             ("output tokens", "tokens per request"))  # fmt: skip
    mix = [
        Factor(name=name, cause="mix", unit=unit, forecast=before, actual=after)
        for (name, unit), before, after in zip(names, *shapes, strict=True)
    ]
    price = Factor(
        name="price",
        cause="price",
        unit="of the list price",
        forecast=forecast.usd / (planned.requests_per_month * listed[0]),
        actual=actual.usd / (actual.requests * listed[1]),
    )
    factors = [_requests(forecast, actual), *mix, price]
    return factors, lambda values: values[0] * usd_per_request(values[1:4]) * values[4], notes


def _gpu_factors(forecast: GpuForecast, actual: Actual) -> tuple[list[Factor], Cost, list[str]]:
    if actual.requests is None or actual.input_tokens is None or actual.output_tokens is None:
        return _untold(forecast, actual)
    tokens = forecast.workload.requests_per_month * forecast.workload.tokens_per_request
    real_tokens = actual.input_tokens + actual.output_tokens
    mix = Factor(
        name="tokens of a request",
        cause="mix",
        unit="tokens per request",
        forecast=forecast.workload.tokens_per_request,
        actual=real_tokens / actual.requests,
    )
    both = [_requests(forecast, actual), mix]
    if actual.gpu_hours is None:
        rest = Factor(
            name="price and speed",
            cause="together",
            unit="USD per token",
            forecast=forecast.usd / tokens,
            actual=actual.usd / real_tokens,
        )
        note = f"The GPU hours of {actual.month} are not given, so price and speed are in one."
        return [*both, rest], _product, [note]
    speed = Factor(
        name="speed",
        cause="speed",
        unit="tokens per GPU-hour",
        forecast=tokens / forecast.gpu_hours,
        actual=real_tokens / actual.gpu_hours,
    )
    price = Factor(
        name="price",
        cause="price",
        unit="USD per GPU-hour",
        forecast=forecast.usd / forecast.gpu_hours,
        actual=actual.usd / actual.gpu_hours,
    )
    return [*both, speed, price], lambda values: values[0] * values[1] / values[2] * values[3], []
