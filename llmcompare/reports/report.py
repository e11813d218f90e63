"""A report: what was asked, what came out, every figure with its source and date, and how to get it again."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from llmcompare import figures
from llmcompare.core import freshness, stack, tables, tiers, words
from llmcompare.core.comparison import Comparison
from llmcompare.core.phrases import Assumption
from llmcompare.core.records import source_url
from llmcompare.core.scenario import UsedRow
from llmcompare.core.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure with its content in words."""

    figure: go.Figure
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Text to the letter, with what it is."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with sentences, and maybe quoted texts, a chart and tables."""

    heading: str
    sentences: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    chart: Chart | None = None
    tables: tuple[Table, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show under the heading."""
        return not (self.sentences or self.quotes or self.chart or self.tables)


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
    basis: str
    """What the figures were made from."""
    file_name: str
    """Of the file it is written to, without the ending."""


def cost_report(comparison: Comparison, *, made_on: date) -> Report:
    """The report of a cost comparison."""
    price_tables = [
        freshness.marked(table(comparison), today=made_on)
        for table in (tables.api_price_table, tables.gpu_price_table, tables.today_table)
    ]
    stale = freshness.stale_sentence(comparison, today=made_on)
    deployments = tables.deployment_table(comparison)
    return Report(
        title=f"What {comparison.model.display_name} costs: {words.workload_text(comparison)}",
        answer=words.headline(comparison),
        made_on=made_on,
        as_of=words.as_of_text(row.as_of for row in comparison.rows_used) + (f" {stale}" if stale else ""),
        sections=(
            Section(
                heading="Monthly cost over volume",
                sentences=(
                    *words.option_sentences(comparison),
                    *tiers.growth_sentences(comparison),
                    *map(words.crossing_sentences, comparison.pairs),
                ),
                chart=Chart(figure=figures.cost_curves(comparison), description=cost_description(comparison)),
            ),
            _parts_section(comparison),
            _tiers_section(comparison),
            Section(heading="What could be rented", tables=(deployments,) if deployments.rows else ()),
            Section(heading="Prices used", tables=tuple(table for table in price_tables if table.rows)),
            Section(heading="Points of the curves", tables=(tables.curve_table(comparison),)),
        ),
        assumptions=tuple(words.assumptions(comparison)),
        sources=tuple(sources_of(comparison.rows_used)),
        command=f"python -m llmcompare costs {comparison.scenario.flags()} --json",
        basis=f"from catalogue {comparison.fingerprint}, at list prices without tax in US dollars",
        file_name=f"llmcompare-{comparison.model.model_id}-{made_on}",
    )


def _parts_section(comparison: Comparison) -> Section:
    stacks = stack.stacks(comparison)
    return Section(
        heading="What the cost is made of",
        chart=Chart(figure=figures.cost_stack(stacks), description=stack.in_words(stacks)),
    )


def _tiers_section(comparison: Comparison) -> Section:
    found, tokens = tiers.ways(comparison), comparison.workload.tokens_per_request
    listed = tiers.tiers(found, tokens_per_request=tokens)
    figure = figures.cheapest_strip(
        listed,
        [(way.key, way.name) for way in found],
        tokens_per_month=comparison.workload.requests_per_month * tokens,
    )
    said = tuple(tiers.sentences(listed))
    return Section(
        heading="The cheapest option from 1M to 100B tokens a month",
        sentences=said,
        chart=Chart(figure=figure, description=" ".join(said)),
    )


def cost_description(comparison: Comparison) -> str:
    """The cost chart in words, for those who do not see it."""
    crossings = " ".join(map(words.crossing_sentences, comparison.pairs))
    return f"Monthly cost over monthly requests, both logarithmic. {words.headline(comparison)} {crossings}"


def sources_of(rows: Iterable[UsedRow]) -> Iterator[Source]:
    """Each source and date once."""
    counts = Counter((row.source, row.as_of) for row in rows)
    for (text, as_of), count in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        yield Source(text=text, url=source_url(text), as_of=as_of, row_count=count)
