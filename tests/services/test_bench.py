"""`python -m llmcompare bench` on the real worker, and what is learnt of this machine."""

import json
import re
import sys
import textwrap
import threading
from dataclasses import replace

import pytest

from llmcompare.core.bench import SpeedTest
from llmcompare.core.this_machine import ModelInFormat
from llmcompare.engines import gpus, processor
from llmcompare.errors import InputError
from llmcompare.models.library import demo_model_path
from llmcompare.services import bench, machine
from llmcompare.services.machine import Setting
from llmcompare.store.results import ResultsLog
from tests.services.test_bench_files import FACT, SHAPE, TG
from tests.tiny_models import write_tiny

QUICK = ("--prompt", "32", "--generate", "8", "--repetitions", "2", "--threads", "1")


@pytest.fixture
def own(command_line, monkeypatch, tmp_path):
    """Runs a command with a folder of its own for what it keeps."""
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "var"))
    return command_line


@pytest.fixture
def kept(tmp_path):
    """The log of that folder, as another process reads it."""
    return lambda: ResultsLog(tmp_path / "var" / "results").measurements()


def test_a_bench_prints_figures_keeps_them_and_calibrates_and_the_next_one_is_predicted(own, kept, tmp_path):
    first = own("bench", write_tiny(tmp_path / "one.gguf", tensor_format="Q8_0"), *QUICK)
    assert first.exit_code == 0, first.err
    assert first.out.startswith("pp32 ")
    assert " tok/s, tg8 " in first.out
    assert "on 1 thread." in first.out
    assert "This machine is now calibrated: on 1 thread it reads" in first.out
    assert "predicted " not in first.out
    assert re.search(r"Predicted tg8 of this model in other formats, tok/s: F16 [\d,.]+ \([\d,.]+ to", first.out)
    reading, writing = kept()
    assert {(one.speed_test.name, one.repetition_count, one.threads) for one in kept()} == {
        ("pp32", 2, 1),
        ("tg8", 2, 1),
    }
    assert reading.bench_id == writing.bench_id
    assert machine.shape_of(writing).layer_count == 2
    assert writing.imported_from is None

    second = own("bench", write_tiny(tmp_path / "two.gguf", tensor_format="F16", layers=4), *QUICK, "--json")
    found = json.loads(second.out)
    assert [one["test"] for one in found["residuals"]] == ["pp32", "tg8"]
    for one in found["residuals"]:
        assert one["ratio"] == pytest.approx(one["measured_tokens_per_s"] / one["predicted_tokens_per_s"])
        assert not one["repeated"]
    assert found["measured_over_predicted"]["count"] == 2
    assert [row["n_gen"] for row in found["results"]] == [0, 8]
    assert found["machine"]["machine_id"] == writing.machine_id
    assert found["calibration"]["bandwidth_bytes_per_s"] > 0
    assert set(found["predicted_other_formats"]) == {"Q8_0", "Q6_K", "Q4_K_M"}

    third = own("bench", tmp_path / "two.gguf", *QUICK)
    assert "Measured over predicted, 4 predictions so far, 2 of them of a test that was measured before" in third.out


def test_the_demo_model_is_measured_at_depth_and_its_file_is_read_back(own, kept, tmp_path):
    lines = tmp_path / "out.jsonl"
    asked = ("--prompt", "16", "--generate", "4", "--depth", "0,64", "--repetitions", "1", "--jsonl", lines, "--json")
    ran = own("bench", demo_model_path(), *asked)
    assert ran.exit_code == 0, ran.err
    rows = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
    assert [(row["n_prompt"], row["n_gen"], row["n_depth"]) for row in rows] == [
        (16, 0, 0), (0, 4, 0), (16, 0, 64), (0, 4, 64)
    ]  # fmt: skip
    assert rows[0]["model_filename"] == demo_model_path().name
    assert "llama" in rows[0]["model_type"]
    before = kept()
    again = own("bench", "--import", lines)
    assert again.out == "4 measurements of out.jsonl imported.\n"
    assert kept() == before


def test_a_file_of_llama_bench_is_imported_once_and_is_of_another_machine(own, kept, tmp_path):
    path = tmp_path / "theirs.jsonl"
    path.write_text(json.dumps(TG) + "\n" + json.dumps(TG | {"n_prompt": 64}) + "\n", "utf-8")
    ran = own("bench", "--import", path, "--json")
    assert json.loads(ran.out) == {"file": str(path), "imported": 1, "left_out": 1}
    assert own("bench", "--import", path).exit_code == 0
    (fact,) = kept()
    assert fact.machine_id != machine.facts().machine_id
    refused = own("bench", "--import", path, "--measured-here")
    assert refused.exit_code == 2
    assert "theirs.jsonl line 1, cpu_info: 'AMD Ryzen" in refused.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("bench",), "no model is named: give a GGUF file, or --import FILE.jsonl"),
        (("bench", "./nowhere/none.gguf"), "none.gguf cannot be read"),
        (("bench", "nobody"), "no model file is called 'nobody'"),
        (("bench", "TINY", *QUICK, "--repetitions", "0"), "repetitions is 0: give a number from 1 to 1,000"),
        (("bench", "TINY", *QUICK, "--threads", "9999"), "threads is 9999: give a number from 1 to"),
        (("bench", "TINY", "--prompt", "0", "--generate", "0"), "prompt and generate are both 0"),
        (
            ("bench", "TINY", "--prompt", "0", "--depth", "0,200"),
            r"tg128 @ d200 needs a context of 328 tokens.* for 256",
        ),
        (("bench", "TINY", "--depth", "deep"), "depth is 'deep': give numbers of tokens"),
        (("bench", "TINY", "--depth", "-1"), "depth is -1 tokens"),
        (("bench", "x.gguf", "--import", "y.jsonl"), "x.gguf and --import y.jsonl are both given"),
        (("bench", "--import", "./nowhere/none.jsonl"), "none.jsonl cannot be read"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(own, kept, tmp_path, arguments, sentence):
    tiny = write_tiny(tmp_path / "tiny.gguf")
    ran = own(*(tiny if one == "TINY" else one for one in arguments))
    assert ran.exit_code == 2
    assert ran.err.startswith("llmcompare: ")
    assert re.search(sentence, ran.err), ran.err
    assert kept() == []


def test_what_was_stopped_is_not_kept(tmp_path):
    log = ResultsLog(tmp_path / "results")
    plan = bench.plan(str(write_tiny(tmp_path / "tiny.gguf")), prompt_tokens=32, generated_tokens=8)
    stopping = threading.Event()
    with pytest.raises(InputError, match="stopped before its end"):
        bench.run(plan, log=log, stopping=stopping, done=lambda *_: stopping.set())
    assert log.measurements() == []


# What is known of a machine


def log_of(folder, *facts):
    log = ResultsLog(folder)
    for fact in facts:
        log.append(fact)
    return log


FULL = replace(FACT, shape=machine.shape_json(SHAPE))


def test_the_newest_of_each_test_is_shown(tmp_path):
    newer = replace(FULL, measurement_id="m2", measured_at="2026-11-26T08:30:00+00:00", tokens_per_s=60.0)
    other = replace(FULL, measurement_id="m3", machine_id="elsewhere")
    log = log_of(tmp_path, newer, FULL, other)
    assert [one.measurement_id for one in machine.measurements(log, "here")] == ["m2"]
    assert {one.measurement_id for one in machine.measurements(log)} == {"m2", "m3"}
    assert machine.settings_measured(log, "here") == [Setting(threads=2)]


def test_another_model_on_a_measured_machine_has_a_band_around_its_prediction(tmp_path):
    log = log_of(tmp_path, FULL)
    larger = ModelInFormat(shape=SHAPE, weights_bytes=2000, quantization="F16")
    test = SpeedTest(prompt_tokens=0, generated_tokens=64)
    found = machine.predictor(log, "here", Setting(threads=2))(larger, test)
    assert found.low_tokens_per_s < found.tokens_per_s < found.high_tokens_per_s
    assert found.measured_count == 1
    assert machine.predictor(log, "here", Setting(threads=1))(larger, test) is None
    assert machine.predictor(log, "elsewhere", Setting(threads=2))(larger, test) is None


def test_settings_are_not_mixed(tmp_path):
    on_gpu = replace(FULL, measurement_id="m2", gpu_layers=99, threads=8)
    shared = replace(FULL, measurement_id="m3", gpu_layers=1)
    assert machine.setting_of(on_gpu) == Setting(threads=None)
    assert machine.setting_of(shared) is None
    facts = [FULL, on_gpu, shared, replace(FULL, shape=None), replace(FULL, kv_format="q8_0")]
    assert len(machine.observations(facts, Setting(threads=2))) == 1
    assert len(machine.observations(facts, Setting(threads=None))) == 1


@pytest.mark.parametrize("shape", ["", "[]", "{}", '{"name": "x"}', machine.shape_json(SHAPE).replace("900", '"many"')])
def test_a_damaged_shape_is_none(shape):
    assert machine.shape_of(replace(FULL, shape=shape)) is None


def test_this_machine_is_described_without_its_owner():
    here = machine.facts()
    assert here.cpu
    assert here.core_count >= here.usable_core_count >= 1
    assert here.available_memory_bytes > 0
    assert len(here.machine_id) == 16
    assert here == replace(machine.facts(), available_memory_bytes=here.available_memory_bytes)


def test_a_copy_in_memory_has_a_speed_and_none_where_memory_is_too_short():
    found = processor.copy_bandwidth_bytes_per_s(1, copied_bytes=16 * 1024**2)
    assert 1e8 < found < 1e13
    assert processor.copy_bandwidth_bytes_per_s(1, copied_bytes=2**62) is None


FAKE_NVML = """
    class NVMLError(Exception):
        pass

    class Memory:
        total, free = 24 * 2**30, 20 * 2**30

    def nvmlInit():
        if {broken}:
            raise NVMLError("driver not loaded")

    def nvmlShutdown():
        pass

    def nvmlDeviceGetCount():
        return 2

    def nvmlDeviceGetHandleByIndex(at):
        return at

    def nvmlDeviceGetName(handle):
        return b"NVIDIA GeForce RTX 4090" if handle else "NVIDIA H100 PCIe"

    def nvmlDeviceGetMemoryInfo(handle):
        return Memory
"""


@pytest.mark.parametrize("broken", [False, True])
def test_gpus_are_named_by_the_driver_and_without_one_none_is_seen(tmp_path, monkeypatch, broken):
    (tmp_path / "pynvml.py").write_text(textwrap.dedent(FAKE_NVML).replace("{broken}", str(broken)), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    seen = gpus.gpus()
    # Not by monkeypatch, which would bring the made-up driver back for the tests that follow.
    sys.modules.pop("pynvml", None)
    names = [] if broken else ["NVIDIA H100 PCIe", "NVIDIA GeForce RTX 4090"]
    assert [gpu.name for gpu in seen] == names
    assert all((gpu.memory_bytes, gpu.free_bytes) == (24 * 2**30, 20 * 2**30) for gpu in seen)
