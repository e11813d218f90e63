"""This machine: what it consists of, how fast it was, and what that says of models that were not run on it yet."""

import json
import os
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache
from math import inf
from typing import TypeAlias

from llmcompare.core import this_machine
from llmcompare.core.bench import SpeedTest
from llmcompare.core.facts import MachineFact, MeasurementFact
from llmcompare.core.shapes import ModelShape
from llmcompare.core.this_machine import (
    MachineSpeed,
    ModelInFormat,
    Observation,
    Predict,
    Residual,
    Spread,
    machine_id,
    machine_speed,
    predicted_from,
    predicted_tokens_per_s,
    spread,
)
from llmcompare.core.units import BYTES_PER_GIB, counted
from llmcompare.core.weights import weights_bytes
from llmcompare.engines.gpus import SeenGpu, gpus
from llmcompare.engines.machine import available_memory_bytes, usable_cores
from llmcompare.engines.processor import copy_bandwidth_bytes_per_s, processor, total_memory_bytes
from llmcompare.services import runs
from llmcompare.services.plans import now
from llmcompare.store.results import ResultsLog

CALIBRATING_KV_FORMAT = "f16"
OTHER_FORMATS = ("F16", "Q8_0", "Q6_K", "Q4_K_M")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisMachine:
    """What is here now."""

    machine_id: str
    cpu: str
    core_count: int
    usable_core_count: int
    instruction_sets: tuple[str, ...]
    memory_bytes: int | None
    available_memory_bytes: int
    """Without swapping and within the limit of a container."""
    gpus: tuple[SeenGpu, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Figures are compared only within one: a GPU with all layers, or so many threads of the processor."""

    threads: int | None
    """None on a GPU, where they make no difference."""

    def __str__(self) -> str:
        return "the GPU" if self.threads is None else f"{self.threads} thread{'' if self.threads == 1 else 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """How fast this machine should be, with the band in which 8 of 10 measurements should lie."""

    tokens_per_s: float
    low_tokens_per_s: float
    high_tokens_per_s: float
    measured_count: int
    """Tests that it stands on."""


Predictor: TypeAlias = Callable[[ModelInFormat, SpeedTest], Prediction | None]
"""How fast a machine should run a model; None while nothing of the kind was measured on it."""


def facts() -> ThisMachine:
    """What this machine consists of."""
    seen, cpu, memory_bytes = gpus(), processor(), total_memory_bytes()
    cores = os.cpu_count() or 1
    names = tuple(gpu.name for gpu in seen)
    return ThisMachine(
        machine_id=machine_id(cpu=cpu.name, core_count=cores, memory_bytes=memory_bytes, gpus=names),
        cpu=cpu.name,
        core_count=cores,
        usable_core_count=usable_cores(),
        instruction_sets=cpu.instruction_sets,
        memory_bytes=memory_bytes,
        available_memory_bytes=available_memory_bytes(),
        gpus=seen,
    )


@cache
def memory_bandwidth() -> tuple[float | None, int]:
    """Bytes per second of a copy, and by how many threads; measured once per process, on the cores that are free."""
    pool = runs.pool()
    # A reply whose speed is to be compared must not run beside it.
    with pool.turns.held("memory bandwidth", given_up=lambda: False):
        threads = pool.free_cores()
        return copy_bandwidth_bytes_per_s(threads), threads


@cache
def looked_at(log: ResultsLog) -> MachineFact:
    """This machine with the bandwidth of its memory, kept once per process. Raises StoreError."""
    here = facts()
    bandwidth, threads = memory_bandwidth()
    fact = MachineFact(
        machine_fact_id=uuid.uuid4().hex,
        machine_id=here.machine_id,
        looked_at=now(),
        cpu=here.cpu,
        core_count=here.core_count,
        instruction_sets=here.instruction_sets,
        memory_bytes=here.memory_bytes,
        gpus=tuple(gpu.name for gpu in here.gpus),
        bandwidth_bytes_per_s=bandwidth,
        bandwidth_threads=threads if bandwidth else None,
    )
    log.append(fact)
    return fact


# --- what was measured ------------------------------------------------------------------------------------------------


def measurements(log: ResultsLog, machine: str | None = None) -> list[MeasurementFact]:
    """The newest of each test of each file, oldest first; of one machine, or of all."""
    newest: dict[tuple[object, ...], MeasurementFact] = {}
    for fact in log.measurements():
        if machine in (None, fact.machine_id):
            what = (fact.machine_id, fact.model, fact.weights_bytes, fact.threads, fact.gpu_layers, fact.speed_test)
            newest.pop(what, None)
            newest[what] = fact
    return list(newest.values())


def shape_json(shape: ModelShape) -> str:
    """As facts keep it."""
    return json.dumps(asdict(shape))


def shape_of(fact: MeasurementFact) -> ModelShape | None:
    """The shape that a fact keeps; None without one, and for one of another version of llmcompare."""
    if fact.shape is None:
        return None
    try:
        cells = json.loads(fact.shape)
        shape = ModelShape(**{name: cells[name] for name in ModelShape.__dataclass_fields__ if name in cells})
    except (ValueError, TypeError):
        return None
    numbers = {name: value for name, value in asdict(shape).items() if name != "name" and value is not None}
    is_sound = all(isinstance(value, int | float) and 0 <= value < inf for value in numbers.values())
    return shape if is_sound and shape.params_total and shape.params_active and shape.layer_count else None


def setting_of(fact: MeasurementFact) -> Setting | None:
    """None for a model that is shared between processor and GPU: it says how fast neither is."""
    if fact.gpu_layers == 0:
        return Setting(threads=fact.threads)
    shape = shape_of(fact)
    is_whole = fact.gpu_layers < 0 or (shape is not None and fact.gpu_layers >= shape.layer_count)
    return Setting(threads=None) if is_whole else None


def observations(found: Iterable[MeasurementFact], setting: Setting) -> list[Observation]:
    """What a setting's speed can be learnt from, in the same order."""
    taken = []
    for fact in found:
        shape = shape_of(fact)
        if shape is not None and setting_of(fact) == setting and fact.kv_format == CALIBRATING_KV_FORMAT:
            model = ModelInFormat(shape=shape, weights_bytes=fact.weights_bytes, quantization=fact.quantization)
            one = Observation(bench_id=fact.bench_id, model=model, test=fact.speed_test, tokens_per_s=fact.tokens_per_s)
            taken.append(one)
    return taken


def settings_measured(log: ResultsLog, machine: str) -> list[Setting]:
    """The newest first."""
    found = [setting_of(fact) for fact in reversed(measurements(log, machine))]
    return list(dict.fromkeys(setting for setting in found if setting is not None))


def speed(log: ResultsLog, machine: str, setting: Setting) -> MachineSpeed | None:
    """How fast a machine is; None before it was measured."""
    found = _of(log, machine, setting)
    return machine_speed(found) if found else None


def residuals(
    log: ResultsLog, machine: str, setting: Setting, predict: Predict = predicted_from
) -> tuple[list[Residual], Spread | None]:
    """Every figure against what was predicted before it was known, and the spread of their ratios."""
    found = this_machine.residuals(_of(log, machine, setting), predict)
    return found, spread([one.ratio for one in found])


def predictor(log: ResultsLog, machine: str, setting: Setting) -> Predictor:
    """How fast a machine should run a model; None while nothing of the kind was measured on it. Learns once."""
    found = _of(log, machine, setting)
    learnt, earlier = machine_speed(found), this_machine.residuals(found)

    def predict(model: ModelInFormat, test: SpeedTest) -> Prediction | None:
        tokens_per_s = predicted_tokens_per_s(learnt, model, test)
        if tokens_per_s is None:
            return None
        ratios = [one.ratio for one in earlier if one.observation.test.kind == test.kind]
        low, high = this_machine.band(tokens_per_s, ratios)
        count = sum(one.test.kind == test.kind for one in found)
        return Prediction(tokens_per_s=tokens_per_s, low_tokens_per_s=low, high_tokens_per_s=high, measured_count=count)

    return predict


def other_formats(
    log: ResultsLog, machine: str, setting: Setting, model: ModelInFormat, test: SpeedTest
) -> dict[str, Prediction]:
    """How fast the same model should be in formats other than its own; empty while nothing of the kind was measured."""
    predict = predictor(log, machine, setting)
    found = {}
    for name in OTHER_FORMATS:
        size = weights_bytes(model.shape, format_name=name)
        made = ModelInFormat(shape=model.shape, weights_bytes=size, quantization=name)
        prediction = predict(made, test)
        if name != model.quantization and prediction is not None:
            found[name] = prediction
    return found


def _of(log: ResultsLog, machine: str, setting: Setting) -> list[Observation]:
    return observations([fact for fact in log.measurements() if fact.machine_id == machine], setting)


def in_words(machine: MachineSpeed, setting: Setting) -> str:
    """What a machine does, for a sentence."""
    parts = []
    if machine.bandwidth_bytes_per_s:
        parts.append(f"reads {machine.bandwidth_bytes_per_s / 1e9:.1f} GB/s while it writes tokens")
    if machine.flop_per_s:
        parts.append(f"computes {machine.flop_per_s / 1e9:,.0f} GFLOP/s while it reads a prompt")
    return f"on {setting} it {' and '.join(parts)}"


def hardware_in_words(looked: MachineFact) -> str:
    """What a machine consists of, in a sentence."""
    parts = [f"{looked.cpu}, {counted(looked.core_count, 'core')}"]
    if looked.memory_bytes is not None:
        parts.append(f"{looked.memory_bytes / BYTES_PER_GIB:.0f} GiB of memory")
    if looked.bandwidth_bytes_per_s is not None:
        speed_text = f"copied at {looked.bandwidth_bytes_per_s / 1e9:.1f} GB/s"
        parts.append(f"{speed_text} by {counted(looked.bandwidth_threads or 1, 'thread')}")
    parts.append(", ".join(looked.gpus) or "no GPU seen")
    return f"{'; '.join(parts)}."
