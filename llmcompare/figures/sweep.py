"""Quality against cost of the cheapest deployment of every model, of every kind."""

from collections.abc import Sequence

import plotly.graph_objects as go

from llmcompare.core.sweep_words import Line, front
from llmcompare.core.units import usd_text
from llmcompare.figures.labels import SIDES, sides_over_cost
from llmcompare.figures.style import (
    FAMILY_COLOURS,
    FAMILY_NAMES,
    FAMILY_SYMBOLS,
    LOG_AXIS,
    MARK_COLOUR,
    error_bars,
    laid_out,
    safe,
)


def quality_of_deployments(lines: Sequence[Line], *, quality_title: str, today_usd: float) -> go.Figure:
    """Score over monthly cost, bars from the cheapest to the dearest; filled through an API, open on GPUs.

    The front is numbered from the cheapest, as `sweep_words.front_sentence` has it.
    """
    figure = go.Figure()
    scored = [line for line in lines if line.quality is not None]
    best = front(lines)
    figure.add_scatter(
        x=[line.usd_per_month.mid for line in best],
        y=[line.quality.mid for line in best if line.quality],
        mode="lines",
        line={"color": MARK_COLOUR, "width": 1.5, "dash": "dot", "shape": "hv"},
        name="Pareto front",
        hoverinfo="skip",
    )
    is_best = [line in best for line in scored]
    sides = sides_over_cost(
        [line.usd_per_month for line in scored], [line.quality for line in scored if line.quality],
        [line.model_name for line in scored], named=is_best, until_usd=today_usd,
    )  # fmt: skip
    marks = list(zip(scored, is_best, sides, strict=True))
    for family in FAMILY_NAMES:
        shown = [mark for mark in marks if mark[0].family == family]
        if shown:
            _add_family(figure, family, shown)
    _add_numbers(figure, best)
    laid_out(figure, x_title="USD per month (log scale)", y_title=safe(quality_title))
    figure.update_xaxes(**LOG_AXIS, tickprefix="$")
    figure.add_vline(x=today_usd, line={"color": MARK_COLOUR, "width": 1, "dash": "dash"})
    return figure


def _add_numbers(figure: go.Figure, best: Sequence[Line]) -> None:
    """Each mark of the front has its number in it, by which the sentence below names it."""
    figure.add_scatter(
        x=[line.usd_per_month.mid for line in best],
        y=[line.quality.mid for line in best if line.quality],
        mode="text",
        text=[str(number) for number in range(1, len(best) + 1)],
        textfont={
            "size": 11,
            "weight": 700,
            # An open mark has nothing in it to stand out from.
            "color": ["#ffffff" if line.kind == "api" else FAMILY_COLOURS[line.family] for line in best],
        },
        hoverinfo="skip",
        showlegend=False,
    )


def _add_family(figure: go.Figure, family: str, shown: Sequence[tuple[Line, bool, str | None]]) -> None:
    """Each line with whether it is on the front, and the side on which its name has room."""
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
            "size": [18 if is_best else 8 for _, is_best, _ in shown],
            "line": {"width": 2, "color": colour},
            "opacity": [1.0 if is_best else 0.7 for _, is_best, _ in shown],
        },
        text=[safe(line.model_name) if side else "" for line, _, side in shown],
        textposition=[side or SIDES[0] for _, _, side in shown],
        name=FAMILY_NAMES[family],
        customdata=[[safe(line.name), usd_text(line.usd_per_month.mid), safe(line.billing)] for line in lines],
        hovertemplate="%{customdata[0]}<br>score %{y:g}<br>%{customdata[1]} a month, %{customdata[2]}<extra></extra>",
    )
