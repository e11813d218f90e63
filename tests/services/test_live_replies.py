"""The words of replies while they are written, piece by piece."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.engines.base import Sampling
from llmcompare.engines.endpoints import Endpoint
from llmcompare.services import live_replies, playground
from llmcompare.services.jobs import registry
from llmcompare.services.plans import Plan
from llmcompare.services.playground import RunWork
from llmcompare.services.runs import LiveRun


class Held(RunWork):
    """A run that waits for its end, so that a test writes its replies."""

    def __call__(self, job):
        job.stopping.wait()


@pytest.fixture
def running():
    """A run of one slot in the registry."""
    model = Endpoint(preset_id="vllm", base_url="http://127.0.0.1:1/v1", model="m")
    live = LiveRun(Plan(prompt="Say it.", models=(model,), sampling=Sampling(max_tokens=9)))
    job = registry.start("run", Held(live), job_id=live.fact.run_id)
    yield live
    job.stop()
    assert job.ended.wait(60)


def write(live: LiveRun, text: str) -> None:
    slot = live.slots[0]
    live.slots = (replace(slot, reply=replace(slot.reply, text=text)),)


class Reader:
    """What the script of a page keeps of one slot, as live.js does."""

    def __init__(self, run_id: str) -> None:
        self.run_id, self.text, self.to, self.thinks = run_id, "", 0, False

    def look(self) -> str:
        piece = live_replies.news(self.run_id, [self.to])["slots"][0]
        anew = piece["thinks"] != self.thinks or piece["from"] != self.to
        self.thinks = piece["thinks"]
        if anew and piece["from"]:
            self.text, self.to = "", 0
        else:
            self.text, self.to = ("" if anew else self.text) + piece["text"], piece["to"]
        return self.text


def test_only_what_is_new_is_sent(running):
    write(running, "Blue")
    assert live_replies.news(running.fact.run_id, [])["slots"] == [
        {"thinks": False, "from": 0, "to": 4, "text": "Blue"}
    ]
    write(running, "Blue light 🌊")
    (piece,) = live_replies.news(running.fact.run_id, [4])["slots"]
    assert (piece["from"], piece["to"], piece["text"]) == (4, 12, " light 🌊")


def test_a_run_that_nobody_has_brings_nothing():
    assert live_replies.news("no such run", [3]) is None


def test_the_end_is_told(running):
    assert not live_replies.news(running.fact.run_id, [])["ended"]
    job = registry.get(running.fact.run_id)
    job.stop()
    assert job.ended.wait(60)
    assert live_replies.news(running.fact.run_id, [])["ended"]


@given(
    text=st.sampled_from(["<think>Light </think> Blue.", "Light </think>Blue.", "<b>Blue", "Blue 🌊\n", "  <think>a"]),
    steps=st.lists(st.integers(1, 30), max_size=8),
)
def test_who_looks_now_and_then_has_the_answer_in_the_end(text, steps):
    model = Endpoint(preset_id="vllm", base_url="http://127.0.0.1:1/v1", model="m")
    live = LiveRun(Plan(prompt="Say it.", models=(model,), sampling=Sampling(max_tokens=9)))
    job = registry.start("run", Held(live), job_id=live.fact.run_id)
    try:
        reader, length = Reader(live.fact.run_id), 0
        for step in steps:
            length = min(len(text), length + step)
            write(live, text[:length])
            reader.look()
        write(live, text)
        # Twice: what began anew comes with the second look.
        reader.look()
        shown = reader.look()
        assert shown == live_replies.said(playground.view(live.fact.run_id), 0).answer
    finally:
        job.stop()
        assert job.ended.wait(60)


def test_the_more_people_watch_the_longer_each_waits(running):
    job = registry.get(running.fact.run_id)
    alone = live_replies.news(running.fact.run_id, [])["again_in_s"]
    for number in range(20):
        registry.poll_s(job, f"watcher {number}", at_least_s=1.0)
    crowded = live_replies.news(running.fact.run_id, [])["again_in_s"]
    assert crowded >= 20 / live_replies.LOOKS_PER_S > alone
