"""The tables of the catalogue for reading: rows, filter, summaries, gaps."""

from datetime import date

from llmcompare.core import freshness
from llmcompare.core.tables import Table
from llmcompare.services.catalogue import Facts
from llmcompare.store import queries

PRICES = ("gpu_prices", "api_prices")
"""Tables of which every row is a price on a day."""


def names() -> list[str]:
    """Names of all tables."""
    return queries.table_names()


def description(facts: Facts, name: str) -> str:
    """What one row of the table is."""
    return next(s.description for s in queries.table_summaries(facts.catalog) if s.table_name == name)


def rows(facts: Facts, name: str, *, today: date) -> Table:
    """All rows as they stand in data/, with row_id and line; prices with the mark of their age."""
    columns, cells = queries.table_rows(facts.catalog, name)
    found = Table(name=name, title=name, columns=tuple(columns), rows=tuple(cells))
    return freshness.marked(found, today=today) if name in PRICES else found


def filtered(table: Table, text: str) -> Table:
    """Rows that hold every word of the text in some cell, upper and lower case alike."""
    words = text.lower().split()
    if not words:
        return table
    kept = tuple(
        row for row in table.rows if all(word in line for word in words for line in [" ".join(map(str, row)).lower()])
    )
    return Table(name=table.name, title=table.title, columns=table.columns, rows=kept)


def summary_table(facts: Facts) -> Table:
    """Row counts, ages and sources of all tables, with the rows of each that join nothing."""
    unjoined: dict[str, int] = {}
    for gap in queries.unjoined(facts.catalog):
        unjoined[gap.table_name] = unjoined.get(gap.table_name, 0) + gap.row_count
    return Table(
        name="tables",
        title="Tables",
        columns=(
            "table", "rows", "oldest", "newest", "undated_rows", "sources", "unjoined_rows", "what a row is",
        ),
        rows=tuple(
            (
                s.table_name, s.row_count, s.oldest_as_of, s.newest_as_of, s.undated_count, s.source_count,
                unjoined.get(s.table_name, 0), s.description,
            )
            for s in queries.table_summaries(facts.catalog)
        ),
    )  # fmt: skip


def unjoined_table(facts: Facts) -> Table:
    """Names that the catalogue does not know, with the number of rows that carry each."""
    return Table(
        name="unjoined",
        title="Rows that join nothing",
        columns=("table", "column", "value", "rows"),
        rows=tuple((u.table_name, u.column_name, u.value, u.row_count) for u in queries.unjoined(facts.catalog)),
    )
