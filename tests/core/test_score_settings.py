"""Which settings are the same test in other words, and which scores stand in no index."""

import pytest

from llmcompare.core.capability_scores import (
    NO_CATEGORY,
    NO_PERCENTAGE,
    THINKING_UNKNOWN,
    Subject,
    is_percentage,
    sorted_scores,
)
from llmcompare.core.capability_settings import NOT_PARSED, QUANTISED, reading
from llmcompare.core.published import PublishedScore

CATEGORIES = {"exam": "knowledge", "poem": None}
FAMILIES = {"a": "qwen", "b": "llama"}


def published(**cells) -> PublishedScore:
    row = {
        "model_id": "a", "benchmark": "exam", "score": 50.0, "metric": "accuracy %", "shots": None,
        "setting": "instruct", "run": 1, "published_by": "them", "row_id": "scores:1", "as_of": "2026-11-01",
        "source": "https://s.example",
    }  # fmt: skip
    return PublishedScore(**(row | cells))


def sort(*rows, as_printed=False):
    return sorted_scores(rows, families=FAMILIES, categories=CATEGORIES, as_printed=as_printed)


@pytest.mark.parametrize(
    "settings",
    [
        # One table of the Qwen3 report (14) puts instruct models beside the mode that does not think.
        ("instruct", "chat", "chat/instruct", "Non-thinking mode", "Non-thinking (instruct) model"),
        ("Thinking mode", "reasoning model", "Thinking model", "Reasoning variant", "Reasoning"),
        ("base", "base, Meta internal evaluation library", "base, Mistral AI own harness"),
        ("instruct", "instruct; vendor value recorded by LLM-Stats", "instruct, bf16",
         "instruct, re-measured by vendor for the 3.2 release"),
        # RULER prints what a model claims beside its name.
        ("chat/instruct, claimed 128K, effective 32K", "chat/instruct, claimed 32K, effective 8K", "chat/instruct"),
        ("Thinking mode, percentile 97.7", "Thinking mode"),
    ],
)  # fmt: skip
def test_one_test_in_other_words_is_read_alike(settings):
    assert len({(reading(one).test, reading(one).thinks) for one in settings}) == 1


@pytest.mark.parametrize(
    "settings",
    [
        ("base", "instruct", "Thinking mode"),
        ("instruct", "instruct CoT", "instruct, multilingual", "instruct, YaRN x4"),
        ("base", "base, 12 non-English languages", "base, Mistral AI own harness, maj@8"),
        ('instruct; metric field "acc"', 'instruct; metric field "em"'),
        ("133 cases, edit format whole", "133 cases, edit format diff", "225 cases, edit format diff"),
        ("Thinking mode", "Thinking mode, budget 8192, YaRN x4"),
        ("instruct", "lm-evaluation-harness; chance-normalised score, not raw accuracy"),
    ],
)
def test_another_test_is_never_read_as_the_same(settings):
    assert len({(reading(one).test, reading(one).thinks) for one in settings}) == len(settings)


@pytest.mark.parametrize(
    "setting",
    [
        "chat, Int4 weights", "instruct, greedy, AWQ weights", "instruct, greedy, GPTQ-Int8 weights",
        "133 cases, edit format whole, Ollama q8_0", "133 cases, edit format whole, Ollama default quantisation",
        "instruct, vanilla PTQ (4-bit), CoT", "quantisation/host comparison: mlx-community: 4bit, diff format",
    ],
)  # fmt: skip
def test_quantised_weights_never_lend_the_model_their_score(setting):
    assert reading(setting).left_out == QUANTISED


def test_a_figure_that_its_source_calls_unusable_is_left_out():
    setting = (
        "lm-evaluation-harness; chance-normalised score, not raw accuracy; reasoning output was not parsed well, "
        "treat as unusable"
    )
    assert reading(setting).left_out == NOT_PARSED


def test_only_percentages_stand_in_an_index(real_facts):
    metrics = {row.metric for row in real_facts.published_scores}
    left_out = {metric for metric in metrics if not is_percentage(metric)}
    assert {"Elo rating", "score (1-10)", "BLEU", "percentile", "thousand tokens", "ROUGE-L", "rating"} <= left_out
    kept = [row.score for row in real_facts.published_scores if is_percentage(row.metric)]
    assert min(kept) >= 0
    assert max(kept) <= 100


def test_each_score_that_is_left_out_says_why():
    found = sort(
        published(metric="Elo rating", score=1418.0),
        published(benchmark="poem"),
        published(benchmark="of tomorrow"),
        published(setting="chat, Int4 weights"),
    )
    assert found.scores == ()
    assert [one.reason for one in found.left_out] == [NO_PERCENTAGE, NO_CATEGORY, NO_CATEGORY, QUANTISED]


def test_a_model_that_can_think_is_left_out_where_nobody_says_whether_it_did():
    unsaid = {"setting": "225 cases"}
    found = sort(published(setting="Thinking mode"), published(**unsaid), published(model_id="b", **unsaid))
    assert [one.reason for one in found.left_out] == [THINKING_UNKNOWN]
    assert {one.subject for one in found.scores} == {
        Subject(model_id="a", thinks=True),
        Subject(model_id="b", thinks=False),
    }


def test_the_two_modes_of_one_model_are_two_subjects_and_share_no_cell():
    found = sort(published(setting="Thinking mode"), published(setting="Non-thinking mode"), published(model_id="b"))
    thinking, direct, other = found.scores
    assert thinking.subject != direct.subject
    assert thinking.cell != direct.cell == other.cell


def test_figures_that_disagree_are_a_range_of_which_the_mean_counts():
    found = sort(
        published(score=61.7, row_id="scores:2"), published(score=67.2, row_id="scores:3"), published(score=61.7)
    )
    (one,) = found.scores
    assert one.range_percent == (61.7, 67.2)
    assert one.conflicts
    assert one.percent == pytest.approx((61.7 + 67.2 + 61.7) / 3)
    assert [row.row_id for row in one.rows] == ["scores:2", "scores:3", "scores:1"]


@pytest.mark.parametrize(
    "other",
    [
        {"shots": "5"}, {"published_by": "others"}, {"metric": "score %"}, {"setting": "base"}, {"benchmark": "quiz"},
    ],
)  # fmt: skip
def test_scores_share_a_cell_only_with_the_same_benchmark_metric_shots_setting_and_publisher(other):
    rows = (published(), published(model_id="b", **other))
    found = sorted_scores(rows, families=FAMILIES, categories=CATEGORIES | {"quiz": "knowledge"})
    assert found.scores[0].cell != found.scores[1].cell


def test_as_printed_two_settings_are_one_only_where_their_words_are_the_same():
    rows = (published(setting="instruct"), published(model_id="b", setting="Non-thinking mode"))
    assert len({one.cell for one in sort(*rows).scores}) == 1
    assert len({one.cell for one in sort(*rows, as_printed=True).scores}) == 2


def test_every_benchmark_with_a_score_has_a_category_or_a_reason_for_none(real_facts):
    benchmarks = {row.benchmark for row in real_facts.published_scores}
    assert benchmarks == set(real_facts.benchmark_categories)
    assert all(row.reason for row in real_facts.benchmark_categories.values())
