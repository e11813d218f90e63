"""Where a model file that was made here comes from: a note beside it, else its name."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmcompare.models.notes import read_note, write_note

MADE_NAME = re.compile(r"\.(?P<target>[A-Z0-9_]+)-from-(?P<source>[A-Z0-9_]+)$")
EXACT_FORMATS = ("F32", "F16", "BF16")
"""Formats of training: a model made from one of these is rounded once, like everybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a file was made from."""

    source_file: str | None
    """None where only the name of the made file tells."""
    source_bytes: int | None
    source_mtime_ns: int | None
    source_format: str
    target_format: str
    made_at: str | None
    """ISO time, UTC."""
    engine: str | None
    """What made it, with its version."""

    @property
    def sentence(self) -> str:
        """For a person."""
        return f"made here from {self.source_file or 'another file'} ({self.source_format})"

    @property
    def caveat(self) -> str | None:
        """What a comparison with this file must not forget."""
        if self.source_format in EXACT_FORMATS:
            return None
        source = self.source_format
        return f"made from {source}: its weights are those of {source} rounded again, so it cannot be better than it"


FIELDS = frozenset(Origin.__dataclass_fields__)


def note_path(model: Path) -> Path:
    """Of the note beside a model file."""
    return model.with_name(f"{model.name}.json")


def write_origin(model: Path, origin: Origin) -> None:
    """Beside the file that is made."""
    write_note(note_path(model), asdict(origin))


def origin_of(model: Path) -> Origin | None:
    """None for a file that was not made here. A note that is damaged leaves what the name of the file says."""
    return _noted(note_path(model)) or _named(model)


def _noted(path: Path) -> Origin | None:
    found = read_note(path, FIELDS)
    return Origin(**found) if found is not None and _is_origin(found) else None


def _is_origin(found: dict[str, Any]) -> bool:
    texts = (found["source_format"], found["target_format"])
    optional = (found["source_file"], found["made_at"], found["engine"])
    numbers = (found["source_bytes"], found["source_mtime_ns"])
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(text, str | None) for text in optional)
        and all(isinstance(number, int | None) for number in numbers)
    )


def _named(model: Path) -> Origin | None:
    found = MADE_NAME.search(model.stem)
    if found is None:
        return None
    return Origin(
        source_file=None,
        source_bytes=None,
        source_mtime_ns=None,
        source_format=found["source"],
        target_format=found["target"],
        made_at=None,
        engine=None,
    )
