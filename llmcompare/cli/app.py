"""The command line application, its exit codes, and how it reads the catalogue and prints JSON."""

import json
import sys
from datetime import date
from typing import Annotated, Any

import typer

from llmcompare.errors import LlmCompareError
from llmcompare.services import catalogue
from llmcompare.services.catalogue import Facts

EXIT_REFUSED = 2
"""A value or a cell of data/ cannot be used; the reason is on standard error."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which open-weight model, on which deployment, for this workload, at what cost, and how sure is that?",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON; units are in the keys.")]


def main() -> None:
    """Run the command line; what was raised on purpose is one sentence, a bug shows its traceback."""
    try:
        app()
    except LlmCompareError as problem:
        print(f"llmcompare: {problem}", file=sys.stderr)
        sys.exit(EXIT_REFUSED)


def facts() -> Facts:
    """The catalogue's rows; the last good ones, with a warning, where a cell of data/ cannot be used."""
    state = catalogue.current(date.today())
    if state.problem is not None and state.facts is not None:
        print(f"llmcompare: the last good catalogue is in use: {state.problem}", file=sys.stderr)
    return state.usable()


def print_json(value: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Strict JSON: no NaN, no Infinity."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_rows(value: dict[str, Any]) -> None:
    """The same with every entry of a list on a line of its own: large lists in a tenth of the time and the size."""
    compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    parts = []
    for name, held in value.items():
        rows = ",\n".join(map(compact, held)) if isinstance(held, list) and held else None
        parts.append(f"{compact(name)}: " + (compact(held) if rows is None else f"[\n{rows}\n]"))
    print("{\n" + ",\n".join(parts) + "\n}")
