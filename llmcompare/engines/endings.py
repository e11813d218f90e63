"""Why a worker process is gone, as a sentence that says what to do. And what it said, told from what it is not."""

import json
import re
import signal
from collections.abc import Iterator, Sequence
from typing import IO, Any

LONGEST_EVENT = 64_000_000
"""Characters: the text of a prompt is part of an event."""
LONGEST_WORDS = 500
MEMORY_ADVICE = "choose a smaller model or format or a shorter context, or unload another model"
_NO_MEMORY = re.compile(
    r"bad_alloc|out of memory|cannot allocate memory|insufficient memory|failed to allocate|MemoryError", re.IGNORECASE
)


def lacks_memory(said: str) -> bool:
    """Whether these words mean that there was no memory left.

    >>> lacks_memory("what():  std::bad_alloc"), lacks_memory("unknown model architecture")
    (True, False)
    """
    return _NO_MEMORY.search(said) is not None


def with_advice(reason: str) -> str:
    """A reason, and what to do where it is memory.

    >>> with_advice("failed to allocate buffer for kv cache").startswith(
    ...     "failed to allocate buffer for kv cache: choose"
    ... )
    True
    """
    return f"{reason}: {MEMORY_ADVICE}" if lacks_memory(reason) else reason


def death(code: int | None, last_words: Sequence[str]) -> str:
    """Of a process that ended with this code, negative for a signal, and wrote these lines last.

    >>> death(-6, ["terminate called", "what():  std::bad_alloc"]).split(":")[0]
    'the worker process ran out of memory and was ended by signal 6 (what()'
    >>> death(3, ["no such device"])
    'the worker process ended with code 3: no such device'
    """
    how = "ended" if code is None else f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    said = last_words[-1] if last_words else ""
    if code == -signal.SIGKILL:
        return f"the worker process {how}, as the system does when memory runs out: {MEMORY_ADVICE}"
    if code == -signal.SIGBUS:
        return (
            f"the worker process {how}: its model file became shorter while it was in use, or the disk failed: put the "
            "file back and ask again"
        )
    if lacking := next((line for line in reversed(last_words) if lacks_memory(line)), None):
        return f"the worker process ran out of memory and {how} ({lacking}): {MEMORY_ADVICE}"
    return f"the worker process {how}{f': {said}' if said else ''}"


def lines_of(stream: IO[str], longest: int) -> Iterator[str]:
    """Lines as they come; of one that is longer than that many characters only its beginning."""
    goes_on = False
    while piece := stream.readline(longest):
        if not goes_on:
            yield piece.strip()
        goes_on = not piece.endswith("\n")


def event_in(line: str) -> dict[str, Any] | None:
    """The event of a line; None for what some library printed, and for a line that was cut off.

    >>> event_in('{"event": "alive", "time_s": 1.5}')
    {'event': 'alive', 'time_s': 1.5}
    >>> [event_in(line) for line in ("loading 40%", '{"event": "tok', "5", "[]", '{"a": 1}', "")]
    [None, None, None, None, None, None]
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("event"), str) else None
