"""Each page renders, whatever the model has or lacks, and shows what the services compute."""

from datetime import date

import pandas as pd
import pytest

from llmcompare.core import tables, words
from llmcompare.core.scenario import Scenario
from llmcompare.services import costs
from llmcompare.services import tables as catalogue_tables

MAIN_ELEMENT = {
    "decide/overview": "quality_against_cost",
    "decide/costs": "cost_curves",
    "explore/hardware": "fit_grid",
    "explore/capability": "ability_ranking",
    "explore/families": "model_sizes",
    "explore/guide": "guide_verdicts",
    "explore/languages": "token_bars",
    "share/report": "report_html",
    "share/moved": "moved-gpu-list-prices_csv",
    "share/data": "rows_csv",
}
CURVES = "Monthly cost over volume"
PRICES = {
    "API prices": "API prices used",
    "GPU prices": "GPU prices used",
    "Deployments": "What could be rented",
    "Today's API": "Today's API",
}


def unpriced_and_unmeasured(facts):
    priced = {offer.model_id for offer in facts.api_offers}
    return next(model_id for model_id in facts.models if model_id not in priced and model_id not in facts.capacities)


def unpriced_and_without_layers(facts):
    """Nothing can be predicted of it either."""
    known = {offer.model_id for offer in facts.api_offers} | set(facts.capacities) | set(facts.shapes)
    return next(model_id for model_id in facts.models if model_id not in known)


def costs_shown(app):
    """The table of curves as it stands on the page, unknown as None."""
    frame = app.reveal("behind", "Curves").table(CURVES)
    return [tuple(row) for row in frame.itertuples(index=False)]


@pytest.mark.parametrize("page", MAIN_ELEMENT)
def test_a_page_of_the_default_question_shows_its_main_element_and_no_traceback(open_app, page):
    app = open_app(page)
    assert app.tracebacks == []
    assert app.errors == ""
    assert app.has(MAIN_ELEMENT[page])


@pytest.mark.parametrize("page", MAIN_ELEMENT)
def test_a_page_of_a_model_without_price_and_measurement_renders(open_app, facts, page):
    app = open_app(page, model=unpriced_and_unmeasured(facts))
    assert app.tracebacks == []
    assert app.errors == ""
    assert app.has(MAIN_ELEMENT[page])


def test_a_model_without_price_and_measurement_says_what_is_missing(open_app, facts):
    model_id = unpriced_and_without_layers(facts)
    comparison = costs.compare(facts, Scenario(model=model_id))
    app = open_app("decide/costs", model=model_id)
    assert comparison.api_missing in app.text
    assert comparison.rented_missing in app.text


def test_where_nothing_can_be_compared_no_sentence_claims_that_todays_bill_won(open_app, facts):
    app = open_app("decide/costs", model=unpriced_and_unmeasured(facts))
    assert "beats today" not in app.text


@pytest.mark.parametrize("page", ["decide/overview", "decide/costs", "share/report"])
def test_the_answer_stands_on_every_page_that_answers(open_app, facts, page):
    app = open_app(page)
    assert words.headline(costs.compare(facts, Scenario())) in app.text


def test_every_input_changes_the_answer_as_the_service_computes_it(open_app, facts):
    app = open_app("decide/costs")
    asked = {
        "model": "llama-3.1-8b-instruct",
        "requests_per_month": 20_000_000,
        "input_tokens": 2_000,
        "output_tokens": 500,
        "thinking_tokens": 100,
        "cached_input_fraction": 0.25,
        "target_utilisation_fraction": 0.5,
        "billing": "community",
        "today": "openai/gpt-4o-mini",
    }
    for key, value in asked.items():
        before = app.text
        assert app.set(key, value).text != before, f"{key} changed nothing on the page"
    expected = costs.compare(facts, Scenario(**asked))
    assert words.headline(expected) in app.text
    for sentence in words.option_sentences(expected):
        assert sentence in app.text
    assert costs_shown(app) == list(tables.curve_table(expected).rows)


def test_a_bill_typed_in_and_an_own_rate_and_price_are_used(open_app, facts):
    own = {
        "today_usd_per_month": 4_000.0,
        "gpu": "l40s-48gb",
        "own_output_tokens_per_s": 1_800.0,
        "own_usd_per_gpu_hour": 1.2,
        "gpus_per_replica": 4,
    }
    app = open_app("decide/costs")
    for key, value in own.items():
        app.set(key, value)
    expected = costs.compare(facts, Scenario(**own))
    assert "your bill" in app.text
    assert words.headline(expected) in app.text
    assert costs_shown(app) == list(tables.curve_table(expected).rows)


def test_a_measurement_of_one_model_does_not_stay_chosen_for_another(open_app, facts):
    chosen = costs.compare(facts, Scenario()).deployments[-1].capacity.record_id
    app = open_app("decide/costs").set("throughput_record", chosen)
    assert chosen in costs.compare(facts, Scenario(throughput_record=chosen)).rented.basis
    app.set("model", "qwen2.5-7b-instruct")
    assert app.tracebacks == []
    assert app.errors == ""
    assert words.headline(costs.compare(facts, Scenario(model="qwen2.5-7b-instruct"))) in app.text


def test_a_request_without_any_token_is_one_sentence_and_the_inputs_stay(open_app):
    app = open_app("decide/costs").set("requests_per_month", 7).set("input_tokens", 0).set("output_tokens", 0)
    assert "at least one token" in app.errors
    assert app.tracebacks == []
    assert app.value("requests_per_month") == 7
    assert app.set("output_tokens", 1).errors == ""


def test_an_own_rate_without_output_tokens_is_one_sentence(open_app):
    app = open_app("decide/costs", output_tokens="0", own_output_tokens_per_s="100", gpu="l40s-48gb")
    assert "own_output_tokens_per_s" in app.errors
    assert app.tracebacks == []


def test_the_workload_stays_while_pages_change(open_app, facts):
    app = open_app("decide/costs").set("requests_per_month", 5_000_000)
    for page in ["share/data", "share/report", "decide/overview", "decide/costs"]:
        app.open(page)
        assert app.value("requests_per_month") == 5_000_000
    assert words.headline(costs.compare(facts, Scenario(requests_per_month=5_000_000))) in app.text


def test_the_quality_measure_chooses_the_scores_of_the_overview(open_app):
    app = open_app().reveal("behind_chart")
    options = app.run_of.get_by_key("quality").options
    before = app.table("Quality against cost")
    app.set("quality", options[1])
    assert app.tracebacks == []
    assert not app.table("Quality against cost").equals(before)


def test_every_table_of_the_catalogue_opens_with_all_its_rows(open_app, facts):
    app = open_app("share/data")
    for name in catalogue_tables.names():
        app.set("table", name)
        assert app.tracebacks == []
        assert len(app.table(name)) == len(catalogue_tables.rows(facts, name, today=date.today()).rows), name


def test_the_filter_keeps_the_rows_that_hold_every_word(open_app):
    app = open_app("share/data").set("table", "gpu_prices").set("filter", "H100 runpod")
    lines = [" ".join(map(str, row)).lower() for row in app.table("gpu_prices").itertuples(index=False)]
    assert lines
    assert all("h100" in line and "runpod" in line for line in lines)


def test_a_filter_that_nothing_matches_leaves_an_empty_table(open_app):
    app = open_app("share/data").set("filter", "no such row anywhere")
    assert app.tracebacks == []
    assert len(app.table("gpu_prices")) == 0


def test_an_undated_row_is_shown_as_undated(open_app):
    app = open_app("share/data").set("table", "quantization_quality")
    assert "undated" in set(app.table("quantization_quality")["as_of"])


def test_an_unknown_cell_is_sent_as_nothing_and_drawn_as_a_dash(open_app):
    app = open_app("share/data").set("table", "models")
    assert app.table("models")["expert_count"].isna().any()
    assert {element.proto.placeholder for element in app.run_of.dataframe} == {"—"}


def test_every_price_on_the_costs_page_has_a_source_and_a_date(open_app):
    app = open_app("decide/costs")
    for tab, title in PRICES.items():
        frame = app.reveal("behind", tab).table(title)
        assert len(frame) > 0, title
        assert frame["source"].str.len().min() > 0, title
        assert frame["as_of"].notna().all(), title
        assert "source_link" in frame, title


def test_sources_that_name_a_file_of_a_repository_become_links(open_app):
    links = open_app("decide/costs").reveal("behind", "GPU prices").table("GPU prices used")["source_link"].dropna()
    assert len(links) > 0
    assert links.str.startswith("https://").all()


def test_downloads_stand_under_every_table_of_costs(open_app):
    app = open_app("decide/costs")
    for tab, key in {
        "Curves": "cost-over-volume",
        "API prices": "api-prices",
        "GPU prices": "gpu-prices",
        "Deployments": "deployments",
        "Today's API": "todays-api",
    }.items():
        app.reveal("behind", tab)
        assert app.has(f"{key}_csv"), tab
        assert app.has(f"{key}_parquet"), tab


def test_the_report_page_prints_the_command_of_its_question(open_app):
    app = open_app("share/report", requests_per_month="5000000")
    command = app.run_of.code[0].value
    assert "--model llama-3.3-70b-instruct" in command
    assert "--requests-per-month 5000000" in command


def test_the_age_of_prices_is_counted_from_the_newest_row(open_app, facts):
    shown = {metric.label: metric.value for metric in open_app().run_of.metric}
    newest = max(offer.as_of for offer in facts.api_offers if offer.as_of)
    days = (pd.Timestamp.today().normalize() - pd.Timestamp(newest)).days
    assert str(days) in shown["API prices"]
