"""The part of the Models page about the files at hand: what each is, who uses it, taking it away."""

import pandas as pd
import streamlit as st

from llmcompare.core.units import counted
from llmcompare.errors import LlmCompareError
from llmcompare.models.library import LocalModel
from llmcompare.services import at_hand, runs
from llmcompare.services.at_hand import BYTES_PER_MB, AtHand
from llmcompare.services.preflight import Preflight
from llmcompare.ui import show
from llmcompare.ui.downloads import act, start
from llmcompare.ui.fields import BOUND
from llmcompare.ui.handover import to_playground
from llmcompare.ui.safe import plain

UNKNOWN = "—"


def show_at_hand() -> None:
    """Every file, and one of them closely."""
    found = at_hand.at_hand()
    if not found:
        st.info("There is no model file yet: choose one under “For this machine”.", icon=":material/info:")
        return
    st.markdown(f"#### {plain(at_hand.answer(found))}")
    show.table(at_hand.at_hand_table(found), key="at_hand")
    by_id = {one.model.model_id: one for one in found}
    one = by_id[st.selectbox("File", list(by_id), key="at_hand_file", bind=BOUND)]
    _buttons(one)
    _show_file(one)


def show_cached() -> None:
    """What other programs fetched from the Hub; nothing where they fetched nothing."""
    found = at_hand.in_cache()
    if not found:
        return
    st.subheader("In the cache of the Hub's client")
    st.caption(
        "Fetched by other programs. Using one costs no space and no network: its checksum is compared, and a link to "
        "it is put among the models."
    )
    show.table(at_hand.cache_table(found), key="in_cache")
    by_name = {f"{one.repository}: {one.model.path}": one for one in found}
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    one = by_name[left.selectbox("Model in the cache", list(by_name), key="in_cache_model")]
    if right.button("Use it", key="in_cache_use", icon=":material/link:", width="stretch"):
        start(one.repository, one.model.path)


def show_any_file() -> None:
    """A file of anywhere, by its path."""
    with st.expander("A file that lies elsewhere"):
        text = st.text_input("Whole path of a GGUF file", key="any_file", placeholder="/home/me/models/model.gguf")
        if not text.strip():
            return
        try:
            model = at_hand.from_path(text)
        except LlmCompareError as problem:
            st.error(plain(str(problem)), icon=":material/error:")
            return
        _show_file(at_hand.one_at_hand(model))
        if model.problem is None and st.button("Put a link to it among the models", key="any_link"):
            act(lambda: at_hand.link(model))


def _buttons(one: AtHand) -> None:
    model = one.model
    with st.container(horizontal=True, vertical_alignment="center"):
        if model.problem is None:
            to_playground(model)
        if st.button("Unload", key="at_hand_unload", disabled=one.state != "in memory", icon=":material/eject:"):
            act(lambda: at_hand.unload(one))
        label, keep = ("Unpin", False) if one.pinned else ("Pin", True)
        if st.button(
            label, key="at_hand_pin", icon=":material/keep:", disabled=model.problem is not None,
            help="A pinned model stays in memory once it is loaded, also when another one needs the room.",
        ):  # fmt: skip
            act(lambda: runs.pool().pin(model.path, keep=keep))
        if one.deletable:
            _confirm_delete(one)


def _confirm_delete(one: AtHand) -> None:
    name = one.model.path.name
    with st.popover("Delete", icon=":material/delete:", disabled=one.state == "answers"):
        st.markdown(plain(f"{name} and the other parts of this model go for good: {_mb(one.model)}."))
        if st.button("Delete it", key="at_hand_delete", type="primary"):
            act(lambda: at_hand.delete(one.model))


def _mb(model: LocalModel) -> str:
    return f"{model.size_bytes / BYTES_PER_MB:,.0f} MB"


def _show_file(one: AtHand) -> None:
    found = at_hand.looked_into(one.model)
    for warning in found.warnings:
        st.warning(plain(warning), icon=":material/warning:")
    if not found.warnings:
        st.success("Nothing is wrong with it: template, first token, last token, context.", icon=":material/check:")
    facts = {name: plain(value) for name, value in _facts(one, found).items()}
    st.table(pd.DataFrame({plain(one.model.name): facts}), width="stretch")
    if found.example is not None:
        with st.expander("A conversation as the model reads it, after its chat template"):
            st.code(found.example, language=None, wrap_lines=True)
    if found.template is not None:
        with st.expander("The chat template itself"):
            st.code(found.template, language="jinja2", wrap_lines=True)


def _facts(one: AtHand, found: Preflight) -> dict[str, str]:
    model = one.model
    peak = one.peak_memory_bytes
    runs_text = f", the most of {counted(one.run_count, 'run')}" if one.run_count else ""
    return {
        "Now": at_hand.state_text(one) + (", pinned" if one.pinned else ""),
        "Name in the file": found.name or UNKNOWN,
        "Architecture": model.architecture or UNKNOWN,
        "Format": model.quantization or UNKNOWN,
        "Parameters": UNKNOWN if model.parameters is None else f"{model.parameters / 1e6:,.0f} million",
        "Size": _mb(model),
        "Context it was trained with": _tokens(found.trained_context_tokens),
        "Memory measured here": "not measured" if peak is None else f"{peak / BYTES_PER_MB:,.0f} MB{runs_text}",
        "First token": found.bos or UNKNOWN,
        "Token that ends a reply": found.eos or UNKNOWN,
        "Origin": model.origin,
    }


def _tokens(count: int | None) -> str:
    return UNKNOWN if count is None else f"{count:,} tokens"
