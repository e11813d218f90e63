"""The parts of the Breakeven page: the pair, its curves, what matters most, the map, the arithmetic."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import get_args

import streamlit as st

from llmcompare import figures
from llmcompare.core import freshness, tables, two_options, words
from llmcompare.core.comparison import Comparison, OptionKey
from llmcompare.core.knobs import DEFAULT_SPREAD_FRACTION, SHARES, Knob
from llmcompare.core.phrases import sentence_start
from llmcompare.core.sensitivity import Bar
from llmcompare.core.tables import Table
from llmcompare.core.two_options import TwoOptions
from llmcompare.core.units import count_text, usd_text
from llmcompare.figures.breakeven import MapAxis, TornadoRow
from llmcompare.services import breakeven
from llmcompare.services.breakeven import Breakeven
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.handover import offer_predictions
from llmcompare.ui.inputs import explain_choice
from llmcompare.ui.safe import plain

CROSSING, SAVING = RESULTS = ("First crossing", "Saving a month")
BARS_DRAWN = 12
SPREADS = (5, 75)
PERCENT = 100
WORDS: dict[OptionKey, str] = {
    "api": "Token-priced API", "serverless": "Serverless GPUs", "rented": "Rented GPUs",
    "rented_at_scale": "Rented GPUs, for growth", "owned": "Own machine", "today": "Today's API",
}  # fmt: skip
"""What an option is called in a list and in a link; which GPUs they are changes with every input."""


def pick_pair(comparison: Comparison) -> tuple[OptionKey, OptionKey] | None:
    """Two of the options that there are; None where there is one alone."""
    start = two_options.default_pair(comparison)
    if start is None:
        return None
    names = {option.key: option.name for option in comparison.options}
    there = {WORDS[key]: key for key in get_args(OptionKey) if key in names}
    _take_keys()
    chosen: list[OptionKey] = []
    for column, name, label, default in zip(
        st.columns(2), ("first", "second"), ("Compare", "with"), start, strict=True
    ):
        explain_choice(name, (*there, *there.values()))
        said = column.selectbox(
            label, list(there), index=list(there).index(WORDS[default]), key=name, bind=BOUND,
            help=plain("; ".join(f"{word}: {names[key]}" for word, key in there.items())),
        )  # fmt: skip
        chosen.append(there[said])
    return chosen[0], chosen[1]


def _take_keys() -> None:
    """A link may name an option by its key, as the command line does."""
    keys = [name for name in ("first", "second") if st.query_params.get(name) in WORDS]
    for name in keys:
        st.query_params[name] = WORDS[st.query_params[name]]  # type: ignore[index]
    if keys:
        # The widgets read the address at the start of a run.
        st.rerun()


def show_curves(pair: TwoOptions) -> None:
    """Both options over volume, and their crossings one by one."""
    show.chart(figures.pair_curves(pair), key="pair_curves", description=two_options.answer(pair))
    st.caption(
        "Bands: lowest to highest price, with the highest and the lowest capacity. Shaded: where a crossing lies as "
        "prices and capacity go from one end of their bands to the other."
    )
    show.sentences(*two_options.details(pair), *two_options.crossing_sentences(pair))
    if "rented" in (pair.late.key, pair.early.key):
        offer_predictions(pair.comparison)


def pick_spread() -> float:
    """The spread of inputs of which the data has no band, as a share."""
    percent: int = st.slider(
        "Spread of inputs without a band, %", *SPREADS, round(DEFAULT_SPREAD_FRACTION * PERCENT), 5, key="spread",
        bind=BOUND, help="Assumption: to both sides. Prices and capacity have bands of their own, from the data.",
    )  # fmt: skip
    return percent / PERCENT


def pick_result(pair: TwoOptions) -> str:
    """Of what the inputs are turned for: the first crossing, or the saving where there is none at middle prices."""
    crosses = bool(pair.bands.middle.points)
    # Two keys: a widget keeps what it held when its default changes with the pair.
    start, key = (CROSSING, "matters") if crosses else (SAVING, "matters_apart")
    chosen = st.segmented_control("Result", RESULTS, default=start, required=True, key=key, bind=BOUND)
    if not crosses:
        st.caption(
            "They never cross at middle prices, so this begins with the saving at your volume. “First crossing” shows "
            "what alone would make them cross."
        )
    return chosen or start


def show_what_matters(found: Breakeven, result: str) -> None:
    """The tornado of one result."""
    pair, volumes = found.pair, result == CROSSING
    bars = found.pays_from if volumes else found.saving
    moving = [bar for bar in bars if bar.swing != 0][:BARS_DRAWN]
    if not moving:
        st.info(plain(_nothing_moves(pair, volumes=volumes)), icon=":material/info:")
        return
    late = sentence_start(pair.late.name)
    x_title = "requests per month (log)" if volumes else "USD per month"
    figure = figures.tornado(
        [_tornado_row(found.knob(bar.input.name), bar) for bar in moving],
        at_mid=moving[0].at_mid,
        x_title=x_title,
        volumes=volumes,
    )
    show.chart(figure, key="tornado", description=_tornado_in_words(found, moving, volumes=volumes))
    said = f"{late} pays from this volume on" if volumes else f"What {pair.late.name} saves at your volume"
    middle = _result(moving[0].at_mid, volumes=volumes)
    st.caption(
        plain(
            f"{said}: one input at its ends, all others at their middle, widest on top. The upright line is all at "
            f"their middle: {middle}."
        )
    )
    still = [found.knob(bar.input.name).label for bar in bars if bar.swing == 0]
    if still:
        st.caption(plain(f"Moves nothing here: {', '.join(still)}."))


def _nothing_moves(pair: TwoOptions, *, volumes: bool) -> str:
    if volumes and not pair.bands.middle.points:
        return f"No single input makes {pair.late.name} pay at any volume. See what it does to the saving."
    return "No single input moves this."


def _tornado_row(knob: Knob, bar: Bar) -> TornadoRow:
    return TornadoRow(
        label=knob.label,
        low_text=knob.text(knob.band.low),
        high_text=knob.text(knob.band.high),
        at_low=bar.at_low,
        at_high=bar.at_high,
    )


def _tornado_in_words(found: Breakeven, bars: list[Bar], *, volumes: bool) -> str:
    return " ".join(
        f"{knob.label} {knob.text(knob.band.low)} to {knob.text(knob.band.high)}: "
        f"{_result(bar.at_low, volumes=volumes)} to {_result(bar.at_high, volumes=volumes)}."
        for bar in bars
        for knob in [found.knob(bar.input.name)]
    )


def _result(value: float | None, *, volumes: bool) -> str:
    if value is None:
        return "never" if volumes else "not to be had"
    return f"{count_text(value)} requests a month" if volumes else f"{usd_text(value)} a month"


def show_map(found: Breakeven) -> None:
    """The saving over two inputs that can be chosen."""
    start = breakeven.map_names(found)
    if start is None:
        return
    st.subheader("Two inputs at once")
    chosen = _pick_axes(found, start)
    if chosen[0] == chosen[1]:
        st.info("Choose two different inputs.", icon=":material/info:")
        return
    grid, pair = breakeven.saving_map(found, *chosen), found.pair
    figure = figures.saving_map(
        _axis(grid.x, grid.xs),
        _axis(grid.y, grid.ys),
        grid.saving_usd_per_month,
        late=(pair.late.key, pair.late.name),
        early=(pair.early.key, pair.early.name),
    )
    show.chart(figure, key="saving_map", description=_map_in_words(found, grid.saving_usd_per_month))
    st.caption(
        plain(
            f"At {count_text(pair.requests_per_month)} requests a month. Above 0 {pair.late.name} is cheaper, below 0 "
            f"{pair.early.name}. Steps are whole replicas. {_map_in_words(found, grid.saving_usd_per_month)}"
        )
    )


def _pick_axes(found: Breakeven, start: tuple[str, str]) -> tuple[str, str]:
    """Names of two inputs; a link has their labels, which name no GPU and stay."""
    names = {knob.label: knob.name for knob in found.turned.knobs}
    labels, chosen = list(names), []
    for column, key, label, default in zip(
        st.columns(2), ("map_x", "map_y"), ("Across", "Upwards"), start, strict=True
    ):
        explain_choice(key, labels)
        begin = labels.index(found.knob(default).label)
        chosen.append(names[column.selectbox(label, labels, index=begin, key=key, bind=BOUND)])
    return chosen[0], chosen[1]


def _axis(knob: Knob, values: tuple[float, ...]) -> MapAxis:
    return MapAxis(label=knob.label, unit=knob.unit, values=values, here=knob.band.mid, is_share=knob.name in SHARES)


def _map_in_words(found: Breakeven, rows: tuple[tuple[float | None, ...], ...]) -> str:
    cells = [cell for row in rows for cell in row if cell is not None]
    cheaper = sum(cell > 0 for cell in cells) / max(1, len(cells))
    where = f"in {cheaper:.0%} of the map" if cheaper else "nowhere on this map"
    return f"{sentence_start(found.pair.late.name)} is cheaper {where}."


def show_arithmetic(pair: TwoOptions) -> None:
    """Every figure of the answer, with its numbers filled in."""
    content = st.expander("Show the arithmetic", icon=":material/calculate:", key="arithmetic", bind=BOUND)
    if not content.open:
        return
    with content:
        st.caption("At middle prices. ⌈ ⌉ rounds up to whole replicas. Each line can be typed into a calculator.")
        for heading, steps in two_options.arithmetic(pair):
            st.markdown(f"**{plain(heading)}**")
            show.steps(steps)


def show_rows(found: Breakeven) -> None:
    """Tables behind the page, its assumptions and its sources."""
    comparison, keys = found.comparison, {found.pair.late.key, found.pair.early.key}
    aged = partial(freshness.marked, today=date.today())
    behind: dict[str, Callable[[], Table]] = {"Inputs": lambda: breakeven.tornado_table(found)}
    if found.pair.bands.intervals:
        behind["Crossings"] = lambda: two_options.crossing_table(found.pair)
    if "api" in keys:
        behind["API prices"] = lambda: aged(tables.api_price_table(comparison))
    if keys & {"rented", "rented_at_scale"}:
        behind["GPU prices"] = lambda: aged(tables.gpu_price_table(comparison))
    behind["Sources"] = lambda: breakeven.rows_used(found)
    assumed = [*words.assumptions(comparison), *breakeven.assumptions(found)]
    show.behind(behind, {"Assumptions": lambda: show.assumptions(assumed)}, key="breakeven_behind")
