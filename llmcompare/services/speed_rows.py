"""Rows of speed measurements, or of questions in the same columns, as deployments and demands."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Any

import numpy as np

from llmcompare.core.calibration_traits import Traits
from llmcompare.core.records import SpeedGpu
from llmcompare.core.serving import (
    ALL_AT_ONCE,
    CLOSED_LOOP,
    ONE_STREAM,
    Demand,
    most_sequences,
)
from llmcompare.core.shapes import ModelShape
from llmcompare.core.speed import (
    Deployment,
    Stack,
    outside_calibration,
    reason_against,
    shape_from_params,
    stacked,
    taken,
    traits,
)
from llmcompare.core.weights import OTHER_NAMES
from llmcompare.errors import InputError, UnknownIdError

PREFILL = "single-stream prefill"
KINDS = {
    PREFILL: ONE_STREAM,
    "single-stream decode": ONE_STREAM,
    "offline-max-throughput": ALL_AT_ONCE,
    "server-at-concurrency": CLOSED_LOOP,
    "server-at-rate": CLOSED_LOOP,
}
MOST_TOKENS, MOST_AT_ONCE = 1e8, 1e6
SHORT_PROMPT_TOKENS = 64.0
"""Of a single-stream test that does not say, like the first question of a chat. Assumption."""
SHORT_REPLY_TOKENS = 128.0
STANDS_FOR = {"a100-unspecified": "a100-pcie-80gb"}
"""The rows so named say that the cards have no NVLink."""
RANDOM = "random weights"
DEPLOYMENT_COLUMNS = ("model_id", "params_total_billion", "gpu_id", "gpu_count", "tensor_parallel", "engine",
                      "weight_format", "kv_format")  # fmt: skip
DEMAND_COLUMNS = ("scenario", "concurrency", "input_tokens", "output_tokens", "engine", "note")
DEPTH = re.compile(r"context depth (\d+)")
EXPERTS_TAG = re.compile(r"\d+b-a\d+b")
"""Two models with as many parameters, and as many active ones, are taken to be built alike."""
COLUMNS = {
    "params_total_b": "params_total_billion",
    "concurrency_or_batch": "concurrency",
    "published_date": "as_of",
    "prefill_tok_s": "prefill_tokens_per_s",
    "decode_tok_s_per_stream": "decode_tokens_per_s_per_stream",
    "output_tok_s_total": "output_tokens_per_s",
    "total_tok_s": "total_tokens_per_s",
}
"""Names of the same columns in lists made before the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Rows that can be answered, as arrays."""

    places: tuple[int, ...]
    """Of each row in the list it came from."""
    stack: Stack
    """The different deployments."""
    traits: tuple[Traits, ...]
    """Of the different deployments."""
    index: np.ndarray
    """Each row's deployment."""
    demand: Demand
    from_params: np.ndarray
    """Rows whose model is known by its number of parameters only."""
    beyond_context: np.ndarray
    """Rows whose request is longer than what the model takes."""
    reasons: Mapping[int, str]
    """Why the other rows cannot be answered, by place."""

    @property
    def stack_of_rows(self) -> Stack:
        """The deployment of each row."""
        return taken(self.stack, self.index)


class Reader:
    """Turns rows into questions, and remembers what it has looked up."""

    def __init__(self, shapes: Mapping[str, ModelShape], gpus: Mapping[str, SpeedGpu]) -> None:
        self._shapes, self._gpus = shapes, gpus
        self._known: dict[tuple[Any, ...], int | str] = {}
        self._demands: dict[tuple[Any, ...], tuple[float, ...] | str] = {}
        self._deployments: list[Deployment] = []
        self._from_params: list[bool] = []

    def questions(self, rows: Sequence[Mapping[str, Any]]) -> Questions:
        """All rows that can be answered, and why the others cannot."""
        places, index, demands = [], [], []
        reasons: dict[int, str] = {}
        for place, row in enumerate(rows):
            found = self._deployment(row)
            demand = found if isinstance(found, str) else self._demand(row)
            if isinstance(demand, str):
                reasons[place] = demand
                continue
            places.append(place)
            index.append(found)
            demands.append(demand)
        at = np.array(index, dtype=np.intp)
        table = np.array(demands, dtype=float).reshape(-1, 7)
        limits = np.array([_limit_tokens(one.shape) for one in self._deployments], dtype=float)
        return Questions(
            places=tuple(places),
            stack=stacked(self._deployments),
            traits=tuple(map(traits, self._deployments)),
            index=at,
            demand=Demand(
                kind=table[:, 0].astype(int),
                sequences=table[:, 1],
                input_tokens=table[:, 2],
                output_tokens=table[:, 3],
                earlier_tokens=table[:, 4],
                most_sequences=table[:, 5],
                decode_only=table[:, 6] > 0,
            ),
            from_params=np.array(self._from_params, dtype=bool)[at],
            beyond_context=table[:, 2] + table[:, 3] > limits[at],
            reasons=reasons,
        )

    def _deployment(self, row: Mapping[str, Any]) -> int | str:
        """Place among the deployments, or why there is none."""
        key = (*map(row.get, DEPLOYMENT_COLUMNS), (row.get("as_of") or "")[:4], RANDOM in (row.get("note") or ""))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._looked_up(row)
        return found

    def _demand(self, row: Mapping[str, Any]) -> tuple[float, ...] | str:
        key = (*map(row.get, DEMAND_COLUMNS),)
        found = self._demands.get(key)
        if found is None:
            found = self._demands[key] = _demand(row)
        return found

    def _looked_up(self, row: Mapping[str, Any]) -> int | str:
        try:
            deployment, from_params = self._read(row)
        except InputError as problem:
            return str(problem)
        if reason := reason_against(deployment) or outside_calibration(deployment):
            return reason
        self._deployments.append(deployment)
        self._from_params.append(from_params)
        return len(self._deployments) - 1

    def _read(self, row: Mapping[str, Any]) -> tuple[Deployment, bool]:
        shape, from_params = self._shape(row)
        shared = _number(row, "tensor_parallel")
        format_name = str(row.get("weight_format") or "").strip().lower()
        if not format_name:
            raise InputError("weight_format is empty: name the format of the weights, fp16 for example.")
        gpu_count = _count(row, "gpu_count")
        if shared is not None and shared > gpu_count:
            raise InputError(f"tensor_parallel is {shared:g} of {gpu_count} GPUs: give at most that many.")
        deployment = Deployment(
            shape=shape,
            gpu=self._gpu(row),
            gpu_count=gpu_count,
            tensor_parallel=None if shared is None else _count(row, "tensor_parallel"),
            engine=str(row.get("engine") or "").strip(),
            weight_format=OTHER_NAMES.get(format_name, format_name),
            kv_format=str(row.get("kv_format") or "fp16").strip(),
            as_of=str(row.get("as_of") or "") or None,
            random_weights=RANDOM in str(row.get("note") or ""),
        )
        return deployment, from_params

    def _shape(self, row: Mapping[str, Any]) -> tuple[ModelShape, bool]:
        name = str(row.get("model_id") or "").strip()
        if name in self._shapes:
            return self._shapes[name], False
        if (tag := EXPERTS_TAG.search(name)) and (like := self._like(tag[0])):
            return like, True
        params = _number(row, "params_total_billion")
        if params is None or not 0.01 <= params <= 10_000:
            raise UnknownIdError("model", name, self._shapes)
        return shape_from_params(name, params * 1e9), True

    def _like(self, tag: str) -> ModelShape | None:
        """The first model of the catalogue with this many parameters and active ones in its name."""
        return next((self._shapes[name] for name in sorted(self._shapes) if tag in name), None)

    def _gpu(self, row: Mapping[str, Any]) -> SpeedGpu:
        name = str(row.get("gpu_id") or "").strip()
        known = self._gpus.get(STANDS_FOR.get(name, name))
        if known is None:
            raise UnknownIdError("GPU", name, self._gpus)
        return known


def _demand(row: Mapping[str, Any]) -> tuple[float, ...] | str:
    """Kind, sequences, input, output, earlier tokens, most sequences and whether only decode counts; or why not."""
    scenario = str(row.get("scenario") or "").strip()
    if scenario not in KINDS:
        return f"{scenario!r} is no scenario: take one of {', '.join(KINDS)}."
    try:
        given = [_number(row, name) for name in ("concurrency", "input_tokens", "output_tokens")]
    except InputError as problem:
        return str(problem)
    sequences, prompt, reply = given
    kind = KINDS[scenario]
    note = str(row.get("note") or "")
    if kind != ONE_STREAM and (prompt is None or not reply):
        return "input_tokens or output_tokens is empty: speed under load depends on the length of requests."
    if (sequences is not None and sequences < 1) or (prompt or 0) < 0 or (reply or 0) < 0:
        return f"concurrency {sequences}, {prompt} input and {reply} output tokens: give 1 or more, and none negative."
    if max(prompt or 0, reply or 0) > MOST_TOKENS or (sequences or 0) > MOST_AT_ONCE:
        return f"concurrency {sequences}, {prompt} input and {reply} output tokens: no machine serves so much."
    depth = DEPTH.search(note) if scenario == PREFILL else None
    most = most_sequences(str(row.get("engine")))
    return (
        float(kind),
        1.0 if kind == ONE_STREAM else nan if sequences is None else sequences,
        SHORT_PROMPT_TOKENS if prompt is None else prompt,
        reply or SHORT_REPLY_TOKENS,
        float(depth[1]) if depth else 0.0,
        most,
        float("pure decode" in note),
    )


def _limit_tokens(shape: ModelShape) -> float:
    return shape.context_extended_tokens or shape.context_native_tokens or inf


def _number(row: Mapping[str, Any], name: str) -> float | None:
    cell = row.get(name)
    if cell is None or cell == "":
        return None
    try:
        value = float(cell)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise InputError(f"{name} is {cell!r}: write a number, or leave it empty.")
    return value


def _count(row: Mapping[str, Any], name: str) -> int:
    value = _number(row, name)
    if value is None:
        return 1
    if not 1 <= value <= 10_000 or value != int(value):
        raise InputError(f"{name} is {row.get(name)!r}: write a whole number from 1 to 10,000.")
    return int(value)


def renamed(names: Iterable[str]) -> dict[str, str]:
    """The catalogue's name of each column of a list."""
    return {name: COLUMNS.get(name, name) for name in names}
