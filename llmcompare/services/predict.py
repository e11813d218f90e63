"""Predicted speeds with their bands: for rows of a file, and for the deployments of a page."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.calibration import FEW_ROWS_WIDENED, Calibration, Estimate, known_efficiency, predicted
from llmcompare.core.calibration_traits import FAMILIES, Traits
from llmcompare.core.serving import ONE_STREAM, Best, Figures, figures, largest_output
from llmcompare.core.shapes import ModelShape
from llmcompare.core.speed import taken
from llmcompare.errors import InputError
from llmcompare.services import calibration
from llmcompare.services.calibration import (
    DECODE,
    DECODE_MANY,
    OUTPUT,
    OUTPUT_ONE,
    PREFILL_RATE,
    TTFT,
    TTFT_MANY,
)
from llmcompare.services.catalogue import Facts
from llmcompare.services.speed_rows import COLUMNS, PREFILL, Questions, Reader

Floats = NDArray[np.float64]
MS_PER_S = 1000.0
NEEDED = ("model_id", "gpu_id", "engine", "weight_format", "scenario")
"""Columns without which no row can be answered."""
ADDED = (
    "predicted_prefill_tok_s",
    "predicted_decode_tok_s_per_stream",
    "predicted_output_tok_s_total",
    "predicted_ttft_ms",
    "predicted_tpot_ms",
)
BANDED = tuple(name + ending for name in ADDED for ending in ("", "_low", "_high"))
OUTPUT_WITHOUT_TOKENS = "a prefill gives no output tokens: decode, output and time per token stay empty."
AT_RATE_SCENARIO = "server-at-rate"
AT_RATE = "no column says how fast requests arrive: the most that the deployment gives."
NO_PROMPT = "no prompt: prefill and time to first token stay empty."
BEYOND_CONTEXT = "the request is longer than what the model takes: a speed, but no answer of use."
RATE_UNKNOWN = "the catalogue has no arithmetic rate of this GPU: add matmul_tflop_per_s to gpus.csv."
EXTRAPOLATED = "the model is not in the catalogue with its layers: predicted from its parameters, with a wider band."


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """What one deployment does for one stream and for many; None where the reason says why."""

    gpu_id: str
    gpu_count: int
    engine: str
    weight_format: str
    decode_tokens_per_s: Estimate | None = None
    """Of a single stream."""
    prefill_tokens_per_s: Estimate | None = None
    output_tokens_per_s: Estimate | None = None
    """Of as many streams as fit in memory, or as asked for."""
    ttft_ms: Estimate | None = None
    """Of a single stream, median. A roofline knows no queue: it yields no 95th percentile."""
    tpot_ms: Estimate | None = None
    sequences: float | None = None
    """Streams at once behind output_tokens_per_s, in one copy of the model."""
    output_within_limits: Estimate | None = None
    """Largest output rate while the medians stay within the limits; None without limits, or where one stream breaks
    them."""
    sequences_within_limits: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One deployment to predict."""

    gpu_id: str
    gpu_count: int
    engine: str
    weight_format: str
    kv_format: str = "fp16"
    concurrency: float | None = None
    """Streams at once; None for as many as fit."""


class _Answers:
    """Figures of all questions, and the bands of their deployments."""

    def __init__(self, known: Calibration, asked: Questions) -> None:
        self._known, self._asked = known, asked
        constants, kept = known_efficiency(known, asked.traits)
        self._given = asked.stack_of_rows, taken(constants, asked.index), asked.demand
        self._kept = kept[asked.index]
        self.figures: Figures = figures(*self._given, kept_fraction=self._kept)
        self.one = asked.demand.kind == ONE_STREAM
        self._widened = np.where(asked.from_params, FEW_ROWS_WIDENED, 1.0)

    def best(self, *, ttft_limit_ms: float | None, tpot_limit_ms: float | None) -> Best:
        """The most within limits on the medians, None for no limit."""
        return largest_output(
            *self._given,
            kept_fraction=self._kept,
            ttft_limit_s=np.inf if ttft_limit_ms is None else ttft_limit_ms / MS_PER_S,
            tpot_limit_s=np.inf if tpot_limit_ms is None else tpot_limit_ms / MS_PER_S,
        )

    def ratios(self, one: str, many: str) -> tuple[Floats, Floats]:
        """Low and high as ratios to the value, for a single stream and for many."""
        alone, among = self._bands(one), self._bands(many)
        low = np.where(self.one, alone[0], among[0]) / self._widened
        high = np.where(self.one, alone[1], among[1]) * self._widened
        return low, high

    def _bands(self, quantity: str) -> tuple[Floats, Floats]:
        bands = [self._known.band(quantity, traits.engine) for traits in self._asked.traits]
        low, high = np.array([band.low_ratio for band in bands]), np.array([band.high_ratio for band in bands])
        return low[self._asked.index], high[self._asked.index]

    def columns(self) -> list[Floats]:
        """The added columns of every row: value, low, high, five times."""
        found = self.figures
        decode_low, decode_high = self.ratios(DECODE, DECODE_MANY)
        tables = [
            (found.prefill_tokens_per_s, *self.ratios(PREFILL_RATE, PREFILL_RATE)),
            (found.decode_tokens_per_s_per_stream, decode_low, decode_high),
            (found.output_tokens_per_s, *self.ratios(OUTPUT_ONE, OUTPUT)),
            (found.ttft_s * MS_PER_S, *self.ratios(TTFT, TTFT_MANY)),
            # A time per token is one over a rate, and so is its band.
            (found.tpot_s * MS_PER_S, 1 / decode_high, 1 / decode_low),
        ]
        return [column for value, low, high in tables for column in (value, value * low, value * high)]


def predict_rows(
    rows: Sequence[Mapping[str, Any]], *, reader: Reader, known: Calibration
) -> tuple[dict[str, list[str]], list[str]]:
    """The added columns as text, and the reason of each row; rows are in the catalogue's column names."""
    asked = reader.questions(rows)
    cells = {name: [""] * len(rows) for name in BANDED}
    reasons = [asked.reasons.get(place, "") for place in range(len(rows))]
    if asked.places:
        _fill(cells, reasons, rows, asked, _Answers(known, asked))
    return cells, reasons


def _fill(
    cells: dict[str, list[str]],
    reasons: list[str],
    rows: Sequence[Mapping[str, Any]],
    asked: Questions,
    answers: _Answers,
) -> None:
    is_prefill = np.array([rows[place].get("scenario") == PREFILL for place in asked.places])
    rate_known = asked.stack.rate_is_known[asked.index]
    shown = {True: rate_known & (asked.demand.input_tokens > 1), False: ~is_prefill}
    places = np.array(asked.places)
    for name, values in zip(BANDED, answers.columns(), strict=True):
        mask = shown[name.startswith(("predicted_prefill", "predicted_ttft"))]
        column = cells[name]
        for place, value in zip(places[mask].tolist(), values[mask].tolist(), strict=True):
            column[place] = "%.5g" % value  # noqa: UP031 - half the time of an f-string, and there are 1.5 million
    no_prompt = asked.demand.input_tokens <= 1
    at_rate = [rows[place].get("scenario") == AT_RATE_SCENARIO for place in asked.places]
    said_of = {
        OUTPUT_WITHOUT_TOKENS: is_prefill.tolist(),
        RATE_UNKNOWN: (~rate_known).tolist(),
        NO_PROMPT: (rate_known & no_prompt).tolist(),
        AT_RATE: at_rate,
        BEYOND_CONTEXT: asked.beyond_context.tolist(),
        EXTRAPOLATED: asked.from_params.tolist(),
    }
    for place, case in zip(asked.places, zip(*said_of.values(), strict=True), strict=True):
        if any(case):
            reasons[place] = " ".join(sentence for sentence, holds in zip(said_of, case, strict=True) if holds)


def predict_file(facts: Facts, source: Path, target: Path) -> tuple[int, int]:
    """Writes the rows of a CSV file with their predictions beside them; rows read, and rows with a prediction.

    Raises InputError for a file that cannot be read as rows. The target appears whole or not at all.
    """
    names, rows = read_table(source)
    cells, reasons = predict_rows(in_our_words(names, rows), reader=calibration.reader(facts), known=facts.calibration)
    part = target.with_name(f".{target.name}.part")
    added = [*BANDED, "reason"]
    kept = [at for at, name in enumerate(names) if name not in added]
    columns = [cells[name] for name in BANDED]
    try:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*(names[at] for at in kept), *added])
            writer.writerows(
                [*(row[at] for at in kept), *new, reason]
                for row, reason, *new in zip(rows, reasons, *columns, strict=True)
            )
        part.replace(target)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise InputError(
            f"{target} cannot be written: {problem.strerror}. Name a file in a folder of yours."
        ) from problem
    answered = sum(any(values) for values in zip(*columns, strict=True))
    return len(rows), answered


def read_table(source: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV file. Raises InputError."""
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            listed = list(csv.reader(file))
    except OSError as problem:
        raise InputError(f"{source} cannot be read: {problem.strerror}. Name a CSV file.") from problem
    except (UnicodeDecodeError, csv.Error) as problem:
        raise InputError(f"{source} is no CSV file in UTF-8: {problem}. Save it as one.") from problem
    if not listed:
        raise InputError(f"{source} is empty: its first line must name the columns.")
    names, rows = listed[0], [row for row in listed[1:] if row]
    missing = [name for name in NEEDED if name not in {COLUMNS.get(one, one) for one in names}]
    if missing:
        raise InputError(f"{source} has no column {', '.join(missing)}: use the columns of data/throughput.csv.")
    for line, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise InputError(f"{source} row {line} has {len(row)} cells, the header {len(names)}: make them equal.")
    return names, rows


def in_our_words(names: list[str], rows: list[list[str]]) -> list[dict[str, str]]:
    """Rows under the catalogue's names of their columns."""
    ours = [COLUMNS.get(name, name) for name in names]
    return [dict(zip(ours, row, strict=True)) for row in rows]


# --- the page ---------------------------------------------------------------------------------------------------------


def speeds(
    facts: Facts,
    shape: ModelShape,
    choices: Sequence[Choice],
    *,
    context_tokens: int,
    output_tokens: int = 256,
    ttft_limit_ms: float | None = None,
    tpot_limit_ms: float | None = None,
) -> list[Speeds]:
    """Speeds of one model in many deployments, in their order.

    The prompt fills the context up to the output. A choice without a concurrency runs as many streams as fit. With a
    limit on a median, output_within_limits is the most that keeps it.
    """
    if context_tokens <= output_tokens:
        output_tokens = max(1, context_tokens // 2)
    prompt = max(1, context_tokens - output_tokens)
    reader = Reader({shape.name: shape}, facts.gpus)
    rows = [
        {
            "model_id": shape.name,
            "gpu_id": choice.gpu_id,
            "gpu_count": choice.gpu_count,
            # llama.cpp gives each GPU its own layers unless told otherwise.
            "tensor_parallel": 1 if FAMILIES.get(choice.engine) in ("ggml", "mlx") else choice.gpu_count,
            "engine": choice.engine,
            "weight_format": choice.weight_format,
            "scenario": scenario,
            "kv_format": choice.kv_format,
            "concurrency": choice.concurrency,
            "input_tokens": prompt,
            "output_tokens": output_tokens,
        }
        for choice in choices
        for scenario in ("single-stream decode", "server-at-concurrency")
    ]
    asked = reader.questions(rows)
    if not asked.places:
        return [_refused(choice, asked.reasons[2 * at]) for at, choice in enumerate(choices)]
    known = facts.calibration
    answers = _Answers(known, asked)
    limited = ttft_limit_ms is not None or tpot_limit_ms is not None
    best = answers.best(ttft_limit_ms=ttft_limit_ms, tpot_limit_ms=tpot_limit_ms) if limited else None
    at_place = {place: at for at, place in enumerate(asked.places)}
    listed = []
    for at, choice in enumerate(choices):
        if 2 * at not in at_place:
            listed.append(_refused(choice, asked.reasons[2 * at]))
            continue
        one, many = at_place[2 * at], at_place[2 * at + 1]
        speed = _speeds(choice, answers.figures, known, one=one, many=many, asked=asked)
        listed.append(speed if best is None else _limited(speed, best, known, many=many))
    return listed


def _limited(speed: Speeds, best: Best, known: Calibration, *, many: int) -> Speeds:
    output = float(best.output_tokens_per_s[many])
    if np.isnan(output):
        return speed
    if speed.sequences is not None and best.sequences[many] >= speed.sequences:
        # More than are asked for, or than fit, would still keep the limits.
        return replace(speed, output_within_limits=speed.output_tokens_per_s, sequences_within_limits=speed.sequences)
    return replace(
        speed,
        output_within_limits=predicted(output, known.band(OUTPUT, speed.engine)),
        sequences_within_limits=float(best.sequences[many]),
    )


def _refused(choice: Choice, reason: str) -> Speeds:
    return Speeds(
        gpu_id=choice.gpu_id,
        gpu_count=choice.gpu_count,
        engine=choice.engine,
        weight_format=choice.weight_format,
        reason=reason,
    )


def _speeds(choice: Choice, found: Figures, known: Calibration, *, one: int, many: int, asked: Questions) -> Speeds:
    traits: Traits = asked.traits[asked.index[one]]
    rate_is_known = bool(asked.stack.rate_is_known[asked.index[one]])

    def estimate(value: float, quantity: str) -> Estimate:
        return predicted(float(value), known.band(quantity, traits.engine))

    decode = estimate(found.decode_tokens_per_s_per_stream[one], DECODE)
    return Speeds(
        gpu_id=choice.gpu_id,
        gpu_count=choice.gpu_count,
        engine=choice.engine,
        weight_format=choice.weight_format,
        decode_tokens_per_s=decode,
        prefill_tokens_per_s=estimate(found.prefill_tokens_per_s[one], PREFILL_RATE) if rate_is_known else None,
        output_tokens_per_s=estimate(found.output_tokens_per_s[many], OUTPUT),
        ttft_ms=estimate(found.ttft_s[one] * MS_PER_S, TTFT) if rate_is_known else None,
        tpot_ms=inverted(decode, MS_PER_S),
        sequences=float(found.sequences[many]),
        reason=None if rate_is_known else RATE_UNKNOWN,
    )


def inverted(rate: Estimate, scale: float) -> Estimate:
    """A time from a rate, with the band turned over."""
    return Estimate(
        value=scale / rate.value,
        low=scale / rate.high,
        high=scale / rate.low,
        basis=rate.basis,
        group=rate.group,
        median_error=rate.median_error,
        n=rate.n,
        source=rate.source,
    )
