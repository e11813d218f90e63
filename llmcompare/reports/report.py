"""A report: what was asked, what came out, every figure with its source and date, and how to get it again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from llmcompare import figures
from llmcompare.core import freshness, stack, tables, tiers, words
from llmcompare.core.asked import asked
from llmcompare.core.comparison import Comparison
from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.core.phrases import Assumption
from llmcompare.core.records import source_url
from llmcompare.core.replies import (
    ENDS,
    can_be_typed,
    endpoint_of,
    figures_in_words,
    reply_table,
    run_flags,
)
from llmcompare.core.reply_speeds import speed_sentence
from llmcompare.core.scenario import UsedRow
from llmcompare.core.tables import Table
from llmcompare.core.units import counted


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
        sources=tuple(_sources(comparison.rows_used)),
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


def run_report(run: RunFact, replies: Sequence[ReplyFact], *, running: bool, made_on: date) -> Report:
    """The report of one prompt through several models. Replies in the order of their slots, missing ones left out."""
    system = (Quote(title="System prompt", text=run.system),) if run.system else ()
    missing = len(run.models) - len(replies)
    so_far = f" Replies so far: {len(replies)} of {len(run.models)}; " if missing else ""
    why = ("the run still goes on." if running else "the run was interrupted.") if missing else ""
    engines = Counter(
        (f"{reply.engine}, {_place(run, reply)}", reply.ended_at[:10]) for reply in replies if reply.engine
    )
    return Report(
        title=f"One prompt, {counted(len(run.models), 'model')}",
        answer=speed_sentence(replies, run.scheduling) + so_far + why,
        made_on=made_on,
        as_of=f"Run on {run.asked_at[:10]}.",
        sections=(
            Section(
                heading="Asked",
                sentences=tuple(_settings(run)),
                quotes=(Quote(title="Prompt", text=run.prompt), *system),
            ),
            Section(
                heading="Replies",
                quotes=tuple(Quote(title=_reply_title(reply), text=reply.text or "—") for reply in replies),
            ),
            Section(
                heading="Figures",
                sentences=tuple(f"{r.model}: {figures_in_words(r, run.scheduling).rstrip('.')}." for r in replies),
                tables=(reply_table(run, replies),) if replies else (),
            ),
        ),
        assumptions=(),
        sources=tuple(
            Source(text=engine, url=None, as_of=as_of, row_count=count)
            for (engine, as_of), count in sorted(engines.items())
        ),
        command=f"python -m llmcompare run {run_flags(run)}" if can_be_typed(run) else _IN_THE_PLAYGROUND,
        basis=f"from run {run.run_id}, measured on one machine with one prompt",
        file_name=f"llmcompare-run-{run.asked_at[:10]}-{run.run_id[:8]}",
    )


def _settings(run: RunFact) -> Iterator[str]:
    found = asked(run)
    if found.common is not None:
        yield f"All slots: {found.common}, {run.scheduling}."
        return
    for model, settings in zip(run.models, found.own, strict=True):
        yield f"{model}: {settings}."


_IN_THE_PLAYGROUND = "python -m llmcompare serve"
"""What was set for each slot stands in the run, which the Playground shows and asks again."""


def _place(run: RunFact, reply: ReplyFact) -> str:
    address = endpoint_of(run, reply.slot)
    return "on this machine" if address is None else f"at {address}"


def _reply_title(reply: ReplyFact) -> str:
    error = f": {reply.error}" if reply.error else ""
    return f"{reply.model} {reply.quantization or ''} ({ENDS[reply.end]}{error})"


def cost_description(comparison: Comparison) -> str:
    """The cost chart in words, for those who do not see it."""
    crossings = " ".join(map(words.crossing_sentences, comparison.pairs))
    return f"Monthly cost over monthly requests, both logarithmic. {words.headline(comparison)} {crossings}"


def _sources(rows: Iterable[UsedRow]) -> Iterator[Source]:
    counts = Counter((row.source, row.as_of) for row in rows)
    for (text, as_of), count in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        yield Source(text=text, url=source_url(text), as_of=as_of, row_count=count)
