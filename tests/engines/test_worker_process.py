"""The worker as a process: how its threads wait, and what it says when llama.cpp gives up."""

import time
from pathlib import Path

from llmcompare.engines.base import Failed, Message, Request, Sampling

SKY = (Message(role="user", content="Why is the sky blue?"),)


def test_an_abort_of_llama_cpp_ends_with_its_own_reason_not_with_that_of_a_debugger(load):
    # llama.cpp throws where no token may follow; an exception of C++ cannot be caught from here.
    began = time.monotonic()
    sampling = Sampling(max_tokens=2, grammar='root ::= [^\\x00-\\U0010FFFF] "a"')
    failed = list(load().stream(Request(messages=SKY, sampling=sampling)))[-1]
    assert isinstance(failed, Failed)
    assert failed.crashed
    assert "signal 6" in failed.error
    assert "Inferior" not in failed.error
    assert time.monotonic() - began < 30


def test_threads_wait_as_measured_unless_the_user_says_otherwise(load, monkeypatch):
    def environment(engine):
        return Path(f"/proc/{engine.process_id}/environ").read_bytes().split(b"\0")

    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    assert b"GOMP_SPINCOUNT=30000" in environment(load())
    monkeypatch.setenv("GOMP_SPINCOUNT", "5")
    assert b"GOMP_SPINCOUNT=5" in environment(load())
