"""Reads a scenario from a YAML file: the fields of a link, one per line."""

from pathlib import Path

import yaml

from llmcompare.core.scenario import Scenario
from llmcompare.errors import InputError


def read(path: Path) -> dict[str, str]:
    """Fields as text, as a link holds them; a list of numbers becomes text with commas. Raises InputError."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(f"{path} cannot be read: {problem.strerror}. Name a YAML file.") from problem
    except (UnicodeDecodeError, yaml.YAMLError) as problem:
        said = " ".join(str(problem).split())
        raise InputError(f"{path} is no YAML file: {said}. Write one field per line, as in model: llama.") from problem
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no fields: write one per line, as in requests_per_month: 1000000.")
    known = Scenario.__dataclass_fields__
    for name in found:
        if name not in known:
            raise InputError(f"{path} has the field {str(name)[:40]!r}, which is not known: take {', '.join(known)}.")
    return {name: _text(value) for name, value in found.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
