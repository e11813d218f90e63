"""The page “What moved” without a browser."""

from datetime import date

import pytest

from llmcompare.core import moved_words as words
from llmcompare.services import moved
from llmcompare.services.moved import KINDS, NOUNS

PAGE = "share/moved"
SINCE = {"since": "2026-08-01"}


@pytest.fixture
def found(facts):
    return moved.news(facts, date(2026, 8, 1), today=date.today())


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_of_each_kind_is_that_of_the_service(open_app, found, kind):
    app = open_app(PAGE, **SINCE, moved_view=kind)
    one = found.prices[kind]
    assert app.tracebacks == []
    assert words.headline(one, NOUNS[kind]) in app.text
    assert app.has("price_moves") == bool(one.moves)
    assert len(app.table(f"Moved: {kind}")) == len(one.moves)


def test_the_link_names_the_day_and_another_day_gives_other_moves(open_app):
    app = open_app(PAGE, **SINCE)
    assert app.value("since") == date(2026, 8, 1)
    assert "$3.29" not in app.set("since", date(2026, 11, 1)).text
    assert app.tracebacks == []


def test_offers_without_a_move_are_told_by_what_is_known_of_them(open_app, found):
    app = open_app(PAGE, **SINCE).reveal("moved_behind", "Other offers")
    states = app.table(f"Without a move: {KINDS[0]}")["state"].value_counts()
    one = found.prices[KINDS[0]]
    assert states["new"] == len(one.new)
    assert states["not read again"] == len(one.not_read_again)


def test_models_and_scores_have_a_view_of_their_own(open_app, facts):
    app = open_app(PAGE, since="2025-04-01", moved_view="Models and scores")
    news = moved.news(facts, date(2025, 4, 1), today=date.today())
    assert f"{len(news.models)} models of the catalogue came out after 2025-04-01" in app.text
    assert len(app.table("Models released")) == len(news.models)


def test_a_day_in_the_future_or_none_at_all_leaves_the_usual_one(open_app, facts):
    for junk in ("2090-01-01", "junk"):
        app = open_app(PAGE, since=junk)
        assert app.tracebacks == []
        assert app.value("since") == moved.usual_day(facts)
