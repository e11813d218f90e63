"""The widgets that every page shares. Their keys are the fields of a scenario and the parameters of a link."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

import streamlit as st

from llmcompare.core.options import proprietary_offers
from llmcompare.core.records import RENTED_BILLINGS, ScoreCell
from llmcompare.core.scenario import CHOICES, Scenario, from_query
from llmcompare.core.units import count_text
from llmcompare.core.workload import MAX_REQUESTS_PER_MONTH, MAX_TOKENS_PER_REQUEST, PRESETS
from llmcompare.errors import InputError
from llmcompare.services import costs
from llmcompare.services.catalogue import Facts
from llmcompare.ui.fields import ANY, BOUND, DEFAULTS, choice, number, one_of, own, share, whole
from llmcompare.ui.safe import plain

EVERY_TABLE, YOUR_ROWS = DATA_VIEWS = ("Every table", "Your rows")


def pick_scenario(facts: Facts) -> Scenario:
    """Draws the widgets in the sidebar and returns what they say."""
    link = _take_link(facts)
    with st.sidebar:
        st.subheader("Your workload")
        values: dict[str, Any] = {"model": _pick_model(facts)} | _pick_volume()
        with st.expander("More about the requests"):
            values |= _pick_request_details() | _pick_language(facts)
        with st.expander("Traffic and limits"):
            values |= _pick_traffic()
        with st.expander("APIs"):
            values |= _pick_apis(facts, str(values["model"]))
        with st.expander("Rented GPUs"):
            values |= _pick_rented(facts, str(values["model"]))
        with st.expander("Serverless GPUs"):
            values |= _pick_serverless(facts)
        with st.expander("Own machine"):
            values |= _pick_owned(facts)
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
    st.pills(
        "Start from",
        PRESETS,
        key="preset",
        on_change=_take_preset,
        help="Usual shapes of a request, as input → output tokens: "
        + ", ".join(f"{name} {given:,} → {made:,}" for name, (given, made) in PRESETS.items()),
    )
    most = {"low": 0, "high": MAX_TOKENS_PER_REQUEST, "step": 100}
    requests = whole("requests_per_month", "Requests per month", low=1, high=MAX_REQUESTS_PER_MONTH, step=100_000)
    left, right = st.columns(2)
    with left:
        given = whole("input_tokens", "Input tokens", help="Per request.", **most)
    with right:
        made = whole("output_tokens", "Output tokens", help="Per request, without thinking.", **most)
    st.number_input(
        "Or tokens per month", min_value=1, max_value=10**15, value=None, key="tokens_per_month",
        on_change=_take_tokens, placeholder=count_text(requests * (given + made)),
        help="In and out together, thinking included; sets the requests.",
    )  # fmt: skip
    return {
        "requests_per_month": float(requests), "input_tokens": float(given), "output_tokens": float(made),
    }  # fmt: skip


def _take_tokens() -> None:
    """As many requests as make so many tokens; the field is empty again."""
    typed, state = st.session_state["tokens_per_month"], st.session_state
    each = state["input_tokens"] + state["output_tokens"] + state.get("thinking_tokens", 0)
    if typed and each:
        state["requests_per_month"] = min(max(1, round(typed / each)), MAX_REQUESTS_PER_MONTH)
    state["tokens_per_month"] = None


def _take_preset() -> None:
    if chosen := st.session_state["preset"]:
        st.session_state["input_tokens"], st.session_state["output_tokens"] = PRESETS[chosen]


def _pick_request_details() -> dict[str, Any]:
    thinking = whole(
        "thinking_tokens", "Thinking tokens", low=0, high=MAX_TOKENS_PER_REQUEST, step=100,
        help="Per request, billed as output. A reasoning mode can multiply the output.",
    )  # fmt: skip
    return {
        "cached_input_fraction": share(
            "cached_input_fraction", "Share of input read from cache",
            help="Billed at the cached price where the provider lists one, else at the input price.",
        ),
        "thinking_tokens": float(thinking),
        "batch_fraction": share(
            "batch_fraction", "Share of requests that can wait",
            help="Billed at the batch price where the provider has one, else at the full price.",
        ),
    }  # fmt: skip


def _pick_language(facts: Facts) -> dict[str, Any]:
    known = [model_id for model_id in facts.models if model_id in facts.token_table.of_model]
    return {
        "language": choice(
            "language", "Language of the requests", facts.token_table.languages.values(),
            help="The same text is more tokens with one model than with another. With a language, each model is asked "
            "for the same text, in its own tokens. Any: the same number of tokens.",
        ),
        "tokens_of": choice(
            "tokens_of", "Tokens are counted by", known,
            help="Whose tokenizer counted the tokens you gave; any: the chosen model's own. Counts with a language.",
        ),
    }  # fmt: skip


def _pick_traffic() -> dict[str, Any]:
    shape = one_of(
        "traffic", "Hours of the week", CHOICES["traffic"],
        help="flat: every hour alike. business-hours: Monday to Friday, 9 to 18 h. own: your hours, or those of a log.",
    )  # fmt: skip
    profile = st.text_input(
        "Hourly profile", key="hourly_profile", bind=BOUND, placeholder="24 or 168 rates after commas",
        help="Counts with 'own'. Monday 0 h first; the Workload page makes it from a log.",
    )  # fmt: skip
    return {
        "traffic": shape,
        "hourly_profile": profile or None,
        "peak_to_mean": number(
            "peak_to_mean", "Peak within an hour", step=0.1, help="Busiest minutes over the mean of their hour.",
        ),
        "growth_fraction_per_month": number(
            "growth_fraction_per_month", "Growth a month", step=0.01, help="0.1 for 10% more requests each month.",
        ),
        "ttft_limit_ms": own("ttft_limit_ms", "Most ms to the first token", "no limit", help="Median."),
        "tpot_limit_ms": own("tpot_limit_ms", "Most ms per output token", "no limit", help="Median."),
    }  # fmt: skip


def _pick_apis(facts: Facts, model_id: str) -> dict[str, Any]:
    offers = list(proprietary_offers(facts.api_offers))
    today = st.selectbox(
        "Today's API",
        offers,
        index=offers.index(DEFAULTS.today) if DEFAULTS.today in offers else 0,
        key="today",
        bind=BOUND,
        help="A proprietary API of the price table.",
    )
    bill = own("today_usd_per_month", "Or today's bill, USD a month", "from the price list")
    variant = st.selectbox(
        "API variant",
        costs.variants(facts, model_id),
        key="api_variant",
        bind=BOUND,
        help="Turbo, fp8 and other variants are never mixed with standard listings.",
    )
    return {
        "today": today, "today_usd_per_month": bill, "api_variant": variant,
        "api_provider": choice("api_provider", "Provider", costs.api_providers(facts, model_id)),
        "own_input_usd_per_mtok": own("own_input_usd_per_mtok", "Your USD per million input tokens", "from the list"),
        "own_cached_input_usd_per_mtok": own(
            "own_cached_input_usd_per_mtok", "Your USD per million cached tokens", "as input"
        ),
        "own_output_usd_per_mtok": own(
            "own_output_usd_per_mtok", "Your USD per million output tokens", "from the list"
        ),
    }  # fmt: skip


def _pick_rented(facts: Facts, model_id: str) -> dict[str, Any]:
    return {
        "billing": one_of("billing", "Billing", RENTED_BILLINGS),
        "gpu": choice(
            "gpu", "GPU", sorted({offer.gpu_id for offer in facts.gpu_offers}),
            help="Any: the cheapest deployment.",
        ),
        "engine": choice("engine", "Engine", costs.engines(facts)),
        "weight_format": choice("weight_format", "Weight format", costs.weight_formats(facts)),
        "capacity_basis": one_of(
            "capacity_basis", "Capacity", CHOICES["capacity_basis"],
            help="Published serving rates where there are any, or predicted ones of every deployment. A latency limit "
            "needs predicted ones.",
        ),
        "throughput_record": choice(
            "throughput_record", "Measurement", [row.record_id for row in facts.capacities.get(model_id, [])],
            help="Which published throughput row says what one replica serves. Any: the cheapest deployment.",
        ),
        "target_utilisation_fraction": share(
            "target_utilisation_fraction", "Planned share of capacity", low=0.05,
            help="Assumption: the rest is room for peaks.",
        ),
        "running": one_of(
            "running", "Replicas run", CHOICES["running"],
            help="always-on: enough for the peak, all month. scheduled: one number in busy hours, one in the others. "
            "profile: each hour of the week its own number.",
        ),
        "min_replicas": whole("min_replicas", "Replicas at least"),
        "spare_replicas": whole("spare_replicas", "Spare replicas", help="Beyond the need, in case one fails."),
        "concurrency": own("concurrency", "Requests at once on a replica", "as many as fit"),
        "own_output_tokens_per_s": own(
            "own_output_tokens_per_s", "Your output tokens/s per replica", "from the measurement"
        ),
        "own_usd_per_gpu_hour": own("own_usd_per_gpu_hour", "Your USD per GPU-hour", "from the price list"),
        "gpus_per_replica": whole(
            "gpus_per_replica", "GPUs per replica", help="Counts with your own rate, when no measurement is chosen.",
        ),
        "spot_allowance_fraction": number(
            "spot_allowance_fraction", "Extra hours on spot", step=0.05,
            help="Assumption: hours paid beyond those used, for interruptions.",
        ),
        "min_bits_per_weight": number(
            "min_bits_per_weight", "Bits per weight at least", step=0.5,
            help="Quality floor: formats with fewer bits are out.",
        ),
    }  # fmt: skip


def _pick_serverless(facts: Facts) -> dict[str, Any]:
    return {
        "serverless_provider": choice(
            "serverless_provider", "Provider of serverless", costs.serverless_providers(facts)
        ),
        "requests_per_worker": whole(
            "requests_per_worker", "Requests at once per worker",
            help="More wait until a worker is free or started. 30 is the default of RunPod's vLLM worker.",
        ),
        "cold_start_s": number(
            "cold_start_s", "Cold start, seconds", step=5.0,
            help="Assumption: until a new worker answers, with image, weights and engine.",
        ),
        "idle_timeout_s": own("idle_timeout_s", "Idle timeout, seconds", "the provider's default"),
    }  # fmt: skip


def _pick_owned(facts: Facts) -> dict[str, Any]:
    return {
        "purchase_usd": own(
            "purchase_usd", "Purchase of one machine, USD", "no own machine",
            help="No purchase price in the data has a source: type yours in, 0 for a machine that is paid.",
        ),
        "data_place": one_of(
            "data_place", "The data may be", CHOICES["data_place"],
            help="here: APIs, serverless and rented GPUs are out, because the data must not leave.",
        ),
        "owned_gpu": choice("owned_gpu", "Its GPU", sorted(facts.gpus), help="Any: that of the rented deployment."),
        "owned_gpu_count": whole("owned_gpu_count", "Its GPUs"),
        "owned_months": number("owned_months", "Months of use", step=6.0, help="Assumption."),
        "resale_usd": number("resale_usd", "Resale, USD", step=500.0),
        "load_w": own("load_w", "Watts under load", "from the GPU's board power"),
        "idle_w": own("idle_w", "Watts at rest", "assumed"),
        "pue": number(
            "pue", "PUE", step=0.05,
            help="Power of the building over power of its machines; the mean of a survey was 1.54 in 2025 (Uptime "
            "Institute).",
        ),
        "usd_per_kwh": number("usd_per_kwh", "USD per kWh", step=0.01, help="Assumption."),
        "hosting_usd_per_month": number("hosting_usd_per_month", "Hosting a machine, USD a month", step=50.0),
        "staff_hours_per_month": number("staff_hours_per_month", "Staff hours a month", step=1.0, help="Assumption."),
        "staff_usd_per_hour": number("staff_usd_per_hour", "USD per staff hour", step=5.0, help="Assumption."),
    }  # fmt: skip


def _take_link(facts: Facts) -> Mapping[str, str]:
    """What the link of a new session says, before widgets take it.

    An alias of a model becomes its id, and the code of a language its name.
    """
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
        languages = facts.token_table.languages
        codes = [name for name in ("language", "text_language") if link.get(name) in languages]
        for name in codes:
            st.query_params[name] = languages[link[name]]
        if endless or is_alias or codes:
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
            elif name == "language":
                asked = facts.token_table.languages.get(asked, asked)
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


def pick_data_view() -> str:
    """Every table, or the rows of the user's own."""
    chosen = st.segmented_control(
        "Shown", DATA_VIEWS, default=DATA_VIEWS[0], required=True, key="data_view", bind=BOUND,
        label_visibility="collapsed",
    )  # fmt: skip
    return chosen or DATA_VIEWS[0]


def pick_table(names: list[str]) -> str:
    """A table of the catalogue."""
    explain_choice("table", names)
    return st.selectbox("Table", names, index=names.index("gpu_prices"), key="table", bind=BOUND)


def pick_filter() -> str:
    """Words that a row must hold."""
    return st.text_input("Filter", key="filter", bind=BOUND, placeholder="words that a row must hold, e.g. h100 aws")
