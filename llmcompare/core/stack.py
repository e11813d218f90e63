"""What the monthly cost of one option is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmcompare.core.comparison import Comparison
from llmcompare.core.cost import TokenPrices
from llmcompare.core.options import ApiOption, PricedApiOffer, token_prices
from llmcompare.core.records import ApiOffer
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_curve import worker_time
from llmcompare.core.serverless_option import ServerlessOption
from llmcompare.core.units import TOKENS_PER_MTOK, usd_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a monthly cost at middle prices. The parts of an option add up to its cost."""

    name: str
    usd_per_month: float


def api_parts(prices: TokenPrices, scenario: Scenario, *, usd_per_month: float) -> list[Part]:
    """Input, cached input, output and thinking at list prices, and what waiting for the batch price saves.

    The cost is given, so that a discount is what the list prices exceed it by.
    """
    workload = scenario.workload
    mtok = workload.requests_per_month / TOKENS_PER_MTOK
    cached_price = prices.cached_input_usd_per_mtok
    cached = workload.input_tokens * workload.cached_input_fraction
    parts = [
        Part(name="input", usd_per_month=(workload.input_tokens - cached) * mtok * prices.input_usd_per_mtok),
        Part(
            name="cached input",
            usd_per_month=cached * mtok * (prices.input_usd_per_mtok if cached_price is None else cached_price),
        ),
        Part(name="output", usd_per_month=workload.output_tokens * mtok * prices.output_usd_per_mtok),
        Part(name="thinking", usd_per_month=workload.thinking_tokens * mtok * prices.output_usd_per_mtok),
    ]
    saved = usd_per_month - sum(part.usd_per_month for part in parts)
    if abs(saved) > 1e-9 * usd_per_month:
        parts.append(Part(name="batch discount", usd_per_month=saved))
    return [part for part in parts if part.usd_per_month]


def median_offer(api: ApiOption) -> PricedApiOffer:
    """The offer in the middle of the providers, the dearer of two."""
    return api.offers[len(api.offers) // 2]


def rented_parts(rented: Deployment, scenario: Scenario) -> list[Part]:
    """GPU hours that work, hours that stand idle between requests, and replicas that are spare.

    Idle hours are paid: they are the planned room, the rest of the last replica, and the quiet hours of the week.
    """
    curve, requests = rented.curves.mid, scenario.requests_per_month
    total = curve.usd_per_month(requests)
    spare = scenario.spare_replicas * curve.usd_of_one_each
    # Replicas that would do the same if every second of theirs was used.
    busy_replicas = scenario.workload.requests_per_s / rented.requests_per_s.mid
    busy = min(busy_replicas * curve.usd_of_one_each, total - spare)
    return [
        part
        for part in (
            Part(name="GPU hours at work", usd_per_month=busy),
            Part(name="GPU hours idle", usd_per_month=total - spare - busy),
            Part(name="spare replicas", usd_per_month=spare),
        )
        if part.usd_per_month > 0
    ]


def serverless_parts(option: ServerlessOption, scenario: Scenario) -> list[Part]:
    """Cost of starting, serving and waiting for the next request, in the proportions of the provider in the middle."""
    plan, curve = option.middle, option.curves.mid
    billed = plan.billed("mid")
    time = worker_time(curve, plan, np.array([scenario.requests_per_month]))
    workers = {
        "requests": float(time.busy[0]) * billed.execution,
        "cold starts": float(time.setup[0]) * billed.setup_fraction,
        "waiting for the next request": float(time.idle[0]) * billed.idle,
    }
    total = sum(workers.values())
    usd = option.usd_per_month.mid
    return [Part(name=name, usd_per_month=usd * part / total) for name, part in workers.items() if part > 0]


def stacks(comparison: Comparison) -> list[tuple[str, str, list[Part]]]:
    """Key, name and parts of every option that has data, at middle prices."""
    scenario, found = comparison.scenario, []
    if comparison.api is not None:
        middle = median_offer(comparison.api)
        found.append(("api", f"API, {middle.offer.provider}", _api_parts(middle.offer, scenario, middle.usd_per_month)))
    for key, deployment in (("rented", comparison.rented), ("rented_at_scale", comparison.rented_at_scale)):
        if deployment is not None:
            found.append((key, f"rented {deployment.short}", rented_parts(deployment, scenario)))
    if comparison.serverless is not None:
        name = f"serverless {comparison.serverless.short}"
        found.append(("serverless", name, serverless_parts(comparison.serverless, scenario)))
    if comparison.owned is not None:
        parts = [Part(name=name, usd_per_month=usd) for name, usd in comparison.owned.parts.items() if usd]
        found.append(("owned", f"own {comparison.owned.short}", parts))
    today = comparison.today
    if today.offer is None:
        found.append(("today", today.label, [Part(name="as typed in", usd_per_month=today.usd_per_month)]))
    else:
        parts = _api_parts(today.offer, scenario.as_typed, today.usd_per_month)
        found.append(("today", f"today, {today.label}", parts))
    return found


def _api_parts(offer: ApiOffer, scenario: Scenario, usd_per_month: float) -> list[Part]:
    return api_parts(token_prices(offer), scenario, usd_per_month=usd_per_month)


def in_words(found: Sequence[tuple[str, str, Sequence[Part]]]) -> str:
    """The stacks in a sentence each."""
    return " ".join(
        f"{name}: {', '.join(f'{part.name} {usd_text(part.usd_per_month)}' for part in parts)} a month."
        for _, name, parts in found
    )
