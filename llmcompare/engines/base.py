"""The contract of an engine: a request goes in, events come out, closing the iterator cancels."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from llmcompare.errors import InputError

HEARTBEAT_S = 0.1
"""How long a stream waits for news before it says that it is still alive: whoever follows it can stop that soon."""
LONGEST_TOKEN_CHARACTERS = 256
"""Vocabularies know up to 128 blanks as one token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen. Temperature 0 is greedy. Raises InputError for values outside their ranges."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    """0 keeps all."""
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    seed: int = 0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    """Generation ends before the first of these strings."""
    grammar: str | None = None
    """GBNF that the reply must follow."""
    json_schema: str | None = None
    """JSON schema, as JSON, that the reply must follow."""

    def __post_init__(self) -> None:
        ranges = {
            "temperature": (0, 5),
            "top_p": (0, 1),
            "top_k": (0, 1_000_000),
            "min_p": (0, 1),
            "repeat_penalty": (0.1, 10),
            "seed": (0, 2**32 - 2),
            "max_tokens": (1, 1_000_000),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} is {value}: give a number from {low:g} to {high:g}.")
        if not all(self.stop):
            raise InputError("a stop string is empty: leave it out.")
        if self.grammar is not None and self.json_schema is not None:
            raise InputError("a grammar and a JSON schema are given: give one of them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to generate."""

    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The request stands in a queue, or waits for its model to be loaded."""

    reason: str
    """For a person, for example "2 requests are before this one"."""
    place: int
    """Requests that come first; 0 while the model is loaded."""
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The prompt is tokenized and its processing begins."""

    prompt_text: str | None
    """After the chat template, exactly as the model sees it; None where a server does not say it."""
    prompt_tokens: int | None
    """None until a server has said it."""
    reused_tokens: int | None
    """Tokens at the start of the prompt that were still in the KV cache."""
    time_s: float
    """Of the engine's own monotonic clock, as all times of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """New text; several tokens may be needed for one character, so text may be empty."""

    text: str
    generated_tokens: int | None
    """So far; None where a server says it at the end only."""
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One repetition of a speed test is done."""

    test: int
    """Counts from 0, in the order of the question."""
    duration_ns: int
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Nothing new, still alive."""

    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a reply took. None: not measured, or not said by the server."""

    prompt_tokens: int | None
    reused_tokens: int | None
    generated_tokens: int | None
    ttft_ms: float | None
    """From the start of prompt processing to the first token; of a server, from the moment when the request was sent:
    its queue and the network are part of it. None when there was no token."""
    prompt_tokens_per_s: float | None
    """Of the tokens that were processed, without reused ones; None when they were too few to tell."""
    generation_tokens_per_s: float | None
    """After the first token; None below two tokens."""
    peak_memory_bytes: int | None
    """Of the worker process since it started."""
    threads: int | None
    """With which most of the tokens were generated."""
    gpu_layers: int | None
    cold: bool | None
    """First request after the model was loaded."""
    context_tokens: int | None
    """What the model was loaded with."""
    engine: str
    """Name and version."""
    thinking_tokens: int | None = None
    """Of the generated ones, as the server says."""
    recounted: bool | None = None
    """Whether the server counted the tokens when it was asked afterwards."""
    others_busy_cores: float | None = None
    """Cores that other programs kept busy meanwhile, on the machine of the worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The reply is complete."""

    reason: Literal["end", "stop", "length", "cancelled"]
    measured: Measured
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The reply ends here, with a sentence that says why."""

    error: str
    crashed: bool
    """The worker process is gone."""
    time_s: float
    bug: Exception | None = None
    """What was not raised on purpose, for whoever can show its traceback."""


Event = Waiting | Started | Token | Sampled | Tick | Done | Failed


class Engine(Protocol):
    """Generates text. One request at a time."""

    name: str

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """Events of one reply; the last is Done or Failed. Closing the iterator cancels."""
        ...

    def close(self) -> None:
        """Release the model; the engine cannot be used again."""
        ...
