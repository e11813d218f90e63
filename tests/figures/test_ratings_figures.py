"""Ratings drawn: what stands in the chart is what was computed, and names are safe and uncrossed."""

import pytest

from llmcompare.core.ratings import counted_votes, rated
from llmcompare.figures.ratings import describe, ratings

VOTES = {("Weak", "Middle"): 3, ("Middle", "Weak"): 9, ("Strong", "Middle"): 12, ("Middle", "Strong"): 2,
         ("Strong", "Weak"): 8, ("Weak", "Strong"): 1}  # fmt: skip
"""Winner and loser."""


def found_in(games):
    return rated(counted_votes([(*pair, "left") for pair, count in games.items() for _ in range(count)]))


@pytest.fixture(scope="module")
def found():
    return found_in(VOTES)


@pytest.fixture(scope="module")
def drawn(found):
    return ratings(found)


def marks_of(figure):
    (marks,) = [trace for trace in figure.data if trace.error_x.array is not None]
    return marks


def test_every_model_has_its_share_and_its_interval_the_best_on_top(found, drawn):
    marks = marks_of(drawn)
    shares = dict(zip(found.counts.names, found.shares(), strict=True))
    assert list(marks.y) == [2, 1, 0]
    for at, name in enumerate(("Strong", "Middle", "Weak")):
        assert marks.customdata[at][0] == name
        assert marks.x[at] == pytest.approx(shares[name].mid)
        assert marks.x[at] + marks.error_x.array[at] == pytest.approx(shares[name].high)
        assert marks.x[at] - marks.error_x.arrayminus[at] == pytest.approx(shares[name].low)


def test_a_share_of_three_votes_of_four_is_drawn_at_75_percent():
    assert list(marks_of(ratings(found_in({("A", "B"): 12, ("B", "A"): 4}))).x) == pytest.approx([75, 25])


def test_names_stand_above_their_lines_and_nothing_runs_through_them(drawn):
    names = {note.y: note.text for note in drawn.layout.annotations}
    assert names == {2: "Strong", 1: "Middle", 0: "Weak"}
    assert all(note.yshift > 0 for note in drawn.layout.annotations)
    assert not drawn.layout.shapes
    (even,) = [trace for trace in drawn.data if trace.marker.symbol == "line-ns"]
    assert (list(even.x), sorted(even.y)) == ([50] * 3, [0, 1, 2])


def test_the_axis_names_its_unit_and_shows_every_share_there_can_be(drawn):
    assert drawn.layout.xaxis.title.text == "votes expected against the others"
    assert drawn.layout.xaxis.ticksuffix == "%"
    low, high = drawn.layout.xaxis.range
    assert low < 0
    assert high > 100


def test_the_place_is_a_range_where_models_cannot_be_told_apart(found, drawn):
    assert [row[1] for row in marks_of(drawn).customdata] == ["1", "2 to 3", "2 to 3"]
    assert describe(found).startswith("place 1: Strong, ")


def test_a_tag_in_the_name_of_a_model_is_shown_as_it_is_written():
    hostile = "<img src=x onerror=alert(1)>"
    figure = ratings(found_in({(hostile, "B"): 2, ("B", hostile): 1}))
    assert "<img" not in figure.to_json()


def test_a_long_name_loses_its_middle_in_the_chart_and_is_whole_in_the_hover_box():
    names = [f"publisher_{'long-' * 12}name-Q{bits}_K_M.gguf" for bits in (4, 8)]
    figure = ratings(found_in({(names[0], names[1]): 2, (names[1], names[0]): 1}))
    shown = [note.text for note in figure.layout.annotations]
    assert [text[-11:] for text in shown] == ["Q4_K_M.gguf", "Q8_K_M.gguf"]
    assert all(len(text) <= 46 and text.startswith("publisher_") for text in shown)
    assert [row[0] for row in marks_of(figure).customdata] == names
