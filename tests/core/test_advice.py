"""What a deployment is worth, how likely it is the best, and what would change that: laws for all of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.core import advice, advice_flips
from llmcompare.core.advice import CRITERIA, Contenders, Uncertain, Weights
from llmcompare.core.needs import NEED_RANGES, PRESETS, Need
from llmcompare.errors import InputError

# Beside 1, a weight of 1e-183 is lost in rounding; nobody can set one below a thousandth.
weight = st.just(0.0) | st.floats(1e-3, 10)
usd = st.floats(0.5, 1e6)


def exactly(count):
    return Uncertain(cause=np.full(count, -1), low=np.ones(count), high=np.ones(count))


def contenders(usd_per_month, *, price=None, rate=None, speeds=None, support=None, subjects=None, loss=None):
    count, cost = len(usd_per_month), np.array(usd_per_month, float)
    known = Uncertain(cause=np.full(count, -1), low=np.zeros(count), high=np.zeros(count))
    return Contenders(
        subject=np.arange(count) if subjects is None else np.array(subjects),
        price=price or exactly(count),
        rate=rate or exactly(count),
        speed=exactly(count),
        tokens_per_s=np.full(count, 50.0) if speeds is None else np.array(speeds, float),
        support=known if support is None else support,
        loss=loss or known,
        usd_per_month=lambda places, price, rate: cost[places] * price / rate,
    )


def draws(abilities, spread, *, count=2_000):
    rng = np.random.default_rng(1)
    return np.array(abilities, float) + spread * rng.standard_normal((count, len(abilities)))


def test_half_the_cost_is_worth_four_points_and_twice_the_speed_two():
    two = contenders([1_000, 500], speeds=[50, 100])
    of = advice.middle_parts(two, np.array([60.0, 60.0]))
    assert of["cost"][1] - of["cost"][0] == pytest.approx(4)
    assert of["speed"][1] - of["speed"][0] == pytest.approx(2)
    assert advice.worth(Weights(cost=2, speed=0), of)[1] - advice.worth(Weights(cost=2, speed=0), of)[
        0
    ] == pytest.approx(8)


def test_a_deployment_without_a_comparable_score_has_no_worth():
    of = advice.middle_parts(contenders([1_000, 500], subjects=[0, -1]), np.array([60.0]))
    assert np.isnan(advice.worth(Weights(), of)).tolist() == [False, True]


@given(costs=st.lists(usd, min_size=2, max_size=12), data=st.data(), low=weight, more=weight)
def test_more_weight_on_cost_never_makes_the_first_place_dearer(costs, data, low, more):
    high = min(10.0, low + more)
    abilities = np.array(data.draw(st.lists(st.floats(1, 99), min_size=len(costs), max_size=len(costs))))
    of = advice.middle_parts(contenders(costs), abilities)
    before = costs[int(np.argmax(advice.worth(Weights(cost=low), of)))]
    after = costs[int(np.argmax(advice.worth(Weights(cost=high), of)))]
    assert after <= before * (1 + 1e-9)


@settings(max_examples=40)
@given(costs=st.lists(usd, min_size=1, max_size=8), spread=st.floats(0, 20), seed=st.integers(0, 5))
def test_the_chances_add_up_to_one(costs, spread, seed):
    found = contenders(costs)
    abilities = draws([50.0] * len(costs), spread, count=200)
    chance = advice.chances(found, np.arange(len(costs)), Weights(), abilities, seed=seed)
    assert chance.sum() == pytest.approx(1)
    assert (chance >= 0).all()


@settings(max_examples=40)
@given(costs=st.lists(usd, min_size=2, max_size=6), behind=st.floats(5, 50))
def test_an_irrelevant_deployment_takes_nothing_from_the_others(costs, behind):
    """It costs a thousand times as much as the dearest at the ability of the least able: in no draw it is the best."""
    price = Uncertain(
        cause=np.arange(len(costs) + 1), low=np.full(len(costs) + 1, 0.7), high=np.full(len(costs) + 1, 1.5)
    )
    found = contenders([*costs, 1_000 * max(costs) * behind], price=price)
    abilities = draws([60.0] * len(costs), 3, count=500)
    abilities = np.column_stack([abilities, abilities.min(axis=1)])
    alone = advice.chances(found, np.arange(len(costs)), Weights(), abilities)
    together = advice.chances(found, np.arange(len(costs) + 1), Weights(), abilities)
    assert together[-1] == 0
    assert together[:-1] == pytest.approx(alone)


def test_a_cause_that_two_share_decides_nothing_between_them():
    """Both models run on the same GPU: that it may be twice as slow or fast must not make the second one a winner."""
    wide = {"low": np.full(2, 0.5), "high": np.full(2, 2.0)}
    abilities = np.full((2_000, 2), 60.0)
    places = np.arange(2)
    shared = contenders([100, 104], rate=Uncertain(cause=np.array([7, 7]), **wide))
    assert advice.chances(shared, places, Weights(), abilities).tolist() == [1, 0]
    apart = contenders([100, 104], rate=Uncertain(cause=np.array([7, 8]), **wide))
    assert 0.4 < advice.chances(apart, places, Weights(), abilities)[1] < 0.5


def test_the_tenth_percentile_of_a_prediction_is_drawn_a_tenth_of_the_time():
    rate = Uncertain(cause=np.array([3, -1]), low=np.array([0.5, 1.0]), high=np.array([2.0, 1.0]))
    # The second one is just as dear as the first at its 10th percentile.
    found = contenders([100, 200.0], rate=rate)
    chance = advice.chances(found, np.arange(2), Weights(), np.full((20_000, 2), 60.0))
    assert chance[1] == pytest.approx(0.1, abs=0.01)


def test_a_format_may_lose_points_and_never_gains_any():
    loss = Uncertain(cause=np.array([-1, 5]), low=np.zeros(2), high=np.array([0.0, 5.0]))
    found = contenders([100, 100], loss=loss)
    assert advice.chances(found, np.arange(2), Weights(), np.full((500, 2), 60.0)).tolist() == [1, 0]
    of = advice.middle_parts(found, np.array([60.0, 60.0]))
    assert of["ability"].tolist() == [60, 57.5]


@given(
    costs=st.lists(usd, min_size=2, max_size=8, unique=True),
    data=st.data(),
    weights=st.builds(Weights, ability=st.floats(0.1, 10), cost=weight, speed=weight, ecosystem=weight),
)
def test_beyond_a_flip_another_one_is_first_and_before_it_not(costs, data, weights):
    abilities = np.array(data.draw(st.lists(st.floats(1, 99), min_size=len(costs), max_size=len(costs))))
    speeds = data.draw(st.lists(st.floats(1, 500), min_size=len(costs), max_size=len(costs)))
    of = advice.middle_parts(contenders(costs, speeds=speeds), abilities)
    order = np.argsort(-advice.worth(weights, of), kind="stable").tolist()
    for flip in advice_flips.weight_flips(of, weights, np.array(order), order):
        name = flip.input.removeprefix("weight of ")
        given_weights = {one: getattr(weights, one) for one in CRITERIA}
        step = 1e-6 * (1 if flip.then > flip.now else -1)
        at = given_weights | {name: flip.then}
        if not any(at.values()):
            continue
        there = advice.worth(Weights(**at), of)
        assert there[flip.winner] == pytest.approx(there[order[0]], rel=1e-6, abs=1e-6)
        middle = given_weights | {name: (flip.then + flip.now) / 2 - step}
        if abs(flip.then - flip.now) > 1e-3:
            between = advice.worth(Weights(**middle), of)
            assert between[order[0]] >= between.max() - 1e-6


@given(gap=st.floats(0.01, 50), cost=st.floats(0.1, 10), speed=st.floats(0.1, 10))
def test_what_a_figure_may_lose_makes_up_for_the_gap(gap, cost, speed):
    weights = Weights(cost=cost, speed=speed)
    found = contenders([100, 100 * advice_flips.cost_factor_to_lose(gap, weights)])
    of = advice.middle_parts(found, np.array([60.0, 60.0]))
    assert cost * (of["cost"][0] - of["cost"][1]) == pytest.approx(gap)
    slower = contenders([100, 100], speeds=[50, 50 * advice_flips.speed_factor_to_lose(gap, weights)])
    of = advice.middle_parts(slower, np.array([60.0, 60.0]))
    assert speed * (of["speed"][0] - of["speed"][1]) == pytest.approx(gap)


def test_the_nearest_weight_of_each_group_is_found():
    found = contenders([100, 400, 1_600])
    of = advice.middle_parts(found, np.array([60.0, 65.0, 90.0]))
    groups = advice_flips.weights_of_groups(of, Weights(), np.array([2, 0, 1]), ["qwen", "llama", "mistral"])
    costs = {group: next(one for one in found if one.input == "weight of cost") for group, found in groups.items()}
    # 30 points for four halvings of 4 points each.
    assert (costs["qwen"].low, costs["qwen"].high) == (0, pytest.approx(1.875))
    assert (costs["llama"].low, costs["llama"].high) == (pytest.approx(1.875), 10)
    assert "mistral" not in costs


@given(
    costs=st.lists(usd, min_size=1, max_size=12, unique=True),
    data=st.data(),
    weights=st.builds(Weights, ability=st.floats(0.1, 10), cost=weight, speed=weight, ecosystem=weight),
    name=st.sampled_from(CRITERIA),
    at=st.floats(0.01, 10),
)
def test_at_every_weight_the_span_that_holds_it_names_the_first_place(costs, data, weights, name, at):
    abilities = np.array(data.draw(st.lists(st.floats(1, 99), min_size=len(costs), max_size=len(costs))))
    speeds = data.draw(st.lists(st.floats(1, 500), min_size=len(costs), max_size=len(costs)))
    of = advice.middle_parts(contenders(costs, speeds=speeds), abilities)
    found = advice_flips.spans(of, weights, np.arange(len(costs)), name)
    assert (found[0].low, found[-1].high) == (0, 10)
    assert all(one.high == after.low for one, after in zip(found, found[1:], strict=False))
    holding = next(one for one in found if one.low <= at <= one.high)
    there = advice.worth(Weights(**({one: getattr(weights, one) for one in CRITERIA} | {name: at})), of)
    assert there[holding.winner] == pytest.approx(there.max(), abs=1e-6)


def test_a_change_to_another_way_to_serve_the_same_model_is_no_change():
    """The second one is the same model on another GPU: only the third is another answer."""
    found = contenders([100, 400, 900], subjects=[0, 1, 2], speeds=[10, 40, 80])
    of = advice.middle_parts(found, np.array([60.0, 60.0, 60.0]))
    flips = advice_flips.weight_flips(of, Weights(), np.arange(3), ["a", "a", "b"])
    rising = next(one for one in flips if one.input == "weight of speed")
    assert rising.winner == 2
    there = advice.worth(Weights(speed=rising.then), of)
    assert there[2] == pytest.approx(there.max())


def test_what_cannot_serve_the_volume_is_worth_nothing_though_cost_counts_nothing():
    found = contenders([100, np.inf])
    of = advice.middle_parts(found, np.array([60.0, 90.0]))
    assert advice.worth(Weights(cost=0), of)[1] == -np.inf
    chance = advice.chances(found, np.arange(2), Weights(cost=0), np.tile([60.0, 90.0], (100, 1)))
    assert chance.tolist() == [1, 0]


def test_in_a_draw_in_which_nothing_serves_the_volume_nothing_is_the_best():
    rate = Uncertain(cause=np.zeros(1, dtype=int), low=np.array([0.5]), high=np.array([2.0]))
    found = replace(
        contenders([100], rate=rate), usd_per_month=lambda places, price, rate: np.where(rate < 1, np.inf, 1.0)
    )
    assert advice.chances(found, np.arange(1), Weights(), np.full((4_000, 1), 60.0))[0] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize("value", [-1, 10.5, float("nan"), float("inf")])
def test_a_weight_that_cannot_be_is_named(name, value):
    with pytest.raises(InputError, match=f"the weight of {name} is"):
        Weights(**{name: value})


def test_all_weights_at_zero_say_nothing():
    with pytest.raises(InputError, match="every criterion has the weight 0"):
        Weights(ability=0, cost=0, speed=0, ecosystem=0)


@pytest.mark.parametrize("name", NEED_RANGES)
def test_a_limit_that_cannot_be_is_named_with_its_range(name):
    with pytest.raises(InputError, match=f"{name} is -5: give a number from"):
        Need(**{name: -5})


def test_a_range_of_speeds_that_is_turned_round_is_refused():
    with pytest.raises(InputError, match="above api_tokens_per_s_high"):
        Need(api_tokens_per_s_low=200, api_tokens_per_s_high=100)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_need_that_can_be_asked(name):
    preset = PRESETS[name]
    categories = preset.categories_of_all(("knowledge", *preset.categories))
    assert Need(weights=preset.weights, categories=categories).weights == preset.weights
    assert sum(preset.categories.values()) > 0
