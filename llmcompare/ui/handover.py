"""Hands figures of one page over to the inputs that every page shares."""

from typing import Any

import streamlit as st

from llmcompare.ui import frame
from llmcompare.ui.safe import plain

SAID = "handed_over"


def hand_over(fields: dict[str, Any], said: str) -> None:
    """A callback: the shared inputs take these values before they are drawn."""
    for name, value in fields.items():
        st.session_state[name] = value
    st.session_state["preset"] = None
    st.session_state[SAID] = said


def show_handed_over(*pages: tuple[str, str, str]) -> None:
    """After the click, what happened and where to go on: file, label and icon of each page."""
    if said := st.session_state.pop(SAID, None):
        st.success(plain(said), icon=":material/check:")
        for column, (file, label, icon) in zip(st.columns(len(pages)), pages, strict=True):
            column.page_link(frame.PAGES / file, label=label, icon=icon)
