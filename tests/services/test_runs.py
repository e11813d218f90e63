"""`run`: one prompt through real models, from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmcompare.models.library import demo_model_path
from llmcompare.store.results import ResultsLog

FIELDS = {
    "model", "text", "prompt_tokens", "generated_tokens", "ttft_ms", "prompt_tokens_per_s", "generation_tokens_per_s",
    "peak_memory_bytes", "threads", "gpu_layers", "scheduling", "cold", "error",
}  # fmt: skip


@pytest.fixture(scope="module")
def demo():
    path = demo_model_path()
    assert path is not None, "The demo model is missing: run `make install`."
    return str(path)


@pytest.fixture
def run(tmp_path):
    """Runs the command with a results log of its own."""
    environment = os.environ | {"LLMCOMPARE_VAR": str(tmp_path / "var")}

    def run_it(*arguments):
        command = [sys.executable, "-m", "llmcompare", "run", "Why is the sky blue?", "--max-tokens", "12", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)

    return run_it


@pytest.mark.parametrize("scheduling", ["in-turn", "together"])
def test_two_models_answer_and_every_figure_is_there(run, demo, scheduling):
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
        assert reply["error"] is None
    # One file, one worker: whoever came second found it loaded.
    assert sorted(reply["cold"] for reply in replies) == [False, True]
    assert replies[0]["text"] == replies[1]["text"]


def test_a_file_that_is_refused_leaves_the_other_alone(run, demo, tmp_path):
    notes = tmp_path / "notes.gguf"
    notes.write_text("these are notes")
    ran = run("--model", str(notes), "--model", demo, "--json")
    assert ran.returncode == 0
    refused, answered = json.loads(ran.stdout)["replies"]
    assert "notes.gguf is no GGUF file" in refused["error"]
    assert refused["generated_tokens"] is None
    assert answered["error"] is None


def test_when_no_model_answers_the_exit_code_says_so(run, tmp_path):
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
def test_a_value_that_cannot_be_used_is_one_sentence(run, arguments, says):
    ran = run(*arguments)
    assert ran.returncode == 2
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_model_can_be_named_like_its_file_and_a_name_that_nobody_has_is_one_sentence(run, demo):
    ran = run("--model", Path(demo).name, "--json")
    assert json.loads(ran.stdout)["replies"][0]["error"] is None
    ran = run("--model", "smollm2")
    assert ran.returncode == 2
    assert "no model file is called 'smollm2': did you mean SmolLM2" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_runs_of_the_command_line_are_in_the_log_with_every_reply(run, demo, tmp_path):
    shown = json.loads(run("--model", demo, "--model", str(tmp_path / "nowhere.gguf"), "--json").stdout)
    logged = ResultsLog(tmp_path / "var" / "results").run(shown["run_id"])
    assert not logged.unfinished
    assert [reply.reply_id for reply in logged.replies] == [reply["reply_id"] for reply in shown["replies"]]
    assert logged.run.prompt == "Why is the sky blue?"
    assert logged.run.models == (Path(demo).name, "nowhere.gguf")
