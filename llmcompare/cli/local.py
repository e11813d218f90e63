"""Models on this machine: run, bench."""

from pathlib import Path
from typing import Annotated

import typer

from llmcompare.cli.app import EXIT_REFUSED, Json, app, facts, print_json
from llmcompare.core.replies import figures_in_words, reply_json
from llmcompare.core.reply_price import ReplyCost, cost_json, price_in_words
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import counted
from llmcompare.engines.base import Sampling
from llmcompare.engines.endpoints import endpoint_from
from llmcompare.errors import InputError
from llmcompare.services import bench, bench_files, export, machine, price_choices, reply_prices, runs, structured
from llmcompare.services.plans import Plan


@app.command(name="run")
def run_command(
    prompt: Annotated[str, typer.Argument(help="What the models should answer.")],
    *,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A GGUF file, or the name of one in var/models; may be given several times."),
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            help="A model on a server, KIND:MODEL@BASE_URL; after the model files, may be given several times."
        ),
    ] = None,
    system: Annotated[str | None, typer.Option(help="System prompt.")] = None,
    max_tokens: Annotated[int, typer.Option(help="Most tokens to generate.")] = 256,
    temperature: Annotated[float, typer.Option(help="0 is greedy.")] = 0.0,
    top_p: Annotated[float, typer.Option(help="Share of probability to sample from.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Likeliest tokens to sample from; 0 for all.")] = 0,
    min_p: Annotated[float, typer.Option(help="Least probability beside the likeliest token.")] = 0.0,
    repeat_penalty: Annotated[float, typer.Option(help="On tokens that were generated; 1 is none.")] = 1.0,
    stop: Annotated[list[str] | None, typer.Option(help="Ends the reply; may be given several times.")] = None,
    json_schema: Annotated[
        Path | None, typer.Option(help="File with the JSON schema that replies must follow.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random numbers, at temperatures above 0.")] = 0,
    context: Annotated[int, typer.Option(min=32, help="Tokens of context to load each model with.")] = 4096,
    scheduling: Annotated[
        str, typer.Option(help="in-turn: figures can be compared. together: all at once, they slow each other.")
    ] = "in-turn",
    price: Annotated[
        list[str] | None,
        typer.Option(
            help="Of the replies: api:PROVIDER/MODEL, gpu:NAME, deployment:KEY or usd-per-hour:NUMBER; one for all, or "
            "one for each model."
        ),
    ] = None,
    requests_per_month: Annotated[
        float, typer.Option(help="Like each reply, where it is priced at a deployment.")
    ] = 1_000_000,
    as_json: Json = False,
) -> None:
    """Run one prompt through models side by side, local ones and those of servers; without any, the demo model."""
    sampling = Sampling(
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
        repeat_penalty=repeat_penalty,
        stop=tuple(stop or ()),
        json_schema=None if json_schema is None else structured.schema_file(json_schema),
        seed=seed,
    )
    remote = tuple(map(endpoint_from, endpoint or ()))
    plan = Plan(
        prompt=prompt,
        system=system,
        models=(*(runs.models_named(model or []) if model or not remote else ()), *remote),
        sampling=sampling,
        scheduling=runs.scheduling(scheduling),
        context_tokens=context,
    )
    scenario = Scenario(requests_per_month=requests_per_month)
    chosen = price_choices.choices_from(price or (), slots=len(plan.models))
    catalogue = facts() if price_choices.needs_prices(plan, chosen) else None
    if catalogue is not None:
        for choice in chosen:
            reply_prices.require_known(catalogue, choice)
    replies = runs.run(plan)
    costs: list[ReplyCost | None] = [None for _ in replies]
    if catalogue is not None:
        fact = plan.fact(replies[0].run_id, None)
        costs = price_choices.costs_of(fact, replies, chosen, facts=catalogue, scenario=scenario)
    priced = list(zip(replies, costs, strict=True))
    if as_json:
        shown = [
            reply_json(reply, plan.scheduling) | cost_json(cost) | structured.as_json(reply, sampling)
            for reply, cost in priced
        ]
        print_json({"prompt": prompt, "run_id": replies[0].run_id, "replies": shown})
    else:
        for reply, cost in priced:
            print(f"== {reply.model}\n{reply.text}\n   {figures_in_words(reply, plan.scheduling)}")
            print("" if cost is None else f"   {price_in_words(cost)}\n")
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
        print_json(bench.as_json(found, looked))
    else:
        print("\n".join([*bench.sentences(found), machine.hardware_in_words(looked)]))


def _import(path: Path, *, measured_here: bool, as_json: bool) -> None:
    read = bench.import_file(path, measured_here=measured_here)
    if as_json:
        print_json({"file": str(path), "imported": len(read.facts), "left_out": read.combined_count})
        return
    left_out = f", {read.combined_count} left out that time reading and writing together" if read.combined_count else ""
    print(f"{counted(len(read.facts), 'measurement')} of {path.name} imported{left_out}.")


def _counts(name: str, text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{name} is {text!r}: give numbers of tokens, several after commas.") from None
