"""The Workload page as a person uses it: a log handed over to the sidebar, a bill alone, months against a forecast."""

import json
import secrets

import pytest

from llmcompare.services.request_log_json import sample_csv
from llmcompare.ui.workload import ACTUAL, BILL, LOG

SAMPLE = "About 7.8K requests a month, 1,491 tokens in and 291 out at the mean."


def upload(app, content, name="log.csv", number=0):
    app.run_of.get_by_key(f"log_file_{number}").set_value([(name, content, "text/csv")]).run()
    return app


def press(app, key):
    app.run_of.get_by_key(key).click().run()
    return app


def submit(app, label):
    next(button for button in app.run_of.button if button.label == label).click().run()
    return app


@pytest.fixture
def page(open_app):
    return open_app("decide/workload")


@pytest.fixture
def real_months(open_app):
    """A person of its own for each test: months are kept."""
    app = open_app("decide/workload", workload_view=ACTUAL)
    app.run_of.session_state["person"] = secrets.token_hex()
    return app.again()


def type_month(app, month="2026-10", **values):
    for name, value in ({"month": month} | values).items():
        app.run_of.get_by_key(f"actual_{name}").set_value(value)
    return submit(app, "Keep this month")


# --- a log ------------------------------------------------------------------------------------------------------------


def test_without_a_log_the_page_says_which_columns_it_needs(page):
    assert page.tracebacks == []
    assert "`prompt_tokens`" in page.text
    assert "stays on this machine" in page.text
    assert page.has("log_sample")


def test_a_log_is_answered_in_words_first(page):
    upload(page, sample_csv())
    assert page.tracebacks == []
    assert SAMPLE in page.text
    assert "8 of 10 months lie between" in page.text
    assert "At the list prices of openai/gpt-4o" in page.text
    page.reveal("log_behind", "Tokens")
    assert page.table("Tokens of a request")["tokens"].tolist() == ["input", "output", "together"]


def test_its_figures_go_to_the_sidebar_of_every_page_and_the_log_outlasts_a_change_of_page(page):
    press(upload(page, sample_csv()), "log_use")
    assert "In use on every page: 7,802 requests a month" in page.text
    page.open("decide/costs")
    assert [page.value(key) for key in ("requests_per_month", "input_tokens", "output_tokens", "traffic")] == [
        7802, 1491, 291, "own",
    ]  # fmt: skip
    assert page.value("hourly_profile").count(",") == 167
    assert page.value("cached_input_fraction") == pytest.approx(0.4, abs=0.001)
    assert page.value("peak_to_mean") == pytest.approx(4.86)
    assert page.tracebacks == []
    assert page.errors == ""
    page.open("decide/workload")
    assert SAMPLE in page.text
    assert page.value("requests_per_month") == 7802


def test_bad_lines_are_counted_and_shown(page):
    upload(page, sample_csv() + b"yesterday,5,5,,,\n2026-11-03,1\n")
    assert SAMPLE in page.text
    table = page.table("Lines that are left out")
    assert table["value"].tolist() == ["yesterday", "2026-11-03,1"]
    assert table["why"].tolist()[1] == "it has 2 cells, the header 6"


def test_a_file_that_is_no_log_is_a_sentence_and_the_log_before_it_stays(page):
    upload(page, b"hello\n", name="x.csv")
    assert "x.csv begins with 'hello', which is no header" in page.errors
    assert page.tracebacks == []
    upload(page, sample_csv())
    upload(page, b"\0\0\0\0", name="y.csv")
    assert "y.csv is no text" in page.errors
    assert "The log before it stays in use." in page.errors
    assert SAMPLE in page.text


def test_the_log_can_be_removed(page):
    press(upload(page, sample_csv()), "log_remove")
    assert SAMPLE not in page.text
    assert "`prompt_tokens`" in page.text
    upload(page, sample_csv(), number=1)
    assert SAMPLE in page.text


def test_the_time_zone_moves_the_hours_and_is_kept_over_a_change_of_page(page):
    upload(page, sample_csv()).set("log_zone", "Asia/Tokyo")
    assert "(Asia/Tokyo)" in page.text
    page.open("decide/costs").open("decide/workload")
    assert page.value("log_zone") == "Asia/Tokyo"
    assert "(Asia/Tokyo)" in page.text


def test_characters_are_turned_into_tokens_by_a_factor_that_can_be_changed(page):
    rows = [{"time": 1793610000 + 60 * at, "input_characters": 4000, "output_characters": 400} for at in range(100)]
    upload(page, "\n".join(map(json.dumps, rows)).encode(), name="log.jsonl")
    assert "1,000 tokens in and 100 out" in page.text
    page.set("log_characters", 2.0)
    assert "2,000 tokens in and 200 out" in page.text
    assert "an assumption" in page.text


def test_hostile_text_of_a_log_is_shown_as_it_is_written(page):
    hostile = "<script>alert(1)</script> $x^2$ :red[x] **b**"
    upload(page, f"timestamp,input_tokens,output_tokens\n{hostile},1,1\n".encode(), name=f"{hostile}.csv")
    assert hostile in page.errors
    assert not [text for text in page.raw_texts if "**b**" in text]


# --- a bill -----------------------------------------------------------------------------------------------------------


def test_a_bill_alone_becomes_a_volume_with_its_arithmetic(open_app):
    app = open_app("decide/workload", workload_view=BILL).set("bill_usd", 4_000.0)
    assert "$4,000 a month pays for about 727K requests of 1,000 → 300 tokens at openai/gpt-4o." in app.text
    assert "`4000 / 0.0055 = 727272.73` requests" in app.text
    press(app, "bill_use")
    assert (app.value("requests_per_month"), app.value("today_usd_per_month")) == (727_273, 4_000)
    app.open("decide/costs")
    assert "$4,000" in app.text
    assert app.tracebacks == []


def test_the_shape_of_a_request_is_the_sidebar_s(open_app):
    app = open_app("decide/workload", workload_view=BILL).set("bill_usd", 4_000.0).set("preset", "chat")
    assert "512 → 256 tokens" in app.text
    assert app.table("The bill for usual shapes")["shape"].tolist()[0] == "chat"


# --- forecast against actual ------------------------------------------------------------------------------------------


def test_a_real_month_is_set_against_the_forecast_and_outlasts_a_change_of_page(real_months):
    assert "How far off was the forecast" in real_months.text
    app = type_month(real_months, usd=6_600.0, requests=1.2e6, input_tokens=1.2e9, output_tokens=3.6e8)
    answer = "October 2026 cost $6,600, $1,100 (20%) more than the forecast of $5,500 for today's API, openai/gpt-4o"
    assert answer in app.text
    assert "Volume (requests): +$1,100. 1.2M requests instead of 1M." in app.text
    app.open("decide/costs").open("decide/workload").set("workload_view", ACTUAL)
    assert answer in app.text
    assert app.table("Forecast against actual")["volume_usd"].tolist() == [1_100]
    assert app.tracebacks == []


def test_the_forecast_may_be_for_rented_gpus(real_months):
    app = type_month(real_months, usd=6_600.0, requests=1e6, input_tokens=1e9, output_tokens=3e8, gpu_hours=1_460.0)
    rented = next(label for label in app.run_of.get_by_key("actual_against").options if label.startswith("renting"))
    app.set("actual_against", rented)
    assert "Speed: " in app.text
    assert "tokens per GPU-hour instead of" in app.text


def test_a_month_that_cannot_be_is_a_sentence_and_nothing_is_kept(real_months):
    assert "Give the bill in USD." in submit(real_months, "Keep this month").errors
    app = type_month(real_months, usd=5.0, input_tokens=5.0, cached_tokens=9.0)
    assert "cached_tokens of 2026-10 is above input_tokens" in app.errors
    assert "How far off was the forecast" in app.text


def test_months_come_from_a_file_and_can_be_taken_back(real_months):
    app = real_months
    for content, said in (
        (b"month,usd\n2026-09,abc\n", "line 2: usd is 'abc'"),
        (b"month\n", "it needs month and usd"),
    ):
        app.run_of.get_by_key("actual_upload_file").set_value([("real.csv", content, "text/csv")])
        assert said in submit(app, "Use this file").errors
    app.run_of.get_by_key("actual_upload_file").set_value(
        [("real.csv", b"month,usd\n2026-09,5000\n2026-10,6000\n", "text/csv")]
    )
    submit(app, "Use this file")
    assert "2 months of real.csv kept." in app.text
    assert app.table("Forecast against actual")["month"].tolist() == ["2026-10", "2026-09"]
    app.run_of.get_by_key("actual_chosen").set_value([0, 1])
    submit(app, "Take back")
    assert "How far off was the forecast" in app.text


def test_the_counts_of_the_log_fill_the_form(real_months):
    app = upload(real_months.set("workload_view", LOG), sample_csv()).set("workload_view", ACTUAL)
    press(app, "actual_from_log")
    assert app.value("actual_month") == "2026-11"
    assert app.value("actual_requests") == 3_591
    type_month(app, month="2026-11", usd=30.0)
    assert "November 2026 cost $30.00" in app.text
    assert app.tracebacks == []
