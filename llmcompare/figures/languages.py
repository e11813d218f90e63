"""Tokens of one text with every tokenizer, and of every language."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import plotly.graph_objects as go

from llmcompare.core.cost import Band
from llmcompare.figures.style import (
    FAMILY_COLOURS,
    FAMILY_SYMBOLS,
    MARK_COLOUR,
    laid_out,
    log_ticks,
    safe,
    see_through,
)

ROW_PX = 26
FRAME_PX = 150
OPACITIES = (1.0, 0.5, 0.2)
SYMBOL_ENDS = ("", "-open-dot", "-open")
"""By age: filled, with a dot, empty."""
ROOM = 1.03
BAR_WIDTH, NAME_ABOVE = 0.4, 0.42
"""In distances of bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBar:
    """The text with one tokenizer."""

    name: str
    family: str
    age: int
    """Newer tokenizers of its family."""
    tokens: Band
    times_fewest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageDot:
    """One language with one tokenizer."""

    language: str
    tokenizer: str
    family: str
    age: int
    value: float


def token_bars(bars: Sequence[TokenBar]) -> go.Figure:
    """A bar a tokenizer, the fewest tokens on top; the older a tokenizer of a family, the paler.

    Names stand above the bars: beside them they would leave a telephone no room.
    """
    figure, places = go.Figure(), list(range(len(bars)))
    figure.add_bar(
        y=places,
        x=[bar.tokens.mid for bar in bars],
        width=BAR_WIDTH,
        orientation="h",
        marker={
            "color": [_colour(bar.family, bar.age) for bar in bars],
            "line": {"color": [FAMILY_COLOURS[bar.family] for bar in bars], "width": 1.5},
        },
        error_x={
            "type": "data", "symmetric": False, "color": MARK_COLOUR, "thickness": 1.2, "width": 4,
            "array": [bar.tokens.high - bar.tokens.mid for bar in bars],
            "arrayminus": [bar.tokens.mid - bar.tokens.low for bar in bars],
        },
        customdata=[[safe(bar.name), bar.tokens.low, bar.tokens.high, bar.times_fewest] for bar in bars],
        hovertemplate="%{customdata[0]}<br>%{x:,.0f} tokens (%{customdata[1]:,.0f} to %{customdata[2]:,.0f}), "
        "%{customdata[3]:.2f} times the fewest<extra></extra>",
        showlegend=False,
    )  # fmt: skip
    figure.add_scatter(
        y=[place - NAME_ABOVE for place in places],
        x=[0 for _ in bars],
        mode="text",
        text=[f"<b>{safe(bar.name)}</b>: {bar.tokens.mid:,.0f}, {bar.times_fewest:.2f}×" for bar in bars],
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
    )
    laid_out(figure, x_title="tokens of the text", y_title="")
    figure.update_layout(height=80 + 48 * len(bars))
    figure.update_yaxes(range=[len(bars) - 0.6, -0.75], showticklabels=False, showgrid=False, zeroline=False)
    figure.update_xaxes(range=[0, ROOM * max(bar.tokens.high for bar in bars)], tickformat=",d", nticks=6)
    return figure


def language_dots(dots: Sequence[LanguageDot], *, x_title: str, marked: str) -> go.Figure:
    """A row a language, a mark a tokenizer; the languages in the order given, one of them in bold."""
    figure = go.Figure()
    for tokenizer in dict.fromkeys(dot.tokenizer for dot in dots):
        shown = [dot for dot in dots if dot.tokenizer == tokenizer]
        first = shown[0]
        figure.add_scatter(
            x=[dot.value for dot in shown],
            y=[_label(dot.language, marked) for dot in shown],
            mode="markers",
            marker={
                "symbol": FAMILY_SYMBOLS[first.family] + SYMBOL_ENDS[min(first.age, 2)],
                "color": FAMILY_COLOURS[first.family],
                "size": 10,
                "line": {"width": 1.6, "color": FAMILY_COLOURS[first.family]},
            },
            name=safe(tokenizer),
            hovertemplate="%{y}, " + safe(tokenizer) + ": %{x:,.3~g}<extra></extra>",
        )
    languages = list(dict.fromkeys(_label(dot.language, marked) for dot in dots))
    laid_out(figure, x_title=x_title, y_title="")
    figure.update_layout(height=FRAME_PX + ROW_PX * len(languages))
    figure.update_yaxes(
        categoryorder="array", categoryarray=languages[::-1], gridcolor=see_through(MARK_COLOUR, 0.15), showgrid=True,
        range=[-0.7, len(languages) - 0.3], tickmode="array", tickvals=languages,
    )  # fmt: skip
    figure.update_xaxes(type="log", **log_ticks([dot.value for dot in dots]))
    figure.update_xaxes(range=_log_range([dot.value for dot in dots]))
    return figure


def _log_range(values: Sequence[float]) -> list[float]:
    return [log10(min(values)) - 0.05, log10(max(values)) + 0.05]


def _label(language: str, marked: str) -> str:
    return f"<b>{safe(language)}</b>" if language == marked else safe(language)


def _colour(family: str, age: int) -> str:
    return see_through(FAMILY_COLOURS[family], OPACITIES[min(age, 2)])
