"""What replies say in words and numbers: a line of figures, the comparison of speeds, the JSON of the command line."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from llmcompare.core.facts import ReplyFact, RunFact, Scheduling
from llmcompare.core.tables import Table
from llmcompare.core.units import counted

BYTES_PER_MB = 1e6
ENDS = {
    "end": "complete",
    "stop": "ended at a stop string",
    "length": "ended at the token limit",
    "cancelled": "stopped",
    None: "failed",
}


def reply_json(reply: ReplyFact, scheduling: Scheduling) -> dict[str, Any]:
    """Flat, units in the keys, null for what was not measured."""
    return asdict(reply) | {"scheduling": scheduling}


def figures_in_words(reply: ReplyFact, scheduling: Scheduling) -> str:
    """The figures of a reply in one line, or why there is none."""
    if reply.error is not None:
        return f"no reply: {reply.error}"
    counts = (reply.prompt_tokens, reply.generated_tokens)
    parts = [
        "tokens not counted" if None in counts else f"{counts[0]} → {counts[1]} tokens",
        *(
            f"{value:,.{digits}f} {unit}"
            for value, digits, unit in (
                (reply.ttft_ms, 0, "ms to the first token"),
                (reply.prompt_tokens_per_s, 1, "prompt tokens/s"),
                (reply.generation_tokens_per_s, 1, "tokens/s"),
                (reply.characters_per_s, 0, "characters/s"),
            )
            if value is not None
        ),
    ]
    if reply.peak_memory_bytes is not None:
        parts.append(f"{reply.peak_memory_bytes / BYTES_PER_MB:,.0f} MB at most")
    if reply.threads is not None:
        parts.append(f"{counted(reply.threads, 'thread')}, {place_in_words(reply)}")
    if reply.cold is not None:
        parts.append("cold" if reply.cold else "warm")
    return ", ".join([*parts, scheduling])


def energy_in_words(reply: ReplyFact) -> str:
    """What was measured of its energy, and which part was not.

    >>> said = {"reply_id": "r", "run_id": "r", "slot": 0, "model": "m", "ended_at": "", "text": "", "end": "end"}
    >>> energy_in_words(ReplyFact(**said, error=None, energy_j=12.34))
    '12.3 J'
    >>> energy_in_words(ReplyFact(**said, error=None, gpu_layers=24, gpu_energy_j=250.0))
    '250.0 J GPU, processor not measured'
    """
    parts = {"processor": reply.energy_j} | ({"GPU": reply.gpu_energy_j} if reply.gpu_layers else {})
    measured = [f"{joules:,.1f} J {name}" for name, joules in parts.items() if joules is not None]
    missing = [f"{name} not measured" for name, joules in parts.items() if joules is None]
    if not measured:
        return "not measured"
    return measured[0].removesuffix(" processor") if len(parts) == 1 else ", ".join(measured + missing)


def place_in_words(reply: ReplyFact) -> str:
    """Where the model ran."""
    return f"{counted(reply.gpu_layers, 'layer')} on the GPU" if reply.gpu_layers else "CPU"


def reply_table(run: RunFact, replies: Sequence[ReplyFact]) -> Table:
    """The figures of a run's replies, one row a slot."""
    return Table(
        name="replies",
        title="Figures of the replies",
        columns=(
            "slot", "model", "quantization", "end", "prompt_tokens", "reused_tokens", "generated_tokens", "ttft_ms",
            "prompt_tokens_per_s", "generation_tokens_per_s", "characters_per_s", "wait_ms", "answer_ms",
            "thinking_tokens", "reply_ms", "counted_afterwards", "energy_j", "gpu_energy_j", "peak_memory_bytes",
            "threads", "others_busy_cores", "gpu_layers",
            "context_tokens", "cold_or_warm", "scheduling", "engine", "error", "ended_at", "reply_id",
        ),
        rows=tuple(
            (
                r.slot + 1, r.model, r.quantization, ENDS[r.end], r.prompt_tokens, r.reused_tokens,
                r.generated_tokens, r.ttft_ms, r.prompt_tokens_per_s, r.generation_tokens_per_s, r.characters_per_s,
                r.wait_ms, r.answer_ms, r.thinking_tokens, r.reply_ms, r.recounted, r.energy_j, r.gpu_energy_j,
                r.peak_memory_bytes,
                r.threads, r.others_busy_cores, r.gpu_layers, r.context_tokens,
                {True: "cold", False: "warm", None: None}[r.cold],
                run.scheduling, r.engine, r.error, r.ended_at, r.reply_id,
            )
            for r in replies
        ),
    )  # fmt: skip


def endpoint_of(run: RunFact, slot: int) -> str | None:
    """The address of the server that answered in a slot; None for a model on this machine."""
    found = _slot(run, slot).get("endpoint")
    return str(found["base_url"]) if isinstance(found, dict) and "base_url" in found else None


def can_be_typed(run: RunFact) -> bool:
    """Whether one command asks the same: the same settings for all, files before endpoints, nothing said before."""
    if run.parent_run_id is not None:
        return False
    slots = [_slot(run, slot) for slot in range(len(run.models))] if run.slots else []
    kinds = ["endpoint" in slot for slot in slots]
    same = {"system": run.system, "context_tokens": run.context_tokens, "gpu_layers": None}
    first = slots[0].get("sampling") if slots else None
    plain = {"grammar": None, "json_schema": None, "temperature": run.temperature, "top_p": run.top_p}
    plain |= {"max_tokens": run.max_tokens, "seed": run.seed}
    return kinds == sorted(kinds) and all(
        {"model", "endpoint"} & slot.keys()
        and {name: slot.get(name) for name in same} == same
        and isinstance(first, dict)
        and slot.get("sampling") == first
        and first | plain == first
        for slot in slots
    )


def _slot(run: RunFact, slot: int) -> dict[str, Any]:
    try:
        found = json.loads(run.slots[slot]) if run.slots else {}
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _sampling_flags(run: RunFact) -> list[str]:
    """Of the settings that stand in the slots alone, those that change something."""
    sampling = _slot(run, 0).get("sampling")
    if not isinstance(sampling, dict):
        return []
    defaults = {"top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0}
    numbers = [
        f"--{name.replace('_', '-')} {sampling[name]:g}"
        for name, default in defaults.items()
        if sampling.get(name, default) != default
    ]
    return numbers + [f"--stop {shlex.quote(text)}" for text in sampling.get("stop") or ()]


def run_flags(run: RunFact, more: str = "") -> str:
    """The options of `run` that ask the same again, quoted for a shell, and further ones."""
    prompt = shlex.quote(run.prompt)
    dashed = run.prompt.startswith("-")
    flags = [] if dashed else [prompt]
    for at, model in enumerate(run.models):
        asked = _slot(run, at).get("endpoint")
        name = f"{asked['preset_id']}:{asked['model']}@{asked['base_url']}" if isinstance(asked, dict) else model
        flags.append(f"--{'model' if asked is None else 'endpoint'} {shlex.quote(name)}")
    if run.system:
        flags.append(f"--system {shlex.quote(run.system)}")
    flags += [
        f"--max-tokens {run.max_tokens}",
        f"--temperature {run.temperature:g}",
        f"--top-p {run.top_p:g}",
        *_sampling_flags(run),
        f"--seed {run.seed}",
        f"--context {run.context_tokens}",
        f"--scheduling {run.scheduling}",
    ]
    # A prompt that begins with a dash would be read as an option.
    return " ".join([*flags, *filter(None, [more]), "--json", *(["--", prompt] if dashed else [])])
