"""How fast serverless workers are simulated and their curves drawn, and how far the approximation for several is off.

python benchmarks/bench_serverless.py
"""

import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
from measuring import PROJECT, Results, Target, say_load  # noqa: E402

from llmcompare.core.cost import Band  # noqa: E402
from llmcompare.core.records import Gpu, GpuOffer  # noqa: E402
from llmcompare.core.scenario import Scenario  # noqa: E402
from llmcompare.core.serverless import Fleet, several_workers  # noqa: E402
from llmcompare.core.serverless_option import serverless_option  # noqa: E402
from llmcompare.core.serverless_simulation import simulate  # noqa: E402
from llmcompare.core.units import SECONDS_PER_HOUR  # noqa: E402

REPETITIONS = 5
FLEETS = [(2, 1, 5), (10, 1, 5), (10, 16, 60), (30, 1, 60)]
"""Seconds of a request, slots, idle timeout."""
GRID = list(
    product(
        ((2, 60, 5), (10, 60, 5), (10, 60, 60), (2, 10, 60), (30, 60, 5), (30, 120, 300), (5, 20, 0)),
        (1, 2, 4, 16),
        (1, 2, 3, 8, 30, 100),
        (0.003, 0.03, 0.1, 0.3, 0.7),
    )
)
"""Request, cold start and idle timeout in seconds; slots; workers; share of their capacity that is asked for."""
FIRST_USE = (
    "from llmcompare.core.serverless import Fleet\n"
    "from llmcompare.core.serverless_simulation import simulate\n"
    "simulate(Fleet(service_s=2, cold_start_s=60, idle_timeout_s=5), requests_per_s=[0.01], hours=10)"
)


def main() -> None:
    say_load()
    results = Results(__file__)
    results.add("first simulation in a process, compiled before", first_use(fresh=False))
    results.add("first simulation on a machine, with compiling", first_use(fresh=True))
    simulate(Fleet(service_s=2, cold_start_s=60, idle_timeout_s=5), requests_per_s=[0.01], hours=10)
    for service_s, slots, timeout_s in FLEETS:
        fleet = Fleet(service_s=service_s, cold_start_s=60, idle_timeout_s=timeout_s, requests_per_worker=slots)
        name = f"a month at 10 requests/s: {service_s} s each, {slots} at once, idle {timeout_s} s"
        results.add(
            name, [timed(simulate, fleet, requests_per_s=[10.0]) for _ in range(REPETITIONS)], target=Target(below=2)
        )
    for shape in ("flat", "business-hours"):
        results.add(f"curves of six providers, {shape}", curves(shape), target=Target(below=0.4, judged_by="p95"))
    errors = approximation_errors()
    results.add("several workers, approximation against simulation, error", errors, unit="fraction")
    print(f"largest error of {len(errors)}: {max(errors):.3f}")


def timed(function, *arguments, **named) -> float:
    started = time.perf_counter()
    function(*arguments, **named)
    return time.perf_counter() - started


def first_use(*, fresh: bool) -> list[float]:
    """Whole seconds of a new process; with a cache of its own it compiles."""
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as cache:
            environment = {"PATH": "", "NUMBA_CACHE_DIR": cache} if fresh else {"PATH": ""}
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", FIRST_USE], cwd=PROJECT, env=environment, check=True)
            times.append(time.perf_counter() - started)
    return times


def curves(shape: str) -> list[float]:
    gpu = Gpu(
        gpu_id="h", name="H", vendor="V", gpu_class="datacenter", memory_gb=80.0, row_id="g", as_of=None, source="s"
    )
    offers = [
        GpuOffer(
            provider=f"p{place}", offer_name="worker", gpu_id="h", gpu_count=1, billing="serverless-per-second",
            region="global", usd_per_gpu_hour=2.0 + place, row_id=str(place), as_of=None, source="s",
        )
        for place in range(6)
    ]  # fmt: skip
    times = []
    for place in range(20):
        # Another cold start each time, as a slider gives it: nothing is remembered.
        scenario = Scenario(cold_start_s=60 + place, traffic=shape)
        started = time.perf_counter()
        found, _ = serverless_option(
            scenario, gpu=gpu, gpus_per_worker=1, engine="vllm", weight_format="fp8",
            alone_s=Band(low=8, mid=10, high=13), full_s=Band(low=16, mid=20, high=26), service_basis="",
            offers=offers, terms=[],
        )  # fmt: skip
        volumes = np.geomspace(1, 1e12, 1_200)
        for curve in (found.curves.low, found.curves.mid, found.curves.high):
            curve.usd_at(volumes)
        times.append(time.perf_counter() - started)
    return times


def approximation_errors() -> list[float]:
    errors = []
    for (service_s, cold_start_s, timeout_s), slots, workers, share in GRID:
        fleet = Fleet(
            service_s=service_s, cold_start_s=cold_start_s, idle_timeout_s=timeout_s, requests_per_worker=slots
        )
        rate = share * workers * slots / service_s
        hours = min(7_300, 600_000 / rate / SECONDS_PER_HOUR)
        seen = simulate(fleet, requests_per_s=[rate], hours=hours, max_workers=workers).time.up
        found = several_workers(fleet, requests_per_s=np.array([rate]), max_workers=np.array([float(workers)]))
        errors.append(abs(float(found.up[0]) / seen - 1))
    return errors


if __name__ == "__main__":
    main()
