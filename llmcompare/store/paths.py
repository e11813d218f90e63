"""Where the facts lie and where everything made at run time goes."""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
OVERRIDES = "overrides"
"""Name of the folder in var/ that holds the user's own rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The two folders of an installation."""

    data: Path
    """CSV files, one per table; edited by people."""
    var: Path
    """Everything made at run time. The catalogue can be made again; results and models cannot, or take long."""

    @property
    def overrides(self) -> Path:
        """The user's own prices: CSV files of the same form as those in data/."""
        return self.var / OVERRIDES

    @property
    def results(self) -> Path:
        """The log of runs, replies, openings and measurements."""
        return self.var / "results"

    @property
    def models(self) -> Path:
        """Model files that were downloaded or made here."""
        return self.var / "models"


def folders() -> Folders:
    """Folders named by LLMCOMPARE_DATA and LLMCOMPARE_VAR, else data and var of the project."""
    return Folders(
        data=Path(os.environ.get("LLMCOMPARE_DATA", PROJECT_FOLDER / "data")),
        var=Path(os.environ.get("LLMCOMPARE_VAR", PROJECT_FOLDER / "var")),
    )
