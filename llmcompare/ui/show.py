"""Shows results: sentences, a chart with the data behind it, tables with sources and downloads."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from llmcompare.core import freshness
from llmcompare.core.arithmetic import Step
from llmcompare.core.arithmetic import shown as digits
from llmcompare.core.comparison import Comparison
from llmcompare.core.phrases import Assumption, sentence_start
from llmcompare.core.records import source_url
from llmcompare.core.tables import Table
from llmcompare.core.units import counted
from llmcompare.core.words import as_of_text
from llmcompare.reports.html import html
from llmcompare.reports.report import Report, Section
from llmcompare.services import export
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

CHART_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


def sentences(*texts: str) -> None:
    """A list of sentences, text from data in it made harmless."""
    st.markdown("\n".join(f"- {plain(text)}" for text in texts))


def chart(figure: go.Figure, *, key: str, description: str) -> None:
    """A chart with its content in words for those who do not see it."""
    st.plotly_chart(figure, key=key, alt=description, config=CHART_CONFIG)


def table(shown: Table, *, key: str) -> None:
    """A table with links to its sources, and downloads of the same rows."""
    frame = pd.DataFrame(list(shown.rows), columns=list(shown.columns))
    if "source" in frame:
        frame.insert(frame.columns.get_loc("source"), "source_link", frame["source"].map(source_url))
    if "as_of" in frame:
        frame["as_of"] = frame["as_of"].fillna("undated")
    links = {"source_link": st.column_config.LinkColumn("source", display_text="open")} | {
        name: st.column_config.LinkColumn(name.removesuffix("_url"), display_text="open")
        for name in frame.columns
        if name.endswith("_url")
    }
    dollars = {
        name: st.column_config.NumberColumn(format="dollar")
        for name in frame.columns
        if name.endswith("usd_per_month") or "usd_per_month_" in name
    }
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=min(38 + 35 * len(frame), 400),
        column_config={**links, **dollars},
        alt=shown.title,
        placeholder="—",
    )
    downloads(shown, key=key)


def when_asked(heading: str, parts: Mapping[str, Callable[[], None]], *, hint: str, key: str) -> None:
    """Parts of a page by name, of which the chosen one is drawn: none until a person asks.

    Tables and a second chart that nobody had asked for took a third of the time of a slider's answer
    (benchmarks/bench_app.py).
    """
    st.subheader(heading)
    chosen = st.pills(heading, list(parts), key=key, bind=BOUND, label_visibility="collapsed")
    if chosen is None:
        st.caption(hint)
    else:
        parts[chosen]()


def behind(
    tables: Mapping[str, Callable[[], Table]], others: Mapping[str, Callable[[], None]] | None = None, *, key: str
) -> None:
    """What a page's figures rest on: tables, and other parts, by name."""
    when_asked(
        "Behind the figures",
        {name: partial(_behind_table, made) for name, made in tables.items()} | dict(others or {}),
        hint="Choose one to see its rows, with sources, dates and downloads.",
        key=key,
    )


def _behind_table(made: Callable[[], Table]) -> None:
    shown = made()
    table(shown, key=shown.name)
    if "as_of" in shown.columns:
        st.caption(plain(as_of(shown)))


def downloads(shown: Table, *, key: str) -> None:
    """CSV and Parquet of a table, made when asked for."""
    forms = (
        ("CSV", "csv", "text/csv", export.table_csv),
        ("Parquet", "parquet", "application/vnd.apache.parquet", export.table_parquet),
    )
    for column, (label, ending, mime, written) in zip(st.columns([1, 1, 3]), forms, strict=False):
        column.download_button(
            label,
            partial(written, shown),
            f"{shown.name}.{ending}",
            mime,
            key=f"{key}_{ending}",
            on_click="ignore",
            icon=":material/download:",
            width="stretch",
        )


def as_of(*tables: Table) -> str:
    """Oldest and newest date of the rows shown."""
    rows = [dict(zip(shown.columns, row, strict=True)) for shown in tables for row in shown.rows]
    return as_of_text(None if row["as_of"] is None else str(row["as_of"]) for row in rows)


def stale(comparison: Comparison) -> None:
    """Under an answer: that the price which decides it is old or undated; nothing where it is fresh."""
    if sentence := freshness.stale_sentence(comparison, today=date.today()):
        st.caption(f":material/history: {plain(sentence)}")


def assumptions(found: Iterable[Assumption]) -> None:
    """What no source backs, and where to change it."""
    rows = [(a.name, a.value, a.meaning, a.editable_as or "fixed") for a in found]
    st.dataframe(
        pd.DataFrame(rows, columns=["assumption", "value", "meaning", "change it with"]),
        key="assumptions",
        hide_index=True,
        alt="Assumptions",
    )


def command(text: str) -> None:
    """A line of the command line, to be copied."""
    st.code(text, language="bash", wrap_lines=True)


def steps(found: Iterable[Step]) -> None:
    """Lines of arithmetic with the numbers filled in."""
    st.markdown(
        "\n".join(
            f"- {plain(sentence_start(step.what))}  \n  `{step.numbers} = {digits(step.result)}` {plain(step.unit)}"
            for step in found
        )
    )


def report(shown: Report) -> None:
    """A report as it will be written, and the button that writes it."""
    st.download_button(
        "Download as HTML",
        partial(html, shown),
        f"{shown.file_name}.html",
        "text/html",
        key="report_html",
        on_click="ignore",
        type="primary",
        icon=":material/download:",
        help="One file of 5 MB. Its charts work without a network.",
    )
    with st.container(border=True):
        st.header(plain(shown.title))
        st.markdown(f"**{plain(shown.answer)}**")
        st.caption(plain(f"Made on {shown.made_on} {shown.basis}. {shown.as_of}"))
        for number, section in enumerate(shown.sections):
            if not section.empty:
                _report_section(section, number)
        if shown.assumptions:
            st.subheader("Assumptions")
            assumptions(shown.assumptions)
        st.subheader("Get these figures again")
        command(shown.command)


def _report_section(section: Section, number: int) -> None:
    st.subheader(section.heading)
    if section.sentences:
        sentences(*section.sentences)
    for quote in section.quotes:
        st.caption(plain(quote.title))
        st.code(quote.text, language=None, wrap_lines=True)
    if section.chart:
        chart(section.chart.figure, key=f"report_chart_{number}", description=section.chart.description)
    for one in section.tables:
        key = f"report_{one.name}"
        content = st.expander(f"{one.title}: {counted(len(one.rows), 'row')}", key=f"{key}_open", on_change="rerun")
        if content.open:
            with content:
                table(one, key=key)
