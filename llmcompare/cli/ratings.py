"""Ratings from blind votes: ratings."""

from pathlib import Path
from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, print_json
from llmcompare.core.bootstrap import sentence
from llmcompare.core.ratings_words import HOW_MEASURED, standings
from llmcompare.services import arena, arena_files


@app.command(name="ratings")
def ratings_command(
    *,
    votes: Annotated[
        Path | None, typer.Option(help="A CSV file of votes instead of those that were given here.")
    ] = None,
    check: Annotated[bool, typer.Option(help="Check the intervals: draw the votes again 500 times.")] = False,
    as_json: Json = False,
) -> None:
    """Rate models by blind votes: intervals, who cannot be told apart, votes that would settle the first place."""
    found = arena.standings(arena.kept_votes() if votes is None else arena_files.read_file(votes))
    if as_json:
        print_json(dict(arena.ratings_json(found, check=check)))
        return
    print(found.answer)
    if found.ratings is None:
        return
    checked = [sentence(found.bootstrap)] if check and found.bootstrap else []
    for line in (*standings(found.ratings), *found.sentences, *checked, HOW_MEASURED):
        print(f"  {line}")
