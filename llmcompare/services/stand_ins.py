"""Engines that stand for a model which is not asked."""

import time
from collections.abc import Generator
from typing import Any, Literal

from llmcompare.engines.base import Done, Event, Failed, Measured, Request


class CompleteEngine:
    """Stands for a reply that has nothing to go on with: it ends as it did."""

    def __init__(self, name: str, ended: Literal["end", "stop"]) -> None:
        self.name = name
        self._ended = ended

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """A single Done, with nothing measured."""
        nothing: dict[str, Any] = dict.fromkeys(Measured.__dataclass_fields__)
        yield Done(reason=self._ended, measured=Measured(**nothing | {"engine": ""}), time_s=time.monotonic())

    def close(self) -> None:
        """Nothing to release."""


class RefusedEngine:
    """Stands for a file that cannot be loaded: says why, and nothing else."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        self._problem = problem

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """A single Failed."""
        yield Failed(error=self._problem, crashed=False, time_s=time.monotonic())

    def close(self) -> None:
        """Nothing to release."""
