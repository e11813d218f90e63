"""The report of one prompt through several models: what was asked, what they said, how fast, for how much money."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from llmcompare.core.asked import asked
from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.core.phrases import listed
from llmcompare.core.replies import ENDS, can_be_typed, endpoint_of, figures_in_words, reply_table, run_flags
from llmcompare.core.reply_price import ReplyCost, cheapest, cost_json, price_in_words
from llmcompare.core.reply_speeds import speed_caveats, speed_sentence
from llmcompare.core.tables import Table
from llmcompare.core.units import counted
from llmcompare.reports.report import Quote, Report, Section, Source, sources_of


def run_report(
    run: RunFact,
    replies: Sequence[ReplyFact],
    *,
    running: bool,
    made_on: date,
    costs: Sequence[ReplyCost | None] = (),
    price_flags: str = "",
    before: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (),
    texts: Sequence[str] = (),
) -> Report:
    """Replies in the order of their slots, missing ones left out; what each cost, and the options that price it so.

    `before` are prompts of the turns before, each with models and their replies; `texts` are whole replies where these
    continue others.
    """
    texts = texts or [reply.text for reply in replies]
    costs = costs or [None for _ in replies]
    system = (Quote(title="System prompt", text=run.system),) if run.system else ()
    speeds = " ".join([speed_sentence(replies, run.scheduling), *speed_caveats(replies, run.scheduling)])
    missing = len(run.models) - len(replies)
    so_far = f" Replies so far: {len(replies)} of {len(run.models)}; " if missing else ""
    why = ("the run still goes on." if running else "the run was interrupted.") if missing else ""
    engines = Counter(
        (f"{reply.engine}, {_place(run, reply)}", reply.ended_at[:10]) for reply in replies if reply.engine
    )
    return Report(
        title=f"One prompt, {counted(len(run.models), 'model')}",
        answer=speeds + so_far + why,
        made_on=made_on,
        as_of=f"Run on {run.asked_at[:10]}.",
        sections=(
            Section(
                heading="Asked",
                sentences=tuple(_settings(run)),
                quotes=(*system, *_said_before(before), Quote(title="Prompt", text=run.prompt)),
            ),
            Section(
                heading="Replies",
                quotes=tuple(
                    Quote(title=_reply_title(reply), text=text or "—")
                    for reply, text in zip(replies, texts, strict=True)
                ),
            ),
            Section(
                heading="Figures",
                sentences=tuple(f"{r.model}: {figures_in_words(r, run.scheduling).rstrip('.')}." for r in replies),
                tables=(reply_table(run, replies),) if replies else (),
            ),
            _prices(replies, costs),
        ),
        assumptions=(),
        sources=(
            *(
                Source(text=engine, url=None, as_of=as_of, row_count=count)
                for (engine, as_of), count in sorted(engines.items())
            ),
            *sources_of(dict.fromkeys(row for cost in costs if cost is not None for row in cost.rows)),
        ),
        command=f"python -m llmcompare run {run_flags(run, price_flags)}" if can_be_typed(run) else _IN_THE_PLAYGROUND,
        basis=f"from run {run.run_id}, measured on one machine with one prompt",
        file_name=f"llmcompare-run-{run.asked_at[:10]}-{run.run_id[:8]}",
    )


def _said_before(turns: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> Iterator[Quote]:
    for number, (prompt, replies) in enumerate(turns, start=1):
        yield Quote(title=f"Turn {number}", text=prompt)
        for model, text in replies:
            yield Quote(title=f"Turn {number}, {model}", text=text or "—")


def _prices(replies: Sequence[ReplyFact], costs: Sequence[ReplyCost | None]) -> Section:
    known = [(reply, cost) for reply, cost in zip(replies, costs, strict=True) if cost is not None]
    if not known:
        return Section(heading="Price of each reply")
    return Section(
        heading="Price of each reply",
        sentences=(
            *(f"{reply.model}: {price_in_words(cost)}." for reply, cost in known),
            *_cheapest(replies, costs),
        ),
        tables=(_price_table(known),),
    )


def _cheapest(replies: Sequence[ReplyFact], costs: Sequence[ReplyCost | None]) -> Iterator[str]:
    """Of complete replies, as the Playground marks it."""
    complete = [cost if reply.ended_by_itself else None for reply, cost in zip(replies, costs, strict=True)]
    found = cheapest(complete)
    if found.slots:
        names = listed([replies[at].model for at in found.slots])
        yield f"Cheapest: {names}{'' if found.sure else ', though the bands of the prices overlap'}."


def _price_table(known: Sequence[tuple[ReplyFact, ReplyCost]]) -> Table:
    figures = ("usd", "usd_low", "usd_high", "priced_at")
    rows = [
        (
            reply.slot + 1,
            reply.model,
            *(cost_json(cost)[name] for name in figures),
            "; ".join(cost.how),
            ", ".join(row.row_id for row in cost.rows),
        )
        for reply, cost in known
    ]
    return Table(
        name="reply_prices",
        title="Prices of the replies",
        columns=("slot", "model", *figures, "how", "row_ids"),
        rows=tuple(rows),
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
