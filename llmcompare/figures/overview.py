"""Quality against cost, with the models that nobody should pass over."""

from itertools import groupby

import plotly.graph_objects as go

from llmcompare.core.phrases import band_text
from llmcompare.core.quality import ModelPoint, QualityAgainstCost
from llmcompare.core.units import counted
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


def quality_against_cost(result: QualityAgainstCost) -> go.Figure:
    """Score over monthly API cost; error bars are the spread over providers and over runs; the front is a line."""
    figure = go.Figure()
    _add_front(figure, [point for point in result.points if point.on_front])
    by_family = sorted(result.points, key=lambda point: point.model.family)
    sides = sides_over_cost(
        [point.usd_per_month for point in by_family], [point.score for point in by_family],
        [point.model.display_name for point in by_family], named=[point.on_front for point in by_family],
    )  # fmt: skip
    for family, marks in groupby(zip(by_family, sides, strict=True), key=lambda mark: mark[0].model.family):
        _add_family(figure, family, list(marks))
    laid_out(
        figure,
        x_title="USD per month, token-priced API (log scale)",
        y_title=f"{safe(result.cell.benchmark)}, {safe(result.cell.metric)}",
    )
    figure.update_xaxes(**LOG_AXIS, tickprefix="$")
    return figure


def _add_front(figure: go.Figure, front: list[ModelPoint]) -> None:
    figure.add_scatter(
        x=[point.usd_per_month.mid for point in front],
        y=[point.score.mid for point in front],
        mode="lines",
        line={"color": MARK_COLOUR, "width": 1.5, "dash": "dot", "shape": "hv"},
        name="Pareto front",
        hoverinfo="skip",
    )


def _add_family(figure: go.Figure, family: str, marks: list[tuple[ModelPoint, str | None]]) -> None:
    """Each point with the side on which its name has room."""
    colour, points = FAMILY_COLOURS[family], [point for point, _ in marks]
    figure.add_scatter(
        x=[point.usd_per_month.mid for point in points],
        y=[point.score.mid for point in points],
        error_x=error_bars([point.usd_per_month for point in points], colour, thickness=0.8, width=2),
        error_y=error_bars([point.score for point in points], colour, thickness=0.8, width=2),
        mode="markers+text",
        marker={
            "symbol": FAMILY_SYMBOLS[family],
            "color": colour,
            "size": [13 if point.on_front else 8 for point in points],
            "opacity": [1.0 if point.on_front else 0.55 for point in points],
        },
        text=[safe(point.model.display_name) if side else "" for point, side in marks],
        textposition=[side or SIDES[0] for _, side in marks],
        name=FAMILY_NAMES[family],
        customdata=[_hover(point) for point in points],
        hovertemplate="%{customdata[0]}<br>score %{customdata[1]}<br>%{customdata[2]} a month"
        "<br>%{customdata[3]}<extra></extra>",
    )


def _hover(point: ModelPoint) -> list[str]:
    score = point.score
    spread = f" ({score.low:g} to {score.high:g}, {len(point.scores)} runs)" if score.low != score.high else ""
    return [
        safe(point.model.display_name),
        f"{score.mid:g}{spread}",
        band_text(point.usd_per_month),
        counted(point.provider_count, "provider"),
    ]
