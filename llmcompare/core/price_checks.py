"""Whether a price that was read can be one: against the price before, other providers, and itself.

Public lists hold prices that are wrong by factors of 25 to 100,000. A doubt says what is odd and changes no price.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import median
from typing import Literal

from llmcompare.core.units import rounded

CHANGED_BY_MOST = 5.0
"""The largest move that was seen between two readings of one offer is 1.7 (docs/methodology.md)."""
API_PEERS_MOST = 20.0
"""From the median of the other providers; all but a handful of the prices in use are within 18."""
GPU_PEERS_MOST = 6.0
"""The same of a GPU; those in use reach 4.8."""
FEWEST_PEERS = 3
ROUNDING = 1e-9
OUTPUT_MOST, OUTPUT_LEAST = 20.0, 0.5
"""Output over input; all but three of those in use lie between 1 and 18."""
PREVIOUS_TOLERANCE, PEERS_TOLERANCE = 1.3, 2.0
"""How near a factor must be to a slip of units for that to be named."""

Against = Literal["before", "others"]
TOKEN_SLIPS: Mapping[float, str] = {
    1e-6: "it reads like USD per token",
    1e-3: "it reads like USD per 1,000 tokens",
    1e-2: "it reads like a hundredth of it",
    1e2: "it reads like cents",
    1e3: "it reads like 1,000 times too much: per 1,000 tokens, converted twice",
    1e6: "it reads like 1,000,000 times too much: per million, converted as if per token",
}
HOUR_SLIPS: Mapping[float, str] = {
    1 / 3600: "it reads like USD per second",
    1 / 60: "it reads like USD per minute",
    8.0: "it reads like the price of a machine with 8 GPUs",
    24.0: "it reads like USD per day",
    730.0: "it reads like USD per month",
    8760.0: "it reads like USD per year",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a price can be held against."""

    before: float | None = None
    """The newest price of the same offer."""
    others: Sequence[float] = ()
    """One of each other provider for the same thing."""

    @property
    def is_comparable(self) -> bool:
        """Whether there is anything to hold it against."""
        return self.before is not None or len(self.others) >= FEWEST_PEERS


def api_doubts(
    *, input_usd_per_mtok: float, output_usd_per_mtok: float, input_against: Compared, output_against: Compared
) -> tuple[str, ...]:
    """Everything odd about the token prices of one offer; none where nothing is.

    >>> nothing = Compared()
    >>> api_doubts(input_usd_per_mtok=1.41, output_usd_per_mtok=0.35, input_against=nothing, output_against=nothing)
    ('output at 0.35 USD is less than half of input at 1.41 USD: they may be swapped',)
    """
    given, made = input_usd_per_mtok, output_usd_per_mtok
    return (
        *_far_off("input", given, input_against, most=API_PEERS_MOST, slips=TOKEN_SLIPS),
        *_far_off("output", made, output_against, most=API_PEERS_MOST, slips=TOKEN_SLIPS),
        *_ratio(given, made),
    )


def gpu_doubts(*, usd_per_gpu_hour: float, against: Compared) -> tuple[str, ...]:
    """Everything odd about the price of a GPU-hour."""
    return tuple(_far_off("a GPU-hour", usd_per_gpu_hour, against, most=GPU_PEERS_MOST, slips=HOUR_SLIPS))


def _far_off(name: str, usd: float, against: Compared, *, most: float, slips: Mapping[float, str]) -> Iterator[str]:
    if against.before is not None and _is_beyond(usd / against.before, CHANGED_BY_MOST):
        yield (
            f"{name} at {usd:,.4g} USD is {times_text(usd / against.before)} the price before, {against.before:,.4g}"
            f"{_slip(usd / against.before, slips, PREVIOUS_TOLERANCE)}"
        )
    if len(against.others) >= FEWEST_PEERS:
        middle = median(against.others)
        if _is_beyond(usd / middle, most):
            yield (
                f"{name} at {usd:,.4g} USD is {times_text(usd / middle)} the median of {len(against.others)} other "
                f"providers, {middle:,.4g}{_slip(usd / middle, slips, PEERS_TOLERANCE)}"
            )


def _ratio(given: float, made: float) -> Iterator[str]:
    if made > OUTPUT_MOST * given:
        yield f"output at {made:,.4g} USD is {times_text(made / given)} input at {given:,.4g} USD"
    if made < OUTPUT_LEAST * given:
        yield f"output at {made:,.4g} USD is less than half of input at {given:,.4g} USD: they may be swapped"


def _is_beyond(factor: float, most: float) -> bool:
    return max(factor, 1 / factor) > most * (1 + ROUNDING)


def times_text(factor: float) -> str:
    """How many times as much, or what part of it.

    >>> times_text(100_000), times_text(0.04)
    ('100,000 times', '1/25 of')
    """
    size = rounded(max(factor, 1 / factor))
    text = f"{size:,.0f}" if size >= 100 else f"{size:g}"
    return f"{text} times" if factor >= 1 else f"1/{text} of"


def _slip(factor: float, slips: Mapping[float, str], tolerance: float) -> str:
    """The slip of units that explains a factor, behind a colon; nothing where none comes near."""
    nearest = min(slips, key=lambda slip: abs(log(factor / slip)))
    return f": {slips[nearest]}" if abs(log(factor / nearest)) <= log(tolerance) else ""
