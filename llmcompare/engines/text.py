"""Turns the bytes of tokens into text: whole characters only, and nothing at or after a stop string."""

import codecs


class TextStream:
    """Takes bytes piece by piece and gives text out as soon as it is certain.

    >>> stream = TextStream(stop=("END",))
    >>> stream.push("né".encode()[:2]), stream.push("né".encode()[2:] + b" E"), stream.push(b"ND more")
    ('n', 'é ', '')
    >>> stream.stopped
    True
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._stop = stop
        # Bytes that are no UTF-8 become U+FFFD; an unfinished character waits for its rest.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self.stopped = False
        """A stop string was found; further bytes are ignored."""

    def push(self, piece: bytes) -> str:
        """Text that is now certain, maybe empty."""
        return "" if self.stopped else self._released(self._held + self._decoder.decode(piece))

    def finish(self) -> str:
        """What is still held back, when no more bytes come."""
        if self.stopped:
            return ""
        rest = self._released(self._held + self._decoder.decode(b"", final=True))
        rest, self._held = rest + ("" if self.stopped else self._held), ""
        return rest

    def _released(self, text: str) -> str:
        found = [at for at in map(text.find, self._stop) if at >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        hold = self._possible_stop_length(text)
        self._held = text[len(text) - hold :]
        return text[: len(text) - hold]

    def _possible_stop_length(self, text: str) -> int:
        """Length of the longest end of the text that a stop string may begin with."""
        longest = max((len(stop) - 1 for stop in self._stop), default=0)
        for length in range(min(longest, len(text)), 0, -1):
            if any(stop.startswith(text[-length:]) for stop in self._stop):
                return length
        return 0
