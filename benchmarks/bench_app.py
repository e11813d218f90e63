"""How fast the dashboard is for a person at a browser, and how much memory its server takes."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from measuring import PROJECT, Results, Target, project_on_path, say_load

project_on_path()

from browsing import NAVIGATION, Server, Tab, launch, serving  # noqa: E402
from playwright.sync_api import Playwright, sync_playwright  # noqa: E402

from llmcompare.store.seed import seed  # noqa: E402

WINDOW = {"width": 1280, "height": 900}
FIRST_VISITS = 5
SWITCHES = 36
SLIDER_MOVES = 36
SLIDER_PAGES = {"costs": "cost_curves", "breakeven": "pair_curves"}
"""Pages with the chart that follows the slider."""
MAIN_ELEMENT = {
    "overview": ".st-key-quality_against_cost .main-svg .scatterlayer .trace",
    "costs": ".st-key-cost_curves .main-svg .scatterlayer .trace",
    "report": ".st-key-report_chart_0 .main-svg .scatterlayer .trace",
    "data": "[data-testid='stDataFrame'] canvas",
}
TITLES = {"overview": "Which open-weight", "costs": "Costs", "report": "Report", "data": "Data"}

# All times are taken inside the page, at animation frames: asking from outside would add its own delay.
IN_PAGE = """
window.shown = selector => {
  const found = document.querySelector(selector);
  return !!found && found.getBoundingClientRect().height > 0 && !found.closest('[data-stale="true"]');
};
window.done = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning';
window.titled = start => document.querySelector('[data-testid="stMain"] h1')?.innerText.startsWith(start);
window.when = (ready, limit) => new Promise((resolve, reject) => {
  const from = performance.now();
  const look = () => {
    if (ready()) resolve(performance.now());
    else if (performance.now() - from > limit) reject(new Error('not ready in ' + limit + ' ms'));
    else requestAnimationFrame(look);
  };
  look();
});
window.drawn = chart => JSON.stringify(
  (document.querySelector(`.st-key-${chart} .js-plotly-plot`)?._fullData || []).map(
    trace => [Array.from(trace.x), Array.from(trace.y)]));
"""
FIRST_SCREEN = """([title, main, answer]) => {
  const answered = () => titled(title) && document.querySelector('[data-testid="stMain"]').innerText.includes(answer);
  return Promise.all([when(answered, 60000), when(() => answered() && shown(main), 60000)]);
}"""
"""Milliseconds since the address was entered."""
SWITCH = """async ([label, title, main]) => {
  const links = [...document.querySelectorAll('[data-testid="stSidebarNav"] a')];
  const link = links.find(a => a.innerText.includes(label));
  const clicked = performance.now();
  link.click();
  await when(() => titled(title) && shown(main) && done(), 60000);
  return performance.now() - clicked;
}"""
WATCH_SLIDER = """chart => {
  const before = drawn(chart);
  let pressed = null;
  document.addEventListener('keydown', () => { pressed = performance.now(); }, {once: true, capture: true});
  window.redrawn = when(() => pressed !== null && drawn(chart) !== before, 60000)
    .then(async changed => [changed - pressed, await when(done, 60000) - pressed]);
}"""


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    with sync_playwright() as playwright:
        for state in ("no catalogue yet", "catalogue there"):
            starts, answers, charts = [], [], []
            for _ in range(FIRST_VISITS):
                with tempfile.TemporaryDirectory() as folder:
                    var = Path(folder) / "var"
                    if state == "catalogue there":
                        seed(PROJECT / "data", var, today=date.today())
                    start, answer, chart = first_visit(playwright, var)
                    starts.append(start)
                    answers.append(answer)
                    charts.append(chart)
            results.add(f"server start until it is ready, {state}", starts)
            results.add(f"first visit until the answer can be read, {state}", answers)
            results.add(f"first useful screen: answer and chart, {state}", charts, target=Target(3))
        with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "var") as server:
            with new_profile(playwright) as tab:
                tab.open(server.address())
                switches = list(page_switches(tab))
                results.add("page switch, first time each page is opened", switches[:4])
                results.add("page switch", switches[4:], target=Target(0.8, "p95"))
                for page, chart in SLIDER_PAGES.items():
                    # Opened anew, as the other page's moves left the slider at its end.
                    tab.open(server.address(page))
                    drawn, done = zip(*slider_moves(tab, chart), strict=True)
                    name = NAVIGATION[page]
                    results.add(f"slider on {name} until the chart has changed", drawn)
                    results.add(f"slider on {name} until the script is done", done, target=Target(0.4, "p95"))
            results.add("memory of the server", [resident_mb(server)], unit="MB", target=Target(400))
    say_load()


@contextmanager
def new_profile(playwright: Playwright) -> Iterator[Tab]:
    """A new browser process with an empty profile."""
    browser = launch(playwright)
    try:
        context = browser.new_context(viewport=WINDOW)
        context.add_init_script(IN_PAGE)
        yield Tab(context.new_page())
    finally:
        browser.close()


def first_visit(playwright: Playwright, var: Path) -> tuple[float, float, float]:
    """Seconds of the server's start, and from entering the address until the Overview's answer and its chart."""
    started = time.perf_counter()
    with serving(var) as server, new_profile(playwright) as tab:
        tab.page.goto(server.address(), wait_until="commit")
        seen = tab.page.evaluate(FIRST_SCREEN, [TITLES["overview"], MAIN_ELEMENT["overview"], "a month"])
        return server.ready_at - started, seen[0] / 1e3, seen[1] / 1e3


def page_switches(tab: Tab) -> Iterator[float]:
    """Seconds of each switch, round through the four pages; the first round fetches what each page needs first."""
    order = ["costs", "report", "data", "overview", "report", "costs", "overview", "data"]
    for number in range(SWITCHES + 4):
        page = order[number % len(order)]
        # Whoever reads a page gives the parts that load late the time to come.
        tab.page.wait_for_timeout(700)
        yield tab.page.evaluate(SWITCH, [NAVIGATION[page], TITLES[page], MAIN_ELEMENT[page]]) / 1e3


def slider_moves(tab: Tab, chart: str) -> Iterator[tuple[float, float]]:
    """Seconds from the key until the chart holds other figures, and until the script is done."""
    tab.unfold("Rented GPUs").settled()
    tab.input("Planned share of capacity").focus()
    for number in range(SLIDER_MOVES):
        tab.page.evaluate(WATCH_SLIDER, chart)
        tab.page.keyboard.press("ArrowLeft" if number % 24 < 12 else "ArrowRight")
        drawn, done = tab.page.evaluate("window.redrawn")
        tab.page.wait_for_timeout(300)
        yield drawn / 1e3, done / 1e3


def resident_mb(server: Server) -> float:
    """Resident memory of the server process in MB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024 / 1e6


if __name__ == "__main__":
    main()
