"""How long ratings take at a hundred thousand votes, from the votes to the answer, and which pair is drawn next.

Measured is the time of the processor, all of one thread: beside other work the clock on the wall showed ten
times as much.

python benchmarks/bench_ratings.py
"""

import time
from collections.abc import Callable

import numpy as np
from measuring import Results, Target, project_on_path, say_load

project_on_path()

from llmcompare.core.facts import VoteFact  # noqa: E402
from llmcompare.core.first_place import first_place  # noqa: E402
from llmcompare.core.ratings import connected, counted_votes, pair_values, rated  # noqa: E402
from llmcompare.core.ratings_words import rating_table  # noqa: E402
from llmcompare.services import arena  # noqa: E402

REPEATS = 15
VOTES = 100_000
MODELS = 20
WHOLE = Target(0.2, "p95")
OUTCOMES = ("left", "right", "tie", "both bad")


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    votes = made_votes()
    counts = counted_votes(votes)
    about = f"{VOTES:,} votes on {MODELS} models"
    results.add(
        f"{about}: counted, rated, told apart, votes still needed, table, CPU time",
        times(lambda: whole(votes)),
        target=WHOLE,
    )
    facts = as_facts(votes)
    results.add(
        f"{about} as the log holds them: once per voter and pair, and all of that, CPU time",
        times(lambda: arena.ratings_json(arena.standings(facts))),
        target=WHOLE,
    )
    results.add(f"{about}: counted, CPU time", times(lambda: counted_votes(votes)))
    results.add(f"{about}: the most telling pair, CPU time", times(lambda: pair_values(counts, counts.names)))


def made_votes() -> list[tuple[str, str, str]]:
    """Votes with ties, of models close enough that the first place is open."""
    rng = np.random.default_rng(1)
    names = [f"model-{number:02d}.gguf" for number in range(MODELS)]
    logits = np.linspace(-0.5, 0.5, MODELS)
    logits[-2] = logits[-1] - 0.05
    left = rng.integers(MODELS, size=VOTES)
    right = (left + rng.integers(1, MODELS, size=VOTES)) % MODELS
    odds = 1 / (1 + np.exp(logits[right] - logits[left]))
    outcome = np.where(rng.random(VOTES) < 0.2, rng.integers(2, 4, size=VOTES), rng.random(VOTES) > odds)
    return [
        (names[one], names[other], OUTCOMES[vote])
        for one, other, vote in zip(left.tolist(), right.tolist(), outcome.astype(int).tolist(), strict=True)
    ]


def as_facts(votes: list[tuple[str, str, str]]) -> list[VoteFact]:
    """Of 500 voters, each on a prompt of its own."""
    return [
        VoteFact(
            vote_id=f"vote-{at}", voter=f"voter-{at % 500}", voted_at="2026-11-25T12:00:00.000+00:00", vote=vote,
            left_model=left, right_model=right, prompt=f"prompt {at}", run_id=f"run-{at}",
            left_reply_id=f"left-{at}", right_reply_id=f"right-{at}",
        )
        for at, (left, right, vote) in enumerate(votes)
    ]  # fmt: skip


def whole(votes: list[tuple[str, str, str]]) -> None:
    """What the page does with votes."""
    ratings = rated(connected(counted_votes(votes))[0])
    ratings.levels()
    first_place(ratings)
    rating_table(ratings)


def times(work: Callable[[], object]) -> list[float]:
    """Seconds of each repeat, after one that is not counted."""
    work()
    return [seconds(work) for _ in range(REPEATS)]


def seconds(work: Callable[[], object]) -> float:
    """Of one run."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
