"""One prompt through several models: planned, run through the pool, followed while it happens, kept in the results log.

The pages and the command line share all of it; only where the events are shown differs.
"""

import atexit
import os
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast, get_args

from llmcompare.core.facts import ReplyFact, RunFact, Scheduling
from llmcompare.core.placement import ModelSize
from llmcompare.engines.base import Done, Engine, Event, Failed, Message, Request, Sampling, Started, Token, Waiting
from llmcompare.engines.pool import ModelFile, Pool
from llmcompare.engines.race import race
from llmcompare.errors import InputError
from llmcompare.models import library
from llmcompare.models.library import LocalModel
from llmcompare.services.jobs import new_id, registry
from llmcompare.store.paths import Folders, folders
from llmcompare.store.results import ResultsLog

DEFAULT_CONTEXT_TOKENS = 4096
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A prompt, how to sample, and which models answer. Raises InputError for what cannot be asked."""

    prompt: str
    models: tuple[LocalModel, ...]
    system: str | None = None
    sampling: Sampling = Sampling()
    scheduling: Scheduling = "together"
    context_tokens: int = DEFAULT_CONTEXT_TOKENS

    def __post_init__(self) -> None:
        if not self.prompt.strip():
            raise InputError("the prompt is empty: write what the models should answer.")
        for name, text in (("prompt", self.prompt), ("system prompt", self.system or "")):
            if not is_text(text):
                raise InputError(f"the {name} holds bytes that are no text: {ascii(text[:60])}. Write it in UTF-8.")
        if not self.models:
            raise InputError("no model is chosen: choose at least one.")

    @property
    def request(self) -> Request:
        """As an engine takes it: a single turn."""
        system = [Message(role="system", content=self.system)] if self.system else []
        return Request(messages=(*system, Message(role="user", content=self.prompt)), sampling=self.sampling)

    def fact(self, run_id: str, person: str | None) -> RunFact:
        """As the log keeps it."""
        sampling = self.sampling
        return RunFact(
            run_id=run_id,
            person=person,
            asked_at=now(),
            prompt=self.prompt,
            system=self.system,
            scheduling=self.scheduling,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens,
            seed=sampling.seed,
            context_tokens=self.context_tokens,
            models=tuple(library.readable(model.path.name) for model in self.models),
        )


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: an argument of a command line may hold any bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def now() -> str:
    """The time as facts write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


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


def model_file(model: LocalModel) -> ModelFile:
    """What the pool wants to know of a model."""
    size = ModelSize(
        weights_bytes=model.size_bytes,
        layers=model.layers,
        kv_bytes_per_token=model.kv_bytes_per_token,
        trained_context_tokens=model.trained_context_tokens,
    )
    return ModelFile(path=model.path, size=size)


# --- what happens -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One model's part of a run."""

    reply: ReplyFact
    """As far as it has come; final once it has ended."""
    status: str = "waiting"
    ended: bool = False
    started_s: float = 0.0
    first_token_s: float | None = None

    def with_token(self, event: Token) -> "Slot":
        """One token further, with the figures so far."""
        first_s = event.time_s if self.first_token_s is None else self.first_token_s
        since_first_s, count = event.time_s - first_s, event.generated_tokens
        rate = None if count is None or not since_first_s else (count - 1) / since_first_s
        reply = replace(
            self.reply,
            text=self.reply.text + event.text,
            generated_tokens=event.generated_tokens,
            ttft_ms=(first_s - self.started_s) * 1000,
            generation_tokens_per_s=rate,
        )
        return replace(self, reply=reply, status="writing", first_token_s=first_s)


class LiveRun:
    """A run while it happens. Any thread may read `slots`."""

    def __init__(self, plan: Plan, *, person: str | None = None) -> None:
        self.plan = plan
        self.fact = plan.fact(new_id(), person)
        self.slots = tuple(self._first(slot, model) for slot, model in enumerate(plan.models))

    def execute(self, log: ResultsLog, models: Pool, *, stopping: threading.Event) -> tuple[ReplyFact, ...]:
        """Replies in the order of the slots, each in the log as soon as it has ended. Raises StoreError."""
        log.append(self.fact)
        engines = [self._engine(model, models) for model in self.plan.models]
        with closing(race(engines, self.plan.request, scheduling=self.plan.scheduling)) as events:
            for slot, event in events:
                if stopping.is_set():
                    break
                self._note(slot, event, log)
        for slot, state in enumerate(self.slots):
            if not state.ended:
                self._end(slot, log, replace(state.reply, end="cancelled"))
        return tuple(slot.reply for slot in self.slots)

    def _first(self, slot: int, model: LocalModel) -> Slot:
        reply = ReplyFact(
            reply_id=new_id(),
            run_id=self.fact.run_id,
            slot=slot,
            model=library.readable(model.path.name),
            quantization=model.quantization,
            ended_at=self.fact.asked_at,
            text="",
            end=None,
            error=None,
        )
        waits = slot > 0 and self.plan.scheduling == "in-turn"
        return Slot(reply=reply, status="its turn comes after the one before" if waits else "waiting")

    def _engine(self, model: LocalModel, models: Pool) -> Engine:
        if model.problem is not None:
            return RefusedEngine(model.name, model.problem)
        alone = self.plan.scheduling == "in-turn"
        return models.engine(model_file(model), context_tokens=self.plan.context_tokens, alone=alone)

    def _note(self, number: int, event: Event, log: ResultsLog) -> None:
        slot = self.slots[number]
        match event:
            case Waiting(reason=reason):
                self._put(number, replace(slot, status=reason))
            case Started():
                prompt = {name: getattr(event, name) for name in ("prompt_text", "prompt_tokens", "reused_tokens")}
                reply = replace(slot.reply, **prompt)
                self._put(number, replace(slot, reply=reply, status="reading the prompt", started_s=event.time_s))
            case Token():
                self._put(number, slot.with_token(event))
            case Done(reason=reason, measured=measured):
                self._end(number, log, replace(slot.reply, end=reason, **asdict(measured)))
            case Failed(error=error):
                self._end(number, log, replace(slot.reply, error=error))

    def _put(self, number: int, slot: Slot) -> None:
        # One assignment: a reader sees the old tuple or the new one.
        self.slots = (*self.slots[:number], slot, *self.slots[number + 1 :])

    def _end(self, number: int, log: ResultsLog, reply: ReplyFact) -> None:
        final = replace(reply, ended_at=now())
        log.append(final)
        self._put(number, replace(self.slots[number], reply=final, ended=True, status="ended"))


class RefusedEngine:
    """Stands for a file that cannot be loaded: says why, and nothing else."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        self._problem = problem

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """A single Failed."""
        yield Failed(error=self._problem, crashed=False, time_s=time.monotonic())

    def close(self) -> None:
        """Nothing to release."""


def run(plan: Plan) -> tuple[ReplyFact, ...]:
    """Replies of a plan, here and now; in the log like those of the pages."""
    return LiveRun(plan).execute(log(), pool(), stopping=threading.Event())
