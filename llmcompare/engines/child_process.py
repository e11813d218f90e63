"""The parts of a child process that know nothing of llama.cpp: pipes, control, refusals, limits of time and memory."""

import contextlib
import json
import os
import queue
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

ALIVE_S = 1.0
TOGETHER_S = 0.1
"""A person sees no difference: a page is drawn 4 times a second."""
POLITENESS = 10
"""Of nice(1), which has 0 for everybody else and 19 at most."""
TEMPLATE_LIMIT_S = 2
SCHEMA_LIMIT_S = 10
PROGRAM_LIMIT_BYTES = 512 * 1024**2
"""A template of three words can ask for gigabytes."""
LONGEST_WORDS = 500
"""Of an error: a template may raise one with a text of any length."""


class RefusedError(Exception):
    """A request or a model that cannot be served; the process goes on."""


class CancelledError(Exception):
    """The request was stopped."""


class _TooLate(BaseException):  # noqa: N818
    """Not an Exception: Jinja swallows those while it computes the constants of a template."""


class Control:
    """What other threads tell the loop: stop this request, use so many threads. And what it tells the parent."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._said_alive_s = 0.0
        self.cancelled_id: str | None = None
        self.running_id: str | None = None
        self.threads = 1

    @property
    def cancelled(self) -> bool:
        """Whether the request that runs now is to stop."""
        return self.running_id is not None and self.cancelled_id == self.running_id

    def say_alive(self) -> None:
        """Once a second at most."""
        now = time.monotonic()
        if now - self._said_alive_s > ALIVE_S:
            self._said_alive_s = now
            self._send({"event": "alive", "time_s": now})


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Whatever is raised becomes a refusal. A template is text from a file: whatever it raises is its own fault."""
    try:
        yield
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"{what}: {described(error)}") from error


def described(error: Exception) -> str:
    """What it says and what it is; some say nothing, and many say only a name that was not found.

    >>> described(MemoryError()), described(KeyError("role"))
    ('MemoryError', "KeyError: 'role'")
    """
    said = str(error)[:LONGEST_WORDS]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


@contextmanager
def time_limit(seconds: int, what: str) -> Iterator[None]:
    """Refuse when the block takes longer; only in the main thread."""

    def too_late(*_: object) -> None:
        raise _TooLate

    previous = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(seconds)
    try:
        yield
    except _TooLate:
        raise RefusedError(f"{what} ran longer than {seconds} s.") from None
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def memory_limit(more_bytes: int) -> Iterator[None]:
    """MemoryError when the block takes so much more than the process has; no limit where Linux does not count it."""
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now_bytes = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    allowed = min(limit for limit in (soft, hard, now_bytes + more_bytes) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def template_limits(what: str) -> Iterator[None]:
    """For a chat template: its exceptions, its time and its memory end in a refusal."""
    with refusing(what), memory_limit(PROGRAM_LIMIT_BYTES), time_limit(TEMPLATE_LIMIT_S, "the chat template"):
        yield


@contextmanager
def schema_limits(what: str) -> Iterator[None]:
    """For a JSON schema that is made a grammar, likewise."""
    limit = time_limit(SCHEMA_LIMIT_S, "making a grammar of the JSON schema")
    with refusing(what), memory_limit(PROGRAM_LIMIT_BYTES), limit:
        yield


def peak_memory_bytes() -> int:
    """Largest resident size of this process so far."""
    if sys.platform == "linux":
        # Not ru_maxrss: it survives exec, so it is never below what the parent had when it started this process.
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def begin() -> TextIO:
    """The pipe to the parent; what any library prints from now on goes to standard error instead."""
    _yield_to_others()
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return pipe


class Sender:
    """Writes events to the parent. Tokens that follow each other fast go together.

    Each write wakes the parent, which takes 0.2 ms from a loop that has every core: with a write per token 2 threads
    on 2 cores reached 0.96 of a bare loop, with fewer more than 1 (bench_engine.py).
    """

    def __init__(self, pipe: TextIO) -> None:
        self._pipe = pipe
        # What a library printed before the pipe was ours may not have ended its line.
        pipe.write("\n")
        self._written_s = 0.0

    def __call__(self, event: dict[str, Any]) -> None:
        """At once, unless it is a token shortly after another event: then with the next one."""
        self._pipe.write(json.dumps(event) + "\n")
        now = time.monotonic()
        if event["event"] != "token" or now - self._written_s > TOGETHER_S:
            self._pipe.flush()
            self._written_s = now


def _yield_to_others() -> None:
    """The app, and whoever works at the machine, come before this process.

    With eight replies being written on 2 cores, a click on the page took 1.2 s in the median, 10.9 s in the slowest
    twentieth (benchmarks/results/bench_playground.csv).
    """
    if not hasattr(os, "nice"):
        return
    os.nice(POLITENESS)
    # Linux weighs whole sessions against each other, and niceness counts inside one only (sched(7), autogroup): six
    # busy processes in sessions of their own had 1.0 s of 3 each, nice or not.
    own = Path("/proc/self/autogroup")
    if os.getsid(0) == os.getpid() and own.exists():
        with contextlib.suppress(OSError):  # read-only in some containers: then all sessions count alike
            own.write_text(str(POLITENESS), encoding="ascii")


def read_commands(commands: "queue.Queue[dict[str, Any]]", control: Control) -> None:
    """Runs in a thread of its own, so that stop and threads are heard in the middle of a reply."""
    try:
        for line in sys.stdin:
            command = json.loads(line)
            match command["do"]:
                case "stop":
                    control.cancelled_id = command["id"]
                case "threads":
                    control.threads = command["count"]
                case _:
                    commands.put(command)
    except Exception:
        # Half a line of a parent that was killed, for example: then, too, this process ends, and says why.
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
