"""What an own machine costs: by hand, and what holds for every machine, price and volume."""

from dataclasses import replace
from math import inf, isclose, nan

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmcompare.core import owned_words
from llmcompare.core.cost import ENDS, Band
from llmcompare.core.options import PriceBook
from llmcompare.core.owned import OwnedOption, OwnMachine, own_machine, owned_option, watts
from llmcompare.core.payback import payback
from llmcompare.core.records import Gpu, Model
from llmcompare.core.rented import Deployment, deployments
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import usd_text
from llmcompare.errors import InputError

FROM = {"as_of": "2026-11-01", "source": "https://s.example"}
GPU = Gpu(
    gpu_id="h100", name="NVIDIA H100", vendor="NVIDIA", gpu_class="datacenter", memory_gb=80.0, board_power_w=700.0,
    row_id="gpus:h100", **FROM,
)  # fmt: skip
MODEL = Model(
    model_id="tiny-7b", family="qwen", generation="Tiny", display_name="Tiny 7B", params_total_billion=7.6,
    released_on=None, license_id=None, context_native_tokens=None, context_extended_tokens=None, row_id="models:1",
    **FROM,
)  # fmt: skip
BOOK = PriceBook(model=MODEL, api_offers=(), gpu_offers=(), gpus={"h100": GPU}, capacities=())
BY_HAND = Scenario(
    model="tiny-7b", requests_per_month=13_140_000, input_tokens=700, output_tokens=300, target_utilisation_fraction=1,
    purchase_usd=36_000, owned_months=36, load_w=1_000, idle_w=400, pue=1.5, usd_per_kwh=0.1,
    hosting_usd_per_month=50, staff_hours_per_month=10, staff_usd_per_hour=80,
)  # fmt: skip


def replicas(requests_per_s: float, *, output_tokens: float = 300, gpus_per_replica: int = 1) -> list[Deployment]:
    """A replica with this rate, whatever renting it costs."""
    found, missing = deployments(
        BOOK,
        Scenario(
            model="tiny-7b", gpu="h100", output_tokens=output_tokens, own_usd_per_gpu_hour=1,
            own_output_tokens_per_s=requests_per_s * output_tokens, gpus_per_replica=gpus_per_replica,
        ),
    )  # fmt: skip
    assert missing is None
    return found


def owned(scenario: Scenario, *, requests_per_s: float = 10, gpus_per_replica: int = 1) -> OwnedOption:
    found, missing = owned_option(
        scenario, gpu=GPU, replicas=replicas(requests_per_s, gpus_per_replica=gpus_per_replica)
    )
    assert missing is None
    return found


def test_a_half_full_machine_costs_what_a_hand_calculation_gives():
    # 10 requests/s are 26.28 million a month, so 13.14 million are under load for 365 of 730 hours.
    found = owned(BY_HAND)
    assert found.machines == 1
    assert found.busy_fraction == pytest.approx(0.5)
    assert found.parts == pytest.approx(
        {
            "purchase less resale": 1_000,
            "energy under load": 365 * 1.0 * 1.5 * 0.1,
            "energy at rest": 365 * 0.4 * 1.5 * 0.1,
            "hosting": 50,
            "staff": 800,
        }
    )
    assert found.usd_per_month.mid == pytest.approx(1_926.65)
    # 0.6 kW for a 36,000th of an hour at 0.15 USD per kWh with the building.
    assert found.marginal_usd_per_request.mid == pytest.approx(2.5e-6)
    assert found.full_usd_per_request.mid == pytest.approx(1_926.65 / 13_140_000)
    assert found.full_usd_per_mtok.mid == pytest.approx(1_926.65 / 13_140)
    assert found.full_usd_per_output_mtok.mid == pytest.approx(1_926.65 / 13_140 / 0.3)
    assert found.always_under_load_usd_per_month == pytest.approx(365 * 0.6 * 1.5 * 0.1)


def test_one_request_more_than_a_full_machine_serves_buys_another_one():
    full = replace(BY_HAND, requests_per_month=26_280_000)
    assert owned(full).machines == 1
    more = owned(replace(full, requests_per_month=26_280_001))
    assert more.machines == 2
    assert more.parts["purchase less resale"] == 2_000
    assert more.parts["staff"] == 800


def test_machines_are_bought_for_the_peak_and_for_the_share_of_their_rate_that_is_planned():
    # Business hours reach 2.93 times the mean, and half of the rate is planned for: 5.9 times the machines.
    busy = replace(
        BY_HAND, traffic="business-hours", target_utilisation_fraction=0.5, requests_per_month=26_280_000 / 2
    )
    assert owned(busy).machines == 3
    assert owned(replace(busy, spare_replicas=1)).machines == 4


def test_a_machine_holds_as_many_replicas_as_its_gpus_allow():
    eight = replace(BY_HAND, owned_gpu_count=8)
    assert owned(eight, gpus_per_replica=2).requests_per_s.mid == pytest.approx(40)
    assert owned(eight, gpus_per_replica=3).requests_per_s.mid == pytest.approx(20)
    none, why = owned_option(BY_HAND, gpu=GPU, replicas=replicas(10, gpus_per_replica=2))
    assert none is None
    assert why == "a known or predicted replica takes 2 of NVIDIA H100, and the machine has 1: give it more"


def test_without_a_purchase_price_there_is_no_option_and_the_reason_says_what_to_do():
    none, why = owned_option(replace(BY_HAND, purchase_usd=None), gpu=GPU, replicas=replicas(10))
    assert none is None
    assert why is not None
    assert "type yours in" in why
    with pytest.raises(InputError, match="type yours in"):
        own_machine(replace(BY_HAND, purchase_usd=None), board_power_w=700)


def test_watts_that_are_not_given_follow_from_the_board_power_as_measured_on_eight_h100():
    # Measured at the most: 8.4 kW; rated: 10.2 kW, for GPUs of 5.6 kW (IEEE Access 13, 2025).
    load_w, idle_w = watts(Scenario(owned_gpu_count=8), board_power_w=700)
    assert load_w.mid < 8_400 < load_w.high < 10_200
    assert 0 < idle_w.low < idle_w.high < load_w.mid


def test_a_given_figure_counts_and_the_assumed_one_gives_way():
    load_w, idle_w = watts(Scenario(load_w=200), board_power_w=700)
    assert (load_w.low, load_w.high) == (200, 200)
    assert idle_w.high <= 200
    load_w, idle_w = watts(Scenario(idle_w=800), board_power_w=700)
    assert (load_w.low, idle_w.mid) == (800, 800)
    # Without a board power the load says how much rests.
    load_w, idle_w = watts(Scenario(load_w=875), board_power_w=None)
    assert idle_w.mid == pytest.approx(0.42 * 700)


def test_the_purchase_has_paid_itself_when_the_savings_reach_it():
    found = owned(BY_HAND)
    # Running it costs 926.65 a month; 6,926.65 elsewhere saves 6,000 a month, and the machine cost 36,000.
    paid = payback(found, other_usd_per_month=Band(low=6_926.65, mid=6_926.65, high=6_926.65))
    assert paid.months == pytest.approx(6)
    assert paid.reason is None
    never = payback(found, other_usd_per_month=Band(low=900, mid=900, high=1_000))
    assert never.months is None
    assert never.reason == "power, hosting and staff alone cost $927 a month, and the other way $900"
    slow = payback(found, other_usd_per_month=Band(low=1_500, mid=1_500, high=1_500))
    assert slow.months is None
    assert (
        slow.reason == "it saves $573 a month, which takes more than its 36 months to reach the $36,000 of the purchase"
    )


def test_a_resale_counts_in_the_last_month_alone():
    found = owned(replace(BY_HAND, resale_usd=9_000))
    # 27,000 / 800 is 33.75 months, but the 9,000 come after 36.
    assert payback(found, other_usd_per_month=Band(low=1_726.65, mid=1_726.65, high=1_726.65)).months == 36


watt = st.floats(1, 20_000)


@st.composite
def scenarios(draw) -> Scenario:
    purchase = draw(st.floats(100, 1e6))
    low, high = sorted(draw(st.tuples(watt, watt)))
    given_watts = draw(st.booleans())
    return Scenario(
        model="tiny-7b",
        requests_per_month=draw(st.floats(1, 1e9)),
        input_tokens=draw(st.floats(1, 10_000)),
        output_tokens=300,
        target_utilisation_fraction=draw(st.floats(0.1, 1)),
        traffic=draw(st.sampled_from(["flat", "business-hours"])),
        peak_to_mean=draw(st.floats(1, 4)),
        purchase_usd=purchase,
        resale_usd=purchase * draw(st.floats(0, 1)),
        owned_months=draw(st.floats(1, 120)),
        owned_gpu_count=draw(st.sampled_from([1, 2, 8])),
        load_w=high if given_watts else None,
        idle_w=low if given_watts else None,
        pue=draw(st.floats(1, 3)),
        usd_per_kwh=draw(st.floats(0, 1)),
        hosting_usd_per_month=draw(st.floats(0, 2_000)),
        staff_hours_per_month=draw(st.floats(0, 200)),
    )


rates = st.floats(0.01, 1_000)


@given(scenario=scenarios(), rate=rates)
def test_the_full_cost_of_a_request_is_never_below_its_marginal_cost(scenario, rate):
    found = owned(scenario, requests_per_s=rate)
    for end in ENDS:
        assert getattr(found.full_usd_per_request, end) >= getattr(found.marginal_usd_per_request, end) * (1 - 1e-9)


@given(scenario=scenarios(), rate=rates)
def test_the_parts_add_up_to_the_cost_and_none_is_negative(scenario, rate):
    found = owned(scenario, requests_per_s=rate)
    assert sum(found.parts.values()) == pytest.approx(found.usd_per_month.mid)
    assert min(found.parts.values()) >= 0
    assert 0 < found.busy_fraction <= 1 + 1e-9


@given(scenario=scenarios(), rate=rates, more=st.floats(1, 100))
def test_more_months_never_raise_the_monthly_cost_of_the_purchase(scenario, rate, more):
    longer = replace(scenario, owned_months=min(240, scenario.owned_months + more))
    short, long = owned(scenario, requests_per_s=rate), owned(longer, requests_per_s=rate)
    assert long.machine.capital_usd_per_month <= short.machine.capital_usd_per_month
    assert long.usd_per_month.mid <= short.usd_per_month.mid * (1 + 1e-12)


@given(scenario=scenarios(), rate=rates, factor=st.floats(1, 1.5))
def test_energy_grows_in_proportion_to_the_buildings_share_and_to_the_price(scenario, rate, factor):
    def energy(changed: Scenario) -> float:
        parts = owned(changed, requests_per_s=rate).parts
        return parts["energy under load"] + parts["energy at rest"]

    base = energy(scenario)
    assert energy(replace(scenario, pue=scenario.pue * factor)) == pytest.approx(base * factor)
    assert energy(replace(scenario, usd_per_kwh=scenario.usd_per_kwh * factor)) == pytest.approx(base * factor)


@given(scenario=scenarios(), rate=rates)
def test_an_idle_machine_still_costs(scenario, rate):
    found = owned(scenario, requests_per_s=rate)
    idle = found.curves.mid.usd_per_month(0)
    standing = found.machine.capital_usd_per_month + found.machine.hosting_usd_per_month
    at_rest = found.machine.energy_usd(power_w=found.machine.idle_w.mid, hours=730)
    assert idle >= standing + at_rest + found.staff_usd_per_month - 1e-6
    # A request changes nothing but the power.
    assert found.curves.mid.usd_per_month(1) - idle <= found.marginal_usd_per_request.high + 1e-6 * idle


@given(scenario=scenarios(), rate=rates, load=st.floats(1, 2), idle=st.floats(1, 2))
def test_wider_watts_never_narrow_an_interval(scenario, rate, load, idle):
    found = owned(scenario, requests_per_s=rate)
    one = found.machine
    wider = replace(
        one,
        load_w=Band(low=max(one.idle_w.low, one.load_w.low / load), mid=one.load_w.mid, high=one.load_w.high * load),
        idle_w=Band(
            low=one.idle_w.low / idle, mid=one.idle_w.mid, high=min(one.idle_w.high * idle, one.load_w.high * load)
        ),
    )
    assume(all(getattr(wider.idle_w, end) <= getattr(wider.load_w, end) for end in ENDS))
    again = replace(found, machine=wider)
    for before, after in (
        (found.marginal_usd_per_request, again.marginal_usd_per_request),
        (_energy(found), _energy(again)),
    ):
        assert after.low <= before.low * (1 + 1e-9)
        assert after.high >= before.high * (1 - 1e-9)


def _energy(found: OwnedOption) -> Band:
    """A machine half of the month under load, at every end."""
    one = found.machine
    return Band(
        **{end: one.energy_usd(power_w=getattr(one.load_w, end) + getattr(one.idle_w, end), hours=365) for end in ENDS}
    )


@given(scenario=scenarios(), rate=rates, other=st.floats(1, 1e7))
def test_a_purchase_pays_within_its_months_exactly_where_owning_is_no_dearer(scenario, rate, other):
    unsold = replace(scenario, resale_usd=0)
    found = owned(unsold, requests_per_s=rate)
    assume(not isclose(found.usd_per_month.mid, other, rel_tol=1e-9))
    paid = payback(found, other_usd_per_month=Band(low=other, mid=other, high=other))
    assert (paid.months is not None) == (found.usd_per_month.mid < other)
    assert (paid.reason is None) == (paid.months is not None)
    if paid.months is not None:
        assert paid.earliest is not None
        assert paid.earliest <= paid.months * (1 + 1e-9)


MACHINE = OwnMachine(
    purchase_usd=30_000, months=36, resale_usd=0, load_w=Band(low=800, mid=900, high=1_000),
    idle_w=Band(low=200, mid=300, high=400), pue=1.5, usd_per_kwh=0.1, hosting_usd_per_month=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"resale_usd": 30_001}, "resale_usd is 30,001, above the purchase of 30,000"),
        ({"idle_w": Band(low=200, mid=901, high=901)}, "idle_w is 901 and load_w 900"),
        ({"pue": 0.9}, "pue is 0.9: a building takes at least what its machines take"),
        ({"months": 0}, "owned_months is 0"),
        ({"usd_per_kwh": -0.1}, "usd_per_kwh is -0.1"),
        ({"purchase_usd": nan}, "purchase_usd is nan"),
        ({"hosting_usd_per_month": inf}, "hosting_usd_per_month is inf"),
    ],
)
def test_a_machine_that_cannot_be_is_refused_with_what_is_wrong(change, sentence):
    with pytest.raises(InputError) as refused:
        replace(MACHINE, **change)
    assert str(refused.value).startswith(sentence)


def test_a_machine_whose_power_nobody_knows_asks_for_its_watts():
    with pytest.raises(InputError, match="give load_w, the watts of the machine"):
        own_machine(replace(BY_HAND, load_w=None), board_power_w=None)


def test_a_machine_that_is_paid_says_what_it_saves_a_month_and_no_payback():
    paid = owned(replace(BY_HAND, purchase_usd=0))
    assert paid.parts["purchase less resale"] == 0
    assert paid.usd_per_month.mid == pytest.approx(owned(BY_HAND).usd_per_month.mid - 1_000 * paid.machines)
    assert "paid already" in owned_words.owned_sentence(paid)
    dearer = Band(low=5_000, mid=6_000, high=7_000)
    less = 6_000 - paid.usd_per_month.mid
    said = owned_words.paid_sentence(paid, other="today's API", usd_per_month=dearer)
    assert said.endswith(f"it costs {usd_text(less)} a month less.")
