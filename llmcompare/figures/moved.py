"""How far prices moved: one line per offer from its old price to the new one."""

from collections import Counter
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from llmcompare.core.moved import Move
from llmcompare.core.moved_words import change_text, short_unit, steps_text
from llmcompare.core.units import usd_text
from llmcompare.figures.style import laid_out, safe, strokes

DEARER, CHEAPER = "#c2477f", "#12998a"
ROW_PX = 42
FRAME_PX = 110


def price_moves(moves: Sequence[Move], names: Mapping[str, str]) -> go.Figure:
    """Change in percent of the old price, its name and both prices above it; small dots are prices on the way."""
    figure = go.Figure()
    if moves:
        figure.add_trace(strokes(0, rows=len(moves)))
    for is_dearer in (True, False):
        chosen = {place: move for place, move in enumerate(moves) if (move.change_usd > 0) == is_dearer}
        if chosen:
            _add(figure, chosen, names, is_dearer=is_dearer)
    ends = [100 * move.change_fraction for move in moves]
    laid_out(figure, x_title="change of the price, %", y_title="")
    figure.update_layout(height=FRAME_PX + ROW_PX * len(moves))
    figure.update_xaxes(range=[min(0.0, *ends) - 4, max(0.0, *ends) + 4] if ends else None, ticksuffix="%")
    figure.update_yaxes(
        range=[len(moves) - 0.5, -0.9], showticklabels=False, showgrid=False, zeroline=False, automargin=False
    )
    of_same_name = Counter((move.after.subject, move.after.provider, move.place) for move in moves)
    # Above the lines: at the axis they would leave no room for them on a narrow screen.
    for place, move in enumerate(moves):
        is_unique = of_same_name[move.after.subject, move.after.provider, move.place] == 1
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=place, yshift=13, text=_label(move, names, with_terms=not is_unique),
            showarrow=False, font={"size": 12}, align="left",
        )  # fmt: skip
    return figure


def _label(move: Move, names: Mapping[str, str], *, with_terms: bool) -> str:
    unit = "" if move.after.kind == "gpu" else f" {short_unit(move.unit).split()[1]}"
    what = names.get(move.after.subject, move.after.subject).partition(" (")[0]
    prices = f"{usd_text(move.usd_before)} → {usd_text(move.usd_after)}"
    terms = f" ({safe(move.after.terms)})" if with_terms else ""
    return f"<b>{safe(what)}</b>, {safe(move.after.provider)}{terms}{unit}: {prices}"


def _add(figure: go.Figure, moves: Mapping[int, Move], names: Mapping[str, str], *, is_dearer: bool) -> None:
    colour = DEARER if is_dearer else CHEAPER
    for place, move in moves.items():
        on_way = [100 * (point.usd[move.place] / move.usd_before - 1) for point in move.path]
        figure.add_scatter(
            x=on_way, y=[place] * len(on_way), mode="lines+markers", showlegend=False, hoverinfo="skip",
            line={"color": colour, "width": 2}, marker={"color": colour, "size": 5},
        )  # fmt: skip
    figure.add_scatter(
        x=[100 * move.change_fraction for move in moves.values()],
        y=list(moves),
        mode="markers",
        marker={"color": colour, "size": 11, "symbol": "triangle-right" if is_dearer else "triangle-left"},
        name="dearer" if is_dearer else "cheaper",
        customdata=[
            [
                safe(names.get(move.after.subject, move.after.subject)), safe(move.after.provider),
                safe(move.after.terms), steps_text(move), move.before.as_of, move.after.as_of,
                change_text(move.change_fraction), short_unit(move.unit),
            ]
            for move in moves.values()
        ],
        hovertemplate="%{customdata[0]} at %{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]} per "
        "%{customdata[7]}<br>%{customdata[4]} to %{customdata[5]}, %{customdata[6]}<extra></extra>",
    )  # fmt: skip
