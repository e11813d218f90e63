"""Who can be told apart: errors of differences, and the stretches of an order in which nobody can."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]


def variances_of_differences(covariance: Floats) -> Floats:
    """Of each pair, from the covariance of their estimates."""
    variance = np.diag(covariance)
    return np.asarray(np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0))


def level_stretches(apart: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Longest stretches, first and past the last, of an order in which no two can be told apart; they may overlap.

    >>> level_stretches(np.array([[False, False, True], [False, False, False], [True, False, False]]))
    [(0, 2), (1, 3)]
    """
    found: list[tuple[int, int]] = []
    for start in range(len(apart)):
        end = start + 1
        while end < len(apart) and not apart[start : end + 1, start : end + 1].any():
            end += 1
        if not found or end > found[-1][1]:
            found.append((start, end))
    return found


def laplacian(weights: Floats) -> Floats:
    """Sum over pairs of weight × (e_i - e_j)(e_i - e_j)'.

    >>> laplacian(np.array([[0.0, 2.0], [2.0, 0.0]])).tolist()
    [[2.0, -2.0], [-2.0, 2.0]]
    """
    return np.asarray(np.diag(weights.sum(axis=1)) - weights)


def inverse_of(laplacian_of_all: Floats) -> Floats:
    """On vectors of sum 0, of a connected one: only differences are known."""
    size = len(laplacian_of_all)
    scale = np.trace(laplacian_of_all) / size or 1.0
    middle = np.full((size, size), 1 / size)
    return np.asarray(np.linalg.inv(laplacian_of_all + scale * middle) - middle / scale)


def quantile(confidence: float) -> float:
    """How many standard errors an interval reaches to either side.

    >>> round(quantile(0.95), 2)
    1.96
    """
    return float(ndtri((1 + confidence) / 2))
