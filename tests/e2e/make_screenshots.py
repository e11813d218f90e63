"""Makes the pictures of the README, from real data: `python tests/e2e/make_screenshots.py`, or some: `… playground`.

The one of the Playground shows measured speeds: make it while the machine does nothing else.
"""

import sys
import tempfile
from pathlib import Path

from browsing import PROJECT, Server, Tab, launch, serving
from playwright.sync_api import sync_playwright

IMAGES = PROJECT / "docs" / "images"
WIDTH = 1280
HEIGHTS = {"overview": 1330, "costs": 1030, "hardware": 1670}
"""Down to the end of the chart."""
PLAYGROUND = "playground"
PLAYGROUND_HEIGHT = 1960
"""Down to the end of the figures."""
WAIT_MS = 300_000
PICTURES = {"overview": {}, "costs": {"requests_per_month": 5_000_000}, "hardware": {}}


def main() -> None:
    """Write docs/images/*.png."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "var") as server,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        page = browser.new_context(color_scheme="light").new_page()
        tab = Tab(page)
        wanted = sys.argv[1:] or [*PICTURES, PLAYGROUND]
        for name, link in [(name, link) for name, link in PICTURES.items() if name in wanted]:
            page.set_viewport_size({"width": WIDTH, "height": HEIGHTS[name]})
            tab.open(server.address(name, **link))
            # Attached is drawn: a horizontal line has no height, and would never count as visible.
            page.locator(".js-plotly-plot .scatterlayer .trace").first.wait_for(state="attached")
            page.mouse.move(5, 5)
            page.wait_for_timeout(500)
            file = IMAGES / f"{name}.png"
            page.screenshot(path=file)
            print(f"{file.relative_to(PROJECT)}: {file.stat().st_size / 1000:.0f} kB")
        if PLAYGROUND in wanted:
            picture_playground(tab, server)
        browser.close()


def picture_playground(tab: Tab, server: Server) -> None:
    """Two real replies of the demo model, in turn, so that a sentence compares their speeds."""
    page = tab.page
    page.set_viewport_size({"width": WIDTH, "height": PLAYGROUND_HEIGHT})
    tab.open(server.address(PLAYGROUND, scheduling="in-turn", max_tokens=96))
    page.get_by_role("button", name="Run", exact=True).wait_for(timeout=WAIT_MS)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text(" characters/s, one after the other, one prompt)").wait_for(timeout=WAIT_MS)
    tab.settled()
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / f"{PLAYGROUND}.png")


if __name__ == "__main__":
    main()
