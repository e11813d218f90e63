"""How fast one machine runs models, from what was measured on it: no catalogue row is needed.

A token that is written takes the time of the bytes that are read for it, a prompt takes the time of its operations.
The first measurement says how fast the machine is at each; every further one is first predicted, then learnt from.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np
import numpy.typing as npt

from llmcompare.core.bench import SpeedTest, TestKind
from llmcompare.core.memory import Use, kv_cache_bytes
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tensors import is_tied
from llmcompare.core.units import BYTES_PER_GIB

FLOP_PER_WEIGHT = 2
"""A multiplication and an addition."""
UNPACKING_BYTES_PER_WEIGHT = 0.55
"""A processor needs as long to unpack a weight as to read so much more: see "A machine measured here" in the
methodology. A start, which measurements of other formats correct."""
LAYER_BYTES = 200_000
"""Threads wait for each other in every layer, as long as it takes to read so much. A start, likewise."""
PREFILL_SPEED_BY_FORMAT = {"Q6_K": 2.0, "Q4_K_M": 1.6, "Q4_K_S": 1.6, "Q4_0": 1.5, "Q4_1": 0.55}
"""Of a prompt, against F16 and Q8_0: llama.cpp has faster code for some. A start, likewise."""
PRIOR_WEIGHT = 0.05
"""Of the assumption that all costs keep their ratios, against one measurement."""
QUIET_SD = 0.05
"""Relative deviation of the repetitions on a machine that does nothing else; 3 to 5% here."""
LEAST_SHARE = 0.1
"""No cost falls below this share of what it was taken for at first."""
FORMAT_PRIOR_COUNT = 0.5
"""Measurements of a format that would say it is as fast as the others."""
PRIOR_RATIOS = (0.55, 0.8, 1.0, 1.25, 1.8)
"""Measured over predicted before anything was predicted here; each further ratio counts as much as one of these."""

Figures = npt.NDArray[np.float64]


def machine_id(*, cpu: str, core_count: int | None, memory_bytes: int | None, gpus: Sequence[str] = ()) -> str:
    """The same for the same hardware, and nothing about who owns it.

    >>> machine_id(cpu="Ryzen 7", core_count=8, memory_bytes=32 * 2**30)
    '85b77da78a66c007'
    """
    # Of some MiB more or less after an update of the system the machine stays the same.
    gib = None if memory_bytes is None else round(memory_bytes / BYTES_PER_GIB)
    hardware = json.dumps([cpu, core_count, gib, sorted(gpus)])
    return hashlib.sha256(hardware.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInFormat:
    """A model as one file."""

    shape: ModelShape
    weights_bytes: int
    """Of all its tensors."""
    quantization: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One measured test."""

    bench_id: str
    """Shared by what was measured together, and so not predicted from each other."""
    model: ModelInFormat
    test: SpeedTest
    tokens_per_s: float
    relative_sd: float = 0.0
    """Of the repetitions, over their mean: what was disturbed counts less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpeed:
    """What a machine's measurements say together."""

    bandwidth_bytes_per_s: float | None
    """Bytes read per token times tokens/s, the median of what was measured; None when no writing was."""
    flop_per_s: float | None
    """Operations per token of a prompt times tokens/s, the median; None when no prompt was."""
    costs: Mapping[TestKind, tuple[float, ...]]
    """Seconds per unit of each feature."""
    format_factors: Mapping[tuple[TestKind, str | None], float]
    """How much longer a format takes than its bytes and operations say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """A measured figure beside what was predicted before it was known."""

    observation: Observation
    predicted_tokens_per_s: float
    repeated: bool
    """The same test of the same file was measured before: no feat to predict."""

    @property
    def ratio(self) -> float:
        """Measured over predicted."""
        return self.observation.tokens_per_s / self.predicted_tokens_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of ratios of measured over predicted."""

    p10: float
    p50: float
    p90: float
    count: int


# --- what a step costs ------------------------------------------------------------------------------------------------


def read_weight_count(shape: ModelShape) -> float:
    """Weights that one written token is computed with: of the embeddings it reads a single row."""
    return shape.params_active - (0 if is_tied(shape) else _table_size(shape))


def prompt_weight_count(shape: ModelShape) -> float:
    """Weights that each token of a prompt is computed with: only its last one goes through the output."""
    return shape.params_active - _table_size(shape) * (1 if is_tied(shape) else 2)


def decode_bytes(model: ModelInFormat, *, context_tokens: float) -> float:
    """Read for one written token: the active weights and the KV cache."""
    share = min(1.0, read_weight_count(model.shape) / model.shape.params_total)
    return model.weights_bytes * share + _kv_read_bytes(model.shape, context_tokens)


def attention_flop(shape: ModelShape, test: SpeedTest) -> float:
    """Of a whole prompt: each token looks at the depth and at half of the prompt, in the layers that keep all."""
    looked_at = test.tokens * (test.depth_tokens + test.tokens / 2)
    per_pair = FLOP_PER_WEIGHT * shape.head_count * (shape.key_size + shape.value_size)
    return shape.full_kv_layer_count * per_pair * looked_at


def prefill_flop(shape: ModelShape, test: SpeedTest) -> float:
    """Operations of a whole prompt."""
    return FLOP_PER_WEIGHT * prompt_weight_count(shape) * test.tokens + attention_flop(shape, test)


def _kv_read_bytes(shape: ModelShape, context_tokens: float) -> int:
    """Of the KV cache, read for one token after so many."""
    tokens = round(context_tokens)
    return kv_cache_bytes(shape, Use(context_tokens=tokens)) if tokens else 0


def _table_size(shape: ModelShape) -> float:
    return (shape.vocabulary_size or 0) * shape.hidden_size


def _middle_context(test: SpeedTest) -> float:
    return test.depth_tokens + test.tokens / 2


def _features(model: ModelInFormat, test: SpeedTest) -> Figures:
    """What the time of a whole test is made of, in units that cost alike until measurements say otherwise."""
    shape = model.shape
    if test.kind == "prefill":
        attention = attention_flop(shape, test)
        speed = PREFILL_SPEED_BY_FORMAT.get(model.quantization or "", 1.0)
        return np.array([(prefill_flop(shape, test) - attention) / speed, attention])
    kv_bytes = _kv_read_bytes(shape, _middle_context(test))
    weights = decode_bytes(model, context_tokens=_middle_context(test)) - kv_bytes
    unpacking = UNPACKING_BYTES_PER_WEIGHT * read_weight_count(shape)
    return test.tokens * np.array([weights, unpacking, kv_bytes, float(LAYER_BYTES * shape.layer_count)])


# --- learning ---------------------------------------------------------------------------------------------------------


def machine_speed(observations: Sequence[Observation]) -> MachineSpeed:
    """What measurements of one machine say; of a test that was repeated only the newest counts, which comes last."""
    newest = list({_what(one): one for one in observations}.values())
    costs: dict[TestKind, tuple[float, ...]] = {}
    factors: dict[tuple[TestKind, str | None], float] = {}
    for kind in ("decode", "prefill"):
        measured = [one for one in newest if one.test.kind == kind]
        if measured:
            costs[kind] = _costs(measured)
            factors |= {(kind, name): factor for name, factor in _format_factors(measured, costs[kind]).items()}
    return MachineSpeed(
        bandwidth_bytes_per_s=_median([effective_bandwidth(one) for one in newest if one.test.kind == "decode"]),
        flop_per_s=_median([effective_flop_per_s(one) for one in newest if one.test.kind == "prefill"]),
        costs=costs,
        format_factors=factors,
    )


def effective_bandwidth(observation: Observation) -> float:
    """Bytes read per written token times tokens/s."""
    context_tokens = _middle_context(observation.test)
    return decode_bytes(observation.model, context_tokens=context_tokens) * observation.tokens_per_s


def effective_flop_per_s(observation: Observation) -> float:
    """Operations per token of a prompt times tokens/s."""
    test = observation.test
    return prefill_flop(observation.model.shape, test) / test.tokens * observation.tokens_per_s


def predicted_tokens_per_s(machine: MachineSpeed, model: ModelInFormat, test: SpeedTest) -> float | None:
    """None while nothing of this kind was measured."""
    costs = machine.costs.get(test.kind)
    if costs is None:
        return None
    factor = machine.format_factors.get((test.kind, model.quantization), 1.0)
    return test.tokens / (float(_features(model, test) @ np.array(costs)) * factor)


def _what(one: Observation) -> tuple[Any, ...]:
    return one.model.shape.name, one.model.weights_bytes, one.model.quantization, one.test


def _costs(measured: Sequence[Observation]) -> tuple[float, ...]:
    """Least squares of the relative errors, held to the assumption that all features cost alike."""
    features = np.array([_features(one.model, one.test) for one in measured])
    seconds = np.array([one.test.tokens / one.tokens_per_s for one in measured])
    alike = float(np.median(seconds / features.sum(axis=1)))
    count = features.shape[1]
    held = np.sqrt(PRIOR_WEIGHT) * np.eye(count)
    weights = np.array([_weight(one) for one in measured])
    rows = np.vstack([features * alike * (weights / seconds)[:, None], held])
    wanted = np.concatenate([weights, held.sum(axis=1)])
    shares = np.maximum(np.linalg.lstsq(rows, wanted, rcond=None)[0], LEAST_SHARE)
    return tuple(float(share) for share in alike * shares)


def _format_factors(measured: Sequence[Observation], costs: tuple[float, ...]) -> dict[str | None, float]:
    sums: dict[str | None, tuple[float, float]] = {}
    for one in measured:
        expected_s = float(_features(one.model, one.test) @ np.array(costs))
        logs, weights = sums.get(one.model.quantization, (0.0, FORMAT_PRIOR_COUNT))
        weight = _weight(one)
        logs += weight * log(one.test.tokens / one.tokens_per_s / expected_s)
        sums[one.model.quantization] = logs, weights + weight
    return {name: exp(logs / weights) for name, (logs, weights) in sums.items()}


def _weight(one: Observation) -> float:
    """1 for a quiet measurement, less for one whose repetitions differ."""
    return QUIET_SD / max(QUIET_SD, one.relative_sd)


def _median(figures: list[float]) -> float | None:
    return float(np.median(figures)) if figures else None


# --- how sure ---------------------------------------------------------------------------------------------------------

Predict = Callable[[Sequence[Observation], Observation], float | None]
"""Tokens/s of the last one from what was measured before it."""


def predicted_from(before: Sequence[Observation], wanted: Observation) -> float | None:
    """By the machine's own measurements."""
    return predicted_tokens_per_s(machine_speed(before), wanted.model, wanted.test)


def residuals(observations: Sequence[Observation], predict: Predict = predicted_from) -> list[Residual]:
    """Each observation, oldest first, against what those of earlier benches predicted; the first bench has none."""
    found = []
    before: list[Observation] = []
    for bench in _benches(observations):
        known = {_what(one) for one in before}
        for one in bench:
            predicted = predict(before, one) if before else None
            if predicted:
                repeated = _what(one) in known
                found.append(Residual(observation=one, predicted_tokens_per_s=predicted, repeated=repeated))
        before = [*before, *bench]
    return found


def _benches(observations: Sequence[Observation]) -> list[list[Observation]]:
    benches: dict[str, list[Observation]] = {}
    for one in observations:
        benches.setdefault(one.bench_id, []).append(one)
    return list(benches.values())


def spread(ratios: Sequence[float]) -> Spread | None:
    """10th, 50th and 90th percentile; None without any.

    >>> spread([0.5, 1.0, 1.5])
    Spread(p10=0.6, p50=1.0, p90=1.4, count=3)
    """
    if not ratios:
        return None
    p10, p50, p90 = (round(float(value), 12) for value in np.percentile(list(ratios), [10, 50, 90]))
    return Spread(p10=p10, p50=p50, p90=p90, count=len(ratios))


def band(tokens_per_s: float, ratios: Sequence[float]) -> tuple[float, float]:
    """Between which speeds 8 of 10 measurements should lie, after ratios of earlier ones.

    >>> low, high = band(100.0, [])
    >>> round(low), round(high)
    (65, 158)
    """
    low, high = np.percentile([*PRIOR_RATIOS, *ratios], [10, 90])
    return tokens_per_s * float(low), tokens_per_s * float(high)
