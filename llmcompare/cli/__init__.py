"""The command line: the same figures as the pages, for people and for programs. One module per group of commands."""

from llmcompare.cli import catalogue, costs, hardware, local
from llmcompare.cli.app import main

__all__ = ["catalogue", "costs", "hardware", "local", "main"]
