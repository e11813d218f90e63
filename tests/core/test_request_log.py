"""What a request log says: figures counted by hand, an interval that keeps its word, and laws for all logs."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core import request_log_words as words
from llmcompare.core.log_hours import Day, hours_of
from llmcompare.core.log_volume import DAYS_PER_MONTH, growth, month_interval
from llmcompare.core.request_log import RequestLog, scenario_fields, summary, token_spread
from llmcompare.core.scenario import Scenario
from llmcompare.core.traffic import profile_weights
from llmcompare.errors import InputError

HOUR_S, DAY_S, WEEK_S = 3_600.0, 86_400.0, 604_800.0
MONDAY = datetime(2026, 11, 2).timestamp() - datetime(1970, 1, 1).timestamp()
"""0 h in UTC."""


def log(seconds, *, tokens=(1_000.0, 300.0), has_zone=True, **more):
    seconds = np.asarray(seconds, dtype=float)
    given, made = (np.full(len(seconds), float(one)) for one in tokens)
    return RequestLog(seconds=seconds, has_zone=has_zone, input_tokens=given, output_tokens=made, **more)


def every(step_s, *, start=MONDAY, lasting_s=4 * WEEK_S):
    """Requests at a steady step, in the middle of each."""
    return start + step_s / 2 + np.arange(int(lasting_s / step_s)) * step_s


def office(weeks=4, per_hour=60):
    """Monday to Friday 9 to 17 h, UTC, evenly."""
    steady = every(HOUR_S / per_hour, lasting_s=weeks * WEEK_S)
    since = (steady - MONDAY) % WEEK_S
    return steady[(since < 5 * DAY_S) & (since % DAY_S >= 9 * HOUR_S) & (since % DAY_S < 17 * HOUR_S)]


# --- volume -----------------------------------------------------------------------------------------------------------


def test_a_request_a_minute_is_43_800_a_month():
    found = summary(log(every(60)))
    assert found.requests_per_month == pytest.approx(60 * 730)
    assert found.span_days == pytest.approx(28, abs=0.001)
    assert found.month_interval.low == pytest.approx(found.month_interval.high)
    assert found.hours.filled == ()


def test_a_log_that_ends_on_a_friday_is_not_extrapolated_as_if_weekends_were_weekdays():
    # Three weeks and five days: 20 working days of 480 requests, and three weekends.
    seconds = office()
    found = summary(log(seconds))
    assert len(seconds) == 20 * 480
    per_week = 5 * 480
    assert found.requests_per_month == pytest.approx(per_week * 730 / 168, rel=0.002)
    assert len(seconds) * 730 * HOUR_S / (seconds[-1] - seconds[0]) > 1.08 * found.requests_per_month


def test_of_one_working_day_the_other_hours_are_named_and_filled_in():
    day = office()[:480]
    found = summary(log(day))
    assert len(found.hours.filled) == 160
    assert found.hours.filled[:10] == (0, 1, 2, 3, 4, 5, 6, 7, 8, 17)
    # No other day has these hours of the day, so all hours get the mean: the log knows nothing else.
    assert found.requests_per_month == pytest.approx(60 * 730)
    said = " ".join(words.sentences(found))
    assert "does not cover 160 hours of the 168 hours of a week (Monday 0 h to Monday 9 h, Monday 17 h to" in said
    assert "shorter than a week" in said
    assert found.month_interval is None
    assert "fewer than two whole days" in said


def test_an_uncovered_weekend_gets_the_mean_of_each_hour_of_the_day():
    five_days = every(60, lasting_s=5 * DAY_S)
    night_off = five_days[(five_days - MONDAY) % DAY_S >= 12 * HOUR_S]
    hours = summary(log(np.append(night_off, MONDAY + 60))).hours
    assert hours.filled == tuple(range(120, 168))
    saturday = hours.weights[120:144]
    assert max(saturday[:12]) < 0.01
    assert saturday[12:] == pytest.approx([2] * 12, rel=0.01)


@pytest.mark.parametrize(("days", "spread"), [(5, 0.3), (10, 0.1), (28, 0.3), (90, 0.05)])
def test_eight_of_ten_coming_months_lie_in_the_interval(days, spread):
    drawn, inside, rounds = np.random.default_rng(days), 0, 1_500
    weekday_means = np.array([1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000]) if days < 14 else (
        np.array([1_300, 1_400, 1_350, 1_300, 1_200, 500, 400]))  # fmt: skip
    per_month = weekday_means.mean() * DAYS_PER_MONTH
    for _ in range(rounds):
        counts = np.tile(weekday_means, 20)[:days] + drawn.normal(0, spread * 1_000, days)
        listed = [Day(number=4 + place, requests=int(count), is_whole=True) for place, count in enumerate(counts)]
        # As a log says it: the mean of its weekdays.
        by_weekday = [np.mean([day.requests for day in listed if day.weekday == one] or [counts.mean()])
                      for one in range(7)]  # fmt: skip
        band, _ = month_interval(listed, requests_per_month=float(np.mean(by_weekday)) * DAYS_PER_MONTH)
        coming = per_month + drawn.normal(0, spread * 1_000 * np.sqrt(DAYS_PER_MONTH))
        inside += band.low <= coming <= band.high
    assert inside / rounds == pytest.approx(0.8, abs=0.06)


def test_growth_is_told_from_eight_weeks_on_and_none_is_none():
    steady = summary(log(every(600, lasting_s=10 * WEEK_S)))
    assert steady.growth.week_count == 10
    assert steady.growth.fraction_per_month.mid == pytest.approx(0, abs=0.001)
    assert not steady.growth.is_told_from_none
    assert scenario_fields(steady)["growth_fraction_per_month"] == 0
    short = summary(log(every(600, lasting_s=7.9 * WEEK_S)))
    assert short.growth is None
    assert short.growth_missing == "the log holds 7 whole weeks, and growth is told from 8 on"


def test_ten_percent_more_each_week_are_51_percent_a_month_and_the_last_weeks_count():
    weeks = [MONDAY + week * WEEK_S + np.linspace(10, WEEK_S - 10, round(1_000 * 1.1**week)) for week in range(12)]
    found = summary(log(np.concatenate(weeks)))
    assert found.growth.fraction_per_month.mid == pytest.approx(1.1 ** (730 / 168) - 1, rel=0.01)
    assert found.growth.is_told_from_none
    last_four = sum(len(week) for week in weeks[-4:])
    assert scenario_fields(found)["requests_per_month"] == pytest.approx(last_four * 730 / 672, rel=0.001)
    assert "volume handed over is that of the last four weeks" in " ".join(words.sentences(found))


def test_a_week_without_a_request_has_no_growth():
    seconds = every(600, lasting_s=10 * WEEK_S)
    found, why = growth(seconds[(seconds < MONDAY + 3 * WEEK_S) | (seconds > MONDAY + 5 * WEEK_S)], start=MONDAY,
                        end=MONDAY + 10 * WEEK_S)  # fmt: skip
    assert found is None
    assert "a week without a request" in why


# --- hours ------------------------------------------------------------------------------------------------------------


def test_office_hours_are_found_at_the_hours_of_the_chosen_zone():
    at_utc = summary(log(office())).hours.weights
    assert [at for at in range(24) if at_utc[at] > 0.5] == list(range(9, 17))
    assert at_utc[9] == pytest.approx(168 / 40, rel=0.01)
    in_delhi = summary(log(office()), time_zone="Asia/Kolkata").hours.weights
    # Five and a half hours later: half of the first and of the last hour. Tuesday: the log begins amid a Monday's hour.
    assert [round(in_delhi[24 + at] / at_utc[9], 1) for at in (13, 14, 15, 21, 22, 23)] == [0, 0.5, 1, 1, 0.5, 0]


def test_summer_time_moves_the_hours_on_its_day():
    # 25 October 2026: Berlin goes from UTC+2 to UTC+1. One request each day at 12:30 by the clock there.
    before = datetime(2026, 10, 20, 10, 30).timestamp() - datetime(1970, 1, 1).timestamp()
    seconds = [before + day * DAY_S + (HOUR_S if day >= 5 else 0) for day in range(14)]
    weights = summary(log(seconds), time_zone="Europe/Berlin").hours.weights
    assert {at % 24 for at, weight in enumerate(weights) if weight > 0} == {12}


def test_a_zone_without_meaning_is_refused_and_a_log_without_one_takes_its_own_clock():
    with pytest.raises(InputError, match=r"time zone 'Mars/Phobos' is not known"):
        summary(log([0.0, 1.0]), time_zone="Mars/Phobos")
    found = summary(log(office(), has_zone=False), time_zone="Asia/Kolkata")
    assert found.time_zone is None
    assert found.hours == summary(log(office())).hours
    assert "which names no time zone" in " ".join(words.sentences(found))


def test_peaks_are_those_of_the_busiest_hour_and_minute():
    quiet = every(60, lasting_s=2 * WEEK_S)
    burst = MONDAY + 3 * DAY_S + 14 * HOUR_S + 120 + np.arange(180) / 3  # three a second for a minute
    peak = summary(log(np.concatenate([quiet, burst]))).peak
    assert (peak.busiest_hour, peak.busiest_hour_requests) == (datetime(2026, 11, 5, 14), 240)
    assert (peak.busiest_minute, peak.busiest_minute_requests) == (datetime(2026, 11, 5, 14, 2), 181)
    assert peak.minute_over_hour == pytest.approx(181 / 4)
    assert peak.requests_per_s == pytest.approx(181 / 60)


def test_the_profile_is_read_back_by_the_sidebar_as_it_was():
    found = summary(log(office()))
    fields = scenario_fields(found)
    assert fields["traffic"] == "own"
    assert profile_weights(fields["hourly_profile"]) == pytest.approx(found.hours.weights, abs=1e-4)
    scenario = replace(Scenario(), **fields)
    assert scenario.spread.peak == pytest.approx(max(found.hours.weights) * fields["peak_to_mean"], rel=1e-3)


# --- tokens, months, load ---------------------------------------------------------------------------------------------


def test_means_percentiles_and_the_share_of_the_cache():
    given = np.arange(1, 101) * 10.0
    seconds = every(60)[:100]
    read = RequestLog(seconds=seconds, has_zone=True, input_tokens=given, output_tokens=np.full(100, 50.0),
                      cached_tokens=given / 4, thinking_tokens=np.full(100, 20.0))  # fmt: skip
    found = summary(read)
    assert (found.input.mean, found.input.p50, found.input.most) == (505, 505, 1_000)
    assert (found.input.p90, found.input.p99) == (pytest.approx(901), pytest.approx(990.1))
    assert (found.output.mean, found.thinking.mean, found.together.mean) == (30, 20, 555)
    assert found.cached_input_fraction == pytest.approx(0.25)
    assert {name: scenario_fields(found)[name] for name in ("output_tokens", "thinking_tokens")} == {
        "output_tokens": 30, "thinking_tokens": 20,
    }  # fmt: skip


def test_characters_become_tokens_by_the_factor():
    read = log(every(60), tokens=(4_000, 300), input_is_characters=True)
    assert summary(read).input.mean == 1_000
    found = summary(read, characters_per_token=2)
    assert (found.input.mean, found.output.mean) == (2_000, 300)
    assert "an assumption" in " ".join(words.sentences(found))
    assert [one.name for one in words.assumptions(found)][0] == "characters per token"
    with pytest.raises(InputError, match="characters_per_token is 0"):
        summary(read, characters_per_token=0)


def test_requests_in_flight_are_rate_times_seconds_and_the_most_is_counted():
    seconds = every(10, lasting_s=DAY_S)
    found = summary(log(seconds, duration_s=np.full(len(seconds), 25.0))).concurrency
    assert found.mean == pytest.approx(2.5)
    assert (found.most, found.duration_p50_s, found.without_count) == (3, 25, 0)
    some = np.full(len(seconds), 25.0)
    some[:100] = np.nan
    assert summary(log(seconds, duration_s=some)).concurrency.without_count == 100
    assert summary(log(seconds, duration_s=np.full(len(seconds), np.nan))).concurrency is None


def test_calendar_months_are_counted_and_those_in_part_are_marked():
    found = summary(log(every(3_600, start=MONDAY - DAY_S, lasting_s=61 * DAY_S)))
    assert [(one.month, one.requests, one.is_whole) for one in found.months] == [
        ("2026-11", 720, True), ("2026-12", 744, True),
    ]  # fmt: skip
    assert found.months[0].input_tokens == 720_000
    assert not summary(log(every(3_600, lasting_s=20 * DAY_S))).months[0].is_whole


def test_a_single_request_has_tokens_and_no_volume():
    found = summary(log([MONDAY]))
    assert found.requests_per_month is None
    assert "no volume of a month can be told" in words.headline(found)
    assert scenario_fields(found) == {"input_tokens": 1_000, "output_tokens": 300}
    assert list(words.sentences(found))
    with pytest.raises(InputError, match="holds no request"):
        summary(log([]))


# --- laws -------------------------------------------------------------------------------------------------------------

MOMENTS = st.lists(st.floats(0, 40 * DAY_S), min_size=2, max_size=60).filter(lambda found: max(found) > min(found) + 1)


@given(moments=MOMENTS, order=st.randoms())
def test_the_order_of_the_lines_changes_nothing(moments, order):
    mixed = list(moments)
    order.shuffle(mixed)
    one, other = (summary(log(np.asarray(some) + MONDAY)) for some in (moments, mixed))
    assert one.hours.weights == pytest.approx(other.hours.weights)
    assert one.requests_per_month == pytest.approx(other.requests_per_month)
    assert (one.days, one.months) == (other.days, other.months)


@given(moments=MOMENTS, zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]))
def test_weights_have_a_mean_of_one_and_every_request_stands_in_one_day_month_and_bin(moments, zone):
    found = summary(log(np.asarray(moments) + MONDAY), time_zone=zone)
    assert np.mean(found.hours.weights) == pytest.approx(1)
    assert min(found.hours.weights) >= 0
    assert sum(day.requests for day in found.days) == sum(one.requests for one in found.months) == len(moments)
    assert sum(found.input.counts) + found.input.none_count == len(moments)
    assert found.peak.minute_over_hour >= 1
    fields = scenario_fields(found)
    assert replace(Scenario(), **fields).spread.hourly == pytest.approx(found.hours.weights, abs=1e-3)


@given(moments=MOMENTS, weeks=st.integers(1, 200))
def test_a_log_that_is_weeks_later_has_the_same_profile(moments, weeks):
    one, other = (summary(log(np.asarray(moments) + MONDAY + later)) for later in (0, weeks * WEEK_S))
    assert one.hours.filled == other.hours.filled
    assert one.hours.weights == pytest.approx(other.hours.weights, rel=1e-3, abs=1e-3)


@given(tokens=st.lists(st.floats(0, 1e7), min_size=1, max_size=50), factor=st.floats(0.1, 10))
def test_tokens_that_are_scaled_scale_their_mean_and_percentiles(tokens, factor):
    one, other = token_spread(np.asarray(tokens)), token_spread(np.asarray(tokens) * factor)
    for name in ("mean", "p50", "p90", "p99", "most"):
        assert getattr(other, name) == pytest.approx(getattr(one, name) * factor, rel=1e-9)


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 4 * HOUR_S)), min_size=168, max_size=168).filter(
    lambda found: max(seconds for _, seconds in found) > 1))  # fmt: skip
def test_whatever_is_covered_each_hour_has_a_rate(cells):
    requests, covered = (np.asarray(column) for column in zip(*cells, strict=True))
    found = hours_of(requests, covered.astype(float))
    assert len(found.weights) == 168
    assert np.isfinite(found.weights).all()
    assert np.mean(found.weights) == pytest.approx(1)
