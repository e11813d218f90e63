"""Tokens of a text: published counts, and what holds for every pair of tokenizers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.tokens import TokenRate, TokenTable, against_english, ratio, tokens
from llmcompare.errors import InputError

articles = st.lists(st.tuples(st.integers(1, 2_000), st.integers(1, 4_000), st.integers(1, 4_000)), min_size=1)


def rate(characters, made, *, tokenizer_id="a", language_code="zh"):
    return TokenRate(
        tokenizer_id=tokenizer_id, language_code=language_code, language=language_code, characters=sum(characters),
        bytes=3 * sum(characters), tokens=sum(made), article_characters=tuple(characters), article_tokens=tuple(made),
        method="counted", row_id="r", as_of=None, source="s",
    )  # fmt: skip


def two(found):
    characters, first, second = zip(*found, strict=True)
    return rate(characters, first), rate(characters, second, tokenizer_id="b")


@given(found=articles)
def test_there_and_back_is_the_same_text(found):
    one, other = two(found)
    assert ratio(one, other).mid * ratio(other, one).mid == pytest.approx(1)


@given(found=articles)
def test_a_tokenizer_against_itself_is_1_with_no_spread(found):
    one, _ = two(found)
    band = ratio(one, one)
    assert (band.low, band.mid, band.high) == (1, 1, 1)


@given(found=articles)
def test_the_whole_text_lies_between_the_ends(found):
    one, other = two(found)
    for band in (ratio(one, other), tokens(one, characters=1_000)):
        assert band.low <= band.mid <= band.high


@given(found=articles, fewer=st.floats(0, 1e7), more=st.floats(0, 1e7))
def test_more_characters_are_never_fewer_tokens(found, fewer, more):
    one, _ = two(found)
    low, high = (tokens(one, characters=count) for count in sorted((fewer, more)))
    assert low.low <= high.low
    assert low.mid <= high.mid
    assert low.high <= high.high


@given(found=articles)
def test_the_measured_text_is_its_own_tokens(found):
    one, _ = two(found)
    assert tokens(one, characters=one.characters).mid == pytest.approx(one.tokens)


@given(found=articles, characters=st.floats(1, 1e6))
def test_the_ratio_of_two_rates_is_the_ratio_of_their_tokens_of_any_text(found, characters):
    one, other = two(found)
    expected = tokens(one, characters=characters).mid / tokens(other, characters=characters).mid
    assert ratio(one, other).mid == pytest.approx(expected)


def test_two_languages_and_two_texts_are_not_compared():
    one = rate([10, 20], [5, 6])
    for other in (rate([10, 20], [5, 6], language_code="ja"), rate([15, 15], [5, 6])):
        with pytest.raises(InputError, match="two texts"):
            ratio(one, other)
    with pytest.raises(InputError, match="two tokenizers"):
        against_english(one, rate([10, 20], [5, 6], tokenizer_id="b", language_code="en"))


@pytest.mark.parametrize("characters", [-1, float("nan"), float("inf"), 1e9])
def test_a_number_of_characters_that_cannot_be_is_one_sentence(characters):
    with pytest.raises(InputError, match="give 0 or more"):
        tokens(rate([10], [5]), characters=characters)


def test_what_is_not_known_has_a_reason():
    empty = TokenTable(tokenizers={}, of_model={}, rates={})
    assert empty.rate("m", "zh") == (None, "no source was read that says which tokenizer m has")


# A vocabulary of 32,000 has few whole words of other scripts; each generation of Llama has more.
def test_larger_vocabularies_bring_languages_nearer_to_english(real_facts):
    rates = real_facts.token_table.rates

    def times(name, code):
        return against_english(rates[name, code], rates[name, "en"])

    for code in ("zh", "ja", "ko", "ar", "hi", "th", "ru"):
        assert times("llama-2", code) > times("llama-3", code) > times("llama-4", code)
    assert times("llama-2", "hi") > 4
    assert times("llama-4", "hi") < 2
