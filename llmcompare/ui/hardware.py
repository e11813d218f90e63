"""The parts of the Hardware page: where a model fits, what a machine runs, how far predictions were off."""

from collections.abc import Iterable, Sequence

import streamlit as st

from llmcompare import figures
from llmcompare.core import memory
from llmcompare.core.calibration import Calibration
from llmcompare.core.memory import GPU_COUNTS, KV_BYTES_PER_ELEMENT, Use
from llmcompare.core.records import Billing, Gpu, source_url
from llmcompare.core.units import BYTES_PER_GIB, count_text, counted
from llmcompare.figures.hardware import GridCell, Point, SpeedRange
from llmcompare.services import accuracy, fit, hardware, what_runs
from llmcompare.services.calibration import Residual
from llmcompare.services.catalogue import Facts
from llmcompare.services.fit import Subject
from llmcompare.services.hardware import Place, Served
from llmcompare.services.what_runs import WhatRuns
from llmcompare.ui import show
from llmcompare.ui.fields import ANY, BOUND
from llmcompare.ui.inputs import explain_choice
from llmcompare.ui.safe import plain

DEFAULT_CONTEXT_TOKENS = 8_192
SHORTEST_CONTEXT_TOKENS = 1_024
LONGEST_CONTEXT_TOKENS = 10 * 2**20
"""Of any model of the catalogue."""
MOST_SEQUENCES = 4_096
RESIDUAL_FILTERS = {"engine": "Engine", "gpu_id": "GPU", "measured_by": "Measured by"}
POINTS_TOLD = 5
MODELS_DRAWN = 30
BEST = "best that fits"
CONTEXTS = [1_024 * 2**step for step in range(8)]
"""To 128K: any model is asked for the same."""
DEPLOYMENTS_DRAWN = 20
HERE_ID = "this machine"
DEFAULT_GPU = "rtx-4090-24gb"
MARKED_GB = (24, 48, 80, 141)
"""Memory of common GPUs, marked in the chart of parts."""
WHERE, WHAT, ACCURACY, HERE = VIEWS = (
    "Which hardware", "What runs on it", "Predicted against measured", "This machine",
)  # fmt: skip


def pick_view() -> str:
    """Which question the page answers."""
    explain_choice("view", VIEWS)
    found: str = st.segmented_control(
        "Question", VIEWS, default=WHERE, key="view", bind=BOUND, required=True, label_visibility="collapsed"
    )
    return found


def pick_use(model: Subject) -> tuple[Use, int | None]:
    """Context and cache format; streams at once, None for as many as fit."""
    limit = model.shape.context_extended_tokens or model.shape.context_native_tokens or LONGEST_CONTEXT_TOKENS
    doubled = [SHORTEST_CONTEXT_TOKENS * 2**step for step in range(14)]
    choices = sorted({tokens for tokens in doubled if tokens <= limit} | {limit})
    explain_choice("context", choices)
    explain_choice("sequences", range(1, MOST_SEQUENCES + 1))
    explain_choice("kv_format", KV_BYTES_PER_ELEMENT)
    left, middle, right = st.columns([4, 1, 1], vertical_alignment="bottom")
    context = left.select_slider(
        "Context, tokens",
        choices,
        value=DEFAULT_CONTEXT_TOKENS if DEFAULT_CONTEXT_TOKENS in choices else choices[-1],
        key="context",
        bind=BOUND,
        help="Prompt and reply of one sequence together.",
    )
    streams: int | None = middle.number_input(
        "Streams", 1, MOST_SEQUENCES, None, key="sequences", bind=BOUND, placeholder="all",
        help="Requests at once, each with a full context in memory. Empty: one must fit, and as many run as fit.",
    )  # fmt: skip
    kv_format = right.selectbox(
        "KV cache", list(KV_BYTES_PER_ELEMENT), index=1, key="kv_format", bind=BOUND, help="Format of keys and values."
    )
    return Use(context_tokens=int(context), sequences=streams or 1, kv_format=kv_format), streams


def show_places(model: Subject, use: Use, places: Sequence[Place]) -> None:
    """The grid of GPUs and formats, and what the memory is made of."""
    st.subheader("Which GPUs hold it")
    cells = [
        GridCell(
            gpu_name=hardware.short_name(place.gpu),
            format_name=place.format_name.removeprefix("gguf-"),
            gpu_count=place.gpu_count,
            detail=_detail(place),
        )
        for place in places
    ]
    st.caption(
        "The number is how many of a GPU hold the model, 1, 2, 4 or 8; an empty cell is too small. Point at a cell for "
        "memory, longest context and price."
    )
    show.chart(figures.fit_grid(cells), key="fit_grid", description=_grid_in_words(model, use, places))
    _say_nominal(place.gpu for place in places)


def _say_nominal(gpus: Iterable[Gpu]) -> None:
    names = sorted({hardware.short_name(gpu) for gpu in gpus if hardware.is_nominal(gpu)})
    if names:
        listed = ", ".join(names)
        st.caption(plain(f"Nominal figures of the vendor, not read again in a data sheet: {listed}."))


def _detail(place: Place) -> str:
    need = place.need
    total = f"{need.total_bytes / BYTES_PER_GIB:,.1f} GiB"
    if place.gpu_count is None:
        return f"needs {total}: more than eight of them hold"
    price = place.price
    asked = (
        "no price of this class"
        if price is None
        else (
            f"${price.usd_per_gpu_hour.low * place.gpu_count:,.2f} to "
            f"${price.usd_per_gpu_hour.high * place.gpu_count:,.2f} an hour"
        )
    )
    context = place.largest_context_tokens
    longest = "" if context is None else f", up to {count_text(context)} tokens of context"
    return f"{total} on {counted(place.gpu_count, 'GPU')}{longest}, {asked}"


def _grid_in_words(model: Subject, use: Use, places: Sequence[Place]) -> str:
    holding = {place.gpu.gpu_id for place in places if place.gpu_count == 1}
    every = {place.gpu.gpu_id for place in places}
    return (
        f"{model.name} with {use.context_tokens:,} tokens: {len(holding)} of {len(every)} kinds of GPU hold it on one, "
        "in at least one of these formats."
    )


def show_parts(model: Subject, use: Use) -> None:
    """Weights, KV cache and buffers of each format."""
    st.subheader("What the memory is made of")
    needs = [(name.removeprefix("gguf-"), fit.need_of(model, use, format_name=name)) for name in fit.FORMATS_BEST_FIRST]
    widest = max(need.total_bytes for _, need in needs)
    marked = [(f"{gb} GB", size) for gb in MARKED_GB if (size := memory.usable_bytes(gb)) < 1.2 * widest]
    first = needs[0][1]
    show.chart(
        figures.memory_bars(needs, capacities=marked),
        key="memory_parts",
        description=f"{model.name}: KV cache {first.kv_cache_bytes / BYTES_PER_GIB:,.2f} GiB in every format.",
    )
    if marked:
        st.caption("Dotted: what cards of that size can hold, nine tenths of their memory (assumption).")
    for warning in first.warnings:
        st.caption(plain(f"Note: {warning}"))


def show_served(model: Subject, use: Use, found: Sequence[Served], *, family: str, output_tokens: int) -> None:
    """How fast each GPU is and what that costs: the cheapest deployment of each in the chart, all in the table."""
    st.subheader("How fast, and at what price")
    cheapest: dict[str, Served] = {}
    for one in found:
        if one.speeds.output_tokens_per_s is not None:
            cheapest.setdefault(one.place.gpu.gpu_id, one)
    shown = list(cheapest.values())[:DEPLOYMENTS_DRAWN]
    st.caption(
        plain(
            f"One stream with a prompt of {use.context_tokens - output_tokens:,} tokens and {output_tokens:,} written; "
            "the line holds four of five measurements, a mark without one was measured. The cheapest deployment per "
            "token of each GPU, cheapest first. "
            "Medians of a steady load: how long the slowest requests wait is not predicted."
        )
    )
    ranges = [
        SpeedRange(
            label=hardware.label(one).replace(", ", "\n", 1),
            family=family,
            low=rate.low,
            mid=rate.value,
            high=rate.high,
            detail=f"{hardware.rate_in_words(rate)}; {hardware.cost_in_words(one)}\n{rate.error_sentence}",
        )
        for one in shown
        if (rate := one.speeds.decode_tokens_per_s) is not None
    ]  # fmt: skip
    if ranges:
        show.chart(
            figures.speed_ranges(ranges, x_title="tokens/s, one stream"),
            key="speed_ranges",
            description=hardware.answer(model, use, found),
        )
    show.table(hardware.served_table(found), key="served")


def pick_gpus(facts: Facts, billing: Billing) -> list[Gpu]:
    """Those with a price, or all."""
    everything = st.toggle("Also GPUs without a price", key="all_gpus", bind=BOUND)
    return hardware.known_gpus(facts) if everything else hardware.priced_gpus(facts, billing)


# --- predicted against measured ---------------------------------------------------------------------------------------


def show_accuracy(found: Sequence[Residual], known: Calibration) -> None:
    """Every measurement against what is predicted for it by a fit that had not seen its GPU."""
    shown, unit = _filtered(found)
    if not shown:
        st.info("No measurement matches all of these filters: set one of them to any.", icon=":material/filter_alt:")
        return
    sentence = accuracy.accuracy_sentence(shown)
    st.markdown(f"#### {plain(sentence)}")
    chosen = st.plotly_chart(
        figures.predicted_against_measured([_residual_point(one) for one in shown], unit=unit),
        key="predicted_against_measured",
        on_select="rerun",
        selection_mode="points",
        alt=sentence,
        config=show.CHART_CONFIG,
    )
    by_id = {(one.record_id, one.quantity): one for one in shown}
    for point in chosen["selection"]["points"][:POINTS_TOLD]:
        _tell(by_id.get(tuple(point.get("customdata", ("", "", ""))[1:3])))
    st.caption("Choose a point to see the measurement and its source; the tables hold them all.")
    st.subheader("Error by engine, GPU and source")
    st.caption("A group of 30 or more whose band holds fewer than 72 or more than 88 of 100 measurements says so.")
    show.table(accuracy.accuracy_table(shown, known), key="accuracy")
    st.subheader("Every point, the worst first")
    show.table(accuracy.residual_table(shown), key="residuals")


def _filtered(found: Sequence[Residual]) -> tuple[list[Residual], str]:
    columns = st.columns(4)
    names = [accuracy.RATES, *sorted({one.quantity for one in found})]
    explain_choice("figure", names)
    shown, unit = accuracy.of_quantity(found, columns[0].selectbox("Figure", names, key="figure", bind=BOUND))
    for (name, label), column in zip(RESIDUAL_FILTERS.items(), columns[1:], strict=True):
        values = sorted({getattr(one, name) for one in found})
        explain_choice(f"only_{name}", [ANY, *values])
        chosen = column.selectbox(label, [ANY, *values], key=f"only_{name}", bind=BOUND)
        shown = [one for one in shown if chosen in (ANY, getattr(one, name))]
    return shown, unit


def _tell(one: Residual | None) -> None:
    if one is None:
        return
    link = source_url(one.source)
    text = (
        f"{one.record_id}: {one.model_id} as {one.weight_format} with {one.engine} on {one.gpu_id}, {one.quantity}: "
        f"measured {one.measured:,.4g}, predicted {one.predicted:,.4g}; measured by {one.measured_by}."
    )
    st.markdown(f"{plain(text)} [Source]({link})" if link else plain(text))


def _residual_point(one: Residual) -> Point:
    return Point(
        group=accuracy.GROUPS[one.quantity],
        measured=one.measured,
        predicted=one.predicted,
        detail=f"{one.model_id}, {one.weight_format}, {one.engine}, {one.gpu_id}; {one.measured_by}",
        keys=(one.record_id, one.quantity),
    )


# --- what a machine runs ----------------------------------------------------------------------------------------------


def show_what_runs(facts: Facts, wanted_output_tokens: float) -> None:
    """Which models a machine holds, in which format, how fast."""
    answer = st.container()
    gpu, count = _pick_machine(facts)
    explain_choice("context_there", CONTEXTS)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    context = left.select_slider(
        "Context, tokens", CONTEXTS, value=DEFAULT_CONTEXT_TOKENS, key="context_there", bind=BOUND,
        help="Prompt and reply of one sequence together.",
    )  # fmt: skip
    formats = what_runs.formats_for(gpu)
    explain_choice("format_there", [BEST, *formats])
    chosen = right.selectbox(
        "Format", [BEST, *formats], key="format_there", bind=BOUND, help="Best: the most bits per weight that fit."
    )
    use = Use(context_tokens=int(context))
    asked = formats if chosen == BEST else (chosen,)
    found = what_runs.what_runs(
        facts, use, gpu=gpu, gpu_count=count, formats=asked,
        output_tokens=hardware.written_tokens(use, wanted_output_tokens),
    )  # fmt: skip
    answer.markdown(f"#### {plain(found.answer)}")
    if gpu is not None:
        _say_nominal([gpu])
    if gpu is None and not found.is_calibrated:
        st.info("No speed is predicted for this machine before one model was measured: see “This machine”.",
                icon=":material/speed:")  # fmt: skip
    _draw_what_runs(found)


def _pick_machine(facts: Facts) -> tuple[Gpu | None, int]:
    """A GPU of the catalogue and how many, or None for this machine."""
    gpus = {gpu.gpu_id: gpu for gpu in hardware.known_gpus(facts)}
    names = [HERE_ID, *gpus]
    explain_choice("machine", names)
    explain_choice("gpus", GPU_COUNTS)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    chosen = left.selectbox(
        "Machine", names, index=names.index(DEFAULT_GPU) if DEFAULT_GPU in gpus else 0, key="machine", bind=BOUND
    )
    if chosen == HERE_ID:
        return None, 1
    count = right.segmented_control("How many", list(GPU_COUNTS), default=1, key="gpus", bind=BOUND, required=True)
    return gpus[chosen], int(count)


def _draw_what_runs(found: WhatRuns) -> None:
    ranges = [
        SpeedRange(
            label=one.runnable.model.display_name, family=one.runnable.model.family, low=rate.low, mid=rate.value,
            high=rate.high,
            detail=f"{one.runnable.format_name}, {one.engine}: {hardware.rate_in_words(rate)}\n{rate.error_sentence}",
        )
        for one in found.models
        if (rate := one.decode_tokens_per_s) is not None
    ]  # fmt: skip
    if ranges:
        st.subheader("How fast")
        st.caption("One stream; the line holds four of five measurements. The newest models first.")
        show.chart(
            figures.speed_ranges(ranges[:MODELS_DRAWN], x_title="tokens/s, one stream"),
            key="what_runs_speeds",
            description=found.answer,
        )
    st.subheader("All models, and why some do not run")
    show.table(what_runs.what_runs_table(found), key="what_runs")
