"""`run`: one prompt through real models, from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmcompare.core.replies import can_be_typed, run_flags
from llmcompare.models.library import demo_model_path
from llmcompare.store.results import ResultsLog
from tests.engines.endpoint_server import DONE, chunk, serving, usage

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

    def run_it(*arguments):
        environment = os.environ | {"LLMCOMPARE_VAR": str(tmp_path / "var")}
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


# --- endpoints --------------------------------------------------------------------------------------------------------


@pytest.fixture
def server():
    with serving() as script:
        script.say(chunk('{"sky": "blue"}'), chunk(finish="stop"), usage(9, 6), DONE)
        yield script


def endpoint(server, kind="vllm"):
    return f"{kind}:some-model@{server.base_url}"


def test_a_model_on_a_server_answers_beside_a_local_one_with_the_same_facts(run, demo, server, tmp_path):
    ran = run("--model", demo, "--endpoint", endpoint(server), "--top-k", "5", "--stop", "END", "--json")
    assert ran.returncode == 0, ran.stderr
    here, there = json.loads(ran.stdout)["replies"]
    assert set(here) == set(there) >= FIELDS
    assert (there["model"], there["text"]) == (f"some-model @ {server.address}", '{"sky": "blue"}')
    assert (there["prompt_tokens"], there["generated_tokens"], there["peak_memory_bytes"]) == (9, 6, None)
    assert there["reply_ms"] >= there["ttft_ms"] > 0
    assert (server.asked[0]["top_k"], server.asked[0]["stop"]) == (5, ["END"])
    (logged,) = ResultsLog(tmp_path / "var" / "results").runs()
    command = run_flags(logged.run)
    assert can_be_typed(logged.run)
    assert f"--endpoint vllm:some-model@{server.base_url}" in command
    assert "--top-k 5 --stop END" in command


def test_without_a_local_model_the_server_answers_alone_and_the_reply_is_checked(run, server, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "properties": {"sky": {"enum": ["red"]}}}', encoding="utf-8")
    ran = run("--endpoint", endpoint(server), "--json-schema", str(schema), "--json")
    (reply,) = json.loads(ran.stdout)["replies"]
    assert reply["json"] == {"sky": "blue"}
    assert "'blue' is not one of ['red']" in reply["json_problem"]
    assert server.asked[0]["response_format"]["type"] == "json_schema"


def test_a_server_that_is_down_is_the_error_of_its_reply(run):
    ran = run("--endpoint", "vllm:m@http://127.0.0.1:9/v1", "--json")
    assert ran.returncode == 2
    assert "cannot be reached" in json.loads(ran.stdout)["replies"][0]["error"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--endpoint", "nobody:m"], "endpoint kind 'nobody' is not known"),
        (["--endpoint", "vllm:"], "no model is named"),
        (["--endpoint", "other:m"], "no base URL is given"),
        (["--endpoint", "vllm:m@http://user:key@host/v1"], "holds more than an address"),
        (["--json-schema", "nowhere.json"], "the JSON schema nowhere.json cannot be read"),
    ],
)
def test_what_is_no_endpoint_and_no_schema_is_refused_in_one_line(command, arguments, says):
    ran = command("run", "Why?", *arguments)
    assert (ran.exit_code, ran.out) == (2, "")
    assert says in ran.err
    assert "user:key" not in ran.err


def test_the_key_of_an_endpoint_is_sent_and_written_down_nowhere(run, server, tmp_path, monkeypatch):
    key = "sk-secret-0123456789"
    monkeypatch.setenv(f"LLMCOMPARE_KEY_{server.address.replace('.', '_').replace(':', '_')}", key)
    ran = run("--endpoint", endpoint(server), "--json")
    assert server.authorization == [f"Bearer {key}"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "var").rglob("*") if path.is_file())
    assert b"some-model" in kept
    assert key not in ran.stdout + ran.stderr + kept.decode("utf-8", errors="replace")
