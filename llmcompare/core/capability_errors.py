"""What the errors of scores share: publishers, models, benchmarks, and tests that stretch differences."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit

from llmcompare.core.capability_scores import CLIPPED_PERCENT, CellScore

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
CATEGORY = "model and category"
BY_PUBLISHERS = ("publisher and model", "publisher and family")
SHARED: dict[str, Callable[[CellScore], object]] = {
    "publisher and model": lambda score: (score.cell.published_by, score.subject),
    "publisher and family": lambda score: (score.cell.published_by, score.family),
    "model and benchmark": lambda score: (score.subject, score.cell.benchmark),
    CATEGORY: lambda score: (score.subject, score.category),
}
"""Scores of a cluster share an error: what a publisher does to a model or a family, and what a model is good at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far scores lie from the two-way model, in logits."""

    sd_by_category: Mapping[str, float]
    """Of a score at 50% among models of like ability."""
    variance_share: Mapping[str, float]
    """Of each cluster of SHARED; the rest is each score's own."""
    stretch_sd: float = 0.0
    """Cells show differences of ability too large or too small, by this share of the difference."""
    category_sd: float = 0.0
    """Of a model from category to category; counts only where categories are mixed."""

    @property
    def own_share(self) -> float:
        """Of the variance, what a score shares with no other."""
        return 1 - sum(self.variance_share.values())


def logits(scores: Sequence[CellScore]) -> Floats:
    """Of all scores, of 1 to 99%."""
    percents = np.clip([score.percent for score in scores], CLIPPED_PERCENT, 100 - CLIPPED_PERCENT)
    return np.asarray(np.log(percents / (100 - percents)))


def precisions(scores: Sequence[CellScore]) -> Floats:
    """Weight of each score, 1 at 50%: 4 p (1 - p), as if each benchmark had the same number of questions.

    The numbers of questions are not among the data, so no benchmark counts as more certain than another.

    >>> round(4 * 0.9 * 0.1, 2)
    0.36
    """
    shares = expit(logits(scores))
    return np.asarray(4 * shares * (1 - shares))


def error_parts(
    sums: Floats, scores: Sequence[CellScore], spread: Spread, *, beyond: Floats, mixed: bool = False
) -> Iterator[tuple[str, Floats]]:
    """Independent errors of weighted sums of scores, one a row: a column for each score, then for each cluster.

    `beyond`: how far the ability of each score's subject lies from the mean of its cell, in logits.
    """
    # One row for each score: sparse products copy any other layout.
    by_score = np.ascontiguousarray(sums.T)
    scaled = by_score * np.array([[spread.sd_by_category[score.category]] for score in scores])
    yield "own", (scaled * np.sqrt(spread.own_share / precisions(scores))[:, None]).T
    for name, share in spread.variance_share.items():
        yield name, np.sqrt(share) * (membership(scores, name).T @ scaled).T
    yield "cell", spread.stretch_sd * (stretches(scores, beyond).T @ by_score).T
    if mixed:
        yield CATEGORY, spread.category_sd * (membership(scores, CATEGORY).T @ by_score).T


def error_variances(sums: Floats, scores: Sequence[CellScore], spread: Spread, *, beyond: Floats) -> Floats:
    """Variances of weighted sums of scores, one a row."""
    parts = [np.sum(part**2, axis=1) for _, part in error_parts(sums, scores, spread, beyond=beyond)]
    return sum(parts, np.zeros(len(sums)))


def membership(scores: Sequence[CellScore], name: str) -> csr_array:
    """One row for each score, one column for each cluster of this name."""
    return _by_columns(codes(SHARED[name](score) for score in scores), np.ones(len(scores)))


def stretches(scores: Sequence[CellScore], beyond: Floats) -> csr_array:
    """One row for each score, one column for each cell: what a test that doubles differences adds to a score."""
    return _by_columns(codes(score.cell for score in scores), beyond)


def _by_columns(columns: Codes, values: Floats) -> csr_array:
    return csr_array((values, (np.arange(len(columns)), columns)))


def codes(values: Iterable[object]) -> Codes:
    """A number for each value, in the order of their first appearance."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int64)


def summed(at: Codes, values: Floats) -> Floats:
    """Sum of the values of each number.

    >>> summed(np.array([0, 1, 0]), np.array([1.0, 2.0, 4.0])).tolist()
    [5.0, 2.0]
    """
    return np.bincount(at, values).astype(np.float64)
