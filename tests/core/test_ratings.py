"""Ratings from votes: equal to a published example and to two other implementations, with intervals that hold."""

import warnings
from dataclasses import replace

import choix
import evalica
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmcompare.core.bootstrap import bootstrapped, sentence
from llmcompare.core.first_place import chance_settled, first_place, needs, votes_to_come
from llmcompare.core.ratings import (
    Counts,
    connected,
    counted_votes,
    elo_points,
    is_bounded,
    pair_values,
    rated,
)
from llmcompare.core.ratings_words import answer, other_parts, pair_table, rating_table, sentences

NAMES = "ABCDE"
PUBLISHED_GAMES = {"AB": 2, "AD": 1, "BA": 3, "BC": 5, "CB": 3, "CD": 1, "DA": 4, "DC": 3}
"""Winner, loser, games: en.wikipedia.org/wiki/Bradley-Terry_model, worked example of 22 games."""
PUBLISHED_STRENGTHS = {"A": 0.640, "B": 1.043, "C": 0.660, "D": 2.270}

VOTES = st.lists(
    st.tuples(
        st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(["left", "left", "right", "tie", "both bad"])
    ),
    min_size=1,
    max_size=120,
)


def wins(games):
    return [(pair[0], pair[1], "left") for pair, count in games.items() for _ in range(count)]


def duel(first, second, ties=0):
    return counted_votes([("A", "B", "left")] * first + [("A", "B", "right")] * second + [("A", "B", "tie")] * ties)


def said(counts):
    return answer(first_place(rated(counts)), vote_count=counts.total)


def simulated(rng, logits, count, tie_weight):
    """Votes of a model with ties (Davidson's), so not of the one that is fitted."""
    left = rng.integers(len(logits), size=count)
    right = (left + rng.integers(1, len(logits), size=count)) % len(logits)
    first, second = np.exp(np.asarray(logits)[[left, right]])
    drawn = rng.random(count) * (first + second + tie_weight * np.sqrt(first * second))
    outcome = np.where(drawn < first, "left", np.where(drawn < first + second, "right", "tie")).tolist()
    return [(NAMES[one], NAMES[other], vote) for one, other, vote in zip(left, right, outcome, strict=True)]


def test_the_published_example_of_22_games_comes_out():
    ratings = rated(counted_votes(wins(PUBLISHED_GAMES)))
    assert ratings.counts.total == 22
    found = dict(zip(ratings.counts.names, ratings.strengths, strict=True))
    assert found == pytest.approx(PUBLISHED_STRENGTHS, rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_without_ties_the_ratings_are_those_of_choix(seed):
    votes = simulated(np.random.default_rng(seed), np.linspace(-1, 1, 5), 300, tie_weight=0)
    ratings = rated(counted_votes(votes))
    data = [
        (NAMES.index(left), NAMES.index(right)) if vote == "left" else (NAMES.index(right), NAMES.index(left))
        for left, right, vote in votes
    ]
    assert ratings.logits == pytest.approx(choix.opt_pairwise(5, data, alpha=0, tol=1e-10), abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_with_ties_the_ratings_are_those_of_evalica(seed):
    votes = simulated(np.random.default_rng(seed), np.linspace(-1, 1, 5), 300, tie_weight=1)
    ratings = rated(counted_votes(votes))
    winner = {"left": evalica.Winner.X, "right": evalica.Winner.Y, "tie": evalica.Winner.Draw}
    lefts, rights, outcomes = zip(*votes, strict=True)
    with warnings.catch_warnings():
        # It hands a writable view of a frame that is none any more.
        warnings.simplefilter("ignore")
        found = evalica.bradley_terry(
            lefts, rights, [winner[vote] for vote in outcomes], tolerance=1e-10, limit=10_000
        ).scores
    expected = np.log([found[name] for name in NAMES])
    assert ratings.logits == pytest.approx(expected - expected.mean(), abs=1e-3)


def test_twelve_of_sixteen_votes_are_odds_of_three():
    ratings = rated(duel(12, 4))
    assert ratings.logits[0] - ratings.logits[1] == pytest.approx(np.log(3))
    assert [share.mid for share in ratings.shares()] == pytest.approx([75, 25])
    assert elo_points(np.log(10)) == pytest.approx(1400)


@pytest.mark.parametrize("counts", [duel(14, 6), duel(15, 6), duel(16, 4), duel(5, 0), duel(4, 2, 30)])
def test_two_models_are_told_apart_just_where_the_interval_of_the_share_leaves_the_middle(counts):
    ratings = rated(counts)
    share = ratings.shares()[0]
    assert (share.low > 50) == ratings.told_apart()[0, 1]


def test_the_share_against_the_others_is_the_mean_over_them():
    ratings = rated(counted_votes(wins({"AB": 3, "BA": 1, "AC": 9, "CA": 1, "BC": 3, "CB": 1})))
    a, b, c = ratings.logits
    expected = 50 / (1 + np.exp(b - a)) + 50 / (1 + np.exp(c - a))
    assert ratings.shares()[0].mid == pytest.approx(expected)
    assert sum(share.mid for share in ratings.shares()) == pytest.approx(150)


def test_both_bad_counts_for_the_order_as_a_tie_does_and_is_counted_apart():
    votes = [("A", "B", "left")] * 3 + [("A", "B", "right")] * 2
    tied, bad = (counted_votes([*votes, *[("A", "B", vote)] * 4]) for vote in ("tie", "both bad"))
    assert rated(tied).logits == pytest.approx(rated(bad).logits)
    assert tied.both_bad.sum() == 0
    assert bad.both_bad[0, 1] == 4
    assert "4 of 9 votes were for neither, 4 of them because both were bad" in " ".join(sentences(rated(bad)))


def test_a_tie_makes_votes_scatter_less_than_the_model_believes():
    """Ten to ten without a tie scatter as coins do; one to one with 18 ties hardly scatter at all."""
    coins, ties = rated(duel(10, 10)), rated(duel(1, 1, ties=18))
    assert np.sqrt(coins.variances[0, 1]) == pytest.approx(2 / np.sqrt(20), rel=0.05)
    assert ties.variances[0, 1] < 0.2 * coins.variances[0, 1]


def test_three_ties_are_no_certainty():
    ratings = rated(duel(0, 0, ties=3))
    assert not ratings.told_apart().any()
    share = ratings.shares()[0]
    assert share.low < 25
    assert share.high > 75


# --- where no finite rating exists ------------------------------------------------------------------------------------


def test_where_one_side_got_every_vote_half_votes_keep_the_rating_finite_and_the_page_says_so():
    counts = duel(6, 0)
    assert not is_bounded(counts)
    ratings = rated(counts)
    assert ratings.logits[0] - ratings.logits[1] == pytest.approx(np.log(6.5 / 0.5))
    assert "some model won or lost every vote" in " ".join(sentences(ratings))
    assert "some model won" not in " ".join(sentences(rated(duel(6, 1))))


def test_a_group_that_got_every_vote_against_the_rest_is_unbounded_although_each_pair_lost_one():
    votes = wins({"AB": 1, "BA": 1, "CD": 1, "DC": 1, "AC": 2, "BD": 1})
    assert not is_bounded(counted_votes(votes))
    assert is_bounded(counted_votes([*votes, ("D", "A", "tie")]))


def test_models_that_no_chain_of_votes_connects_are_not_compared():
    parts = connected(counted_votes(wins({"AB": 2, "BA": 1, "DE": 1})))
    assert [part.names for part in parts] == [("A", "B"), ("D", "E")]
    assert "D and E cannot be compared with the others" in next(other_parts(parts))
    assert connected(counted_votes([])) == []


# --- how sure ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "tie_weight"), [(30, 0.0), (30, 1.0), (150, 0.0), (150, 1.0)])
def test_intervals_hold_the_true_ratings_as_often_as_they_say(count, tie_weight):
    rng = np.random.default_rng(7)
    truth = np.array([-0.6, 0.0, 0.6])
    # What half-vote ratings tend to with endless votes is not the truth of the model with ties, but this.
    expected = np.zeros((3, 3))
    ties = np.zeros((3, 3))
    for one in range(3):
        for other in range(3):
            weights = np.exp(truth[[one, other]])
            total = weights.sum() + tie_weight * np.sqrt(weights.prod())
            if one != other:
                expected[one, other], ties[one, other] = weights[0] / total, 1 - weights.sum() / total
    aim = rated(Counts(names=("A", "B", "C"), preferred=1e6 * expected, ties=1e6 * ties, both_bad=0 * ties)).logits
    held = []
    for _ in range(400):
        ratings = rated(counted_votes(simulated(rng, truth, count, tie_weight)))
        held += [band.low <= true <= band.high for band, true in zip(ratings.bands(), aim, strict=True)]
    assert 0.93 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("tie_weight", [0, 1])
def test_the_sandwich_agrees_with_the_bootstrap(tie_weight):
    """Here votes are drawn one by one; the check that users have draws tables."""
    rng = np.random.default_rng(3)
    votes = simulated(rng, np.linspace(-0.8, 0.8, 4), 600, tie_weight)
    ratings = rated(counted_votes(votes))
    again = [rated(counted_votes([votes[at] for at in rng.integers(600, size=600)])).logits for _ in range(300)]
    by_vote = np.std(again, axis=0) / np.sqrt(np.diag(ratings.covariance))
    found = bootstrapped(ratings)
    assert by_vote == pytest.approx(1, abs=0.12)
    assert found.ratios == pytest.approx(by_vote, abs=0.12)
    assert (found.table_count, found.left_out_count) == (500, 0)
    assert sentence(found).startswith("Checked by drawing the votes again 500 times: errors are 0.9")


def test_the_bootstrap_checks_nothing_where_ratings_hang_on_a_vote_that_is_often_not_drawn():
    """One of 18 votes joins two pairs: it is missing from (17 / 18)^18 = 36% of the tables."""
    found = bootstrapped(rated(counted_votes(wins({"AB": 5, "BA": 4, "CD": 4, "DC": 4}) + [("B", "C", "tie")])))
    assert found.left_out_count / 500 == pytest.approx((17 / 18) ** 18, abs=0.08)
    assert sentence(found).startswith("Drawing the votes again checks nothing yet")
    assert "checks nothing yet: 500 of 500" in sentence(bootstrapped(rated(duel(6, 0))))


def test_equal_models_are_told_apart_no_more_often_than_chance():
    rng = np.random.default_rng(11)
    apart = [rated(counted_votes(simulated(rng, np.zeros(2), 40, 0.5))).told_apart().any() for _ in range(600)]
    assert np.mean(apart) < 0.07


def test_groups_that_cannot_be_told_apart_overlap_and_places_are_ranges():
    ratings = rated(counted_votes(wins({"AB": 40, "BA": 30, "BC": 40, "CB": 30, "AC": 60, "CA": 20})))
    assert ratings.levels()[-1][-1] == "C"
    assert ratings.places()[0][0] == 1
    assert ratings.told_apart()[0, 2]
    assert not any({"A", "C"} <= set(part) for part in ratings.levels())


# --- the first place --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [duel(12, 8), duel(14, 6), duel(3, 0), duel(6, 4, 10)])
def test_the_votes_still_needed_settle_the_first_place_and_one_less_does_not(counts):
    ratings = rated(counts)
    found = first_place(ratings)
    assert found.rivals
    after, before = (
        rated(votes_to_come(ratings, ratings.order[0], {1: 1.0}, more))
        for more in (found.votes_needed, found.votes_needed - 1)
    )
    assert first_place(after).votes_needed == 0
    assert first_place(before).rivals == found.rivals


def test_with_one_rival_the_votes_needed_are_those_of_the_plain_formula():
    """12 to 8: an interval of 1.96 standard errors of a logit, 1 / (n p q), is as long as ln 1.5 at n = 97.4."""
    found = first_place(rated(duel(12, 8)))
    assert 20 + found.votes_needed == pytest.approx(1.96**2 / (np.log(1.5) ** 2 * 0.24), abs=3)


def settled_share(counts, more):
    """How often the first place is settled after so many votes, drawn as the ratings say, with every table rated."""
    ratings, rng, settled = rated(counts), np.random.default_rng(2), 0
    leader = ratings.order[0]
    rivals = [counts.names.index(name) for name in first_place(ratings).rivals]
    new = votes_to_come(ratings, leader, needs(ratings, leader, rivals), more)
    for _ in range(300):
        preferred, ties = counts.preferred.copy(), counts.ties.copy()
        for rival in rivals:
            at, mirrored = (leader, rival), (rival, leader)
            expected = [new.preferred[at], new.preferred[mirrored], new.ties[at]]
            expected -= np.array([preferred[at], preferred[mirrored], ties[at]])
            won, lost, tied = rng.multinomial(round(sum(expected)), expected / sum(expected))
            preferred[at], preferred[mirrored] = preferred[at] + won, preferred[mirrored] + lost
            ties[at], ties[mirrored] = ties[at] + tied, ties[mirrored] + tied
        after = rated(replace(counts, preferred=preferred, ties=ties))
        settled += after.order[0] == leader and after.told_apart()[leader].sum() == len(counts.names) - 1
    return settled / 300


@pytest.mark.parametrize(
    "counts",
    [
        duel(12, 8),
        duel(22, 15, 12),
        counted_votes(wins({"AB": 14, "BA": 10, "AC": 13, "CA": 9, "BC": 11, "CB": 10})),
        counted_votes(wins(PUBLISHED_GAMES)),
        counted_votes(wins({one + other: 12 if one == "A" else 9 for one in NAMES for other in NAMES if one != other})),
    ],
    ids=["one rival", "one rival and ties", "two rivals", "the published games", "four rivals"],
)
def test_after_the_votes_still_needed_the_first_place_is_settled_about_every_other_time(counts):
    needed = first_place(rated(counts)).votes_needed
    assert settled_share(counts, needed) == pytest.approx(0.5, abs=0.1)
    assert settled_share(counts, needed // 4) < 0.35


def test_more_votes_make_a_settled_first_place_more_likely():
    ratings = rated(counted_votes(wins(PUBLISHED_GAMES)))
    share = needs(ratings, ratings.order[0], ratings.order[1:])
    chances = [chance_settled(ratings, ratings.order[0], share, more) for more in (10, 30, 100, 300, 1_000)]
    assert chances == sorted(chances)
    assert chances[0] < 0.3
    assert chances[-1] > 0.99


def test_level_models_get_no_number_but_a_reason():
    found = first_place(rated(duel(5, 5)))
    assert found.votes_needed is None
    assert "level so far" in found.reason
    assert "The first place is open after 10 votes" in said(duel(5, 5))


def test_a_tiny_lead_gets_no_number_either():
    assert "more than 10,000 votes" in first_place(rated(duel(10_001, 10_000))).reason


def test_the_answer_names_the_leader_and_the_votes():
    assert said(duel(30, 5)) == ("A is first: after 35 votes its lead over every other model is more than chance.")
    assert said(duel(14, 6)) == (
        "A leads after 20 votes, but cannot be told apart from B yet: 7 more votes would settle the first place in "
        "one case of two, if the models are as good as they look now."
    )


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([("A", "B", "left")], "A leads after 1 vote, but cannot be told apart from B yet: 16 more votes"),
        ([("A", "B", "tie")] * 30, "The first place is open after 30 votes: A and B are level so far"),
        ([("A", "B", "both bad")], "The first place is open after 1 vote: A and B are level so far"),
        (wins({"AB": 30}), "A is first: after 30 votes"),
        (wins({"AB": 5, "BC": 5}), "A leads after 10 votes, but cannot be told apart from B yet"),
        (wins({"AB": 8, "BA": 2, "DE": 1}), "A leads after 10 votes, but cannot be told apart from B yet"),
    ],
    ids=["one vote", "all ties", "both bad", "every vote for one", "a chain of defeats", "two groups apart"],
)
def test_few_and_lopsided_votes_get_a_sober_answer(votes, expected):
    part, *_ = connected(counted_votes(votes))
    assert said(part).startswith(expected)
    for share in rated(part).shares():
        assert 0 < share.low < share.mid < share.high < 100


# --- which pair next --------------------------------------------------------------------------------------------------


def test_before_any_vote_all_pairs_tell_the_same():
    values = pair_values(counted_votes([]), NAMES)
    assert len(values) == 10
    assert np.ptp(list(values.values())) == pytest.approx(0, abs=1e-12)


def test_a_model_without_votes_is_drawn_before_pairs_that_were_compared_often():
    values = pair_values(duel(20, 12), "ABC")
    assert list(values)[-1] == ("A", "B")


def test_close_models_tell_more_than_distant_ones_that_were_compared_as_often():
    counts = counted_votes(wins({"AB": 8, "BA": 8, "AC": 15, "CA": 1, "BC": 15, "CB": 1}))
    assert next(iter(pair_values(counts, "ABC"))) == ("A", "B")


def test_drawing_where_votes_tell_most_parts_close_models_better_than_drawing_at_random():
    """Mean error of the differences of four close models after 60 votes, with a fifth that is far behind."""
    rng = np.random.default_rng(5)
    truth = dict(zip(NAMES, (0.4, 0.2, 0.0, -0.2, -3.0), strict=True))

    def vote(one, other):
        return one, other, "left" if rng.random() < 1 / (1 + np.exp(truth[other] - truth[one])) else "right"

    def error(draw):
        votes = wins({"AB": 1, "BC": 1, "CD": 1, "DA": 1, "DE": 1})
        for _ in range(55):
            votes.append(vote(*draw(counted_votes(votes))))
        return np.mean(np.sqrt(rated(counted_votes(votes)).variances[:4, :4]))

    best = [error(lambda counts: next(iter(pair_values(counts, NAMES)))) for _ in range(8)]
    blind = [error(lambda _: rng.choice(list(NAMES), 2, replace=False)) for _ in range(8)]
    assert np.mean(best) < 0.96 * np.mean(blind)


# --- laws -------------------------------------------------------------------------------------------------------------


@given(votes=VOTES, order=st.permutations(NAMES))
def test_new_names_for_the_models_only_rename_the_ratings(votes, order):
    new = dict(zip(NAMES, order, strict=True))
    part = connected(counted_votes(votes))
    assume(len(part) == 1)
    found = rated(part[0])
    renamed = rated(counted_votes([(new[left], new[right], vote) for left, right, vote in votes]))
    for name, logits, band in zip(found.counts.names, found.logits, found.bands(), strict=True):
        at = renamed.counts.names.index(new[name])
        assert renamed.logits[at] == pytest.approx(logits, abs=1e-6)
        assert renamed.bands()[at].high == pytest.approx(band.high, abs=1e-5)


@given(votes=VOTES)
def test_swapping_sides_changes_nothing(votes):
    swap = {"left": "right", "right": "left"}
    swapped = [(right, left, swap.get(vote, vote)) for left, right, vote in votes]
    one, other = counted_votes(votes), counted_votes(swapped)
    assert (one.preferred == other.preferred).all()
    assert (one.ties == other.ties).all()


@given(votes=VOTES, times=st.integers(2, 9))
def test_the_same_votes_several_times_over_give_the_same_ratings_and_narrower_intervals(votes, times):
    parts = connected(counted_votes(votes))
    assume(parts and is_bounded(parts[0]))
    one = rated(parts[0])
    more = rated(connected(counted_votes(votes * times))[0])
    assert more.logits == pytest.approx(one.logits, abs=1e-6)
    for narrow, wide in zip(more.bands(), one.bands(), strict=True):
        assert narrow.high - narrow.low < wide.high - wide.low


@given(votes=VOTES)
def test_a_vote_for_a_model_never_lowers_its_rating(votes):
    parts = connected(counted_votes([*votes, *wins({"AB": 1, "BA": 1})]))
    assume(len(parts) == 1 and is_bounded(parts[0]))
    before, after = (rated(counted_votes([*votes, *wins(more)])) for more in ({"AB": 1, "BA": 1}, {"AB": 2, "BA": 1}))
    at = before.counts.names.index("A")
    assert after.logits[at] >= before.logits[at] - 1e-9


@given(votes=VOTES)
def test_where_the_ratings_are_finite_expected_votes_are_the_votes_each_model_got(votes):
    for part in connected(counted_votes(votes)):
        ratings = rated(part)
        odds = 1 / (1 + np.exp(ratings.logits[None, :] - ratings.logits[:, None]))
        if is_bounded(part):
            assert (part.votes * odds).sum(axis=1) == pytest.approx(part.points.sum(axis=1), abs=1e-5)
        assert np.isfinite(ratings.covariance).all()
        assert sum(ratings.logits) == pytest.approx(0, abs=1e-8)
        assert sum(row[2] for row in pair_table(part).rows) == part.total
        assert len(rating_table(ratings).rows) == len(part.names)
