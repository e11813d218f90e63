"""Every deployment at once: sweep."""

from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.cli.scenario import takes_scenario
from llmcompare.core import sweep_words
from llmcompare.core.phrases import band_text
from llmcompare.core.records import RENTED_BILLINGS
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import counted
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import overview, sweep, sweep_lines

SHOWN = 20


@app.command(name="sweep")
@takes_scenario
def sweep_command(
    scenario: Scenario,
    *,
    models: Annotated[
        str | None, typer.Option(help="Ids after commas, llama, mistral, qwen or all; otherwise the scenario's model.")
    ] = None,
    one_billing: Annotated[
        bool, typer.Option("--one-billing", help="Only the billing class of the scenario, not every class.")
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
        billings=(scenario.billing,) if one_billing else RENTED_BILLINGS,
        max_usd_per_month=max_usd_per_month,
        min_score=min_score,
    )
    cells = overview.score_cells(known)
    if quality is not None and quality not in cells:
        raise UnknownIdError("score cell", quality, cells)
    cell = cells[quality] if quality is not None else next(iter(cells.values()), None)
    context = sweep_lines.context(known, scenario, cell)
    named = sweep.models_named(known, models or scenario.model)
    found = sweep.sweep(known, scenario, named, limits, scores=context.quality)
    listed = sweep_lines.lines(known, found, context, most=most)
    answer = sweep_lines.answer(found, listed, context)
    if as_json:
        print_json(sweep_lines.sweep_json(known, found, context, listed, answer=answer))
        return
    print(answer)
    for line in listed[:SHOWN]:
        score = "no score published" if line.quality is None else f"score {line.quality.mid:g}"
        print(
            f"  {band_text(line.usd_per_month)} a month: {line.name}, {line.billing} ({score}; loss {line.format_loss})"
        )
    for sentence in sweep_words.what_would_change(listed, today=context.today, today_usd=context.today_usd_per_month):
        print(sentence)
    print("Out:")
    for reason, count in sweep_lines.counts_out(found).items():
        print(f"  {counted(count, 'deployment')}: {reason}")
