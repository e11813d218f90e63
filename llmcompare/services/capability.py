"""Rankings from published scores: asked by category and weights, with names, checks, gaps and the rows behind them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from llmcompare.core import capability_words as words
from llmcompare.core.capability_check import Check, check
from llmcompare.core.capability_errors import Spread
from llmcompare.core.capability_ranking import OVERALL, Ranking, best_known, checked_weights, rankings
from llmcompare.core.capability_scores import (
    CATEGORIES,
    CellScore,
    LeftOut,
    SortedScores,
    Subject,
    sorted_scores,
)
from llmcompare.core.capability_settings import reading
from llmcompare.core.capability_spread import mixed_spread, spread
from llmcompare.core.units import counted
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services.catalogue import Facts

WALK = ("llama-3.3-70b-instruct", "mistral-small-3.2-24b-instruct-2506", "qwen3-32b")
"""Compared until somebody chooses others."""
ASKABLE = (OVERALL, *CATEGORIES)
REMEMBERED = 64
"""Answers kept: a category and what a slider of its weights asked."""
OVERALL_ROUNDS = 1
"""Tenths of the scores that are hidden in each category when all are asked for: all tenths take a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a ranking hangs on."""

    category: str = OVERALL
    weights: tuple[tuple[str, float], ...] = ()
    """Of categories, where all are asked for; 1 for those that are not named."""
    without: str | None = None
    """A publisher whose scores are left out."""
    as_printed: bool = False
    """Whether two settings are one only where their words are the same."""


def asked(
    facts: Facts,
    category: str = OVERALL,
    *,
    weights: Mapping[str, float] | None = None,
    without: str | None = None,
    as_printed: bool = False,
) -> Asked:
    """A question that can be answered. Raises InputError."""
    if category not in ASKABLE:
        raise InputError(f"category is {category!r}, and there are {', '.join(ASKABLE)}: choose one of them.")
    checked_weights(weights or {})
    if without is not None and without not in (known := publishers(facts)):
        raise UnknownIdError("publisher", without, known)
    return Asked(
        category=category, weights=tuple(sorted((weights or {}).items())), without=without, as_printed=as_printed
    )


def publishers(facts: Facts) -> list[str]:
    """Those whose scores count, most scores first."""
    counts: dict[str, int] = {}
    for score in usable(facts).scores:
        counts[score.cell.published_by] = counts.get(score.cell.published_by, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


@lru_cache(maxsize=8)
def usable(facts: Facts, as_printed: bool = False) -> SortedScores:
    """The published scores, sorted into comparable ones and the rest."""
    return sorted_scores(
        facts.published_scores,
        families={model.model_id: model.family for model in facts.models.values()},
        categories={name: row.category for name, row in facts.benchmark_categories.items()},
        as_printed=as_printed,
    )


def scores_of(facts: Facts, question: Asked) -> tuple[CellScore, ...]:
    """The comparable scores that a question is about."""
    return tuple(
        score
        for score in usable(facts, question.as_printed).scores
        if score.cell.published_by != question.without and question.category in (OVERALL, score.category)
    )


@lru_cache(maxsize=16)
def _spread(facts: Facts, without: str | None, as_printed: bool) -> Spread:
    return spread(scores_of(facts, Asked(without=without, as_printed=as_printed)))


@lru_cache(maxsize=16)
def _mixed_spread(facts: Facts, without: str | None, as_printed: bool) -> Spread:
    found = scores_of(facts, Asked(without=without, as_printed=as_printed))
    return mixed_spread(found, _spread(facts, without, as_printed))


@lru_cache(maxsize=REMEMBERED)
def ranked(facts: Facts, question: Asked) -> tuple[Ranking, ...]:
    """One ranking for each group of comparable models, the largest first."""
    found, case = scores_of(facts, question), (question.without, question.as_printed)
    if question.category != OVERALL:
        return rankings(found, _spread(facts, *case))
    return rankings(found, _mixed_spread(facts, *case), weights=checked_weights(dict(question.weights)))


def checked(facts: Facts, question: Asked) -> Check:
    """Real scores of the category, or of all categories, hidden and predicted; the question's weights play no part."""
    return _checked(facts, replace(question, weights=()))


@lru_cache(maxsize=REMEMBERED)
def _checked(facts: Facts, question: Asked) -> Check:
    size = _spread(facts, question.without, question.as_printed)
    found = scores_of(facts, question)
    if question.category != OVERALL:
        return check(found, size)
    parts = [
        check([score for score in found if score.category == category], size, rounds=OVERALL_ROUNDS)
        for category in CATEGORIES
    ]
    return Check(
        hidden=tuple(hidden for part in parts for hidden in part.hidden),
        not_predictable_count=sum(part.not_predictable_count for part in parts),
    )


class Named:
    """Subjects in words: a model that was tested in both modes says which."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._both = _with_both_modes(facts)

    def __call__(self, subject: Subject) -> str:
        model = self._facts.models[subject.model_id]
        return words.subject_name(model.display_name, subject, has_both=subject.model_id in self._both)


@lru_cache(maxsize=8)
def _with_both_modes(facts: Facts) -> frozenset[str]:
    seen = {score.subject for score in usable(facts).scores}
    return frozenset(one.model_id for one in seen if Subject(model_id=one.model_id, thinks=not one.thinks) in seen)


def default_models(facts: Facts) -> list[str]:
    """The three that are compared until somebody chooses others, as far as the catalogue has them."""
    scored = scored_models(facts)
    return [name for name in WALK if name in scored] or scored[:3]


def scored_models(facts: Facts) -> list[str]:
    """Models with at least one published score, by family, newest first."""
    with_scores = {row.model_id for row in facts.published_scores}
    return [model_id for model_id in facts.models if model_id in with_scores]


def subjects(model_ids: Iterable[str]) -> list[Subject]:
    """Each model in both modes; those that were never tested so stand in no ranking."""
    return [Subject(model_id=model_id, thinks=thinks) for model_id in model_ids for thinks in (False, True)]


def shown(found: Sequence[Ranking], chosen: Sequence[str]) -> Ranking | None:
    """The group that holds most of the chosen models."""
    return best_known(found, subjects(chosen))


def answer(facts: Facts, question: Asked, ranking: Ranking | None, chosen: Sequence[str]) -> str:
    """The ranking of the chosen models in one sentence."""
    return words.answer(question.category, ranking, subjects(chosen), Named(facts))


def missing(facts: Facts, question: Asked, ranking: Ranking | None, chosen: Sequence[str]) -> list[str]:
    """Why a chosen model stands in no place of this group, one sentence each."""
    placed = set() if ranking is None else {place.subject.model_id for place in ranking.places}
    elsewhere = {
        place.subject.model_id: len(other.places)
        for other in ranked(facts, question)
        if other is not ranking
        for place in other.places
    }
    return [
        f"{facts.models[model_id].display_name}: {_why_missing(facts, question, model_id, elsewhere.get(model_id))}."
        for model_id in chosen
        if model_id not in placed
    ]


def _why_missing(facts: Facts, question: Asked, model_id: str, group_size: int | None) -> str:
    if group_size is not None:
        return f"in another group of {group_size} models, which no shared test connects with this one"
    alone = [score for score in scores_of(facts, question) if score.subject.model_id == model_id]
    if alone:
        return f"{counted(len(alone), 'score')} that no other model has in the same cell, so nothing can be compared"
    if _dropped(facts, question, model_id):
        return "its published scores cannot stand in an index; the table says why"
    of_which = "" if question.category == OVERALL else f" on {question.category}"
    return f"no published score{of_which}"


def _dropped(facts: Facts, question: Asked, model_id: str) -> list[LeftOut]:
    return [
        one for one in left_out(facts, question, [model_id]) if question.category in (OVERALL, category_of(facts, one))
    ]


def category_of(facts: Facts, one: LeftOut) -> str | None:
    """Category of the benchmark of a score that is left out."""
    row = facts.benchmark_categories.get(one.row.benchmark)
    return None if row is None else row.category


def left_out(facts: Facts, question: Asked, chosen: Sequence[str]) -> list[LeftOut]:
    """Scores of the chosen models that stand in no index: of the category asked for, or of none."""
    wanted = (question.category, None)
    return [
        one
        for one in usable(facts, question.as_printed).left_out
        if one.row.model_id in chosen and (question.category == OVERALL or category_of(facts, one) in wanted)
    ]


def mode_of(setting: str) -> str:
    """Thinking, not thinking, or not stated, for a table."""
    return {True: "thinking", False: "not thinking", None: "not stated"}[reading(setting).thinks]
