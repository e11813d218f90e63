"""Real months: kept over restarts, read from files, and set against forecasts made with the real facts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.actuals import Actual
from llmcompare.core.options import proprietary_offers
from llmcompare.core.request_log import MonthCounts
from llmcompare.core.scenario import Scenario
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import actuals, bill, costs
from llmcompare.store.paths import Folders
from llmcompare.store.results import ResultsLog

OCTOBER = Actual(month="2026-10", usd=6_000, requests=1.2e6, input_tokens=1.3e9, output_tokens=3e8)
NOVEMBER = Actual(month="2026-11", usd=7_000)


@pytest.fixture
def where(tmp_path):
    return Folders(data=tmp_path / "data", var=tmp_path / "var")


# --- kept -------------------------------------------------------------------------------------------------------------


def test_months_are_kept_for_the_person_who_typed_them_in_and_outlast_the_process(where):
    actuals.keep("ada", [NOVEMBER, OCTOBER], where)
    actuals.keep("bob", [replace(OCTOBER, usd=1.0)], where)
    assert actuals.kept("ada", where) == [OCTOBER, NOVEMBER]
    assert {fact.usd for fact in ResultsLog(where.results).actual_months("ada")} == {6_000, 7_000}
    assert actuals.kept("eve", where) == []


def test_a_month_typed_in_again_replaces_the_first_and_one_taken_back_is_gone(where):
    actuals.keep("ada", [OCTOBER, NOVEMBER], where)
    actuals.keep("ada", [replace(OCTOBER, usd=6_500.5)], where)
    assert [one.usd for one in actuals.kept("ada", where)] == [6_500.5, 7_000]
    actuals.withdraw("ada", [OCTOBER], where)
    assert actuals.kept("ada", where) == [NOVEMBER]
    actuals.keep("ada", [OCTOBER], where)
    assert actuals.kept("ada", where) == [OCTOBER, NOVEMBER]


def test_the_counts_of_a_log_become_a_month():
    counts = MonthCounts(month="2026-10", requests=5, input_tokens=50.0, output_tokens=5.0, cached_tokens=10.0,
                         is_whole=True)  # fmt: skip
    found = actuals.of_log(counts, usd=3.0)
    assert found == Actual(month="2026-10", usd=3, requests=5, input_tokens=50, output_tokens=5, cached_tokens=10)


# --- files ------------------------------------------------------------------------------------------------------------

COUNTS = st.none() | st.floats(1, 1e14)
MONTHS = st.builds(
    Actual, month=st.sampled_from(["2025-01", "2026-10", "2026-12"]), usd=st.floats(0.01, 1e9), gpu_hours=COUNTS,
    requests=st.none() | st.floats(1e12, 1e14), output_tokens=COUNTS,
)  # fmt: skip


@given(months=st.lists(MONTHS, min_size=1, max_size=5))
def test_months_are_read_back_from_their_file(months):
    found = actuals.read_months(actuals.months_csv(months), name="real.csv")
    for one, other in zip(found, months, strict=True):
        assert one.month == other.month
        for name in actuals.COLUMNS[1:]:
            assert getattr(one, name) == pytest.approx(getattr(other, name))


def test_an_empty_file_is_a_form_and_other_names_and_delimiters_are_understood():
    assert actuals.months_csv([]) == b"month,usd,requests,input_tokens,output_tokens,cached_tokens,gpu_hours\n"
    found = actuals.read_months(
        b"\xef\xbb\xbfMonth;Bill;Prompt tokens;requests\n2026-10-01;12.5;1e6;100\n;;;\n", name="x"
    )
    assert found == [Actual(month="2026-10", usd=12.5, input_tokens=1e6, requests=100)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x.csv has the columns of an empty file: it needs month and usd"),
        (b"month,requests\n", "it needs month and usd"),
        (b"month,usd\n", "holds a header and no month"),
        (b"month,usd\n2026-10,abc\n", "x.csv line 2: usd is 'abc': give a number, without separators."),
        (b"month,usd\n2026-10,1\n2026-13,1\n", "x.csv line 3: month is '2026-13': write it as 2026-11."),
        (b"month,usd\n2026-10,inf\n", "line 2: usd of 2026-10 is inf"),
        (b"month,usd\n2026-10,\n", "x.csv line 2 has no month or no usd"),
        (b"\xff\xff", "is no text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_says_line_value_and_rule(content, said):
    with pytest.raises(InputError) as refused:
        actuals.read_months(content, name="x.csv")
    assert said in str(refused.value)


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_it_is_months_or_a_sentence(content):
    for start in (b"", b"month,usd\n"):
        try:
            assert actuals.read_months(start + content, name="x.csv")
        except InputError:
            continue


# --- forecasts --------------------------------------------------------------------------------------------------------


def test_forecasts_are_the_costs_of_the_comparison(real_facts):
    comparison = costs.compare(real_facts, Scenario(requests_per_month=5e6))
    found = {one.label: one for one in actuals.forecasts(real_facts, comparison)}
    assert found["today's API, openai/gpt-4o"].usd == comparison.today.usd_per_month == pytest.approx(27_500)
    for priced in comparison.api.offers:
        assert found[f"Llama 3.3 70B Instruct at {priced.offer.provider}"].usd == pytest.approx(priced.usd_per_month)
    rented = found[f"renting {comparison.rented.label}"]
    assert rented.usd == pytest.approx(comparison.rented.usd_per_month.mid)
    hours = comparison.rented.replicas * comparison.rented.gpus_per_replica * 730
    assert rented.gpu_hours == pytest.approx(hours)


def test_a_bill_that_was_typed_in_is_divided_by_the_prices_of_the_api_in_use(real_facts):
    comparison = costs.compare(real_facts, Scenario(today_usd_per_month=4_000))
    more = replace(OCTOBER, usd=4_800, requests=1.2e6, input_tokens=1.2e9, output_tokens=3.6e8, cached_tokens=0.0)
    found = actuals.differences(real_facts, comparison, [more], label="today's API")[0]
    assert found.forecast_usd == pytest.approx(4_000)
    assert found.usd_of("volume") == pytest.approx(800)
    assert found.usd_of("price") == pytest.approx(0, abs=1e-6)
    with pytest.raises(UnknownIdError):
        actuals.forecasts(real_facts, replace(comparison, scenario=replace(comparison.scenario, today="openai/none")))


def test_with_growth_each_month_has_a_volume_of_its_own(real_facts):
    comparison = costs.compare(real_facts, Scenario(growth_fraction_per_month=0.1))
    months = [OCTOBER, replace(OCTOBER, month="2027-01")]
    late, early = actuals.differences(real_facts, comparison, months, label="today's API, openai/gpt-4o")
    assert (early.month, late.month) == ("2026-10", "2027-01")
    assert late.forecast_usd == pytest.approx(early.forecast_usd * 1.1**3)
    moved = actuals.differences(real_facts, comparison, months, label="x", from_month="2026-09")
    assert moved[1].forecast_usd == pytest.approx(early.forecast_usd * 1.1)


# --- a bill alone -----------------------------------------------------------------------------------------------------


def test_4000_usd_at_gpt_4o_are_727_273_requests_of_1000_and_300_tokens(real_facts):
    found = bill.volume(real_facts, Scenario(), today="openai/gpt-4o", usd_per_month=4_000)
    assert found.scenario.requests_per_month == 727_273
    assert (found.scenario.today, found.scenario.today_usd_per_month) == ("openai/gpt-4o", 4_000)
    assert found.steps[0].numbers == "(1000 × 2.5 + 300 × 10) / 1000000"
    assert found.steps[1].numbers == "4000 / 0.0055"
    comparison = costs.compare(real_facts, found.scenario)
    assert comparison.today.usd_per_month == 4_000


def test_every_api_in_the_list_turns_a_bill_into_requests_that_cost_that_bill(real_facts):
    assert len(bill.payable(real_facts)) > 30
    for today in proprietary_offers(real_facts.api_offers):
        found = bill.volume(real_facts, Scenario(cached_input_fraction=0.3), today=today, usd_per_month=1e6)
        again = replace(found.scenario, today_usd_per_month=None)
        assert bill.listed_usd_per_month(real_facts, again) == pytest.approx(1e6, rel=1e-3)


def test_a_bill_far_from_the_list_price_is_mentioned(real_facts):
    assert "costs $5,500 a month." in bill.bill_sentence(real_facts, Scenario())
    assert "110% of that." in bill.bill_sentence(real_facts, Scenario(today_usd_per_month=6_050))
    assert "Look whether the log" in bill.bill_sentence(real_facts, Scenario(today_usd_per_month=11_000))
    table = bill.preset_table(real_facts, Scenario(), today="openai/gpt-4o", usd_per_month=4_000)
    assert table.rows[0] == ("chat", 512, 256, 0.00384, round(4_000 / 0.00384))


def test_a_bill_for_requests_that_cost_next_to_nothing_is_a_sentence(real_facts):
    with pytest.raises(InputError, match="check the bill and the tokens"):
        bill.volume(real_facts, Scenario(input_tokens=1e-9, output_tokens=0), today="openai/gpt-4o",
                    usd_per_month=1)  # fmt: skip
