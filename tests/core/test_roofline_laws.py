"""What must hold for every deployment, whatever the constants are."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.roofline import (
    Efficiency,
    Hardware,
    Work,
    all_reduce_s,
    cache_bytes,
    decode_step_s,
    experts_read_fraction,
    joined,
    matmul_fraction,
    prefill_s,
    request_s,
    sequences_that_fit,
    weights_read_bytes,
)

IDEAL = Efficiency(
    bandwidth_fraction=1.0,
    cache_fraction=1.0,
    layer_s=0.0,
    host_layer_s=0.0,
    step_s=0.0,
    sequence_s=0.0,
    reduce_s=0.0,
    link_fraction=1.0,
    stage_s=0.0,
    stage_fraction=1.0,
    prefill_fraction=1.0,
    decode_fraction=1.0,
    attention_fraction=1.0,
    half_tokens=0.0,
    vector_tokens=1.0,
    unpack_fraction=1e9,
)
REAL = dataclasses.replace(
    IDEAL,
    bandwidth_fraction=0.85,
    cache_fraction=0.7,
    layer_s=1e-4,
    host_layer_s=3e-5,
    step_s=1e-4,
    sequence_s=5e-6,
    reduce_s=1e-5,
    link_fraction=0.5,
    prefill_fraction=0.6,
    attention_fraction=0.2,
    half_tokens=60.0,
    vector_tokens=0.0,
)
H100 = Hardware(bandwidth_bytes_per_s=3.35e12, matmul_flop_per_s=989e12, link_bytes_per_s=450e9)
LLAMA_3_8B = Work(
    layers=32,
    hidden_size=4096,
    dense_bytes=15.0e9,
    expert_bytes=0.0,
    expert_count=1,
    active_expert_count=1,
    active_params=8.03e9,
    cache_bytes_per_token=131072.0,
    window_bytes_per_token=0.0,
    window_tokens=1.0,
    attention_flop_per_pair=2.0 * 32 * 32 * 256,
)
MIXTRAL = dataclasses.replace(
    LLAMA_3_8B, dense_bytes=3e9, expert_bytes=90e9, expert_count=8, active_expert_count=2, active_params=12.9e9
)

works = st.sampled_from([LLAMA_3_8B, MIXTRAL])
known = st.sampled_from([IDEAL, REAL])
sizes = st.floats(1, 1000)
tokens = st.floats(1, 100_000)
factors = st.floats(1.01, 20)
gpu_counts = st.sampled_from([1, 2, 4, 8])


def step(hardware=H100, work=LLAMA_3_8B, constants=REAL, *, sequences=1.0, context_tokens=1000.0):
    return float(decode_step_s(hardware, work, constants, sequences=sequences, context_tokens=context_tokens))


def test_decode_of_one_stream_is_bandwidth_over_bytes_read():
    # 15.0e9 + 0.131e9 bytes at 3.35e12 bytes/s: 4.52 ms, 221 tokens/s
    assert step(constants=IDEAL) == pytest.approx(15.131e9 / 3.35e12, rel=1e-3)


def test_four_tokens_read_68_percent_of_eight_experts_when_each_picks_two():
    assert experts_read_fraction(expert_count=8, active_expert_count=2, tokens=4) == pytest.approx(1 - 0.75**4)
    assert weights_read_bytes(MIXTRAL, tokens=1) == pytest.approx(3e9 + 90e9 / 4)
    assert weights_read_bytes(MIXTRAL, tokens=1e4) == pytest.approx(93e9)


def test_an_ideal_prefill_takes_two_operations_per_parameter_and_token():
    no_attention = dataclasses.replace(LLAMA_3_8B, attention_flop_per_pair=0.0)
    seconds = prefill_s(H100, no_attention, IDEAL, prompt_tokens=8192.0)
    assert seconds == pytest.approx(2 * 8.03e9 * 8192 / 989e12, rel=1e-3)


def test_prefill_of_one_token_cannot_beat_loading_the_weights():
    assert prefill_s(H100, LLAMA_3_8B, IDEAL, prompt_tokens=1.0) >= 15e9 / 3.35e12


def test_two_gpus_exchange_each_hidden_vector_twice_per_layer():
    two = dataclasses.replace(H100, tensor_parallel=2.0)
    # 2 per layer x 32 layers x 2 (n - 1) / n = 1 x 8192 bytes at 450e9 bytes/s
    assert all_reduce_s(two, LLAMA_3_8B, IDEAL, tokens=1.0) == pytest.approx(64 * 8192 / 450e9)
    assert all_reduce_s(H100, LLAMA_3_8B, IDEAL, tokens=1.0) == 0


def test_half_the_rate_is_reached_at_half_tokens():
    assert matmul_fraction(REAL, tokens=60.0) == pytest.approx(0.3)


def test_a_window_stops_the_cache_from_growing():
    windowed = dataclasses.replace(
        LLAMA_3_8B, window_bytes_per_token=131072.0, cache_bytes_per_token=0.0, window_tokens=4096.0
    )
    assert cache_bytes(windowed, context_tokens=100_000.0) == 131072 * 4096


@given(work=works, constants=known, sequences=sizes, context=tokens, factor=factors)
def test_more_bandwidth_is_never_slower(work, constants, sequences, context, factor):
    faster = dataclasses.replace(H100, bandwidth_bytes_per_s=H100.bandwidth_bytes_per_s * factor)
    given_ = {"sequences": sequences, "context_tokens": context}
    assert step(faster, work, constants, **given_) <= step(H100, work, constants, **given_)
    prompt = {"prompt_tokens": context}
    assert prefill_s(faster, work, constants, **prompt) <= prefill_s(H100, work, constants, **prompt)


@given(work=works, constants=known, sequences=sizes, context=tokens, factor=factors)
def test_a_longer_context_is_never_faster(work, constants, sequences, context, factor):
    longer = step(H100, work, constants, sequences=sequences, context_tokens=context * factor)
    assert longer >= step(H100, work, constants, sequences=sequences, context_tokens=context)


@given(work=works, constants=known, sequences=sizes, factor=factors)
def test_more_sequences_take_longer_together(work, constants, sequences, factor):
    more = step(H100, work, constants, sequences=sequences * factor)
    assert more >= step(H100, work, constants, sequences=sequences) * (1 - 1e-12)


@given(rate=st.floats(1e12, 1e16))
def test_there_is_no_jump_at_the_knee(rate):
    around = [
        step(dataclasses.replace(H100, matmul_flop_per_s=rate * nudge), sequences=64.0)
        for nudge in (1 - 1e-6, 1 + 1e-6)
    ]
    assert around[0] == pytest.approx(around[1], rel=1e-5)


@given(one=st.floats(1e-9, 1e9), other=st.floats(1e-9, 1e9))
def test_two_limits_joined_lie_between_the_larger_and_a_fifth_more(one, other):
    assert max(one, other) * (1 - 1e-12) <= joined(one, other) <= max(one, other) * 1.19


@given(gpus=gpu_counts, sequences=sizes, context=tokens)
def test_tensor_parallel_never_beats_the_share_of_one_gpus_compute_and_reading(gpus, sequences, context):
    many = dataclasses.replace(H100, tensor_parallel=float(gpus))
    flop = 2 * LLAMA_3_8B.active_params * max(sequences - 1, 0)
    floor = max(flop / (H100.matmul_flop_per_s * gpus), 15e9 / (H100.bandwidth_bytes_per_s * gpus))
    assert step(many, constants=IDEAL, sequences=sequences, context_tokens=context) >= floor * (1 - 1e-9)
    assert step(many, sequences=sequences, context_tokens=context) >= floor


@given(sequences=sizes, prompt=tokens, reply=tokens)
def test_serving_more_at_once_never_makes_a_request_cost_more(sequences, prompt, reply):
    def cost(count):
        return float(request_s(H100, LLAMA_3_8B, IDEAL, sequences=count, input_tokens=prompt, output_tokens=reply))

    assert cost(sequences + 1) <= cost(sequences) * (1 + 1e-9)


def test_twice_the_cache_holds_half_the_sequences():
    double = dataclasses.replace(LLAMA_3_8B, cache_bytes_per_token=262144.0)
    room = {"free_bytes": 2.0**36, "input_tokens": 1024.0, "output_tokens": 1024.0}
    assert sequences_that_fit(LLAMA_3_8B, **room) == 256
    assert sequences_that_fit(double, **room) == 128
    assert sequences_that_fit(double, free_bytes=1.0, input_tokens=1.0, output_tokens=1.0) == 1


def test_numbers_and_arrays_give_the_same():
    many = decode_step_s(H100, LLAMA_3_8B, REAL, sequences=np.array([1.0, 8.0]), context_tokens=1000.0)
    assert many.tolist() == [step(), step(sequences=8.0)]
