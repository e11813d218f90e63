"""The Playground without a browser: what it offers, what it refuses, what it remembers."""

from pathlib import Path

import pytest

from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.services import playground, runs

PAGE = "try/playground"
RUN = RunFact(
    run_id="a-run", person="somebody", asked_at="2026-11-25T12:00:00+00:00", prompt="Why <b>is</b> the sky blue?",
    system=None, scheduling="in-turn", temperature=0.0, top_p=1.0, max_tokens=64, seed=0, context_tokens=4096,
    models=("slow.gguf", "fast.gguf"),
)  # fmt: skip


def reply(slot, **known):
    return ReplyFact(
        **({"reply_id": f"reply-{slot}", "run_id": RUN.run_id, "slot": slot, "model": RUN.models[slot], "text": "Blue.",
            "ended_at": RUN.asked_at, "end": "end", "error": None, "generated_tokens": 64} | known)
    )  # fmt: skip


@pytest.fixture(autouse=True)
def own_var(monkeypatch, tmp_path):
    """Two formats are there already, so that no test makes one."""
    var = tmp_path / "var"
    (var / "models").mkdir(parents=True)
    demo = runs.local_models()[0].path
    (var / "models" / "second.gguf").symlink_to(demo)
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))
    return var


def test_the_page_offers_two_different_models_and_a_prompt(open_app):
    app = open_app(PAGE)
    assert app.tracebacks == []
    assert app.errors == ""
    assert app.value("slot_1") == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert app.value("slot_2") == "second.gguf"
    assert app.value("prompt")


def test_an_empty_prompt_is_refused_with_a_sentence_and_nothing_runs(open_app):
    app = open_app(PAGE).set("prompt", "   ")
    app.run_of.get_by_key("start").click().run()
    assert "the prompt is empty" in app.errors
    assert runs.log().runs() == []


def test_a_refused_file_is_listed_with_its_reason_and_cannot_be_chosen(open_app, own_var):
    (own_var / "models" / "notes.gguf").write_text("these are notes")
    app = open_app(PAGE)
    listed = app.table("Models at hand").set_index("file")
    assert "is no GGUF file" in listed.loc["notes.gguf", "note"]
    assert "notes" not in " ".join(app.run_of.get_by_key("slot_1").options)


def test_a_link_to_a_run_that_nobody_has_is_explained(open_app):
    app = open_app(PAGE, run="nobody")
    assert "There is no run 'nobody' here" in app.warnings


def test_a_run_of_the_log_is_shown_with_its_figures_and_the_faster_model_named(open_app):
    for fact in (RUN, reply(0, generation_tokens_per_s=20.0), reply(1, generation_tokens_per_s=50.0)):
        runs.log().append(fact)
    app = open_app(PAGE, run=RUN.run_id)
    assert "fast.gguf generated 2.50 times as fast as slow.gguf (50.0 against 20.0 tokens/s" in app.text
    assert "“Why <b>is</b> the sky blue?”" in app.text
    assert app.tracebacks == []


def test_an_interrupted_run_says_so_and_keeps_what_had_ended(open_app):
    log = runs.log()
    for fact in (RUN, reply(0)):
        log.append(fact)
    log.close()
    app = open_app(PAGE, run=RUN.run_id)
    assert "The run was interrupted" in app.warnings
    assert "complete, 64 tokens" in app.text


def test_a_run_that_was_opened_by_its_link_stands_in_the_list(open_app):
    for fact in (RUN, reply(0), reply(1)):
        runs.log().append(fact)
    app = open_app(PAGE, run=RUN.run_id)
    person = app.run_of.session_state["person"]
    assert [run.run_id for run in playground.history(person)] == [RUN.run_id]
    assert "Your runs (1)" in [expander.label for expander in app.run_of.expander]


def test_a_run_is_a_report_with_the_command_that_asks_it_again(open_app):
    for fact in (RUN, reply(0, text="# no heading"), reply(1, end=None, error="it crashed", text="")):
        runs.log().append(fact)
    app = open_app("share/report", run=RUN.run_id)
    assert app.tracebacks == []
    codes = [element.value for element in app.run_of.code]
    assert "# no heading" in codes
    assert any(
        code.startswith("python -m llmcompare run 'Why <b>is</b> the sky blue?' --model slow.gguf") for code in codes
    )
    assert "fast.gguf: no reply: it crashed." in app.text


def test_without_any_model_the_page_says_where_to_put_one(open_app, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.metadata.files", lambda name: [])
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "empty"))
    app = open_app(PAGE)
    assert "put a .gguf file into" in app.text
    assert app.tracebacks == []
    assert not Path(tmp_path / "empty" / "models").exists()
