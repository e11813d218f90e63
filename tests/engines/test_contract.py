"""What every engine promises: the fake one, llama.cpp in a worker, and the same model behind a real server."""

from contextlib import closing

import pytest

from llmcompare.engines.base import Done, Message, Request, Sampling, Started, Tick, Token, Waiting
from llmcompare.engines.remote import RemoteEngine
from llmcompare.errors import InputError


def ask(text, **sampling):
    return Request(messages=(Message(role="user", content=text),), sampling=Sampling(max_tokens=12, **sampling))


def replied(engine, request):
    events = list(engine.stream(request))
    return "".join(event.text for event in events if isinstance(event, Token)), events


def test_a_reply_starts_once_and_ends_with_done(engine):
    _, events = replied(engine, ask("Name three colours of the rainbow"))
    assert isinstance(next(event for event in events if not isinstance(event, Waiting | Tick)), Started)
    assert isinstance(events[-1], Done)
    assert sum(isinstance(event, Started | Done) for event in events) == 2


def test_counts_and_times_of_tokens_only_grow(engine):
    _, events = replied(engine, ask("Name three colours of the rainbow"))
    tokens = [event for event in events if isinstance(event, Token)]
    counts = [token.generated_tokens for token in tokens if token.generated_tokens is not None]
    assert counts == sorted(counts)
    times = [event.time_s for event in events]
    assert times == sorted(times)
    measured = events[-1].measured
    # This server counts no tokens of a stream: it is asked afterwards, and that is said.
    assert measured.generated_tokens == max(counts, default=12)
    assert (measured.recounted is None) == bool(counts)
    assert bool(counts) != isinstance(engine, RemoteEngine)


def test_the_same_greedy_request_gives_the_same_text(engine):
    request = ask("Name three colours of the rainbow")
    assert replied(engine, request)[0] == replied(engine, request)[0] != ""


def test_no_more_tokens_than_asked_for(engine):
    request = Request(
        messages=(Message(role="user", content="Count from one to twenty in words please"),),
        sampling=Sampling(max_tokens=3),
    )
    text, events = replied(engine, request)
    assert events[-1].reason == "length"
    assert events[-1].measured.generated_tokens == 3
    assert len(text.split()) <= 3


def test_a_stop_string_ends_the_reply_before_it(engine):
    whole, _ = replied(engine, ask("Name three colours of the rainbow"))
    stop = whole[5:9]
    text, events = replied(engine, ask("Name three colours of the rainbow", stop=(stop,)))
    assert text == whole[: whole.index(stop)]
    # OpenAI's protocol does not tell a stop string from the end of the reply.
    assert events[-1].reason == ("end" if isinstance(engine, RemoteEngine) else "stop")


def test_closing_the_stream_frees_the_engine_for_the_next_request(engine):
    with closing(engine.stream(ask("Tell a long story about a ship"))) as events:
        next(event for event in events if isinstance(event, Started))
    text, events = replied(engine, ask("Name three colours of the rainbow"))
    assert text
    assert isinstance(events[-1], Done)


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", -0.1), ("temperature", float("nan")), ("top_p", 1.5), ("max_tokens", 0), ("seed", -1)],
)
def test_sampling_outside_its_range_is_refused_with_name_and_value(name, value):
    with pytest.raises(InputError, match=name) as refusal:
        Sampling(**{name: value})
    assert str(value) in str(refusal.value)
