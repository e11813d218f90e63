"""The walks of an engineer: real models side by side in a real Chromium."""

import os
import re
import signal
import subprocess
import sys
import time
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import PROJECT, Server, Tab, serving
from playwright.sync_api import expect

from llmcompare.store.results import ResultsLog

REPLY = '[data-testid="stCode"], pre.live-reply'
FIGURES = '[data-testid="stMain"] table.figures'
LONG = "Write a very long story about a lighthouse keeper and the sea."


@pytest.fixture(scope="module")
def server(tmp_path_factory, real_folders):
    """A server whose models, runs and formats are this file's own."""
    with serving(tmp_path_factory.mktemp("playground") / "var", real_folders.data) as started:
        yield started


@pytest.fixture(scope="module")
def ready(server, browser):
    """The second format is there: the first visit made it."""
    page = browser.new_page()
    tab = Tab(page).open(server.address("playground"))
    expect(choice(tab, 2)).to_have_value(re.compile("Q8_0"), timeout=30_000)
    page.close()
    return server


def choice(tab: Tab, number: int):
    return tab.page.locator(f'[data-testid="stMain"] input[aria-label*="Model {number}"]')


def replies(tab: Tab) -> list[str]:
    """Texts of the replies; the prompt after the template is folded away."""
    return [text.strip() for text in tab.page.locator('[data-testid="stMain"]').locator(REPLY).all_inner_texts()][:2]


def said(tab: Tab) -> str:
    """All words of the page, captions too."""
    return tab.page.get_by_test_id("stMain").inner_text()


def ask(tab: Tab, prompt: str, *, max_tokens: int) -> str:
    """Press Run, and return the id of the run as soon as the address has it."""
    before = run_id(tab)
    tab.page.get_by_label("Prompt", exact=True).fill(prompt)
    tab.unfold("System prompt and sampling")
    tab.page.locator('input[aria-label="Max tokens"]').fill(str(max_tokens))
    tab.page.locator('input[aria-label="Max tokens"]').press("Enter")
    tab.page.wait_for_timeout(400)
    tab.page.get_by_role("button", name="Run", exact=True).click()
    until(tab, lambda: run_id(tab) not in (None, before))
    return run_id(tab)


def run_id(tab: Tab) -> str | None:
    return parse_qs(urlsplit(tab.page.url).query).get("run", [None])[0]


def until(tab: Tab, true, limit_s: float = 30) -> float:
    """Seconds until something is so."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < limit_s, f"did not happen:\n{said(tab)}"
        tab.page.wait_for_timeout(20)
    return time.monotonic() - began


def figures(tab: Tab) -> dict[str, list[str]]:
    rows = [re.split(r"\s*\t\s*", row.strip()) for row in tab.page.locator(f"{FIGURES} tr").all_inner_texts()]
    return {row[0]: row[1:] for row in rows}


def is_writing(tab: Tab) -> bool:
    return len(replies(tab)) == 2 and all(replies(tab))


def workers(server: Server) -> list[int]:
    """Process ids of the workers of a server."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if parent == server.process.pid and "engines.worker" in command:
            found.append(int(folder.name))
    return sorted(found)


def is_at_work(process_id: int) -> bool:
    """Not one that has ended and whose parent is gone, so that nobody takes note of it."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def test_two_formats_of_the_demo_model_answer_side_by_side_with_every_figure(ready, new_browser):
    tab = new_browser().open(ready.address("playground"))
    assert "cannot be better than" in said(tab)
    ask(tab, "Why is the sky blue?", max_tokens=120)
    until(tab, lambda: is_writing(tab))
    first = replies(tab)
    until(tab, lambda: all(now != then for now, then in zip(replies(tab), first, strict=True)))
    until(tab, lambda: said(tab).count("complete, ") + said(tab).count("ended at the token limit, ") == 2, limit_s=180)
    tab.settled()
    until(tab, lambda: len(replies(tab)) == 2 and all("Rayleigh" in text for text in replies(tab)))
    shown = figures(tab)
    for name in ("Time to first token", "Prompt", "Generation", "Peak memory", "Threads", "GPU layers", "Context"):
        assert all(re.match(r"[\d,.]+", cell) for cell in shown[name]), name
    assert shown["Cold or warm"] == ["cold", "cold"]
    assert shown["GPU layers"] == ["0 (CPU)", "0 (CPU)"]
    assert "ran together and slowed each other" in said(tab)
    assert tab.tracebacks == []
    assert tab.complaints == []


def test_a_run_goes_on_when_the_page_is_left_reloaded_or_opened_in_a_second_tab(ready, new_browser):
    tab = new_browser().open(ready.address("playground"))
    run = ask(tab, LONG, max_tokens=400)
    until(tab, lambda: is_writing(tab))
    tab.go_to("costs")
    tab.go_to("playground")
    until(tab, lambda: run_id(tab) == run and is_writing(tab))
    tab.page.reload()
    until(tab, lambda: is_writing(tab))
    other = new_browser().open(ready.address("playground", run=run))
    for one in (tab, other):
        until(one, lambda one=one: said(one).count("ended at the token limit, 400 tokens") == 2, limit_s=300)
    until(tab, lambda: len(replies(tab)) == 2 and replies(tab) == replies(other))
    assert all(len(text) > 200 for text in replies(tab))
    for one in (tab, other):
        one.unfold("Your runs")
        expect(one.page.get_by_role("link", name=re.compile("lighthouse keeper")).first).to_be_visible()


def test_a_run_goes_on_when_the_browser_is_closed_and_is_there_when_it_is_opened_again(ready, new_browser):
    tab = new_browser().open(ready.address("playground"))
    run = ask(tab, LONG, max_tokens=120)
    until(tab, lambda: is_writing(tab), limit_s=180)
    tab.page.close()
    log = ResultsLog(Path(ready.environment["LLMCOMPARE_VAR"]) / "results")
    end = time.monotonic() + 180
    while len(log.run(run).replies) < 2:
        assert time.monotonic() < end, "the run did not go on"
        time.sleep(0.2)
    again = new_browser().open(ready.address("playground", run=run))
    until(again, lambda: said(again).count("ended at the token limit, 120 tokens") == 2)
    kept = [reply.text.strip() for reply in sorted(log.run(run).replies, key=lambda one: one.slot)]
    # The browser fetches what draws a reply after the rest of the page.
    until(again, lambda: replies(again) == kept)


@pytest.mark.parametrize("prompt", [LONG, "word " * 3_500], ids=["while writing", "in the middle of a long prompt"])
def test_stop_ends_both(ready, new_browser, prompt):
    tab = new_browser().open(ready.address("playground"))
    ask(tab, prompt, max_tokens=2_000)
    until(tab, lambda: is_writing(tab) if prompt == LONG else said(tab).count("reading the prompt") == 2)
    tab.page.get_by_role("button", name="Stop", exact=True).click()
    # The page looks four times a second and is then drawn anew; how fast the workers stop, benchmarks/ measures.
    took_s = until(tab, lambda: said(tab).count("stopped, ") == 2)
    assert took_s < 3
    assert tab.tracebacks == []


def test_a_killed_worker_fails_alone_and_the_next_prompt_works(ready, new_browser):
    tab = new_browser().open(ready.address("playground"))
    ask(tab, LONG, max_tokens=250)
    until(tab, lambda: is_writing(tab))
    os.kill(workers(ready)[0], signal.SIGKILL)
    until(tab, lambda: "signal 9" in tab.errors, limit_s=30)
    until(tab, lambda: said(tab).count("ended at the token limit, 250 tokens") == 1, limit_s=180)
    ask(tab, "Why is the sky blue?", max_tokens=20)
    until(tab, lambda: said(tab).count("ended at the token limit, 20 tokens") == 2)
    assert tab.errors == ""


def test_a_run_opens_in_report_with_the_command_that_asks_it_again(ready, new_browser):
    tab = new_browser().open(ready.address("playground"))
    run = ask(tab, "Why is the sky blue?", max_tokens=20)
    until(tab, lambda: said(tab).count("ended at the token limit, 20 tokens") == 2)
    until(tab, lambda: is_writing(tab))
    shown = replies(tab)
    tab.page.get_by_role("link", name="Open this run in Report").click()
    until(tab, lambda: tab.title == "Report")
    tab.settled()
    assert run_id(tab) == run
    command = "python -m llmcompare run 'Why is the sky blue?' --model SmolLM2-135M-Instruct.Q4_1.gguf"
    assert command in replies_text(tab)
    file = tab.download("report_html").path()
    written = unescape(Path(file).read_text())
    assert all(text in written for text in shown)


def replies_text(tab: Tab) -> str:
    return "\n".join(tab.page.locator(REPLY).all_inner_texts())


def test_files_that_are_put_into_the_folder_appear_and_refused_ones_say_why(ready, new_browser):
    models = Path(ready.environment["LLMCOMPARE_VAR"]) / "models"
    (models / "notes.gguf").write_text("these are notes")
    made = next(models.glob("*Q8_0*.gguf"))
    (models / "mine.gguf").symlink_to(made)
    tab = new_browser().open(ready.address("playground", slot_2="mine.gguf"))
    expect(choice(tab, 2)).to_have_value("mine.gguf")
    tab.unfold("Models at hand")
    ask(tab, "Why is the sky blue?", max_tokens=8)
    until(tab, lambda: said(tab).count("ended at the token limit, 8 tokens") == 2)


def test_ctrl_c_leaves_no_process_behind(tmp_path, real_folders, new_browser):
    with serving(tmp_path / "var", real_folders.data) as server:
        tab = new_browser().open(server.address("playground"))
        expect(choice(tab, 2)).to_have_value(re.compile("Q8_0"), timeout=30_000)
        ask(tab, LONG, max_tokens=1_000)
        until(tab, lambda: is_writing(tab))
        known = workers(server)
        assert len(known) == 2
        server.process.send_signal(signal.SIGINT)
        server.process.wait(20)
        until(tab, lambda: not any(Path(f"/proc/{one}").exists() for one in known), limit_s=5)


def test_what_had_ended_survives_a_killed_app_and_the_rest_is_marked(tmp_path, real_folders, new_browser):
    var = tmp_path / "var"
    with serving(var, real_folders.data) as server:
        tab = new_browser().open(server.address("playground", scheduling="in-turn"))
        expect(choice(tab, 2)).to_have_value(re.compile("Q8_0"), timeout=30_000)
        run = ask(tab, LONG, max_tokens=200)
        until(tab, lambda: "ended at the token limit" in said(tab), limit_s=300)
        first = replies(tab)[0]
        known = workers(server)
        assert known
        server.process.kill()
        server.process.wait()
        until(tab, lambda: not any(map(is_at_work, known)), limit_s=60)
    with serving(var, real_folders.data) as server:
        tab = new_browser().open(server.address("playground", run=run))
        until(tab, lambda: replies(tab)[:1] == [first], limit_s=60)
        assert "The run was interrupted" in said(tab)
        assert said(tab).count("ended at the token limit, 200 tokens") == 1
    listed = subprocess.run(
        [sys.executable, "-m", "llmcompare", "run", "hi", "--max-tokens", "2", "--json"],
        cwd=PROJECT, env=server.environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert '"error": null' in listed.stdout
