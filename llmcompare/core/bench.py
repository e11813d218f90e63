"""Speed tests as llama-bench names and counts them: what is measured, and the figures of its repetitions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from llmcompare.errors import InputError

TestKind = Literal["prefill", "decode"]
TOKENS_LIMIT = 1_000_000
REPETITIONS_LIMIT = 1_000
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedTest:
    """Tokens that are read at once or written one by one, after others that are in the KV cache already."""

    prompt_tokens: int
    """0 when tokens are written."""
    generated_tokens: int
    """0 when tokens are read."""
    depth_tokens: int = 0
    """In the KV cache before, and not timed."""

    @property
    def kind(self) -> TestKind:
        """What is measured."""
        return "prefill" if self.prompt_tokens else "decode"

    @property
    def tokens(self) -> int:
        """Tokens that are timed."""
        return self.prompt_tokens or self.generated_tokens

    @property
    def context_tokens(self) -> int:
        """What the KV cache must hold."""
        return self.depth_tokens + self.tokens

    @property
    def name(self) -> str:
        """As llama-bench writes it.

        >>> SpeedTest(prompt_tokens=0, generated_tokens=128, depth_tokens=512).name
        'tg128 @ d512'
        """
        depth = f" @ d{self.depth_tokens}" if self.depth_tokens else ""
        return f"{'pp' if self.prompt_tokens else 'tg'}{self.tokens}{depth}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Figures of the repetitions of one test."""

    tokens_per_s: float
    """The mean of the rates of the repetitions."""
    tokens_per_s_sd: float
    """Standard deviation of a sample; 0 for a single one."""
    duration_ns: float
    """The mean."""
    duration_ns_sd: float
    repetition_count: int


def speed_tests(
    *, prompt_tokens: int, generated_tokens: int, depths: Sequence[int] = (0,), context_limit_tokens: int | None = None
) -> tuple[SpeedTest, ...]:
    """Reading and writing at each depth; 0 leaves one of them out. Raises InputError for what cannot be measured.

    >>> [test.name for test in speed_tests(prompt_tokens=512, generated_tokens=128, depths=(0, 4096))]
    ['pp512', 'tg128', 'pp512 @ d4096', 'tg128 @ d4096']
    """
    amounts = {"prompt": [prompt_tokens], "generate": [generated_tokens], "depth": list(depths)}
    for name, counts in amounts.items():
        for count in counts:
            if not 0 <= count <= TOKENS_LIMIT:
                raise InputError(f"{name} is {count:,} tokens: give a number from 0 to {TOKENS_LIMIT:,}.")
    if not prompt_tokens and not generated_tokens:
        raise InputError("prompt and generate are both 0, so nothing would be measured: give one of them.")
    if not depths:
        raise InputError("no depth is given: give 0 for an empty context.")
    tests = [test for depth in dict.fromkeys(depths) for test in _at(depth, prompt_tokens, generated_tokens)]
    for test in tests:
        if context_limit_tokens is not None and test.context_tokens > context_limit_tokens:
            raise InputError(
                f"{test.name} needs a context of {test.context_tokens:,} tokens, and the model was trained for "
                f"{context_limit_tokens:,}: give a smaller depth, prompt or generate."
            )
    return tuple(tests)


def _at(depth_tokens: int, prompt_tokens: int, generated_tokens: int) -> list[SpeedTest]:
    amounts = [(prompt_tokens, 0)] if prompt_tokens else []
    amounts += [(0, generated_tokens)] if generated_tokens else []
    return [
        SpeedTest(prompt_tokens=prompt, generated_tokens=generated, depth_tokens=depth_tokens)
        for prompt, generated in amounts
    ]


def speed(*, tokens: int, durations_ns: Sequence[int]) -> Speed:
    """Mean and standard deviation over repetitions, of rates and of durations, as llama-bench computes them.

    >>> found = speed(tokens=100, durations_ns=[1_000_000_000, 2_000_000_000])
    >>> found.tokens_per_s, round(found.tokens_per_s_sd, 3), found.duration_ns
    (75.0, 35.355, 1500000000.0)
    """
    durations = np.asarray(durations_ns, dtype=float)
    rates = tokens * NS_PER_S / durations
    several = len(durations) > 1
    return Speed(
        tokens_per_s=float(rates.mean()),
        tokens_per_s_sd=float(rates.std(ddof=1)) if several else 0.0,
        duration_ns=float(durations.mean()),
        duration_ns_sd=float(durations.std(ddof=1)) if several else 0.0,
        repetition_count=len(durations),
    )
