"""Quality against cost of the cheapest deployment of every model, of every kind."""

from collections.abc import Sequence

import plotly.graph_objects as go

from llmcompare.core.pareto import on_front
from llmcompare.core.sweep_words import Line
from llmcompare.core.units import usd_text
from llmcompare.figures.style import (
    FAMILY_COLOURS,
    FAMILY_NAMES,
    FAMILY_SYMBOLS,
    LOG_AXIS,
    MARK_COLOUR,
    error_bars,
    laid_out,
    name_places,
    safe,
)


def quality_of_deployments(lines: Sequence[Line], *, quality_title: str, today_usd: float) -> go.Figure:
    """Score over monthly cost, bars from the cheapest to the dearest; filled through an API, open on GPUs."""
    figure = go.Figure()
    scored = [line for line in lines if line.quality is not None]
    front = on_front([line.usd_per_month.mid for line in scored], [line.quality.mid for line in scored if line.quality])
    best = sorted((line for line, is_best in zip(scored, front, strict=True) if is_best), key=_usd)
    figure.add_scatter(
        x=[line.usd_per_month.mid for line in best],
        y=[line.quality.mid for line in best if line.quality],
        mode="lines",
        line={"color": MARK_COLOUR, "width": 1.5, "dash": "dot", "shape": "hv"},
        name="Pareto front",
        hoverinfo="skip",
    )
    places = name_places([_usd(line) for line in scored], [one.quality.mid for one in scored if one.quality], front)
    for family in FAMILY_NAMES:
        shown = [one for one in zip(scored, front, places, strict=True) if one[0].family == family]
        if shown:
            _add_family(figure, family, shown)
    laid_out(figure, x_title="USD per month (log scale)", y_title=safe(quality_title))
    figure.update_xaxes(**LOG_AXIS, tickprefix="$")
    figure.add_vline(x=today_usd, line={"color": MARK_COLOUR, "width": 1, "dash": "dash"})
    return figure


def _usd(line: Line) -> float:
    return line.usd_per_month.mid


def _add_family(figure: go.Figure, family: str, shown: Sequence[tuple[Line, bool, str]]) -> None:
    colour, symbol = FAMILY_COLOURS[family], FAMILY_SYMBOLS[family]
    lines = [line for line, _, _ in shown]
    figure.add_scatter(
        x=[line.usd_per_month.mid for line in lines],
        y=[line.quality.mid for line in lines if line.quality],
        error_x=error_bars([line.usd_per_month for line in lines], colour, thickness=0.8, width=2),
        mode="markers+text",
        marker={
            "symbol": [symbol if line.kind == "api" else f"{symbol}-open" for line in lines],
            "color": colour,
            "size": [13 if is_best else 8 for _, is_best, _ in shown],
            "line": {"width": 2, "color": colour},
        },
        text=[safe(line.model_name) if is_best else "" for line, is_best, _ in shown],
        textposition=[place for _, _, place in shown],
        name=FAMILY_NAMES[family],
        customdata=[[safe(line.name), usd_text(line.usd_per_month.mid), safe(line.billing)] for line in lines],
        hovertemplate="%{customdata[0]}<br>score %{y:g}<br>%{customdata[1]} a month, %{customdata[2]}<extra></extra>",
    )
