"""How the pages look and can be reached: light, dark, narrow, by keyboard, and all without a network.

Screenshots stay in var/screenshots.
"""

import time

import pytest
from browsing import CHART, PAGES, UnpluggedServer, serving
from conftest import SCREENSHOTS, WIDE
from playwright.sync_api import expect

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True},
}
PAGE_LIMIT_S = 60.0
"""A page that waits for a network waits longer, on every machine."""
MAIN = "document.querySelector('[data-testid=\"stMain\"]')"


@pytest.fixture(scope="module")
def shared_server(real_folders):
    """One server for the tests of this file, which reaches nobody."""
    with serving(real_folders.var, real_folders.data, UnpluggedServer) as started:
        yield started


def keep_screenshot(tab, name: str) -> None:
    """The whole page, not only what fits the window; Streamlit scrolls inside its main part."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width = tab.page.viewport_size["width"]
    height = int(tab.page.evaluate(f"{MAIN}.scrollHeight"))
    window = tab.page.viewport_size
    tab.page.set_viewport_size({"width": width, "height": max(height, WIDE["height"])})
    tab.page.wait_for_timeout(400)
    tab.page.screenshot(path=SCREENSHOTS / f"{name}.png")
    tab.page.set_viewport_size(window)


def brightness(tab) -> float:
    """Of the background, 0 to 255."""
    colour = tab.page.evaluate("getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor")
    return sum(float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3]) / 3


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_fits_its_window_and_nothing_breaks(shared_server, new_browser, look):
    tab, took_s = new_browser(**LOOKS[look]), {}
    for page in PAGES:
        began = time.monotonic()
        tab.open(shared_server.address(page))
        took_s[page] = round(time.monotonic() - began, 1)
        # Without a log or a vote there is nothing to draw of one.
        if page not in ("arena", "data", "models", "playground", "workload"):
            expect(tab.page.locator(CHART).first).to_be_visible()
        assert (brightness(tab) < 60) == (look == "dark")
        for part in ["document.documentElement", "document.body", MAIN]:
            assert tab.page.evaluate(f"{part}.scrollWidth - {part}.clientWidth") <= 0, f"{page}: {part}"
        keep_screenshot(tab, f"{page}-{look}")
        assert tab.tracebacks == []
        assert tab.errors == ""
        assert tab.complaints == []
    assert tab.hosts == {"127.0.0.1"}
    assert max(took_s.values()) < PAGE_LIMIT_S, took_s


def test_on_a_telephone_the_menu_opens_and_a_page_can_be_chosen(shared_server, new_browser):
    tab = new_browser(**LOOKS["narrow"]).open(shared_server.address())
    tab.page.get_by_test_id("stExpandSidebarButton").click()
    tab.go_to("costs")
    assert tab.title == "Costs"


def test_on_a_telephone_a_finger_drawn_over_a_chart_scrolls_the_page_and_no_button_hides_its_legend(
    shared_server, new_browser
):
    tab = new_browser(**LOOKS["narrow"]).open(shared_server.address("costs"))
    chart = tab.page.locator(".js-plotly-plot").first
    chart.scroll_into_view_if_needed()
    expect(tab.page.locator(".modebar").first).to_be_hidden()
    before, box = tab.page.evaluate(f"{MAIN}.scrollTop"), chart.bounding_box()
    finger = tab.page.context.new_cdp_session(tab.page)
    down, x = box["y"] + 0.7 * box["height"], box["x"] + box["width"] / 2
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": down}]})
    for step in range(1, 11):
        moved = [{"x": x, "y": down - 20 * step}]
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": moved})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    tab.page.wait_for_function(f"{MAIN}.scrollTop > {before} + 100", timeout=5_000)


def test_every_input_of_the_sidebar_has_a_name_for_a_screen_reader(shared_server, tab):
    tab.open(shared_server.address("costs"))
    names = [field.get_attribute("aria-label") for field in tab.page.locator('[data-testid="stSidebar"] input').all()]
    assert len(names) >= 10
    assert all(names)
    assert len(set(names)) == len(names)


def test_the_inputs_are_reached_with_the_tab_key_and_changed_with_the_keyboard(shared_server, tab):
    tab.open(shared_server.address("costs"))
    reached = []
    wanted = ["Model", "Requests per month", "Input tokens", "Output tokens"]
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        name = tab.page.evaluate("document.activeElement.getAttribute('aria-label')")
        reached.append(name)
        if name == "Requests per month":
            tab.page.keyboard.press("ControlOrMeta+A")
            tab.page.keyboard.type("5000000")
    assert [name for name in reached if name in wanted] == wanted
    tab.rerun_settled()
    assert "requests_per_month=5000000" in tab.page.url


def test_the_chart_says_in_words_what_it_shows(shared_server, tab):
    tab.open(shared_server.address("costs"))
    described = tab.page.locator(".st-key-cost_curves [aria-label], [role='img'][aria-label]").all()
    assert any(
        "Monthly cost over monthly requests" in (element.get_attribute("aria-label") or "") for element in described
    )
