"""The shape of a model from the header of its file: what the metadata and the table of tensors say, never the name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.memory import Use, kv_cache_bytes, largest_context_tokens, need
from llmcompare.core.weights import weights_bytes
from llmcompare.errors import InputError, ModelRefusedError
from llmcompare.models import gguf_shape
from llmcompare.models.gguf import read_header
from llmcompare.models.gguf_header import ArrayInfo, GgufHeader, TensorInfo
from llmcompare.models.library import demo_model_path
from llmcompare.models.quantise import quantise
from llmcompare.store import queries
from tests import tiny_models
from tests.models.raw_gguf import TEXT, entry, header, number, tensor, text

HYBRID = {"block_count": 64, "embedding_length": 5_120, "attention.head_count": 24, "attention.head_count_kv": 4,
          "attention.key_length": 256, "attention.value_length": 256, "full_attention_interval": 4}  # fmt: skip


def made(architecture: str, metadata: dict, *, tensors=(), arrays=None) -> GgufHeader:
    named = {f"{architecture}.{key}": value for key, value in metadata.items()}
    listed = {
        f"{architecture}.{key}": ArrayInfo(count=len(items), items=items) for key, items in (arrays or {}).items()
    }
    return GgufHeader(
        path=Path("made.gguf"),
        file_bytes=0,
        version=3,
        metadata={"general.architecture": architecture} | named,
        arrays=listed,
        tensors=tuple(tensors),
    )


def test_the_demo_model_has_the_shape_that_the_catalogue_gives_it(real_catalog):
    listed = queries.model_shapes(real_catalog)["smollm2-135m-instruct"]
    found = gguf_shape.shape_of(gguf_shape.local_headers(demo_model_path()))
    for field in ("layer_count", "hidden_size", "head_count", "kv_head_count", "key_size", "full_kv_layer_count",
                  "vocabulary_size", "ffn_hidden_size", "tied_embeddings", "context_native_tokens"):  # fmt: skip
        assert getattr(found, field) == getattr(listed, field), field
    assert found.params_total == pytest.approx(listed.params_total, rel=0.005)


@pytest.mark.parametrize("target", ["Q8_0", "Q4_K_M", "Q6_K", "Q3_K_M", "Q2_K"])
def test_the_mixes_of_llama_cpp_come_out_to_a_hundredth_of_a_percent_on_real_files(tmp_path, target):
    file = quantise(demo_model_path(), target, tmp_path, threads=1, cancelled=lambda: False)
    headers = gguf_shape.local_headers(file)
    computed = weights_bytes(gguf_shape.shape_of(headers), format_name=target)
    assert computed == pytest.approx(gguf_shape.weights_bytes(headers), rel=1e-4)


@pytest.mark.parametrize("family", tiny_models.FAMILIES)
def test_every_family_gives_its_heads_experts_and_tensors(tmp_path, family):
    read = read_header(tiny_models.write_tiny(tmp_path / f"{family}.gguf", family))
    shape = gguf_shape.shape_of([read])
    assert (shape.layer_count, shape.hidden_size) == (tiny_models.LAYERS, tiny_models.WIDTH)
    assert (shape.head_count, shape.kv_head_count, shape.key_size) == (4, 2, 16)
    assert kv_cache_bytes(shape, Use(context_tokens=100)) == read.kv_bytes_per_token * 100
    assert shape.tied_embeddings is False
    if family in ("qwen3moe", "mixtral"):
        assert (shape.expert_count, shape.active_expert_count, shape.moe_layer_count) == (4, 2, tiny_models.LAYERS)
        experts = 3 * tiny_models.LAYERS * 4 * tiny_models.WIDTH * tiny_models.FFN_WIDTH
        assert shape.params_active == shape.params_total - experts / 2
    else:
        assert shape.expert_count is None
        assert shape.params_active == shape.params_total


def test_hybrid_windowed_and_uneven_layers_are_told_apart():
    hybrid = gguf_shape.shape_of([made("qwen35", HYBRID)])
    assert (hybrid.full_kv_layer_count, hybrid.window_kv_layer_count) == (16, 0)
    dense = {key: value for key, value in HYBRID.items() if key != "full_attention_interval"}
    chunked = gguf_shape.shape_of([made("llama4", dense)])
    assert (chunked.full_kv_layer_count, chunked.window_kv_layer_count, chunked.window_tokens) == (16, 48, 8_192)
    windows = dense | {"attention.sliding_window": 1_024}
    every = gguf_shape.shape_of([made("gemma3", windows | {"attention.sliding_window_pattern": 6})])
    assert (every.full_kv_layer_count, every.window_kv_layer_count, every.window_tokens) == (10, 54, 1_024)
    listed = gguf_shape.shape_of(
        [made("gpt-oss", windows, arrays={"attention.sliding_window_pattern": (True, False) * 32})]
    )
    assert (listed.full_kv_layer_count, listed.window_kv_layer_count) == (32, 32)
    silent = gguf_shape.shape_of([made("llama", windows)])
    assert silent.full_kv_layer_count == 64
    assert silent.kv_is_upper_bound
    uneven = gguf_shape.shape_of([made("lfm2", dense, arrays={"attention.head_count_kv": (0, 8, 0, 8) * 16})])
    assert (uneven.full_kv_layer_count, uneven.kv_head_count) == (32, 8)


def test_shared_experts_are_counted_in_widths_of_one_expert():
    moe = {"expert_count": 60, "expert_used_count": 4, "expert_feed_forward_length": 1_408}
    by_width = made("qwen2moe", HYBRID | moe | {"expert_shared_feed_forward_length": 5_632})
    by_count = made("llama4", HYBRID | moe | {"expert_shared_count": 1})
    assert gguf_shape.shape_of([by_width]).shared_expert_count == 4
    assert gguf_shape.shape_of([by_count]).shared_expert_count == 1


def test_what_llama_cpp_keeps_twice_on_a_processor_are_the_types_that_it_repacks():
    def of(name, kind):
        return TensorInfo(name=name, shape=(256, 256), type_name=kind, size_bytes=1_000)

    tensors = [of("token_embd.weight", "Q4_0"), of("blk.0.attn_q.weight", "Q4_0"), of("blk.0.ffn_down.weight", "Q6_K")]
    assert gguf_shape.repacked_bytes([made("llama", {}, tensors=tensors)]) == 1_000


@pytest.mark.parametrize("missing", ["block_count", "embedding_length", "attention.head_count"])
def test_a_file_without_a_needed_count_is_refused_with_its_name(missing):
    gaps = made("llama", {key: value for key, value in HYBRID.items() if key != missing})
    with pytest.raises(ModelRefusedError, match=rf"made\.gguf does not say its llama\.{missing}"):
        gguf_shape.shape_of([gaps])


def test_a_hostile_number_of_layers_makes_no_list_of_that_length(written):
    raw = header(
        entry("general.architecture", TEXT, text("x")),
        number("x.block_count", 0xFFFF_FFFF),
        number("x.embedding_length", 64),
        number("x.attention.head_count", 4),
        tensors=(tensor("a", (8,)),),
    )
    with pytest.raises(ModelRefusedError, match=r"x\.block_count, or no usable one"):
        gguf_shape.shape_of([read_header(written(raw, size=10_000))])


KEYS = ["block_count", "embedding_length", "feed_forward_length", "attention.head_count", "attention.head_count_kv",
        "attention.key_length", "attention.value_length", "attention.sliding_window", "expert_count",
        "attention.sliding_window_pattern", "full_attention_interval", "expert_used_count",
        "expert_feed_forward_length", "expert_shared_feed_forward_length", "context_length"]  # fmt: skip
values = st.one_of(st.integers(-1, 300), st.sampled_from([2**31, 2**32 - 1, 2**63, 2**64 - 1]), st.just("text"))


@given(
    architecture=st.sampled_from(["llama", "llama4", "qwen3moe"]),
    metadata=st.dictionaries(st.sampled_from(KEYS), values),
    heads=st.lists(st.integers(0, 2**40), max_size=5),
    gpus=st.sampled_from([1, 2, 8]),
)
def test_whatever_a_header_says_is_computed_with_or_refused(architecture, metadata, heads, gpus):
    usable = {key: value for key, value in metadata.items() if value != "text"}
    sound = {"block_count": 2, "embedding_length": 64, "attention.head_count": 4}
    read = made(architecture, sound | metadata, arrays={"attention.head_count_kv": tuple(heads)} if heads else None)
    try:
        shape = gguf_shape.shape_of([read])
        needed = need(shape, Use(context_tokens=64), format_name="q4_k_m", gpu_count=gpus)
    except (ModelRefusedError, InputError):
        return
    assert shape.layer_count == usable.get("block_count", 2)
    assert needed.total_bytes > 0
    longest = largest_context_tokens(shape, Use(context_tokens=64), needed=needed, usable_bytes_per_gpu=10**12)
    assert longest is None or longest >= 1
