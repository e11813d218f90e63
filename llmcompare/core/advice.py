"""Which deployment fits a need best: what each is worth in points, and how sure that is.

A deployment is worth its ability in points of the index, less points for what it costs, plus points for its speed and
for the frameworks that know it. The scales are absolute, so that a further deployment changes the worth of no other.
Uncertain figures are drawn once per cause and shared by all deployments that hang on it: a GPU that turns out slower is
slower for every model on it, and such noise makes no winner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from llmcompare.core.capability import CONFIDENCE, Index
from llmcompare.errors import InputError

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

POINTS_FOR_HALF_THE_COST = 4.0
"""Of the ability index, that half the cost is worth at a weight of 1. Assumption; the weight changes it."""
POINTS_FOR_TWICE_THE_SPEED = 2.0
"""The same for twice the tokens per second of one request."""
POINTS_FOR_EVERY_FRAMEWORK = 5.0
"""The same for support by all frameworks over support by none."""
DRAWS = 2_000
GREATEST_WEIGHT = 10.0
CRITERIA = ("ability", "cost", "speed", "ecosystem")
TAIL = float(ndtri(0.9))
"""Standard deviations from the middle to the 90th percentile, which is where a prediction's band ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each criterion counts, 0 to 10. Raises InputError.

    >>> Weights(cost=11)
    Traceback (most recent call last):
    llmcompare.errors.InputError: the weight of cost is 11, and weights go from 0 to 10: give another.
    """

    ability: float = 1.0
    cost: float = 1.0
    speed: float = 1.0
    ecosystem: float = 1.0

    def __post_init__(self) -> None:
        for name in CRITERIA:
            value = getattr(self, name)
            if not isfinite(value) or not 0 <= value <= GREATEST_WEIGHT:
                raise InputError(
                    f"the weight of {name} is {value:g}, and weights go from 0 to {GREATEST_WEIGHT:g}: give another."
                )
        if not any(getattr(self, name) for name in CRITERIA):
            raise InputError("every criterion has the weight 0: give one of them more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """A figure of every deployment as a ratio to its middle, and the cause that moves it."""

    cause: Places
    """Deployments with the same number are moved by the same draw; -1 where nothing moves it."""
    low: Floats
    high: Floats

    def at(self, places: Places) -> "Uncertain":
        """Of these deployments."""
        return Uncertain(cause=self.cause[places], low=self.low[places], high=self.high[places])


@dataclass(frozen=True, slots=True, kw_only=True)
class Contenders:
    """Deployments that can be compared, one place of each array for each."""

    subject: Places
    """Place of its model among the subjects of the index; -1 where no comparable score is published."""
    price: Uncertain
    """Lowest, median and highest of the providers: each half of the range is as likely as the other."""
    rate: Uncertain
    """Requests per second, from the 10th to the 90th percentile of the prediction."""
    speed: Uncertain
    """Tokens per second of one request, in the same way."""
    tokens_per_s: Floats
    support: Uncertain
    """Share of the frameworks, from what is known to what is known or unknown, as shares and not as ratios."""
    loss: Uncertain
    """Points that the weight format may cost, from low to high, every value as likely; 0 where it is the published."""
    usd_per_month: Callable[[Places, Floats, Floats], Floats]
    """Cost of some deployments at factors of price and rate: arrays of one row for each draw."""

    @property
    def count(self) -> int:
        """Of deployments."""
        return len(self.subject)


# --- what a deployment is worth ---------------------------------------------------------------------------------------


def parts(ability: Floats, usd_per_month: Floats, tokens_per_s: Floats, support: Floats) -> dict[str, Floats]:
    """Points of each criterion at a weight of 1.

    >>> cost = parts(np.array([60.0]), np.array([1_000.0]), np.array([50.0]), np.array([0.5]))["cost"]
    >>> halved = parts(np.array([60.0]), np.array([500.0]), np.array([50.0]), np.array([0.5]))["cost"]
    >>> round(float(halved[0] - cost[0]), 9)
    4.0
    """
    return {
        "ability": ability,
        "cost": -POINTS_FOR_HALF_THE_COST * np.log2(usd_per_month),
        "speed": POINTS_FOR_TWICE_THE_SPEED * np.log2(tokens_per_s),
        "ecosystem": POINTS_FOR_EVERY_FRAMEWORK * support,
    }


def worth(weights: Weights, of: dict[str, Floats]) -> Floats:
    """Points altogether; what costs infinitely cannot be had and is worth nothing, whatever cost counts."""
    impossible = np.isneginf(of["cost"])
    finite = of | {"cost": np.where(impossible, 0.0, of["cost"])}
    total = np.asarray(sum(getattr(weights, name) * finite[name] for name in CRITERIA))
    return np.where(impossible, -np.inf, total)


def middle_parts(found: Contenders, abilities: Floats) -> dict[str, Floats]:
    """Points at the middle of everything; NaN ability where no comparable score is published.

    abilities: percent of every subject.
    """
    everyone = np.arange(found.count)
    ones = np.ones((1, found.count))
    usd = found.usd_per_month(everyone, ones, ones)[0]
    known = np.append(abilities, np.nan)[found.subject]
    support = (found.support.low + found.support.high) / 2
    return parts(known - (found.loss.low + found.loss.high) / 2, usd, found.tokens_per_s, support)


# --- how sure that is -------------------------------------------------------------------------------------------------


def ability_draws(index: Index, *, draws: int, rng: np.random.Generator) -> Floats:
    """Percent of every subject in the middle cell, one row for each draw, with the covariance of the index.

    The normal deviates are stretched to Student's t of the index's own intervals.
    """
    values, vectors = np.linalg.eigh(index.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    variance = np.diag(index.covariance)
    reach = index.reach(variance, np.diag(index.by_publishers), CONFIDENCE)
    usual = float(ndtri((1 + CONFIDENCE) / 2)) * np.sqrt(variance)
    stretch = np.divide(reach, usual, out=np.ones_like(reach), where=usual > 0)
    moved = rng.standard_normal((draws, len(variance))) @ root.T * stretch
    return np.asarray(100 * expit(index.ability + moved - index.middle))


def chances(
    found: Contenders,
    places: Places,
    weights: Weights,
    abilities: Floats,
    *,
    seed: int = 0,
) -> Floats:
    """Share of the draws in which each of these deployments is worth most.

    They add up to 1, less the draws in which none of them serves the volume.

    abilities: draws of every subject, as ability_draws gives them. The draws of a cause follow from the seed and the
    cause's own number, so that they stay the same whatever else is compared.
    """
    if not len(places):
        return np.zeros(0)
    draws = len(abilities)
    uniform = _Uniform(draws, seed)
    price = _price_factors(found.price.at(places), uniform)
    rate = _prediction_factors(found.rate.at(places), uniform)
    speed = found.tokens_per_s[places] * _prediction_factors(found.speed.at(places), uniform)
    support = _between(found.support.at(places), uniform)
    loss = _between(found.loss.at(places), uniform)
    usd = found.usd_per_month(places, price, rate)
    points = worth(weights, parts(abilities[:, found.subject[places]] - loss, usd, speed, support))
    # Of equals, which differ in nothing that counts, each is as often the best.
    best = (points >= points.max(axis=1, keepdims=True) - 1e-12) & np.isfinite(points)
    return np.asarray((best / np.maximum(1, best.sum(axis=1, keepdims=True))).mean(axis=0))


class _Uniform:
    """Draws between 0 and 1 by cause, each made once."""

    def __init__(self, draws: int, seed: int) -> None:
        self._draws, self._seed = draws, seed
        self._made: dict[int, Floats] = {-1: np.full(draws, 0.5)}

    def of(self, causes: Places) -> Floats:
        """One column for each cause."""
        for cause in set(causes.tolist()) - self._made.keys():
            self._made[cause] = np.random.default_rng((self._seed, cause)).random(self._draws)
        return np.column_stack([self._made[cause] for cause in causes.tolist()])


def _price_factors(price: Uncertain, uniform: _Uniform) -> Floats:
    at = uniform.of(price.cause)
    below, above = 1 - 2 * np.minimum(at, 0.5), 2 * np.maximum(at, 0.5) - 1
    return np.asarray(price.low**below * price.high**above)


def _prediction_factors(prediction: Uncertain, uniform: _Uniform) -> Floats:
    deviations = ndtri(np.clip(uniform.of(prediction.cause), 1e-9, 1 - 1e-9)) / TAIL
    return np.asarray(prediction.low ** np.maximum(-deviations, 0) * prediction.high ** np.maximum(deviations, 0))


def _between(shares: Uncertain, uniform: _Uniform) -> Floats:
    return np.asarray(shares.low + uniform.of(shares.cause) * (shares.high - shares.low))
