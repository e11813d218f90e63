"""Families on the real facts: the tables, and that the command says what the service says."""

import json

import pytest

from llmcompare.core import families_words as words
from llmcompare.core.frameworks import FEATURES
from llmcompare.core.licences import USABLE, LicenceNeed
from llmcompare.services import families

WALK = ("families", "--commercial", "--users", "10000000", "--trains-other-models")


@pytest.fixture(scope="module")
def found(real_facts):
    return families.assessed(real_facts, families.NEED)


@pytest.fixture(scope="module")
def states(found):
    return {model.model_id: group.state for group in found.groups for model in group.models}


def test_the_command_answers_as_the_service_does(command, real_facts, found):
    ran = command(*WALK, "--json")
    assert ran.exit_code == 0
    assert json.loads(ran.out) == json.loads(json.dumps(families.families_json(real_facts, found)))
    spoken = command(*WALK).out
    assert words.answer(found) in spoken
    assert "Llama 3 is out. No training of other models" in spoken
    assert "https://llama.meta.com/llama3/license/" in spoken
    assert words.NO_ADVICE in spoken


def test_who_is_left_and_why_the_others_are_not(found, states):
    assert states["llama-3-70b-instruct"] == states["mistral-large-2-2407"] == states["qwen2-72b"] == "forbidden"
    assert states["llama-3.3-70b-instruct"] == "conditional"
    assert states["qwen3-32b"] == states["mixtral-8x7b-v0.1"] == "allowed"
    assert states["qwen1.5-72b"] == "unknown"
    assert found.count(*USABLE) == sum(state in USABLE for state in states.values())
    for group in found.in_state("forbidden"):
        assert group.licence.url.startswith("https://"), group.generation
        assert group.verdict.deciding, group.generation


def test_asking_for_nothing_leaves_more_than_the_walk_does(command, found):
    least = json.loads(command("families", "--json").out)
    assert least["asked"] == "Asked: use without a commercial aim."
    assert least["left_count"] > found.count(*USABLE)


def test_each_option_of_the_command_reaches_the_need(command):
    options = {
        "--keeps-trained-models": "models that are kept", "--no-notice": "no visible notice",
        "--changes-weights": "changing the weights", "--gives-weights-away": "giving the weights away",
        "--sells-access": "selling access", "--in-eu": "the European Union", "--fields=military": "use for: military",
        "--revenue=5e6": "5M USD a month",
    }  # fmt: skip
    for option, said in options.items():
        assert said in json.loads(command(*WALK, option, "--json").out)["asked"], option


def test_a_field_that_no_licence_names_is_refused_with_those_that_can_be_asked(command):
    ran = command("families", "--fields", "gardening")
    assert ran.exit_code == 2
    assert "'gardening' is no field of use" in ran.err
    assert "military" in ran.err


@pytest.mark.parametrize("users", ["nan", "inf", "-1"])
def test_no_number_of_users_is_refused(command, users):
    ran = command("families", f"--users={users}")
    assert ran.exit_code == 2
    assert "the number of users a month is" in ran.err


def test_every_model_of_the_families_stands_in_the_tables_once(real_facts, found):
    table = families.model_table(real_facts, found)
    ids = [row[table.columns.index("model_id")] for row in table.rows]
    assert sorted(ids) == sorted(m.model_id for m in real_facts.models.values() if m.family != "other")
    verdicts = families.verdict_table(found)
    assert sum(row[verdicts.columns.index("models")] for row in verdicts.rows) == len(ids)


@pytest.mark.parametrize("feature", FEATURES)
def test_a_known_cell_of_the_frameworks_has_its_source_and_an_unknown_one_none(real_facts, feature):
    table = families.support_table(real_facts, feature)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    sources = {row.row_id: row.source for row in real_facts.framework_support}
    sources |= {row.row_id: row.source for row in real_facts.measured_engines}
    assert {row["support"] for row in rows} >= {"yes", "unknown"}
    for row in rows:
        assert (row["support"] == "unknown") == (row["row_id"] is None)
        assert row["row_id"] is None or sources[row["row_id"]] == row["source"]


def test_speeds_of_a_look_alike_do_not_count_as_measured(real_facts):
    """DeepSeek's distillations have the layers of Qwen2.5: their speeds with Ollama are no word on Qwen2.5."""
    counted = {(row.engine, row.generation): row.measurement_count for row in real_facts.measured_engines}
    assert counted["tensorrt-llm", "Llama 3.3"] == 83
    assert counted["vllm", "Qwen2.5"] == 149
    assert any(speed.engine == "ollama" and "qwen2.5" in speed.model_id for speed in real_facts.published_speeds)
    assert ("ollama", "Qwen2.5") not in counted


def test_the_useful_contexts_are_those_that_were_published(real_facts):
    table = families.useful_table(real_facts)
    tokens = {row[0]: row[1] for row in table.rows}
    assert tokens["llama-3.1-70b-instruct"] == 65_536
    assert tokens["mistral-nemo-12b-instruct"] == 16_384
    assert len(tokens) == 12


def test_a_community_without_a_figure_is_unknown(real_facts):
    table = families.community_table(real_facts)
    rows = {(row[0], row[1]): row for row in table.rows}
    assert rows["GGUF downloads on Hugging Face", "Mistral"][2:5] == (None, None, "unknown")
    assert rows["GGUF downloads on Hugging Face", "Qwen"][2] == 39_600_000


def test_the_verdict_on_the_model_of_the_other_pages(found):
    assert families.model_sentence(found, "llama-3-8b-instruct") == (
        "Llama 3 8B Instruct, the model chosen beside, is out."
    )
    assert families.model_sentence(found, "smollm2-1.7b") is None


def test_a_stricter_need_leaves_no_more_of_the_real_models(real_facts):
    left = None
    for need in (
        LicenceNeed(),
        LicenceNeed(commercial_use=True),
        LicenceNeed(commercial_use=True, monthly_active_users=1e9),
        LicenceNeed(commercial_use=True, monthly_active_users=1e9, trains_other_models=True),
        LicenceNeed(
            commercial_use=True, monthly_active_users=1e9, trains_other_models=True, accepts_attribution=False,
            based_in_eu=True, fields=frozenset({"military"}), sells_model_access=True, changes_weights=True,
        ),
    ):  # fmt: skip
        found = families.assessed(real_facts, need)
        now = {model.model_id for group in found.in_state(*USABLE) for model in group.models}
        assert left is None or now <= left
        left = now
    assert left
