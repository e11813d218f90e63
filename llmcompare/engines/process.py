"""The parts of a worker process that know nothing of llama.cpp: pipes, control, refusals, time limits."""

import json
import os
import queue
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class RefusedError(Exception):
    """A request or a model that cannot be served; the process goes on."""


class CancelledError(Exception):
    """The request was stopped."""


class Control:
    """What other threads tell the loop: stop this request, use so many threads."""

    def __init__(self) -> None:
        self.cancelled_id: str | None = None
        self.running_id: str | None = None
        self.threads = 1

    @property
    def cancelled(self) -> bool:
        """Whether the request that runs now is to stop."""
        return self.running_id is not None and self.cancelled_id == self.running_id


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Whatever is raised becomes a refusal. A template is text from a file: whatever it raises is its own fault."""
    try:
        yield
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"{what}: {error}") from error


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Refuse when the block takes longer; only in the main thread."""

    def too_late(*_: object) -> None:
        raise RefusedError(f"the chat template ran longer than {seconds} s.")

    previous = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def peak_memory_bytes() -> int:
    """Largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def own_standard_output() -> TextIO:
    """The pipe to the parent; what any library prints from now on goes to standard error instead."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return pipe


def read_commands(commands: "queue.Queue[dict[str, Any]]", control: Control) -> None:
    """Runs in a thread of its own, so that stop and threads are heard in the middle of a reply."""
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "stop":
                control.cancelled_id = command["id"]
            case "threads":
                control.threads = command["count"]
            case _:
                commands.put(command)
    os._exit(0)
