"""Memory: published sizes to the digit, limits in sentences, and laws for every shape."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core import memory
from llmcompare.core.memory import KV_BYTES_PER_ELEMENT, Use, kv_cache_bytes, need
from llmcompare.core.shapes import ModelShape
from llmcompare.core.weights import WEIGHT_FORMATS, bits_per_weight, read_weights_bytes, weight_format, weights_bytes
from llmcompare.errors import InputError
from llmcompare.store import queries

GIB, MIB = 1024**3, 1024**2


@pytest.fixture(scope="module")
def shapes(real_catalog):
    return queries.model_shapes(real_catalog)


# Published: vendors' and engines' own figures, one sequence, 16-bit cache.
PUBLISHED_CACHES = [
    ("qwen2.5-7b-instruct", 131_072, 7.00),
    ("qwen2.5-72b-instruct", 32_768, 10.00),
    ("llama-3.3-70b-instruct", 131_072, 40.00),
    ("llama-3-8b-instruct", 8_192, 1.00),
    ("llama-3-70b-instruct", 2_048, 0.625),
]


@pytest.mark.parametrize(("model", "tokens", "gib"), PUBLISHED_CACHES)
def test_a_kv_cache_has_the_published_size_to_the_byte(shapes, model, tokens, gib):
    assert kv_cache_bytes(shapes[model], Use(context_tokens=tokens)) == gib * GIB


def test_qwen3_30b_a3b_loses_3456_mib_from_40960_to_4096_tokens(shapes):
    long, short = (kv_cache_bytes(shapes["qwen3-30b-a3b"], Use(context_tokens=tokens)) for tokens in (40_960, 4_096))
    assert long - short == 3_456 * MIB


def test_a_hybrid_model_keeps_the_context_in_one_layer_of_four(shapes):
    # 12 layers x 2 KV heads x (256 + 256) x 2 bytes = 24,576 bytes a token.
    assert kv_cache_bytes(shapes["qwen3-next-80b-a3b-instruct"], Use(context_tokens=262_144)) == 24_576 * 262_144
    assert shapes["qwen3.5-27b"].full_kv_layer_count * 4 == shapes["qwen3.5-27b"].layer_count


def test_a_window_bounds_the_cache_of_its_layers(shapes):
    mistral = shapes["mistral-7b-v0.1"]
    at_window, beyond = (kv_cache_bytes(mistral, Use(context_tokens=tokens)) for tokens in (4_096, 8_192))
    assert at_window == beyond == 0.5 * GIB
    scout = shapes["llama-4-scout-instruct"]
    # 12 of 48 layers grow; 8 heads x 256 x 2 bytes a layer and token.
    grown = kv_cache_bytes(scout, Use(context_tokens=100_000)) - kv_cache_bytes(scout, Use(context_tokens=50_000))
    assert grown == 12 * 50_000 * 8 * 256 * 2


def test_a_name_that_shares_an_architecture_has_its_shape(shapes):
    assert shapes["llama-3-8b-instruct"].name == "llama-3-8b-instruct"
    assert len(shapes) > len({shape.name for shape in shapes.values()}) > 150
    alias = next(name for name, shape in shapes.items() if name != shape.name)
    assert shapes[alias] == shapes[shapes[alias].name]


def test_what_no_source_says_is_an_upper_bound_and_said_so(shapes):
    unknown, known = shapes["qwen2.5-72b"], shapes["llama-3.1-8b"]
    assert unknown.full_kv_layer_count == unknown.layer_count
    assert any("upper bound" in one for one in need(unknown, Use(context_tokens=1), format_name="bf16").warnings)
    assert need(known, Use(context_tokens=1), format_name="bf16").warnings == ()


# --- weights ----------------------------------------------------------------------------------------------------------

MISPRINTED = {("llama-3-8b", "q2_k_s")}
"""The table repeats the size of q2_k; the other table of the same tool gives 2.78 GiB for the same architecture."""
OLD_MIXES = {("llama-2-70b", "q2_k"), ("llama-2-70b", "q3_k_m")}
"""A scoreboard of 2023: llama.cpp has changed these two mixes since, by 13% and 0.5%."""
MADE_WITH_A_MATRIX = {("llama-3-70b", "iq4_xs"), ("llama-3-70b", "iq4_nl")}
"""llama.cpp PR 6745: all files of this table."""


def test_sizes_agree_with_every_published_one_within_half_a_percent(shapes, real_catalog):
    columns, rows = queries.table_rows(real_catalog, "quantization_quality")
    compared = 0
    for row in (dict(zip(columns, cells, strict=True)) for cells in rows):
        key = (row["model"], row["quantization"])
        if row["size_gib"] is None or key in MISPRINTED | OLD_MIXES:
            continue
        name = "gguf-" + row["quantization"].replace("fp16", "f16")
        matrix = row["importance_matrix"] is not None or key in MADE_WITH_A_MATRIX
        gib = weights_bytes(shapes[row["model"]], format_name=name, importance_matrix=matrix) / GIB
        # A file also holds its vocabulary, and the table rounds to two digits.
        assert gib == pytest.approx(row["size_gib"], rel=0.005, abs=0.013), key
        compared += 1
    assert compared > 60


def test_bits_per_weight_of_llama_3_1_8b_agree_with_llama_cpp_to_the_fourth_digit(shapes, real_catalog):
    columns, rows = queries.table_rows(real_catalog, "quantizations")
    for row in (dict(zip(columns, cells, strict=True)) for cells in rows):
        shape = shapes["llama-3.1-8b"]
        assert bits_per_weight(shape, format_name=row["quantization"]) == pytest.approx(
            row["bits_per_weight"], abs=2e-4
        )
        assert weights_bytes(shape, format_name=row["quantization"]) / GIB == pytest.approx(row["size_gib"], rel=0.005)


def test_counted_parameters_agree_with_the_stated_ones(shapes):
    # 30,532,122,624 and 8,030,261,248: num_parameters of the safetensors of these models.
    for name, parameters in (("qwen3-30b-a3b", 30_532_122_624), ("llama-3.1-8b", 8_030_261_248)):
        assert weights_bytes(shapes[name], format_name="bf16") == pytest.approx(2 * parameters, rel=0.0005)


def test_every_model_is_about_as_large_as_its_parameters_say(shapes):
    for shape in set(shapes.values()):
        assert weights_bytes(shape, format_name="bf16") == pytest.approx(2 * shape.params_total, rel=0.065), shape.name


def test_embeddings_and_output_stay_at_16_bits_in_formats_of_serving_engines(shapes):
    shape = shapes["llama-3.1-8b"]
    table = 2 * 128_256 * 4_096 * 2
    layers = weights_bytes(shape, format_name="bf16") - table
    assert weights_bytes(shape, format_name="fp8") == pytest.approx(table + layers / 2, rel=0.001)
    # hugging-quants' AWQ file of this model has 5.7 GB.
    assert weights_bytes(shape, format_name="awq-int4") == pytest.approx(5.73e9, rel=0.01)


def test_of_the_embeddings_a_token_reads_one_row(shapes):
    moe, dense = shapes["qwen3-30b-a3b"], shapes["llama-3.1-8b"]
    # 30.5 billion, less 0.31 billion of embeddings.
    assert read_weights_bytes(moe, format_name="bf16") == pytest.approx(2 * 30.2e9, rel=0.01)
    assert read_weights_bytes(dense, format_name="bf16") == pytest.approx(2 * (8.03e9 - 0.525e9), rel=0.01)


def test_formats_have_the_names_of_the_measurements(real_catalog):
    _, rows = real_catalog.table("SELECT DISTINCT weight_format FROM throughput WHERE weight_format IS NOT NULL")
    for (name,) in rows:
        assert weight_format(name).name == name


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"context_tokens": 0}, "a context of 0 tokens holds nothing: give at least 1"),
        ({"context_tokens": -5}, "a context of -5 tokens"),
        ({"context_tokens": 1, "sequences": 0}, "0 sequences are none"),
        ({"context_tokens": 1, "kv_format": "q9"}, "'q9' is no format of a KV cache"),
    ],
)
def test_a_use_that_no_machine_could_do_is_refused(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        Use(**wrong)


def test_a_context_between_native_and_extended_warns_and_beyond_is_refused_with_the_limit(shapes):
    qwen = shapes["qwen2.5-7b-instruct"]
    assert need(qwen, Use(context_tokens=32_768), format_name="bf16").warnings == ()
    (warning,) = need(qwen, Use(context_tokens=32_769), format_name="bf16").warnings
    assert "beyond the native 32,768" in warning
    with pytest.raises(InputError, match=r"longer than the 131,072 .* give 131,072 or less"):
        need(qwen, Use(context_tokens=131_073), format_name="bf16")


def test_more_layers_or_gpus_than_there_are_are_refused_with_the_limit(shapes):
    shape = shapes["llama-3-8b"]
    needed = need(shape, Use(context_tokens=8_192), format_name="q4_k_m")
    with pytest.raises(InputError, match=r"33 layers .* llama-3-8b has 32, give 0 to 32"):
        memory.split_by_layers(shape, needed, gpu_layers=33)
    with pytest.raises(InputError, match="40 GPUs cannot share 32 heads"):
        need(shape, Use(context_tokens=1), format_name="bf16", gpu_count=40)
    with pytest.raises(InputError, match="no experts"):
        memory.split_experts(shape, needed, format_name="q4_k_m")
    with pytest.raises(InputError, match=r"'q4_k_l' is no weight format .* did you mean"):
        weights_bytes(shape, format_name="q4_k_l")


# --- what fits --------------------------------------------------------------------------------------------------------


def test_llama_3_3_70b_in_q4_k_m_at_8k_fits_one_48_gb_gpu_and_not_one_of_24(shapes):
    shape, use = shapes["llama-3.3-70b-instruct"], Use(context_tokens=8_192)
    counts = [
        memory.gpus_needed(shape, use, format_name="q4_k_m", usable_bytes_per_gpu=memory.usable_bytes(gb))
        for gb in (24, 48, 80)
    ]
    # 39.6 GiB of weights, 2.5 of cache, 0.7 of buffers; 21.6 and 43.2 GiB can be used.
    assert counts == [4, 1, 1]


def test_the_parts_of_a_split_are_the_whole(shapes):
    moe = shapes["qwen3-30b-a3b"]
    needed = need(moe, Use(context_tokens=8_192), format_name="q4_k_m")
    experts = memory.split_experts(moe, needed, format_name="q4_k_m")
    assert experts.gpu_bytes + experts.ram_bytes == needed.total_bytes
    # Attention, embeddings and cache of this model stay below 3 GiB.
    assert experts.ram_bytes > 0.9 * needed.weights_bytes
    half = memory.split_by_layers(moe, needed, gpu_layers=24)
    assert half.gpu_bytes + half.ram_bytes == needed.total_bytes


counts = st.integers(1, 96)
dense_shapes = st.builds(
    ModelShape,
    name=st.just("any"),
    params_total=st.floats(1e8, 1e12),
    params_active=st.just(1e8),
    layer_count=st.integers(1, 130),
    hidden_size=st.integers(1, 64).map(lambda number: 256 * number),
    head_count=st.sampled_from([8, 16, 32, 64]),
    kv_head_count=st.sampled_from([1, 2, 4, 8]),
    key_size=st.sampled_from([64, 128, 256]),
    value_size=st.sampled_from([64, 128]),
    full_kv_layer_count=st.integers(1, 130),
    window_kv_layer_count=st.integers(0, 100),
    window_tokens=st.integers(1, 10_000),
    vocabulary_size=st.integers(1_000, 300_000),
)
uses = st.builds(
    Use,
    context_tokens=st.integers(1, 1_000_000),
    sequences=st.integers(1, 64),
    kv_format=st.sampled_from(sorted(KV_BYTES_PER_ELEMENT)),
)


@given(shape=dense_shapes, use=uses)
def test_twice_the_kv_heads_make_twice_the_cache(shape, use):
    doubled = dataclasses.replace(shape, kv_head_count=2 * shape.kv_head_count)
    assert kv_cache_bytes(doubled, use) == pytest.approx(2 * kv_cache_bytes(shape, use), abs=1)


@given(shape=dense_shapes, use=uses, more=st.integers(0, 1_000_000))
def test_a_longer_context_or_more_sequences_never_need_less(shape, use, more):
    longer = dataclasses.replace(use, context_tokens=use.context_tokens + more)
    wider = dataclasses.replace(use, sequences=use.sequences + 1)
    for larger in (longer, wider):
        assert kv_cache_bytes(shape, larger) >= kv_cache_bytes(shape, use)


@given(shape=dense_shapes, use=uses, gpus=st.sampled_from([1, 2, 4, 8]), name=st.sampled_from(sorted(WEIGHT_FORMATS)))
def test_more_gpus_never_need_less_together_and_the_total_is_the_sum(shape, use, gpus, name):
    one, several = (need(shape, use, format_name=name, gpu_count=count) for count in (1, gpus))
    assert several.total_bytes >= one.total_bytes
    assert several.total_bytes == several.weights_bytes + several.kv_cache_bytes + several.buffers_bytes


@given(shape=dense_shapes, use=uses, gib=st.floats(1, 2_000))
def test_the_largest_context_fits_and_one_token_more_does_not(shape, use, gib):
    usable = int(gib * GIB)
    needed = need(shape, use, format_name="q4_k_m")
    longest = memory.largest_context_tokens(shape, use, needed=needed, usable_bytes_per_gpu=usable)
    # No window without layers that keep everything, and no limit of the model: there always is a longest context.
    fixed = needed.weights_bytes + needed.buffers_bytes
    if longest is None:
        assert fixed + kv_cache_bytes(shape, dataclasses.replace(use, context_tokens=1)) > usable
        return
    at_limit, beyond = (
        kv_cache_bytes(shape, dataclasses.replace(use, context_tokens=longest + extra)) for extra in (0, 1)
    )
    assert fixed + at_limit <= usable + 1
    assert fixed + beyond >= usable - 1


@given(shape=dense_shapes, use=uses, gib=st.floats(1, 2_000))
def test_the_largest_batch_fits_and_one_sequence_more_does_not(shape, use, gib):
    usable = int(gib * GIB)
    needed = need(shape, use, format_name="bf16")
    most = memory.largest_sequences(shape, use, needed=needed, usable_bytes_per_gpu=usable)
    for sequences, expected in ((most, True), (most + 1, False)):
        if sequences < 1:
            continue
        held = need(shape, dataclasses.replace(use, sequences=sequences), format_name="bf16")
        slack = sequences if expected else -sequences
        assert (held.total_bytes <= usable + slack) == expected or abs(held.total_bytes - usable) <= sequences


@given(shape=dense_shapes)
def test_fewer_bits_are_never_larger(shape):
    sizes = [weights_bytes(shape, format_name=name) for name in ("fp32", "bf16", "q8_0", "q6_k", "q5_k_s", "q4_k_s")]
    assert sizes == sorted(sizes, reverse=True)


@given(shape=dense_shapes, use=uses, layers=st.integers(0, 130))
def test_layers_move_between_gpu_and_ram_without_loss(shape, use, layers):
    needed = need(shape, use, format_name="q4_k_m")
    split = memory.split_by_layers(shape, needed, gpu_layers=min(layers, shape.layer_count))
    assert split.gpu_bytes + split.ram_bytes == needed.total_bytes
    assert min(split.gpu_bytes, split.ram_bytes) >= 0


@given(small=st.integers(0, 10**12), more=st.integers(0, 10**12), layer=st.integers(1, 10**10))
def test_a_larger_gpu_never_holds_fewer_layers(small, more, layer):
    few, many = (
        memory.layers_that_fit(layers=80, layer_bytes=layer, usable_gpu_bytes=size) for size in (small, small + more)
    )
    assert 0 <= few <= many <= 80
