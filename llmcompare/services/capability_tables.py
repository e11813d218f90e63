"""Tables behind a ranking: places, the scores of the chosen models with their gaps, every row with its source."""

from collections.abc import Sequence

from llmcompare.core.capability_ranking import OVERALL, Ranking
from llmcompare.core.capability_scores import CellScore, PublishedCell, Subject
from llmcompare.core.published import PublishedScore
from llmcompare.core.tables import Cell, Table
from llmcompare.services.capability import (
    Asked,
    Named,
    category_of,
    left_out,
    mode_of,
    ranked,
    scores_of,
    subjects,
)
from llmcompare.services.catalogue import Facts

IN_INDEX = "yes"
ALONE = "no: no other model in this cell"
OTHER_GROUP = "no: another group"


def ranking_table(facts: Facts, ranking: Ranking, chosen: Sequence[str]) -> Table:
    """Every subject of the group, best first."""
    named = Named(facts)
    return Table(
        name="capability-ranking",
        title="Ranking",
        columns=(
            "model", "expected_percent_low", "expected_percent_mid", "expected_percent_high", "best_rank", "worst_rank",
            "chosen", "score_count", "cell_coverage_fraction", "largest_publisher", "largest_publisher_fraction",
            "model_id",
        ),
        rows=tuple(
            (
                named(place.subject), place.band.low, place.band.mid, place.band.high, place.best_rank,
                place.worst_rank, "yes" if place.subject.model_id in chosen else None, place.score_count,
                place.score_count / ranking.cell_count, place.largest_publisher, place.largest_publisher_fraction,
                place.subject.model_id,
            )
            for place in ranking.places
        ),
    )  # fmt: skip


def gap_table(facts: Facts, question: Asked, ranking: Ranking | None, chosen: Sequence[str]) -> Table:
    """One row for each cell in which a chosen model was scored, one column for each of them; a gap is empty."""
    named = Named(facts)
    of_cell: dict[PublishedCell, dict[Subject, CellScore]] = {}
    for score in scores_of(facts, question):
        if score.subject.model_id in chosen:
            of_cell.setdefault(score.cell, {})[score.subject] = score
    columns = [subject for subject in subjects(chosen) if any(subject in found for found in of_cell.values())]
    in_group = set() if ranking is None else set(ranking.index.cells)
    connected = {cell for other in ranked(facts, question) for cell in other.index.cells}
    return Table(
        name="capability-cells",
        title="Scores of the chosen models and their gaps",
        columns=(
            "benchmark", "shots", "setting", "thinking", "published_by", *(named(subject) for subject in columns),
            "in_this_index", "metric", "as_of", "source",
        ),
        rows=tuple(
            (
                cell.benchmark, cell.shots, cell.test, "yes" if cell.thinks else "no", cell.published_by,
                *(score_text(found.get(subject)) for subject in columns),
                IN_INDEX if cell in in_group else OTHER_GROUP if cell in connected else ALONE,
                cell.metric, _newest(found), _sources(found),
            )
            for cell, found in sorted(of_cell.items(), key=lambda item: (-len(item[1]), item[0].benchmark))
        ),
    )  # fmt: skip


def score_text(score: CellScore | None) -> str | None:
    """A score as published, a range where figures of one cell disagree, None where there is none."""
    if score is None:
        return None
    low, high = score.range_percent
    return f"{low:g} to {high:g}" if score.conflicts else f"{low:g}"


def _newest(found: dict[Subject, CellScore]) -> str | None:
    return max((row.as_of for score in found.values() for row in score.rows if row.as_of), default=None)


def _sources(found: dict[Subject, CellScore]) -> str:
    return " ; ".join(dict.fromkeys(row.source for score in found.values() for row in score.rows))


def source_table(facts: Facts, question: Asked, chosen: Sequence[str]) -> Table:
    """Every published figure of the chosen models on the category, one row each, with why it counts or not."""
    kept = [
        (row, score.category, IN_INDEX)
        for score in scores_of(facts, question)
        if score.subject.model_id in chosen
        for row in score.rows
    ]
    dropped = [(one.row, category_of(facts, one), f"no: {one.reason}") for one in left_out(facts, question, chosen)]
    rows = sorted([*kept, *dropped], key=lambda found: (chosen.index(found[0].model_id), found[0].benchmark))
    return Table(
        name="capability-scores",
        title="Every published score of the chosen models",
        columns=(
            "model_id", "benchmark", "category", "score", "metric", "shots", "setting", "thinking", "published_by",
            "can_be_compared", "as_of", "source", "row_id",
        ),
        rows=tuple(_source_row(row, category, reason) for row, category, reason in rows),
    )  # fmt: skip


def _source_row(row: PublishedScore, category: str | None, reason: str) -> tuple[Cell, ...]:
    return (
        row.model_id, row.benchmark, category, row.score, row.metric, row.shots, row.setting, mode_of(row.setting),
        row.published_by, reason, row.as_of, row.source, row.row_id,
    )  # fmt: skip


def category_table(facts: Facts, question: Asked) -> Table:
    """Benchmarks of the category with why they are there; of all categories those in none too."""
    return Table(
        name="benchmark-categories",
        title="What each benchmark tests",
        columns=("benchmark", "category", "reason", "as_of", "source", "row_id"),
        rows=tuple(
            (row.benchmark, row.category, row.reason, row.as_of, row.source, row.row_id)
            for row in facts.benchmark_categories.values()
            if question.category in (OVERALL, row.category)
        ),
    )
