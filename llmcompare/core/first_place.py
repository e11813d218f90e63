"""Whether the first place of ratings is settled, and how many more votes that would take."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.special import expit

from llmcompare.core.apart import Floats, inverse_of, laplacian, quantile
from llmcompare.core.ratings import CONFIDENCE, ENOUGH, Counts, Ratings, rated, scatter

MOST_VOTES = 10_000
"""More votes than this are not counted out."""
EVEN_CHANCE = 0.5
COURSES = 500
"""Ways in which votes may come out, and as many in which all deviations are the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPlace:
    """How far the first place is settled."""

    leader: str
    rivals: tuple[str, ...]
    """Those that cannot be told apart from the leader yet."""
    votes_needed: int | None
    """Until they can with even chances, if models are as good as rated; None without a number, 0 when settled."""
    reason: str | None = None
    """Why there is none."""


def first_place(ratings: Ratings, confidence: float = CONFIDENCE) -> FirstPlace:
    """Whether the leader is ahead of everyone for certain, and how many more votes that would take."""
    names, leader = ratings.counts.names, ratings.order[0]
    apart = ratings.told_apart(confidence)
    rivals = [at for at in ratings.order[1:] if not apart[leader, at]]
    needed, reason = _votes_needed(ratings, leader, rivals, confidence)
    return FirstPlace(
        leader=names[leader], rivals=tuple(names[at] for at in rivals), votes_needed=needed, reason=reason
    )


def _votes_needed(
    ratings: Ratings, leader: int, rivals: Sequence[int], confidence: float
) -> tuple[int | None, str | None]:
    names = ratings.counts.names
    for rival in rivals:
        if ratings.logits[leader] - ratings.logits[rival] <= ENOUGH:
            return None, f"{names[leader]} and {names[rival]} are level so far, so no number of votes can be named"
    if not rivals:
        return 0, None
    share = needs(ratings, leader, rivals)

    def is_likely(more: int) -> bool:
        return chance_settled(ratings, leader, share, more, confidence) > EVEN_CHANCE

    if not is_likely(MOST_VOTES):
        return None, f"the lead is so small that it would take more than {MOST_VOTES:,} votes"
    return 1 + bisect_left(range(1, MOST_VOTES), True, key=is_likely), None


def needs(ratings: Ratings, leader: int, rivals: Sequence[int]) -> dict[int, float]:
    """Votes that part the leader from each of its rivals, but for a factor that all have in common."""
    difference = ratings.logits[leader] - ratings.logits
    odds = expit(difference)
    return {at: float(1 / (difference[at] ** 2 * odds[at] * (1 - odds[at]))) for at in rivals}


def votes_to_come(ratings: Ratings, leader: int, share: Mapping[int, float], more: int) -> Counts:
    """The table after more votes on the leader against others, in these proportions, that go as they went so far.

    As many are ties as in all votes so far, unless the difference of the two leaves room for fewer.
    """
    counts = ratings.counts
    preferred, ties = counts.preferred.copy(), counts.ties.copy()
    ties_share = float(counts.ties.sum() / counts.votes.sum())
    for other, weight in share.items():
        votes = more * weight / sum(share.values())
        odds = float(expit(ratings.logits[leader] - ratings.logits[other]))
        tied = min(ties_share, 2 * odds, 2 - 2 * odds)
        preferred[leader, other] += votes * (odds - tied / 2)
        preferred[other, leader] += votes * (1 - odds - tied / 2)
        ties[leader, other] += votes * tied
        ties[other, leader] += votes * tied
    return replace(counts, preferred=preferred, ties=ties)


def chance_settled(
    ratings: Ratings, leader: int, share: Mapping[int, float], more: int, confidence: float = CONFIDENCE
) -> float:
    """How often the leader is ahead of everyone for certain after so many votes, if models are as good as rated.

    The ratings then scatter about those of the expected table by what the votes to come scatter, all rivals at once:
    a leader who is just past each of five is past all five more seldom than past one.
    """
    before = ratings.counts
    expected = votes_to_come(ratings, leader, share, more)
    after = rated(expected, start=ratings.logits)
    new = replace(before, preferred=expected.preferred - before.preferred, ties=expected.ties - before.ties)
    deviations = _courses(_covariance_by(new, after))
    lead = after.logits[leader] + deviations[:, [leader]] - after.logits - deviations
    is_ahead = lead > quantile(confidence) * np.sqrt(after.variances[leader])
    is_ahead[:, leader] = True
    return float(is_ahead.all(axis=1).mean())


def _covariance_by(new: Counts, after: Ratings) -> Floats:
    """Of the ratings after all votes, the part that comes from how the new ones fall."""
    odds = expit(after.logits[:, None] - after.logits[None, :])
    inverse = inverse_of(laplacian(after.weights * odds * odds.T))
    return np.asarray(inverse @ laplacian(scatter(new, odds)) @ inverse)


def _courses(covariance: Floats) -> Floats:
    """Deviations, a row for each course: always the same, in opposite pairs, and one that goes as expected."""
    values, vectors = np.linalg.eigh(covariance)
    deviations = _drawn(len(values)) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    return np.concatenate([deviations, -deviations, np.zeros((1, len(values)))])


@cache
def _drawn(size: int) -> Floats:
    return np.random.default_rng(0).standard_normal((COURSES, size))
