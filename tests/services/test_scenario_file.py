"""A scenario from a YAML file: the same fields as a link and as flags."""

import pytest

from llmcompare.core.scenario import Scenario, from_query
from llmcompare.errors import InputError
from llmcompare.services import scenario_file


def written(tmp_path, text: str):
    path = tmp_path / "need.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_fields_of_a_file_make_the_scenario_of_the_same_flags(tmp_path):
    path = written(
        tmp_path,
        "model: qwen3-8b\nrequests_per_month: 5000000\ntraffic: own\n"
        f"hourly_profile: {list(range(1, 25))}\ngpu: null\ntpot_limit_ms: 30\n",
    )
    assert from_query(scenario_file.read(path)) == Scenario(
        model="qwen3-8b",
        requests_per_month=5e6,
        traffic="own",
        hourly_profile=",".join(map(str, range(1, 25))),
        tpot_limit_ms=30,
    )


def test_a_flag_comes_before_the_file(command, tmp_path):
    path = written(tmp_path, "requests_per_month: 5000000\ninput_tokens: 2000\n")
    ran = command("costs", "--scenario", path, "--input-tokens", "3000")
    assert "5M requests a month of 3,000 → 300 tokens" in ran.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: [", "is no YAML file"),
        ("just words", "holds no fields"),
        ("", "holds no fields"),
        ("modle: qwen3-8b", "has the field 'modle', which is not known: take model, "),
        ("[1, 2]", "holds no fields"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused_in_one_sentence(tmp_path, text, said):
    with pytest.raises(InputError) as refused:
        scenario_file.read(written(tmp_path, text))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.yaml cannot be read: No such file"):
        scenario_file.read(tmp_path / "none.yaml")
