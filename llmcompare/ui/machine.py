"""The part of the Hardware page about this machine: what it is, what was measured, how well that was predicted."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from llmcompare import figures
from llmcompare.core.facts import MeasurementFact
from llmcompare.core.tables import Table
from llmcompare.core.this_machine import Residual
from llmcompare.core.units import counted
from llmcompare.errors import InputError
from llmcompare.figures.hardware import Point
from llmcompare.services import bench, bench_jobs, machine, runs
from llmcompare.services.bench_jobs import BenchWork
from llmcompare.ui import show
from llmcompare.ui.safe import plain

POLL_S = 0.5


def show_machine() -> None:
    """What this machine is and what its measurements say."""
    here = machine.facts()
    st.markdown(f"#### {plain(_answer(here.machine_id))}")
    looked = [fact for fact in runs.log().machines() if fact.machine_id == here.machine_id]
    if looked:
        st.caption(plain(machine.hardware_in_words(looked[-1])))
    _measure()
    _residuals(here.machine_id)
    _measurements(here.machine_id)
    _import_file()


def _answer(machine_id: str) -> str:
    log = runs.log()
    settings = machine.settings_measured(log, machine_id)
    if not settings:
        return "Nothing was measured here yet, so nothing is predicted for this machine: measure one model."
    found = machine.speed(log, machine_id, settings[0])
    return f"This machine is calibrated: {machine.in_words(found, settings[0])}." if found else ""


def _measure() -> None:
    job = bench_jobs.current()
    if job is not None and not job.ended.is_set():
        st.fragment(_follow, run_every=POLL_S)()
        return
    models = [model.model_id for model in runs.local_models() if model.problem is None]
    if not models:
        st.info("There is no model file to measure with: put a .gguf file into var/models.", icon=":material/info:")
        return
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    model = left.selectbox("Measure with", models, key="bench_model", help="A prompt of 512 tokens, then 128 written.")
    if right.button("Measure", key="bench_start", type="primary", icon=":material/speed:", width="stretch"):
        try:
            bench_jobs.start(model)
        except InputError as problem:
            st.error(plain(str(problem)), icon=":material/error:")
        else:
            st.rerun()
    if job is not None:
        _say_end(job.error, job.bug, job.work)


def _say_end(error: str | None, bug: BaseException | None, work: object) -> None:
    if bug is not None:
        st.exception(bug)
    if error is not None:
        st.error(plain(error), icon=":material/error:")
    if isinstance(work, BenchWork) and work.result is not None:
        show.sentences(*bench.sentences(work.result))


def _follow() -> None:
    job = bench_jobs.current()
    if job is None or job.ended.is_set():
        st.rerun()
    done = job.work.done if isinstance(job.work, BenchWork) else []
    st.info(plain("Being measured, a minute or so. " + "; ".join(done)), icon=":material/hourglass_top:")
    st.button("Stop", key="bench_stop", icon=":material/stop:", on_click=job.stop)


def _residuals(machine_id: str) -> None:
    log = runs.log()
    for setting in machine.settings_measured(log, machine_id):
        found, spread = machine.residuals(log, machine_id, setting)
        if spread is None:
            continue
        st.subheader(f"Predicted against measured on {setting}")
        st.markdown(
            plain(
                f"Measured over predicted, {counted(spread.count, 'prediction')}, each made before its measurement was "
                f"known: p10 {spread.p10:.2f}, p50 {spread.p50:.2f}, p90 {spread.p90:.2f}."
            )
        )
        show.chart(
            figures.predicted_against_measured([_point(one) for one in found]),
            key=f"residuals_{setting.threads}",
            description=f"{spread.count} predictions for this machine, median ratio {spread.p50:.2f}.",
        )


def _point(one: Residual) -> Point:
    return Point(
        group=one.observation.test.kind,
        measured=one.observation.tokens_per_s,
        predicted=one.predicted_tokens_per_s,
        detail=f"{one.observation.model.shape.name}, {one.observation.model.quantization}, {one.observation.test.name}",
    )


def _measurements(machine_id: str) -> None:
    found = machine.measurements(runs.log(), machine_id)
    if not found:
        return
    st.subheader("What was measured here")
    show.table(_table(found), key="measurements")


def _table(found: Sequence[MeasurementFact]) -> Table:
    return Table(
        name="measurements",
        title="What was measured here",
        columns=(
            "model", "format", "test", "tokens_per_s", "tokens_per_s_sd", "repetitions", "threads", "gpu_layers",
            "engine", "measured_at", "imported_from",
        ),
        rows=tuple(
            (
                one.model, one.quantization, one.speed_test.name, round(one.tokens_per_s, 2),
                round(one.tokens_per_s_sd, 2), one.repetition_count, one.threads, one.gpu_layers, one.engine,
                one.measured_at, one.imported_from,
            )
            for one in reversed(found)
        ),
    )  # fmt: skip


def _import_file() -> None:
    with st.expander("Import measurements of llama-bench, or of another machine"):
        uploaded = st.file_uploader(
            "JSON or JSON lines, as `llama-bench -o json` and `-o jsonl` write them",
            type=["json", "jsonl"],
            key="bench_file",
        )
        here = st.checkbox("They were made on this machine", key="bench_here")
        if uploaded is None or not st.button("Import", key="bench_import"):
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(uploaded.name).name
            path.write_bytes(uploaded.getvalue())
            try:
                read = bench.import_file(path, measured_here=here)
            except InputError as problem:
                st.error(plain(str(problem)), icon=":material/error:")
                return
        st.success(plain(f"{counted(len(read.facts), 'measurement')} of {uploaded.name} imported."))
