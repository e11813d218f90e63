"""Figures and names of statements in words."""

from collections.abc import Iterable, Sequence

from llmcompare.core import phrases
from llmcompare.core.records import Claim


def said(claim: Claim) -> str:
    """Its figures in words.

    >>> said_figures(["4", "6"], "range"), said_figures(["1e-3"], "at least")
    ('4 to 6', 'at least 0.001')
    """
    return said_figures(claim.claimed.split(";") if claim.claimed else [], claim.claimed_as)


def said_figures(figures: Sequence[str], claimed_as: str | None) -> str:
    """The same for figures by themselves."""
    texts = [text if "e" not in text else number(float(text)) for text in figures]
    if claimed_as == "range":
        return " to ".join(texts)
    if claimed_as in ("at least", "at most"):
        return f"{claimed_as} {texts[0]}"
    return listed(texts)


def listed(names: Iterable[str]) -> str:
    """Names in a sentence, or that there are none.

    >>> listed(["a", "b", "c"]), listed([])
    ('a, b and c', 'none')
    """
    return phrases.listed(list(names)) or "none"


def grouped(pairs: Iterable[tuple[str, str]]) -> str:
    """Values with the names that have them, each value once.

    >>> grouped([("8 GB", "a"), ("24 GB", "b"), ("8 GB", "c")])
    '8 GB (a and c) and 24 GB (b)'
    """
    names: dict[str, list[str]] = {}
    for value, name in pairs:
        names.setdefault(value, []).append(name)
    return listed(f"{value} ({listed(found)})" for value, found in names.items())


def number(value: float) -> str:
    """A figure in a sentence, four significant digits, without an exponent.

    >>> number(0.00000975), number(131072), number(70.55), number(9.52)
    ('0.00000975', '131,072', '70.55', '9.52')
    """
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    decimals = 4
    size = abs(value)
    while size < 0.1 and decimals < 15:
        size, decimals = size * 10, decimals + 1
    if size >= 1000:
        decimals = 0
    elif size >= 1:
        decimals = 4 - len(str(int(size)))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
