"""The Workload page: a request log or a bill as a workload, handed over to the inputs that every page shares."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from llmcompare.core import request_log, request_log_words
from llmcompare.core.request_log import UTC_NAME, LogSummary, scenario_fields
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.core.units import counted
from llmcompare.core.workload import CHARACTERS_PER_TOKEN
from llmcompare.errors import InputError
from llmcompare.figures import workload as figures
from llmcompare.services import bill, request_log_json
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import characters_per_token
from llmcompare.services.log_columns import ALIASES
from llmcompare.services.request_log import MAX_UPLOAD_MB, ReadLog, read
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.handover import hand_over, show_handed_over
from llmcompare.ui.safe import plain

LOG, BILL, ACTUAL = "Request log", "Only the bill", "Forecast against actual"
VIEWS = (LOG, BILL, ACTUAL)
READ, SUMMARY, SEEN, UPLOADER = "log_read", "log_summary", "log_seen", "log_uploader"
"""Of the session: they outlast a change of page, which the widgets do not."""
NEXT = (
    ("decide/costs.py", "What it costs on every option", ":material/show_chart:"),
    ("decide/breakeven.py", "Where two options cross", ":material/balance:"),
)
"""Pages to go on with."""
ENDINGS = ["csv", "tsv", "txt", "log", "jsonl", "ndjson", "json"]


def pick_view() -> str:
    """Which question the page answers."""
    chosen = st.segmented_control(
        "Question", VIEWS, default=LOG, required=True, key="workload_view", bind=BOUND, label_visibility="collapsed"
    )
    return chosen or LOG


# --- a request log ----------------------------------------------------------------------------------------------------


def from_log(facts: Facts, scenario: Scenario) -> None:
    """The whole view."""
    _pick_file()
    loaded: ReadLog | None = st.session_state.get(READ)
    if loaded is None:
        _show_form()
        return
    answer = st.container()
    found = _summary(loaded, _measured_characters(facts, scenario))
    with answer:
        st.markdown(f"#### {plain(request_log_words.headline(found))}")
        st.caption(plain(f"{loaded.name}, read in the memory of this machine and kept nowhere else."))
        _show_bad(loaded)
        show_handed_over(*NEXT)
        _offer(found)
    show.sentences(
        *request_log_words.volume_sentences(found),
        bill.bill_sentence(facts, request_log_json.scenario_of(found, scenario)),
    )
    _show_hours(found)
    left, right = st.columns(2)
    with left:
        _show_tokens(found, loaded.notes)
    with right:
        _show_days(found)
    _show_rows(loaded, found)


def _pick_file() -> None:
    number = st.session_state.setdefault(UPLOADER, 0)
    file = st.file_uploader(
        "Your request log: time, input tokens, output tokens", type=ENDINGS, key=f"log_file_{number}",
        max_upload_size=MAX_UPLOAD_MB, help="CSV with a header, or JSON lines. Read in memory, on this machine.",
    )  # fmt: skip
    if file is None or st.session_state.get(SEEN) == file.file_id:
        return
    try:
        with st.spinner("Reading the log …"):
            st.session_state[READ] = read(file.getvalue(), name=file.name)
    except InputError as problem:
        kept = " The log before it stays in use." if READ in st.session_state else ""
        st.error(plain(f"{problem}{kept}"), icon=":material/error:")
        return
    st.session_state[SEEN] = file.file_id
    st.session_state.pop(SUMMARY, None)


def _forget() -> None:
    for name in (READ, SUMMARY, SEEN):
        st.session_state.pop(name, None)
    st.session_state[UPLOADER] += 1


def _show_form() -> None:
    st.markdown("#### What do your requests look like?")
    st.markdown(
        "Upload the log of your requests to see volume, tokens, hours and peaks, and to use them on every page. It "
        "stays on this machine: it is read in memory and written nowhere."
    )
    needed, optional = st.columns(2)
    with needed:
        _list_names(
            "**Needed**, under one of these names:",
            {
                "time": ("time",),
                "input": ("input_tokens", "input_characters"),
                "output": ("output_tokens", "output_characters"),
            },
        )
        st.caption("Times as ISO 8601 or as seconds or milliseconds since 1970. In JSON lines also within `usage`.")
    with optional:
        _list_names(
            "**Used where it is there:**",
            {
                "read from a cache": ("cached_tokens", "cache_written_tokens"),
                "thinking": ("thinking_tokens",),
                "how long a request took": ("duration_s", "duration_ms"),
            },
        )
    st.download_button(
        "Sample log", request_log_json.sample_csv, request_log_json.SAMPLE_NAME, "text/csv", key="log_sample",
        on_click="ignore", icon=":material/download:", help="Generated, to see the form: nobody's requests.",
    )  # fmt: skip
    st.caption("No log? Choose “Only the bill”, or start from a usual shape: “Start from” in the sidebar.")


def _list_names(heading: str, listed: dict[str, tuple[str, ...]]) -> None:
    lines = [
        f"- {text}: " + ", ".join(f"`{alias}`" for field in fields for alias in ALIASES[field])
        for text, fields in listed.items()
    ]
    st.markdown("\n".join([heading, "", *lines]))


def _measured_characters(facts: Facts, scenario: Scenario) -> float | None:
    """Characters per token of the tokenizer that the inputs name, in their language."""
    if scenario.language is None:
        return None
    return characters_per_token(facts, scenario.tokens_of or scenario.model, scenario.language)


def _summary(loaded: ReadLog, measured: float | None) -> LogSummary:
    """Of the log in use, with the choices that only some logs need."""
    columns = st.columns([1, 1, 1], vertical_alignment="bottom")
    factor, zone = CHARACTERS_PER_TOKEN, UTC_NAME
    if loaded.log.has_zone:
        zone = _pick_zone(columns[0])
    if loaded.log.has_characters:
        factor = columns[1].number_input(
            "Characters per token", 0.1, 100.0,
            st.session_state.get("log_characters_kept", round(measured or CHARACTERS_PER_TOKEN, 2)), 0.1,
            key="log_characters", help="Assumption: 4 is usual for English prose, fewer for code and other languages. "
            + ("" if measured is None else f"Measured for the chosen language and tokenizer: {measured:.2f}."),
        )  # fmt: skip
        st.session_state["log_characters_kept"] = factor
    columns[2].button("Remove the log", key="log_remove", on_click=_forget, icon=":material/delete:")
    asked = (id(loaded), factor, zone)
    kept = st.session_state.get(SUMMARY)
    if kept is None or kept[0] != asked:
        kept = (asked, request_log.summary(loaded.log, characters_per_token=factor, time_zone=zone))
        st.session_state[SUMMARY] = kept
    found: LogSummary = kept[1]
    return found


def _pick_zone(column: Any) -> str:  # noqa: ANN401 - a column of Streamlit
    zones = [UTC_NAME, *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]
    kept = st.session_state.get("log_zone_kept", UTC_NAME)
    zone: str = column.selectbox(
        "Time zone of the hours", zones, index=zones.index(kept), key="log_zone",
        help="The log's times name a zone. Choose the one in which your users' days pass.",
    )  # fmt: skip
    st.session_state["log_zone_kept"] = zone
    return zone


def _show_bad(loaded: ReadLog) -> None:
    if not loaded.bad_count:
        return
    total = loaded.bad_count + len(loaded.log.seconds)
    with st.expander(
        plain(f"{counted(loaded.bad_count, 'line')} of {total:,} left out"), icon=":material/warning:", key="log_bad"
    ):
        rows = [(bad.line, bad.value, bad.why) for bad in loaded.bad_lines]
        st.dataframe(
            pd.DataFrame(rows, columns=["line", "value", "why"]),
            key="log_bad_lines", hide_index=True, alt="Lines that are left out",
        )  # fmt: skip
        if loaded.bad_count > len(loaded.bad_lines):
            st.caption(f"The first {len(loaded.bad_lines)}.")


def _offer(found: LogSummary) -> None:
    fields = scenario_fields(found)
    said = f"In use on every page: {_fields_text(fields)}."
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.button(
        "Use these figures", key="log_use", type="primary", icon=":material/input:", width="stretch",
        on_click=partial(hand_over, fields, said), help="Puts them into the sidebar, where every page reads them.",
    )  # fmt: skip
    right.caption(plain(f"For the sidebar: {_fields_text(fields)}."))


def _fields_text(fields: dict[str, Any]) -> str:
    named = {
        "requests_per_month": "{:,} requests a month", "input_tokens": "{:,} input tokens",
        "output_tokens": "{:,} output tokens", "thinking_tokens": "{:,} thinking tokens",
        "cached_input_fraction": "{:.1%} of the input from cache", "hourly_profile": "the profile of 168 hours",
        "peak_to_mean": "busiest minutes at {:g} times their hour",
        "growth_fraction_per_month": "growth of {:.1%} a month",
    }  # fmt: skip
    return ", ".join(text.format(fields[name]) for name, text in named.items() if name in fields)


def _show_hours(found: LogSummary) -> None:
    if found.hours is None:
        return
    st.subheader("Hours of the week")
    said = [*request_log_words.hour_sentences(found)]
    show.chart(figures.week(found.hours), key="log_week", description=" ".join(said))
    zone = found.time_zone or "the log's own clock"
    crossed = " A cross marks hours that the log does not cover." if found.hours.filled else ""
    st.caption(plain(f"Rate of the hour over the mean rate. Time zone: {zone}.{crossed}"))
    show.sentences(*said)


def _show_tokens(found: LogSummary, notes: Iterable[str]) -> None:
    st.subheader("Tokens of a request")
    spreads = [
        (name, spread)
        for name, spread in (("input", found.input), ("output", found.output), ("thinking", found.thinking))
        if spread is not None
    ]
    said = [*request_log_words.token_sentences(found)]
    show.chart(figures.token_distribution(spreads), key="log_tokens_chart", description=" ".join(said))
    st.caption("Dotted: the means, on which cost depends.")
    show.sentences(*said, *notes)


def _show_days(found: LogSummary) -> None:
    if not found.days:
        return
    st.subheader("Requests per day")
    counts = [day.requests for day in found.days if day.is_whole]
    said = (
        f"{counted(len(found.days), 'day')} from {found.days[0].text} to {found.days[-1].text}"
        + (f"; whole ones had {min(counts):,} to {max(counts):,} requests." if counts else ", none of them whole.")
    )  # fmt: skip
    show.chart(figures.days(found.days), key="log_days_chart", description=said)
    st.caption(plain(said))


def _show_rows(loaded: ReadLog, found: LogSummary) -> None:
    behind: dict[str, Callable[[], Table]] = {"Tokens": lambda: request_log_json.token_table(found)}
    if found.hours is not None:
        behind |= {
            "Hours": lambda: request_log_json.hour_table(found),
            "Days": lambda: request_log_json.day_table(found),
        }
    columns = (f"{field}: column {column}" for field, column in loaded.columns.items())
    command = f"python -m llmcompare costs {request_log_json.flags(found)}"
    show.behind(
        behind,
        {
            "Columns": lambda: show.sentences(*columns),
            "Assumptions": lambda: show.assumptions(request_log_words.assumptions(found)),
            "Command": lambda: show.command(command),
        },
        key="log_behind",
    )


# --- only the bill ----------------------------------------------------------------------------------------------------


def from_bill(facts: Facts, scenario: Scenario) -> None:
    """A bill, the API that sends it and the shape of a request: how many requests that is."""
    left, right = st.columns(2)
    usd = left.number_input(
        "Bill, USD a month", min_value=0.01, max_value=1e12, step=100.0,
        value=st.session_state.get("bill_usd_kept", scenario.today_usd_per_month), key="bill_usd", placeholder="4000",
    )  # fmt: skip
    st.session_state["bill_usd_kept"] = usd
    offers = bill.payable(facts)
    today = right.selectbox("From", offers, index=offers.index(scenario.today), key="bill_today")
    if usd is None:
        st.markdown("#### How many requests does your bill pay for?")
        st.markdown("Type what you pay a month and choose the API. The shape of a request is that of the sidebar.")
        return
    found = bill.volume(facts, scenario, today=today, usd_per_month=usd)
    st.markdown(f"#### {plain(found.sentence)}")
    show_handed_over(*NEXT)
    fields = {
        "requests_per_month": int(found.scenario.requests_per_month), "today": today, "today_usd_per_month": float(usd),
    }  # fmt: skip
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.button(
        "Use these figures", key="bill_use", type="primary", icon=":material/input:", width="stretch",
        on_click=partial(hand_over, fields, f"In use on every page: {found.sentence}"),
    )  # fmt: skip
    right.caption("The shape of a request is that of the sidebar. A log says it better than a guess.")
    st.subheader("The arithmetic")
    show.steps(found.steps)
    st.caption(plain(f"Price of {found.offer.offer_id}: {found.offer.as_of or 'undated'}, {found.offer.source}"))
    show.sentences(*found.notes)
    st.subheader("The same bill for usual shapes")
    show.table(bill.preset_table(facts, scenario, today=today, usd_per_month=usd), key="bill_presets")
