"""The Playground with endpoints, schemas, turns and prices, without a browser."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.models import library
from llmcompare.services import playground, runs
from llmcompare.services.plans import Plan, Settings
from llmcompare.ui.playground_ask import ENDPOINT
from llmcompare.ui.playground_figures import DEFINITIONS, differences_html, table_html
from llmcompare.ui.safe import plain
from tests.engines.endpoint_server import DONE, chunk, serving, usage
from tests.tiny_models import write_tiny

PAGE = "try/playground"
KEY = "sk-secret-0123456789"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def own_var(monkeypatch, tmp_path):
    """Two formats are there already, so that no test makes one."""
    var = tmp_path / "var"
    (var / "models").mkdir(parents=True)
    (var / "models" / "second.gguf").symlink_to(runs.local_models()[0].path)
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))


@pytest.fixture
def server():
    with serving() as script:
        script.say(chunk("Because."), chunk(finish="stop"), usage(1000, 500), DONE)
        yield script


def link(server, **more):
    """Two slots, both behind the server."""
    slots = {}
    for number in (1, 2):
        slots |= {f"slot_{number}": ENDPOINT, f"kind_{number}": "vllm", f"name_{number}": "some-model"}
        slots[f"url_{number}_vllm"] = server.base_url
    return slots | more


def pressed(app, key="start"):
    """The page after a button was pressed and its run has ended."""
    app.run_of.get_by_key(key).click().run()
    end = time.monotonic() + 30
    while playground.view(app.run_of.session_state["run_shown"]).job is not None:
        assert time.monotonic() < end
        time.sleep(0.02)
    return app.again()


def html_of(app):
    return " ".join(element.proto.body for element in app.run_of.get("html"))


def test_models_behind_an_endpoint_answer_and_the_key_is_nowhere_on_the_page_or_in_the_log(
    open_app, server, monkeypatch, tmp_path
):
    monkeypatch.setenv(f"LLMCOMPARE_KEY_{server.address.replace('.', '_').replace(':', '_')}", KEY)
    app = pressed(open_app(PAGE, **link(server)))
    assert app.tracebacks == []
    assert server.authorization == [f"Bearer {KEY}"] * 2
    assert "Because." in [element.value for element in app.run_of.code]
    assert "With the key in LLMCOMPARE_KEY_127_0_0_1" in app.text
    kept = b"".join(path.read_bytes() for path in (tmp_path / "var").rglob("*.jsonl"))
    assert b"some-model" in kept
    assert KEY.encode() not in kept
    assert KEY not in app.text + html_of(app) + json.dumps(dict(app.run_of.query_params))


def test_an_address_that_is_none_is_refused_with_a_sentence_and_nothing_runs(open_app):
    app = open_app(PAGE, slot_1=ENDPOINT, kind_1="vllm", name_1="m", url_1_vllm="ftp://host")
    app.run_of.get_by_key("start").click().run()
    assert "'ftp://host' is no web address" in app.errors
    assert runs.log().runs() == []


def test_a_schema_that_no_reply_can_follow_is_refused_with_a_sentence(open_app, server):
    app = open_app(PAGE, **link(server)).set("json_schema", '{"enum": []}')
    app.run_of.get_by_key("start").click().run()
    assert "no reply can follow the JSON schema" in app.errors
    assert server.asked == []


def test_a_reply_that_does_not_follow_its_schema_is_said_to(open_app, server):
    app = open_app(PAGE, **link(server)).set("json_schema", '{"type": "object", "required": ["a"]}')
    app = pressed(app)
    assert "the reply is no JSON" in app.warnings
    server.say(chunk('{"a": 1}'), chunk(finish="stop"), DONE)
    assert "JSON that follows the schema." in pressed(app).text


def test_a_reply_has_the_price_that_was_chosen(open_app, server):
    app = pressed(open_app(PAGE, **link(server), reply_price="groq/llama-3.3-70b-versatile"))
    # 1,000 tokens in at 0.59 and 500 out at 0.79 USD per million.
    assert "0.000985 USD" in html_of(app)
    assert "groq/llama-3.3-70b-versatile: 0.59 USD per million tokens in, 0.79 out" in app.text


def test_three_turns_and_their_history_stand_on_the_page(open_app, server):
    app = pressed(open_app(PAGE, **link(server)))
    for number, prompt in enumerate(("And why?", "Really?"), start=2):
        run_id = app.run_of.session_state["run_shown"]
        app.set(f"follow_{run_id}", prompt)
        app = pressed(app, "follow_send")
        assert f"Replies, turn {number}" in [heading.value for heading in app.run_of.subheader]
    assert [len(asked["messages"]) for asked in server.asked] == [1, 1, 3, 3, 5, 5]
    assert any("Why is the sky blue" in one.label for one in app.run_of.expander if one.label.startswith("Turn 1"))


def test_thinking_is_folded_and_counted(open_app, server):
    server.say(chunk("<think>Light scatters."), chunk("</think>Blue."), chunk(finish="stop"), DONE)
    app = pressed(open_app(PAGE, **link(server)))
    assert "Thinking, 15 characters" in [one.label for one in app.run_of.expander]
    assert "Time to first answer token" in html_of(app)
    assert "Blue." in [element.value for element in app.run_of.code]


def test_a_slot_with_own_settings_is_asked_with_them(open_app, server):
    app = pressed(open_app(PAGE, **link(server, own_2="true", temperature_2="0.7", temperature="0.1", max_tokens="40")))
    assert sorted((asked["temperature"], asked["max_tokens"]) for asked in server.asked) == [(0.1, 40), (0.7, 40)]
    assert app.tracebacks == []


def test_a_run_through_an_endpoint_is_a_report_that_says_where(open_app, server):
    app = pressed(open_app(PAGE, **link(server)))
    report = open_app("share/report", run=app.run_of.session_state["run_shown"])
    assert report.tracebacks == []
    assert f"some-model @ {server.address}" in report.text
    command = next(element.value for element in report.run_of.code if element.value.startswith("python -m llmcompare"))
    assert command.count(f"--endpoint vllm:some-model@{server.base_url}") == 2


def test_names_and_texts_of_models_are_no_markup_in_the_figures(open_app):
    run = RunFact(
        run_id="evil", person="me", asked_at="2026-11-25T12:00:00+00:00", prompt=EVIL, system=None,
        scheduling="in-turn", temperature=0.0, top_p=1.0, max_tokens=64, seed=0, context_tokens=4096,
        models=(EVIL, EVIL),
    )  # fmt: skip
    runs.log().append(run)
    for slot in (0, 1):
        runs.log().append(
            ReplyFact(reply_id=f"r{slot}", run_id="evil", slot=slot, model=EVIL, text=f"{EVIL} {slot}", error=None,
                      ended_at=run.asked_at, end="end", generated_tokens=9, quantization=EVIL)
        )  # fmt: skip
    app = open_app(PAGE, run="evil").set("mark_differences", True)
    assert app.tracebacks == []
    assert "<img" not in html_of(app)
    assert "&lt;img" in html_of(app)


@given(first=st.text(max_size=40), second=st.text(max_size=40))
def test_differences_hold_no_tag_but_marks(first, second):
    shown = differences_html(first, second).split('<div class="reply">')[1].removesuffix("</div>")
    assert "<" not in shown.replace("<mark>", "").replace("</mark>", "")


@given(name=st.text(max_size=20), cell=st.text(max_size=20))
def test_figures_hold_no_tag_of_a_name_or_a_value(name, cell):
    plain, shown = (
        table_html([text], [dict.fromkeys(DEFINITIONS, value)]) for text, value in (("a", "b"), (name, cell))
    )
    if cell != "—":
        assert shown.count("<") == plain.count("<")


def test_a_reply_has_the_price_of_a_deployment_and_each_its_own(open_app, server):
    slots = link(server, name_1="qwen3-8b")
    app = pressed(open_app(PAGE, **slots, reply_price_kind="deployment", reply_deployment="Rented GPUs"))
    assert app.tracebacks == []
    assert "with Qwen3 8B (hybrid thinking), one of 1M such requests a month" in app.text
    assert "2: no price at a deployment of its model: the catalogue has no model of the name 'some-model'" in app.text
    assert "a reply: " in app.text
    app = app.set("reply_prices_own", True).set("reply_price_kind_2", "USD an hour").set("reply_usd_per_hour_2", 1.5)
    assert "a machine at 1.5 USD an hour, given by you" in app.text
    assert html_of(app).count("★ cheapest") == 1
    assert app.tracebacks == []


def test_runs_are_searched_starred_and_asked_of_other_models(open_app, server):
    app = pressed(open_app(PAGE, **link(server, max_tokens="40", temperature="0.3", stop="END")))
    first = app.run_of.session_state["run_shown"]
    app = pressed(app.set("prompt", "Name a planet.").set("max_tokens", 20))
    person, second = app.run_of.session_state["person"], app.run_of.session_state["run_shown"]
    assert [run.run_id for run in playground.history(person)] == [second, first]
    app = app.set("runs_search", "PLANET because")
    labels = [element.proto.label for element in app.run_of.get("page_link")]
    assert any(plain("2 × some-model · ") in label and "Name a planet" in label for label in labels)
    assert not any("sky blue" in label for label in labels)
    app.run_of.get_by_key("star_shown").click().run()
    assert playground.starred(person) == {second}
    assert [run.run_id for run in playground.history(person, starred_only=True)] == [second]
    again = open_app(PAGE, run=first, **link(server))
    again.run_of.get_by_key("ask_others").click().run()
    assert "Choose other models and press Run" in again.text
    # The button stands far below the fields.
    assert any("stands in the fields at the top" in toast.value for toast in again.run_of.toast)
    shown = [again.value(name) for name in ("prompt", "max_tokens", "temperature", "stop")]
    assert shown == ["Why is the sky blue? Answer in two sentences.", 40, 0.3, "END"]
    assert again.tracebacks == []


def test_files_stand_behind_the_prompt_and_one_that_is_no_text_is_refused(open_app, server):
    app = open_app(PAGE, **link(server))
    files = [("notes.md", b"The sky is green.", "text/markdown"), ("a.pdf", b"%PDF \xff", "application/pdf")]
    app.run_of.get_by_key("prompt_files").set_value(files).run()
    assert "a.pdf is no UTF-8 text" in app.errors
    app.run_of.get_by_key("prompt_files").set_value(files[:1]).run()
    assert app.errors == ""
    app = pressed(app)
    assert server.asked[0]["messages"][-1]["content"].endswith(
        "--- notes.md ---\nThe sky is green.\n--- end of notes.md ---"
    )


def test_a_prompt_that_no_context_holds_is_said_before_it_is_asked(open_app):
    app = open_app(PAGE).set("prompt", "word " * 5000)
    assert "about 6,250 tokens" in app.warnings
    assert "it does not fit" in app.warnings


def test_stop_stands_beside_the_stop_strings_of_all_slots_under_a_key_of_its_own(open_app, server):
    server.say(chunk("Because."), 60.0)
    slots = link(server, slots="6")
    for number in range(1, 7):
        slots |= {f"slot_{number}": ENDPOINT, f"kind_{number}": "vllm", f"name_{number}": "m", f"own_{number}": "true"}
        slots[f"url_{number}_vllm"] = server.base_url
    app = open_app(PAGE, **slots)
    app.run_of.get_by_key("start").click().run()
    run_id = app.run_of.session_state["run_shown"]
    try:
        # Drawn by the page and by what follows the run.
        app.again()
        assert app.tracebacks == []
        keys = [one.key for kind in ("button", "text_input") for one in app.run_of.get(kind) if one.key]
        assert len(keys) == len(set(keys))
        stops = {key for key in keys if key == "stop" or key.startswith("stop_")}
        assert stops == {"stop", *(f"stop_{number}" for number in range(1, 7))}
        assert f"end_{run_id}" in keys
    finally:
        playground.view(run_id).job.stop()


def test_a_file_that_is_loaded_twice_has_one_button_and_a_name_that_is_markup_is_only_a_name(open_app, tmp_path):
    # A browser reads https:host as https://host, so that no slash is needed.
    path = write_tiny(tmp_path / "var" / "models" / "![x](https:evil.invalid) :red[y].gguf")
    model, on_the_processor = library.model_at(path), Settings(gpu_layers=0)
    run_id = playground.start(Plan(prompt="why", models=(model, model), own=(None, on_the_processor)), person="me")
    end = time.monotonic() + 60
    while playground.view(run_id).job is not None:
        assert time.monotonic() < end
        time.sleep(0.02)
    try:
        assert [loaded for loaded, _, _ in runs.pool().loaded()].count(path) == 2
        app = open_app(PAGE)
        assert app.tracebacks == []
        assert app.run_of.get_by_key(f"unload_{path}").label == plain(f"Unload {path.name}")
    finally:
        runs.pool().unload(path)
