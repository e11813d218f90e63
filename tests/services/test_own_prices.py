"""Own prices as the app and every figure see them."""

from dataclasses import replace
from datetime import date

import pytest

from llmcompare.core import tables, words
from llmcompare.core.scenario import Scenario
from llmcompare.errors import DataError, InputError, UnknownIdError
from llmcompare.services import catalogue, costs, overrides
from llmcompare.services.overrides import API_PRICES, GPU_PRICES
from llmcompare.store.paths import Folders

DAY = date(2026, 11, 20)
QUESTION = Scenario(model="tiny-7b", requests_per_month=1e6, input_tokens=1_000, output_tokens=1_000)


@pytest.fixture
def where(data, var) -> Folders:
    return Folders(data=data.path, var=var)


def gpu_price(**changed):
    asked = {"gpu_id": "h100-sxm-80gb", "billing": "on-demand", "gpu_count": 1, "usd_per_gpu_hour": 1.5}
    return overrides.gpu_price(**asked | {"valid_from": DAY} | changed)


def api_price(facts, **changed):
    asked = {"model": "tiny-7b", "input_usd_per_mtok": 0.05, "output_usd_per_mtok": 0.15, "valid_from": DAY}
    return overrides.api_price(facts, **asked | changed)


def test_an_own_gpu_price_makes_the_rented_figure_and_is_called_yours(where, today):
    catalogue.current(today, where)
    overrides.save(GPU_PRICES, gpu_price(), today=today, where=where)
    facts = catalogue.current(today, where).usable()
    comparison = costs.compare(facts, QUESTION)
    # One replica serves 2.8 planned requests/s, and the workload needs 0.38.
    assert comparison.rented.usd_per_month.low == comparison.rented.usd_per_month.high == pytest.approx(1.5 * 730)
    assert "1.50 USD per GPU-hour, your price." in words.rented_sentence(comparison.rented)
    shown = tables.gpu_price_table(comparison)
    (row,) = [dict(zip(shown.columns, cells, strict=True)) for cells in shown.rows]
    assert (row["provider"], row["source"], row["as_of"]) == ("yours", "yours", "2026-11-20")
    assert ("yours", "2026-11-20") in {(used.source, used.as_of) for used in comparison.rows_used}


def test_an_own_api_price_makes_the_api_figure_and_is_called_yours(where, today):
    facts = catalogue.current(today, where).usable()
    overrides.save(API_PRICES, api_price(facts), today=today, where=where)
    comparison = costs.compare(catalogue.current(today, where).usable(), QUESTION)
    # 1,000 x 0.05 + 1,000 x 0.15 USD per million tokens, a million times.
    assert comparison.api.usd_per_month.low == comparison.api.usd_per_month.high == pytest.approx(200)
    assert words.api_sentence(comparison.api).startswith("Token-priced API: $200 a month, your price.")
    assert any("your price" in option.label for option in comparison.options)


def test_an_own_price_of_a_machine_larger_than_a_replica_is_told_as_the_reason(where, today):
    overrides.save(GPU_PRICES, gpu_price(gpu_count=8), today=today, where=where)
    comparison = costs.compare(catalogue.current(today, where).usable(), QUESTION)
    assert comparison.rented is None
    assert "your own price is of a machine with more GPUs than one replica has" in comparison.rented_missing


def test_a_named_provider_is_yours_at_that_provider(where, today):
    facts = catalogue.current(today, where).usable()
    overrides.save(API_PRICES, api_price(facts, provider="alpha"), today=today, where=where)
    comparison = costs.compare(catalogue.current(today, where).usable(), QUESTION)
    assert "your price at alpha" in words.api_sentence(comparison.api)


def test_an_own_price_of_todays_api_is_the_bill_of_today(where, today):
    facts = catalogue.current(today, where).usable()
    overrides.save(API_PRICES, api_price(facts, model="openai/gpt-4o"), today=today, where=where)
    comparison = costs.compare(catalogue.current(today, where).usable(), QUESTION)
    assert (comparison.today.label, comparison.today.offer.is_own) == ("openai/gpt-4o", True)
    assert comparison.today.usd_per_month == pytest.approx(200)


def test_an_own_batch_discount_counts_where_requests_can_wait(where, today):
    facts = catalogue.current(today, where).usable()
    overrides.save(API_PRICES, api_price(facts, batch_discount_fraction=0.25), today=today, where=where)
    facts = catalogue.current(today, where).usable()
    half = replace(QUESTION, batch_fraction=0.5)
    assert costs.compare(facts, half).api.usd_per_month.mid == pytest.approx(200 * (1 - 0.5 * 0.25))


def test_a_price_by_gpu_hour_is_kept_as_the_price_of_the_machine():
    row = gpu_price(gpu_count=8, usd_per_gpu_hour=2.49)
    assert (row["gpu_count"], row["usd_per_hour"]) == ("8", "19.92")


def test_a_change_of_the_own_rows_is_in_use_without_a_restart(where, today):
    before = catalogue.current(today, where).usable()
    signature = catalogue.data_signature(where)
    overrides.save(GPU_PRICES, gpu_price(), today=today, where=where)
    assert catalogue.data_signature(where) != signature
    after = catalogue.current(today, where).usable()
    assert after.catalog.fingerprint != before.catalog.fingerprint
    overrides.delete(GPU_PRICES, overrides.present(GPU_PRICES, where=where), where=where)
    assert catalogue.current(today, where).usable().catalog.fingerprint == before.catalog.fingerprint


def test_a_bad_own_cell_leaves_the_last_good_figures_in_use_and_is_named(where, today):
    overrides.save(GPU_PRICES, gpu_price(), today=today, where=where)
    good = catalogue.current(today, where).facts
    path = where.overrides / "gpu_prices.csv"
    path.write_bytes(path.read_bytes().replace(b"1.5", b'"1,5 USD"'))
    state = catalogue.current(today, where)
    assert state.facts is good
    assert "var/overrides/gpu_prices.csv line 2, column usd_per_hour: '1,5 USD'" in str(state.problem)


def test_a_bad_own_cell_at_the_first_start_leaves_the_figures_of_data(where, today):
    where.overrides.mkdir(parents=True)
    (where.overrides / "gpu_prices.csv").write_text("provider\nme\n")
    state = catalogue.current(today, where)
    assert isinstance(state.problem, DataError)
    assert len(state.usable().gpu_offers) == 4


def test_a_file_round_trips_through_download_and_upload(where, today):
    overrides.save(GPU_PRICES, gpu_price(), today=today, where=where)
    saved = overrides.file_bytes(GPU_PRICES, where=where)
    overrides.delete_file(GPU_PRICES, where=where)
    assert overrides.upload(saved, today=today, where=where) == GPU_PRICES
    assert overrides.file_bytes(GPU_PRICES, where=where) == saved


def test_an_empty_form_is_a_file_that_can_be_uploaded(where, today):
    for table in overrides.TABLES:
        assert overrides.upload(overrides.file_bytes(table, where=where), today=today, where=where) == table
        assert overrides.present(table, where=where) == []


def test_an_upload_with_bad_cells_changes_nothing_and_lists_them(where, today):
    overrides.save(GPU_PRICES, gpu_price(), today=today, where=where)
    before = overrides.file_bytes(GPU_PRICES, where=where)
    with pytest.raises(DataError) as error:
        overrides.upload(before.replace(b"1.5", b"free").replace(b"on-demand", b"gift"), today=today, where=where)
    assert {cell.column for cell in error.value.cells} == {"usd_per_hour", "billing"}
    assert overrides.file_bytes(GPU_PRICES, where=where) == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "names no column"),
        (b"hello,world\n1,2\n", "names no column of gpu_prices or api_prices or gpus or models or scores"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "names no column"),
        (b"x" * 5_000_001, "at most 5 MB"),
    ],
)
def test_an_upload_that_is_no_price_file_is_refused_in_a_sentence(where, today, content, says):
    with pytest.raises(InputError, match=says):
        overrides.upload(content, today=today, where=where)


def test_a_misspelt_column_of_an_upload_is_named(where, today):
    content = overrides.file_bytes(API_PRICES, where=where).replace(b"model_id", b"modelid")
    with pytest.raises(DataError, match="column modelid: 'modelid' is refused: the table has no such column"):
        overrides.upload(content, today=today, where=where)


def test_a_model_that_nobody_knows_is_refused_in_the_form(small_facts):
    with pytest.raises(UnknownIdError, match="tiny-7c"):
        api_price(small_facts, model="tiny-7c")


def test_the_list_says_which_rows_are_in_use(where, today):
    rows = (
        gpu_price(), gpu_price(valid_from=date(2026, 11, 1)), gpu_price(gpu_id="h100-pcie-80gb"),
        gpu_price(billing="serverless-per-second"),
    )  # fmt: skip
    for row in rows:
        overrides.save(GPU_PRICES, row, today=today, where=where)
    facts = catalogue.current(today, where).usable()
    shown = overrides.shown(facts, GPU_PRICES, overrides.present(GPU_PRICES, where=where))
    # The small facts hold no such PCIe card; the older price is history.
    assert [row[-1] for row in shown.rows] == ["yes", "no", "no", "yes"]
    assert {row[shown.columns.index("usd_per_hour")] for row in shown.rows} == {1.5}
