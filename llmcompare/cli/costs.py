"""What the options cost, printed or as a report: costs, report."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.cli.scenario import takes_scenario
from llmcompare.core import freshness, tiers, words
from llmcompare.core.scenario import Scenario
from llmcompare.services import costs, export
from llmcompare.services.comparison_json import comparison_json


@app.command(name="costs")
@takes_scenario
def costs_command(scenario: Scenario, *, as_json: Json = False) -> None:
    """Compare token-priced APIs, rented GPUs and today's API for a workload."""
    comparison = costs.compare(facts(), scenario)
    if as_json:
        print_json(comparison_json(comparison, today=date.today()))
        return
    print(words.headline(comparison))
    print(f"({comparison.model.display_name}: {words.workload_text(comparison)})")
    if stale := freshness.stale_sentence(comparison, today=date.today()):
        print(stale)
    found = tiers.tiers(tiers.ways(comparison), tokens_per_request=comparison.workload.tokens_per_request)
    for sentence in (
        *words.option_sentences(comparison),
        *tiers.growth_sentences(comparison),
        *map(words.crossing_sentences, comparison.pairs),
        *tiers.sentences(found),
    ):
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
    comparison = costs.compare(facts(), scenario)
    text = export.report_html(comparison, made_on=date.today())
    export.write_file(out, text)
    if as_json:
        print_json(
            {
                "file": str(out),
                "size_bytes": len(text.encode()),
                "row_ids": [row.row_id for row in comparison.rows_used],
            }
        )
    else:
        print(f"{out} is written, {len(text.encode()) / 1e6:.1f} MB.")
