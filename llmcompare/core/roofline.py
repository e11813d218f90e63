"""How long a step of a model takes on a GPU: the physics, without any measured number.

Every quantity may be one number or an array of one number per deployment. What physics leaves open (which share of a
bandwidth is reached, what a kernel launch costs) comes in as an Efficiency, which core/calibration.py fits to
measurements. A roofline says what one step takes: it knows no queue of random arrivals, so it yields no tail latency.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = float | Floats

KNEE = 4.0
"""Exponent that joins two limits which overlap: 1 would add them, infinity takes the larger. Measured steps near the
knee take 10 to 20% longer than the larger limit (4th root of 2 is 1.19)."""
LARGEST_STEP_TOKENS = 8_192.0
"""Tokens of prompts that a serving engine reads together (max_num_batched_tokens). Assumption."""
REDUCED_BYTES_PER_ELEMENT = 2
"""Hidden vectors travel between GPUs as 16-bit floats."""
REDUCES_PER_LAYER = 2
"""After attention and after the feed-forward network."""
FLOP_PER_PARAMETER = 2
"""One multiplication and one addition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """GPUs that work on one copy of a model."""

    bandwidth_bytes_per_s: Number
    """Of one GPU's memory, as its vendor states it."""
    matmul_flop_per_s: Number
    """Of one GPU, at the precision that the engine computes with."""
    link_bytes_per_s: Number
    """From one GPU to another."""
    tensor_parallel: Number = 1.0
    """GPUs that share each layer."""
    stages: Number = 1.0
    """Groups of GPUs that hold different layers: a token passes through one after the other."""
    ram_bytes_per_s: Number = 50e9
    """Of the host's memory, for weights that do not fit on the GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a model asks for in a weight format."""

    layers: Number
    hidden_size: Number
    dense_bytes: Number
    """Weights that every token uses, without the embeddings, of which a token reads one row."""
    expert_bytes: Number
    """Weights of all routed experts; 0 for a dense model."""
    expert_count: Number
    """1 for a dense model."""
    active_expert_count: Number
    active_params: Number
    """Parameters that one token computes with."""
    cache_bytes_per_token: Number
    """Keys and values that a token adds, over the layers that keep all of them."""
    window_bytes_per_token: Number
    """The same over the layers that keep a window."""
    window_tokens: Number
    attention_flop_per_pair: Number
    """To compare one token with one earlier token, over all layers, and to add up its value."""
    ram_fraction: Number = 0.0
    """Share of the weights that lies in the host's memory."""
    routing_spread: Number = 1.0
    """1: each token picks its experts by itself; 0: all pick the same, as models with random weights do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """What measurements say about an engine, a format and a kind of card."""

    bandwidth_fraction: Number
    """Of the bandwidth, while weights are read."""
    cache_fraction: Number
    """Of the bandwidth, while keys and values are read."""
    layer_s: Number
    """Launches, small operations and the waves that do not fill the card: once per layer and step."""
    host_layer_s: Number
    """The processor's time to launch a layer; it hides behind the GPU's work unless it is longer."""
    step_s: Number
    """Sampling and the rest, once per step."""
    sequence_s: Number
    """The same once per sequence of a batch."""
    reduce_s: Number
    """Latency of one exchange between the GPUs of a layer."""
    link_fraction: Number
    stage_s: Number
    """To hand a token to the next stage."""
    stage_fraction: Number
    """How much of what overlapping stages could gain in prefill is gained, 0 to 1."""
    prefill_fraction: Number
    """Of the arithmetic rate, in the products of a long prompt."""
    decode_fraction: Number
    """What a step of many sequences reaches of the rate of a prefill of as many tokens."""
    attention_fraction: Number
    """Of the arithmetic rate, in the attention of a prefill."""
    half_tokens: Number
    """Tokens in a prefill at which half of prefill_fraction is reached."""
    vector_tokens: Number
    """1 where an engine has kernels for a single token, which multiply as they read; 0 where even one token takes a
    tile of the matrix units, which shows on cards with little arithmetic for their bandwidth."""
    unpack_fraction: Number
    """Of the arithmetic rate, while packed weights are unpacked for a single token; infinite where that is free."""


def joined(one: Number, other: Number, *, exponent: float = KNEE) -> Number:
    """Time of two things that overlap and limit each other: a smooth maximum, without a jump where they are equal.

    >>> round(float(joined(3.0, 3.0)), 2), round(float(joined(3.0, 1.0)), 2)
    (3.57, 3.01)
    """
    larger = np.maximum(np.maximum(one, other), 1e-30)
    return larger * ((one / larger) ** exponent + (other / larger) ** exponent) ** (1 / exponent)


def experts_read_fraction(*, expert_count: Number, active_expert_count: Number, tokens: Number) -> Number:
    """Share of the experts that a step of this many tokens reads, when each token picks its own at random.

    >>> round(experts_read_fraction(expert_count=8, active_expert_count=2, tokens=4), 3)
    0.684
    """
    return 1 - (1 - active_expert_count / expert_count) ** tokens


def weights_read_bytes(work: Work, *, tokens: Number) -> Number:
    """Bytes of weights that a step of this many tokens reads from the GPU's memory."""
    experts = experts_read_fraction(
        expert_count=work.expert_count, active_expert_count=work.active_expert_count, tokens=tokens
    )
    return (work.dense_bytes + work.expert_bytes * experts) * (1 - work.ram_fraction)


def cache_bytes(work: Work, *, context_tokens: Number) -> Number:
    """Bytes of keys and values of one sequence, which each of its steps reads."""
    windowed = np.minimum(context_tokens, work.window_tokens)
    return work.cache_bytes_per_token * context_tokens + work.window_bytes_per_token * windowed


def matmul_fraction(known: Efficiency, *, tokens: Number) -> Number:
    """Share of the arithmetic rate that matrix products of this many tokens reach: few rows do not fill the card."""
    return known.prefill_fraction / (1 + known.half_tokens / tokens)


def all_reduce_s(hardware: Hardware, work: Work, known: Efficiency, *, tokens: Number) -> Number:
    """Seconds in which the GPUs of a layer add up their parts, over all layers: 0 on one GPU.

    Twice per layer, 2 (n - 1) / n of the hidden vectors of all tokens go over the link, after a latency.
    """
    gpus = hardware.tensor_parallel
    vectors = work.hidden_size * REDUCED_BYTES_PER_ELEMENT * tokens
    moving_s = 2 * (gpus - 1) / gpus * vectors / (hardware.link_bytes_per_s * known.link_fraction)
    once_s = np.where(np.asarray(gpus) > 1, known.reduce_s + moving_s, 0.0)
    return work.layers * REDUCES_PER_LAYER * once_s


def decode_step_s(
    hardware: Hardware, work: Work, known: Efficiency, *, sequences: Number, context_tokens: Number
) -> Number:
    """Seconds of the step that gives each of these sequences its next token.

    The weights are read while the arithmetic runs, whichever takes longer; then come keys and values, the fixed time of
    the layers, the exchange between GPUs and what each sequence costs by itself.
    """
    bandwidth = hardware.bandwidth_bytes_per_s * hardware.tensor_parallel
    flop_per_s = hardware.matmul_flop_per_s * hardware.tensor_parallel
    flop = FLOP_PER_PARAMETER * work.active_params
    reading_s = weights_read_bytes(work, tokens=sequences**work.routing_spread) / (bandwidth * known.bandwidth_fraction)
    unpacking_s = flop / (flop_per_s * known.unpack_fraction)
    reached = known.decode_fraction * matmul_fraction(known, tokens=sequences)
    computing_s = flop * np.maximum(sequences - known.vector_tokens, 0.0) / (flop_per_s * reached)
    weights_s = joined(joined(reading_s, unpacking_s), computing_s)
    cached = sequences * cache_bytes(work, context_tokens=context_tokens)
    cache_s = cached / (bandwidth * known.cache_fraction)
    layers_s = work.layers * known.layer_s + (hardware.stages - 1) * known.stage_s
    on_gpu_s = weights_s + cache_s + layers_s + all_reduce_s(hardware, work, known, tokens=sequences)
    ram_bytes = (work.dense_bytes + work.expert_bytes) * work.ram_fraction
    in_ram_s = ram_bytes * _touched(work) / hardware.ram_bytes_per_s
    launched_s = joined(on_gpu_s, work.layers * known.host_layer_s)
    return launched_s + in_ram_s + known.step_s + sequences * known.sequence_s


def _touched(work: Work) -> Number:
    """Share of a model's weights that one token uses."""
    one = experts_read_fraction(
        expert_count=work.expert_count, active_expert_count=work.active_expert_count, tokens=1.0
    )
    return (work.dense_bytes + work.expert_bytes * one) / (work.dense_bytes + work.expert_bytes)


def prefill_s(
    hardware: Hardware,
    work: Work,
    known: Efficiency,
    *,
    prompt_tokens: Number,
    step_tokens: Number = np.inf,
    earlier_tokens: Number = 0.0,
    prompts: Number = 1.0,
) -> Number:
    """Seconds to read a prompt, in steps of at most step_tokens, behind a context of earlier_tokens.

    So many prompts of this length may be read together.

    Arithmetic at the rate that so many tokens reach, or loading the weights once per step, whichever takes longer;
    attention to all tokens before; the fixed time of the layers, and the exchange between GPUs, once per step. Stages
    work on different steps at the same time.
    """
    every = prompt_tokens * prompts
    tokens = np.minimum(every, step_tokens)
    steps = np.ceil(every / tokens)
    flop_per_s = hardware.matmul_flop_per_s * hardware.tensor_parallel
    reached = matmul_fraction(known, tokens=tokens)
    flop = FLOP_PER_PARAMETER * work.active_params * every / steps
    bandwidth = hardware.bandwidth_bytes_per_s * hardware.tensor_parallel * known.bandwidth_fraction
    loading_s = weights_read_bytes(work, tokens=tokens) / bandwidth
    pairs = every * (prompt_tokens / 2 + earlier_tokens)
    attention_s = work.attention_flop_per_pair * pairs / steps / (flop_per_s * known.attention_fraction)
    step_s = joined(flop / (flop_per_s * reached), loading_s) + attention_s + work.layers * known.layer_s
    step_s = step_s + all_reduce_s(hardware, work, known, tokens=tokens)
    ideal = steps * hardware.stages / (steps + hardware.stages - 1)
    gained = 1 + np.minimum(known.stage_fraction, 1.0) * (ideal - 1)
    return joined(step_s * steps / gained, work.layers * known.host_layer_s)


def request_s(
    hardware: Hardware,
    work: Work,
    known: Efficiency,
    *,
    sequences: Number,
    input_tokens: Number,
    output_tokens: Number,
    step_tokens: Number = np.inf,
) -> Number:
    """Seconds of work that one request costs a machine which serves this many at a time.

    Its share of a prefill, during which the others wait, and of the steps that give its output. Short prompts are read
    together. The context during decode is taken in the middle of the output.
    """
    prompt = np.maximum(input_tokens, 1.0)
    together = np.clip(LARGEST_STEP_TOKENS / prompt, 1.0, sequences)
    prompts_s = prefill_s(hardware, work, known, prompt_tokens=prompt, step_tokens=step_tokens, prompts=together)
    step_s = decode_step_s(hardware, work, known, sequences=sequences, context_tokens=input_tokens + output_tokens / 2)
    return prompts_s / together + output_tokens * step_s / sequences


def sequences_that_fit(
    work: Work, *, free_bytes: Number, input_tokens: Number, output_tokens: Number, kept_fraction: Number = 1.0
) -> Number:
    """Requests whose keys and values fit into the memory that the weights leave free, at least 1.

    Each needs room for its prompt and for kept_fraction of its reply.

    >>> eight_b = Work(
    ...     layers=32,
    ...     hidden_size=4096,
    ...     dense_bytes=15e9,
    ...     expert_bytes=0,
    ...     expert_count=1,
    ...     active_expert_count=1,
    ...     active_params=8e9,
    ...     cache_bytes_per_token=131072,
    ...     window_bytes_per_token=0,
    ...     window_tokens=1,
    ...     attention_flop_per_pair=1,
    ... )
    >>> float(sequences_that_fit(eight_b, free_bytes=2**33, input_tokens=512, output_tokens=512))
    64.0
    """
    each = cache_bytes(work, context_tokens=input_tokens + kept_fraction * output_tokens)
    return np.maximum(np.floor(free_bytes / each), 1.0)
