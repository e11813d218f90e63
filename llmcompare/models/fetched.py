"""Where a model file that was fetched comes from: a note beside it, written when its content had been checked."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

NOTE_LIMIT_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was fetched."""

    repository: str
    commit: str
    path: str
    """Inside the repository."""
    size_bytes: int
    checksum: str
    """SHA-256, of a small file its SHA-1 in git."""
    fetched_at: str
    """ISO time, UTC."""

    @property
    def sentence(self) -> str:
        """For a person."""
        return f"from {self.repository} on the Hub @ {self.commit[:7]}, checked on {self.fetched_at[:10]}"


def fetched_path(model: Path) -> Path:
    """Of the note beside a model file."""
    return model.with_name(f"{model.name}.hub.json")


def write_fetched(model: Path, fetched: Fetched) -> None:
    """Beside the file."""
    fetched_path(model).write_text(json.dumps(asdict(fetched), indent=1) + "\n", encoding="utf-8")


def fetched_of(model: Path) -> Fetched | None:
    """None for a file that was not fetched here, and where the note is damaged or of another file."""
    try:
        with fetched_path(model).open(encoding="utf-8") as stream:
            found = json.loads(stream.read(NOTE_LIMIT_BYTES))
        size = model.stat().st_size
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or set(found) != set(Fetched.__dataclass_fields__):
        return None
    texts = [value for name, value in found.items() if name != "size_bytes"]
    is_sound = all(isinstance(text, str) for text in texts) and found["size_bytes"] == size
    return Fetched(**found) if is_sound else None
