"""The worker on the real demo model: what llama.cpp itself says, faults, stop, and the KV cache."""

import os
import signal
import struct
import threading
import time

import llama_cpp
import pytest

from llmcompare.engines.base import Done, Failed, Message, Request, Sampling, Token
from llmcompare.errors import ModelRefusedError
from tests.engines.events import start_of, text_of

SKY = (Message(role="user", content="Why is the sky blue?"),)


def test_greedy_replies_equal_the_librarys_own_completion(shared_engine, demo_model):
    ours = text_of(shared_engine.stream(Request(messages=SKY, sampling=Sampling(max_tokens=48))))
    library = llama_cpp.Llama(str(demo_model), n_ctx=1024, n_threads=1, verbose=False)
    try:
        theirs = library.create_chat_completion(
            [{"role": "user", "content": "Why is the sky blue?"}], max_tokens=48, temperature=0, repeat_penalty=1.0
        )
    finally:
        library.close()
    assert ours == theirs["choices"][0]["message"]["content"]


def test_the_prompt_is_shown_as_the_model_sees_it(shared_engine):
    started = start_of(shared_engine.stream(Request(messages=SKY)))
    assert started.prompt_text.endswith("<|im_start|>user\nWhy is the sky blue?<|im_end|>\n<|im_start|>assistant\n")


def test_a_shared_prefix_is_not_processed_again(load):
    engine = load()
    long = Message(role="system", content="You are terse. " * 40)
    first = list(engine.stream(Request(messages=(long, *SKY), sampling=Sampling(max_tokens=2))))
    other = Message(role="user", content="Why is grass green?")
    second = list(engine.stream(Request(messages=(long, other), sampling=Sampling(max_tokens=2))))
    assert start_of(first).reused_tokens == 0
    assert start_of(second).reused_tokens >= 150
    assert first[-1].measured.cold
    assert not second[-1].measured.cold


def test_a_reply_does_not_depend_on_what_the_cache_held_before(load, shared_engine):
    fresh = load()
    long = Message(role="user", content="The sky is blue because of scattering. " * 40)
    list(shared_engine.stream(Request(messages=(long,), sampling=Sampling(max_tokens=2))))
    request = Request(messages=SKY, sampling=Sampling(max_tokens=24))
    assert text_of(shared_engine.stream(request)) == text_of(fresh.stream(request))


def test_a_reused_prefix_does_not_change_the_reply(load, shared_engine):
    fresh = load()
    list(shared_engine.stream(Request(messages=(Message(role="user", content="Why is grass green?"),))))
    request = Request(messages=SKY, sampling=Sampling(max_tokens=24))
    assert text_of(shared_engine.stream(request)) == text_of(fresh.stream(request))


def test_the_same_seed_gives_the_same_text_and_another_seed_another(shared_engine):
    def reply(seed):
        sampling = Sampling(max_tokens=24, temperature=1.0, top_p=0.95, seed=seed)
        return text_of(shared_engine.stream(Request(messages=SKY, sampling=sampling)))

    assert reply(1) == reply(1)
    assert len({reply(seed) for seed in range(1, 5)}) > 1


def test_a_grammar_holds_the_reply(shared_engine):
    sampling = Sampling(max_tokens=8, grammar='root ::= "yes" | "no"')
    assert text_of(shared_engine.stream(Request(messages=SKY, sampling=sampling))) in ("yes", "no")


def test_a_grammar_that_cannot_be_parsed_fails_alone(shared_engine):
    events = list(shared_engine.stream(Request(messages=SKY, sampling=Sampling(grammar="root ::= ("))))
    assert isinstance(events[-1], Failed)
    assert "grammar" in events[-1].error
    assert not events[-1].crashed
    assert text_of(shared_engine.stream(Request(messages=SKY, sampling=Sampling(max_tokens=3))))


def test_stop_works_in_the_middle_of_a_long_prompt(load):
    # 3,000 tokens take more than 20 s here; how fast Stop is, benchmarks/ measures.
    engine = load(context_tokens=4096)
    stream = engine.stream(Request(messages=(Message(role="user", content="word " * 3000),)))
    start_of(stream)
    time.sleep(0.3)
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 10
    assert text_of(engine.stream(Request(messages=SKY, sampling=Sampling(max_tokens=3))))


def test_a_killed_worker_fails_its_own_slot_at_once(load):
    engine = load()
    events = engine.stream(Request(messages=SKY, sampling=Sampling(max_tokens=500)))
    for event in events:
        if isinstance(event, Token):
            break
    os.kill(engine.process_id, signal.SIGKILL)
    began = time.monotonic()
    last = list(events)[-1]
    assert time.monotonic() - began < 10
    assert isinstance(last, Failed)
    assert last.crashed
    assert "signal 9" in last.error


def test_a_dead_worker_says_so_at_the_next_request(load):
    engine = load()
    os.kill(engine.process_id, signal.SIGKILL)
    events = list(engine.stream(Request(messages=SKY)))
    assert isinstance(events[-1], Failed)
    assert events[-1].crashed


def test_no_worker_outlives_its_engine(load):
    engine = load()
    process_id = engine.process_id
    engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_a_hung_worker_is_ended_after_the_silence_limit(load):
    engine = load(silence_limit_s=1.0)
    os.kill(engine.process_id, signal.SIGSTOP)
    events = list(engine.stream(Request(messages=SKY)))
    assert isinstance(events[-1], Failed)
    assert "silent for 1 s" in events[-1].error


def test_a_long_prompt_is_no_hang(load):
    engine = load(context_tokens=4096, silence_limit_s=2.0)
    began, events = time.monotonic(), engine.stream(Request(messages=(Message(role="user", content="word " * 3000),)))
    for event in events:
        assert not isinstance(event, Failed | Token)
        if time.monotonic() - began > 4:
            break
    events.close()


def test_two_threads_that_share_a_model_are_served_one_after_the_other(load):
    engine = load()
    replies = []

    def ask():
        replies.append(list(engine.stream(Request(messages=SKY, sampling=Sampling(max_tokens=8)))))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({text_of(reply) for reply in replies}) == 1
    assert all(isinstance(reply[-1], Done) for reply in replies)


def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(shared_engine):
    events = list(shared_engine.stream(Request(messages=(Message(role="user", content="x " * 50_000),))))
    assert isinstance(events[-1], Failed)
    assert "1,024" in events[-1].error
    assert "50,0" in events[-1].error


def test_a_text_file_named_gguf_is_refused(load, tmp_path):
    path = tmp_path / "notes.gguf"
    path.write_text("these are notes")
    with pytest.raises(ModelRefusedError, match=r"notes\.gguf is no GGUF file"):
        load(path)


def test_a_truncated_model_is_refused_with_the_reason_of_llama_cpp(load, demo_model, tmp_path):
    path = tmp_path / "half.gguf"
    path.write_bytes(demo_model.read_bytes()[:5_000_000])
    with pytest.raises(ModelRefusedError, match=r"half\.gguf is refused: llama\.cpp cannot load it: .*corrupted"):
        load(path)


def test_an_unknown_architecture_is_refused_by_name(load, demo_model, tmp_path):
    raw = bytearray(demo_model.read_bytes())
    key = b"general.architecture"
    value_at = raw.index(key) + len(key) + 4
    (length,) = struct.unpack_from("<Q", raw, value_at)
    raw[value_at + 8 : value_at + 8 + length] = b"zzzzz"[:length].ljust(length, b"z")
    path = tmp_path / "odd.gguf"
    path.write_bytes(raw)
    with pytest.raises(ModelRefusedError, match="unknown model architecture"):
        load(path)


def test_a_file_that_is_not_there_is_refused(load, tmp_path):
    with pytest.raises(ModelRefusedError, match="No such file"):
        load(tmp_path / "nowhere.gguf")


def test_threads_follow_the_pool_between_two_tokens(load):
    engine = load(threads=1)
    events = engine.stream(Request(messages=SKY, sampling=Sampling(max_tokens=24)))
    next(events)
    engine.set_threads(2)
    assert list(events)[-1].measured.threads == 2
