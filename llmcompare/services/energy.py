"""Energy of serving: modelled over the load, measured where somebody published it, and how far the two are apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from llmcompare.core.cost import Band
from llmcompare.core.energy import (
    GPU_LOAD_FRACTION,
    METHOD,
    Modelled,
    at_the_meter_kwh,
    energy_kwh,
    gpu_load_w,
    grams_co2e,
    modelled,
    wh_per_mtok,
)
from llmcompare.core.records import EnergyMeasurement, Gpu
from llmcompare.core.tables import Table, band_cells
from llmcompare.core.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK, rounded
from llmcompare.services import calibration
from llmcompare.services.catalogue import Facts
from llmcompare.services.fit import Subject
from llmcompare.services.predict import Choice, predict_rows, speeds

CONCURRENCIES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
SHORT_PROMPT_TOKENS = 100
"""Of the measured chats and questions, whose source calls them short and gives no length. Assumption."""
SHORT_PROMPTS = frozenset({"chat", "problem solving"})
"""Tasks whose prompts are so short that their length hardly matters; those of code completion are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyCurve:
    """Modelled energy of one deployment over its load."""

    gpu: Gpu
    gpu_count: int
    engine: str
    weight_format: str
    points: tuple[Modelled, ...]
    """By rising load, up to what fits in memory."""
    reason: str | None
    """Why there are none."""

    @property
    def label(self) -> str:
        """The deployment in a few words."""
        return f"{self.gpu_count} × {self.gpu.name} · {self.engine} · {self.weight_format}"


def energy_curve(
    facts: Facts,
    model: Subject,
    *,
    gpu: Gpu,
    gpu_count: int,
    engine: str,
    weight_format: str,
    input_tokens: int,
    output_tokens: int,
) -> EnergyCurve:
    """Energy per output token at every load that fits, prompts included."""
    points, reason = _points(
        facts, model, gpu, Choice(gpu_id=gpu.gpu_id, gpu_count=gpu_count, engine=engine, weight_format=weight_format),
        input_tokens=input_tokens, output_tokens=max(1, output_tokens),
    )  # fmt: skip
    return EnergyCurve(
        gpu=gpu,
        gpu_count=gpu_count,
        engine=engine,
        weight_format=weight_format,
        points=tuple(points),
        reason=reason,
    )


def _points(
    facts: Facts, model: Subject, gpu: Gpu, choice: Choice, *, input_tokens: int, output_tokens: int
) -> tuple[list[Modelled], str | None]:
    if gpu.board_power_w is None:
        return [], f"the catalogue has no board power of {gpu.name}"
    choices = [
        Choice(
            gpu_id=choice.gpu_id,
            gpu_count=choice.gpu_count,
            engine=choice.engine,
            weight_format=choice.weight_format,
            concurrency=float(count),
        )
        for count in CONCURRENCIES
    ]
    found = speeds(
        facts, model.shape, choices, context_tokens=input_tokens + output_tokens, output_tokens=output_tokens
    )
    power_w = gpu_load_w(board_power_w=gpu.board_power_w, gpu_count=choice.gpu_count)
    points = [
        modelled(concurrency=count, power_w=power_w, output_tokens_per_s=one.output_tokens_per_s.as_band)
        for count, one in zip(CONCURRENCIES, found, strict=True)
        # More than fit run as many as fit: that is no load of its own.
        if one.output_tokens_per_s is not None and one.sequences is not None and one.sequences >= count
    ]
    return points, None if points else (found[0].reason or "not even one request fits in its memory").rstrip(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class AtTheMeter:
    """What a million output tokens takes: the GPUs alone, and with the machine around them and the building."""

    gpu_wh: Band
    meter_wh: float
    usd: float
    grams_co2e: float


def at_the_meter(
    point: Modelled, *, machine_w: float, pue: float, usd_per_kwh: float, grams_per_kwh: float
) -> AtTheMeter:
    """machine_w: of the machine around the GPUs of this point, at the middle. Raises InputError for a PUE below 1."""
    hours = TOKENS_PER_MTOK / point.output_tokens_per_s.mid / SECONDS_PER_HOUR
    kwh = at_the_meter_kwh(it_kwh=energy_kwh(power_w=machine_w, hours=hours), pue=pue)
    return AtTheMeter(
        gpu_wh=point.wh_per_mtok,
        meter_wh=kwh * 1_000,
        usd=kwh * usd_per_kwh,
        grams_co2e=grams_co2e(kwh=kwh, grams_per_kwh=grams_per_kwh),
    )


def measured(facts: Facts, model_id: str) -> list[EnergyMeasurement]:
    """Every measured energy of a model."""
    return [row for row in facts.energy if row.model_id == model_id]


# --- how far the model is off -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyErrors:
    """Modelled against measured, over all rows that can be modelled."""

    n: int
    left_out_count: int
    """Rows without a weight format, without a board power, or with prompts of unknown and not short length."""
    median_ratio: float
    """Modelled over measured."""
    median_error: float
    """Of |modelled / measured - 1|."""
    within_fraction: float
    """Share of the measurements inside the modelled band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One measurement and what is modelled for it, joules per output token."""

    row: EnergyMeasurement
    joules: Band


@lru_cache(maxsize=2)
def compared(facts: Facts) -> tuple[Compared, ...]:
    """Every measurement that can be modelled, beside its model. Its own rate is not used: the predicted one is."""
    rows = [
        row
        for row in facts.energy
        if row.weight_format and row.task in SHORT_PROMPTS and facts.gpus[row.gpu_id].board_power_w
    ]
    asked = [
        {
            "model_id": row.model_id,
            "gpu_id": row.gpu_id,
            "gpu_count": row.gpu_count,
            "tensor_parallel": row.gpu_count,
            "engine": row.engine,
            "weight_format": row.weight_format,
            "scenario": "server-at-concurrency",
            "concurrency": row.concurrency,
            "input_tokens": SHORT_PROMPT_TOKENS,
            "output_tokens": row.output_tokens,
            "as_of": row.as_of,
        }
        for row in rows
    ]
    cells, _ = predict_rows(asked, reader=calibration.reader(facts), known=facts.calibration)
    rates = zip(*(cells[f"predicted_output_tok_s_total{end}"] for end in ("_low", "", "_high")), strict=True)
    return tuple(
        Compared(row=row, joules=_joules(facts.gpus[row.gpu_id], row, *map(float, rate)))
        for row, rate in zip(rows, rates, strict=True)
        if rate[1]
    )


def _joules(gpu: Gpu, row: EnergyMeasurement, low: float, mid: float, high: float) -> Band:
    power_w = gpu_load_w(board_power_w=gpu.board_power_w or 0.0, gpu_count=row.gpu_count)
    rate = Band(low=low, mid=mid, high=high)
    return modelled(concurrency=row.concurrency, power_w=power_w, output_tokens_per_s=rate).joules_per_output_token


def errors(facts: Facts) -> EnergyErrors | None:
    """How far modelled figures are from all measured ones; None without a measurement that can be modelled."""
    found = compared(facts)
    if not found:
        return None
    ratios = [one.joules.mid / one.row.joules_per_output_token for one in found]
    within = [one.joules.low <= one.row.joules_per_output_token <= one.joules.high for one in found]
    return EnergyErrors(
        n=len(found),
        left_out_count=len(facts.energy) - len(found),
        median_ratio=median(ratios),
        median_error=median(abs(ratio - 1) for ratio in ratios),
        within_fraction=sum(within) / len(within),
    )


def errors_sentence(found: EnergyErrors | None) -> str:
    """The error in words."""
    if found is None:
        return "No measurement says how far the model is off."
    side = "below" if found.median_ratio < 1 else "above"
    return (
        f"Against {found.n:,} measurements of other loads and models, half of the modelled middles are within "
        f"{found.median_error:.0%}, mostly {side} what was measured (median {found.median_ratio:.2f} of it), and "
        f"{found.within_fraction:.0%} of the measurements lie inside the modelled band."
    )


# --- tables: measured and modelled figures never share one ------------------------------------------------------------


def modelled_table(curve: EnergyCurve) -> Table:
    """Modelled energy over the load."""
    return Table(
        name="energy-modelled",
        title="Energy over the load, modelled",
        columns=(
            "method", "requests_at_once", "modelled_wh_per_mtok_low", "modelled_wh_per_mtok_mid",
            "modelled_wh_per_mtok_high", "predicted_output_tokens_per_s_low", "predicted_output_tokens_per_s_mid",
            "predicted_output_tokens_per_s_high", "gpu_power_w_mid", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                METHOD, int(point.concurrency), *band_cells(point.wh_per_mtok), *band_cells(point.output_tokens_per_s),
                rounded(GPU_LOAD_FRACTION.mid * (curve.gpu.board_power_w or 0) * curve.gpu_count),
                curve.gpu.as_of, curve.gpu.source, curve.gpu.row_id,
            )
            for point in curve.points
        ),
    )  # fmt: skip


def measured_table(rows: Sequence[EnergyMeasurement]) -> Table:
    """Measured energy, with who measured it and how."""
    return Table(
        name="energy-measured",
        title="Energy over the load, measured",
        columns=(
            "model_id", "gpu_id", "gpu_count", "engine", "engine_version", "weight_format", "task", "requests_at_once",
            "output_tokens", "measured_wh_per_mtok", "measured_output_tokens_per_s", "measured_gpu_power_w", "method",
            "measured_by", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                row.model_id, row.gpu_id, row.gpu_count, row.engine, row.engine_version, row.weight_format, row.task,
                rounded(row.concurrency), rounded(row.output_tokens), rounded(wh_per_mtok(row.joules_per_output_token)),
                row.output_tokens_per_s, row.mean_power_w, row.method, row.measured_by, row.as_of, row.source,
                row.row_id,
            )
            for row in rows
        ),
    )  # fmt: skip
