"""Notes beside model files: what is known of a file that it does not say itself, as JSON."""

import json
from pathlib import Path
from typing import Any

NOTE_LIMIT_BYTES = 65_536


def write_note(path: Path, facts: dict[str, Any]) -> None:
    """All of them at once."""
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def read_note(path: Path, fields: frozenset[str]) -> dict[str, Any] | None:
    """Values of a note with just these fields; None where there is none, and where it is damaged."""
    try:
        with path.open(encoding="utf-8") as stream:
            found = json.loads(stream.read(NOTE_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.keys() == fields else None
