"""Where two options cross, and what that hangs on: breakeven."""

from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.cli.scenario import takes_scenario
from llmcompare.core import two_options, words
from llmcompare.core.arithmetic import shown
from llmcompare.core.knobs import DEFAULT_SPREAD_FRACTION
from llmcompare.core.scenario import Scenario
from llmcompare.core.sensitivity import Bar
from llmcompare.core.units import count_text, usd_text
from llmcompare.errors import InputError
from llmcompare.services import breakeven, costs
from llmcompare.services.breakeven_json import breakeven_json

OPTION = "api, serverless, rented, rented_at_scale, owned or today."
MOST_SPREAD = 0.9


@app.command(name="breakeven")
@takes_scenario
def breakeven_command(
    scenario: Scenario,
    *,
    first: Annotated[str, typer.Option(help=OPTION)] = "api",
    second: Annotated[str, typer.Option(help=OPTION)] = "rented",
    spread_fraction: Annotated[
        str, typer.Option(metavar="NUMBER", help="Spread of inputs without a band, to both sides. Assumption.")
    ] = str(DEFAULT_SPREAD_FRACTION),
    as_json: Json = False,
) -> None:
    """Where two options cross, as intervals, what matters most, and the arithmetic."""
    read = facts()
    spread = _spread(spread_fraction)
    found = breakeven.breakeven(read, costs.compare(read, scenario), first, second, spread_fraction=spread)
    if as_json:
        print_json(breakeven_json(found))
        return
    print(two_options.answer(found.pair))
    print(f"({found.comparison.model.display_name}: {words.workload_text(found.comparison)})")
    for sentence in (*two_options.details(found.pair), *two_options.crossing_sentences(found.pair)):
        print(f"  {sentence}")
    print(f"What matters most: from which volume {found.pair.late.name} pays, and what it saves at yours:")
    _print_bars(found)
    print("The arithmetic, at middle prices:")
    for heading, steps in two_options.arithmetic(found.pair):
        print(f"  {heading}")
        for step in steps:
            print(f"    {step.what}: {step.numbers} = {shown(step.result)} {step.unit}")
    print("Assumptions:")
    for assumption in (*words.assumptions(found.comparison), *breakeven.assumptions(found)):
        print(f"  {assumption.name}: {assumption.value} — {assumption.meaning}")


def _print_bars(found: breakeven.Breakeven) -> None:
    pays = {bar.input.name: bar for bar in found.pays_from}
    for bar in found.saving:
        knob, other = found.knob(bar.input.name), pays.get(bar.input.name)
        volumes = "" if other is None else f"from {_volume(other.at_low)} to {_volume(other.at_high)}; "
        print(f"  {knob.label}, {knob.text(knob.band.low)} to {knob.text(knob.band.high)}: {volumes}{_savings(bar)}")


def _volume(value: float | None) -> str:
    return "never" if value is None else count_text(value)


def _savings(bar: Bar) -> str:
    low, high = ("no such option" if usd is None else usd_text(usd) for usd in (bar.at_low, bar.at_high))
    return f"saving {low} to {high} a month"


def _spread(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MOST_SPREAD:
        raise InputError(f"spread_fraction is {text[:30]!r}: give a number from 0 to {MOST_SPREAD:g}.")
    return value
