"""A report: what was asked, what came out, every figure with its source and date, and how to get it again."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from llmcompare import figures
from llmcompare.core import tables, words
from llmcompare.core.comparison import Comparison, UsedRow
from llmcompare.core.records import source_url
from llmcompare.core.tables import Table
from llmcompare.core.words import Assumption


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure with its content in words."""

    figure: go.Figure
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with sentences, and maybe a chart and tables."""

    heading: str
    sentences: tuple[str, ...] = ()
    chart: Chart | None = None
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source with how many rows of the report rest on it."""

    text: str
    url: str | None
    as_of: str | None
    row_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a written report holds."""

    title: str
    answer: str
    made_on: date
    as_of: str
    """Dates of the rows used, in words."""
    sections: tuple[Section, ...]
    assumptions: tuple[Assumption, ...]
    sources: tuple[Source, ...]
    command: str
    """Prints the same figures."""
    fingerprint: str
    """Of the catalogue behind them."""


def cost_report(comparison: Comparison, *, made_on: date) -> Report:
    """The report of a cost comparison."""
    price_tables = (
        tables.api_price_table(comparison),
        tables.gpu_price_table(comparison),
        tables.today_table(comparison),
    )
    deployments = tables.deployment_table(comparison)
    return Report(
        title=f"What {comparison.model.display_name} costs: {words.workload_text(comparison)}",
        answer=words.headline(comparison),
        made_on=made_on,
        as_of=words.as_of_text(row.as_of for row in comparison.rows_used),
        sections=(
            Section(
                heading="Monthly cost over volume",
                sentences=(*words.option_sentences(comparison), *map(words.crossing_sentences, comparison.pairs)),
                chart=Chart(figure=figures.cost_curves(comparison), description=cost_description(comparison)),
            ),
            Section(heading="What could be rented", tables=(deployments,) if deployments.rows else ()),
            Section(heading="Prices used", tables=tuple(table for table in price_tables if table.rows)),
            Section(heading="Points of the curves", tables=(tables.curve_table(comparison),)),
        ),
        assumptions=tuple(words.assumptions(comparison)),
        sources=tuple(_sources(comparison.rows_used)),
        command=f"python -m llmcompare costs {comparison.scenario.flags()} --json",
        fingerprint=comparison.fingerprint,
    )


def cost_description(comparison: Comparison) -> str:
    """The cost chart in words, for those who do not see it."""
    crossings = " ".join(map(words.crossing_sentences, comparison.pairs))
    return f"Monthly cost over monthly requests, both logarithmic. {words.headline(comparison)} {crossings}"


def _sources(rows: Iterable[UsedRow]) -> Iterator[Source]:
    counts = Counter((row.source, row.as_of) for row in rows)
    for (text, as_of), count in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        yield Source(text=text, url=source_url(text), as_of=as_of, row_count=count)
