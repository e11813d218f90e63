"""Constants and converters. One month is 730 hours everywhere."""

from datetime import date
from math import floor, log10

HOURS_PER_MONTH = 730
"""365 days x 24 hours / 12, the convention of cloud price lists."""
SECONDS_PER_HOUR = 3600
SECONDS_PER_MONTH = HOURS_PER_MONTH * SECONDS_PER_HOUR
TOKENS_PER_MTOK = 1_000_000
BYTES_PER_GIB = 1024**3


def age_days(as_of: str, *, today: date) -> int:
    """Days from an ISO date of day, month or year precision to today; a short date counts from its first day.

    >>> age_days("2026-11", today=date(2026, 11, 23))
    22
    """
    return (today - first_day(as_of)).days


def first_day(as_of: str) -> date:
    """The first day that an ISO date of day, month or year precision means.

    >>> first_day("2026-11")
    datetime.date(2026, 11, 1)
    """
    year, month, day = [*map(int, as_of.split("-")), 1, 1][:3]
    return date(year, month, day)


def rounded(value: float, digits: int = 3) -> float:
    """Value to a number of significant digits.

    >>> rounded(0.0012345), rounded(98765.4)
    (0.00123, 98800.0)
    """
    if value == 0:
        return 0.0
    return round(value, digits - 1 - floor(log10(abs(value))))


def usd_text(usd: float) -> str:
    """US dollars for a sentence: whole dollars from 100, cents from 1, three significant digits below.

    >>> usd_text(4125.4), usd_text(12.5), usd_text(0.0142), usd_text(0.0012345), usd_text(1e-11), usd_text(-12.5)
    ('$4,125', '$12.50', '$0.0142', '$0.00123', '$0.00000000001', '−$12.50')
    """
    if usd < 0:
        return f"−{usd_text(-usd)}"
    if usd == 0 or usd >= 100:
        return f"${usd:,.0f}"
    if usd >= 1:
        return f"${usd:,.2f}"
    decimals = 2 - floor(log10(usd))
    text = f"${usd:.{decimals}f}".rstrip("0")
    return f"{text}00" if text.endswith(".") else text


def count_text(count: float) -> str:
    """A large count for a sentence, three significant digits.

    >>> count_text(5_000_000), count_text(8_123_456), count_text(420), count_text(999_999)
    ('5M', '8.12M', '420', '1M')
    """
    shown = rounded(count)
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if shown >= size:
            return f"{shown / size:g}{letter}"
    return f"{shown:g}"


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "provider"), counted(3, "provider")
    ('1 provider', '3 providers')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
