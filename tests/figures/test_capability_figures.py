"""Figures of the Capability page: intervals, gaps, families told apart without colour, text that stays text."""

from datetime import date

import pytest

from llmcompare import figures
from llmcompare.core.capability_check import Hidden
from llmcompare.core.cost import Band
from llmcompare.figures.capability import NO_SCORE, HeatCell, RadarLine, RankedRow
from llmcompare.figures.capability_against import AbilityPoint, FormatPoint
from llmcompare.figures.style import FAMILY_COLOURS, FAMILY_SYMBOLS
from tests.core.simulated_scores import score

HOSTILE = "<img src=x onerror=alert(1)> & co"


def band(mid, reach=5.0):
    return Band(low=mid - reach, mid=mid, high=mid + reach)


def row(label, mid, *, family="llama", chosen=False):
    return RankedRow(label=label, family=family, band=band(mid), chosen=chosen, detail=HOSTILE)


def point(label, percent, against, *, family="qwen", chosen=False, on_front=False):
    return AbilityPoint(
        label=label, family=family, line="Three", percent=band(percent), against=band(against, 0.0), chosen=chosen,
        on_front=on_front,
    )  # fmt: skip


def test_the_ranking_draws_each_interval_from_end_to_end_best_on_top():
    figure = figures.ability_ranking([row("A", 80, chosen=True), row("B", 60, family="qwen"), row("C", 50)])
    chosen = next(trace for trace in figure.data if trace.name == "Llama, chosen")
    assert list(chosen.x) == [80]
    assert (list(chosen.error_x.array), list(chosen.error_x.arrayminus)) == ([5.0], [5.0])
    assert list(figure.layout.yaxis.categoryarray) == ["C", "B", "<b>A</b>"]
    assert figure.layout.xaxis.title.text == "percent expected"


def test_families_differ_by_their_mark_and_the_chosen_by_size_and_bold_name():
    figure = figures.ability_ranking([row("A", 80, chosen=True), row("B", 60, family="qwen"), row("C", 50)])
    marks = {trace.name: (trace.marker.symbol, trace.marker.size) for trace in figure.data}
    assert marks["Llama, chosen"][0] == marks["Llama"][0] == FAMILY_SYMBOLS["llama"] != marks["Qwen"][0]
    assert marks["Llama, chosen"][1] > marks["Llama"][1]


@pytest.mark.parametrize("make", [
    lambda: figures.ability_ranking([row(HOSTILE, 50)]),
    lambda: figures.score_grid(
        [HeatCell(row=0, column=0, percent=50, text=HOSTILE, detail=HOSTILE)], rows=[(HOSTILE,) * 2], columns=[HOSTILE]
    ),
    lambda: figures.ability_radar([RadarLine(label=HOSTILE, family="qwen", bands=(band(50),))], [HOSTILE]),
    lambda: figures.ability_over_sizes([point(HOSTILE, 50, 7, chosen=True)]),
    lambda: figures.format_losses(
        [FormatPoint(model=HOSTILE, label=HOSTILE, size_gib=4, perplexity=6, loss_fraction=0.1, on_front=True)]
    ),
])  # fmt: skip
def test_text_from_data_stays_text(make):
    drawn = str(make().to_plotly_json())
    assert "<img" not in drawn
    assert "&lt;img" in drawn


def test_a_gap_is_drawn_as_a_gap_and_not_as_a_low_score():
    cells = [
        HeatCell(row=0, column=0, percent=0.0, text="0", detail="none solved"),
        HeatCell(row=1, column=1, percent=60.0, text="55 to 65", detail="two figures"),
    ]
    gaps, scores, legend = figures.score_grid(cells, rows=[("x", "a"), ("y", "b")], columns=["A", "B"]).data
    assert [list(line) for line in scores.z] == [[0.0, None], [None, 60.0]]
    assert [list(line) for line in gaps.z] == [[None, 0], [0, None]]
    assert [list(line) for line in scores.text] == [["0", ""], ["", "55 to 65"]]
    assert legend.name == NO_SCORE


def test_a_category_without_a_place_is_a_gap_in_the_line():
    lines = [
        RadarLine(label="A", family="llama", bands=(band(50), None, band(70))),
        RadarLine(label="B", family="llama", bands=(band(40), band(45), band(60))),
    ]
    one, other = figures.ability_radar(lines, ["code", "long context", "tool use"]).data
    assert list(one.r) == [50, None, 70, 50]
    assert one.connectgaps is False
    assert (one.line.dash, one.marker.symbol) != (other.line.dash, other.marker.symbol)


def test_models_of_one_generation_are_joined_and_the_chosen_carry_their_number():
    drawn = figures.ability_over_sizes([point("A", 50, 7), point("B", 70, 30, chosen=True), point("C", 60, 14)])
    joined = next(trace for trace in drawn.data if trace.name == "Three")
    assert list(joined.x) == [7, 14, 30]
    chosen = next(trace for trace in drawn.data if trace.name == "1 B")
    assert list(chosen.text) == ["1"]
    assert chosen.marker.color == FAMILY_COLOURS["qwen"]
    assert drawn.layout.xaxis.type == "log"


def test_the_stair_over_time_and_over_cost_is_the_front():
    points = [point("A", 50, 738_000, on_front=True), point("B", 40, 739_000), point("C", 70, 740_000, on_front=True)]
    stair = figures.ability_over_time(points).data[0]
    assert list(stair.y) == [50, 70]
    assert list(stair.x) == [date.fromordinal(738_000), date.fromordinal(740_000)]
    stair = figures.ability_over_cost(points, x_title="USD").data[0]
    assert list(stair.x) == [738_000, 740_000]


def test_a_hidden_score_outside_its_interval_is_a_cross():
    hidden = [
        Hidden(score=score("a", percent=percent), band_80=band(50), band_95=band(50, 8), mean_of_cell_percent=40)
        for percent in (52, 70)
    ]
    _, inside, outside = figures.hidden_scores(hidden).data
    assert (list(inside.x), list(outside.x)) == ([52], [70])
    assert outside.marker.symbol == "x"


def test_formats_of_two_models_are_two_traces_and_narrow_ranges_have_ticks():
    points = [
        FormatPoint(model=name, label="Q4_K_M", size_gib=size, perplexity=found, loss_fraction=0.02, on_front=True)
        for name, size, found in (("8B", 4.6, 6.4), ("70B", 39.6, 2.97))
    ]
    narrow = figures.format_losses(points)
    assert [trace.name for trace in narrow.data[1:]] == ["8B", "70B"]
    assert narrow.layout.yaxis.type is None
    wide = figures.format_losses([*points, FormatPoint(model="8B", label="IQ1_S", size_gib=1.9, perplexity=58,
                                                       loss_fraction=8, on_front=True)])  # fmt: skip
    assert wide.layout.yaxis.type == "log"
