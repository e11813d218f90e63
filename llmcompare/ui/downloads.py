"""Downloads on the Models page: begun, followed by any number of tabs, stopped, gone on with."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from llmcompare.errors import LlmCompareError
from llmcompare.services import downloads, runs
from llmcompare.services.downloads import DownloadWork
from llmcompare.services.jobs import Job, registry
from llmcompare.ui.handover import to_playground
from llmcompare.ui.person import watcher
from llmcompare.ui.safe import plain

FOLLOWED = "downloads_followed"
ENDED_SHOWN = 3


def act(what: Callable[[], object]) -> None:
    """Do it and draw the page again, or say why not."""
    try:
        what()
    except LlmCompareError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
    else:
        st.rerun()


def start(repository: str, path: str) -> None:
    """Begin a download, or say why not."""
    act(lambda: _followed().append(downloads.start(repository, path).job_id))


def show_downloads() -> None:
    """Those that run, that ended lately, and what was left unfinished."""
    jobs = downloads.every()
    running = [one for one in jobs if not one.ended.is_set()]
    ours = [one for one in jobs if one.ended.is_set() and one.job_id in _followed()]
    for job in [*running, *ours[-ENDED_SHOWN:]]:
        _show_progress(job, "above")
    for left in downloads.unfinished():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(
                plain(f"Unfinished: {left.file} of {left.repository}, {downloads.size_text(left.size_bytes)} are here.")
            )
            if st.button("Go on", key=f"go_on_{left.path}", icon=":material/play_arrow:"):
                start(left.repository, left.file)
            if st.button("Remove", key=f"remove_{left.path}", icon=":material/delete:"):
                act(partial(downloads.remove, left))


def show_beside(repository: str, path: str, before: str) -> None:
    """Beside the button that begins one: how it goes, that the file is here, or else what to know before."""
    job, here_now = downloads.running(repository, path), downloads.path_here(repository, path)
    is_shown = job is not None and (not job.ended.is_set() or job.job_id in _followed())
    if here_now is not None and not is_shown:
        _show_file_here("It is here already.", here_now)
    elif here_now is None and (job is None or job.ended.is_set()):
        st.caption(plain(before))
    _show_progress(job, "beside")


def _show_progress(job: Job | None, where: str) -> None:
    """A download while it runs, and how one of this tab's ended: those of others are told to others."""
    if job is not None and not job.ended.is_set():
        poll_s = registry.poll_s(job, watcher())
        st.fragment(_follow, run_every=poll_s)(job, poll_s, where)
    elif job is not None and job.job_id in _followed():
        _show_end(job)


def _followed() -> list[str]:
    """Ids of the downloads that were begun in this tab."""
    found: list[str] = st.session_state.setdefault(FOLLOWED, [])
    return found


def _follow(job: Job, poll_s: float, where: str) -> None:
    if job.ended.is_set() or registry.poll_s(job, watcher()) > 1.5 * poll_s:
        st.rerun()
    work = downloads.work_of(job)
    with st.container(border=True):
        now = work.progress
        share = now.done_bytes / now.total_bytes if now.total_bytes else 0.0
        st.progress(min(1.0, share), text=plain(downloads.in_words(work, job.state)))
        if job.stopping.is_set():
            st.caption("It ends as soon as the connection answers. What came is kept.")
        st.button("Cancel", key=f"cancel_{where}_{job.job_id}", icon=":material/stop:", on_click=job.stop)


def _show_end(job: Job) -> None:
    work = downloads.work_of(job)
    if job.bug is not None:
        st.exception(job.bug)
    elif job.error is not None:
        st.error(plain(job.error), icon=":material/error:")
    elif job.state == "done":
        _show_done(work)


def _show_done(work: DownloadWork) -> None:
    if work.path is not None:
        _show_file_here(downloads.in_words(work, "done"), work.path)


def _show_file_here(said: str, path: Path) -> None:
    """With the link that runs it."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/check: {plain(said)}")
        found = next((model for model in runs.local_models() if model.path == path), None)
        if found is not None and found.problem is None:
            to_playground(found)
