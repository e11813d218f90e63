"""The command line, to its exit code, on the real facts."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import fields

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmcompare.cli import scenario as cli
from llmcompare.core import words
from llmcompare.core.records import RENTED_BILLINGS
from llmcompare.core.scenario import Scenario
from llmcompare.services import costs
from llmcompare.store.db import Catalog, current_path
from llmcompare.store.schema import schema_hash

WALK = shlex.split(
    "--model llama-3.3-70b-instruct --requests-per-month 5000000 --input-tokens 1000 --output-tokens 300"
)


def no_constant(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def as_json(text: str):
    """Strict: NaN and Infinity are refused."""
    return json.loads(text, parse_constant=no_constant)


def test_costs_as_json_are_the_figures_of_the_comparison(command, real_facts):
    ran = command("costs", *WALK, "--json")
    found = as_json(ran.out)
    scenario = Scenario(requests_per_month=5e6)
    comparison = costs.compare(real_facts, scenario)
    assert ran.exit_code == 0
    assert found["answer"] == words.headline(comparison)
    assert found["api"]["usd_per_month"]["mid"] == comparison.api.usd_per_month.mid
    assert found["rented"]["usd_per_month"]["mid"] == comparison.rented.usd_per_month.mid
    assert found["today"]["usd_per_month"] == comparison.today.usd_per_month == pytest.approx(27_500, rel=1e-9)
    assert found["row_ids"] == [row.row_id for row in comparison.rows_used]
    assert [len(pair["points"]) for pair in found["crossings"]] == [
        len(pair.crossings.points) for pair in comparison.pairs
    ]


def test_every_row_id_in_the_json_is_a_row_of_the_catalogue(command, real_catalog):
    found = as_json(command("costs", *WALK, "--json").out)
    for row_id in found["row_ids"]:
        table = row_id.split(":")[0]
        _, rows = real_catalog.table(f"SELECT source FROM {table} WHERE row_id = $row_id", row_id=row_id)
        assert len(rows) == 1
        assert rows[0][0]


def test_costs_for_people_name_the_answer_each_option_and_each_assumption(command, real_facts):
    ran = command("costs", *WALK)
    comparison = costs.compare(real_facts, Scenario(requests_per_month=5e6))
    assert ran.exit_code == 0
    assert ran.out.startswith(words.headline(comparison))
    for sentence in words.option_sentences(comparison):
        assert sentence in ran.out
    for assumption in words.assumptions(comparison):
        assert assumption.name in ran.out


def test_a_model_without_any_price_has_reasons_and_no_nan(command):
    found = as_json(command("costs", "--model", "llama-2-7b", "--json").out)
    assert found["api"]["reason"] or found["api"]["usd_per_month"]
    assert "usd_per_month" in found["today"]
    assert "$nan" not in json.dumps(found)


def test_where_nothing_can_be_rented_nothing_is_said_to_be_cheapest_at_scale(command):
    found = as_json(command("costs", "--model", "qwen3-8b", "--billing", "reserved-3y", "--json").out)
    if "reason" in found["rented"]:
        assert "what is rented" not in json.dumps(found["rented_at_scale"])
    else:
        assert found["rented"]["replica_count"] >= 1


def test_an_alias_gives_the_same_figures_as_the_id(command):
    by_alias = as_json(command("costs", "--model", "llama-4-scout-17b-16e-instruct", "--json").out)
    by_id = as_json(command("costs", "--model", "llama-4-scout-instruct", "--json").out)
    assert by_alias["model"] == by_id["model"] == "llama-4-scout-instruct"
    assert by_alias["api"] == by_id["api"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--model", "llama-3.3-70b-instuct"],
            ["model 'llama-3.3-70b-instuct'", "did you mean llama-3.3-70b-instruct"],
        ),
        (["--model", "zzz"], ["model 'zzz'", "Data page"]),
        (["--today", "openai/gpt4o"], ["API offer 'openai/gpt4o'", "openai/gpt-4o"]),
        (["--gpu", "h100"], ["GPU 'h100'", "did you mean"]),
        (["--throughput-record", "none"], ["throughput record", "'none'"]),
        (["--requests-per-month", "0"], ["requests_per_month is 0"]),
        (["--requests-per-month", "-5"], ["requests_per_month is -5"]),
        (["--requests-per-month", "nan"], ["requests_per_month is nan"]),
        (["--requests-per-month", "inf"], ["requests_per_month is inf"]),
        (["--cached-input-fraction", "1.5"], ["cached_input_fraction is 1.5", "0.3 for 30%"]),
        (["--target-utilisation-fraction", "0"], ["target_utilisation_fraction is 0"]),
        (["--billing", "weekly"], ["billing is 'weekly'", "on-demand"]),
        (["--input-tokens", "0", "--output-tokens", "0"], ["input_tokens and output_tokens are both 0"]),
        (["--own-usd-per-gpu-hour", "-1", "--gpu", "l40s-48gb"], ["own_usd_per_gpu_hour is -1"]),
        (["--requests-per-month", "many"], ["requests_per_month is 'many'", "give a number"]),
    ],
)
def test_a_value_that_cannot_be_used_is_one_sentence_and_exit_code_2(command, arguments, says):
    ran = command("costs", *arguments, "--json")
    assert ran.exit_code == 2
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert all(part in ran.err for part in says), ran.err


small_numbers = st.floats(0.01, 1e4)
scenarios = st.builds(
    Scenario,
    model=st.sampled_from(["llama-3.3-70b-instruct", "qwen3-8b", "a 'quoted' $name; --json", "-x"]),
    requests_per_month=small_numbers,
    input_tokens=small_numbers,
    output_tokens=small_numbers,
    cached_input_fraction=st.floats(0, 1),
    thinking_tokens=small_numbers,
    api_variant=st.sampled_from(["standard", "fp8"]),
    today_usd_per_month=st.none() | small_numbers,
    billing=st.sampled_from(RENTED_BILLINGS),
    target_utilisation_fraction=st.floats(0.01, 1),
    own_output_tokens_per_s=st.none() | small_numbers,
    own_usd_per_gpu_hour=st.none() | small_numbers,
    gpu=st.none() | st.sampled_from(["l40s-48gb", "h100-sxm-80gb"]),
    gpus_per_replica=st.integers(1, 16),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scenario=scenarios)
def test_the_real_command_reads_the_flags_of_a_scenario_as_that_very_scenario(scenario):
    # A command of our own around the same options: it keeps what Typer parsed.
    kept = []
    app = cli.typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    @cli.takes_scenario
    def keep(scenario: Scenario) -> None:
        kept.append(scenario)

    app(shlex.split(scenario.flags()), standalone_mode=False)
    assert kept == [scenario]


def test_the_command_has_an_option_for_every_field_of_a_scenario():
    assert list(cli.SCENARIO_HELP) == [field.name for field in fields(Scenario)]


def test_seed_lists_every_table_with_its_rows(command):
    ran = command("seed")
    assert ran.exit_code == 0
    assert re.search(r"gpu_prices: 713 rows from \d+ sources, \S+ to \S+, 40 undated", ran.out)
    found = as_json(command("seed", "--json").out)
    assert {row["table"]: row["rows"] for row in found["tables"]}["throughput"] == 2_442
    assert {row["table"]: row["unjoined_rows"] for row in found["tables"]}["throughput"] > 0


def test_seed_names_every_refused_cell_in_words_and_as_json(command, data, var, monkeypatch):
    line = data.set("gpu_prices", "usd_per_hour", "$0.71")
    monkeypatch.setenv("LLMCOMPARE_DATA", str(data.path))
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))
    ran = command("seed")
    assert ran.exit_code == 2
    assert f"data/gpu_prices.csv line {line}, column usd_per_hour: '$0.71' is refused" in ran.err
    ran = command("seed", "--json")
    assert ran.exit_code == 2
    (cell,) = as_json(ran.out)["errors"]
    assert (cell["file"], cell["line"], cell["column"], cell["value"]) == (
        "data/gpu_prices.csv", line, "usd_per_hour", "$0.71",
    )  # fmt: skip


def test_costs_go_on_with_the_last_good_catalogue_and_say_so(command, data, var, monkeypatch):
    monkeypatch.setenv("LLMCOMPARE_DATA", str(data.path))
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))
    before = command("costs", "--model", "tiny-7b", "--json")
    assert before.exit_code == 0
    data.set("gpu_prices", "usd_per_hour", "$0.71")
    after = command("costs", "--model", "tiny-7b", "--json")
    assert after.exit_code == 0
    assert after.out == before.out
    assert "the last good catalogue is in use" in after.err
    assert "'$0.71'" in after.err


@pytest.mark.parametrize("name", ["costs", "seed", "report"])
def test_a_var_folder_that_cannot_be_made_is_one_sentence_and_exit_code_2(command, tmp_path, monkeypatch, name):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "file" / "var"))
    ran = command(name, *(["--out", tmp_path / "x.html"] if name == "report" else []))
    assert ran.exit_code == 2
    assert "LLMCOMPARE_VAR" in ran.err
    assert "Traceback" not in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_doctor_looks_at_everything_and_counts_what_is_needed(command):
    port = free_port()
    found = as_json(command("doctor", "--port", port, "--json").out)
    names = [finding["name"] for finding in found["findings"]]
    assert {"python", "var folder", "catalogue", "local engine", "demo model", "port"} <= set(names)
    ran = command("doctor", "--port", port)
    assert ran.exit_code == 0
    assert f"ok  port: {port} is free" in ran.out


def test_the_doctor_exits_with_2_when_something_needed_is_missing(command, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "file" / "var"))
    ran = command("doctor", "--port", free_port())
    assert ran.exit_code == 2
    assert "BAD var folder" in ran.out
    assert "Traceback" not in ran.err


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_port_in_use_is_one_sentence_and_exit_code_2(command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = command("serve", "--port", port)
        assert ran.exit_code == 2
        assert f"port {port} cannot be used" in ran.err
        assert "make run PORT=" in ran.err
        assert f"port {port} cannot be used" in command("doctor", "--port", port).out


@pytest.mark.parametrize("port", ["0", "-1", "70000", "http"])
@pytest.mark.parametrize("name", ["serve", "doctor"])
def test_a_port_that_cannot_be_is_refused_with_exit_code_2(command, name, port):
    ran = command(name, "--port", port)
    assert (ran.exit_code, ran.out) == (2, "")
    assert "'--port'" in ran.err
    assert "Traceback" not in ran.err


def test_without_a_command_the_help_is_shown(command):
    assert "Which open-weight model" in command("--help").out
    for name in ("seed", "costs", "report", "run", "doctor", "serve"):
        assert name in command("--help").out


def run_process(project, real_folders, *arguments: object, cwd=None) -> subprocess.CompletedProcess:
    """`python -m llmcompare …` as a process of its own."""
    environment = os.environ | {
        "LLMCOMPARE_DATA": str(real_folders.data),
        "LLMCOMPARE_VAR": str(real_folders.var),
        "PYTHONPATH": str(project),
    }
    return subprocess.run(
        [sys.executable, "-m", "llmcompare", *map(str, arguments)],
        cwd=cwd or project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_works_while_another_process_holds_the_catalogue_open(project, real_folders, command):
    opened = Catalog(current_path(real_folders.var, schema_hash()))
    ran = run_process(project, real_folders, "costs", *WALK, "--json")
    opened.close()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == command("costs", *WALK, "--json").out


def test_a_refusal_of_a_process_of_its_own_is_one_line(project, real_folders):
    ran = run_process(project, real_folders, "costs", "--requests-per-month", "0")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stderr.startswith("llmcompare: requests_per_month is 0")


def documented(project) -> list[str]:
    blocks = re.findall(r"```(?:console|bash)\n(.*?)```", (project / "docs/cli.md").read_text(encoding="utf-8"), re.S)
    lines = [line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("python -m llmcompare")]


def test_every_example_of_the_documentation_runs(project, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "votes.csv").write_text("voter,left_model,right_model,vote\nada,a,b,left\n", encoding="utf-8")
    # One stays up until it is ended, two ask servers of others, the others take a file of the reader's own.
    left_out = re.compile(r" (serve|bench|predict|download|--endpoint) ")
    examples = [shlex.split(line)[3:] for line in documented(project) if not left_out.search(line)]
    assert {example[0] for example in examples} >= {"costs", "report", "run", "seed", "doctor", "fit"}
    for example in examples:
        ran = command(*example)
        assert (ran.exit_code, ran.err) == (0, ""), example
        assert ran.out
        if "--json" in example:
            assert as_json(ran.out)
    assert {path.suffix for path in tmp_path.iterdir() if path.name != "votes.csv"} == {".html"}


def test_one_example_of_the_documentation_runs_as_a_process(project, real_folders, tmp_path):
    example = next(line for line in documented(project) if " report " in line)
    ran = run_process(project, real_folders, *shlex.split(example)[3:], cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    (written,) = tmp_path.iterdir()
    assert written.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_serve_starts_the_dashboard_on_this_machine_and_ends_with_its_process(project, real_folders):
    port = free_port()
    environment = os.environ | {"LLMCOMPARE_DATA": str(real_folders.data), "LLMCOMPARE_VAR": str(real_folders.var)}
    server = subprocess.Popen(
        [sys.executable, "-m", "llmcompare", "serve", "--port", str(port)],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        assert answer(f"http://127.0.0.1:{port}/_stcore/health") == "ok"
        assert "<html" in answer(f"http://127.0.0.1:{port}/")
    finally:
        server.terminate()
        server.communicate(timeout=30)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)


def answer(url: str) -> str:
    """What a server says once it is up, within half a minute."""
    for _ in range(150):
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.read().decode()
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} does not answer")


def test_speeds_are_predicted_for_every_row_of_a_file(project, command, tmp_path):
    out = tmp_path / "predicted.csv"
    ran = command("predict", "--csv", str(project / "data/throughput.csv"), "--out", str(out), "--json")
    told = as_json(ran.out)
    assert (ran.exit_code, told["rows"]) == (0, 2442)
    assert told["predicted"] > 2100
    assert out.read_text(encoding="utf-8").count("\n") == 2443
    refused = command("predict", "--csv", str(tmp_path / "none.csv"), "--out", str(out))
    assert (refused.exit_code, "cannot be read" in refused.err) == (2, True)
