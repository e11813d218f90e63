"""The catalogue, the health of the installation, the dashboard: seed, doctor, serve."""

import os
import sys
import time
from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from llmcompare.cli.app import EXIT_REFUSED, Json, app, print_json
from llmcompare.errors import DataError
from llmcompare.services import catalogue, doctor, tables
from llmcompare.store.paths import PROJECT_FOLDER


@app.command()
def seed(*, as_json: Json = False) -> None:
    """Build the catalogue from data/*.csv, or list every cell that is refused."""
    started = time.perf_counter()
    state = catalogue.current(date.today())
    seconds = time.perf_counter() - started
    if state.problem is not None:
        if as_json and isinstance(state.problem, DataError):
            print_json({"errors": [asdict(cell) for cell in state.problem.cells]})
        raise state.problem
    facts = state.usable()
    summaries = tables.summary_table(facts)
    if as_json:
        rows = [dict(zip(summaries.columns[:7], row[:7], strict=True)) for row in summaries.rows]
        print_json({"catalogue": facts.catalog.fingerprint, "seconds": round(seconds, 3), "tables": rows})
        return
    print(f"Catalogue {facts.catalog.fingerprint}, ready in {seconds:.1f} s.")
    for name, count, oldest, newest, undated, sources, unjoined, _ in summaries.rows:
        gaps = f", {undated} undated" if undated else ""
        gaps += f", {unjoined} join nothing" if unjoined else ""
        print(f"  {name}: {count} rows from {sources} sources, {oldest or '—'} to {newest or '—'}{gaps}")


@app.command(name="doctor")
def doctor_command(
    *, port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the dashboard.")] = 8501, as_json: Json = False
) -> None:
    """Look whether everything that llmcompare needs is here."""
    findings = doctor.examine(port=port, today=date.today())
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
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
