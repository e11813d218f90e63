"""Every error that llmcompare raises on purpose. Each message is a sentence: what, which value, what to do.

    LlmCompareError
    ├── InputError          a value that a person gave cannot be used
    │   └── UnknownIdError  an id that the catalogue does not know
    ├── DataError           cells in data/ or var/overrides/ are refused, all of them listed
    ├── StoreError          a file or folder cannot be read or written
    └── EngineError         a model cannot answer
        ├── ModelRefusedError   a file that cannot be loaded, with the reason
        ├── EngineCrashedError  the worker process is gone
        └── EndpointError       a server does not answer, or not with a reply

Anything else that surfaces is a bug and shows its traceback.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


class LlmCompareError(Exception):
    """Base of all errors whose message is meant for a person."""


class InputError(LlmCompareError):
    """A value given in the page, the link or the command cannot be used."""


class UnknownIdError(InputError):
    """An id that is not in the catalogue; names close matches."""

    def __init__(self, kind: str, value: str, known: Iterable[str]) -> None:
        ids = sorted(known)
        close = [name for name in ids if value and value in name][:3] or get_close_matches(value, ids, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(close)}?" if close else "the Data page lists the ids."
        super().__init__(f"{kind} {value!r} is not in the catalogue: {hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCell:
    """One refused cell of a CSV file."""

    file: str
    line: int
    column: str
    value: str
    rule: str

    @property
    def is_own(self) -> bool:
        """Whether it stands in the user's own rows and not in data/."""
        return not self.file.startswith("data/")

    def __str__(self) -> str:
        return f"{self.file} line {self.line}, column {self.column}: {self.value!r} is refused: {self.rule}"


class DataError(LlmCompareError):
    """The CSV files hold cells that break a rule."""

    def __init__(self, cells: Iterable[BadCell]) -> None:
        self.cells = tuple(cells)
        listing = "\n".join(f"  {cell}" for cell in self.cells)
        super().__init__(f"{self.count_text}:\n{listing}")

    @property
    def count_text(self) -> str:
        """How many cells of which folders."""
        count, folders = len(self.cells), sorted({cell.file.rsplit("/", 1)[0] for cell in self.cells})
        return (
            f"{count} cell{'s' if count != 1 else ''} in {' and '.join(f'{name}/' for name in folders)} cannot be used"
        )


class StoreError(LlmCompareError):
    """A file or folder that llmcompare needs cannot be read or written."""


class EngineError(LlmCompareError):
    """A model cannot answer."""


class ModelRefusedError(EngineError):
    """A model file cannot be loaded: no GGUF, damaged, of an unknown kind, or too large."""


class EngineCrashedError(EngineError):
    """The process that runs a model is gone."""


class EndpointError(EngineError):
    """A server cannot be reached, refuses the request, or sends something that is no reply."""
