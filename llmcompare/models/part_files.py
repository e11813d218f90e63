"""The file that a download grows in: named after the model and its checksum, kept when the connection ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from llmcompare.errors import ModelRefusedError
from llmcompare.models.hub_files import HubFile

PART_ENDING = ".part"
MARK_LETTERS = 12
"""Of the checksum, in the name of a part: what another version left is not gone on with."""


def part_of(target: Path, one: HubFile) -> Path:
    """Where a file is fetched into before it counts."""
    return target.with_name(f"{target.name}.{(one.checksum or '')[:MARK_LETTERS]}{PART_ENDING}")


def unfinished(models_folder: Path) -> list[Path]:
    """Parts that earlier downloads left with something in them."""
    found = sorted(models_folder.rglob(f"*{PART_ENDING}")) if models_folder.is_dir() else []
    return [part for part in found if part.stat().st_size]


def source_of_part(part: Path, models_folder: Path) -> tuple[str, str] | None:
    """Repository and file that a part belongs to, from its place; None for what did not come from here."""
    pieces = part.relative_to(models_folder).parts
    stem = part.name.removesuffix(PART_ENDING)
    name, dot, mark = stem.rpartition(".")
    if len(pieces) < 3 or not dot or len(mark) != MARK_LETTERS:
        return None
    return "/".join(pieces[:2]), "/".join((*pieces[2:-1], name))


@contextmanager
def locked_part(part: Path) -> Iterator[BinaryIO]:
    """The part, open, and no other process's. Raises ModelRefusedError."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ModelRefusedError(f"{part.name} is being fetched by another process: wait for it.") from None
            yield stream
    except OSError as error:
        raise ModelRefusedError(
            f"{part.name} cannot be written ({error.strerror}): what came so far is kept."
        ) from error
