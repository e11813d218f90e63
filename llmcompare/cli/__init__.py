"""The command line: the same figures as the pages, for people and for programs. One module per group of commands."""

from llmcompare.cli import (
    advise,
    breakeven,
    capability,
    catalogue,
    claims,
    costs,
    families,
    finetune,
    hardware,
    languages,
    local,
    models,
    moved,
    ratings,
    refresh,
    sweep,
    workload,
)
from llmcompare.cli.app import main

__all__ = [
    "advise", "breakeven", "capability", "catalogue", "claims", "costs", "families", "finetune", "hardware",
    "languages", "local", "main", "models", "moved", "ratings", "refresh", "sweep", "workload",
]  # fmt: skip
