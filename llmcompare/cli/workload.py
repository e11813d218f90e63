"""What a request log says about the workload: workload."""

from pathlib import Path
from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.core import request_log, request_log_words
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import counted
from llmcompare.core.workload import CHARACTERS_PER_TOKEN
from llmcompare.services.counting import measured_characters_per_token
from llmcompare.services.request_log import read_file
from llmcompare.services.request_log_json import flags, log_json


@app.command(name="workload")
def workload_command(
    logfile: Annotated[Path, typer.Argument(help="CSV with a header, or JSON lines: time, input and output tokens.")],
    *,
    characters_per_token: Annotated[
        float, typer.Option(help="Where the log counts characters. Assumption.")
    ] = CHARACTERS_PER_TOKEN,
    language: Annotated[
        str | None, typer.Option(help="Of the text, as a code: characters per token as measured for the model.")
    ] = None,
    model: Annotated[str, typer.Option(help="Whose tokenizer counts; with a language.")] = Scenario().model,
    time_zone: Annotated[
        str, typer.Option(help="For the hours of the week, where the log's times name a zone: UTC, Europe/Berlin, …")
    ] = request_log.UTC_NAME,
    as_json: Json = False,
) -> None:
    """Volume, percentiles, hours and peaks of a request log, and the flags that hand them to other commands."""
    read = read_file(logfile)
    if language is not None:
        characters_per_token = measured_characters_per_token(facts(), model, language)
    found = request_log.summary(read.log, characters_per_token=characters_per_token, time_zone=time_zone)
    if as_json:
        print_json(log_json(read, found))
        return
    print(request_log_words.headline(found))
    for sentence in (*request_log_words.sentences(found), *read.notes):
        print(f"  {sentence}")
    if read.bad_count:
        print(f"{counted(read.bad_count, 'line')} left out, the first of them:")
        for bad in read.bad_lines:
            print(f"  line {bad.line}: {bad.value!r}: {bad.why}")
    print("Assumptions:")
    for assumption in request_log_words.assumptions(found):
        print(f"  {assumption.name}: {assumption.value} — {assumption.meaning}")
    print("The same workload for the other commands:")
    print(f"  {flags(found)}")
