"""Turns of a conversation: what came before, and the ways to go on from the replies that are shown."""

from collections.abc import Callable, Sequence

import streamlit as st

from llmcompare.core.phrases import listed
from llmcompare.core.thinking import parts
from llmcompare.errors import InputError
from llmcompare.models.library import LocalModel
from llmcompare.services import conversation
from llmcompare.services.plans import Plan
from llmcompare.services.playground import RunView
from llmcompare.ui.safe import plain


def show_earlier(found: Sequence[RunView]) -> None:
    """Prompts and replies of the turns before the last, folded."""
    for number, view in enumerate(found[:-1], start=1):
        what = "continued" if view.fact.goes_on else " ".join(view.fact.prompt.split())[:60]
        with st.expander(plain(f"Turn {number}: {what}")):
            for slot in view.slots:
                st.caption(plain(slot.reply.model))
                st.code(parts(slot.reply.text).answer or slot.reply.error or "—", language=None, wrap_lines=True)


def pick_next(view: RunView, models: Sequence[LocalModel]) -> Plan | None:
    """Draws the ways to go on with a run that has ended; the plan of the one that was chosen."""
    run_id = view.fact.run_id
    with st.container(border=True):
        follow = st.text_input("Follow-up", key=f"follow_{run_id}", placeholder="The models remember what they said.")
        with st.container(horizontal=True):
            send = st.button("Send", key="follow_send", icon=":material/send:")
            again = st.button("Regenerate", key="again", icon=":material/refresh:", help="The same with the next seed.")
            is_cut = any(slot.reply.end in ("length", "cancelled") and slot.reply.text for slot in view.slots)
            on = st.button(
                "Continue", key="go_on", icon=":material/arrow_forward:", disabled=not is_cut,
                help="Go on where replies stopped, with as many tokens again. Complete ones stay as they are.",
            )  # fmt: skip
            with st.popover("Edit and resend", icon=":material/edit:"):
                text = st.text_area("The prompt instead", view.fact.prompt, key=f"edit_{run_id}")
                resend = st.button("Resend", key="resend")
        if is_cut and (anew := conversation.begin_anew(view)):
            st.caption(
                plain(
                    f"Continue leaves out {listed(anew)}: such a server is not known to go on with a reply, it begins "
                    "a new one. Ask it again with more tokens."
                )
            )
    asked: list[tuple[bool, Callable[[], Plan]]] = [
        (send, lambda: conversation.follow_up(run_id, follow, models)),
        (again, lambda: conversation.again(run_id, models)),
        (on, lambda: conversation.go_on(run_id, models)),
        (resend, lambda: conversation.edited(run_id, text, models)),
    ]
    for pressed, plan in asked:
        if pressed:
            try:
                return plan()
            except InputError as problem:
                st.error(plain(str(problem)), icon=":material/error:")
    return None
