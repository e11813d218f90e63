"""One prompt through several models: planned, run through the pool, followed while it happens, kept in the results log.

The pages and the command line share all of it; only where the events are shown differs.
"""

import atexit
import logging
import os
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

from llmcompare.core import thinking
from llmcompare.core.facts import ReplyFact, Scheduling
from llmcompare.core.placement import ModelSize
from llmcompare.engines.base import Done, Engine, Event, Failed, Started, Token, Waiting
from llmcompare.engines.endpoints import Endpoint
from llmcompare.engines.meters import Meters, Reading, used
from llmcompare.engines.pool import ModelFile, Pool
from llmcompare.engines.race import race
from llmcompare.engines.remote import RemoteEngine
from llmcompare.errors import InputError
from llmcompare.models import library
from llmcompare.models.library import LocalModel
from llmcompare.services.jobs import new_id, registry
from llmcompare.services.plans import Answerer, Plan, now, shown_name
from llmcompare.services.stand_ins import CompleteEngine, RefusedEngine
from llmcompare.store.paths import Folders, folders
from llmcompare.store.results import ResultsLog

TOKENS_WITHOUT_TEXT = 2
"""The end of the thinking and the end of the reply are tokens that a server may send nothing for."""
_LOGGER = logging.getLogger(__name__)
_making = threading.Lock()
"""Two first visitors at once get one pool."""


def pool() -> Pool:
    """The loaded models of this process."""
    with _making:
        return _pool()


@cache
def _pool() -> Pool:
    made = Pool()
    atexit.register(_end, made)
    return made


def _end(models: Pool) -> None:
    # Jobs first: what they wrote so far is kept as stopped, not as a crash of the workers that go with the pool.
    registry.stop_all()
    models.close()


def in_memory() -> dict[Path, bool]:
    """Files that are loaded, and whether a worker of theirs runs; a file may be there twice, with other GPU layers."""
    found: dict[Path, bool] = {}
    for path, _, is_running in pool().loaded():
        found[path] = found.get(path, False) or is_running
    return found


def log(where: Folders | None = None) -> ResultsLog:
    """The results log of an installation; one writer per process."""
    with _making:
        return _log((where or folders()).results)


@cache
def _log(folder: Path) -> ResultsLog:
    return ResultsLog(folder)


def local_models(where: Folders | None = None) -> list[LocalModel]:
    """Every GGUF file at hand, refused ones with their reason."""
    return library.local_models((where or folders()).models, library.demo_model_path())


# --- what is asked ----------------------------------------------------------------------------------------------------


def scheduling(name: str) -> Scheduling:
    """Raises InputError for another name."""
    if name not in get_args(Scheduling):
        raise InputError(f"scheduling is {name!r}: give {' or '.join(get_args(Scheduling))}.")
    return cast(Scheduling, name)


def models_named(names: Sequence[str]) -> tuple[LocalModel, ...]:
    """Models by file or by name, the demo model when none is named. Raises InputError for a name nobody has."""
    if names:
        return tuple(
            library.model_at(Path(name)) if _is_path(name) else library.find(local_models(), name) for name in names
        )
    demo = library.demo_model_path()
    if demo is None:
        raise InputError("no model is named and the demo model is not installed: give --model FILE.gguf.")
    return (library.model_at(demo),)


def _is_path(name: str) -> bool:
    return os.sep in name or os.path.exists(name)  # noqa: PTH110 - unlike Path.exists it takes any name


def model_file(model: LocalModel, *, gpu_layers: int | None = None) -> ModelFile:
    """What the pool wants to know of a model."""
    size = ModelSize(
        weights_bytes=model.size_bytes,
        layers=model.layers,
        kv_bytes_per_token=model.kv_bytes_per_token,
        trained_context_tokens=model.trained_context_tokens,
    )
    return ModelFile(path=model.path, size=size, gpu_layers=gpu_layers)


# --- what happens -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One model's part of a run."""

    reply: ReplyFact
    """As far as it has come; final once it has ended."""
    status: str = "waiting"
    ended: bool = False
    asked_s: float | None = None
    """When it was heard of first: from then on it waits, until it starts."""
    started_s: float = 0.0
    first_token_s: float | None = None
    first_characters: int = 0
    """Of the first token."""
    pieces: int = 0
    """In which the text came; of a server it is not known whether each is a token."""
    thought_pieces: int | None = None
    """Those before the answer; None until it has begun."""

    def with_start(self, event: Started) -> "Slot":
        """Its prompt is being processed."""
        prompt = {name: getattr(event, name) for name in ("prompt_text", "prompt_tokens", "reused_tokens")}
        # The worker's clock is the parent's; the first event may be the start itself.
        waited_s = max(0.0, event.time_s - (event.time_s if self.asked_s is None else self.asked_s))
        reply = replace(self.reply, **prompt, wait_ms=waited_s * 1000)
        return replace(self, reply=reply, status="reading the prompt", started_s=event.time_s)

    def with_token(self, event: Token) -> "Slot":
        """One token further, with the figures so far."""
        is_first = self.first_token_s is None
        first_s = event.time_s if self.first_token_s is None else self.first_token_s
        characters = len(event.text) if is_first else self.first_characters
        since_first_s, count = event.time_s - first_s, event.generated_tokens
        text = self.reply.text + event.text
        reply = replace(
            self.reply,
            text=text,
            generated_tokens=count,
            ttft_ms=(first_s - self.started_s) * 1000,
            reply_ms=(event.time_s - self.started_s) * 1000,
            generation_tokens_per_s=(count - 1) / since_first_s if count is not None and since_first_s else None,
            characters_per_s=(len(text) - characters) / since_first_s if since_first_s else None,
        )
        began = self._answer_began(reply, event)
        return replace(
            self,
            reply=replace(reply, **began),
            status="writing",
            first_token_s=first_s,
            first_characters=characters,
            pieces=self.pieces + 1,
            thought_pieces=self.pieces if began else self.thought_pieces,
        )

    def _answer_began(self, reply: ReplyFact, event: Token) -> dict[str, Any]:
        if self.reply.answer_ms is not None or not thinking.has_answer(reply.text):
            return {}
        thought = thinking.parts(reply.text).thinking
        count = None if event.generated_tokens is None else event.generated_tokens - 1
        answer_ms = (event.time_s - self.started_s) * 1000
        return {"answer_ms": answer_ms, "thinking_tokens": count if thought else 0}

    def with_done(self, event: Done) -> ReplyFact:
        """The reply as it is kept."""
        measured = asdict(event.measured)
        if measured["thinking_tokens"] is None:
            measured["thinking_tokens"] = self._thinking_tokens(event.measured.generated_tokens)
        return replace(self.reply, end=event.reason, **measured)

    def _thinking_tokens(self, generated: int | None) -> int | None:
        """As counted while they came, else the pieces, where a server sent every token as a piece of its own."""
        if self.reply.thinking_tokens is not None or generated is None:
            return self.reply.thinking_tokens
        is_token_by_token = 0 <= generated - self.pieces <= TOKENS_WITHOUT_TEXT
        return self.thought_pieces if is_token_by_token else None


class LiveRun:
    """A run while it happens. Any thread may read `slots`."""

    def __init__(self, plan: Plan, *, person: str | None = None, meters: Meters | None = None) -> None:
        self.plan = plan
        self._meters = meters or Meters()
        self._energy: Reading | None = None
        """When the reply that runs alone began; None where several run together, and behind an endpoint."""
        self.fact = plan.fact(new_id(), person)
        self.slots = tuple(self._first(slot, model) for slot, model in enumerate(plan.models))
        self.bugs: tuple[Exception, ...] = ()
        """What ended a slot and was not raised on purpose."""

    def execute(self, log: ResultsLog, models: Pool, *, stopping: threading.Event) -> tuple[ReplyFact, ...]:
        """Replies in the order of the slots, each in the log as soon as it has ended. Raises StoreError.

        A bug ends its own slot alone, says so there, and shows its traceback among the messages of the process.
        """
        log.append(self.fact)
        plan = self.plan
        engines = [self._engine(slot, models) for slot in range(len(plan.models))]
        requests = [plan.request(slot) for slot in range(len(plan.models))]
        with closing(race(engines, requests, scheduling=plan.scheduling)) as events:
            for slot, event in events:
                if stopping.is_set():
                    break
                self._note(slot, event, log)
        for slot, state in enumerate(self.slots):
            if not state.ended:
                self._end(slot, log, replace(state.reply, end="cancelled"))
        return tuple(slot.reply for slot in self.slots)

    def _first(self, slot: int, model: Answerer) -> Slot:
        reply = ReplyFact(
            reply_id=new_id(),
            run_id=self.fact.run_id,
            slot=slot,
            model=shown_name(model),
            quantization=None if isinstance(model, Endpoint) else model.quantization,
            ended_at=self.fact.asked_at,
            text="",
            end=None,
            error=None,
        )
        waits = slot > 0 and self.plan.scheduling == "in-turn"
        return Slot(reply=reply, status="its turn comes after the one before" if waits else "waiting")

    def _engine(self, slot: int, models: Pool) -> Engine:
        model, settings = self.plan.models[slot], self.plan.settings(slot)
        if (ended := self.plan.is_complete(slot)) is not None:
            return CompleteEngine(shown_name(model), ended)
        if isinstance(model, Endpoint):
            return RemoteEngine(model)
        if model.problem is not None:
            return RefusedEngine(model.name, model.problem)
        file = model_file(model, gpu_layers=settings.gpu_layers)
        alone = self.plan.scheduling == "in-turn"
        return models.engine(file, context_tokens=settings.context_tokens, alone=alone)

    def _note(self, number: int, event: Event, log: ResultsLog) -> None:
        slot = self.slots[number]
        if slot.asked_s is None:
            slot = replace(slot, asked_s=event.time_s)
        match event:
            case Waiting(reason=reason):
                self._put(number, replace(slot, status=reason))
            case Started():
                self._energy = self._meters.reading() if self._counts_energy(number) else None
                self._put(number, slot.with_start(event))
            case Token():
                self._put(number, slot.with_token(event))
            case Done():
                self._end(number, log, replace(slot.with_done(event), **self._energy_used(event)))
            case Failed(error=error, bug=bug):
                if bug is not None:
                    self.bugs += (bug,)
                    _LOGGER.error("slot %d of run %s", number + 1, self.fact.run_id, exc_info=bug)
                self._end(number, log, replace(slot.reply, error=error))

    def _counts_energy(self, number: int) -> bool:
        return self.plan.scheduling == "in-turn" and not isinstance(self.plan.models[number], Endpoint)

    def _energy_used(self, event: Done) -> dict[str, Any]:
        if self._energy is None:
            return {}
        took = used(self._energy, self._meters.reading())
        return {"energy_j": took.processor_j, "gpu_energy_j": took.gpus_j if event.measured.gpu_layers else None}

    def _put(self, number: int, slot: Slot) -> None:
        # One assignment: a reader sees the old tuple or the new one.
        self.slots = (*self.slots[:number], slot, *self.slots[number + 1 :])

    def _end(self, number: int, log: ResultsLog, reply: ReplyFact) -> None:
        final = replace(reply, ended_at=now())
        log.append(final)
        self._put(number, replace(self.slots[number], reply=final, ended=True, status="ended"))


def run(plan: Plan) -> tuple[ReplyFact, ...]:
    """Replies of a plan, here and now; in the log like those of the pages."""
    return LiveRun(plan).execute(log(), pool(), stopping=threading.Event())
