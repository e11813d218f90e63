"""What the figures hold: rows as points, units on the axes, crossings as the core finds them, names as plain text."""

from html import unescape
from math import log10

import plotly.graph_objects as go
import pytest

from llmcompare import figures
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import volumes
from llmcompare.figures.style import FAMILY_COLOURS, OPTION_COLOURS
from llmcompare.services import catalogue, costs, overview
from llmcompare.store.paths import Folders

HOSTILE = "<script>alert(1)</script></script><img src=x onerror=alert(1)> $x$ [a](javascript:b) %{x} & co"


@pytest.fixture(scope="module")
def comparison(real_facts):
    return costs.compare(real_facts, Scenario(requests_per_month=5e6))


@pytest.fixture(scope="module")
def drawn(comparison) -> go.Figure:
    return figures.cost_curves(comparison)


@pytest.fixture(scope="module")
def quality(real_facts):
    cell = next(iter(overview.score_cells(real_facts).values()))
    return overview.quality_against_cost(real_facts, Scenario(), cell)


def trace(figure: go.Figure, name: str):
    (found,) = [data for data in figure.data if data.name == name]
    return found


def texts(figure: go.Figure) -> str:
    """Every text of a figure, as it is handed to plotly."""
    return str(figure.to_plotly_json())


def test_both_axes_of_the_cost_chart_are_named_with_their_unit_and_logarithmic(drawn):
    assert drawn.layout.xaxis.title.text == "requests per month (log scale)"
    assert drawn.layout.yaxis.title.text == "USD per month (log scale)"
    assert (drawn.layout.xaxis.type, drawn.layout.yaxis.type) == ("log", "log")
    assert drawn.layout.yaxis.tickprefix == "$"


def test_every_option_is_drawn_at_every_volume_with_its_middle_and_its_band(comparison, drawn):
    grid = volumes(comparison)
    for option in comparison.options:
        line = trace(drawn, option.label)
        costs_there = [option.curves.usd_per_month(x) for x in grid]
        assert list(line.x) == grid
        assert list(line.y) == [cost.mid for cost in costs_there]
        assert line.line.color == OPTION_COLOURS[option.key]
        if option.key != "today":
            band = trace(drawn, f"{option.label}, range")
            assert list(band.x) == [*grid, *reversed(grid)]
            assert list(band.y) == [c.high for c in costs_there] + [c.low for c in reversed(costs_there)]


def test_steps_are_drawn_upright_on_both_sides_of_a_full_replica(comparison):
    grid = volumes(comparison)
    capacity = comparison.rented.curves.mid.groups[0].requests_per_replica_month
    if grid[0] < capacity < grid[-1]:
        assert capacity in grid
        assert min(x for x in grid if x > capacity) <= capacity * (1 + 2e-9)


def test_crossings_are_marked_where_the_core_finds_them(comparison, drawn):
    assert marked(drawn) == expected_marks(comparison) != []


def test_a_jump_is_marked_as_a_jump(small_facts):
    # A full replica costs nearly what the API does for as much: equal shortly before it is full, a jump where it is.
    scenario = Scenario(
        model="tiny-7b",
        requests_per_month=7e6,
        input_tokens=1_000,
        output_tokens=1_000,
        gpu="h100-sxm-80gb",
        throughput_record="them-1",
        own_usd_per_gpu_hour=8.0,
    )
    comparison = costs.compare(small_facts, scenario)
    marks = marked(figures.cost_curves(comparison))
    assert marks == expected_marks(comparison)
    assert {kind for _, _, kind in marks} == {"equal", "jump"}
    first_jump = min(x for x, _, kind in marks if kind == "jump")
    assert first_jump == pytest.approx(4 * 0.7 * 730 * 3_600, rel=1e-9)


def marked(figure: go.Figure) -> list[tuple[float, float, str]]:
    marks, kinds = trace(figure, "crossing"), {"circle-open": "equal", "triangle-up-open": "jump"}
    return list(zip(marks.x, marks.y, (kinds[symbol] for symbol in marks.marker.symbol), strict=True))


def expected_marks(comparison) -> list[tuple[float, float, str]]:
    low, high = volumes(comparison)[0], volumes(comparison)[-1]
    return [
        (point.requests_per_month, point.usd_per_month, point.kind)
        for pair in comparison.pairs
        for point in pair.crossings.points[:12]
        if low <= point.requests_per_month <= high
    ]


def test_the_volume_of_the_workload_is_marked(drawn):
    (line,) = drawn.layout.shapes
    assert (line.x0, line.x1) == (5e6, 5e6)
    assert drawn.layout.annotations[0].x == pytest.approx(log10(5e6))
    assert "5M" in drawn.layout.annotations[0].text


def test_every_model_of_the_quality_chart_is_a_point_with_its_spread(quality):
    figure = figures.quality_against_cost(quality)
    points = {
        (x, y, x + high, x - low)
        for data in figure.data
        if data.error_x.array is not None
        for x, y, high, low in zip(data.x, data.y, data.error_x.array, data.error_x.arrayminus, strict=True)
    }
    assert len(points) == len(quality.points) > 5
    for point in quality.points:
        usd = point.usd_per_month
        assert any(
            (x, y) == (usd.mid, point.score.mid)
            and high == pytest.approx(usd.high)
            and low == pytest.approx(usd.low, abs=1e-9)
            for x, y, high, low in points
        )


def test_the_front_of_the_quality_chart_joins_the_models_on_it(quality):
    front = trace(figures.quality_against_cost(quality), "Pareto front")
    expected = [(p.usd_per_month.mid, p.score.mid) for p in quality.points if p.on_front]
    assert list(zip(front.x, front.y, strict=True)) == expected
    assert list(front.y) == sorted(front.y)


def test_families_keep_their_colour_and_differ_in_shape_too(quality):
    found = {
        data.name.lower(): (data.marker.color, data.marker.symbol)
        for data in figures.quality_against_cost(quality).data
        if data.name and data.name.lower() in FAMILY_COLOURS
    }
    assert {name: colour for name, (colour, _) in found.items()} == {name: FAMILY_COLOURS[name] for name in found}
    assert len({symbol for _, symbol in found.values()}) == len(found) >= 2


def test_the_axes_of_the_quality_chart_name_benchmark_and_unit(quality):
    figure = figures.quality_against_cost(quality)
    assert "USD per month" in figure.layout.xaxis.title.text
    assert unescape(figure.layout.yaxis.title.text) == f"{quality.cell.benchmark}, {quality.cell.metric}"


@pytest.fixture
def hostile_facts(data, var, today):
    """The small facts with markup in every name that reaches a figure."""
    data.set("models", "display_name", HOSTILE)
    data.set("gpus", "name", HOSTILE)
    data.set("throughput", "engine", HOSTILE)
    data.set("throughput", "weight_format", HOSTILE)
    data.set("api_prices", "api_model_name", HOSTILE, row=3)
    data.set("scores", "benchmark", HOSTILE)
    for number in range(6):
        data.add("models", model_id=f"m{number}", family="llama" if number % 2 else "qwen")
        data.add("scores", model_id=f"m{number}", benchmark=HOSTILE)
        data.add("api_prices", model_id=f"m{number}", api_model_name=f"m{number}")
    return catalogue.current(today, Folders(data=data.path, var=var)).usable()


def test_markup_in_names_reaches_no_chart_unescaped(hostile_facts):
    scenario = Scenario(model="tiny-7b", today=f"openai/{HOSTILE}")
    drawn = texts(figures.cost_curves(costs.compare(hostile_facts, scenario)))
    (cell, *_) = overview.score_cells(hostile_facts).values()
    drawn += texts(figures.quality_against_cost(overview.quality_against_cost(hostile_facts, scenario, cell)))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in drawn
    assert "<script" not in drawn
    assert "</script" not in drawn
    assert "<img" not in drawn
