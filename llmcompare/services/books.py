"""The rows of the catalogue that a comparison for one model may use."""

from dataclasses import replace

from llmcompare.core.options import PriceBook
from llmcompare.core.rented import needs_prediction
from llmcompare.core.scenario import Scenario
from llmcompare.services import doubts
from llmcompare.services.capacity import predicted_capacities
from llmcompare.services.catalogue import Facts


def priced_book(facts: Facts, scenario: Scenario) -> PriceBook:
    """The rows for a scenario, with predicted capacities where published ones do not answer. Raises UnknownIdError."""
    rows = book(facts, scenario.model)
    if not needs_prediction(rows.capacities, scenario):
        return rows
    predicted, missing = predicted_capacities(facts, scenario)
    return replace(rows, predicted=predicted, predicted_missing=missing)


def book(facts: Facts, model_name: str) -> PriceBook:
    """The rows for one model. Raises UnknownIdError."""
    model = facts.model(model_name)
    return PriceBook(
        model=model,
        api_offers=facts.api_offers,
        gpu_offers=doubts.sound_gpu_offers(facts),
        gpus=facts.gpus,
        capacities=facts.capacities.get(model.model_id, []),
        doubts=doubts.by_row(facts),
    )
