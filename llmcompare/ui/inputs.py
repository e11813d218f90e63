"""The widgets that every page shares. Their keys are the fields of a scenario and the parameters of a link."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, Literal

import streamlit as st

from llmcompare.core.options import proprietary_offers
from llmcompare.core.records import RENTED_BILLINGS, ScoreCell
from llmcompare.core.scenario import RANGES, Scenario, from_query
from llmcompare.core.workload import MAX_REQUESTS_PER_MONTH, MAX_TOKENS_PER_REQUEST
from llmcompare.errors import InputError
from llmcompare.services import costs
from llmcompare.services.catalogue import Facts
from llmcompare.ui.safe import plain

DEFAULTS = Scenario()
ANY = "any"
BOUND: Literal["query-params"] = "query-params"


def pick_scenario(facts: Facts) -> Scenario:
    """Draws the widgets in the sidebar and returns what they say."""
    link = _take_link(facts)
    with st.sidebar:
        st.subheader("Your workload")
        values: dict[str, Any] = {"model": _pick_model(facts)} | _pick_volume()
        with st.expander("More about the requests"):
            values |= _pick_request_details()
        with st.expander("Compared with"):
            values |= _pick_alternatives(facts, str(values["model"]))
        with st.expander("Rented GPUs"):
            values |= _pick_rented(facts, str(values["model"]))
    scenario = Scenario(**values)
    _explain_link(facts, link, scenario)
    return scenario


def _pick_model(facts: Facts) -> str:
    ids = list(facts.models)
    return st.selectbox(
        "Model",
        ids,
        index=ids.index(DEFAULTS.model) if DEFAULTS.model in ids else 0,
        key="model",
        bind=BOUND,
        help="Ids of the catalogue; type to search. The Data page lists them all.",
    )


def _pick_volume() -> dict[str, Any]:
    requests = st.number_input(
        "Requests per month",
        min_value=1,
        max_value=MAX_REQUESTS_PER_MONTH,
        value=int(DEFAULTS.requests_per_month),
        step=100_000,
        key="requests_per_month",
        bind=BOUND,
    )
    left, right = st.columns(2)
    tokens: dict[str, Any] = {"min_value": 0, "max_value": MAX_TOKENS_PER_REQUEST, "step": 100}
    input_tokens = left.number_input(
        "Input tokens", value=int(DEFAULTS.input_tokens), key="input_tokens", bind=BOUND, help="Per request.", **tokens
    )
    output_tokens = right.number_input(
        "Output tokens",
        value=int(DEFAULTS.output_tokens),
        key="output_tokens",
        bind=BOUND,
        help="Per request, without thinking.",
        **tokens,
    )
    return {
        "requests_per_month": float(requests),
        "input_tokens": float(input_tokens),
        "output_tokens": float(output_tokens),
    }


def _pick_request_details() -> dict[str, Any]:
    cached = st.slider(
        "Share of input read from cache",
        0.0,
        1.0,
        DEFAULTS.cached_input_fraction,
        0.05,
        key="cached_input_fraction",
        bind=BOUND,
        help="Billed at the cached price where the provider lists one, else at the input price.",
    )
    thinking = st.number_input(
        "Thinking tokens",
        0,
        MAX_TOKENS_PER_REQUEST,
        int(DEFAULTS.thinking_tokens),
        100,
        key="thinking_tokens",
        bind=BOUND,
        help="Per request, billed as output.",
    )
    return {"cached_input_fraction": cached, "thinking_tokens": float(thinking)}


def _pick_alternatives(facts: Facts, model_id: str) -> dict[str, Any]:
    offers = list(proprietary_offers(facts.api_offers))
    today = st.selectbox(
        "Today's API",
        offers,
        index=offers.index(DEFAULTS.today) if DEFAULTS.today in offers else 0,
        key="today",
        bind=BOUND,
        help="A proprietary API of the price table.",
    )
    bill = _pick_own("Or today's bill, USD a month", "today_usd_per_month", "from the price list")
    variant = st.selectbox(
        "API variant",
        costs.variants(facts, model_id),
        key="api_variant",
        bind=BOUND,
        help="Turbo, fp8 and other variants are never mixed with standard listings.",
    )
    return {"today": today, "today_usd_per_month": bill, "api_variant": variant}


def _pick_rented(facts: Facts, model_id: str) -> dict[str, Any]:
    billing = st.selectbox("Billing", RENTED_BILLINGS, key="billing", bind=BOUND)
    gpu = st.selectbox(
        "GPU", [ANY, *sorted({offer.gpu_id for offer in facts.gpu_offers})], key="gpu", bind=BOUND,
        help="Any: the cheapest deployment that somebody measured.",
    )  # fmt: skip
    records = [row.record_id for row in facts.capacities.get(model_id, [])]
    record = st.selectbox(
        "Measurement",
        [ANY, *records],
        key="throughput_record",
        bind=BOUND,
        help="Which published throughput row says what one replica serves. Any: the cheapest deployment.",
    )
    utilisation = st.slider(
        "Planned share of capacity",
        0.05,
        1.0,
        DEFAULTS.target_utilisation_fraction,
        0.05,
        key="target_utilisation_fraction",
        bind=BOUND,
        help="Assumption: the rest is room for peaks.",
    )
    own_rate = _pick_own("Your output tokens/s per replica", "own_output_tokens_per_s", "from the measurement")
    own_price = _pick_own("Your USD per GPU-hour", "own_usd_per_gpu_hour", "from the price list")
    per_replica = st.number_input(
        "GPUs per replica", 1, 1024, DEFAULTS.gpus_per_replica, key="gpus_per_replica", bind=BOUND,
        help="Counts with your own rate, when no measurement is chosen.",
    )  # fmt: skip
    return {
        "billing": billing,
        "gpu": None if gpu == ANY else gpu,
        "throughput_record": None if record == ANY else record,
        "target_utilisation_fraction": utilisation,
        "own_output_tokens_per_s": own_rate,
        "own_usd_per_gpu_hour": own_price,
        "gpus_per_replica": int(per_replica),
    }


def _pick_own(label: str, key: str, placeholder: str) -> float | None:
    """A figure of the user's own, None when the field is left empty."""
    low, high = RANGES[key]
    found: float | None = st.number_input(
        label, min_value=float(low), max_value=float(high), value=None, key=key, bind=BOUND, placeholder=placeholder
    )
    return found


def _take_link(facts: Facts) -> Mapping[str, str]:
    """What the link of a new session says, before widgets take it; an alias of a model becomes its id."""
    if "link" not in st.session_state:
        link = {name: str(st.query_params[name]) for name in st.query_params}
        st.session_state["link"] = link
        st.session_state["link_to_explain"] = dict(link)
        alias = link.get("model")
        is_alias = alias in facts.names and alias not in facts.models
        endless = [name for name, value in link.items() if _is_endless(value)]
        for name in endless:
            # Streamlit's whole-number inputs raise on an infinite value of the link instead of dropping it.
            del st.query_params[name]
        if alias is not None and is_alias:
            st.query_params["model"] = facts.names[alias]
        if endless or is_alias:
            # The widgets read the address at the start of a run.
            st.rerun()
    found: Mapping[str, str] = st.session_state.pop("link_to_explain", {})
    return found


def _is_endless(value: str) -> bool:
    try:
        return not isfinite(float(value))
    except ValueError:
        return False


def _explain_link(facts: Facts, link: Mapping[str, str], used: Scenario) -> None:
    """Streamlit drops a value of the link that its widget does not take; say which, why, and what is used instead."""
    known = set(Scenario.__dataclass_fields__)
    for name, value in link.items():
        if name not in known or value == ANY:
            continue
        taken = getattr(used, name)
        try:
            asked = getattr(from_query({name: value}), name)
            if name == "model":
                asked = facts.model(asked).model_id
            problem = None if asked == taken else f"{name} {value!r} is not to be had here."
        except InputError as error:
            problem = str(error)
        if problem is not None:
            shown = f"{taken:g}" if isinstance(taken, float) else taken
            instead = "" if taken is None else f" In use instead: {shown}."
            _warn_of_link(f"{problem}{instead} The rest of the link is in use.")


def explain_choice(name: str, options: Iterable[object]) -> None:
    """The same for an input of one page that takes only these values."""
    value = st.session_state.get("link", {}).pop(name, None)
    if value is not None and value not in map(str, options):
        _warn_of_link(f"{name} {value!r} is not to be had here: choose one from the list.")


def _warn_of_link(text: str) -> None:
    st.warning(plain(f"In this link, {text}"), icon=":material/link_off:")


def pick_score_cell(cells: Mapping[str, ScoreCell]) -> ScoreCell:
    """Which comparable scores stand for quality; those that cover most families and models come first."""
    explain_choice("quality", cells)
    chosen = st.selectbox(
        "Quality measure",
        list(cells),
        key="quality",
        bind=BOUND,
        help="Scores are comparable only within one benchmark, setting, number of shots, metric and publisher.",
    )
    return cells[chosen]


def pick_table(names: list[str]) -> str:
    """A table of the catalogue."""
    explain_choice("table", names)
    return st.selectbox("Table", names, index=names.index("gpu_prices"), key="table", bind=BOUND)


def pick_filter() -> str:
    """Words that a row must hold."""
    return st.text_input("Filter", key="filter", bind=BOUND, placeholder="words that a row must hold, e.g. h100 aws")
