"""A person's runs: found again, marked with a star, asked of other models, opened elsewhere."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from llmcompare.core.asked import shortened, who
from llmcompare.core.facts import RunFact
from llmcompare.errors import InputError
from llmcompare.services import playground, runs
from llmcompare.services.plans import settings_of
from llmcompare.services.reply_prices import PriceChoice
from llmcompare.ui.person import person
from llmcompare.ui.playground_prices import in_link
from llmcompare.ui.safe import plain

RUNS_LISTED = 20
PROMPT_CHARACTERS, WHO_CHARACTERS = 55, 46
TAKEN = "playground_taken"


def show_taken() -> None:
    """Above the inputs, after a question was taken up: what to do now."""
    if said := st.session_state.pop(TAKEN, None):
        st.info(plain(said), icon=":material/edit:")
        # The button is far below: there, nothing else would be seen to happen.
        st.toast(plain(said), icon=":material/arrow_upward:")


def show_links(run_id: str, chosen: Sequence[PriceChoice], arena_page: Path, report_page: Path) -> None:
    """What can be done with the run that is shown, and with its prices."""
    view = playground.view(run_id)
    if view is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        _star_button(run_id, is_starred=run_id in playground.starred(person()))
        st.button(
            "Ask other models", key="ask_others", icon=":material/swap_horiz:", on_click=_take_up, args=(view.fact,),
            help="Puts this prompt and the settings of its first slot into the fields at the top, where other models "
            "are chosen.",
        )  # fmt: skip
    st.page_link(
        arena_page, label="Judge this run blind in Arena", icon=":material/swords:", query_params={"run": run_id}
    )
    st.page_link(
        report_page, label="Open this run in Report", icon=":material/description:",
        query_params=[("run", run_id), *in_link(chosen)],
    )  # fmt: skip
    st.caption("The address of this page opens the run for everybody who uses this server.")


def show(this_page: Path) -> None:
    """The person's runs, with a search and stars."""
    for problem in runs.log().problems():
        st.warning(plain(problem), icon=":material/warning:")
    whole = playground.history(person())
    with st.expander(f"Your runs ({len(whole)})"):
        if not whole:
            st.caption("None yet. Runs stay here, also those that were opened by their link.")
            return
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        search = left.text_input(
            "Search", key="runs_search", placeholder="words of prompts, replies or names of models",
        )  # fmt: skip
        only = right.toggle("Starred only", key="runs_starred")
        found = playground.history(person(), search=search, starred_only=only) if search or only else whole
        _list(found, this_page)


def _list(found: list[RunFact], this_page: Path) -> None:
    if not found:
        st.caption("No run of yours is like that.")
    if len(found) > RUNS_LISTED:
        st.caption(f"The newest {RUNS_LISTED} of {len(found)}; a search finds the others, and their links work.")
    marked = playground.starred(person())
    for run in found[:RUNS_LISTED]:
        when = run.asked_at[:16].replace("T", " ")
        star = "★ " if run.run_id in marked else ""
        # What tells it apart stands first: a telephone shows some 35 characters of it.
        label = plain(
            f"{star}{shortened(run.prompt, PROMPT_CHARACTERS)} · {shortened(who(run), WHO_CHARACTERS)} · {when} UTC"
        )
        st.page_link(this_page, label=label, icon=":material/history:", query_params={"run": run.run_id})


def _star_button(run_id: str, *, is_starred: bool) -> None:
    st.button(
        "Starred" if is_starred else "Star", key="star_shown", on_click=_star, args=(run_id, not is_starred),
        icon=":material/star:" if is_starred else ":material/star_border:",
        help="Take the star away." if is_starred else "Mark it with a star, to find it again.",
    )  # fmt: skip


def _star(run_id: str, is_starred: bool) -> None:
    playground.star(run_id, person(), is_starred=is_starred)


def _take_up(run: RunFact) -> None:
    """A callback: the inputs take these values before they are drawn."""
    try:
        settings = settings_of(run)
    except InputError as problem:
        st.session_state[TAKEN] = str(problem)
        return
    sampling = settings.sampling
    fields = {
        "prompt": run.prompt, "system": settings.system or "", "json_schema": sampling.json_schema or "",
        "scheduling": run.scheduling, "context": settings.context_tokens, "gpu_layers": settings.gpu_layers,
        "stop": "|".join(sampling.stop),
    }  # fmt: skip
    names = ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "max_tokens", "seed")
    st.session_state.update(fields | {name: getattr(sampling, name) for name in names})
    before = " It was a later turn: what was said before it is not asked again." if run.parent_run_id else ""
    st.session_state[TAKEN] = (
        f"The question of that run stands in the fields at the top. Choose other models and press Run.{before}"
    )
