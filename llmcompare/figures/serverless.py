"""Serverless against always-on GPUs over volume, and the requests that meet a cold start."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import plotly.graph_objects as go

from llmcompare.core.comparison import Option
from llmcompare.core.units import count_text, usd_text
from llmcompare.figures.costs import add_option, mark_volume
from llmcompare.figures.style import LOG_AXIS, MARK_COLOUR, OPTION_COLOURS, laid_out, safe

LINE_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SIMULATED_SYMBOL = "diamond-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdLine:
    """The share of requests that meet a cold start, by formula, over volume; up to where one worker is enough."""

    label: str
    requests_per_month: Sequence[float]
    fraction: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdPoint:
    """The same as simulated at one volume."""

    requests_per_month: float
    fraction: float
    fraction_se: float
    detail: str
    """For the hover box."""


def serverless_costs(
    options: Sequence[Option],
    grid: list[float],
    *,
    requests_per_month: float,
    crossing: tuple[float, float] | None = None,
    simulated: tuple[str, float] | None = None,
) -> go.Figure:
    """Bands and middles of the options, both axes logarithmic.

    crossing: volume and cost where both cost the same. simulated: a provider, and what it bills for a simulated month.
    """
    figure = go.Figure()
    for option in options:
        add_option(figure, option, grid)
    if crossing is not None and grid[0] <= crossing[0] <= grid[-1]:
        volume, usd = crossing
        figure.add_scatter(
            x=[volume],
            y=[usd],
            mode="markers+text",
            name="crossing",
            marker={"size": 10, "symbol": "circle-open", "line": {"width": 2.5}, "color": MARK_COLOUR},
            text=[count_text(volume)],
            textposition="bottom right",
            hovertemplate=f"the same at {count_text(volume)} requests a month, {usd_text(usd)}<extra></extra>",
        )
    if simulated is not None:
        provider, usd = simulated
        figure.add_scatter(
            x=[requests_per_month],
            y=[usd],
            mode="markers",
            name=f"simulated month, {safe(provider)}",
            marker=_simulated_marker(),
            hovertemplate="%{y:$,.4~g} a month, simulated<extra></extra>",
        )
    mark_volume(figure, requests_per_month)
    laid_out(figure, x_title="requests per month (log scale)", y_title="USD per month (log scale)")
    figure.update_xaxes(**LOG_AXIS, range=[log10(grid[0]), log10(grid[-1])])
    figure.update_yaxes(**LOG_AXIS, tickprefix="$")
    return figure


def cold_shares(
    lines: Sequence[ColdLine],
    points: Sequence[ColdPoint],
    *,
    requests_per_month: float,
    span: tuple[float, float],
) -> go.Figure:
    """One line per idle timeout from the formula, and marks with two standard errors from simulations."""
    figure = go.Figure()
    for line, dash in zip(lines, LINE_DASHES, strict=False):
        figure.add_scatter(
            x=list(line.requests_per_month),
            y=list(line.fraction),
            mode="lines",
            name=safe(line.label),
            line={"color": OPTION_COLOURS["serverless"], "width": 2.5, "dash": dash},
            hovertemplate=f"%{{x:.3s}} requests a month<br>%{{y:.2%}}<extra>{safe(line.label)}</extra>",
        )
    if points:
        figure.add_scatter(
            x=[point.requests_per_month for point in points],
            y=[point.fraction for point in points],
            error_y={
                "type": "data",
                "array": [2 * point.fraction_se for point in points],
                "color": MARK_COLOUR,
                "thickness": 1.5,
                "width": 3,
            },
            mode="markers",
            name="simulated",
            marker=_simulated_marker(),
            customdata=[safe(point.detail) for point in points],
            hovertemplate="%{x:.3s} requests a month<br>%{y:.2%}, %{customdata}<extra>simulated</extra>",
        )
    mark_volume(figure, requests_per_month)
    laid_out(figure, x_title="requests per month (log scale)", y_title="requests that meet a cold start")
    figure.update_layout(height=380)
    figure.update_xaxes(**LOG_AXIS, range=[log10(span[0]), log10(span[1])])
    figure.update_yaxes(tickformat=".0%", range=[-0.1, 1.04])
    return figure


def _simulated_marker() -> dict[str, object]:
    return {"size": 10, "symbol": SIMULATED_SYMBOL, "line": {"width": 2}, "color": MARK_COLOUR}
