"""Energy of serving: units by hand, and what holds for every power and rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.cost import Band
from llmcompare.core.energy import (
    at_the_meter_kwh,
    energy_kwh,
    gpu_load_w,
    grams_co2e,
    machine_idle_w,
    machine_load_w,
    modelled,
    wh_per_mtok,
)
from llmcompare.errors import InputError


def test_joules_per_token_are_the_watt_hours_that_were_published():
    # Llama 3.1 8B on an H100: 0.45480 J at 8 requests, 0.070194 J at 512 (ML.ENERGY Benchmark v3).
    assert round(wh_per_mtok(0.45480)) == 126
    assert int(wh_per_mtok(0.070194)) == 19


def test_a_kilowatt_for_an_hour_is_a_kilowatt_hour_and_the_building_adds_to_it():
    assert energy_kwh(power_w=1_000, hours=1) == 1
    assert at_the_meter_kwh(it_kwh=1, pue=1.54) == 1.54
    assert grams_co2e(kwh=2, grams_per_kwh=445) == 890


def test_the_power_of_a_machine_lies_between_rest_and_what_its_maker_rates_it_at():
    load, idle = machine_load_w(board_power_w=700, gpu_count=8), machine_idle_w(board_power_w=700, gpu_count=8)
    assert idle.high < load.low
    assert load.high < 10_200
    assert gpu_load_w(board_power_w=700, gpu_count=8).high < 5_600


ordered = st.lists(st.floats(1, 1e5), min_size=3, max_size=3).map(sorted)


def band(values: list[float]) -> Band:
    return Band(low=values[0], mid=values[1], high=values[2])


@given(power=ordered, rate=ordered, wider=st.floats(1, 3))
def test_a_wider_band_of_power_or_rate_never_narrows_the_energy(power, rate, wider):
    narrow = modelled(concurrency=1, power_w=band(power), output_tokens_per_s=band(rate)).wh_per_mtok
    assert narrow.low <= narrow.mid <= narrow.high
    for power_w, tokens in (
        (Band(low=power[0] / wider, mid=power[1], high=power[2] * wider), band(rate)),
        (band(power), Band(low=rate[0] / wider, mid=rate[1], high=rate[2] * wider)),
    ):
        wide = modelled(concurrency=1, power_w=power_w, output_tokens_per_s=tokens).wh_per_mtok
        assert wide.low <= narrow.low
        assert wide.high >= narrow.high


@given(kwh=st.floats(0, 1e6), pue=st.floats(1, 5), grams=st.floats(0, 2_000))
def test_carbon_grows_in_proportion_to_the_building_and_to_the_grid(kwh, pue, grams):
    at_meter = at_the_meter_kwh(it_kwh=kwh, pue=pue)
    assert grams_co2e(kwh=at_meter, grams_per_kwh=grams) == pytest.approx(kwh * pue * grams)


def test_what_cannot_be_is_refused_with_a_sentence():
    with pytest.raises(InputError, match="pue is 0.8: a building takes at least what its machines take"):
        at_the_meter_kwh(it_kwh=1, pue=0.8)
    with pytest.raises(InputError, match="the grid's intensity is -1 g per kWh"):
        grams_co2e(kwh=1, grams_per_kwh=-1)
    with pytest.raises(InputError, match="give rates above 0, in order"):
        modelled(
            concurrency=1,
            power_w=Band(low=1, mid=2, high=3),
            output_tokens_per_s=Band(low=0, mid=1, high=2),
        )
