"""How many requests a month has, as a log of days or weeks says it: with an interval, and with growth."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
from scipy.special import stdtrit

from llmcompare.core.cost import Band
from llmcompare.core.log_hours import SECONDS_PER_DAY, Day, Floats
from llmcompare.core.units import HOURS_PER_MONTH

DAYS_PER_MONTH = HOURS_PER_MONTH / 24
DAYS_PER_WEEK = 7
WEEKS_FOR_GROWTH = 8
LOW, HIGH = 0.1, 0.9
"""Ends of the intervals, as of all predictions here: 8 of 10 lie between."""
FEWEST_DAYS = 2
NO_GROWTH = 0.001
"""A month, to either side: 1% a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Growth of the requests, from a straight line through the logarithms of whole weeks."""

    fraction_per_month: Band
    """0.1 for 10% more each month; 10th percentile, best fit and 90th percentile."""
    week_count: int
    recent_requests_per_month: float
    """At the rate of the last four weeks."""

    @property
    def is_told_from_none(self) -> bool:
        """Whether the interval leaves out what makes no difference."""
        return self.fraction_per_month.low > NO_GROWTH or self.fraction_per_month.high < -NO_GROWTH


def month_interval(days: Sequence[Day], *, requests_per_month: float) -> tuple[Band | None, str | None]:
    """Between what a coming month lies if its days vary as those of the log do; or why that cannot be said.

    From two weeks on, the spread is that of days about the mean of their weekday; before, it is that of all days,
    so that unlike weekdays widen it. Days count as independent.

    >>> ten = [Day(number=number, requests=100 if number % 2 else 80, is_whole=True) for number in range(10)]
    >>> found, _ = month_interval(ten, requests_per_month=2_700)
    >>> round(found.low), round(found.high)  # 1.383 x 10.54 x the root of (30.42 + 30.42 squared / 10) to both sides
    (2538, 2862)
    """
    whole = [day for day in days if day.is_whole]
    if len(whole) < FEWEST_DAYS:
        return None, "the log holds fewer than two whole days, so nothing is known of how days differ"
    counts = np.asarray([day.requests for day in whole], dtype=float)
    weekdays = np.asarray([day.weekday for day in whole])
    if len(whole) >= 2 * DAYS_PER_WEEK:
        means = np.bincount(weekdays, counts, minlength=7) / np.maximum(1, np.bincount(weekdays, minlength=7))
        left, freedom = counts - means[weekdays], len(whole) - len(set(weekdays.tolist()))
    else:
        left, freedom = counts - counts.mean(), len(whole) - 1
    deviation = sqrt(float(left @ left) / freedom)
    # Of the sum of a month's days, and of its mean as the log knows it.
    half = float(stdtrit(freedom, HIGH)) * deviation * sqrt(DAYS_PER_MONTH + DAYS_PER_MONTH**2 / len(whole))
    low = max(0.0, requests_per_month - half)
    return Band(low=low, mid=requests_per_month, high=requests_per_month + half), None


def growth(seconds: Floats, *, start: float, end: float) -> tuple[Growth | None, str | None]:
    """Growth per month over the whole weeks between start and end, counted from the end, or why it cannot be said.

    >>> week_s = 604_800.0
    >>> doubling = np.concatenate([(week + np.linspace(0.1, 0.9, 10 * 2**week)) * week_s for week in range(8)])
    >>> found, _ = growth(doubling, start=0, end=8 * week_s)
    >>> round(found.fraction_per_month.mid, 2)  # 2 to the power of 730 / 168 weeks, less 1
    19.33
    """
    week_s = DAYS_PER_WEEK * SECONDS_PER_DAY
    before = np.floor((end - seconds) / week_s).astype(np.int64)
    count = int((end - start) // week_s)
    if count < WEEKS_FOR_GROWTH:
        return None, f"the log holds {count} whole weeks, and growth is told from {WEEKS_FOR_GROWTH} on"
    weeks = np.bincount(before, minlength=count)[:count][::-1].astype(float)
    if weeks.min() == 0:
        return None, "the log holds a week without a request, so no steady growth can be fitted"
    x = np.arange(count) - (count - 1) / 2
    logs = np.log(weeks)
    slope = float(x @ logs / (x @ x))
    left = logs - logs.mean() - slope * x
    error = sqrt(float(left @ left) / (count - 2) / float(x @ x))
    half = float(stdtrit(count - 2, HIGH)) * error
    low, mid, high = (exp(rate * DAYS_PER_MONTH / DAYS_PER_WEEK) - 1 for rate in (slope - half, slope, slope + half))
    recent = float(weeks[-4:].sum()) * DAYS_PER_MONTH / (4 * DAYS_PER_WEEK)
    return Growth(
        fraction_per_month=Band(low=low, mid=mid, high=high), week_count=count, recent_requests_per_month=recent
    ), None
