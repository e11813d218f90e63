"""The breakeven command, to its exit code, on the real facts."""

import json

import pytest

from llmcompare.core import two_options
from llmcompare.core.scenario import Scenario
from llmcompare.services import costs

H100 = ("--model", "llama-3.1-8b-instruct", "--gpu", "h100-sxm-80gb", "--capacity-basis", "predicted")


@pytest.fixture(scope="module")
def pair(real_facts):
    scenario = Scenario(model="llama-3.1-8b-instruct", gpu="h100-sxm-80gb", capacity_basis="predicted")
    return two_options.two_options(costs.compare(real_facts, scenario), "api", "rented")


def no_constant(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def test_as_json_it_holds_the_figures_of_the_page(command, pair):
    ran = command("breakeven", "--first", "api", "--second", "rented", *H100, "--json")
    found = json.loads(ran.out, parse_constant=no_constant)
    assert (ran.exit_code, ran.err) == (0, "")
    assert found["answer"] == two_options.answer(pair)
    assert (found["late"]["option"], found["early"]["option"]) == ("rented", "api")
    assert found["late_pays_from_requests_per_month"] == {
        "earliest": pair.bands.earliest, "latest": pair.bands.latest,
    }  # fmt: skip
    assert [one["requests_per_month"] for one in found["crossings"]] == [
        one.crossing.requests_per_month for one in pair.bands.intervals
    ]
    assert found["saving_usd_per_month"] == pair.saving_usd_per_month
    names = {bar["input"] for bar in found["what_matters_most"]["saving_usd_per_month"]}
    assert {"rented_usd_per_gpu_hour", "rented_requests_per_s", "api_price", "target_utilisation_fraction"} <= names
    assert [part["heading"] for part in found["arithmetic"]][:1] == ["The token-priced API"]
    assert "spread of other inputs" in {one["name"] for one in found["assumptions"]}


def test_every_row_id_in_the_json_is_a_row_of_the_catalogue(command, real_catalog):
    for row_id in json.loads(command("breakeven", "--json").out)["row_ids"]:
        table = row_id.split(":")[0]
        _, rows = real_catalog.table(f"SELECT source FROM {table} WHERE row_id = $row_id", row_id=row_id)
        assert len(rows) == 1, row_id


def test_in_words_it_begins_with_the_answer_and_fills_the_numbers_in(command, pair):
    out = command("breakeven", *H100).out
    assert out.startswith(two_options.answer(pair) + "\n")
    for _, steps in two_options.arithmetic(pair):
        for step in steps:
            assert step.numbers in out


def test_the_scenario_may_stand_in_a_file(command, pair, tmp_path):
    file = tmp_path / "h100.yaml"
    file.write_text("model: llama-3.1-8b-instruct\ngpu: h100-sxm-80gb\ncapacity_basis: predicted\n", encoding="utf-8")
    assert command("breakeven", "--scenario", file).out.startswith(two_options.answer(pair) + "\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--second", "owned"), "'owned' is no option"),
        (("--first", "api", "--second", "api"), "both options are 'api'"),
        (("--spread-fraction", "2"), "spread_fraction is '2': give a number from 0 to 0.9"),
        (("--spread-fraction", "nan"), "spread_fraction is 'nan'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(command, arguments, said):
    ran = command("breakeven", *arguments)
    assert ran.exit_code == 2
    assert said in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert ran.out == ""
