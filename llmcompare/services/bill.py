"""A volume from a bill alone: how many requests it pays for at a proprietary API, with the arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from llmcompare.core.arithmetic import Step, shown, today_step
from llmcompare.core.bill import implied_requests_per_month
from llmcompare.core.options import TodayOption, proprietary_offers, today_option
from llmcompare.core.records import ApiOffer
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.core.units import count_text, rounded, usd_text
from llmcompare.core.workload import MAX_REQUESTS_PER_MONTH, PRESETS
from llmcompare.errors import InputError
from llmcompare.services.books import book
from llmcompare.services.catalogue import Facts

ODD_RATIO = 1.25
"""Of a bill over the list price of what the log says, or the other way round, from which on it is worth a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillVolume:
    """What a bill says about the volume."""

    scenario: Scenario
    """With the volume, the bill and the API."""
    offer: ApiOffer
    usd_per_request: float
    steps: tuple[Step, ...]
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The answer."""
        asked = self.scenario
        return (
            f"{usd_text(asked.today_usd_per_month or 0)} a month pays for about {count_text(asked.requests_per_month)} "
            f"requests of {asked.input_tokens:,.0f} → {asked.workload.billed_output_tokens:,.0f} tokens at "
            f"{asked.today}."
        )


def volume(facts: Facts, scenario: Scenario, *, today: str, usd_per_month: float) -> BillVolume:
    """The requests of the scenario's shape that a bill pays for. Raises InputError or UnknownIdError."""
    asked = replace(scenario, today=today, today_usd_per_month=None)
    found = today_option(book(facts, asked.model), asked)
    rate = today_step(found, asked)
    if (offer := found.offer) is None:
        raise AssertionError("no bill is given, so the API in use has an offer")
    requests = implied_requests_per_month(usd_per_month=usd_per_month, usd_per_request=rate.result)
    if round(requests) > MAX_REQUESTS_PER_MONTH:
        raise InputError(
            f"{usd_text(usd_per_month)} would pay for {requests:.3g} requests: check the bill and the tokens."
        )
    counted = Step(
        what="requests a month: bill / USD per request",
        numbers=f"{shown(usd_per_month)} / {shown(rate.result)}",
        result=requests,
        unit="requests",
    )
    return BillVolume(
        scenario=replace(asked, today_usd_per_month=usd_per_month, requests_per_month=float(max(1, round(requests)))),
        offer=offer,
        usd_per_request=rate.result,
        steps=(rate, counted),
        notes=tuple(_notes(found)),
    )


def listed_usd_per_month(facts: Facts, scenario: Scenario) -> float:
    """What the scenario's workload costs at the list prices of the API in use. Raises UnknownIdError."""
    return today_option(book(facts, scenario.model), replace(scenario, today_usd_per_month=None)).usd_per_month


def payable(facts: Facts) -> list[str]:
    """APIs that a bill may come from."""
    return list(proprietary_offers(facts.api_offers))


def preset_table(facts: Facts, scenario: Scenario, *, today: str, usd_per_month: float) -> Table:
    """How many requests of each usual shape the bill pays for, without cache and thinking."""
    rows = []
    for name, (given, made) in PRESETS.items():
        asked = replace(
            scenario, input_tokens=float(given), output_tokens=float(made), cached_input_fraction=0.0,
            thinking_tokens=0.0,
        )  # fmt: skip
        found = volume(facts, asked, today=today, usd_per_month=usd_per_month)
        rows.append((name, given, made, rounded(found.usd_per_request, 4), round(found.scenario.requests_per_month)))
    return Table(
        name="bill-of-usual-shapes",
        title="The bill for usual shapes",
        columns=("shape", "input_tokens", "output_tokens", "usd_per_request", "requests_per_month"),
        rows=tuple(rows),
    )


def _notes(today: TodayOption) -> Iterator[str]:
    yield "At list prices, without tax: with a discount the same bill pays for more requests."
    if today.cached_price_missing:
        yield "The list has no price for cached input: it is charged as input."
    if today.batch_price_missing:
        yield "The list has no batch price: requests that can wait are charged in full."
    if today.beyond_base_price:
        yield "The list asks more for requests as long as these: the price of shorter ones is charged."


def bill_sentence(facts: Facts, scenario: Scenario) -> str:
    """What the workload costs at the list prices of today's API, and how a bill that was typed in compares."""
    listed, bill = listed_usd_per_month(facts, scenario), scenario.today_usd_per_month
    said = f"At the list prices of {scenario.today} this workload costs {usd_text(listed)} a month."
    if bill is None or listed == 0:
        return said
    ratio = bill / listed
    hint = (
        " Look whether the log holds all of it, whether the API is the right one, and what else is on the bill."
        if not 1 / ODD_RATIO < ratio < ODD_RATIO
        else ""
    )
    return f"{said} Your bill of {usd_text(bill)} is {ratio:.0%} of that.{hint}"
