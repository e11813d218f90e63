"""A ranking as plain values, units in the keys."""

from collections.abc import Sequence
from typing import Any

from llmcompare.core.capability_check import Check
from llmcompare.core.capability_ranking import Place, Ranking, equals
from llmcompare.core.capability_scores import Subject
from llmcompare.core.cost import Band
from llmcompare.services import capability
from llmcompare.services.capability import Asked, Named
from llmcompare.services.capability_tables import gap_table, source_table
from llmcompare.services.catalogue import Facts


def capability_json(facts: Facts, question: Asked, chosen: Sequence[str]) -> dict[str, Any]:
    """The chosen models in the group that holds most of them, with every score behind it."""
    found = capability.ranked(facts, question)
    ranking = capability.shown(found, chosen)
    sources, cells = source_table(facts, question, chosen), gap_table(facts, question, ranking, chosen)
    rows = [dict(zip(sources.columns, row, strict=True)) for row in sources.rows]
    return {
        "answer": capability.answer(facts, question, ranking, chosen),
        "category": question.category,
        "weights": dict(question.weights),
        "without_publisher": question.without,
        "settings_as_printed": question.as_printed,
        "group": None if ranking is None else _group(facts, ranking, chosen),
        "group_sizes": [len(one.places) for one in found],
        "missing": capability.missing(facts, question, ranking, chosen),
        "check": _check(capability.checked(facts, question)),
        "cells": [dict(zip(cells.columns, row, strict=True)) for row in cells.rows],
        "scores": rows,
        "row_ids": [row["row_id"] for row in rows],
    }


def _group(facts: Facts, ranking: Ranking, chosen: Sequence[str]) -> dict[str, Any]:
    named, wanted = Named(facts), capability.subjects(chosen)
    return {
        "model_count": len(ranking.places),
        "cell_count": ranking.cell_count,
        "score_count": len(ranking.index.scores),
        "publisher_fractions": dict(ranking.publisher_fractions),
        "ranking": [_place(place, ranking, named, chosen) for place in ranking.places],
        "cannot_be_told_apart": [list(map(named, part)) for part in equals(ranking, wanted) if len(part) > 1],
    }


def _place(place: Place, ranking: Ranking, named: Named, chosen: Sequence[str]) -> dict[str, Any]:
    return {
        **_subject(place.subject),
        "name": named(place.subject),
        "chosen": place.subject.model_id in chosen,
        "expected_percent": _band(place.band),
        "best_rank": place.best_rank,
        "worst_rank": place.worst_rank,
        "score_count": place.score_count,
        "coverage_fraction": place.score_count / ranking.cell_count,
        "largest_publisher": place.largest_publisher,
        "largest_publisher_fraction": place.largest_publisher_fraction,
    }


def _subject(subject: Subject) -> dict[str, Any]:
    return {"model_id": subject.model_id, "thinks": subject.thinks}


def _band(band: Band) -> dict[str, float]:
    return {"low": band.low, "mid": band.mid, "high": band.high}


def _check(found: Check) -> dict[str, Any] | None:
    if not found.hidden:
        return None
    return {
        "hidden_count": len(found.hidden),
        "not_predictable_count": found.not_predictable_count,
        "mean_miss_points": found.mean_miss_points,
        "median_miss_points": found.median_miss_points,
        "guess_miss_points": found.guess_miss_points,
        "held_80_fraction": found.held_80_fraction,
        "held_95_fraction": found.held_95_fraction,
    }
