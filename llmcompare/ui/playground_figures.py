"""The figures of replies: what was measured, what it cost, who was fastest and cheapest, and what each figure means."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from llmcompare.core.differences import differences
from llmcompare.core.facts import ReplyFact
from llmcompare.core.replies import BYTES_PER_MB, energy_in_words, place_in_words
from llmcompare.core.reply_price import ReplyCost, cheapest, usd_in_words
from llmcompare.core.reply_speeds import fastest, speeds
from llmcompare.services.playground import RunView

UNKNOWN = "—"
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
    "Tokens, prompt → reply": "As the model's own tokenizer counts them, or as the server says. A server that "
    "counts none while it streams is asked for the counts afterwards where it can be.",
    "Thinking tokens": "Of the tokens of the reply, those before the answer; of a server that does not say it, counted "
    "where it sends them one by one.",
    "Peak memory": "Most that the worker process held since it started; of a server it is not known.",
    "Energy": "Of the whole processor while the reply was made, by its counters (RAPL), and with layers on a GPU of "
    "all NVIDIA GPUs (NVML, by nvidia-ml-py): of models on this machine that run in turn, where counters can be read.",
    "Price of the reply": "Its tokens at the prices of a listing, its time at a price by the hour, or its share of a "
    "deployment's month; in brackets the lowest and the highest. How it comes about stands below the figures.",
    "Cold or warm": "Whether it was the first request since the model was loaded.",
    "Threads": "With which most tokens were generated.",
    "Other work": "Cores of this machine that other programs kept busy while the reply was made: they slow it. Of a "
    "server it is not known.",
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


def draw_figures(view: RunView, costs: Sequence[ReplyCost | None]) -> None:
    """One column a reply; the meaning of a figure stands behind its name. Prices and marks once all have ended."""
    replies = [slot.reply for slot in view.slots]
    costs = costs or [None for _ in replies]
    columns = [_figures(reply, cost) for reply, cost in zip(replies, costs, strict=True)]
    if view.job is None:
        _mark_best(view, columns, costs)
    st.html(table_html(_heads(replies), columns))


def _heads(replies: Sequence[ReplyFact]) -> list[str]:
    """Short where that tells them apart: the format alone."""
    formats = [reply.quantization for reply in replies]
    return [
        f"{reply.slot + 1}: {form if form and formats.count(form) == 1 else reply.model}"
        for reply, form in zip(replies, formats, strict=True)
    ]


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


def _mark_best(view: RunView, columns: Sequence[dict[str, str]], costs: Sequence[ReplyCost | None]) -> None:
    """Who was fastest, where they ran in turn and one reply can show it; who was cheapest. Complete replies only."""
    replies = [slot.reply for slot in view.slots]
    complete = [reply.ended_by_itself for reply in replies]
    compared = speeds(replies)
    if (first := fastest(compared, view.fact.scheduling)) is not None:
        beside = ", beside other work" if compared.disturbed else ""
        columns[first.slot]["Characters" if compared.unit == "characters/s" else "Generation"] += f" ★ fastest{beside}"
    found = cheapest([cost if ok else None for cost, ok in zip(costs, complete, strict=True)])
    for at in found.slots:
        columns[at]["Price of the reply"] += f" ★ cheapest{'' if found.sure else ', bands overlap'}"


def _figures(reply: ReplyFact, cost: ReplyCost | None) -> dict[str, str]:
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
        "Energy": energy_in_words(reply),
        "Price of the reply": UNKNOWN if cost is None else usd_in_words(cost),
        "Cold or warm": {True: "cold", False: "warm", None: UNKNOWN}[reply.cold],
        "Threads": _number(reply.threads),
        "Other work": _number(reply.others_busy_cores, "cores", 1),
        "GPU layers": UNKNOWN if reply.gpu_layers is None else f"{reply.gpu_layers} ({place_in_words(reply)})",
        "Context": _number(reply.context_tokens, "tokens"),
    }


def _number(value: float | None, unit: str = "", digits: int = 0) -> str:
    return UNKNOWN if value is None else f"{value:,.{digits}f} {unit}".strip()


def _tokens(reply: ReplyFact) -> str:
    if reply.prompt_tokens is None:
        return UNKNOWN
    reused = f" ({reply.reused_tokens:,} from the cache)" if reply.reused_tokens else ""
    afterwards = ", counted afterwards" if reply.recounted else ""
    return f"{reply.prompt_tokens:,}{reused} → {reply.generated_tokens or 0:,}{afterwards}"
