"""How the statements of the guide fare."""

from collections.abc import Mapping

import plotly.graph_objects as go

from llmcompare.core.claims_known import VerdictName
from llmcompare.figures.style import laid_out, safe

VERDICT_COLOURS: Mapping[VerdictName, str] = {
    "holds": "#2e9e5b", "partly": "#b08a1e", "contradicted": "#d64545", "self-contradicting": "#b5478f",
    "outdated": "#2f7fdc", "no-evidence": "#7d8794", "opinion": "#7d8794",
}  # fmt: skip
ROW_PX = 30
FRAME_PX = 56


def verdict_bars(counts: Mapping[VerdictName, int]) -> go.Figure:
    """One bar per verdict, its count beside it; the name stands at the axis, so colour is not the only difference."""
    names = list(counts)
    figure = go.Figure()
    figure.add_bar(
        y=[safe(name) for name in names],
        x=list(counts.values()),
        orientation="h",
        marker={"color": [VERDICT_COLOURS[name] for name in names]},
        text=[str(count) for count in counts.values()],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x} statements<extra></extra>",
        showlegend=False,
    )
    laid_out(figure, x_title="statements", y_title="")
    figure.update_layout(height=FRAME_PX + ROW_PX * len(names), bargap=0.25)
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure
