"""Sizes and contexts of each generation, and which models are left for a need."""

from collections.abc import Iterable, Mapping, Sequence

import plotly.graph_objects as go

from llmcompare.core.families import FAMILIES, FAMILY_NAMES, Assessment, Generation, Group
from llmcompare.core.families_words import STATE_WORDS
from llmcompare.core.licences import State
from llmcompare.core.records import Model
from llmcompare.figures.style import MARK_COLOUR, laid_out, safe

STATE_COLOURS: Mapping[State, str] = {
    "allowed": "#12998a", "conditional": "#c98a1b", "forbidden": "#c2477f", "unknown": MARK_COLOUR,
}  # fmt: skip
STATE_SYMBOLS: Mapping[State, str] = {
    "allowed": "circle", "conditional": "diamond-open", "forbidden": "x-thin-open", "unknown": "hash-open",
}  # fmt: skip
"""Colour is never the only difference."""
NATIVE, EXTENDED, USEFUL = "native", "extended", "found useful"
CONTEXT_MARKS = {
    NATIVE: ("#2f7fdc", "circle"), EXTENDED: ("#2f7fdc", "diamond-open"), USEFUL: ("#c2477f", "x-thin-open"),
}  # fmt: skip
SIZE_TICKS = (0.3, 1, 3, 10, 30, 100, 300)
"""Even steps of a logarithmic axis, few enough for a narrow screen."""
CONTEXT_TICKS = {4096: "4K", 16384: "16K", 65536: "64K", 262144: "256K", 1048576: "1M", 10485760: "10M"}
ROW_PX = 24
FRAME_PX = 110
APART = 0.4
BELOW = 0.25
"""Of a row, so that a mark does not hide another at the same length."""
Row = tuple[str, str]
"""Family and generation; a family's name stands in a row of its own, without a generation."""


def model_sizes(found: Assessment) -> go.Figure:
    """Total parameters of every model by generation, families apart, the mark says the verdict."""
    figure = go.Figure()
    rows = _rows(_row(group) for group in found.groups)
    for state in STATE_WORDS:
        marks = [(group, model) for group in found.in_state(state) for model in group.models]
        known = [(group, model) for group, model in marks if model.params_total_billion]
        if known:
            _add(figure, known, [rows.index(_row(group)) + _shift(group, found) for group, _ in known], state)
    _lay_out(figure, rows, x_title="billion parameters in total")
    figure.update_xaxes(type="log", tickvals=SIZE_TICKS, tickangle=0)
    return figure


def contexts(generations: Sequence[Generation]) -> go.Figure:
    """Contexts that vendors state and those that a test found useful, in tokens, by generation."""
    figure = go.Figure()
    rows = _rows((one.family, one.name) for one in generations)
    marks: dict[str, list[tuple[int, Model, int]]] = {NATIVE: [], EXTENDED: [], USEFUL: []}
    for one in generations:
        place = rows.index((one.family, one.name))
        marks[NATIVE] += [(place, m, m.context_native_tokens) for m in one.models if m.context_native_tokens]
        marks[EXTENDED] += [(place, m, m.context_extended_tokens) for m in one.models if m.context_extended_tokens]
        marks[USEFUL] += [(place, useful.model, useful.tokens) for useful in one.useful]
    for name, points in marks.items():
        colour, symbol = CONTEXT_MARKS[name]
        figure.add_scatter(
            x=[tokens for _, _, tokens in points],
            y=[place + (BELOW if name == USEFUL else 0) for place, _, _ in points],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 10, "line": {"width": 2, "color": colour}},
            customdata=[safe(model.display_name) for _, model, _ in points],
            hovertemplate=f"%{{customdata}}<br>%{{x:,}} tokens, {name}<extra></extra>",
        )
    _lay_out(figure, rows, x_title="longest context, tokens")
    figure.update_xaxes(type="log", tickvals=list(CONTEXT_TICKS), ticktext=list(CONTEXT_TICKS.values()), tickangle=0)
    return figure


def _lay_out(figure: go.Figure, rows: Sequence[Row], *, x_title: str) -> None:
    laid_out(figure, x_title=x_title, y_title="")
    figure.update_layout(height=FRAME_PX + ROW_PX * len(rows))
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[safe(generation) or f"<b>{FAMILY_NAMES[family]}</b>" for family, generation in rows],
        range=[len(rows) - 0.5, -0.5],
        zeroline=False,
    )


def _rows(generations: Iterable[Row]) -> list[Row]:
    known = list(dict.fromkeys(generations))
    return [row for family in FAMILIES for row in ((family, ""), *(one for one in known if one[0] == family))]


def _row(group: Group) -> Row:
    return group.family, group.generation


def _shift(group: Group, found: Assessment) -> float:
    """Marks of different verdicts stand beside each other, for models of one size may have them."""
    states = sorted({other.state for other in found.groups if _row(other) == _row(group)})
    return APART * (states.index(group.state) / (len(states) - 1) - 0.5) if len(states) > 1 else 0.0


def _add(figure: go.Figure, marks: Sequence[tuple[Group, Model]], places: Sequence[float], state: State) -> None:
    figure.add_scatter(
        x=[model.params_total_billion for _, model in marks],
        y=places,
        mode="markers",
        name=STATE_WORDS[state],
        marker={
            "color": STATE_COLOURS[state], "symbol": STATE_SYMBOLS[state], "size": 10,
            "line": {"width": 2, "color": STATE_COLOURS[state]},
        },
        customdata=[
            [safe(model.display_name), safe(group.licence.name if group.licence else "licence not read")]
            for group, model in marks
        ],
        hovertemplate="%{customdata[0]}<br>%{x:g} billion parameters<br>%{customdata[1]}: "
        f"{STATE_WORDS[state]}<extra></extra>",
    )  # fmt: skip
