"""Where the facts lie and where everything made at run time goes."""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The two folders of an installation."""

    data: Path
    """CSV files, one per table; edited by people."""
    var: Path
    """Everything that can be made again: catalogue, logs."""


def folders() -> Folders:
    """Folders named by LLMCOMPARE_DATA and LLMCOMPARE_VAR, else data and var of the project."""
    return Folders(
        data=Path(os.environ.get("LLMCOMPARE_DATA", PROJECT_FOLDER / "data")),
        var=Path(os.environ.get("LLMCOMPARE_VAR", PROJECT_FOLDER / "var")),
    )
