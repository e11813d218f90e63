"""Faults of models while they answer: the slot concerned says why, the others answer, and the next run is served."""

import os
import resource
import shutil
import signal
import threading
from pathlib import Path

import pytest

from llmcompare.engines.base import Sampling, Token
from llmcompare.engines.fake import FakeEngine
from llmcompare.models import library
from llmcompare.services import playground, runs
from llmcompare.services.plans import Plan, Settings
from llmcompare.store.results import ResultsLog
from tests.tiny_models import write_tiny
from tests.waiting import until

ADVICE = "choose a smaller model or format or a shorter context"


@pytest.fixture
def models(monkeypatch, var):
    """Two tiny models of one's own; their workers end with the test."""
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))
    (var / "models").mkdir(parents=True)
    found = tuple(library.model_at(write_tiny(var / "models" / f"{name}.gguf")) for name in ("one", "two"))
    yield found
    for model in found:
        runs.pool().unload(model.path)


@pytest.fixture
def demo(models, var):
    """The demo model under a name of this test's own: slow enough to be met while it writes."""
    path = library.demo_model_path()
    assert path is not None, "The demo model is missing: run `make install`."
    (var / "models" / "demo.gguf").symlink_to(path)
    model = library.model_at(var / "models" / "demo.gguf")
    yield model
    runs.pool().unload(model.path)


def start(models, prompt="why is the sky blue", *, own=(), **sampling):
    asked = Sampling(**({"max_tokens": 12} | sampling))
    plan = Plan(prompt=prompt, models=models, sampling=asked, context_tokens=2048, own=own)
    return playground.start(plan, person="me")


def finished(run_id):
    until(lambda: playground.view(run_id).job is None)
    view = playground.view(run_id)
    assert view.bugs == ()
    return [slot.reply for slot in view.slots]


def process_of(model):
    return next(process_id for path, process_id, _ in runs.pool().loaded() if path == model.path)


def address_space(process_id):
    return int(Path(f"/proc/{process_id}/statm").read_text().split()[0]) * resource.getpagesize()


def answers(models):
    """Whether each answers without an error now."""
    return [reply.error is None for reply in finished(start(models))]


def test_a_worker_that_gets_no_more_memory_fails_alone_with_what_to_do_and_the_next_run_is_served(models):
    assert answers(models) == [True, True]
    process_id = process_of(models[1])
    size = address_space(process_id)
    resource.prlimit(process_id, resource.RLIMIT_AS, (size, size))
    first, second = finished(start(models, "why is the sky blue " * 20, json_schema='{"type": "string"}'))
    assert first.error is None
    assert "memory" in second.error
    assert ADVICE in second.error
    assert answers(models) == [True, True]


def test_a_worker_killed_while_it_writes_fails_alone_and_keeps_what_it_wrote(models, demo):
    settings = (None, Settings(sampling=Sampling(max_tokens=1500), context_tokens=2048))
    run_id = start((models[0], demo), own=settings)
    until(lambda: len(playground.view(run_id).slots[1].reply.text) > 10)
    os.kill(process_of(demo), signal.SIGKILL)
    first, second = finished(run_id)
    assert (first.error, first.end) == (None, "length")
    assert "signal 9, as the system does when memory runs out" in second.error
    assert ADVICE in second.error
    assert second.text
    logged = {reply.slot: reply for reply in runs.log().run(run_id).replies}
    assert (logged[0].end, logged[1].text) == ("length", second.text)
    assert answers((models[0], demo)) == [True, True]


# --- files that change under a loaded model ---------------------------------------------------------------------------


def writing(models, slot):
    """A run whose slot, the demo model, is writing a long reply."""
    own = tuple(
        Settings(sampling=Sampling(max_tokens=1500), context_tokens=2048) if n == slot else None for n in (0, 1)
    )
    run_id = start(models, own=own)
    until(lambda: len(playground.view(run_id).slots[slot].reply.text) > 10)
    return run_id


def test_a_file_deleted_while_its_model_writes_does_not_disturb_it_and_the_next_run_says_that_it_is_gone(models, demo):
    run_id = writing((models[0], demo), 1)
    demo.path.unlink()
    before = len(playground.view(run_id).slots[1].reply.text)
    until(lambda: len(playground.view(run_id).slots[1].reply.text) > before)
    playground.view(run_id).job.stop()
    assert [reply.error for reply in finished(run_id)] == [None, None]
    first, second = finished(start((models[0], demo)))
    assert first.error is None
    assert "demo.gguf cannot be read (No such file or directory): name another file." in second.error


def test_a_file_replaced_under_its_name_answers_as_the_new_model(models):
    first, _ = finished(start(models))
    old = process_of(models[0])
    fresh = write_tiny(models[0].path.with_name("fresh.gguf"), seed=7)
    fresh.replace(models[0].path)
    again, _ = finished(start((library.model_at(models[0].path), models[1])))
    assert again.error is None
    assert again.cold
    assert again.text != first.text
    until(lambda: not Path(f"/proc/{old}").exists())


def test_a_file_cut_short_while_its_model_writes_ends_that_reply_with_the_reason_and_no_other(models, demo):
    whole = demo.path.resolve()
    demo.path.unlink()
    shutil.copyfile(whole, demo.path)
    run_id = writing((models[0], demo), 1)
    os.truncate(demo.path, 1_000_000)
    first, second = finished(run_id)
    assert first.error is None
    assert "its model file became shorter while it was in use" in second.error
    assert second.text
    first, second = finished(start((models[0], demo)))
    assert first.error is None
    assert "demo.gguf is refused" in second.error
    demo.path.unlink()
    shutil.copyfile(whole, demo.path)
    assert answers((models[0], demo)) == [True, True]


class Buggy(FakeEngine):
    """An engine with a bug after its first token."""

    def stream(self, request):
        for event in super().stream(request):
            yield event
            if isinstance(event, Token):
                raise RuntimeError("a bug")


class InOrder:
    """A pool that hands out these engines, one a slot."""

    def __init__(self, *engines):
        self._engines = list(engines)

    def engine(self, *_, **__):
        return self._engines.pop(0)


@pytest.mark.parametrize("scheduling", ["together", "in-turn"])
def test_a_bug_in_one_slot_leaves_the_others_complete_and_all_of_them_in_the_log(models, tmp_path, caplog, scheduling):
    live = runs.LiveRun(Plan(prompt="one two three", models=(models * 2)[:3], scheduling=scheduling))
    kept = ResultsLog(tmp_path / "log")
    replies = live.execute(kept, InOrder(FakeEngine(), Buggy(), FakeEngine()), stopping=threading.Event())
    assert [reply.text for reply in replies] == ["three two one ", "three ", "three two one "]
    assert [reply.end for reply in replies] == ["end", None, "end"]
    assert replies[1].error.endswith("RuntimeError: a bug")
    logged = kept.run(live.fact.run_id)
    assert (sorted(logged.replies, key=lambda one: one.slot), logged.unfinished) == (list(replies), False)
    assert [str(bug) for bug in live.bugs] == ["a bug"]
    assert "in stream" in caplog.text
