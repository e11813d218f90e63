"""Checks of what the guide says on which way to serve is the cheapest at which volume."""

from collections.abc import Sequence
from math import log

from llmcompare.core.claims_costs import REQUEST_IN_WORDS, comparison_rows
from llmcompare.core.claims_known import Check, Known, Verdict, VerdictName, combined, nothing, share_verdict, span
from llmcompare.core.claims_words import number
from llmcompare.core.records import Claim
from llmcompare.core.tiers import MAX_TOKENS_PER_MONTH, MIN_TOKENS_PER_MONTH, Tier
from llmcompare.core.units import count_text, counted

KEYS_OF_ANSWER = {"api": ("api",), "serverless": ("serverless",), "self-hosting": ("rented", "owned")}
MOSTLY_FRACTION = 0.995
"""Of the volumes: all but what the grid of volumes leaves open."""
CHANGES_SPELLED_OUT = 3


def _share(found: Sequence[Tier], keys: Sequence[str], low: float, high: float) -> float:
    """Of the volumes from low to high, on a logarithmic scale, those at which one of these ways is the cheapest."""
    covered = sum(
        log(min(high, one.to_tokens_per_month) / max(low, one.from_tokens_per_month))
        for one in found
        if one.key in keys and one.from_tokens_per_month < high and one.to_tokens_per_month > low
    )
    return covered / log(high / low)


def _limits(claim: Claim) -> tuple[float, float]:
    low, high = span(claim) or (0.0, float("inf"))
    return max(low, MIN_TOKENS_PER_MONTH), min(high, MAX_TOKENS_PER_MONTH)


def cheapest_in_tier(known: Known, claim: Claim) -> Verdict:
    """That one way to serve is the cheapest at every volume of a range."""
    if not known.tiers or claim.answer is None:
        return nothing("No model of the comparison has prices.")
    low, high = _limits(claim)
    found = known.tiers
    shares = {name: _share(one, KEYS_OF_ANSWER[claim.answer], low, high) for name, one in found.items()}
    each: list[VerdictName] = [
        "holds" if share >= MOSTLY_FRACTION else "contradicted" if share <= 1 - MOSTLY_FRACTION else "partly"
        for share in shares.values()
    ]
    words = [f"{known.name(name)}: {_ways_between(found[name], low, high)}" for name in found]
    return Verdict(
        verdict=combined(each),
        explanation=(
            f"Cheapest at middle prices from {count_text(low)} to {count_text(high)} tokens a month, with "
            f"{REQUEST_IN_WORDS}: {'; '.join(words)}."
        ),
        figures={
            "from_tokens_per_month": low,
            "to_tokens_per_month": high,
            **{f"{name}_share_of_volumes_fraction": round(share, 3) for name, share in shares.items()},
        },
        evidence=comparison_rows(known.comparisons.values()),
    )


def _ways_between(found: Sequence[Tier], low: float, high: float) -> str:
    inside = [one for one in found if one.from_tokens_per_month < high and one.to_tokens_per_month > low]
    runs: list[Tier] = []
    for one in inside:
        if not runs or runs[-1].key != one.key:
            runs.append(one)
    starts = [
        one.name if one is runs[0] else f"{one.name} from {count_text(one.from_tokens_per_month)}" for one in runs
    ]
    rest = len(starts) - CHANGES_SPELLED_OUT
    return ", ".join(starts[:CHANGES_SPELLED_OUT]) + (f" and {counted(rest, 'more change')}" if rest > 0 else "")


def cheapest_when_seldom_used(known: Known, claim: Claim) -> Verdict:
    """That at the smallest volume self-hosting is cheaper than the API."""
    costs = {
        name: (api.usd_per_month(volume).mid, rented.usd_per_month(volume).mid)
        for name, one in known.comparisons.items()
        if one.api is not None and one.rented is not None
        for volume, api, rented in [
            (MIN_TOKENS_PER_MONTH / one.workload.tokens_per_request, one.api.curves, one.rented.curves)
        ]
    }
    if not costs:
        return nothing("No model of the comparison has both prices.")
    cheaper = [name for name, (api, own) in costs.items() if own < api]
    words = [
        f"{known.name(name)} {number(round(api, 4))} USD through the API, {own:,.0f} USD rented"
        for name, (api, own) in costs.items()
    ]
    return Verdict(
        verdict=share_verdict(len(cheaper), len(costs)),
        explanation=f"A month with {count_text(MIN_TOKENS_PER_MONTH)} tokens: {'; '.join(words)}. A machine that waits "
        "is paid for too.",
        figures={
            "tokens_per_month": MIN_TOKENS_PER_MONTH,
            **{f"{name}_api_usd_per_month": round(api, 4) for name, (api, _) in costs.items()},
            **{f"{name}_rented_usd_per_month": round(own, 2) for name, (_, own) in costs.items()},
        },
        evidence=comparison_rows(known.comparisons.values()),
    )


CHECKS: dict[str, Check] = {
    "occasional-api-dearer": cheapest_when_seldom_used,
    "volume-tier-selfhost-1b": cheapest_in_tier,
    "volume-tier-serverless": cheapest_in_tier,
    "volume-tier-api-100m": cheapest_in_tier,
}
"""By statement."""
