"""The parts of the Playground: the replies side by side, the models at hand."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from llmcompare.core.asked import asked, shortened
from llmcompare.core.replies import BYTES_PER_MB, ENDS
from llmcompare.core.reply_speeds import speed_caveats, speed_sentence
from llmcompare.core.units import counted
from llmcompare.errors import InputError
from llmcompare.models import quantise
from llmcompare.models.library import LocalModel
from llmcompare.services import conversation, formats, jobs, live_replies, playground, runs
from llmcompare.services.jobs import Job, registry
from llmcompare.services.live_replies import Said
from llmcompare.services.plans import Plan, schema_of
from llmcompare.services.playground import RunView
from llmcompare.services.reply_prices import PriceChoice
from llmcompare.services.runs import Slot
from llmcompare.services.structured import verdict
from llmcompare.store.paths import folders
from llmcompare.ui import live, playground_prices, playground_turns
from llmcompare.ui.person import person, watcher
from llmcompare.ui.playground_ask import places
from llmcompare.ui.playground_figures import differences_html, draw_figures
from llmcompare.ui.safe import markdown, plain

REPLY_HEIGHT_PX = 280
SHORT_CHARACTERS, SHORT_LINES = 260, 6
"""What fits that height in three columns."""
FORMAT_POLL_S = 0.5


# --- the run ----------------------------------------------------------------------------------------------------------


def current_run_id() -> str | None:
    """Of the link, else the one that this tab showed last; the address then names it."""
    run_id = st.query_params.get("run") or st.session_state.get("run_shown")
    if run_id:
        show_from_now_on(run_id)
    return run_id


def show_from_now_on(run_id: str) -> None:
    """Make a run the one of this tab and of its address."""
    st.session_state["run_shown"] = run_id
    if st.query_params.get("run") != run_id:
        st.query_params["run"] = run_id


def show_run(run_id: str) -> list[PriceChoice]:
    """The run, followed while it happens; what its replies are priced at."""
    view = playground.view(run_id)
    if view is None:
        st.warning(
            plain(f"There is no run {run_id!r} here: the link is of another installation, or it was mistyped."),
            icon=":material/link_off:",
        )
        return []
    playground.note_opening(view.fact, person())
    found = conversation.turns(run_id)
    st.subheader("Replies" if len(found) < 2 else f"Replies, turn {len(found)}")
    playground_turns.show_earlier(found)
    common = asked(view.fact).common
    settings = "each with settings of its own" if common is None else common
    st.caption(plain(f"“{shortened(view.fact.prompt)}”, {settings}, {view.fact.scheduling}."))
    # Always drawn: what was chosen would be forgotten while the replies are written.
    chosen = playground_prices.pick(view)
    if view.job is None:
        _draw(view)
        costs = playground_prices.costs(view, chosen)
        draw_figures(view, costs)
        playground_prices.show_how(view, costs)
        _draw_prompts(view)
        return chosen
    poll_s = _poll_s(view.job)
    st.fragment(_follow, run_every=poll_s)(run_id, poll_s)
    return chosen


def pick_next(run_id: str, models: Sequence[LocalModel]) -> Plan | None:
    """The ways to go on with a run, once it has ended."""
    view = playground.view(run_id)
    is_over = view is not None and view.job is None and view.problem is None
    return playground_turns.pick_next(view, models) if view is not None and is_over else None


def _follow(run_id: str, poll_s: float) -> None:
    view = playground.view(run_id)
    if view is None or view.job is None or _is_other(_poll_s(view.job), poll_s):
        # Ended, or more people watch: drawn anew by the page, without the timer or with another one.
        st.rerun()
    _draw(view)
    draw_figures(view, ())
    _draw_prompts(view)


def _poll_s(job: Job) -> float:
    # Words come by themselves, Markdown does not.
    at_least_s = jobs.POLL_S if st.session_state.get("as_markdown") else live.POLL_S
    return registry.poll_s(job, watcher(), at_least_s=at_least_s)


def _is_other(wanted_s: float, has_s: float) -> bool:
    return not has_s / 1.5 <= wanted_s <= 1.5 * has_s


def _draw(view: RunView) -> None:
    _say_what_happened(view)
    with st.container(horizontal=True, vertical_alignment="center"):
        if view.job is not None:
            st.button("Stop", key=f"end_{view.fact.run_id}", icon=":material/stop:", on_click=view.job.stop)
        # As text first: what the model wrote, to the letter.
        as_markdown = st.toggle("Show replies as Markdown", key="as_markdown")
        compare = st.toggle("Mark differences to the first", key="mark_differences", disabled=view.job is not None)
    said = [live_replies.said(view, slot) for slot in range(len(view.slots))]
    for at, column in enumerate(places(len(view.slots))):
        with column:
            first = said[0].answer if compare and at and view.job is None else None
            _draw_slot(view, at, said[at], as_markdown=as_markdown, compared_with=first)


def _say_what_happened(view: RunView) -> None:
    if view.job is not None:
        return
    for bug in view.bugs:
        st.exception(bug)
    if view.problem is not None:
        st.warning(plain(view.problem), icon=":material/warning:")
    said = speed_sentence(view.replies, view.fact.scheduling)
    caveats = " ".join(speed_caveats(view.replies, view.fact.scheduling))
    st.markdown(f"**{plain(said)}** {plain(caveats)}")


def _draw_prompts(view: RunView) -> None:
    with st.expander("Prompt as the models see it, after the chat template"):
        for slot in view.slots:
            st.caption(plain(slot.reply.model))
            st.code(slot.reply.prompt_text or "not told by the server", language=None, wrap_lines=True)


def _draw_slot(view: RunView, at: int, said: Said, *, as_markdown: bool, compared_with: str | None) -> None:
    slot = view.slots[at]
    reply = slot.reply
    st.markdown(f"**{plain(reply.model)}** {plain(reply.quantization or '')}")
    settings = asked(view.fact)
    if settings.common is None:
        st.caption(plain(f"With {settings.own[at]}."))
    if reply.error is not None:
        st.error(plain(reply.error), icon=":material/error:")
    else:
        st.caption(plain(_progress(slot, goes_on=bool(view.fact.goes_on))))
    if said.thinking:
        tokens = f", {counted(reply.thinking_tokens, 'token')}" if reply.thinking_tokens else ""
        with st.expander(f"Thinking, {counted(len(said.thinking), 'character')}{tokens}"):
            st.code(said.thinking, language=None, wrap_lines=True)
    if view.job is not None and not slot.ended and not as_markdown:
        live.reply(view.fact.run_id, at, said.answer, height_px=REPLY_HEIGHT_PX)
    elif said.answer or reply.error is None:
        with st.container(height=_height(said.answer, view), border=as_markdown or compared_with is not None):
            _draw_answer(said.answer, as_markdown=as_markdown, compared_with=compared_with)
    if (schema := schema_of(view.fact, at)) is not None and slot.ended and reply.error is None:
        _draw_json(said.answer, schema)


def _height(answer: str, view: RunView) -> int | Literal["content"]:
    """A short reply needs no box that scrolls; while others are written, every place keeps its height."""
    is_short = len(answer) <= SHORT_CHARACTERS and answer.count("\n") <= SHORT_LINES
    return "content" if is_short and view.job is None else REPLY_HEIGHT_PX


def _draw_answer(answer: str, *, as_markdown: bool, compared_with: str | None) -> None:
    if compared_with is not None:
        st.html(differences_html(compared_with, answer))
    elif as_markdown:
        st.markdown(markdown(answer))
    else:
        st.code(answer or " ", language=None, wrap_lines=True)


def _draw_json(answer: str, schema: str) -> None:
    found = verdict(answer, schema)
    if found.problem is not None:
        st.warning(plain(found.problem), icon=":material/rule:")
    else:
        st.caption("JSON that follows the schema.")
    if isinstance(found.value, dict | list):
        st.json(found.value, expanded=2)


def _progress(slot: Slot, *, goes_on: bool) -> str:
    if slot.ended and goes_on and slot.reply.end in ("end", "stop") and not slot.reply.text:
        return "was complete already"
    count = slot.reply.generated_tokens
    tokens = counted(len(slot.reply.text), "character") if count is None else counted(count, "token")
    if slot.ended:
        return f"{ENDS[slot.reply.end]}, {tokens}"
    if slot.first_token_s is None:
        return slot.status
    rate = slot.reply.generation_tokens_per_s
    return f"{slot.status}: {tokens}{f', {rate:,.1f} tokens/s so far' if rate else ''}"


# --- models ----------------------------------------------------------------------------------------------------------


def show_models(models: Sequence[LocalModel]) -> None:
    """Every model file at hand, and the making of another format."""
    with st.expander(f"Models at hand ({len(models)})"):
        st.caption(plain(f"Put any .gguf file into {folders().models}: it appears here."))
        rows = [
            {
                "file": model.model_id,
                "format": model.quantization,
                "architecture": model.architecture,
                "parameters_million": model.parameters and model.parameters / 1e6,
                "size_mb": model.size_bytes / BYTES_PER_MB,
                "origin": model.origin,
                "note": model.problem or model.caveat,
            }
            for model in models
        ]
        numbers = {name: st.column_config.NumberColumn(format="%.0f") for name in ("parameters_million", "size_mb")}
        st.dataframe(
            pd.DataFrame(rows), hide_index=True, column_config=numbers, placeholder="—", alt="Models at hand",
            key="models_table",
        )  # fmt: skip
        _make_format([model for model in models if model.problem is None])
        _show_pool()


def _show_pool() -> None:
    """What is in memory, and what is not tried any more."""
    pool = runs.pool()
    for path, is_running in runs.in_memory().items():
        if st.button(
            plain(f"Unload {path.name}"), key=f"unload_{path}", disabled=is_running, help="Gives its memory back."
        ):
            pool.unload(path)
            st.rerun()
    for name, reason in pool.crashes.set_aside().items():
        st.warning(plain(f"{name} is set aside: {reason}"), icon=":material/block:")
        if st.button(plain(f"Let {name} try again"), key=f"forgive_{name}"):
            pool.crashes.forgive(name)
            st.rerun()


def _make_format(models: Sequence[LocalModel]) -> None:
    if not models:
        return
    by_id = {model.model_id: model for model in models}
    left, middle, right = st.columns([3, 2, 1], vertical_alignment="bottom")
    source = left.selectbox("Make another format of", list(by_id), key="format_source")
    target = middle.selectbox("Format", list(quantise.FORMATS), key="format_target")
    if right.button("Make", key="format_make"):
        try:
            st.session_state["format_job"] = formats.start_making(by_id[source], target).job_id
        except InputError as problem:
            st.error(plain(str(problem)), icon=":material/error:")
    job = registry.get(st.session_state.get("format_job", ""))
    if job is not None:
        follow_format(job)


def follow_format(job: Job) -> None:
    """A line on a format that is being made; the page is drawn anew when it is there."""
    if job.state == "running":
        st.fragment(_wait_for_format, run_every=FORMAT_POLL_S)(job)
    elif job.bug is not None:
        st.exception(job.bug)
    elif job.error:
        st.error(plain(job.error), icon=":material/error:")


def _wait_for_format(job: Job) -> None:
    if job.ended.is_set():
        st.rerun()
    st.info(plain(f"Being made: {job.title}."), icon=":material/hourglass_top:")
