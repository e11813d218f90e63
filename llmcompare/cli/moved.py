"""What moved since a day: moved."""

from datetime import date
from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.core import moved_words as words
from llmcompare.errors import InputError
from llmcompare.services import moved
from llmcompare.services.moved import KINDS, NOUNS


@app.command(name="moved")
def moved_command(
    *,
    since: Annotated[
        str, typer.Option(help="A day, for example 2026-08-01; three months before the newest price.")
    ] = "",
    most: Annotated[int, typer.Option(min=1, help="Moves of each kind that are printed.")] = words.TOLD,
    as_json: Json = False,
) -> None:
    """Say which prices changed since a day, by how much, and which models and scores are newer."""
    known = facts()
    found = moved.news(known, _day(since) if since else moved.usual_day(known), today=date.today())
    if as_json:
        print_json(moved.news_json(found))
        return
    for kind in KINDS:
        print(words.headline(found.prices[kind], NOUNS[kind]))
        for sentence in words.largest(found.prices[kind], found.names, most=most):
            print(f"  {sentence}")
        for sentence in words.others(found.prices[kind], NOUNS[kind]):
            print(f"  {sentence}")
    for sentence in moved.catalogue_sentences(found):
        print(sentence)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"since is {text!r}, which is no day: write it as 2026-08-01.") from None
