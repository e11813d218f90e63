"""How long the Capability page computes with all scores: a first answer, a moved weight, every view.

python benchmarks/bench_capability.py
"""

import time
from collections.abc import Callable
from datetime import date

from measuring import Results, Target, project_on_path, say_load

project_on_path()

from llmcompare.core.capability_ranking import OVERALL  # noqa: E402
from llmcompare.core.scenario import Scenario  # noqa: E402
from llmcompare.services import capability, capability_tables, capability_views, catalogue  # noqa: E402
from llmcompare.services.catalogue import Facts  # noqa: E402

REPEATS = 9
WITHIN_S = 0.5
CHOSEN = capability.WALK


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    known = catalogue.current(date.today()).usable()
    for category in (OVERALL, "code"):
        times = [first_answer(known, category) for _ in range(REPEATS)]
        results.add(f"first answer, {category}: {len(known.published_scores):,} scores sorted, spread, ranking, "
                    "check and tables", times, target=Target(WITHIN_S, "p95"))  # fmt: skip
    weights = iter(range(1, 2 * REPEATS))
    results.add(
        "a moved weight: ranking over all categories and answer",
        timed(lambda: answered(known, capability.asked(known, weights={"code": next(weights) / 2}))),
        target=Target(0.4, "p95"),
    )
    views(results, known)


def first_answer(known: Facts, category: str) -> float:
    """Seconds of a catalogue that nobody asked yet; its rows are read already, as other pages do."""
    facts = Facts(known.catalog)
    _ = facts.models, facts.published_scores, facts.benchmark_categories
    started = time.perf_counter()
    answered(facts, capability.asked(facts, category))
    return time.perf_counter() - started


def answered(facts: Facts, question: capability.Asked) -> None:
    """What the page shows whatever the view."""
    ranking = capability.shown(capability.ranked(facts, question), CHOSEN)
    capability.answer(facts, question, ranking, CHOSEN)
    capability.missing(facts, question, ranking, CHOSEN)
    capability.checked(facts, question)
    capability_tables.gap_table(facts, question, ranking, CHOSEN)


def views(results: Results, known: Facts) -> None:
    """The slowest views, of a catalogue that nobody asked for them."""
    for name, view in (
        ("price of every model", lambda facts, ranking: capability_views.by_price(facts, ranking, Scenario())),
        ("memory of every model", lambda facts, ranking: capability_views.by_memory(facts, ranking, Scenario())),
        ("all eight categories", lambda facts, _: capability_views.by_category(facts, capability.asked(facts), CHOSEN)),
    ):
        times = []
        for _ in range(REPEATS):
            facts = Facts(known.catalog)
            ranking = capability.shown(capability.ranked(facts, capability.asked(facts)), CHOSEN)
            _ = facts.api_offers, facts.gpu_offers, facts.gpus, facts.capacities, facts.shapes, facts.names
            started = time.perf_counter()
            view(facts, ranking)
            times.append(time.perf_counter() - started)
        results.add(name, times, target=Target(WITHIN_S, "p95"))


def timed(work: Callable[[], object]) -> list[float]:
    """Seconds of each run."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    main()
