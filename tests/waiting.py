"""Waiting for what another thread or process does."""

import time


def until(true, limit_s=60):
    """Comes back when something is so; fails when it is not in time."""
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.01)
