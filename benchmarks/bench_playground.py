"""How the Playground keeps up: visible updates of four and six slots, clicks of people who watch, how soon Stop ends.

python benchmarks/bench_playground.py                     measures everything
python benchmarks/bench_playground.py clock five_people   only these parts: stop, updates, clock, clicks, five_people
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from measuring import Results, Target, project_on_path, say_load

project_on_path()

from browsing import Server, Tab, launch, serving  # noqa: E402
from clock_server import telling_the_time  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from llmcompare.engines.base import Sampling  # noqa: E402
from llmcompare.engines.endpoints import PRESETS  # noqa: E402
from llmcompare.models.library import demo_model_path  # noqa: E402
from llmcompare.services import runs  # noqa: E402
from llmcompare.services.plans import Plan  # noqa: E402
from llmcompare.services.runs import LiveRun  # noqa: E402
from llmcompare.store.results import ResultsLog  # noqa: E402
from llmcompare.ui.playground_ask import ENDPOINT  # noqa: E402

STORY = "Write a very long story about a lighthouse keeper and the sea."
WINDOW = {"width": 1400, "height": 1000}
WORDS_PER_S = 30.0
WATCHED_S = 10
STOPS = 9
FILES = [demo_model_path().name, *(f"{letter}.gguf" for letter in "bcdefgh")]
CLICKS = 6
"""Of each person."""

# Inside the page, at animation frames: when each reply's text changed, and how old the last word of the slowest is.
# A word of the clock's replies is the time at which it was said.
WATCH = """([count, seconds]) => new Promise(resolve => {
  const slots = () => [...document.querySelectorAll('[data-testid="stMain"] pre.live-reply')].slice(0, count);
  const seen = slots().map(slot => slot.textContent), changes = [], behind = [], from = performance.now();
  const look = now => {
    let oldest = 0;
    slots().forEach((slot, number) => {
      const text = slot.textContent, word = Number(text.trimEnd().slice(-14));
      if (text !== seen[number]) { seen[number] = text; changes.push([number, now - from]); }
      oldest = Math.max(oldest, (performance.timeOrigin + performance.now()) / 1000 - word);
    });
    behind.push(oldest);
    if (now - from < seconds * 1000) requestAnimationFrame(look); else resolve([changes, behind]);
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
        if not sys.argv[1:] or "stop" in sys.argv:
            stop(results, var)
        with serving(var) as server, sync_playwright() as playwright:
            browser = launch(playwright)
            for part in (updates, clock, clicks, five_people):
                if part.__name__ in (sys.argv[1:] or part.__name__):
                    part(results, server, browser)
            browser.close()
    say_load()


def stop(results: Results, var: Path) -> None:
    """How soon Stop has ended all."""
    results.add("Stop while four write, until all have ended", list(stops(var, STORY)), target=Target(0.3, "p95"))
    results.add("Stop while two read a long prompt", list(stops(var, "word " * 3_000, 2)), target=Target(0.3, "p95"))
    runs.pool().close()


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


def started(server: Server, browser: Browser, slots: dict[str, str], count: int, *, words: int = 1_500) -> Tab:
    """A person's tab with a run that writes."""
    address = server.address("playground", slots=count, max_tokens=words, **slots)
    tab = Tab(browser.new_context(viewport=WINDOW).new_page()).open(address)
    tab.page.get_by_label("Prompt", exact=True).fill(STORY)
    tab.page.get_by_label("Prompt", exact=True).press("Control+Enter")
    tab.page.wait_for_timeout(500)
    tab.page.get_by_role("button", name="Run", exact=True).click()
    tab.page.get_by_text("writing: ").nth(count - 1).wait_for(timeout=120_000)
    return tab


def files(names: list[str]) -> dict[str, str]:
    """Slots with these files."""
    return {f"slot_{number}": name for number, name in enumerate(names, start=1)}


def clocks(base_url: str, count: int) -> dict[str, str]:
    """Slots that ask a server which tells the time."""
    kind = PRESETS[0].preset_id
    slots: dict[str, str] = {}
    for at in range(1, count + 1):
        slots |= {f"slot_{at}": ENDPOINT, f"kind_{at}": kind, f"url_{at}_{kind}": base_url, f"name_{at}": f"clock {at}"}
    return slots


def updates(results: Results, server: Server, browser: Browser) -> None:
    """Visible changes a second of four and of six local models together."""
    for count, least in ((4, 15), (6, 20)):
        tab = started(server, browser, files(FILES[:count]), count)
        watch(results, tab, count, what=f"{'four' if count == 4 else 'six'} slots", least=least)
        tab.page.get_by_role("button", name="Stop", exact=True).click()
        tab.page.get_by_text("stopped, ").first.wait_for()
        tab.page.context.close()


def clock(results: Results, server: Server, browser: Browser) -> None:
    """The same of six replies that come at a known rate: how far behind what was sent the page is."""
    with telling_the_time(WORDS_PER_S) as base_url:
        tab = started(server, browser, clocks(base_url, 6), 6)
        behind = watch(results, tab, 6, what=f"six slots of {WORDS_PER_S:g} words/s each", least=20)
        results.add("age of the last word of the slowest of six slots", behind, target=Target(0.5, "p95"))
        results.add("age of the last word, the oldest", [max(behind)], target=Target(0.5))
        tab.page.context.close()


def watch(results: Results, tab: Tab, count: int, *, what: str, least: float) -> list[float]:
    """Writes down changes a second and the time between two of a slot; ages of the last word, frame by frame."""
    changes, behind = tab.page.evaluate(WATCH, [count, WATCHED_S])
    per_second = [sum(second <= at / 1e3 < second + 1 for _, at in changes) for second in range(WATCHED_S)]
    results.add(f"visible updates of {what}", per_second, unit="1/s", target=Target(at_least=least))
    gaps = []
    for slot in range(count):
        times = [at / 1e3 for number, at in changes if number == slot]
        gaps += [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    results.add(f"time between two updates of a slot, {what}", gaps, target=Target(0.5, "p95"))
    return behind


def clicks(results: Results, server: Server, browser: Browser) -> None:
    """Four people watch four runs of two local models each; seconds from a click until its effect is drawn."""
    tabs = [started(server, browser, files(FILES[at : at + 2]), 2) for at in (0, 2, 4, 6)]
    times = [click(tab) for _ in range(CLICKS) for tab in tabs]
    results.add("a click while four people watch runs", times, target=Target(1, "p95"))
    close(tabs)


def five_people(results: Results, server: Server, browser: Browser) -> None:
    """The same of five people and five runs, whose words come at a known rate: five models on 2 cores would measure
    llama.cpp."""
    with telling_the_time(WORDS_PER_S / 3) as base_url:
        # On a busy machine the fifth begins minutes after the first.
        tabs = [started(server, browser, clocks(base_url, 2), 2, words=4_000) for _ in range(5)]
        times = [click(tab) for _ in range(CLICKS) for tab in tabs]
        results.add("a click while five people watch five runs", times, target=Target(1, "p95"))
        close(tabs)


def click(tab: Tab) -> float:
    """Seconds until the replies are drawn as Markdown, or as text again."""
    replies = tab.page.locator('[data-testid="stMain"] pre.live-reply')
    toggle = tab.page.get_by_text("Show replies as Markdown").last
    before = replies.count()
    began = time.monotonic()
    toggle.click()
    while replies.count() == before:
        tab.page.wait_for_timeout(5)
    return time.monotonic() - began


def close(tabs: list[Tab]) -> None:
    """End what was watched, and the tabs."""
    for tab in tabs:
        tab.page.get_by_role("button", name="Stop", exact=True).click()
        tab.page.get_by_text("stopped, ").first.wait_for()
        tab.page.context.close()


if __name__ == "__main__":
    main()
