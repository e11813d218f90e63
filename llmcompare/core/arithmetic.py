"""A comparison of two options as steps that can be redone by hand, with the numbers filled in."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from llmcompare.core.comparison import Comparison, Option
from llmcompare.core.cost import TokenPrices, api_usd_per_request
from llmcompare.core.curves import CostCurve, paid_hours
from llmcompare.core.options import ApiOption, PricedApiOffer, TodayOption, token_prices
from llmcompare.core.owned import OwnedOption
from llmcompare.core.records import ApiOffer
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_curve import plan_usd_per_month
from llmcompare.core.serverless_option import ServerlessOption
from llmcompare.core.steps import Crossing
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR, TOKENS_PER_MTOK, counted
from llmcompare.core.workload import Workload

DIGITS = 8
"""Significant, of every number shown: enough to find the result again to one in a million."""
GROUPS_SPELLED_OUT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line: what is worked out, from which numbers, with what result."""

    what: str
    numbers: str
    """As typed into a calculator: + − × / ( ), and ⌈ ⌉ for rounding up."""
    result: float
    unit: str


def shown(value: float) -> str:
    """A number as it stands in a line: no exponent, no separators.

    >>> shown(0.0000342), shown(12345678.9), shown(730.0)
    ('0.0000342', '12345679', '730')
    """
    return str(np.format_float_positional(float(f"{value:.{DIGITS}g}"), trim="-"))


def steps(comparison: Comparison, option: Option) -> Iterator[Step]:
    """How the monthly cost of one option at middle prices comes about, up to the cost at the volume."""
    scenario = comparison.scenario
    if option.key == "api" and comparison.api is not None:
        yield from _api_steps(comparison.api, scenario)
    elif option.key == "today":
        yield today_step(comparison.today, scenario)
    elif option.key == "rented" and comparison.rented is not None:
        yield from _rented_steps(comparison.rented, scenario)
    elif option.key == "rented_at_scale" and comparison.rented_at_scale is not None:
        yield from _rented_steps(comparison.rented_at_scale, scenario)
    elif option.key == "owned" and comparison.owned is not None:
        yield from _owned_steps(comparison.owned, scenario)
    elif option.key == "serverless" and comparison.serverless is not None:
        yield from _serverless_steps(comparison.serverless, scenario)
    if isinstance(option.curves.mid, CostCurve):
        yield _at_volume(option.curves.mid, scenario.requests_per_month)


def _api_steps(api: ApiOption, scenario: Scenario) -> Iterator[Step]:
    count = len(api.offers)
    middle = api.offers[(count - 1) // 2 : count // 2 + 1]
    for priced in middle:
        yield _request_step(priced, scenario)
    if len(middle) == 2:
        one, other = (priced.usd_per_request for priced in middle)
        yield Step(
            what=f"the median of {counted(count, 'provider')}: between the two in the middle",
            numbers=f"({shown(one)} + {shown(other)}) / 2",
            result=(one + other) / 2,
            unit="USD per request",
        )


def today_step(today: TodayOption, scenario: Scenario) -> Step:
    """What a request costs today: a share of the bill, or tokens times list prices."""
    if today.offer is None:
        what = "a request of today's bill"
        numbers = f"{shown(today.usd_per_month)} / {shown(scenario.requests_per_month)}"
    else:
        what, numbers = f"a request at {today.label}", _request_numbers(today.offer, scenario.as_typed)
    return Step(what=what, numbers=numbers, result=today.curve.usd_per_request, unit="USD per request")


def _request_step(priced: PricedApiOffer, scenario: Scenario) -> Step:
    return Step(
        what=f"a request at {priced.offer.provider}: tokens × USD per million tokens, input, cached and output",
        numbers=_request_numbers(priced.offer, scenario),
        result=priced.usd_per_request,
        unit="USD per request",
    )


def _request_numbers(offer: ApiOffer, scenario: Scenario) -> str:
    prices, workload, waiting = token_prices(offer), scenario.workload, scenario.batch_fraction
    at_once = token_numbers(workload, prices)
    saved = api_usd_per_request(prices, workload) - api_usd_per_request(prices.in_batch, workload)
    if not waiting or saved <= 0:
        return at_once
    return f"{shown(1 - waiting)} × {at_once} + {shown(waiting)} × {token_numbers(workload, prices.in_batch)}"


def token_numbers(workload: Workload, prices: TokenPrices) -> str:
    """The tokens of one request times their prices, as typed into a calculator."""
    cached = workload.input_tokens * workload.cached_input_fraction
    cached_price = prices.cached_input_usd_per_mtok
    terms = [
        f"{shown(tokens)} × {shown(price)}"
        for tokens, price in (
            (workload.input_tokens - cached, prices.input_usd_per_mtok),
            (cached, prices.input_usd_per_mtok if cached_price is None else cached_price),
            (workload.billed_output_tokens, prices.output_usd_per_mtok),
        )
        if tokens
    ]
    return f"({' + '.join(terms)}) / {TOKENS_PER_MTOK}"


def _rented_steps(rented: Deployment, scenario: Scenario) -> Iterator[Step]:
    hours = [(share, rate) for share, rate in paid_hours(scenario.spread, scenario.running) if rate > 0]
    curve, spelled_out = rented.curves.mid, len(hours) <= GROUPS_SPELLED_OUT
    for (share, rate), group in zip(hours, curve.groups, strict=True) if spelled_out else ():
        there = "" if share == 1 else f" in {share:.1%} of the hours, at {rate:.3g} times the mean rate"
        by_rate = "" if rate == 1 else f" / {shown(rate)}"
        yield Step(
            what=f"volume up to which one replica is enough{there}: requests/s × planned share × seconds",
            numbers=f"{shown(rented.requests_per_s.mid)} × {shown(scenario.target_utilisation_fraction)} × "
            f"{HOURS_PER_MONTH} × {SECONDS_PER_HOUR}{by_rate}",
            result=group.requests_per_replica_month,
            unit="requests a month",
        )
        spot = f" × {shown(1 + scenario.spot_allowance_fraction)}" if scenario.billing == "spot" else ""
        yield Step(
            what=f"one replica for a month{there}: GPUs × USD per hour × hours",
            numbers=f"{rented.gpus_per_replica} × {shown(rented.usd_per_gpu_hour.mid)} × {HOURS_PER_MONTH}{spot}"
            + ("" if share == 1 else f" × {shown(share)}"),
            result=group.usd_per_replica_month,
            unit="USD a month",
        )


def _owned_steps(owned: OwnedOption, scenario: Scenario) -> Iterator[Step]:
    one, curve = owned.machine, owned.curves.mid
    per_kwh = f"{shown(one.pue)} × {shown(one.usd_per_kwh)}"
    peak = scenario.spread.peak
    yield Step(
        what="volume up to which one machine is enough: requests/s × planned share × seconds",
        numbers=f"{shown(owned.requests_per_s.mid)} × {shown(scenario.target_utilisation_fraction)} × "
        f"{HOURS_PER_MONTH} × {SECONDS_PER_HOUR}" + ("" if peak == 1 else f" / {shown(peak)}"),
        result=curve.groups[0].requests_per_replica_month,
        unit="requests a month",
    )
    yield Step(
        what="one machine for a month: purchase less resale, hosting, and energy at rest",
        numbers=f"({shown(one.purchase_usd)} − {shown(one.resale_usd)}) / {shown(one.months)} + "
        f"{shown(one.hosting_usd_per_month)} + {shown(one.idle_w.mid)} / 1000 × {HOURS_PER_MONTH} × {per_kwh}",
        result=curve.groups[0].usd_per_replica_month,
        unit="USD a month",
    )
    yield Step(
        what="a request adds the energy between rest and load",
        numbers=f"({shown(one.load_w.mid)} − {shown(one.idle_w.mid)}) / 1000 / "
        f"({shown(owned.requests_per_s.mid)} × {SECONDS_PER_HOUR}) × {per_kwh}",
        result=curve.usd_per_request,
        unit="USD per request",
    )
    yield Step(
        what="staff for all machines",
        numbers=f"{shown(scenario.staff_hours_per_month)} × {shown(scenario.staff_usd_per_hour)}",
        result=owned.staff_usd_per_month,
        unit="USD a month",
    )


def _serverless_steps(serverless: ServerlessOption, scenario: Scenario) -> Iterator[Step]:
    """Workers billed on the mean of the month, from the model of serverless GPUs, times their price.

    The curve runs through a grid of volumes and may be 2% off this, which is of the volume itself.
    """
    requests, plans = scenario.requests_per_month, serverless.plans
    middle, costs = plans[(len(plans) - 1) // 2 : len(plans) // 2 + 1], []
    for plan in middle:
        usd = plan_usd_per_month(serverless.curves.mid, plan, requests)
        costs.append(usd)
        billed = usd / (plan.usd_per_worker_hour * HOURS_PER_MONTH)
        yield Step(
            what=f"a month at {plan.offer.provider}: workers billed on average × USD per worker-hour × hours",
            numbers=f"{shown(billed)} × {shown(plan.usd_per_worker_hour)} × {HOURS_PER_MONTH}",
            result=usd,
            unit="USD a month",
        )
    if len(costs) == 2:
        yield Step(
            what=f"the median of {counted(len(plans), 'provider')}: between the two in the middle",
            numbers=f"({shown(costs[0])} + {shown(costs[1])}) / 2",
            result=sum(costs) / 2,
            unit="USD a month",
        )


def _at_volume(curve: CostCurve, requests: float) -> Step:
    terms = [shown(curve.fixed_usd_per_month)] if curve.fixed_usd_per_month else []
    if curve.usd_per_request:
        terms.append(f"{shown(curve.usd_per_request)} × {shown(requests)}")
    if 0 < len(curve.groups) <= GROUPS_SPELLED_OUT:
        terms += [_replicas_numbers(curve, index, requests) for index in range(len(curve.groups))]
    elif curve.groups:
        replicas = curve.usd_per_month(requests) - curve.fixed_usd_per_month - curve.usd_per_request * requests
        terms.append(shown(replicas))
    hours = f", replicas summed over {len(curve.groups)} kinds of hours" if len(curve.groups) > 3 else ""
    return Step(
        what=f"a month at your volume{hours}",
        numbers=" + ".join(terms) or "0",
        result=curve.usd_per_month(requests),
        unit="USD a month",
    )


def _replicas_numbers(curve: CostCurve, index: int, requests: float) -> str:
    group = curve.groups[index]
    needed = group.needed(requests)
    running = f"⌈{shown(requests)} / {shown(group.requests_per_replica_month)}⌉"
    if needed < curve.min_replicas:
        running = str(curve.min_replicas)
    if curve.spare_replicas:
        running = f"({running} + {curve.spare_replicas})"
    return f"{running} × {shown(group.usd_per_replica_month)}"


def crossing_step(late: Option, early: Option, crossing: Crossing) -> Step | None:
    """Where two curves of replicas and straight lines meet; None where one is smooth or has too many kinds of hours."""
    one, other = late.curves.mid, early.curves.mid
    at = crossing.requests_per_month
    if not isinstance(one, CostCurve) or not isinstance(other, CostCurve):
        return None
    if crossing.kind == "jump":
        return _jump_step(one, other, at)
    one_usd, other_usd = (curve.usd_per_month(at) - curve.usd_per_request * at for curve in (one, other))
    upper = shown(one_usd) if not other_usd else f"({shown(one_usd)} − {shown(other_usd)})"
    lower = shown(other.usd_per_request)
    if one.usd_per_request:
        lower = f"({lower} − {shown(one.usd_per_request)})"
    running = " and ".join(
        f"{option.name} with {counted(curve.replicas(at), 'replica')}"
        for curve, option in ((one, late), (other, early))
        if curve.groups
    )
    return Step(
        what=f"equal cost, {running}: what does not grow with the requests, over what a request costs",
        numbers=f"{upper} / {lower}",
        result=at,
        unit="requests a month",
    )


def _jump_step(one: CostCurve, other: CostCurve, at: float) -> Step | None:
    for curve in (one, other):
        for group in curve.groups:
            full = group.requests_per_replica_month * group.needed(at)
            if abs(full - at) <= 1e-9 * at:
                return Step(
                    what="the replicas are full: the next request takes one more, and the cheaper option changes",
                    numbers=f"{group.needed(at)} × {shown(group.requests_per_replica_month)}",
                    result=at,
                    unit="requests a month",
                )
    return None


def never_steps(late: Option, early: Option) -> Iterator[Step]:
    """Why one option never gets as cheap as the other: what a request costs at least."""
    for option in (late, early):
        curve = option.curves.mid
        if not isinstance(curve, CostCurve) or not 0 < len(curve.groups) <= GROUPS_SPELLED_OUT:
            continue
        terms = [f"{shown(g.usd_per_replica_month)} / {shown(g.requests_per_replica_month)}" for g in curve.groups]
        if curve.usd_per_request:
            terms.append(shown(curve.usd_per_request))
        yield Step(
            what=f"{option.name}: a request with every replica full",
            numbers=" + ".join(terms),
            result=curve.usd_per_request_at_scale,
            unit="USD per request",
        )
    one, other = late.curves.mid, early.curves.mid
    if isinstance(one, CostCurve) and isinstance(other, CostCurve) and other.usd_per_request_at_scale:
        yield Step(
            what=f"{late.name} costs at least so many times what {early.name} does",
            numbers=f"{shown(one.usd_per_request_at_scale)} / {shown(other.usd_per_request_at_scale)}",
            result=one.usd_per_request_at_scale / other.usd_per_request_at_scale,
            unit="times",
        )
