"""An index of ability from incomplete tables of scores: logit(score) = ability of the subject - difficulty of the cell.

Weighted least squares over one group of subjects that cells connect. Every estimate is a weighted sum of scores, kept
as a row of `influence`, so that its error follows from any pattern of shared errors.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, stdtrit

from llmcompare.core.apart import variances_of_differences
from llmcompare.core.capability_errors import (
    BY_PUBLISHERS,
    Codes,
    Floats,
    Spread,
    codes,
    error_parts,
    logits,
    precisions,
    summed,
)
from llmcompare.core.capability_scores import CellScore, PublishedCell, Subject
from llmcompare.core.cost import Band

CONFIDENCE = 0.95
"""Of the intervals, and of the test whether two subjects can be told apart."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Index:
    """Abilities of the subjects of one group, with their covariance."""

    scores: tuple[CellScore, ...]
    subjects: tuple[Subject, ...]
    cells: tuple[PublishedCell, ...]
    subject_of: Codes
    cell_of: Codes
    weight: Floats
    """Of each score in the least squares."""
    ability: Floats
    """In logits, less the mean of the group."""
    difficulty: Floats
    """In logits: a subject of ability a is expected to reach expit(a - difficulty) there."""
    influence: Floats
    """One row for each subject: what a logit more in each score adds to its ability."""
    spread: Spread
    mixed: bool
    """Whether several categories are mixed by weights."""
    middle: float
    """Difficulty of the middle cell, weighted by its scores: the scale on which abilities are shown."""

    @property
    def covariance(self) -> Floats:
        """Of the abilities."""
        return self._covariances[0]

    @property
    def by_publishers(self) -> Floats:
        """The part of the covariance that comes from errors of publishers."""
        return self._covariances[1]

    @property
    def beyond(self) -> Floats:
        """How far the ability of each score's subject lies from the mean of its cell."""
        return beyond(self.subject_of, self.cell_of, self.weight, self.ability)

    @cached_property
    def _covariances(self) -> tuple[Floats, Floats]:
        parts = error_parts(self.influence, self.scores, self.spread, beyond=self.beyond, mixed=self.mixed)
        products = [(name, part @ part.T) for name, part in parts]
        nothing = np.zeros((len(self.subjects), len(self.subjects)))
        by_publishers = sum((product for name, product in products if name in BY_PUBLISHERS), nothing)
        return sum((product for _, product in products), nothing), by_publishers

    def expectations(self, pairs: Sequence[tuple[Subject, PublishedCell]]) -> tuple[Floats, Floats]:
        """For each pair: what a logit more in each score adds to what the subject should reach in the cell, one row;
        and how far its ability lies from the mean of the cell."""
        subject_at = {subject: at for at, subject in enumerate(self.subjects)}
        cell_at = {cell: at for at, cell in enumerate(self.cells)}
        subject_rows = np.array([subject_at[subject] for subject, _ in pairs])
        cell_rows = np.array([cell_at[cell] for _, cell in pairs])
        in_cell = np.zeros((len(self.cells), len(self.scores)))
        in_cell[self.cell_of, np.arange(len(self.scores))] = self.weight
        in_cell /= in_cell.sum(axis=1, keepdims=True)
        means = in_cell @ self.influence[self.subject_of]
        sums = self.influence[subject_rows] - (means - in_cell)[cell_rows]
        away = self.ability[subject_rows] - (in_cell @ self.ability[self.subject_of])[cell_rows]
        return np.asarray(sums), np.asarray(away)

    def bands(self, confidence: float = CONFIDENCE) -> list[Band]:
        """Expected percent in the middle cell for each subject, with its interval."""
        reach = self.reach(np.diag(self.covariance), np.diag(self.by_publishers), confidence)
        ends = (self.ability - reach, self.ability, self.ability + reach)
        percents = [(100 * expit(end - self.middle)).tolist() for end in ends]
        return [Band(low=low, mid=mid, high=high) for low, mid, high in zip(*percents, strict=True)]

    def told_apart(self, confidence: float = CONFIDENCE) -> NDArray[np.bool_]:
        """Of each pair, each by itself, whether the difference is larger than chance and publishers explain."""
        difference = self.ability[:, None] - self.ability[None, :]
        own, by_publishers = map(variances_of_differences, (self.covariance, self.by_publishers))
        reach = self.reach(own, by_publishers, confidence)
        return np.asarray((np.abs(difference) > reach) & (difference != 0))

    def reach(self, variance: Floats, by_publishers: Floats, confidence: float) -> Floats:
        """Half an interval. Where few publishers make the error, their number is what its size is known from.

        Student's t with Satterthwaite's degrees of freedom: publishers - 1 for their part, scores for the rest.
        """
        share = np.divide(by_publishers, variance, out=np.zeros_like(variance), where=variance > 0)
        publishers = len({score.cell.published_by for score in self.scores})
        freedom = 1 / (share**2 / max(1, publishers - 1) + (1 - share) ** 2 / len(self.scores))
        return np.asarray(stdtrit(freedom, (1 + confidence) / 2) * np.sqrt(variance))


def groups(scores: Iterable[CellScore]) -> list[tuple[CellScore, ...]]:
    """Scores whose subjects can be compared, the largest group first; cells with one subject say nothing and are out.

    Two subjects are comparable where a chain of shared cells leads from one to the other.
    """
    kept = _without_lonely_cells(list(scores))
    if not kept:
        return []
    subjects = codes(score.subject for score in kept)
    cells = codes(score.cell for score in kept)
    count = int(subjects.max()) + 1
    size = count + int(cells.max()) + 1
    links = coo_array((np.ones(len(kept)), (subjects, count + cells)), shape=(size, size))
    group_of = connected_components(links, directed=False)[1][subjects]
    found: dict[int, list[CellScore]] = {}
    for score, group in zip(kept, group_of.tolist(), strict=True):
        found.setdefault(group, []).append(score)
    return sorted(map(tuple, found.values()), key=lambda group: -len({score.subject for score in group}))


def _without_lonely_cells(scores: list[CellScore]) -> list[CellScore]:
    subjects: dict[PublishedCell, set[Subject]] = {}
    for score in scores:
        subjects.setdefault(score.cell, set()).add(score.subject)
    return [score for score in scores if len(subjects[score.cell]) > 1]


def index(scores: Sequence[CellScore], spread: Spread, *, weights: Mapping[str, float] | None = None) -> Index:
    """Abilities of the subjects of one group.

    With weights, several categories are mixed: each category of a subject counts as the weight says, however many
    scores the subject has there.
    """
    subject_of, cell_of = codes(score.subject for score in scores), codes(score.cell for score in scores)
    weight = mixed_weights(scores, weights)
    influence = influences(subject_of, cell_of, weight)
    found = logits(scores)
    ability = influence @ found
    in_cell = summed(cell_of, weight)
    difficulty = summed(cell_of, weight * (ability[subject_of] - found)) / in_cell
    return Index(
        scores=tuple(scores),
        subjects=tuple(dict.fromkeys(score.subject for score in scores)),
        cells=tuple(dict.fromkeys(score.cell for score in scores)),
        subject_of=subject_of,
        cell_of=cell_of,
        weight=weight,
        ability=ability,
        difficulty=difficulty,
        influence=influence,
        spread=spread,
        mixed=weights is not None,
        middle=_weighted_median(difficulty, in_cell),
    )


def mixed_weights(scores: Sequence[CellScore], weights: Mapping[str, float] | None) -> Floats:
    """Weight of each score in the least squares."""
    own = precisions(scores)
    if weights is None:
        return own
    block = codes((score.subject, score.category) for score in scores)
    share = own / summed(block, own)[block]
    return np.asarray(share * np.array([weights[score.category] for score in scores]))


def influences(subject_of: Codes, cell_of: Codes, weight: Floats) -> Floats:
    """What each score of one group adds to each ability when the cells' difficulties are fitted too.

    A score of weight w pulls its subject up by w, and every subject of its cell down by that subject's share of the
    cell times w. Abilities sum to 0.
    """
    subjects, cells = int(subject_of.max()) + 1, int(cell_of.max()) + 1
    between = np.zeros((subjects, cells))
    np.add.at(between, (subject_of, cell_of), weight)
    shares = between / between.sum(axis=0)
    normal = np.diag(between.sum(axis=1)) - shares @ between.T
    # Only differences of abilities are known: the added constant fixes their sum at 0 and changes nothing else.
    inverse = np.linalg.inv(normal + between.sum() / subjects**2)
    # Two gathers instead of a product with one column for each score: a tenth of the time.
    return np.asarray(weight * (inverse[:, subject_of] - (inverse @ shares)[:, cell_of]))


def beyond(subject_of: Codes, cell_of: Codes, weight: Floats, ability: Floats) -> Floats:
    """How far the ability of each score's subject lies from the mean of its cell."""
    own = ability[subject_of]
    return np.asarray(own - (summed(cell_of, weight * own) / summed(cell_of, weight))[cell_of])


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
