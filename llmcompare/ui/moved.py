"""The parts of the page “What moved”."""

from datetime import date, timedelta

import streamlit as st

from llmcompare import figures
from llmcompare.core import moved_words as words
from llmcompare.core.tables import Table
from llmcompare.services import moved
from llmcompare.services.catalogue import Facts
from llmcompare.services.moved import KINDS, NOUNS, News
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

DRAWN = 20
CATALOGUE = "Models and scores"
VIEWS = (*KINDS, CATALOGUE)


def pick_since(facts: Facts) -> date:
    """The day to compare with."""
    chosen: date = st.date_input(
        "Since",
        moved.usual_day(facts),
        min_value=moved.first_day_known(facts),
        max_value=date.today() - timedelta(days=1),
        key="since",
        bind=BOUND,
        format="YYYY-MM-DD",
        help="The price that held on this day against the newest one.",
        width=200,
    )
    return chosen


def pick_view() -> str:
    """Which kind of fact."""
    chosen = st.segmented_control(
        "Shown", VIEWS, default=VIEWS[0], required=True, key="moved_view", bind=BOUND, label_visibility="collapsed"
    )
    return chosen or VIEWS[0]


def show_prices(found: News, kind: str) -> None:
    """The moves of one kind of price: in words, drawn, and every row."""
    one = found.prices[kind]
    st.markdown(f"#### {plain(words.headline(one, NOUNS[kind]))}")
    if one.moves:
        show.sentences(*words.largest(one, found.names))
        shown = one.moves[:DRAWN]
        st.subheader("The largest moves" if len(one.moves) > DRAWN else "The moves")
        show.chart(
            figures.price_moves(shown, found.names),
            key="price_moves",
            description=" ".join(words.largest(one, found.names, most=len(shown))),
        )
        st.caption(
            f"{len(shown)} of {len(one.moves)}. Small dots are prices on the way. Machines of one size and terms are "
            "compared, never a cheapest offer with a list price."
        )
    if said := list(words.others(one, NOUNS[kind])):
        st.subheader("What came, went or is not known")
        show.sentences(*said)
    _tables(
        {
            "Moves": moved.moves_table(one, found.names, kind=kind),
            "Other offers": moved.offers_table(one, found.names, kind=kind),
        }
    )


def show_catalogue(found: News) -> None:
    """Models and scores that are newer than the day."""
    first, *rest = moved.catalogue_sentences(found)
    st.markdown(f"#### {plain(first)}")
    show.sentences(*rest)
    _tables({"Models": moved.models_table(found), "Scores": moved.scores_table(found)})


def _tables(behind: dict[str, Table]) -> None:
    st.subheader("Behind the figures")
    for tab, table in zip(st.tabs(list(behind), key="moved_behind", bind=BOUND), behind.values(), strict=True):
        if tab.open:
            with tab:
                show.table(table, key=table.name)
