"""How the Playground keeps up: visible updates of four slots, clicks of four people, how soon Stop has ended all."""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from measuring import Results, Target, project_on_path, say_load

project_on_path()

from browsing import Server, Tab, launch, serving  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from llmcompare.engines.base import Sampling  # noqa: E402
from llmcompare.models.library import demo_model_path  # noqa: E402
from llmcompare.services import runs  # noqa: E402
from llmcompare.services.plans import Plan  # noqa: E402
from llmcompare.services.runs import LiveRun  # noqa: E402
from llmcompare.store.results import ResultsLog  # noqa: E402

STORY = "Write a very long story about a lighthouse keeper and the sea."
WATCHED_S = 10
STOPS = 9
FILES = [demo_model_path().name, *(f"{letter}.gguf" for letter in "bcdefgh")]
CLICKS = 6
"""Of each of four people."""

# Inside the page: when each reply's text changed, at animation frames.
WATCH = """seconds => new Promise(resolve => {
  const slots = () => [...document.querySelectorAll('[data-testid="stMain"] [data-testid="stCode"]')].slice(0, 4);
  const seen = slots().map(slot => slot.innerText), changes = [], from = performance.now();
  const look = now => {
    slots().forEach((slot, number) => {
      const text = slot.innerText;
      if (text !== seen[number]) { seen[number] = text; changes.push([number, now - from]); }
    });
    if (now - from < seconds * 1000) requestAnimationFrame(look); else resolve(changes);
  };
  requestAnimationFrame(look);
})"""


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder) / "var"
        eight_models(var / "models")
        results.add("Stop while four write, until all have ended", list(stops(var, STORY)), target=Target(0.3, "p95"))
        results.add(
            "Stop while two read a long prompt", list(stops(var, "word " * 3_000, 2)), target=Target(0.3, "p95")
        )
        runs.pool().close()
        with serving(var) as server, sync_playwright() as playwright:
            browser = launch(playwright)
            updates(results, server, browser)
            clicks(results, server, browser)
            browser.close()
    say_load()


def eight_models(folder: Path) -> None:
    """Seven more files of the demo model, each with a worker of its own."""
    folder.mkdir(parents=True)
    for name in FILES[1:]:
        (folder / name).symlink_to(demo_model_path())


def stops(var: Path, prompt: str, count: int = 4) -> Iterator[float]:
    """Seconds from Stop until every slot has ended, in the log too."""
    models = tuple(runs.library.local_models(var / "models", demo_model_path())[:count])
    for _ in range(STOPS):
        live = LiveRun(Plan(prompt=prompt, models=models, sampling=Sampling(max_tokens=1_500)))
        stopping, ended = threading.Event(), threading.Event()

        def run(live: LiveRun = live, stopping: threading.Event = stopping, ended: threading.Event = ended) -> None:
            live.execute(ResultsLog(var / "results"), runs.pool(), stopping=stopping)
            ended.set()

        threading.Thread(target=run).start()
        while not all(slot.status in ("writing", "reading the prompt") for slot in live.slots):
            time.sleep(0.01)
        time.sleep(0.7)
        began = time.monotonic()
        stopping.set()
        ended.wait()
        yield time.monotonic() - began


def started(server: Server, browser: Browser, files: list[str]) -> Tab:
    """A person's tab with a run that writes."""
    chosen = {f"slot_{number}": name for number, name in enumerate(files, start=1)}
    address = server.address("playground", slots=len(files), max_tokens=1_500, **chosen)
    tab = Tab(browser.new_context().new_page()).open(address)
    tab.page.get_by_label("Prompt", exact=True).fill(STORY)
    tab.page.get_by_label("Prompt", exact=True).press("Control+Enter")
    tab.page.wait_for_timeout(500)
    tab.page.get_by_role("button", name="Run", exact=True).click()
    tab.page.get_by_text("writing: ").nth(len(files) - 1).wait_for(timeout=60_000)
    return tab


def updates(results: Results, server: Server, browser: Browser) -> None:
    """Visible changes a second of four slots together, and the longest time that a slot stood still."""
    tab = started(server, browser, FILES[:4])
    changes = tab.page.evaluate(WATCH, WATCHED_S)
    per_second = [sum(second <= at / 1e3 < second + 1 for _, at in changes) for second in range(WATCHED_S)]
    results.add("visible updates of four slots", per_second, unit="1/s", target=Target(at_least=15))
    gaps = []
    for slot in range(4):
        times = [at / 1e3 for number, at in changes if number == slot]
        gaps += [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    results.add("time between two updates of a slot", gaps, target=Target(0.5, "p95"))
    tab.page.get_by_role("button", name="Stop", exact=True).click()
    tab.page.get_by_text("stopped, ").first.wait_for()
    tab.page.context.close()


def clicks(results: Results, server: Server, browser: Browser) -> None:
    """Four people watch four runs of two slots each; seconds from a click until its effect is drawn."""
    tabs = [started(server, browser, FILES[at : at + 2]) for at in (0, 2, 4, 6)]
    times = []
    for _ in range(CLICKS):
        for tab in tabs:
            toggle = tab.page.get_by_text("Show replies as Markdown").last
            before = tab.page.locator('[data-testid="stMain"] [data-testid="stCode"]').count()
            began = time.monotonic()
            toggle.click()
            while tab.page.locator('[data-testid="stMain"] [data-testid="stCode"]').count() == before:
                tab.page.wait_for_timeout(5)
            times.append(time.monotonic() - began)
    results.add("a click while four people watch runs", times, target=Target(1, "p95"))


if __name__ == "__main__":
    main()
