"""The walk of a voter in a real Chromium: twenty blind votes with the keyboard alone, names after each, ratings."""

import re
import time

import pytest
from browsing import Tab, serving
from playwright.sync_api import Locator, expect

from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.services import arena
from llmcompare.store.results import ResultsLog
from llmcompare.ui.arena import READING_S
from llmcompare.ui.person import COOKIE

PERSON = "walker"
PROMPTS = ("Why is the sky blue?", "Name three fruits.")
VOTES = 20
NOT_INSTALLED = "another.gguf"
GRADES = ("fair", "good", "poor")
LEFT, TIE, BOTH_BAD, RIGHT = "1234"
WAIT_MS = 60_000
FOCUS = """() => {
  const focused = document.activeElement;
  const isField = ['BUTTON', 'INPUT', 'TEXTAREA'].includes(focused.tagName);
  return isField ? focused.getAttribute('aria-label') || focused.innerText : '';
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory, real_folders):
    """A server whose models, runs and votes are this file's own."""
    with serving(tmp_path_factory.mktemp("arena") / "var", real_folders.data) as started:
        yield started


@pytest.fixture
def log(server):
    """Read and written by another process than the server's."""
    opened = ResultsLog(server.var / "results")
    yield opened
    opened.close()


def test_twenty_votes_with_the_keyboard_are_blind_and_give_ratings_and_the_votes_still_needed(server, log, new_browser):
    tab = new_browser()
    tab.page.context.add_cookies([{"name": COOKIE, "value": PERSON, "url": server.address()}])
    tab.open(server.address("arena"))
    heard = frames(tab)
    # The second format of the demo model is made first.
    expect(tab.page.get_by_role("button", name="Ask two models")).to_be_visible(timeout=WAIT_MS)
    for number, prompt in enumerate(PROMPTS, start=1):
        tab.settled()
        heard.clear()
        ask(tab, prompt)
        models = sorted(log.runs()[0].run.models)
        assert len(set(models)) == 2
        if number == 1:
            for told in [*heard, tab.page.content().encode()]:
                assert not any(name.removesuffix(".gguf").encode() in told for name in models)
        cast(tab, TIE, number)
        assert all(name in tab.text.split("Ratings")[0] for name in models)
    write_runs(log, (*models, NOT_INSTALLED))
    choose(tab, "finished runs")
    for number in range(len(PROMPTS) + 1, VOTES + 1):
        before = tab.text.split("as Markdown")[1].split("Ratings")[0]
        assert not any(name in before for name in (*models, NOT_INSTALLED))
        cast(tab, key_for(number, *replies(tab)), number)
    found = arena.standings(log.votes())
    assert len(found.votes) == VOTES
    assert {vote.vote for vote in found.votes} == {"left", "right", "tie", "both bad"}
    assert found.first_place.votes_needed > 0
    assert f"{found.first_place.votes_needed:,} more votes would settle the first place" in tab.text
    assert found.answer in tab.text
    assert len(re.findall(r"\d+% of votes expected \(\d+ to \d+\)", tab.page.content())) == 3
    assert tab.tracebacks == []
    assert tab.complaints == []


def frames(tab: Tab) -> list[bytes]:
    """What the server sends to the page from now on, in the connection of a reload."""
    heard: list[bytes] = []

    def listen(payload: str | bytes) -> None:
        heard.append(payload.encode() if isinstance(payload, str) else payload)

    tab.page.on("websocket", lambda socket: socket.on("framereceived", listen))
    tab.page.reload()
    tab.settled()
    assert heard
    return heard


def reach(tab: Tab, label: str) -> None:
    """Press Tab until what is so called has the focus."""
    for _ in range(200):
        tab.page.keyboard.press("Tab")
        if label in tab.page.evaluate(FOCUS):
            return
    raise AssertionError(f"{label!r} cannot be reached with the keyboard")


def ask(tab: Tab, prompt: str) -> None:
    """A prompt to two models, until both replies stand there."""
    reach(tab, "Prompt")
    tab.page.keyboard.press("Control+a")
    tab.page.keyboard.type(prompt)
    reach(tab, "Max tokens")
    tab.page.keyboard.press("Control+a")
    tab.page.keyboard.type("16")
    reach(tab, "Ask two models")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("button", name="Left is better")).to_be_visible(timeout=WAIT_MS)
    tab.settled()


def choose(tab: Tab, way: str) -> None:
    """The choice keeps the focus, and with it the arrow keys."""
    reach(tab, "a new prompt")
    tab.page.keyboard.press("ArrowRight")
    assert way in tab.page.evaluate(FOCUS)
    tab.page.keyboard.press("Space")
    expect(main(tab).get_by_text(re.compile("of 20 pairs judged"))).to_be_visible(timeout=WAIT_MS)
    tab.settled()


def main(tab: Tab) -> Locator:
    return tab.page.get_by_test_id("stMain")


def cast(tab: Tab, key: str, number: int) -> None:
    """A vote, until it is counted and the next one would be."""
    tab.page.keyboard.press(key)
    counted = re.compile(rf"^{number} votes? by 1 voter on {number} prompts?\.")
    expect(main(tab).get_by_text(counted).first).to_be_visible(timeout=WAIT_MS)
    expect(main(tab).get_by_text(re.compile("^(You preferred|Your vote:)")).first).to_be_visible(timeout=WAIT_MS)
    seen_at = time.monotonic()
    tab.settled()
    # A second vote within this time is not counted; the server counts it from before the words above were shown.
    tab.page.wait_for_timeout(max(0.0, READING_S - (time.monotonic() - seen_at)) * 1e3)


def replies(tab: Tab) -> list[str]:
    """What stands left and right."""
    blocks = [block.inner_text() for block in main(tab).get_by_test_id("stCode").all() if block.is_visible()]
    shown = [text for text in blocks if text.startswith("A ")]
    assert len(shown) == 2
    return shown


def key_for(number: int, left: str, right: str) -> str:
    """The better words, most of the time."""
    if number % 6 == 0:
        return TIE if number % 4 else BOTH_BAD
    is_left_better = ("poor", "fair", "good").index(left.split()[1]) > ("poor", "fair", "good").index(right.split()[1])
    return LEFT if is_left_better != (number % 4 == 3) else RIGHT


def write_runs(log: ResultsLog, models: tuple[str, ...]) -> None:
    """Finished runs of two models each."""
    when = "2026-11-25T12:00:00.000000+00:00"
    for number in range(VOTES - len(PROMPTS)):
        slots = [(number + at) % len(models) for at in range(2)]
        run_id = f"finished-{number}"
        log.append(
            RunFact(
                run_id=run_id, person=PERSON, asked_at=when, prompt=f"Question {number}?", system=None, seed=0,
                scheduling="in-turn", temperature=0.0, top_p=1.0, max_tokens=64, context_tokens=4096,
                models=tuple(models[slot] for slot in slots),
            )
        )  # fmt: skip
        for at, slot in enumerate(slots):
            log.append(
                ReplyFact(
                    reply_id=f"{run_id}-{at}", run_id=run_id, slot=at, model=models[slot], ended_at=when,
                    text=f"A {GRADES[slot]} reply to question {number}.", end="end", error=None,
                )
            )  # fmt: skip
