"""The walk of somebody who needs a file: chosen on Models, fetched over a connection that breaks, checked, and run."""

import re
import subprocess
import sys

import pytest
from browsing import PROJECT, Tab, serving
from playwright.sync_api import expect

from llmcompare.models.library import demo_model_path
from tests.models import hub_server

REPOSITORY, FILE = "unsloth/Qwen3-4B-GGUF", "Qwen3-4B-Q4_K_M.gguf"
"""What the catalogue names for Qwen3 4B; here the file has the weights of the demo model, so that it answers soon."""
LIMIT_MS = 120_000
GIVEN_UP = [0] * 5
"""Answers without a byte, after which a download ends."""
TROUBLES = {
    "gated": "its owner asks for an agreement; accept it on the Hub and set HF_TOKEN",
    "too-many": "the Hub gets too many requests from here; wait some minutes, or set HF_TOKEN",
    "gone": "the file is no longer there; look at the repository again",
    "other-content": "It was removed; fetch it again.",
}


@pytest.fixture(scope="module")
def hub():
    with hub_server.serving() as running:
        path = demo_model_path()
        assert path is not None
        running.files[REPOSITORY] = {FILE: path}
        # Now, and not while somebody waits for a list.
        running.checksum(path)
        yield running


@pytest.fixture(scope="module")
def server(hub, tmp_path_factory, real_folders):
    """A server whose machine was measured with one model, and whose Hub is ours."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HF_ENDPOINT", hub.address)
        environment.setenv("HF_HOME", str(folder / "home"))
        environment.setenv("HF_TOKEN", "")
        environment.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "60")
        with serving(folder / "var", real_folders.data) as started:
            measure = [sys.executable, "-m", "llmcompare", "bench", str(demo_model_path())]
            subprocess.run(
                [*measure, "--prompt", "0", "--generate", "8", "--repetitions", "2", "--threads", "1"],
                cwd=PROJECT, env=started.environment, capture_output=True, check=True, timeout=300,
            )  # fmt: skip
            yield started


def said(tab: Tab, text: str | re.Pattern[str]):
    """Wait until the page says it."""
    main = tab.page.get_by_test_id("stMain")
    expect(main).to_contain_text(text, timeout=LIMIT_MS)


def press(tab: Tab, key: str) -> None:
    tab.page.locator(f".st-key-{key} button:visible").first.click()


def test_a_file_is_chosen_fetched_over_a_connection_that_breaks_checked_and_generates_text(server, hub, new_browser):
    tab = new_browser().open(server.address("models", library_model="qwen3-4b"))
    # Fits, at which context, how fast with its band, under which licence.
    said(tab, re.compile(r"Qwen3 4B \(hybrid thinking\) fits this machine as \w+ \([\d.]+ GB\), up to [\d,]+ tokens"))
    said(tab, re.compile(r"It should write [\d.]+ tokens/s \([\d.]+ to [\d.]+ in 8 of 10 cases\)"))
    said(tab, "Licence Apache-2.0: allowed")
    press(tab, "hub_look")
    said(tab, "licence apache-2.0, not gated")
    said(tab, re.compile(r"98 MB will come; the disk has [\d.,]+ [MG]B"))

    # Cut once, it goes on by itself; cut for good, it ends and says what is kept.
    hub.cuts = [30_000_000, 20_000_000, *GIVEN_UP]
    press(tab, "hub_fetch")
    said(tab, re.compile(r"the connection was lost 6 times in a row \(.*\)\. 50\.0 of 98\.4 MB are kept"))
    said(tab, f"Unfinished: {FILE} of {REPOSITORY}, 50 MB are here.")
    assert hub.sent_bytes == 50_000_000

    # Gone on with, slowly: progress, speed, time to go, and a way to stop.
    hub.pause_s = 0.02
    tab.page.get_by_role("button", name="Go on").click()
    said(tab, re.compile(rf"{FILE}: [5-9]\d MB of 98 MB, [\d.]+ [kM]B/s, [\d.]+ (s|min|h) to go"))
    tab.page.get_by_role("button", name="Cancel").first.click()
    said(tab, f"Unfinished: {FILE} of {REPOSITORY}")
    hub.pause_s = 0.0
    tab.page.get_by_role("button", name="Go on").click()
    said(tab, f"{FILE} is here and checked: 98 MB, checksum as listed; 5")
    said(tab, "were here already")
    # Nothing came twice, but for what was on its way when it was stopped.
    assert hub.sent_bytes < 98_362_432 + 2_000_000
    assert tab.complaints == []

    tab.page.get_by_role("link", name="Run it").first.click()
    tab.page.wait_for_url(re.compile("/playground"))
    tab.settled()
    first = tab.page.locator('[data-testid="stMain"] input[aria-label*="Model 1"]')
    expect(first).to_have_value(re.compile(re.escape(FILE)), timeout=LIMIT_MS)
    tab.unfold("System prompt and sampling")
    tab.page.locator('input[aria-label="Max tokens"]').fill("24")
    tab.page.locator('input[aria-label="Max tokens"]').press("Enter")
    tab.rerun_settled()
    tab.page.get_by_label("Prompt", exact=True).fill("Why is the sky blue?")
    tab.page.get_by_role("button", name="Run", exact=True).click()
    said(tab, "ended at the token limit, 24 tokens")
    reply = tab.page.locator('[data-testid="stMain"] [data-testid="stCode"]').first
    expect(reply).to_contain_text(re.compile(r"\w+ \w+ \w+"), timeout=LIMIT_MS)
    assert tab.tracebacks == []


def test_what_goes_wrong_is_a_sentence_with_what_to_do(server, hub, new_browser):
    tab = new_browser().open(server.address("models", library_model="qwen3-4b"))
    for trouble, sentence in TROUBLES.items():
        name = f"{trouble}-Q8_0.gguf"
        hub.files[REPOSITORY] = {name: demo_model_path()}
        hub.gated = {REPOSITORY} & {REPOSITORY if trouble == "gated" else ""}
        hub.status = {"too-many": 429, "gone": 404}.get(trouble)
        hub.listed_checksums = {name: "c" * 64} if trouble == "other-content" else {}
        press(tab, "hub_look")
        expect(tab.page.get_by_label("File", exact=True)).to_have_value(f"{name}, 0.10 GB", timeout=LIMIT_MS)
        said(tab, "gated: its owner asks for an agreement first" if trouble == "gated" else "not gated")
        tab.settled()
        press(tab, "hub_fetch")
        said(tab, sentence)
        tab.settled()
        assert f"Unfinished: {name}" not in tab.text
    assert tab.tracebacks == []
