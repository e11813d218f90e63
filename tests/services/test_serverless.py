"""Serverless GPUs with the real facts: published prices and terms, request times, cold starts, a simulated month."""

import shutil
from dataclasses import replace
from datetime import date
from math import ceil

import numpy as np
import pytest

from llmcompare.core import words
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless import busy_share_where_equal, one_worker, shared_service_s
from llmcompare.core.serverless_simulation import simulate
from llmcompare.core.serverless_words import crossing_sentence
from llmcompare.core.units import SECONDS_PER_MONTH
from llmcompare.errors import UnknownIdError
from llmcompare.services import catalogue, costs, doubts, serverless, serverless_view
from llmcompare.services.advice_serverless import COLD_MOST, field_of, out_of_limits
from llmcompare.store.paths import Folders

TODAY = date(2026, 11, 25)
H100 = Scenario(requests_per_month=131_400, gpu="h100-sxm-80gb", serverless_provider="runpod")


@pytest.fixture(scope="module")
def comparison(real_facts):
    return costs.compare(real_facts, H100)


@pytest.fixture(scope="module")
def view(real_facts, comparison):
    found, missing = serverless_view.bursty(real_facts, comparison)
    assert found is not None, missing
    return found


def test_every_provider_with_a_serverless_price_has_terms_that_were_read_in_a_source(real_facts):
    providers = {offer.provider for offer in real_facts.serverless_offers}
    assert providers == {row.provider for row in real_facts.serverless_terms}
    for row in real_facts.serverless_terms:
        assert "://" in row.source or "github.com/" in row.source
        assert row.bills_execution == "yes"


def test_terms_that_name_an_offer_name_one_that_has_prices(real_facts):
    priced = {(offer.provider, offer.offer_name) for offer in real_facts.serverless_offers}
    named = {(row.provider, row.offer_name) for row in real_facts.serverless_terms if row.offer_name}
    assert named <= priced
    assert len(named) == 2


def test_runpod_bills_a_worker_from_start_to_stop_by_the_second_and_keeps_it_for_5_seconds(view):
    terms = view.found.middle.terms
    assert (terms.bills_setup, terms.bills_idle, terms.bills_execution) == ("yes", "yes", "yes")
    assert (terms.idle_timeout_default_s, terms.rounding_s) == (5, 1)
    assert view.found.middle.idle_timeout_s == 5


def test_the_flex_and_active_prices_of_an_h100_give_the_published_80_percent(real_facts, view):
    active = serverless_view.active_usd_per_gpu_hour(real_facts, view.found)
    assert round(active, 2) == 3.35
    assert round(view.found.middle.offer.usd_per_gpu_hour, 2) == 4.18
    flex = view.found.middle.offer.usd_per_gpu_hour
    assert round(busy_share_where_equal(flex_usd_per_hour=flex, active_usd_per_hour=active), 2) == 0.8


def test_one_provider_has_no_band_of_prices_but_one_of_request_times(view):
    assert len(view.found.plans) == 1
    low, mid, high = view.found.service_s.low, view.found.service_s.mid, view.found.service_s.high
    assert low < mid < high
    assert view.found.full_s.mid > view.found.alone_s.mid


def test_more_output_takes_longer_and_costs_more(real_facts, view):
    longer = replace(H100, output_tokens=2 * H100.output_tokens)
    found, _ = serverless.option(real_facts, longer, costs.compare(real_facts, longer).deployments)
    assert found.alone_s.mid > view.found.alone_s.mid
    assert found.usd_per_month.mid > view.found.usd_per_month.mid


def test_the_cold_starts_of_one_worker_are_the_formulas(view):
    found, plan = view.found, view.found.middle
    rate = H100.requests_per_month / SECONDS_PER_MONTH
    met = serverless.cold_starts(found, plan, requests_per_month=H100.requests_per_month)
    expected = one_worker(found.curves.mid.fleet(plan, requests_per_s=rate), requests_per_s=rate)
    assert met.fraction == pytest.approx(expected.cold_fraction)
    assert met.wait_s == pytest.approx(expected.cold_wait_s)
    assert met.fraction_se is None


def test_the_simulated_month_bills_what_the_curve_says_and_meets_as_many_cold_starts(view):
    found, plan = view.found, view.found.middle
    month = serverless.simulated_month(
        found, plan, H100.spread.hourly, requests_per_month=H100.requests_per_month, seed=0
    )
    assert month.usd_per_month == pytest.approx(month.formula_usd_per_month, rel=0.02)
    met = serverless.cold_starts(found, plan, requests_per_month=H100.requests_per_month)
    assert month.simulated.cold_fraction == pytest.approx(
        met.fraction, abs=max(0.02, 3 * month.simulated.cold_fraction_se)
    )
    assert month.max_workers == 1
    table = {figure: value for figure, _, value in serverless_view.month_table(month).rows}
    assert table["cost of a month, simulated"] == month.usd_per_month
    assert table["workers starting"] == pytest.approx(month.simulated.setup_s / 3_600)


def test_several_workers_are_simulated_and_say_how_sure_that_is(real_facts):
    busy = replace(H100, requests_per_month=3_000_000, requests_per_worker=4, traffic="business-hours")
    found, _ = serverless.option(real_facts, busy, costs.compare(real_facts, busy).deployments)
    assert found.max_workers > 1
    met = serverless.cold_starts(found, found.middle, requests_per_month=busy.requests_per_month)
    month = serverless.simulated_month(
        found, found.middle, busy.spread.hourly, requests_per_month=busy.requests_per_month, seed=0
    )
    assert met.fraction_se > 0
    assert met.fraction == pytest.approx(month.simulated.cold_fraction, rel=0.35, abs=0.03)
    assert month.usd_per_month == pytest.approx(month.formula_usd_per_month, rel=0.25)


def test_of_a_month_that_is_too_large_the_first_hours_are_simulated(view):
    month = serverless.simulated_month(view.found, view.found.middle, (1.0,) * 168, requests_per_month=1e9, seed=0)
    assert month.simulated.hours < 730
    assert month.simulated.requests <= serverless.MONTH_REQUESTS * 1.01


def test_serverless_is_cheaper_below_the_crossing_and_dearer_above(view):
    volume, usd = view.crossing
    serverless_curve, rented = view.found.curves.mid, view.always_on.curves.mid
    assert usd == rented.usd_per_month(volume)
    assert serverless_curve.usd_per_month(volume * 0.9) < rented.usd_per_month(volume * 0.9)
    assert serverless_curve.usd_per_month(volume * 1.1) > rented.usd_per_month(volume * 1.1)
    assert crossing_sentence(view.found, view.always_on).startswith("Serverless is cheaper below")


def test_one_request_at_a_time_is_weighed_against_many(real_facts):
    alone = replace(H100, requests_per_worker=1)
    view, _ = serverless_view.bursty(real_facts, costs.compare(real_facts, alone))
    assert view.together.middle.requests_per_worker == serverless_view.AT_ONCE
    assert view.together.usd_per_month.mid < view.found.usd_per_month.mid


def test_a_gpu_that_nobody_lists_as_serverless_is_a_reason_with_its_name(real_facts):
    elsewhere = replace(H100, gpu="mi300x-192gb", serverless_provider=None)
    found, missing = serverless.option(real_facts, elsewhere, costs.compare(real_facts, elsewhere).deployments)
    assert found is None
    assert "MI300X" in missing
    assert serverless.option(real_facts, H100, ())[1].startswith("there is no deployment")


def test_an_unknown_provider_is_refused_with_the_known_ones(real_facts, comparison):
    with pytest.raises(UnknownIdError, match="runpod"):
        serverless.option(real_facts, replace(H100, serverless_provider="runpot"), comparison.deployments)


def test_small_facts_have_terms_but_no_serverless_price(small_facts):
    (row,) = small_facts.serverless_terms
    assert (row.provider, row.idle_timeout_default_s) == ("alpha", 5)
    assert small_facts.serverless_offers == []


def test_a_price_by_the_second_that_looks_wrong_counts_nowhere_and_is_named_until_its_provider_is_chosen(
    project, tmp_path, real_facts
):
    """What Modal asks for an H100 an hour, 3.9492 USD, as if a list had given what it asks for a minute."""
    shutil.copytree(project / "data", tmp_path / "data")
    prices = tmp_path / "data" / "gpu_prices.csv"
    listed = "modal,H100,h100-sxm-80gb,no,1,serverless-per-second,global,{},"
    text = prices.read_text(encoding="utf-8")
    assert listed.format("3.9492") in text
    prices.write_text(text.replace(listed.format("3.9492"), listed.format("0.06582")), encoding="utf-8")
    facts = catalogue.current(TODAY, Folders(data=tmp_path / "data", var=tmp_path / "var")).usable()
    (odd,) = (row for row in doubts.doubts_table(facts).rows if row[0] == "modal")
    assert "the median of 5 other providers" in odd[2]
    assert "it reads like USD per minute" in odd[2]
    asked = replace(H100, serverless_provider=None)
    sound = costs.compare(real_facts, asked).serverless
    found = costs.compare(facts, asked).serverless
    assert {one.provider for one in sound.offers} - {one.provider for one in found.offers} == {"modal"}
    assert "The price of modal/H100 looks wrong and is left out" in words.serverless_sentence(found)
    field, *_ = field_of(facts, asked, (asked.model,))
    assert set(field.provider_counts.tolist()) == {len(found.plans)}
    chosen = costs.compare(facts, replace(asked, serverless_provider="modal")).serverless
    assert [plan.offer.provider for plan in chosen.plans] == ["modal"]
    assert "used because its provider is chosen" in words.serverless_sentence(chosen)


def test_a_deployment_that_only_the_bound_on_cold_starts_puts_out_is_let_in_where_a_simulation_keeps_the_limit(
    real_facts,
):
    """Checked by a longer simulation of other arrivals than the one that let it in."""
    scenario = Scenario(model="qwen3-8b", requests_per_month=20_000_000, input_tokens=512, output_tokens=256,
                        tpot_limit_ms=40)  # fmt: skip
    field, kept, _, times = field_of(real_facts, scenario, (scenario.model,))
    bound, _ = field.cold(np.arange(len(kept)), scenario.requests_per_month)
    reasons = out_of_limits(scenario, field, kept, times)
    let_in = [at for at in range(len(kept)) if reasons[at] is None and bound[at] > COLD_MOST]
    assert let_in
    for at in let_in[:3]:
        workers, per_s = field.middle_workers(at), scenario.requests_per_month / SECONDS_PER_MONTH
        slots = workers.requests_per_worker
        service_s = shared_service_s(alone_s=field.alone_s[at], full_s=field.full_s[at], requests_per_worker=slots,
                                     requests_per_s=np.array([per_s]))  # fmt: skip
        seen = simulate(
            workers.fleet(float(service_s[0])), requests_per_s=[per_s], hours=24, settle_fraction=0.1, seed=7,
            max_workers=ceil(per_s * field.full_s[at] / slots / workers.target_utilisation_fraction),
        )  # fmt: skip
        assert seen.cold_fraction < COLD_MOST + 0.005
        assert seen.cold_fraction < bound[at] / 2


def test_a_gpu_that_few_sell_by_the_second_is_held_against_what_renting_it_costs(data, var):
    for provider in ("one", "two", "three"):
        data.add("gpu_prices", provider=provider, billing="on-demand", usd_per_hour="3")
    data.add("gpu_prices", provider="slip", billing="serverless-per-second", usd_per_hour="0.06")
    data.add("gpu_prices", provider="fair", billing="serverless-per-second", usd_per_hour="6")
    facts = catalogue.current(TODAY, Folders(data=data.path, var=var)).usable()
    assert [row[0] for row in doubts.doubts_table(facts).rows] == ["slip"]


def test_the_table_of_providers_says_prices_terms_and_sources(view):
    table = serverless_view.providers_table(view.found, requests_per_month=H100.requests_per_month)
    (row,) = (dict(zip(table.columns, cells, strict=True)) for cells in table.rows)
    assert row["provider"] == "runpod"
    assert row["what_is_billed"] == "start: yes, idle: yes, requests: yes; rounded up to 1 s"
    assert row["usd_per_month_mid"] == pytest.approx(view.found.usd_per_month.mid, rel=0.02)
    assert row["source"]
