"""Long work: one registry for the whole process. A page starts a job or attaches to one; no click, rerun, page change,
reload or second tab ends it.

A job's work runs in a thread of its own, never touches Streamlit, and looks at `stopping` often. What it has to show,
it keeps itself as plain values that any thread may read.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Literal

from llmcompare.errors import LlmCompareError

POLL_S = 0.25
"""How often one watcher looks."""
POLLS_PER_S = 8
"""Of all watchers together: each look is a run of a fragment and costs about 0.05 s of a core."""
OVERDUE_S = 3.0
"""A watcher that is so late has gone."""
GRACE_S = 3.0
ENDED_KEPT = 200

State = Literal["running", "done", "failed", "stopped"]


class Job:
    """One piece of long work."""

    def __init__(self, job_id: str, title: str, work: "Callable[[Job], None]") -> None:
        self.job_id = job_id
        self.title = title
        self.stopping = threading.Event()
        """Set when somebody asked for an end."""
        self.ended = threading.Event()
        self.error: str | None = None
        """The sentence why it failed."""
        self.bug: BaseException | None = None
        """What was not raised on purpose; the page shows its traceback."""
        self.work = work
        """What it does; a callable of its own type holds what there is to show."""
        self._watchers: dict[str, tuple[float, float]] = {}

    @property
    def state(self) -> State:
        """What has become of it."""
        if not self.ended.is_set():
            return "running"
        if self.error or self.bug:
            return "failed"
        return "stopped" if self.stopping.is_set() else "done"

    def stop(self) -> None:
        """Ask for an end; `ended` is set when it has come."""
        self.stopping.set()

    def run(self) -> None:
        """In the job's thread."""
        try:
            self.work(self)
        except LlmCompareError as problem:
            self.error = str(problem)
        except BaseException as bug:  # noqa: BLE001 - shown by whoever watches, with its traceback
            self.bug = bug
        finally:
            self.ended.set()

    def seen_by(self, watcher: str, *, again_in_s: float) -> None:
        """A watcher looked and will look again."""
        self._watchers[watcher] = (time.monotonic(), again_in_s)

    def watcher_count(self) -> int:
        """Who has looked and is not overdue."""
        now = time.monotonic()
        return sum(now - seen < again_in_s + OVERDUE_S for seen, again_in_s in list(self._watchers.values()))


class Jobs:
    """All jobs of this process; those that ended longest ago are forgotten first."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, title: str, work: Callable[[Job], None], *, job_id: str | None = None) -> Job:
        """Begin work in a thread. An id that nobody can guess is made unless one is given; one that runs is kept."""
        with self._lock:
            known = self._jobs.get(job_id or "")
            if known is not None and not known.ended.is_set():
                return known
            job = Job(job_id or new_id(), title, work)
            self._jobs[job.job_id] = job
            self._forget_old()
        threading.Thread(target=job.run, name=f"job {title}", daemon=True).start()
        return job

    def get(self, job_id: str) -> Job | None:
        """None when it never was, or was forgotten."""
        return self._jobs.get(job_id)

    def titled(self, title: str) -> list[Job]:
        """Those of one kind, the oldest first."""
        return [job for job in list(self._jobs.values()) if job.title == title]

    def poll_s(self, job: Job, watcher: str, *, at_least_s: float = POLL_S) -> float:
        """When this watcher should look next: the more people watch anything, the longer."""
        with self._lock:
            job.seen_by(watcher, again_in_s=at_least_s)
            again_in_s = self.pause_s(at_least_s=at_least_s)
            job.seen_by(watcher, again_in_s=again_in_s)
        return again_in_s

    def pause_s(self, *, at_least_s: float, per_s: float = POLLS_PER_S) -> float:
        """How long each watcher of anything waits, so that all together look at most so often a second."""
        watchers = sum(one.watcher_count() for one in list(self._jobs.values()) if not one.ended.is_set())
        return max(at_least_s, watchers / per_s)

    def stop_all(self) -> None:
        """At the end of the process: ask every job to end, and give them a moment."""
        running = [job for job in list(self._jobs.values()) if not job.ended.is_set()]
        for job in running:
            job.stop()
        until = time.monotonic() + GRACE_S
        for job in running:
            job.ended.wait(max(0.0, until - time.monotonic()))

    def _forget_old(self) -> None:
        ended = [job_id for job_id, job in self._jobs.items() if job.ended.is_set()]
        for job_id in ended[: max(0, len(ended) - ENDED_KEPT)]:
            del self._jobs[job_id]


def new_id() -> str:
    """128 random bits: an id is the key to what it names."""
    return secrets.token_urlsafe(16)


registry = Jobs()
"""Of this process."""
