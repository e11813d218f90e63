"""The advice drawn: chances of models, and the path from all models to a family."""

import re

import pytest

from llmcompare import figures
from llmcompare.core import advice_words as words
from llmcompare.core.advice import Weights
from llmcompare.core.capability_scores import CATEGORIES
from llmcompare.core.needs import PRESETS, Need
from llmcompare.core.scenario import Scenario
from llmcompare.figures.advice import LETTERS
from llmcompare.services import advice
from llmcompare.services.overview import FAMILIES

RAG = PRESETS["RAG"]
WALK = Need(
    languages=("de",), data_stays_here=True, hardware="rtx-4090-24gb", weights=RAG.weights,
    categories=RAG.categories_of_all(CATEGORIES),
)  # fmt: skip


@pytest.fixture(scope="module")
def found(real_facts):
    return advice.advise(real_facts, Scenario(input_tokens=4_096, output_tokens=512), WALK)


def path_of(found):
    steps = [(words.STEP_WORDS[limit], left) for limit, left in found.left]
    leaves = {family: words.family_label(found, family) for family in FAMILIES}
    chosen = found.winner.model.family if found.winner else None
    return figures.decision_path(steps, leaves, chosen)


def test_every_limit_that_takes_a_model_away_is_a_step_with_who_is_left(found):
    drawn = path_of(found)
    for limit, counts in found.left:
        label = (
            rf"{words.STEP_WORDS[limit]}\nLlama {counts['llama']}   Mistral {counts['mistral']}   Qwen {counts['qwen']}"
        )
        assert label in drawn


def test_one_branch_is_lit_and_it_leads_to_the_first_place(found):
    last = len(found.left) - 1
    edges = dict(re.findall(rf"  s{last} -> (\w+) \[(.*)\];", path_of(found)))
    assert set(edges) == set(FAMILIES)
    assert {family for family, look in edges.items() if "dashed" not in look} == {found.winner.model.family}


def test_leaves_are_narrow_enough_for_three_beside_each_other_on_a_telephone(found):
    for label in re.findall(r'  (?:llama|mistral|qwen) \[label="([^"]*)"', path_of(found)):
        assert max(len(line) for line in label.split(r"\n")) <= LETTERS


def test_with_nothing_left_no_branch_is_lit(real_facts):
    nothing = advice.advise(real_facts, Scenario(), Need(min_ability_percent=99.9))
    assert path_of(nothing).count("dashed") == len(FAMILIES)
    assert words.family_label(nothing, "llama") == "nothing left"


def test_a_family_that_another_weight_brings_to_the_front_says_which(real_facts):
    need = Need()
    free = advice.advise(real_facts, Scenario(), need, draws=10)
    family, span = next((f, s[0]) for f, s in free.family_spans.items() if f != free.winner.model.family)
    at = (span.low + span.high) / 2
    weights = Weights(**{span.input.removeprefix("weight of "): at})
    again = advice.advise(real_facts, Scenario(), Need(weights=weights), draws=10)
    assert again.winner.model.family == family
    assert words.family_label(free, family).startswith("if weight of ")


def test_a_chance_that_is_small_is_not_drawn_as_none(found):
    bars = figures.advice_chances([("A", "qwen", 0.998), ("B", "llama", 0.002), ("C", "llama", 0.0)]).data
    assert [text for bar in bars for text in bar.text] == ["over 99%", "under 1%", "0%"]
