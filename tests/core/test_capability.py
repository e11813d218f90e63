"""The index of ability: by hand, as laws for all tables, and on tables whose abilities are known."""

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.core.capability import groups, index
from llmcompare.core.capability_check import check
from llmcompare.core.capability_errors import Spread, logits
from llmcompare.core.capability_ranking import checked_weights, equals, rankings
from llmcompare.core.capability_scores import CATEGORIES, CellScore, Subject
from llmcompare.core.capability_spread import mixed_spread, spread
from llmcompare.errors import InputError
from tests.core.simulated_scores import World, score, simulated

SPREAD = Spread(
    sd_by_category=dict.fromkeys(CATEGORIES, 0.2),
    variance_share={"publisher and model": 0.1, "publisher and family": 0.1, "model and benchmark": 0.3},
    stretch_sd=0.1,
    category_sd=0.3,
)
EQUAL = dict.fromkeys(CATEGORIES, 1.0)
tables = st.integers(0, 10_000).map(lambda seed: simulated(World(models=9, cells=8, filled=0.5), seed)[1])


def abilities(fit) -> dict[Subject, float]:
    return dict(zip(fit.subjects, fit.ability.tolist(), strict=True))


def in_order(fit, wanted) -> np.ndarray:
    found = abilities(fit)
    return np.array([found[subject] for subject in wanted])


def largest(scores) -> tuple[CellScore, ...]:
    return groups(scores)[0]


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_in_one_cell_abilities_differ_by_the_logarithm_of_the_ratio_of_odds():
    # Odds of 80% are 4, of 50% are 1: ln 4 = 1.386.
    fit = index([score("a", percent=80), score("b", percent=50)], SPREAD)
    found = in_order(fit, [Subject(model_id="a", thinks=False), Subject(model_id="b", thinks=False)])
    assert found[0] - found[1] == pytest.approx(log(4))
    assert found.sum() == pytest.approx(0)


def test_models_that_share_no_cell_are_compared_through_a_third():
    # a - c = ln 4 by one publisher, b - c = ln 9 by another one: b is ahead of a by ln 9/4.
    fit = index(
        [
            score("a", percent=80),
            score("c", percent=50),
            score("b", percent=90, published_by="others"),
            score("c", percent=50, published_by="others"),
        ],
        SPREAD,
    )
    found = {subject.model_id: ability for subject, ability in abilities(fit).items()}
    assert found["b"] - found["a"] == pytest.approx(log(9 / 4))


def test_a_score_of_zero_or_a_hundred_counts_as_one_or_ninety_nine_percent():
    found = logits([score("a", percent=percent) for percent in (0, 1, 50, 99, 100)])
    assert found == pytest.approx([-log(99), -log(99), 0, log(99), log(99)])


def test_the_shown_percent_is_what_the_model_is_expected_to_reach_in_the_middle_cell():
    # Both cells are met by the same two models, so each model's own score in the middle cell is what it is expected at.
    table = [
        score(name, percent=percent, shots=shots)
        for shots, percents in {"0": (60, 40), "1": (70, 51), "2": (77.8, 60.9)}.items()
        for name, percent in zip(("a", "b"), percents, strict=True)
    ]
    fit = index(table, SPREAD)
    assert [band.mid for band in fit.bands()] == pytest.approx([70, 51], abs=1)


# --- laws -------------------------------------------------------------------------------------------------------------


@given(table=tables, order=st.randoms())
def test_the_order_of_the_scores_never_matters(table, order):
    shuffled = table.copy()
    order.shuffle(shuffled)
    one, other = index(largest(table), SPREAD), index(largest(shuffled), SPREAD)
    if set(one.subjects) != set(other.subjects):
        return  # Two groups of one size.
    assert in_order(other, one.subjects) == pytest.approx(one.ability, abs=1e-9)


@given(table=tables, lonely=st.floats(1, 99))
def test_a_cell_with_one_model_carries_no_information(table, lonely):
    alone = score(table[0].subject, percent=lonely, benchmark="nobody else took it")
    before, after = index(largest(table), SPREAD), index(largest([*table, alone]), SPREAD)
    assert after.subjects == before.subjects
    assert after.ability == pytest.approx(before.ability, abs=1e-12)
    assert after.covariance == pytest.approx(before.covariance, abs=1e-12)


@given(table=tables)
def test_abilities_sum_to_nothing_and_so_do_their_errors(table):
    fit = index(largest(table), SPREAD)
    assert fit.ability.sum() == pytest.approx(0, abs=1e-9)
    assert fit.covariance.sum(axis=0) == pytest.approx(np.zeros(len(fit.subjects)), abs=1e-9)
    assert np.linalg.eigvalsh(fit.covariance).min() > -1e-9


@given(table=tables)
def test_groups_share_no_model_and_no_cell_and_one_never_moves_another(table):
    other = [score(name, percent=percent, benchmark="elsewhere") for name, percent in (("x", 30), ("y", 60))]
    parts = groups([*table, *other])
    for kind in ("subject", "cell"):
        seen = [{getattr(one, kind) for one in part} for part in parts]
        assert sum(map(len, seen)) == len(set().union(*seen))
    alone = index(largest(table), SPREAD)
    together = next(index(part, SPREAD) for part in parts if set(part) == set(alone.scores))
    assert in_order(together, alone.subjects) == pytest.approx(alone.ability, abs=1e-9)


@given(table=tables)
def test_more_confidence_means_wider_intervals_and_fewer_differences(table):
    fit = index(largest(table), SPREAD)
    for narrow, wide in zip(fit.bands(0.8), fit.bands(0.95), strict=True):
        assert wide.low <= narrow.low <= narrow.mid <= narrow.high <= wide.high
    assert not (fit.told_apart(0.95) & ~fit.told_apart(0.8)).any()


@given(table=tables)
def test_no_two_of_a_group_of_equals_can_be_told_apart_and_everybody_is_in_one(table):
    (ranking, *_) = rankings(table, SPREAD)
    subjects = [place.subject for place in ranking.places]
    apart = ranking.index.told_apart()
    found = equals(ranking, subjects)
    for part in found:
        at = [ranking.index.subjects.index(subject) for subject in part]
        assert not apart[np.ix_(at, at)].any()
    assert {subject for part in found for subject in part} == set(subjects)


@given(table=tables)
def test_a_place_lies_between_those_that_are_better_and_those_that_are_worse(table):
    (ranking, *_) = rankings(table, SPREAD)
    for at, place in enumerate(ranking.places, start=1):
        assert 1 <= place.best_rank <= at <= place.worst_rank <= len(ranking.places)


# --- weights ----------------------------------------------------------------------------------------------------------


def two_categories():
    """a is good at code, b at mathematics, and c is in between."""
    percents = {"code": (90, 30, 60), "mathematics": (30, 90, 60)}
    return [
        score(name, percent=percent, benchmark=category, shots=shots, category=category)
        for category, found in percents.items()
        for name, percent in zip("abc", found, strict=True)
        for shots in ("0", "5")
    ]


def first(weights):
    (ranking,) = rankings(two_categories(), SPREAD, weights=EQUAL | weights)
    return ranking.places[0].subject.model_id


def test_the_weights_decide_who_is_first_over_all_categories():
    assert first({"code": 2.0}) == "a"
    assert first({"mathematics": 2.0}) == "b"
    assert first({"mathematics": 0.0}) == "a"


def test_a_category_counts_as_its_weight_says_however_many_scores_it_has():
    more = [score(name, percent=percent, benchmark="code", shots=str(shots))
            for shots in range(10, 30) for name, percent in (("a", 90), ("b", 30), ("c", 60))]  # fmt: skip
    (ranking,) = rankings([*two_categories(), *more], SPREAD, weights=EQUAL)
    found = {place.subject.model_id: place.band.mid for place in ranking.places}
    assert found["a"] == pytest.approx(found["b"], abs=0.5)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"poetry": 1.0}, "poetry"),
        ({"code": -1.0}, "code"),
        ({"code": 11.0}, "0 to 10"),
        ({"code": float("nan")}, "nan"),
        (dict.fromkeys(CATEGORIES, 0.0), "every category"),
    ],
)
def test_weights_that_cannot_be_used_are_refused_in_a_sentence(weights, said):
    with pytest.raises(InputError, match=said):
        checked_weights(weights)


# --- tables whose abilities are known ---------------------------------------------------------------------------------


def held(world: World, seeds: range) -> float:
    """Share of the abilities that lie in their 95% intervals."""
    inside, count = 0, 0
    for seed in seeds:
        truth, table = simulated(world, seed)
        fit = index(largest(one for one in table if one.category == "code"), spread(table))
        true = np.array([truth[subject] for subject in fit.subjects])
        reach = fit.reach(np.diag(fit.covariance), np.diag(fit.by_publishers), 0.95)
        inside += int((np.abs(fit.ability - (true - true.mean())) <= reach).sum())
        count += len(true)
    return inside / count


@pytest.mark.parametrize(
    ("world", "least"),
    [
        (World(favour=0.0), 0.93),
        (World(favour=0.1), 0.91),
        (World(favour=0.3), 0.88),
        (World(favour=0.3, publishers=8, cells=90), 0.90),
        # With three publishers little is known of what they do; the intervals are three times as wide and still weak.
        (World(favour=0.3, publishers=3), 0.80),
        (World(favour=0.1, stretch=0.25), 0.90),
    ],
)
def test_known_abilities_lie_in_their_intervals_though_publishers_favour_families(world, least):
    assert least <= held(world, range(30)) <= 0.99


def test_abilities_over_all_categories_lie_in_their_intervals_too():
    inside, count = 0, 0
    for seed in range(20):
        truth, table = simulated(World(favour=0.1), seed)
        (ranking, *_) = rankings(table, mixed_spread(table, spread(table)), weights=EQUAL)
        fit = ranking.index
        true = np.array([truth[subject] for subject in fit.subjects])
        reach = fit.reach(np.diag(fit.covariance), np.diag(fit.by_publishers), 0.95)
        inside += int((np.abs(fit.ability - (true - true.mean())) <= reach).sum())
        count += len(true)
    assert 0.91 <= inside / count <= 0.995


def test_the_spread_that_made_the_scores_is_found_again():
    found = [spread(simulated(World(models=80, publishers=12, cells=120, favour=0.2), seed)[1]) for seed in range(8)]
    total = 0.2**2 + 0.15**2 + 0.1**2
    shares = np.mean([list(one.variance_share.values()) for one in found], axis=0)
    assert shares == pytest.approx([0, 0.2**2 / total, 0.15**2 / total], abs=0.15)
    assert np.mean([one.sd_by_category["code"] for one in found]) == pytest.approx(total**0.5, rel=0.15)


def test_how_much_tests_stretch_differences_is_found_again():
    found = [spread(simulated(World(models=80, cells=120, favour=0.0, stretch=0.25), seed)[1]) for seed in range(8)]
    assert np.mean([one.stretch_sd for one in found]) == pytest.approx(0.25, rel=0.15)
    assert np.mean([one.sd_by_category["code"] for one in found]) == pytest.approx((0.15**2 + 0.1**2) ** 0.5, rel=0.2)


def test_a_model_far_from_the_others_of_its_only_cell_is_less_certain_than_one_among_them():
    table = [score(name, percent=percent) for name, percent in (("far", 95), ("near", 55), ("a", 50), ("b", 45))]
    (ranking,) = rankings(table, SPREAD)
    variances = dict(
        zip((one.model_id for one in ranking.index.subjects), np.diag(ranking.index.covariance), strict=True)
    )
    assert variances["far"] > variances["near"]


def test_hidden_scores_lie_in_their_intervals_as_often_as_these_say():
    found = [
        check([one for one in table if one.category == "code"], spread(table))
        for table in (simulated(World(favour=0.1), seed)[1] for seed in range(6))
    ]
    hidden = sum(len(one.hidden) for one in found)
    assert hidden > 1_000
    assert sum(one.held_80_fraction * len(one.hidden) for one in found) / hidden == pytest.approx(0.80, abs=0.04)
    assert sum(one.held_95_fraction * len(one.hidden) for one in found) / hidden == pytest.approx(0.95, abs=0.02)
    assert all(one.mean_miss_points < one.guess_miss_points / 2 for one in found)


@given(seed=st.integers(0, 1_000))
@settings(max_examples=20)
def test_a_hidden_score_never_helps_to_predict_itself(seed):
    _, table = simulated(World(models=12, cells=10, filled=0.6), seed)
    changed = [score(one.subject, percent=99.0 if one is table[0] else one.percent, family=one.family,
                     benchmark=one.cell.benchmark, shots=one.cell.shots, published_by=one.cell.published_by)
               for one in table]  # fmt: skip
    same = [score(one.subject, percent=one.percent, family=one.family, benchmark=one.cell.benchmark,
                  shots=one.cell.shots, published_by=one.cell.published_by) for one in table]  # fmt: skip
    asked = (same[0].subject, same[0].cell)

    def prediction(rows):
        found = check(rows, SPREAD).hidden
        return next((one.band_80 for one in found if (one.score.subject, one.score.cell) == asked), None)

    assert prediction(changed) == prediction(same)
