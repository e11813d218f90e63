"""The view "Your prices": type in what you pay, see what counts, delete it, take it along as a file."""

from datetime import date

import streamlit as st

from llmcompare.core.records import RENTED_BILLINGS, Billing
from llmcompare.errors import DataError, InputError, LlmCompareError
from llmcompare.services import overrides
from llmcompare.services.catalogue import Facts
from llmcompare.services.overrides import API_PRICES, GPU_PRICES, TABLES
from llmcompare.store.overrides import Row
from llmcompare.ui import frame, show
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
    with st.form("your_gpu_price", border=True):
        st.subheader("A GPU price")
        gpu_id = st.selectbox("GPU", list(facts.gpus), format_func=lambda name: facts.gpus[name].name, key="your_gpu")
        left, right = st.columns(2)
        billing = left.selectbox("Billing", BILLINGS, key="your_billing")
        count = right.number_input("GPUs in the machine", 1, 128, 1, key="your_gpu_count")
        usd = left.number_input(
            "USD per GPU-hour", min_value=0.0, value=None, step=0.01, format="%0.4f", key="your_usd_per_gpu_hour"
        )
        valid_from = right.date_input("Valid from", date.today(), max_value=date.today(), key="your_gpu_from")
        provider = st.text_input("Provider", placeholder="yours", key="your_gpu_provider")
        if st.form_submit_button("Keep this price", type="primary"):
            if usd is None:
                st.error("Give the USD per GPU-hour.", icon=":material/error:")
                return
            _keep(
                GPU_PRICES,
                overrides.gpu_price(
                    gpu_id=gpu_id,
                    billing=billing,
                    gpu_count=count,
                    usd_per_gpu_hour=usd,
                    valid_from=valid_from,
                    provider=provider,
                ),
            )


def _api_form(facts: Facts) -> None:
    names = overrides.priced_names(facts)
    with st.form("your_api_price", border=True):
        st.subheader("An API price")
        model = st.selectbox(
            "Model",
            names,
            index=names.index(frame.scenario().model) if frame.scenario().model in names else 0,
            key="your_model",
            help="A model of the catalogue, or an API that may be today's: its price is then yours.",
        )
        left, right = st.columns(2)
        given = left.number_input(
            "USD per million input tokens", value=None, min_value=0.0, step=0.01, key="your_input"
        )
        made = right.number_input(
            "USD per million output tokens", value=None, min_value=0.0, step=0.01, key="your_output"
        )
        cached = left.number_input(
            "The same for cached input", value=None, min_value=0.0, step=0.01, key="your_cached", placeholder="as input"
        )
        batch = right.number_input(
            "Batch discount, %", value=None, min_value=1.0, max_value=99.0, step=5.0, key="your_batch",
            placeholder="none", help="Off the whole price, for requests that can wait.",
        )  # fmt: skip
        variant = left.text_input("Variant", "standard", key="your_variant")
        valid_from = right.date_input("Valid from", date.today(), max_value=date.today(), key="your_api_from")
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
    st.subheader(f"Your {TABLES[table]}")
    try:
        rows = overrides.present(table)
    except DataError as problem:
        _show_refused(problem)
        if st.button("Delete this file", key=f"your_{table}_forget", icon=":material/delete:"):
            overrides.delete_file(table)
            _say(f"Your {TABLES[table]} are deleted.")
        return
    if rows:
        show.table(overrides.shown(facts, table, rows), key=f"your_{table}")
        _delete(table, rows)
    else:
        st.caption("None yet: the lists of the providers count.")
    st.download_button(
        "The file" if rows else "An empty form",
        overrides.file_bytes(table),
        f"{table}.csv",
        "text/csv",
        key=f"your_{table}_file",
        on_click="ignore",
        icon=":material/download:",
        help="A CSV of the same form as in data/. Change it and upload it again below.",
    )


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
        )
        if st.form_submit_button("Use this file") and file is not None:
            try:
                table = overrides.upload(file.getvalue(), today=date.today())
            except (InputError, DataError) as problem:
                _show_refused(problem)
                return
            _say(f"Your {TABLES[table]} are now those of {file.name}.")
