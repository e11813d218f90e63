"""What a model, a server or a file of strangers writes: shown, never run, and nothing is fetched because of it."""

import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from browsing import Tab, serving
from playwright.sync_api import expect

from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.models.library import demo_model_path
from llmcompare.store.results import ResultsLog
from tests.tiny_models import write_tiny

EVIL = "http://evil.invalid"
SCRIPT = "window.owned = true"
MARKUP = f"""<script>{SCRIPT}</script><img src="{EVIL}/img.png" onerror="{SCRIPT}"><iframe src="{EVIL}/frame"></iframe>
<svg onload="{SCRIPT}"><image href="{EVIL}/svg.png"/></svg><style>@import "{EVIL}/style.css";</style>
<link rel="stylesheet" href="{EVIL}/link.css"><video src="{EVIL}/v.mp4" autoplay></video><base href="{EVIL}/">
<meta http-equiv="refresh" content="0;url={EVIL}/meta"><form action="{EVIL}"><input autofocus onfocus="{SCRIPT}"></form>

![image]({EVIL}/md.png) ![ref][r] [![inside]({EVIL}/inside.png)]({EVIL}/link) !\\[x]({EVIL}/escaped.png)

[r]: {EVIL}/ref.png
[^1]: a note ![in a note]({EVIL}/note.png)

{EVIL}/auto <{EVIL}/angle> www.evil.invalid/www a@evil.invalid [js](javascript:{SCRIPT.replace(" ", "%20")})
[data](data:text/html,<script>{SCRIPT}</script>) [note][^1] [vb](vbscript:x) [j2](&#106;avascript:alert(1))

$\\href{{javascript:{SCRIPT}}}{{x}}$ $$\\includegraphics{{{EVIL}/tex.png}}$$ $\\htmlData{{x=1}}{{y}}$
:red[red] :red-background[![c]({EVIL}/colour.png)] :material/bolt: :streamlit: :smile: :badge[![b]({EVIL}/badge.png)]
:::note
![d]({EVIL}/directive.png)
:::

> - ![q]({EVIL}/quote.png)

| a | ![t]({EVIL}/head.png) |
|---|---|
| ![t]({EVIL}/table.png) | <img src={EVIL}/cell.png> |

```mermaid
graph TD; A["<img src='{EVIL}/mermaid.png' onerror='{SCRIPT}'>"]
```
```html
<img src="{EVIL}/code.png">
```
"""
NAME = f'<img src={EVIL}/name.png onerror="{SCRIPT}">![n]({EVIL}/n.png)'

NAMED = "www.evil.invalid a@evil.invalid.gguf"


def facts(run_id, *, person="somebody", **reply):
    """A run of two models that write markup wherever they can."""
    now = datetime.now(UTC).isoformat()
    slot = json.dumps({"model": NAME, "system": MARKUP, "sampling": {"json_schema": '{"type": "object"}'}})
    run = RunFact(
        run_id=run_id, person=person, asked_at=now, prompt=MARKUP, system=MARKUP, scheduling="in-turn",
        temperature=0.5, top_p=1.0, max_tokens=64, seed=0, context_tokens=4096, models=(NAME, f"{NAME} 2"),
        slots=(slot, slot),
    )  # fmt: skip
    yield run
    for number in (0, 1):
        known = {"text": f"<think>{MARKUP}</think>{MARKUP} {number}", "end": "end", "error": None}
        yield ReplyFact(
            **({"reply_id": f"{run_id}-{number}", "run_id": run_id, "slot": number, "model": run.models[number],
                "ended_at": now, "prompt_text": MARKUP, "quantization": NAME, "engine": NAME, "prompt_tokens": 9,
                "generated_tokens": 9} | known | reply)
        )  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory, real_folders):
    var = tmp_path_factory.mktemp("injection") / "var"
    (var / "models").mkdir(parents=True)
    demo = demo_model_path()
    assert demo is not None
    # A slash cannot stand in a name, and an address does without: a browser reads https:host as https://host.
    (var / "models" / "![x](https:evil.invalid) <img src=x onerror=alert(1)>.gguf").symlink_to(demo)
    # A bare address is a link for Streamlit, however many backslashes stand in it.
    write_tiny(var / "models" / NAMED, name=f"![n]({EVIL}/name.png) [n]({EVIL}) {EVIL}/bare a@evil.invalid")
    log = ResultsLog(var / "results")
    json_text = json.dumps(
        {NAME: MARKUP, "url": f"{EVIL}/json.png", "data": f"data:image/svg+xml,<svg onload={SCRIPT}>"}
    )
    for fact in (*facts("markup"), *facts("failed", text="", end=None, error=MARKUP), *facts("json", text=json_text)):
        log.append(fact)
    log.close()
    with serving(var, real_folders.data) as started:
        yield started


class Guarded:
    """A tab that notes every request to another host, and whether anything ran."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.elsewhere: list[str] = []
        self.dialogs: list[str] = []
        tab.page.on("request", lambda request: self._note(request.url))
        tab.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def _note(self, address: str) -> None:
        if urlsplit(address).hostname not in ("127.0.0.1", None):
            self.elsewhere.append(address)

    def is_safe(self) -> None:
        self.tab.page.wait_for_load_state("networkidle")
        assert self.elsewhere == []
        assert self.dialogs == []
        assert self.tab.page.evaluate("window.owned === undefined")
        addresses = self.tab.page.eval_on_selector_all("a[href]", "all => all.map(one => one.getAttribute('href'))")
        assert not [one for one in addresses if urlsplit(one).scheme in ("javascript", "data", "vbscript")]


@pytest.fixture
def guarded(tab):
    return Guarded(tab)


def toggle(tab: Tab, label: str) -> None:
    tab.page.get_by_text(label, exact=True).click()
    tab.rerun_settled()


@pytest.mark.parametrize("run", ["markup", "failed", "json"])
def test_replies_full_of_markup_run_nothing_and_reach_nobody_in_the_playground(server, guarded, run):
    tab = guarded.tab.open(server.address("playground", run=run))
    assert "evil.invalid" in tab.page.content()
    guarded.is_safe()
    toggle(tab, "Show replies as Markdown")
    for summary in tab.page.locator('[data-testid="stMain"] summary').all():
        if summary.locator("..").get_attribute("open") is None:
            summary.click()
    tab.rerun_settled()
    guarded.is_safe()
    toggle(tab, "Mark differences to the first")
    guarded.is_safe()
    assert tab.tracebacks == []


def test_replies_full_of_markup_run_nothing_and_reach_nobody_in_the_arena(server, guarded):
    tab = guarded.tab.open(server.address("arena", run="markup"))
    toggle(tab, "as Markdown")
    guarded.is_safe()
    # The choice that was just made does not keep the key for itself.
    tab.page.keyboard.press("2")
    expect(tab.page.get_by_text("Your vote: a tie").first).to_be_visible(timeout=60_000)
    tab.unfold("The two replies of your last vote")
    guarded.is_safe()
    assert tab.tracebacks == []


@pytest.mark.parametrize("run", ["markup", "failed"])
def test_a_report_of_such_a_run_and_its_file_run_nothing_and_reach_nobody(server, guarded, tmp_path, run):
    tab = guarded.tab.open(server.address("report", run=run))
    guarded.is_safe()
    assert tab.tracebacks == []
    tab.download("report_html").save_as(tmp_path / "report.html")
    tab.page.goto((tmp_path / "report.html").as_uri())
    assert "evil.invalid" in tab.page.content()
    guarded.is_safe()


def test_the_guard_sees_what_these_tests_forbid(guarded, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(f'<img src="{EVIL}/img.png" onerror="{SCRIPT}">')
    guarded.tab.page.goto(page.as_uri())
    guarded.tab.page.wait_for_function("window.owned")
    assert guarded.elsewhere == [f"{EVIL}/img.png"]
    with pytest.raises(AssertionError):
        guarded.is_safe()


def test_a_model_file_whose_name_is_markup_is_only_a_name(server, guarded):
    for page in ("models", "playground", "arena"):
        guarded.tab.open(server.address(page))
        guarded.is_safe()
        assert guarded.tab.tracebacks == []


def test_what_stands_in_a_model_file_is_no_link_and_no_picture(server, guarded):
    guarded.tab.open(server.address("models", models_view="At hand", at_hand_file=NAMED))
    expect(guarded.tab.page.get_by_test_id("stTable")).to_contain_text(f"[n]({EVIL}) {EVIL}/bare a@evil.invalid")
    guarded.is_safe()
    places = guarded.tab.page.eval_on_selector_all("a[href], img", "all => all.map(one => one.href || one.src)")
    assert not [place for place in places if urlsplit(place).hostname not in ("127.0.0.1", None)]
    assert not [place for place in places if place.startswith("mailto:")]
