"""Two options over volume, what their crossing and saving hang on, and the saving over two inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

import numpy as np
import plotly.graph_objects as go

from llmcompare.core.tables import drawn_volumes
from llmcompare.core.two_options import TwoOptions
from llmcompare.core.units import count_text, usd_text
from llmcompare.figures.costs import add_option, mark_volume
from llmcompare.figures.style import LOG_AXIS, MARK_COLOUR, OPTION_COLOURS, laid_out, safe, see_through

INTERVALS_SHADED = 3
"""The first ones; further ones lie within a replica of each other."""
REACH = 5
"""Factor by which the chart reaches beyond the outermost volume of interest."""
MOST_DECADES = 8
TICK_MULTIPLES = {4: (1, 1.5, 2, 3, 4, 5, 6, 8), 500: (1, 2, 5)}
"""Of powers of ten that are named on an axis of volumes, by the ratio of its ends."""
LOW_COLOUR, HIGH_COLOUR = "#4b6fd6", "#ea7125"
BAR_PX, FRAME_PX = 30, 110
NEVER_BEYOND = 1.35
"""Where a bar without an end stops, as a factor beyond the largest volume."""
CLIPPED_SHARE = 0.85
"""Of the map's fields that keep their own colour; the rest, far out, share the darkest."""
FAINT = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class TornadoRow:
    """One bar: the result at both ends of an input, in words too. None where there is no result."""

    label: str
    low_text: str
    """The input at its low end, as its value and unit."""
    high_text: str
    at_low: float | None
    at_high: float | None


def pair_curves(pair: TwoOptions) -> go.Figure:
    """Both options with their bands, today's bill, the crossings and the interval of each of the first; log axes."""
    figure = go.Figure()
    low, high = _reach(pair)
    grid = drawn_volumes([pair.late.curves, pair.early.curves], low=low, high=high, marked=[pair.requests_per_month])
    today = [option for option in pair.comparison.options if option.key == "today"]
    for option in dict.fromkeys((pair.early, pair.late, *today)):
        add_option(figure, option, grid)
    _shade_intervals(figure, pair, low, high)
    _mark_crossings(figure, pair, low, high)
    mark_volume(figure, pair.requests_per_month)
    laid_out(figure, x_title="requests per month (log scale)", y_title="USD per month (log scale)")
    figure.update_xaxes(**_volume_axis(low, high))
    figure.update_yaxes(**LOG_AXIS, tickprefix="$")
    return figure


def _volume_axis(low: float, high: float) -> dict[str, Any]:
    """Powers of ten, and of each as many multiples as there is room for."""
    multiples = next((found for span, found in TICK_MULTIPLES.items() if high / low < span), (1.0,))
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    places = [x for power in powers for multiple in multiples if low <= (x := multiple * 10.0**power) <= high]
    named = {"tickvals": places, "ticktext": [count_text(place) for place in places]}
    return {"type": "log", "range": [log10(low), log10(high)], "minor": {"showgrid": False}} | named


def _reach(pair: TwoOptions) -> tuple[float, float]:
    """Volumes from the least to the most that matter, with some room."""
    middle = pair.requests_per_month
    told = [one.crossing.requests_per_month for one in pair.bands.intervals[:INTERVALS_SHADED]]
    ends = [volume for volume in (pair.bands.earliest, pair.bands.latest) if volume]
    low, high = min([middle, *told, *ends]) / REACH, max([middle, *told, *ends]) * REACH
    widest = 10 ** (MOST_DECADES / 2)
    return max(low, middle / widest), min(high, middle * widest)


def _shade_intervals(figure: go.Figure, pair: TwoOptions, low: float, high: float) -> None:
    for start, end in shaded(pair):
        if end is None or end > high:
            end = high
        if start < end and start < high:
            figure.add_vrect(x0=max(start, low), x1=end, fillcolor=see_through(MARK_COLOUR, 0.16), line_width=0)


def shaded(pair: TwoOptions) -> list[tuple[float, float | None]]:
    """Volumes between which a crossing lies as prices go; no end where it vanishes at the worst end.

    The first reaches over all volumes from which the late option may begin to pay.
    """
    bands = pair.bands
    if bands.earliest is None:
        return []
    first = [(bands.earliest, bands.latest)]
    return first + [
        (one.low_requests_per_month, one.high_requests_per_month) for one in bands.intervals[1:INTERVALS_SHADED]
    ]


def _mark_crossings(figure: go.Figure, pair: TwoOptions, low: float, high: float) -> None:
    points = [p for p in pair.bands.middle.points[:40] if low <= p.requests_per_month <= high]
    if not points:
        return
    figure.add_scatter(
        x=[point.requests_per_month for point in points],
        y=[point.usd_per_month for point in points],
        mode="markers+text",
        name="crossing",
        marker={
            "size": 10,
            "symbol": ["circle-open" if point.kind == "equal" else "triangle-up-open" for point in points],
            "line": {"width": 2.5},
            "color": MARK_COLOUR,
        },
        text=[count_text(point.requests_per_month) if place == 0 else "" for place, point in enumerate(points)],
        textposition="bottom right",
        customdata=[[count_text(p.requests_per_month), usd_text(p.usd_per_month), p.kind] for p in points],
        hovertemplate="%{customdata[2]} at %{customdata[0]} requests a month, %{customdata[1]}<extra></extra>",
    )


def tornado(rows: Sequence[TornadoRow], *, at_mid: float | None, x_title: str, volumes: bool) -> go.Figure:
    """Bars from the middle result to the results at both ends of each input, the widest on top.

    volumes: the result is a volume on a logarithmic axis, and one that does not exist lies beyond the right edge.
    Otherwise it is an amount of US dollars, and without a result there is no bar.
    """
    figure = go.Figure()
    results = [value for row in rows for value in (row.at_low, row.at_high)] + [at_mid]
    known = [value for value in results if value is not None]
    edge = NEVER_BEYOND * max(known, default=1.0)
    least = min((value for value in known if value > 0), default=1.0)
    start = least / NEVER_BEYOND

    def place(value: float | None) -> float:
        # A volume of 0, cheaper from the start, has no place on a logarithmic axis.
        return edge if value is None else max(value, start) if volumes else value

    def said(value: float | None) -> str:
        if value is None:
            return "never"
        return (f"{count_text(value)} requests a month" if value else "any volume") if volumes else usd_text(value)

    base = place(at_mid)
    for name, colour, at in (("input low", LOW_COLOUR, "at_low"), ("input high", HIGH_COLOUR, "at_high")):
        ends = [getattr(row, at) for row in rows]
        # On a logarithmic axis a bar's length is the difference of places, as everywhere.
        figure.add_bar(
            y=[safe(row.label).replace(", ", ",<br>") for row in rows],
            x=[place(value) - base if value is not None or volumes else 0 for value in ends],
            base=base,
            orientation="h",
            name=name,
            marker={"color": colour, "pattern": {"shape": "" if at == "at_low" else "/", "solidity": 0.25, "size": 6}},
            customdata=[
                [safe(row.low_text if at == "at_low" else row.high_text), safe(said(value))]
                for row, value in zip(rows, ends, strict=True)
            ],
            hovertemplate="%{y}: %{customdata[0]}<br>%{customdata[1]}<extra></extra>",
            text=["never" if value is None and volumes else "" for value in ends],
            textposition="inside",
            insidetextanchor="end",
        )
    laid_out(figure, x_title=x_title, y_title="")
    figure.add_vline(x=base, line={"color": MARK_COLOUR, "width": 1.5})
    figure.update_layout(barmode="overlay", height=FRAME_PX + BAR_PX * len(rows), bargap=0.35)
    figure.update_yaxes(autorange="reversed")
    if volumes:
        figure.update_xaxes(**_volume_axis(start, edge * 1.02))
    else:
        figure.update_xaxes(tickformat="$~s", zeroline=True, zerolinecolor=MARK_COLOUR)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True)
class MapAxis:
    """One input of a map."""

    label: str
    unit: str
    values: Sequence[float]
    here: float
    """Where the question stands."""
    is_share: bool


def saving_map(
    x: MapAxis,
    y: MapAxis,
    saving_usd_per_month: Sequence[Sequence[float | None]],
    *,
    late: tuple[str, str],
    early: tuple[str, str],
) -> go.Figure:
    """Colour for who is cheaper and by how much, the line of equal cost, and the point of the question.

    late, early: key and name of the options; the late one saves what the fields say.
    """
    cells = np.array([[np.nan if cell is None else cell for cell in row] for row in saving_usd_per_month])
    figure = go.Figure()
    limit = float(np.nanquantile(np.abs(cells), CLIPPED_SHARE)) if np.isfinite(cells).any() else 1.0
    colour, other = OPTION_COLOURS[late[0]], OPTION_COLOURS[early[0]]
    figure.add_heatmap(
        x=np.asarray(x.values),
        y=np.asarray(y.values),
        z=cells,
        zmin=-limit or -1.0,
        zmax=limit or 1.0,
        colorscale=[
            [0, see_through(other, 0.9)], [0.5, see_through(MARK_COLOUR, FAINT)], [1, see_through(colour, 0.9)],
        ],
        hovertemplate=f"{safe(x.label)} {_hover('x', x)}, {safe(y.label)} {_hover('y', y)}"
        f"<br>{safe(late[1])} saves %{{z:$,.0f}} a month<extra></extra>",
        colorbar={"title": {"text": "USD a month", "side": "right"}, "thickness": 12, "tickformat": "$~s"},
    )  # fmt: skip
    if np.isfinite(cells).all() and cells.min() < 0 < cells.max():
        figure.add_contour(
            x=np.asarray(x.values), y=np.asarray(y.values), z=cells, showscale=False, hoverinfo="skip",
            contours={"start": 0, "end": 0, "size": 1, "coloring": "none"}, line={"color": MARK_COLOUR, "width": 2.5},
            name="equal cost", showlegend=True,
        )  # fmt: skip
    figure.add_scatter(
        x=[x.here],
        y=[y.here],
        mode="markers",
        name="here now",
        marker={"symbol": "x", "size": 13, "color": MARK_COLOUR, "line": {"width": 2, "color": "#ffffff"}},
        hovertemplate="here now<extra></extra>",
    )
    laid_out(figure, x_title=f"{safe(x.label)}, {safe(x.unit)}", y_title=f"{safe(y.label)}, {safe(y.unit)}")
    for axis, update in ((x, figure.update_xaxes), (y, figure.update_yaxes)):
        update(showgrid=False, tickformat=".0%" if axis.is_share else None, exponentformat="B")
    return figure


def _hover(letter: str, axis: MapAxis) -> str:
    return f"%{{{letter}:.0%}}" if axis.is_share else f"%{{{letter}:,.4~g}}"
