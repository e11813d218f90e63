"""Runs one prompt through several model files and collects the replies."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast, get_args

from llmcompare.core.placement import DoesNotFit, ModelSize, Placement, place
from llmcompare.core.units import counted
from llmcompare.engines.base import Done, Event, Failed, Measured, Message, Request, Sampling, Token
from llmcompare.engines.local import LocalEngine
from llmcompare.engines.machine import machine
from llmcompare.engines.race import Scheduling, race
from llmcompare.errors import EngineError, InputError, ModelRefusedError
from llmcompare.services.doctor import demo_model_path

DEFAULT_CONTEXT_TOKENS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one model answered, or why it did not."""

    model: str
    text: str
    reason: str | None
    measured: Measured | None
    scheduling: Scheduling
    error: str | None

    def json(self) -> dict[str, Any]:
        """Flat, units in the keys, null for what was not measured."""
        names = Measured.__dataclass_fields__
        measured = asdict(self.measured) if self.measured is not None else dict.fromkeys(names)
        return {
            "model": self.model,
            "text": self.text,
            **measured,
            "scheduling": self.scheduling,
            "end": self.reason,
            "error": self.error,
        }


def request(prompt: str, *, system: str | None = None, sampling: Sampling) -> Request:
    """A single turn. Raises InputError for an empty prompt."""
    if not prompt.strip():
        raise InputError("the prompt is empty: write what the models should answer.")
    messages = [Message(role="system", content=system)] if system else []
    return Request(messages=(*messages, Message(role="user", content=prompt)), sampling=sampling)


def scheduling(name: str) -> Scheduling:
    """Raises InputError for another name."""
    if name not in get_args(Scheduling):
        raise InputError(f"scheduling is {name!r}: give {' or '.join(get_args(Scheduling))}.")
    return cast(Scheduling, name)


def in_words(reply: Reply) -> str:
    """The figures of a reply in one line, or why there is none."""
    if reply.measured is None:
        return f"no reply: {reply.error}"
    m = reply.measured
    rates = [
        f"{value:,.{digits}f} {unit}"
        for value, digits, unit in (
            (m.ttft_ms, 0, "ms to the first token"),
            (m.prompt_tokens_per_s, 1, "prompt tokens/s"),
            (m.generation_tokens_per_s, 1, "tokens/s"),
        )
        if value is not None
    ]
    place = f"{counted(m.gpu_layers, 'layer')} on the GPU" if m.gpu_layers else "CPU"
    return ", ".join(
        [
            f"{m.prompt_tokens} → {m.generated_tokens} tokens",
            *rates,
            f"{m.peak_memory_bytes / 1e6:,.0f} MB at most",
            f"{counted(m.threads, 'thread')}, {place}",
            "cold" if m.cold else "warm",
            reply.scheduling,
        ]
    )


def default_models() -> list[Path]:
    """The demo model. Raises InputError when it is not installed."""
    demo = demo_model_path()
    if demo is None:
        raise InputError("no model is named and the demo model is not installed: give --model FILE.gguf.")
    return [demo]


def run(
    paths: Sequence[Path],
    asked: Request,
    *,
    scheduling: Scheduling,
    context_tokens: int = DEFAULT_CONTEXT_TOKENS,
    on_event: Callable[[int, Event], None] = lambda slot, event: None,
) -> list[Reply]:
    """Replies in the order of the files. A file that is refused or a worker that dies leaves the others alone."""
    if scheduling == "in-turn":
        # One model in memory and on the cores at a time, so that figures can be compared.
        return [
            reply
            for slot, path in enumerate(paths)
            for reply in _run_at_once([path], asked, scheduling, context_tokens, lambda _, e, s=slot: on_event(s, e))  # type: ignore[misc]
        ]
    return _run_at_once(paths, asked, scheduling, context_tokens, on_event)


def _run_at_once(
    paths: Sequence[Path],
    asked: Request,
    scheduling: Scheduling,
    context_tokens: int,
    on_event: Callable[[int, Event], None],
) -> list[Reply]:
    replies: dict[int, Reply] = {}
    engines: dict[int, LocalEngine] = {}
    with ExitStack() as stack:
        for slot, path in enumerate(paths):
            try:
                engines[slot] = stack.enter_context(closing(load(path, context_tokens, sharing=len(paths))))
            except EngineError as error:
                replies[slot] = _failed(path, scheduling, str(error))
        slots = list(engines)
        texts: dict[int, list[str]] = {slot: [] for slot in slots}
        with closing(race(list(engines.values()), asked, scheduling="together")) as events:
            for position, event in events:
                slot = slots[position]
                on_event(slot, event)
                match event:
                    case Token(text=text):
                        texts[slot].append(text)
                    case Done(reason=reason, measured=measured):
                        replies[slot] = Reply(
                            model=paths[slot].name,
                            text="".join(texts[slot]),
                            reason=reason,
                            measured=measured,
                            scheduling=scheduling,
                            error=None,
                        )
                    case Failed(error=error_text):
                        failed = _failed(paths[slot], scheduling, error_text, "".join(texts[slot]))
                        replies[slot] = failed
    return [replies[slot] for slot in range(len(paths))]


def _failed(path: Path, scheduling: Scheduling, error: str, text: str = "") -> Reply:
    return Reply(model=path.name, text=text, reason=None, measured=None, scheduling=scheduling, error=error)


def load(path: Path, context_tokens: int, *, sharing: int) -> LocalEngine:
    """A loaded model on the cores that are free. Raises ModelRefusedError when it cannot fit."""
    placed = placement(path, context_tokens, sharing=sharing)
    return LocalEngine(path, placed)


def placement(path: Path, context_tokens: int, *, sharing: int) -> Placement:
    """How to load a file. Its size stands for the weights; llama.cpp maps the file into memory."""
    try:
        weights_bytes = path.stat().st_size
    except OSError as error:
        raise ModelRefusedError(f"{path} cannot be read ({error.strerror}): name another file.") from error
    size = ModelSize(weights_bytes=weights_bytes, layers=1, kv_bytes_per_token=0)
    placed = place(size, machine(), context_tokens=context_tokens, sharing=sharing)
    if isinstance(placed, DoesNotFit):
        raise ModelRefusedError(f"{path.name} is refused: {placed.reason}.")
    return placed
