"""Speed tests as llama-bench defines them, run by the worker.

A test reads `prompt_tokens` at once, or writes `generated_tokens` one by one, after `depth_tokens` that are in the KV
cache already and are not timed. The tokens are drawn by chance: nothing is sampled, so nothing but the model is timed.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from llmcompare.engines.child_process import RefusedError

BATCH_TOKENS = 512
"""Of a prompt, at once."""
SEED = 0


class TimedModel(Protocol):
    """What the loop needs of a loaded model."""

    vocabulary_size: int
    context_tokens: int

    def process(self, tokens: list[int]) -> None:
        """Put tokens into the KV cache."""

    def keep_first(self, count: int) -> int:
        """Drop what comes after so many tokens of the KV cache; how many are left."""

    def synchronise(self) -> None:
        """Wait until a GPU has done all that was asked."""


def samples(
    model: TimedModel, tests: list[dict[str, int]], repetitions: int, say_alive: Callable[[], None]
) -> Iterator[dict[str, Any]]:
    """A "sampled" event for every repetition, after a warm-up of each test. Raises RefusedError."""
    needed = max(test["depth_tokens"] + test["prompt_tokens"] + test["generated_tokens"] for test in tests)
    if needed > model.context_tokens:
        raise RefusedError(f"{needed:,} tokens exceed {model.context_tokens:,} context tokens: measure fewer.")
    chance = random.Random(SEED)

    def some(count: int) -> list[int]:
        return [chance.randrange(model.vocabulary_size) for _ in range(count)]

    for number, test in enumerate(tests):
        before = some(test["depth_tokens"])
        one_by_one = test["prompt_tokens"] == 0
        tokens = some(test["generated_tokens"] if one_by_one else test["prompt_tokens"])
        # Another test's tokens may be in the cache: what this one stands on is its own.
        model.keep_first(0)
        for repetition in range(repetitions + 1):
            kept = model.keep_first(len(before))
            model.process(before[kept:])
            model.synchronise()
            is_warm_up = repetition == 0
            duration_ns = _timed(model, tokens[:1] if is_warm_up and one_by_one else tokens, one_by_one, say_alive)
            if not is_warm_up:
                event = {"event": "sampled", "test": number, "duration_ns": duration_ns, "time_s": time.monotonic()}
                yield event


def _timed(model: TimedModel, tokens: list[int], one_by_one: bool, say_alive: Callable[[], None]) -> int:
    began_ns = time.perf_counter_ns()
    for chunk in [[token] for token in tokens] if one_by_one else [tokens]:
        model.process(chunk)
        model.synchronise()
        say_alive()
    return time.perf_counter_ns() - began_ns
