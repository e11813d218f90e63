"""A request log in pictures: hours of the week, days, tokens; and a forecast against what came."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import plotly.graph_objects as go

from llmcompare.core.actuals import Difference
from llmcompare.core.actuals_words import month_text, value_text
from llmcompare.core.log_hours import Day, Hours
from llmcompare.core.request_log import TokenSpread
from llmcompare.core.request_log_words import WEEKDAYS
from llmcompare.core.traffic import HOURS_PER_DAY
from llmcompare.core.units import usd_text
from llmcompare.figures.style import LOG_AXIS, MARK_COLOUR, laid_out, log_ticks, safe, see_through

LOG_COLOUR = "#3572b8"
TOKEN_COLOURS = {"input": "#12998a", "output": "#c2477f", "thinking": "#a8731a"}
TOKEN_DASHES = {"input": "solid", "output": "dash", "thinking": "dot"}
BAR_MS = 0.85 * 86_400_000
TEXT_ROOM = 0.25
"""Of the length of the axis, for the figures at the ends of the bars."""
TWO_DECADES = 100
DEARER, CHEAPER = "#c2477f", "#12998a"


def week(hours: Hours) -> go.Figure:
    """The rate of each of the week's 168 hours over the mean, a row per weekday; a cross where it is filled in."""
    rows = np.asarray(hours.weights).reshape(7, HOURS_PER_DAY)
    days = [day[:3] for day in WEEKDAYS]
    figure = go.Figure(
        go.Heatmap(
            z=rows,
            x=list(range(HOURS_PER_DAY)),
            y=days,
            zmin=0,
            # Without both ends plotly takes the spread of the values, and chance looks like a habit.
            zmax=max(hours.weights),
            colorscale=[[0, see_through(LOG_COLOUR, 0.06)], [1, LOG_COLOUR]],
            colorbar={"title": {"text": "× mean", "side": "right"}, "thickness": 12},
            hovertemplate="%{y}, %{x} h: %{z:.2f} times the mean rate<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    if hours.filled:
        figure.add_scatter(
            x=[hour % HOURS_PER_DAY for hour in hours.filled],
            y=[days[hour // HOURS_PER_DAY] for hour in hours.filled],
            mode="markers",
            marker={"symbol": "x-thin", "size": 6, "line": {"color": MARK_COLOUR, "width": 1.5}},
            name="not in the log, filled in",
            hovertemplate="%{y}, %{x} h: not in the log, filled in<extra></extra>",
        )
    laid_out(figure, x_title="hour of the day", y_title="")
    figure.update_layout(height=300, showlegend=bool(hours.filled))
    figure.update_xaxes(tickvals=list(range(0, HOURS_PER_DAY, 3)), showgrid=False, zeroline=False)
    figure.update_yaxes(categoryorder="array", categoryarray=days[::-1], showgrid=False)
    return figure


def days(listed: Sequence[Day]) -> go.Figure:
    """Requests of each day; those that the log covers in part are faint."""
    figure = go.Figure()
    for whole, name, opacity in ((True, "whole days", 0.9), (False, "days in part", 0.35)):
        shown = [day for day in listed if day.is_whole == whole]
        if shown:
            figure.add_bar(
                x=[day.text for day in shown],
                y=[day.requests for day in shown],
                name=name,
                # A bar that stands alone would be as wide as the chart.
                width=BAR_MS,
                marker={"color": see_through(LOG_COLOUR, opacity)},
                customdata=[WEEKDAYS[day.weekday] for day in shown],
                hovertemplate="%{customdata}, %{x|%Y-%m-%d}: %{y:,.0f} requests<extra></extra>",
            )
    laid_out(figure, x_title="", y_title="requests per day")
    figure.update_layout(height=300, barmode="overlay", showlegend=len(figure.data) > 1)
    if listed:
        first, last = (datetime.fromisoformat(day.text) for day in (listed[0], listed[-1]))
        figure.update_xaxes(type="date", range=[first - timedelta(hours=14), last + timedelta(hours=14)])
    return figure


def token_distribution(spreads: Sequence[tuple[str, TokenSpread]]) -> go.Figure:
    """Share of the requests over their tokens, in bins that grow by 41%; a mark at each mean."""
    figure = go.Figure()
    for name, spread in spreads:
        total = sum(spread.counts) + spread.none_count
        # The last value is repeated, so that the last step is as wide as its bin.
        shares = [100 * count / total for count in (*spread.counts, spread.counts[-1])]
        colour = TOKEN_COLOURS[name]
        figure.add_scatter(
            x=list(spread.edges),
            y=shares,
            mode="lines",
            line={"shape": "hv", "color": colour, "width": 2, "dash": TOKEN_DASHES[name]},
            fill="tozeroy",
            fillcolor=see_through(colour, 0.15),
            name=name,
            customdata=[[edge, edge * 2**0.5] for edge in spread.edges],
            hovertemplate=f"{name}: %{{y:.1f}}% of the requests have %{{customdata[0]:,.0f}} to "
            "%{customdata[1]:,.0f} tokens<extra></extra>",
        )
        if spread.mean > 0:
            figure.add_vline(x=spread.mean, line={"color": colour, "width": 1, "dash": "dot"})
    laid_out(figure, x_title="tokens of a request (log scale)", y_title="% of the requests")
    figure.update_layout(height=300)
    edges = [edge for _, spread in spreads for edge in spread.edges]
    # Powers of ten alone would leave a narrow spread without a second figure to read it by.
    figure.update_xaxes(**LOG_AXIS | (log_ticks(edges) if max(edges) < TWO_DECADES * min(edges) else {}))
    figure.update_yaxes(rangemode="tozero")
    return figure


def waterfall(found: Difference) -> go.Figure:
    """From the forecast to the bill, part by part."""
    changed = [part for part in found.parts if part.usd]
    names = ["forecast", *(_broken(part.factor.name) for part in changed), "bill"]
    values = [found.forecast_usd, *(part.usd for part in changed), found.actual_usd]
    hover = [
        f"forecast for {safe(found.label)}: {usd_text(found.forecast_usd)}",
        *(
            f"{part.factor.name}: {_signed(part.usd)}<br>{value_text(part.factor, part.factor.actual)} "
            f"{part.factor.unit} instead of {value_text(part.factor, part.factor.forecast)}"
            for part in changed
        ),
        f"{month_text(found.month)}: {usd_text(found.actual_usd)}",
    ]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=names,
            x=values,
            measure=["absolute", *("relative" for _ in changed), "total"],
            text=[usd_text(values[0]), *(_signed(part.usd) for part in changed), usd_text(values[-1])],
            textposition="outside",
            cliponaxis=False,
            hovertext=hover,
            hovertemplate="%{hovertext}<extra></extra>",
            increasing={"marker": {"color": DEARER}},
            decreasing={"marker": {"color": CHEAPER}},
            totals={"marker": {"color": MARK_COLOUR}},
            connector={"line": {"color": MARK_COLOUR, "width": 1}},
        )
    )
    laid_out(figure, x_title="USD", y_title="")
    figure.update_layout(height=130 + 40 * len(names), showlegend=False, margin={"t": 36})
    levels = np.concatenate([[0.0], found.forecast_usd + np.cumsum([0.0, *values[1:-1]])])
    room = TEXT_ROOM * (levels.max() - levels.min())
    low = levels.min() - (room if levels.min() < 0 else 0)
    figure.update_xaxes(tickprefix="$", range=[low, levels.max() + room])
    figure.update_yaxes(autorange="reversed")
    return figure


def _signed(usd: float) -> str:
    return f"{'+' if usd > 0 else '−'}{usd_text(abs(usd))}"


def _broken(name: str) -> str:
    """In two lines, so that it leaves room on a narrow screen."""
    first, _, rest = name.partition(" ")
    return f"{first}<br>{rest}" if rest else first
