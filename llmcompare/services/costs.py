"""Compares costs for a scenario with the rows of the catalogue."""

from llmcompare.core import comparison
from llmcompare.core.comparison import Comparison
from llmcompare.core.options import PriceBook
from llmcompare.core.scenario import Scenario
from llmcompare.services.catalogue import Facts


def compare(facts: Facts, scenario: Scenario) -> Comparison:
    """All options for a scenario. Raises UnknownIdError or InputError; an option without data says why instead."""
    return comparison.compare(book(facts, scenario.model), scenario, fingerprint=facts.catalog.fingerprint)


def book(facts: Facts, model_name: str) -> PriceBook:
    """The rows for one model. Raises UnknownIdError."""
    model = facts.model(model_name)
    return PriceBook(
        model=model,
        api_offers=facts.api_offers,
        gpu_offers=facts.gpu_offers,
        gpus=facts.gpus,
        capacities=facts.capacities.get(model.model_id, []),
    )


def variants(facts: Facts, model_id: str) -> list[str]:
    """Variants under which APIs list a model, standard first."""
    found = {offer.variant for offer in facts.api_offers if offer.model_id == model_id}
    return sorted(found | {"standard"}, key=lambda variant: (variant != "standard", variant))
