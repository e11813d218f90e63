"""The facts in data/ as they are shipped: complete, sourced, and with the price bands that were published."""

import csv
from collections import Counter
from datetime import date
from statistics import median

import pytest

from llmcompare.store import queries, schema
from llmcompare.store.seed import seed

ROW_COUNTS = {
    "licenses": 16,
    "models": 188,
    "model_aliases": 37,
    "scores": 4_559,
    "languages": 1_804,
    "gpus": 94,
    "gpu_prices": 713,
    "api_prices": 852,
    "quantizations": 24,
    "quantization_quality": 88,
    "throughput": 2_442,
}
"""Of the reference tables that the facts were taken from."""
READ_SINCE = {
    "energy": 511, "serverless_terms": 8, "claims": 69, "findings": 28, "benchmark_categories": 226,
    "framework_support": 227, "ecosystem": 13,
    "model_tokenizers": 162,
}  # fmt: skip
"""Read in their sources after the reference was made."""
MADE = {"calibration", "calibration_residuals", "tokenizers", "tokenizer_rates"}
"""Made from other tables by benchmarks/calibrate.py, and measured by benchmarks/measure_tokenizers.py."""

# Published with the price tables of 2026-11-23: USD per GPU-hour on demand, one price per provider.
PUBLISHED_BANDS = {
    "b200-sxm-180gb": (6.00, 8.245, 14.2416, 8),
    "l40s-48gb": (1.09, 1.61, 3.50, 10),
    "mi300x-192gb": (2.39, 3.45, 6.00, 5),
}
BANDS_WITH_LISTS_THAT_DO_NOT_SAY_THE_FORM_FACTOR = {
    "a100-sxm-80gb": (1.6, 2.745, 5.0688, 10),
    "h100-sxm-80gb": (2.96, 3.99, 12.29, 18),
    "h200-sxm-141gb": (3.45, 5.63, 10.60, 14),
}


@pytest.fixture(scope="session")
def csv_rows(project) -> dict[str, list[dict[str, str]]]:
    """The files as csv reads them, without any of our own code."""
    found = {}
    for path in (project / "data").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as stream:
            found[path.stem] = list(csv.DictReader(stream))
    return found


def test_there_is_a_file_for_every_table_and_a_table_for_every_file(csv_rows):
    assert set(csv_rows) == set(ROW_COUNTS | READ_SINCE) | MADE == {table.name for table in schema.tables()}


def test_every_row_of_the_reference_is_kept(csv_rows, real_catalog):
    built = {summary.table_name: summary.row_count for summary in queries.table_summaries(real_catalog)}
    assert {name: count for name, count in built.items() if name not in MADE} == ROW_COUNTS | READ_SINCE
    assert {name: len(rows) for name, rows in csv_rows.items() if name not in MADE} == ROW_COUNTS | READ_SINCE
    assert {name: built[name] for name in MADE} == {name: len(csv_rows[name]) for name in MADE}


@pytest.mark.parametrize("table", sorted({*ROW_COUNTS, *READ_SINCE, *MADE}))
def test_every_row_names_a_source_and_has_an_id_and_a_line_of_its_own(table, real_catalog, csv_rows):
    columns, rows = queries.table_rows(real_catalog, table)
    cells = [dict(zip(columns, row, strict=True)) for row in rows]
    assert all(cell["source"].strip() for cell in cells)
    assert len({cell["row_id"] for cell in cells}) == len(cells)
    assert len({cell["line"] for cell in cells}) == len(cells)
    # line leads back to the very row: its source stands there.
    assert [cell["source"] for cell in cells] == [row["source"].strip() for row in csv_rows[table]]


@pytest.mark.parametrize("table", sorted({*ROW_COUNTS, *READ_SINCE, *MADE}))
def test_no_cell_is_lost_between_file_and_catalogue(table, real_catalog, csv_rows):
    columns, rows = queries.table_rows(real_catalog, table)
    for number, name in enumerate(columns):
        if name not in csv_rows[table][0]:
            continue
        for row, written in zip(rows, csv_rows[table], strict=True):
            text = written[name].strip()
            kept = row[number]
            assert (kept is None) == (text == "")
            assert kept is None or (float(text) == kept if isinstance(kept, (int, float)) else text == kept)


def test_no_model_has_two_names_that_lead_to_different_models(csv_rows):
    names = [row["model_id"] for row in csv_rows["models"]] + [row["alias"] for row in csv_rows["model_aliases"]]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_a_summary_counts_the_rows_without_a_date(csv_rows, real_catalog):
    undated = {name: sum(not row["as_of"].strip() for row in rows) for name, rows in csv_rows.items()}
    assert {s.table_name: s.undated_count for s in queries.table_summaries(real_catalog)} == undated
    assert undated["gpu_prices"] == 40
    assert undated["gpus"] == 32


def test_rows_that_join_nothing_are_as_many_as_a_plain_count_says(csv_rows, real_catalog):
    models = {row["model_id"] for row in csv_rows["models"]}
    names = models | {row["alias"] for row in csv_rows["model_aliases"]}
    gpus = {row["gpu_id"] for row in csv_rows["gpus"]}
    licenses = {row["license_id"] for row in csv_rows["licenses"]}
    tokenizers = {row["tokenizer_id"] for row in csv_rows["tokenizers"]}
    # A name that only shares an architecture gives a model its speed, not a price.
    priced = models | {row["alias"] for row in csv_rows["model_aliases"] if row["relation"] != "same architecture"}
    open_prices = [row for row in csv_rows["api_prices"] if row["family"] not in ("proprietary", "deepseek")]
    expected = Counter(
        ("api_prices", "model_id", row["model_id"]) for row in open_prices if row["model_id"] not in priced
    )
    for table, column, known in (
        ("throughput", "model_id", names),
        ("throughput", "gpu_id", gpus),
        ("gpu_prices", "gpu_id", gpus),
        ("scores", "model_id", names),
        ("languages", "model_id", names | {""}),
        ("model_aliases", "model_id", models),
        ("models", "license_id", licenses | {""}),
        ("model_tokenizers", "model_id", models),
        ("model_tokenizers", "tokenizer_id", tokenizers),
        ("tokenizer_rates", "tokenizer_id", tokenizers),
    ):
        expected.update((table, column, row[column]) for row in csv_rows[table] if row[column] not in known)
    counted = {(u.table_name, u.column_name, u.value): u.row_count for u in queries.unjoined(real_catalog)}
    assert counted == dict(expected)
    assert (
        sum(count for (table, column, _), count in counted.items() if (table, column) == ("throughput", "gpu_id")) == 48
    )


def on_demand(real_catalog, gpu_id: str) -> list[float]:
    """The cheapest machine of each provider on its newest day."""
    cheapest: dict[str, float] = {}
    for offer in queries.gpu_offers(real_catalog):
        if (offer.gpu_id, offer.billing) == (gpu_id, "on-demand"):
            cheapest[offer.provider] = min(offer.usd_per_gpu_hour, cheapest.get(offer.provider, offer.usd_per_gpu_hour))
    return list(cheapest.values())


@pytest.mark.parametrize("gpu_id", sorted(PUBLISHED_BANDS))
def test_gpu_prices_have_the_published_minimum_median_and_maximum(gpu_id, real_catalog):
    low, mid, high, providers = PUBLISHED_BANDS[gpu_id]
    prices = on_demand(real_catalog, gpu_id)
    assert (min(prices), median(prices), max(prices)) == pytest.approx((low, mid, high), rel=1e-9)
    assert len(prices) == providers


@pytest.mark.parametrize("gpu_id", sorted(BANDS_WITH_LISTS_THAT_DO_NOT_SAY_THE_FORM_FACTOR))
def test_with_the_lists_that_do_not_say_the_form_factor_the_published_band_comes_out(gpu_id, csv_rows, real_catalog):
    low, mid, high, providers = BANDS_WITH_LISTS_THAT_DO_NOT_SAY_THE_FORM_FACTOR[gpu_id]
    newest: dict[str, tuple[str, float]] = {}
    for row in csv_rows["gpu_prices"]:
        if (row["gpu_id"], row["billing"]) == (gpu_id, "on-demand"):
            found = (row["as_of"], -float(row["usd_per_hour"]) / int(row["gpu_count"]))
            newest[row["provider"]] = max(found, newest.get(row["provider"], found))
    prices = [-usd for _, usd in newest.values()]
    assert len(prices) == providers
    assert (min(prices), median(prices), max(prices)) == pytest.approx((low, mid, high), abs=0.005)
    assert len(on_demand(real_catalog, gpu_id)) < providers


def test_a_price_is_the_newest_row_of_its_machine(csv_rows, real_catalog):
    """Of a provider, GPU, number of GPUs and billing class; one that names no machine is older than no other row."""
    for offer in queries.gpu_offers(real_catalog):
        rows = [
            row
            for row in csv_rows["gpu_prices"]
            if (row["provider"], row["gpu_id"], row["billing"], row["form_factor_stated"])
            == (offer.provider, offer.gpu_id, offer.billing, "yes")
        ]
        names_none = "cheapest" in offer.offer_name or "median" in offer.offer_name
        alike = [row["as_of"] for row in rows if names_none or int(row["gpu_count"]) == offer.gpu_count]
        assert (offer.as_of or "") == max(alike)


def test_a_machine_of_another_size_is_not_history_because_one_was_read_later(real_catalog):
    """GCP's spot H100 was read in all sizes on 2026-07-30, and in eights alone on 2026-10-10."""
    found = [o for o in queries.gpu_offers(real_catalog) if (o.provider, o.billing) == ("gcp", "spot")]
    days = {o.gpu_count: o.as_of for o in found if o.gpu_id == "h100-sxm-80gb"}
    assert (days[1], days[2], days[8]) == ("2026-07-30", "2026-07-30", "2026-10-10")
    # Lambda has its A100 80GB in eights alone; "cheapest listed config" of July was that machine, by the GPU.
    lamb = [o for o in queries.gpu_offers(real_catalog) if (o.provider, o.gpu_id) == ("lambda", "a100-sxm-80gb")]
    assert [(o.gpu_count, o.as_of) for o in lamb] == [(8, "2026-10-10")]


def test_no_list_that_does_not_say_the_form_factor_is_in_a_statistic(csv_rows, real_catalog):
    unstated = {row["offer_name"] for row in csv_rows["gpu_prices"] if row["form_factor_stated"] == "no"}
    stated = {row["offer_name"] for row in csv_rows["gpu_prices"] if row["form_factor_stated"] == "yes"}
    used = {offer.offer_name for offer in queries.gpu_offers(real_catalog)}
    assert used & (unstated - stated) == set()


def test_llama_3_3_70b_costs_between_the_published_extremes(real_facts):
    # Published: from 0.20/0.20 (Crusoe, Nscale) to 0.85/1.20 (Cerebras), and 0.29/2.25 (Cloudflare).
    offers = [o for o in real_facts.api_offers if o.model_id == "llama-3.3-70b-instruct"]
    prices = {(o.input_usd_per_mtok, o.output_usd_per_mtok) for o in offers}
    assert {(0.20, 0.20), (0.85, 1.20)} <= prices
    assert any(o.provider == "cerebras" and o.input_usd_per_mtok == 0.85 for o in offers)


def test_the_real_facts_build_again_on_the_last_day_that_they_name(project, tmp_path, csv_rows):
    newest = max(row["as_of"] for rows in csv_rows.values() for row in rows)
    assert seed(project / "data", tmp_path / "var", today=date.fromisoformat(newest)).built


def test_measurements_that_look_wrong_are_kept_and_not_used(csv_rows, real_facts):
    odd = {row["record_id"] for row in csv_rows["throughput"] if "ANOMALY" in row["note"]}
    used = {row.record_id for rows in real_facts.capacities.values() for row in rows}
    assert odd
    assert used
    assert not odd & used


def test_an_8b_model_on_an_h100_takes_126_wh_per_million_tokens_at_8_requests_and_19_at_512(real_facts):
    measured = {
        row.concurrency_limit: row.joules_per_output_token * 1e6 / 3600
        for row in real_facts.energy
        if (row.model_id, row.gpu_id, row.measured_by, row.task)
        == ("llama-3.1-8b-instruct", "h100-sxm-80gb", "ML.ENERGY Benchmark v3", "chat")
    }
    assert (int(measured[8]), int(measured[512])) == (126, 19)


def test_every_energy_row_names_a_model_and_a_gpu_of_the_catalogue(real_facts):
    assert {row.model_id for row in real_facts.energy} <= set(real_facts.models)
    assert {row.gpu_id for row in real_facts.energy} <= set(real_facts.gpus)
