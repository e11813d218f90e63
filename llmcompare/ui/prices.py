"""The views "Your prices" and "Your rows": type in what you pay or know, see what counts, take it along as a file."""

from datetime import date

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from llmcompare.core.records import RENTED_BILLINGS, Billing
from llmcompare.services import overrides
from llmcompare.services.catalogue import Facts
from llmcompare.services.overrides import API_PRICES, GPU_PRICES
from llmcompare.ui import frame, own_rows

BILLINGS: tuple[Billing, ...] = (*RENTED_BILLINGS, "serverless-per-second")


def your_prices() -> None:
    """Everything about the user's own prices."""
    facts = frame.facts()
    st.markdown(
        "What you pay, or were offered. A GPU price of yours stands in for the whole list of its GPU and billing "
        "class, an API price for the list of its model and variant, and both are marked **yours** wherever they are "
        "shown. Delete the row and the list is back."
    )
    own_rows.said()
    left, right = st.columns(2)
    with left:
        gpu_form(facts)
    with right:
        api_form(facts)
    for table in overrides.PRICES:
        own_rows.present(facts, table)
    own_rows.upload()


def rows_of_ones_own() -> None:
    """The same for every table that takes own rows, one at a time."""
    facts = frame.facts()
    st.markdown(
        "What you measured, own, pay or read elsewhere. It goes through the same checks as the files in `data/`, is "
        "kept in `var/overrides/`, counts at once, and is marked **yours** wherever it is shown."
    )
    own_rows.said()
    table = own_rows.pick_table()
    forms = {GPU_PRICES: gpu_form, API_PRICES: api_form}
    if table in forms:
        forms[table](facts)
    else:
        own_rows.row_form(facts, table)
    own_rows.present(facts, table)
    own_rows.upload()


def gpu_form(facts: Facts) -> None:
    """A price of a GPU, by the GPU and hour."""
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
            own_rows.keep(GPU_PRICES, row)


def api_form(facts: Facts) -> None:
    """Token prices of a model."""
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
            own_rows.keep(API_PRICES, row)


def _price(column: DeltaGenerator, label: str, key: str, *, placeholder: str | None = None) -> float | None:
    found: float | None = column.number_input(
        label, value=None, min_value=0.0, step=0.01, format="%0.4g", key=key, placeholder=placeholder
    )
    return found


def _day(column: DeltaGenerator, key: str) -> date:
    found: date = column.date_input("Valid from", date.today(), max_value=date.today(), key=key)
    return found
