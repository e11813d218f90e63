"""Ratings from votes on pairs of replies: Bradley-Terry by maximum likelihood, a tie as half a vote for each side.

Everything follows from a table of how often each of two models was preferred, so a hundred thousand votes cost no more
than ten. A tie as half a vote keeps what the likelihood of models with a parameter for ties (Davidson 1970) also hangs
on, wins plus half the ties, needs no assumption on how often ties come, and leaves the error to the sandwich, which
measures how far votes scatter instead of believing the model.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, logit

from llmcompare.core.apart import (
    Floats,
    inverse_of,
    laplacian,
    level_stretches,
    quantile,
    variances_of_differences,
)
from llmcompare.core.cost import Band
from llmcompare.core.facts import Vote

CONFIDENCE = 0.95
"""Of the intervals, and of the test whether two models can be told apart, each pair by itself."""
VOTES_ADDED = 0.5
"""For each side of each compared pair where a rating would be infinite, as is usual for a share of 0 or 1."""
SCATTER_ADDED_VOTES = 1.0
"""Votes that scatter as the model says, added to each compared pair in the error alone: three ties are no certainty."""
POINTS_PER_LOGIT = 400 / np.log(10)
"""Elo's scale: 400 points are odds of 10 to 1."""
MEAN_POINTS = 1000.0
TYPICAL_LOGITS = 2.0
"""How far models lie apart before anybody voted; only for drawing pairs. Assumption."""
NEWTON_STEPS = 100
ENOUGH = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class Counts:
    """Votes on every pair of models, all that the ratings hang on."""

    names: tuple[str, ...]
    preferred: Floats
    """[i, j]: votes in which i was preferred to j."""
    ties: Floats
    """[i, j] and [j, i]: votes for neither, with those that found both bad."""
    both_bad: Floats
    """Part of the ties."""

    @property
    def votes(self) -> Floats:
        """On each pair, however they went."""
        return self.preferred + self.preferred.T + self.ties

    @property
    def total(self) -> int:
        """Of all pairs."""
        return round(float(self.votes.sum()) / 2)

    @property
    def points(self) -> Floats:
        """[i, j]: votes for i against j, a tie as half a vote."""
        return self.preferred + self.ties / 2

    def only(self, names: Iterable[str]) -> "Counts":
        """The part that concerns these models."""
        at = [self.names.index(name) for name in names]
        cut = np.ix_(at, at)
        return Counts(
            names=tuple(self.names[one] for one in at),
            preferred=self.preferred[cut],
            ties=self.ties[cut],
            both_bad=self.both_bad[cut],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratings:
    """Ratings of models that votes connect, in logits with mean 0: odds of a vote are exp(difference)."""

    counts: Counts
    logits: Floats
    covariance: Floats
    """Of the logits, the sandwich."""
    votes_added: float
    """For each side of each compared pair; 0 unless a rating would be infinite without."""

    @property
    def order(self) -> list[int]:
        """Positions, best first."""
        return list(map(int, np.argsort(-self.logits, kind="stable")))

    @property
    def strengths(self) -> Floats:
        """Odds of a vote are their ratio; geometric mean 1."""
        return np.exp(self.logits)

    @property
    def weights(self) -> Floats:
        """[i, j]: votes on a pair, with those added."""
        return self.counts.votes + 2 * self.votes_added * (self.counts.votes > 0)

    @cached_property
    def variances(self) -> Floats:
        """Of the difference of each pair."""
        return variances_of_differences(self.covariance)

    def bands(self, confidence: float = CONFIDENCE) -> list[Band]:
        """Logits with their Wald intervals."""
        reach = quantile(confidence) * np.sqrt(np.diag(self.covariance))
        ends = [(self.logits + part * reach).tolist() for part in (-1, 0, 1)]
        return [Band(low=low, mid=mid, high=high) for low, mid, high in zip(*ends, strict=True)]

    def shares(self, confidence: float = CONFIDENCE) -> list[Band]:
        """Percent of votes expected against the other models, each met as often, a tie as half a vote.

        The interval is Wald's on the logit of the share, so it stays between 0 and 100.
        """
        odds = expit(self.logits[:, None] - self.logits[None, :])
        np.fill_diagonal(odds, 0)
        others = len(odds) - 1
        share = odds.sum(axis=1) / others
        slopes = laplacian(odds * (1 - odds)) / others
        variance = np.einsum("ij,jk,ik->i", slopes, self.covariance, slopes)
        reach = quantile(confidence) * np.sqrt(variance) / (share * (1 - share))
        ends = [(100 * expit(logit(share) + part * reach)).tolist() for part in (-1, 0, 1)]
        return [Band(low=low, mid=mid, high=high) for low, mid, high in zip(*ends, strict=True)]

    def told_apart(self, confidence: float = CONFIDENCE) -> NDArray[np.bool_]:
        """Of each pair, by itself, whether the difference is larger than chance explains."""
        difference = np.abs(self.logits[:, None] - self.logits[None, :])
        # Votes that cancel out leave a difference of rounding errors.
        return np.asarray((difference > quantile(confidence) * np.sqrt(self.variances)) & (difference > ENOUGH))

    def levels(self, confidence: float = CONFIDENCE) -> list[tuple[str, ...]]:
        """Best first, groups of which no two can be told apart; a model may be in two of them."""
        order = self.order
        apart = self.told_apart(confidence)[np.ix_(order, order)]
        names = [self.counts.names[at] for at in order]
        return [tuple(names[start:end]) for start, end in level_stretches(apart)]

    def places(self, confidence: float = CONFIDENCE) -> list[tuple[int, int]]:
        """Best and worst place of each model: 1 + those better for certain, and all less those worse for certain."""
        better = self.told_apart(confidence) & (self.logits[:, None] > self.logits[None, :])
        return [(1 + int(better[:, at].sum()), len(better) - int(better[at].sum())) for at in range(len(better))]


def elo_points(logits: float) -> float:
    """A rating on Elo's scale, with 1000 for the mean of the models.

    >>> round(elo_points(0.0)), round(elo_points(float(np.log(10))))
    (1000, 1400)
    """
    return float(MEAN_POINTS + POINTS_PER_LOGIT * logits)


def counted_votes(votes: Iterable[tuple[str, str, Vote]]) -> Counts:
    """Counts of votes on a left and a right model. A vote on a model against itself is none.

    >>> found = counted_votes([("a", "b", "left"), ("b", "a", "tie"), ("a", "b", "both bad")])
    >>> found.names, found.points.tolist(), float(found.both_bad[0, 1]), found.total
    (('a', 'b'), [[0.0, 2.0], [1.0, 0.0]], 1.0, 3)
    """
    tally = {key: count for key, count in Counter(votes).items() if key[0] != key[1]}
    names = tuple(sorted({name for left, right, _ in tally for name in (left, right)}))
    at = {name: number for number, name in enumerate(names)}
    preferred, ties, both_bad = (np.zeros((len(names), len(names))) for _ in range(3))
    for (left, right, vote), count in tally.items():
        one, other = at[left], at[right]
        if vote == "left":
            preferred[one, other] += count
        elif vote == "right":
            preferred[other, one] += count
        else:
            tables = (ties, both_bad) if vote == "both bad" else (ties,)
            for table in tables:
                table[one, other] += count
                table[other, one] += count
    return Counts(names=names, preferred=preferred, ties=ties, both_bad=both_bad)


def connected(counts: Counts) -> list[Counts]:
    """The parts of the table within which models can be compared, the one with most models and votes first."""
    if not counts.names:
        return []
    part_of = connected_components(counts.votes > 0, directed=False)[1]
    parts = [
        counts.only(name for name, part in zip(counts.names, part_of, strict=True) if part == number)
        for number in range(part_of.max() + 1)
    ]
    return sorted(parts, key=lambda part: (-len(part.names), -part.total))


def is_bounded(counts: Counts) -> bool:
    """Whether every rating is finite: no set of models got every vote against the rest (Ford 1957)."""
    return int(connected_components(counts.points > 0, directed=True, connection="strong")[0]) <= 1


def rated(counts: Counts, *, start: Floats | None = None) -> Ratings:
    """Ratings of a connected part of a table.

    Where a rating would be infinite, half a vote for each side is added to every compared pair. A start near the
    ratings saves steps and changes nothing.
    """
    added = 0.0 if is_bounded(counts) else VOTES_ADDED
    points = counts.points + added * (counts.votes > 0)
    logits = _maximum_likelihood(points, np.zeros(len(points)) if start is None else start)
    odds = expit(logits[:, None] - logits[None, :])
    compared = counts.votes > 0
    squares = scatter(replace(counts, preferred=counts.preferred + added * compared), odds)
    spread = laplacian(squares + SCATTER_ADDED_VOTES * compared * odds * odds.T)
    inverse = inverse_of(laplacian((points + points.T) * odds * odds.T))
    return Ratings(counts=counts, logits=logits, covariance=inverse @ spread @ inverse, votes_added=added)


def _maximum_likelihood(points: Floats, logits: Floats) -> Floats:
    """Newton's method on a concave likelihood; a step is halved until it gains."""
    votes = points + points.T
    likelihood = _log_likelihood(points, logits)
    for _ in range(NEWTON_STEPS):
        odds = expit(logits[:, None] - logits[None, :])
        step = inverse_of(laplacian(votes * odds * odds.T)) @ (points - votes * odds).sum(axis=1)
        while (reached := _log_likelihood(points, logits + step)) < likelihood and np.abs(step).max() > ENOUGH:
            step = step / 2
        if np.abs(step).max(initial=0.0) <= ENOUGH:
            break
        logits, likelihood = logits + step, reached
    return np.asarray(logits - logits.mean())


def _log_likelihood(points: Floats, logits: Floats) -> float:
    return -float((points * np.logaddexp(0, logits[None, :] - logits[:, None])).sum())


def scatter(counts: Counts, odds: Floats) -> Floats:
    """Of each pair, the sum of squares of votes about what was expected of [i, j], the odds of i."""
    squares = counts.preferred * odds.T**2 + counts.ties * (0.5 - odds) ** 2 / 2
    return np.asarray(squares + squares.T)


def pair_values(counts: Counts, models: Sequence[str]) -> dict[tuple[str, str], float]:
    """How much one more vote on each pair is expected to tell, in nats, the most telling first.

    The information of the votes so far, and of what is assumed before any, grows by the factor 1 + p q V: V is the
    variance of the pair's difference, p and q the chances of either side. Much is to be learned where little is known
    and the models are close.
    """
    names = sorted({*models, *counts.names})
    points = np.zeros((len(names), len(names)))
    at = [names.index(name) for name in counts.names]
    if at:
        points[np.ix_(at, at)] = counts.points
    logits = _with_prior(points)
    odds = expit(logits[:, None] - logits[None, :])
    information = laplacian((points + points.T) * odds * odds.T) + np.eye(len(names)) / TYPICAL_LOGITS**2
    variance = variances_of_differences(np.asarray(np.linalg.inv(information)))
    gain = np.log1p(odds * odds.T * variance)
    wanted = sorted(set(models))
    values = {
        (one, other): float(gain[names.index(one), names.index(other)])
        for number, one in enumerate(wanted)
        for other in wanted[number + 1 :]
    }
    return dict(sorted(values.items(), key=lambda item: -item[1]))


def _with_prior(points: Floats) -> Floats:
    """Logits of largest posterior under what is assumed before any vote: finite whatever the votes."""
    votes, prior = points + points.T, np.eye(len(points)) / TYPICAL_LOGITS**2
    logits = np.zeros(len(points))
    for _ in range(NEWTON_STEPS):
        odds = expit(logits[:, None] - logits[None, :])
        slope = (points - votes * odds).sum(axis=1) - logits / TYPICAL_LOGITS**2
        step = np.linalg.solve(laplacian(votes * odds * odds.T) + prior, slope)
        # A step of 2 logits at most: without a limit a lopsided table throws it back and forth.
        step *= min(1.0, 2 / max(np.abs(step).max(initial=0.0), ENOUGH))
        logits = logits + step
        if np.abs(step).max(initial=0.0) <= ENOUGH:
            break
    return logits
