"""Every deployment at once: sweep."""

from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_rows
from llmcompare.cli.scenario import takes_scenario
from llmcompare.core.phrases import band_text
from llmcompare.core.records import RENTED_BILLINGS
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import counted
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import candidates, overview, sweep, sweep_lines, sweep_out
from llmcompare.services.counting import same_text

SHOWN = 20


@app.command(name="sweep")
@takes_scenario
def sweep_command(
    scenario: Scenario,
    *,
    models: Annotated[
        str | None, typer.Option(help="Ids after commas, llama, mistral, qwen or all; otherwise the scenario's model.")
    ] = None,
    every_billing: Annotated[
        bool, typer.Option("--every-billing", help="Every billing class, not only the scenario's.")
    ] = False,
    every_variant: Annotated[
        bool, typer.Option("--every-variant", help="API listings of every variant, not only the scenario's.")
    ] = False,
    max_usd_per_month: Annotated[float | None, typer.Option(help="Budget in USD a month.")] = None,
    min_score: Annotated[float | None, typer.Option(help="Lowest score of a model in the cell.")] = None,
    quality: Annotated[str | None, typer.Option(help="Score cell, as the Overview page names it.")] = None,
    most: Annotated[int | None, typer.Option(min=1, help="List at most so many deployments.")] = None,
    as_json: Json = False,
) -> None:
    """Rank every deployment under the limits, and say why each other one is out."""
    known = facts()
    if max_usd_per_month is not None and not max_usd_per_month > 0:
        raise InputError(f"max_usd_per_month is {max_usd_per_month:g}: give a number above 0.")
    limits = sweep.Limits(
        billings=RENTED_BILLINGS if every_billing else (scenario.billing,),
        every_variant=every_variant,
        max_usd_per_month=max_usd_per_month,
        min_score=min_score,
    )
    cells = overview.score_cells(known)
    if quality is not None and quality not in cells:
        raise UnknownIdError("score cell", quality, cells)
    cell = cells[quality] if quality is not None else next(iter(cells.values()), None)
    context = sweep_lines.context(known, scenario, cell)
    named = candidates.models_named(known, models or scenario.model)
    found = sweep.sweep(known, scenario, named, limits, scores=context.quality)
    besides = sweep_lines.beside(known, found, context)
    listed = sweep_lines.lines(known, found, context, besides, most=most)
    if as_json:
        print_rows(sweep_out.sweep_json(known, found, context, listed, besides))
        return
    print(sweep_lines.answer(found, listed, context, besides))
    for line in listed[:SHOWN]:
        score = "no score published" if line.quality is None else f"{line.quality.mid:g} unquantised"
        loss = f"score: {score}; loss by the format: {line.format_loss}"
        print(f"  {band_text(line.usd_per_month)} a month: {line.name}, {line.billing} ({loss})")
    changes = sweep_lines.changes(found, listed, context, besides)
    for sentence in (*sweep_lines.limit_sentences(found), *changes, *same_text(known, scenario)):
        print(sentence)
    print("Out:")
    for reason, count in sweep_out.counts_out(found, besides).items():
        print(f"  {counted(count, 'deployment')}: {reason}")
