"""Files that are there as a whole or not at all: one writer at a time, and a replacement in one rename."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmcompare.store.db import file_errors

try:
    import fcntl
except ImportError:
    # Windows: a write is still one rename, but of two at once the later one wins.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def one_writer(lock: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with its process. Raises StoreError."""
    with file_errors(lock.parent):
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def put_in_place(path: Path, content: bytes) -> None:
    """Replace a file. A write that is cut off leaves the old one. Raises OSError."""
    # Not *.csv: nobody may take it for a file that is complete.
    temporary = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.new")
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
