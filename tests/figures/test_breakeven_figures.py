"""The figures of two options: crossings and intervals where the core finds them, bars that end at results, the map."""

from dataclasses import replace
from math import log10

import numpy as np
import pytest

from llmcompare import figures
from llmcompare.core import two_options
from llmcompare.core.scenario import Scenario
from llmcompare.figures.breakeven import NEVER_BEYOND, MapAxis, TornadoRow, shaded
from llmcompare.figures.style import OPTION_COLOURS
from llmcompare.services import costs

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> & co"
H100 = Scenario(model="llama-3.1-8b-instruct", gpu="h100-sxm-80gb", capacity_basis="predicted", requests_per_month=30e6)


@pytest.fixture(scope="module")
def pair(real_facts):
    return two_options.two_options(costs.compare(real_facts, H100), "api", "rented")


@pytest.fixture(scope="module")
def drawn(pair):
    return figures.pair_curves(pair)


def trace(figure, name):
    (found,) = [data for data in figure.data if data.name == name]
    return found


def test_both_options_are_drawn_with_their_bands_and_no_other(pair, drawn):
    names = {data.name for data in drawn.data if data.mode == "lines"}
    assert {pair.late.label, pair.early.label} <= names
    assert trace(drawn, pair.late.label).line.color == OPTION_COLOURS["rented"]
    assert drawn.layout.xaxis.title.text == "requests per month (log scale)"
    assert drawn.layout.yaxis.title.text == "USD per month (log scale)"


def test_crossings_are_marked_where_the_core_finds_them(pair, drawn):
    low, high = (10**end for end in drawn.layout.xaxis.range)
    points = [p for p in pair.bands.middle.points if low <= p.requests_per_month <= high]
    assert points
    assert list(trace(drawn, "crossing").x) == [p.requests_per_month for p in points]
    assert list(trace(drawn, "crossing").y) == [p.usd_per_month for p in points]


def test_the_volumes_between_which_the_late_option_begins_to_pay_are_shaded_and_in_view(pair, drawn):
    low, high = (10**end for end in drawn.layout.xaxis.range)
    first, *_ = shaded(pair)
    assert first == (pair.bands.earliest, pair.bands.latest)
    assert pair.bands.latest is None  # never at worst: shaded to the edge
    assert (drawn.layout.shapes[0].x0, drawn.layout.shapes[0].x1) == pytest.approx((pair.bands.earliest, high))
    assert low < pair.bands.earliest < pair.requests_per_month < high


def test_a_pair_that_never_pays_has_nothing_shaded_where_it_does_not_at_best_either(real_facts):
    never = two_options.two_options(costs.compare(real_facts, Scenario()), "api", "today")
    assert shaded(never) == []
    assert len(figures.pair_curves(never).layout.shapes) == 1  # the volume


ROWS = [
    TornadoRow(label="GPU price, 1 × H100", low_text="$2", high_text="$4", at_low=1e6, at_high=None),
    TornadoRow(label=HOSTILE, low_text=HOSTILE, high_text="$4", at_low=3e6, at_high=1.5e6),
]


def ends(figure, name):
    bar = trace(figure, name)
    return [base + length for base, length in zip([bar.base] * len(bar.x), bar.x, strict=True)]


def test_bars_of_volumes_run_from_the_middle_to_the_results_and_never_lies_beyond_the_largest():
    figure = figures.tornado(ROWS, at_mid=2e6, x_title="requests per month", volumes=True)
    assert ends(figure, "input low") == [1e6, 3e6]
    assert ends(figure, "input high") == pytest.approx([NEVER_BEYOND * 3e6, 1.5e6])
    assert list(trace(figure, "input high").text) == ["never", ""]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.range[1] > log10(NEVER_BEYOND * 3e6)
    assert figure.layout.xaxis.range[0] < 6
    assert figure.layout.yaxis.autorange == "reversed"


def test_where_the_middle_is_never_the_bars_begin_at_the_edge():
    figure = figures.tornado(ROWS, at_mid=None, x_title="requests per month", volumes=True)
    assert trace(figure, "input low").base == pytest.approx(NEVER_BEYOND * 3e6)


def test_bars_of_savings_may_lie_on_both_sides_of_nothing():
    rows = [TornadoRow(label="Staff", low_text="5 h", high_text="15 h", at_low=300.0, at_high=-500.0)]
    figure = figures.tornado(rows, at_mid=-100.0, x_title="USD per month", volumes=False)
    assert (ends(figure, "input low"), ends(figure, "input high")) == ([300], [-500])
    assert figure.layout.xaxis.type is None
    assert trace(figure, "input high").customdata[0][1] == "−$500"


def test_a_volume_of_nothing_has_a_place_on_the_logarithmic_axis():
    rows = [TornadoRow(label="Purchase", low_text="$1", high_text="$2", at_low=0.0, at_high=4e5)]
    figure = figures.tornado(rows, at_mid=2e5, x_title="requests per month", volumes=True)
    assert ends(figure, "input low")[0] > 0
    assert trace(figure, "input low").customdata[0][1] == "any volume"


def axis(label, here, values, *, is_share=False):
    return MapAxis(label=label, unit="USD per GPU-hour", values=values, here=here, is_share=is_share)


def drawn_map(cells):
    x, y = axis("GPU price", 2.0, (1.0, 2.0, 3.0)), axis("Utilisation", 0.5, (0.25, 0.5), is_share=True)
    return figures.saving_map(x, y, cells, late=("rented", HOSTILE), early=("api", "the API"))


def test_the_map_has_the_saving_in_every_field_equal_cost_as_a_line_and_the_point_of_the_question():
    cells = ((300.0, 0.0, -300.0), (500.0, 200.0, -100.0))
    figure = drawn_map(cells)
    heat = figure.data[0]
    assert np.array_equal(heat.z, np.array(cells))
    assert heat.zmin == -heat.zmax  # the middle of the colours is equal cost
    assert heat.colorscale[-1][1].startswith("rgba(194,71,127")  # the colour of renting, where renting saves
    contour = trace(figure, "equal cost")
    assert (contour.contours.start, contour.contours.end) == (0, 0)
    assert (trace(figure, "here now").x[0], trace(figure, "here now").y[0]) == (2.0, 0.5)
    assert figure.layout.xaxis.title.text == "GPU price, USD per GPU-hour"
    assert figure.layout.yaxis.tickformat == ".0%"


def test_a_map_on_which_one_option_is_always_cheaper_has_no_line_of_equal_cost():
    assert [data.name for data in drawn_map(((-3.0, -2.0, -1.0),) * 2).data if data.type == "contour"] == []


def test_a_field_without_a_result_is_empty():
    figure = drawn_map(((None, 1.0, 2.0), (None, -1.0, 2.0)))
    assert np.isnan(figure.data[0].z[0][0])


def test_text_from_data_is_no_markup_in_any_of_them(pair):
    hostile = replace(pair, late=replace(pair.late, name=HOSTILE, label=HOSTILE))
    for figure in (
        figures.pair_curves(hostile),
        figures.tornado(ROWS, at_mid=2e6, x_title="x", volumes=True),
        drawn_map(((1.0, -1.0, 2.0),) * 2),
    ):
        assert "<script" not in str(figure.to_plotly_json())
        assert "<img" not in str(figure.to_plotly_json())
