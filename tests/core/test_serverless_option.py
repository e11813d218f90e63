"""Serverless GPUs as an option: which offers count, what their curves cost, what the sentences say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.core import serverless_words as words
from llmcompare.core.cost import Band
from llmcompare.core.records import Gpu, GpuOffer, ServerlessTerms
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless import one_at_a_time
from llmcompare.core.serverless_curve import HOUR_LEVELS, levels, plan_usd_per_month
from llmcompare.core.serverless_option import ServerlessOption, serverless_option
from llmcompare.core.serverless_words import ColdStarts
from llmcompare.core.traffic import traffic
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_MONTH
from llmcompare.errors import UnknownIdError

GPU = Gpu(
    gpu_id="h100", name="NVIDIA H100", vendor="NVIDIA", gpu_class="datacenter", memory_gb=80.0,
    row_id="g", as_of=None, source="s",
)  # fmt: skip
SERVICE = Band(low=8.0, mid=10.0, high=13.0)


def offer(provider: str, usd: float, *, name: str = "worker", gpu_id: str = "h100", gpu_count: int = 1) -> GpuOffer:
    return GpuOffer(
        provider=provider, offer_name=name, gpu_id=gpu_id, gpu_count=gpu_count, billing="serverless-per-second",
        region="global", usd_per_gpu_hour=usd, row_id=f"{provider}-{name}-{usd}", as_of="2026-11-01", source="s",
    )  # fmt: skip


TERMS = ServerlessTerms(
    provider="alpha", offer_kind="worker", offer_name=None, use_as="scales to zero", bills_setup="yes",
    bills_idle="yes", bills_execution="yes", idle_timeout_default_s=5.0, minimum_s=None, rounding_s=None,
    cold_start_low_s=None, cold_start_high_s=None, cold_start_note=None, note=None, row_id="t", as_of=None, source="s",
)  # fmt: skip


ALPHA = (offer("alpha", 4.0),)
ONE = Scenario(requests_per_worker=1)


def option(
    scenario: Scenario,
    offers=ALPHA,
    terms=(TERMS,),
    *,
    service_s: Band = SERVICE,
    full_s: Band | None = None,
    gpus: int = 1,
) -> ServerlessOption:
    found, missing = serverless_option(
        scenario, gpu=GPU, gpus_per_worker=gpus, engine="vllm", weight_format="fp8", alone_s=service_s,
        full_s=full_s or service_s, service_basis="predicted", offers=offers, terms=terms,
    )  # fmt: skip
    assert found is not None, missing
    return found


def test_a_quiet_month_costs_the_formula_times_the_hours():
    # 0.02 requests a second of 10 s: one worker, up 0.2 of the time busy and some more.
    requests = 0.02 * SECONDS_PER_MONTH
    found = option(replace(ONE, requests_per_month=requests))
    up = one_at_a_time(found.middle.fleet(10.0), requests_per_s=0.02).up
    assert found.max_workers == 1
    assert found.usd_per_month.mid == pytest.approx(up * 4.0 * HOURS_PER_MONTH, rel=0.005)


def test_a_request_takes_longer_the_more_are_there_at_once():
    full = Band(low=16.0, mid=39.0, high=50.0)
    quiet = option(Scenario(requests_per_month=1_000, requests_per_worker=30), full_s=full)
    assert quiet.service_s.mid == pytest.approx(10, rel=0.01)
    # One second for each other request; 0.4 requests a second: 10 / (1 - 0.4).
    busy = option(Scenario(requests_per_month=0.4 * SECONDS_PER_MONTH, requests_per_worker=30), full_s=full)
    assert busy.service_s.mid == pytest.approx(10 / 0.6)
    crowded = option(Scenario(requests_per_month=1e9, requests_per_worker=30), full_s=full)
    assert crowded.service_s == full


def test_two_gpus_cost_twice_as_much():
    one, two = option(Scenario()), option(Scenario(), gpus=2)
    assert two.usd_per_month.mid == pytest.approx(2 * one.usd_per_month.mid)


def test_each_provider_counts_once_with_its_cheapest_worker_that_goes_down_when_idle():
    flex = replace(TERMS, provider="beta", offer_kind="flex", offer_name="flex")
    active = replace(TERMS, provider="beta", offer_kind="active", offer_name="active", use_as="always on")
    shared = replace(TERMS, provider="gamma", use_as="shared")
    offers = [
        offer("alpha", 4.0), offer("alpha", 3.0), offer("beta", 5.0, name="flex"), offer("beta", 2.0, name="active"),
        offer("gamma", 1.0), offer("delta", 6.0), offer("alpha", 1.0, gpu_id="a100"), offer("alpha", 1.0, gpu_count=8),
    ]  # fmt: skip
    found = option(Scenario(), offers, [TERMS, flex, active, shared])
    assert {(plan.offer.provider, plan.usd_per_worker_hour) for plan in found.plans} == {
        ("alpha", 3.0), ("beta", 5.0), ("delta", 6.0),
    }  # fmt: skip
    unread = next(plan for plan in found.plans if plan.offer.provider == "delta")
    assert unread.not_read == ("the start", "idle time", "requests")
    assert unread.idle_timeout_is_assumed


def test_the_idle_timeout_is_the_users_then_the_providers_then_an_assumption():
    assert option(Scenario()).middle.idle_timeout_s == 5
    assert option(Scenario(idle_timeout_s=30)).middle.idle_timeout_s == 30
    assert option(Scenario(), terms=()).middle.idle_timeout_s == 60


def test_what_was_not_read_is_free_only_at_the_favourable_end():
    partly = option(Scenario(requests_per_month=10_000), terms=[replace(TERMS, bills_setup="partly")])
    read = option(Scenario(requests_per_month=10_000))
    assert partly.usd_per_month.low < read.usd_per_month.low
    assert partly.usd_per_month.mid == read.usd_per_month.mid
    assert partly.usd_per_month.high == read.usd_per_month.high


def test_a_chosen_provider_stands_alone_and_an_unknown_one_is_refused_with_the_known():
    offers = [offer("alpha", 4.0), offer("beta", 5.0)]
    found = option(Scenario(serverless_provider="beta"), offers)
    assert [plan.offer.provider for plan in found.plans] == ["beta"]
    with pytest.raises(UnknownIdError, match="alpha"):
        option(Scenario(serverless_provider="alpho"), offers)


def test_without_a_price_there_is_no_option_and_the_reason_names_the_gpu():
    found, missing = serverless_option(
        Scenario(), gpu=GPU, gpus_per_worker=1, engine="vllm", weight_format=None, alone_s=SERVICE,
        full_s=SERVICE, service_basis="", offers=[offer("alpha", 1.0, gpu_id="a100")], terms=[],
    )  # fmt: skip
    assert found is None
    assert "NVIDIA H100" in missing


@settings(max_examples=25)
@given(
    prices=st.lists(st.floats(0.1, 20), min_size=1, max_size=4),
    cold_start_s=st.floats(0, 600),
    idle_timeout_s=st.floats(0, 3_600),
    slots=st.integers(1, 64),
    service_s=st.lists(st.floats(0.05, 200), min_size=3, max_size=3).map(sorted),
    shape=st.sampled_from(["flat", "business-hours"]),
)
def test_costs_never_fall_with_volume_and_the_ends_enclose_the_middle(
    prices, cold_start_s, idle_timeout_s, slots, service_s, shape
):
    scenario = Scenario(
        cold_start_s=cold_start_s, idle_timeout_s=idle_timeout_s, requests_per_worker=slots, traffic=shape
    )
    low, mid, high = service_s
    offers = [offer(f"p{place}", price) for place, price in enumerate(prices)]
    found = option(scenario, offers, (), service_s=Band(low=low, mid=mid, high=high))
    volumes = np.geomspace(0.1, 1e12, 300)
    usd = {end: getattr(found.curves, end).usd_at(volumes) for end in ("low", "mid", "high")}
    for costs in usd.values():
        assert np.isfinite(costs).all()
        assert (costs[1:] >= costs[:-1] * (1 - 1e-12)).all()
    # Nearly: a worker fewer that is allowed, for faster requests, can cost more than one more would: up to a tenth in
    # a search of 400, where idle time is free and starts are long.
    assert (usd["low"] <= usd["mid"] * 1.25).all()
    assert (usd["mid"] <= usd["high"] * 1.25).all()
    assert found.curves.mid.usd_per_month(1e5) == pytest.approx(float(found.curves.mid.usd_at(np.array([1e5]))[0]))


def test_the_curve_is_what_its_plan_costs_at_every_volume():
    found = option(ONE)
    curve = found.curves.mid
    for volume in np.geomspace(3, 3e9, 40).tolist():
        assert curve.usd_per_month(volume) == pytest.approx(
            plan_usd_per_month(curve, found.middle, volume), rel=0.01
        ), volume


def test_one_more_worker_is_allowed_where_the_planned_share_is_full():
    curve = option(replace(ONE, target_utilisation_fraction=0.7)).curves.mid
    full = 0.07 * SECONDS_PER_MONTH
    assert curve.requests_per_worker_month == pytest.approx(full)
    assert [curve.max_workers(full * times) for times in (0.01, 0.999, 1, 1.001, 2, 7.5)] == [1, 1, 1, 2, 2, 8]
    assert option(replace(ONE, peak_to_mean=3)).curves.mid.requests_per_worker_month == pytest.approx(full / 3)


def test_many_hourly_rates_are_drawn_together_without_losing_a_request():
    hours = traffic("own", hourly_profile=",".join(str(1 + hour % 24) for hour in range(168))).levels
    merged = levels(hours)
    assert len(merged) == HOUR_LEVELS
    assert sum(share for share, _ in merged) == pytest.approx(1)
    assert sum(share * rate for share, rate in merged) == pytest.approx(1)


# --- words ------------------------------------------------------------------------------------------------------------


def test_the_answer_says_cost_cold_starts_and_workers():
    scenario = Scenario(requests_per_month=131_400)
    found = option(scenario, service_s=Band(low=8, mid=10, high=12))
    assert words.headline(found, scenario, None).startswith("At 3 requests a minute, serverless 1 × H100 costs $")
    met = ColdStarts(fraction=0.14, fraction_se=None, wait_s=45.2)
    assert words.cold_sentence(found, found.middle, met) == (
        "14% of the requests meet a cold start and wait 45 s on average. A worker of alpha takes 60 s to start and "
        "stays for 5 s after its last request."
    )
    simulated = ColdStarts(fraction=0.14, fraction_se=0.002, wait_s=None)
    assert "give or take 0.4 percentage points" in words.cold_sentence(found, found.middle, simulated)
    assert "The worker is up 8" in words.workers_sentence(found, scenario)


def test_several_workers_are_called_an_approximation_with_its_bounds():
    scenario = replace(ONE, requests_per_month=1_000_000)
    found = option(scenario)
    low, high = words.bounds_usd(found, scenario)
    assert low <= found.usd_per_month.mid <= high * (1 + 1e-12)
    assert "approximation" in words.workers_sentence(found, scenario)
    assert high == pytest.approx(found.max_workers * 4.0 * HOURS_PER_MONTH)


def test_an_always_on_worker_of_the_provider_is_weighed():
    scenario = Scenario(requests_per_month=131_400)
    found = option(scenario, [offer("alpha", 4.18)])
    assert "more than 80% of the time" in words.active_sentence(found, scenario, 3.35)


def test_every_assumption_is_listed_with_what_changes_it():
    scenario = Scenario()
    found = option(scenario, [offer("delta", 6.0)], ())
    names = {one.name: one for one in words.assumptions(found, scenario)}
    assert names["cold start"].editable_as == "cold_start_s"
    assert "delta" in names["idle timeout"].value
    assert names["terms of delta"].value == "not read whether the start and idle time and requests is billed"
    for one in names.values():
        assert one.editable_as is None or hasattr(scenario, one.editable_as)


def test_terms_are_said_in_words():
    assert words.terms_text(None).startswith("not read")
    text = words.terms_text(replace(TERMS, bills_setup=None, rounding_s=1.0, minimum_s=60.0))
    assert text == "start: not read, idle: yes, requests: yes; rounded up to 1 s; at least 60 s"
