"""Monthly cost over volume."""

from math import log10
from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go

from llmcompare.core.comparison import Comparison, Option
from llmcompare.core.tables import volumes
from llmcompare.core.units import TOKENS_PER_MTOK, count_text, usd_text
from llmcompare.figures.style import DASHES, LOG_AXIS, MARK_COLOUR, OPTION_COLOURS, laid_out, ribbon, safe

Measure = Literal["USD per month", "USD per million tokens", "tokens per USD"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
CROSSINGS_MARKED = 12
"""Of each pair; further ones are in the table and in words."""


def cost_curves(comparison: Comparison, measure: Measure = "USD per month") -> go.Figure:
    """Bands, middles and crossings of all options, both axes logarithmic; steps are drawn upright.

    Per token, all tokens of a request count alike: input, output and thinking.
    """
    figure = go.Figure()
    grid = volumes(comparison)
    for option in comparison.options:
        add_option(figure, option, grid, measure=measure, tokens_per_request=comparison.workload.tokens_per_request)
    if measure == "USD per month":
        _add_crossings(figure, comparison, grid)
    mark_volume(figure, comparison.workload.requests_per_month)
    laid_out(figure, x_title="requests per month (log scale)", y_title=f"{measure} (log scale)")
    figure.update_xaxes(**LOG_AXIS, range=[log10(grid[0]), log10(grid[-1])])
    figure.update_yaxes(**LOG_AXIS, tickprefix="$" if measure.startswith("USD") else "")
    return figure


def add_option(
    figure: go.Figure,
    option: Option,
    grid: list[float],
    *,
    measure: Measure = "USD per month",
    tokens_per_request: float = 1.0,
) -> None:
    """Line and band of one option."""
    colour, label = OPTION_COLOURS[option.key], safe(option.label)
    # Arrays, not lists: plotly looks at every element of a list, which took a third of the time of the figure.
    requests = np.asarray(grid)
    low, mid, high = option.curves.usd_at(requests)
    tokens = requests * tokens_per_request
    if measure == "USD per million tokens":
        low, mid, high = (usd / tokens * TOKENS_PER_MTOK for usd in (low, mid, high))
    elif measure == "tokens per USD":
        low, mid, high = (tokens / usd for usd in (high, mid, low))
    dollars, each = ("$", ",.4~g") if measure.startswith("USD") else ("", ",.4~s")
    if (low != high).any():
        figure.add_trace(ribbon(requests, low, high, colour=colour, name=f"{label}, range", group=label))
    figure.add_scatter(
        x=requests,
        y=mid,
        mode="lines",
        name=label,
        legendgroup=label,
        line={"color": colour, "width": 2.5, "dash": DASHES[option.key]},
        customdata=np.column_stack([low, high]),
        hovertemplate=f"%{{x:.3s}} requests a month<br>%{{y:{dollars}{each}}} (%{{customdata[0]:{dollars}{each}}} to "
        f"%{{customdata[1]:{dollars}{each}}})<extra>{label}</extra>",
    )


def _add_crossings(figure: go.Figure, comparison: Comparison, grid: list[float]) -> None:
    marks = [
        (point, pair)
        for pair in comparison.pairs
        for point in pair.crossings.points[:CROSSINGS_MARKED]
        if grid[0] <= point.requests_per_month <= grid[-1]
    ]
    if not marks:
        return
    figure.add_scatter(
        x=[point.requests_per_month for point, _ in marks],
        y=[point.usd_per_month for point, _ in marks],
        mode="markers+text",
        name="crossing",
        marker={
            "size": 10,
            "symbol": ["circle-open" if point.kind == "equal" else "triangle-up-open" for point, _ in marks],
            "line": {"width": 2.5},
            "color": MARK_COLOUR,
        },
        text=[count_text(point.requests_per_month) for point, _ in marks] if len(marks) <= 4 else None,
        textposition="bottom right",
        customdata=[
            [
                count_text(point.requests_per_month),
                usd_text(point.usd_per_month),
                point.kind,
                safe(pair.first),
                safe(pair.second),
            ]
            for point, pair in marks
        ],
        hovertemplate="%{customdata[3]} and %{customdata[4]}<br>%{customdata[2]} at %{customdata[0]} requests a month, "
        "%{customdata[1]}<extra></extra>",
    )


def mark_volume(figure: go.Figure, requests_per_month: float) -> None:
    """An upright line at the volume in question."""
    figure.add_vline(x=requests_per_month, line={"color": MARK_COLOUR, "width": 1, "dash": "dot"})
    # On a logarithmic axis an annotation stands at the exponent.
    figure.add_annotation(
        x=log10(requests_per_month),
        y=0,
        yref="paper",
        text=f"your volume, {count_text(requests_per_month)}",
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"size": 11},
    )
