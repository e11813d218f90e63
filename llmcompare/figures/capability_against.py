"""Ability against size, day of release, price or memory, and what weight formats cost in quality."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import plotly.graph_objects as go

from llmcompare.core.cost import Band, exactly
from llmcompare.figures.capability import EXPECTED
from llmcompare.figures.style import (
    FAMILY_COLOURS,
    FAMILY_NAMES,
    FAMILY_SYMBOLS,
    MARK_COLOUR,
    error_bars,
    laid_out,
    log_ticks,
    safe,
    see_through,
)

PALE = 0.5
WIDE = 3
"""A logarithmic axis over less than that factor would have no tick."""
FORMAT_COLOURS = ("#2f7fdc", "#ea7125", "#8a5cd8", "#12998a")
FORMAT_SYMBOLS = ("circle", "square", "diamond", "cross")


@dataclass(frozen=True, slots=True, kw_only=True)
class AbilityPoint:
    """One subject."""

    label: str
    family: str
    line: str
    """Points of one line are joined: a generation."""
    percent: Band
    against: Band
    chosen: bool
    on_front: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatPoint:
    """One model in one weight format."""

    model: str
    label: str
    size_gib: float
    perplexity: float
    loss_fraction: float
    on_front: bool


def ability_over_sizes(points: Sequence[AbilityPoint]) -> go.Figure:
    """Against billions of parameters; the models of one generation are joined."""
    figure = go.Figure()
    _add_generations(figure, points)
    _add_points(figure, points)
    _lay_out(figure, points, x_title="billion parameters, all of them (log scale)")
    figure.update_xaxes(type="log", **log_ticks([point.against.mid for point in points]))
    return figure


def ability_over_time(points: Sequence[AbilityPoint]) -> go.Figure:
    """Against the day of release; the stair is the best so far."""
    figure = go.Figure()
    best = sorted((point for point in points if point.on_front), key=lambda point: point.against.mid)
    figure.add_scatter(
        x=[date.fromordinal(round(point.against.mid)) for point in best],
        y=[point.percent.mid for point in best],
        mode="lines", line={"color": MARK_COLOUR, "width": 1.5, "dash": "dot", "shape": "hv"},
        name="best so far", hoverinfo="skip",
    )  # fmt: skip
    _add_points(figure, points, as_dates=True)
    _lay_out(figure, points, x_title="day of release")
    return figure


def ability_over_cost(points: Sequence[AbilityPoint], *, x_title: str, prefix: str = "") -> go.Figure:
    """Against a price or a size, both better when less; the front is a stair, its models are named."""
    figure = go.Figure()
    front = sorted((point for point in points if point.on_front), key=lambda point: point.against.mid)
    figure.add_scatter(
        x=[point.against.mid for point in front],
        y=[point.percent.mid for point in front],
        mode="lines", line={"color": MARK_COLOUR, "width": 1.5, "dash": "dot", "shape": "hv"},
        name="Pareto front", hoverinfo="skip",
    )  # fmt: skip
    _add_points(figure, points)
    _lay_out(figure, points, x_title=x_title)
    ticks = log_ticks([end for point in points for end in (point.against.low, point.against.high)])
    figure.update_xaxes(type="log", tickprefix=prefix, **ticks)
    return figure


def _add_generations(figure: go.Figure, points: Sequence[AbilityPoint]) -> None:
    ordered = sorted(points, key=lambda point: (point.line, point.against.mid))
    for line, group in groupby(ordered, key=lambda point: point.line):
        joined = list(group)
        figure.add_scatter(
            x=[point.against.mid for point in joined],
            y=[point.percent.mid for point in joined],
            mode="lines",
            line={"color": see_through(FAMILY_COLOURS[joined[0].family], 0.35), "width": 1.5},
            name=safe(line),
            showlegend=False,
            hoverinfo="skip",
        )


def _add_points(figure: go.Figure, points: Sequence[AbilityPoint], *, as_dates: bool = False) -> None:
    """Those that were not chosen pale, one trace a family; each chosen one by itself, with its number in the legend."""
    others = sorted((point for point in points if not point.chosen), key=lambda point: point.family)
    for family, group in groupby(others, key=lambda point: point.family):
        _add_trace(figure, list(group), see_through(FAMILY_COLOURS[family], PALE), FAMILY_NAMES[family], as_dates)
    chosen = sorted((point for point in points if point.chosen), key=lambda point: -point.percent.mid)
    for number, point in enumerate(chosen, start=1):
        name = f"{number} {safe(point.label)}"
        _add_trace(figure, [point], FAMILY_COLOURS[point.family], name, as_dates, text=str(number))


def _add_trace(
    figure: go.Figure, points: list[AbilityPoint], colour: str, name: str, as_dates: bool, *, text: str = ""
) -> None:
    bars = [point.chosen or point.on_front for point in points]
    figure.add_scatter(
        x=[date.fromordinal(round(point.against.mid)) if as_dates else point.against.mid for point in points],
        y=[point.percent.mid for point in points],
        error_y=_bars([point.percent for point in points], bars, colour),
        error_x=None if as_dates else _bars([point.against for point in points], bars, colour),
        mode="markers+text",
        marker={
            "symbol": FAMILY_SYMBOLS[points[0].family], "color": colour, "opacity": 1,
            "size": [_size(point) for point in points],
        },
        text=[text for _ in points],
        textfont={"size": 11, "color": "#ffffff", "weight": 700},
        name=name,
        customdata=[safe(_detail(point)) for point in points],
        hovertemplate="%{customdata}<br>%{x}<extra></extra>",
    )  # fmt: skip


def _size(point: AbilityPoint) -> int:
    return 18 if point.chosen else 9 if point.on_front else 7


def _detail(point: AbilityPoint) -> str:
    band = point.percent
    return f"{point.label}: {band.mid:.0f}% ({band.low:.0f} to {band.high:.0f})"


def _bars(bands: Sequence[Band], drawn: Sequence[bool], colour: str) -> dict[str, object]:
    shown = [band if is_drawn else exactly(band.mid) for band, is_drawn in zip(bands, drawn, strict=True)]
    return error_bars(shown, colour, thickness=1.2)


def _lay_out(figure: go.Figure, points: Sequence[AbilityPoint], *, x_title: str) -> None:
    laid_out(figure, x_title=x_title, y_title=EXPECTED)
    figure.update_layout(height=520)
    low = min((point.percent.low for point in points), default=0.0)
    figure.update_yaxes(ticksuffix="%", range=[max(0.0, low - 3), 103])


def format_losses(points: Sequence[FormatPoint]) -> go.Figure:
    """Perplexity over the size of the file, models of one generation together; the front is a stair."""
    figure = go.Figure()
    front = sorted((point for point in points if point.on_front), key=lambda point: point.size_gib)
    figure.add_scatter(
        x=[point.size_gib for point in front],
        y=[point.perplexity for point in front],
        mode="lines", line={"color": MARK_COLOUR, "width": 1.5, "dash": "dot", "shape": "hv"},
        name="Pareto front", hoverinfo="skip",
    )  # fmt: skip
    for number, name in enumerate(dict.fromkeys(point.model for point in points)):
        shown = [point for point in points if point.model == name]
        figure.add_scatter(
            x=[point.size_gib for point in shown],
            y=[point.perplexity for point in shown],
            mode="lines+markers",
            line={"color": see_through(FORMAT_COLOURS[number % len(FORMAT_COLOURS)], 0.4), "width": 1},
            marker={
                "symbol": FORMAT_SYMBOLS[number % len(FORMAT_SYMBOLS)],
                "color": FORMAT_COLOURS[number % len(FORMAT_COLOURS)],
                "size": [10 if point.on_front else 6 for point in shown],
            },
            name=safe(name),
            customdata=[[safe(point.label), 100 * point.loss_fraction] for point in shown],
            hovertemplate="%{fullData.name} as %{customdata[0]}<br>%{x:.2f} GiB, perplexity %{y:.3f}, "
            "%{customdata[1]:+.1f}% over 16 bits<extra></extra>",
        )
    laid_out(figure, x_title="GiB of the file (log scale)", y_title="perplexity, lower is better")
    figure.update_xaxes(type="log", **log_ticks([point.size_gib for point in points]))
    values = [point.perplexity for point in points]
    if max(values) > WIDE * min(values):
        figure.update_yaxes(type="log", title="perplexity, lower is better (log scale)", **log_ticks(values))
    return figure
