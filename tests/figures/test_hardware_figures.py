"""The figures of the Hardware page: counts in cells, parts that add up, bands, every point, names as plain text."""

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare import figures
from llmcompare.core import memory
from llmcompare.core.memory import GPU_COUNTS, Use
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.figures.hardware import SCENARIO_COLOURS, SCENARIO_SYMBOLS, TOO_SMALL, GridCell, Point, SpeedRange
from llmcompare.figures.style import FAMILY_COLOURS, FAMILY_SYMBOLS
from llmcompare.services import fit
from llmcompare.services.fit import FORMATS_BEST_FIRST
from tests.figures.test_drawn_figures import HOSTILE, texts, trace

counts = st.sampled_from([*GPU_COUNTS, None])
rates = st.floats(0.01, 1e6)


@pytest.fixture(scope="module")
def needs(real_facts):
    model = fit.subject(real_facts, "llama-3.3-70b-instruct")
    use = Use(context_tokens=131_072)
    return [(name, fit.need_of(model, use, format_name=name)) for name in FORMATS_BEST_FIRST]


def cell(gpu, name, count, detail=""):
    return GridCell(gpu_name=gpu, format_name=name, gpu_count=count, detail=detail)


def coloured(figure: go.Figure) -> list[go.Heatmap]:
    """One heat map per count; the one that is not seen is for the hover boxes of empty cells."""
    return [data for data in figure.data if data.type == "heatmap" and data.name != TOO_SMALL]


def shown(figure: go.Figure) -> dict[tuple[str, str], str]:
    """The number in each cell of the grid that has one."""
    found = {}
    for heat in coloured(figure):
        for gpu, texts_there, filled in zip(heat.y, heat.text, heat.z, strict=True):
            for name, text, value in zip(heat.x, texts_there, filled, strict=True):
                assert (text == "") == (value is None), "a colour without a number, or a number without a colour"
                if text:
                    assert (gpu, name) not in found
                    found[gpu, name] = text
    return found


# --- the grid ---------------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.tuples(st.sampled_from("ABCD"), st.sampled_from(["bf16", "fp8", "q4"])), counts, min_size=1))
def test_the_grid_holds_the_counts_it_is_given_and_nothing_where_eight_are_too_few(placed):
    figure = figures.fit_grid([cell(gpu, name, count) for (gpu, name), count in placed.items()])
    assert shown(figure) == {place: str(count) for place, count in placed.items() if count is not None}


def test_gpus_stand_in_the_order_given_from_the_top_and_formats_from_the_left():
    figure = figures.fit_grid([cell(gpu, name, 1) for gpu in ("small", "large") for name in ("bf16", "q4")])
    heat = figure.data[0]
    assert (heat.y, heat.x) == (("small", "large"), ("bf16", "q4"))
    assert figure.layout.yaxis.autorange == "reversed"


def test_every_count_has_a_name_in_the_legend_and_a_colour_of_its_own():
    figure = figures.fit_grid([cell("A", "bf16", count) for count in GPU_COUNTS])
    named = [(data.name, data.marker.color) for data in figure.data if data.type == "scatter"]
    assert [name for name, _ in named] == ["1 GPU", "2 GPUs", "4 GPUs", "8 GPUs"]
    assert len({colour for _, colour in named}) == 4
    filled = [data.colorscale[0][1] for data in coloured(figure)]
    assert filled == [colour for _, colour in named]


def test_what_is_said_of_a_cell_stands_in_its_hover_box():
    figure = figures.fit_grid([cell("A", "bf16", 2, "140 GiB on 2 GPUs"), cell("A", "q4", None, "needs 900 GiB")])
    two = next(data for data in coloured(figure) if data.text[0][0] == "2")
    empty = trace(figure, TOO_SMALL)
    for heat, filled in ((two, [1, None]), (empty, [None, 0])):
        assert list(heat.z[0]) == filled
        assert list(heat.customdata[0]) == ["140 GiB on 2 GPUs", "needs 900 GiB"]
        assert "%{customdata}" in heat.hovertemplate


# --- memory -----------------------------------------------------------------------------------------------------------


def test_the_parts_of_each_format_add_up_to_what_it_needs(needs):
    figure = figures.memory_bars(needs)
    bars = [data for data in figure.data if data.type == "bar"]
    assert [bar.name for bar in bars] == ["weights", "KV cache", "buffers"]
    assert figure.layout.barmode == "stack"
    for at, (name, need) in enumerate(needs):
        assert {bar.y[at] for bar in bars} == {name}
        assert sum(bar.x[at] for bar in bars) == pytest.approx(need.total_bytes / BYTES_PER_GIB)


def test_the_cache_of_llama_3_3_70b_is_40_gib_at_128k_in_every_format(needs):
    assert set(trace(figures.memory_bars(needs), "KV cache").x) == {40.0}


def test_the_memory_of_a_gpu_is_marked_where_nine_tenths_of_it_end(needs):
    figure = figures.memory_bars(needs, capacities=[("80 GB", memory.usable_bytes(80))])
    (line,) = figure.layout.shapes
    assert (line.x0, line.x1) == (pytest.approx(72.0), pytest.approx(72.0))
    assert figure.layout.annotations[0].text == "80 GB"
    assert figure.layout.xaxis.title.text == "memory, GiB"


# --- speeds -----------------------------------------------------------------------------------------------------------

bands = st.lists(st.tuples(rates, rates, rates).map(sorted), min_size=1, max_size=8)


@given(found=bands, families=st.lists(st.sampled_from(list(FAMILY_COLOURS)), min_size=8, max_size=8))
def test_every_range_ends_at_p10_and_p90_and_all_keep_their_order(found, families):
    ranges = [
        SpeedRange(label=f"m{at}", family=families[at], low=low, mid=mid, high=high, detail="")
        for at, (low, mid, high) in enumerate(found)
    ]
    figure = figures.speed_ranges(ranges, x_title="tokens/s (log scale)")
    drawn = {
        label: (mid - less, mid, mid + more)
        for data in figure.data
        for label, mid, less, more in zip(data.y, data.x, data.error_x.arrayminus, data.error_x.array, strict=True)
    }
    for one in ranges:
        assert drawn[one.label] == pytest.approx((one.low, one.mid, one.high), abs=1e-9 * one.high)
    assert len(drawn) == len(ranges)
    # The last category of an axis is at its top.
    assert list(figure.layout.yaxis.categoryarray) == [one.label for one in reversed(ranges)]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.tickvals[0] <= min(low for low, _, _ in found)
    assert figure.layout.xaxis.tickvals[-1] >= max(high for _, _, high in found)


def test_families_differ_in_colour_and_in_shape():
    ranges = [SpeedRange(label=name, family=name, low=1, mid=2, high=3, detail="") for name in FAMILY_COLOURS]
    markers = {data.marker.color: data.marker.symbol for data in figures.speed_ranges(ranges, x_title="x").data}
    assert markers == {FAMILY_COLOURS[name]: FAMILY_SYMBOLS[name] for name in FAMILY_COLOURS}
    assert len(set(markers.values())) == len(FAMILY_COLOURS)


def test_every_family_of_the_catalogue_has_a_colour(real_facts):
    assert {model.family for model in real_facts.models.values()} <= set(FAMILY_COLOURS)


def test_a_label_of_two_lines_is_one_mark():
    ranges = [SpeedRange(label="1 × H100\nfp8, vllm", family="llama", low=1, mid=2, high=3, detail="")]
    figure = figures.speed_ranges(ranges, x_title="x")
    assert list(figure.data[0].y) == list(figure.layout.yaxis.categoryarray) == ["1 × H100<br>fp8, vllm"]


def test_nothing_to_draw_is_an_empty_figure():
    assert len(figures.speed_ranges([], x_title="tokens/s").data) == 0
    assert len(figures.predicted_against_measured([]).data) == 0
    assert shown(figures.fit_grid([])) == {}


# --- predicted against measured ---------------------------------------------------------------------------------------

points = st.lists(
    st.builds(
        Point,
        group=st.sampled_from(list(SCENARIO_COLOURS)),
        measured=rates,
        predicted=rates,
        detail=st.just("a point"),
        keys=st.tuples(st.text(max_size=4), st.just("decode")),
    ),
    min_size=1,
    max_size=20,
)


def marks(figure: go.Figure) -> list[go.Scattergl]:
    return [data for data in figure.data if data.mode == "markers"]


@given(points)
def test_every_point_is_in_the_scatter_under_its_group_and_hands_back_its_keys(found):
    figure = figures.predicted_against_measured(found)
    drawn = [
        (data.name, x, y, tuple(said[1:]))
        for data in marks(figure)
        for x, y, said in zip(data.x, data.y, data.customdata, strict=True)
    ]
    assert sorted(drawn) == sorted((one.group, one.measured, one.predicted, one.keys) for one in found)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")


@given(points)
def test_guides_run_over_all_points_at_the_measured_value_half_of_it_and_twice(found):
    lines = [data for data in figures.predicted_against_measured(found).data if data.mode == "lines"]
    assert sorted(line.y[0] / line.x[0] for line in lines) == [0.5, pytest.approx(1.0), pytest.approx(2.0)]
    values = [value for one in found for value in (one.measured, one.predicted)]
    for line in lines:
        assert list(line.x) == [min(values), max(values)]
        assert line.y[1] / line.x[1] == pytest.approx(line.y[0] / line.x[0])


def test_groups_differ_in_colour_and_in_shape_and_the_unit_is_on_both_axes():
    found = [Point(group=name, measured=1.0, predicted=2.0, detail="") for name in SCENARIO_COLOURS]
    figure = figures.predicted_against_measured(found, unit="s")
    assert {data.name: data.marker.color for data in marks(figure)} == SCENARIO_COLOURS
    assert len({SCENARIO_SYMBOLS[data.name] for data in marks(figure)}) == len(SCENARIO_COLOURS)
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert ", s (log scale)" in axis.title.text


# --- names ------------------------------------------------------------------------------------------------------------


def test_markup_in_names_reaches_no_chart_unescaped(needs):
    for figure in (
        figures.fit_grid([cell(HOSTILE, HOSTILE, 1, HOSTILE), cell(HOSTILE, "bf16", None, HOSTILE)]),
        figures.memory_bars([(HOSTILE, needs[0][1])], capacities=[(HOSTILE, 2**36)]),
        figures.speed_ranges(
            [SpeedRange(label=f"{HOSTILE}\n{HOSTILE}", family="qwen", low=1, mid=2, high=3, detail=HOSTILE)],
            x_title="tokens/s",
        ),
        figures.predicted_against_measured([Point(group="decode", measured=1.0, predicted=2.0, detail=HOSTILE)]),
    ):
        drawn = texts(figure)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in drawn
        for tag in ("<script", "</script", "<img"):
            assert tag not in drawn
