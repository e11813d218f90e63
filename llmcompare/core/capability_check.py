"""Real scores are hidden, predicted from the rest, and compared: how wrong is the index, and do its intervals hold?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import NormalDist, fmean, median

import numpy as np
from scipy.special import expit

from llmcompare.core.capability import groups, index
from llmcompare.core.capability_errors import Floats, Spread, error_variances, logits
from llmcompare.core.capability_scores import CellScore, PublishedCell, Subject
from llmcompare.core.cost import Band

PARTS = 10
"""A tenth of the scores is hidden at a time."""
SEED = 6
REACH_80, REACH_95 = (NormalDist().inv_cdf((1 + level) / 2) for level in (0.8, 0.95))
"""Standard errors to either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """One score that was hidden, and what the rest says of it."""

    score: CellScore
    band_80: Band
    """In percent, as the score; the middle is the prediction."""
    band_95: Band
    mean_of_cell_percent: float
    """Of the scores of others in its cell: what somebody would guess who knows nothing of the model."""

    @property
    def miss_points(self) -> float:
        """Points between prediction and score."""
        return abs(self.band_80.mid - self.score.percent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """All scores that were hidden."""

    hidden: tuple[Hidden, ...]
    not_predictable_count: int
    """Scores whose subject or cell has nothing left when they are hidden."""

    @property
    def median_miss_points(self) -> float:
        """Half of the predictions are closer."""
        return median(one.miss_points for one in self.hidden)

    @property
    def mean_miss_points(self) -> float:
        """Mean of the misses."""
        return fmean(one.miss_points for one in self.hidden)

    @property
    def guess_miss_points(self) -> float:
        """Mean miss of the mean of the cell."""
        return fmean(abs(one.mean_of_cell_percent - one.score.percent) for one in self.hidden)

    @property
    def held_80_fraction(self) -> float:
        """Share of the scores in their 80% interval."""
        return fmean(one.band_80.low <= one.score.percent <= one.band_80.high for one in self.hidden)

    @property
    def held_95_fraction(self) -> float:
        """Share of the scores in their 95% interval."""
        return fmean(one.band_95.low <= one.score.percent <= one.band_95.high for one in self.hidden)


def check(scores: Sequence[CellScore], spread: Spread, *, rounds: int = PARTS, seed: int = SEED) -> Check:
    """A tenth of the scores of one category, drawn by chance, is hidden in each round, none of them twice."""
    comparable = [score for group in groups(scores) for score in group]
    Random(seed).shuffle(comparable)
    hidden: list[Hidden] = []
    for part in range(rounds):
        rest = [score for at, score in enumerate(comparable) if at % PARTS != part]
        hidden += predicted(comparable[part::PARTS], rest, spread)
    tried = sum(len(comparable[part::PARTS]) for part in range(rounds))
    return Check(hidden=tuple(hidden), not_predictable_count=tried - len(hidden))


def predicted(hidden: Iterable[CellScore], rest: Sequence[CellScore], spread: Spread) -> list[Hidden]:
    """What the rest says of each hidden score whose subject and cell it still connects."""
    found: list[Hidden] = []
    waiting = list(hidden)
    for group in groups(rest):
        subjects, cells = {score.subject for score in group}, {score.cell for score in group}
        here = [score for score in waiting if score.subject in subjects and score.cell in cells]
        if here:
            found += _predicted_in_group(here, group, spread)
    return found


def _predicted_in_group(hidden: list[CellScore], group: Sequence[CellScore], spread: Spread) -> list[Hidden]:
    fit = index(group, spread)
    pairs: list[tuple[Subject, PublishedCell]] = [(score.subject, score.cell) for score in hidden]
    sums, beyond = fit.expectations(pairs)
    middles = sums @ logits(group)
    # The error of a prediction is the hidden score less a sum of the others; both may share errors. How precise the
    # hidden score is follows from the prediction: its own value must not make its interval.
    expected = [replace(score, percent=percent) for score, percent in zip(hidden, _percent(middles), strict=True)]
    errors = np.hstack([np.eye(len(hidden)), -sums])
    away = np.concatenate([beyond, fit.beyond])
    sds = np.sqrt(error_variances(errors, [*expected, *group], spread, beyond=away))
    guesses = _means_of_cells(group)
    return [
        Hidden(
            score=score,
            band_80=_band(middle, sd * REACH_80),
            band_95=_band(middle, sd * REACH_95),
            mean_of_cell_percent=guesses[score.cell],
        )
        for score, middle, sd in zip(hidden, middles.tolist(), sds.tolist(), strict=True)
    ]


def _band(middle: float, reach: float) -> Band:
    low, mid, high = _percent(np.array([middle - reach, middle, middle + reach])).tolist()
    return Band(low=low, mid=mid, high=high)


def _percent(logits: Floats) -> Floats:
    return np.asarray(100 * expit(logits))


def _means_of_cells(scores: Iterable[CellScore]) -> dict[PublishedCell, float]:
    found: dict[PublishedCell, list[float]] = {}
    for score in scores:
        found.setdefault(score.cell, []).append(score.percent)
    return {cell: fmean(percents) for cell, percents in found.items()}
