"""Energy over the load: what is modelled and what is measured are told apart."""

import pytest

from llmcompare.core.cost import Band
from llmcompare.core.energy import Modelled
from llmcompare.figures.owned import MEASURED_COLOUR, MeasuredPoint, energy_over_load

POINTS = [
    Modelled(
        concurrency=load,
        output_tokens_per_s=Band(low=80 * load, mid=100 * load, high=125 * load),
        joules_per_output_token=Band(low=3 / load, mid=5 / load, high=8 / load),
    )
    for load in (1, 8, 64)
]
MEASURED = [
    MeasuredPoint(group="1 GPU, bf16, chat, them", concurrency=8, wh_per_mtok=126, detail="tiny <b>7B</b>"),
    MeasuredPoint(group="1 GPU, fp8, chat, them", concurrency=8, wh_per_mtok=90, detail="tiny 7B"),
]


def test_a_measurement_is_a_mark_and_the_model_a_band_with_a_line():
    figure = energy_over_load(POINTS, MEASURED)
    band, line, *marks = figure.data
    assert line.name == "modelled v1"
    assert list(line.y) == pytest.approx([1388.9, 173.6, 21.7], rel=1e-3)
    assert (band.fill, band.mode) == ("toself", "lines")
    assert [mark.mode for mark in marks] == ["markers", "markers"]
    assert all(mark.name.startswith("measured: ") for mark in marks)
    assert all(mark.marker.color == MEASURED_COLOUR != line.line.color for mark in marks)
    assert marks[0].marker.symbol != marks[1].marker.symbol


def test_both_axes_are_logarithmic_and_say_their_units():
    figure = energy_over_load(POINTS, MEASURED)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert "Wh per million output tokens" in figure.layout.yaxis.title.text
    assert list(figure.layout.xaxis.ticktext) == ["1", "4", "16", "64"]


def test_text_of_the_data_is_no_markup():
    assert "&lt;b&gt;7B&lt;/b&gt;" in energy_over_load([], MEASURED).data[0].customdata[0]


def test_without_a_model_or_without_a_measurement_the_other_is_drawn():
    assert len(energy_over_load(POINTS, []).data) == 2
    assert len(energy_over_load([], MEASURED).data) == 2
    assert len(energy_over_load([], []).data) == 0
