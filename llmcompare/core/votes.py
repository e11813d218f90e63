"""Which votes count, and how many people and prompts they come from."""

import re
from collections.abc import Iterable, Sequence

from llmcompare.core.facts import VoteFact
from llmcompare.core.ratings import Counts, counted_votes
from llmcompare.core.units import counted

OWN_WORDS = {
    "llama": ("llama", "meta ai"), "mistral": ("mistral",), "ministral": ("mistral",), "qwen": ("qwen", "alibaba"),
    "smollm": ("smollm", "hugging face"), "gemma": ("gemma",), "deepseek": ("deepseek",), "phi-": ("microsoft",),
}  # fmt: skip
"""What a model calls itself or its maker, by a part of its name."""
INTRODUCTION = re.compile(r"\b(?:i am|i'm|i’m|my name is|ich bin|je suis|soy)\b[^.!?\n]*")


def names_itself(*, model: str, prompt: str, text: str) -> bool:
    """Whether a reply says whose it is, in words that the prompt did not give it.

    >>> names_itself(model="Qwen3-4B-Q4_K_M.gguf", prompt="Who are you?", text="I am Qwen, made by Alibaba Cloud.")
    True
    >>> names_itself(model="Qwen3-4B-Q4_K_M.gguf", prompt="Is Qwen open?", text="Qwen is open.")
    False

    Where the name of the model does not tell, as of one behind an endpoint, it is what a reply says of itself.

    >>> names_itself(model="default @ localhost:8000", prompt="Who are you?", text="I am Qwen.")
    True
    """
    asked, said, name = prompt.casefold(), text.casefold(), model.casefold()
    known = [word for part, words in OWN_WORDS.items() if part in name for word in words]
    if known:
        return any(word in said and word not in asked for word in known)
    introduced = " ".join(INTRODUCTION.findall(said))
    return any(word in introduced and word not in asked for words in OWN_WORDS.values() for word in words)


def judged_pair(vote: VoteFact) -> tuple[str | None, ...]:
    """What counts once: a voter and two replies, whichever side they stood on.

    Where a file names no replies, the two models on one prompt of one run.
    """
    # No call and no frozenset in here: there may be a hundred thousand votes, and each call of its own costs a fifth.
    one, other = vote.left_reply_id, vote.right_reply_id
    if one and other:
        return (vote.voter, one, other) if one < other else (vote.voter, other, one)
    one, other = vote.left_model, vote.right_model
    first, second = (one, other) if one < other else (other, one)
    return vote.voter, first, second, vote.run_id, vote.prompt


def once_per_pair(votes: Iterable[VoteFact]) -> list[VoteFact]:
    """The first vote of each voter on each pair: after it the voter knows who wrote which reply."""
    first: dict[tuple[str | None, ...], VoteFact] = {}
    for vote in votes:
        first.setdefault(judged_pair(vote), vote)
    return list(first.values())


def known_replies(votes: Iterable[VoteFact], voter: str) -> set[str]:
    """Replies whose models a voter was told after a vote: with one of them, no other pair is blind."""
    told = (vote for vote in votes if vote.voter == voter)
    return {reply for vote in told for reply in (vote.left_reply_id, vote.right_reply_id) if reply}


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
