"""The walks of a decision-maker, in a real Chromium against a fresh server."""

import csv
import json
import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest
from browsing import CHART, NAVIGATION, PAGES, PROJECT, Tab, serving
from playwright.sync_api import expect

from llmcompare.core import tables, words
from llmcompare.core.scenario import Scenario
from llmcompare.services import catalogue, costs
from llmcompare.store.paths import Folders

MODEL = "llama-3.3-70b-instruct"
ASKED = Scenario(model=MODEL, requests_per_month=5_000_000, input_tokens=1_000, output_tokens=300)


def squeezed(text: str) -> str:
    """One space wherever the page breaks its lines."""
    return " ".join(text.split())


def show(tab: Tab, name: str, key: str) -> None:
    """Open one of the tables behind the figures; a table, with this key in it, is drawn when it is chosen."""
    tab.page.get_by_role("radio", name=name, exact=True).click()
    tab.rerun_settled()
    expect(tab.page.locator(f".st-key-{key}")).to_be_visible()


def workload_inputs(tab: Tab) -> dict[str, str]:
    labels = ["Model", "Requests per month", "Input tokens", "Output tokens"]
    return {label: tab.input(label).input_value() for label in labels}


def link_parameters(tab: Tab) -> str:
    return tab.page.url.partition("?")[2]


def assert_same_table(read: pd.DataFrame, expected: tables.Table) -> None:
    frame = pd.DataFrame(list(expected.rows), columns=list(expected.columns))
    pd.testing.assert_frame_equal(read, frame, check_dtype=False, rtol=1e-12)


def assert_deep_link_opens(tab: Tab, page: str, address: str) -> None:
    tab.open(address)
    tab.page.wait_for_timeout(1_000)
    assert tab.title == NAVIGATION[page]
    assert tab.page.get_by_role("dialog").count() == 0
    assert "Page not found" not in tab.page.locator("body").inner_text()
    expect(tab.input("Requests per month")).to_have_value("5000000")
    assert tab.tracebacks == []


FIRST_VISITS = ["costs", "families", "playground", "report"]
"""One of each section: which pages there are is known to the server from the first visit on."""


@pytest.mark.parametrize("page", FIRST_VISITS)
def test_a_deep_link_is_the_first_thing_that_a_fresh_server_shows(fresh_server, new_browser, page):
    assert_deep_link_opens(new_browser(), page, fresh_server.address(page, requests_per_month=5_000_000))


def test_every_page_has_a_deep_link(shared_server, tab):
    for page in sorted({page for page in PAGES if PAGES[page]} - set(FIRST_VISITS)):
        assert_deep_link_opens(tab, page, shared_server.address(page, requests_per_month=5_000_000))


def test_walk_2_costs_of_a_model_over_volume_with_downloads_and_sources(shared_server, tab, facts, tmp_path):
    tab.open(shared_server.address("costs", model="qwen3-8b"))
    tab.input("Model").click()
    tab.input("Model").fill("llama-3.3-70b")
    tab.page.keyboard.press("Enter")
    tab.rerun_settled()
    for label, value in [("Requests per month", 5_000_000), ("Input tokens", 1_000), ("Output tokens", 300)]:
        tab.type_number(label, value)

    comparison = costs.compare(facts, ASKED)
    text = squeezed(tab.text)
    assert squeezed(words.headline(comparison)) in text
    for pair in comparison.pairs:
        assert squeezed(words.crossing_sentences(pair)) in text

    traces = tab.page.evaluate("document.querySelector('.js-plotly-plot')._fullData.map(t => [t.name, t.x.length])")
    marks = dict(traces)["crossing"]
    drawn = tables.volumes(comparison)
    in_view = sum(
        drawn[0] <= point.requests_per_month <= drawn[-1]
        for pair in comparison.pairs
        for point in pair.crossings.points
    )
    assert 1 <= marks <= in_view
    assert tab.page.locator(f"{CHART} .scatterlayer .trace").count() >= 3

    curves = tables.curve_table(comparison)
    show(tab, "Curves", "cost-over-volume_csv")
    tab.download("cost-over-volume_csv").save_as(tmp_path / "curves.csv")
    assert_same_table(pd.read_csv(tmp_path / "curves.csv"), curves)
    tab.download("cost-over-volume_parquet").save_as(tmp_path / "curves.parquet")
    assert_same_table(pyarrow.parquet.read_table(tmp_path / "curves.parquet").to_pandas(), curves)

    for name, expected in {
        "API prices": tables.api_price_table(comparison),
        "GPU prices": tables.gpu_price_table(comparison),
        "Today's API": tables.today_table(comparison),
    }.items():
        key = expected.name
        show(tab, name, f"{key}_csv")
        tab.download(f"{key}_csv").save_as(tmp_path / f"{key}.csv")
        read = pd.read_csv(tmp_path / f"{key}.csv")
        assert list(read["row_id"]) == [row[expected.columns.index("row_id")] for row in expected.rows]
        assert read["source"].notna().all(), name
        assert read["as_of"].notna().all(), name
    assert tab.tracebacks == []
    assert tab.complaints == []


def test_walk_3_a_copied_link_shows_the_same_on_another_server(shared_server, fresh_server, tab, new_browser):
    tab.open(shared_server.address("costs", model="qwen2.5-7b-instruct"))
    tab.type_number("Requests per month", 5_000_000).type_number("Output tokens", 450)
    tab.unfold("Rented GPUs").input("Planned share of capacity").focus()
    tab.page.keyboard.press("ArrowLeft")
    tab.rerun_settled()
    link = tab.page.url

    other = new_browser().open(link.replace(f":{shared_server.port}/", f":{fresh_server.port}/"))
    assert workload_inputs(other) == workload_inputs(tab)
    assert workload_inputs(tab)["Requests per month"] == "5000000"
    assert other.input("Planned share of capacity").input_value() == "0.65"
    assert squeezed(other.text) == squeezed(tab.text)


def test_walk_3_the_workload_stays_over_three_other_pages(shared_server, tab):
    tab.open(shared_server.address("costs"))
    tab.type_number("Requests per month", 5_000_000).type_number("Input tokens", 2_000)
    before, parameters, text = workload_inputs(tab), link_parameters(tab), squeezed(tab.text)
    assert "requests_per_month=5000000" in parameters
    for page in ["data", "report", "overview", "costs"]:
        tab.go_to(page)
        assert workload_inputs(tab) == before
        assert sorted(link_parameters(tab).split("&")) == sorted(parameters.split("&"))
    assert squeezed(tab.text) == text
    tab.page.go_back()
    tab.rerun_settled()
    assert workload_inputs(tab) == before
    assert tab.page.get_by_role("dialog").count() == 0


def test_a_link_of_another_page_keeps_its_inputs_when_that_page_is_left_and_opened_again(shared_server, tab):
    tab.open(shared_server.address("data", requests_per_month=7_000_000, table="models"))
    tab.go_to("costs").go_to("overview")
    assert tab.input("Requests per month").input_value() == "7000000"


def test_an_alias_in_a_link_stays_in_the_address_as_the_model_it_opened(shared_server, tab):
    tab.open(shared_server.address("costs", model="llama-4-scout-17b-16e-instruct"))
    text = squeezed(tab.text)
    assert "Llama 4 Scout Instruct" in text
    assert squeezed(tab.open(tab.page.url).text) == text


def test_a_mistake_in_a_link_is_named_and_the_rest_is_used(shared_server, tab):
    tab.open(shared_server.address("costs", model="no-such", requests_per_month=7_000, output_tokens=-3))
    warnings = squeezed(" ".join(tab.page.get_by_test_id("stAlertContentWarning").all_inner_texts()))
    for part in ["no-such", "output_tokens", "-3"]:
        assert part in warnings
    assert tab.input("Requests per month").input_value() == "7000"
    assert tab.tracebacks == []


def edit_prices(path: Path, change: dict[str, str], *, provider: str) -> int:
    """Change the price row of the model at one provider and say on which line it stands."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    number = next(n for n, row in enumerate(rows) if row["model_id"] == MODEL and row["provider"] == provider)
    rows[number].update(change)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return number + 2


def test_walk_4_a_wrong_price_is_named_without_a_click_and_its_correction_is_shown(tab, own_data, tmp_path):
    prices = own_data / "api_prices.csv"
    with serving(tmp_path / "var", own_data) as server:
        tab.open(server.address("costs"))
        text = squeezed(tab.text)
        line = edit_prices(prices, {"output_usd_per_mtok": "$0.71"}, provider="nscale")
        tab.page.get_by_test_id("stAlertContentError").wait_for(timeout=60_000)
        for part in ["data/api_prices.csv", f"line {line}", "output_usd_per_mtok", "$0.71", "write 0.71, not $0.71"]:
            assert part in squeezed(tab.errors)
        # The error comes first, the rest of the page is drawn after it.
        assert text in squeezed(tab.settled().text), "the last good figures stay"

        # The lowest price of all providers, and not so low that it is left out as one that looks wrong.
        edit_prices(prices, {"input_usd_per_mtok": "0.08", "output_usd_per_mtok": "0.12"}, provider="nscale")
        tab.page.get_by_test_id("stAlertContentError").wait_for(state="detached", timeout=60_000)
        now = catalogue.current(date.today(), Folders(data=own_data, var=tmp_path / "var-of-the-test")).usable()
        headline = squeezed(words.headline(costs.compare(now, Scenario())))
        tab.settled()
        assert headline not in text
        assert headline in squeezed(tab.text)
        assert tab.tracebacks == []


def test_text_from_data_becomes_no_markup_in_the_browser(tab, own_data, tmp_path):
    hostile = '<img src=x onerror="window.hacked=1"><b>x</b> $x^2$ :red[x] [a](http://x.example) **b**'
    with (own_data / "models.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["display_name"] = hostile
    with (own_data / "models.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    edit_prices(own_data / "api_prices.csv", {"provider": hostile}, provider="nscale")
    with serving(tmp_path / "var", own_data) as server:
        tab.open(server.address("costs"))
        for page in ["overview", "report", "costs"]:
            tab.go_to(page)
            assert hostile in squeezed(tab.text)
            assert tab.page.locator(".katex, [data-testid='stMain'] img[src='x']").count() == 0
            # Streamlit turns a bare address into a link to itself; no other text may become one.
            named = tab.page.locator("a[href*='x.example']").all_inner_texts()
            assert set(named) <= {"http://x.example"}
            assert tab.page.evaluate("window.hacked") is None
            assert tab.page.locator(f"{CHART} tspan[style*='bold'], {CHART} a").count() == 0
            assert tab.tracebacks == []


def report_of(server, tab, folder: Path) -> Path:
    tab.open(server.address("report", **ASKED.query()))
    tab.download("report_html").save_as(folder / "report.html")
    return folder / "report.html"


def test_walk_5_the_report_works_without_a_network(shared_server, tab, new_browser, facts, tmp_path):
    file = report_of(shared_server, tab, tmp_path)
    offline = new_browser()
    asked_for: list[str] = []
    offline.page.route(
        re.compile("^(https?|wss?):"), lambda route: (asked_for.append(route.request.url), route.abort())
    )
    offline.page.context.set_offline(True)
    offline.page.goto(file.as_uri())
    offline.page.locator(CHART).first.wait_for()
    assert offline.page.evaluate("document.querySelector('.js-plotly-plot')._fullData.length") >= 4
    assert offline.page.locator(f"{CHART} .scatterlayer .trace").count() >= 3

    comparison = costs.compare(facts, ASKED)
    text = squeezed(offline.page.locator("body").inner_text())
    assert squeezed(words.headline(comparison)) in text
    for shown in [
        tables.api_price_table(comparison),
        tables.gpu_price_table(comparison),
        tables.today_table(comparison),
    ]:
        for row in shown.rows:
            cells = dict(zip(shown.columns, row, strict=True))
            assert squeezed(cells["source"]) in text
            assert cells["as_of"] is None or cells["as_of"] in text
    assert f"--model {MODEL} --requests-per-month 5000000" in text
    assert asked_for == []
    assert offline.complaints == []


def test_walk_6_the_command_of_the_report_gives_the_numbers_of_the_page(shared_server, tab, tmp_path):
    report = report_of(shared_server, tab, tmp_path).read_text(encoding="utf-8")
    command = re.findall(r"<pre><code>(python -m llmcompare .*?)</code></pre>", report)
    ran = subprocess.run(
        [sys.executable, *shlex.split(command[0])[1:]],
        cwd=PROJECT, env=shared_server.environment, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    said = json.loads(ran.stdout)

    text = squeezed(tab.go_to("costs").text)
    for sentence in [said["answer"], *said["sentences"]]:
        assert squeezed(sentence) in text
    show(tab, "Curves", "cost-over-volume_csv")
    tab.download("cost-over-volume_csv").save_as(tmp_path / "curves.csv")
    curves = pd.read_csv(tmp_path / "curves.csv")
    at_volume = curves[curves["requests_per_month"] == 5_000_000].iloc[0]
    assert at_volume["api_usd_per_month_median"] == pytest.approx(said["api"]["usd_per_month"]["mid"], rel=1e-12)
    assert at_volume["rented_usd_per_month_median"] == pytest.approx(said["rented"]["usd_per_month"]["mid"], rel=1e-12)
    assert at_volume["today_usd_per_month"] == pytest.approx(said["today"]["usd_per_month"], rel=1e-12)
