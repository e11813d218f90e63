"""What measurements say about the roofline's constants, how wrong predictions are, and how a machine corrects them.

A constant is a prior times one factor for each trait of the deployment. Each factor is drawn towards 1, the harder the
fewer measurements there are, so that an engine or a kind of card with few rows takes what its family knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import exp, log
from statistics import median
from typing import Literal

import numpy as np

from llmcompare.core import cost
from llmcompare.core.calibration_traits import Traits
from llmcompare.core.roofline import Efficiency
from llmcompare.errors import InputError

LOW_QUANTILE, HIGH_QUANTILE = 0.1, 0.9
"""The band holds four of five measurements."""
FEW_ROWS = 30
"""Below this a group has no error of its own and takes that of all groups together."""
FEW_ROWS_WIDENED = 1.25
"""How much wider, in ratio, the band of a group without rows of its own is. Assumption."""
Basis = Literal[
    "measured here",
    "measured elsewhere",
    "predicted",
    "predicted, corrected on this machine",
    "outside the calibrated range",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """What is believed of a constant before any measurement is read."""

    value: float
    spread: float
    """Standard deviation of its logarithm."""
    factors: Mapping[str, float]
    """Spread of the factor of each trait, or of traits joined by a cross."""
    starts: Mapping[str, float]
    """Factors that are believed to differ from 1 from the outset, by value of the first trait."""


def _constant(value: float, spread: float, starts: Mapping[str, float] | None = None, **factors: float) -> Constant:
    named = {name.replace("_x_", " × "): width for name, width in factors.items()}
    return Constant(value=value, spread=spread, factors=named, starts=starts or {})


CONSTANTS = {
    # Two constants per cluster of engine, card and format meet its single-stream rows within 1 to 5%: bandwidth
    # fractions of 0.75 to 1.0 everywhere, and 30 to 75 µs a layer on GDDR against 90 to 150 µs on HBM.
    "bandwidth_fraction": _constant(0.88, 0.07, memory_class=0.06, family_x_format_kind=0.06),
    "cache_fraction": _constant(0.75, 0.25, family_x_memory_class=0.2, engine=0.1),
    "layer_s": _constant(80e-6, 0.4, memory_class=0.5, architecture=0.15, engine=0.07, family_x_format_kind=0.15),
    "expert_layer_factor": _constant(1.5, 0.3, family_x_format_kind=0.5),
    # An eager engine starts about 20 times as many operations per layer as a replayed step has gaps.
    "host_layer_s": _constant(
        30e-6,
        0.5,
        {"eager": 20.0},
        family=0.7,
        family_x_format_kind=0.4,
        era=0.7,
    ),
    "step_s": _constant(1e-4, 0.7),
    "sequence_s": _constant(8e-6, 0.7, engine=0.4),
    "reduce_s": _constant(12e-6, 0.5, family=0.5, engine=0.3, era=0.7),
    "link_fraction": _constant(0.5, 0.3),
    "stage_s": _constant(3e-4, 0.7),
    "stage_fraction": _constant(0.55, 0.3),
    "decode_fraction": _constant(0.9, 0.3, memory_class=0.2, format_kind=0.2, engine=0.2),
    "prefill_fraction": _constant(
        0.55, 0.2, memory_class=0.25, family=0.2, family_x_format_kind=0.15, architecture=0.12, era=0.2
    ),
    "attention_fraction": _constant(0.2, 0.4, family_x_memory_class=0.4, era=0.4),
    "half_tokens": _constant(80.0, 0.7, family=0.5),
    "unpack_fraction": _constant(0.08, 0.4),
    # Share of a reply for which a scheduler keeps room when it fills the memory with sequences.
    "kept_fraction": _constant(0.9, 0.3, engine=0.3),
}
"""All constants, by the name that data/calibration.csv has them under."""
SINGLE_TOKEN_KERNELS = frozenset({"ggml", "mlx", "packed"})
"""Families whose kernels for one token are not those for many. sglang on an H20 (4 TB/s, but 148 TFLOP/s) takes 12 ms
per token of an 8B model in 16 bits, where reading takes 4 ms and a tile of 64 tokens 7 ms."""
NEVER_UNPACKS = 1e6
"""Stands for an infinite rate where unpacking is free: measured limits appear with ggml kernels only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One row of data/calibration.csv: the factor of a trait in a constant, or the constant itself."""

    constant: str
    trait: str
    """all for the constant itself."""
    level: str
    value: float
    n: int
    """Measurements that have this level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """How wrong predictions of a group were for GPUs that the fit had not seen."""

    quantity: str
    group: str
    median_error: float
    """Median of |predicted / measured - 1|, a fraction."""
    low_ratio: float
    """Measured over predicted: 10th percentile."""
    high_ratio: float
    n: int
    error_90th: float | None = None
    """90th percentile of the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A speed or a time, and how sure it is."""

    value: float
    low: float
    """10th percentile."""
    high: float
    """90th percentile."""
    basis: Basis
    group: str
    """Whose error the band is."""
    median_error: float | None
    n: int
    """Measurements behind the band."""
    source: str | None = None
    """Of a measured figure."""

    @property
    def as_band(self) -> cost.Band:
        """The figure with its spread alone."""
        return cost.Band(low=self.low, mid=self.value, high=self.high)

    @property
    def error_sentence(self) -> str:
        """The error in words."""
        if self.median_error is None:
            behind = self.source or f"{self.n} measurements of {self.group}"
            return f"{self.basis}: {behind}."
        return (
            f"{self.basis}: half of {self.n:,} measurements ({self.group}) are within {self.median_error:.0%}, four of "
            f"five {self.low / self.value:.2f} to {self.high / self.value:.2f} times the prediction."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineCorrection:
    """What measurements on this machine say about predictions for it."""

    ratios: tuple[float, ...]
    """Measured over predicted, one per measurement."""


class Calibration:
    """Factors and bands, ready to be asked."""

    def __init__(self, factors: Iterable[Factor], bands: Iterable[Band]) -> None:
        self._factors = {(one.constant, one.trait, one.level): one.value for one in factors}
        self._bands = {(band.quantity, band.group): band for band in bands}
        self.levels = frozenset((trait, level) for _, trait, level in self._factors)
        """Traits that measurements exist for."""

    def constant(self, name: str, traits: Traits) -> float:
        """A constant for a deployment: the prior of a trait that was never measured is 1."""
        value = self._factors.get((name, "all", "all"), CONSTANTS[name].value)
        for trait in CONSTANTS[name].factors:
            level = traits.level(trait)
            value *= self._factors.get((name, trait, level), start(name, trait, level))
        return value

    def band(self, quantity: str, group: str) -> Band:
        """The error of a group; of all groups of the quantity, widened, where the group has too few rows.

        It holds the prediction itself, also where all measurements lie to one side of theirs.
        """
        found = self._bands.get((quantity, group))
        if found is None or found.n < FEW_ROWS:
            found = self._of_all(quantity, group, found.n if found else 0)
        return replace(found, low_ratio=min(found.low_ratio, 1.0), high_ratio=max(found.high_ratio, 1.0))

    def _of_all(self, quantity: str, group: str, count: int) -> Band:
        every = self._bands.get((quantity, "all"))
        if every is None:
            raise InputError(f"data/calibration.csv has no error of {quantity!r}: run benchmarks/calibrate.py again.")
        return Band(
            quantity=quantity,
            group=f"all engines, as {group} has {count} measurements; the band is a quarter wider than theirs",
            median_error=every.median_error,
            low_ratio=every.low_ratio / FEW_ROWS_WIDENED,
            high_ratio=every.high_ratio * FEW_ROWS_WIDENED,
            n=every.n,
        )


def start(constant: str, trait: str, level: str) -> float:
    """The factor of a trait before any measurement is read.

    >>> start("host_layer_s", "family", "eager"), start("layer_s", "engine", "vllm")
    (20.0, 1.0)
    """
    known = CONSTANTS[constant]
    first = next(iter(known.factors), None)
    return known.starts.get(level, 1.0) if trait == first else 1.0


def efficiency(
    constants: Mapping[str, np.ndarray], *, experts: np.ndarray, unpacks: np.ndarray, vectors: np.ndarray
) -> Efficiency:
    """The roofline's constants from the calibrated ones, one per deployment.

    Layers with experts start more and smaller kernels; packed weights are unpacked by the arithmetic units in ggml.
    """
    given = {
        one.name: constants[one.name]
        for one in fields(Efficiency)
        if one.name not in ("layer_s", "unpack_fraction", "vector_tokens")
    }
    return Efficiency(
        **given,
        layer_s=constants["layer_s"] * np.where(experts, constants["expert_layer_factor"], 1.0),
        vector_tokens=vectors.astype(float),
        unpack_fraction=np.where(unpacks, constants["unpack_fraction"], NEVER_UNPACKS),
    )


def known_efficiency(calibration: Calibration, deployments: Sequence[Traits]) -> tuple[Efficiency, np.ndarray]:
    """Constants of each deployment, and the share of a reply that its scheduler keeps room for."""
    table = {name: np.array([calibration.constant(name, one) for one in deployments]) for name in CONSTANTS}
    return efficiency(table, **switches(deployments)), table["kept_fraction"]


def switches(deployments: Sequence[Traits]) -> dict[str, np.ndarray]:
    """Where the constants for experts and for unpacking apply."""
    return {
        "experts": np.array([one.experts == "experts" for one in deployments]),
        "vectors": np.array([one.family in SINGLE_TOKEN_KERNELS for one in deployments]),
        "unpacks": np.array([one.family == "ggml" and one.format_kind != "16-bit" for one in deployments]),
    }


def predicted(value: float, band: Band) -> Estimate:
    """A predicted figure with the band of its group.

    >>> band = Band(quantity="decode", group="vllm", median_error=0.1, low_ratio=0.8, high_ratio=1.3, n=50)
    >>> found = predicted(100.0, band)
    >>> found.low, found.high
    (80.0, 130.0)
    """
    return Estimate(
        value=value,
        low=value * band.low_ratio,
        high=value * band.high_ratio,
        basis="predicted",
        group=band.group,
        median_error=band.median_error,
        n=band.n,
    )


def measured(value: float, *, source: str, here: bool) -> Estimate:
    """A measured figure: it has no band of its own."""
    return Estimate(
        value=value,
        low=value,
        high=value,
        basis="measured here" if here else "measured elsewhere",
        group="one measurement",
        median_error=None,
        n=1,
        source=source,
    )


def band_of(quantity: str, group: str, measured_over_predicted: Sequence[float]) -> Band:
    """The band that left-out residuals give a group.

    >>> band_of("decode", "vllm", [0.5, 1.0, 1.1, 2.0]).median_error
    0.29545454545454547
    """
    ratios = np.asarray(measured_over_predicted, dtype=float)
    low, high = np.quantile(ratios, [LOW_QUANTILE, HIGH_QUANTILE])
    errors = np.abs(1 / ratios - 1)
    return Band(
        quantity=quantity,
        group=group,
        median_error=float(np.median(errors)),
        error_90th=float(np.quantile(errors, HIGH_QUANTILE)),
        low_ratio=float(low),
        high_ratio=float(high),
        n=len(ratios),
    )


def corrected(estimate: Estimate, correction: MachineCorrection) -> Estimate:
    """A prediction for the machine on which these ratios of measured to predicted were found.

    The value moves by their median, drawn towards 1 as if one measurement had said that nothing is to be corrected.
    What separates machines makes up half of a band's spread in the logarithm (assumption): that half shrinks with the
    root of the number of measurements, the other half, between models and formats on one machine, stays.

    >>> band = Band(quantity="decode", group="vllm", median_error=0.1, low_ratio=0.5, high_ratio=2.0, n=50)
    >>> found = corrected(predicted(100.0, band), MachineCorrection(ratios=(0.8, 0.8, 0.8)))
    >>> round(found.value, 1), round(found.low, 1), round(found.high, 1)
    (84.6, 50.3, 142.3)
    """
    if not correction.ratios:
        return estimate
    count = len(correction.ratios)
    factor = exp(log(median(correction.ratios)) * count / (count + 1))
    kept = 0.5 + 0.5 / (count + 1) ** 0.5
    value = estimate.value * factor
    return Estimate(
        value=value,
        low=value * (estimate.low / estimate.value) ** kept,
        high=value * (estimate.high / estimate.value) ** kept,
        basis="predicted, corrected on this machine",
        group=f"{estimate.group}; {count} on this machine",
        median_error=None if estimate.median_error is None else estimate.median_error * kept,
        n=count,
    )
