"""The view “Bursty traffic” without a browser: its answer, its inputs, a simulated month."""

import pytest

from llmcompare.core import serverless_words as words
from llmcompare.core.scenario import Scenario
from llmcompare.services import costs, serverless, serverless_view

PAGE = "decide/costs"
LINK = {
    "costs_view": "Bursty traffic",
    "gpu": "h100-sxm-80gb",
    "serverless_provider": "runpod",
    "requests_per_month": "131400",
}
SCENARIO = Scenario(gpu="h100-sxm-80gb", serverless_provider="runpod", requests_per_month=131_400)


@pytest.fixture
def view(facts):
    found, _ = serverless_view.bursty(facts, costs.compare(facts, SCENARIO))
    return found


def test_the_answer_is_cost_cold_starts_and_where_always_on_gets_cheaper(open_app, view):
    app = open_app(PAGE, **LINK)
    assert app.tracebacks == []
    assert words.headline(view.found, SCENARIO, view.always_on) in app.text
    met = serverless.cold_starts(view.found, view.found.middle, requests_per_month=SCENARIO.requests_per_month)
    assert words.cold_sentence(view.found, view.found.middle, met) in app.text
    assert words.crossing_sentence(view.found, view.always_on) in app.text
    assert app.has("serverless_costs")
    assert app.has("cold_starts")
    app.reveal("serverless_behind", "Providers and terms")
    assert app.table("Serverless providers")["provider"].tolist() == ["runpod"]


def test_a_longer_cold_start_changes_the_answer(open_app):
    app = open_app(PAGE, **LINK)
    before = app.text
    app.set("cold_start_s", 300.0)
    assert app.tracebacks == []
    assert "takes 300 s to start" in app.text
    assert app.text != before


def test_the_month_is_simulated_when_asked_for_and_again_with_another_seed(open_app):
    app = open_app(PAGE, **LINK)
    assert "The simulated month" not in app.tables()
    app.set("simulate", True)
    assert app.tracebacks == []
    first = app.table("The simulated month").set_index("figure")["value"]
    assert float(first["seed"]) == 0
    assert "The simulated month" in app.text
    app.set("seed", 7)
    second = app.table("The simulated month").set_index("figure")["value"]
    assert float(second["seed"]) == 7
    assert first["requests"] != second["requests"]


def test_a_link_opens_the_simulated_month(open_app):
    app = open_app(PAGE, simulate="true", seed="3", **LINK)
    assert app.tracebacks == []
    assert float(app.table("The simulated month").set_index("figure")["value"]["seed"]) == 3


def test_without_a_serverless_price_the_view_says_why_and_what_to_do(open_app):
    app = open_app(PAGE, costs_view="Bursty traffic", gpu="mi300x-192gb")
    assert app.tracebacks == []
    assert "No serverless figure" in app.text
    assert "MI300X" in app.text
