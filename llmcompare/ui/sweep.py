"""The view “Every deployment” of the Costs page: what beats today's bill, at which quality, why the others are out."""

import streamlit as st

from llmcompare import figures
from llmcompare.core import sweep_words as words
from llmcompare.core.comparison import Comparison
from llmcompare.core.records import RENTED_BILLINGS, ScoreCell
from llmcompare.core.tables import Table
from llmcompare.services import candidates, overview, sweep, sweep_lines, sweep_out
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import same_text
from llmcompare.services.sweep import Limits, Swept
from llmcompare.services.sweep_lines import Context
from llmcompare.services.sweep_others import Others
from llmcompare.ui import inputs, show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

LISTED = 200
"""Deployments in the table of the page; the command line lists all."""
THIS_MODEL, SCORED, EVERY = "this model", "models with a score", "all models"


def all_deployments(facts: Facts, comparison: Comparison) -> None:
    """The whole view."""
    answer = st.container()
    cell, models, limits = _pick(facts, comparison)
    context = sweep_lines.context(facts, comparison.scenario, cell)
    if models == (SCORED,):
        models = tuple(name for name in candidates.models_named(facts, "all") if name in context.quality)
    found = sweep.sweep(facts, comparison.scenario, models, limits, scores=context.quality)
    besides = sweep_lines.beside(facts, found, context)
    listed = sweep_lines.lines(facts, found, context, besides, most=LISTED)
    answer.markdown(f"#### {plain(sweep_lines.answer(found, listed, context, besides))}")
    show.sentences(
        *sweep_lines.limit_sentences(found),
        *sweep_lines.changes(found, listed, context, besides),
        *same_text(facts, comparison.scenario),
        "Each deployment is the fewest of 1, 2, 4 and 8 equal GPUs that hold the model; APIs are those of the chosen "
        "variant, which need not say in which format they serve.",
        f"Scores are those of the published weights ({cell.cell_id if cell else 'none chosen'}): a format with fewer "
        "bits loses what its own column says, where somebody measured it.",
    )
    if comparison.scenario.has_latency_limit:
        st.caption("How fast an API answers is not in the data: the limits are checked for GPUs alone.")
    _show_chart(facts, found, context, cell)
    st.subheader("Cheapest first")
    shown = sweep_lines.lines_table(listed)
    count = sweep_lines.deployment_count(found, besides)
    if count > len(listed):
        st.caption(
            f"The first {len(listed):,} of {count:,}. All of them: `python -m llmcompare sweep --models … --json`."
        )
    show.table(shown, key="every_deployment")
    _show_out(found, besides)


def _pick(facts: Facts, comparison: Comparison) -> tuple[ScoreCell | None, tuple[str, ...], Limits]:
    cells = overview.score_cells(facts)
    cell = inputs.pick_score_cell(cells) if cells else None
    which = st.segmented_control(
        "Models", (THIS_MODEL, SCORED, EVERY), default=SCORED, required=True, key="sweep_models", bind=BOUND
    )
    left, low, high = st.columns([2, 1, 1])
    classes = left.segmented_control(
        "Billing classes", ("the chosen one", "every one"), default="the chosen one", required=True,
        key="sweep_billings", bind=BOUND, help="The chosen one is set under “Rented GPUs”.",
    )  # fmt: skip
    floor = low.number_input(
        "Score at least", min_value=0.0, max_value=10_000.0, value=None, key="min_score", bind=BOUND,
        placeholder="any", help="Models under it, or without a score, are out.",
    )  # fmt: skip
    budget = high.number_input(
        "USD a month at most", min_value=0.01, max_value=1e12, value=None, key="max_usd_per_month", bind=BOUND,
        placeholder="any",
    )  # fmt: skip
    limits = Limits(
        billings=(comparison.scenario.billing,) if classes == "the chosen one" else RENTED_BILLINGS,
        max_usd_per_month=budget,
        min_score=floor,
    )
    if which == THIS_MODEL:
        return cell, (comparison.model.model_id,), limits
    return cell, (SCORED,) if which == SCORED else candidates.models_named(facts, "all"), limits


def _show_chart(facts: Facts, found: Swept, context: Context, cell: ScoreCell | None) -> None:
    """The cheapest deployment of every model on GPUs and through an API."""
    best = sweep_lines.best_of_models(facts, found, context)
    if cell is None or not any(line.quality for line in best):
        return
    st.subheader("Quality against cost")
    figure = figures.quality_of_deployments(
        best, quality_title=f"{cell.benchmark}, {cell.metric}", today_usd=context.today_usd_per_month
    )
    said = f"Score over monthly cost of {len(best)} deployments, the cheapest of each model on GPUs and through an API."
    show.chart(figure, key="quality_of_deployments", description=f"{said} {words.front_sentence(best)}")
    show.sentences(words.front_sentence(best))
    st.caption(
        "The cheapest of each model: filled through an API, open on rented GPUs with unquantised weights, whose score "
        "it is. Dashed: today's bill. Bars: from the cheapest to the dearest price."
    )


def _show_out(found: Swept, besides: Others) -> None:
    st.subheader("Why the others are out")
    counts = sweep_out.counts_out(found, besides)
    table = Table(
        name="out",
        title="Reasons",
        columns=("reason", "deployments"),
        rows=tuple(counts.items()),
    )
    show.table(table, key="out_counts")
    st.caption("Each one with its reason: `python -m llmcompare sweep --json`.")
