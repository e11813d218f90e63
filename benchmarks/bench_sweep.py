"""How fast every deployment of every model is swept: rates predicted, prices of five billing classes, ranked.

python benchmarks/bench_sweep.py
"""

import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import Results, Target  # noqa: E402

from llmcompare.core.scenario import Scenario  # noqa: E402
from llmcompare.services import candidates, catalogue, sweep  # noqa: E402

REPETITIONS = 7
KIB_PER_MIB = 1024


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    facts = catalogue.current(datetime.now(UTC).date()).usable()
    results = Results(__file__)
    models = candidates.models_named(facts, "all")
    before_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB
    first = sweep.sweep(facts, Scenario(), models)
    fleet = first.found.fleet
    print(f"{fleet.out.size:,} combinations, {len(fleet.model):,} with a speed, {len(first.mid):,} ranked with a price")
    lengths = range(1_100, 1_100 + 10 * REPETITIONS, 10)
    new = [timed(lambda n=n: sweep.sweep(facts, Scenario(input_tokens=n), models)) for n in lengths]
    results.add(f"{len(fleet.model):,} deployments, rates and prices anew", new, target=Target(below=1.0))
    volumes = [1e6 * (1 + at) for at in range(REPETITIONS)]
    kept = [timed(lambda v=v: sweep.sweep(facts, Scenario(requests_per_month=v), models)) for v in volumes]
    results.add("the same, only volume or price moved", kept, target=Target(below=0.4))
    limits = [
        timed(lambda n=n: sweep.sweep(facts, Scenario(input_tokens=n, tpot_limit_ms=25, ttft_limit_ms=800), models))
        for n in lengths
    ]
    results.add("the same, rates anew under two latency limits", limits)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB
    print(f"peak memory {peak_mib:.0f} MiB, {before_mib:.0f} MiB before the first sweep; target below 500 MB")


if __name__ == "__main__":
    main()
