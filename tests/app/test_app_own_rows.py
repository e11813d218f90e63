"""Your rows on the Data page: every table by its form and by a file, refused with every error, marked as yours."""

import pytest

from llmcompare.services import overrides

PAGE = "share/data"


@pytest.fixture
def rows_of(own_data, open_app):
    """The view for one table, on a folder of its own."""
    return lambda table: open_app(PAGE, data_view="Your rows", own_table=overrides.TABLES[table])


def fill(app, table: str, cells: dict[str, str]):
    for name, value in cells.items():
        app.run_of.get_by_key(f"own_{table}_{name}").set_value(value)
    [button] = [button for button in app.run_of.button if button.label == "Keep this row"]
    button.click().run()
    assert app.tracebacks == []
    return app


GPU = {"gpu_id": "my-card", "name": "My card", "vendor": "NVIDIA", "class": "workstation", "memory_gb": "48",
       "memory_bandwidth_gb_per_s": "900"}  # fmt: skip
MODEL = {"model_id": "my-tune", "family": "qwen", "generation": "Qwen3", "display_name": "My tune",
         "modalities": "text"}  # fmt: skip
SCORE = {"model_id": "qwen3-32b", "benchmark": "mmlu", "score": "83.5", "setting": "chat"}


def test_a_gpu_of_ones_own_is_kept_and_can_be_chosen_on_other_pages(rows_of):
    app = fill(rows_of("gpus"), "gpus", GPU)
    assert "Kept: my-card" in app.text
    assert app.table("Your GPUs")[["gpu_id", "memory_gb", "in_use"]].values.tolist() == [["my-card", 48.0, "yes"]]
    app.open("decide/costs").set("costs_view", "Own machine").set("purchase_usd", 5_000.0)
    app.set("model", "qwen3-8b").set("owned_gpu", "my-card")
    assert app.tracebacks == []
    assert "My card (yours)" in app.text


def test_a_model_of_ones_own_is_kept_and_can_be_chosen_in_the_sidebar(rows_of):
    app = fill(rows_of("models"), "models", MODEL)
    assert "Kept: my-tune" in app.text
    app.open("decide/costs").set("model", "my-tune")
    assert app.tracebacks == []
    assert "My tune (yours)" in app.text


def test_a_score_of_ones_own_is_kept_and_stands_among_the_published_ones(rows_of):
    app = fill(rows_of("scores"), "scores", SCORE)
    assert "Kept: qwen3-32b · mmlu · 83.5 accuracy % · chat · yours" in app.text
    app.set("data_view", "Every table").set("table", "scores").set("filter", "yours qwen3-32b mmlu")
    shown = app.table("scores")
    assert shown[["score", "published_by", "source", "is_own"]].values.tolist() == [[83.5, "yours", "yours", True]]


def test_inputs_that_must_be_filled_in_are_named(rows_of):
    app = fill(rows_of("gpus"), "gpus", {"gpu_id": "my-card"})
    assert "Give name, vendor, memory_bandwidth_gb_per_s, class." in app.errors


def test_every_bad_cell_of_a_form_is_listed_and_nothing_is_kept(rows_of):
    app = fill(rows_of("gpus"), "gpus", GPU | {"memory_gb": "48 GB", "memory_bandwidth_gb_per_s": "9"})
    assert "2 cells in var/overrides/ cannot be used" in app.errors
    for part in ("column memory_gb: '48 GB' is refused", "column memory_bandwidth_gb_per_s: '9' is refused"):
        assert part in app.errors
    assert overrides.present("gpus") == []


def send(app, content: bytes, way: str):
    app.run_of.get_by_key("your_rows_file").set_value([("mine.csv", content, "text/csv")])
    app.run_of.get_by_key("your_rows_way").set_value(way)
    [button] = [button for button in app.run_of.button if button.label == "Use this file"]
    button.click().run()
    assert app.tracebacks == []
    return app


def test_a_file_adds_its_rows_or_takes_the_place_of_all(rows_of):
    app = fill(rows_of("scores"), "scores", SCORE)
    more = b"model_id,benchmark,score,metric,setting,run,published_by\nqwen3-8b,mmlu,70,accuracy %,chat,1,yours\n"
    send(app, more, "Add them to mine")
    assert "The rows of mine.csv are added to your scores." in app.text
    assert set(app.table("Your scores")["model_id"]) == {"qwen3-32b", "qwen3-8b"}
    send(app, more, "Replace mine with them")
    assert set(app.table("Your scores")["model_id"]) == {"qwen3-8b"}


def test_a_file_with_many_errors_is_refused_whole_and_every_one_is_listed_with_its_line(rows_of):
    header = b"model_id,benchmark,score,metric,setting,run,published_by\n"
    lines = b"".join(b"qwen3-8b,exam %d,high,accuracy %%,chat,1,me\n" % number for number in range(30))
    app = send(rows_of("scores"), header + lines, "Add them to mine")
    assert "30 cells in var/overrides/ cannot be used" in app.errors
    assert "and 10 more, in the table below" in app.errors
    listed = app.table("Refused cells")
    assert listed["line"].tolist() == list(range(2, 32))
    assert set(listed["column"]) == {"score"}
    assert set(listed["value"]) == {"high"}
    assert overrides.present("scores") == []


@pytest.mark.parametrize("table", overrides.TABLES)
def test_every_table_that_takes_own_rows_has_a_form_and_a_file_to_fill_in(rows_of, table):
    app = rows_of(table)
    assert app.tracebacks == []
    labels = [button.label for button in app.run_of.button]
    assert "Keep this price" in labels or "Keep this row" in labels
    assert overrides.file_bytes(table).startswith(",".join(overrides.overrides.columns(table)).encode())
