"""The report of the Arena: who is preferred, how sure that is, and the votes behind it."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from llmcompare.core.facts import VoteFact
from llmcompare.core.phrases import Assumption
from llmcompare.core.ratings import Ratings
from llmcompare.core.ratings_words import HOW_MEASURED
from llmcompare.core.tables import Table
from llmcompare.core.units import counted
from llmcompare.figures import ratings as ratings_figures
from llmcompare.reports.report import Chart, Report, Section, Source

ASSUMPTIONS = (
    Assumption(
        name="Votes are independent",
        value="assumption",
        meaning="One person's taste and one kind of prompt are not those of others: who voted, and on how many "
        "prompts, stands under Ratings.",
        editable_as=None,
    ),
    Assumption(
        name="A tie",
        value="half a vote for either side",
        meaning="So is a vote that finds both bad.",
        editable_as=None,
    ),
)


def votes_report(
    ratings: Ratings,
    votes: Sequence[VoteFact],
    *,
    answer: str,
    sentences: Sequence[str],
    tables: Sequence[Table],
    made_on: date,
) -> Report:
    """The report of votes that count."""
    days = sorted(vote.voted_at[:10] for vote in votes)
    origins = Counter(vote.imported_from for vote in votes)
    return Report(
        title=f"Blind votes on {counted(len(ratings.counts.names), 'model')}",
        answer=answer,
        made_on=made_on,
        as_of=f"Votes of {days[0]}." if days[0] == days[-1] else f"Votes of {days[0]} to {days[-1]}.",
        sections=(
            Section(
                heading="Ratings",
                sentences=(*sentences, HOW_MEASURED),
                chart=Chart(figure=ratings_figures.ratings(ratings), description=ratings_figures.describe(ratings)),
                tables=tuple(tables),
            ),
        ),
        assumptions=ASSUMPTIONS,
        sources=tuple(
            Source(
                text=f"votes imported from {name}" if name else "votes given blind on this installation",
                url=None,
                as_of=max(vote.voted_at[:10] for vote in votes if vote.imported_from == name),
                row_count=count,
            )
            for name, count in sorted(origins.items(), key=lambda one: one[0] or "")
        ),
        command="python -m llmcompare ratings --json",
        basis=f"from {counted(len(votes), 'vote')} on two replies without names",
        file_name=f"llmcompare-votes-{made_on}",
    )
