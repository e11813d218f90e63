"""The walk of somebody whose cable is pulled: what works offline works, the rest says so, and nothing hangs.

That every page opens without a network and asks no other host is looked at in test_browser_looks.py.
"""

import re
import subprocess
import sys

import pytest
from browsing import PROJECT, Tab, UnpluggedServer, serving
from playwright.sync_api import expect
from unplugged import environment_of, unplugged

from llmcompare.ui.playground_ask import ENDPOINT

LIMIT_MS = 120_000
WORDS = re.compile(r"\w+ \w+ \w+")
COMMAND_LIMIT_S = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory, real_folders):
    with serving(tmp_path_factory.mktemp("offline") / "var", real_folders.data, UnpluggedServer) as started:
        yield started


def said(tab: Tab, text: str | re.Pattern[str]) -> None:
    expect(tab.page.get_by_test_id("stMain")).to_contain_text(text, timeout=LIMIT_MS)


def test_a_local_model_answers_without_a_network_and_an_endpoint_says_that_it_is_down(server, tab):
    slots = {"slot_2": ENDPOINT, "kind_2": "vllm", "url_2_vllm": "http://192.0.2.7:8000/v1", "name_2": "far-away"}
    tab.open(server.address("playground", max_tokens=16, **slots))
    tab.page.get_by_label("Prompt", exact=True).fill("Why is the sky blue?")
    tab.page.get_by_role("button", name="Run", exact=True).click()
    said(tab, "ended at the token limit, 16 tokens")
    expect(tab.page.locator('[data-testid="stMain"] [data-testid="stCode"]').first).to_contain_text(WORDS)
    expect(tab.page.locator('[data-testid="stAlertContentError"]').first).to_contain_text("192.0.2.7", timeout=LIMIT_MS)
    assert tab.tracebacks == []


def test_models_shows_what_is_here_and_says_that_the_hub_cannot_be_reached(server, tab):
    tab.open(server.address("models", library_model="qwen3-4b"))
    said(tab, "fits this machine as")
    tab.page.locator(".st-key-hub_look button:visible").click()
    said(tab, re.compile(r"the Hub cannot be reached \(\w+\); check the network; files that are here do without"))
    tab.open(server.address("models", models_view="Search the Hub"))
    tab.page.get_by_label("Part of a name").fill("qwen3")
    tab.page.locator(".st-key-hub_search_start button:visible").click()
    said(tab, re.compile(r"search for 'qwen3' cannot be read from the Hub: the Hub cannot be reached"))
    tab.open(server.address("models", models_view="At hand"))
    said(tab, re.compile(r"\d model files? at hand"))
    said(tab, "Run it")
    assert tab.tracebacks == []


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["download", "unsloth/Qwen3-4B-GGUF", "Qwen3-4B-Q4_K_M.gguf"], "the Hub cannot be reached"),
        (["refresh", "prices"], "connect and run the command again"),
    ],
)
def test_a_command_that_needs_the_network_says_so_and_ends(server, command, sentence):
    ran = subprocess.run(
        unplugged([sys.executable, "-m", "llmcompare", *command]),
        cwd=PROJECT, env=environment_of(server.environment), capture_output=True, text=True, check=False,
        timeout=COMMAND_LIMIT_S,
    )  # fmt: skip
    assert sentence in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
