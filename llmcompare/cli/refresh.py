"""New prices from optional packages: refresh prices."""

import sys
from datetime import date
from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.core import refresh_words as words
from llmcompare.core.units import counted
from llmcompare.errors import InputError
from llmcompare.services import refresh
from llmcompare.services.refresh import Looked
from llmcompare.services.refresh_lists import LISTS

group = typer.Typer(no_args_is_help=True, help="Read newer facts and add them as dated rows, after asking.")
app.add_typer(group, name="refresh")


@group.callback()
def _refresh() -> None:
    """Keeps `prices` a command of its own: a group with one command would take its place."""


@group.command()
def prices(
    *,
    of: Annotated[str, typer.Option("--list", help=f"One list alone: {' or '.join(LISTS)}.")] = "",
    as_of: Annotated[str, typer.Option(help="Day of a list that is read offline and does not say it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Save without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Compare the prices that lists ask now with the catalogue, and add new dated rows beside the old ones.

    Doubtful prices are held back and named. Nothing is saved before you say so.
    """
    today = date.today()
    looked = refresh.look(facts(), today=today, lists=_lists(of), as_of=_day(as_of) if as_of else None)
    if all(one.problem for one in looked):
        raise InputError("no price list could be read. " + " ".join(str(one.problem) for one in looked))
    if not as_json:
        for one in looked:
            _print(one)
    rows = refresh.to_save(looked)
    saved = {}
    if rows and (yes or _agreed(rows, as_json=as_json)):
        for one in looked:
            if count := refresh.save(one, today=today):
                saved[one.table] = count
                if not as_json:
                    print(f"Saved: {counted(count, 'row')} behind data/{one.table}.csv.")
    if as_json:
        print_json(refresh.refresh_json(looked, saved))
    elif not saved:
        print("Nothing is saved." if rows else "There is nothing to save.")


def _agreed(rows: dict[str, int], *, as_json: bool) -> bool:
    """Asked at a terminal only; elsewhere silence is no agreement."""
    if as_json:
        return False
    files = ", ".join(f"{counted(count, 'row')} behind data/{table}.csv" for table, count in rows.items())
    if not sys.stdin.isatty():
        print(f"To put {files}, run it again with --yes.")
        return False
    return typer.confirm(f"Put {files}?", default=False)


def _print(one: Looked) -> None:
    if one.read is None or one.found is None:
        print(f"{one.name}: {one.problem}")
        return
    print(f"{one.name} {one.read.version}: {one.read.how}.")
    print(f"  {words.summary(one.found)}")
    for line in words.lines(one.found):
        print(f"  {line}")
    if one.read.unmatched:
        names = ", ".join(one.read.unmatched[: words.TOLD])
        rest = len(one.read.unmatched) - words.TOLD
        more = f" and {rest:,} more" if rest > 0 else ""
        print(f"  not matched with a model of the catalogue, and left out: {names}{more}")
    for reason, count in one.read.left_out.items():
        print(f"  left out: {count:,}, {reason}")


def _lists(name: str) -> tuple[str, ...]:
    if name and name not in LISTS:
        raise InputError(f"list is {name!r}: write {' or '.join(LISTS)}.")
    return (name,) if name else LISTS


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"as-of is {text!r}, which is no day: write it as 2026-11-10.") from None
