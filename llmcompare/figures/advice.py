"""The advice drawn: how likely each model is the best, and the path from all models to the choice of a family."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import plotly.graph_objects as go

from llmcompare.core.advice_words import share_text
from llmcompare.figures.style import FAMILY_COLOURS, FAMILY_NAMES, laid_out, safe

BOX = "#eef1f5"
INK = "#1c2430"
FAINT = "#9aa4b1"
LETTERS = 15
"""Of a line in a leaf: three leaves side by side are still legible on a telephone."""


def chances(models: Sequence[tuple[str, str, float]]) -> go.Figure:
    """Bars of the probability of being best: name, family and share of the draws, the likeliest on top."""
    figure = go.Figure()
    for family in dict.fromkeys(family for _, family, _ in models):
        mine = [(name, chance) for name, of, chance in models if of == family]
        figure.add_bar(
            y=[safe(name) for name, _ in mine],
            x=[100 * chance for _, chance in mine],
            orientation="h",
            name=FAMILY_NAMES.get(family, family),
            marker_color=FAMILY_COLOURS.get(family),
            text=[share_text(chance) for _, chance in mine],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: best in %{x:.1f}% of the draws<extra></extra>",
        )
    laid_out(figure, x_title="best in percent of draws", y_title="")
    order = [safe(name) for name, _, _ in models]
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1])
    figure.update_xaxes(range=[0, 130], tickvals=[0, 25, 50, 75, 100])
    figure.update_layout(height=110 + 30 * len(models), bargap=0.35)
    return figure


def decision_path(steps: Sequence[tuple[str, Mapping[str, int]]], leaves: Mapping[str, str], chosen: str | None) -> str:
    """A graph in the DOT language: each limit with the models that are left, then a leaf for each family.

    leaves: in a few words, what each family comes to. The branch of the chosen family is lit, the others are dashed.
    """
    lines = [
        "digraph path {",
        '  bgcolor="transparent"; rankdir=TB; nodesep=0.15; ranksep=0.25;',
        f'  node [shape=box, style="rounded,filled", fillcolor="{BOX}", color="{FAINT}", fontcolor="{INK}", '
        'fontname="Helvetica", fontsize=13, margin="0.12,0.07"];',
        f'  edge [color="{FAINT}", arrowsize=0.7];',
    ]
    for number, (limit, counts) in enumerate(steps):
        left = "   ".join(f"{FAMILY_NAMES[family]} {count}" for family, count in counts.items())
        lines.append(f'  s{number} [label="{_quoted(limit)}\\n{_quoted(left)}"];')
        if number:
            lines.append(f"  s{number - 1} -> s{number} [penwidth=2.5];")
    last = len(steps) - 1
    for family, text in leaves.items():
        lit = family == chosen
        colour = FAMILY_COLOURS[family]
        label = "\\n".join(_quoted(line) for line in (FAMILY_NAMES[family], *wrap(text, LETTERS)))
        look = "penwidth=3" if lit else "penwidth=1.5"
        lines.append(f'  {family} [label="{label}", color="{colour}", fillcolor="#ffffff", {look}];')
        edge = f'color="{colour}", penwidth=3' if lit else f'color="{FAINT}", style=dashed'
        lines.append(f"  s{last} -> {family} [{edge}];")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    """Text inside a label of the DOT language."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
