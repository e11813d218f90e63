"""The library on the real catalogue: sizes, what fits, how fast, and the files at hand."""

import itertools
import json
import re
from contextlib import closing
from dataclasses import replace

import pytest

from llmcompare.core.memory import Use
from llmcompare.engines.base import Request, Sampling, Token
from llmcompare.engines.machine import gpu_of
from llmcompare.errors import InputError
from llmcompare.models.hub_files import HubFile, HubRepository
from llmcompare.models.library import model_at
from llmcompare.services import at_hand, models, models_out, runs
from llmcompare.services.here import Here, unused_gpu_text
from llmcompare.services.machine import Prediction
from tests.tiny_models import write_tiny

GIB = 1024**3


def here(memory_gib=8.0, context=4096, predict=None, gpu_gib=None, predict_on_gpu=None, shares_memory=False):
    seen = {"name": "CUDA0", "free_bytes": 0, "total_bytes": 24 * GIB, "shares_memory": shares_memory}
    gpu = None if gpu_gib is None else gpu_of([{**seen, "free_bytes": gpu_gib * GIB}])
    return Here(
        memory_bytes=int(memory_gib * GIB), predict=predict, use=Use(context_tokens=context), gpu=gpu,
        predict_on_gpu=predict_on_gpu,
    )  # fmt: skip


def entry(facts, model_id, machine_here):
    return models.entry(facts, facts.models[model_id], machine_here)


@pytest.mark.parametrize(
    ("model_id", "format_name", "listed_bytes"),
    [
        # Qwen/Qwen3-4B-GGUF, Qwen3-4B-Q4_K_M.gguf, as the Hub lists it.
        ("qwen3-4b", "gguf-q4_k_m", 2_497_280_256),
    ],
)
def test_sizes_of_the_formula_are_those_of_the_hub_within_a_percent(real_facts, model_id, format_name, listed_bytes):
    found = entry(real_facts, model_id, here()).offer(format_name)
    assert found.size_bytes == pytest.approx(listed_bytes, rel=0.01)
    assert not found.is_exact


def test_the_library_has_every_size_that_a_person_runs_and_nothing_that_cannot_be_had(real_facts):
    ids = {model.model_id for model in models.library_models(real_facts)}
    assert ids >= {
        "llama-3.1-8b-instruct", "llama-3.2-1b-instruct", "llama-3.2-3b-instruct", "llama-3.3-70b-instruct",
        "mistral-7b-instruct-v0.3", "mistral-nemo-12b-instruct", "ministral-3-3b-instruct", "ministral-3-8b-instruct",
        "ministral-3-14b-instruct", "mistral-small-3.2-24b-instruct-2506", "qwen2.5-0.5b-instruct",
        "qwen2.5-72b-instruct", "qwen3-0.6b", "qwen3-32b", "qwen3-30b-a3b", "qwen3.5-9b", "smollm2-135m-instruct",
    }  # fmt: skip
    assert not [name for name in ids if name.endswith("-base")]
    assert not ids & {"mistral-medium-3-2505", "mistral-large-1-2402"}
    known = [model for model in models.library_models(real_facts) if model.gguf_repo]
    assert len(known) >= 70
    assert all(model.gguf_repo.count("/") == 1 for model in known)


def test_more_memory_never_takes_a_format_or_a_context_away(real_facts):
    small, large = here(4.0), here(32.0)
    for model in models.library_models(real_facts):
        few, many = (models.entry(real_facts, model, one) for one in (small, large))
        for before, after in zip(few.offers, many.offers, strict=True):
            assert after.fits or not before.fits
            assert (after.largest_context_tokens or 0) >= (before.largest_context_tokens or 0)


def test_what_does_not_fit_says_what_it_needs(real_facts):
    found = entry(real_facts, "llama-3.3-70b-instruct", here(8.0))
    assert found.best is None
    assert found.reason.startswith("does not fit: it needs 2")
    assert found.reason.endswith("and 8.0 GiB are free")
    assert "does not run here" in models_out.entry_answer(found, here(8.0))


def test_a_context_that_a_model_does_not_take_is_its_reason(real_facts):
    found = entry(real_facts, "mistral-7b-instruct-v0.3", here(64.0, context=131_072))
    assert (found.offers, found.reason) == ((), "its context ends at 32,768 tokens")


def test_a_speed_has_its_band_and_only_where_it_fits(real_facts):
    def predict(model, test):
        assert (test.generated_tokens, test.depth_tokens) == (128, 4096 - 128)
        return Prediction(tokens_per_s=6.0, low_tokens_per_s=4.0, high_tokens_per_s=9.0, measured_count=3)

    found = entry(real_facts, "qwen3-4b", here(4.0, predict=predict))
    assert [one.decode_tokens_per_s is not None for one in found.offers] == [one.fits for one in found.offers]
    assert {one.fits for one in found.offers} == {True, False}
    assert "It should write 6.0 tokens/s (4.0 to 9.0 in 8 of 10 cases)." in models_out.entry_answer(found, here(4.0))


def test_why_a_format_is_named_and_how_far_beyond_its_training_a_context_goes(real_facts):
    def predict(model, test):
        return Prediction(tokens_per_s=6.0, low_tokens_per_s=4.0, high_tokens_per_s=9.0, measured_count=3)

    found, much = entry(real_facts, "qwen3-4b", here(64.0, predict=predict)), here(64.0)
    # 131,072 with YaRN, 32,768 without: github.com/QwenLM/Qwen3, Qwen3_Technical_Report.pdf.
    assert ", up to 131,072 tokens of context (trained with 32,768)." in models_out.entry_answer(found, much)
    assert models_out.why_text(found) == (
        "Q8_0 has the most bits of the quantised formats that fit. Q4_K_M takes 2.49 GB. It should write 6.0 tokens/s "
        "(4.0 to 9.0 in 8 of 10 cases)."
    )
    small = entry(real_facts, "qwen2.5-0.5b-instruct", much)
    assert ", up to 32,768 tokens of context." in models_out.entry_answer(small, much)
    assert models_out.why_text(entry(real_facts, "llama-3.3-70b-instruct", here(1.0))) == ""


def test_the_file_that_is_proposed_is_the_one_that_the_answer_names(real_facts):
    sizes = {"IQ2_XXS": 1.2, "Q4_K_M": 2.5, "Q8_0": 4.3, "BF16": 8.1}
    files = tuple(
        HubFile(path=f"Qwen3-4B-{name}.gguf", size_bytes=int(gb * 1e9), sha256="a" * 64, git_sha1=None)
        for name, gb in sizes.items()
    )
    listed = HubRepository(
        name="unsloth/Qwen3-4B-GGUF", commit="0" * 40, gated=False, licence=None, changed_on=None, files=files
    )

    def proposed(memory_gib, *, known=True):
        found = entry(real_facts, "qwen3-4b", here(memory_gib))
        shape = real_facts.shapes["qwen3-4b"] if known else None
        offers = models.hub_offers(listed, shape, here(memory_gib))
        return models.first_choice(offers, found if known else None).listed.format_name

    assert (proposed(64.0), proposed(4.0), proposed(0.5)) == ("Q8_0", "Q4_K_M", "IQ2_XXS")
    assert proposed(64.0, known=False) == "IQ2_XXS"


def speed(tokens_per_s):
    return lambda model, test: Prediction(
        tokens_per_s=tokens_per_s, low_tokens_per_s=tokens_per_s / 2, high_tokens_per_s=2 * tokens_per_s,
        measured_count=3,
    )  # fmt: skip


def test_a_gpu_that_holds_all_layers_makes_it_fit_beside_little_memory(real_facts):
    without, beside = here(2.0), here(2.0, gpu_gib=22, predict=speed(5.0), predict_on_gpu=speed(60.0))
    assert entry(real_facts, "qwen3-4b", without).best is None
    found = entry(real_facts, "qwen3-4b", beside)
    assert (found.best.quantization, found.best.lies, found.best.gpu_layers) == ("Q8_0", "on the GPU", 36)
    said = models_out.entry_answer(found, beside)
    assert "All 36 layers lie on the GPU (CUDA0, 22.0 GiB free). It should write 60.0 tokens/s" in said
    assert models_out.answer([found], beside).startswith(
        "This machine (2.0 GiB free in memory, 22.0 GiB on the GPU CUDA0) holds 1 of 1 models"
    )


def test_a_model_larger_than_the_gpu_is_shared_between_both_and_its_speed_is_not_predicted(real_facts):
    # Llama 3.3 70B as Q4_K_M: 39.6 GiB of weights; neither 24 GiB of a card nor 32 GiB of memory hold it alone.
    alone, both = here(32.0), here(32.0, gpu_gib=22, predict=speed(5.0), predict_on_gpu=speed(60.0))
    assert not entry(real_facts, "llama-3.3-70b-instruct", alone).offer("gguf-q4_k_m").fits
    found = entry(real_facts, "llama-3.3-70b-instruct", both).offer("gguf-q4_k_m")
    assert found.fits
    assert 0 < found.gpu_layers < found.layer_count == 80
    assert found.decode_tokens_per_s is None
    assert models_out.place_text(found, both) == (
        f" {found.gpu_layers} of 80 layers lie on the GPU (CUDA0, 22.0 GiB free), the rest in memory."
    )
    assert (
        models_out.speed_text(found) == "How fast is not predicted for a model that is shared between GPU and memory."
    )


def test_a_gpu_too_small_for_a_layer_changes_nothing(real_facts):
    plain, beside = here(8.0, predict=speed(5.0)), here(8.0, gpu_gib=0, predict=speed(5.0))
    one, two = entry(real_facts, "qwen3-4b", plain).best, entry(real_facts, "qwen3-4b", beside).best
    assert (one.gpu_layers, two.gpu_layers, two.lies) == (None, 0, "in memory")
    assert (one.fits, one.largest_context_tokens) == (two.fits, two.largest_context_tokens)
    assert two.decode_tokens_per_s.value == 5.0
    assert "No layer of it fits the GPU" in models_out.place_text(two, beside)


def test_a_gpu_never_takes_a_format_or_a_context_away(real_facts):
    for model in models.library_models(real_facts):
        kept = [models.entry(real_facts, model, here(8.0, gpu_gib=gib)).offers for gib in (None, 0, 2, 8, 24)]
        for fewer, more in itertools.pairwise(kept):
            for before, after in zip(fewer, more, strict=True):
                assert after.fits or not before.fits
                assert (after.largest_context_tokens or 0) >= (before.largest_context_tokens or 0)


def test_a_gpu_that_shares_the_memory_of_the_machine_adds_none(real_facts):
    alone, apple = here(8.0), here(8.0, gpu_gib=6, predict_on_gpu=speed(20.0), shares_memory=True)
    one, two = entry(real_facts, "qwen3-4b", alone), entry(real_facts, "qwen3-4b", apple)
    assert [offer.fits for offer in one.offers] == [offer.fits for offer in two.offers]
    assert (two.best.lies, two.best.decode_tokens_per_s.value) == ("on the GPU", 20.0)
    assert "8.0 GiB free in memory, 6.0 GiB of it on the GPU CUDA0" in models_out.answer([two], apple)


def test_what_fits_neither_says_both_memories(real_facts):
    found = entry(real_facts, "llama-3.3-70b-instruct", here(4.0, gpu_gib=8))
    assert found.best is None
    assert found.reason.endswith("and 4.0 GiB are free in memory and 8.0 GiB on the GPU CUDA0")


def test_a_gpu_that_the_engine_was_not_built_for_is_named_with_what_to_do():
    found = replace(here(), unused_gpu="NVIDIA GeForce RTX 4090")
    assert unused_gpu_text(found).startswith("NVIDIA GeForce RTX 4090 is not used")
    assert "make install GPU=cuda" in unused_gpu_text(found)
    assert unused_gpu_text(here()) is None


def test_the_licence_is_that_of_the_catalogue_for_the_need_that_is_asked(real_facts):
    assert entry(real_facts, "qwen3-4b", here()).licence.state == "allowed"
    assert entry(real_facts, "ministral-8b-instruct-2410", here()).licence.state == "forbidden"


def test_the_command_lists_what_fits_as_words_and_as_json(command):
    shown = command("models", "--fits")
    assert (shown.exit_code, shown.err) == (0, "")
    assert shown.out.startswith("This machine (")
    found = json.loads(command("models", "--fits", "--context", "1024", "--json").out)
    assert found["models"]
    assert all(row["fits_as"] for row in found["models"])
    everything = json.loads(command("models", "--json").out)
    assert len(everything["models"]) > len(found["models"]) or all(row["fits_as"] for row in everything["models"])
    assert set(everything["formats"]) == {row["model_id"] for row in everything["models"]}


def test_the_command_lists_the_files_at_hand(command, monkeypatch, tmp_path):
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path))
    write = tmp_path / "models"
    write.mkdir()
    (write / "notes.gguf").write_text("these are notes")
    found = json.loads(command("models", "--installed", "--json").out)["models"]
    assert [one["model_id"] for one in found] == ["SmolLM2-135M-Instruct.Q4_1.gguf", "notes.gguf"]
    assert found[0]["peak_memory_bytes"] is None
    assert found[0]["warnings"] == []
    assert "is no GGUF file" in found[1]["problem"]
    shown = command("models", "--installed").out
    assert shown.startswith("2 model files at hand, 0.10 GB, 1 of them cannot be loaded")
    assert "is no GGUF file" in shown


def test_the_command_says_what_is_wrong_with_a_file_and_what_a_run_of_it_took(command, monkeypatch, tmp_path):
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    (tmp_path / "models").mkdir()
    write_tiny(tmp_path / "models" / "bare.gguf", "qwen3", chat_template=None)
    assert command("run", "hi", "--model", "bare.gguf", "--max-tokens", "2", "--context", "64").exit_code == 0
    shown = command("models", "--installed").out
    assert re.search(r"bare\.gguf: F16, 0 MB, in .*models, took \d+ MB of memory at most", shown)
    assert "  It has no chat template" in shown
    assert "  4,096 tokens of context are more than the 256 it was trained with" in shown
    told = json.loads(command("models", "--installed", "--json").out)
    assert told["in_hub_cache"] == []
    assert [bool(one["warnings"]) for one in told["models"]] == [False, True]
    assert told["models"][1]["peak_memory_bytes"] > 10_000_000


@pytest.fixture
def own_models(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "var"))
    folder = tmp_path / "var" / "models"
    folder.mkdir(parents=True)
    return folder


def test_a_split_model_goes_with_all_its_parts(own_models):
    write_tiny(own_models / "split.gguf", "llama", split_tensors=8)
    (model,) = [model for model in runs.local_models() if "split" in model.name]
    size = sum(path.stat().st_size for path in own_models.glob("split*"))
    assert at_hand.delete(model) == size
    assert list(own_models.iterdir()) == []


def state_of(path):
    (one,) = [one for one in at_hand.at_hand() if one.model.path == path]
    return one


def test_who_uses_a_model_is_said_and_only_one_that_nobody_uses_is_unloaded_or_deleted(own_models):
    path = write_tiny(own_models / "used.gguf", "qwen3")
    assert at_hand.state_text(state_of(path)) == "not loaded"
    engine = runs.pool().engine(runs.model_file(state_of(path).model), context_tokens=256)
    ask = Request(
        messages=({"role": "user", "content": "why is the sky blue"},),
        sampling=Sampling(max_tokens=200, temperature=1.0),
    )
    with closing(engine.stream(ask)) as events:
        while not isinstance(next(events), Token):
            pass
        used = state_of(path)
        assert at_hand.state_text(used) == "answers 1 request now"
        with pytest.raises(InputError, match=r"used\.gguf answers 1 request now: stop it first"):
            at_hand.unload(used)
        with pytest.raises(InputError, match="stop it first"):
            at_hand.delete(used.model)
        assert path.is_file()
    idle = state_of(path)
    assert at_hand.state_text(idle) == "in memory, nobody uses it"
    at_hand.unload(idle)
    assert at_hand.state_text(state_of(path)) == "not loaded"
    assert at_hand.delete(idle.model) > 0
    assert not path.exists()


def test_a_link_goes_and_its_file_stays(own_models, tmp_path):
    path = write_tiny(tmp_path / "elsewhere.gguf")
    linked = at_hand.link(model_at(path))
    assert at_hand.delete(model_at(linked)) == 0
    assert path.is_file()
    assert not linked.is_symlink()


def test_what_lies_elsewhere_is_not_deleted(own_models, tmp_path):
    path = write_tiny(tmp_path / "elsewhere.gguf")
    with pytest.raises(InputError, match="does not lie in models: delete it where it is"):
        at_hand.delete(model_at(path))
    assert path.is_file()


def test_a_link_never_takes_the_place_of_another_file(own_models, tmp_path):
    mine = write_tiny(own_models / "same.gguf", seed=1)
    before = mine.read_bytes()
    other = write_tiny(tmp_path / "same.gguf", seed=2)
    with pytest.raises(InputError, match=r"same\.gguf is the name of another file"):
        at_hand.link(model_at(other))
    assert mine.read_bytes() == before


@pytest.mark.parametrize("text", ["", "  ", "/nowhere/notes.txt", "x\0.gguf"])
def test_a_path_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="is no GGUF file"):
        at_hand.from_path(text)


def test_a_file_that_is_not_there_is_a_problem_with_its_name(tmp_path):
    assert "cannot be read" in at_hand.from_path(str(tmp_path / "gone.gguf")).problem
