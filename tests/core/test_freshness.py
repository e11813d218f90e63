"""Which prices are too old: the limits, their mark in tables, and the sentence at an answer."""

from dataclasses import replace
from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core import tables
from llmcompare.core.freshness import (
    deciding_prices,
    freshness,
    limit_days,
    marked,
    offer_freshness,
    stale_sentence,
)
from llmcompare.core.records import Billing
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.services import costs

TODAY = date(2026, 11, 25)
BILLINGS = [None, *get_args(Billing)]
dates = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@pytest.mark.parametrize(
    ("as_of", "billing", "expected"),
    [
        ("2026-10-26", None, "fresh"),
        ("2026-10-25", None, "stale"),
        ("2026-10-26", "on-demand", "fresh"),
        ("2026-10-25", "spot", "stale"),
        ("2026-11-18", "community", "fresh"),
        ("2026-11-17", "community", "stale"),
        ("2026-11", "on-demand", "fresh"),
        ("2026", "on-demand", "stale"),
        (None, "community", "undated"),
    ],
)
def test_a_list_price_is_stale_after_30_days_and_one_of_a_marketplace_after_7(as_of, billing, expected):
    assert freshness(as_of, today=TODAY, billing=billing) == expected


@given(seen=dates, days=st.integers(0, 400), billing=st.sampled_from(BILLINGS))
def test_a_price_that_is_stale_never_becomes_fresh_again(seen, days, billing):
    first = freshness(seen.isoformat(), today=seen + timedelta(days=days), billing=billing)
    later = freshness(seen.isoformat(), today=seen + timedelta(days=days + 1), billing=billing)
    assert (first, later) != ("stale", "fresh")
    assert (first == "fresh") == (days <= limit_days(billing))


@given(seen=st.none() | dates.map(date.isoformat), today=dates, billing=st.sampled_from(BILLINGS))
def test_a_price_of_ones_own_is_yours_whatever_its_date(seen, today, billing):
    assert freshness(seen, today=today, billing=billing, is_own=True) == "yours"


def test_a_table_of_prices_is_marked_behind_its_dates_and_changed_nowhere_else():
    table = Table(
        name="t",
        title="T",
        columns=("billing", "as_of", "source"),
        rows=(
            ("community", "2026-11-10", "https://s.example"),
            ("on-demand", "2026-11-10", "https://s.example"),
            ("on-demand", None, "https://s.example"),
            ("on-demand", "2020", "yours: a contract"),
        ),
    )
    found = marked(table, today=TODAY)
    assert found.columns == ("billing", "as_of", "price_age", "source")
    assert [row[2] for row in found.rows] == ["stale", "fresh", "undated", "yours"]
    assert tuple(row[:2] + row[3:] for row in found.rows) == table.rows


@pytest.fixture(scope="module")
def comparison(real_facts):
    return costs.compare(real_facts, Scenario())


def test_the_mark_of_a_row_is_that_of_its_offer(comparison):
    table = marked(tables.gpu_price_table(comparison), today=TODAY)
    place = table.columns.index("price_age")
    offers = {o.row_id: o for d in (comparison.rented, comparison.rented_at_scale) if d for o in d.offers}
    assert len(table.rows) == len(offers) > 5
    for row in table.rows:
        assert row[place] == offer_freshness(offers[row[-1]], today=TODAY)


def test_the_deciding_price_is_the_middle_one_of_the_cheapest_option(comparison):
    # At this volume an API is cheapest, and its middle prices enclose the median.
    (best,) = [o for o in comparison.options if o.key == "api"]
    requests = comparison.workload.requests_per_month
    assert best.curves.usd_per_month(requests).mid == min(
        o.curves.usd_per_month(requests).mid for o in comparison.options
    )
    found = {offer.row_id for offer in deciding_prices(comparison)}
    chosen = [priced.usd_per_month for priced in comparison.api.offers if priced.offer.row_id in found]
    assert len(chosen) in (1, 2)
    assert sum(chosen) / len(chosen) == pytest.approx(comparison.api.usd_per_month.mid)


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        (Scenario(requests_per_month=3e9), "GpuOffer"),
        (Scenario(requests_per_month=1e6, today_usd_per_month=1.0), None),
        (Scenario(own_input_usd_per_mtok=0.001, own_output_usd_per_mtok=0.001), "ApiOffer"),
    ],
)
def test_other_answers_are_decided_by_other_rows(real_facts, scenario, kind):
    found = deciding_prices(costs.compare(real_facts, scenario))
    assert {type(offer).__name__ for offer in found} == ({kind} if kind else set())


def test_the_answer_says_how_old_the_price_is_that_decides_it_and_nothing_while_it_is_fresh(comparison):
    offers = deciding_prices(comparison)
    newest = date.fromisoformat(max(offer.as_of for offer in offers))
    oldest = date.fromisoformat(min(offer.as_of for offer in offers))
    assert stale_sentence(comparison, today=oldest + timedelta(days=30)) is None
    said = stale_sentence(comparison, today=newest + timedelta(days=40))
    assert said.startswith("The price that decides this may have moved: the one of ")
    assert f"is 40 days old ({newest})" in said
    for offer in offers:
        assert offer.provider in said


def test_an_undated_price_that_decides_is_said_to_be_undated_and_an_own_one_is_not_doubted(comparison):
    def changed(**change):
        offers = tuple(replace(one, offer=replace(one.offer, **change)) for one in comparison.api.offers)
        return replace(comparison, api=replace(comparison.api, offers=offers))

    assert "is undated" in stale_sentence(changed(as_of=None), today=TODAY)
    assert stale_sentence(changed(as_of="2020", is_own=True), today=TODAY) is None
