"""The command line: the same figures as the pages, for people and for programs."""

import inspect
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from llmcompare.core import words
from llmcompare.core.memory import Use
from llmcompare.core.replies import figures_in_words, reply_json
from llmcompare.core.scenario import Scenario, from_query, is_number
from llmcompare.core.units import counted
from llmcompare.engines.base import Sampling
from llmcompare.errors import DataError, InputError, LlmCompareError
from llmcompare.services import (
    bench,
    bench_files,
    catalogue,
    costs,
    doctor,
    export,
    fit,
    machine,
    predict,
    runs,
    tables,
)
from llmcompare.services.catalogue import Facts
from llmcompare.store.paths import PROJECT_FOLDER

DEFAULTS = Scenario()
EXIT_REFUSED = 2
"""A value or a cell of data/ cannot be used; the reason is on standard error."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which open-weight model, on which deployment, for this workload, at what cost, and how sure is that?",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON; units are in the keys.")]

SCENARIO_HELP = {
    "model": "Model id or alias.",
    "requests_per_month": "Requests per month.",
    "input_tokens": "Input tokens per request.",
    "output_tokens": "Output tokens per request, without thinking.",
    "cached_input_fraction": "Share of the input read from the provider's cache, 0 to 1.",
    "thinking_tokens": "Thinking tokens per request, billed as output.",
    "api_variant": "Variant of the API listings: standard, turbo, fp8, …",
    "today": "API in use today, as provider/model name.",
    "today_usd_per_month": "Today's bill in USD a month; overrides --today.",
    "billing": "on-demand, community, spot, reserved-1y or reserved-3y.",
    "throughput_record": "Id of the throughput row that says what a replica serves.",
    "target_utilisation_fraction": "Share of the measured capacity that is planned for, above 0 to 1.",
    "own_output_tokens_per_s": "Your measured output tokens/s of one replica; name the GPU too.",
    "own_usd_per_gpu_hour": "Your price in USD per GPU-hour; name the GPU too.",
    "gpu": "Only deployments on this GPU.",
    "gpus_per_replica": "GPUs per replica, with your own rate and no chosen throughput record.",
}


def takes_scenario(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command one option per field of a scenario, and hands it the scenario as its first argument."""

    def with_options(**given: Any) -> None:  # noqa: ANN401 - whatever Typer parsed
        texts = {name: given.pop(name) for name in SCENARIO_HELP}
        # The reader of links reads the options too, so both say the same of a value that cannot be used.
        command(from_query({name: text for name, text in texts.items() if text is not None}), **given)

    defaults = DEFAULTS.query(every_field=True)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    help=text, show_default=defaults.get(name, False), metavar="NUMBER" if is_number(name) else "TEXT"
                ),
            ],
        )
        for name, text in SCENARIO_HELP.items()
    ]
    own = list(inspect.signature(command).parameters.values())[1:]
    with_options.__signature__ = inspect.Signature(options + own)  # type: ignore[attr-defined]
    with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
    return with_options


def main() -> None:
    """Run the command line; what was raised on purpose is one sentence, a bug shows its traceback."""
    try:
        app()
    except LlmCompareError as problem:
        print(f"llmcompare: {problem}", file=sys.stderr)
        sys.exit(EXIT_REFUSED)


@app.command()
def seed(*, as_json: Json = False) -> None:
    """Build the catalogue from data/*.csv, or list every cell that is refused."""
    started = time.perf_counter()
    state = catalogue.current(date.today())
    seconds = time.perf_counter() - started
    if state.problem is not None:
        if as_json and isinstance(state.problem, DataError):
            _print_json({"errors": [asdict(cell) for cell in state.problem.cells]})
        raise state.problem
    facts = state.usable()
    summaries = tables.summary_table(facts)
    if as_json:
        rows = [dict(zip(summaries.columns[:7], row[:7], strict=True)) for row in summaries.rows]
        _print_json({"catalogue": facts.catalog.fingerprint, "seconds": round(seconds, 3), "tables": rows})
        return
    print(f"Catalogue {facts.catalog.fingerprint}, ready in {seconds:.1f} s.")
    for name, count, oldest, newest, undated, sources, unjoined, _ in summaries.rows:
        gaps = f", {undated} undated" if undated else ""
        gaps += f", {unjoined} join nothing" if unjoined else ""
        print(f"  {name}: {count} rows from {sources} sources, {oldest or '—'} to {newest or '—'}{gaps}")


@app.command(name="costs")
@takes_scenario
def costs_command(scenario: Scenario, *, as_json: Json = False) -> None:
    """Compare token-priced APIs, rented GPUs and today's API for a workload."""
    comparison = costs.compare(_facts(), scenario)
    if as_json:
        _print_json(export.comparison_json(comparison))
        return
    print(words.headline(comparison))
    print(f"({comparison.model.display_name}: {words.workload_text(comparison)})")
    for sentence in (*words.option_sentences(comparison), *map(words.crossing_sentences, comparison.pairs)):
        print(f"  {sentence}")
    print("Assumptions:")
    for assumption in words.assumptions(comparison):
        print(f"  {assumption.name}: {assumption.value} — {assumption.meaning}")


@app.command()
@takes_scenario
def report(
    scenario: Scenario, *, out: Annotated[Path, typer.Option(help="HTML file to write.")], as_json: Json = False
) -> None:
    """Write the comparison as one HTML file that works without a network."""
    comparison = costs.compare(_facts(), scenario)
    text = export.report_html(comparison, made_on=date.today())
    export.write_file(out, text)
    if as_json:
        _print_json(
            {
                "file": str(out),
                "size_bytes": len(text.encode()),
                "row_ids": [row.row_id for row in comparison.rows_used],
            }
        )
    else:
        print(f"{out} is written, {len(text.encode()) / 1e6:.1f} MB.")


@app.command(name="run")
def run_command(
    prompt: Annotated[str, typer.Argument(help="What the models should answer.")],
    *,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A GGUF file, or the name of one in var/models; may be given several times."),
    ] = None,
    system: Annotated[str | None, typer.Option(help="System prompt.")] = None,
    max_tokens: Annotated[int, typer.Option(help="Most tokens to generate.")] = 256,
    temperature: Annotated[float, typer.Option(help="0 is greedy.")] = 0.0,
    top_p: Annotated[float, typer.Option(help="Share of probability to sample from.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the random numbers, at temperatures above 0.")] = 0,
    context: Annotated[int, typer.Option(min=32, help="Tokens of context to load each model with.")] = 4096,
    scheduling: Annotated[
        str, typer.Option(help="in-turn: figures can be compared. together: all at once, they slow each other.")
    ] = "in-turn",
    as_json: Json = False,
) -> None:
    """Run one prompt through local models, side by side. Without --model, through the demo model."""
    plan = runs.Plan(
        prompt=prompt,
        system=system,
        models=runs.models_named(model or []),
        sampling=Sampling(max_tokens=max_tokens, temperature=temperature, top_p=top_p, seed=seed),
        scheduling=runs.scheduling(scheduling),
        context_tokens=context,
    )
    replies = runs.run(plan)
    if as_json:
        shown = [reply_json(reply, plan.scheduling) for reply in replies]
        _print_json({"prompt": prompt, "run_id": replies[0].run_id, "replies": shown})
    else:
        for reply in replies:
            print(f"== {reply.model}\n{reply.text}\n   {figures_in_words(reply, plan.scheduling)}\n")
    if all(reply.error for reply in replies):
        raise typer.Exit(EXIT_REFUSED)


@app.command(name="bench")
def bench_command(
    model: Annotated[
        str | None, typer.Argument(help="A GGUF file, or the name of one in var/models.", show_default=False)
    ] = None,
    *,
    threads: Annotated[int | None, typer.Option(help="As many as there are free cores unless told otherwise.")] = None,
    prompt: Annotated[int, typer.Option(help="Tokens to read at once; 0 leaves reading out.")] = 512,
    generate: Annotated[int, typer.Option(help="Tokens to write one by one; 0 leaves writing out.")] = 128,
    depth: Annotated[str, typer.Option(help="Tokens already in the context; several after commas.")] = "0",
    repetitions: Annotated[int, typer.Option(help="Of each test, after a warm-up.")] = 5,
    jsonl: Annotated[Path | None, typer.Option(help="Write the figures to this file, as llama-bench does.")] = None,
    import_file: Annotated[
        Path | None, typer.Option("--import", help="Take the figures of this file instead of measuring.")
    ] = None,
    measured_here: Annotated[
        bool, typer.Option("--measured-here", help="The imported file is of this machine.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure how fast this machine runs a model: pp512, tg128 and so on, as llama-bench counts them."""
    if import_file is not None:
        if model is not None:
            raise InputError(f"{model} and --import {import_file} are both given: measure, or import a file.")
        _import(import_file, measured_here=measured_here, as_json=as_json)
        return
    if model is None:
        raise InputError("no model is named: give a GGUF file, or --import FILE.jsonl.")
    plan = bench.plan(
        model,
        prompt_tokens=prompt,
        generated_tokens=generate,
        depths=_counts("depth", depth),
        repetitions=repetitions,
        threads=threads,
    )
    found = bench.run(plan)
    if jsonl is not None:
        export.write_file(jsonl, bench_files.json_lines([bench_files.row_of(test) for test in found.tests]))
    looked = machine.looked_at(runs.log())
    if as_json:
        _print_json(bench.as_json(found, looked))
    else:
        print("\n".join([*bench.sentences(found), machine.hardware_in_words(looked)]))


def _import(path: Path, *, measured_here: bool, as_json: bool) -> None:
    read = bench.import_file(path, measured_here=measured_here)
    if as_json:
        _print_json({"file": str(path), "imported": len(read.facts), "left_out": read.combined_count})
        return
    left_out = f", {read.combined_count} left out that time reading and writing together" if read.combined_count else ""
    print(f"{counted(len(read.facts), 'measurement')} of {path.name} imported{left_out}.")


def _counts(name: str, text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{name} is {text!r}: give numbers of tokens, several after commas.") from None


@app.command(name="fit")
def fit_command(
    name: Annotated[str, typer.Argument(help="Model id or alias, a GGUF file, or owner/repository:file.gguf.")],
    *,
    context: Annotated[int, typer.Option(help="Tokens of prompt and reply together.")],
    weight_format: Annotated[
        str | None, typer.Option("--format", help="bf16, fp8, awq-int4, gguf-q4_k_m, …; a file's own by default.")
    ] = None,
    kv_format: Annotated[str, typer.Option(help="Of the KV cache: fp16, fp8, q8_0, q4_0, …")] = "fp16",
    sequences: Annotated[int, typer.Option(help="Sequences held at the same time.")] = 1,
    gpu: Annotated[str | None, typer.Option(help="Only this GPU id.")] = None,
    as_json: Json = False,
) -> None:
    """What a model needs in memory, and which GPUs hold it."""
    facts = _facts()
    use = Use(context_tokens=context, sequences=sequences, kv_format=kv_format)
    found = fit.fit(facts, fit.subject(facts, name), use, format_name=weight_format, gpu_id=gpu)
    if as_json:
        _print_json(fit.fit_json(found))
        return
    for sentence in fit.sentences(found):
        print(sentence)


@app.command(name="predict")
def predict_command(
    *,
    csv_file: Annotated[Path, typer.Option("--csv", help="Rows in the columns of data/throughput.csv.")],
    out: Annotated[Path, typer.Option(help="CSV file to write: the same rows with predictions beside them.")],
    as_json: Json = False,
) -> None:
    """Predict the speed of every row of a file, each with a low and a high figure (10th and 90th percentile)."""
    row_count, predicted_count = predict.predict_file(_facts(), csv_file, out)
    if as_json:
        _print_json({"file": str(out), "rows": row_count, "predicted": predicted_count})
        return
    print(f"{out}: {predicted_count:,} of {row_count:,} rows predicted; the column reason says why not.")


@app.command(name="doctor")
def doctor_command(
    *, port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the dashboard.")] = 8501, as_json: Json = False
) -> None:
    """Look whether everything that llmcompare needs is here."""
    findings = doctor.examine(port=port, today=date.today())
    if as_json:
        _print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            sign = "ok " if finding.ok else "BAD" if finding.needed else "-- "
            print(f"{sign} {finding.name}: {finding.detail}")
    if any(finding.needed and not finding.ok for finding in findings):
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def serve(*, port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8501) -> None:
    """Start the dashboard at http://127.0.0.1:8501."""
    doctor.require_free_port(port)
    print(f"The dashboard is at http://{doctor.ADDRESS}:{port} — Ctrl-C ends it.", flush=True)
    os.chdir(PROJECT_FOLDER)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    os.execv(sys.executable, command)


def _facts() -> Facts:
    state = catalogue.current(date.today())
    if state.problem is not None and state.facts is not None:
        print(f"llmcompare: the last good catalogue is in use: {state.problem}", file=sys.stderr)
    return state.usable()


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
