"""`run`: one prompt through real models, from the command line."""

import json
import subprocess
import sys

import pytest

from llmcompare.services.doctor import demo_model_path

FIELDS = {
    "model", "text", "prompt_tokens", "generated_tokens", "ttft_ms", "prompt_tokens_per_s", "generation_tokens_per_s",
    "peak_memory_bytes", "threads", "gpu_layers", "scheduling", "cold", "error",
}  # fmt: skip


@pytest.fixture(scope="module")
def demo():
    path = demo_model_path()
    assert path is not None, "The demo model is missing: run `make install`."
    return str(path)


def run(*arguments):
    command = [sys.executable, "-m", "llmcompare", "run", "Why is the sky blue?", "--max-tokens", "12", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("scheduling", ["in-turn", "together"])
def test_two_models_answer_and_every_figure_is_there(demo, scheduling):
    ran = run("--model", demo, "--model", demo, "--scheduling", scheduling, "--json")
    assert ran.returncode == 0, ran.stderr
    replies = json.loads(ran.stdout)["replies"]
    assert len(replies) == 2
    for reply in replies:
        assert set(reply) >= FIELDS
        assert reply["text"]
        assert reply["generated_tokens"] == 12
        assert reply["ttft_ms"] > 0
        assert reply["scheduling"] == scheduling
        assert reply["cold"] is True
        assert reply["error"] is None
    assert replies[0]["text"] == replies[1]["text"]


def test_a_file_that_is_refused_leaves_the_other_alone(demo, tmp_path):
    notes = tmp_path / "notes.gguf"
    notes.write_text("these are notes")
    ran = run("--model", str(notes), "--model", demo, "--json")
    assert ran.returncode == 0
    refused, answered = json.loads(ran.stdout)["replies"]
    assert "notes.gguf is no GGUF file" in refused["error"]
    assert refused["generated_tokens"] is None
    assert answered["error"] is None


def test_when_no_model_answers_the_exit_code_says_so(tmp_path):
    ran = run("--model", str(tmp_path / "nowhere.gguf"))
    assert ran.returncode == 2
    assert "No such file" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scheduling", "never"], "scheduling is 'never'"),
        (["--temperature", "-1"], "temperature is -1"),
        (["--max-tokens", "0"], "max_tokens is 0"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_sentence(arguments, says):
    ran = run(*arguments)
    assert ran.returncode == 2
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
