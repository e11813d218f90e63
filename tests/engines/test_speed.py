"""Speed tests through the real worker, and what the loop asks of a model."""

import threading
import time

import pytest

from llmcompare.core.bench import speed_tests
from llmcompare.engines.base import Done, Failed, Message, Request, Sampled, Sampling
from llmcompare.engines.pool import ModelFile, Pool
from llmcompare.engines.speed import samples
from llmcompare.models.library import model_at
from llmcompare.services.runs import model_file
from tests.tiny_models import FAMILIES, write_tiny


class NotingModel:
    """Notes what it is asked; cuts its cache like attention, or forgets all of it like a recurrent model."""

    vocabulary_size, context_tokens = 100, 64

    def __init__(self, *, can_cut=True):
        self.steps: list[tuple[int, int]] = []
        self._can_cut = can_cut
        self._cached: list[int] = []

    def process(self, tokens):
        self.steps.append((len(self._cached), len(tokens)))
        assert all(0 <= token < self.vocabulary_size for token in tokens)
        self._cached += tokens

    def keep_first(self, count):
        if not self._can_cut and count < len(self._cached):
            count = 0
        del self._cached[count:]
        return len(self._cached)

    def synchronise(self):
        pass


def steps_of(model, repetitions=2, **asked):
    tests = [
        {"prompt_tokens": one.prompt_tokens, "generated_tokens": one.generated_tokens, "depth_tokens": one.depth_tokens}
        for one in speed_tests(**asked)
    ]
    events = list(samples(model, tests, repetitions, lambda: None))
    assert [event["test"] for event in events] == [number for number in range(len(tests)) for _ in range(repetitions)]
    assert all(event["duration_ns"] > 0 for event in events)
    return model.steps


def test_reading_is_warmed_up_with_a_whole_prompt_and_writing_with_one_token():
    assert steps_of(NotingModel(), prompt_tokens=5, generated_tokens=3) == [
        (0, 0), (0, 5), (0, 0), (0, 5), (0, 0), (0, 5),
        (0, 0), (0, 1), (0, 0), (0, 1), (1, 1), (2, 1), (0, 0), (0, 1), (1, 1), (2, 1),
    ]  # fmt: skip


def test_a_depth_is_read_once_where_the_cache_can_be_cut_and_again_each_time_where_it_cannot():
    asked = {"prompt_tokens": 0, "generated_tokens": 1, "depths": (7,)}
    assert steps_of(NotingModel(), **asked) == [(0, 7), (7, 1), (7, 0), (7, 1), (7, 0), (7, 1)]
    assert steps_of(NotingModel(can_cut=False), **asked) == [(0, 7), (7, 1)] * 3


def bench(engine, *, repetitions=2, threads=1, **asked):
    asked = {"prompt_tokens": 16, "generated_tokens": 4} | asked
    return list(engine.bench(speed_tests(**asked), repetitions=repetitions, threads=threads))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_measured_in_the_real_worker(load, tmp_path, family):
    engine = load(write_tiny(tmp_path / "tiny.gguf", family), context_tokens=256)
    events = bench(engine, depths=(0, 32))
    found = [event for event in events if isinstance(event, Sampled)]
    assert [event.test for event in found] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert all(event.duration_ns > 0 for event in found)
    assert isinstance(events[-1], Done)
    assert events[-1].reason == "end"
    assert events[-1].measured.threads == 1
    assert family.removesuffix("moe") in engine.facts.description or family == "mixtral"


def test_a_reply_after_a_measurement_is_as_before(load, tmp_path):
    engine = load(write_tiny(tmp_path / "tiny.gguf"), context_tokens=256)
    request = Request(messages=(Message(role="user", content="why is the sky blue"),), sampling=Sampling(max_tokens=8))

    def text():
        return [event.text for event in engine.stream(request) if hasattr(event, "text")]

    before = text()
    assert isinstance(bench(engine)[-1], Done)
    assert text() == before


def test_a_measurement_keeps_its_number_of_threads_though_the_pool_finds_other_cores_free(load, tmp_path):
    engine = load(write_tiny(tmp_path / "tiny.gguf"), context_tokens=256, threads=2)
    events = engine.bench(speed_tests(prompt_tokens=0, generated_tokens=200), repetitions=20, threads=None)
    first = next(event for event in events if isinstance(event, Sampled))
    engine.set_threads(1)
    assert first.test == 0
    assert list(events)[-1].measured.threads == 2


def test_more_than_the_context_holds_fails_alone_and_the_worker_serves_on(load, tmp_path):
    engine = load(write_tiny(tmp_path / "tiny.gguf"), context_tokens=256)
    failed = bench(engine, prompt_tokens=400)[-1]
    assert isinstance(failed, Failed)
    assert not failed.crashed
    assert "400 tokens exceed 256 context tokens" in failed.error
    assert isinstance(bench(engine)[-1], Done)


def test_a_measurement_stops_when_nobody_listens_any_more(load):
    engine = load(context_tokens=1024)
    events = engine.bench(speed_tests(prompt_tokens=512, generated_tokens=512), repetitions=100, threads=1)
    next(events)
    began = time.monotonic()
    events.close()
    assert time.monotonic() - began < 15
    assert isinstance(bench(engine)[-1], Done)


def test_the_pool_measures_alone_and_with_the_threads_that_are_free(tmp_path):
    model = model_at(write_tiny(tmp_path / "tiny.gguf"))
    pool = Pool(cores=3, others_busy_cores=lambda _: 1.0)
    try:
        engine = pool.engine(model_file(model), context_tokens=256, alone=True)
        waiting = threading.Event()
        with pool.turns.held("somebody else", given_up=waiting.is_set):
            events = engine.bench(speed_tests(prompt_tokens=16, generated_tokens=4), repetitions=1)
            assert next(events).reason == "1 request is before this one"
        done = list(events)[-1]
        assert isinstance(done, Done)
        assert done.measured.threads == 2
        missing = pool.engine(ModelFile(path=tmp_path / "no.gguf", size=model_file(model).size), context_tokens=64)
        failed = list(missing.bench(speed_tests(prompt_tokens=4, generated_tokens=0), repetitions=1))[-1]
        assert isinstance(failed, Failed)
        assert "cannot be read" in failed.error
    finally:
        pool.close()
