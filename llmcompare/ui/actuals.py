"""The view “Forecast against actual”: real months, how far off the forecast was, and why."""

from datetime import date
from functools import partial

import streamlit as st

from llmcompare.core import actuals_words as words
from llmcompare.core.actuals import Actual, Difference
from llmcompare.core.comparison import Comparison
from llmcompare.core.request_log import LogSummary, MonthCounts
from llmcompare.core.units import count_text, counted, usd_text
from llmcompare.errors import InputError
from llmcompare.figures import workload as figures
from llmcompare.services import actuals
from llmcompare.services.catalogue import Facts
from llmcompare.ui import show
from llmcompare.ui.person import person
from llmcompare.ui.safe import plain
from llmcompare.ui.workload import SUMMARY

SAID = "actuals_said"
MONTHS_LISTED = 36
COUNTS = {
    "requests": ("Requests", "Of the whole month."),
    "input_tokens": ("Input tokens", "Of all requests together, with those read from a cache."),
    "output_tokens": ("Output tokens", "Of all requests together, with thinking."),
    "cached_tokens": ("Cached input tokens", "Part of the input."),
    "gpu_hours": ("GPU-hours paid", "Only where GPUs are rented: tells price and speed apart."),
}


def forecast_against_actual(facts: Facts, comparison: Comparison) -> None:
    """The whole view."""
    months = actuals.kept(person())
    if said := st.session_state.pop(SAID, None):
        st.success(plain(said), icon=":material/check:")
    if months:
        _show_differences(facts, comparison, months)
    else:
        st.markdown("#### How far off was the forecast, and why?")
        st.markdown(
            "Type in what a month really cost, with its requests and tokens, or upload a file with a row per month. "
            "The difference to the forecast is divided into volume, mix, price and speed."
        )
    _type_in(comparison)
    _files(months)
    if months:
        _take_back(months)


def _show_differences(facts: Facts, comparison: Comparison, months: list[Actual]) -> None:
    left, right = st.columns([3, 2])
    labels = [one.label for one in actuals.forecasts(facts, comparison)]
    label = left.selectbox(
        "Forecast for", labels, key="actual_against",
        help="What the bill is for. The figures of the sidebar are the forecast.",
    )  # fmt: skip
    found = actuals.differences(facts, comparison, months, label=label, from_month=_first_month(comparison, months))
    by_month = {one.month: one for one in found}
    chosen = right.selectbox("Month", list(by_month), format_func=words.month_text, key="actual_month_shown")
    _show_difference(by_month[chosen])
    st.subheader("Every month")
    show.table(words.difference_table(found), key="actual_table")


def _first_month(comparison: Comparison, months: list[Actual]) -> str | None:
    """When the volume of the sidebar holds; asked only where it grows."""
    growth = comparison.scenario.growth_fraction_per_month
    if growth == 0:
        return None
    listed = _months(date.today())
    first = min(one.month for one in months)
    chosen: str = st.selectbox(
        f"The sidebar's volume holds in this month, then it grows by {growth:.1%} a month",
        listed, index=listed.index(first) if first in listed else 0, format_func=words.month_text, key="actual_from",
    )  # fmt: skip
    return chosen


def _show_difference(found: Difference) -> None:
    st.markdown(f"#### {plain(words.headline(found))}")
    described = " ".join(words.sentences(found))
    show.chart(figures.waterfall(found), key="actual_waterfall", description=described)
    show.sentences(*words.sentences(found))
    st.caption(
        "Each part is the mean of what its cause adds over every order in which the causes can come, so the parts add "
        "up to the difference."
    )


def _type_in(comparison: Comparison) -> None:
    st.subheader("Add a month")
    _offer_log()
    with st.form("actual_form", border=True):
        left, right = st.columns(2)
        listed = _months(date.today())
        month = left.selectbox("Month", listed, index=1, format_func=words.month_text, key="actual_month")
        usd = right.number_input(
            "Bill, USD", value=None, min_value=0.01, max_value=1e12, step=100.0, key="actual_usd",
            placeholder=f"{comparison.today.usd_per_month:.0f}", help="Without tax.",
        )  # fmt: skip
        values: dict[str, float | None] = {}
        # Two rows: a count of a billion tokens must be readable.
        columns = [*st.columns(3), *st.columns(3)]
        for column, (name, (label, help_text)) in zip(columns, COUNTS.items(), strict=False):
            values[name] = column.number_input(
                label, value=None, min_value=0.0, max_value=1e15, step=1.0, format="%0.12g", key=f"actual_{name}",
                placeholder="not known", help=help_text,
            )  # fmt: skip
        if st.form_submit_button("Keep this month", type="primary"):
            if usd is None:
                st.error("Give the bill in USD.", icon=":material/error:")
                return
            _keep(month, usd, values)


def _keep(month: str, usd: float, values: dict[str, float | None]) -> None:
    try:
        one = Actual(month=month, usd=usd, **values)
    except InputError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        return
    actuals.keep(person(), [one])
    _say(f"Kept: {_text(one)}.")


def _text(one: Actual) -> str:
    requests = "" if one.requests is None else f", {count_text(one.requests)} requests"
    return f"{words.month_text(one.month)}, {usd_text(one.usd)}{requests}"


def _say(text: str) -> None:
    st.session_state[SAID] = text
    st.rerun()


def _months(today: date) -> list[str]:
    """The newest first."""
    at = [today.year * 12 + today.month - 1 - back for back in range(MONTHS_LISTED)]
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in at]


def _offer_log() -> None:
    """Counts of a month of the log that is in use."""
    kept = st.session_state.get(SUMMARY)
    if kept is None:
        st.caption("With a request log in use, its counts can be taken from there.")
        return
    summary: LogSummary = kept[1]
    by_name = {one.month: one for one in summary.months}
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    name = left.selectbox("Month of the log", list(by_name), format_func=words.month_text, key="actual_log_month")
    counts = by_name[name]
    part = "" if counts.is_whole else ", which the log covers in part only"
    right.button(
        f"Take the counts of {words.month_text(name)}{part}", key="actual_from_log", icon=":material/input:",
        on_click=partial(_fill_in, counts),
    )  # fmt: skip


def _fill_in(counts: MonthCounts) -> None:
    if counts.month in _months(date.today()):
        st.session_state["actual_month"] = counts.month
    for name in ("requests", "input_tokens", "output_tokens", "cached_tokens"):
        value = getattr(counts, name)
        st.session_state[f"actual_{name}"] = None if value is None else float(value)


def _files(months: list[Actual]) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    right.download_button(
        "CSV", actuals.months_csv(months), "real-months.csv", "text/csv", key="actual_file", on_click="ignore",
        icon=":material/download:", width="stretch", help="Your months, or an empty form to fill in.",
    )  # fmt: skip
    with left, st.form("actual_upload", border=False, clear_on_submit=True):
        file = st.file_uploader(
            "Or a CSV with a row per month: month, usd and whichever counts are known", type="csv",
            key="actual_upload_file", max_upload_size=actuals.MAX_UPLOAD_MB,
        )  # fmt: skip
        if st.form_submit_button("Use this file") and file is not None:
            try:
                found = actuals.read_months(file.getvalue(), name=file.name)
            except InputError as problem:
                st.error(plain(str(problem)), icon=":material/error:")
                return
            actuals.keep(person(), found)
            _say(f"{counted(len(found), 'month')} of {file.name} kept.")


def _take_back(months: list[Actual]) -> None:
    with st.form("actual_delete", border=False, clear_on_submit=True):
        chosen = st.multiselect(
            "Months to take back", range(len(months)), format_func=lambda number: _text(months[number]),
            key="actual_chosen",
        )  # fmt: skip
        if st.form_submit_button("Take back", icon=":material/delete:") and chosen:
            actuals.withdraw(person(), [months[number] for number in chosen])
            _say("Taken back: " + "; ".join(_text(months[number]) for number in chosen) + ".")
    st.caption("Your months are kept on this machine, in the results log, for this browser.")
