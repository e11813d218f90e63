"""Blind votes on two replies: which pair next, what a vote is, and the ratings that follow."""

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from llmcompare.core.bootstrap import Bootstrap, bootstrapped
from llmcompare.core.facts import ReplyFact, RunFact, Vote, VoteFact
from llmcompare.core.first_place import FirstPlace, first_place
from llmcompare.core.ratings import CONFIDENCE, Counts, Ratings, connected, pair_values, rated
from llmcompare.core.ratings_words import answer, other_parts, pair_table, rating_table, sentences, side_sentence
from llmcompare.core.tables import Table
from llmcompare.core.thinking import parts
from llmcompare.core.votes import counts_of, evidence, known_replies, names_itself, once_per_pair
from llmcompare.errors import InputError
from llmcompare.services import playground, runs
from llmcompare.services.jobs import new_id
from llmcompare.services.plans import now
from llmcompare.store.results import LoggedRun

_voting = threading.Lock()
"""Two presses at once, in two tabs, are one after the other."""
ALIKE_DIGITS = 6
"""Pairs whose worth agrees to so many digits are drawn by lot."""
NO_VOTE = "No vote yet. The first ratings come with the first vote, with intervals as wide as one vote leaves them."


# --- pairs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two replies to one prompt, on the sides on which they are shown."""

    run_id: str
    prompt: str
    left: ReplyFact
    right: ReplyFact

    @property
    def models(self) -> tuple[str, str]:
        """In alphabetical order."""
        first, second = sorted((self.left.model, self.right.model))
        return first, second

    @property
    def replies(self) -> frozenset[str]:
        """Their ids, whichever side they stand on."""
        return frozenset(reply.reply_id for reply in self.sides)

    @property
    def mark(self) -> str:
        """Another one for each pair, whichever side the replies stand on; it tells nothing of them."""
        return hashlib.sha256(" ".join(sorted(self.replies)).encode()).hexdigest()[:12]

    @property
    def sides(self) -> tuple[ReplyFact, ReplyFact]:
        """Left and right."""
        return self.left, self.right

    @property
    def texts(self) -> list[tuple[str, str]]:
        """What is judged on either side, with what it answers."""
        return [(self.prompt, answer_of(reply)) for reply in self.sides]

    @property
    def names_itself(self) -> bool:
        """Whether a reply says which model wrote it."""
        return any(names_itself(model=side.model, prompt=self.prompt, text=answer_of(side)) for side in self.sides)

    @property
    def is_same_text(self) -> bool:
        """Whether there is nothing to choose between."""
        return answer_of(self.left) == answer_of(self.right)

    def fact(self, voter: str, vote: Vote) -> VoteFact:
        """A vote on it, now."""
        return VoteFact(
            vote_id=new_id(),
            voter=voter,
            voted_at=now(),
            left_model=self.left.model,
            right_model=self.right.model,
            vote=vote,
            prompt=self.prompt,
            run_id=self.run_id,
            left_reply_id=self.left.reply_id,
            right_reply_id=self.right.reply_id,
        )


def voter_mark(person: str) -> str:
    """Of a person, for votes that others see: the person's own mark opens runs, this one opens nothing."""
    return hashlib.sha256(f"arena voter {person}".encode()).hexdigest()[:16]


def pairs_of(run: LoggedRun, voter: str) -> Iterator[Pair]:
    """Every two complete replies of different models; left and right are drawn by lot, for each voter once.

    None of a later turn of a conversation, in which each model had read its own replies, nor of a run whose slots had
    settings of their own: the vote would not be on the models alone.
    """
    if run.run.parent_run_id is not None or not _asked_alike(run.run):
        return
    replies = [reply for reply in run.replies if reply.error is None and reply.end != "cancelled" and answer_of(reply)]
    for number, one in enumerate(replies):
        for other in replies[number + 1 :]:
            if one.model != other.model:
                left, right = (one, other) if _lot(voter, one, other) % 2 else (other, one)
                yield Pair(run_id=run.run.run_id, prompt=run.run.prompt, left=left, right=right)


def answer_of(reply: ReplyFact) -> str:
    """What is judged: the reply without its thinking, which would give the model away."""
    return parts(reply.text).answer.strip()


def _asked_alike(run: RunFact) -> bool:
    try:
        asked = [(found["system"], found["sampling"]) for found in map(json.loads, run.slots or ())]
    except (ValueError, KeyError, TypeError):
        return False
    return all(one == asked[0] for one in asked)


def _lot(voter: str, one: ReplyFact, other: ReplyFact) -> int:
    """A number that nobody can foresee, the same each time the page is drawn."""
    return int.from_bytes(hashlib.sha256(f"{voter} {one.reply_id} {other.reply_id}".encode()).digest()[:8])


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Pairs that a voter can judge."""

    pairs: tuple[Pair, ...]
    """Those that are blind, the most telling first."""
    judged_count: int
    named_count: int = 0
    """Pairs left out, because a reply says which model wrote it."""
    known_count: int = 0
    """Pairs left out, because the voter was told after another vote who wrote one of the replies."""


def waiting(person: str, *, run_id: str | None = None) -> Waiting:
    """Pairs of the person's runs, or of one run. Raises InputError for a run that nobody has."""
    voter = voter_mark(person)
    given = runs.log().votes()
    judged = {frozenset((vote.left_reply_id, vote.right_reply_id)) for vote in given if vote.voter == voter}
    pairs = [pair for run in _offered(person, run_id) for pair in pairs_of(run, voter)]
    new = [pair for pair in pairs if pair.replies not in judged]
    nameless = [pair for pair in new if not pair.names_itself]
    told = _told(pairs, known_replies(given, voter))
    blind = [pair for pair in nameless if told.isdisjoint(pair.texts)]
    worth = pair_values(counts_of(once_per_pair(given)), sorted({name for pair in blind for name in pair.models}))
    blind.sort(key=lambda pair: (-round(worth[pair.models], ALIKE_DIGITS), _lot(voter, pair.right, pair.left)))
    return Waiting(
        pairs=tuple(blind),
        judged_count=len(pairs) - len(new),
        named_count=len(new) - len(nameless),
        known_count=len(nameless) - len(blind),
    )


def _told(pairs: Iterable[Pair], known: set[str]) -> set[tuple[str, str]]:
    """Prompts with words whose model the voter knows: asked again, models may repeat themselves."""
    sides = [(reply, text) for pair in pairs for reply, text in zip(pair.sides, pair.texts, strict=True)]
    return {text for reply, text in sides if reply.reply_id in known}


def _offered(person: str, run_id: str | None) -> Iterable[LoggedRun]:
    log = runs.log()
    if run_id is None:
        mine = {fact.run_id for fact in playground.history(person)}
        return [one for one in log.runs() if one.run.run_id in mine]
    found = log.run(run_id)
    if found is None:
        raise InputError(f"there is no run {run_id[:60]!r} here: the link is of another installation, or mistyped.")
    return [found]


def vote(person: str, pair: Pair, choice: Vote) -> bool:
    """Into the log; False when the person was told who wrote one of the replies: such a vote is not blind."""
    voter = voter_mark(person)
    with _voting:
        if pair.replies & known_replies(runs.log().votes(), voter):
            return False
        runs.log().append(pair.fact(voter, choice))
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A vote that was given here, with what it was on."""

    pair: Pair
    vote: Vote
    voted_at: str


def last_vote(person: str) -> Judged | None:
    """The person's newest one, also after a reload, in another tab, or of before the app was restarted."""
    voter = voter_mark(person)
    given = (vote for vote in reversed(runs.log().votes()) if vote.voter == voter and vote.imported_from is None)
    found = next(given, None)
    run = runs.log().run(found.run_id) if found is not None and found.run_id else None
    if found is None or run is None:
        return None
    replies = {reply.reply_id: reply for reply in run.replies}
    left, right = (replies.get(reply_id or "") for reply_id in (found.left_reply_id, found.right_reply_id))
    if left is None or right is None:
        return None
    pair = Pair(run_id=run.run.run_id, prompt=run.run.prompt, left=left, right=right)
    return Judged(pair=pair, vote=found.vote, voted_at=found.voted_at)


# --- ratings ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Standings:
    """What votes say."""

    votes: tuple[VoteFact, ...]
    """Those that count, oldest first."""
    parts: tuple[Counts, ...]
    """Of the table within which models can be compared, the largest first."""
    ratings: Ratings | None
    """Of the largest part; None without a vote."""
    repeated_count: int = 0
    """Votes on a pair that the voter had judged already."""

    @cached_property
    def first_place(self) -> FirstPlace | None:
        """How far it is settled."""
        return None if self.ratings is None else first_place(self.ratings)

    @cached_property
    def bootstrap(self) -> Bootstrap | None:
        """The intervals checked, which takes as long as rating 500 tables."""
        return None if self.ratings is None else bootstrapped(self.ratings)

    @property
    def answer(self) -> str:
        """Who is first, in a sentence."""
        if self.ratings is None or self.first_place is None:
            return NO_VOTE
        return answer(self.first_place, vote_count=self.ratings.counts.total)

    @property
    def sentences(self) -> list[str]:
        """What stands behind the answer."""
        if self.ratings is None:
            return []
        sides = side_sentence([vote.vote for vote in self.votes])
        broad = evidence(self.votes, repeated_count=self.repeated_count)
        return [*sentences(self.ratings), *other_parts(self.parts), sides, broad]

    @property
    def tables(self) -> list[Table]:
        """Ratings and pairs of the largest part."""
        return [] if self.ratings is None else [rating_table(self.ratings), pair_table(self.ratings.counts)]


def standings(votes: Iterable[VoteFact]) -> Standings:
    """Ratings of the votes that count."""
    given = list(votes)
    counting = once_per_pair(given)
    found = connected(counts_of(counting))
    return Standings(
        votes=tuple(counting),
        parts=tuple(found),
        ratings=rated(found[0]) if found else None,
        repeated_count=len(given) - len(counting),
    )


def kept_votes(*, of: str | None = None) -> list[VoteFact]:
    """Every vote of the log, or those of one person."""
    votes = runs.log().votes()
    return votes if of is None else [vote for vote in votes if vote.voter == voter_mark(of)]


def ratings_json(found: Standings, *, check: bool = False) -> Mapping[str, Any]:
    """For the command line: units in the keys, null for what there is not."""
    rows = [dict(zip(table.columns, row, strict=True)) for table in found.tables[:1] for row in table.rows]
    pairs = [dict(zip(table.columns, row, strict=True)) for table in found.tables[1:] for row in table.rows]
    ratings = found.ratings
    return {
        "answer": found.answer,
        "sentences": found.sentences,
        "confidence": CONFIDENCE,
        "vote_count": len(found.votes),
        "voter_count": len({vote.voter for vote in found.votes}),
        "repeated_vote_count": found.repeated_count,
        "first_place": None if found.first_place is None else asdict(found.first_place),
        "half_votes_added": None if ratings is None else ratings.votes_added,
        "bootstrap": asdict(found.bootstrap) if check and found.bootstrap else None,
        "ratings": rows,
        "cannot_be_told_apart": [] if ratings is None else [list(part) for part in ratings.levels() if len(part) > 1],
        "pairs": pairs,
        "not_compared": [list(part.names) for part in found.parts[1:]],
    }
