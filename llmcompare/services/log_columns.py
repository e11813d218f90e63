"""Which column of a request log holds what: names that programs give them, nested ones too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmcompare.errors import InputError

ALIASES: dict[str, tuple[str, ...]] = {
    "time": (
        "timestamp", "time", "created_at", "created", "date", "datetime", "start_time", "starttime", "request_time",
        "requested_at", "ts",
    ),
    "input_tokens": ("input_tokens", "prompt_tokens", "tokens_in", "prompt_token_count"),
    "output_tokens": ("output_tokens", "completion_tokens", "tokens_out", "candidates_token_count"),
    "cached_tokens": (
        "cached_tokens", "cached_input_tokens", "cache_read_input_tokens", "cached_content_token_count",
    ),
    "cache_written_tokens": ("cache_creation_input_tokens",),
    "thinking_tokens": ("reasoning_tokens", "thinking_tokens", "thoughts_token_count"),
    "input_characters": ("input_characters", "prompt_characters", "characters_in"),
    "output_characters": ("output_characters", "completion_characters", "characters_out"),
    "duration_s": ("duration_s", "latency_s", "duration_seconds"),
    "duration_ms": ("duration_ms", "latency_ms"),
}  # fmt: skip
"""What is looked for, with the names it goes by, the commonest first. Case, spaces and hyphens do not count."""
COLUMNS_NAMED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Where a field of the log stands."""

    field: str
    alias: str
    path: tuple[str, ...]
    """Names from the outside in; one name in a CSV file."""
    place: int
    """From 0 in a CSV file."""

    @property
    def name(self) -> str:
        """As the file has it."""
        return ".".join(self.path)


def columns(paths: Sequence[tuple[str, ...]], *, file: str) -> dict[str, Column]:
    """The columns that are used, by field. Raises InputError where one that is needed is missing."""
    found = {field: column for field in ALIASES if (column := _first(field, paths)) is not None}
    for kind in ("input", "output"):
        if f"{kind}_tokens" in found:
            found.pop(f"{kind}_characters", None)
    if "duration_s" in found:
        found.pop("duration_ms", None)
    missing = [
        text
        for text, fields in (
            ("a time (timestamp)", ("time",)),
            ("input tokens (input_tokens)", ("input_tokens", "input_characters")),
            ("output tokens (output_tokens)", ("output_tokens", "output_characters")),
        )
        if not any(field in found for field in fields)
    ]
    if missing:
        raise InputError(
            f"{file} has no column for {' nor for '.join(missing)}: its columns are {_listed(paths)}. Name them as the "
            "sample does."
        )
    return found


def _first(field: str, paths: Sequence[tuple[str, ...]]) -> Column | None:
    for alias in ALIASES[field]:
        for place, path in enumerate(paths):
            if plain_name(path[-1]) == alias:
                return Column(field=field, alias=alias, path=path, place=place)
    return None


def plain_name(name: str) -> str:
    """A column's name as the aliases are written; of usage.prompt_tokens only the last part.

    >>> plain_name(" Usage.Prompt-Tokens ")
    'prompt_tokens'
    """
    return name.strip().lower().rsplit(".", 1)[-1].replace(" ", "_").replace("-", "_")


def knows_any(names: Iterable[str]) -> bool:
    """Whether any name is one of a column that is looked for."""
    known = {alias for aliases in ALIASES.values() for alias in aliases}
    return any(plain_name(name) in known for name in names)


def _listed(paths: Sequence[tuple[str, ...]]) -> str:
    shown = [".".join(path)[:40] for path in paths[:COLUMNS_NAMED]]
    return ", ".join(shown) + (f" and {len(paths) - len(shown)} more" if len(paths) > len(shown) else "")


def leaves(record: Mapping[str, Any], *, depth: int = 4) -> Iterator[tuple[str, ...]]:
    """Paths to everything in a nested record that holds no further record.

    >>> list(leaves({"time": 1, "usage": {"prompt_tokens": 2}}))
    [('time',), ('usage', 'prompt_tokens')]
    """
    for name, value in record.items():
        if isinstance(value, Mapping) and depth > 1:
            yield from ((name, *rest) for rest in leaves(value, depth=depth - 1))
        else:
            yield (name,)
