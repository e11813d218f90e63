"""llama.cpp in a child process: one process per loaded model, JSON lines over pipes.

A crash, an abort or an out-of-memory kill is an event of that slot alone. The child ends when its standard input
closes.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from llmcompare.core.bench import SpeedTest
from llmcompare.core.placement import Placement
from llmcompare.engines.base import HEARTBEAT_S, Done, Event, Failed, Measured, Request, Sampled, Started, Tick, Token
from llmcompare.engines.endings import LONGEST_EVENT, LONGEST_WORDS, death, event_in, lines_of
from llmcompare.errors import EngineCrashedError, ModelRefusedError

STOP_GRACE_S = 5.0
"""How long a stopped reply may take to end before its process is killed; a chunk of 512 tokens stops within 0.3 s."""
LOAD_LIMIT_S = 900.0
"""A large model on a slow disk takes minutes; a worker that says nothing for longer than this hangs."""
GGUF_MAGIC = b"GGUF"
ERROR_LINES_KEPT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What llama.cpp says of a loaded model."""

    description: str
    """Its kind, size and format, as llama.cpp calls them."""
    context_tokens: int
    trained_context_tokens: int
    layers: int
    gpu_layers: int
    weights_bytes: int
    parameters: int
    has_template: bool
    load_s: float


class LocalEngine:
    """One loaded GGUF file. Several threads may ask; they are served one after the other."""

    def __init__(
        self,
        path: Path,
        placement: Placement,
        *,
        silence_limit_s: float = 120.0,
        load_limit_s: float = LOAD_LIMIT_S,
    ) -> None:
        """Raises ModelRefusedError with the reason, EngineCrashedError when the process dies while it loads."""
        _require_gguf(path)
        self.name = path.name
        self._silence_limit_s = silence_limit_s
        self._turn = threading.Lock()
        self._process = _start_worker()
        self._commands: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._errors: deque[str] = deque(maxlen=ERROR_LINES_KEPT)
        self._errors_read = threading.Event()
        self._threads_told = placement.threads
        self._pipes = [
            threading.Thread(target=target, daemon=True)
            for target in (self._write_commands, self._read_events, self._read_errors)
        ]
        for pipe in self._pipes:
            pipe.start()
        self.facts = self._load(path, placement, load_limit_s)

    @property
    def process_id(self) -> int:
        """Of the worker."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the worker can serve."""
        return self._process.poll() is None

    def set_threads(self, count: int) -> None:
        """Takes effect between two steps of a running reply."""
        if count != self._threads_told:
            self._threads_told = count
            self._commands.put({"do": "threads", "count": count})

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """Events of one reply; see base.Engine. Waits its turn."""
        with self._turn:
            yield from self._reply({"do": "generate", **asdict(request)})

    def bench(
        self, tests: Sequence[SpeedTest], *, repetitions: int, threads: int | None
    ) -> Generator[Event, None, None]:
        """A Sampled for each repetition of each test, then Done; without threads, with as many as it has now."""
        asked = [asdict(test) for test in tests]
        with self._turn:
            yield from self._reply({"do": "bench", "tests": asked, "repetitions": repetitions, "threads": threads})

    def close(self) -> None:
        """End the worker and give its memory back."""
        self._commands.put(None)
        try:
            self._process.wait(timeout=STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            self._end_now()
        for pipe in self._pipes:
            pipe.join()

    def _load(self, path: Path, placement: Placement, limit_s: float) -> ModelFacts:
        began = time.monotonic()
        self._commands.put(
            {
                "do": "load",
                "path": str(path),
                "context": placement.context_tokens,
                "threads": placement.threads,
                "gpu_layers": placement.gpu_layers,
            }
        )
        try:
            event = self._events.get(timeout=limit_s)
        except queue.Empty:
            self._end_now()
            self.close()
            raise EngineCrashedError(f"{path.name} cannot be loaded: nothing was heard for {limit_s:.0f} s") from None
        if event is None:
            reason = self._death()
            self.close()
            raise EngineCrashedError(f"{path.name} cannot be loaded: {reason}")
        if event["event"] == "refused":
            self.close()
            raise ModelRefusedError(f"{path.name} is refused: {event['reason']}")
        facts = {name: event[name] for name in ModelFacts.__dataclass_fields__ if name != "load_s"}
        return ModelFacts(**facts, load_s=time.monotonic() - began)

    def _reply(self, command: dict[str, Any]) -> Iterator[Event]:
        request_id = uuid.uuid4().hex
        if not self.alive:
            yield Failed(error=self._death(), crashed=True, time_s=time.monotonic())
            return
        self._commands.put({"id": request_id, **command})
        finished = False
        try:
            for event in self._events_until_end():
                finished = isinstance(event, Done | Failed)
                yield event
        finally:
            if not finished:
                self._cancel(request_id)

    def _events_until_end(self) -> Iterator[Event]:
        heard = time.monotonic()
        while True:
            try:
                raw = self._events.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                now = time.monotonic()
                if now - heard > self._silence_limit_s:
                    self._end_now()
                    error = f"the worker was silent for {self._silence_limit_s:.0f} s and was ended."
                    yield Failed(error=error, crashed=True, time_s=now)
                    return
                # Not now: a token that was written before now may still be on its way.
                yield Tick(time_s=heard)
                continue
            heard = time.monotonic()
            if raw is None:
                yield Failed(error=self._death(), crashed=True, time_s=heard)
                return
            event = _event(raw)
            yield event
            if isinstance(event, Done | Failed):
                return

    def _cancel(self, request_id: str) -> None:
        """Stop the reply and take its last events off the queue, so that the next one starts clean."""
        self._commands.put({"do": "stop", "id": request_id})
        deadline = time.monotonic() + STOP_GRACE_S
        while time.monotonic() < deadline:
            try:
                raw = self._events.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                continue
            if raw is None or raw["event"] in ("done", "failed"):
                return
        self._end_now()

    def _end_now(self) -> None:
        self._process.kill()
        # Waited for, so that nobody takes it for alive.
        self._process.wait()

    def _write_commands(self) -> None:
        # A thread of its own: a worker that hangs does not empty its pipe, and a long prompt would block the asker.
        # A dead worker's pipe cannot be written; that it is dead is found out where events are read.
        pipe = _pipe(self._process.stdin)
        with suppress(OSError):
            while (command := self._commands.get()) is not None:
                pipe.write(json.dumps(command) + "\n")
                pipe.flush()
        with suppress(OSError):
            pipe.close()

    def _read_events(self) -> None:
        # A worker that is killed while it writes leaves a torn line, and a library may print before the pipe is ours.
        with _pipe(self._process.stdout) as stream:
            for line in lines_of(stream, LONGEST_EVENT):
                event = event_in(line)
                if event is not None:
                    self._events.put(event)
                elif line and not line.startswith("{"):
                    self._errors.append(line[:LONGEST_WORDS])
        self._process.wait()
        # What it said last is why it died; on a busy machine its end was seen before its words were read.
        self._errors_read.wait(STOP_GRACE_S)
        self._events.put(None)

    def _read_errors(self) -> None:
        with _pipe(self._process.stderr) as stream:
            for line in filter(None, lines_of(stream, LONGEST_WORDS)):
                self._errors.append(line)
        self._errors_read.set()

    def _death(self) -> str:
        return death(self._process.poll(), list(self._errors))


def _require_gguf(path: Path) -> None:
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
    except OSError as error:
        raise ModelRefusedError(f"{path} cannot be read ({error.strerror}): name another file.") from error
    if magic != GGUF_MAGIC:
        raise ModelRefusedError(f"{path.name} is no GGUF file: it begins with {magic!r}, not {GGUF_MAGIC!r}.")


def _start_worker() -> "subprocess.Popen[str]":
    # The parent's own session, so that Ctrl-C reaches the parent first and the worker ends with its pipe.
    return subprocess.Popen(
        [sys.executable, "-m", "llmcompare.engines.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        cwd=Path(__file__).resolve().parents[2],
        # A thread that waits sleeps after so many turns of a loop. 2 threads on 2 cores with 1,500 tokens of context
        # reach 0.87 of a bare loop with 1,000 turns, 0.95 with 10,000, 1.0 with 30,000 and with libgomp's 300,000. The
        # fewer, the less is lost beside one busy process until the pool takes a thread away: 32, 7, 2 and 0 tokens/s
        # (`bench_engine.py waiting` on the demo model).
        # GGML_NO_BACKTRACE: an abort of llama.cpp ends with its reason, not with the farewell of a debugger.
        env={"GOMP_SPINCOUNT": "30000"} | os.environ | {"PYTHONUNBUFFERED": "1", "GGML_NO_BACKTRACE": "1"},
    )


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise ValueError("the worker was started without a pipe")
    return stream


def _event(raw: dict[str, Any]) -> Event:
    fields = {name: value for name, value in raw.items() if name != "event"}
    match raw["event"]:
        case "started":
            return Started(**fields)
        case "alive":
            return Tick(**fields)
        case "token":
            return Token(**fields)
        case "sampled":
            return Sampled(**fields)
        case "done":
            return Done(**(fields | {"measured": Measured(**fields["measured"])}))
        case _:
            return Failed(**fields, crashed=False)
