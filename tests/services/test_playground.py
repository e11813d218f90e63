"""Runs as jobs on real models: they go on by themselves, stop when asked, and stand in the log as they end."""

import threading

import pytest

from llmcompare.engines.base import Sampling
from llmcompare.errors import InputError
from llmcompare.models import library
from llmcompare.services import playground, runs
from llmcompare.services.plans import Plan
from llmcompare.store.results import ResultsLog
from tests.waiting import until


@pytest.fixture(autouse=True)
def own_var(monkeypatch, var):
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))


@pytest.fixture
def models(var):
    """Two files of the demo model."""
    demo = library.demo_model_path()
    assert demo is not None, "The demo model is missing: run `make install`."
    (var / "models").mkdir(parents=True)
    (var / "models" / "other.gguf").symlink_to(demo)
    return tuple(runs.local_models())


def plan(models, prompt="Why is the sky blue?", max_tokens=8, **options):
    return Plan(prompt=prompt, models=models, sampling=Sampling(max_tokens=max_tokens), **options)


def ended(run_id):
    view = playground.view(run_id)
    return view if view.job is None else None


def finished(run_id):
    until(lambda: ended(run_id))
    return playground.view(run_id)


@pytest.mark.parametrize("scheduling", ["together", "in-turn"])
def test_a_run_goes_on_by_itself_and_both_replies_are_complete(models, scheduling):
    view = finished(playground.start(plan(models, scheduling=scheduling), person="me"))
    assert [slot.reply.model for slot in view.slots] == ["SmolLM2-135M-Instruct.Q4_1.gguf", "other.gguf"]
    for slot in view.slots:
        assert (slot.ended, slot.reply.end, slot.reply.generated_tokens) == (True, "length", 8)
        assert slot.reply.ttft_ms > 0
        assert slot.reply.generation_tokens_per_s > 0
    assert view.slots[0].reply.text == view.slots[1].reply.text != ""


def test_in_turn_one_reply_has_ended_before_the_next_begins(models):
    first, second = finished(playground.start(plan(models, scheduling="in-turn"), person=None)).slots
    assert first.reply.ended_at <= second.reply.ended_at
    assert second.started_s > first.first_token_s


def test_another_reader_of_the_log_finds_the_run_as_it_was(models, var):
    run_id = playground.start(plan(models), person="me")
    view = finished(run_id)
    logged = ResultsLog(var / "results").run(run_id)
    assert logged.run == view.fact
    assert logged.replies == view.replies
    assert not logged.unfinished


def test_stop_ends_every_slot_soon_and_keeps_what_was_written(models):
    run_id = playground.start(plan(models, "Tell a long story about a ship.", 2000), person="me")
    until(lambda: all((slot.reply.generated_tokens or 0) > 3 for slot in playground.view(run_id).slots))
    playground.view(run_id).job.stop()
    view = finished(run_id)
    assert [slot.reply.end for slot in view.slots] == ["cancelled", "cancelled"]
    assert all(slot.reply.text for slot in view.slots)
    assert all(slot.reply.generated_tokens > 3 for slot in view.slots)
    assert [reply.end for reply in runs.log().run(run_id).replies] == ["cancelled", "cancelled"]


def test_stop_works_while_a_long_prompt_is_read(models):
    run_id = playground.start(plan(models, "word " * 3000), person="me")
    until(lambda: all(slot.status == "reading the prompt" for slot in playground.view(run_id).slots))
    playground.view(run_id).job.stop()
    view = finished(run_id)
    assert [(slot.reply.end, slot.reply.generated_tokens) for slot in view.slots] == [("cancelled", None)] * 2


def test_a_refused_file_fails_alone(models, var):
    notes = var / "models" / "notes.gguf"
    notes.write_text("these are notes")
    view = finished(playground.start(plan((models[0], library.model_at(notes))), person="me"))
    assert view.slots[0].reply.error is None
    assert "notes.gguf is no GGUF file" in view.slots[1].reply.error


def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(models):
    view = finished(playground.start(plan(models[:1], "x " * 50_000), person="me"))
    assert "4,096" in view.slots[0].reply.error
    assert "50,0" in view.slots[0].reply.error


def test_a_list_holds_ones_own_runs_and_those_opened_by_link(models):
    mine, theirs, hidden = (playground.start(plan(models[:1], f"Say {n}.", 2), person=n) for n in ("a", "b", "c"))
    for run_id in (mine, theirs, hidden):
        finished(run_id)
    playground.note_opening(playground.view(theirs).fact, "a")
    playground.note_opening(playground.view(theirs).fact, "a")
    playground.note_opening(playground.view(mine).fact, "a")
    assert {run.run_id for run in playground.history("a")} == {theirs, mine}
    assert len(runs.log().openings("a")) == 1


def test_an_id_that_nobody_has_is_no_run(models):
    assert playground.view("nobody") is None


def test_many_people_who_press_run_at_once_each_get_their_run(models):
    started, threads = [], []
    for number in range(12):
        asked = plan(models[:1], f"Say {number}.", 1)
        threads.append(threading.Thread(target=lambda asked=asked: started.append(playground.start(asked, person="a"))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({finished(run_id).fact.prompt for run_id in started}) == 12


@pytest.mark.parametrize("prompt", ["", "  \n"])
def test_an_empty_prompt_is_refused(models, prompt):
    with pytest.raises(InputError, match="the prompt is empty"):
        plan(models, prompt)


def test_a_prompt_of_bytes_that_are_no_text_is_refused(models):
    with pytest.raises(InputError, match=r"the prompt holds bytes that are no text: 'caf\\udce9'"):
        plan(models, "caf\udce9")


def test_a_run_without_models_is_refused():
    with pytest.raises(InputError, match="no model is chosen"):
        plan(())
