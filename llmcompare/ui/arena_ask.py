"""What the Arena asks: a prompt, and which models and endpoints may be drawn for it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from llmcompare.engines.endpoints import Endpoint
from llmcompare.errors import InputError
from llmcompare.models.library import LocalModel
from llmcompare.services import arena_new, formats
from llmcompare.services.plans import Answerer
from llmcompare.ui.person import person
from llmcompare.ui.playground import follow_format
from llmcompare.ui.playground_ask import EXAMPLE, pick_endpoint
from llmcompare.ui.safe import plain

PROMPT = "arena_prompt"
WHO, OFFERED, ADDED, REFUSED = "arena_who", "arena_offered", "arena_added", "arena_refused"


def ask(models: Sequence[LocalModel]) -> str | None:
    """Draws the inputs; the id of the run when the button was pressed and the prompt could be asked."""
    second = formats.second_format(list(models))
    if second is not None:
        follow_format(second)
        if not second.ended.is_set():
            st.caption("A second format of the demo model is made first, so that there is something to compare.")
            return None
    # Drawn above what it takes from.
    form = st.container()
    who = _pick_who(models)
    with form.form("arena_ask", border=True):
        prompt = st.text_area("Prompt", EXAMPLE, key=PROMPT, height=80, persist_state="session")
        left, right = st.columns([1, 2], vertical_alignment="bottom")
        max_tokens = left.number_input("Max tokens", 1, 4096, 128, 32, key="arena_max_tokens")
        pressed = right.form_submit_button(
            "Ask two models", type="primary", icon=":material/play_arrow:", width="stretch",
            help="Which two is drawn where a vote tells most, and stays hidden until you have voted.",
        )  # fmt: skip
    if not pressed:
        return None
    try:
        return arena_new.ask(prompt, who, max_tokens=int(max_tokens), person=person())
    except InputError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        return None


def _pick_who(models: Sequence[LocalModel]) -> list[Answerer]:
    """All models of this machine unless some are left out, and the endpoints that were let in."""
    added: list[Endpoint] = st.session_state.setdefault(ADDED, [])
    options = arena_new.by_name([*models, *added, *arena_new.endpoints_asked(person())])
    _let_new_files_in(options)
    # Without a count: an expander whose label changes is another one, and closed.
    content = st.expander("Who takes part", key="arena_who_open", on_change="rerun")
    if content.open:
        # Only then: a closed one holds no name that the browser could show beside a pair.
        with content:
            _choose_who(list(options))
    return [options[name] for name in st.session_state[WHO]]


def _choose_who(names: list[str]) -> None:
    st.multiselect(
        "Any two of these are drawn", names, key=WHO, persist_state="session",
        help="Models of this machine, and endpoints that you asked before, here or on the Playground.",
    )  # fmt: skip
    st.caption("Another one, behind an endpoint: it gets the prompts for which it is drawn, and nothing else.")
    picked = pick_endpoint("arena")
    st.button("Let it take part", icon=":material/add:", on_click=_add, args=(picked,), key="arena_add")
    if refused := st.session_state.pop(REFUSED, None):
        st.error(plain(refused), icon=":material/error:")


def _let_new_files_in(options: dict[str, Any]) -> None:
    """A file takes part as soon as it is there, an endpoint when somebody says so; who was left out stays out."""
    offered: set[str] = st.session_state.setdefault(OFFERED, set())
    new = [name for name, one in options.items() if isinstance(one, LocalModel) and name not in offered]
    before = [name for name in st.session_state.get(WHO, []) if name in options and name not in new]
    st.session_state[WHO] = [*before, *new]
    offered.update(new)


def _add(picked: dict[str, str]) -> None:
    """A callback: the choice takes it before it is drawn."""
    try:
        endpoint = Endpoint(**picked)
    except InputError as problem:
        st.session_state[REFUSED] = str(problem)
        return
    st.session_state[ADDED] = [*st.session_state.get(ADDED, []), endpoint]
    if endpoint.name not in st.session_state.get(WHO, []):
        st.session_state[WHO] = [*st.session_state.get(WHO, []), endpoint.name]
