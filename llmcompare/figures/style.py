"""The fixed colours, the common layout, and safe text."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

import numpy as np
import plotly.graph_objects as go

from llmcompare.core.cost import Band
from llmcompare.core.curves import Floats
from llmcompare.core.families import FAMILY_NAMES as FAMILY_NAMES

FAMILY_COLOURS = {"llama": "#2f7fdc", "mistral": "#ea7125", "qwen": "#8a5cd8", "other": "#7d8794"}
FAMILY_SYMBOLS = {"llama": "circle", "mistral": "square", "qwen": "diamond", "other": "cross"}
"""Colour is never the only difference."""
OPTION_COLOURS = {
    "api": "#12998a", "serverless": "#4b6fd6", "rented": "#c2477f", "rented_at_scale": "#a8731a", "owned": "#5f8f2b",
    "today": "#7d8794",
}  # fmt: skip
DASHES = {
    "api": "solid", "serverless": "dot", "rented": "solid", "rented_at_scale": "dashdot", "owned": "longdash",
    "today": "dash",
}  # fmt: skip
MARK_COLOUR = "#7d8794"


def safe(text: str) -> str:
    """Text from data, for a label or a hover box.

    >>> safe("<b>GPU</b> & co")
    '&lt;b&gt;GPU&lt;/b&gt; &amp; co'
    """
    return escape(text, quote=False)


def see_through(colour: str, opacity: float) -> str:
    """A #rrggbb colour with an opacity.

    >>> see_through("#12998a", 0.2)
    'rgba(18,153,138,0.2)'
    """
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def error_bars(bands: Sequence[Band], colour: str, *, thickness: float, width: float = 0) -> dict[str, object]:
    """Of each mark, from the low to the high end of its band."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [band.high - band.mid for band in bands],
        "arrayminus": [band.mid - band.low for band in bands],
        "color": colour,
        "thickness": thickness,
        "width": width,
    }


def ribbon(x: Floats, low: Floats, high: Floats, *, colour: str, name: str, group: str | None = None) -> go.Scatter:
    """What lies between two lines; with a group it has no entry of its own in the legend."""
    return go.Scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        # Plotly draws marks on short lines unless told otherwise.
        mode="lines",
        fill="toself",
        fillcolor=see_through(colour, 0.16),
        line={"width": 0},
        hoverinfo="skip",
        name=name,
        legendgroup=group,
        showlegend=group is None,
    )


def strokes(x: float, *, rows: int) -> go.Scatter:
    """A short stroke in each row at what values are compared with: a line from top to bottom would cross the names."""
    return go.Scatter(
        x=[x] * rows, y=list(range(rows)), mode="markers", showlegend=False, hoverinfo="skip",
        marker={"symbol": "line-ns", "size": 6, "line": {"color": MARK_COLOUR, "width": 1}},
    )  # fmt: skip


def laid_out(figure: go.Figure, *, x_title: str, y_title: str) -> go.Figure:
    """Margins for a narrow screen, legend above the plot, titles with units, nothing behind the plot."""
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        height=460,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        hovermode="closest",
        # A finger that is drawn over a chart scrolls the page; the zoom is a click on its button.
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(title=x_title, automargin=True)
    figure.update_yaxes(title=y_title, automargin=True)
    return figure


LOG_AXIS = {"type": "log", "dtick": 1, "exponentformat": "B", "minor": {"showgrid": False}}
"""Ticks at powers of ten, written 1k, 1M, 1B."""


def log_ticks(values: Sequence[float]) -> dict[str, list[float] | list[str]]:
    """1, 2 and 5 of each decade that the values span: a logarithmic axis names its powers only in full.

    >>> log_ticks([3, 40])["ticktext"]
    ['1', '2', '5', '10', '20', '50', '100', '200', '500']
    """
    if not values:
        return {}
    first, last = floor(log10(min(values))), ceil(log10(max(values)))
    places = [step * 10.0**power for power in range(first, last + 1) for step in (1, 2, 5)]
    return {"tickvals": places, "ticktext": [f"{place:,g}" for place in places]}
