"""Who can be told apart: errors of differences, and the stretches of an order in which nobody can."""

import numpy as np
from numpy.typing import NDArray

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
