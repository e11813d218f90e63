"""Several engines, one stream: their events in the order in which they come, each with the number of its slot."""

import queue
import threading
from collections.abc import Generator, Sequence
from contextlib import closing

from llmcompare.core.facts import Scheduling
from llmcompare.engines.base import Engine, Event, Request


def race(
    engines: Sequence[Engine], requests: Sequence[Request], *, scheduling: Scheduling = "together"
) -> Generator[tuple[int, Event], None, None]:
    """Events of all replies, each engine with its own request. Closing the iterator cancels what still runs."""
    if scheduling == "in-turn":
        for slot, (engine, request) in enumerate(zip(engines, requests, strict=True)):
            with closing(engine.stream(request)) as events:
                for event in events:
                    yield slot, event
        return
    yield from _together(engines, requests)


def _together(engines: Sequence[Engine], requests: Sequence[Request]) -> Generator[tuple[int, Event], None, None]:
    merged: queue.Queue[tuple[int, Event] | BaseException | None] = queue.Queue()
    stop = threading.Event()

    def follow(slot: int, engine: Engine, request: Request) -> None:
        try:
            with closing(engine.stream(request)) as events:
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
