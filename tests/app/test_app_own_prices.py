"""Your prices on the Costs page: typed in, refused, uploaded, deleted."""

import pytest

from llmcompare.services import overrides
from llmcompare.store.paths import folders

VIEW = {"costs_view": "Your prices"}


@pytest.fixture
def prices(own_data, open_app):
    """The view, on a folder of its own without any price of one's own."""
    return open_app("decide/costs", **VIEW)


def press(app, label: str, *, number: int = 0):
    [button for button in app.run_of.button if button.label == label][number].click().run()
    assert app.tracebacks == []
    return app


def keep_gpu_price(app, usd: float, gpu_id: str = "h100-sxm-80gb"):
    for key, value in (("your_gpu", gpu_id), ("your_usd_per_gpu_hour", usd)):
        app.run_of.get_by_key(key).set_value(value)
    return press(app, "Keep this price")


def test_a_gpu_price_is_kept_listed_and_used_at_once(prices):
    app = keep_gpu_price(prices, 1.25)
    assert "Kept: h100-sxm-80gb · on-demand · 1 GPU · 1.25 USD/h · yours" in app.text
    table = app.table("Your GPU prices")
    assert table[["gpu_id", "usd_per_hour", "source", "in_use"]].values.tolist() == [
        ["h100-sxm-80gb", 1.25, "yours", "yes"]
    ]
    app.set("costs_view", "Over volume").set("gpu", "h100-sxm-80gb")
    assert "1.25 USD per GPU-hour, your price" in app.text


def test_an_api_price_is_kept_and_the_chart_says_that_it_is_yours(prices):
    prices.run_of.get_by_key("your_input").set_value(0.11)
    prices.run_of.get_by_key("your_output").set_value(0.33)
    app = press(prices, "Keep this price", number=1)
    assert app.table("Your API prices")[["model_id", "in_use"]].values.tolist() == [["llama-3.3-70b-instruct", "yes"]]
    app.set("costs_view", "Over volume")
    # 1,000 x 0.11 + 300 x 0.33 USD per million tokens, a million times.
    assert "Token-priced API: $209 a month, your price." in app.text


def test_a_price_that_the_rules_refuse_is_a_sentence_and_nothing_is_kept(prices):
    app = keep_gpu_price(prices, 700.0)
    assert "var/overrides/gpu_prices.csv line 2, column usd_per_hour" in app.errors
    assert "plausible range" in app.errors
    assert overrides.present("gpu_prices") == []
    assert "None yet: the lists of the providers count." in app.text


def test_a_price_that_lies_far_from_every_list_is_kept_and_doubted(prices):
    assert prices.warnings == ""
    # Per 1,000 tokens, where the form asks for a million.
    prices.run_of.get_by_key("your_input").set_value(0.0011)
    prices.run_of.get_by_key("your_output").set_value(0.0012)
    app = press(prices, "Keep this price", number=1)
    assert len(overrides.present("api_prices")) == 1
    assert "Kept and in use, but look again" in app.warnings
    assert "llama-3.3-70b-instruct: input at 0.0011 USD is 1/" in app.warnings
    assert "other providers" in app.warnings


def test_a_form_without_its_price_says_so(prices):
    assert "Give the USD per GPU-hour." in press(prices, "Keep this price").errors
    assert "Give both prices, of input and of output." in press(prices, "Keep this price", number=1).errors


def test_a_deleted_row_brings_the_list_back(prices):
    app = keep_gpu_price(prices, 1.25)
    app.run_of.get_by_key("your_gpu_prices_chosen").set_value([0])
    press(app, "Delete")
    assert "Deleted: h100-sxm-80gb" in app.text
    assert "Your GPU prices" not in app.tables()
    app.set("costs_view", "Over volume").set("gpu", "h100-sxm-80gb")
    assert "your price" not in app.text
    assert "providers" in app.text


def test_a_file_takes_the_place_of_the_rows_and_a_bad_one_changes_nothing(prices):
    app = keep_gpu_price(prices, 1.25)
    good = overrides.file_bytes("gpu_prices")
    app.run_of.get_by_key("your_rows_way").set_value("Replace mine with them")
    for content, said in ((good.replace(b"1.25", b"cheap"), "column usd_per_hour: 'cheap' is refused"),
                          (b"hello\n", "names no column of gpu_prices or api_prices or gpus")):  # fmt: skip
        app.run_of.get_by_key("your_rows_file").set_value([("mine.csv", content, "text/csv")])
        press(app, "Use this file")
        assert said in app.errors
        assert overrides.file_bytes("gpu_prices") == good
    app.run_of.get_by_key("your_rows_way").set_value("Replace mine with them")
    app.run_of.get_by_key("your_rows_file").set_value([("mine.csv", good.replace(b"1.25", b"2.5"), "text/csv")])
    press(app, "Use this file")
    assert "Your GPU prices are now those of mine.csv." in app.text
    assert app.table("Your GPU prices")["usd_per_hour"].tolist() == [2.5]


def test_a_file_broken_by_hand_is_named_and_can_be_deleted_here(prices):
    path = folders().overrides / "gpu_prices.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("price\n2\n")
    app = prices.again()
    assert "in var/overrides/ cannot be used. The last good figures stay in use until corrected." in app.errors
    assert "var/overrides/gpu_prices.csv line 1, column price" in app.errors
    app.run_of.get_by_key("your_gpu_prices_forget").click().run()
    assert app.tracebacks == []
    assert app.errors == ""


def test_hostile_text_in_an_own_row_is_shown_as_it_is_written(prices):
    hostile = "<script>alert(1)</script> $x^2$ :red[x] **b**"
    prices.run_of.get_by_key("your_gpu_provider").set_value(hostile)
    app = keep_gpu_price(prices, 1.25)
    assert hostile in app.text
    assert not [text for text in app.raw_texts if "**b**" in text or "<script>" in text]
