"""Server-sent events: lines of a stream, put together to events."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream."""

    kind: str
    """"message" unless the server names it."""
    data: str


class EventLines:
    """Takes lines as they come and gives an event out at the empty line that ends it.

    >>> lines = EventLines()
    >>> [lines.push(line) for line in (": a comment", "event: error", "data: no", "data: room", "")]
    [None, None, None, None, ServerEvent(kind='error', data='no\\nroom')]
    """

    def __init__(self) -> None:
        self._kind = ""
        self._data: list[str] = []

    def push(self, line: str) -> ServerEvent | None:
        """The event that this line completes, if it does."""
        if not line:
            return self.finish()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._kind = value
        return None

    def finish(self) -> ServerEvent | None:
        """What has come since the last event; a stream may end without an empty line."""
        event = ServerEvent(self._kind or "message", "\n".join(self._data)) if self._data else None
        self._kind, self._data = "", []
        return event
