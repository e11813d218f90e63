"""Tables as CSV and Parquet: the same rows come back, unknown stays unknown, nothing runs in a spreadsheet."""

import csv
import io

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core import tables
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.services import costs, export
from llmcompare.services import tables as catalogue_tables
from llmcompare.ui.safe import NOTHING, plain


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))


def read_parquet(content: bytes) -> tuple[list[str], list[tuple[object, ...]]]:
    found = pyarrow.parquet.read_table(io.BytesIO(content))
    return found.column_names, list(zip(*(column.to_pylist() for column in found.columns), strict=True))


TABLES = [
    tables.curve_table,
    tables.api_price_table,
    tables.gpu_price_table,
    tables.deployment_table,
    tables.today_table,
]


@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
def test_a_table_of_the_costs_page_comes_back_from_both_files(make, real_facts):
    table = make(costs.compare(real_facts, Scenario()))
    header, *rows = read_csv(export.table_csv(table))
    assert tuple(header) == table.columns
    assert [[cell == "" for cell in row] for row in rows] == [[cell is None for cell in row] for row in table.rows]
    for row, written in zip(table.rows, rows, strict=True):
        assert [float(t) for c, t in zip(row, written, strict=True) if isinstance(c, (int, float))] == [
            c for c in row if isinstance(c, (int, float))
        ]
    assert read_parquet(export.table_parquet(table)) == (list(table.columns), list(table.rows))


@pytest.mark.parametrize("name", catalogue_tables.names())
def test_a_table_of_the_data_page_comes_back_from_parquet(name, real_facts, today):
    table = catalogue_tables.rows(real_facts, name, today=today)
    assert read_parquet(export.table_parquet(table)) == (list(table.columns), list(table.rows))


@pytest.mark.parametrize("make", [export.table_csv, export.table_parquet])
def test_a_table_without_rows_keeps_its_columns(make):
    empty = Table(name="none", title="None", columns=("provider", "usd"), rows=())
    content = make(empty)
    header = read_csv(content)[0] if make is export.table_csv else read_parquet(content)[0]
    assert header == ["provider", "usd"]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
cells = st.one_of(texts, st.just("=cmd|' /C calc'!A0"), st.text("=+-@\t\r '\"", max_size=4))


@given(rows=st.lists(st.tuples(cells, st.none() | st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_text_that_a_spreadsheet_would_run_is_made_inert_and_all_else_comes_back(rows):
    table = Table(name="t", title="T", columns=("text", "usd"), rows=tuple(rows))
    for (text, usd), (written, number) in zip(rows, read_csv(export.table_csv(table))[1:], strict=True):
        assert written[:1] not in tuple("=+-@\t\r")
        assert written in (text, f"'{text}")
        assert (number == "") == (usd is None)
        assert usd is None or float(number) == usd


MARKUP = [
    "<script>alert(1)</script>",
    "$x$",
    "[a](http://b.example)",
    ":red[x]",
    ":smile:",
    "**b**",
    "`c`",
    "# h",
    "~~s~~",
]


@pytest.mark.parametrize("text", MARKUP)
def test_no_mark_of_a_name_is_markup_for_streamlit(text):
    # What cuts a bare address shows nothing, and no text can hold it: its own colon would be escaped.
    written = plain(text).replace(NOTHING, "")
    for position, mark in enumerate(written):
        if mark in "<>$[]():*`#~_|!&{}":
            assert written[position - 1] == "\\"


@given(text=st.text(max_size=60))
def test_plain_text_is_the_same_text_without_its_backslashes(text):
    written, found = plain(text).replace(NOTHING, ""), []
    marks = iter(written)
    for mark in marks:
        found.append(next(marks) if mark == "\\" else mark)
    assert "".join(found) == text.replace("\n", " ")
    assert "\n" not in written
