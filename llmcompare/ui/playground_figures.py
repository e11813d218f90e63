"""The figures of replies: what was measured, what it cost, who was fastest and cheapest, and what each figure means."""

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from math import floor, log10

import streamlit as st

from llmcompare.core.differences import differences
from llmcompare.core.facts import ReplyFact
from llmcompare.core.records import ApiOffer
from llmcompare.core.replies import BYTES_PER_MB, SPEEDS_DIFFER_FROM, place_in_words
from llmcompare.core.reply_price import ReplyPrice, reply_usd
from llmcompare.errors import DataError, StoreError
from llmcompare.services import catalogue, reply_prices
from llmcompare.services.playground import RunView
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

UNKNOWN = "—"
NO_PRICE, BY_THE_HOUR = "none", "a machine by the hour"
FIRST_ANSWER = "Time to first answer token"
DEFINITIONS = {
    "Queue and load": "From the request until its prompt was begun: other requests before it, the model being loaded, "
    "or the server being reached. Not part of the times below.",
    "Time to first token": "From the start of the prompt to the first token, also of thinking. Behind an endpoint from "
    "the moment the request was sent: its own queue and the network are part of it.",
    FIRST_ANSWER: "As above, but to the first token after the thinking.",
    "Prompt": "Tokens of the prompt that were processed a second, without those still in the cache; not told where "
    "they were fewer than 16 or the server does not say it.",
    "Generation": "Tokens a second after the first one, up to the last one with text.",
    "Characters": "Characters a second after the first token. Tokenizers cut texts differently: tokens a second of two "
    "families are not the same measure, characters are.",
    "Tokens, prompt → reply": "As the model's own tokenizer counts them, or as the server says.",
    "Thinking tokens": "Of the tokens of the reply, those before the answer.",
    "Peak memory": "Most that the worker process held since it started; of a server it is not known.",
    "Energy": "Of the whole processor while the reply was made, by its counters (RAPL): of models on this machine that "
    "run in turn and without a GPU, where the counters can be read. A GPU's counters are not read.",
    "Price of the reply": "Its tokens at the prices of a listing, or its time at a price by the hour.",
    "Cold or warm": "Whether it was the first request since the model was loaded.",
    "Threads": "With which most tokens were generated.",
    "GPU layers": "Layers of the model on the GPU.",
    "Context": "Tokens that the model was loaded with.",
}
REM_A_COLUMN = 5.5
"""Four columns fit a telephone; more are scrolled sideways, so that no word breaks."""
STYLE = (
    "<style>table.figures{border-collapse:collapse;width:100%;font-size:0.9rem}"
    "table.figures th,table.figures td{padding:0.3rem 0.6rem;border-bottom:1px solid rgba(128,128,128,0.3);"
    "text-align:left;vertical-align:top}"
    "@media(max-width:640px){table.figures{font-size:0.75rem}"
    "table.figures th,table.figures td{padding:0.2rem}}"
    "table.figures th[title]{text-decoration:underline dotted;cursor:help}"
    "div.wide{overflow-x:auto}div.reply{white-space:pre-wrap;overflow-wrap:anywhere}"
    "div.reply mark{background:rgba(255,190,60,0.45);color:inherit}</style>"
)


def offers_now() -> dict[str, ApiOffer]:
    """Every listing of the catalogue; none, with the reason on the page, where it cannot be read."""
    try:
        facts = catalogue.current(date.today()).facts
    except (DataError, StoreError) as problem:
        st.warning(plain(f"Replies have no price: {problem}"), icon=":material/warning:")
        return {}
    return {} if facts is None else reply_prices.listings(facts)


def pick_price(offers: Mapping[str, ApiOffer]) -> ReplyPrice | None:
    """What replies without a listing of their own are priced at."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.selectbox(
        "Price of a reply",
        [NO_PRICE, BY_THE_HOUR, *offers],
        key="reply_price",
        bind=BOUND,
        help="A reply from a provider in the price list has that listing's price. All others are priced as chosen here:"
        " what the same tokens would cost at an API, or what a machine costs for the time the reply took.",
    )
    if chosen == BY_THE_HOUR:
        hourly = right.number_input(
            "USD an hour", 0.0, 1000.0, None, 0.1, key="reply_usd_per_hour", bind=BOUND, placeholder="yours"
        )
        return None if hourly is None else reply_prices.of_machine(hourly)
    return reply_prices.of_listing(offers[chosen]) if chosen in offers else None


def draw_figures(view: RunView, offers: Mapping[str, ApiOffer], chosen: ReplyPrice | None) -> None:
    """One column a reply; the meaning of a figure stands behind its name. Prices and marks once all have ended."""
    replies = [slot.reply for slot in view.slots]
    prices: list[ReplyPrice | None] = [None for _ in replies]
    if view.job is None:
        prices = [reply_prices.price_of(view.fact, reply, chosen, offers) for reply in replies]
    usd = [None if price is None else reply_usd(reply, price) for reply, price in zip(replies, prices, strict=True)]
    columns = [_figures(reply, cost) for reply, cost in zip(replies, usd, strict=True)]
    if view.job is None:
        _mark_best(view, columns, usd)
    st.html(table_html([f"{reply.slot + 1}: {reply.quantization or reply.model}" for reply in replies], columns))
    _say_prices(prices)


def table_html(heads: Sequence[str], columns: Sequence[dict[str, str]]) -> str:
    """The figures as a table. Every text is escaped: names of models come from files and servers."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    rows = "".join(
        f'<tr><th title="{escape(meaning)}">{escape(name)}</th>'
        + "".join(f"<td>{escape(column[name])}</td>" for column in columns)
        + "</tr>"
        for name, meaning in DEFINITIONS.items()
        if any(column[name] != UNKNOWN for column in columns)
    )
    wide = f'style="min-width:{REM_A_COLUMN * (1 + len(heads)):g}rem"'
    return f'{STYLE}<div class="wide"><table class="figures" {wide}><tr><th></th>{head}</tr>{rows}</table></div>'


def differences_html(first: str, second: str) -> str:
    """The second text, with what the first does not say marked. Every text is escaped."""
    pieces = (
        f"<mark>{escape(piece.text)}</mark>" if piece.is_new else escape(piece.text)
        for piece in differences(first, second)
    )
    return f'{STYLE}<div class="reply">{"".join(pieces)}</div>'


def _say_prices(prices: Sequence[ReplyPrice | None]) -> None:
    for price in {price.label: price for price in prices if price is not None}.values():
        dated = f", as of {price.as_of}" if price.as_of else ""
        st.caption(plain(f"Price: {price.label}{dated} ({price.source})."))


def _mark_best(view: RunView, columns: Sequence[dict[str, str]], usd: Sequence[float | None]) -> None:
    """Who was fastest, where they ran in turn and one reply can show it; who was cheapest. Complete replies only."""
    replies = [slot.reply for slot in view.slots]
    complete = [reply.end not in (None, "cancelled") for reply in replies]
    # Characters, not tokens: tokenizers differ, and a server may not count tokens at all.
    speeds = [reply.characters_per_s if ok else None for reply, ok in zip(replies, complete, strict=True)]
    costs = [cost if ok else None for cost, ok in zip(usd, complete, strict=True)]
    ordered = sorted((speed for speed in speeds if speed is not None), reverse=True)
    if view.fact.scheduling == "in-turn" and len(ordered) > 1 and ordered[0] > SPEEDS_DIFFER_FROM * ordered[1]:
        columns[speeds.index(ordered[0])]["Characters"] += " ★ fastest"
    known = [cost for cost in costs if cost is not None]
    if len(set(known)) > 1:
        for column, cost in zip(columns, costs, strict=True):
            column["Price of the reply"] += " ★ cheapest" if cost == min(known) else ""


def _figures(reply: ReplyFact, usd: float | None) -> dict[str, str]:
    memory_mb = None if reply.peak_memory_bytes is None else reply.peak_memory_bytes / BYTES_PER_MB
    return {
        "Queue and load": _number(reply.wait_ms, "ms"),
        "Time to first token": _number(reply.ttft_ms, "ms"),
        FIRST_ANSWER: _number(reply.answer_ms if reply.thinking_tokens != 0 else None, "ms"),
        "Prompt": _number(reply.prompt_tokens_per_s, "tokens/s", 1),
        "Generation": _number(reply.generation_tokens_per_s, "tokens/s", 1),
        "Characters": _number(reply.characters_per_s, "characters/s"),
        "Tokens, prompt → reply": _tokens(reply),
        "Thinking tokens": _number(reply.thinking_tokens or None),
        "Peak memory": _number(memory_mb, "MB"),
        "Energy": "not measured" if reply.energy_j is None else _number(reply.energy_j, "J", 1),
        "Price of the reply": UNKNOWN if usd is None else f"{_digits(usd)} USD",
        "Cold or warm": {True: "cold", False: "warm", None: UNKNOWN}[reply.cold],
        "Threads": _number(reply.threads),
        "GPU layers": UNKNOWN if reply.gpu_layers is None else f"{reply.gpu_layers} ({place_in_words(reply)})",
        "Context": _number(reply.context_tokens, "tokens"),
    }


def _digits(usd: float) -> str:
    """Three digits that count, without an exponent."""
    return f"{usd:.{max(2, 2 - floor(log10(usd)))}f}" if usd > 0 else "0"


def _number(value: float | None, unit: str = "", digits: int = 0) -> str:
    return UNKNOWN if value is None else f"{value:,.{digits}f} {unit}".strip()


def _tokens(reply: ReplyFact) -> str:
    if reply.prompt_tokens is None:
        return UNKNOWN
    reused = f" ({reply.reused_tokens:,} from the cache)" if reply.reused_tokens else ""
    return f"{reply.prompt_tokens:,}{reused} → {reply.generated_tokens or 0:,}"
