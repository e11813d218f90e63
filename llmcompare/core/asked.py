"""What a run asked of each of its slots, in words: the same of all, or each its own settings."""

import json
from dataclasses import dataclass
from typing import Any

from llmcompare.core.facts import RunFact
from llmcompare.core.phrases import listed
from llmcompare.core.units import counted

LABEL_CHARACTERS = 70
NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """Settings of a run."""

    common: str | None
    """Of all slots; None where they differ."""
    own: tuple[str, ...]
    """Of each slot."""


def shortened(text: str, most: int = LABEL_CHARACTERS) -> str:
    """A text in one line that fits a label.

    >>> shortened("Why is\\n the sky blue?"), shortened("Why is the sky blue?", 12)
    ('Why is the sky blue?', 'Why is the …')
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def who(run: RunFact) -> str:
    """The models of a run in short, without files' endings and servers, each once.

    >>> from llmcompare.core.facts import RunFact
    >>> said = dict.fromkeys(("run_id", "person", "asked_at", "prompt", "system"), "")
    >>> said |= dict.fromkeys(("temperature", "top_p", "max_tokens", "seed", "context_tokens"), 1)
    >>> who(RunFact(**said, scheduling="together", models=("a.gguf", "b @ host", "a.gguf", "c", "d", "e")))
    '2 × a, b, c and 2 more'
    """
    names = [name.split(" @ ")[0].removesuffix(".gguf") for name in run.models]
    each = [name if (count := names.count(name)) == 1 else f"{count} × {name}" for name in dict.fromkeys(names)]
    more = len(each) - NAMES_SHOWN
    return listed(each) if more < 1 else f"{', '.join(each[:NAMES_SHOWN])} and {more} more"


def asked(run: RunFact) -> Asked:
    """How each slot was to answer."""
    slots = _slots(run)
    are_here = ["endpoint" not in slot for slot in slots]
    # A server has a context of its own, which makes no difference of settings.
    alike = {_words(run, slot, is_here=any(are_here)) for slot in slots}
    own = tuple(_words(run, slot, is_here=is_here) for slot, is_here in zip(slots, are_here, strict=True))
    return Asked(alike.pop() if len(alike) == 1 else None, own)


def _slots(run: RunFact) -> list[dict[str, Any]]:
    """Runs of older versions had the same for all."""
    found = []
    for text in run.slots or ("{}",) * len(run.models):
        try:
            read = json.loads(text)
        except ValueError:
            read = None
        found.append(read if isinstance(read, dict) else {})
    return found


def _words(run: RunFact, slot: dict[str, Any], *, is_here: bool) -> str:
    said = slot.get("sampling")
    sampling: dict[str, Any] = said if isinstance(said, dict) else {}
    temperature = sampling.get("temperature", run.temperature)
    system = slot.get("system") if "system" in slot else run.system
    context, layers = slot.get("context_tokens", run.context_tokens), slot.get("gpu_layers")
    parts = [
        f"system prompt “{shortened(str(system))}”" if system else "",
        f"temperature {temperature:g}",
        f"top-p {sampling.get('top_p', run.top_p):g}",
        f"top-k {sampling['top_k']}" if sampling.get("top_k") else "",
        f"min-p {sampling['min_p']:g}" if sampling.get("min_p") else "",
        f"repeat penalty {sampling['repeat_penalty']:g}" if sampling.get("repeat_penalty", 1) != 1 else "",
        f"at most {counted(sampling.get('max_tokens', run.max_tokens), 'token')}",
        f"seed {sampling.get('seed', run.seed)}" if temperature else "",
        f"until {listed([repr(stop) for stop in sampling['stop']], 'or')}" if sampling.get("stop") else "",
        "JSON after a schema" if sampling.get("json_schema") else "",
        f"{context:,} tokens of context" if is_here else "",
        f"at most {counted(layers, 'layer')} on the GPU" if layers is not None and is_here else "",
    ]
    return ", ".join(part for part in parts if part)
