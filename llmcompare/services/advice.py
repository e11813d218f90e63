"""Advice: which deployment fits a need best, how sure that is, why each other one is out, and what would change it."""

from collections import Counter

import numpy as np

from llmcompare.core import advice
from llmcompare.core.advice import Places
from llmcompare.core.advised import LIMITS, Advice
from llmcompare.core.needs import Need
from llmcompare.core.scenario import Scenario
from llmcompare.services.advice_changes import family_spans, flips, limit_flips
from llmcompare.services.advice_limits import Limits
from llmcompare.services.catalogue import Facts
from llmcompare.services.compared import Compared

DRAWN = 200
"""So many of the best are drawn, with the best of each model and kind. With 6,000 the chance of a model was another by
up to 2 points, the noise of 2,000 draws included."""
LISTED = 1_000
"""Deployments of a ranking, the best ones."""


def advise(facts: Facts, scenario: Scenario, need: Need, *, draws: int = advice.DRAWS) -> Advice:
    """The whole advice. Raises InputError or UnknownIdError for what cannot be asked."""
    compared = Compared(facts, scenario, need)
    limits = Limits(compared)
    within = np.nonzero(limits.first == len(LIMITS))[0]
    order = within[np.argsort(-compared.points[within], kind="stable")]
    drawn = np.union1d(order[:DRAWN], compared.heads(order)).astype(np.intp)
    chance = dict(zip(drawn.tolist(), compared.chances(drawn, draws).tolist(), strict=True))
    listed = order[:LISTED]
    return Advice(
        need=need,
        scenario=scenario,
        ranking=compared.ranking,
        lines=tuple(
            compared.line(at, usd=usd, chance=chance.get(at))
            for at, usd in zip(listed.tolist(), compared.usd(listed).tolist(), strict=True)
        ),
        best_of_kinds=tuple(compared.line(at, chance=chance.get(at)) for at in _best_of_kinds(compared, order)),
        deployment_count=compared.field.count,
        out_counts=dict(Counter(LIMITS[at] for at in limits.first.tolist() if at < len(LIMITS))),
        out_models=tuple(limits.out_models()),
        flips=tuple(flips(limits, order)),
        limit_flips=tuple(limit_flips(limits, order)),
        family_spans=family_spans(compared, order),
        left=tuple(limits.left()),
        out_rows=limits.out_rows,
    )


def _best_of_kinds(compared: Compared, order: Places) -> list[int]:
    found: dict[str, int] = {}
    for at in order.tolist():
        found.setdefault(compared.kinds[at], at)
    return list(found.values())
