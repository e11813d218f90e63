"""The rules that all checks of statements share: what is equal, what several versions make, what excludes what."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from llmcompare.core.claims import MEANINGS, VERDICTS, cannot_both_be_true, counts, headline, verdict
from llmcompare.core.claims_known import Known, Version, combined, equal, over_versions, share_verdict, span, within
from llmcompare.core.claims_languages import fewest_discordant
from llmcompare.core.claims_tuning import gpu_hours
from llmcompare.core.claims_words import grouped, listed, number, said
from llmcompare.core.records import Claim
from llmcompare.core.shapes import ModelShape

CLAIM = Claim(
    claim_id="one", topic="prices", statement="It costs 4 to 6 USD", subject="tiny-7b", claimed="4;6",
    claimed_as="range", unit="usd", given=None, answer=None, compare_with=None, how_to_check="a price row",
    row_id="claims:one", as_of="2026-03", source="a guide",
)  # fmt: skip
LLAMA_8B = ModelShape(
    name="llama-3-8b", params_total=8.03e9, params_active=8.03e9, layer_count=32, hidden_size=4096, head_count=32,
    kv_head_count=8, key_size=128, value_size=128, full_kv_layer_count=32, vocabulary_size=128_256,
    ffn_hidden_size=14_336,
)  # fmt: skip

days = st.dates().map(str)
versions = st.builds(
    lambda day, truth: Version(released_on=day, is_true=truth), days, st.sampled_from([True, False, None])
)
verdict_names = st.sampled_from(VERDICTS)
figures = st.floats(0.01, 1e6)


def ranged(low: float, high: float, **fields: object) -> Claim:
    return replace(CLAIM, claimed=f"{low:.6f};{high:.6f}", **fields)


# --- equal ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "found", "is_equal"),
    [
        ("86.0", 82.0, False), ("81.5", 81.2, True), ("70", 70.55, True), ("12", 12.2, True), ("34", 123.0, False),
        ("0.001", 0.000975, True), ("0.0005", 0.000694, False), ("850", 856.8, True), ("850", 868.7, False),
        ("1e-3", 7.5e-5, False), ("200000", 262_144.0, False), ("8", 48.0, False),
    ],
)  # fmt: skip
def test_within_one_percent_or_the_same_in_the_guides_digits_is_equal(claimed, found, is_equal):
    assert equal(claimed, found) is is_equal


@given(figures, st.floats(-0.009, 0.009))
def test_a_figure_within_one_percent_is_always_equal(found, off):
    assert equal(f"{found * (1 + off):.12f}", found)


@given(figures, st.floats(0.02, 10))
def test_a_figure_two_percent_off_is_equal_by_rounding_alone(found, off):
    claimed = f"{found * (1 + off):.12f}"
    assert not equal(claimed, found)


def test_a_statement_allows_what_it_says():
    assert [within(CLAIM, usd) for usd in (3.4, 3.97, 5.0, 6.05, 6.6)] == [False, True, True, True, False]
    at_least = replace(CLAIM, claimed="1e3", claimed_as="at least")
    assert (within(at_least, 999), within(at_least, 1e9), within(at_least, 900)) == (True, True, False)
    assert span(replace(CLAIM, claimed="1e8", claimed_as="at most")) == (0.0, 1e8)
    assert span(replace(CLAIM, claimed="8;70", claimed_as="list")) is None


def test_figures_are_said_in_the_digits_of_the_guide():
    assert said(CLAIM) == "4 to 6"
    assert said(replace(CLAIM, claimed="86.0", claimed_as="exact")) == "86.0"
    assert said(replace(CLAIM, claimed="8;70", claimed_as="list")) == "8 and 70"
    assert said(replace(CLAIM, claimed=None, claimed_as=None)) == "none"


@given(st.floats(1e-12, 1e12))
def test_a_number_in_words_keeps_three_digits(value):
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=1e-3)
    assert "e" not in number(value)


def test_names_are_listed_and_grouped():
    assert listed([]) == "none"
    assert listed(["a", "b"]) == "a and b"
    assert grouped([("1", "a"), ("1", "b")]) == "1 (a and b)"


# --- versions and parts -----------------------------------------------------------------------------------------------


@given(st.lists(versions), st.randoms())
def test_the_order_of_the_versions_does_not_matter(found, random):
    shuffled = [*found]
    random.shuffle(shuffled)
    assert over_versions(found, asked_on=None) == over_versions(shuffled, asked_on=None)


@given(st.lists(versions))
def test_a_version_of_which_nothing_is_known_counts_for_nothing(found):
    known = [one for one in found if one.is_true is not None]
    assert over_versions(found, asked_on="2026-03") == over_versions(known, asked_on="2026-03")


@given(st.lists(versions), versions)
def test_a_version_after_the_statement_can_make_it_outdated_and_nothing_else(found, later):
    seen = [one for one in found if (one.released_on or "") < "2026-03"]
    before, _ = over_versions(seen, asked_on="2026-03")
    after, _ = over_versions([*seen, replace(later, released_on="9998-01-01")], asked_on="2026-03")
    assert after in (before, "outdated")
    if after != before:
        assert before == "holds"


def test_true_of_the_old_version_alone_is_outdated_since_the_new_one():
    old, new = Version(released_on="2024-02-26", is_true=True), Version(released_on="2024-07-24", is_true=False)
    assert over_versions([new, old], asked_on="2026-03") == ("outdated", "2024-07-24")
    assert over_versions([replace(old, is_true=False), replace(new, is_true=True)], asked_on=None) == ("partly", None)


@given(st.lists(verdict_names, min_size=1), st.randoms())
def test_parts_combine_in_any_order(parts, random):
    shuffled = [*parts]
    random.shuffle(shuffled)
    assert combined(parts) == combined(shuffled)
    assert combined([parts[0]] * 3) == parts[0]
    if "holds" in parts and len(set(parts)) > 1:
        assert combined(parts) == "partly"


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_share_is_all_some_or_none(true, false):
    expected = "no-evidence" if true + false == 0 else "holds" if not false else "partly" if true else "contradicted"
    assert share_verdict(true, true + false) == expected


# --- contradictions ---------------------------------------------------------------------------------------------------


@given(figures, figures, figures, figures)
def test_two_ranges_exclude_each_other_exactly_where_they_lie_apart(a, b, c, d):
    one, other = ranged(*sorted((a, b))), ranged(*sorted((c, d)))
    assert cannot_both_be_true(one, other) == cannot_both_be_true(other, one)
    first, second = sorted([sorted((a, b)), sorted((c, d))])
    if second[0] > first[1] * 1.011:
        assert cannot_both_be_true(one, other)
    if second[0] <= first[1]:
        assert not cannot_both_be_true(one, other)


def test_figures_of_different_units_never_exclude_each_other():
    assert cannot_both_be_true(ranged(1, 2), ranged(10, 20))
    assert not cannot_both_be_true(ranged(1, 2), ranged(10, 20, unit="hours"))


def test_different_ways_to_serve_at_the_same_volume_exclude_each_other():
    seldom = replace(CLAIM, claimed=None, claimed_as=None, unit=None, answer="self-hosting")
    small = replace(CLAIM, claimed="1e8", claimed_as="at most", unit="tokens_per_month", answer="api")
    large = replace(small, claimed="1e9", claimed_as="at least", answer="self-hosting")
    assert cannot_both_be_true(seldom, small)
    assert not cannot_both_be_true(small, large)
    assert not cannot_both_be_true(seldom, replace(small, answer="self-hosting"))


def test_that_the_guide_contradicts_itself_wins_over_everything_else():
    one = replace(CLAIM, claim_id="one", compare_with="other")
    other = replace(CLAIM, claim_id="other", claimed="100;200", compare_with="one")
    known = Known(claims={"one": one, "other": other})
    assert verdict(known, one).verdict == "self-contradicting"
    assert verdict(known, one).row_ids == ["claims:one"]
    apart = Known(claims={"one": one, "other": replace(other, claimed="5;200")})
    assert verdict(apart, one).verdict == "no-evidence"


def test_a_statement_without_a_check_says_so():
    found = verdict(Known(claims={"one": CLAIM}), CLAIM)
    assert (found.verdict, found.row_ids) == ("no-evidence", [])
    assert "No check is written" in found.explanation


def test_an_empty_table_has_a_headline_too():
    assert headline([]) == "No statement of the guide is in the catalogue."
    assert sum(counts([]).values()) == 0
    assert set(MEANINGS) == set(VERDICTS)


# --- formulas of their own --------------------------------------------------------------------------------------------


def test_six_tasks_one_way_are_the_fewest_that_a_sign_test_takes_for_a_difference():
    needed = fewest_discordant()
    assert binomtest(needed, needed).pvalue <= 0.05 < binomtest(needed - 1, needed - 1).pvalue
    assert needed == 6


@given(st.floats(1e-6, 0.9))
def test_the_fewest_tasks_are_the_fewest_at_every_significance(significance):
    needed = fewest_discordant(significance=significance)
    assert binomtest(needed, needed).pvalue <= significance * (1 + 1e-9)
    if needed > 1:
        assert binomtest(needed - 1, needed - 1).pvalue > significance * (1 - 1e-9)


@given(st.floats(1e13, 1e15), st.integers(10, 1_000_000))
def test_hours_grow_with_examples_and_full_tuning_takes_a_third_more(rate, examples):
    lora = gpu_hours(LLAMA_8B, flop_per_s=rate, examples=examples)
    full = gpu_hours(LLAMA_8B, flop_per_s=rate, examples=examples, is_full=True)
    assert lora.low < lora.mid < lora.high
    assert full.mid == pytest.approx(lora.mid * 8 / 6)
    assert gpu_hours(LLAMA_8B, flop_per_s=rate, examples=2 * examples).mid == pytest.approx(2 * lora.mid)
