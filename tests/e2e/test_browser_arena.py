"""The walk of a voter: finished runs of real models judged blind with the keyboard alone, in a real Chromium."""

import re
import time

import pytest
from browsing import Tab, serving
from playwright.sync_api import expect

from llmcompare.ui.arena import READING_S

PROMPTS = ("Why is the sky blue?", "Name three fruits.", "What is a lighthouse for?", "Why does iron rust?")
KEYS = ("ArrowLeft", "t", "b", "ArrowRight")
NAME = "SmolLM2"


@pytest.fixture(scope="module")
def server(tmp_path_factory, real_folders):
    """A server whose models, runs and votes are this file's own."""
    with serving(tmp_path_factory.mktemp("arena") / "var", real_folders.data) as started:
        yield started


def test_pairs_are_judged_with_the_keyboard_names_come_after_the_vote_and_ratings_follow(server, new_browser):
    tab = new_browser().open(server.address("arena"))
    main = tab.page.get_by_test_id("stMain")
    expect(tab.page.get_by_role("button", name="Ask two models")).to_be_visible(timeout=60_000)
    for number, (prompt, key) in enumerate(zip(PROMPTS, KEYS, strict=True), start=1):
        ask(tab, prompt)
        judged = main.inner_text().split("Show replies as Markdown")[1].split("Ratings")[0]
        assert NAME not in judged
        tab.page.keyboard.press(key)
        expect(main.get_by_text(re.compile("You preferred|Your vote:"))).to_be_visible(timeout=20_000)
        tab.settled()
        assert NAME in tab.text.split("Ratings")[0]
        expect(main.get_by_text(re.compile(rf"{number} votes? by 1 voter on {number} prompt"))).to_be_visible()
        time.sleep(READING_S)
    assert "2 of 4 votes were for neither, 1 of them because both were bad" in tab.text
    assert tab.tracebacks == []
    assert tab.complaints == []


def ask(tab: Tab, prompt: str) -> None:
    """A prompt to two models, until both replies stand there."""
    field = tab.page.locator('[data-testid="stMain"] textarea[aria-label="Prompt"]')
    field.fill(prompt)
    tab.page.locator('[data-testid="stMain"] input[aria-label="Max tokens"]').fill("16")
    tab.page.get_by_role("button", name="Ask two models").click()
    expect(tab.page.get_by_role("button", name="Left is better")).to_be_visible(timeout=60_000)
    tab.settled()
