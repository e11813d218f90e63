"""How the requests of a month are spread over its hours."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Literal

from llmcompare.errors import InputError

TrafficShape = Literal["flat", "business-hours", "own"]
TRAFFIC_SHAPES: tuple[TrafficShape, ...] = ("flat", "business-hours", "own")
HOURS_PER_DAY = 24
HOURS_PER_WEEK = 168
BUSINESS_HOURS = range(9, 18)
"""Of the day, Monday to Friday. Assumption."""
OUTSIDE_BUSINESS_FRACTION = 0.1
"""Rate outside business hours over the rate inside. Assumption."""
WEIGHT_DIGITS = 4
"""Of a profile written as text; a ten-thousandth of the mean rate is below every other error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The rate of every hour of a week over the mean rate, Monday 0 h first, and the peaks within an hour."""

    hourly: tuple[float, ...]
    """168 weights with a mean of 1."""
    peak_to_mean: float = 1.0
    """Busiest minutes of an hour over the mean of that hour, at least 1."""

    @property
    def busiest_hour(self) -> float:
        """Rate of the busiest hour over the mean rate."""
        return max(self.hourly)

    @property
    def peak(self) -> float:
        """Rate that must be served over the mean rate: the busiest hour with the peaks within it."""
        return self.busiest_hour * self.peak_to_mean

    @property
    def levels(self) -> tuple[tuple[float, float], ...]:
        """Distinct hourly rates, busiest first: share of the month with this rate, rate over the mean rate.

        >>> [(round(share, 3), round(rate, 3)) for share, rate in traffic("business-hours").levels]
        [(0.268, 2.932), (0.732, 0.293)]
        """
        counts = Counter(self.hourly)
        return tuple((counts[rate] / HOURS_PER_WEEK, rate) for rate in sorted(counts, reverse=True))


@lru_cache(maxsize=64)
def traffic(shape: TrafficShape, *, hourly_profile: str | None = None, peak_to_mean: float = 1.0) -> Traffic:
    """The traffic of a named shape, or of a profile given as text. Raises InputError."""
    if not 1 <= peak_to_mean <= 1_000:
        raise InputError(f"peak_to_mean is {peak_to_mean:g}: give a number from 1, an even hour, to 1000.")
    match shape:
        case "flat":
            weights: tuple[float, ...] = (1.0,) * HOURS_PER_WEEK
        case "business-hours":
            weights = _business_hours()
        case "own":
            if not hourly_profile:
                raise InputError(
                    "traffic is 'own' and hourly_profile is empty: give 24 or 168 rates after commas, Monday 0 h first."
                )
            weights = profile_weights(hourly_profile)
        case _:
            raise InputError(f"traffic is {shape!r}: give one of {', '.join(TRAFFIC_SHAPES)}.")
    return Traffic(hourly=weights, peak_to_mean=peak_to_mean)


def _business_hours() -> tuple[float, ...]:
    inside = [day < 5 and hour in BUSINESS_HOURS for day in range(7) for hour in range(HOURS_PER_DAY)]
    return _mean_of_one([1.0 if busy else OUTSIDE_BUSINESS_FRACTION for busy in inside])


def profile_weights(text: str) -> tuple[float, ...]:
    """168 weights with a mean of 1 from 24 or 168 numbers after commas; 24 stand for every day. Raises InputError.

    >>> profile_weights("1," * 12 + "3," * 11 + "3")[11:13]
    (0.5, 1.5)
    """
    parts = [part.strip() for part in text.replace(";", ",").split(",")]
    if len(parts) not in (HOURS_PER_DAY, HOURS_PER_WEEK):
        raise InputError(
            f"hourly_profile has {len(parts)} values: give 24, one per hour of a day, or 168, one per hour of a week."
        )
    values = [_weight(place, part) for place, part in enumerate(parts)]
    if sum(values) == 0:
        raise InputError("hourly_profile is 0 in every hour: give at least one hour some traffic.")
    return _mean_of_one(values * (HOURS_PER_WEEK // len(values)))


def _weight(place: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or not 0 <= value <= 1e15:
        raise InputError(f"hourly_profile holds {text[:30]!r} at hour {place}: give a number of 0 or more.")
    return value


def _mean_of_one(values: Sequence[float]) -> tuple[float, ...]:
    mean = sum(values) / len(values)
    return tuple(value / mean for value in values)


def profile_text(weights: Iterable[float]) -> str:
    """Weights as the text that profile_weights reads, short enough for a link.

    >>> profile_text([0.5, 1.0, 1.49999])
    '0.5,1,1.5'
    """
    return ",".join(f"{round(weight, WEIGHT_DIGITS):g}" for weight in weights)
