"""Prices that were chosen for the replies of a run, as text: in links, and for `run --price`."""

import shlex
from collections.abc import Sequence

from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.core.reply_price import ReplyCost
from llmcompare.core.scenario import Scenario
from llmcompare.engines.endpoints import Endpoint
from llmcompare.errors import InputError
from llmcompare.services import reply_prices
from llmcompare.services.catalogue import Facts
from llmcompare.services.plans import Plan
from llmcompare.services.reply_prices import PriceChoice, PriceKind

NONE = "none"
KINDS: dict[str, PriceKind] = {
    "api": "API listing", "gpu": "rented GPU", "deployment": "deployment", "usd-per-hour": "USD an hour",
}  # fmt: skip
DEAREST_USD_PER_HOUR = 100_000.0


def text_of(choice: PriceChoice) -> str:
    """As it stands in a link.

    >>> text_of(PriceChoice(kind="deployment", name="rented")), text_of(PriceChoice())
    ('deployment:rented', 'none')
    """
    if choice.kind == "USD an hour":
        return NONE if choice.usd_per_hour is None else f"usd-per-hour:{choice.usd_per_hour:g}"
    kind = next((text for text, kind in KINDS.items() if kind == choice.kind), None)
    return NONE if kind is None or choice.name is None else f"{kind}:{choice.name}"


def choice_from(text: str, *, overrides: bool = False) -> PriceChoice:
    """What a text means. Raises InputError.

    >>> choice_from("usd-per-hour:1.5").usd_per_hour
    1.5
    """
    kind, _, name = text.partition(":")
    if text == NONE:
        return PriceChoice(overrides=overrides)
    if kind not in KINDS or not name.strip():
        raise InputError(
            f"price is {text[:60]!r}: give none, api:PROVIDER/MODEL, gpu:NAME, deployment:KEY or usd-per-hour:NUMBER."
        )
    if KINDS[kind] != "USD an hour":
        return PriceChoice(kind=KINDS[kind], name=name.strip(), overrides=overrides)
    try:
        hourly = float(name)
    except ValueError:
        hourly = -1.0
    if not 0 <= hourly <= DEAREST_USD_PER_HOUR:
        raise InputError(f"price is {text[:60]!r}: give US dollars an hour from 0 to {DEAREST_USD_PER_HOUR:,.0f}.")
    return PriceChoice(kind="USD an hour", usd_per_hour=hourly, overrides=overrides)


def choices_from(texts: Sequence[str], *, slots: int) -> list[PriceChoice]:
    """For each slot: one text for all, which leaves a provider's own listing to its replies, or one text for each.

    Raises InputError.
    """
    if len(texts) not in (0, 1, slots):
        raise InputError(f"{len(texts)} prices are given for {slots} models: give one for all, or one for each.")
    if len(texts) < 2:
        return [choice_from(texts[0] if texts else NONE)] * slots
    return [choice_from(text, overrides=True) for text in texts]


def texts_of(choices: Sequence[PriceChoice]) -> list[str]:
    """What `choices_from` makes the same choices of."""
    each = [text_of(choice) for choice in choices]
    return each[:1] if not any(choice.overrides for choice in choices) else each


def needs_prices(plan: Plan, choices: Sequence[PriceChoice]) -> bool:
    """Whether a reply of the plan may have a price."""
    listed = any(isinstance(model, Endpoint) and model.kind.provider for model in plan.models)
    return listed or any(choice.kind != NONE for choice in choices)


def costs_of(
    run: RunFact, replies: Sequence[ReplyFact], choices: Sequence[PriceChoice], *, facts: Facts, scenario: Scenario
) -> list[ReplyCost | None]:
    """What replies cost as chosen for their slots. Raises UnknownIdError for an unknown name."""
    return [reply_prices.cost_of(run, reply, choices[reply.slot], facts=facts, scenario=scenario) for reply in replies]


def flags(choices: Sequence[PriceChoice], scenario: Scenario) -> str:
    """The options of `run` that price replies so, quoted for a shell; none where more of the scenario counts than they
    can say."""
    if all(choice.kind == NONE for choice in choices):
        return ""
    volume = ""
    if any(choice.kind == "deployment" for choice in choices):
        if scenario != Scenario(model=scenario.model, requests_per_month=scenario.requests_per_month):
            return ""
        volume = f" --requests-per-month {scenario.requests_per_month:.12g}"
    return " ".join(f"--price {shlex.quote(text)}" for text in texts_of(choices)) + volume
