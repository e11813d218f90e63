"""What the app does with facts that are hostile, wrong, corrected or missing."""

import csv
import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from llmcompare.store.paths import PROJECT_FOLDER as PROJECT
from llmcompare.store.paths import Folders

PAGES = ["decide/overview", "decide/costs", "explore/hardware", "share/report", "share/data"]
HOSTILE = "<script>alert(1)</script> $x^2$ :red[x] :smile: [a](http://x.example) **b** `c`"
LIVE_MARKUP = ["<script>", "$x^2$", ":red[x]", ":smile:", "](http://x.example)", "**b**", "`c`"]
MODEL = "llama-3.3-70b-instruct"


def edit(path: Path, change, *, where) -> int:
    """Change the cells of the rows that fit and say on which line the first one stands."""
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        header, rows = reader.fieldnames, list(reader)
    lines = []
    for number, row in enumerate(rows, start=2):
        if where(row):
            row.update(change)
            lines.append(number)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, header)
        writer.writeheader()
        writer.writerows(rows)
    return lines[0]


@pytest.fixture(scope="module")
def hostile_folders(tmp_path_factory) -> Folders:
    folders = Folders(data=tmp_path_factory.mktemp("hostile") / "data", var=tmp_path_factory.mktemp("hostile") / "var")
    data = Path(shutil.copytree(PROJECT / "data", folders.data))
    edit(data / "models.csv", {"display_name": HOSTILE}, where=lambda row: row["model_id"] == MODEL)
    edit(data / "api_prices.csv", {"provider": HOSTILE}, where=lambda row: row["provider"] == "openai")
    edit(data / "gpus.csv", {"name": HOSTILE}, where=lambda row: row["gpu_id"].startswith("h100"))
    edit(data / "throughput.csv", {"engine": HOSTILE}, where=lambda row: row["model_id"] == MODEL)
    edit(data / "scores.csv", {"benchmark": HOSTILE}, where=lambda row: row["benchmark"] == "ollb2-average")
    return folders


@pytest.fixture
def hostile_data(monkeypatch, hostile_folders) -> None:
    """Names that would be markup, formulas, links and scripts if somebody forgot to escape them."""
    monkeypatch.setenv("LLMCOMPARE_DATA", str(hostile_folders.data))
    monkeypatch.setenv("LLMCOMPARE_VAR", str(hostile_folders.var))


def today(name: str) -> dict[str, str]:
    return {"today": f"{HOSTILE}/{name}"}


@pytest.mark.parametrize("page", PAGES)
def test_text_from_data_is_shown_as_it_is_written(hostile_data, open_app, page):
    app = open_app(page, **today("gpt-4o"))
    assert app.tracebacks == []
    assert page == "share/data" or HOSTILE in app.text
    for sent in app.raw_texts:
        for markup in LIVE_MARKUP:
            assert markup not in without_own_markup(sent), sent


def without_own_markup(sent: str) -> str:
    """Page texts may use ** and `: only what surrounds the hostile text counts."""
    return re.sub(r"\*\*(?=\S)(?!b\*\*)|`[^`c][^`]*`", "", sent)


@pytest.mark.parametrize(
    ("page", "key"),
    [
        ("decide/overview", "quality_against_cost"),
        ("decide/costs", "cost_curves"),
        ("explore/hardware", "fit_grid"),
        ("explore/hardware", "speed_ranges"),
    ],
)
def test_no_label_of_a_chart_holds_a_tag_from_data(hostile_data, open_app, page, key):
    spec = open_app(page, **today("gpt-4o")).run_of.get_by_key(key).proto.spec
    assert "alert(1)" in spec
    assert "<script" not in spec
    assert "\\u003cscript" not in spec


def test_walk_4_a_wrong_price_is_named_and_the_last_good_figures_stay(own_data, open_app):
    app = open_app("decide/costs").reveal("behind", "Curves")
    prices = own_data / "api_prices.csv"
    good = prices.read_bytes()
    before = app.table("Monthly cost over volume")

    line = edit(prices, {"output_usd_per_mtok": "$0.71"}, where=lambda row: row["model_id"] == MODEL)
    app.again()
    for part in ["data/api_prices.csv", f"line {line}", "output_usd_per_mtok", "$0.71", "write 0.71, not $0.71"]:
        assert part in app.errors
    assert app.tracebacks == []
    assert app.table("Monthly cost over volume").equals(before)

    prices.write_bytes(good)
    assert app.again().errors == ""
    assert app.table("Monthly cost over volume").equals(before)


def test_walk_4_a_corrected_price_is_there_in_the_same_session(own_data, open_app):
    app = open_app("decide/costs").reveal("behind", "API prices")
    prices = own_data / "api_prices.csv"
    first = app.table("API prices used").iloc[0]

    def cheapest(row):
        return row["model_id"] == MODEL and row["provider"] == first["provider"]

    edit(prices, {"output_usd_per_mtok": "$0.71"}, where=cheapest)
    assert "$0.71" in app.again().errors
    edit(prices, {"output_usd_per_mtok": "0.71"}, where=cheapest)
    app.again()
    assert app.errors == ""
    assert 0.71 in set(app.table("API prices used")["output_usd_per_mtok"])


def test_all_wrong_cells_are_listed_at_once(own_data, open_app):
    app = open_app()
    edit(own_data / "api_prices.csv", {"input_usd_per_mtok": "0,71"}, where=lambda row: row["provider"] == "scaleway")
    edit(own_data / "gpu_prices.csv", {"source": ""}, where=lambda row: row["provider"] == "beam")
    app.again()
    for part in ["data/api_prices.csv", "0,71", "data/gpu_prices.csv", "source"]:
        assert part in app.errors


def test_a_file_that_went_missing_keeps_the_last_good_figures(own_data, open_app):
    app = open_app("decide/costs")
    (own_data / "gpu_prices.csv").unlink()
    app.again()
    assert "gpu_prices.csv" in app.errors
    assert app.tracebacks == []
    assert app.has("cost_curves")


@pytest.mark.parametrize("page", PAGES)
def test_data_that_were_never_good_are_an_error_without_a_traceback(own_data, open_app, page):
    edit(own_data / "api_prices.csv", {"input_usd_per_mtok": "$0.71"}, where=lambda row: row["model_id"] == MODEL)
    app = open_app()
    assert app.tracebacks == []
    assert "input_usd_per_mtok" in app.errors
    assert "$0.71" in app.errors
    assert "stay in use" not in app.errors, "there are no last good figures"


def test_data_that_were_never_good_need_no_restart_once_corrected(own_data, open_app):
    prices = own_data / "api_prices.csv"
    good = prices.read_bytes()
    edit(prices, {"input_usd_per_mtok": "$0.71"}, where=lambda row: row["model_id"] == MODEL)
    app = open_app()
    assert app.errors
    prices.write_bytes(good)
    assert app.again().errors == ""
    assert app.open("decide/costs").has("cost_curves")


def test_a_folder_that_cannot_be_written_is_one_sentence(monkeypatch, own_data, open_app):
    blocked = own_data.parent / "a file, not a folder"
    blocked.write_text("")
    monkeypatch.setenv("LLMCOMPARE_VAR", str(blocked / "var"))
    app = open_app()
    assert app.tracebacks == []
    assert "LLMCOMPARE_VAR" in app.errors


def test_a_data_folder_that_does_not_exist_is_one_sentence(monkeypatch, own_data, open_app):
    monkeypatch.setenv("LLMCOMPARE_DATA", str(own_data.parent / "nowhere"))
    app = open_app()
    assert app.tracebacks == []
    assert "nowhere" in app.errors


def test_an_undated_price_is_shown_as_undated(own_data, open_app):
    edit(own_data / "api_prices.csv", {"as_of": ""}, where=lambda row: row["model_id"] == MODEL)
    app = open_app("decide/costs").reveal("behind", "API prices")
    assert app.tracebacks == []
    assert set(app.table("API prices used")["as_of"]) == {"undated"}
    assert "undated" in app.text


def test_an_undated_score_is_shown_as_undated(own_data, open_app):
    edit(own_data / "scores.csv", {"as_of": ""}, where=lambda row: True)
    app = open_app().reveal("behind_chart")
    assert app.tracebacks == []
    assert set(app.table("Quality against cost")["as_of"]) == {"undated"}


def test_an_answer_whose_price_is_old_says_so_and_its_table_marks_the_row(own_data, open_app):
    def prices_of(day: str) -> None:
        edit(own_data / "api_prices.csv", {"as_of": day}, where=lambda row: row["model_id"] == MODEL)

    prices_of("2024-01-01")
    app = open_app("decide/costs").reveal("behind", "API prices")
    assert "The price that decides this may have moved: the one of" in app.text
    assert set(app.table("API prices used")["price_age"]) == {"stale"}

    prices_of(date.today().isoformat())
    app.again()
    assert "may have moved" not in app.text
    assert set(app.table("API prices used")["price_age"]) == {"fresh"}
    assert app.errors == ""
