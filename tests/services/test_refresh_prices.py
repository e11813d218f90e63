"""`refresh prices`: the real packages, offline and against servers on this machine, to the rows in the files."""

import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
from datetime import date
from importlib import metadata

import pytest
from price_servers import machine, machines, serving, token_prices

from llmcompare.services import catalogue, overrides, refresh
from llmcompare.store import queries
from llmcompare.store.paths import Folders

GENAI, GPUHUNT = "LLMCOMPARE_GENAI_PRICES_URL", "GPUHUNT_CATALOG_URL"
NOWHERE = "http://127.0.0.1:9"
LLAMA = "meta-llama/Llama-3.3-70B-Instruct-Turbo"


@pytest.fixture
def where(project, tmp_path, monkeypatch) -> Folders:
    """The real data in a folder that a test may write to, without a network."""
    shutil.copytree(project / "data", tmp_path / "data")
    found = Folders(data=tmp_path / "data", var=tmp_path / "var")
    monkeypatch.setenv("LLMCOMPARE_DATA", str(found.data))
    monkeypatch.setenv("LLMCOMPARE_VAR", str(found.var))
    monkeypatch.setenv(GENAI, NOWHERE)
    monkeypatch.setenv(GPUHUNT, NOWHERE)
    return found


@pytest.fixture
def offered(where, monkeypatch):
    """Serves these token prices to genai-prices."""
    with contextlib.ExitStack() as stack:

        def serve(providers):
            address = stack.enter_context(serving({"/data.json": token_prices(providers)}))
            monkeypatch.setenv(GENAI, f"{address}/data.json")

        yield serve


@pytest.fixture
def rented(where, monkeypatch):
    """Serves these machines to gpuhunt."""
    with contextlib.ExitStack() as stack:

        def serve(version, rows):
            monkeypatch.setenv(GPUHUNT, stack.enter_context(serving(machines(version, rows))))

        yield serve


def lists(ran) -> dict[str, dict]:
    return {one["name"]: one for one in json.loads(ran.out)["lists"]}


def state(where: Folders) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(where.data.iterdir())}


def test_the_installed_package_offline_confirms_what_was_read_in_it_and_nothing_changed(where, command_line):
    before = state(where)
    ran = command_line("refresh", "prices", "--list", "genai-prices", "--json")
    (one,) = lists(ran).values()
    assert ran.exit_code == 0
    assert one["as_of"] == "2026-11-10"
    assert "cannot be updated here" in one["how"]
    # 465 rows were read in this version; five are sold by the hour of the day.
    assert (one["changed"], one["held"], one["gone"]) == ([], [], [])
    assert one["known_count"] == 460
    assert one["left_out"]["the price depends on the hour"] == 5
    assert json.loads(ran.out)["saved_rows"] == {}
    assert state(where) == before


def test_both_lists_out_of_reach_explain_themselves(where, command_line):
    ran = command_line("refresh", "prices", "--list", "gpuhunt")
    assert ran.exit_code == 2
    assert "no price list could be read" in ran.err
    assert "gpuhunt 0.1.34 cannot load its catalogues" in ran.err
    assert "there are no prices inside the package: connect" in ran.err
    assert "Traceback" not in ran.err + ran.out


def test_packages_that_are_not_installed_explain_themselves(where, command_line, monkeypatch):
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    # What is installed is part of the environment.
    monkeypatch.setattr(metadata, "version", absent)
    ran = command_line("refresh", "prices")
    assert ran.exit_code == 2
    for name in ("genai-prices", "gpuhunt"):
        assert (
            f"{name} is not installed: `.venv/bin/python -m pip install -r requirements-refresh.txt` adds it."
            in ran.err
        )


def test_the_file_that_the_message_names_holds_both_packages_and_the_app_needs_neither(project):
    optional = (project / "requirements-refresh.txt").read_text()
    needed = (project / "requirements.txt").read_text()
    for name in ("genai-prices", "gpuhunt"):
        assert name in optional
        assert name not in needed


def test_a_package_of_another_version_asks_for_its_day(where, command_line, monkeypatch):
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "9.9.9" if name == "genai-prices" else real(name))
    ran = command_line("refresh", "prices", "--list", "genai-prices")
    assert ran.exit_code == 2
    assert "nothing here says on which day this version was published: connect, or give the day with --as-of" in ran.err
    ran = command_line("refresh", "prices", "--list", "genai-prices", "--as-of", "2026-11-20", "--json")
    assert lists(ran)["genai-prices"]["confirmed_count"] > 450


def test_a_changed_price_becomes_a_new_dated_row_beside_the_old_one(where, offered, command_line):
    offered({"together": {LLAMA: {"input_mtok": 0.99, "output_mtok": 1.1}}})
    old = state(where)["api_prices.csv"]
    ran = command_line("refresh", "prices", "--list", "genai-prices", "--yes")
    assert f"changed: together · {LLAMA}: " in ran.out
    assert "→ $0.99 / $1.10 per million tokens" in ran.out
    assert "Saved: 1 row behind data/api_prices.csv." in ran.out
    new = state(where)["api_prices.csv"]
    assert new.startswith(old)
    assert new.count(b"\n") == old.count(b"\n") + 1
    facts = catalogue.current(date.today(), where).usable()
    (offer,) = [o for o in facts.api_offers if (o.provider, o.api_model_name) == ("together", LLAMA)]
    assert (offer.input_usd_per_mtok, offer.as_of) == (0.99, date.today().isoformat())
    assert offer.source.startswith(f"PyPI package genai-prices 0.2.3: update read {date.today()}")
    history = [o for o in facts.api_price_history if (o.provider, o.api_model_name) == ("together", LLAMA)]
    assert len(history) == 2
    # What a model is, and its batch prices, come from the row before.
    first, second = history
    assert (second.model_id, second.variant, second.batch_discount_fraction) == (
        first.model_id, first.variant, first.batch_discount_fraction,
    )  # fmt: skip


def test_a_second_refresh_changes_nothing(where, offered, command_line):
    offered({"together": {LLAMA: {"input_mtok": 0.99, "output_mtok": 1.1}}})
    command_line("refresh", "prices", "--list", "genai-prices", "--yes")
    before = state(where)
    ran = command_line("refresh", "prices", "--list", "genai-prices", "--yes")
    assert "There is nothing to save." in ran.out
    assert state(where) == before


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_without_a_terminal_and_without_yes_nothing_is_saved(where, offered, command_line, arguments):
    offered({"together": {LLAMA: {"input_mtok": 0.99, "output_mtok": 1.1}}})
    before = state(where)
    ran = command_line("refresh", "prices", "--list", "genai-prices", *arguments)
    assert ran.exit_code == 0
    assert arguments or "To put 1 row behind data/api_prices.csv, run it again with --yes." in ran.out
    assert state(where) == before


@pytest.mark.parametrize(("answer", "is_saved"), [("y", True), ("n", False), ("", False)])
def test_at_a_terminal_it_asks_and_silence_is_no(where, offered, project, answer, is_saved):
    offered({"together": {LLAMA: {"input_mtok": 0.99, "output_mtok": 1.1}}})
    before = state(where)
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "llmcompare", "refresh", "prices", "--list", "genai-prices"],
        cwd=project, stdin=end, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    os.write(terminal, f"{answer}\n".encode())
    out, _ = process.communicate(timeout=60)
    os.close(terminal)
    os.close(end)
    assert process.returncode == 0, out
    assert "Put 1 row behind data/api_prices.csv? [y/N]" in out
    assert ("Saved: 1 row" in out) == is_saved
    assert (state(where) != before) == is_saved


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        # A price per token, per 1,000 tokens, and one that was multiplied twice, in a column per million.
        ({"input_mtok": 0.88e-6, "output_mtok": 0.88e-6}, "it reads like USD per token"),
        ({"input_mtok": 0.88e-3, "output_mtok": 0.88e-3}, "it reads like USD per 1,000 tokens"),
        ({"input_mtok": 880_000.0, "output_mtok": 880_000.0}, "1,000,000 times too much"),
        ({"input_mtok": 0.88 * 8000, "output_mtok": 0.88 * 8000}, "8,000 times the price before"),
        ({"input_mtok": 0.88 * 333, "output_mtok": 0.88 * 333}, "333 times the price before"),
        ({"input_mtok": 0.88 / 25, "output_mtok": 0.88 / 25}, "1/25 of the price before"),
        ({"input_mtok": 0.88, "output_mtok": 0.3}, "may be swapped"),
    ],
)
def test_a_price_in_the_wrong_unit_is_held_back_and_named_and_the_others_are_saved(
    where, offered, command_line, prices, said
):
    good = {"input_mtok": 0.85, "output_mtok": 0.85}
    offered({"together": {LLAMA: prices}, "avian": {"Meta-Llama-3.3-70B-Instruct": good | {"input_mtok": 0.5}}})
    ran = command_line("refresh", "prices", "--list", "genai-prices", "--yes")
    assert ran.exit_code == 0
    assert f"held back: together · {LLAMA}" in ran.out
    assert said in ran.out
    facts = catalogue.current(date.today(), where).usable()
    (offer,) = [o for o in facts.api_offers if (o.provider, o.api_model_name) == ("together", LLAMA)]
    assert offer.as_of == "2026-11-10"
    (other,) = [
        o for o in facts.api_offers if (o.provider, o.api_model_name) == ("avian", "Meta-Llama-3.3-70B-Instruct")
    ]
    assert (other.input_usd_per_mtok, other.as_of) == (0.5, date.today().isoformat())


def test_a_rule_of_the_table_holds_a_new_price_back_that_nothing_else_could_doubt(where, offered, command_line):
    offered({"newcomer": {"qwen2.5-coder-0.5b-instruct": {"input_mtok": 900.0, "output_mtok": 900.0}}})
    ran = command_line("refresh", "prices", "--list", "genai-prices", "--yes", "--json")
    (one,) = lists(ran)["genai-prices"]["held"]
    assert one["offer"] == ["newcomer", "qwen2.5-coder-0.5b-instruct"]
    assert "must satisfy" in " ".join(one["doubts"])
    assert json.loads(ran.out)["saved_rows"] == {}


def test_names_are_matched_exactly_and_the_rest_is_listed_and_never_guessed(where, offered, command_line):
    price = {"input_mtok": 0.3, "output_mtok": 0.4}
    offered(
        {
            "newcomer": {
                "Qwen/Qwen3-32B": price,
                "qwen/qwen3-32b:free": {"input_mtok": 0.0, "output_mtok": 0.0},
                "qwen3-32b-fast": price,
                "somebody/llama-tuned": price,
                "claude-9": price,
            },
            "openrouter": {"qwen3-32b": price},
        }
    )
    found = lists(command_line("refresh", "prices", "--list", "genai-prices", "--json"))["genai-prices"]
    assert [(one["offer"], one["thing"]) for one in found["new"]] == [(["newcomer", "Qwen/Qwen3-32B"], "qwen3-32b")]
    assert found["unmatched"] == [
        "newcomer/qwen/qwen3-32b:free", "newcomer/qwen3-32b-fast", "newcomer/somebody/llama-tuned",
    ]  # fmt: skip
    assert found["left_out"] == {
        "no model of the three families": 1,
        "under a name without its vendor, which OpenRouter does not sell": 1,
    }


def test_what_the_list_does_not_name_any_more_is_said_to_be_gone_and_stays_in_the_file(where, offered, command_line):
    offered({"together": {LLAMA: {"input_mtok": 0.88, "output_mtok": 0.88}}})
    before = state(where)
    found = lists(command_line("refresh", "prices", "--list", "genai-prices", "--json"))["genai-prices"]
    assert len(found["gone"]) == 464
    assert all(one["row_id"].startswith("api_prices:") for one in found["gone"])
    assert state(where) == before


@pytest.mark.parametrize("content", [b"", b"<html>not here</html>", b"{}", b'[{"id": 3}]'])
def test_an_answer_that_is_no_price_list_leaves_the_prices_of_the_package(where, command_line, monkeypatch, content):
    with serving({"/data.json": content}) as address:
        monkeypatch.setenv(GENAI, f"{address}/data.json")
        ran = command_line("refresh", "prices", "--list", "genai-prices")
    assert ran.exit_code == 0
    assert "it cannot be updated here" in ran.out
    assert "460 known already" in ran.out


def test_machines_are_matched_by_name_number_billing_and_region(where, rented, command_line):
    rented("20261120-0", {
        "aws": [machine("p5.48xlarge", 44.5), machine("p5.48xlarge", 61.0, location="eu-west-1"),
                machine("p5.48xlarge", 20.0, spot=True), machine("p9.unknown", 1.0), machine("cpu.large", 0.1, gpus=0)],
        "lambdalabs": [machine("gpu_8x_h100_sxm", 31.92, location="us-west-1"),
                       machine("gpu_8x_h100_sxm", 31.92, location="us-east-1"),
                       machine("gpu_1x_a10", 1.0, gpus=1, location="us-west-1"),
                       machine("gpu_1x_a10", 1.4, gpus=1, location="us-east-1")],
    })  # fmt: skip
    ran = command_line("refresh", "prices", "--list", "gpuhunt", "--yes", "--json")
    found = lists(ran)["gpuhunt"]
    assert found["as_of"] == "2026-11-20"
    (changed,) = found["changed"]
    assert changed["offer"] == ["aws", "p5.48xlarge", "8", "on-demand", "us-east-1"]
    assert changed["usd"] == {"usd_per_gpu_hour": pytest.approx(44.5 / 8)}
    assert changed["usd_before"] == {"usd_per_gpu_hour": pytest.approx(55.04 / 8)}
    assert found["confirmed_count"] == 1
    assert found["left_out"] == {
        "a machine that no row of the catalogue names": 2,
        # The row of the same machine in sa-east-1, and the A10 of which two regions ask two prices.
        "no single price in the region that the row names": 2,
    }
    assert json.loads(ran.out)["saved_rows"] == {"gpu_prices": 2}
    facts = catalogue.current(date.today(), where).usable()
    prices = {(o.provider, o.offer_name, o.as_of): o.usd_per_gpu_hour for o in facts.gpu_offers}
    assert prices[("aws", "p5.48xlarge", "2026-11-20")] == pytest.approx(44.5 / 8)
    assert "There is nothing to save." in command_line("refresh", "prices", "--list", "gpuhunt", "--yes").out


def test_a_price_per_second_of_a_machine_is_held_back(where, rented, command_line):
    rented("20261120-0", {"aws": [machine("p5.48xlarge", 55.04 / 3600)]})
    before = state(where)
    ran = command_line("refresh", "prices", "--list", "gpuhunt", "--yes")
    assert "held back: aws · p5.48xlarge" in ran.out
    assert "it reads like USD per second" in ran.out
    assert state(where) == before


def test_one_list_out_of_reach_does_not_keep_the_other_from_being_read(where, rented, command_line):
    rented("20261120-0", {"aws": [machine("p5.48xlarge", 44.5)]})
    ran = command_line("refresh", "prices")
    assert ran.exit_code == 0
    assert "1 price read: 1 changed" in ran.out
    assert "genai-prices 0.2.3: it cannot be updated here" in ran.out


def test_a_price_of_ones_own_is_neither_compared_nor_touched(where, offered, command_line):
    facts = catalogue.current(date.today(), where).usable()
    row = overrides.api_price(
        facts, model="llama-3.3-70b-instruct", input_usd_per_mtok=0.01, output_usd_per_mtok=0.02,
        valid_from=date.today(), provider="together",
    )  # fmt: skip
    overrides.save("api_prices", row, today=date.today(), where=where)
    offered({"together": {LLAMA: {"input_mtok": 0.99, "output_mtok": 1.1}}})
    command_line("refresh", "prices", "--list", "genai-prices", "--yes")
    assert [r["input_usd_per_mtok"] for r in overrides.present("api_prices", where=where)] == ["0.01"]
    _, rows = queries.table_rows(catalogue.current(date.today(), where).usable().catalog, "api_prices")
    assert len([r for r in rows if "yours" in str(r)]) == 1


@pytest.mark.parametrize(("arguments", "said"), [
    (("--list", "litellm"), "write genai-prices or gpuhunt"),
    (("--as-of", "last week"), "as-of is 'last week'"),
])  # fmt: skip
def test_a_value_that_cannot_be_used_is_named(where, command_line, arguments, said):
    ran = command_line("refresh", "prices", *arguments)
    assert ran.exit_code == 2
    assert said in ran.err


def test_looking_alone_writes_nothing(where, today):
    before = state(where)
    facts = catalogue.current(today, where).usable()
    looked = refresh.look(facts, today=today, lists=("genai-prices",), where=where)
    assert refresh.to_save(looked) == {"api_prices": len(looked[0].found.to_save)}
    assert state(where) == before
