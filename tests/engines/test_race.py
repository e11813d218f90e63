"""Several engines, one stream: all events, in order per slot; closing it stops them all."""

import time
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.engines.base import Done, Failed, Message, Request, Sampling, Token
from llmcompare.engines.fake import FakeEngine
from llmcompare.engines.race import race
from llmcompare.errors import StoreError


def ask(text, max_tokens=256):
    return Request(messages=(Message(role="user", content=text),), sampling=Sampling(max_tokens=max_tokens))


def texts(events, slots):
    found = ["" for _ in range(slots)]
    for slot, event in events:
        if isinstance(event, Token):
            found[slot] += event.text
    return found


@settings(max_examples=30)
@given(slots=st.integers(1, 5), words=st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=6))
@pytest.mark.parametrize("scheduling", ["together", "in-turn"])
def test_every_slot_gets_its_whole_reply(scheduling, slots, words):
    engines = [FakeEngine(f"fake-{slot}") for slot in range(slots)]
    events = list(race(engines, [ask(" ".join(words))] * len(engines), scheduling=scheduling))
    assert texts(events, slots) == [" ".join(reversed(words)) + " "] * slots
    assert sum(isinstance(event, Done) for _, event in events) == slots


def test_in_turn_one_reply_ends_before_the_next_begins():
    engines = [FakeEngine(str(slot), seconds_per_token=0.001) for slot in range(3)]
    slots = [slot for slot, _ in race(engines, [ask("a b c")] * len(engines), scheduling="in-turn")]
    assert slots == sorted(slots)


def test_together_a_fast_slot_does_not_wait_for_a_slow_one():
    engines = [FakeEngine("slow", seconds_per_token=0.2), FakeEngine("fast")]
    done = [
        slot
        for slot, event in race(engines, [ask("a b c d")] * len(engines), scheduling="together")
        if isinstance(event, Done)
    ]
    assert done == [1, 0]


def test_closing_the_race_stops_every_slot():
    engines = [FakeEngine(str(slot), seconds_per_token=0.02) for slot in range(2)]
    began = time.monotonic()
    with closing(race(engines, [ask("word " * 1000, max_tokens=1000)] * len(engines), scheduling="together")) as events:
        next(events)
    assert time.monotonic() - began < 5


class BrokenEngine(FakeEngine):
    """An engine with a bug after its first token."""

    def stream(self, request):
        for event in super().stream(request):
            yield event
            if isinstance(event, Token):
                raise RuntimeError("a bug")


@pytest.mark.parametrize("scheduling", ["together", "in-turn"])
def test_a_bug_in_one_engine_ends_its_slot_alone_and_travels_with_its_traceback(scheduling):
    engines = [FakeEngine(), BrokenEngine(), FakeEngine()]
    events = list(race(engines, [ask("a b c")] * 3, scheduling=scheduling))
    assert texts(events, 3) == ["c b a ", "c ", "c b a "]
    ((slot, failed),) = [(slot, event) for slot, event in events if isinstance(event, Failed)]
    assert slot == 1
    assert failed.error == "an error in this program, not the model's, ended the reply: RuntimeError: a bug"
    assert failed.bug.__traceback__ is not None


class FullDiskEngine(FakeEngine):
    """An engine that refuses on purpose."""

    def stream(self, request):
        yield from ()
        raise StoreError("the disk is full.")


def test_what_an_engine_raises_on_purpose_is_its_sentence_and_no_bug():
    events = list(race([FakeEngine(), FullDiskEngine()], [ask("a b")] * 2))
    (failed,) = [event for _, event in events if isinstance(event, Failed)]
    assert (failed.error, failed.bug) == ("the disk is full.", None)
    assert texts(events, 2) == ["b a ", ""]
