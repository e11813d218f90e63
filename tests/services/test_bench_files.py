"""Files of measurements: those of llama-bench as it prints them, ours, and lines that are refused."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.bench import speed
from llmcompare.core.facts import MeasurementFact
from llmcompare.core.shapes import ModelShape
from llmcompare.core.this_machine import machine_id
from llmcompare.errors import InputError
from llmcompare.services import machine
from llmcompare.services.bench_files import MeasuredTest, Origin, json_lines, read_file, row_of

RTX_4080 = {
    "build_commit": "8cf427ff", "build_number": 5163, "cpu_info": "AMD Ryzen 7 7800X3D 8-Core Processor",
    "gpu_info": "NVIDIA GeForce RTX 4080", "backends": "CUDA",
    "model_filename": "models/Qwen2.5-7B-Instruct-Q4_K_M.gguf",
    "model_type": "qwen2 7B Q4_K - Medium", "model_size": 4677120000, "model_n_params": 7615616512, "n_batch": 2048,
    "n_ubatch": 512, "n_threads": 8, "cpu_mask": "0x0", "cpu_strict": False, "poll": 50, "type_k": "f16",
    "type_v": "f16", "n_gpu_layers": 99, "split_mode": "layer", "main_gpu": 0, "no_kv_offload": False,
    "flash_attn": False, "tensor_split": "0.00", "use_mmap": True, "embeddings": False,
}  # fmt: skip
"""As the README of llama-bench shows its JSON."""
PP = RTX_4080 | {
    "n_prompt": 512, "n_gen": 0, "n_depth": 0, "test_time": "2025-04-24T11:58:50Z", "avg_ns": 72135640,
    "stddev_ns": 1453752, "avg_ts": 7100.002165, "stddev_ts": 140.341520,
    "samples_ns": [74601900, 71632900, 71745200, 71952700, 70745500],
    "samples_ts": [6863.1, 7147.55, 7136.37, 7115.79, 7237.21],
}  # fmt: skip
TG = RTX_4080 | {
    "n_prompt": 0, "n_gen": 128, "n_depth": 0, "test_time": "2025-04-24T11:58:51Z", "avg_ns": 1076767880,
    "stddev_ns": 9449585, "avg_ts": 118.881588, "stddev_ts": 1.041811,
    "samples_ns": [1075361300, 1065089400, 1071761200, 1081934900, 1089692600],
    "samples_ts": [119.03, 120.178, 119.43, 118.307, 117.464],
}  # fmt: skip
COMPARED = {
    "cpu_info", "gpu_info", "backends", "n_gpu_layers", "tensor_buft_overrides", "model_filename", "model_type",
    "n_batch", "n_ubatch", "embeddings", "cpu_mask", "cpu_strict", "poll", "n_threads", "type_k", "type_v", "use_mmap",
    "no_kv_offload", "split_mode", "main_gpu", "tensor_split", "flash_attn", "n_prompt", "n_gen", "n_depth",
    "build_commit", "test_time", "avg_ts",
}  # fmt: skip
"""Without these fields llama.cpp's own scripts/compare-llama-bench.py refuses a file."""
SHAPE = ModelShape(
    name="tiny.gguf", params_total=900, params_active=900, layer_count=2, hidden_size=64, head_count=4,
    kv_head_count=2, key_size=16, value_size=16, full_kv_layer_count=2,
)  # fmt: skip
FACT = MeasurementFact(
    measurement_id="m1", bench_id="b1", machine_id="here", cpu="Xeon", core_count=2, memory_bytes=24 * 2**30, gpus=(),
    model="tiny.gguf", quantization="Q8_0", description="llama ?B Q8_0", weights_bytes=1000, parameters=900, shape=None,
    test="decode", prompt_tokens=0, generated_tokens=64, depth_tokens=512, tokens_per_s=50.0, tokens_per_s_sd=0.0,
    repetition_count=2, threads=2, gpu_layers=0, kv_format="f16", flash_attention=False, engine="llama.cpp (x 1)",
    measured_at="2026-11-25T08:30:00.000+00:00",
)  # fmt: skip


@pytest.fixture
def file(tmp_path):
    """Writes rows as lines, or text as it is."""

    def write(*rows, text=None, name="bench.jsonl"):
        path = tmp_path / name
        path.write_text(text if text is not None else "".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return path

    return write


def test_a_file_of_llama_bench_is_read_as_lines_and_as_an_array_alike(file):
    lines = read_file(file(PP, TG)).facts
    array = read_file(file(text=json.dumps([PP, TG], indent=2), name="bench.json")).facts
    reading, writing = lines
    assert (reading.speed_test.name, writing.speed_test.name) == ("pp512", "tg128")
    assert (reading.tokens_per_s, writing.tokens_per_s_sd, writing.repetition_count) == (7100.002165, 1.041811, 5)
    assert writing.model == "Qwen2.5-7B-Instruct-Q4_K_M.gguf"
    assert writing.quantization == "Q4_K_M"
    assert (writing.gpus, writing.gpu_layers, writing.kv_format) == (("NVIDIA GeForce RTX 4080",), 99, "f16")
    assert writing.engine == "llama.cpp 8cf427ff (llama-bench)"
    assert writing.measured_at == "2025-04-24T11:58:51.000+00:00"
    assert writing.imported_from == "bench.jsonl"
    assert [one.tokens_per_s for one in array] == [one.tokens_per_s for one in lines]
    assert [one.measurement_id for one in array] == [one.measurement_id for one in lines]


def test_its_machine_is_not_this_one_unless_the_user_says_so(file):
    path = file(TG)
    (fact,) = read_file(path).facts
    assert fact.machine_id == machine_id(cpu=fact.cpu, core_count=None, memory_bytes=None, gpus=fact.gpus)
    here = Origin(machine_id="here", cpu=fact.cpu, core_count=8, memory_bytes=32 * 2**30)
    (own,) = read_file(path, here=here).facts
    assert (own.machine_id, own.core_count, own.memory_bytes) == ("here", 8, 32 * 2**30)
    other = Origin(machine_id="here", cpu="Xeon", core_count=8, memory_bytes=None)
    with pytest.raises(InputError, match="line 1, cpu_info: 'AMD Ryzen 7 .* this machine is 'Xeon'"):
        read_file(path, here=other)


def test_layers_that_were_asked_of_a_build_without_a_gpu_are_none(file):
    assert read_file(file(TG | {"backends": "CPU", "gpu_info": ""})).facts[0].gpu_layers == 0
    assert read_file(file(TG | {"backends": "BLAS,CPU"})).facts[0].gpu_layers == 0


def test_a_test_that_reads_and_writes_at_once_is_left_out_and_counted(file):
    read = read_file(file(TG, TG | {"n_prompt": 512}))
    assert (len(read.facts), read.combined_count) == (1, 1)


def test_older_and_newer_files_say_less_or_more(file):
    old = {name: value for name, value in TG.items() if name not in ("n_depth", "samples_ns", "samples_ts", "gpu_info")}
    (fact,) = read_file(file(old)).facts
    assert (fact.depth_tokens, fact.repetition_count, fact.gpus) == (0, None, ())
    (newer,) = read_file(file(TG | {"flash_attn": -1, "load_mode": "mmap", "type_v": "q8_0"})).facts
    assert (newer.flash_attention, newer.kv_format) == (None, "f16/q8_0")


def test_our_rows_have_every_field_that_llama_bench_is_compared_by_and_its_figures():
    row = row_of(MeasuredTest(fact=FACT, durations_ns=(1_280_000_000, 1_281_000_000)))
    assert row.keys() >= COMPARED | TG.keys()
    expected = speed(tokens=64, durations_ns=(1_280_000_000, 1_281_000_000))
    assert row["avg_ts"] == pytest.approx(expected.tokens_per_s)
    assert row["stddev_ns"] == round(expected.duration_ns_sd)
    assert row["test_time"] == "2026-11-25T08:30:00Z"
    # What llama-bench writes has the same type in each field.
    assert {name: type(value) for name, value in TG.items()} == {name: type(row[name]) for name in TG}


def test_what_we_write_is_read_back_as_the_same_fact(file):
    durations_ns = (1_280_000_000, 1_281_000_000)
    found = speed(tokens=64, durations_ns=durations_ns)
    shape = machine.shape_json(SHAPE)
    fact = replace(FACT, shape=shape, tokens_per_s=found.tokens_per_s, tokens_per_s_sd=found.tokens_per_s_sd)
    path = file(text=json_lines([row_of(MeasuredTest(fact=fact, durations_ns=durations_ns))]))
    (read,) = read_file(path).facts
    exact = {"tokens_per_s": fact.tokens_per_s, "tokens_per_s_sd": fact.tokens_per_s_sd, "imported_from": None}
    assert read.tokens_per_s == pytest.approx(fact.tokens_per_s)
    assert replace(read, **exact) == fact
    assert machine.shape_of(read) == SHAPE


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"avg_ts": "fast"}, "avg_ts: 'fast' is refused: give a number above 0"),
        ({"avg_ts": 0}, "avg_ts: 0 is refused"),
        ({"avg_ts": float("nan")}, "avg_ts: nan is refused"),
        ({"avg_ts": 200.0}, "avg_ts: 200.0 is refused: samples_ns give 118.882 tokens/s"),
        ({"stddev_ts": -1}, "stddev_ts: -1 is refused: give a number of at least 0"),
        ({"n_gen": -128}, "n_gen: -128 is refused: give a whole number of at least 0"),
        ({"n_gen": 0}, "n_prompt: 0 is refused: n_gen is 0 too"),
        ({"n_threads": 0}, "n_threads: 0 is refused: give a whole number of at least 1"),
        ({"n_threads": True}, "n_threads: True is refused"),
        ({"n_depth": None}, "n_depth: None is refused"),
        ({"model_size": 10**30}, "model_size: 1000000000000000000000000000000 is refused"),
        ({"test_time": "yesterday"}, "test_time: 'yesterday' is refused: give a time such as"),
        ({"samples_ns": []}, r"samples_ns: \[\] is refused"),
        ({"samples_ns": [1, "2"]}, r"samples_ns: \[1, '2'\] is refused"),
        ({"cpu_info": None}, "cpu_info: None is refused: give text"),
        ({"flash_attn": "often"}, "flash_attn: 'often' is refused"),
        ({"llmcompare": 3}, "llmcompare: 3 is refused"),
        ({"llmcompare": {"machine_id": 3}}, "llmcompare.machine_id: 3 is refused"),
        ({"llmcompare": {"machine_id": "a", "core_count": 0}}, "core_count: 0 is refused"),
    ],
)
def test_a_bad_line_is_refused_with_file_line_field_and_value(file, changed, sentence):
    with pytest.raises(InputError, match=f"bench.jsonl line 2, {sentence}"):
        read_file(file(PP, TG | changed))


def test_all_bad_lines_are_named_and_nothing_is_taken(file):
    path = file(text="\n".join([json.dumps(TG), "[1]", '{"n_prompt"', *["null"] * 40]))
    with pytest.raises(InputError) as refused:
        read_file(path)
    text = str(refused.value)
    assert "nothing of bench.jsonl is imported" in text
    assert "line 2, the whole line: [1] is refused" in text
    assert "line 3, the whole line: '{\"n_prompt\"' is refused: it is no JSON object" in text
    assert "and 22 more" in text


def test_a_bad_entry_of_an_array_is_named_by_its_line(file):
    text = json.dumps([PP, TG | {"n_gen": "x"}], indent=2)
    line = text.split("\n").index("  },") + 2
    with pytest.raises(InputError, match=f"line {line}, n_gen: 'x' is refused"):
        read_file(file(text=text))
    with pytest.raises(InputError, match="line 51 begins no JSON object .* the file is cut off"):
        read_file(file(text=text[:-20]))


@pytest.mark.parametrize("text", ["", "  \n\n", "[]"])
def test_an_empty_file_is_refused(file, text):
    with pytest.raises(InputError, match="holds no measurement"):
        read_file(file(text=text))


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.jsonl cannot be read"):
        read_file(tmp_path / "none.jsonl")
    (tmp_path / "x.jsonl").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="no text in UTF-8"):
        read_file(tmp_path / "x.jsonl")


@given(text=st.text(max_size=200) | st.text(alphabet='[]{}",:0n \n', max_size=60))
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "any.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError):
        read_file(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(field=st.sampled_from(sorted([*TG, "llmcompare"])), value=JSON)
def test_whatever_stands_in_a_field_the_line_is_read_or_refused(tmp_path_factory, field, value):
    path = tmp_path_factory.mktemp("any") / "any.jsonl"
    path.write_text(json.dumps(TG | {field: value}), "utf-8")
    try:
        read = read_file(path)
    except InputError:
        return
    for fact in read.facts:
        machine.setting_of(fact)
        machine.observations([fact], machine.Setting(threads=None))
