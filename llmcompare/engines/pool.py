"""Loaded models, one process each: who may load, who must go, who gets how many cores, and who is set aside.

    request → its turn (turns.py) → its model loaded, room made for it → cores shared out → events

Nothing here is Streamlit's: pages, command line and tests use the same pool.
"""

import concurrent.futures
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from llmcompare.core.bench import SpeedTest
from llmcompare.core.placement import DoesNotFit, Machine, ModelSize, Placement, place, threads_each
from llmcompare.core.units import counted
from llmcompare.engines.base import HEARTBEAT_S, Done, Event, Failed, Request, Waiting
from llmcompare.engines.crashes import Crashes
from llmcompare.engines.local import LocalEngine, ModelFacts
from llmcompare.engines.machine import LoadMeter, machine, usable_cores
from llmcompare.engines.turns import Turns
from llmcompare.errors import EngineCrashedError, EngineError, ModelRefusedError

LOOK_AT_LOAD_S = 1.0
"""How often the cores are shared out anew while something runs: other work comes and goes."""
Ask: TypeAlias = Callable[[LocalEngine], Generator[Event, None, None]]
"""What a loaded model is to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """What the pool must know of a model before it is loaded."""

    path: Path
    size: ModelSize
    gpu_layers: int | None = None
    """At most; None for as many as fit."""

    @property
    def key(self) -> str:
        """One worker per key. A file that was replaced is another model, and so is one with other layers on the GPU."""
        layers = "" if self.gpu_layers is None else f" {self.gpu_layers} GPU layers"
        return f"{self.path} {self.version}{layers}"

    @property
    def version(self) -> str:
        """Differs once the file is replaced or has gone."""
        try:
            stat = self.path.stat()
        except OSError:
            return "gone"
        return f"{stat.st_size} {stat.st_mtime_ns}"


@dataclass(slots=True, eq=False)
class Resident:
    """A model that is loaded, or about to be."""

    key: str
    model: ModelFile
    version: str
    """Of the file, when it was asked for."""
    context_tokens: int
    status: str = "the model is being loaded"
    loading: "Future[LocalEngine]" = field(default_factory=Future)
    last_used_s: float = field(default_factory=time.monotonic)
    users: int = 0

    @property
    def engine(self) -> LocalEngine | None:
        """None while it is loaded and when it could not be."""
        ready = self.loading.done() and self.loading.exception() is None
        return self.loading.result() if ready else None


class Pool:
    """Loads models when they are asked for and unloads the least recently used ones when room is needed."""

    def __init__(
        self,
        *,
        look: Callable[[int], Machine] = machine,
        others_busy_cores: Callable[[Iterable[int]], float] | None = None,
        cores: int | None = None,
        silence_limit_s: float = 120.0,
    ) -> None:
        self._look = look
        self._cores = cores or usable_cores()
        self._silence_limit_s = silence_limit_s
        self.turns = Turns()
        self.crashes = Crashes()
        self._residents: dict[str, Resident] = {}
        self._running: list[LocalEngine] = []
        self._pinned: set[Path] = set()
        self._state = threading.RLock()
        self._loads = threading.Lock()
        self._others_told = others_busy_cores
        self._measure_others = others_busy_cores or LoadMeter().others_busy_cores
        self._others_busy_cores = 0.0
        self._closed = threading.Event()
        threading.Thread(target=self._watch_load, daemon=True).start()

    def engine(self, model: ModelFile, *, context_tokens: int, alone: bool = False) -> "PooledEngine":
        """An engine that waits its turn. alone: nothing else of this pool runs meanwhile, so its speed counts."""
        return PooledEngine(self, model, context_tokens=context_tokens, alone=alone)

    def loaded(self) -> list[tuple[Path, int, bool]]:
        """File, process id and whether it runs, of every loaded model."""
        with self._state:
            engines = [(resident.model.path, resident.engine) for resident in self._residents.values()]
            return [(path, engine.process_id, engine in self._running) for path, engine in engines if engine]

    def using(self, path: Path) -> int:
        """Requests that a loaded file answers now."""
        with self._state:
            return sum(one.users for one in self._residents.values() if one.model.path == path)

    def pin(self, path: Path, *, keep: bool) -> None:
        """Keep a file in memory once it is loaded, also when another model needs the room; or no longer."""
        with self._state:
            (self._pinned.add if keep else self._pinned.discard)(path)

    def pinned(self) -> frozenset[Path]:
        """Files that stay."""
        with self._state:
            return frozenset(self._pinned)

    def free_cores(self) -> int:
        """Cores that other work leaves, at least one."""
        with self._state:
            return self._free_cores()

    def unload(self, path: Path) -> None:
        """Give a model's memory back, unless somebody uses it."""
        with self._state:
            idle = [key for key, one in self._residents.items() if one.model.path == path and not one.users]
            gone = [self._residents.pop(key) for key in idle]
        _close(gone)

    def close(self) -> None:
        """End every worker."""
        self._closed.set()
        with self._state:
            gone = list(self._residents.values())
            self._residents.clear()
        _close(gone)

    # --- loading ----------------------------------------------------------------------------------------------------

    @contextmanager
    def resident(self, key: str, model: ModelFile, context_tokens: int) -> Iterator[Resident]:
        """The model, loaded or being loaded; it stays while the block runs. Raises ModelRefusedError."""
        with self._state:
            self.crashes.refuse_if_set_aside(key)
            version = model.version
            replaced = self._take_replaced(model.path, version)
            known = self._residents.get(key)
            resident = known if known is not None and _serves(known, context_tokens) else None
            if resident is None:
                resident = Resident(key=key, model=model, version=version, context_tokens=context_tokens)
                self._residents[key] = resident
                # In a thread: whoever asked can stop waiting, and the model is then ready for the next one.
                threading.Thread(target=self._load, args=(resident,), daemon=True).start()
            resident.users += 1
        try:
            _close(replaced if known in (None, resident) else [*replaced, known])
            yield resident
        finally:
            with self._state:
                resident.users -= 1
                resident.last_used_s = time.monotonic()

    def _take_replaced(self, path: Path, version: str) -> list[Resident]:
        """Models of this path whose file is another one now, unless somebody uses them: nobody will ask them again."""
        found = [
            key
            for key, one in self._residents.items()
            if one.model.path == path and one.version != version and not one.users
        ]
        return [self._residents.pop(key) for key in found]

    def _load(self, resident: Resident) -> None:
        try:
            with self._loads:
                placement = self._make_room(resident)
                engine = LocalEngine(resident.model.path, placement, silence_limit_s=self._silence_limit_s)
        except BaseException as error:
            if isinstance(error, EngineCrashedError):
                self.crashes.note(resident.key, resident.model.path.name, str(error))
            with self._state:
                if self._residents.get(resident.key) is resident:
                    del self._residents[resident.key]
            # Raised where the reply is waited for: a refusal becomes its Failed, a bug shows its traceback.
            resident.loading.set_exception(error)
        else:
            resident.loading.set_result(engine)
            # What the load itself took is known as our own only now.
            self._look_at_load()

    def _make_room(self, resident: Resident) -> Placement:
        """Unload what nobody uses, longest unused first, until the model fits; wait for what is in use."""
        while True:
            with self._state:
                placed = self._placed(resident)
                if isinstance(placed, Placement):
                    return placed
                others = [
                    one
                    for one in self._residents.values()
                    if one is not resident and one.loading.done() and one.model.path not in self._pinned
                ]
                kept = ", ".join(sorted(path.name for path in self._pinned if path != resident.model.path))
                idle = sorted((one for one in others if not one.users), key=lambda one: one.last_used_s)
                gone = [self._residents.pop(one.key) for one in idle[:1]]
                wanted = resident.users > 0
            name = resident.model.path.name
            if not gone and not others:
                pins = f"; {kept} stays in memory because it is pinned" if kept else ""
                raise ModelRefusedError(f"{name} is refused: {placed.reason}{pins}.")
            _close(gone)
            resident.status = "it waits until models in use leave it room in memory"
            if not gone and (self._closed.wait(HEARTBEAT_S) or not wanted):
                raise ModelRefusedError(f"{name} is not loaded: nobody waits for it any more.")

    def _placed(self, resident: Resident) -> Placement | DoesNotFit:
        # A mapped file counts as available memory, so the weights of what is loaded are taken off by hand.
        mapped = sum(
            one.model.size.weights_bytes for one in self._residents.values() if one is not resident and one.engine
        )
        now = self._look(self._free_cores())
        free = replace(now, available_memory_bytes=now.available_memory_bytes - mapped)
        return place(
            resident.model.size,
            free,
            context_tokens=resident.context_tokens,
            sharing=len(self._running) + 1,
            most_gpu_layers=resident.model.gpu_layers,
        )

    # --- cores ------------------------------------------------------------------------------------------------------

    @contextmanager
    def running(self, engine: LocalEngine) -> Iterator[None]:
        """The engine counts when cores are shared out, as long as the block runs."""
        with self._state:
            self._running.append(engine)
            self._share_cores()
        try:
            yield
        finally:
            with self._state:
                self._running.remove(engine)
                self._share_cores()

    def _free_cores(self) -> int:
        return max(1, self._cores - round(self._others_busy_cores))

    def _share_cores(self) -> None:
        shares = threads_each(self._free_cores(), len(self._running))
        for engine, threads in zip(self._running, shares, strict=True):
            engine.set_threads(threads)

    def _watch_load(self) -> None:
        while not self._closed.wait(LOOK_AT_LOAD_S):
            # A worker that loads is not known as our own yet.
            if not self._loads.locked():
                self._look_at_load()

    def _look_at_load(self) -> None:
        with self._state:
            self._others_busy_cores = self._measure_others(self._own_processes())
            self._share_cores()

    def _own_processes(self) -> list[int]:
        return [one.engine.process_id for one in list(self._residents.values()) if one.engine]

    def others_from_now(self) -> Callable[[], float | None]:
        """Tells how many cores other work has kept busy since the last time; None where the system does not say it."""
        if (told := self._others_told) is not None:
            return lambda: told(self._own_processes())
        meter = LoadMeter(self._own_processes())
        return lambda: meter.others_busy_cores(self._own_processes()) if meter.knows else None


def _serves(known: Resident, context_tokens: int) -> bool:
    """Whether a resident can answer with a context of so many tokens: its worker lives, or it still loads."""
    return known.context_tokens >= context_tokens and (known.engine is None or known.engine.alive)


def _close(gone: list[Resident]) -> None:
    for resident in gone:
        resident.loading.add_done_callback(_close_loaded)


def _close_loaded(loading: "Future[LocalEngine]") -> None:
    if loading.exception() is None:
        loading.result().close()


class PooledEngine:
    """A model of the pool as an engine: in the queue until its turn, then events of its worker."""

    def __init__(self, pool: Pool, model: ModelFile, *, context_tokens: int, alone: bool) -> None:
        self.name = model.path.name
        self.facts: ModelFacts | None = None
        """Once it is loaded."""
        self._pool = pool
        self._model = model
        self._context_tokens = context_tokens
        self._alone = alone

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """Events of one reply; see base.Engine. A model that cannot be loaded is a Failed."""
        return self._in_turn(lambda engine: engine.stream(request))

    def bench(
        self, tests: Sequence[SpeedTest], *, repetitions: int, threads: int | None = None
    ) -> Generator[Event, None, None]:
        """Events of a measurement, see LocalEngine.bench; without threads, with those that the pool finds free."""
        return self._in_turn(lambda engine: engine.bench(tests, repetitions=repetitions, threads=threads))

    def _in_turn(self, ask: Ask) -> Generator[Event, None, None]:
        turns = self._pool.turns
        # Once: a file that is replaced meanwhile is another model for the next request.
        key = self._model.key
        ticket = turns.take(key, alone=self._alone)
        try:
            place = turns.place(ticket)
            while place:
                yield _in_queue(place)
                place = turns.place(ticket, wait_s=HEARTBEAT_S)
            yield from self._reply(key, ask)
        except EngineError as error:
            crashed = isinstance(error, EngineCrashedError)
            yield Failed(error=str(error), crashed=crashed, time_s=time.monotonic())
        finally:
            turns.give_back(ticket)

    def close(self) -> None:
        """The pool decides when a model goes."""

    def _reply(self, key: str, ask: Ask) -> Iterator[Event]:
        with self._pool.resident(key, self._model, self._context_tokens) as resident:
            while not resident.loading.done():
                yield Waiting(reason=resident.status, place=0, time_s=time.monotonic())
                concurrent.futures.wait([resident.loading], timeout=HEARTBEAT_S)
            engine = resident.loading.result()
            self.facts = engine.facts
            with self._pool.running(engine), closing(ask(engine)) as events:
                others = self._pool.others_from_now()
                for event in events:
                    if isinstance(event, Failed) and event.crashed:
                        self._pool.crashes.note(key, self.name, event.error)
                    if isinstance(event, Done):
                        event = replace(event, measured=replace(event.measured, others_busy_cores=others()))
                    yield event


def _in_queue(place: int) -> Waiting:
    before = f"{counted(place, 'request')} {'is' if place == 1 else 'are'} before this one"
    return Waiting(reason=before, place=place, time_s=time.monotonic())
