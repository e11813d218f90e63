"""What happened when models ran: facts that never change once they are written down. Rows of the results log."""

from dataclasses import dataclass
from typing import Literal

Scheduling = Literal["in-turn", "together"]
"""in-turn: one after the other, for figures that can be compared. together: at once, for reading along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFact:
    """A prompt was sent to one or more models. Written before the first model begins."""

    run_id: str
    person: str | None
    """Who asked, as a random mark of the browser; None for the command line."""
    asked_at: str
    """ISO 8601 with time zone, as all times of facts."""
    prompt: str
    system: str | None
    scheduling: Scheduling
    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    context_tokens: int
    models: tuple[str, ...]
    """File names, one a slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFact:
    """One model's reply is complete, or why there is none. A run without one for each slot was interrupted."""

    reply_id: str
    run_id: str
    slot: int
    """Counts from 0."""
    model: str
    ended_at: str
    text: str
    end: Literal["end", "stop", "length", "cancelled"] | None
    """None when it failed."""
    error: str | None
    prompt_text: str | None = None
    """After the chat template, exactly as the model saw it."""
    quantization: str | None = None
    engine: str | None = None
    """Name and version of what generated the text."""
    context_tokens: int | None = None
    prompt_tokens: int | None = None
    reused_tokens: int | None = None
    generated_tokens: int | None = None
    ttft_ms: float | None = None
    prompt_tokens_per_s: float | None = None
    generation_tokens_per_s: float | None = None
    peak_memory_bytes: int | None = None
    threads: int | None = None
    gpu_layers: int | None = None
    cold: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningFact:
    """A person opened a run by its link, so that it stands in that person's list too."""

    opening_id: str
    run_id: str
    person: str
    opened_at: str
