"""The user's own rows: they join the catalogue, replace the list, and never break it."""

import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmcompare.errors import DataError, StoreError
from llmcompare.services.hardware import short_name
from llmcompare.store import overrides, queries
from llmcompare.store.db import Catalog
from llmcompare.store.paths import Folders
from llmcompare.store.seed import seed

GPU = {
    "provider": "yours", "offer_name": "your price", "gpu_id": "h100-sxm-80gb", "form_factor_stated": "yes",
    "gpu_count": "1", "billing": "on-demand", "region": "global", "usd_per_hour": "1.5", "as_of": "2026-11-20",
    "source": "yours",
}  # fmt: skip
API = {
    "provider": "yours", "api_model_name": "tiny-7b", "model_id": "tiny-7b", "family": "qwen", "variant": "standard",
    "input_usd_per_mtok": "0.05", "output_usd_per_mtok": "0.15", "as_of": "2026-11-20", "source": "yours",
}  # fmt: skip


@pytest.fixture
def where(data, var) -> Folders:
    return Folders(data=data.path, var=var)


def built(where, today) -> Catalog:
    return Catalog(seed(where.data, where.var, today=today).path)


def refused_files(where, today) -> set[str]:
    try:
        seed(where.data, where.var, today=today)
    except DataError as error:
        return {cell.file for cell in error.cells}
    return set()


def gpu_prices(catalog: Catalog, gpu_id: str = "h100-sxm-80gb") -> list[tuple[str, float, bool]]:
    return [
        (o.provider, o.usd_per_gpu_hour, o.is_own)
        for o in queries.gpu_offers(catalog)
        if o.gpu_id == gpu_id and o.billing == "on-demand"
    ]


def test_an_own_gpu_price_alone_is_the_price_of_its_gpu_and_billing_class(where, today):
    before = built(where, today)
    assert len(gpu_prices(before)) == 3
    overrides.add(where, "gpu_prices", GPU, today=today)
    after = built(where, today)
    assert gpu_prices(after) == [("yours", 1.5, True)]
    others = [o for o in queries.gpu_offers(after) if o.gpu_id == "rtx-4090"]
    assert [(o.usd_per_gpu_hour, o.is_own) for o in others] == [(0.4, False)]


def test_another_billing_class_keeps_its_list(where, today):
    overrides.add(where, "gpu_prices", GPU | {"billing": "spot"}, today=today)
    offers = queries.gpu_offers(built(where, today))
    assert sum(o.billing == "on-demand" for o in offers) == 3
    assert [o.is_own for o in offers if o.billing == "spot"] == [True]


def test_deleting_the_last_row_brings_the_list_back(where, today):
    before = gpu_prices(built(where, today))
    overrides.add(where, "gpu_prices", GPU, today=today)
    (row,) = overrides.rows(where, "gpu_prices")
    overrides.remove(where, "gpu_prices", [row])
    assert gpu_prices(built(where, today)) == before
    assert not (where.overrides / "gpu_prices.csv").exists()


def test_an_own_api_price_alone_is_the_price_of_its_model_and_variant(where, today, data):
    data.add("api_prices", provider="alpha", api_model_name="tiny-turbo", variant="turbo")
    overrides.add(where, "api_prices", API, today=today)
    offers = [o for o in queries.api_offers(built(where, today)) if o.model_id == "tiny-7b"]
    assert sorted((o.provider, o.variant, o.is_own) for o in offers) == [
        ("alpha", "turbo", False), ("yours", "standard", True),
    ]  # fmt: skip


def test_an_own_price_of_a_proprietary_api_replaces_that_provider_alone(where, today, data):
    data.add("api_prices", provider="azure", api_model_name="gpt-4o", model_id="gpt-4o", family="proprietary")
    own = API | {"provider": "openai", "api_model_name": "gpt-4o", "model_id": "gpt-4o", "family": "proprietary"}
    overrides.add(where, "api_prices", own, today=today)
    offers = [o for o in queries.api_offers(built(where, today)) if o.family == "proprietary"]
    assert [(o.offer_id, o.is_own) for o in offers] == [("azure/gpt-4o", False), ("openai/gpt-4o", True)]


def test_a_copied_row_with_another_price_is_a_row_of_its_own(where, today, data):
    # The most natural way to a file: copy a row of data/ and change the price.
    copied = {name: data.rows["api_prices"][0].get(name, "") for name in data.columns["api_prices"]}
    overrides.add(where, "api_prices", copied | {"input_usd_per_mtok": "0.01"}, today=today)
    offers = [o for o in queries.api_offers(built(where, today)) if o.model_id == "tiny-7b"]
    assert [(o.provider, o.input_usd_per_mtok, o.source) for o in offers] == [
        ("alpha", 0.01, "yours: https://s.example")
    ]
    assert offers[0].row_id.startswith("api_prices:yours:")


def test_the_newest_own_price_counts_and_the_older_one_is_history(where, today):
    overrides.add(where, "gpu_prices", GPU, today=today)
    overrides.add(where, "gpu_prices", GPU | {"usd_per_hour": "1.2", "as_of": "2026-11-24"}, today=today)
    catalog = built(where, today)
    assert gpu_prices(catalog) == [("yours", 1.2, True)]
    columns, rows = queries.table_rows(catalog, "gpu_prices")
    assert sum(row[columns.index("is_own")] for row in rows) == 2


def test_own_machines_of_two_sizes_are_two_prices_whatever_their_days(where, today):
    overrides.add(where, "gpu_prices", GPU, today=today)
    eight = GPU | {"gpu_count": "8", "usd_per_hour": "9.6", "as_of": "2026-11-24"}
    overrides.add(where, "gpu_prices", eight, today=today)
    found = {o.gpu_count: o.usd_per_gpu_hour for o in queries.gpu_offers(built(where, today)) if o.is_own}
    assert found == {1: 1.5, 8: pytest.approx(1.2)}


def test_a_price_of_the_same_offer_and_day_is_replaced(where, today):
    for price in ("1.5", "1.4"):
        overrides.add(where, "gpu_prices", GPU | {"usd_per_hour": price}, today=today)
    assert [row["usd_per_hour"] for row in overrides.rows(where, "gpu_prices")] == ["1.4"]


def test_the_source_of_every_own_row_says_yours(where, today):
    overrides.add(where, "gpu_prices", GPU | {"source": ""}, today=today)
    overrides.add(where, "gpu_prices", GPU | {"source": "offer of 20 November", "region": "us"}, today=today)
    columns, rows = queries.table_rows(built(where, today), "gpu_prices")
    sources = {row[columns.index("source")] for row in rows if row[columns.index("is_own")]}
    assert sources == {"yours", "yours: offer of 20 November"}


def test_a_file_may_lack_the_columns_that_may_be_empty(where, today):
    text = "provider,offer_name,gpu_id,form_factor_stated,gpu_count,billing,region,usd_per_hour\n"
    overrides.put(where, "gpu_prices", f"{text}us,rack,h100-sxm-80gb,yes,8,on-demand,eu,16\n".encode(), today=today)
    assert gpu_prices(built(where, today)) == [("us", 2.0, True)]


@pytest.mark.parametrize(
    ("table", "change", "column", "rule"),
    [
        ("gpu_prices", {"usd_per_hour": "$2"}, "usd_per_hour", "is not a number"),
        ("gpu_prices", {"usd_per_hour": "900"}, "usd_per_hour", "plausible range"),
        ("gpu_prices", {"billing": "on demand"}, "billing", "must satisfy"),
        ("gpu_prices", {"as_of": "2031-01-01"}, "as_of", "lies in the future"),
        ("gpu_prices", {"gpu_id": ""}, "gpu_id", "a value is required"),
        ("api_prices", {"input_usd_per_mtok": "-1"}, "input_usd_per_mtok", "must satisfy"),
        ("api_prices", {"cached_input_usd_per_mtok": "9"}, "cached_input_usd_per_mtok", "must satisfy"),
        ("api_prices", {"batch_discount_fraction": "50"}, "batch_discount_fraction", "must satisfy"),
    ],
)
def test_a_bad_cell_is_refused_by_the_rules_of_data_and_nothing_is_written(where, today, table, change, column, rule):
    good = {"gpu_prices": GPU, "api_prices": API}[table]
    overrides.add(where, table, good, today=today)
    before = overrides.content(where, table)
    with pytest.raises(DataError) as error:
        overrides.add(where, table, good | {"provider": "other"} | change, today=today)
    cells = {(cell.file, cell.line, cell.column) for cell in error.value.cells}
    assert (f"var/overrides/{table}.csv", 3, column) in cells
    assert rule in str(error.value)
    assert "in var/overrides/ cannot be used" in str(error.value)
    assert overrides.content(where, table) == before


def test_cells_of_both_folders_are_listed_under_both_names(where, today, data):
    overrides.add(where, "gpu_prices", GPU, today=today)
    path = where.overrides / "gpu_prices.csv"
    path.write_bytes(path.read_bytes().replace(b"1.5", b"$1.5"))
    data.set("gpu_prices", "usd_per_hour", "$2")
    with pytest.raises(DataError, match="2 cells in data/ and var/overrides/ cannot be used"):
        seed(where.data, where.var, today=today)


def test_a_bad_cell_in_data_does_not_keep_an_own_price_from_being_saved(where, today, data):
    data.set("gpu_prices", "usd_per_hour", "$2")
    overrides.add(where, "gpu_prices", GPU, today=today)
    assert len(overrides.rows(where, "gpu_prices")) == 1


def test_a_row_that_is_refused_can_be_deleted(where, today):
    overrides.add(where, "gpu_prices", GPU, today=today)
    path = where.overrides / "gpu_prices.csv"
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[1].replace(b"1.5", b"cheap"))
    bad = overrides.rows(where, "gpu_prices")[1]
    assert bad["usd_per_hour"] == "cheap"
    overrides.remove(where, "gpu_prices", [bad])
    assert gpu_prices(built(where, today)) == [("yours", 1.5, True)]


def test_a_file_whose_form_is_broken_is_named_and_can_be_replaced_or_deleted(where, today):
    where.overrides.mkdir(parents=True)
    (where.overrides / "gpu_prices.csv").write_text("price\n2\n")
    with pytest.raises(DataError, match="var/overrides/gpu_prices.csv line 1, column price"):
        overrides.rows(where, "gpu_prices")
    overrides.forget(where, "gpu_prices")
    assert overrides.rows(where, "gpu_prices") == []


def test_a_folder_that_cannot_be_written_is_named(data, tmp_path, today):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="LLMCOMPARE_VAR"):
        overrides.add(Folders(data=data.path, var=tmp_path / "file"), "gpu_prices", GPU, today=today)


def test_no_temporary_file_is_left(where, today):
    overrides.add(where, "gpu_prices", GPU, today=today)
    with pytest.raises(DataError):
        overrides.add(where, "gpu_prices", GPU | {"billing": "x"}, today=today)
    assert sorted(path.name for path in where.overrides.iterdir()) == ["gpu_prices.csv", "lock"]


WRITE = """
import sys
from datetime import date
from pathlib import Path
from llmcompare.store import overrides
from llmcompare.store.paths import Folders
where = Folders(data=Path(sys.argv[1]), var=Path(sys.argv[2]))
for number in range(5):
    row = dict(provider=f"{sys.argv[3]}-{number}", offer_name="your price", gpu_id="h100-sxm-80gb",
        form_factor_stated="yes", gpu_count="1", billing="on-demand", region="global", usd_per_hour="2",
        as_of="2026-11-20", source="yours")
    overrides.add(where, "gpu_prices", row, today=date(2026, 11, 25))
"""


def test_two_processes_that_write_at_once_lose_nothing(where, today, project):
    command = [sys.executable, "-c", WRITE, str(where.data), str(where.var)]
    both = [subprocess.Popen([*command, name], cwd=project) for name in ("left", "right")]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    found = {row["provider"] for row in overrides.rows(where, "gpu_prices")}
    assert found == {f"{name}-{number}" for name in ("left", "right") for number in range(5)}


def test_threads_that_write_at_once_lose_nothing(where, today):
    seed(where.data, where.var, today=today)
    threads = [
        threading.Thread(
            target=overrides.add, args=(where, "gpu_prices", GPU | {"provider": f"p{number}"}), kwargs={"today": today}
        )
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(overrides.rows(where, "gpu_prices")) == 6


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(content=st.one_of(st.binary(max_size=300), st.text('"\n\r,ab\x00provider', max_size=80).map(str.encode)))
def test_any_bytes_in_an_own_file_leave_the_facts_of_data_in_use(tmp_path_factory, data_folder, today, content):
    folder = tmp_path_factory.mktemp("own")
    where = Folders(data=data_folder(folder / "data").path, var=folder / "var")
    where.overrides.mkdir(parents=True)
    (where.overrides / "api_prices.csv").write_bytes(content)
    assert refused_files(where, today) <= {"var/overrides/api_prices.csv"}
    assert len(gpu_prices(Catalog(seed(where.data, where.var, today=today, with_own=False).path))) == 3


# --- GPUs, models and scores ------------------------------------------------------------------------------------------

OWN_GPU = {"gpu_id": "my-card", "name": "My card", "vendor": "NVIDIA", "memory_gb": "48",
           "memory_bandwidth_gb_per_s": "900", "class": "workstation", "as_of": "2026-11-20"}  # fmt: skip
OWN_MODEL = {"model_id": "my-tune", "family": "qwen", "generation": "Tiny", "display_name": "My tune",
             "modalities": "text", "params_total_billion": "7.6"}  # fmt: skip
OWN_SCORE = {"model_id": "tiny-7b", "benchmark": "exam", "score": "64", "metric": "accuracy %", "setting": "chat",
             "run": "1", "published_by": "yours", "as_of": "2026-11-20"}  # fmt: skip


def test_an_own_gpu_joins_the_listed_ones_and_its_name_says_yours(where, today):
    overrides.add(where, "gpus", OWN_GPU, today=today)
    found = {gpu.gpu_id: gpu for gpu in queries.gpus(built(where, today))}
    assert set(found) == {"h100-sxm-80gb", "rtx-4090", "my-card"}
    own = found["my-card"]
    assert (own.name, own.source, own.memory_gb) == ("My card (yours)", "yours", 48)
    assert own.row_id.startswith("gpus:yours:")


def test_an_own_row_with_the_id_of_a_listed_gpu_stands_in_its_place_until_it_is_deleted(where, today):
    before = {gpu.gpu_id: gpu for gpu in queries.gpus(built(where, today))}
    overrides.add(
        where, "gpus", OWN_GPU | {"gpu_id": "rtx-4090", "name": "NVIDIA RTX 4090", "class": "consumer"}, today=today
    )
    found = {gpu.gpu_id: gpu for gpu in queries.gpus(built(where, today))}
    assert (found["rtx-4090"].memory_gb, found["rtx-4090"].name) == (48, "NVIDIA RTX 4090 (yours)")
    assert set(found) == set(before)
    overrides.remove(where, "gpus", overrides.rows(where, "gpus"))
    assert {gpu.gpu_id: gpu for gpu in queries.gpus(built(where, today))} == before


def test_an_own_model_can_be_priced_and_named(where, today):
    overrides.add(where, "models", OWN_MODEL, today=today)
    overrides.add(where, "api_prices", API | {"api_model_name": "my-tune", "model_id": "my-tune"}, today=today)
    catalog = built(where, today)
    assert [m.display_name for m in queries.models(catalog) if m.model_id == "my-tune"] == ["My tune (yours)"]
    assert [o.is_own for o in queries.api_offers(catalog) if o.model_id == "my-tune"] == [True]


def test_an_own_score_stands_beside_the_listed_ones(where, today):
    overrides.add(where, "scores", OWN_SCORE, today=today)
    found = queries.published_scores(built(where, today))
    assert sorted((s.score, s.published_by, s.source) for s in found) == [
        (61.5, "them", "https://s.example"), (64.0, "yours", "yours"),
    ]  # fmt: skip


def test_an_own_row_that_makes_listed_prices_impossible_is_refused_with_those_prices(where, today):
    # As a consumer card it could not cost 2, 3 and 4 USD... 9 an hour.
    wrong = OWN_GPU | {"gpu_id": "h100-sxm-80gb", "class": "consumer"}
    with pytest.raises(DataError) as error:
        overrides.add(where, "gpus", wrong, today=today)
    (cell,) = error.value.cells
    assert (cell.file, cell.column, cell.value) == ("data/gpu_prices.csv", "usd_per_hour", "9.0")
    assert overrides.content(where, "gpus") is None


@pytest.mark.parametrize(
    ("table", "good", "change", "column"),
    [
        ("gpus", OWN_GPU, {"memory_gb": "48 GB"}, "memory_gb"),
        ("gpus", OWN_GPU, {"class": "gaming"}, "class"),
        ("models", OWN_MODEL, {"params_active_billion": "70"}, "params_active_billion"),
        ("models", OWN_MODEL, {"family": "gemma"}, "family"),
        ("scores", OWN_SCORE, {"score": "640"}, "score"),
        ("scores", OWN_SCORE, {"published_by": ""}, "published_by"),
    ],
)
def test_a_bad_cell_of_any_table_is_refused_by_its_rules(where, today, table, good, change, column):
    with pytest.raises(DataError) as error:
        overrides.add(where, table, good | change, today=today)
    assert {(cell.file, cell.column) for cell in error.value.cells} == {(f"var/overrides/{table}.csv", column)}
    assert overrides.content(where, table) is None


def test_rows_of_a_file_are_added_to_those_that_are_there_and_replace_the_same_ones(where, today):
    overrides.add(where, "scores", OWN_SCORE, today=today)
    header = ",".join(OWN_SCORE)
    rows = [OWN_SCORE | {"score": "65", "source": "yours"}, OWN_SCORE | {"benchmark": "quiz"}]
    text = "\n".join([header, *(",".join(row[name] for name in OWN_SCORE) for row in rows)])
    overrides.add_all(where, "scores", text.encode(), today=today)
    assert sorted((row["benchmark"], row["score"]) for row in overrides.rows(where, "scores")) == [
        ("exam", "65"), ("quiz", "64"),
    ]  # fmt: skip


def test_a_file_with_bad_cells_adds_nothing_and_every_error_has_its_line_in_that_file(where, today):
    overrides.add(where, "scores", OWN_SCORE, today=today)
    before = overrides.content(where, "scores")
    lines = [",".join(OWN_SCORE)]
    for change in ({"score": "many"}, {}, {"run": "0"}, {"score": "101", "as_of": "tomorrow"}):
        lines.append(",".join((OWN_SCORE | {"benchmark": f"b{len(lines)}"} | change).values()))
    with pytest.raises(DataError) as error:
        overrides.add_all(where, "scores", "\n".join(lines).encode(), today=today)
    assert sorted((cell.line, cell.column) for cell in error.value.cells) == [
        (2, "score"), (4, "run"), (5, "as_of"), (5, "score"),
    ]  # fmt: skip
    assert overrides.content(where, "scores") == before


@pytest.mark.parametrize("table", ["gpu_prices", "api_prices", "gpus", "models", "scores"])
def test_a_header_leads_to_its_table(table):
    assert overrides.table_of(overrides.columns(table)) == table
    needed = [column.name for column in overrides.columns_of(table) if column.required]
    assert overrides.table_of(needed) == table


def test_a_gpu_of_ones_own_says_so_in_the_short_names_of_charts_too(where, today):
    overrides.add(where, "gpus", OWN_GPU | {"name": "NVIDIA My card (48 GB)"}, today=today)
    found = {gpu.gpu_id: short_name(gpu) for gpu in queries.gpus(built(where, today))}
    assert found["my-card"] == "My card 48GB (yours)"
    assert found["rtx-4090"] == "RTX 4090 24GB"
