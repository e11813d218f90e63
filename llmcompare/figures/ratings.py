"""Ratings with their intervals."""

from collections.abc import Sequence

import plotly.graph_objects as go

from llmcompare.core.ratings import Ratings
from llmcompare.core.ratings_words import place_text, share_band, standings
from llmcompare.figures.style import MARK_COLOUR, OPTION_COLOURS, error_bars, laid_out, safe

ROW_PX = 44
FRAME_PX = 130
LABEL_CHARACTERS = 26
"""Of a model's name beside the chart: more would leave no room for it on a telephone."""


def ratings(found: Ratings) -> go.Figure:
    """A line per model from end to end of its interval, best on top."""
    names = [found.counts.names[at] for at in found.order]
    bands, places = found.bands(), found.places()
    shares = [share_band(bands[at]) for at in found.order]
    labels = _labels(names)
    figure = go.Figure()
    figure.add_scatter(
        x=[share.mid for share in shares],
        y=labels,
        error_x=error_bars(shares, OPTION_COLOURS["api"], thickness=3, width=6),
        mode="markers",
        marker={"size": 12, "color": OPTION_COLOURS["api"]},
        customdata=[
            (safe(name), place_text(places[at]), share.low, share.high)
            for name, at, share in zip(names, found.order, shares, strict=True)
        ],
        hovertemplate="%{customdata[0]}<br>place %{customdata[1]}<br>%{x:.0f} % of votes (%{customdata[2]:.0f} to "
        "%{customdata[3]:.0f})<extra></extra>",
        showlegend=False,
    )
    laid_out(figure, x_title="percent of votes expected against the mean model", y_title="")
    figure.add_vline(x=50, line={"color": MARK_COLOUR, "width": 1, "dash": "dot"})
    figure.update_layout(height=FRAME_PX + ROW_PX * len(names))
    figure.update_xaxes(ticksuffix=" %", range=[0, 100])
    figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], range=[-0.7, len(names) - 0.3])
    return figure


def _labels(names: Sequence[str]) -> list[str]:
    """Names without the ending that all share; long ones keep both ends, where formats and sizes stand."""
    short = [name.removesuffix(".gguf") for name in names]
    cut = [name if len(name) <= LABEL_CHARACTERS else f"{name[:13]}…{name[-12:]}" for name in short]
    return [safe(name) for name in (cut if len(set(cut)) == len(cut) else short)]


def describe(found: Ratings) -> str:
    """The chart in words."""
    return "; ".join(standings(found))
