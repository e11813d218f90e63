"""Parts of the Costs page."""

from datetime import date
from functools import partial

import streamlit as st

from llmcompare import figures
from llmcompare.core import elsewhere, freshness, stack, tables, tiers, words
from llmcompare.core.comparison import Comparison
from llmcompare.figures.costs import MEASURES, Measure
from llmcompare.reports.report import cost_description
from llmcompare.services import context_cost
from llmcompare.services.catalogue import Facts
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.handover import offer_predictions
from llmcompare.ui.safe import plain

OVER_VOLUME = "Over volume"
EVERY = "Every deployment"
BURSTY = "Bursty traffic"
OWN = "Own machine"
PRICES = "Your prices"
VIEWS = (OVER_VOLUME, EVERY, BURSTY, OWN, PRICES)


def pick_view() -> str:
    """Which question the page answers."""
    chosen = st.segmented_control(
        "Question",
        VIEWS,
        default=OVER_VOLUME,
        required=True,
        key="costs_view",
        bind=BOUND,
        label_visibility="collapsed",
    )
    return chosen or OVER_VOLUME


def show_over_volume(facts: Facts, comparison: Comparison) -> None:
    """Curves, parts, tiers, context, and every price behind them."""
    measure = _pick_measure()
    show.chart(figures.cost_curves(comparison, measure), key="cost_curves", description=cost_description(comparison))
    st.caption(plain(words.as_of_text(row.as_of for row in comparison.rows_used)))
    left, right = st.columns(2)
    with left:
        st.subheader("What each option costs")
        show.sentences(*words.option_sentences(comparison))
        offer_predictions(comparison)
    with right:
        st.subheader("Where they cross")
        crossings = (*tiers.growth_sentences(comparison), *map(words.crossing_sentences, comparison.pairs))
        show.sentences(*crossings or ("There is one option alone: nothing to cross.",))
    _show_more(facts, comparison)
    _show_rows(comparison)


def _pick_measure() -> Measure:
    chosen: Measure | None = st.segmented_control(
        "Shown as", MEASURES, default=MEASURES[0], required=True, key="measure", bind=BOUND,
        help="Per token, all tokens of a request count alike: input, output and thinking.",
    )  # fmt: skip
    return chosen or MEASURES[0]


def _show_more(facts: Facts, comparison: Comparison) -> None:
    """Three further questions, each with its chart."""
    show.when_asked(
        "More about these costs",
        {
            "What they are made of": lambda: _show_stack(comparison),
            "Cheapest by volume": lambda: _show_tiers(comparison),
            "Longer contexts": lambda: _show_context(facts, comparison),
        },
        hint="Choose a question to see its chart.",
        key="more",
    )


def _show_stack(comparison: Comparison) -> None:
    stacks = stack.stacks(comparison)
    show.chart(figures.cost_stack(stacks), key="cost_stack", description=stack.in_words(stacks))


def _show_tiers(comparison: Comparison) -> None:
    found = tiers.ways(comparison)
    tokens_per_request = comparison.workload.tokens_per_request
    listed = tiers.tiers(found, tokens_per_request=tokens_per_request)
    st.markdown(plain(" ".join(tiers.sentences(listed))))
    show.chart(
        figures.cheapest_strip(
            listed,
            [(way.key, way.name) for way in found],
            tokens_per_month=comparison.workload.requests_per_month * tokens_per_request,
        ),
        key="cheapest_strip",
        description=" ".join(tiers.sentences(listed)),
    )
    st.caption("Solid: cheapest at middle prices. Faint: cannot be told from it, because the bands overlap.")
    show.sentences(*(elsewhere.sentence(one) for one in comparison.elsewhere if one.kind == "rented"))


def _show_context(facts: Facts, comparison: Comparison) -> None:
    rows = context_cost.context_costs(facts, comparison)
    st.markdown(plain(context_cost.sentence(rows, comparison)))
    rented = comparison.rented
    curves = [("api", "token-priced API", [row.api for row in rows])]
    if rented is not None:
        curves.append(("rented", f"{rented.short}, replicas full", [row.rented for row in rows]))
    curves.append(("today", f"today: {comparison.today.label}", [row.today for row in rows]))
    show.chart(
        figures.context_cost(
            context_cost.CONTEXTS_TOKENS, curves, marked_tokens=comparison.workload.tokens_per_request
        ),
        key="context_cost",
        description=context_cost.sentence(rows, comparison),
    )
    with st.expander("The same as a table"):
        show.table(context_cost.context_table(rows), key="context_cost_table")


def _show_rows(comparison: Comparison) -> None:
    aged = partial(freshness.marked, today=date.today())
    show.behind(
        {
            "Curves": lambda: tables.curve_table(comparison),
            "API prices": lambda: aged(tables.api_price_table(comparison)),
            "GPU prices": lambda: aged(tables.gpu_price_table(comparison)),
            "Deployments": lambda: tables.deployment_table(comparison),
            "Today's API": lambda: aged(tables.today_table(comparison)),
        },
        {"Assumptions": lambda: show.assumptions(words.assumptions(comparison))},
        key="behind",
    )
