"""The voting of the Arena: a new prompt or finished runs, two replies without names, four votes, who wrote them."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import streamlit as st

from llmcompare.core.facts import ReplyFact, Vote
from llmcompare.core.units import counted
from llmcompare.errors import InputError
from llmcompare.models.library import LocalModel
from llmcompare.services import arena, arena_new, playground
from llmcompare.services.arena import Pair, Waiting
from llmcompare.services.jobs import registry
from llmcompare.services.playground import RunView
from llmcompare.ui import arena_ask, frame
from llmcompare.ui.fields import BOUND
from llmcompare.ui.person import person, watcher
from llmcompare.ui.playground import REPLY_HEIGHT_PX
from llmcompare.ui.safe import markdown, plain

NEW, FINISHED = WAYS = ("a new prompt", "finished runs")
REPORT = frame.PAGES / "share/report.py"
VOTES: tuple[tuple[Vote, str, str], ...] = (
    ("left", "Left is better", "1"),
    ("tie", "Tie", "2"),
    ("both bad", "Both bad", "3"),
    ("right", "Right is better", "4"),
)
"""Vote, label, key of the keyboard. No arrows: a choice that was made with the keyboard keeps them for itself."""
AS_TEXT, AS_MARKDOWN = SHOWN_AS = ("as text", "as Markdown")
SHORT_CHARACTERS = 600
"""Replies of so many are shown in full; longer ones scroll, so that the votes stay in sight."""
RUN, ON_SCREEN, PRESSED = "arena_run", "arena_pair", "arena_pressed_s"
READING_S = 1.0
"""Between two presses that count: a key that was held down for half a second judged 12 pairs."""


def judge(models: list[LocalModel], this_page: Path) -> None:
    """What is to be voted on, and what the last vote was on."""
    run_id = st.query_params.get("run")
    if run_id:
        st.page_link(this_page, label="Judge all your runs", icon=":material/arrow_back:")
        st.caption("The address of this page lets everybody who uses this server judge the run without names.")
        _judge_finished(run_id)
        return
    way = st.segmented_control("Judge", WAYS, default=NEW, key="judge", bind=BOUND, required=True)
    if way == NEW:
        _judge_new(models)
    else:
        _judge_finished(None)


# --- a new prompt -----------------------------------------------------------------------------------------------------


def _judge_new(models: list[LocalModel]) -> None:
    if run_id := arena_ask.ask(models):
        st.session_state[RUN] = run_id
    shown = st.session_state.get(RUN)
    view = playground.view(shown) if shown else arena_new.newest_question(person())
    if view is None:
        _reveal()
        return
    if view.job is not None:
        poll_s = registry.poll_s(view.job, watcher())
        st.fragment(_follow, run_every=poll_s)(view.fact.run_id, poll_s)
        return
    found = arena.waiting(person(), run_id=view.fact.run_id)
    last = arena.last_vote(person())
    is_judged = last is not None and last.voted_at > view.fact.asked_at
    if is_judged:
        _reveal()
    if found.pairs:
        _show_pair(found.pairs[0])
    elif not is_judged:
        _say_why_there_is_no_pair(view, found)


def _follow(run_id: str, poll_s: float) -> None:
    """Not the replies while they are written: the faster model would be known by it."""
    view = playground.view(run_id)
    if view is None or view.job is None or registry.poll_s(view.job, watcher()) > 1.5 * poll_s:
        st.rerun()
    tokens = sum(slot.reply.generated_tokens or 0 for slot in view.slots)
    st.info(
        f"Both models are at work: {counted(tokens, 'token')} so far. The replies are shown when both are complete, "
        "so that speed gives nobody away.",
        icon=":material/hourglass_top:",
    )
    if view.job is not None:
        st.button("Stop", key="arena_stop", icon=":material/stop:", on_click=view.job.stop)


def _say_why_there_is_no_pair(view: RunView, found: Waiting) -> None:
    for bug in view.bugs:
        st.exception(bug)
    # The error of an endpoint names it already.
    reasons = [f"{one.model}: {one.error.removeprefix(f'{one.model}: ')}" for one in view.replies if one.error]
    why = view.problem or "; ".join([*reasons, *_left_out(found)]) or "it was stopped before both had answered"
    leave_out = ", or leave that model out under “Who takes part”" if reasons else ""
    said = f"There are no two replies to judge: {why.removesuffix('.')}. Ask again{leave_out}."
    st.warning(plain(said), icon=":material/warning:")


# --- finished runs ----------------------------------------------------------------------------------------------------


def _judge_finished(run_id: str | None) -> None:
    try:
        found = arena.waiting(person(), run_id=run_id)
    except InputError as problem:
        st.warning(plain(str(problem)), icon=":material/link_off:")
        return
    _reveal()
    total = found.judged_count + len(found.pairs)
    if total:
        share = found.judged_count / total
        judged = f"{found.judged_count} of {counted(total, 'pair')} judged"
        st.progress(share, "; ".join([judged, *_left_out(found)]))
    if not found.pairs:
        _say_what_next(found)
        return
    # The pair on the screen stays there while others vote; theirs may make another one more telling.
    shown = st.session_state.get(ON_SCREEN)
    pair = next((one for one in found.pairs if one == shown), found.pairs[0])
    st.session_state[ON_SCREEN] = pair
    _show_pair(pair)


def _left_out(found: Waiting) -> Iterator[str]:
    if found.named_count:
        yield f"{counted(found.named_count, 'pair')} left out: a reply says which model wrote it"
    if found.known_count:
        yield f"{counted(found.known_count, 'pair')} left out: you were told who wrote one of the replies"


def _say_what_next(found: Waiting) -> None:
    if found.judged_count:
        st.success("Every pair is judged. Run more prompts in the Playground, or ask here.", icon=":material/check:")
        return
    why = "; ".join(_left_out(found)) or "there is no finished run with two complete replies of different models yet"
    st.info(
        f"Nothing to judge: {why}. Run a prompt through two models in the Playground, or ask a new one here.",
        icon=":material/info:",
    )


# --- a pair -----------------------------------------------------------------------------------------------------------


def _show_pair(pair: Pair) -> None:
    if pair.prompt != st.session_state.get(arena_ask.PROMPT):
        st.caption("Prompt")
        st.code(pair.prompt, language=None, wrap_lines=True)
    # No toggle: it is a field, which would keep the keys of the votes for itself.
    shown_as = st.segmented_control(
        "Show replies", SHOWN_AS, default=AS_TEXT, key="arena_shown_as", required=True, persist_state="session"
    )
    as_markdown = shown_as == AS_MARKDOWN
    is_short = max(len(arena.answer_of(reply)) for reply in (pair.left, pair.right)) <= SHORT_CHARACTERS
    for name, reply, column in zip(("Left", "Right"), (pair.left, pair.right), st.columns(2), strict=True):
        with column:
            st.markdown(f"**{name}**")
            _show_text(reply, is_short=is_short, as_markdown=as_markdown)
    if pair.is_same_text:
        st.caption("Both replies are the same, letter for letter.")
    for (vote, label, key), column in zip(VOTES, st.columns(len(VOTES)), strict=True):
        column.button(
            # Of this pair: a press that the server hears late never votes on the next one, which nobody has seen.
            label, key=f"vote_{vote.replace(' ', '_')}_{pair.mark}", shortcut=key, width="stretch",
            on_click=partial(_cast, pair, vote),
        )  # fmt: skip


def _show_text(reply: ReplyFact, *, is_short: bool, as_markdown: bool) -> None:
    with st.container(height="content" if is_short else REPLY_HEIGHT_PX, border=as_markdown):
        if as_markdown:
            st.markdown(markdown(arena.answer_of(reply)))
        else:
            st.code(arena.answer_of(reply), language=None, wrap_lines=True)


def _cast(pair: Pair, vote: Vote) -> None:
    now = time.monotonic()
    last_press_s, st.session_state[PRESSED] = st.session_state.get(PRESSED, -READING_S), now
    if now - last_press_s < READING_S:
        st.toast("Not counted: so soon after the last vote nobody has read the replies.", icon=":material/timer:")
        return
    if not arena.vote(person(), pair, vote):
        st.toast(
            "Not counted again: you have voted on this pair, or were told who wrote one of its replies.",
            icon=":material/visibility:",
        )
    st.session_state.pop(ON_SCREEN, None)


def _reveal() -> None:
    """Who wrote the two replies of the last vote."""
    last = arena.last_vote(person())
    if last is None:
        return
    st.success(_said(last.pair, last.vote), icon=":material/how_to_vote:")
    with st.expander("The two replies of your last vote, with names"):
        for reply, column in zip(last.pair.sides, st.columns(2), strict=True):
            with column:
                st.markdown(f"**{plain(reply.model)}**")
                st.code(reply.text, language=None, wrap_lines=True, height=REPLY_HEIGHT_PX)
        if arena.waiting(person(), run_id=last.pair.run_id).pairs:
            # There the names of all its replies stand.
            return
        st.page_link(
            REPORT, label="Open this run in Report", icon=":material/description:",
            query_params={"run": last.pair.run_id},
        )  # fmt: skip


def _said(pair: Pair, vote: Vote) -> str:
    left, right = (f"**{plain(reply.model)}**" for reply in (pair.left, pair.right))
    match vote:
        case "left":
            return f"You preferred {left}, on the left, to {right}."
        case "right":
            return f"You preferred {right}, on the right, to {left}."
        case _:
            kind = "a tie" if vote == "tie" else "both bad"
            return f"Your vote: {kind}. Left was {left}, right was {right}."
