"""Hands figures of one page over to the inputs that every page shares."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from llmcompare.core.comparison import Comparison
from llmcompare.models.library import LocalModel
from llmcompare.services.own_model import file_of
from llmcompare.ui import frame
from llmcompare.ui.safe import plain

SAID = "handed_over"
NOTHING: Mapping[str, dict[str, str]] = {}


def hand_over(fields: dict[str, Any], said: str) -> None:
    """A callback: the shared inputs take these values before they are drawn."""
    _take(fields)
    st.session_state["preset"] = None
    st.session_state[SAID] = said


def show_handed_over(*pages: tuple[str, str, str], query: Mapping[str, dict[str, str]] = NOTHING) -> None:
    """After the click, what happened and where to go on: file, label and icon of each page, what its link carries."""
    if said := st.session_state.pop(SAID, None):
        st.success(plain(said), icon=":material/check:")
        for column, (file, label, icon) in zip(st.columns(len(pages)), pages, strict=True):
            column.page_link(frame.PAGES / file, label=label, icon=icon, query_params=query.get(file))


def offer_predictions(comparison: Comparison) -> None:
    """Where a deployment that nobody measured is predicted to cost less: one click compares it."""
    if any(one.kind == "rented" for one in comparison.elsewhere):
        st.button(
            "Compare predicted deployments too", key="compare_predicted", icon=":material/query_stats:",
            on_click=_take, args=({"capacity_basis": "predicted"},),
            help="Rented GPUs are then the cheapest of all whose speed can be predicted. Taken back with “Capacity” "
            "under “Rented GPUs” in the sidebar.",
        )  # fmt: skip


def _take(fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        st.session_state[name] = value


SET_MODEL = "set_model"
"""Parameter of a link to the Playground: the file that answers in the first place, or a model of the catalogue."""


def to_playground(model: LocalModel) -> None:
    """A link that opens the Playground with this file chosen."""
    st.page_link(
        frame.PAGES / "try/playground.py",
        label="Run it",
        icon=":material/forum:",
        query_params={SET_MODEL: model.model_id},
    )


def take_model(models: Sequence[LocalModel], key: str) -> None:
    """Before the widgets of the Playground are drawn: the file that a link names is the choice of this one."""
    wanted = st.query_params.get(SET_MODEL)
    if wanted is None:
        return
    del st.query_params[SET_MODEL]
    facts = frame.facts()
    named = facts.models.get(wanted)
    found = file_of(facts, wanted, models) if named else next((one for one in models if one.model_id == wanted), None)
    if found is not None:
        st.session_state[key] = found.model_id
    elif named is None:
        st.warning(plain(f"There is no model file {wanted!r} here: the link is of another machine."))
    else:
        st.info(
            plain(f"No file of {named.display_name} is here yet: fetch one, or choose an endpoint that serves it."),
            icon=":material/info:",
        )
        st.page_link(
            frame.PAGES / "try/models.py", label=plain(f"Files of {named.display_name}"), icon=":material/download:",
            query_params={"library_model": wanted},
        )  # fmt: skip
