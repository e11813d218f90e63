"""What happened when models ran, and how fast: facts that never change once they are written down. Rows of the log."""

from dataclasses import dataclass
from typing import Literal

from llmcompare.core.bench import SpeedTest, TestKind

Vote = Literal["left", "right", "tie", "both bad"]
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
    """File names, or models with their servers, one a slot."""
    slots: tuple[str, ...] | None = None
    """What was set for each slot, as JSON (services.plans); None in runs of older versions, where all had the same."""
    parent_run_id: str | None = None
    """The turn before this one, in a conversation."""
    goes_on: bool | None = None
    """Whether the replies of the turn before were continued."""
    blind: bool | None = None
    """Whether it was asked in the Arena, for two models that were drawn and not shown."""


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
    wait_ms: float | None = None
    """In the queue and while the model was loaded or the server reached, before the clock of ttft_ms began."""
    answer_ms: float | None = None
    """As ttft_ms, but to the first token after the thinking."""
    thinking_tokens: int | None = None
    """Of the generated ones, before the answer began; None where they were not counted."""
    characters_per_s: float | None = None
    """After the first token; tokenizers differ, characters do not."""
    energy_j: float | None = None
    """Of the whole processor, from the start of the prompt to the end of the reply; nothing else of the app ran."""
    reply_ms: float | None = None
    """As ttft_ms, but to the last token with text."""
    gpu_energy_j: float | None = None
    """As energy_j, of all NVIDIA GPUs of this machine together."""
    recounted: bool | None = None
    """Whether the server counted the tokens when it was asked afterwards, not while it wrote them."""
    others_busy_cores: float | None = None
    """Cores of this machine that other programs kept busy meanwhile; of models here, None behind an endpoint."""

    @property
    def ended_by_itself(self) -> bool:
        """Neither failed nor stopped by somebody: such replies are compared."""
        return self.end not in (None, "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningFact:
    """A person opened a run by its link, so that it stands in that person's list too."""

    opening_id: str
    run_id: str
    person: str
    opened_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StarFact:
    """A person marked a run, or took the mark away. The newest of a person and run counts."""

    star_id: str
    run_id: str
    person: str
    starred_at: str
    is_starred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementFact:
    """How fast a machine ran one speed test with one model."""

    measurement_id: str
    bench_id: str
    """Shared by what was measured or imported together."""
    machine_id: str
    """Of the hardware, see core.this_machine.machine_id."""
    cpu: str
    core_count: int | None
    memory_bytes: int | None
    gpus: tuple[str, ...]
    model: str
    """File name."""
    quantization: str | None
    description: str
    """What llama.cpp calls the model."""
    weights_bytes: int
    parameters: int
    shape: str | None
    """A core.shapes.ModelShape as JSON; None where only the sizes are known."""
    test: TestKind
    prompt_tokens: int
    generated_tokens: int
    depth_tokens: int
    tokens_per_s: float
    """Mean of the repetitions."""
    tokens_per_s_sd: float
    repetition_count: int | None
    """None where a file does not say it."""
    threads: int
    gpu_layers: int
    """-1 where llama.cpp was to use as many as fit."""
    kv_format: str
    flash_attention: bool | None
    """None where llama.cpp was to decide."""
    engine: str
    measured_at: str
    imported_from: str | None = None
    """Name of the file; None when it was measured here."""

    @property
    def speed_test(self) -> SpeedTest:
        """What was measured."""
        return SpeedTest(
            prompt_tokens=self.prompt_tokens, generated_tokens=self.generated_tokens, depth_tokens=self.depth_tokens
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualMonthFact:
    """What a month really cost and counted, as a person typed it in. The newest of a person and month counts."""

    month_fact_id: str
    person: str
    typed_at: str
    month: str
    """As 2026-11."""
    usd: float
    requests: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    cached_tokens: float | None = None
    gpu_hours: float | None = None
    is_withdrawn: bool = False
    """Whether the month was taken back, with what had been typed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteFact:
    """Somebody judged two replies to one prompt without knowing who wrote them."""

    vote_id: str
    voter: str
    """A mark that leads nowhere: who holds it cannot open the voter's runs."""
    voted_at: str
    left_model: str
    right_model: str
    """File names, as the sides were shown."""
    vote: Vote
    prompt: str | None = None
    run_id: str | None = None
    left_reply_id: str | None = None
    right_reply_id: str | None = None
    imported_from: str | None = None
    """Name of the file; None when it was given here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFact:
    """What a machine consists of, and how fast its memory was when somebody looked."""

    machine_fact_id: str
    machine_id: str
    looked_at: str
    cpu: str
    core_count: int
    instruction_sets: tuple[str, ...]
    memory_bytes: int | None
    gpus: tuple[str, ...]
    bandwidth_bytes_per_s: float | None
    """Of a copy from memory to memory, bytes read and written; None when it was not measured."""
    bandwidth_threads: int | None
