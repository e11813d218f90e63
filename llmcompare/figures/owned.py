"""Energy of serving over the load: modelled as a band, measured as marks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from llmcompare.core.cost import ENDS
from llmcompare.core.energy import METHOD, Modelled
from llmcompare.figures.style import OPTION_COLOURS, laid_out, log_ticks, ribbon, safe

MEASURED_COLOUR = "#ea7125"
MEASURED_SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star")
"""Of the groups in turn: colour says that a figure was measured, the mark says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPoint:
    """One measured energy."""

    group: str
    """What was measured and by whom, for the legend."""
    concurrency: float
    wh_per_mtok: float
    detail: str
    """For the hover box."""


def energy_over_load(points: Sequence[Modelled], measured: Sequence[MeasuredPoint]) -> go.Figure:
    """Watt hours of the GPUs per million output tokens over requests at once, both axes logarithmic."""
    figure = go.Figure()
    if points:
        _add_band(figure, points)
    groups = list(dict.fromkeys(point.group for point in measured))
    for place, group in enumerate(groups):
        shown = [point for point in measured if point.group == group]
        figure.add_scatter(
            x=[point.concurrency for point in shown],
            y=[point.wh_per_mtok for point in shown],
            mode="markers",
            name=f"measured: {safe(group)}",
            marker={
                "color": MEASURED_COLOUR, "symbol": MEASURED_SYMBOLS[place % len(MEASURED_SYMBOLS)], "size": 8,
                "opacity": 0.85,
            },
            customdata=[safe(point.detail) for point in shown],
            hovertemplate="measured %{y:,.3~g} Wh at %{x:,.3~g} requests at once<br>%{customdata}<extra></extra>",
        )  # fmt: skip
    laid_out(figure, x_title="requests at once (log scale)", y_title="GPU Wh per million output tokens (log scale)")
    every = [value for point in points for value in (point.wh_per_mtok.low, point.wh_per_mtok.high)]
    figure.update_yaxes(type="log", **log_ticks(every + [point.wh_per_mtok for point in measured]))
    loads = [point.concurrency for point in points] + [point.concurrency for point in measured]
    fourfold = [4**power for power in range(7) if not loads or 4**power < 1.5 * max(loads)]
    figure.update_xaxes(type="log", tickvals=fourfold, ticktext=[f"{load:,}" for load in fourfold])
    figure.update_layout(legend={"y": -0.22, "yanchor": "top"})
    return figure


def _add_band(figure: go.Figure, points: Sequence[Modelled]) -> None:
    colour, name = OPTION_COLOURS["owned"], METHOD
    load = np.asarray([point.concurrency for point in points], dtype=float)
    low, mid, high = (np.asarray([getattr(point.wh_per_mtok, end) for point in points]) for end in ENDS)
    figure.add_trace(ribbon(load, low, high, colour=colour, name=f"{name}, band"))
    figure.add_scatter(
        x=load,
        y=mid,
        mode="lines",
        name=name,
        line={"color": colour, "width": 2.5},
        customdata=np.column_stack([low, high]),
        hovertemplate="%{x:,.0f} requests at once: %{y:,.3~g} Wh, modelled "
        "(%{customdata[0]:,.3~g} to %{customdata[1]:,.3~g})<extra></extra>",
    )
