"""How fast crossings, tornado and map are, and the Breakeven page for a person at a browser."""

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
from measuring import Results, Target, project_on_path, say_load

project_on_path()

from bench_app import SLIDER_MOVES, new_profile  # noqa: E402
from browsing import Tab, serving  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from llmcompare.core.breakeven import band_crossings, crossings  # noqa: E402
from llmcompare.core.curves import CostCurve, paid_hours, rented_curve  # noqa: E402
from llmcompare.core.options import CurveBand  # noqa: E402
from llmcompare.core.scenario import Scenario  # noqa: E402
from llmcompare.core.traffic import Traffic  # noqa: E402
from llmcompare.services import breakeven, catalogue, costs  # noqa: E402

REPEATS = 30
H100 = {"model": "llama-3.1-8b-instruct", "gpu": "h100-sxm-80gb", "capacity_basis": "predicted"}
WATCH_SCRIPT = """() => {
  let pressed = null;
  document.addEventListener('keydown', () => { pressed = performance.now(); }, {once: true, capture: true});
  window.redrawn = when(() => pressed !== null && !done(), 60000)
    .then(async () => await when(done, 60000) - pressed);
}"""


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    first, second = week_of_machines(), week_of_machines(usd_per_gpu_hour=4.4, requests_per_s=5.2)
    near = CostCurve(usd_per_request=first.usd_per_request_at_scale * 1.0001)
    fast = Target(0.05, "p95")
    results.add(
        "crossings: 168 different hours against an API of nearly their price",
        timed(crossings, first, near),
        target=fast,
    )
    results.add("crossings: 168 different hours against 168 others", timed(crossings, first, second), target=fast)
    api = CurveBand(
        **{end: CostCurve(usd_per_request=usd) for end, usd in (("low", 5e-4), ("mid", 6e-4), ("high", 9e-4))}
    )
    machines = CurveBand(low=first, mid=second, high=second)
    results.add(
        "crossings with intervals: 168 different hours against an API",
        timed(band_crossings, machines, api),
        target=fast,
    )
    facts = catalogue.current(date.today()).usable()
    comparison = costs.compare(facts, Scenario(**H100))
    pair = breakeven.breakeven(facts, comparison, "api", "rented")

    def two_tornados() -> None:
        turned = breakeven.breakeven(facts, comparison, "api", "rented")
        assert turned.pays_from
        assert turned.saving

    results.add("both tornados", timed(two_tornados), target=fast)
    names = breakeven.map_names(pair)
    results.add("the map of GPU price and utilisation", timed(breakeven.saving_map, pair, *names), target=fast)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "var") as server,
        sync_playwright() as playwright,
        new_profile(playwright) as tab,
    ):
        tab.open(server.address("breakeven", **H100))
        moves = list(slider_moves(tab))
        results.add("slider on Breakeven until the script is done", moves, target=Target(0.4, "p95"))
    say_load()


def week_of_machines(*, usd_per_gpu_hour: float = 2.5, requests_per_s: float = 3.0) -> CostCurve:
    """Replicas that follow a week in which no hour is like another."""
    rates = np.random.default_rng(1).uniform(0.2, 3, 168)
    week = Traffic(hourly=tuple((rates / rates.mean()).tolist()))
    return rented_curve(
        usd_per_gpu_hour=usd_per_gpu_hour, gpus_per_replica=1, requests_per_s=requests_per_s,
        hours=paid_hours(week, "profile"),
    )  # fmt: skip


def timed(call: Callable[..., object], *arguments: object) -> list[float]:
    """Seconds of each of some calls, after one that is not counted."""
    call(*arguments)
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call(*arguments)
        found.append(time.perf_counter() - start)
    return found


def slider_moves(tab: Tab) -> Iterator[float]:
    """Seconds from the key until the script is done and the page drawn."""
    tab.unfold("Rented GPUs")
    tab.settled()
    tab.input("Planned share of capacity").focus()
    for number in range(SLIDER_MOVES):
        tab.page.evaluate(WATCH_SCRIPT)
        tab.page.keyboard.press("ArrowLeft" if number % 24 < 12 else "ArrowRight")
        yield tab.page.evaluate("window.redrawn") / 1e3
        tab.page.wait_for_timeout(300)


if __name__ == "__main__":
    main()
