"""A fresh server and a real Chromium, for the browser tests, the screenshots and the measurements."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import unplugged
from playwright.sync_api import Browser, ConsoleMessage, Download, Locator, Page, Playwright

PROJECT = Path(__file__).resolve().parents[2]
PAGES = {"overview": "", "advisor": "advisor", "costs": "costs", "workload": "workload", "breakeven": "breakeven",
         "finetuning": "finetuning", "hardware": "hardware", "capability": "capability", "families": "families",
         "guide": "guide", "languages": "languages", "models": "models",
         "playground": "playground", "arena": "arena",
         "report": "report", "moved": "moved",
         "data": "data"}  # fmt: skip
"""Path in the address; the default page lives at / only."""
NAVIGATION = {
    "overview": "Overview", "advisor": "Advisor", "costs": "Costs", "workload": "Workload", "breakeven": "Breakeven",
    "finetuning": "Fine-tuning", "hardware": "Hardware", "capability": "Capability",
    "families": "Families", "guide": "Guide, checked", "languages": "Languages", "models": "Models",
    "playground": "Playground",
    "arena": "Arena",
    "report": "Report", "moved": "What moved", "data": "Data",
}  # fmt: skip
CHART = ".js-plotly-plot .main-svg"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
NOT_OURS = re.compile(
    rf"/({'|'.join(filter(None, PAGES.values()))})/_stcore/(health|host-config)\b"
    r"|^https://fonts\.gstatic\.com/"
)
"""On a deep link Streamlit's own page tries whether the app is served below that path, and reads on at /. What is asked
of other hosts has a test of its own, without a network."""
STARTED_WITHIN_S = 120
QUIET = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const values = [...document.querySelectorAll('input')].map(input => input.value).join('|');
  const now = [app.dataset.testScriptState, document.querySelectorAll('*').length,
    document.querySelectorAll('[data-stale="true"]').length, values].join('|');
  if (now !== window.seenLast) { window.seenLast = now; window.quietSince = performance.now(); }
  return app.dataset.testScriptState === 'notRunning' && performance.now() - window.quietSince > 400;
}"""
"""Parts of the page are fetched when first needed, and an input shows its default before the value of the link."""


def chromium_path() -> str:
    """Where Chromium is. Raises RuntimeError with what to do."""
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("There is no 'chromium' on the PATH: install it (apt-get install chromium), the browser"
                           " tests cannot run without it.")  # fmt: skip
    return path


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium; nothing is downloaded."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_FLAGS)


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`python -m llmcompare serve` in a process of its own."""

    def __init__(self, var: Path, data: Path = PROJECT / "data") -> None:
        self.var = var
        self.port = free_port()
        self.ready_at: float | None = None
        self.environment = os.environ | {"LLMCOMPARE_VAR": str(var), "LLMCOMPARE_DATA": str(data)}
        self.log = var.parent / f"server-{self.port}.log"
        command = [sys.executable, "-m", "llmcompare", "serve", "--port", str(self.port)]
        with self.log.open("wb") as stream:
            self.process = self.start(command, stream)

    def start(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Its process."""
        return subprocess.Popen(command, cwd=PROJECT, env=self.environment, stdout=log, stderr=subprocess.STDOUT)

    def wait(self) -> None:
        """Until the server says that it is ready; no page is asked for, so the first visitor is really the first."""
        until = time.monotonic() + STARTED_WITHIN_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended by itself: {self.log.read_text()[-2000:]}")
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=STARTED_WITHIN_S):
                    self.ready_at = time.perf_counter()
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"not ready after {STARTED_WITHIN_S} s: {self.log.read_text()[-2000:]}")

    def address(self, page: str = "overview", **link: object) -> str:
        query = f"?{urlencode(link)}" if link else ""
        return f"http://127.0.0.1:{self.port}/{PAGES[page]}{query}"

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class UnpluggedServer(Server):
    """The same without a network."""

    def start(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return unplugged.start(command, self.port, environment=self.environment, folder=PROJECT, log=log)


@contextmanager
def serving(var: Path, data: Path = PROJECT / "data", kind: type[Server] = Server) -> Iterator[Server]:
    """A server that is ready and that nobody visited yet."""
    started = kind(var, data)
    try:
        started.wait()
        yield started
    finally:
        started.end()


class Tab:
    """One browser tab on the dashboard, with what its console said."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname or ""))
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        where = str((message.location or {}).get("url", ""))
        if message.type == "error" and not NOT_OURS.search(where):
            self.complaints.append(f"{message.text} ({where})")

    def open(self, address: str) -> "Tab":
        self.page.goto(address)
        return self.settled()

    def settled(self, timeout_s: float = 90) -> "Tab":
        """Wait until the script has run and its elements are drawn."""
        self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(
            timeout=timeout_s * 1e3
        )
        self.page.locator('[data-testid="stMain"] h1').first.wait_for(timeout=timeout_s * 1e3)
        self.page.wait_for_function(f"({QUIET})()", polling=100, timeout=timeout_s * 1e3)
        return self

    def go_to(self, page: str) -> "Tab":
        """Click a page in the navigation, which may show only the first of many."""
        navigation = self.page.get_by_test_id("stSidebarNav")
        link = navigation.get_by_role("link", name=NAVIGATION[page], exact=True)
        if not link.is_visible():
            navigation.get_by_text(re.compile(r"^View \d+ more$")).click()
        link.click()
        self.page.wait_for_url(re.compile(rf"/{PAGES[page]}(\?.*)?$"))
        return self.settled()

    @property
    def title(self) -> str:
        return self.page.locator('[data-testid="stMain"] h1').first.inner_text()

    @property
    def text(self) -> str:
        """The words of the page, without tables and charts."""
        texts = self.page.locator('[data-testid="stMain"]').locator('h1, [data-testid="stMarkdownContainer"]')
        return "\n".join(texts.all_inner_texts())

    @property
    def errors(self) -> str:
        return "\n".join(self.page.locator('[data-testid="stAlertContentError"]').all_inner_texts())

    @property
    def tracebacks(self) -> list[str]:
        return self.page.get_by_test_id("stException").all_inner_texts()

    def input(self, label: str) -> Locator:
        return self.page.get_by_test_id("stSidebar").locator(f'input[aria-label="{label}"]')

    def type_number(self, label: str, value: int) -> "Tab":
        self.input(label).fill(str(value))
        self.input(label).press("Enter")
        return self.rerun_settled()

    def rerun_settled(self) -> "Tab":
        # The state turns to "running" a moment after the event was sent.
        self.page.wait_for_timeout(250)
        return self.settled()

    def unfold(self, label: str) -> "Tab":
        summary = self.page.locator("summary").filter(has_text=label)
        if summary.locator("..").get_attribute("open") is None:
            summary.click()
        return self

    def download(self, key: str) -> Download:
        """Click the download button with this key."""
        with self.page.expect_download() as waiting:
            # A button with a help text is there twice, once for telephones.
            self.page.locator(f".st-key-{key} button:visible").first.click()
        return waiting.value
