"""Rankings with intervals, scores with their gaps, models by category, hidden scores against their predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import plotly.graph_objects as go

from llmcompare.core.capability_check import Hidden
from llmcompare.core.cost import Band
from llmcompare.figures.style import (
    FAMILY_COLOURS,
    FAMILY_NAMES,
    FAMILY_SYMBOLS,
    MARK_COLOUR,
    error_bars,
    laid_out,
    safe,
    see_through,
)

ROW_PX = 24
CELL_PX = 36
FRAME_PX = 120
PALE = 0.45
DASHES = ("solid", "dash", "dot", "dashdot")
RADAR_SYMBOLS = ("circle", "square", "diamond", "cross")
NO_SCORE = "no score published"
GAP_COLOUR = see_through(MARK_COLOUR, 0.13)
GRID_COLOUR = see_through(MARK_COLOUR, 0.35)
SCORE_COLOURS = [[0, "#cfe2f6"], [1, "#4a95e0"]]
SCORE_TEXT_COLOUR = "#0e1a26"
"""Dark on every score, on a light page and on a dark one."""
LABEL_CHARACTERS = 30
"""Of a line beside the grid: more would leave no room for it on a telephone."""
EXPECTED = "percent expected"
"""In the middle test of the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedRow:
    """One subject with its interval."""

    label: str
    family: str
    band: Band
    chosen: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """One score of one subject in one published cell."""

    row: int
    column: int
    percent: float
    text: str
    """As it was published; a range where figures disagree."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarLine:
    """One subject over the categories; None where it cannot be placed."""

    label: str
    family: str
    bands: tuple[Band | None, ...]


def ability_ranking(rows: Sequence[RankedRow]) -> go.Figure:
    """A line per subject from end to end of its interval, best on top; the chosen ones are large, named in bold."""
    figure = go.Figure()
    by_family = sorted(rows, key=lambda row: (row.family, not row.chosen))
    for (family, chosen), group in groupby(by_family, key=lambda row: (row.family, row.chosen)):
        _add_intervals(figure, list(group), family, chosen=chosen)
    laid_out(figure, x_title=EXPECTED, y_title="")
    figure.update_layout(height=FRAME_PX + ROW_PX * len(rows))
    figure.update_xaxes(ticksuffix="%", range=_range([row.band for row in rows]))
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=[_tick(row) for row in rows][::-1],
        tickfont={"size": 11},
        range=_rows(rows),
    )
    return figure


def _rows(rows: Sequence[RankedRow]) -> list[float]:
    """Half a row of room at either end: plotly leaves more."""
    return [-0.7, len(rows) - 0.3]


def _range(bands: Sequence[Band]) -> list[float]:
    low, high = min((band.low for band in bands), default=0.0), max((band.high for band in bands), default=100.0)
    return [max(0.0, low - 2), min(100.0, high + 2)]


def _tick(row: RankedRow) -> str:
    return f"<b>{safe(row.label)}</b>" if row.chosen else safe(row.label)


def _add_intervals(figure: go.Figure, rows: list[RankedRow], family: str, *, chosen: bool) -> None:
    colour = FAMILY_COLOURS[family] if chosen else see_through(FAMILY_COLOURS[family], PALE)
    figure.add_scatter(
        x=[row.band.mid for row in rows],
        y=[_tick(row) for row in rows],
        error_x=error_bars([row.band for row in rows], colour, thickness=4 if chosen else 2),
        mode="markers",
        marker={"symbol": FAMILY_SYMBOLS[family], "color": colour, "size": 13 if chosen else 8},
        name=f"{FAMILY_NAMES[family]}, chosen" if chosen else FAMILY_NAMES[family],
        customdata=[safe(row.detail) for row in rows],
        hovertemplate="%{y}<br>%{customdata}<extra></extra>",
    )


def score_grid(cells: Sequence[HeatCell], *, rows: Sequence[tuple[str, str]], columns: Sequence[str]) -> go.Figure:
    """Published cells down, each with a name and a small line below it; subjects across; a gap is grey and empty.

    Every row holds a score: plotly puts the texts of a row without any into the next one.
    """
    at = {(cell.row, cell.column): cell for cell in cells}
    grid = [[at.get((row, column)) for column in range(len(columns))] for row in range(len(rows))]
    places = {"x": list(range(len(columns))), "y": list(range(len(rows))), "xgap": 2, "ygap": 2}
    figure = go.Figure()
    figure.add_heatmap(
        **places,
        z=[[None if cell else 0 for cell in line] for line in grid],
        text=[[safe(f"{column}: {NO_SCORE}") for column in columns] for _ in rows],
        colorscale=[[0, GAP_COLOUR], [1, GAP_COLOUR]],
        showscale=False,
        hovertemplate="%{text}<extra></extra>",
        hoverongaps=False,
    )
    figure.add_heatmap(
        **places,
        z=[[cell.percent if cell else None for cell in line] for line in grid],
        text=[[safe(cell.text) if cell else "" for cell in line] for line in grid],
        customdata=[[safe(cell.detail) if cell else "" for cell in line] for line in grid],
        texttemplate="%{text}",
        textfont={"size": 10, "color": SCORE_TEXT_COLOUR},
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=SCORE_COLOURS,
        zmin=0,
        zmax=100,
        showscale=False,
        hoverongaps=False,
    )
    figure.add_scatter(
        x=[None], y=[None], mode="markers", marker={"symbol": "square", "size": 12, "color": GAP_COLOUR}, name=NO_SCORE,
        showlegend=True,
    )  # fmt: skip
    laid_out(figure, x_title="", y_title="")
    figure.update_layout(height=FRAME_PX + 60 + CELL_PX * len(rows), legend={"y": -0.01, "yanchor": "top"})
    figure.update_xaxes(
        showgrid=False, zeroline=False, side="top", title=None, tickangle=-90, tickfont={"size": 11},
        tickvals=places["x"], ticktext=[safe(_short(column)) for column in columns],
    )  # fmt: skip
    figure.update_yaxes(
        showgrid=False, zeroline=False, autorange="reversed", title=None, tickfont={"size": 11},
        tickvals=places["y"], ticktext=[_two_lines(*row) for row in rows],
    )  # fmt: skip
    return figure


def _two_lines(name: str, below: str) -> str:
    return f"{safe(_short(name))}<br><sub>{safe(_short(below))}</sub>"


def _short(text: str) -> str:
    return text if len(text) <= LABEL_CHARACTERS else f"{text[: LABEL_CHARACTERS - 1]}…"


def ability_radar(lines: Sequence[RadarLine], categories: Sequence[str]) -> go.Figure:
    """One shape per subject; a category in which it cannot be placed is a gap in its line."""
    figure, around_axes = go.Figure(), [safe(category).replace(" ", "<br>") for category in categories]
    for number, line in enumerate(lines):
        around = [*line.bands, line.bands[0]]
        figure.add_scatterpolar(
            r=[None if band is None else band.mid for band in around],
            theta=[*around_axes, around_axes[0]],
            mode="lines+markers",
            connectgaps=False,
            line={"color": FAMILY_COLOURS[line.family], "dash": DASHES[number % len(DASHES)], "width": 2},
            marker={"symbol": RADAR_SYMBOLS[number % len(RADAR_SYMBOLS)], "size": 9},
            name=safe(line.label),
            customdata=[_interval(band) for band in around],
            hovertemplate="%{fullData.name}<br>%{theta}: %{r:.0f}% (%{customdata})<extra></extra>",
        )
    laid_out(figure, x_title="", y_title="")
    figure.update_layout(
        height=480,
        margin={"l": 80, "r": 80, "t": 40, "b": 40},
        polar={
            "bgcolor": "rgba(0,0,0,0)",
            "radialaxis": {
                "range": [0, 100], "ticksuffix": "%", "angle": 90, "tickangle": 90, "gridcolor": GRID_COLOUR,
                "linecolor": GRID_COLOUR, "tickfont": {"size": 10},
            },
            "angularaxis": {
                "direction": "clockwise", "rotation": 90, "gridcolor": GRID_COLOUR, "linecolor": GRID_COLOUR,
                "tickfont": {"size": 11},
            },
        },
    )  # fmt: skip
    figure.update_layout(legend={"y": -0.08, "yanchor": "top"})
    return figure


def _interval(band: Band | None) -> str:
    return "" if band is None else f"{band.low:.0f} to {band.high:.0f}"


def hidden_scores(hidden: Sequence[Hidden]) -> go.Figure:
    """Predicted against published; upright lines are 80% intervals; scores outside their 95% interval are crosses."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": MARK_COLOUR, "width": 1.2}, name="right", hoverinfo="skip"
    )
    groups = {True: ("inside its 95% interval", "#2f7fdc", "circle"), False: ("outside", "#ea7125", "x")}
    for inside, (name, colour, symbol) in groups.items():
        found = [one for one in hidden if (one.band_95.low <= one.score.percent <= one.band_95.high) == inside]
        figure.add_scatter(
            x=[one.score.percent for one in found],
            y=[one.band_80.mid for one in found],
            error_y=error_bars([one.band_80 for one in found], see_through(colour, 0.3), thickness=1),
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 6, "opacity": 0.7},
            name=name,
            customdata=[safe(f"{one.score.subject.model_id}, {one.score.cell.label}") for one in found],
            hovertemplate="%{customdata}<br>published %{x:.1f}%, predicted %{y:.1f}%<extra></extra>",
        )
    laid_out(figure, x_title="published score, percent", y_title="predicted without it, percent")
    figure.update_xaxes(range=[0, 100])
    figure.update_yaxes(range=[0, 100])
    return figure
