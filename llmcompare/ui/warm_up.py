"""Loads at the start of the server what the first page would load."""

import inspect
from contextlib import suppress
from datetime import date

from llmcompare import figures
from llmcompare.core.scenario import Scenario
from llmcompare.errors import LlmCompareError, StoreError
from llmcompare.services import capability, catalogue, costs, overview, runs
from llmcompare.ui import frame, show  # noqa: F401 - the import is the purpose


def run() -> None:
    """Build or open the catalogue and draw the first figures; what is wrong, the pages say."""
    _tidy_log()
    # Streamlit looks at the stack when it draws its first element, and Python then looks up the file of every module:
    # 0.1 s, once.
    inspect.stack()
    state = catalogue.current(date.today())
    if state.facts is None:
        return
    try:
        figures.cost_curves(costs.compare(state.facts, Scenario()))
        cell = next(iter(overview.score_cells(state.facts).values()))
        figures.quality_against_cost(overview.quality_against_cost(state.facts, Scenario(), cell))
        capability.ranked(state.facts, capability.Asked())
    except (LlmCompareError, StopIteration):
        # A catalogue without the default model or without scores, for example.
        return


def _tidy_log() -> None:
    """Put the log's many small files of former processes into one; what is wrong, the Playground says."""
    with suppress(StoreError):
        runs.log().compact()
