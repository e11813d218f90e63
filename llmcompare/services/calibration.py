"""The calibration as it is stored, the measurements it rests on, and how it is made from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.calibration import (
    Band,
    Factor,
    band_of,
    efficiency,
    switches,
)
from llmcompare.core.calibration_fit import Floats, Problem
from llmcompare.core.calibration_traits import Traits
from llmcompare.core.records import Residual as Residual
from llmcompare.core.serving import CLOSED_LOOP, ONE_STREAM, Demand, Figures, figures
from llmcompare.core.speed import Stack, taken
from llmcompare.services.catalogue import Facts
from llmcompare.services.speed_rows import PREFILL, Reader
from llmcompare.store import queries

PREFILL_RATE, DECODE, OUTPUT_ONE, OUTPUT = "prefill", "decode", "output, one stream", "output, many streams"
DECODE_MANY, TTFT, TTFT_MANY = "decode, many streams", "ttft", "ttft, many streams"
QUANTITIES = (PREFILL_RATE, DECODE, OUTPUT_ONE, OUTPUT, DECODE_MANY, TTFT, TTFT_MANY)
SCENARIOS = {PREFILL_RATE: "prefill", DECODE: "single-stream decode", OUTPUT_ONE: "single-stream decode",
             OUTPUT: "batched"}  # fmt: skip
"""Which target a quantity that is fitted belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """Rows of throughput.csv that can be predicted, as arrays."""

    rows: tuple[dict[str, Any], ...]
    traits: tuple[Traits, ...]
    stack: Stack
    demand: Demand
    values: dict[str, Floats]
    """Measured, by quantity; NaN where a row does not say."""
    fitted: NDArray[np.str_]
    """The quantity of each row that the constants are fitted to."""
    row_count: dict[str, int]
    """Measured rows of each scenario, those that cannot be predicted included."""


def stored(facts: Facts) -> tuple[list[Factor], list[Band]]:
    """Constants and errors of data/calibration.csv."""
    return queries.calibration_rows(facts.catalog)


def scatter_rows(facts: Facts) -> list[Residual]:
    """Predicted against measured, for every measurement of the fit."""
    return queries.residuals(facts.catalog)


def reader(facts: Facts) -> Reader:
    """Looks models and GPUs up in the catalogue."""
    return Reader(facts.shapes, facts.gpus)


def measurements(facts: Facts) -> Measurements:
    """All rows that are not marked ANOMALY."""
    columns, cells = queries.table_rows(facts.catalog, "throughput")
    listed = [dict(zip(columns, row, strict=True)) for row in cells]
    usable = [row for row in listed if "ANOMALY" not in (row["note"] or "")]
    found = reader(facts).questions(usable)
    rows = [usable[place] for place in found.places]
    values = _values(rows, found.demand)
    fitted = np.array([_fitted(row) for row in rows])
    kept = np.flatnonzero([np.isfinite(values[name][at]) for at, name in enumerate(fitted)])
    counts: dict[str, int] = {}
    for row in listed:
        name = SCENARIOS[_fitted(row)]
        counts[name] = counts.get(name, 0) + 1
    return Measurements(
        rows=tuple(rows[at] for at in kept),
        traits=tuple(found.traits[at] for at in found.index[kept]),
        stack=taken(found.stack, found.index[kept]),
        demand=replace(found.demand, **{name: getattr(found.demand, name)[kept] for name in Demand.__slots__}),
        values={name: value[kept] for name, value in values.items()},
        fitted=fitted[kept],
        row_count=counts,
    )


def _fitted(row: dict[str, Any]) -> str:
    if row["scenario"] == PREFILL:
        return PREFILL_RATE
    if not row["scenario"].startswith("single-stream"):
        return OUTPUT
    # A rate over the whole time of a request is no rate of decode, whatever column it stands in.
    includes_prefill = "include prefill" in (row["note"] or "")
    return DECODE if row["decode_tokens_per_s_per_stream"] is not None and not includes_prefill else OUTPUT_ONE


def _values(rows: Sequence[dict[str, Any]], demand: Demand) -> dict[str, Floats]:
    def column(name: str, *, scale: float = 1.0) -> Floats:
        return np.array([np.nan if row[name] is None else row[name] * scale for row in rows])

    one = demand.kind == ONE_STREAM
    decode, output = column("decode_tokens_per_s_per_stream"), column("output_tokens_per_s")
    ttft = column("ttft_ms", scale=1e-3)
    return {
        PREFILL_RATE: np.where(one, column("prefill_tokens_per_s"), np.nan),
        DECODE: np.where(one, decode, np.nan),
        OUTPUT_ONE: np.where(one, output, np.nan),
        OUTPUT: np.where(one, np.nan, output),
        DECODE_MANY: np.where(one, np.nan, decode),
        TTFT: np.where(one, ttft, np.nan),
        TTFT_MANY: np.where(demand.kind == CLOSED_LOOP, ttft, np.nan),
    }


def by_quantity(found: Figures) -> dict[str, Floats]:
    """Figures under the names of their bands."""
    return {
        PREFILL_RATE: found.prefill_tokens_per_s,
        DECODE: found.decode_tokens_per_s_per_stream,
        OUTPUT_ONE: found.output_tokens_per_s,
        OUTPUT: found.output_tokens_per_s,
        DECODE_MANY: found.decode_tokens_per_s_per_stream,
        TTFT: found.ttft_s,
        TTFT_MANY: found.ttft_s,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Constants, and predictions by fits that had not seen a row's GPU or its source."""

    factors: list[Factor]
    without_gpu: dict[str, Floats]
    """By quantity."""
    without_source: dict[str, Floats]


def fit(found: Measurements, *, without_source: bool = True) -> Fit:
    """Constants from all measurements, and the predictions that show their error."""
    one = list(found.traits)
    where = switches(one)

    def asked(constants: Any) -> Figures:  # noqa: ANN401 - a mapping of arrays
        return figures(
            found.stack, efficiency(constants, **where), found.demand, kept_fraction=constants["kept_fraction"]
        )

    def log_rates(constants: Any) -> Floats:  # noqa: ANN401
        every = by_quantity(asked(constants))
        return np.log(np.select([found.fitted == name for name in SCENARIOS], [every[name] for name in SCENARIOS]))

    measured = np.log(
        np.select([found.fitted == name for name in SCENARIOS], [found.values[name] for name in SCENARIOS])
    )
    problem = Problem(one, log_rates, measured, _weights(found, [trait.format_kind for trait in one]))
    unknowns = problem.fit(np.ones(len(measured), dtype=bool))

    def left_out(groups: list[str]) -> dict[str, Floats]:
        return _assembled(
            groups, problem.left_out(groups, unknowns), lambda at: by_quantity(asked(problem.constants(at)))
        )

    gpus = [row["gpu_id"] for row in found.rows]
    sources = [source_of(row) for row in found.rows]
    seen_gpu = left_out(gpus)
    return Fit(
        factors=problem.factors(unknowns),
        without_gpu=seen_gpu,
        without_source=left_out(sources) if without_source else seen_gpu,
    )


def _assembled(
    groups: list[str], unknowns: dict[str, Floats], predict: Callable[[Floats], dict[str, Floats]]
) -> dict[str, Floats]:
    names = np.asarray(groups)
    found = {name: np.empty(len(names)) for name in QUANTITIES}
    for group, at in unknowns.items():
        away = names == group
        for name, value in predict(at).items():
            found[name][away] = value[away]
    return found


def source_of(row: dict[str, Any]) -> str:
    """Who measured; the submitters of one round of MLPerf count as one."""
    name: str = row["measured_by"]
    return "MLPerf" if "MLPerf" in name else name


def _weights(found: Measurements, kinds: list[str]) -> Floats:
    """A cluster of n like rows counts as much as the root of n: one vendor measured three rows of five."""
    clusters = [
        (SCENARIOS[name], row["measured_by"], row["gpu_id"], row["engine"], kind)
        for name, row, kind in zip(found.fitted.tolist(), found.rows, kinds, strict=True)
    ]
    sizes: dict[Any, int] = {}
    for cluster in clusters:
        sizes[cluster] = sizes.get(cluster, 0) + 1
    return np.array([sizes[cluster] ** -0.25 for cluster in clusters])


def bands(found: Measurements, *predictions: dict[str, Floats]) -> list[Band]:
    """The error of every quantity by engine, and of all engines together, over one or several left-out predictions."""
    engines = np.array([row["engine"] for row in found.rows])
    listed = []
    for name in QUANTITIES:
        ratios = np.array([found.values[name] / predicted[name] for predicted in predictions])
        known = np.isfinite(ratios[0])
        for group in ["all", *sorted(set(engines[known].tolist()))]:
            chosen = known & ((engines == group) | (group == "all"))
            # A measurement counts once, however often it was predicted.
            listed.append(replace(band_of(name, group, ratios[:, chosen].ravel().tolist()), n=int(chosen.sum())))
    return listed
