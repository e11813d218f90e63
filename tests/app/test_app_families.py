"""The Families page without a browser: every view, and that the page says what the services compute."""

from dataclasses import replace

import pytest

from llmcompare.core import families_words as words
from llmcompare.core.families import grounds
from llmcompare.core.licences import LicenceNeed
from llmcompare.services import families
from llmcompare.ui.families import FEATURE_LABELS, VIEWS

PAGE = "explore/families"
MAIN = {
    "Who is left": "model_sizes", "Licences": "licences_csv", "Sizes and contexts": "contexts",
    "Frameworks": "frameworks-runs_csv", "Community": "community_csv",
}  # fmt: skip
VERDICTS = "Verdict for each licence and generation"


def test_the_views_are_those_that_are_tested():
    assert set(MAIN) == set(VIEWS)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_its_main_element_the_answer_and_no_traceback(open_app, facts, view):
    app = open_app(PAGE, families_view=view)
    assert app.tracebacks == []
    assert app.errors == ""
    assert app.has(MAIN[view])
    assert words.headline(families.assessed(facts, families.NEED)) in app.text
    assert words.NO_ADVICE in app.text


def test_the_page_names_who_is_out_the_clause_and_the_text(open_app, facts):
    app = open_app(PAGE)
    found = families.assessed(facts, families.NEED)
    for ground in grounds(found.groups):
        assert ground.reason in app.text
        for licence in ground.licences:
            assert f"]({licence.url})" in "".join(app.raw_texts)
    assert "**Llama 3**: No training of other models" in app.text
    table = app.table(VERDICTS)
    assert list(table["models"]) == [len(group.models) for group in found.groups]
    assert set(table[table["generation"] == "Llama 3"]["verdict"]) == {"out"}


@pytest.mark.parametrize(
    ("link", "need"),
    [
        ({"trains_others": "false"}, replace(families.NEED, trains_other_models=False)),
        ({"monthly_users": "800000000"}, replace(families.NEED, monthly_active_users=800_000_000)),
        ({"commercial": "false", "in_eu": "true"}, replace(families.NEED, commercial_use=False, based_in_eu=True)),
        ({"accepts_notice": "false"}, replace(families.NEED, accepts_attribution=False)),
        ({"offers_trained": "false"}, replace(families.NEED, offers_trained_models=False)),
        ({"revenue": "50000000"}, replace(families.NEED, revenue_usd_per_month=50e6)),
        ({"sells_access": "true", "gives_weights": "true", "changes_weights": "true"},
         replace(families.NEED, sells_model_access=True, gives_weights_away=True, changes_weights=True)),
        ({"fields": "military"}, replace(families.NEED, fields=frozenset({"military"}))),
    ],
)  # fmt: skip
def test_a_link_carries_the_whole_need(open_app, facts, link, need: LicenceNeed):
    app = open_app(PAGE, **link)
    assert app.tracebacks == []
    assert words.asked(need) in app.text
    assert words.answer(families.assessed(facts, need)).startswith(words.headline(families.assessed(facts, need)))
    assert words.headline(families.assessed(facts, need)) in app.text


def test_an_input_changes_the_answer(open_app, facts):
    app = open_app(PAGE).set("trains_others", False)
    found = families.assessed(facts, replace(families.NEED, trains_other_models=False))
    assert words.headline(found) in app.text
    assert "**Llama 3**: No training" not in app.text


@pytest.mark.parametrize("label", FEATURE_LABELS)
def test_the_matrix_of_a_feature_holds_the_words_of_the_service(open_app, facts, label):
    app = open_app(PAGE, families_view="Frameworks", feature=label)
    assert app.tracebacks == []
    cells = families.cells(facts, FEATURE_LABELS[label])
    known = sum(cell.support != "unknown" for cell in cells)
    grid = app.table(f"{label}: {known} of {len(cells)} cells known.")
    shown = {(row["generation"], name): row[name] for _, row in grid.iterrows() for name in grid.columns[1:]}
    assert shown == {(cell.generation, cell.framework): cell.support for cell in cells}


def test_the_licence_matrix_says_each_point_in_words(open_app):
    grid = open_app(PAGE, families_view="Licences").table("Licences by point.").set_index("licence")
    assert grid.loc["Meta Llama 3 Community", "training other models"] == "no"
    assert grid.loc["Llama 3.1 Community", "training other models"] == "on a condition"
    assert grid.loc["Qwen", "monthly users"] == "up to 100M"
    assert grid.loc["Mistral AI Research 0.1", "commercial use"] == "no"
    assert set(grid.loc["Apache 2.0"]) == {"yes", "no limit", "none", "not excluded"}


def test_a_model_of_the_sidebar_has_its_verdict_on_the_page(open_app):
    assert "Llama 3 8B Instruct, the model chosen beside, is out." in open_app(PAGE, model="llama-3-8b-instruct").text


def test_a_field_that_no_licence_names_is_said_to_be_wrong_in_the_link(open_app):
    app = open_app(PAGE, fields="gardening")
    assert app.tracebacks == []
    assert "gardening" in app.warnings


@pytest.mark.parametrize("tab", ["Generations", "Models", "Useful contexts"])
def test_tables_behind_the_contexts_open(open_app, tab):
    app = open_app(PAGE, families_view="Sizes and contexts").reveal("families_behind", tab)
    assert app.tracebacks == []
    assert len(
        app.table({"Models": "Models of the families", "Useful contexts": "Useful contexts, measured"}.get(tab, tab))
    )
