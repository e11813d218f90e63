"""The parts of the Playground: what is asked, the replies side by side, the list of runs, the models at hand."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import streamlit as st

from llmcompare.core.facts import ReplyFact, RunFact, Scheduling
from llmcompare.core.replies import BYTES_PER_MB, ENDS, place_in_words, speed_sentence
from llmcompare.core.units import counted
from llmcompare.engines.base import Sampling
from llmcompare.errors import InputError
from llmcompare.models import quantise
from llmcompare.models.library import LocalModel
from llmcompare.services import formats, playground, runs
from llmcompare.services.jobs import Job, registry
from llmcompare.services.playground import RunView
from llmcompare.services.runs import Plan, Slot
from llmcompare.store.paths import folders
from llmcompare.ui.fields import BOUND
from llmcompare.ui.person import person
from llmcompare.ui.safe import markdown, plain

EXAMPLE = "Why is the sky blue? Answer in two sentences."
REPLY_HEIGHT_PX = 280
RUNS_LISTED = 20
LABEL_CHARACTERS = 70
FORMAT_POLL_S = 0.5
UNKNOWN = "—"


# --- what is asked ----------------------------------------------------------------------------------------------------


def compose(models: Sequence[LocalModel]) -> Plan | None:
    """Draws the inputs; the plan of a run when the button was pressed and what is asked can be asked."""
    with st.container(border=True):
        # Drawn above the button that stands beside it, decided by the number below.
        slots = st.container()
        prompt = st.text_area("Prompt", EXAMPLE, key="prompt", height=100, persist_state="session")
        left, middle, right = st.columns([2, 2, 3], vertical_alignment="bottom")
        count = left.segmented_control("Side by side", [2, 3, 4], default=2, key="slots", bind=BOUND, required=True)
        # No other labels: a link carries what stands on a button.
        scheduling = middle.segmented_control(
            "Scheduling",
            get_args(Scheduling),
            default="together",
            required=True,
            key="scheduling",
            bind=BOUND,
            help="together: read along at once; the models slow each other. in-turn: one at a time, nothing else of "
            "this app beside it, so that speeds can be compared.",
        )
        with slots:
            chosen = _pick_models(models, count)
        pressed = right.button("Run", key="start", type="primary", icon=":material/play_arrow:", width="stretch")
        with st.expander("System prompt and sampling"):
            system = st.text_area(
                "System prompt",
                key="system",
                height=70,
                placeholder="none: the model's own default",
                persist_state="session",
            )
            asked = _pick_sampling()
    if not pressed:
        return None
    try:
        return Plan(
            prompt=prompt,
            models=chosen,
            system=system.strip() or None,
            sampling=Sampling(**asked),
            scheduling=scheduling,
        )
    except InputError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        return None


def _pick_models(models: Sequence[LocalModel], count: int) -> tuple[LocalModel, ...]:
    by_id = {model.model_id: model for model in models}
    chosen = []
    for number, column in enumerate(st.columns(count), start=1):
        with column:
            picked = st.selectbox(
                f"Model {number}", list(by_id), index=(number - 1) % len(by_id), key=f"slot_{number}", bind=BOUND
            )
            model = by_id[picked]
            st.caption(plain(_about(model)))
            chosen.append(model)
    return tuple(chosen)


def _about(model: LocalModel) -> str:
    facts = f"{model.quantization or 'format not stated'}, {model.size_bytes / BYTES_PER_MB:,.0f} MB"
    return f"{facts}, {model.origin}{f': {model.caveat}' if model.caveat else ''}."


def _pick_sampling() -> dict[str, Any]:
    columns = st.columns(4)
    temperature = columns[0].number_input(
        "Temperature", 0.0, 5.0, 0.0, 0.1, key="temperature", bind=BOUND, help="0 always takes the likeliest token."
    )
    top_p = columns[1].number_input("Top-p", 0.0, 1.0, 1.0, 0.05, key="top_p", bind=BOUND)
    max_tokens = columns[2].number_input("Max tokens", 1, 100_000, 256, 64, key="max_tokens", bind=BOUND)
    seed = columns[3].number_input(
        "Seed", 0, 2**32 - 2, 0, key="seed", bind=BOUND, help="Counts at temperatures above 0."
    )
    return {"temperature": temperature, "top_p": top_p, "max_tokens": int(max_tokens), "seed": int(seed)}


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


def show_run(run_id: str) -> None:
    """The run, followed while it happens."""
    view = playground.view(run_id)
    if view is None:
        st.warning(
            plain(f"There is no run {run_id!r} here: the link is of another installation, or it was mistyped."),
            icon=":material/link_off:",
        )
        return
    playground.note_opening(view.fact, person())
    st.subheader("Replies")
    st.caption(plain(_asked(view.fact)))
    if view.job is None:
        _draw(view)
        return
    poll_s = registry.poll_s(view.job, _watcher())
    st.fragment(_follow, run_every=poll_s)(run_id, poll_s)


def _watcher() -> str:
    if "watcher" not in st.session_state:
        st.session_state["watcher"] = f"{person()} {time.monotonic_ns()}"
    mark: str = st.session_state["watcher"]
    return mark


def _follow(run_id: str, poll_s: float) -> None:
    view = playground.view(run_id)
    if view is None or view.job is None or registry.poll_s(view.job, _watcher()) > 1.5 * poll_s:
        # Ended, or more people watch: drawn anew by the page, without the timer or with a slower one.
        st.rerun()
    _draw(view)


def _draw(view: RunView) -> None:
    _say_what_happened(view)
    with st.container(horizontal=True, vertical_alignment="center"):
        if view.job is not None:
            st.button("Stop", key="stop", icon=":material/stop:", on_click=view.job.stop)
        # As text first: what the model wrote, to the letter.
        as_markdown = st.toggle("Show replies as Markdown", key="as_markdown")
    for slot, column in zip(view.slots, st.columns(len(view.slots)), strict=True):
        with column:
            _draw_slot(slot, as_markdown=as_markdown)
    _draw_figures(view)
    with st.expander("Prompt as the models see it, after the chat template"):
        for slot in view.slots:
            st.caption(plain(slot.reply.model))
            st.code(slot.reply.prompt_text or UNKNOWN, language=None, wrap_lines=True)


def _say_what_happened(view: RunView) -> None:
    if view.job is not None:
        return
    if view.bug is not None:
        st.exception(view.bug)
    if view.problem is not None:
        st.warning(plain(view.problem), icon=":material/warning:")
    st.markdown(f"**{plain(speed_sentence(view.replies, view.fact.scheduling))}**")


def _asked(run: RunFact) -> str:
    prompt = _shortened(run.prompt)
    seed = f", seed {run.seed}" if run.temperature else ""
    system = ", with a system prompt" if run.system else ""
    return (
        f"“{prompt}”{system}, temperature {run.temperature:g}, top-p {run.top_p:g}, at most "
        f"{counted(run.max_tokens, 'token')}{seed}, {run.scheduling}."
    )


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LABEL_CHARACTERS else f"{line[: LABEL_CHARACTERS - 1]}…"


def _draw_slot(slot: Slot, *, as_markdown: bool) -> None:
    reply = slot.reply
    st.markdown(f"**{plain(reply.model)}** {plain(reply.quantization or '')}")
    if reply.error is not None:
        st.error(plain(reply.error), icon=":material/error:")
    else:
        st.caption(plain(_progress(slot)))
    if reply.text or reply.error is None:
        with st.container(height=REPLY_HEIGHT_PX, border=as_markdown):
            if as_markdown:
                st.markdown(markdown(reply.text))
            else:
                st.code(reply.text or " ", language=None, wrap_lines=True)


def _progress(slot: Slot) -> str:
    tokens = counted(slot.reply.generated_tokens or 0, "token")
    if slot.ended:
        return f"{ENDS[slot.reply.end]}, {tokens}"
    if slot.first_token_s is None:
        return slot.status
    rate = slot.reply.generation_tokens_per_s
    return f"{slot.status}: {tokens}{f', {rate:,.1f} tokens/s so far' if rate else ''}"


def _draw_figures(view: RunView) -> None:
    replies = [slot.reply for slot in view.slots]
    figures = {f"{reply.slot + 1}: {reply.quantization or reply.model}": _figures(reply) for reply in replies}
    st.table(pd.DataFrame(figures), width="stretch")


def _figures(reply: ReplyFact) -> dict[str, str]:
    memory_mb = None if reply.peak_memory_bytes is None else reply.peak_memory_bytes / BYTES_PER_MB
    return {
        "Time to first token": _number(reply.ttft_ms, "ms"),
        "Prompt": _number(reply.prompt_tokens_per_s, "tokens/s", 1),
        "Generation": _number(reply.generation_tokens_per_s, "tokens/s", 1),
        "Tokens, prompt → reply": _tokens(reply),
        "Peak memory": _number(memory_mb, "MB"),
        "Cold or warm": {True: "cold", False: "warm", None: UNKNOWN}[reply.cold],
        "Threads": _number(reply.threads),
        "GPU layers": UNKNOWN if reply.gpu_layers is None else f"{reply.gpu_layers} ({place_in_words(reply)})",
        "Context": _number(reply.context_tokens, "tokens"),
    }


def _number(value: float | None, unit: str = "", digits: int = 0) -> str:
    return UNKNOWN if value is None else f"{value:,.{digits}f} {unit}".strip()


def _tokens(reply: ReplyFact) -> str:
    if reply.prompt_tokens is None:
        return UNKNOWN
    reused = f" ({reply.reused_tokens:,} from the cache)" if reply.reused_tokens else ""
    return f"{reply.prompt_tokens:,}{reused} → {reply.generated_tokens or 0:,}"


# --- runs and models --------------------------------------------------------------------------------------------------


def show_history(this_page: Path, report_page: Path, run_id: str | None) -> None:
    """Links to the person's runs, and to the report of the one shown."""
    if run_id:
        st.page_link(
            report_page, label="Open this run in Report", icon=":material/description:", query_params={"run": run_id}
        )
    for problem in runs.log().problems():
        st.warning(plain(problem), icon=":material/warning:")
    found = playground.history(person())
    with st.expander(f"Your runs ({len(found)})"):
        if not found:
            st.caption("None yet. Runs stay here, also those that were opened by their link.")
        if len(found) > RUNS_LISTED:
            st.caption(f"The last {RUNS_LISTED}; the others are kept too, and their links work.")
        for run in found[:RUNS_LISTED]:
            when = run.asked_at[:16].replace("T", " ")
            label = plain(f"{when} UTC · {len(run.models)} models · {_shortened(run.prompt)}")
            st.page_link(this_page, label=label, icon=":material/history:", query_params={"run": run.run_id})


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
    for path, _, is_running in pool.loaded():
        if st.button(f"Unload {path.name}", key=f"unload_{path}", disabled=is_running, help="Gives its memory back."):
            pool.unload(path)
            st.rerun()
    for name, reason in pool.set_aside().items():
        st.warning(plain(f"{name} is set aside: {reason}"), icon=":material/block:")
        if st.button(f"Let {name} try again", key=f"forgive_{name}"):
            pool.forgive(name)
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
