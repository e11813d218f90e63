"""How fast the statements of the guide are checked, and their page for a person at a browser."""

import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from measuring import Results, Target, project_on_path, say_load

project_on_path()

from bench_app import MAIN_ELEMENT, SWITCH, TITLES, new_profile  # noqa: E402
from browsing import NAVIGATION, Tab, serving  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from llmcompare.core.claims import examine  # noqa: E402
from llmcompare.core.scenario import Scenario  # noqa: E402
from llmcompare.services import catalogue, claims, costs  # noqa: E402
from llmcompare.services.catalogue import Facts  # noqa: E402

CHECKS = 10
SWITCHES = 24
GUIDE = ["Guide, checked", "Guide, checked", ".st-key-guide_verdicts .main-svg .barlayer .trace"]
COSTS = [NAVIGATION["costs"], TITLES["costs"], MAIN_ELEMENT["costs"]]


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    results.add("all statements checked, rows read for the first time", list(checks()), target=Target(0.5, "p95"))
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "var") as server,
        sync_playwright() as playwright,
        new_profile(playwright) as tab,
    ):
        tab.open(server.address("costs"))
        first, *later = switches(tab)
        results.add("page with all statements: first visit after another page", [first])
        results.add("page with all statements: later visits", later, target=Target(0.5, "p95"))
    say_load()


def checks() -> Iterator[float]:
    """Seconds of checking with facts of which one other page was shown."""
    catalog = catalogue.current(date.today()).usable().catalog
    for _ in range(CHECKS):
        facts = Facts(catalog)
        costs.compare(facts, Scenario())
        started = time.perf_counter()
        examine(claims.known(facts))
        yield time.perf_counter() - started


def switches(tab: Tab) -> Iterator[float]:
    """Seconds from the click until title, bars, every statement and the end of the script."""
    for _ in range(SWITCHES + 1):
        tab.page.wait_for_timeout(700)
        yield tab.page.evaluate(SWITCH, GUIDE) / 1e3
        tab.page.wait_for_timeout(700)
        tab.page.evaluate(SWITCH, COSTS)


if __name__ == "__main__":
    main()
