"""Fits the calibration's constants to measurements, and says how wrong they are for what was left out.

Gauss-Newton on the logarithm of the ratio of predicted to measured, with Cauchy weights, so that a card that behaves
like no other does not drag the rest, and with each factor drawn to its prior. A constant acts on a row through its
logarithm, so one derivative per constant and row gives the derivatives of all its factors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from llmcompare.core.calibration import CONSTANTS, Factor, start
from llmcompare.core.calibration_traits import Traits

Floats = NDArray[np.float64]
Predict = Callable[[Mapping[str, Floats]], Floats]
"""Logarithm of the predicted rate of each row, from the constants of each row."""

TYPICAL_ERROR = 0.08
"""Standard deviation of the logarithm within a cluster of like measurements."""
OUTLIER_ERRORS = 2.0
"""Typical errors beyond which a row begins to lose its weight."""
STEP = 1e-4
LARGEST_MOVE = 0.5
CONVERGED = 4e-3
STEPS = 30
STEPS_WHEN_FEW_ARE_LEFT_OUT = 4
FEW_LEFT_OUT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where the factors of one trait stand in the vector of unknowns."""

    constant: str
    trait: str
    levels: tuple[str, ...]
    codes: NDArray[np.intp]
    """Index of each row's factor."""


class Problem:
    """Rows to fit, with their unknowns."""

    def __init__(self, rows: Sequence[Traits], predict: Predict, log_measured: Floats, weights: Floats) -> None:
        self._predict, self._log_measured, self._weights = predict, log_measured, weights
        self.slots: list[Slot] = []
        priors: list[float] = []
        spreads: list[float] = []
        for name, known in CONSTANTS.items():
            for trait, spread in {"all": known.spread, **known.factors}.items():
                row_levels = ["all" if trait == "all" else row.level(trait) for row in rows]
                levels = tuple(sorted(set(row_levels)))
                place = {level: len(priors) + offset for offset, level in enumerate(levels)}
                codes = np.array([place[level] for level in row_levels], dtype=np.intp)
                self.slots.append(Slot(constant=name, trait=trait, levels=levels, codes=codes))
                priors += [np.log(known.value if trait == "all" else start(name, trait, level)) for level in levels]
                spreads += [spread] * len(levels)
        self._priors = np.array(priors)
        self._pull = 1 / np.array(spreads)

    def _log_constants(self, unknowns: Floats) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        for slot in self.slots:
            found[slot.constant] = found.get(slot.constant, 0.0) + unknowns[slot.codes]
        return found

    def predicted(self, unknowns: Floats) -> Floats:
        """Logarithm of the predicted rates."""
        return self._predict(self.constants(unknowns))

    def _derivatives(self, unknowns: Floats) -> tuple[Floats, Floats]:
        logs = self._log_constants(unknowns)
        values = {name: np.exp(value) for name, value in logs.items()}
        at = self._predict(values)
        slope = {name: (self._predict(values | {name: np.exp(logs[name] + STEP)}) - at) / STEP for name in CONSTANTS}
        jacobian = np.zeros((len(at), len(unknowns)))
        every = np.arange(len(at))
        for slot in self.slots:
            jacobian[every, slot.codes] = slope[slot.constant]
        return at, jacobian

    def fit(self, kept: NDArray[np.bool_], begin: Floats | None = None, *, steps: int = STEPS) -> Floats:
        """The unknowns that meet the kept rows best."""
        unknowns = self._priors.copy() if begin is None else begin.copy()
        weights = np.where(kept, self._weights, 0.0) / TYPICAL_ERROR
        for _ in range(steps):
            at, jacobian = self._derivatives(unknowns)
            residuals = at - self._log_measured
            robust = weights / np.sqrt(1 + (residuals / (OUTLIER_ERRORS * TYPICAL_ERROR)) ** 2)
            pulled = jacobian[kept] * robust[kept, None]
            curvature = pulled.T @ pulled + np.diag(self._pull**2)
            slope = pulled.T @ (robust * residuals)[kept] + self._pull**2 * (unknowns - self._priors)
            curvature[np.diag_indices_from(curvature)] *= 1.001
            move = np.clip(-linalg.solve(curvature, slope, assume_a="pos"), -LARGEST_MOVE, LARGEST_MOVE)
            unknowns = unknowns + move
            if np.abs(move).max() < CONVERGED:
                break
        return unknowns

    def constants(self, unknowns: Floats) -> dict[str, Floats]:
        """Every constant of every row."""
        return {name: np.exp(value) for name, value in self._log_constants(unknowns).items()}

    def left_out(self, groups: Sequence[str], fitted: Floats) -> dict[str, Floats]:
        """The unknowns of a fit that has not seen a group, for each group."""
        found = {}
        names = np.asarray(groups)
        for group in dict.fromkeys(groups):
            away = names == group
            steps = STEPS_WHEN_FEW_ARE_LEFT_OUT if away.sum() < FEW_LEFT_OUT else STEPS
            found[group] = self.fit(~away, fitted, steps=steps)
        return found

    def factors(self, unknowns: Floats) -> list[Factor]:
        """The fitted constants and factors as rows."""
        return [
            Factor(
                constant=slot.constant,
                trait=slot.trait,
                level=level,
                value=float(np.exp(unknowns[index])),
                n=int((slot.codes == index).sum()),
            )
            for slot in self.slots
            for level, index in zip(slot.levels, sorted(set(slot.codes.tolist())), strict=True)
        ]
