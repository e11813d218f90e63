"""How fast one machine is, learnt from measurements: exact for what was measured, lawful for everything else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.bench import SpeedTest
from llmcompare.core.shapes import ModelShape
from llmcompare.core.this_machine import (
    ModelInFormat,
    Observation,
    attention_flop,
    band,
    decode_bytes,
    effective_bandwidth,
    effective_flop_per_s,
    machine_id,
    machine_speed,
    predicted_from,
    predicted_tokens_per_s,
    prefill_flop,
    prompt_weight_count,
    read_weight_count,
    residuals,
    spread,
)

PP512 = SpeedTest(prompt_tokens=512, generated_tokens=0)
TG128 = SpeedTest(prompt_tokens=0, generated_tokens=128)
TG32 = SpeedTest(prompt_tokens=0, generated_tokens=32)
SHAPE = ModelShape(
    name="llama-3-8b", params_total=8.03e9, params_active=8.03e9, layer_count=32, hidden_size=4096, head_count=32,
    kv_head_count=8, key_size=128, value_size=128, full_kv_layer_count=32, vocabulary_size=128_256,
    ffn_hidden_size=14_336, tied_embeddings=False,
)  # fmt: skip
SMOL = ModelShape(
    name="smollm2-135m", params_total=134_515_008, params_active=134_515_008, layer_count=30, hidden_size=576,
    head_count=9, kv_head_count=3, key_size=64, value_size=64, full_kv_layer_count=30, vocabulary_size=49_152,
    ffn_hidden_size=1536, tied_embeddings=True,
)  # fmt: skip
MID = ModelShape(
    name="504m", params_total=504_371_712, params_active=504_371_712, layer_count=20, hidden_size=1536, head_count=24,
    kv_head_count=8, key_size=64, value_size=64, full_kv_layer_count=20, vocabulary_size=335, ffn_hidden_size=4096,
    tied_embeddings=False,
)  # fmt: skip
MODEL = ModelInFormat(shape=SHAPE, weights_bytes=4_920_000_000, quantization="Q4_K_M")
RATE = st.floats(0.01, 1e5)
TESTS = st.builds(
    lambda reads, tokens, depth: SpeedTest(
        prompt_tokens=tokens if reads else 0, generated_tokens=0 if reads else tokens, depth_tokens=depth
    ),
    st.booleans(),
    st.integers(1, 4096),
    st.integers(0, 32_768),
)
MODELS = st.builds(
    ModelInFormat,
    shape=st.sampled_from([SHAPE, SMOL, MID]),
    weights_bytes=st.integers(10**7, 10**11),
    quantization=st.sampled_from([None, "Q4_0", "Q4_K_M", "Q8_0", "F16"]),
)
OBSERVATIONS = st.lists(
    st.builds(
        Observation, bench_id=st.sampled_from("abcd"), model=MODELS, test=TESTS, tokens_per_s=RATE,
        relative_sd=st.floats(0, 1),
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


def seen(tokens_per_s, *, bench_id="a", model=MODEL, test=TG128, relative_sd=0.0):
    return Observation(bench_id=bench_id, model=model, test=test, tokens_per_s=tokens_per_s, relative_sd=relative_sd)


def smol(quantization, weights_bytes):
    return ModelInFormat(shape=SMOL, weights_bytes=weights_bytes, quantization=quantization)


def cache_read(shape, context_tokens):
    """What a longer context adds to the bytes of a token."""
    model = replace(MODEL, shape=shape)
    return decode_bytes(model, context_tokens=context_tokens) - decode_bytes(model, context_tokens=1)


def test_of_the_kv_cache_of_llama_3_8b_one_gib_is_read_after_8192_tokens():
    assert cache_read(SHAPE, 8192) == 2**30 * 8191 / 8192


def test_a_window_bounds_what_is_read_of_the_cache():
    windowed = replace(SHAPE, full_kv_layer_count=8, window_kv_layer_count=24, window_tokens=1024)
    assert cache_read(windowed, 8192) == 2**30 * (8 * 8191 + 24 * 1023) / 32 / 8192


def test_of_untied_embeddings_a_written_token_reads_one_row_and_of_tied_ones_all():
    assert read_weight_count(SHAPE) == 8.03e9 - 128_256 * 4096
    assert read_weight_count(SMOL) == 134_515_008
    assert prompt_weight_count(SHAPE) == 8.03e9 - 2 * 128_256 * 4096
    assert prompt_weight_count(SMOL) == 134_515_008 - 49_152 * 576


def test_of_a_mixture_of_experts_the_active_share_is_read():
    moe = replace(SHAPE, params_active=8.03e9 / 4, tied_embeddings=True, expert_count=8, active_expert_count=2)
    model = replace(MODEL, shape=moe)
    assert decode_bytes(model, context_tokens=0) == pytest.approx(4.92e9 / 4)


def test_bandwidth_and_operations_can_be_redone_by_hand():
    # 96,576,768 bytes and 64 tokens of context of 23,040 bytes each, at 60 tokens/s.
    model = smol("Q4_1", 96_576_768)
    assert effective_bandwidth(seen(60.0, model=model)) == pytest.approx((96_576_768 + 64 * 23_040) * 60)
    # 2 operations for each of 106,203,456 weights, and 30 layers x 9 heads x 2 x 128 for each of 256 tokens looked at.
    flop_per_token = 2 * 106_203_456 + 30 * 9 * 2 * 128 * 256
    assert effective_flop_per_s(seen(100.0, model=model, test=PP512)) == pytest.approx(flop_per_token * 100)
    assert prefill_flop(SMOL, PP512) == pytest.approx(512 * flop_per_token)
    assert attention_flop(SMOL, replace(PP512, depth_tokens=256)) == 2 * attention_flop(SMOL, PP512)


def test_nothing_is_predicted_of_what_was_never_measured():
    machine = machine_speed([seen(10.0)])
    assert machine.flop_per_s is None
    assert predicted_tokens_per_s(machine, MODEL, PP512) is None
    assert predicted_tokens_per_s(machine_speed([]), MODEL, TG128) is None


@given(model=MODELS, test=TESTS, rate=RATE)
def test_the_first_measurement_is_predicted_as_it_was(model, test, rate):
    machine = machine_speed([seen(rate, model=model, test=test)])
    assert predicted_tokens_per_s(machine, model, test) == pytest.approx(rate, rel=1e-6)


@given(found=OBSERVATIONS, model=MODELS, test=TESTS, more=st.integers(1, 10_000))
def test_a_longer_context_and_a_larger_file_are_never_faster(found, model, test, more):
    machine = machine_speed(found)
    plain = predicted_tokens_per_s(machine, model, test)
    if plain is None:
        return
    assert plain > 0
    deeper = replace(test, depth_tokens=test.depth_tokens + more)
    assert predicted_tokens_per_s(machine, model, deeper) <= plain * (1 + 1e-9)
    larger = replace(model, weights_bytes=model.weights_bytes + more)
    assert predicted_tokens_per_s(machine, larger, test) <= plain * (1 + 1e-9)


@given(found=OBSERVATIONS, model=MODELS, test=TESTS, factor=st.floats(0.1, 10))
def test_a_machine_that_is_twice_as_fast_is_predicted_to_be_twice_as_fast(found, model, test, factor):
    slow = predicted_tokens_per_s(machine_speed(found), model, test)
    faster = [replace(one, tokens_per_s=one.tokens_per_s * factor) for one in found]
    fast = predicted_tokens_per_s(machine_speed(faster), model, test)
    assert (slow is None and fast is None) or fast == pytest.approx(slow * factor, rel=1e-6)


def test_one_small_model_predicts_the_formats_of_another_nearly_four_times_its_size():
    # Tokens/s written by 1 thread of an Intel Xeon with AVX-512 (benchmarks/results/bench_measure.csv).
    before = [seen(60.3, model=smol("Q4_1", 96_576_768), test=TG128)]
    measured = {
        ("Q4_0", 284_053_476): 20.9, ("Q4_K_M", 302_301_156): 20.7, ("Q6_K", 413_942_664): 18.1,
        ("Q8_0", 536_079_936): 14.9, ("F16", 1_008_869_376): 9.19,
    }  # fmt: skip
    for (quantization, weights_bytes), tokens_per_s in measured.items():
        model = ModelInFormat(shape=MID, weights_bytes=weights_bytes, quantization=quantization)
        predicted = predicted_from(before, seen(1.0, model=model, test=TG32))
        assert predicted == pytest.approx(tokens_per_s, rel=0.2), quantization


def test_a_format_that_is_slower_than_its_bytes_say_is_remembered_as_such():
    plain, slow = smol("Q8_0", 143_025_408), smol("IQ4_XS", 80_000_000)
    found = [seen(50.0, model=plain), seen(20.0, bench_id="b", model=slow)]
    larger = replace(slow, shape=MID, weights_bytes=300_000_000)
    learnt = predicted_tokens_per_s(machine_speed(found), larger, TG128)
    unlearnt = predicted_tokens_per_s(machine_speed(found), replace(larger, quantization="Q5_K_M"), TG128)
    assert learnt < 0.7 * unlearnt


def test_a_disturbed_measurement_counts_less():
    quiet, disturbed = seen(50.0), seen(10.0, test=TG32, relative_sd=0.5)
    predicted = predicted_tokens_per_s(machine_speed([quiet, disturbed]), MODEL, TG128)
    undisturbed = predicted_tokens_per_s(machine_speed([quiet, replace(disturbed, relative_sd=0.0)]), MODEL, TG128)
    assert abs(predicted - 50) < abs(undisturbed - 50)


def test_of_a_repeated_test_the_newest_counts():
    assert predicted_tokens_per_s(machine_speed([seen(10.0), seen(40.0)]), MODEL, TG128) == pytest.approx(40.0)


def test_each_bench_is_predicted_before_it_is_learnt_from():
    other = replace(MODEL, quantization="Q8_0", weights_bytes=2 * MODEL.weights_bytes)
    found = [seen(10.0), seen(100.0, test=PP512), seen(4.0, bench_id="b", model=other), seen(9.0, bench_id="c")]
    made = residuals(found)
    assert [(one.observation.bench_id, one.repeated) for one in made] == [("b", False), ("c", True)]
    assert made[0].predicted_tokens_per_s == pytest.approx(predicted_from(found[:2], found[2]))
    assert made[1].predicted_tokens_per_s == pytest.approx(predicted_from(found[:3], found[3]))
    assert made[0].ratio == pytest.approx(4.0 / made[0].predicted_tokens_per_s)


def test_another_predictor_is_asked_with_what_was_known_before():
    asked = []

    def predict(before, wanted):
        asked.append((len(before), wanted.tokens_per_s))
        return 2.0

    found = [seen(10.0), seen(8.0, bench_id="b"), seen(4.0, bench_id="b", test=TG32), seen(1.0, bench_id="c")]
    assert [one.ratio for one in residuals(found, predict)] == [4.0, 2.0, 0.5]
    assert asked == [(1, 8.0), (1, 4.0), (3, 1.0)]


@given(ratios=st.lists(st.floats(0.01, 100), min_size=1, max_size=50))
def test_the_spread_lies_within_its_ratios_in_order(ratios):
    found = spread(ratios)
    assert min(ratios) * (1 - 1e-9) <= found.p10 <= found.p50 <= found.p90 <= max(ratios) * (1 + 1e-9)
    assert found.count == len(ratios)
    assert spread([]) is None


def test_the_band_follows_the_ratios_that_were_seen_here():
    low, high = band(100.0, [0.9, 1.0, 1.1] * 40)
    assert (low, high) == (pytest.approx(90, abs=1), pytest.approx(110, abs=1))
    wide_low, wide_high = band(100.0, [])
    assert wide_low < low < high < wide_high


def test_a_machine_keeps_its_mark_through_updates_and_has_another_with_other_hardware():
    hardware = {"cpu": "Ryzen 7", "core_count": 8, "memory_bytes": 32 * 2**30}
    mark = machine_id(**hardware)
    assert mark == machine_id(**hardware | {"memory_bytes": 32 * 2**30 - 9_000_000})
    assert machine_id(**hardware, gpus=("A", "B")) == machine_id(**hardware, gpus=("B", "A")) != mark
    assert len({mark, machine_id(**hardware | {"core_count": 16}), machine_id(**hardware | {"cpu": "Ryzen 9"})}) == 3
    assert "Ryzen" not in mark
