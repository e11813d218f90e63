"""How far predictions were from the measurements that the fit had not seen: rows for the Hardware page."""

from collections.abc import Sequence
from math import log

from llmcompare.core.calibration import band_of
from llmcompare.core.records import Residual
from llmcompare.core.tables import Table
from llmcompare.core.units import rounded
from llmcompare.services import calibration

GROUPS = {
    calibration.DECODE: "decode", calibration.PREFILL_RATE: "prefill", calibration.OUTPUT_ONE: "decode",
    calibration.OUTPUT: "batched", calibration.DECODE_MANY: "batched", calibration.TTFT: "wait",
    calibration.TTFT_MANY: "wait",
}  # fmt: skip
"""Colour of a figure in the chart."""
RATES = "all speeds"


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


def accuracy_table(found: Sequence[Residual]) -> Table:
    """The error by figure and engine."""
    groups: dict[tuple[str, str], list[Residual]] = {}
    for one in found:
        groups.setdefault((one.quantity, one.engine), []).append(one)
    rows = []
    for (quantity, engine), members in sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1]))):
        band = band_of(quantity, engine, [1 / one.ratio for one in members])
        away = band_of(quantity, engine, [one.measured / one.predicted_without_source for one in members])
        rows.append(
            (
                quantity, engine, len(members), rounded(band.median_error), rounded(away.median_error),
                rounded(band.low_ratio), rounded(band.high_ratio),
            )
        )  # fmt: skip
    return Table(
        name="prediction-error",
        title="Error by figure and engine",
        columns=(
            "figure", "engine", "measurements", "median_error_fraction", "median_error_without_source_fraction",
            "measured_over_predicted_p10", "measured_over_predicted_p90",
        ),
        rows=tuple(rows),
    )  # fmt: skip


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
