"""Checks of what the guide says on the cost of a request and of a token, and on breakeven."""

from collections.abc import Iterable, Sequence

from llmcompare.core.claims_known import (
    Check,
    Evidence,
    Known,
    Verdict,
    given,
    nothing,
    printed,
    row,
    share_verdict,
    span,
    subjects,
    within,
)
from llmcompare.core.claims_words import listed, number, said
from llmcompare.core.comparison import Comparison
from llmcompare.core.cost import Band, api_usd_per_request, price_band, usd_per_request
from llmcompare.core.options import token_prices
from llmcompare.core.records import ApiOffer, Claim
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import HOURS_PER_MONTH, TOKENS_PER_MTOK, count_text
from llmcompare.core.workload import Workload

USUAL = Scenario()
REQUEST = Workload(requests_per_month=1, input_tokens=USUAL.input_tokens, output_tokens=USUAL.output_tokens)
"""A request of 1,000 tokens in and 300 out. Assumption: the guide says nothing of the length of its requests."""
REQUEST_IN_WORDS = f"a request of {REQUEST.input_tokens:,.0f} + {REQUEST.output_tokens:,.0f} tokens"
EXACT_DECIMALS = 12
"""2.70 / 200 is 0.0135, not 0.013500000000000002."""
ROWS_SHOWN = 40
GPT_4_SMALL = ("mini", "nano")


def _api_rows(offers: Iterable[ApiOffer]) -> tuple[Evidence, ...]:
    return tuple(
        row(
            one,
            f"{one.offer_id}: {one.input_usd_per_mtok:g} in, {one.output_usd_per_mtok:g} out, USD per million tokens",
        )
        for one in offers
    )


def _standard(known: Known, model_id: str) -> list[ApiOffer]:
    return [one for one in known.api_offers if one.model_id == model_id and one.variant == "standard"]


def _band(offers: Sequence[ApiOffer]) -> Band:
    return price_band(api_usd_per_request(token_prices(one), REQUEST) for one in offers)


def comparison_rows(compared: Iterable[Comparison]) -> tuple[Evidence, ...]:
    """Every row that the costs of these models rest on, once."""
    used = [
        Evidence(row_id=one.row_id, says=f"priced for {found.model.display_name}", as_of=one.as_of, source=one.source)
        for found in compared
        for one in found.rows_used
    ]
    return tuple({one.row_id: one for one in used}.values())


# --- a request --------------------------------------------------------------------------------------------------------


def api_request(known: Known, claim: Claim) -> Verdict:
    """A price of one request through an API: within the range of the offers of each model, or not."""
    offers = {name: found for name in subjects(claim) if (found := _standard(known, name))}
    if not offers:
        return nothing(f"No API lists {claim.subject}.")
    (claimed,) = printed(claim)
    bands = {name: _band(found) for name, found in offers.items()}
    inside = [name for name, band in bands.items() if band.low <= float(claimed) <= band.high]
    words = [
        f"{known.name(name)} {number(band.mid)} USD ({number(band.low)} to {number(band.high)} over "
        f"{len(offers[name])} offers), "
        f"so {claimed} USD buys {float(claimed) / band.mid * REQUEST.tokens_per_request:,.0f} tokens"
        for name, band in bands.items()
    ]
    return Verdict(
        verdict=share_verdict(len(inside), len(bands)),
        explanation=f"What {REQUEST_IN_WORDS} costs: {'; '.join(words)}.",
        figures={
            "claimed_usd_per_request": float(claimed),
            **{f"{name}_median_usd_per_request": round(band.mid, 7) for name, band in bands.items()},
            "models_whose_range_holds_it": inside,
        },
        evidence=_api_rows(one for found in offers.values() for one in found),
    )


def self_hosted_request(known: Known, claim: Claim) -> Verdict:
    """A price per hour over requests per hour."""
    per_hour, requests = given(claim, "usd_per_hour"), given(claim, "requests_per_hour")
    if per_hour is None or requests is None:
        return nothing("The statement names no price and no rate to start from.")
    found = round(usd_per_request(usd_per_hour=per_hour, requests_per_hour=requests), EXACT_DECIMALS)
    return Verdict(
        verdict="holds" if within(claim, found) else "contradicted",
        explanation=f"{per_hour:.2f} USD an hour / {number(requests)} requests an hour = {number(found)} USD per "
        "request, on a GPU that works for this alone.",
        figures={
            "claimed_usd_per_request": float(printed(claim)[0]),
            "usd_per_hour": per_hour,
            "requests_per_hour": requests,
            "usd_per_request": found,
        },
        evidence=(row(claim, claim.statement),),
    )


def pays_at_once(known: Known, claim: Claim) -> Verdict:
    """That the guide's own figures make self-hosting the cheaper way."""
    per_hour, requests, api = (
        given(claim, name) for name in ("usd_per_hour", "requests_per_hour", "api_usd_per_request")
    )
    if per_hour is None or requests is None or api is None:
        return nothing("The statement names no prices and no rate to start from.")
    own = round(usd_per_request(usd_per_hour=per_hour, requests_per_hour=requests), EXACT_DECIMALS)
    times, breakeven = own / api, per_hour / api
    offers = _standard(known, claim.subject)
    today = ""
    if offers:
        band = _band(offers)
        today = (
            f" At today's median price of {known.name(claim.subject)} ({number(band.mid)} USD for {REQUEST_IN_WORDS}) "
            "it takes "
            f"{count_text(per_hour / band.mid)} requests an hour."
        )
    words = f"{number(times)} times dearer than" if times > 1 else f"{number(1 / times)} times cheaper than"
    return Verdict(
        verdict="holds" if requests >= breakeven else "contradicted",
        explanation=(
            f"{per_hour:.2f} / {number(requests)} = {number(own)} USD per request, {words} the {number(api)} USD of "
            f"the API. Breakeven is {per_hour:.2f} / {number(api)} = {number(breakeven)} requests an hour on a GPU "
            f"at {per_hour:.2f} USD an hour, and the guide has {number(requests)}.{today}"
        ),
        figures={
            "self_hosted_usd_per_request": own,
            "api_usd_per_request": api,
            "times_the_api_ratio": round(times, 6),
            "breakeven_requests_per_hour": round(breakeven, 6),
            "requests_per_hour": requests,
        },
        evidence=(row(claim, claim.statement), *_api_rows(offers)),
    )


# --- a token ----------------------------------------------------------------------------------------------------------


def self_hosted_token(known: Known, claim: Claim) -> Verdict:
    """What a token costs on rented GPUs whose replicas are full."""
    costs = {
        name: [d.curves.mid.usd_per_request_at_scale / one.workload.tokens_per_request for d in one.deployments]
        for name, one in known.comparisons.items()
        if one.deployments
    }
    if not costs:
        return nothing("No model of the comparison has a deployment with a price.")
    least = {name: min(found) for name, found in costs.items()}
    true = [name for name, usd in least.items() if within(claim, usd)]
    words = [
        f"{known.name(name)} from {number(usd)} USD ({number(usd * TOKENS_PER_MTOK)} USD per million)"
        for name, usd in least.items()
    ]
    low, high = span(claim) or (0.0, 0.0)
    return Verdict(
        verdict=share_verdict(len(true), len(least)),
        explanation=(
            f"A token on the cheapest deployment with full replicas: {'; '.join(words)}. The guide's figures are "
            f"{number(low * TOKENS_PER_MTOK)} to {number(high * TOKENS_PER_MTOK)} USD per million."
        ),
        figures={
            "claimed_usd_per_token": [low, high],
            **{f"{name}_usd_per_token": usd for name, usd in least.items()},
        },
        evidence=comparison_rows(known.comparisons.values()),
    )


def api_token(known: Known, claim: Claim) -> Verdict:
    """That API tokens cost so much or more."""
    if not known.api_offers:
        return nothing("No API price is in the table.")
    least, _ = span(claim) or (0.0, 0.0)
    per_token = {
        one.row_id: max(one.input_usd_per_mtok, one.output_usd_per_mtok) / TOKENS_PER_MTOK for one in known.api_offers
    }
    true = [one for one in known.api_offers if within(claim, per_token[one.row_id])]
    dearest = sorted(known.api_offers, key=lambda one: -per_token[one.row_id])
    top = per_token[dearest[0].row_id]
    return Verdict(
        verdict=share_verdict(len(true), len(known.api_offers)),
        explanation=(
            f"{said(claim).capitalize()} USD a token is {least * TOKENS_PER_MTOK:,.0f} USD per million. The dearest of "
            f"{len(known.api_offers)} listings, {dearest[0].offer_id}, asks {top * TOKENS_PER_MTOK:g} USD per million "
            f"output tokens, {least / top:,.0f} times less."
        ),
        figures={
            "claimed_usd_per_token": least,
            "dearest_usd_per_token": top,
            "listings_that_cost_so_much": len(true),
            "listing_count": len(known.api_offers),
        },
        evidence=_api_rows(dearest[:ROWS_SHOWN]),
    )


def proprietary_month(known: Known, claim: Claim) -> Verdict:
    """What the guide's volume costs a month at proprietary APIs of a class."""
    per_hour = given(claim, "requests_per_hour")
    least, _ = span(claim) or (0.0, 0.0)
    prefix = claim.subject.rstrip("*")
    offers = [
        one
        for one in known.api_offers
        if one.family == "proprietary"
        and one.api_model_name.startswith(prefix)
        and not any(mark in one.api_model_name for mark in GPT_4_SMALL)
    ]
    if not offers or per_hour is None:
        return nothing(f"No price of {claim.subject} is in the table.")
    requests = per_hour * HOURS_PER_MONTH
    sums = {one.row_id: api_usd_per_request(token_prices(one), REQUEST) * requests for one in offers}
    true = [one for one in offers if sums[one.row_id] >= least]
    words = [
        f"{one.api_model_name} {sums[one.row_id]:,.0f} USD ({count_text(least / sums[one.row_id] * requests)} requests "
        f"make {least:,.0f} USD)"
        for one in sorted(offers, key=lambda one: -sums[one.row_id])
    ]
    return Verdict(
        verdict=share_verdict(len(true), len(offers)),
        explanation=f"{number(per_hour)} requests an hour are {count_text(requests)} a month; with {REQUEST_IN_WORDS}: "
        f"{listed(words)}.",
        figures={
            "claimed_usd_per_month": least,
            "requests_per_month": requests,
            **{f"{one.api_model_name}_usd_per_month": round(sums[one.row_id], 2) for one in offers},
        },
        evidence=_api_rows(offers),
    )


CHECKS: dict[str, Check] = {
    "api-0001-per-request": api_request,
    "self-host-00135-per-request": self_hosted_request,
    "self-hosting-pays-at-once": pays_at_once,
    "cost-per-token-selfhost": self_hosted_token,
    "cost-per-token-api": api_token,
    "openai-thousands-monthly": proprietary_month,
}
"""By statement."""
