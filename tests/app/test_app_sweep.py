"""The view of every deployment without a browser."""


def test_the_view_answers_and_lists_every_deployment_of_this_model(open_app):
    app = open_app("decide/costs", costs_view="Every deployment", sweep_models="this model", model="tiny-7b")
    assert app.tracebacks == []
    assert app.errors == ""
    assert app.has("every_deployment_csv")
    assert "cheaper than today" in app.text


def test_a_budget_that_nothing_keeps_is_answered_in_a_sentence(open_app):
    app = open_app(
        "decide/costs", costs_view="Every deployment", sweep_models="this model", model="tiny-7b",
        max_usd_per_month="0.01",
    )  # fmt: skip
    assert app.tracebacks == []
    assert "No deployment keeps all limits" in app.text
