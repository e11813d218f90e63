"""What sentences are made of: a figure with its spread, names in a row, an assumption."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmcompare.core.cost import Band
from llmcompare.core.units import usd_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A figure that no source backs, or a rule of reckoning, with what to do about it."""

    name: str
    value: str
    meaning: str
    editable_as: str | None
    """Field of the scenario that replaces it; None for a rule."""


def band_text(band: Band) -> str:
    """The middle with its spread."""
    if band.low == band.high:
        return usd_text(band.mid)
    return f"{usd_text(band.mid)} ({usd_text(band.low)} to {usd_text(band.high)})"


def sentence_start(text: str) -> str:
    """The text with a capital first letter."""
    return text[0].upper() + text[1:]


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names in a row.

    >>> listed(["A"]), listed(["A", "B"]), listed(["A", "B", "C"])
    ('A', 'A and B', 'A, B and C')
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
