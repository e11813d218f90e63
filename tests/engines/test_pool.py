"""The pool on real workers: turns, room, cores, crashes. The machine it sees is made up where memory must be short."""

import os
import signal
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from llmcompare.core.placement import Machine, ModelSize
from llmcompare.engines.base import Done, Failed, Message, Request, Sampling, Started, Token, Waiting
from llmcompare.engines.pool import ModelFile, Pool

PLENTY = Machine(free_cores=2, available_memory_bytes=8 * 1024**3)
WEIGHTS_BYTES = 100_000_000


def asked(text="Why is the sky blue?", max_tokens=6):
    return Request(messages=(Message(role="user", content=text),), sampling=Sampling(max_tokens=max_tokens))


@pytest.fixture
def models(demo_model, tmp_path):
    """Three files of the same model."""
    size = ModelSize(weights_bytes=WEIGHTS_BYTES, layers=30, kv_bytes_per_token=23_040, trained_context_tokens=8192)
    found = []
    for name in ("one", "two", "three"):
        path = tmp_path / f"{name}.gguf"
        path.symlink_to(demo_model)
        found.append(ModelFile(path=path, size=size))
    return found


@pytest.fixture
def make_pool():
    """Pools of two cores on a made-up machine; all ended with the test."""
    made = []

    def make(machine=PLENTY, busy=lambda own: 0.0, **options):
        look = lambda free_cores: replace(machine, free_cores=free_cores)  # noqa: E731
        made.append(Pool(look=look, others_busy_cores=busy, cores=2, **options))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def reply(pool, model, request=None, **options):
    return list(pool.engine(model, context_tokens=512, **options).stream(request or asked()))


def processes(pool):
    return {path.name: process_id for path, process_id, _ in pool.loaded()}


def is_alive(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def until(true, limit_s=20):
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)


def test_a_loaded_model_stays_and_the_next_request_is_warm(make_pool, models):
    pool = make_pool()
    first, second = reply(pool, models[0]), reply(pool, models[0])
    assert isinstance(first[0], Waiting)
    assert first[-1].measured.cold
    assert not second[-1].measured.cold
    assert len(processes(pool)) == 1


def test_the_least_recently_used_model_goes_first_when_memory_is_short(make_pool, models):
    # Room for two: 150 MB of runtime, 100 MB of weights and 12 MB of KV cache each, less 100 MB mapped by the other.
    pool = make_pool(Machine(free_cores=2, available_memory_bytes=380_000_000))
    for model in (models[0], models[1], models[0]):
        assert isinstance(reply(pool, model)[-1], Done)
    gone = processes(pool)["two.gguf"]
    assert isinstance(reply(pool, models[2])[-1], Done)
    assert set(processes(pool)) == {"one.gguf", "three.gguf"}
    assert not is_alive(gone)


def test_a_model_larger_than_memory_is_refused_with_both_figures_and_the_rest_goes_on(make_pool, models):
    pool = make_pool()
    huge = ModelFile(path=models[1].path, size=ModelSize(weights_bytes=100 * 1024**3, layers=80, kv_bytes_per_token=0))
    failed = reply(pool, huge)[-1]
    assert isinstance(failed, Failed)
    assert not failed.crashed
    assert "two.gguf is refused: it needs 100.1 GiB" in failed.error
    assert "8.0 GiB of memory are free" in failed.error
    assert isinstance(reply(pool, models[0])[-1], Done)


def test_a_model_waits_for_memory_that_a_running_one_holds(make_pool, models):
    pool = make_pool(Machine(free_cores=2, available_memory_bytes=280_000_000))
    with closing(pool.engine(models[0], context_tokens=512).stream(asked(max_tokens=400))) as running:
        next(event for event in running if isinstance(event, Token))
        waits = pool.engine(models[1], context_tokens=512).stream(asked())
        assert all(isinstance(next(waits), Waiting) for _ in range(5))
    assert isinstance(list(waits)[-1], Done)
    assert set(processes(pool)) == {"two.gguf"}


def test_a_longer_context_loads_the_model_anew(make_pool, models):
    pool = make_pool()
    assert reply(pool, models[0])[-1].measured.context_tokens == 512
    longer = list(pool.engine(models[0], context_tokens=1024).stream(asked()))
    assert longer[-1].measured.context_tokens == 1024
    assert reply(pool, models[0])[-1].measured.context_tokens == 1024
    assert len(processes(pool)) == 1


def test_two_users_of_one_model_take_turns_and_see_their_place(make_pool, models):
    pool = make_pool()
    events = {name: [] for name in "abc"}

    def ask(name):
        events[name] += reply(pool, models[0], asked(max_tokens=12))

    threads = [threading.Thread(target=ask, args=(name,)) for name in events]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    texts = {"".join(event.text for event in found if isinstance(event, Token)) for found in events.values()}
    assert len(texts) == 1
    places = {name: [e.place for e in found if isinstance(e, Waiting)] for name, found in events.items()}
    assert max(places["a"]) == 0
    assert max(places["b"]) == 1
    assert places["c"][0] == 2
    assert places["c"] == sorted(places["c"], reverse=True)
    started = [next(e.time_s for e in found if isinstance(e, Started)) for found in events.values()]
    assert started == sorted(started)


def test_who_runs_alone_waits_for_the_others_and_they_for_him(make_pool, models):
    pool = make_pool()
    for model in models[:2]:
        reply(pool, model)
    first = pool.engine(models[0], context_tokens=512).stream(asked(max_tokens=400))
    next(event for event in first if isinstance(event, Token))
    alone = pool.engine(models[1], context_tokens=512, alone=True).stream(asked())
    assert next(alone).place == 1
    after = pool.engine(models[2], context_tokens=512).stream(asked())
    assert next(after).place == 1
    first.close()
    assert isinstance(list(alone)[-1], Done)
    assert isinstance(list(after)[-1], Done)


def test_cores_are_shared_out_among_the_running_and_given_back(make_pool, models):
    pool = make_pool()
    for model in models[:2]:
        assert reply(pool, model)[-1].measured.threads == 2
    beside = pool.engine(models[0], context_tokens=512).stream(asked(max_tokens=400))
    next(event for event in beside if isinstance(event, Token))
    assert reply(pool, models[1])[-1].measured.threads == 1
    beside.close()
    assert reply(pool, models[1])[-1].measured.threads == 2


def test_threads_follow_other_work_on_the_machine_while_a_reply_runs(make_pool, models):
    busy_cores = [0.0]
    pool = make_pool(busy=lambda own: busy_cores[0])
    assert reply(pool, models[0])[-1].measured.threads == 2
    events = pool.engine(models[0], context_tokens=512).stream(asked(max_tokens=450))
    next(event for event in events if isinstance(event, Token))
    busy_cores[0] = 0.9
    time.sleep(1.3)
    events.close()
    assert reply(pool, models[0])[-1].measured.threads == 1


def test_three_crashes_within_a_minute_set_a_model_aside_until_it_is_forgiven(make_pool, models):
    pool = make_pool()
    for _ in range(3):
        events = pool.engine(models[0], context_tokens=512).stream(asked(max_tokens=400))
        next(event for event in events if isinstance(event, Token))
        os.kill(processes(pool)["one.gguf"], signal.SIGKILL)
        assert list(events)[-1].crashed
    refused = reply(pool, models[0])[-1]
    assert "one.gguf is set aside: it crashed 3 times within a minute" in refused.error
    assert "signal 9" in refused.error
    assert isinstance(reply(pool, models[1])[-1], Done)
    assert list(pool.crashes.set_aside()) == ["one.gguf"]
    pool.crashes.forgive("one.gguf")
    assert isinstance(reply(pool, models[0])[-1], Done)


def test_a_worker_that_died_while_nobody_used_it_is_started_again(make_pool, models):
    pool = make_pool()
    reply(pool, models[0])
    os.kill(processes(pool)["one.gguf"], signal.SIGKILL)
    time.sleep(0.3)
    assert isinstance(reply(pool, models[0])[-1], Done)


def test_what_other_work_took_meanwhile_is_measured_with_the_reply(make_pool, models):
    assert reply(make_pool(busy=lambda own: 1.25), models[0])[-1].measured.others_busy_cores == 1.25


def test_a_hung_worker_is_ended_and_the_next_request_works(make_pool, models):
    pool = make_pool(silence_limit_s=2.5)
    reply(pool, models[0])
    os.kill(processes(pool)["one.gguf"], signal.SIGSTOP)
    # Longer than a pipe holds, so that writing it would block too.
    failed = reply(pool, models[0], asked("word " * 40_000))[-1]
    assert "silent" in failed.error
    assert isinstance(reply(pool, models[0])[-1], Done)


def test_whoever_stops_waiting_while_a_model_loads_leaves_it_ready_for_the_next(make_pool, models):
    pool = make_pool()
    with closing(pool.engine(models[0], context_tokens=512).stream(asked())) as events:
        assert isinstance(next(events), Waiting)
    assert isinstance(reply(pool, models[0])[-1], Done)
    assert len(processes(pool)) == 1


def test_no_worker_is_left_when_the_pool_is_closed_even_one_that_still_loads(make_pool, models):
    others, pool = workers(), make_pool()
    reply(pool, models[0])
    known = processes(pool)["one.gguf"]
    with closing(pool.engine(models[1], context_tokens=512).stream(asked())) as events:
        next(events)
        pool.close()
    assert not is_alive(known)
    until(lambda: workers() <= others)


def workers():
    """Process ids of the workers that are children of this process."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            is_worker = "engines.worker" in (folder / "cmdline").read_text()
        except OSError:
            continue
        if parent == os.getpid() and is_worker:
            found.add(int(folder.name))
    return found


def test_a_file_that_is_replaced_is_another_model_and_does_not_disturb_the_rest(make_pool, models):
    pool = make_pool(Machine(free_cores=2, available_memory_bytes=380_000_000))
    target = models[0].path.readlink()
    copy = models[0].path.with_name("copy.gguf")
    copy.write_bytes(target.read_bytes())
    replaced = replace(models[0], path=copy)
    reply(pool, replaced)
    os.utime(copy, (1, 1))
    assert all(isinstance(reply(pool, model)[-1], Done) for model in (models[1], models[2], replaced))


def test_who_waits_for_room_and_gives_up_does_not_keep_others_waiting(make_pool, models):
    pool = make_pool(Machine(free_cores=2, available_memory_bytes=480_000_000))
    small = replace(models[2], size=replace(models[2].size, weights_bytes=1_000))
    large = replace(models[1], size=replace(models[1].size, weights_bytes=250_000_000))
    with closing(pool.engine(models[0], context_tokens=512).stream(asked(max_tokens=400))) as running:
        next(event for event in running if isinstance(event, Token))
        with closing(pool.engine(large, context_tokens=512).stream(asked())) as gives_up:
            reasons = {next(gives_up).reason for _ in range(5)}
            assert any("leave it room in memory" in reason for reason in reasons)
        assert isinstance(reply(pool, small)[-1], Done)
    assert "two.gguf" not in processes(pool)


def test_unloading_gives_the_memory_back_and_leaves_what_is_in_use(make_pool, models):
    pool = make_pool()
    reply(pool, models[0])
    process_id = processes(pool)["one.gguf"]
    with closing(pool.engine(models[0], context_tokens=512).stream(asked(max_tokens=400))) as events:
        next(event for event in events if isinstance(event, Token))
        pool.unload(models[0].path)
        assert is_alive(process_id)
    pool.unload(models[0].path)
    assert not is_alive(process_id)
    assert pool.loaded() == []


def test_a_pinned_model_stays_when_another_one_needs_the_room_and_the_other_is_told(make_pool, models):
    pool = make_pool(Machine(free_cores=2, available_memory_bytes=280_000_000))
    pool.pin(models[0].path, keep=True)
    assert isinstance(reply(pool, models[0])[-1], Done)
    failed = reply(pool, models[1])[-1]
    assert isinstance(failed, Failed)
    assert failed.error.endswith("one.gguf stays in memory because it is pinned.")
    assert set(processes(pool)) == {"one.gguf"}
    pool.pin(models[0].path, keep=False)
    assert isinstance(reply(pool, models[1])[-1], Done)
    assert set(processes(pool)) == {"two.gguf"}


def test_who_uses_a_model_is_counted_while_it_answers(make_pool, models):
    pool = make_pool()
    with closing(pool.engine(models[0], context_tokens=512).stream(asked(max_tokens=400))) as running:
        next(event for event in running if isinstance(event, Token))
        assert (pool.using(models[0].path), pool.using(models[1].path)) == (1, 0)
    until(lambda: pool.using(models[0].path) == 0)
