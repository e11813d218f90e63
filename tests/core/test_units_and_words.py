"""Numbers as people read them."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.records import source_url
from llmcompare.core.units import HOURS_PER_MONTH, age_days, count_text, rounded, usd_text


def of_any_size(lowest: int, highest: int):
    """Numbers of all powers of ten alike, not mostly of the highest, and those just under a round one."""
    digits = st.one_of(st.floats(1, 9.999), st.sampled_from([9.994, 9.996, 9.999999]))
    return st.builds(lambda number, power: number * 10.0**power, digits, st.integers(lowest, highest))


SIZES = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def test_a_month_has_730_hours():
    assert HOURS_PER_MONTH == 365 * 24 / 12 == 730


@given(count=of_any_size(0, 13))
def test_a_count_in_words_is_the_count_to_three_digits(count):
    number, size = re.fullmatch(r"([\d.]+)([KMBT]?)", count_text(count)).groups()
    assert float(number) * SIZES[size] == pytest.approx(count, rel=0.006)


@given(count=of_any_size(0, 13))
def test_a_count_in_words_never_says_1000k(count):
    assert float(count_text(count).rstrip("KMBT")) < 1_000


@given(usd=of_any_size(-9, 12))
def test_an_amount_in_words_is_the_amount_to_a_cent_or_three_digits(usd):
    text = usd_text(usd)
    assert re.fullmatch(r"\$\d[\d,]*(\.\d+)?", text)
    assert float(text[1:].replace(",", "")) == pytest.approx(usd, rel=0.006, abs=0.5 if usd >= 100 else 0.005)


@given(usd=of_any_size(-12, -3))
def test_a_small_amount_never_reads_as_nothing(usd):
    assert float(usd_text(usd)[1:]) == pytest.approx(usd, rel=0.006, abs=0)


@given(value=of_any_size(-12, 12), digits=st.integers(1, 12))
def test_rounding_keeps_the_digits_asked_for(value, digits):
    assert rounded(value, digits) == pytest.approx(value, rel=0.5001 * 10 ** (1 - digits), abs=0)


@given(day=st.dates(date(2000, 1, 1), date(2030, 1, 1)), age=st.integers(0, 9_000))
def test_the_age_of_a_date_is_counted_in_days(day, age):
    assert age_days(day.isoformat(), today=day + timedelta(days=age)) == age


def test_a_month_or_year_counts_from_its_first_day():
    today = date(2026, 11, 23)
    assert age_days("2026-11", today=today) == 22
    assert age_days("2026", today=today) == (today - date(2026, 1, 1)).days


@pytest.mark.parametrize(
    ("source", "url"),
    [
        (
            "github.com/karpenter/aws: pkg/prices.go @ 0811291 ; https://other.example",
            "https://github.com/karpenter/aws/blob/0811291/pkg/prices.go",
        ),
        ("vendor page https://vendor.example/prices (read 2026)", "https://vendor.example/prices"),
        ("github.com/a/b, issue 5", "https://github.com/a/b"),
        ("PyPI package genai-prices 0.2.3", None),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_a_source_leads_to_its_address_where_it_names_one(source, url):
    assert source_url(source) == url


@given(text=st.text(max_size=80))
def test_a_source_never_leads_anywhere_but_to_a_web_page(text):
    url = source_url(text)
    assert url is None or url.startswith(("https://", "http://"))
