"""The catalogue as pages and commands see it: it follows data/, and keeps the last good one."""

import subprocess
import sys

import pytest

from llmcompare.core.options import proprietary_offers
from llmcompare.core.scenario import Scenario
from llmcompare.errors import DataError, StoreError, UnknownIdError
from llmcompare.services import catalogue, costs, doctor, overview, tables
from llmcompare.store.paths import Folders


@pytest.fixture
def where(data, var) -> Folders:
    return Folders(data=data.path, var=var)


def prices(state: catalogue.State) -> set[float]:
    return {o.usd_per_gpu_hour for o in state.facts.gpu_offers if o.provider == "alpha" and o.billing == "on-demand"}


def test_a_corrected_cell_is_in_use_without_a_restart(data, where, today):
    assert prices(catalogue.current(today, where)) == {2.0}
    data.set("gpu_prices", "usd_per_hour", "$0.71")
    refused = catalogue.current(today, where)
    assert isinstance(refused.problem, DataError)
    assert "'$0.71'" in str(refused.problem)
    assert prices(refused) == {2.0}
    data.set("gpu_prices", "usd_per_hour", "0.71")
    corrected = catalogue.current(today, where)
    assert corrected.problem is None
    assert prices(corrected) == {0.71}


def test_while_nothing_changes_the_very_same_facts_are_handed_out(where, today):
    assert catalogue.current(today, where).facts is catalogue.current(today, where).facts


def test_an_edit_that_changes_no_byte_hands_out_the_same_facts(data, where, today):
    before = catalogue.current(today, where).facts
    data.save("gpu_prices")
    assert catalogue.current(today, where).facts is before


def test_a_missing_file_keeps_the_last_good_facts_and_says_which(data, where, today):
    catalogue.current(today, where)
    content = data.file("gpus").read_bytes()
    data.file("gpus").unlink()
    state = catalogue.current(today, where)
    assert isinstance(state.problem, StoreError)
    assert "gpus.csv" in str(state.problem)
    assert prices(state) == {2.0}
    data.write("gpus", content)
    assert catalogue.current(today, where).problem is None


def test_a_bad_start_without_an_earlier_catalogue_says_why(data, where, today):
    line = data.set("gpu_prices", "usd_per_hour", "$2")
    state = catalogue.current(today, where)
    assert state.facts is None
    with pytest.raises(DataError, match=rf"data/gpu_prices.csv line {line}, column usd_per_hour: '\$2'"):
        state.usable()


def test_a_last_good_catalogue_of_an_earlier_process_is_used(data, where, today, project):
    program = (
        "import sys\nfrom datetime import date\nfrom pathlib import Path\nfrom llmcompare.store.seed import seed\n"
        "seed(Path(sys.argv[1]), Path(sys.argv[2]), today=date(2026, 11, 25))"
    )
    subprocess.run([sys.executable, "-c", program, str(where.data), str(where.var)], cwd=project, check=True)
    data.set("gpu_prices", "usd_per_hour", "$2")
    state = catalogue.current(today, where)
    assert isinstance(state.problem, DataError)
    assert prices(state) == {2.0}


def test_a_var_folder_that_becomes_writable_is_used_without_a_restart_or_an_edit(data, tmp_path, today):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    where = Folders(data=data.path, var=in_the_way / "var")
    assert isinstance(catalogue.current(today, where).problem, StoreError)
    in_the_way.unlink()
    assert catalogue.current(today, where).problem is None


def test_a_damaged_catalogue_is_a_problem_that_is_told_and_not_a_crash(data, where, today):
    path = catalogue.current(today, where).usable().catalog.path
    elsewhere = Folders(data=data.path, var=where.var.with_name("copy"))
    elsewhere.var.mkdir()
    (elsewhere.var / path.name).write_bytes(b"damaged")
    (elsewhere.var / "catalog-current").write_text(path.name)
    state = catalogue.current(today, elsewhere)
    assert state.facts is not None or isinstance(state.problem, StoreError)


def test_a_newer_price_of_one_proprietary_model_leaves_the_others_on_offer(data, where, today):
    data.add(
        "api_prices", provider="openai", api_model_name="gpt-6", model_id="gpt-6", family="proprietary",
        as_of="2026-11-20",
    )  # fmt: skip
    facts = catalogue.current(today, where).usable()
    assert set(proprietary_offers(facts.api_offers)) == {"openai/gpt-4o", "openai/gpt-6"}


def test_a_newer_price_of_the_same_model_replaces_the_older_one(data, where, today):
    data.add("api_prices", as_of="2026-11-20", input_usd_per_mtok="0.11")
    facts = catalogue.current(today, where).usable()
    alpha = [o.input_usd_per_mtok for o in facts.api_offers if o.provider == "alpha" and o.model_id == "tiny-7b"]
    assert alpha == [0.11]


def test_an_undated_price_counts_as_older_than_a_dated_one(data, where, today):
    data.add("gpu_prices", usd_per_hour="1.5", as_of="")
    assert prices(catalogue.current(today, where)) == {2.0}


def test_the_cheapest_of_several_prices_of_one_day_counts(data, where, today):
    data.add("gpu_prices", usd_per_hour="1.5", offer_name="another")
    facts = catalogue.current(today, where).usable()
    assert costs.compare(facts, Scenario(model="tiny-7b")).rented.usd_per_gpu_hour.low == 1.5


def test_a_list_that_does_not_say_the_form_factor_is_no_price(data, where, today):
    data.set("gpu_prices", "form_factor_stated", "no")
    assert prices(catalogue.current(today, where)) == set()


def test_a_measurement_serves_a_model_of_the_same_architecture_and_says_so(small_facts):
    (row,) = small_facts.capacities["twin-7b"]
    assert (row.model_id, row.measured_model_id) == ("twin-7b", "tiny-7b")
    comparison = costs.compare(small_facts, Scenario(model="twin-7b"))
    assert "tiny-7b, which has the same architecture" in comparison.rented.basis
    assert comparison.api is None


def test_a_measurement_that_is_marked_as_an_anomaly_is_kept_and_prices_nothing(data, where, today):
    data.set("throughput", "note", "ANOMALY: faster than the memory allows")
    facts = catalogue.current(today, where).usable()
    assert facts.capacities == {}
    assert len(tables.rows(facts, "throughput", today=today).rows) == 1
    assert costs.compare(facts, Scenario(model="tiny-7b")).rented is None


def test_an_output_rate_above_the_outputs_share_of_the_total_rate_is_cut_to_it(data, where, today):
    # 5,000 tokens/s in all at 1,000 → 1,000: no more than 2,500 of them are output.
    data.set("throughput", "total_tokens_per_s", "5000")
    (row,) = catalogue.current(today, where).usable().capacities["tiny-7b"]
    assert row.output_tokens_per_s == pytest.approx(2_500, rel=1e-9)


def test_an_alias_names_its_model(small_facts):
    assert small_facts.model("tiny").model_id == "tiny-7b"


def test_an_alias_of_a_model_that_is_not_there_is_unknown_and_counted(data, where, today):
    data.add("model_aliases", alias="ghost", model_id="ghost-1b")
    facts = catalogue.current(today, where).usable()
    with pytest.raises(UnknownIdError, match="ghost"):
        facts.model("ghost")
    assert ("model_aliases", "model_id", "ghost-1b", 1) in tables.unjoined_table(facts).rows


def test_an_alias_that_is_also_the_id_of_a_model_gives_no_price_twice(data, where, today):
    data.add("model_aliases", alias="tiny-7b", model_id="tiny-7b")
    state = catalogue.current(today, where)
    ids = [offer.row_id for offer in state.facts.api_offers] if state.facts else []
    assert len(ids) == len(set(ids))


def test_figures_of_the_small_facts_can_be_redone_by_hand(small_facts):
    comparison = costs.compare(
        small_facts, Scenario(model="tiny-7b", requests_per_month=1e6, input_tokens=1_000, output_tokens=1_000)
    )
    # alpha 0.4, beta 0.8, gamma 1.3 USD per 1,000 requests.
    band = comparison.api.usd_per_month
    assert (band.low, band.mid, band.high) == pytest.approx((400, 800, 1_300), rel=1e-9)
    # 4,000 output tokens/s at this very shape: 4 requests/s, 0.7 of them planned: one replica at 2 and 3 USD/h.
    # gamma rents eight GPUs at a time, more than the replica has.
    rented = comparison.rented
    assert (rented.requests_per_s.low, rented.requests_per_s.high) == pytest.approx((4, 4), rel=1e-9)
    assert (rented.usd_per_month.low, rented.usd_per_month.mid, rented.usd_per_month.high) == pytest.approx(
        (2 * 730, 2.5 * 730, 3 * 730), rel=1e-9
    )
    assert rented.larger_only_count == 1
    assert rented.utilisation_fraction == pytest.approx(1e6 / (4 * 730 * 3_600), rel=1e-9)
    assert comparison.today.usd_per_month == pytest.approx(12_500, rel=1e-9)
    first = comparison.pairs[0].crossings.points[0]
    assert (first.kind, first.requests_per_month) == ("equal", pytest.approx(2.5 * 730 / 0.0008, rel=1e-9))


def test_what_runs_on_gpus_is_held_against_the_api_and_today_and_each_pair_once(real_facts):
    seen = set()
    for model in ("llama-3.3-70b-instruct", "mistral-7b-instruct-v0.2", "qwen3-8b", "llama-2-7b"):
        comparison = costs.compare(real_facts, Scenario(model=model, requests_per_month=1e5, purchase_usd=20_000))
        names = {option.key: option.name for option in comparison.options}
        seen |= set(names)
        expected = [
            (names[one], names[other])
            for one in ("rented", "rented_at_scale", "serverless", "owned", "api")
            for other in ("api", "today", "rented")
            if one in names and other in names and one != other
            if other != "rented" or one in ("serverless", "owned")
        ]
        assert sorted((pair.first, pair.second) for pair in comparison.pairs) == sorted(expected)
    assert seen == {"api", "serverless", "rented", "rented_at_scale", "owned", "today"}


def test_a_filter_keeps_rows_that_hold_every_word(small_facts, today):
    table = tables.rows(small_facts, "gpu_prices", today=today)
    assert len(tables.filtered(table, "").rows) == 5
    assert len(tables.filtered(table, "ALPHA community").rows) == 1
    assert tables.filtered(table, "alpha nowhere").rows == ()


def test_the_age_of_prices_counts_old_and_undated_rows(data, where, today):
    data.set("gpu_prices", "as_of", "2026-10-23", row=0)
    data.set("gpu_prices", "as_of", "", row=2)
    ages = {age.kind: age for age in overview.ages(catalogue.current(today, where).usable(), today)}
    gpu = ages["GPU prices"]
    # The one of 23 October, and the one of a marketplace of 1 November.
    assert (gpu.row_count, gpu.stale_count, gpu.undated_count, gpu.median_days) == (4, 2, 1, 24)
    assert gpu.newest_as_of == "2026-11-01"


def test_the_doctor_finds_a_folder_it_cannot_write_and_says_what_to_do(data, tmp_path, monkeypatch, today):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMCOMPARE_DATA", str(data.path))
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "file" / "var"))
    findings = {finding.name: finding for finding in doctor.examine(port=1, today=today)}
    assert not findings["var folder"].ok
    assert "LLMCOMPARE_VAR" in findings["var folder"].detail
    assert not findings["catalogue"].ok
    assert findings["python"].ok
