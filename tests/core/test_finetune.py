"""Memory and time of fine-tuning, against published counts and by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.cost import Band
from llmcompare.core.finetune import (
    METHODS,
    PROJECTIONS,
    Tuning,
    adapter_params,
    flop,
    gpu_hours,
    memory,
    paid_back,
    trained_params,
    tuning_usd,
)
from llmcompare.core.shapes import ModelShape
from llmcompare.errors import InputError

LLAMA_8B = ModelShape(
    name="llama-3.1-8b", params_total=8.03e9, params_active=8.03e9, layer_count=32, hidden_size=4096, head_count=32,
    kv_head_count=8, key_size=128, value_size=128, full_kv_layer_count=32, vocabulary_size=128_256,
    ffn_hidden_size=14_336, tied_embeddings=False,
)  # fmt: skip
LLAMA_65B = ModelShape(
    name="llama-65b", params_total=65.2e9, params_active=65.2e9, layer_count=80, hidden_size=8192, head_count=64,
    kv_head_count=64, key_size=128, value_size=128, full_kv_layer_count=80, vocabulary_size=32_000,
    ffn_hidden_size=22_016, tied_embeddings=False,
)  # fmt: skip
GIB = 2**30
runs = st.builds(
    Tuning,
    method=st.sampled_from(METHODS),
    examples=st.integers(1, 100_000),
    tokens_per_example=st.integers(1, 8_192),
    epochs=st.floats(0.1, 10),
    sequences_per_step=st.integers(1, 16),
    rank=st.integers(1, 256),
    projections=st.sampled_from(PROJECTIONS),
    recomputes=st.booleans(),
)
bands = st.tuples(*[st.floats(0.01, 100)] * 3).map(sorted).map(lambda v: Band(low=v[0], mid=v[1], high=v[2]))


def state(run: Tuning) -> float:
    """What is not activations."""
    found = memory(LLAMA_8B, run)
    return found.weights_bytes + found.gradients_bytes + found.optimiser_bytes + found.adapter_bytes


def test_rank_8_on_query_and_value_of_a_7b_trains_the_4_194_304_parameters_that_peft_prints():
    seven = replace(LLAMA_8B, kv_head_count=32, ffn_hidden_size=11_008)
    assert adapter_params(seven, rank=8, projections="query and value") == 32 * 2 * (4096 + 4096) * 8 == 4_194_304


def test_rank_16_on_every_matrix_of_llama_8b_is_the_sum_over_its_seven_matrices():
    sides = (4096 + 4096) * 2 + (4096 + 1024) * 2 + 3 * (4096 + 14_336)
    assert adapter_params(LLAMA_8B, rank=16) == 16 * 32 * sides == 41_943_040


def test_full_tuning_takes_16_bytes_for_every_parameter():
    run = Tuning(method="full")
    assert state(run) == pytest.approx(16 * 8.03e9, rel=1e-3)


def test_qlora_of_65b_fits_into_48_gb_as_its_authors_report_and_lora_does_not():
    qlora, lora = (memory(LLAMA_65B, Tuning(method=name, rank=64)) for name in ("QLoRA", "LoRA"))
    assert 30 * GIB < qlora.total_bytes < 48 * GIB < lora.total_bytes


def test_six_operations_per_parameter_and_token_by_hand():
    run = Tuning(method="full", examples=1_000, tokens_per_example=500, epochs=3, recomputes=False)
    assert flop(LLAMA_8B, run) == pytest.approx(6 * 8.03e9 * 1.5e6)
    assert flop(LLAMA_8B, replace(run, method="LoRA", recomputes=True)) == pytest.approx(6 * 8.03e9 * 1.5e6)
    hours = gpu_hours(LLAMA_8B, run, flop_per_s=989e12, utilisation=Band(low=0.4, mid=0.4, high=0.4))
    assert hours.mid == pytest.approx(6 * 8.03e9 * 1.5e6 / (989e12 * 0.4 * 3600))


@given(run=runs)
def test_full_tuning_needs_no_less_than_lora_and_lora_no_less_than_qlora(run):
    # Adapters that are larger than the model itself are no adapters.
    if adapter_params(LLAMA_8B, rank=run.rank, projections=run.projections) < LLAMA_8B.params_total / 2:
        full, lora, qlora = (state(replace(run, method=name)) for name in METHODS)
        assert full >= lora >= qlora


@given(run=runs, factor=st.integers(2, 5))
def test_memory_never_shrinks_with_longer_examples_more_sequences_or_a_higher_rank(run, factor):
    base = memory(LLAMA_8B, run).total_bytes
    assert memory(LLAMA_8B, replace(run, tokens_per_example=run.tokens_per_example * factor)).total_bytes >= base
    assert memory(LLAMA_8B, replace(run, sequences_per_step=run.sequences_per_step * factor)).total_bytes >= base
    assert memory(LLAMA_8B, replace(run, rank=run.rank * factor)).total_bytes >= base


@given(run=runs)
def test_recomputing_never_needs_more_memory_and_never_fewer_operations(run):
    kept, again = replace(run, recomputes=False), replace(run, recomputes=True)
    assert memory(LLAMA_8B, again).total_bytes <= memory(LLAMA_8B, kept).total_bytes
    assert flop(LLAMA_8B, again) >= flop(LLAMA_8B, kept)


@given(run=runs, count=st.sampled_from([2, 4, 8]))
def test_more_gpus_share_the_state_and_keep_their_own_activations(run, count):
    one, many = memory(LLAMA_8B, run), memory(LLAMA_8B, run, gpu_count=count)
    assert many.weights_bytes * count == pytest.approx(one.weights_bytes)
    assert many.optimiser_bytes * count == pytest.approx(one.optimiser_bytes)
    assert many.activations_bytes == one.activations_bytes


@given(run=runs, factor=st.integers(2, 9))
def test_hours_are_proportional_to_the_examples(run, factor):
    one = gpu_hours(LLAMA_8B, run, flop_per_s=1e14)
    many = gpu_hours(LLAMA_8B, replace(run, examples=run.examples * factor), flop_per_s=1e14)
    assert many.mid == pytest.approx(one.mid * factor)
    assert one.low <= one.mid <= one.high


@given(hours=bands, price=bands, wider=st.floats(1, 3))
def test_a_wider_price_band_never_narrows_the_cost(hours, price, wider):
    narrow = tuning_usd(hours, usd_per_gpu_hour=price)
    wide = tuning_usd(hours, usd_per_gpu_hour=Band(low=price.low / wider, mid=price.mid, high=price.high * wider))
    assert wide.low <= narrow.low <= narrow.mid <= narrow.high <= wide.high


@given(once=bands, tuned=bands, other=bands)
def test_what_has_paid_itself_at_worst_has_done_so_earlier_at_best(once, tuned, other):
    found = paid_back(once, tuned_usd_per_month=tuned, other_usd_per_month=other)
    if found.latest is not None:
        assert found.earliest <= found.months <= found.latest
    if found.months is not None:
        assert found.months * (other.mid - tuned.mid) == pytest.approx(once.mid)


def test_full_tuning_trains_everything():
    assert trained_params(LLAMA_8B, Tuning(method="full")) == 8.03e9


@pytest.mark.parametrize(
    ("field", "value"),
    [("examples", 0), ("tokens_per_example", 0), ("epochs", float("nan")), ("rank", 0), ("sequences_per_step", 0)],
)
def test_a_run_that_cannot_be_is_refused_by_name(field, value):
    with pytest.raises(InputError, match=f"{field} is "):
        Tuning(method="LoRA", **{field: value})


def test_an_unknown_method_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="method is 'adapter': give one of full, LoRA, QLoRA"):
        Tuning(method="adapter")
