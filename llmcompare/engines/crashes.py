"""Models whose worker crashes again and again: set aside until somebody lets them try again."""

import threading
import time
from collections import deque

from llmcompare.errors import ModelRefusedError

CRASHES_ALLOWED = 3
CRASH_WINDOW_S = 60.0


class Crashes:
    """By the key of a model, with the name of its file for a person."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}
        self._set_aside: dict[str, tuple[str, str]] = {}
        self._state = threading.Lock()

    def note(self, key: str, file_name: str, reason: str) -> None:
        """The third crash within a minute sets a model aside."""
        now = time.monotonic()
        with self._state:
            times = self._times.setdefault(key, deque(maxlen=CRASHES_ALLOWED))
            times.append(now)
            if len(times) == CRASHES_ALLOWED and now - times[0] < CRASH_WINDOW_S:
                self._set_aside[key] = (file_name, reason)

    def refuse_if_set_aside(self, key: str) -> None:
        """Raises ModelRefusedError."""
        with self._state:
            found = self._set_aside.get(key)
        if found is not None:
            name, reason = found
            raise ModelRefusedError(
                f"{name} is set aside: it crashed {CRASHES_ALLOWED} times within a minute, the last time because "
                f"{reason}. Choose another model, or let it try again under Models at hand."
            )

    def set_aside(self) -> dict[str, str]:
        """File name and reason of every model that is not tried any more."""
        with self._state:
            return dict(self._set_aside.values())

    def forgive(self, file_name: str) -> None:
        """Let a model that was set aside try again."""
        with self._state:
            for key in [key for key, (name, _) in self._set_aside.items() if name == file_name]:
                del self._set_aside[key], self._times[key]
