"""What models can do, from published scores: capability."""

from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.core import capability_words as words
from llmcompare.core.capability_ranking import OVERALL
from llmcompare.errors import InputError
from llmcompare.services import capability
from llmcompare.services.candidates import models_named
from llmcompare.services.capability_json import capability_json


@app.command(name="capability")
def capability_command(
    *,
    models: Annotated[str, typer.Option(help="Ids or aliases after commas, or a family.")] = ",".join(capability.WALK),
    category: Annotated[str, typer.Option(help=f"{', '.join(capability.ASKABLE)}.")] = OVERALL,
    weights: Annotated[
        str, typer.Option(help="Of categories when all are asked for, e.g. code=3,knowledge=0; 1 for the others.")
    ] = "",
    without: Annotated[str | None, typer.Option(help="A publisher whose scores are left out.")] = None,
    as_printed: Annotated[
        bool, typer.Option("--as-printed", help="Settings are one only where their words are the same.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Rank models by published scores: intervals, who cannot be told apart, every score with its source."""
    known = facts()
    chosen = models_named(known, models)
    question = capability.asked(
        known, _spaced(category), weights=_weights(weights), without=without, as_printed=as_printed
    )
    if as_json:
        print_json(capability_json(known, question, chosen))
        return
    found = capability.ranked(known, question)
    ranking = capability.shown(found, chosen)
    print(capability.answer(known, question, ranking, chosen))
    named, wanted = capability.Named(known), capability.subjects(chosen)
    if ranking is not None:
        for line in (*words.standings(ranking, wanted, named), *words.other_modes(found, ranking, wanted, named)):
            print(f"  {line}")
        print(f"  {words.evidence(ranking)} {words.HOW_SURE}")
    for line in capability.missing(known, question, ranking, chosen):
        print(f"  {line}")
    print(f"  {words.check_sentence(capability.checked(known, question))}")


def _weights(text: str) -> dict[str, float]:
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        try:
            found[_spaced(name.strip())] = float(value)
        except ValueError:
            raise InputError(f"{part!r} is no weight: write category=number, for example code=3.") from None
    return found


def _spaced(category: str) -> str:
    """A category with its words joined by hyphens needs no quotes in a shell."""
    return category.replace("-", " ")
