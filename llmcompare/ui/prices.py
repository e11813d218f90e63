"""The view "Your prices": type in what you pay, see what counts, delete it, take it along as a file."""

from datetime import date

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from llmcompare.core.records import RENTED_BILLINGS, Billing
from llmcompare.errors import DataError, InputError, LlmCompareError
from llmcompare.services import overrides
from llmcompare.services.catalogue import Facts
from llmcompare.services.overrides import API_PRICES, GPU_PRICES, TABLES
from llmcompare.store.overrides import Row
from llmcompare.ui import frame
from llmcompare.ui.safe import plain

BILLINGS: tuple[Billing, ...] = (*RENTED_BILLINGS, "serverless-per-second")
SAID = "your_prices_said"


def your_prices() -> None:
    """Everything about the user's own prices."""
    facts = frame.facts()
    st.markdown(
        "What you pay, or were offered. A GPU price of yours stands in for the whole list of its GPU and billing "
        "class, an API price for the list of its model and variant, and both are marked **yours** wherever they are "
        "shown. Delete the row and the list is back."
    )
    if said := st.session_state.pop(SAID, None):
        st.success(plain(said), icon=":material/check:")
    left, right = st.columns(2)
    with left:
        _gpu_form(facts)
    with right:
        _api_form(facts)
    for table in TABLES:
        _present(facts, table)
    _upload()


def _gpu_form(facts: Facts) -> None:
    names = list(facts.gpus)
    with st.form("your_gpu_price", border=True):
        st.subheader("A GPU price")
        gpu_id = st.selectbox(
            "GPU",
            names,
            index=names.index(overrides.usual_gpu(facts, frame.scenario())),
            format_func=lambda name: facts.gpus[name].name,
            key="your_gpu",
        )
        left, right = st.columns(2)
        billing = left.selectbox("Billing", BILLINGS, key="your_billing")
        count = right.number_input(
            "GPUs in the machine",
            1,
            128,
            1,
            key="your_gpu_count",
            help="Counts for replicas of as many or more.",
        )
        left, right = st.columns(2)
        usd = _price(left, "USD per GPU-hour", "your_usd_per_gpu_hour")
        valid_from = _day(right, "your_gpu_from")
        provider = st.text_input("Provider", placeholder="yours", key="your_gpu_provider")
        if st.form_submit_button("Keep this price", type="primary"):
            if usd is None:
                st.error("Give the USD per GPU-hour.", icon=":material/error:")
                return
            row = overrides.gpu_price(
                gpu_id=gpu_id,
                billing=billing,
                gpu_count=count,
                usd_per_gpu_hour=usd,
                valid_from=valid_from,
                provider=provider,
            )
            _keep(GPU_PRICES, row)


def _api_form(facts: Facts) -> None:
    names, asked = overrides.priced_names(facts), frame.scenario().model
    with st.form("your_api_price", border=True):
        st.subheader("An API price")
        model = st.selectbox(
            "Model",
            names,
            index=names.index(asked) if asked in names else 0,
            key="your_model",
            help="A model of the catalogue, or an API that may be today's: its price is then yours.",
        )
        left, right = st.columns(2)
        given = _price(left, "USD per million input tokens", "your_input")
        made = _price(right, "USD per million output tokens", "your_output")
        left, right = st.columns(2)
        cached = _price(left, "The same for cached input", "your_cached", placeholder="as input")
        batch = right.number_input(
            "Batch discount, %", value=None, min_value=1.0, max_value=99.0, step=5.0, key="your_batch",
            placeholder="none", help="Off the whole price, for requests that can wait.",
        )  # fmt: skip
        left, right = st.columns(2)
        variant = left.text_input("Variant", "standard", key="your_variant")
        valid_from = _day(right, "your_api_from")
        provider = st.text_input("Provider", placeholder="yours", key="your_api_provider")
        if st.form_submit_button("Keep this price", type="primary"):
            if given is None or made is None:
                st.error("Give both prices, of input and of output.", icon=":material/error:")
                return
            row = overrides.api_price(
                facts,
                model=model,
                variant=variant,
                input_usd_per_mtok=given,
                output_usd_per_mtok=made,
                cached_input_usd_per_mtok=cached,
                batch_discount_fraction=None if batch is None else batch / 100,
                valid_from=valid_from,
                provider=provider,
            )
            _keep(API_PRICES, row)


def _price(column: DeltaGenerator, label: str, key: str, *, placeholder: str | None = None) -> float | None:
    found: float | None = column.number_input(
        label, value=None, min_value=0.0, step=0.01, format="%0.4g", key=key, placeholder=placeholder
    )
    return found


def _day(column: DeltaGenerator, key: str) -> date:
    found: date = column.date_input("Valid from", date.today(), max_value=date.today(), key=key)
    return found


def _keep(table: str, row: Row) -> None:
    try:
        overrides.save(table, row, today=date.today())
    except LlmCompareError as problem:
        _show_refused(problem)
        return
    _say(f"Kept: {overrides.row_text(table, row)}.")


def _say(text: str) -> None:
    """The whole app runs again, so that every figure follows; the text is shown then."""
    st.session_state[SAID] = text
    st.rerun()


def _show_refused(problem: LlmCompareError) -> None:
    """Cell by cell, in a list."""
    if isinstance(problem, DataError):
        listed = "\n".join(f"- {plain(str(cell))}" for cell in problem.cells[: frame.CELLS_LISTED])
        st.error(f"Not kept:\n\n{listed}", icon=":material/error:")
    else:
        st.error(plain(str(problem)), icon=":material/error:")


def _present(facts: Facts, table: str) -> None:
    heading, file = st.columns([3, 1], vertical_alignment="bottom")
    heading.subheader(f"Your {TABLES[table]}")
    file.download_button(
        "CSV",
        overrides.file_bytes(table),
        f"{table}.csv",
        "text/csv",
        key=f"your_{table}_file",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
        help="Your rows, or an empty form to fill in, in the form of the files in data/. Upload it again below.",
    )
    try:
        rows = overrides.present(table)
    except DataError as problem:
        _show_refused(problem)
        if st.button("Delete this file", key=f"your_{table}_forget", icon=":material/delete:"):
            overrides.delete_file(table)
            _say(f"Your {TABLES[table]} are deleted.")
        return
    if not rows:
        st.caption("None yet: the lists of the providers count.")
        return
    listed = overrides.shown(facts, table, rows)
    st.dataframe(
        pd.DataFrame(list(listed.rows), columns=list(listed.columns)),
        key=f"your_{table}",
        hide_index=True,
        alt=listed.title,
        placeholder="—",
    )
    _delete(table, rows)


def _delete(table: str, rows: list[Row]) -> None:
    with st.form(f"your_{table}_delete", border=False, clear_on_submit=True):
        chosen = st.multiselect(
            "Rows to delete",
            range(len(rows)),
            format_func=lambda number: overrides.row_text(table, rows[number]),
            key=f"your_{table}_chosen",
        )
        if st.form_submit_button("Delete", icon=":material/delete:") and chosen:
            overrides.delete(table, [rows[number] for number in chosen])
            _say("Deleted: " + "; ".join(overrides.row_text(table, rows[number]) for number in chosen) + ".")


def _upload() -> None:
    st.subheader("Upload a file")
    with st.form("your_prices_upload", border=False, clear_on_submit=True):
        file = st.file_uploader(
            "A CSV of GPU prices or of API prices; it replaces your rows of that table.",
            type="csv",
            key="your_prices_file",
            max_upload_size=overrides.MAX_UPLOAD_MB,
        )
        if st.form_submit_button("Use this file") and file is not None:
            try:
                table = overrides.upload(file.getvalue(), today=date.today())
            except (InputError, DataError) as problem:
                _show_refused(problem)
                return
            _say(f"Your {TABLES[table]} are now those of {file.name}.")
