"""How far predictions were from the measurements that the fit had not seen: rows for the Hardware page."""

from collections.abc import Sequence
from math import log

from llmcompare.core.calibration import FEW_ROWS, Calibration, band_of
from llmcompare.core.records import Residual
from llmcompare.core.tables import Cell, Table
from llmcompare.core.units import rounded
from llmcompare.services import calibration

GROUPS = {
    calibration.DECODE: "decode", calibration.PREFILL_RATE: "prefill", calibration.OUTPUT_ONE: "decode",
    calibration.OUTPUT: "batched", calibration.DECODE_MANY: "batched", calibration.TTFT: "wait",
    calibration.TTFT_MANY: "wait",
}  # fmt: skip
"""Colour of a figure in the chart."""
RATES = "all speeds"
GROUPED_BY = ("engine", "gpu_id", "measured_by")
HELD_AT_LEAST, HELD_AT_MOST = 0.72, 0.88
"""Of a band that is to hold four of five."""


def of_quantity(found: Sequence[Residual], quantity: str) -> tuple[list[Residual], str]:
    """Residuals of one figure, or of all that are speeds, and their unit."""
    if quantity == RATES:
        return [one for one in found if GROUPS[one.quantity] != "wait"], "tokens/s"
    unit = "s" if GROUPS[quantity] == "wait" else "tokens/s"
    return [one for one in found if one.quantity == quantity], unit


def accuracy_sentence(found: Sequence[Residual]) -> str:
    """The error of these predictions in words."""
    band = band_of("shown", "shown", [1 / one.ratio for one in found])
    return (
        f"Half of these {len(found):,} measurements are within {band.median_error:.0%} of what is predicted without "
        f"their GPU; four of five are {band.low_ratio:.2f} to {band.high_ratio:.2f} times the prediction."
    )


def accuracy_table(found: Sequence[Residual], known: Calibration) -> Table:
    """The error by figure and engine, GPU and source, and how many of each group the bands on screen hold."""
    groups: dict[tuple[str, str, str], list[Residual]] = {}
    for one in found:
        for kind in GROUPED_BY:
            groups.setdefault((kind, one.quantity, getattr(one, kind)), []).append(one)
    ordered = sorted(groups.items(), key=lambda item: (GROUPED_BY.index(item[0][0]), item[0][1], -len(item[1])))
    return Table(
        name="prediction-error",
        title="Error by figure and engine, GPU and source",
        columns=(
            "grouped_by", "group", "figure", "measurements", "median_error_fraction",
            "median_error_without_source_fraction", "measured_over_predicted_p10", "measured_over_predicted_p90",
            "held_by_band_fraction", "verdict",
        ),
        rows=tuple(_accuracy_row(key, members, known) for key, members in ordered),
    )  # fmt: skip


def _accuracy_row(key: tuple[str, str, str], members: Sequence[Residual], known: Calibration) -> tuple[Cell, ...]:
    kind, quantity, group = key
    band = band_of(quantity, group, [1 / one.ratio for one in members])
    away = band_of(quantity, group, [one.measured / one.predicted_without_source for one in members])
    held = sum(_is_held(one, known) for one in members) / len(members)
    return (
        kind, group, quantity, len(members), rounded(band.median_error), rounded(away.median_error),
        rounded(band.low_ratio), rounded(band.high_ratio), rounded(held), _verdict(held, len(members)),
    )  # fmt: skip


def _is_held(one: Residual, known: Calibration) -> bool:
    band = known.band(one.quantity, one.engine)
    return band.low_ratio <= 1 / one.ratio <= band.high_ratio


def _verdict(held_fraction: float, count: int) -> str:
    if count < FEW_ROWS:
        return "few measurements"
    if held_fraction < HELD_AT_LEAST:
        return "the band is too narrow here"
    return "the band is too wide here" if held_fraction > HELD_AT_MOST else "the band holds"


def residual_table(found: Sequence[Residual]) -> Table:
    """Every point with its source, the worst first."""
    ordered = sorted(found, key=lambda one: -abs(log(one.ratio)))
    return Table(
        name="predicted-against-measured",
        title="Predicted against measured",
        columns=(
            "record_id", "figure", "model_id", "weight_format", "engine", "gpu_id", "measured", "predicted",
            "predicted_over_measured", "measured_by", "source",
        ),
        rows=tuple(
            (
                one.record_id, one.quantity, one.model_id, one.weight_format, one.engine, one.gpu_id, one.measured,
                rounded(one.predicted), rounded(one.ratio), one.measured_by, one.source,
            )
            for one in ordered
        ),
    )  # fmt: skip
