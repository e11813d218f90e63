"""Where a model fits, what its memory is made of, how fast it is, and how far predictions were from measurements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import plotly.graph_objects as go

from llmcompare.core.cost import Band
from llmcompare.core.memory import Need
from llmcompare.core.units import BYTES_PER_GIB
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

TOO_SMALL = "too small"
ROW_PX = 24
RANGE_PX = 34
FRAME_PX = 110
COUNT_COLOURS = tuple(see_through("#12998a", opacity) for opacity in (0.95, 0.65, 0.4, 0.18))
"""For 1, 2, 4 and 8 GPUs: the fewer, the stronger, on a light background and on a dark one."""
COUNT_TEXT_COLOURS = ("#ffffff", "#ffffff", "#6f7b8a", "#7d8794")
"""On the weak ones a grey that can be read in either theme: plotly would take the background for white."""
PART_COLOURS = {"weights": "#3572b8", "KV cache": "#ea7125", "buffers": "#7d8794"}
PART_PATTERNS = {"weights": "", "KV cache": "/", "buffers": "."}
SCENARIO_COLOURS = {"decode": "#2f7fdc", "prefill": "#ea7125", "batched": "#8a5cd8", "wait": "#12998a"}
SCENARIO_SYMBOLS = {"decode": "circle", "prefill": "square", "batched": "diamond", "wait": "cross"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCell:
    """One GPU and one weight format."""

    gpu_name: str
    format_name: str
    gpu_count: int | None
    """Fewest of 1, 2, 4 and 8 that hold the model; None when eight do not."""
    detail: str
    """For the hover box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRange:
    """Predicted speed of one model, with its band in tokens/s."""

    label: str
    family: str
    low: float
    mid: float
    high: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A measurement and what is predicted for it without it, both in one unit."""

    group: str
    """decode, prefill, batched or wait."""
    measured: float
    predicted: float
    detail: str
    keys: tuple[str, ...] = ()
    """What a click on the point hands back."""


def fit_grid(cells: Sequence[GridCell], counts: Sequence[int] = (1, 2, 4, 8)) -> go.Figure:
    """GPUs down, formats across; the number in a cell is how many of the GPU are needed, an empty one is too small."""
    gpus = list(dict.fromkeys(cell.gpu_name for cell in cells))
    formats = list(dict.fromkeys(cell.format_name for cell in cells))
    by_place = {(cell.gpu_name, cell.format_name): cell for cell in cells}
    figure = go.Figure()
    _add_empty_cells(figure, gpus, formats, by_place)
    for count, colour, text_colour in zip(counts, COUNT_COLOURS, COUNT_TEXT_COLOURS, strict=True):
        rows = [[by_place.get((gpu, name)) for name in formats] for gpu in gpus]
        figure.add_heatmap(
            x=[safe(name) for name in formats],
            y=[safe(name) for name in gpus],
            z=[[1 if cell and cell.gpu_count == count else None for cell in row] for row in rows],
            text=[[str(count) if cell and cell.gpu_count == count else "" for cell in row] for row in rows],
            customdata=[[safe(cell.detail) if cell else "" for cell in row] for row in rows],
            texttemplate="%{text}",
            textfont={"size": 12, "color": text_colour},
            hovertemplate="%{y}, %{x}<br>%{customdata}<extra></extra>",
            colorscale=[[0, colour], [1, colour]],
            showscale=False,
            xgap=2,
            ygap=2,
            hoverongaps=False,
        )
        figure.add_scatter(
            x=[None], y=[None], mode="markers", marker={"symbol": "square", "size": 12, "color": colour},
            name=f"{count} GPU{'s' if count > 1 else ''}",
        )  # fmt: skip
    laid_out(figure, x_title="weight format", y_title="")
    figure.update_layout(height=FRAME_PX + ROW_PX * len(gpus))
    figure.update_xaxes(showgrid=False, side="top", title=None, tickangle=-90 if len(formats) > 4 else 0)
    figure.update_yaxes(showgrid=False, autorange="reversed", tickfont={"size": 11})
    figure.update_layout(legend={"y": -0.02, "yanchor": "top"})
    return figure


def _add_empty_cells(
    figure: go.Figure, gpus: Sequence[str], formats: Sequence[str], by_place: Mapping[tuple[str, str], GridCell]
) -> None:
    """Nothing to see, but a hover box says what would be needed."""
    rows = [[by_place.get((gpu, name)) for name in formats] for gpu in gpus]
    figure.add_heatmap(
        x=[safe(name) for name in formats],
        y=[safe(name) for name in gpus],
        z=[[0 if cell and cell.gpu_count is None else None for cell in row] for row in rows],
        text=[["" for _ in row] for row in rows],
        customdata=[[safe(cell.detail) if cell else "" for cell in row] for row in rows],
        hovertemplate="%{y}, %{x}<br>%{customdata}<extra></extra>",
        colorscale=[[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]],
        name=TOO_SMALL,
        showscale=False,
        hoverongaps=False,
    )


def memory_bars(needs: Sequence[tuple[str, Need]], *, capacities: Sequence[tuple[str, int]] = ()) -> go.Figure:
    """Weights, KV cache and buffers of each format, and upright lines at what GPUs can hold."""
    figure = go.Figure()
    labels = [safe(label) for label, _ in needs]
    parts = {
        "weights": [need.weights_bytes for _, need in needs],
        "KV cache": [need.kv_cache_bytes for _, need in needs],
        "buffers": [need.buffers_bytes for _, need in needs],
    }
    for name, sizes in parts.items():
        figure.add_bar(
            y=labels,
            x=[size / BYTES_PER_GIB for size in sizes],
            orientation="h",
            name=name,
            marker={
                "color": PART_COLOURS[name],
                "pattern": {
                    "shape": PART_PATTERNS[name],
                    "fillmode": "overlay",
                    "fgcolor": "#ffffff",
                    "solidity": 0.25,
                    "size": 6,
                },
            },
            hovertemplate=f"%{{y}}: {name} %{{x:,.2f}} GiB<extra></extra>",
        )
    for label, usable_bytes in capacities:
        figure.add_vline(x=usable_bytes / BYTES_PER_GIB, line={"color": MARK_COLOUR, "dash": "dot", "width": 1.5})
        figure.add_annotation(
            x=usable_bytes / BYTES_PER_GIB, y=1, yref="paper", text=safe(label), showarrow=False,
            xanchor="right", yanchor="bottom", font={"size": 11},
        )  # fmt: skip
    laid_out(figure, x_title="memory, GiB", y_title="")
    figure.update_layout(barmode="stack", height=FRAME_PX + 30 * len(labels))
    figure.update_layout(legend={"y": -0.25, "yanchor": "top", "traceorder": "normal"}, margin={"t": 28})
    figure.update_yaxes(autorange="reversed")
    return figure


def speed_ranges(ranges: Sequence[SpeedRange], *, x_title: str) -> go.Figure:
    """One line per model from the 10th to the 90th percentile, a mark at the prediction."""
    figure = go.Figure()
    order = [_lines(one.label) for one in ranges]
    by_family = sorted(ranges, key=lambda one: one.family)
    for family, group in groupby(by_family, key=lambda one: one.family):
        shown = list(group)
        figure.add_scatter(
            x=[one.mid for one in shown],
            y=[_lines(one.label) for one in shown],
            error_x=error_bars(
                [Band(low=one.low, mid=one.mid, high=one.high) for one in shown], FAMILY_COLOURS[family], thickness=2
            ),
            mode="markers",
            marker={"symbol": FAMILY_SYMBOLS[family], "color": FAMILY_COLOURS[family], "size": 9},
            name=FAMILY_NAMES[family],
            customdata=[_lines(one.detail) for one in shown],
            hovertemplate="%{y}<br>%{customdata}<extra></extra>",
        )
    laid_out(figure, x_title=x_title, y_title="")
    figure.update_layout(height=FRAME_PX + RANGE_PX * len(order))
    figure.update_xaxes(type="log", **log_ticks([one.low for one in ranges] + [one.high for one in ranges]))
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1], tickfont={"size": 11})
    return figure


def _lines(label: str) -> str:
    """A label of two lines, so that a narrow screen has room for the plot."""
    return "<br>".join(safe(part) for part in label.split("\n"))


def predicted_against_measured(points: Sequence[Point], *, unit: str = "tokens/s") -> go.Figure:
    """Both axes logarithmic; on the line the prediction is right, the dotted lines are half and twice."""
    figure = go.Figure()
    values = [value for point in points for value in (point.measured, point.predicted)]
    if values:
        _add_guides(figure, min(values), max(values))
    for group, shown in groupby(sorted(points, key=lambda point: point.group), key=lambda point: point.group):
        rows = list(shown)
        figure.add_scattergl(
            x=[point.measured for point in rows],
            y=[point.predicted for point in rows],
            mode="markers",
            marker={
                "color": SCENARIO_COLOURS[group], "symbol": SCENARIO_SYMBOLS[group], "size": 6, "opacity": 0.55,
            },
            name=group,
            customdata=[[safe(point.detail), *point.keys] for point in rows],
            hovertemplate=f"%{{customdata[0]}}<br>measured %{{x:,.3~g}}, predicted %{{y:,.3~g}} {unit}<extra></extra>",
        )  # fmt: skip
    laid_out(figure, x_title=f"measured, {unit} (log scale)", y_title=f"predicted without it, {unit} (log scale)")
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(type="log", dtick=1, exponentformat="B")
    return figure


def _add_guides(figure: go.Figure, low: float, high: float) -> None:
    for factor, dash, name in ((1, "solid", "right"), (2, "dot", "half and twice"), (0.5, "dot", "half and twice")):
        figure.add_scatter(
            x=[low, high],
            y=[low * factor, high * factor],
            mode="lines",
            line={"color": MARK_COLOUR, "width": 1.2, "dash": dash},
            name=name,
            showlegend=factor != 0.5,
            hoverinfo="skip",
        )
