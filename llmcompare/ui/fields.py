"""One widget per kind of scenario field: key, limits and default are the field's own, its value is in the address."""

from collections.abc import Iterable
from typing import Any, Literal

import streamlit as st

from llmcompare.core.scenario import RANGES, Scenario

DEFAULTS = Scenario()
ANY = "any"
BOUND: Literal["query-params"] = "query-params"


def whole(
    name: str, label: str, *, low: int | None = None, high: int | None = None, step: int = 1, help: str | None = None
) -> int:
    """A whole number. Without limits of its own, those of the field."""
    lowest, highest = RANGES.get(name, (low, high))
    found: int = st.number_input(
        label,
        min_value=int(low if low is not None else lowest or 0),
        max_value=int(high if high is not None else highest or 0),
        value=int(getattr(DEFAULTS, name)),
        step=step,
        key=name,
        bind=BOUND,
        help=help,
    )
    return found


def number(name: str, label: str, *, step: float, help: str | None = None) -> float:
    """A number within the limits of the field."""
    low, high = RANGES[name]
    found: float = st.number_input(
        label,
        min_value=float(low),
        max_value=float(high),
        value=float(getattr(DEFAULTS, name)),
        step=step,
        key=name,
        bind=BOUND,
        help=help,
    )
    return found


def own(name: str, label: str, placeholder: str, *, help: str | None = None) -> float | None:
    """A figure of the user's own, None when the field is left empty."""
    low, high = RANGES[name]
    found: float | None = st.number_input(
        label,
        min_value=float(low),
        max_value=float(high),
        value=None,
        key=name,
        bind=BOUND,
        placeholder=placeholder,
        help=help,
    )
    return found


def share(name: str, label: str, *, low: float = 0.0, help: str | None = None) -> float:
    """A share up to 1."""
    found: float = st.slider(label, low, 1.0, getattr(DEFAULTS, name), 0.05, key=name, bind=BOUND, help=help)
    return found


def one_of(name: str, label: str, options: Iterable[Any], *, help: str | None = None) -> Any:  # noqa: ANN401 - a literal
    """One of a few words; the first is the default."""
    return st.selectbox(label, list(options), key=name, bind=BOUND, help=help)


def choice(name: str, label: str, options: Iterable[str], *, help: str | None = None) -> str | None:
    """One of several, or None for any."""
    chosen: str = st.selectbox(label, [ANY, *options], key=name, bind=BOUND, help=help)
    return None if chosen == ANY else chosen
