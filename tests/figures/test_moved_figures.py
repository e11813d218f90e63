"""How far prices moved, drawn."""

from datetime import date

import pytest

from llmcompare.core.moved import moved
from llmcompare.core.price_series import gpu_seen
from llmcompare.figures.moved import price_moves


@pytest.fixture(scope="module")
def moves(real_facts):
    return moved(gpu_seen(real_facts.gpu_price_history), since=date(2026, 8, 1)).moves


def test_every_move_ends_at_its_change_and_its_text_has_both_prices(moves):
    figure = price_moves(moves, {})
    ends = {y: x for trace in figure.data if trace.name for x, y in zip(trace.x, trace.y, strict=True)}
    assert ends == {place: pytest.approx(100 * move.change_fraction) for place, move in enumerate(moves)}
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert len(texts) == len(moves)
    for move, text in zip(moves, texts, strict=True):
        assert move.after.provider in text
        assert " → $" in text


def test_the_way_of_a_price_starts_at_nought_and_passes_every_reading(moves):
    (place,) = [p for p, m in enumerate(moves) if (m.after.provider, m.after.subject) == ("runpod", "h100-sxm-80gb")]
    figure = price_moves(moves, {})
    (way,) = [trace for trace in figure.data if trace.mode == "lines+markers" and trace.y[0] == place]
    assert list(way.x) == pytest.approx([0, 100 * (3.49 / 3.29 - 1), 100 * (3.99 / 3.29 - 1), 100 * (3.99 / 3.29 - 1)])


def test_where_prices_started_is_marked_in_every_row_and_no_line_crosses_the_names(moves):
    figure = price_moves(moves, {})
    (start,) = [trace for trace in figure.data if trace.marker.symbol == "line-ns"]
    assert (list(start.x), list(start.y)) == ([0] * len(moves), list(range(len(moves))))
    assert not figure.layout.shapes


def test_dearer_and_cheaper_differ_by_more_than_colour(moves):
    symbols = {trace.name: trace.marker.symbol for trace in price_moves(moves, {}).data if trace.name}
    assert symbols == {"dearer": "triangle-right", "cheaper": "triangle-left"}


def test_a_tag_in_a_name_is_shown_as_it_is_written(moves):
    subject = moves[0].after.subject
    figure = price_moves(moves[:1], {subject: "<script>alert(1)</script>"})
    assert "<script" not in figure.to_json()


def test_no_moves_are_an_empty_chart():
    assert list(price_moves([], {}).data) == []


def test_two_moves_of_one_card_at_one_provider_are_told_apart_by_their_terms(moves):
    texts = [annotation.text for annotation in price_moves(moves, {}).layout.annotations]
    azure = [text for text in texts if "a100-pcie-80gb" in text and "azure" in text]
    assert len(azure) > 1
    assert len({text.partition(":")[0] for text in azure}) == len(azure)
