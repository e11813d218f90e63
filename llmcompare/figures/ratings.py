"""Ratings with their intervals."""

import plotly.graph_objects as go

from llmcompare.core.ratings import Ratings
from llmcompare.core.ratings_words import place_text, standings
from llmcompare.figures.style import OPTION_COLOURS, error_bars, laid_out, safe, strokes

ROW_PX = 56
FRAME_PX = 110
EVEN_PERCENT = 50
"""As many votes as the others."""
NAME_LETTERS = 46
"""As many as a telephone has room for; the hover box and the table have the whole name."""
NAME_ABOVE_PX = 15
"""Names stand above their lines: beside them, they would leave no room for the chart on a telephone."""


def ratings(found: Ratings) -> go.Figure:
    """A line per model from end to end of its interval, best on top."""
    names = [found.counts.names[at] for at in found.order]
    shares, places = found.shares(), found.places()
    shown = [shares[at] for at in found.order]
    rows = list(range(len(names)))[::-1]
    figure = go.Figure(strokes(EVEN_PERCENT, rows=len(names)))
    figure.add_scatter(
        x=[share.mid for share in shown],
        y=rows,
        error_x=error_bars(shown, OPTION_COLOURS["api"], thickness=3, width=6),
        mode="markers",
        marker={"size": 12, "color": OPTION_COLOURS["api"]},
        customdata=[
            (safe(name), place_text(places[at]), shares[at].low, shares[at].high)
            for name, at in zip(names, found.order, strict=True)
        ],
        hovertemplate="%{customdata[0]}<br>place %{customdata[1]}<br>%{x:.0f}% of votes (%{customdata[2]:.0f} to "
        "%{customdata[3]:.0f})<extra></extra>",
        showlegend=False,
    )
    laid_out(figure, x_title="votes expected against the others", y_title="")
    for row, name in zip(rows, names, strict=True):
        figure.add_annotation(
            x=0,
            y=row,
            yshift=NAME_ABOVE_PX,
            text=safe(_fitted(name)),
            showarrow=False,
            xanchor="left",
            font={"size": 12},
        )
    figure.update_layout(height=FRAME_PX + ROW_PX * len(names))
    figure.update_xaxes(ticksuffix="%", range=[-3, 103], tick0=0, dtick=25)
    figure.update_yaxes(showticklabels=False, showgrid=False, zeroline=False, range=[-0.5, len(names) - 0.3])
    return figure


def _fitted(name: str) -> str:
    """A name without its middle where it is long: files differ at the beginning and, by their formats, at the end."""
    if len(name) <= NAME_LETTERS:
        return name
    end = NAME_LETTERS // 2
    return f"{name[: NAME_LETTERS - end - 1]}…{name[-end:]}"


def describe(found: Ratings) -> str:
    """The chart in words."""
    return "; ".join(standings(found))
