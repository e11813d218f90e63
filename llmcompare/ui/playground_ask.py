"""What the Playground asks: the prompt, what stands in each slot, how all of them or one of them sample."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, get_args

import streamlit as st

from llmcompare.core.facts import Scheduling
from llmcompare.core.replies import BYTES_PER_MB
from llmcompare.engines.base import Sampling
from llmcompare.engines.endpoints import PRESETS, Endpoint, key_for, preset
from llmcompare.errors import InputError
from llmcompare.models.library import LocalModel
from llmcompare.services.attachments import LARGEST_BYTES, Attached, attached, room, with_files
from llmcompare.services.plans import DEFAULT_CONTEXT_TOKENS, MOST_SLOTS, Answerer, Plan, Settings
from llmcompare.services.structured import checked_schema
from llmcompare.ui.fields import BOUND
from llmcompare.ui.safe import plain

EXAMPLE = "Why is the sky blue? Answer in two sentences."
ENDPOINT = "an endpoint (OpenAI-compatible)"
SLOTS_A_ROW = 3
START = asdict(Sampling()) | {"system": None, "context_tokens": DEFAULT_CONTEXT_TOKENS, "gpu_layers": None}
SCHEMA_EXAMPLE = '{"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}'


def compose(models: Sequence[LocalModel]) -> Plan | None:
    """Draws the inputs; the plan of a run when the button was pressed and what is asked can be asked."""
    with st.container(border=True):
        # Drawn above the button that stands beside it, decided by the number below.
        slots = st.container()
        prompt = st.text_area("Prompt", EXAMPLE, key="prompt", height=100, persist_state="session")
        left, middle, right = st.columns([2, 2, 3], vertical_alignment="bottom")
        count = left.segmented_control(
            "Side by side", list(range(2, MOST_SLOTS + 1)), default=2, key="slots", bind=BOUND, required=True
        )
        scheduling = middle.segmented_control(
            # No other labels: a link carries what stands on a button.
            "Scheduling",
            get_args(Scheduling),
            default="together",
            required=True,
            key="scheduling",
            bind=BOUND,
            help="together: read along at once; the models slow each other. in-turn: one at a time, nothing else of "
            "this app beside it, so that speeds can be compared.",
        )
        pressed = right.button("Run", key="start", type="primary", icon=":material/play_arrow:", width="stretch")
        with st.expander("System prompt and sampling"):
            common = _pick_settings("")
            schema = st.text_area(
                "JSON schema of the reply",
                key="json_schema",
                height=100,
                placeholder=f"none: free text. For example {SCHEMA_EXAMPLE}",
                persist_state="session",
                help="Every reply must then be JSON that follows it: decoding is bound by a grammar here and by "
                "response_format behind an endpoint, and the reply is checked.",
            )
        files = _pick_files()
        with slots:
            picked = [
                _pick_slot(number, column, models, common) for number, column in enumerate(places(count), start=1)
            ]
        if files is None:
            return None
        whole = with_files(prompt, files)
        _say_room(whole, [own or common for found, own in picked if isinstance(found, LocalModel)])
    return _plan(whole, scheduling, common, schema, picked) if pressed else None


def _pick_files() -> list[Attached] | None:
    """Files that go behind the prompt; None while one of them cannot be used."""
    with st.expander("Files as part of the prompt"):
        uploaded = st.file_uploader(
            "Text files", accept_multiple_files=True, key="prompt_files", max_upload_size=LARGEST_BYTES // 10**6,
            help="Plain text in UTF-8: code, Markdown, CSV, JSON, logs. Their text stands behind the prompt, each "
            "between lines that name it, and is kept with the run.",
        )  # fmt: skip
    found: list[Attached] = []
    problems = 0
    for one in uploaded:
        try:
            found.append(attached(one.name, one.getvalue()))
        except InputError as problem:
            st.error(plain(str(problem)), icon=":material/error:")
            problems += 1
    if found:
        names = ", ".join(f"{one.name} ({len(one.text):,} characters)" for one in found)
        st.caption(plain(f"Behind the prompt: {names}."))
    return None if problems else found


def _say_room(prompt: str, local: Sequence[dict[str, Any]]) -> None:
    """Of models on this machine; a server's context is not known. The smallest context decides."""
    if not local:
        return
    least = min(local, key=lambda one: int(one["context_tokens"]))
    found = room(prompt, context_tokens=least["context_tokens"], max_tokens=least["max_tokens"])
    if found is None:
        return
    if found.fits:
        st.caption(plain(found.sentence))
    else:
        st.warning(plain(found.sentence), icon=":material/unfold_less:")


def _plan(prompt: str, scheduling: Scheduling, common: dict[str, Any], schema: str, picked: list[Any]) -> Plan | None:
    try:
        checked = checked_schema(schema)
        settings = _settings(common, checked)
        return Plan(
            prompt=prompt,
            models=tuple(_answerer(one) for one, _ in picked),
            system=settings.system,
            sampling=settings.sampling,
            context_tokens=settings.context_tokens,
            scheduling=scheduling,
            own=tuple(_settings(own or common, checked) for _, own in picked),
        )
    except InputError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        return None


def _settings(asked: dict[str, Any], schema: str | None) -> Settings:
    known = dict(asked)
    system, context, layers = known.pop("system"), known.pop("context_tokens"), known.pop("gpu_layers")
    sampling = Sampling(**known, json_schema=schema)
    return Settings(system=system, sampling=sampling, context_tokens=context, gpu_layers=layers)


def _answerer(picked: LocalModel | dict[str, str]) -> Answerer:
    """Raises InputError for an endpoint that cannot be one."""
    return Endpoint(**picked) if isinstance(picked, dict) else picked


# --- slots ------------------------------------------------------------------------------------------------------------


def places(count: int) -> list[Any]:
    """Columns for so many slots, at most three beside each other."""
    in_row = 2 if count == 4 else min(SLOTS_A_ROW, count)
    found: list[Any] = []
    while len(found) < count:
        found += st.columns(in_row)
    return found[:count]


def _pick_slot(
    number: int,
    column: Any,  # noqa: ANN401 a container of Streamlit
    models: Sequence[LocalModel],
    common: dict[str, Any],
) -> tuple[Any, dict[str, Any] | None]:
    by_id = {model.model_id: model for model in models}
    options = [*by_id, ENDPOINT]
    with column:
        picked = st.selectbox(
            f"Model {number}", options, index=(number - 1) % max(1, len(by_id)), key=f"slot_{number}", bind=BOUND
        )
        found: LocalModel | dict[str, str]
        if picked in by_id:
            found = by_id[picked]
            st.caption(plain(_about(found)))
        else:
            found = pick_endpoint(number)
        own = st.toggle("Own settings", key=f"own_{number}", bind=BOUND, help="Otherwise the same as all others.")
        if not own:
            return found, None
        with st.container(border=True):
            return found, _pick_settings(f"_{number}", common)


def _about(model: LocalModel) -> str:
    facts = f"{model.quantization or 'format not stated'}, {model.size_bytes / BYTES_PER_MB:,.0f} MB"
    return f"{facts}, {model.origin}{f': {model.caveat}' if model.caveat else ''}."


def pick_endpoint(number: int | str) -> dict[str, str]:
    """The cells of an endpoint, whether it can be one or not; its number, or a word, parts it from other places."""
    names = [one.preset_id for one in PRESETS]
    kind = st.selectbox("Kind of server", names, key=f"kind_{number}", bind=BOUND, help="It sets the usual address.")
    known = preset(kind)
    base_url = st.text_input(
        "Base URL", known.base_url, key=f"url_{number}_{kind}", bind=BOUND, help=plain(f"From: {known.source}")
    )
    model = st.text_input("Name at the server", key=f"name_{number}", bind=BOUND, help="As the server calls the model.")
    picked = {"preset_id": kind, "base_url": base_url.strip(), "model": model.strip()}
    st.caption(plain(_about_key(picked)))
    return picked


def _about_key(picked: dict[str, str]) -> str:
    try:
        endpoint = Endpoint(**(picked | {"model": picked["model"] or "any"}))
        is_set = key_for(endpoint) is not None
    except InputError as problem:
        return str(problem)
    if is_set:
        return f"With the key in {endpoint.key_variable}."
    return f"Without a key. One is read from {endpoint.key_variable} in the environment or .streamlit/secrets.toml."


# --- settings ---------------------------------------------------------------------------------------------------------


def _pick_settings(suffix: str, start: dict[str, Any] | None = None) -> dict[str, Any]:
    """Of all slots, or with a suffix those of one, which start where those of all others stand."""
    start = START | (start or {})
    system = st.text_area(
        "System prompt",
        start["system"] or "",
        key=f"system{suffix}",
        height=70,
        placeholder="none: the model's own default",
        persist_state="session",
    )
    with st.container(horizontal=True):
        asked = _pick_sampling(suffix, start)
        context = st.number_input(
            "Context tokens", 256, 1_000_000, start["context_tokens"], 1024, key=f"context{suffix}", bind=BOUND,
            width=150, help="Of models on this machine; a server has its own.",
        )  # fmt: skip
        layers = st.number_input(
            "GPU layers", 0, 1000, start["gpu_layers"], 1, key=f"gpu_layers{suffix}", bind=BOUND, width=150,
            placeholder="auto",
            help="At most, empty for as many as fit; of models on this machine, where llama.cpp sees a GPU.",
        )  # fmt: skip
    stop = st.text_input(
        "Stop strings, separated by |",
        "|".join(start["stop"]),
        key=f"stop{suffix}",
        bind=BOUND,
        help="The reply ends before the first of them.",
    )
    return asked | {
        "stop": tuple(part for part in stop.replace("\\n", "\n").split("|") if part),
        "system": system.strip() or None,
        "context_tokens": int(context),
        "gpu_layers": None if layers is None else int(layers),
    }


def _pick_sampling(suffix: str, start: dict[str, Any]) -> dict[str, Any]:
    def number(label: str, name: str, low: Any, high: Any, step: Any, help: str | None = None) -> Any:  # noqa: ANN401
        value = start[name]
        return st.number_input(
            label, low, high, value, step, key=f"{name}{suffix}", bind=BOUND, help=help, width=150
        )  # fmt: skip

    return {
        "temperature": number("Temperature", "temperature", 0.0, 5.0, 0.1, "0 always takes the likeliest token."),
        "top_p": number("Top-p", "top_p", 0.0, 1.0, 0.05),
        "top_k": int(number("Top-k", "top_k", 0, 100_000, 10, "0 keeps all tokens.")),
        "min_p": number("Min-p", "min_p", 0.0, 1.0, 0.01),
        "repeat_penalty": number("Repeat penalty", "repeat_penalty", 0.1, 10.0, 0.05, "1 is none."),
        "max_tokens": int(number("Max tokens", "max_tokens", 1, 100_000, 64)),
        "seed": int(number("Seed", "seed", 0, 2**32 - 2, 1, "Counts at temperatures above 0.")),
    }
