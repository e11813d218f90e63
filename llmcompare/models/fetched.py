"""Where a model file that was fetched comes from: a note beside it, written when its content had been checked."""

from dataclasses import asdict, dataclass
from pathlib import Path

from llmcompare.models.notes import read_note, write_note


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


FIELDS = frozenset(Fetched.__dataclass_fields__)


def fetched_path(model: Path) -> Path:
    """Of the note beside a model file."""
    return model.with_name(f"{model.name}.hub.json")


def write_fetched(model: Path, fetched: Fetched) -> None:
    """Beside the file."""
    write_note(fetched_path(model), asdict(fetched))


def fetched_of(model: Path) -> Fetched | None:
    """None for a file that was not fetched here, and where the note is damaged or of another file."""
    found = read_note(fetched_path(model), FIELDS)
    try:
        size = model.stat().st_size
    except OSError:
        return None
    if found is None:
        return None
    texts = [value for name, value in found.items() if name != "size_bytes"]
    is_sound = all(isinstance(text, str) for text in texts) and found["size_bytes"] == size
    return Fetched(**found) if is_sound else None
