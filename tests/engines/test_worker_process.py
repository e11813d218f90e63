"""The worker as a process: how its threads wait."""

from pathlib import Path


def test_threads_wait_as_measured_unless_the_user_says_otherwise(load, monkeypatch):
    def environment(engine):
        return Path(f"/proc/{engine.process_id}/environ").read_bytes().split(b"\0")

    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    assert b"GOMP_SPINCOUNT=30000" in environment(load())
    monkeypatch.setenv("GOMP_SPINCOUNT", "5")
    assert b"GOMP_SPINCOUNT=5" in environment(load())
