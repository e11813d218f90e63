"""Names beside marks: none meets another one, on a telephone or on a wide screen, and the best keeps its name."""

from itertools import combinations

from hypothesis import example, given
from hypothesis import strategies as st

from llmcompare import figures
from llmcompare.core.cost import Band
from llmcompare.core.scenario import Scenario
from llmcompare.figures import labels
from llmcompare.figures.labels import Mark, sides, sides_over_cost
from llmcompare.services import overview

place = st.floats(0.05, 0.95)
marks = st.lists(st.builds(Mark, across=place, up=place, name=st.text("abc", min_size=1, max_size=30)), max_size=8)


def boxes(found, width):
    """Left, right, bottom and top of each name that is shown, in a plot of this width."""
    for mark, side in found:
        x, y, letters = mark.across * width, mark.up * labels.HEIGHT_PX, labels.LETTER_PX * len(mark.name)
        left = x - labels.MARK_PX - letters if side == "top left" else x + labels.MARK_PX
        bottom = y - labels.MARK_PX - labels.LINE_PX if side == "bottom right" else y + labels.MARK_PX
        yield left, left + letters, bottom, bottom + labels.LINE_PX


@example(marks=[Mark(across=0.21875, up=0.5, name="aaa"), Mark(across=0.15625, up=0.5, name="a")], width=289.0)
@given(marks=marks, width=st.floats(labels.WIDTH_PX, 2000))
def test_no_two_names_overlap_on_any_screen_as_wide_as_a_telephone(marks, width):
    shown = [(mark, side) for mark, side in zip(marks, sides(marks), strict=True) if side]
    for (left, right, bottom, top), other in combinations(boxes(shown, width), 2):
        # Rounding errors of a wide screen are no overlap.
        assert right <= other[0] + 1e-6 or other[1] <= left + 1e-6 or top <= other[2] or other[3] <= bottom


def test_a_mark_with_room_has_its_name_and_neighbours_share_the_room():
    far = [Mark(across=0.1, up=0.2, name="cheap"), Mark(across=0.6, up=0.9, name="good")]
    assert all(sides(far))
    near = [Mark(across=0.2, up=0.5 + number / 1000, name="a model with a long name") for number in range(5)]
    assert 0 < sum(side is not None for side in sides(near)) < 5


def test_a_name_over_a_crowd_of_other_marks_is_not_shown():
    crowd = [Mark(across=0.2 + number / 20, up=0.2 + other / 20, name="x") for number in range(9) for other in range(9)]
    assert sides([Mark(across=0.15, up=0.4, name="a model with a long name")], crowd) == [None]


def test_only_marks_that_are_to_be_named_get_a_side():
    bands = [Band(low=usd, mid=usd, high=usd) for usd in (1.0, 10.0, 100.0)]
    found = sides_over_cost(bands, bands, ["a", "b", "c"], named=[True, False, True], until_usd=50)
    assert [side is not None for side in found] == [True, False, True]
    assert sides_over_cost([], [], [], named=[]) == []


def test_the_best_model_of_the_real_picture_has_its_name(real_facts):
    cell = next(iter(overview.score_cells(real_facts).values()))
    quality = overview.quality_against_cost(real_facts, Scenario(), cell)
    shown = {text for trace in figures.quality_against_cost(quality).data for text in trace.text or () if text}
    front = [point for point in quality.points if point.on_front]
    assert max(front, key=lambda point: point.score.mid).model.display_name in shown
    assert shown <= {point.model.display_name for point in front}
