"""Other formats of a model: made whole or not at all, refused with numbers, with a note that says from what."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import gguf
import numpy as np
import pytest

from llmcompare.core.placement import Placement
from llmcompare.engines.base import Done, Message, Request, Sampling, Token
from llmcompare.engines.local import LocalEngine
from llmcompare.errors import InputError, ModelRefusedError
from llmcompare.models.library import demo_model_path, local_models, model_at
from llmcompare.models.origin import note_path
from llmcompare.models.quantise import FORMATS, NUMBER_OF_FORMAT, made_name, most_bytes, quantise
from tests.models.raw_gguf import TEXT, entry, header, number, tensor, text
from tests.tiny_models import FAMILIES, write_tiny

NAMED = (entry("general.architecture", TEXT, text("x")), number("x.block_count", 1), number("general.file_type", 1))


@pytest.fixture
def models(tmp_path):
    return tmp_path / "var" / "models"


@pytest.fixture
def tiny(tmp_path):
    return write_tiny(tmp_path / "tiny-f16.gguf")


def make(source, target_format, folder, **options):
    return quantise(source, target_format, folder, threads=1, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# --- what is made -----------------------------------------------------------------------------------------------------


def test_the_demo_model_as_q8_0_answers_and_says_what_it_is(models):
    made = make(demo_model_path(), "Q8_0", models)
    assert made.name == "SmolLM2-135M-Instruct.Q8_0-from-Q4_1.gguf"
    (model,) = local_models(models, None)
    assert (model.path, model.quantization, model.problem) == (made, "Q8_0", None)
    assert model.origin == "made here from SmolLM2-135M-Instruct.Q4_1.gguf (Q4_1)"
    assert "it cannot be better than it" in model.caveat
    assert model.parameters == model_at(demo_model_path()).parameters
    request = Request(messages=(Message(role="user", content="Why is the sky blue?"),), sampling=Sampling(max_tokens=8))
    with closing(LocalEngine(made, Placement(context_tokens=256, threads=1, gpu_layers=0))) as engine:
        *events, last = engine.stream(request)
    assert isinstance(last, Done)
    assert "".join(event.text for event in events if isinstance(event, Token)).strip()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_be_made_smaller_and_keeps_its_parameters(models, tmp_path, family):
    source = write_tiny(tmp_path / f"{family}.gguf", family)
    before, after = model_at(source), model_at(make(source, "Q8_0", models))
    assert (after.quantization, after.problem, after.caveat) == ("Q8_0", None, None)
    assert after.parameters == before.parameters
    assert after.size_bytes < before.size_bytes


@pytest.mark.parametrize("target_format", [name for name in FORMATS if name != "F16"])
def test_every_format_that_is_offered_can_be_made_and_needs_no_more_than_was_said(models, tiny, target_format):
    made = model_at(make(tiny, target_format, models))
    assert made.quantization == target_format
    assert made.size_bytes <= most_bytes(tiny, target_format)


def test_weights_are_those_of_the_source_within_half_a_step_of_their_block(models, tiny):
    before, after = (gguf.GGUFReader(path).tensors for path in (tiny, make(tiny, "Q8_0", models)))
    after = {one.name: one for one in after}
    for one in before:
        exact = one.data.astype(np.float32).reshape(-1)
        other = after[one.name]
        rounded = gguf.quants.dequantize(other.data, other.tensor_type).astype(np.float32).reshape(-1)
        blocks = np.abs(exact).reshape(-1, 32 if exact.size % 32 == 0 else exact.size).max(axis=1, keepdims=True)
        error = np.abs(exact - rounded).reshape(blocks.shape[0], -1)
        # Half of one of 127 steps, and the step itself is an f16 of 11 bits.
        assert (error <= blocks * (0.5 / 127 + 2**-11) + 1e-6).all(), one.name


def test_a_model_in_parts_becomes_one_file(models, tmp_path):
    whole = model_at(write_tiny(tmp_path / "whole.gguf"))
    write_tiny(tmp_path / "big.gguf", split_tensors=8)
    made = make(next(tmp_path.glob("big-00001-of-*.gguf")), "Q8_0", models)
    assert made.name == "big.Q8_0-from-F16.gguf"
    assert (model_at(made).parameters, model_at(made).problem) == (whole.parameters, None)


def test_the_note_beside_the_file_names_the_very_source(models, tiny):
    note = json.loads(note_path(make(tiny, "Q8_0", models)).read_text(encoding="utf-8"))
    assert (note["source_file"], note["source_bytes"]) == ("tiny-f16.gguf", tiny.stat().st_size)
    assert (note["source_mtime_ns"], note["source_format"]) == (tiny.stat().st_mtime_ns, "F16")
    assert note["engine"].startswith("llama-cpp-python ")


def test_a_file_whose_name_is_no_text_is_made_into_another_format_and_can_be_shown(models, tiny):
    odd = tiny.rename(tiny.with_name(os.fsdecode(b"odd-\xff-f16.gguf")))
    make(odd, "Q8_0", models)
    (model,) = local_models(models, None)
    assert (model.quantization, model.problem) == ("Q8_0", None)
    assert "odd-\\xff-f16.gguf" in model.origin


@pytest.mark.parametrize("stem", ["a.Q4_1", "a-q4_1", "a_Q4_1", "a"])
def test_the_name_holds_each_format_once(stem):
    assert made_name(Path(f"{stem}.gguf"), "Q4_1", "Q8_0") == "a.Q8_0-from-Q4_1.gguf"


def test_numbers_of_formats_are_those_of_the_installed_llama_cpp():
    from llama_cpp import llama_cpp as bound

    for name in FORMATS:
        assert NUMBER_OF_FORMAT[name] == getattr(bound, f"LLAMA_FTYPE_MOSTLY_{name}")


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_an_unknown_format_is_refused_with_those_there_are(models, tiny):
    with pytest.raises(InputError, match=r"the format is 'Q9': give one of Q8_0, Q6_K, .*F16"):
        make(tiny, "Q9", models)


def test_the_format_it_has_already_is_refused(models, tiny):
    with pytest.raises(ModelRefusedError, match=r"tiny-f16\.gguf is in the format F16 already"):
        make(tiny, "F16", models)


def test_a_file_that_is_no_model_is_refused(models, tmp_path):
    path = tmp_path / "notes.gguf"
    path.write_text("these are notes")
    with pytest.raises(ModelRefusedError, match=r"notes\.gguf is no GGUF file"):
        make(path, "Q8_0", models)
    assert names(models) == []


def test_too_little_room_is_said_with_both_numbers_before_anything_is_written(models, tmp_path):
    path = tmp_path / "huge.gguf"
    path.write_bytes(header(*NAMED, tensors=(tensor("a.weight", (1 << 20, 1 << 20), 1),)))
    os.truncate(path, (1 << 41) + 4096)
    with pytest.raises(ModelRefusedError, match=r"it may need 1,20\d,\d{3} MB, and [\d,]+ MB are free"):
        make(path, "Q8_0", models)
    assert names(models) == []


def test_the_reason_of_llama_cpp_is_in_the_refusal_and_no_file_is_left(models, tmp_path):
    path = tmp_path / "odd.gguf"
    path.write_bytes(header(*NAMED, tensors=(tensor("a.weight", (32, 32), 1),)) + bytes(4096))
    with pytest.raises(ModelRefusedError, match=r"odd\.gguf cannot be made into Q8_0: .*unknown model architecture"):
        make(path, "Q8_0", models)
    assert names(models) == []


def test_two_files_of_one_name_do_not_replace_each_others_models(models, tiny, tmp_path):
    first = make(tiny, "Q8_0", models).read_bytes()
    (tmp_path / "other").mkdir()
    other = write_tiny(tmp_path / "other" / tiny.name, layers=1)
    with pytest.raises(ModelRefusedError, match="was made from another file"):
        make(other, "Q8_0", models)
    assert make(tiny, "Q8_0", models).read_bytes() == first


# --- Stop, kills, leftovers -------------------------------------------------------------------------------------------


def test_stop_leaves_nothing(models):
    began = time.monotonic()
    seen = []

    def cancelled():
        seen.extend(path for path in models.glob(".making-*") if path.stat().st_size > 0)
        return bool(seen)

    assert make(demo_model_path(), "F16", models, cancelled=cancelled) is None
    assert seen, "it was stopped before it had begun to write"
    assert names(models) == []
    assert time.monotonic() - began < 10


def children() -> list[int]:
    """Process ids of the programs that this process has started to make formats."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and b"llmcompare.models.quantise" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_a_child_that_is_killed_is_a_refusal_and_leaves_nothing(models):
    def kill_it():
        for child in children():
            os.kill(child, signal.SIGKILL)
        return False

    with pytest.raises(ModelRefusedError, match=r"it was ended by signal 9 \(memory may have run out\)"):
        make(demo_model_path(), "F16", models, cancelled=kill_it)
    assert names(models) == []


def test_the_child_ends_and_takes_its_file_along_when_its_parent_is_killed(models):
    program = (
        "import sys; from pathlib import Path; from llmcompare.models.quantise import quantise; "
        "quantise(Path(sys.argv[1]), 'F16', Path(sys.argv[2]), threads=1)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(demo_model_path()), str(models)])
    wait_until(lambda: any(path.stat().st_size > 0 for path in models.glob(".making-*")))
    parent.kill()
    parent.wait()
    wait_until(lambda: names(models) == [])


def wait_until(true, *, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_leftovers_of_killed_processes_go_and_what_is_being_made_stays(models, tiny):
    models.mkdir(parents=True)
    old, young = models / ".making-old.part", models / ".making-young.part"
    for path in (old, young):
        path.write_bytes(b"GGUF")
    os.utime(old, (0, 0))
    make(tiny, "Q8_0", models)
    assert not old.exists()
    assert young.exists()
    assert len(local_models(models, None)) == 1
