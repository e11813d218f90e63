"""The reader of GGUF headers: what the format's own package reads, and one refusal for whatever is wrong."""

import ctypes
import struct
import tracemalloc
from pathlib import Path

import gguf
import llama_cpp

from llmcompare.core import ggml_types
from llmcompare.models.gguf import read_header
from llmcompare.models.library import demo_model_path
from tests.models.raw_gguf import ARRAY, TEXT, U32, entry, header, number, tensor, text
from tests.tiny_models import FAMILIES, write_tiny

GIB = 1024**3


def known_models(folder: Path) -> list[Path]:
    demo = demo_model_path()
    assert demo is not None
    return [*(write_tiny(folder / f"{family}.gguf", family) for family in FAMILIES), demo]


def test_all_metadata_and_tensors_are_those_that_the_package_gguf_reads(tmp_path):
    for path in known_models(tmp_path):
        ours, theirs = read_header(path), gguf.GGUFReader(path)
        own = {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count"}
        fields = {name: field for name, field in theirs.fields.items() if name not in own}
        arrays = {name for name, field in fields.items() if field.types[0] == gguf.GGUFValueType.ARRAY}
        assert ours.metadata == {name: field.contents() for name, field in fields.items() if name not in arrays}
        assert {name: array.count for name, array in ours.arrays.items()} == {
            name: len(fields[name].data) for name in arrays
        }
        assert [(one.name, one.shape, one.type_name, one.size_bytes, one.elements) for one in ours.tensors] == [
            (one.name, tuple(one.shape.tolist()), one.tensor_type.name, one.n_bytes, one.n_elements)
            for one in theirs.tensors
        ]


def test_sizes_and_counts_are_those_that_llama_cpp_finds(tmp_path):
    for path in known_models(tmp_path):
        ours = read_header(path)
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        try:
            assert ours.weights_bytes == llama_cpp.llama_model_size(model)
            assert ours.parameters == llama_cpp.llama_model_n_params(model)
            assert ours.layers == llama_cpp.llama_model_n_layer(model)
            assert ours.trained_context_tokens == llama_cpp.llama_model_n_ctx_train(model)
        finally:
            llama_cpp.llama_model_free(model)


def test_types_of_tensors_have_the_blocks_of_the_installed_llama_cpp():
    folder = Path(llama_cpp.__file__).parent / "lib"
    library = ctypes.CDLL(str(next(folder.glob("libggml-base.*"))))
    library.ggml_type_size.restype = ctypes.c_size_t
    library.ggml_blck_size.restype = ctypes.c_int64
    library.ggml_type_name.restype = ctypes.c_char_p
    for kind in range(llama_cpp.GGML_TYPE_COUNT):
        name, block, size = ggml_types.TENSOR_TYPES.get(kind, (None, 0, 0))
        assert (library.ggml_blck_size(kind), library.ggml_type_size(kind)) == (block, size)
        assert name is None or library.ggml_type_name(kind).decode().upper() == name


def test_numbers_of_file_formats_are_those_of_the_installed_llama_cpp():
    from llama_cpp import llama_cpp as bound

    names = {
        getattr(bound, name): name.removeprefix("LLAMA_FTYPE_").removeprefix("MOSTLY_").removeprefix("ALL_")
        for name in dir(bound)
        if name.startswith("LLAMA_FTYPE_")
    }
    assert names.pop(ggml_types.GUESSED) == "GUESSED"
    assert names == ggml_types.FILE_TYPES


def test_the_facts_of_the_demo_model():
    facts = read_header(demo_model_path())
    # 30 layers, 3 of 9 heads keep keys and values, 576 / 9 = 64 numbers each, 2 bytes: 30 * 3 * 128 * 2.
    assert facts.kv_bytes_per_token == 23_040
    assert (facts.architecture, facts.quantization, facts.layers) == ("llama", "Q4_1", 30)


def attention(*entries: bytes) -> tuple[bytes, ...]:
    return (entry("general.architecture", TEXT, text("x")), number("x.block_count", 3), *entries)


def test_layers_without_attention_keep_nothing(written):
    per_layer = entry("x.attention.head_count_kv", ARRAY, struct.pack("<IQ3I", U32, 3, 2, 0, 4))
    raw = header(*attention(number("x.attention.head_count", 8), number("x.embedding_length", 64), per_layer))
    assert read_header(written(raw)).kv_bytes_per_token == (2 + 0 + 4) * (8 + 8) * 2


def test_keys_and_values_may_have_lengths_of_their_own(written):
    lengths = (number("x.attention.key_length", 24), number("x.attention.value_length", 16))
    raw = header(*attention(number("x.attention.head_count", 2), *lengths))
    assert read_header(written(raw)).kv_bytes_per_token == 3 * 2 * (24 + 16) * 2


def test_what_a_file_does_not_say_is_none(written):
    facts = read_header(written(header()))
    assert (facts.architecture, facts.layers, facts.kv_bytes_per_token, facts.quantization) == (None,) * 4


def test_without_a_stated_format_most_bytes_decide(written):
    raw = header(tensors=(tensor("a", (32,)), tensor("b", (64, 64), 8, 128)))
    assert read_header(written(raw, size=100_000)).quantization == "Q8_0"


def test_a_format_that_was_guessed_by_its_writer_counts(written):
    assert read_header(written(header(number("general.file_type", 1024 + 15)))).quantization == "Q4_K_M"


def test_version_2_is_read(written):
    assert read_header(written(header(number("general.file_type", 7), version=2))).quantization == "Q8_0"


def test_a_file_larger_than_memory_is_read_in_no_time(written):
    rows = 100 * GIB // (4096 * 2)
    raw = header(tensors=(tensor("token_embd.weight", (4096, rows), 1),))
    path = written(raw, size=100 * GIB + 4096)
    tracemalloc.start()
    try:
        assert read_header(path).weights_bytes == 100 * GIB
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
