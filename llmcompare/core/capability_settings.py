"""What the words of a setting say: base or chat, thinking or not, under which conditions, and what they do not say.

Publishers name the same test in many words. "Non-thinking mode", "instruct" and "chat" are one kind of subject: the
Qwen3 report compares them in one table (table 14), as it compares "Thinking mode" with reasoning models (table 13).
Words about the model, the copy that was read or the publisher's own harness are no condition of the test.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Tuning = Literal["base", "chat"]

SUBJECTS: dict[str, tuple[Tuning, bool]] = {
    "base": ("base", False),
    "chat": ("chat", False),
    "instruct": ("chat", False),
    "chat/instruct": ("chat", False),
    "instruct/API": ("chat", False),
    "Non-thinking mode": ("chat", False),
    "Non-thinking (instruct) model": ("chat", False),
    "Thinking mode": ("chat", True),
    "Thinking model": ("chat", True),
    "Reasoning": ("chat", True),
    "Reasoning variant": ("chat", True),
    "reasoning model": ("chat", True),
}
"""How the tested model is called, with what it is: base or chat, and whether it thinks before it answers."""
CHAIN_OF_THOUGHT = " CoT"
ABOUT_THE_MODEL = (r"claimed \w+", r"effective [>\w]+", r"percentile [\d.]+")
"""RULER's table prints the context that a model claims and reaches beside its name; a rating comes with its rank."""
ABOUT_THE_COPY = (
    r"vendor value recorded by LLM-Stats( \(.*\))?", r"read in (a )?secondary (articles?|page)",
    r"secondary quotation", r"card not read", r"secondary listing", r"vendor figure as quoted by a review",
    r"not checked against the vendor page", r"as compared in an article.*", r"re-scored by the vendor .*",
    r"re-measured by vendor for the 3\.2 release", r"self-reported by vendor and listed by RULER",
    r"the board lists two runs for this model",
)  # fmt: skip
"""Where a figure was read or why it was printed again; its source stands beside it anyway."""
OWN_HARNESS = (
    r"Mistral AI( own)? harness", r"DeepSeek internal harness", r"Meta internal evaluation library", r"vendor harness",
)  # fmt: skip
"""What a publisher runs is part of the cell already, as its name."""
SAID_ELSEWHERE = (r"MMLU-Pro and GPQA main 5-shot CoT", r"MT-Bench dev", r"MATH maj@1", r"bf16", r"BF16 weights")
"""Notes on a whole table that name other benchmarks, one sample (which is plain accuracy), or the weights as made."""
NO_CONDITION = re.compile(f"^(?:{'|'.join((*ABOUT_THE_MODEL, *ABOUT_THE_COPY, *OWN_HARNESS, *SAID_ELSEWHERE))})$")
OTHER_WEIGHTS = re.compile(r"Int[48]\b|AWQ|GPTQ|\bq\d_|quantisation|4-?bit|8bit")
UNUSABLE = "treat as unusable"
PARTS = re.compile(r"[;,] (?![^(]*\))")
"""Commas and semicolons that stand in no parentheses."""
QUANTISED = "the weights were quantised: another thing than the model as published"
NOT_PARSED = "the source says that the figure is not usable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a setting says."""

    tuning: Tuning | None
    """None where the setting does not say."""
    thinks: bool | None
    """None where the setting does not say."""
    conditions: str
    left_out: str | None
    """Why a score of this setting stands in no index; None where it may."""

    @property
    def test(self) -> str:
        """The setting in the same words for all publishers."""
        return ", ".join(part for part in (self.tuning, self.conditions) if part)


@lru_cache(maxsize=1024)
def reading(setting: str) -> Reading:
    """A setting, read.

    >>> reading("Thinking mode, budget 8192, YaRN x4").conditions
    'budget 8192, YaRN x4'
    >>> reading("instruct CoT; metric field \\"acc\\"").test
    'chat, CoT, metric field "acc"'
    >>> reading("chat, Int4 weights").left_out
    'the weights were quantised: another thing than the model as published'
    """
    tuning: Tuning | None = None
    thinks: bool | None = None
    conditions: list[str] = []
    for part in PARTS.split(setting):
        name = part.removesuffix(CHAIN_OF_THOUGHT)
        if name in SUBJECTS:
            tuning, thinks = SUBJECTS[name]
            conditions += [CHAIN_OF_THOUGHT.strip()] if name != part else []
        elif not NO_CONDITION.match(part):
            conditions.append(part)
    return Reading(tuning=tuning, thinks=thinks, conditions=", ".join(conditions), left_out=_left_out(setting))


def _left_out(setting: str) -> str | None:
    if UNUSABLE in setting:
        return NOT_PARSED
    return QUANTISED if OTHER_WEIGHTS.search(setting) else None
