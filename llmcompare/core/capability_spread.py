"""How far scores lie from the two-way model, and which part of that they share: by the method of moments.

A sandwich over publishers alone would say 0 where one publisher scored a model: its residuals sum to 0. So the shares
are estimated over all categories, from every model that several publishers or benchmarks scored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from scipy.optimize import nnls
from scipy.sparse import csr_array, eye_array

from llmcompare.core.capability import beyond, groups, influences, mixed_weights
from llmcompare.core.capability_errors import (
    BY_PUBLISHERS,
    CATEGORY,
    Floats,
    Spread,
    codes,
    error_variances,
    logits,
    membership,
    precisions,
    stretches,
    summed,
)
from llmcompare.core.capability_scores import CATEGORIES, CellScore

WITHIN_CATEGORY = (*BY_PUBLISHERS, "model and benchmark")
STRETCH = len(WITHIN_CATEGORY)
"""Place of the stretch among the variances."""
FEWEST_FREE = 10
"""Scores beyond the fitted parameters, below which a category takes the median spread of the others."""
UNKNOWN_SD = 0.3
"""Where no category has so many: assumption, the middle of what the categories of data/scores.csv show."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Sums of squares that the two-way model leaves, and what a unit of each variance would add to them."""

    squares: Floats
    """For each cluster of WITHIN_CATEGORY, for cells that stretch differences, and for single scores."""
    expected: Floats
    """Row: a sum of squares. Column: the variance that adds to it."""
    free: float
    """Scores less fitted parameters."""

    @property
    def in_one_size(self) -> "Moments":
        """In units of the mean square; a stretch is a share already, so it is brought to the others' unit."""
        size = self.squares[-1] / self.free
        scale = np.array([1.0] * len(WITHIN_CATEGORY) + [1 / size, 1.0])
        return Moments(
            squares=self.squares * scale / size, expected=self.expected * np.outer(scale, scale), free=self.free
        )


def spread(scores: Sequence[CellScore]) -> Spread:
    """Spread of all categories: one split of the variance and one stretch for all, one size for each."""
    found = {category: moments(score for score in scores if score.category == category) for category in CATEGORIES}
    sized = {category: one for category, one in found.items() if one.free >= FEWEST_FREE}
    shares, stretch = variance_shares([one.in_one_size for one in sized.values()])
    sds = {category: _sd(one, shares, stretch) for category, one in sized.items()}
    usual = median(sds.values()) if sds else UNKNOWN_SD
    return Spread(
        sd_by_category={category: sds.get(category, usual) for category in CATEGORIES},
        variance_share=dict(zip(WITHIN_CATEGORY, shares[:-1].tolist(), strict=True)),
        stretch_sd=float(np.sqrt(stretch)),
    )


def mixed_spread(scores: Sequence[CellScore], within: Spread) -> Spread:
    """The same with what models differ by from category to category, for an index that mixes categories."""
    return replace(within, category_sd=category_sd(scores, within))


def moments(scores: Iterable[CellScore]) -> Moments:
    """Of one category, added up over its groups."""
    found = [_moments_of_group(group) for group in groups(scores) if _leaves_something(group)]
    size = len(WITHIN_CATEGORY) + 2
    return Moments(
        squares=sum((one.squares for one in found), np.zeros(size)),
        expected=sum((one.expected for one in found), np.zeros((size, size))),
        free=sum(one.free for one in found),
    )


def _leaves_something(scores: Sequence[CellScore]) -> bool:
    """Whether there are more scores than abilities and difficulties, of which one is fixed by the others."""
    subjects, cells = {score.subject for score in scores}, {score.cell for score in scores}
    return len(scores) > len(subjects) + len(cells) - 1


def _moments_of_group(scores: Sequence[CellScore]) -> Moments:
    fit = _Fit(scores, precisions(scores))
    root = np.sqrt(fit.weight)
    left_by = np.eye(len(scores)) - root[:, None] * fit.averages(eye_array(len(scores))) / root
    left = left_by @ (root * fit.logits)
    clusters = [*(membership(scores, name) for name in WITHIN_CATEGORY), stretches(scores, fit.beyond)]
    loads = [cluster.multiply(root[:, None]).tocsr() for cluster in clusters]
    kept = [load.T @ left_by for load in loads] + [left_by]
    expected = [[np.sum((keep @ load) ** 2) for load in loads] + [np.sum(keep**2)] for keep in kept]
    return Moments(
        squares=np.array([*(np.sum((load.T @ left) ** 2) for load in loads), left @ left]),
        expected=np.array(expected),
        free=float(np.trace(left_by)),
    )


class _Fit:
    """The two-way model of one group, for its residuals."""

    def __init__(self, scores: Sequence[CellScore], weight: Floats) -> None:
        self.weight = weight
        self.logits = logits(scores)
        self._subject_of = codes(score.subject for score in scores)
        self._cell_of = codes(score.cell for score in scores)
        self._influence = influences(self._subject_of, self._cell_of, weight)

    @property
    def beyond(self) -> Floats:
        """How far the ability of each score's subject lies from the mean of its cell."""
        return beyond(self._subject_of, self._cell_of, self.weight, self._influence @ self.logits)

    def averages(self, of: csr_array) -> Floats:
        """What each score adds to averages of the values that are fitted to the scores."""
        rows, ones = np.arange(len(self.weight)), np.ones(len(self.weight))
        of_subject, of_cell = csr_array((ones, (rows, self._subject_of))), csr_array((ones, (rows, self._cell_of)))
        share = self.weight / summed(self._cell_of, self.weight)[self._cell_of]
        in_cell = csr_array((share, (self._cell_of, rows)))
        # An average of fitted values: abilities of its subjects, less the means of abilities in its cells, plus the
        # means of the scores there.
        abilities = of @ of_subject - (of @ of_cell) @ (in_cell @ of_subject)
        return np.asarray(abilities.toarray() @ self._influence + ((of @ of_cell) @ in_cell).toarray())


def variance_shares(found: Sequence[Moments]) -> tuple[Floats, float]:
    """Split of the variance over all categories, a single score's own part last; and the variance of the stretch."""
    if not found:
        return np.array([0.0] * len(WITHIN_CATEGORY) + [1.0]), 0.0
    squares, expected = sum(one.squares for one in found), sum(one.expected for one in found)
    size = np.sqrt(np.diag(expected))
    solved = nnls(expected / np.outer(size, size), squares / size)[0] / size
    shares = np.delete(solved, STRETCH)
    return np.asarray(shares / shares.sum()), float(solved[STRETCH])


def _sd(one: Moments, shares: Floats, stretch: float) -> float:
    """Of a score: what is left of the sum of squares when the stretch has taken its part, at least a tenth of it."""
    own = one.expected[-1]
    left = max(one.squares[-1] - stretch * own[STRETCH], one.squares[-1] / 10)
    return float(np.sqrt(left / (np.delete(own, STRETCH) @ shares)))


def category_sd(scores: Sequence[CellScore], within: Spread) -> float:
    """How much the ability of a model differs from category to category, beyond what its scores spread anyway."""
    parts = groups(scores)
    if not parts:
        return 0.0
    largest = parts[0]
    fit = _Fit(largest, mixed_weights(largest, dict.fromkeys(CATEGORIES, 1.0)))
    blocks = membership(largest, CATEGORY)
    averages = (blocks.multiply(fit.weight[:, None]) / (fit.weight @ blocks)).T.tocsr()
    left_by = averages.toarray() - fit.averages(averages)
    square = np.sum((left_by @ fit.logits) ** 2)
    anyway = error_variances(left_by, largest, within, beyond=fit.beyond).sum()
    unit = np.sum((left_by @ blocks) ** 2)
    return float(np.sqrt(max(0.0, square - anyway) / unit))
