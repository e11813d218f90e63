"""Reads the bytes of a GGUF header in order, and believes no length before it has compared it with the bytes left."""

import struct
from typing import BinaryIO, NoReturn

from llmcompare.errors import ModelRefusedError

WINDOW_BYTES = 1 << 18
HEADER_LIMIT_BYTES = 256 << 20
"""A vocabulary of 262,144 tokens with its merges takes 15 MB; whatever is larger than this is no header."""
KEPT_LIMIT_BYTES = 16 << 20
"""Of all names, texts and items of arrays that are kept."""
TEXT_LIMIT_BYTES = 1 << 20
"""Of one name or text; chat templates have up to 20 kB."""
ITEM_LIMIT = 4_000_000
"""Texts in arrays, of all arrays together: half a second of reading. Large vocabularies with merges have 800,000."""
U64 = struct.Struct("<Q")


class HeaderBytes:
    """A place in a file that only moves forward."""

    def __init__(self, stream: BinaryIO, name: str, file_bytes: int) -> None:
        self.name = name
        self.file_bytes = file_bytes
        self._stream = stream
        self._window = b""
        self._window_at = 0
        self._place = 0
        self._kept_bytes = 0
        self._items = 0

    @property
    def place(self) -> int:
        """Bytes before the next one to be read."""
        return self._window_at + self._place

    @property
    def left(self) -> int:
        """Bytes from here to the end of the file."""
        return self.file_bytes - self.place

    def refuse(self, reason: str) -> NoReturn:
        """Raises ModelRefusedError with the name of the file and the reason."""
        raise ModelRefusedError(f"{self.name} is refused: {reason}.")

    def number(self, layout: struct.Struct, what: str) -> int | float | bool:
        """One number."""
        value: int | float | bool
        (value,) = layout.unpack(self.raw(layout.size, what))
        return value

    def raw(self, size: int, what: str) -> bytes:
        """The next bytes."""
        if self._place + size > len(self._window):
            self._refill(size, what)
        found = self._window[self._place : self._place + size]
        self._place += size
        return found

    def text(self, what: str) -> str:
        """A text with its length before it, kept in memory."""
        size = int(self.number(U64, f"the length of {what}"))
        self._require_left(size, what)
        if size > TEXT_LIMIT_BYTES:
            self.refuse(f"{what} has {size:,} bytes, and {TEXT_LIMIT_BYTES:,} are the most that is read")
        self.keep(size)
        return self.raw(size, what).decode("utf-8", errors="replace")

    def keep(self, size: int) -> None:
        """Refuse when all that is kept grows too large."""
        self._kept_bytes += size
        if self._kept_bytes > KEPT_LIMIT_BYTES:
            self.refuse(f"its names, texts and short arrays have more than {KEPT_LIMIT_BYTES:,} bytes")

    def skip(self, size: int, what: str) -> None:
        """Move on without reading."""
        self._require_left(size, what)
        self._place += size

    def skip_texts(self, count: int, what: str) -> None:
        """Move over an array of texts. All the length of a header is here, so the loop calls nothing it need not."""
        self._count_items(count, what)
        window, place, unpack = self._window, self._place, U64.unpack_from
        for _ in range(count):
            if place + 8 > len(window):
                self._place = place
                self._refill(8, what)
                window, place = self._window, self._place
            place += 8 + unpack(window, place)[0]
        self._place = place
        self._require_left(0, what)

    def _count_items(self, count: int, what: str) -> None:
        self._items += count
        if self._items > ITEM_LIMIT:
            self.refuse(f"{what} has {count:,} items, and {ITEM_LIMIT:,} are the most that is read of all arrays")

    def _require_left(self, size: int, what: str) -> None:
        if self.left < 0:
            self.refuse(f"{what} would end {-self.left:,} bytes after the end of the file")
        if size > self.left:
            self.refuse(f"{what} needs {size:,} bytes, and {self.left:,} are left in the file")

    def _refill(self, size: int, what: str) -> None:
        self._require_left(size, what)
        if self.place > HEADER_LIMIT_BYTES:
            self.refuse(f"its header has more than {HEADER_LIMIT_BYTES:,} bytes, at {what}")
        self._window_at, self._place = self.place, 0
        self._stream.seek(self._window_at)
        self._window = self._stream.read(max(size, WINDOW_BYTES))
        if len(self._window) < size:
            self.refuse(f"it became shorter while it was read, at {what}")
