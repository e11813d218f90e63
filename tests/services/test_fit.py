"""Does it fit: one answer for a model of the catalogue, a local file and a remote one, in figures and sentences."""

import json

import pytest

from llmcompare.core.memory import Use
from llmcompare.errors import InputError, LlmCompareError, UnknownIdError
from llmcompare.models.library import demo_model_path
from llmcompare.services import fit
from llmcompare.services.fit import FORMATS_BEST_FIRST
from tests.models.hub_server import serving

GIB = 1024**3
AT_8K = Use(context_tokens=8_192)


@pytest.fixture(scope="module")
def llama(real_facts):
    return fit.fit(real_facts, fit.subject(real_facts, "llama-3-8b-instruct"), AT_8K)


def test_the_command_answers_with_bytes_gpus_and_rows(command):
    done = command("fit", "llama-3-8b-instruct", "--context", 8192, "--json")
    found = json.loads(done.out)
    assert done.exit_code == 0
    assert found["kv_cache_bytes"] == 1_073_741_824
    parts = ("weights_bytes", "kv_cache_bytes", "buffers_bytes")
    assert found["total_bytes"] == sum(found[part] for part in parts)
    # 8,030,261,248 parameters in two bytes.
    assert found["weights_bytes"] == pytest.approx(16_060_522_496, rel=1e-5)
    assert len(found["gpus"]) > 80
    assert found["warnings"] == []
    assert all(row_id.split(":")[0] in ("models", "gpus") for row_id in found["row_ids"])
    assert found["sources"]


def test_the_command_says_it_in_words_too(command):
    done = command("fit", "qwen2.5-7b-instruct", "--context", 65536, "--format", "q4_k_m", "--gpu", "rtx-4090-24gb")
    assert done.out.splitlines()[0].startswith("Qwen2.5 7B Instruct as gguf-q4_k_m with 65,536 tokens: 8.")
    assert "beyond the native 32,768" in done.out
    assert "RTX 4090 24GB: one holds it with up to 131,072 tokens" in done.out


def test_a_gpu_holds_it_when_the_total_is_within_what_can_be_used(llama):
    for gpu in llama.gpus:
        assert gpu.fits == (llama.need.total_bytes <= gpu.usable_bytes)
        assert gpu.fits == (gpu.gpu_count == 1)
    by_id = {gpu.gpu_id: gpu for gpu in llama.gpus}
    # 18.0 GiB: not in nine tenths of 16, but in nine tenths of 24; a 10 GB card holds it in four to five bits.
    assert not by_id["rtx-4080-16gb"].fits
    assert by_id["rtx-4090-24gb"].fits
    assert by_id["rtx-3080-10gb"].best_format == "gguf-q6_k"


def test_what_one_gpu_does_not_hold_is_shared_with_ram(real_facts):
    def on(name, gpu_id):
        use = Use(context_tokens=8_192)
        found = fit.fit(real_facts, fit.subject(real_facts, name), use, format_name="q4_k_m", gpu_id=gpu_id)
        return found.need, found.gpus[0]

    need, dense = on("llama-3.3-70b-instruct", "rtx-4090-24gb")
    # Weights and cache lie evenly over 80 layers.
    each = (need.weights_bytes + need.kv_cache_bytes) / 80
    assert dense.gpu_layers_on_one == int((dense.usable_bytes - need.buffers_bytes) / each) == 39
    assert dense.ram_bytes_beside_one == pytest.approx((80 - 39) * each)
    assert dense.ram_bytes_with_experts is None
    need, experts = on("qwen3-30b-a3b", "rtx-3060-12gb")
    # 48 layers of 128 experts with three matrices of 2,048 x 768 are 29.0 of its 30.5 billion parameters.
    assert experts.ram_bytes_with_experts / need.weights_bytes == pytest.approx(29.0 / 30.5, abs=0.01)


def test_a_file_of_the_same_model_has_exact_weights(real_facts):
    found = fit.fit(real_facts, fit.subject(real_facts, str(demo_model_path())), Use(context_tokens=2_048))
    assert found.format_name == "gguf-q4_1"
    assert found.need.weights_bytes == 96_576_768
    assert found.need.kv_cache_bytes == 45 * 1024**2
    assert fit.fit_json(found)["weights_are_exact"]
    other = fit.fit(real_facts, found.subject, found.use, format_name="bf16")
    assert not fit.fit_json(other)["weights_are_exact"]
    assert other.need.weights_bytes == pytest.approx(2 * 134_515_008, rel=0.001)


def test_a_remote_file_answers_like_the_local_one(real_facts, monkeypatch):
    demo = demo_model_path()
    with serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        hub.files["maker/demo-GGUF"] = {demo.name: demo}
        far = fit.fit(real_facts, fit.subject(real_facts, f"maker/demo-GGUF:{demo.name}"), AT_8K)
    near = fit.fit(real_facts, fit.subject(real_facts, str(demo)), AT_8K)
    assert far.need == near.need
    assert far.gpus == near.gpus


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["llama-3-8b-instruct", "--context", 9000], "longer than the 8,192 that llama-3-8b-instruct takes"),
        (["llama-3-8b-instruct", "--context", 0], "a context of 0 tokens holds nothing"),
        (["llama-3-8b-instruct", "--context", 1, "--gpu", "h100"], "GPU 'h100' is not in the catalogue: did you mean"),
        (["llama-3-8b-instruct", "--context", 1, "--gpu", "cpu-epyc-9654"], "no source gives the memory of AMD EPYC"),
        (["llama-3-8b-instruct", "--context", 1, "--format", "q4"], "'q4' is no weight format"),
        (["llama-3-8b-instruct", "--context", 1, "--kv-format", "q4"], "'q4' is no format of a KV cache"),
        (["llama-3-9b", "--context", 1], "model 'llama-3-9b' is not in the catalogue: did you mean"),
        (["missing.gguf", "--context", 1], "no model file is called 'missing.gguf'"),
        (["mistral-small-4", "--context", 1], "no source gives the layers and heads of mistral-small-4"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence_with_value_and_advice(command, arguments, sentence):
    refused = command("fit", *arguments)
    assert refused.exit_code == 2
    assert sentence in refused.err
    assert refused.out == ""


def test_the_repository_of_the_weights_is_a_name_too(real_facts):
    assert fit.subject(real_facts, "meta-llama/Llama-3.3-70B-Instruct").shape.name == "llama-3.3-70b-instruct"


def test_a_name_that_shares_an_architecture_says_so(real_facts):
    shared = next(name for name in real_facts.shapes if name not in real_facts.names)
    assert fit.subject(real_facts, shared).name.startswith(f"{shared} (the architecture of ")


def test_the_grid_agrees_with_each_answer(real_facts):
    model = fit.subject(real_facts, "llama-3.3-70b-instruct")
    grid = fit.gpu_counts(real_facts, model, Use(context_tokens=131_072))
    assert len(grid) == len(FORMATS_BEST_FIRST) * 91
    for name in ("bf16", "gguf-q4_k_m"):
        answer = fit.fit(real_facts, model, Use(context_tokens=131_072), format_name=name)
        assert {gpu.gpu_id: gpu.gpu_count for gpu in answer.gpus} == {
            gpu_id: count for (gpu_id, kept), count in grid.items() if kept == name
        }


def test_every_model_with_a_shape_is_answered_or_refused_with_a_sentence(real_facts):
    for name, shape in real_facts.shapes.items():
        found = fit.fit(real_facts, fit.subject(real_facts, name), Use(context_tokens=128), gpu_id="h200-sxm-141gb")
        assert found.need.total_bytes > shape.params_total


def test_unknown_and_wrong_are_our_own_errors(real_facts):
    for name in ("", "nothing", "x.gguf", "hf://a/b/c.bin", "../../etc/passwd"):
        with pytest.raises((InputError, UnknownIdError, LlmCompareError)):
            fit.subject(real_facts, name)
