"""How the statements of the guide fare, as bars."""

from llmcompare.core.claims import VERDICTS
from llmcompare.figures.claims import VERDICT_COLOURS, verdict_bars


def test_every_verdict_has_a_bar_with_its_name_and_its_count():
    counts = {name: number for number, name in enumerate(VERDICTS)}
    figure = verdict_bars(counts)
    (bars,) = figure.data
    assert list(bars.y) == list(VERDICTS)
    assert list(bars.x) == list(range(7))
    assert list(bars.text) == [str(number) for number in range(7)]
    assert figure.layout.xaxis.title.text == "statements"


def test_every_verdict_has_a_colour():
    assert set(VERDICT_COLOURS) == set(VERDICTS)
