"""Looks what price lists ask now, and saves it as new dated rows behind those of data/."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from llmcompare.core import refresh_words as words
from llmcompare.core.refresh import Finding, Refresh, compared, held_back
from llmcompare.errors import InputError
from llmcompare.services.catalogue import Facts
from llmcompare.services.refresh_genai import genai_prices
from llmcompare.services.refresh_gpuhunt import gpuhunt
from llmcompare.services.refresh_lists import GENAI_PRICES, LISTS, PriceList
from llmcompare.services.refresh_rows import Rows
from llmcompare.store import data_rows
from llmcompare.store.paths import Folders, folders

TABLES = dict(zip(LISTS, ("api_prices", "gpu_prices"), strict=True))
"""The table that the rows of a list belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One list: against the catalogue, or why it could not be read."""

    name: str
    read: PriceList | None
    found: Refresh | None
    problem: str | None

    @property
    def table(self) -> str:
        """Where its rows belong."""
        return TABLES[self.name]


def look(
    facts: Facts,
    *,
    today: date,
    lists: Sequence[str] = LISTS,
    as_of: date | None = None,
    where: Folders | None = None,
) -> list[Looked]:
    """Read the lists and compare them; nothing is saved. Raises DataError where data/ itself is bad."""
    rows = Rows(facts)
    return [_looked(name, facts, rows, today, as_of, where or folders()) for name in lists]


def _looked(name: str, facts: Facts, rows: Rows, today: date, as_of: date | None, where: Folders) -> Looked:
    try:
        if name == GENAI_PRICES:
            read = genai_prices(facts, rows, today=today, as_of=as_of)
        else:
            read = gpuhunt(rows, today=today)
    except InputError as problem:
        return Looked(name=name, read=None, found=None, problem=str(problem))
    table = TABLES[name]
    found = compared(read.quotes, rows.known(table), list_source=read.source, listed=read.listed)

    def refused(candidates: Sequence[Finding]) -> dict[int, list[str]]:
        cells = data_rows.refused(where, table, [one.quote.cells for one in candidates], today=today)
        return {place: [f"{cell.column} {cell.value!r} {cell.rule}" for cell in bad] for place, bad in cells.items()}

    return Looked(name=name, read=read, found=held_back(found, refused) if found.to_save else found, problem=None)


def to_save(looked: Sequence[Looked]) -> dict[str, int]:
    """How many rows would be saved, by table."""
    return {one.table: len(one.found.to_save) for one in looked if one.found and one.found.to_save}


def save(one: Looked, *, today: date, where: Folders | None = None) -> int:
    """Put the rows of a list behind those of its table, all or none, and say how many. Raises DataError, StoreError."""
    rows = [finding.quote.cells for finding in one.found.to_save] if one.found else []
    if rows:
        data_rows.append(where or folders(), one.table, rows, today=today)
    return len(rows)


def refresh_json(looked: Sequence[Looked], saved: dict[str, int]) -> dict[str, Any]:
    """Everything that was read and what became of it, units in the keys."""
    return {"lists": [_list_json(one) for one in looked], "saved_rows": saved}


def _list_json(one: Looked) -> dict[str, Any]:
    if one.read is None or one.found is None:
        return {"name": one.name, "problem": one.problem}
    found = one.found
    return {
        "name": one.name,
        "version": one.read.version,
        "as_of": one.read.as_of,
        "source": one.read.source,
        "how": one.read.how,
        "problem": None,
        "table": one.table,
        "summary": words.summary(found),
        **{state: [_finding_json(finding) for finding in found.of(state)] for state in ("changed", "new", "held")},
        "confirmed_count": len(found.of("confirmed")),
        "known_count": len(found.of("known")),
        "gone": [{"offer": list(row.offer), "as_of": row.as_of, "row_id": row.row_id} for row in found.gone],
        "unmatched": list(one.read.unmatched),
        "left_out": dict(one.read.left_out),
    }


def _finding_json(one: Finding) -> dict[str, Any]:
    units = ("input_usd_per_mtok", "output_usd_per_mtok") if one.quote.kind == "api" else ("usd_per_gpu_hour",)
    return {
        "offer": list(one.quote.offer),
        "thing": one.quote.thing,
        "usd": dict(zip(units, one.quote.usd, strict=True)),
        "usd_before": None if one.known is None else dict(zip(units, one.known.usd, strict=True)),
        "before_as_of": None if one.known is None else one.known.as_of,
        "ratio": one.ratio,
        "as_of": one.quote.as_of,
        "doubts": list(one.doubts),
        "row_id_before": None if one.known is None else one.known.row_id,
    }
