"""Loads at the start of the server what the first page would load."""

from contextlib import suppress
from datetime import date

from llmcompare import figures
from llmcompare.core.scenario import Scenario
from llmcompare.errors import LlmCompareError, StoreError
from llmcompare.services import capability, catalogue, costs, overview, runs
from llmcompare.ui import frame  # noqa: F401 - the import is the purpose


def run() -> None:
    """Build or open the catalogue and draw one figure; what is wrong, the pages say."""
    _tidy_log()
    state = catalogue.current(date.today())
    if state.facts is None:
        return
    try:
        figures.cost_curves(costs.compare(state.facts, Scenario()))
        overview.score_cells(state.facts)
        capability.ranked(state.facts, capability.Asked())
    except LlmCompareError:
        # A catalogue without the default model, for example.
        return


def _tidy_log() -> None:
    """Put the log's many small files of former processes into one; what is wrong, the Playground says."""
    with suppress(StoreError):
        runs.log().compact()
