"""Counts and times of one reply while it is made, and the figures that follow from them. Knows nothing of llama.cpp."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

FEWEST_TIMED_TOKENS = 16
"""A prompt of which fewer tokens were processed says how long one step takes, not how fast prompts are read."""


class Tally:
    """Begins when the processing of the prompt begins.

    >>> times = iter([10.0, 12.0, 12.5, 13.0])
    >>> tally = Tally(prompt_tokens=100, reused_tokens=20, clock=lambda: next(times))
    >>> tally.prompt_was_read()
    >>> tally.add_token(threads=2), tally.add_token(threads=2)
    (12.5, 13.0)
    >>> figures = tally.figures()
    >>> figures["ttft_ms"], figures["prompt_tokens_per_s"], figures["generation_tokens_per_s"]
    (2500.0, 40.0, 2.0)
    """

    def __init__(self, *, prompt_tokens: int, reused_tokens: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.generated_tokens = 0
        self._prompt_tokens = prompt_tokens
        self._reused_tokens = reused_tokens
        self._clock = clock
        self._threads: Counter[int] = Counter()
        self._started_s = clock()
        self._read_s: float | None = None
        self._first_s = self._last_s = 0.0

    def prompt_was_read(self) -> None:
        """The prompt is processed."""
        self._read_s = self._clock()

    def add_token(self, *, threads: int) -> float:
        """One more token of the reply, made with so many threads; its time. The end of the reply is no token."""
        self._last_s = self._clock()
        if not self.generated_tokens:
            self._first_s = self._last_s
        self.generated_tokens += 1
        self._threads[threads] += 1
        return self._last_s

    def most_used_threads(self, default: int) -> int:
        """The number of threads with which most tokens were made."""
        return self._threads.most_common(1)[0][0] if self._threads else default

    def figures(self) -> dict[str, Any]:
        """Fields of base.Measured; None for what could not be measured."""
        fresh = self._prompt_tokens - self._reused_tokens
        read_s = None if self._read_s is None else self._read_s - self._started_s
        span_s = self._last_s - self._first_s
        return {
            "prompt_tokens": self._prompt_tokens,
            "reused_tokens": self._reused_tokens,
            "generated_tokens": self.generated_tokens,
            "ttft_ms": (self._first_s - self._started_s) * 1000 if self.generated_tokens else None,
            "prompt_tokens_per_s": fresh / read_s if read_s and fresh >= FEWEST_TIMED_TOKENS else None,
            "generation_tokens_per_s": (self.generated_tokens - 1) / span_s if span_s else None,
        }
