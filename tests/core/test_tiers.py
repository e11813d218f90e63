"""The cheapest way at every volume, and when growth reaches a volume."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.cost import Band
from llmcompare.core.tiers import MAX_TOKENS_PER_MONTH, MIN_TOKENS_PER_MONTH, Way, months_until, tiers, volumes


def flat(key: str, usd: float, spread: float = 1.0) -> Way:
    return Way(key=key, name=key, usd_per_month=lambda _: Band(low=usd / spread, mid=usd, high=usd * spread))


def per_request(key: str, usd: float, spread: float = 1.0) -> Way:
    return Way(
        key=key,
        name=key,
        usd_per_month=lambda v: Band(low=usd * v / spread, mid=usd * v, high=usd * v * spread),
    )


def test_an_api_of_a_dollar_per_thousand_requests_gives_way_to_a_machine_of_a_thousand_dollars_at_a_million():
    found = tiers([per_request("api", 0.001), flat("machine", 1_000)], tokens_per_request=1_000)
    assert [tier.key for tier in found] == ["api", "machine"]
    # Equal at 10^9 tokens; the first volume of the grid where the machine is cheaper is a tenth of a decade on.
    assert 1e9 <= found[0].to_tokens_per_month <= 1e9 * 10**0.1
    assert found[1].usd_per_month_from == 1_000


def test_where_bands_overlap_the_answer_is_left_open_on_both_sides_of_the_crossing():
    found = tiers([per_request("api", 0.001, 2), flat("machine", 1_000, 2)], tokens_per_request=1_000)
    open_tiers = [tier for tier in found if tier.open_against]
    assert {tier.key for tier in open_tiers} == {"api", "machine"}
    # Each band is a factor of 2 both ways, so the two can be told apart a factor of 4 away.
    assert open_tiers[0].from_tokens_per_month == pytest.approx(1e9 / 4, rel=0.26)
    assert open_tiers[-1].to_tokens_per_month == pytest.approx(1e9 * 4, rel=0.26)


usd = st.floats(1e-6, 1e6)


@given(rates=st.lists(usd, min_size=1, max_size=4), spread=st.floats(1, 10), tokens=st.floats(1, 1e5))
def test_tiers_share_out_the_volumes_and_name_the_cheapest_of_each(rates, spread, tokens):
    ways = [
        per_request(f"way {i}", rate / 1e3, spread) if i % 2 else flat(f"way {i}", rate) for i, rate in enumerate(rates)
    ]
    found = tiers(ways, tokens_per_request=tokens)
    assert found[0].from_tokens_per_month == MIN_TOKENS_PER_MONTH
    assert found[-1].to_tokens_per_month == MAX_TOKENS_PER_MONTH
    assert all(
        one.to_tokens_per_month == other.from_tokens_per_month for one, other in zip(found, found[1:], strict=False)
    )
    for volume in volumes():
        tier = next(t for t in found if volume <= t.to_tokens_per_month)
        cheapest = min(way.usd_per_month(volume / tokens).mid for way in ways)
        named = next(way for way in ways if way.key == tier.key)
        assert named.usd_per_month(volume / tokens).mid == pytest.approx(cheapest)


@given(rates=st.lists(usd, min_size=2, max_size=4), spread=st.floats(1, 3), wider=st.floats(1, 3))
def test_a_wider_band_never_closes_a_question(rates, spread, wider):
    def open_beside(factor: float) -> list[set[str]]:
        ways = [per_request(f"way {i}", rate, factor) for i, rate in enumerate(rates)]
        found = tiers(ways, tokens_per_request=100)
        return [set(next(t for t in found if v <= t.to_tokens_per_month).open_against) for v in volumes()]

    assert all(one <= other for one, other in zip(open_beside(spread), open_beside(spread * wider), strict=True))


def test_nothing_to_choose_from_gives_no_tier():
    assert tiers([], tokens_per_request=100) == ()


def test_ten_per_cent_a_month_double_a_volume_in_seven_months():
    assert months_until(volume=2, now=1, growth_fraction_per_month=0.1) == pytest.approx(7.27, abs=0.01)


@given(now=st.floats(1, 1e6), growth=st.floats(0.001, 1), months=st.floats(0.1, 60))
def test_after_these_months_the_volume_is_reached(now, growth, months):
    volume = now * (1 + growth) ** months
    assert months_until(volume=volume, now=now, growth_fraction_per_month=growth) == pytest.approx(months, rel=1e-6)


@pytest.mark.parametrize(("volume", "growth"), [(2, 0), (2, -0.1), (0.5, 0.1)])
def test_a_volume_in_the_other_direction_is_never_reached(volume, growth):
    assert months_until(volume=volume, now=1, growth_fraction_per_month=growth) is None
