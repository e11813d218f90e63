"""How long the Capability page computes with all scores: at the start, a first answer, a moved weight, every view.

python benchmarks/bench_capability.py
"""

import gc
import time
from collections.abc import Callable
from datetime import date
from functools import partial

from measuring import Results, Target, project_on_path, say_load

project_on_path()

from llmcompare.core.capability_ranking import OVERALL  # noqa: E402
from llmcompare.core.scenario import Scenario  # noqa: E402
from llmcompare.services import capability, capability_tables, capability_views, catalogue  # noqa: E402
from llmcompare.services.catalogue import Facts  # noqa: E402

REPEATS = 9
PAGE = Target(0.5, "p95")
SLIDER = Target(0.4, "p95")
CHOSEN = capability.WALK


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    known = catalogue.current(date.today()).usable()
    count = f"{len(known.published_scores):,} scores"
    results.add(
        f"{count} sorted, their spread, and the ranking over all categories: once, when the server starts",
        [seconds(partial(prepared, fresh(known))) for _ in range(REPEATS)],
    )
    for category in (OVERALL, "code"):
        times = [seconds(partial(page, ready(known), category)) for _ in range(REPEATS)]
        results.add(f"{count}, first visit of {category}: ranking, check, answer and tables", times, target=PAGE)
    facts = ready(known)
    times = [seconds(partial(page, facts, OVERALL, {"code": weight / 2})) for weight in range(1, 1 + REPEATS)]
    results.add("a moved weight: ranking over all categories, answer and tables", times, target=SLIDER)
    for name, view in (
        ("price of every model", lambda facts, ranking: capability_views.by_price(facts, ranking, Scenario())),
        ("memory of every model", lambda facts, ranking: capability_views.by_memory(facts, ranking, Scenario())),
        ("all eight categories", lambda facts, _: capability_views.by_category(facts, capability.asked(facts), CHOSEN)),
    ):
        results.add(name, [view_seconds(ready(known), view) for _ in range(REPEATS)], target=PAGE)


def fresh(known: Facts) -> Facts:
    """A catalogue that nobody asked yet; its rows are read already, as for other pages."""
    for remembered in (capability.usable, capability.ranked):
        # Answers about catalogues of former repeats would only slow down the collector of garbage.
        remembered.cache_clear()
    facts = Facts(known.catalog)
    _ = facts.models, facts.published_scores, facts.benchmark_categories
    _ = facts.api_offers, facts.gpu_offers, facts.gpus, facts.capacities, facts.shapes, facts.names
    return facts


def prepared(facts: Facts) -> None:
    """What the server does at its start."""
    capability.ranked(facts, capability.Asked())


def ready(known: Facts) -> Facts:
    """A catalogue of a server that has started."""
    facts = fresh(known)
    prepared(facts)
    return facts


def page(facts: Facts, category: str, weights: dict[str, float] | None = None) -> None:
    """What the page shows whatever the view."""
    question = capability.asked(facts, category, weights=weights)
    ranking = capability.shown(capability.ranked(facts, question), CHOSEN)
    capability.answer(facts, question, ranking, CHOSEN)
    capability.missing(facts, question, ranking, CHOSEN)
    capability.checked(facts, question)
    capability_tables.gap_table(facts, question, ranking, CHOSEN)


def view_seconds(facts: Facts, view: Callable[[Facts, object], object]) -> float:
    """Seconds of one view after the page."""
    ranking = capability.shown(capability.ranked(facts, capability.Asked()), CHOSEN)
    return seconds(lambda: view(facts, ranking))


def seconds(work: Callable[[], object]) -> float:
    """Of one run."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
