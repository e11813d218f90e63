"""A form for a row of the user's own, made from what the schema says of its table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from llmcompare.core.records import YOURS
from llmcompare.services.catalogue import Facts
from llmcompare.store import overrides, queries
from llmcompare.store.overrides import Row

FREE_TEXT = ("source", "as_of_note", "language_note", "architecture_source", "shape_source")
"""Columns of which earlier entries are no help."""
DEFAULTS = {
    "scores": {"run": "1", "metric": "accuracy %", "published_by": YOURS},
    "models": {"family": "other", "modalities": "text"},
    "gpus": {},
    "gpu_prices": {"form_factor_stated": "yes", "gpu_count": "1", "region": "global"},
    "api_prices": {"variant": "standard"},
}
MOST_SUGGESTED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input of the form."""

    name: str
    """Of the column."""
    required: bool
    is_number: bool
    meaning: str | None
    """Unit and meaning."""
    choices: tuple[str, ...]
    """The words that it may hold; none where any will do."""
    suggestions: tuple[str, ...]
    """What other rows hold, where that repeats."""
    default: str


def fields(facts: Facts, table: str, *, today: date) -> tuple[Field, ...]:
    """The inputs for a row, in the order of the columns; the source is the user."""
    columns, rows = queries.table_rows(facts.catalog, table)
    present = {name: [str(row[place]) for row in rows if row[place] is not None] for place, name in enumerate(columns)}
    defaults = DEFAULTS[table] | {"as_of": today.isoformat()}
    return tuple(
        Field(
            name=column.name,
            required=column.required and column.name != "source",
            is_number=column.type != "VARCHAR",
            meaning=column.unit,
            choices=column.choices,
            suggestions=() if column.type != "VARCHAR" else _repeated(column.name, present[column.name]),
            default=defaults.get(column.name, ""),
        )
        for column in overrides.columns_of(table)
    )


def _repeated(name: str, values: list[str]) -> tuple[str, ...]:
    """Different values in the order of the alphabet, where most rows share theirs with another one."""
    different = sorted(set(values))
    if name in FREE_TEXT or name == "as_of" or len(different) > min(MOST_SUGGESTED, len(values) / 2):
        return ()
    return tuple(different)


def row(typed: Mapping[str, str | None]) -> Row:
    """What was typed in, as cells."""
    return {name: (text or "").strip() for name, text in typed.items()}


def empty_required(found: tuple[Field, ...], typed: Row) -> list[str]:
    """Names of the inputs that must be filled in and are not."""
    return [field.name for field in found if field.required and not typed.get(field.name)]
