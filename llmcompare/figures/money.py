"""Cost by part, the cheapest way over volume, the cost of a request over its context."""

from collections.abc import Sequence
from math import log10

import numpy as np
import plotly.graph_objects as go

from llmcompare.core.cost import ENDS, Band
from llmcompare.core.stack import Part
from llmcompare.core.tiers import MAX_TOKENS_PER_MONTH, MIN_TOKENS_PER_MONTH, Tier
from llmcompare.core.units import count_text, usd_text
from llmcompare.figures.style import DASHES, LOG_AXIS, MARK_COLOUR, OPTION_COLOURS, laid_out, ribbon, safe, see_through

WHITE_TEXT_FROM_OPACITY = 0.6
LEGIBLE_SHARE = 0.12
"""Of the longest bar; a narrower part has its name in the hover box alone."""


def cost_stack(stacks: Sequence[tuple[str, str, Sequence[Part]]]) -> go.Figure:
    """One bar per option: its key, its name, and the parts of its monthly cost."""
    figure = go.Figure()
    longest = max((sum(max(part.usd_per_month, 0) for part in parts) for _, _, parts in stacks), default=1.0)
    for key, name, parts in stacks:
        for place, part in enumerate(parts):
            legible = part.usd_per_month > LEGIBLE_SHARE * longest
            opacity = max(0.25, 0.9 - 0.22 * place)
            figure.add_bar(
                y=[_broken(name)],
                x=[part.usd_per_month],
                orientation="h",
                marker={
                    "color": see_through(OPTION_COLOURS[key], opacity),
                    "line": {"color": OPTION_COLOURS[key], "width": 1},
                },
                text=[f"{part.name}<br>{usd_text(part.usd_per_month)}" if legible else ""],
                textposition="inside",
                insidetextanchor="middle",
                # On a faint part a grey that can be read in either theme: plotly would take the background for white.
                insidetextfont={"color": "#ffffff" if opacity > WHITE_TEXT_FROM_OPACITY else MARK_COLOUR},
                hovertemplate=f"{safe(name)}<br>{part.name}: {usd_text(part.usd_per_month)} a month<extra></extra>",
                showlegend=False,
            )
    laid_out(figure, x_title="USD per month at middle prices", y_title="")
    figure.update_layout(barmode="relative", height=90 + 70 * len(stacks), bargap=0.3)
    figure.update_xaxes(tickprefix="$")
    figure.update_yaxes(autorange="reversed")
    return figure


def _broken(name: str) -> str:
    """A name for an axis in two lines, so that it leaves room on a narrow screen."""
    first, _, rest = name.removeprefix("the ").partition(" ")
    return f"{safe(first)}<br>{safe(rest)}" if rest else safe(first)


def cheapest_strip(tiers: Sequence[Tier], ways: Sequence[tuple[str, str]], *, tokens_per_month: float) -> go.Figure:
    """One row per way (key and name): solid where it is the cheapest, faint where the bands leave it open."""
    figure = go.Figure()
    for key, name in ways:
        for tier in tiers:
            if tier.key != key and name not in tier.open_against:
                continue
            cheapest = tier.key == key
            said = "cheapest" if cheapest else f"cannot be told from {safe(tier.name)}"
            figure.add_scatter(
                x=np.geomspace(tier.from_tokens_per_month, tier.to_tokens_per_month, 5),
                y=[_broken(name)] * 5,
                mode="lines",
                line={"color": see_through(OPTION_COLOURS[key], 1 if cheapest else 0.25), "width": 22},
                hovertemplate=f"{safe(name)}<br>{said}, {count_text(tier.from_tokens_per_month)} to "
                f"{count_text(tier.to_tokens_per_month)} tokens a month<extra></extra>",
                showlegend=False,
            )
    laid_out(figure, x_title="tokens per month, in and out (log scale)", y_title="")
    figure.update_layout(height=140 + 44 * len(ways), margin={"t": 28})
    figure.update_xaxes(**LOG_AXIS, range=[log10(MIN_TOKENS_PER_MONTH), log10(MAX_TOKENS_PER_MONTH)])
    figure.update_yaxes(
        categoryorder="array", categoryarray=[_broken(name) for _, name in ways][::-1], range=[-0.7, len(ways) - 0.3]
    )
    if MIN_TOKENS_PER_MONTH <= tokens_per_month <= MAX_TOKENS_PER_MONTH:
        figure.add_vline(x=tokens_per_month, line={"color": MARK_COLOUR, "width": 1, "dash": "dot"})
        figure.add_annotation(
            x=log10(tokens_per_month), y=1, yref="paper", text=f"your volume, {count_text(tokens_per_month)}",
            showarrow=False, xanchor="left", yanchor="bottom", font={"size": 11},
        )  # fmt: skip
    return figure


def context_cost(
    context_tokens: Sequence[int], curves: Sequence[tuple[str, str, Sequence[Band | None]]], *, marked_tokens: float
) -> go.Figure:
    """USD per request over its tokens, one curve with a band per option: key, name, one band per length."""
    figure = go.Figure()
    for key, name, bands in curves:
        known = [(tokens, band) for tokens, band in zip(context_tokens, bands, strict=True) if band is not None]
        if not known:
            continue
        x = np.asarray([tokens for tokens, _ in known], dtype=float)
        low, mid, high = (np.asarray([getattr(band, end) for _, band in known]) for end in ENDS)
        figure.add_trace(ribbon(x, low, high, colour=OPTION_COLOURS[key], name=f"{safe(name)}, range", group=name))
        figure.add_scatter(
            x=x, y=mid, mode="lines+markers", name=safe(name), legendgroup=name,
            line={"color": OPTION_COLOURS[key], "width": 2.5, "dash": DASHES[key]},
            customdata=np.column_stack([low, high]),
            hovertemplate="%{x:,.0f} tokens<br>%{y:$,.3~g} (%{customdata[0]:$,.3~g} to %{customdata[1]:$,.3~g})"
            f"<extra>{safe(name)}</extra>",
        )  # fmt: skip
    laid_out(figure, x_title="tokens per request, in and out (log scale)", y_title="USD per request (log scale)")
    figure.update_xaxes(
        type="log", tickvals=list(context_tokens), ticktext=[f"{tokens // 1024}K" for tokens in context_tokens]
    )
    figure.update_yaxes(**LOG_AXIS, tickprefix="$")
    if min(context_tokens) <= marked_tokens <= max(context_tokens):
        figure.add_vline(x=marked_tokens, line={"color": MARK_COLOUR, "width": 1, "dash": "dot"})
    return figure
