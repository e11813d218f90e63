"""Which votes count, and how many people and prompts they come from."""

from collections.abc import Iterable, Sequence

from llmcompare.core.facts import VoteFact
from llmcompare.core.ratings import Counts, counted_votes
from llmcompare.core.units import counted


def judged_pair(vote: VoteFact) -> tuple[str | None, ...]:
    """What a voter counts once for: two replies, whichever side they stood on.

    Where a file names no replies, the two models on one prompt of one run.
    """
    if vote.left_reply_id and vote.right_reply_id:
        return in_order(vote.left_reply_id, vote.right_reply_id)
    return *in_order(vote.left_model, vote.right_model), vote.run_id, vote.prompt


def in_order(one: str, other: str) -> tuple[str, str]:
    """The same pair, whichever comes first."""
    # A frozenset takes three times as long, and there may be a hundred thousand votes.
    return (one, other) if one < other else (other, one)


def once_per_pair(votes: Iterable[VoteFact]) -> list[VoteFact]:
    """The first vote of each voter on each pair: after it the voter knows who wrote which reply."""
    seen: set[tuple[str | None, ...]] = set()
    first = []
    for vote in votes:
        key = (vote.voter, *judged_pair(vote))
        if key not in seen:
            seen.add(key)
            first.append(vote)
    return first


def counts_of(votes: Iterable[VoteFact]) -> Counts:
    """The table that ratings hang on."""
    return counted_votes((vote.left_model, vote.right_model, vote.vote) for vote in votes)


def evidence(votes: Sequence[VoteFact], *, repeated_count: int = 0) -> str:
    """How broad the votes are, and how many did not count."""
    voters = len({vote.voter for vote in votes})
    prompts = len({vote.prompt for vote in votes})
    repeated = (
        f" {counted(repeated_count, 'more vote')} did not count: a voter counts once for a pair of replies."
        if repeated_count
        else ""
    )
    return (
        f"{counted(len(votes), 'vote')} by {counted(voters, 'voter')} on {counted(prompts, 'prompt')}.{repeated} "
        "Other people and other prompts may see it differently."
    )
