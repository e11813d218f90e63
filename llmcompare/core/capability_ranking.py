"""An index read as a ranking: places with their range, who cannot be told apart, whose evidence it is."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from llmcompare.core.apart import level_stretches
from llmcompare.core.capability import Index, groups, index
from llmcompare.core.capability_errors import Spread
from llmcompare.core.capability_scores import CATEGORIES, CellScore, PublishedCell, Subject
from llmcompare.core.cost import Band
from llmcompare.errors import InputError

OVERALL = "overall"
"""All categories, mixed by weights."""
GREATEST_WEIGHT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One subject of a ranking."""

    subject: Subject
    family: str
    band: Band
    """Percent that is expected in the middle cell of the group."""
    best_rank: int
    """1 + how many are better for certain."""
    worst_rank: int
    """How many there are, less those that are worse for certain."""
    score_count: int
    largest_publisher: str
    largest_publisher_fraction: float
    """Of the subject's scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The subjects of one group, best first."""

    index: Index
    places: tuple[Place, ...]
    publisher_fractions: tuple[tuple[str, float], ...]
    """Share of the group's scores that each publisher gave, largest first."""

    @property
    def cell_count(self) -> int:
        """Cells of the group."""
        return len(self.index.cells)

    def place(self, subject: Subject) -> Place | None:
        """Where a subject stands; None when it is in no or another group."""
        return next((place for place in self.places if place.subject == subject), None)

    def coverage_fraction(self, subject: Subject) -> float:
        """Share of the group's cells in which the subject has a score."""
        place = self.place(subject)
        return 0.0 if place is None else place.score_count / self.cell_count


def rankings(
    scores: Iterable[CellScore], spread: Spread, *, weights: Mapping[str, float] | None = None
) -> tuple[Ranking, ...]:
    """One ranking for each group of comparable subjects, the largest group first.

    Without weights the scores are of one category. With weights, categories of weight 0 are left out.
    """
    used = [score for score in scores if weights is None or weights[score.category] > 0]
    return tuple(_ranking(index(group, spread, weights=weights)) for group in groups(used))


def checked_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """A weight for each category, 1 where none is given. Raises InputError.

    >>> checked_weights({"code": 3})["code"], checked_weights({"code": 3})["reasoning"]
    (3.0, 1.0)
    """
    for category, weight in weights.items():
        if category not in CATEGORIES:
            raise InputError(f"{category!r} is no category: the weights are for {', '.join(CATEGORIES)}.")
        if not isfinite(weight) or not 0 <= weight <= GREATEST_WEIGHT:
            raise InputError(
                f"the weight of {category} is {weight:g}, and weights go from 0 to {GREATEST_WEIGHT:g}: give another."
            )
    found = {category: float(weights.get(category, 1.0)) for category in CATEGORIES}
    if not any(found.values()):
        raise InputError("every category has the weight 0: give one of them more.")
    return found


def _ranking(fit: Index) -> Ranking:
    apart, bands = fit.told_apart(), fit.bands()
    better = apart & (fit.ability[:, None] > fit.ability[None, :])
    order = np.argsort(-fit.ability, kind="stable").tolist()
    of_subject: dict[Subject, list[CellScore]] = {}
    for score in fit.scores:
        of_subject.setdefault(score.subject, []).append(score)
    places = tuple(
        _place(
            of_subject[fit.subjects[at]],
            bands[at],
            best_rank=1 + int(better[:, at].sum()),
            worst_rank=len(order) - int(better[at].sum()),
        )
        for at in order
    )
    return Ranking(index=fit, places=places, publisher_fractions=tuple(publisher_fractions(fit.scores)))


def _place(scores: Sequence[CellScore], band: Band, *, best_rank: int, worst_rank: int) -> Place:
    publisher, fraction = publisher_fractions(scores)[0]
    return Place(
        subject=scores[0].subject,
        family=scores[0].family,
        band=band,
        best_rank=best_rank,
        worst_rank=worst_rank,
        score_count=len(scores),
        largest_publisher=publisher,
        largest_publisher_fraction=fraction,
    )


def publisher_fractions(scores: Iterable[CellScore]) -> list[tuple[str, float]]:
    """Share of the scores that each publisher gave, largest first."""
    counts = Counter(score.cell.published_by for score in scores)
    return [(publisher, count / counts.total()) for publisher, count in counts.most_common()]


def equals(ranking: Ranking, subjects: Iterable[Subject]) -> list[tuple[Subject, ...]]:
    """The subjects, best first, in groups of which no two can be told apart; a subject may be in two of them.

    Each pair is tested by itself, so A may be level with B and B with C though A is ahead of C.
    """
    wanted = set(subjects)
    order = [place.subject for place in ranking.places if place.subject in wanted]
    at = [ranking.index.subjects.index(subject) for subject in order]
    apart = ranking.index.told_apart()[np.ix_(at, at)] if at else np.zeros((0, 0), dtype=bool)
    return [tuple(order[start:end]) for start, end in level_stretches(apart)]


def best_known(rankings: Sequence[Ranking], subjects: Iterable[Subject]) -> Ranking | None:
    """The group that holds most of these subjects, of two the larger one; None where there is no group at all."""
    wanted = set(subjects)
    return max(
        rankings,
        key=lambda ranking: (sum(place.subject in wanted for place in ranking.places), len(ranking.places)),
        default=None,
    )


def cells_by_count(ranking: Ranking) -> list[PublishedCell]:
    """The cells of a group, those with most scores first."""
    counts = Counter(score.cell for score in ranking.index.scores)
    return [cell for cell, _ in counts.most_common()]
