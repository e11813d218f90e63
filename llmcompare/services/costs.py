"""Compares costs for a scenario with the rows of the catalogue."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from llmcompare.core import comparison
from llmcompare.core.comparison import Comparison
from llmcompare.core.records import Capacity
from llmcompare.core.scenario import Scenario
from llmcompare.services import owned, serverless
from llmcompare.services.books import priced_book
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import for_model
from llmcompare.services.elsewhere import elsewhere
from llmcompare.services.fit import FORMATS_BEST_FIRST
from llmcompare.services.hardware import ENGINES


def compare(facts: Facts, scenario: Scenario) -> Comparison:
    """All options for a scenario. Raises UnknownIdError or InputError; an option without data says why instead.

    Tokens are counted with the model's tokenizer where the scenario names a language.
    """
    scenario = for_model(facts, scenario)
    found = comparison.compare(
        priced_book(facts, scenario),
        scenario,
        fingerprint=facts.catalog.fingerprint,
        serverless_on=partial(serverless.option, facts, scenario),
        owned_with=partial(owned.option, facts, scenario),
    )
    return replace(found, elsewhere=elsewhere(facts, scenario, found))


def variants(facts: Facts, model_id: str) -> list[str]:
    """Variants under which APIs list a model, standard first."""
    found = {offer.variant for offer in facts.api_offers if offer.model_id == model_id}
    return sorted(found | {"standard"}, key=lambda variant: (variant != "standard", variant))


def api_providers(facts: Facts, model_id: str) -> list[str]:
    """Providers that list a model, in the order of the alphabet."""
    return sorted({offer.provider for offer in facts.api_offers if offer.model_id == model_id})


def serverless_providers(facts: Facts) -> list[str]:
    """Providers of GPUs that are paid by the second, in the order of the alphabet."""
    return sorted({offer.provider for offer in facts.serverless_offers})


def engines(facts: Facts) -> list[str]:
    """Engines that a deployment may have: those compared on the Hardware page, and those measured as servers."""
    return list(dict.fromkeys((*ENGINES, *sorted(row.engine for row in _rows(facts)))))


def weight_formats(facts: Facts) -> list[str]:
    """Formats that a deployment may have, those of the Hardware page first."""
    measured = sorted(row.weight_format for row in _rows(facts) if row.weight_format)
    return list(dict.fromkeys((*FORMATS_BEST_FIRST, *measured)))


def _rows(facts: Facts) -> Iterator[Capacity]:
    for rows in facts.capacities.values():
        yield from rows
