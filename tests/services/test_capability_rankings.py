"""Rankings of the real scores: the walk, leaving a publisher out, gaps, prices, memory, formats, the command."""

import json
from dataclasses import replace

import pytest

from llmcompare.core.capability_ranking import OVERALL, equals
from llmcompare.core.capability_scores import CATEGORIES, Subject
from llmcompare.core.options import api_option
from llmcompare.core.scenario import Scenario
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import capability, capability_tables, capability_views
from llmcompare.services.books import book
from llmcompare.services.capability import WALK

LLAMA, MISTRAL, QWEN = WALK
VENDOR = "Alibaba Qwen"


def ask(facts, category, chosen=WALK, **how):
    question = capability.asked(facts, category, **how)
    return question, capability.shown(capability.ranked(facts, question), chosen)


def rows(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


# --- the walk ---------------------------------------------------------------------------------------------------------


def test_on_code_the_three_stand_in_one_group_and_cannot_be_told_apart(real_facts):
    question, ranking = ask(real_facts, "code")
    placed = {place.subject.model_id: place for place in ranking.places if place.subject.model_id in WALK}
    assert set(placed) == set(WALK)
    assert len(equals(ranking, capability.subjects(WALK))) == 1
    assert "cannot be told apart" in capability.answer(real_facts, question, ranking, WALK)
    for place in placed.values():
        assert place.band.low < place.band.mid < place.band.high
        assert place.best_rank < place.worst_rank


def test_few_scores_make_wide_intervals(real_facts):
    _, ranking = ask(real_facts, "code")
    widths = {place.subject.model_id: place.band.high - place.band.low for place in ranking.places}
    # Two scores in cells that only its predecessor shares, against fourteen by five publishers.
    assert widths[MISTRAL] > 2 * widths["llama-3.1-8b-instruct"]


def test_both_modes_of_a_model_are_placed_and_never_in_one_group(real_facts):
    for category in (OVERALL, *CATEGORIES):
        for ranking in capability.ranked(real_facts, capability.asked(real_facts, category)):
            assert len({place.subject.thinks for place in ranking.places}) == 1


def test_clear_differences_are_told_apart(real_facts):
    _, ranking = ask(real_facts, "mathematics")
    found = ranking.index
    ids = [subject.model_id for subject in found.subjects]
    strong, weak = ids.index("qwen2.5-72b-instruct"), ids.index("llama-2-7b-chat")
    assert found.told_apart()[strong, weak]
    assert found.ability[strong] > found.ability[weak]


def test_every_figure_of_the_three_has_setting_publisher_date_and_source(real_facts):
    question, _ = ask(real_facts, "code")
    found = rows(capability_tables.source_table(real_facts, question, WALK))
    assert len(found) > 20
    assert all(row["setting"] and row["published_by"] and row["source"] and row["as_of"] for row in found)
    published = {row.row_id: row.score for row in real_facts.published_scores}
    assert all(row["score"] == published[row["row_id"]] for row in found)
    assert {row["can_be_compared"] for row in found} > {"yes", "no: the metric is no percentage"}


def test_gaps_are_empty_and_figures_that_disagree_a_range(real_facts):
    question, ranking = ask(real_facts, "code")
    found = rows(capability_tables.gap_table(real_facts, question, ranking, WALK))
    humaneval = {row["published_by"]: row for row in found if row["benchmark"] == "humaneval"}
    assert humaneval["Meta"]["Llama 3.3 70B Instruct"] == "88.4"
    assert humaneval["Mistral AI"]["Llama 3.3 70B Instruct"] == "85.4"
    assert humaneval["Meta"]["Mistral Small 3.2 24B Instruct 2506"] is None
    chosen = ("llama-3.1-8b-instruct",)
    question, ranking = ask(real_facts, "knowledge", chosen)
    found = rows(capability_tables.gap_table(real_facts, question, ranking, chosen))
    (redux,) = [row for row in found if row["benchmark"] == "mmlu-redux"]
    assert redux["Llama 3.1 8B Instruct"] == "61.7 to 67.2"


def test_a_model_that_cannot_be_placed_says_why(real_facts):
    question, ranking = ask(real_facts, "long context")
    said = capability.missing(real_facts, question, ranking, WALK)
    assert f"{real_facts.models[LLAMA].display_name}: no published score on long context." in said
    question, ranking = ask(real_facts, "code", as_printed=True)
    (mistral,) = [line for line in capability.missing(real_facts, question, ranking, WALK) if "Mistral" in line]
    assert "2 scores that no other model has in the same cell" in mistral


# --- what changes the index -------------------------------------------------------------------------------------------


def test_leaving_a_publisher_out_changes_the_index_and_never_a_score(real_facts):
    for category in ("code", "knowledge", OVERALL):
        whole, one = ask(real_facts, category)
        part, other = ask(real_facts, category, without=VENDOR)
        before = {place.subject: place.band.mid for place in one.places}
        after = {place.subject: place.band.mid for place in other.places}
        assert any(before[subject] != pytest.approx(after[subject]) for subject in before.keys() & after.keys())
        kept = {(score.subject, score.cell): score.percent for score in capability.scores_of(real_facts, whole)}
        left = {(score.subject, score.cell): score.percent for score in capability.scores_of(real_facts, part)}
        assert left == {key: percent for key, percent in kept.items() if key[1].published_by != VENDOR}


def test_the_largest_publisher_gave_most_of_the_scores_and_the_ranking_says_so(real_facts):
    _, ranking = ask(real_facts, OVERALL)
    publisher, fraction = ranking.publisher_fractions[0]
    assert publisher == VENDOR
    assert 0.5 < fraction < 0.7
    assert sum(share for _, share in ranking.publisher_fractions) == pytest.approx(1)


def test_a_weight_of_nothing_leaves_a_category_out(real_facts):
    weights = dict.fromkeys(CATEGORIES, 0.0) | {"code": 1.0}
    _, mixed = ask(real_facts, OVERALL, weights=weights)
    assert {score.category for score in mixed.index.scores} == {"code"}


def test_hidden_real_scores_are_predicted_and_lie_in_their_intervals(real_facts):
    found = [capability.checked(real_facts, capability.asked(real_facts, category)) for category in CATEGORIES]
    count = sum(len(one.hidden) for one in found)
    assert count > 2_500

    def mean(name):
        return sum(getattr(one, name) * len(one.hidden) for one in found) / count

    assert mean("mean_miss_points") < 4.5
    assert mean("mean_miss_points") < mean("guess_miss_points") / 2
    assert 0.77 <= mean("held_80_fraction") <= 0.87
    assert 0.91 <= mean("held_95_fraction") <= 0.98


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"category": "poetry"}, InputError, "poetry"),
        ({"without": "Qwen"}, UnknownIdError, "Alibaba Qwen"),
        ({"weights": {"code": 99.0}}, InputError, "0 to 10"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_in_a_sentence(real_facts, asked, kind, said):
    with pytest.raises(kind, match=said):
        capability.asked(real_facts, **asked)


def test_a_catalogue_with_one_score_has_no_ranking_and_says_so(small_facts):
    question, ranking = ask(small_facts, "knowledge", ["tiny-7b"])
    assert ranking is None
    assert "none of the chosen models" in capability.answer(small_facts, question, ranking, ["tiny-7b"])
    assert capability.missing(small_facts, question, ranking, ["tiny-7b"]) == [
        "Tiny 7B: 1 score that no other model has in the same cell, so nothing can be compared."
    ]
    assert capability.checked(small_facts, question).hidden == ()


# --- against price, memory, size, formats -----------------------------------------------------------------------------


def test_the_price_is_the_median_over_providers_for_the_mix_of_the_workload(real_facts):
    _, ranking = ask(real_facts, "code")
    scenario = Scenario(input_tokens=1_000, output_tokens=300)
    priced = {one.subject.model_id: one for one in capability_views.by_price(real_facts, ranking, scenario)}
    option, _ = api_option(book(real_facts, LLAMA), scenario)
    usd_per_request = option.usd_per_month.mid / scenario.requests_per_month
    assert priced[LLAMA].against.mid == pytest.approx(usd_per_request / 1_300 * 1e6)
    own = replace(scenario, own_input_usd_per_mtok=1.0, own_output_usd_per_mtok=1.0)
    assert capability_views.by_price(real_facts, ranking, own) == list(
        capability_views.by_price(real_facts, ranking, scenario)
    )


def test_memory_is_that_of_the_weights_as_scored(real_facts):
    _, ranking = ask(real_facts, "code")
    held = {one.subject.model_id: one for one in capability_views.by_memory(real_facts, ranking, Scenario())}
    # 70.6 billion weights of two bytes are 131.4 GiB.
    assert 131.4 < held[LLAMA].against.mid < 136
    assert set(held) <= set(real_facts.shapes)


def test_nothing_beats_a_model_of_the_front_at_its_price(real_facts):
    _, ranking = ask(real_facts, OVERALL)
    found = capability_views.by_price(real_facts, ranking, Scenario())
    front = [one for one in found if one.on_front]
    assert 3 < len(front) < len(found)
    for one in front:
        assert not [
            other for other in found if other.against.mid <= one.against.mid and other.percent.mid > one.percent.mid
        ]


def test_categories_hold_no_figure_where_a_model_cannot_be_placed(real_facts):
    question, _ = ask(real_facts, OVERALL)
    found = capability_views.by_category(real_facts, question, WALK)
    assert set(found) == {Subject(model_id=model_id, thinks=False) for model_id in WALK}
    assert "long context" not in found[Subject(model_id=LLAMA, thinks=False)]
    assert "code" in found[Subject(model_id=MISTRAL, thinks=False)]


def test_formats_of_models_that_nobody_measured_are_said_to_be_unmeasured(real_facts):
    every, groups = capability_views.formats(real_facts)
    said = capability_views.format_sentences(real_facts, groups, [*WALK, "llama-3-8b"])
    assert sum("not measured" in line for line in said) == len(WALK)
    assert any("IQ2_XS" in line and "is better than" in line for line in said)
    assert {one.row.row_id for one in every} <= {row.row_id for row in real_facts.format_qualities}


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_gives_the_ranking_as_json(command, real_facts, real_catalog):
    ran = command("capability", "--models", ",".join(WALK), "--category", "code", "--json")
    assert ran.exit_code == 0
    found = json.loads(ran.out, parse_constant=lambda name: pytest.fail(name))
    _, ranking = ask(real_facts, "code")
    assert found["group"]["model_count"] == len(ranking.places)
    assert [place["model_id"] for place in found["group"]["ranking"]] == [
        place.subject.model_id for place in ranking.places
    ]
    assert found["group"]["cannot_be_told_apart"] == [
        [capability.Named(real_facts)(subject) for subject in equals(ranking, capability.subjects(WALK))[0]]
    ]
    assert found["check"]["hidden_count"] > 400
    for row_id in found["row_ids"]:
        _, there = real_catalog.table("SELECT source FROM scores WHERE row_id = $row_id", row_id=row_id)
        assert there


def test_the_command_answers_people_and_takes_an_alias(command):
    ran = command("capability", "--models", f"{LLAMA},Qwen/Qwen3-32B", "--category", "instruction-following")
    assert ran.exit_code == 0
    assert ran.out.startswith("On instruction following, ")
    assert "real scores hidden" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--models", "qwen3-33b"), "qwen3-32b"),
        (("--category", "poetry"), "knowledge, reasoning"),
        (("--weights", "code"), "code=3"),
        (("--weights", "code=-1"), "0 to 10"),
        (("--without", "Qwen"), "Alibaba Qwen"),
    ],
)
def test_a_value_of_the_command_that_cannot_be_used_is_one_sentence(command, arguments, said):
    ran = command("capability", *arguments)
    assert ran.exit_code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1
