"""Every table of the catalogue with its filter, sources and dates, and the rows that join nothing."""

from datetime import date

import streamlit as st

from llmcompare.services import doubts, tables
from llmcompare.services.catalogue import Facts
from llmcompare.ui import inputs, show
from llmcompare.ui.safe import plain


def every_table(facts: Facts) -> None:
    """The whole view."""
    st.markdown("Every fact in use, one table per file in `data/`. `data/README.md` says how to add a row.")
    show.table(tables.summary_table(facts), key="summaries")

    name = inputs.pick_table(tables.names())
    st.subheader(plain(name))
    st.caption(plain(tables.description(facts, name)))
    shown = tables.filtered(tables.rows(facts, name, today=date.today()), inputs.pick_filter())
    st.caption(f"{len(shown.rows):,} rows shown.")
    show.table(shown, key="rows")

    st.subheader("Rows that join nothing")
    st.markdown(
        "These rows name a model, GPU or licence that the catalogue does not hold. They are kept, counted here and "
        "used in no statistic."
    )
    show.table(tables.unjoined_table(facts), key="unjoined")

    st.subheader("Prices that look wrong")
    st.markdown(
        "Prices that lie far from those of other providers, or whose output and input do not go together. Public lists "
        "hold such errors, so no range, ranking or advice counts these. One that is right after all is used where its "
        "provider is chosen for APIs, or as a price of your own."
    )
    show.table(doubts.doubts_table(facts), key="doubtful")
