"""What users of a deployment see: rates and times of one stream, of many at once, and of as many as fit in memory."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.roofline import Efficiency, decode_step_s, prefill_s, request_s, sequences_that_fit
from llmcompare.core.speed import Stack

Floats = NDArray[np.float64]
ONE_STREAM, ALL_AT_ONCE, CLOSED_LOOP = 0, 1, 2
"""One request at a time; a batch that starts and ends together; requests that each follow another's end."""
MOST_SEQUENCES = {"tensorrt-llm": 2048.0, "llama.cpp": 32.0, "ollama": 4.0}
MOST_SEQUENCES_OTHERWISE = 256.0
"""Sequences that an engine runs at once by default (max_num_seqs, max_batch_size) where memory allows more. Assumption:
versions differ, and no source was read for each."""


def most_sequences(engine: str) -> float:
    """That an engine runs at once by default."""
    return MOST_SEQUENCES.get(engine, MOST_SEQUENCES_OTHERWISE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is asked of each deployment."""

    kind: NDArray[np.int_]
    """ONE_STREAM, ALL_AT_ONCE or CLOSED_LOOP."""
    sequences: Floats
    """Requests at once; NaN: as many as memory holds."""
    input_tokens: Floats
    output_tokens: Floats
    earlier_tokens: Floats
    """Tokens in the context before a prefill."""
    most_sequences: Floats
    """That the engine runs at once."""
    decode_only: NDArray[np.bool_]
    """The output rate is counted while no prompt is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Medians; a roofline yields no tail latency."""

    prefill_tokens_per_s: Floats
    decode_tokens_per_s_per_stream: Floats
    output_tokens_per_s: Floats
    """Of all copies together."""
    ttft_s: Floats
    tpot_s: Floats
    sequences: Floats
    """At once in one copy."""


def figures(stack: Stack, known: Efficiency, demand: Demand, *, kept_fraction: Floats) -> Figures:
    """Rates and times of every deployment under its demand."""
    prompt = np.maximum(demand.input_tokens, 1.0)
    fitting = sequences_that_fit(
        stack.work,
        free_bytes=stack.free_bytes,
        input_tokens=demand.input_tokens,
        output_tokens=demand.output_tokens,
        kept_fraction=kept_fraction,
    )
    wanted = demand.sequences / stack.copies
    # A batch that was measured ran: where our count of the memory says that less fits, the batch is taken as given.
    sequences = np.where(np.isnan(wanted), np.minimum(fitting, demand.most_sequences), np.maximum(wanted, 1.0))
    running = np.where(demand.kind == CLOSED_LOOP, np.minimum(sequences, np.maximum(fitting, 1.0)), sequences)
    running = np.where(demand.kind == ONE_STREAM, 1.0, running)
    context = demand.input_tokens + demand.output_tokens / 2
    step_s = decode_step_s(stack.hardware, stack.work, known, sequences=running, context_tokens=context)
    reading_s = partial(
        prefill_s,
        stack.hardware,
        stack.work,
        known,
        prompt_tokens=prompt,
        step_tokens=stack.step_tokens,
        earlier_tokens=demand.earlier_tokens,
    )
    one_prompt_s = reading_s()
    prompts_s = reading_s(prompts=_prompts_ahead(demand.kind, running))
    each_s = request_s(
        stack.hardware,
        stack.work,
        known,
        sequences=running,
        input_tokens=demand.input_tokens,
        output_tokens=demand.output_tokens,
        step_tokens=stack.step_tokens,
    )
    spent_s = np.where(demand.decode_only, demand.output_tokens * step_s / running, each_s)
    busy_copies = np.where(
        demand.kind == ONE_STREAM,
        1.0,
        np.minimum(stack.copies, np.where(np.isnan(demand.sequences), np.inf, demand.sequences)),
    )
    shared_s = (running - 1) * one_prompt_s / np.maximum(demand.output_tokens, 1.0)
    tpot_s = step_s + np.where((demand.kind == CLOSED_LOOP) & ~demand.decode_only, shared_s, 0.0)
    return Figures(
        prefill_tokens_per_s=prompt / one_prompt_s,
        decode_tokens_per_s_per_stream=1 / tpot_s,
        output_tokens_per_s=demand.output_tokens / spent_s * busy_copies,
        # The prefill of a prompt gives its first token.
        ttft_s=prompts_s + np.maximum(sequences - running, 0.0) * each_s * (demand.kind == CLOSED_LOOP),
        tpot_s=tpot_s,
        sequences=running,
    )


def _prompts_ahead(kind: NDArray[np.int_], running: Floats) -> Floats:
    """Prompts that are read until the median request has its first token, its own included.

    All of a batch; half of those in a closed loop, whose requests fall into step: measured times to first token are 7
    times that of one prompt at 10 requests and 19 times at 50.
    """
    return np.select([kind == ALL_AT_ONCE, kind == CLOSED_LOOP], [running, (running + 1) / 2], 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The largest output rate of each deployment within a limit; NaN where not even one stream keeps it."""

    sequences: Floats
    """Requests at once, over all copies."""
    output_tokens_per_s: Floats


TRIED_SEQUENCES = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 192.0, 256.0)
"""In one copy of the model: steps of at most a half."""


def largest_output(
    stack: Stack,
    known: Efficiency,
    demand: Demand,
    *,
    kept_fraction: Floats,
    ttft_limit_s: float = np.inf,
    tpot_limit_s: float = np.inf,
) -> Best:
    """The load, of a few that are tried, which gives most while the medians stay within the limits.

    Medians only: half of the requests are slower. A 95th percentile allows less; only simulated arrivals say how much.
    """
    sequences, output = np.full(len(demand.kind), np.nan), np.full(len(demand.kind), np.nan)
    for count in TRIED_SEQUENCES:
        loaded = replace(demand, kind=np.full_like(demand.kind, CLOSED_LOOP), sequences=count * stack.copies)
        found = figures(stack, known, loaded, kept_fraction=kept_fraction)
        within = (found.ttft_s <= ttft_limit_s) & (found.tpot_s <= tpot_limit_s)
        better = within & ~(found.output_tokens_per_s <= output)
        sequences = np.where(better, found.sequences * stack.copies, sequences)
        output = np.where(better, found.output_tokens_per_s, output)
    return Best(sequences=sequences, output_tokens_per_s=output)
