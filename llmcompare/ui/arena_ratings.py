"""The ratings of the Arena: who is first, intervals, the votes behind them, and votes as a file."""

from datetime import date
from functools import partial

import streamlit as st

from llmcompare.core.bootstrap import sentence
from llmcompare.core.ratings_words import HOW_MEASURED
from llmcompare.core.units import counted
from llmcompare.errors import InputError
from llmcompare.figures import ratings as figures
from llmcompare.reports.report import Report
from llmcompare.reports.votes import votes_report
from llmcompare.services import arena, arena_files
from llmcompare.services.arena import Standings
from llmcompare.ui import frame, show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.person import person
from llmcompare.ui.safe import plain

REPORT = frame.PAGES / "share/report.py"
EVERYONE, MINE = WHOSE = ("everyone", "me")
SAID = "arena_said"


def pick_votes() -> Standings:
    """Whose votes count."""
    return _standings(
        st.segmented_control("Votes of", WHOSE, default=EVERYONE, key="votes_of", bind=BOUND, required=True)
    )


def _standings(whose: str) -> Standings:
    return arena.standings(arena.kept_votes(of=person() if whose == MINE else None))


def report(whose: str | None) -> Report | None:
    """As a link to the Report names it, None where it names nobody's votes or there are none."""
    if whose not in WHOSE:
        return None
    found = _standings(whose)
    if found.ratings is None:
        return None
    return votes_report(
        found.ratings, found.votes, answer=found.answer, sentences=found.sentences, tables=found.tables,
        made_on=date.today(),
    )  # fmt: skip


def show_ratings(found: Standings) -> None:
    """The chart, what it says, and the rows behind it."""
    if found.ratings is None:
        return
    show.chart(figures.ratings(found.ratings), key="ratings_chart", description=figures.describe(found.ratings))
    show.sentences(*found.sentences)
    st.caption(plain(HOW_MEASURED))
    if st.toggle("Check the intervals by drawing the votes again", key="arena_check") and found.bootstrap:
        st.caption(plain(sentence(found.bootstrap)))
    ratings, pairs = found.tables
    show.behind(
        {
            "Ratings": lambda: ratings,
            "Votes by pair": lambda: pairs,
            "Votes": partial(arena_files.vote_table, found.votes),
        },
        key="arena_behind",
    )
    show.command("python -m llmcompare ratings --json")
    st.page_link(
        REPORT, label="Open these ratings in Report", icon=":material/description:",
        query_params={"votes": st.session_state.get("votes_of") or EVERYONE},
    )  # fmt: skip


def files(found: Standings) -> None:
    """Votes out and in."""
    if said := st.session_state.pop(SAID, None):
        st.success(plain(said), icon=":material/check:")
    with st.expander("Votes as a file"):
        st.download_button(
            "Votes as CSV", partial(arena_files.votes_csv, found.votes), "votes.csv", "text/csv", key="votes_file",
            on_click="ignore", icon=":material/download:", help="The votes above, or an empty form to fill in.",
        )  # fmt: skip
        with st.form("votes_upload", border=False, clear_on_submit=True):
            file = st.file_uploader(
                f"A CSV of votes: {', '.join(arena_files.NEEDED)}, and what else an export has", type="csv",
                key="votes_upload_file", max_upload_size=arena_files.MAX_UPLOAD_MB,
            )  # fmt: skip
            if st.form_submit_button("Import these votes") and file is not None:
                _import(file.getvalue(), file.name)


def _import(content: bytes, name: str) -> None:
    try:
        done = arena_files.keep(arena_files.read_votes(content, name=name))
    except InputError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        return
    known = f"; {counted(done.known_count, 'vote')} had been counted already" if done.known_count else ""
    st.session_state[SAID] = f"{counted(done.new_count, 'vote')} of {name} imported{known}."
    st.rerun()
