"""A price list of an optional package as it was read. What is not installed or out of reach says so in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from llmcompare.core.refresh import Quote
from llmcompare.errors import InputError

GENAI_PRICES, GPUHUNT = LISTS = ("genai-prices", "gpuhunt")
INSTALL = "`.venv/bin/python -m pip install -r requirements-refresh.txt`"
PROVIDERS = {"x-ai": "xai", "lambdalabs": "lambda"}
"""Names that the catalogue writes otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """A list as it was read."""

    name: str
    version: str
    source: str
    """As its rows will name it."""
    as_of: str
    how: str
    """Whether it was fetched, in a sentence."""
    quotes: tuple[Quote, ...]
    unmatched: tuple[str, ...]
    """Offers of the three families whose model the catalogue does not hold under that name."""
    left_out: Mapping[str, int]
    """Other offers, by reason."""
    listed: frozenset[tuple[str, ...]]
    """Every offer that it names, those without a quote too: what is not among them is gone."""


def version_of(name: str) -> str:
    """Of an installed package. Raises InputError for one that is not."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        raise InputError(f"{name} is not installed: {INSTALL} adds it.") from None


def cell_text(usd: float | None) -> str:
    """A price as a cell: the shortest text that reads back as what the list means."""
    return "" if usd is None else f"{usd:.12g}"
