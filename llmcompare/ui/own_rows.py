"""Rows of the user's own: a form per table, the list of what is kept, a file to add or to take along."""

from datetime import date

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from llmcompare.core.phrases import listed
from llmcompare.errors import BadCell, DataError, InputError, LlmCompareError
from llmcompare.services import doubts, overrides, own_rows
from llmcompare.services.catalogue import Facts
from llmcompare.services.overrides import API_PRICES, GPU_PRICES, GPUS, MODELS, SCORES, TABLES
from llmcompare.services.own_rows import Field
from llmcompare.store.overrides import Row
from llmcompare.ui import frame
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

SAID = "own_rows_said"
ADD, REPLACE = WAYS = ("Add them to mine", "Replace mine with them")
COLUMNS = 3
MEANINGS = {
    GPU_PRICES: "It stands in for the whole list of its GPU and billing class.",
    API_PRICES: "It stands in for the list of its model and variant.",
    GPUS: "With the id of a listed GPU it stands in the place of that one.",
    MODELS: "With the id of a listed model it stands in the place of that one.",
    SCORES: "It stands beside the listed ones. Scores compare within one benchmark, metric, setting and publisher.",
}
"""What a row of one's own does."""


def pick_table() -> str:
    """Which table the rows are of."""
    by_label = {label: name for name, label in TABLES.items()}
    return by_label[st.selectbox("Rows of", list(by_label), key="own_table", bind=BOUND, width=260)]


def said() -> None:
    """What the last action did."""
    if text := st.session_state.pop(SAID, None):
        st.success(plain(text), icon=":material/check:")


def say(text: str) -> None:
    """The whole app runs again, so that every figure follows; the text is shown then."""
    st.session_state[SAID] = text
    st.rerun()


def keep(table: str, row: Row) -> None:
    """Save a row, or list every cell of it that is refused."""
    try:
        overrides.save(table, row, today=date.today())
    except LlmCompareError as problem:
        show_refused(problem)
        return
    say(f"Kept: {overrides.row_text(table, row)}.")


def show_refused(problem: LlmCompareError) -> None:
    """Cell by cell: in a list, and where they are many in a table too."""
    if not isinstance(problem, DataError):
        st.error(plain(str(problem)), icon=":material/error:")
        return
    cells = problem.cells
    listed = "\n".join(f"- {plain(str(cell))}" for cell in cells[: frame.CELLS_LISTED])
    rest = len(cells) - frame.CELLS_LISTED
    more = f"\n- and {rest} more, in the table below" if rest > 0 else ""
    st.error(f"Not kept, {plain(problem.count_text)}:\n\n{listed}{more}", icon=":material/error:")
    if rest > 0:
        _refused_table(cells)


def _refused_table(cells: tuple[BadCell, ...]) -> None:
    st.dataframe(
        pd.DataFrame(
            [(cell.line, cell.column, cell.value, cell.rule) for cell in cells],
            columns=["line", "column", "value", "rule"],
        ),
        key="refused_cells",
        hide_index=True,
        alt="Refused cells",
    )


def row_form(facts: Facts, table: str) -> None:
    """One input per column; the rules are those of the files."""
    fields = own_rows.fields(facts, table, today=date.today())
    needed = [field for field in fields if field.required or field.name in ("as_of", "source")]
    others = [field for field in fields if field not in needed]
    with st.form(f"own_{table}", border=True):
        st.subheader(f"Add to your {TABLES[table]}")
        st.caption(MEANINGS[table])
        typed = _inputs(table, needed)
        if others:
            with st.expander(f"{len(others)} more columns; empty is “not known”"):
                typed |= _inputs(table, others)
        if st.form_submit_button("Keep this row", type="primary"):
            row = own_rows.row(typed)
            if missing := own_rows.empty_required(fields, row):
                st.error(plain(f"Give {', '.join(missing)}."), icon=":material/error:")
                return
            keep(table, row)


def _inputs(table: str, fields: list[Field]) -> dict[str, str | None]:
    typed = {}
    # A row of columns at a time: one below the other, on a narrow screen, they keep their order.
    for start in range(0, len(fields), COLUMNS):
        for column, field in zip(st.columns(COLUMNS), fields[start : start + COLUMNS], strict=False):
            typed[field.name] = _input(column, table, field)
    return typed


def _input(column: DeltaGenerator, table: str, field: Field) -> str | None:
    key, label = f"own_{table}_{field.name}", field.name.replace("_", " ")
    options = list(field.choices or field.suggestions)
    if options and field.default and field.default not in options:
        options.insert(0, field.default)
    if not options:
        placeholder = "yours" if field.name == "source" else None
        text: str = column.text_input(label, field.default, key=key, help=field.meaning, placeholder=placeholder)
        return text
    chosen: str | None = column.selectbox(
        label,
        options,
        index=options.index(field.default) if field.default in options else None,
        key=key,
        help=field.meaning,
        accept_new_options=not field.choices,
        placeholder="choose" if field.choices else "choose or type",
    )
    return chosen


def present(facts: Facts, table: str) -> None:
    """What is kept, as a table, a file, and a list to delete from."""
    heading, file = st.columns([3, 1], vertical_alignment="bottom")
    heading.subheader(f"Your {TABLES[table]}")
    file.download_button(
        "CSV",
        overrides.file_bytes(table),
        f"{table}.csv",
        "text/csv",
        key=f"your_{table}_file",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
        help="Your rows, or an empty form to fill in, in the form of the files in data/. Upload it again below.",
    )
    try:
        rows = overrides.present(table)
    except DataError as problem:
        show_refused(problem)
        if st.button("Delete this file", key=f"your_{table}_forget", icon=":material/delete:"):
            overrides.delete_file(table)
            say(f"Your {TABLES[table]} are deleted.")
        return
    if not rows:
        prices = table in overrides.PRICES
        st.caption("None yet: the lists of the providers count." if prices else "None yet.")
        return
    listed = overrides.shown(facts, table, rows)
    st.dataframe(
        pd.DataFrame(list(listed.rows), columns=list(listed.columns)),
        key=f"your_{table}",
        hide_index=True,
        alt=listed.title,
        placeholder="—",
    )
    if odd := doubts.own_doubts(facts, table, rows):
        said = "\n".join(f"- {plain(text)}" for text in odd)
        st.warning(f"Kept and in use, but look again:\n\n{said}", icon=":material/warning:")
    _delete(table, rows)


def _delete(table: str, rows: list[Row]) -> None:
    with st.form(f"your_{table}_delete", border=False, clear_on_submit=True):
        chosen = st.multiselect(
            "Rows to delete",
            range(len(rows)),
            format_func=lambda number: overrides.row_text(table, rows[number]),
            key=f"your_{table}_chosen",
        )
        if st.form_submit_button("Delete", icon=":material/delete:") and chosen:
            overrides.delete(table, [rows[number] for number in chosen])
            say("Deleted: " + "; ".join(overrides.row_text(table, rows[number]) for number in chosen) + ".")


def upload() -> None:
    """A file of rows: refused as a whole with every cell that breaks a rule, or taken as a whole."""
    st.subheader("Upload a file")
    with st.form("your_rows_upload", border=False, clear_on_submit=True):
        file = st.file_uploader(
            f"A CSV of {listed(list(TABLES.values()), 'or')}. Its first line names "
            "the columns; those that may be empty may be missing.",
            type="csv",
            key="your_rows_file",
            max_upload_size=overrides.MAX_UPLOAD_MB,
        )
        way = st.radio("Its rows", WAYS, key="your_rows_way", horizontal=True)
        if st.form_submit_button("Use this file") and file is not None:
            try:
                table = overrides.upload(file.getvalue(), today=date.today(), replace=way == REPLACE)
            except (InputError, DataError) as problem:
                show_refused(problem)
                return
            is_replaced = f"Your {TABLES[table]} are now those of {file.name}."
            say(is_replaced if way == REPLACE else f"The rows of {file.name} are added to your {TABLES[table]}.")
