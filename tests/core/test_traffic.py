"""The week's hours: profiles as text, their mean, their peak."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.traffic import profile_text, profile_weights, traffic
from llmcompare.core.workload import tokens_of_characters
from llmcompare.errors import InputError

rates = st.floats(0.01, 1e6)
days = st.lists(rates, min_size=24, max_size=24)
weeks = st.lists(rates, min_size=168, max_size=168)


def text(values) -> str:
    return ",".join(map(repr, values))


def test_business_hours_are_45_of_168_hours_and_ten_times_as_busy_as_the_others():
    (busy_share, busy), (_, quiet) = traffic("business-hours").levels
    assert busy_share == pytest.approx(45 / 168)
    assert busy / quiet == pytest.approx(10)


def test_a_day_of_24_values_stands_for_every_day_of_the_week():
    weights = profile_weights(text(range(24)))
    assert len(weights) == 168
    assert weights[:24] == weights[24:48] == weights[-24:]
    assert weights[23] == pytest.approx(23 / 11.5)


@given(values=days | weeks)
def test_any_profile_has_a_mean_of_one_and_levels_that_share_out_the_month(values):
    found = traffic("own", hourly_profile=text(values))
    assert sum(found.hourly) / 168 == pytest.approx(1)
    assert sum(share for share, _ in found.levels) == pytest.approx(1)
    assert sum(share * rate for share, rate in found.levels) == pytest.approx(1)
    assert found.busiest_hour >= 1 - 1e-12


@given(values=weeks, factor=st.floats(0.01, 100))
def test_only_the_ratios_of_a_profile_count(values, factor):
    one, other = profile_weights(text(values)), profile_weights(text([value * factor for value in values]))
    assert one == pytest.approx(other)


@given(values=weeks)
def test_a_profile_written_as_text_reads_back_to_a_ten_thousandth_of_the_mean(values):
    weights = profile_weights(text(values))
    assert profile_weights(profile_text(weights)) == pytest.approx(weights, abs=3e-4, rel=1e-3)


@pytest.mark.parametrize("count", [1, 23, 25, 167, 169])
def test_a_profile_of_another_length_is_refused_with_its_length(count):
    with pytest.raises(InputError, match=f"hourly_profile has {count} values: give 24"):
        profile_weights(text([1] * count))


@pytest.mark.parametrize("bad", ["nan", "inf", "-1", "much", ""])
def test_a_value_that_is_no_rate_is_refused_with_its_hour(bad):
    with pytest.raises(InputError, match="at hour 5: give a number of 0 or more"):
        profile_weights(",".join(["1"] * 5 + [bad] + ["1"] * 18))


def test_a_profile_without_any_traffic_is_refused():
    with pytest.raises(InputError, match="0 in every hour"):
        profile_weights(text([0] * 24))


def test_own_traffic_without_a_profile_says_what_is_missing():
    with pytest.raises(InputError, match="hourly_profile is empty"):
        traffic("own")


@given(peak=st.floats(1, 1000), shape=st.sampled_from(["flat", "business-hours"]))
def test_the_peak_is_the_busiest_hour_times_the_peak_within_it(peak, shape):
    found = traffic(shape, peak_to_mean=peak)
    assert found.peak == found.busiest_hour * peak


@given(characters=st.floats(0, 1e9), factor=st.floats(0.1, 100))
def test_tokens_are_characters_over_characters_per_token(characters, factor):
    assert tokens_of_characters(characters, characters_per_token=factor) * factor == pytest.approx(characters)
