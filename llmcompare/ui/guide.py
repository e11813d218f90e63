"""The parts of the page on the buying guide: how its statements fare, filters, and one row to open per statement."""

from collections.abc import Mapping, Sequence

import streamlit as st

from llmcompare import figures
from llmcompare.core import claims
from llmcompare.core.claims import Checked
from llmcompare.core.claims_known import Figure, VerdictName
from llmcompare.core.claims_words import number
from llmcompare.services import claims as checks
from llmcompare.ui import show
from llmcompare.ui.fields import ANY, BOUND
from llmcompare.ui.inputs import explain_choice
from llmcompare.ui.safe import plain

MARKS: Mapping[VerdictName, tuple[str, str]] = {
    "holds": (":material/check_circle:", "green"),
    "partly": (":material/contrast:", "orange"),
    "contradicted": (":material/cancel:", "red"),
    "self-contradicting": (":material/sync_problem:", "violet"),
    "outdated": (":material/history:", "blue"),
    "no-evidence": (":material/help:", "gray"),
    "opinion": (":material/forum:", "gray"),
}
"""Icon and colour of each verdict; its name always stands beside them."""
FIGURES_LISTED = 8


def show_answer(found: Sequence[Checked]) -> None:
    """How many statements hold, in words and as bars."""
    st.markdown(f"#### {plain(claims.headline(found))}")
    st.caption(
        "What a popular buying guide of March 2026 says, in our words. Its statements are what is checked and never "
        "evidence, for each other neither. Every verdict is computed now, from the rows of the Data page and the "
        "formulas of this app: a changed row changes it. Within 1% or rounding counts as equal."
    )
    show.chart(
        figures.verdict_bars(claims.counts(found)), key="guide_verdicts", description=claims.headline(found)
    )  # fmt: skip


def pick(found: Sequence[Checked]) -> list[Checked]:
    """The statements that have the chosen verdict and topic."""
    topics = checks.topics(found)
    explain_choice("verdict", [ANY, *claims.VERDICTS])
    explain_choice("topic", [ANY, *topics])
    left, right = st.columns(2)
    verdict = left.selectbox("Verdict", [ANY, *claims.VERDICTS], key="verdict", bind=BOUND)
    topic = right.selectbox("Topic", [ANY, *topics], key="topic", bind=BOUND)
    if verdict != ANY:
        st.caption(claims.MEANINGS[verdict])
    return [one for one in found if verdict in (ANY, one.found.verdict) and topic in (ANY, one.claim.topic)]


def show_statements(found: Sequence[Checked]) -> None:
    """One row to open per statement, and the same as a table to download."""
    if not found:
        st.info("No statement has this verdict and this topic.", icon=":material/filter_alt_off:")
        return
    with st.container(gap="xsmall"):
        for one in found:
            _show_statement(one)
    st.subheader("As a table")
    show.downloads(checks.table(found), key="guide_table")


def _show_statement(one: Checked) -> None:
    icon, colour = MARKS[one.found.verdict]
    label = f":{colour}[{icon} **{one.found.verdict}**] {plain(one.claim.statement)}"
    # What is closed is not drawn: 69 tables would take seconds. What is open stands in the address.
    content = st.expander(label, key=f"open-{one.claim.claim_id}", bind=BOUND)
    if not content.open:
        return
    with content:
        st.markdown(plain(one.found.explanation))
        figures_known = {name: value for name, value in one.found.figures.items() if value not in (None, [])}
        if figures_known:
            st.caption("Figures")
            show.sentences(*(f"{name.replace('_', ' ')}: {_shown(value)}" for name, value in figures_known.items()))
        _show_rows(one)
        st.caption(plain(f"Topic: {one.claim.topic}. To check: {one.claim.how_to_check}. Id: {one.claim.claim_id}."))


def _show_rows(one: Checked) -> None:
    rows = checks.rows_table(one)
    if not rows.rows:
        st.caption("It rests on no row.")
        return
    st.caption(f"Rows it rests on: {len(rows.rows)}")
    show.table(rows, key=f"rows_{one.claim.claim_id}")


def _shown(value: Figure) -> str:
    if value is None or isinstance(value, str):
        return value or "—"
    if isinstance(value, list):
        texts = [part if isinstance(part, str) else number(part) for part in value]
        rest = len(texts) - FIGURES_LISTED
        return ", ".join(texts[:FIGURES_LISTED]) + (f" and {rest} more" if rest > 0 else "")
    return number(value)
