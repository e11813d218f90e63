"""Measures this machine with a model file, keeps the figures, and says how well they were predicted."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmcompare.core.bench import REPETITIONS_LIMIT, Speed, SpeedTest, speed, speed_tests
from llmcompare.core.facts import MachineFact, MeasurementFact
from llmcompare.core.this_machine import MachineSpeed, Residual, Spread
from llmcompare.core.units import counted
from llmcompare.engines.base import Done, Failed, Measured, Sampled
from llmcompare.engines.local import ModelFacts
from llmcompare.engines.machine import usable_cores
from llmcompare.engines.pool import Pool
from llmcompare.errors import EngineCrashedError, InputError, ModelRefusedError
from llmcompare.models import gguf_shape, library
from llmcompare.models.library import LocalModel
from llmcompare.services import bench_files, machine, runs
from llmcompare.services.bench_files import MeasuredTest, Origin
from llmcompare.services.jobs import new_id
from llmcompare.services.machine import Prediction, Setting, ThisMachine
from llmcompare.services.plans import now
from llmcompare.store.results import ResultsLog

RESTLESS_SD = 0.15
"""Relative deviation of the repetitions from which on a figure says more of other work than of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """What to measure with which file. Raises InputError for what cannot be measured."""

    model: LocalModel
    tests: tuple[SpeedTest, ...]
    repetitions: int = 5
    threads: int | None = None
    """None for as many as there are free cores."""

    def __post_init__(self) -> None:
        cores = usable_cores()
        if not 1 <= self.repetitions <= REPETITIONS_LIMIT:
            raise InputError(f"repetitions is {self.repetitions}: give a number from 1 to {REPETITIONS_LIMIT:,}.")
        if self.threads is not None and not 1 <= self.threads <= cores:
            raise InputError(f"threads is {self.threads}: give a number from 1 to {cores}, the cores to be had here.")
        if self.model.problem is not None:
            raise ModelRefusedError(self.model.problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What was measured, and what it says of the machine."""

    here: ThisMachine
    setting: Setting | None
    """None where nothing can be learnt: the model is shared between processor and GPU."""
    tests: tuple[MeasuredTest, ...]
    machine: MachineSpeed | None
    """With what was measured now."""
    residuals: tuple[Residual, ...]
    """Of what was measured now; none for the first model of a machine."""
    spread: Spread | None
    """Of every prediction so far."""
    repeated_count: int
    """Predictions so far of a test that had been measured with the same file before."""
    other_formats: dict[str, Prediction]
    """The last test of the same model in formats that were not run now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    durations_ns: list[list[int]]
    """Of each test in turn."""
    measured: Measured
    loaded: ModelFacts


def plan(
    name: str,
    *,
    prompt_tokens: int = 512,
    generated_tokens: int = 128,
    depths: Sequence[int] = (0,),
    repetitions: int = 5,
    threads: int | None = None,
) -> BenchPlan:
    """Of a file, or of a model at hand by its name. Raises InputError and ModelRefusedError."""
    (model,) = runs.models_named([name])
    tests = speed_tests(
        prompt_tokens=prompt_tokens,
        generated_tokens=generated_tokens,
        depths=depths,
        context_limit_tokens=model.trained_context_tokens,
    )
    return BenchPlan(model=model, tests=tests, repetitions=repetitions, threads=threads)


def run(
    wanted: BenchPlan,
    *,
    log: ResultsLog | None = None,
    models: Pool | None = None,
    stopping: threading.Event | None = None,
    done: Callable[[SpeedTest, Speed], None] = lambda test, speed: None,
) -> Bench:
    """Measure, keep, predict. `done` hears of each test when it is measured.

    Raises ModelRefusedError, EngineCrashedError and StoreError; InputError when it was stopped: then nothing is kept.
    """
    log = log or runs.log()
    found = _measure(wanted, models or runs.pool(), stopping or threading.Event(), done)
    here = machine.facts()
    shared = _shared_cells(wanted.model, found, here)
    tests = tuple(
        MeasuredTest(fact=_fact(shared, test, durations_ns), durations_ns=tuple(durations_ns))
        for test, durations_ns in zip(wanted.tests, found.durations_ns, strict=True)
    )
    for test in tests:
        log.append(test.fact)
    return _learnt(log, here, tests)


def _measure(
    wanted: BenchPlan, models: Pool, stopping: threading.Event, done: Callable[[SpeedTest, Speed], None]
) -> _Found:
    context_tokens = max(test.context_tokens for test in wanted.tests)
    engine = models.engine(runs.model_file(wanted.model), context_tokens=context_tokens, alone=True)
    durations: list[list[int]] = [[] for _ in wanted.tests]
    with closing(engine.bench(wanted.tests, repetitions=wanted.repetitions, threads=wanted.threads)) as events:
        for event in events:
            if stopping.is_set():
                break
            match event:
                case Sampled(test=number, duration_ns=duration_ns):
                    durations[number].append(duration_ns)
                    if len(durations[number]) == wanted.repetitions:
                        test = wanted.tests[number]
                        done(test, speed(tokens=test.tokens, durations_ns=durations[number]))
                case Failed(error=error, crashed=crashed):
                    raise (EngineCrashedError if crashed else ModelRefusedError)(error)
                case Done(reason="end", measured=measured) if engine.facts is not None:
                    return _Found(durations_ns=durations, measured=measured, loaded=engine.facts)
    raise InputError("the measurement was stopped before its end: nothing of it is kept.")


def _shared_cells(model: LocalModel, found: _Found, here: ThisMachine) -> dict[str, Any]:
    """What all facts of one bench have alike."""
    loaded, measured = found.loaded, found.measured
    return {
        "bench_id": new_id(),
        "machine_id": here.machine_id,
        "cpu": here.cpu,
        "core_count": here.core_count,
        "memory_bytes": here.memory_bytes,
        "gpus": tuple(gpu.name for gpu in here.gpus),
        "model": library.readable(model.path.name),
        "quantization": model.quantization,
        "description": loaded.description,
        "weights_bytes": loaded.weights_bytes,
        "parameters": loaded.parameters,
        "shape": _shape_json(model.path),
        "threads": measured.threads,
        "gpu_layers": measured.gpu_layers,
        "kv_format": machine.CALIBRATING_KV_FORMAT,
        # The worker turns it off on the processor, and leaves it to llama.cpp on a GPU.
        "flash_attention": False if measured.gpu_layers == 0 else None,
        "engine": measured.engine,
        "measured_at": now(),
    }


def _fact(shared: dict[str, Any], test: SpeedTest, durations_ns: Sequence[int]) -> MeasurementFact:
    found = speed(tokens=test.tokens, durations_ns=durations_ns)
    return MeasurementFact(
        **shared,
        measurement_id=new_id(),
        test=test.kind,
        prompt_tokens=test.prompt_tokens,
        generated_tokens=test.generated_tokens,
        depth_tokens=test.depth_tokens,
        tokens_per_s=found.tokens_per_s,
        tokens_per_s_sd=found.tokens_per_s_sd,
        repetition_count=found.repetition_count,
    )


def _shape_json(path: Path) -> str | None:
    """A model that does not say its shape is measured all the same; nothing is learnt from it."""
    try:
        return machine.shape_json(gguf_shape.shape_of(gguf_shape.local_headers(path)))
    except ModelRefusedError:
        return None


def _learnt(log: ResultsLog, here: ThisMachine, tests: tuple[MeasuredTest, ...]) -> Bench:
    setting = machine.setting_of(tests[0].fact)
    if setting is None:
        return Bench(
            here=here,
            setting=None,
            tests=tests,
            machine=None,
            residuals=(),
            spread=None,
            repeated_count=0,
            other_formats={},
        )
    residuals, spread = machine.residuals(log, here.machine_id, setting)
    bench_id = tests[0].fact.bench_id
    order = [test.fact.speed_test for test in tests]

    def place(one: Residual) -> int:
        return order.index(one.observation.test)

    return Bench(
        here=here,
        setting=setting,
        tests=tests,
        machine=machine.speed(log, here.machine_id, setting),
        residuals=tuple(sorted((one for one in residuals if one.observation.bench_id == bench_id), key=place)),
        spread=spread,
        repeated_count=sum(one.repeated for one in residuals),
        other_formats=_other_formats(log, here, setting, tests[-1].fact),
    )


def _other_formats(
    log: ResultsLog, here: ThisMachine, setting: Setting, last: MeasurementFact
) -> dict[str, Prediction]:
    known = machine.observations([last], setting)
    return machine.other_formats(log, here.machine_id, setting, known[0].model, last.speed_test) if known else {}


def import_file(path: Path, *, measured_here: bool = False, log: ResultsLog | None = None) -> bench_files.ReadFile:
    """Measurements of a file into the log; what is there already counts once. Raises InputError, StoreError."""
    log = log or runs.log()
    here = machine.facts()
    origin = Origin(
        machine_id=here.machine_id, cpu=here.cpu, core_count=here.core_count, memory_bytes=here.memory_bytes
    )
    read = bench_files.read_file(path, here=origin if measured_here else None)
    known = {fact.measurement_id for fact in log.measurements()}
    for fact in read.facts:
        if fact.measurement_id not in known:
            log.append(fact)
    return read


# --- shown ------------------------------------------------------------------------------------------------------------


def sentences(bench: Bench) -> list[str]:
    """What was measured, how well it was predicted, and what it says of the machine."""
    first = bench.tests[0].fact
    figures = ", ".join(
        f"{test.fact.speed_test.name} {test.fact.tokens_per_s:,.1f} ± {test.fact.tokens_per_s_sd:.1f} tok/s"
        for test in bench.tests
    )
    device = f"{first.threads} thread{'' if first.threads == 1 else 's'}"
    device += f" and {first.gpu_layers} layers on the GPU" if first.gpu_layers else ""
    lines = [f"{figures} on {device}."]
    if any(test.fact.tokens_per_s_sd > RESTLESS_SD * test.fact.tokens_per_s for test in bench.tests):
        lines.append("The repetitions differ much: other work disturbed them; measure again when the machine is quiet.")
    if bench.setting is None or bench.machine is None:
        return [*lines, "The model is shared between processor and GPU, so nothing is learnt about either."]
    lines += [_residual_sentence(one) for one in bench.residuals]
    if bench.spread is not None:
        lines.append(_spread_sentence(bench.spread, bench.repeated_count))
    state = "is calibrated with what was measured now too" if bench.residuals else "is now calibrated"
    lines.append(f"This machine {state}: {machine.in_words(bench.machine, bench.setting)}.")
    return [*lines, *_prediction_sentences(bench)]


def _prediction_sentences(bench: Bench) -> list[str]:
    """What follows for the same model in other formats, with the band in which 8 of 10 measurements should lie."""
    figures = [
        f"{name} {one.tokens_per_s:,.1f} ({one.low_tokens_per_s:,.1f} to {one.high_tokens_per_s:,.1f})"
        for name, one in bench.other_formats.items()
    ]
    test = bench.tests[-1].fact.speed_test.name
    return [f"Predicted {test} of this model in other formats, tok/s: {', '.join(figures)}."] if figures else []


def _residual_sentence(one: Residual) -> str:
    again = ", measured before" if one.repeated else ""
    return (
        f"{one.observation.test.name}: predicted {one.predicted_tokens_per_s:,.1f}, measured "
        f"{one.observation.tokens_per_s:,.1f} tok/s, ratio {one.ratio:.2f}{again}"
    )


def _spread_sentence(spread: Spread, repeated_count: int) -> str:
    again = f", {repeated_count} of them of a test that was measured before" if repeated_count else ""
    return (
        f"Measured over predicted, {counted(spread.count, 'prediction')} so far{again}: p10 {spread.p10:.2f}, "
        f"p50 {spread.p50:.2f}, p90 {spread.p90:.2f}."
    )


def as_json(bench: Bench, looked: MachineFact) -> dict[str, Any]:
    """Everything that the sentences say, with units in the keys."""
    found = asdict(looked)
    learnt = bench.machine
    return {
        "machine": {name: found[name] for name in found if name != "machine_fact_id"},
        "results": [bench_files.row_of(test) for test in bench.tests],
        "calibration": None
        if learnt is None
        else {
            "setting": str(bench.setting),
            "bandwidth_bytes_per_s": learnt.bandwidth_bytes_per_s,
            "flop_per_s": learnt.flop_per_s,
        },
        "residuals": [
            {
                "test": one.observation.test.name,
                "predicted_tokens_per_s": one.predicted_tokens_per_s,
                "measured_tokens_per_s": one.observation.tokens_per_s,
                "ratio": one.ratio,
                "repeated": one.repeated,
            }
            for one in bench.residuals
        ],
        "predicted_other_formats": {name: asdict(one) for name, one in bench.other_formats.items()},
        "measured_over_predicted": None if bench.spread is None else asdict(bench.spread),
    }
