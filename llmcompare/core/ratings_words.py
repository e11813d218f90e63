"""What ratings say, in sentences and as a table."""

from collections.abc import Iterator, Sequence

from llmcompare.core.first_place import FirstPlace
from llmcompare.core.phrases import listed
from llmcompare.core.ratings import CONFIDENCE, VOTES_ADDED, Counts, Ratings, elo_points
from llmcompare.core.tables import Cell, Table
from llmcompare.core.units import counted

HOW_MEASURED = (
    "Shown is the percent of votes that a model is expected to get against the others, a tie as half a vote, with its "
    f"{CONFIDENCE:.0%} interval."
)


def answer(found: FirstPlace, *, vote_count: int) -> str:
    """Who is first, and what it takes to be sure."""
    votes = counted(vote_count, "vote")
    if not found.rivals:
        return f"{found.leader} is first: after {votes} its lead over every other model is more than chance."
    if found.votes_needed is None:
        return f"The first place is open after {votes}: {found.reason}."
    more = counted(found.votes_needed, "more vote")
    return (
        f"{found.leader} leads after {votes}, but cannot be told apart from {listed(found.rivals)} yet: "
        f"{more} would settle the first place in one case of two, if the models are as good as they look now."
    )


def sentences(ratings: Ratings) -> Iterator[str]:
    """What stands behind the answer: who is level, ties, and what was added where a rating would be infinite."""
    level = [part for part in ratings.levels() if len(part) > 1]
    if level and len(ratings.counts.names) > 2:
        yield f"These cannot be told apart: {'; '.join(map(listed, level))}."
    if ratings.votes_added:
        yield (
            "So far some model won or lost every vote against the others, and nobody can say by how much it is better "
            f"or worse: {VOTES_ADDED:g} votes for each side are added to every compared pair, so that its rating is "
            "finite. Votes against the tide make that unnecessary."
        )
    yield tie_sentence(ratings.counts)


def tie_sentence(counts: Counts) -> str:
    """How many votes were for neither, and how they count."""
    ties, both_bad = (round(float(table.sum()) / 2) for table in (counts.ties, counts.both_bad))
    if not ties:
        return "Every vote was for one side."
    return (
        f"{ties} of {counted(counts.total, 'vote')} {'was' if ties == 1 else 'were'} for neither, {both_bad} of them "
        "because both were bad; each counts as half a vote for either side."
    )


def side_sentence(votes: Sequence[str]) -> str:
    """How often the left reply was preferred: far from half, the place on the screen decides.

    >>> side_sentence(["left", "right", "tie", "left"])
    'The left reply was preferred in 2 of 3 votes for one side; left and right are drawn by lot.'
    """
    left, decided = votes.count("left"), votes.count("left") + votes.count("right")
    if not decided:
        return "No vote was for one side."
    of = counted(decided, "vote")
    return f"The left reply was preferred in {left} of {of} for one side; left and right are drawn by lot."


def other_parts(parts: Sequence[Counts]) -> Iterator[str]:
    """Models that no chain of votes connects with those that are rated."""
    for part in parts[1:]:
        yield (
            f"{listed(part.names)} cannot be compared with the others: no vote connects them "
            f"({counted(part.total, 'vote')} among themselves)."
        )


def place_text(place: tuple[int, int]) -> str:
    """A place, or the range in which it lies.

    >>> place_text((1, 1)), place_text((1, 3))
    ('1', '1 to 3')
    """
    best, worst = place
    return str(best) if best == worst else f"{best} to {worst}"


def standings(ratings: Ratings) -> Iterator[str]:
    """A line for each model, best first."""
    shares, places = ratings.shares(), ratings.places()
    for at in ratings.order:
        share = shares[at]
        votes = counted(round(float(ratings.counts.votes[at].sum())), "vote")
        yield (
            f"place {place_text(places[at])}: {ratings.counts.names[at]}, {share.mid:.0f}% of votes expected "
            f"({share.low:.0f} to {share.high:.0f}), {votes}"
        )


def rating_table(ratings: Ratings) -> Table:
    """A row for each model, best first."""
    counts, bands, places, shares = ratings.counts, ratings.bands(), ratings.places(), ratings.shares()
    rows: list[tuple[Cell, ...]] = []
    for at in ratings.order:
        share = shares[at]
        points = [round(elo_points(end)) for end in (bands[at].low, bands[at].mid, bands[at].high)]
        rows.append(
            (
                places[at][0], places[at][1], counts.names[at],
                *(round(end, 1) for end in (share.low, share.mid, share.high)), *points,
                round(float(counts.votes[at].sum())), round(float(counts.preferred[at].sum())),
                round(float(counts.ties[at].sum())), round(float(counts.both_bad[at].sum())),
                round(float(counts.preferred[:, at].sum())),
            )
        )  # fmt: skip
    return Table(
        name="ratings",
        title="Ratings",
        columns=(
            "best_place", "worst_place", "model", "share_percent_low", "share_percent", "share_percent_high",
            "elo_low", "elo", "elo_high", "votes", "preferred", "ties", "both_bad", "other_preferred",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def pair_table(counts: Counts) -> Table:
    """A row for each pair that was compared."""
    names = counts.names
    pairs = [(one, other) for one in range(len(names)) for other in range(one + 1, len(names))]
    return Table(
        name="pairs",
        title="Votes by pair",
        columns=("model", "against", "votes", "preferred", "other_preferred", "ties", "both_bad"),
        rows=tuple(
            (
                names[one], names[other], round(float(counts.votes[one, other])),
                round(float(counts.preferred[one, other])), round(float(counts.preferred[other, one])),
                round(float(counts.ties[one, other])), round(float(counts.both_bad[one, other])),
            )
            for one, other in pairs
            if counts.votes[one, other]
        ),
    )  # fmt: skip
