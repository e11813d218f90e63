"""The Capability page without a browser: every view, and that the page says what the services compute."""

import pytest

from llmcompare.core import capability_words as words
from llmcompare.services import capability
from llmcompare.services.capability import WALK
from llmcompare.ui.capability import VIEWS, weight_key

PAGE = "explore/capability"
MAIN = {
    "Ranking": "ability_ranking",
    "Scores and gaps": "score_grid",
    "By category": "ability_radar",
    "Size": "ability_size",
    "Timeline": "ability_time",
    "Price and memory": "ability_price",
    "Weight formats": "format_losses_0",
    "Check": "hidden_scores",
}
CELLS = "Scores of the chosen models and their gaps"
ROWS = "Every published score of the chosen models"


def said(facts, category, chosen=WALK, **how):
    question = capability.asked(facts, category, **how)
    ranking = capability.shown(capability.ranked(facts, question), chosen)
    return capability.answer(facts, question, ranking, chosen), ranking, question


def test_the_views_are_those_that_are_tested():
    assert set(MAIN) == set(VIEWS)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("category", ["overall", "code"])
def test_every_view_shows_its_chart_and_no_traceback(open_app, view, category):
    app = open_app(PAGE, capability_view=view, category=category)
    assert app.tracebacks == []
    assert app.errors == ""
    assert app.has(MAIN[view])


@pytest.mark.parametrize("category", capability.ASKABLE)
def test_every_category_gives_the_answer_of_the_service(open_app, facts, category):
    app = open_app(PAGE, category=category)
    assert app.tracebacks == []
    sentence, ranking, question = said(facts, category)
    assert sentence in app.text
    assert words.evidence(ranking) in app.text
    assert words.check_sentence(capability.checked(facts, question)) in app.text
    for line in words.standings(ranking, capability.subjects(WALK), capability.Named(facts)):
        assert line in app.text


def test_models_of_a_link_are_compared(open_app, facts):
    app = open_app(PAGE, category="mathematics").set("compare", ["qwen2.5-72b-instruct", "llama-2-7b-chat"])
    sentence, *_ = said(facts, "mathematics", ["qwen2.5-72b-instruct", "llama-2-7b-chat"])
    assert sentence in app.text


def test_a_model_or_category_that_is_not_to_be_had_is_explained(open_app):
    app = open_app(PAGE, compare="qwen3-33b", category="poetry")
    assert "qwen3-33b" in app.warnings
    assert "poetry" in app.warnings
    assert app.tracebacks == []


def test_without_any_model_the_ranking_stands_and_the_page_asks_for_models(open_app):
    app = open_app(PAGE).set("compare", [])
    assert app.tracebacks == []
    assert app.has("ability_ranking")
    assert any("Choose models" in str(info.value) for info in app.run_of.info)


def test_weights_change_the_order_over_all_categories(open_app, facts):
    app = open_app(PAGE)
    before = app.text
    app.set(weight_key("mathematics"), 5.0)
    sentence, ranking, _ = said(facts, "overall", weights={"mathematics": 5.0})
    assert app.text != before
    assert sentence in app.text
    for line in words.standings(ranking, capability.subjects(WALK), capability.Named(facts)):
        assert line in app.text


def test_all_weights_at_nothing_is_one_sentence(open_app):
    app = open_app(PAGE)
    for category in capability.CATEGORIES:
        app.set(weight_key(category), 0.0)
    assert "every category has the weight 0" in app.errors
    assert app.tracebacks == []


def test_leaving_a_publisher_out_moves_the_ranking_and_no_figure_that_is_shown(open_app, facts):
    app = open_app(PAGE, category="code").reveal("capability_behind", "Every score")
    before, figures_before = app.text, app.table(ROWS)
    app.set("without", "Meta")
    assert app.text != before
    assert said(facts, "code", without="Meta")[0] in app.text
    after = app.table(ROWS)
    shown = {(row.row_id, row.score) for row in after.itertuples()}
    assert shown <= {(row.row_id, row.score) for row in figures_before.itertuples()}


def test_in_the_same_words_only_mistral_small_cannot_be_placed_on_code(open_app):
    app = open_app(PAGE, category="code").set("as_printed", True)
    assert "2 scores that no other model has in the same cell" in app.text


def test_the_cells_of_the_three_have_gaps_sources_and_dates(open_app):
    frame = open_app(PAGE, category="code", capability_behind="Cells and gaps").table(CELLS)
    assert frame["Mistral Small 3.2 24B Instruct 2506"].isna().any()
    assert frame["source"].str.len().min() > 0
    assert frame["as_of"].notna().all()
    assert {"setting", "published_by", "shots", "metric", "source_link"} <= set(frame.columns)


def test_all_models_are_drawn_when_asked_for(open_app, facts):
    app = open_app(PAGE, category="code").set("whole_ranking", True)
    _, ranking, _ = said(facts, "code")
    drawn = app.run_of.get_by_key("ability_ranking").proto.spec
    named = capability.Named(facts)
    assert all(named(place.subject) in drawn for place in ranking.places)
