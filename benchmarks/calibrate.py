"""Fits the constants of the speed prediction to data/throughput.csv, and counts its error on what it has not seen.

    python benchmarks/calibrate.py          writes data/calibration.csv and data/calibration_residuals.csv
    python benchmarks/calibrate.py --show   prints the errors per scenario, engine, GPU and source, and writes nothing

Sources do not count by their number of rows: a cluster of n like rows weighs as the root of n. Only rows whose note
says ANOMALY are left out. The fit has no random part: the same data give the same constants.
"""

import csv
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from llmcompare.services import calibration, catalogue  # noqa: E402
from llmcompare.services.calibration import SCENARIOS, Fit, Measurements  # noqa: E402

SOURCE = "benchmarks/calibrate.py over data/throughput.csv"
COLUMNS = (
    "record_type", "quantity", "trait", "level", "constant_value", "left_out", "median_error_fraction",
    "error_90th_fraction", "low_ratio", "high_ratio", "n", "as_of", "source",
)  # fmt: skip
RESIDUAL_COLUMNS = ("record_id", "quantity", "measured", "predicted", "predicted_without_source", "as_of", "source")


def main() -> None:
    today = datetime.now(UTC).date()
    found = calibration.measurements(catalogue.current(today).usable())
    fitted = calibration.fit(found)
    if "--show" in sys.argv:
        show(found, fitted)
        return
    write(PROJECT / "data" / "calibration.csv", COLUMNS, [*constants(fitted), *errors(found, fitted)], str(today))
    write(PROJECT / "data" / "calibration_residuals.csv", RESIDUAL_COLUMNS, residuals(found, fitted), str(today))
    show(found, fitted)


def write(path: Path, columns: tuple[str, ...], rows: list[dict[str, object]], today: str) -> None:
    """One file, whole or not at all."""
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | {"as_of": today, "source": SOURCE} for row in rows)
    part.replace(path)


def constants(fitted: Fit) -> list[dict[str, object]]:
    return [
        {
            "record_type": "constant",
            "quantity": one.constant,
            "trait": one.trait,
            "level": one.level,
            "constant_value": f"{one.value:.6g}",
            "n": one.n,
        }
        for one in fitted.factors
    ]


def errors(found: Measurements, fitted: Fit) -> list[dict[str, object]]:
    rows = []
    kinds = {
        "GPU": (fitted.without_gpu,),
        "source": (fitted.without_source,),
        "either": (fitted.without_gpu, fitted.without_source),
    }
    for left_out, predictions in kinds.items():
        for band in calibration.bands(found, *predictions):
            rows.append(
                {
                    "record_type": "error",
                    "quantity": band.quantity,
                    "trait": "all" if band.group == "all" else "engine",
                    "level": band.group,
                    "left_out": left_out,
                    "median_error_fraction": f"{band.median_error:.4f}",
                    "error_90th_fraction": f"{band.error_90th:.4f}",
                    "low_ratio": f"{band.low_ratio:.4f}",
                    "high_ratio": f"{band.high_ratio:.4f}",
                    "n": band.n,
                }
            )
    return rows


def residuals(found: Measurements, fitted: Fit) -> list[dict[str, object]]:
    return [
        {
            "record_id": row["record_id"],
            "quantity": name,
            "measured": f"{found.values[name][at]:.6g}",
            "predicted": f"{fitted.without_gpu[name][at]:.5g}",
            "predicted_without_source": f"{fitted.without_source[name][at]:.5g}",
        }
        for at, (row, name) in enumerate(zip(found.rows, found.fitted.tolist(), strict=True))
    ]


def show(found: Measurements, fitted: Fit) -> None:
    """Median and 90th percentile of the absolute error in per cent."""
    for left_out, predicted in (("GPU", fitted.without_gpu), ("source", fitted.without_source)):
        groups = defaultdict(list)
        for at, (row, name) in enumerate(zip(found.rows, found.fitted.tolist(), strict=True)):
            error = predicted[name][at] / found.values[name][at] - 1
            scenario = SCENARIOS[name]
            groups["", scenario, ""].append(error)
            for kind in ("engine", "gpu_id", "measured_by"):
                groups[kind, scenario, row[kind]].append(error)
        print(f"left out: {left_out}")
        for (kind, scenario, value), listed in sorted(groups.items()):
            if kind and len(listed) < 10:
                continue
            size = np.abs(listed)
            share = f", {len(listed) / found.row_count[scenario]:.0%} of rows" if not kind else ""
            print(
                f"  {kind:11} {scenario:20} {value:32} n={len(listed):5} median {np.median(size):.1%} "
                f"90th {np.quantile(size, 0.9):.0%} bias {np.median(listed):+.0%}{share}"
            )


if __name__ == "__main__":
    main()
