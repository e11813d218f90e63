"""What the replies of the Playground are priced at: one choice for all, or one for each slot, and how the USD came."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st

from llmcompare.core.reply_price import ReplyCost
from llmcompare.errors import InputError
from llmcompare.reports.report import Report
from llmcompare.reports.run_report import run_report
from llmcompare.services import conversation, price_choices, reply_prices
from llmcompare.services.playground import RunView
from llmcompare.services.reply_prices import KINDS, PriceChoice, PriceKind
from llmcompare.ui import frame
from llmcompare.ui.breakeven import WORDS
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

KIND, LISTING = "reply_price_kind", "reply_price"
NOTHING = PriceChoice()
MEANING = {
    "none": "No price.",
    "API listing": "What the same tokens would cost at that API.",
    "rented GPU": "The whole machine for the time that the reply took. The time is the one measured here.",
    "deployment": "The share of one reply in a month of such requests to the model that replied, at the volume and "
    "with the settings of the sidebar.",
    "USD an hour": "A machine of yours for the time that the reply took.",
}


def pick(view: RunView) -> list[PriceChoice]:
    """What each slot is priced at."""
    if LISTING in st.query_params and KIND not in st.query_params:
        # Links of older versions name the listing alone.
        st.session_state.setdefault(KIND, "API listing")
    common = _pick_one("", "Price of a reply")
    own = st.toggle(
        "A price for each reply", key="reply_prices_own", bind=BOUND, help="Otherwise the same for all: a reply from a "
        "provider of the price list then has that listing's price.",
    )  # fmt: skip
    if not own:
        return [common for _ in view.slots]
    return [_pick_one(f"_{at}", f"Price of reply {at}", common) for at, _ in enumerate(view.slots, start=1)]


def _pick_one(suffix: str, label: str, start: PriceChoice = NOTHING) -> PriceChoice:
    """For all replies, or with a suffix for one, which starts where that of all stands."""
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    kind: PriceKind = left.selectbox(
        label, KINDS, KINDS.index(start.kind), key=KIND + suffix, bind=BOUND,
        help=" ".join(f"{name}: {MEANING[name]}" for name in KINDS),
    )  # fmt: skip
    with right:
        return _pick_which(kind, suffix, start)


def _pick_which(kind: PriceKind, suffix: str, start: PriceChoice) -> PriceChoice:
    overrides = bool(suffix)
    if kind == "USD an hour":
        hourly = st.number_input(
            "USD an hour", 0.0, 1000.0, start.usd_per_hour, 0.1, key=f"reply_usd_per_hour{suffix}", bind=BOUND,
            placeholder="yours",
        )  # fmt: skip
        return PriceChoice(kind=kind, usd_per_hour=hourly, overrides=overrides)
    if kind == "none":
        return PriceChoice(overrides=overrides)
    names, key, help = _names(kind)
    at = next((place for place, name in enumerate(names.values()) if name == start.name), 0)
    said = st.selectbox("Which", list(names), at, key=key + suffix, bind=BOUND, help=plain(help))
    return PriceChoice(kind=kind, name=names[said], overrides=overrides)


def _names(kind: PriceKind) -> tuple[dict[str, str], str, str]:
    """What there is to choose from as it is shown, the key of the choice, and what is said about it."""
    facts = frame.facts()
    if kind == "API listing":
        return {name: name for name in reply_prices.listings(facts)}, LISTING, "Type to search."
    if kind == "rented GPU":
        return {name: name for name in reply_prices.rentals(facts)}, "reply_gpu", "Type to search."
    meaning = "Which GPUs that is differs from model to model: it stands below the figures."
    return {WORDS[key]: str(key) for key in reply_prices.DEPLOYMENTS}, "reply_deployment", meaning


def costs(view: RunView, chosen: Sequence[PriceChoice]) -> list[ReplyCost | None]:
    """What each reply costs at that."""
    try:
        return [
            reply_prices.cost_of(view.fact, slot.reply, choice, facts=frame.facts(), scenario=frame.scenario())
            for slot, choice in zip(view.slots, chosen, strict=True)
        ]
    except InputError as problem:
        st.warning(plain(str(problem)), icon=":material/warning:")
        return [None for _ in view.slots]


PRICE = "price"
"""Of a link to a report: one for all replies, or one for each; see services.price_choices."""


def in_link(chosen: Sequence[PriceChoice]) -> list[tuple[str, str]]:
    """What a link to the report of a run says of its prices."""
    return [(PRICE, text) for text in price_choices.texts_of(chosen)]


def report(view: RunView) -> Report:
    """Of a run, with the prices of the link."""
    facts, scenario = frame.facts(), frame.scenario()
    turns, running = conversation.turns(view.fact.run_id), view.problem is None
    try:
        chosen = price_choices.choices_from(st.query_params.get_all(PRICE), slots=len(view.slots))
        found = price_choices.costs_of(view.fact, view.replies, chosen, facts=facts, scenario=scenario)
    except InputError as problem:
        st.warning(plain(str(problem)), icon=":material/warning:")
        chosen, found = [], []
    return run_report(
        view.fact, view.replies, running=running, made_on=date.today(), costs=found,
        price_flags=price_choices.flags(chosen, scenario),
        before=conversation.said_before(turns),
        texts=[conversation.text_before(turns, reply.slot) + reply.text for reply in view.replies],
    )  # fmt: skip


def show_how(view: RunView, found: Sequence[ReplyCost | None]) -> None:
    """Below the figures: how each price comes about, and the rows behind it."""
    known = [(slot.reply, cost) for slot, cost in zip(view.slots, found, strict=True) if cost is not None]
    if not known:
        return
    for reply, cost in known:
        if cost.usd is None:
            st.caption(plain(f"{reply.slot + 1}: no price at {cost.label}: {cost.how[0]}."))
    for label in dict.fromkeys(cost.label for _, cost in known if cost.usd is not None):
        rows = next(cost for _, cost in known if cost.label == label)
        st.caption(plain(f"Price: {label}; {reply_prices.rows_in_words(rows)}."))
    with st.expander("How the prices come about"):
        # Replies of as many tokens at the same price have the same lines.
        for how in dict.fromkeys((cost.label, cost.how) for _, cost in known):
            same = [reply for reply, cost in known if (cost.label, cost.how) == how]
            names = ", ".join(f"{reply.slot + 1}: {reply.model}" for reply in same)
            st.markdown(f"**{plain(names)}** · {plain(how[0])}")
            for line in how[1]:
                st.markdown(f"- {plain(line)}")
        rows_of = dict.fromkeys(row for _, cost in known for row in cost.rows)
        table = pd.DataFrame([{"row_id": r.row_id, "as_of": r.as_of, "source": r.source} for r in rows_of])
        if rows_of:
            st.dataframe(table, hide_index=True, placeholder="—", key="reply_price_rows", alt="Rows behind the prices")
