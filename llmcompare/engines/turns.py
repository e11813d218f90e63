"""Who may run when: first come, first served among those that stand in each other's way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A place in the queue, from the request until its reply has ended."""

    key: str
    """Of the model: two requests for one model take turns."""
    alone: bool
    """Nothing else may run at the same time: its speed is to be compared."""

    def conflicts_with(self, other: "Ticket") -> bool:
        """Whether both may not run at once."""
        return self.key == other.key or self.alone or other.alone


class Turns:
    """Tickets in the order in which they were taken, those that run among them.

    Nobody overtakes a ticket that stands in the way, so nobody waits for ever.
    """

    def __init__(self) -> None:
        self._tickets: list[Ticket] = []
        self._changed = threading.Condition()

    def take(self, key: str, *, alone: bool) -> Ticket:
        """A ticket at the end of the queue."""
        ticket = Ticket(key, alone)
        with self._changed:
            self._tickets.append(ticket)
        return ticket

    def place(self, ticket: Ticket, *, wait_s: float = 0.0) -> int:
        """How many tickets must end before this one runs; with a wait, the number after a change or that time."""
        with self._changed:
            if wait_s and self._before(ticket):
                self._changed.wait(wait_s)
            return self._before(ticket)

    def give_back(self, ticket: Ticket) -> None:
        """The reply has ended, or nobody wants it any more."""
        with self._changed:
            self._tickets.remove(ticket)
            self._changed.notify_all()

    @contextmanager
    def held(self, key: str, *, given_up: Callable[[], bool]) -> Iterator[None]:
        """Work beside the replies, which those that run alone wait for and that waits for them."""
        ticket = self.take(key, alone=False)
        try:
            while self.place(ticket, wait_s=0.1) and not given_up():
                pass
            yield
        finally:
            self.give_back(ticket)

    def _before(self, ticket: Ticket) -> int:
        earlier = self._tickets[: self._tickets.index(ticket)]
        return sum(ticket.conflicts_with(other) for other in earlier)
