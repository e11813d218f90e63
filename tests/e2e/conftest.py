"""Every test here is marked `browser`. Chromium that is missing is a failure, not a reason to skip."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from browsing import PROJECT, Server, Tab, launch, serving
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from llmcompare.services import catalogue
from llmcompare.services.catalogue import Facts
from llmcompare.store.paths import Folders

WIDE = {"width": 1280, "height": 900}
expect.set_options(timeout=60_000)
"""A busy machine is no failure: the 5 s of Playwright were seen to be too short for a chart."""
SCREENSHOTS = PROJECT / "var" / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            started = launch(playwright)
        except RuntimeError as missing:
            pytest.fail(str(missing), pytrace=False)
        yield started
        started.close()


@pytest.fixture(scope="session")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A profile for the tests that only look: the second page costs no download of the first one's scripts."""
    context = browser.new_context(viewport=WIDE)
    yield context
    context.close()


@pytest.fixture
def tab(profile: BrowserContext) -> Iterator[Tab]:
    page = profile.new_page()
    yield Tab(page)
    page.close()


@pytest.fixture
def new_browser(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """A tab with a profile of its own: no cache, no cookie of another test."""
    contexts = []

    def open_one(**settings: object) -> Tab:
        contexts.append(browser.new_context(**({"viewport": WIDE} | settings)))
        return Tab(contexts[-1].new_page())

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def fresh_server(real_folders: Folders) -> Iterator[Server]:
    """A server that nobody visited yet."""
    with serving(real_folders.var, real_folders.data) as started:
        yield started


@pytest.fixture(scope="module")
def shared_server(real_folders: Folders) -> Iterator[Server]:
    """One server for the tests of a file that only look."""
    with serving(real_folders.var, real_folders.data) as started:
        yield started


@pytest.fixture
def own_data(tmp_path: Path) -> Path:
    """A copy of data/ that the test may edit."""
    return Path(shutil.copytree(PROJECT / "data", tmp_path / "data"))


@pytest.fixture
def facts(real_folders: Folders) -> Facts:
    """The rows that the servers show."""
    return catalogue.current(date.today(), real_folders).usable()
