"""Several engines, one stream: their events in the order in which they come, each with the number of its slot.

Whatever goes wrong in one engine ends that slot alone: the others answer, and a bug travels with its slot's Failed.
"""

import queue
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing

from llmcompare.core.facts import Scheduling
from llmcompare.engines.base import Engine, Event, Failed, Request
from llmcompare.errors import LlmCompareError


def race(
    engines: Sequence[Engine], requests: Sequence[Request], *, scheduling: Scheduling = "together"
) -> Generator[tuple[int, Event], None, None]:
    """Events of all replies, each engine with its own request. Closing the iterator cancels what still runs."""
    if scheduling == "in-turn":
        for slot, (engine, request) in enumerate(zip(engines, requests, strict=True)):
            with closing(_events(engine, request)) as events:
                for event in events:
                    yield slot, event
        return
    yield from _together(engines, requests)


def _events(engine: Engine, request: Request) -> Generator[Event, None, None]:
    try:
        with closing(engine.stream(request)) as events:
            yield from events
    except LlmCompareError as problem:
        yield Failed(error=str(problem), crashed=False, time_s=time.monotonic())
    except Exception as bug:  # noqa: BLE001 - handed on whole, for whoever shows its traceback
        said = f"{type(bug).__name__}: {bug}".removesuffix(": ")
        error = f"an error in this program, not the model's, ended the reply: {said}"
        yield Failed(error=error, crashed=False, time_s=time.monotonic(), bug=bug)


def _together(engines: Sequence[Engine], requests: Sequence[Request]) -> Generator[tuple[int, Event], None, None]:
    merged: queue.Queue[tuple[int, Event] | BaseException | None] = queue.Queue()
    stop = threading.Event()

    def follow(slot: int, engine: Engine, request: Request) -> None:
        try:
            with closing(_events(engine, request)) as events:
                for event in events:
                    merged.put((slot, event))
                    if stop.is_set():
                        return
        except BaseException as error:
            merged.put(error)
        finally:
            merged.put(None)

    slots = [(slot, engine, request) for slot, (engine, request) in enumerate(zip(engines, requests, strict=True))]
    threads = [threading.Thread(target=follow, args=slot, daemon=True) for slot in slots]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            item = merged.get()
            if item is None:
                running -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        # Every engine ticks several times a second, so each thread sees the flag soon.
        stop.set()
        for thread in threads:
            thread.join()
