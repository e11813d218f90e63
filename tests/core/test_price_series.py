"""Rows of several lists as series: what is one offer, what only looks so, and what moved since a day."""

from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.core import moved_words as words
from llmcompare.core.moved import PLACES, moved
from llmcompare.core.price_series import api_seen, gpu_seen, likeness, list_name, series
from llmcompare.core.records import ApiOffer, GpuOffer
from llmcompare.services.moved import names

FEED = "github.com/a/feed: prices.csv @ abcdef1"
PAGE = "https://cloud.example/prices (stored copy)"


def gpu(day: str | None, usd: float, name: str = "H100 SXM", **cells: object) -> GpuOffer:
    row = {
        "provider": "alpha", "offer_name": name, "gpu_id": "h100", "gpu_count": 1, "billing": "on-demand",
        "region": "global", "usd_per_gpu_hour": usd, "as_of": day, "source": FEED,
    } | cells  # fmt: skip
    return GpuOffer(row_id=f"gpu_prices:{day}-{usd}-{name}-{row['provider']}-{row['gpu_id']}", **row)


def api(day: str | None, given: float, made: float, **cells: object) -> ApiOffer:
    row = {
        "provider": "alpha", "api_model_name": "m", "model_id": "m", "family": "qwen", "variant": "standard",
        "cached_input_usd_per_mtok": None, "context_tokens": None, "as_of": day, "source": FEED,
    } | cells  # fmt: skip
    return ApiOffer(input_usd_per_mtok=given, output_usd_per_mtok=made, row_id=f"api_prices:{day}-{given}", **row)


def prices(found) -> list[list[float]]:
    return [[point.usd[0] for point in one.points] for one in found]


# --- what is one offer ------------------------------------------------------------------------------------------------


def test_the_h100_of_runpod_is_one_offer_in_the_words_of_four_lists(real_facts):
    chosen = [
        one
        for one in series(gpu_seen(real_facts.gpu_price_history))
        if (one.last.provider, one.last.subject, one.last.terms) == ("runpod", "h100-sxm-80gb", "on-demand")
    ]
    (one,) = chosen
    assert [(point.as_of, point.usd[0]) for point in one.points] == [
        ("2026-08-19", 3.29), ("2026-10-07", 3.49), ("2026-10-10", 3.99), ("2026-11-09", 3.99),
    ]  # fmt: skip
    assert len({point.list_name for point in one.points}) == 4


def test_the_cheapest_of_a_list_is_never_compared_with_the_price_of_a_named_machine(real_facts):
    # Lambda: 3.99 in July is the eight-GPU machine by the GPU, 4.29 in September the single one. Nothing moved.
    chosen = [one for one in series(gpu_seen(real_facts.gpu_price_history)) if one.last.provider == "lambda"]
    h100 = [one for one in chosen if one.last.subject == "h100-sxm-80gb" and one.last.terms == "on-demand"]
    assert sorted(prices(h100)) == [[3.78, 4.29, 4.29], [3.99]]


def test_an_endpoint_and_a_machine_of_one_provider_are_two_offers(real_facts):
    chosen = [one for one in series(gpu_seen(real_facts.gpu_price_history)) if one.last.provider == "crusoe"]
    assert sorted(prices([one for one in chosen if one.last.subject == "h100-sxm-80gb"])) == [[3.9], [5.5]]


def test_names_that_were_listed_on_one_day_are_two_offers():
    rows = [gpu("2026-01-01", 1, "H100 SXM flex"), gpu("2026-01-01", 2, "H100 SXM active"),
            gpu("2026-02-01", 3, "H100 SXM flex")]  # fmt: skip
    assert sorted(prices(series(gpu_seen(rows)))) == [[1, 3], [2]]


@pytest.mark.parametrize(
    "change",
    [
        {"gpu_count": 8},
        {"billing": "spot"},
        {"region": "eu"},
        {"provider": "beta"},
        {"form_factor_stated": "no"},
        {"gpu_id": "h200"},
    ],
)
def test_other_terms_are_another_offer_whatever_its_name(change):
    assert len(series(gpu_seen([gpu("2026-01-01", 1), gpu("2026-02-01", 1, **change)]))) == 2


def test_medians_of_two_lists_are_of_two_choices_of_offers():
    rows = [gpu("2026-01-01", 1, "H100 median of 5 offers"),
            gpu("2026-02-01", 2, "H100 median of 5 offers", source=PAGE)]  # fmt: skip
    assert len(series(gpu_seen(rows))) == 2


def test_undated_rows_and_prices_of_ones_own_are_in_no_series():
    assert gpu_seen([gpu(None, 1), gpu("2026-01-01", 1, is_own=True)]) == []
    assert api_seen([api(None, 1, 2), api("2026-01-01", 1, 2, is_own=True)]) == []


@given(first=st.text(max_size=20), second=st.text(max_size=20))
def test_likeness_is_the_same_in_both_directions_and_one_for_the_same_words(first, second):
    assert 0 <= likeness(first, second) == likeness(second, first) <= 1
    assert likeness(f"gpu {first}", f"gpu {first}") == 1


def test_a_list_is_the_same_list_in_its_next_version():
    assert list_name("PyPI package genai-prices 0.2.3: data.py") == list_name("PyPI package genai-prices 0.3: data.py")
    assert list_name(PAGE) == "https://cloud.example/prices"
    assert list_name("github.com/a/feed: 2026-07.jsonl @ 1") == list_name("github.com/a/feed: 2026-10.jsonl @ 2")


# --- what moved -------------------------------------------------------------------------------------------------------

SINCE = date(2026, 8, 1)


def test_the_price_that_held_on_the_day_is_compared_with_the_newest():
    found = moved(gpu_seen([gpu("2026-06-01", 1.0), gpu("2026-07-01", 2.0), gpu("2026-09-01", 2.5)]), since=SINCE)
    (move,) = found.moves
    assert (move.usd_before, move.usd_after, move.change_usd) == (2.0, 2.5, 0.5)
    assert move.change_fraction == pytest.approx(0.25)
    assert (found.moved_count, found.read_again_count) == (1, 1)
    assert words.move_sentence(move, {"h100": "H100"}) == (
        "H100 at alpha (on-demand): $2.00 → $2.50 per GPU-hour, +25% (2026-07-01 to 2026-09-01)."
    )


def test_an_offer_that_was_first_read_after_the_day_is_compared_with_its_first_price():
    found = moved(gpu_seen([gpu("2026-08-19", 3.29), gpu("2026-10-07", 3.49), gpu("2026-11-09", 3.99)]), since=SINCE)
    (move,) = found.moves
    assert words.steps_text(move) == "$3.29 → $3.49 → $3.99"
    assert words.change_text(move.change_fraction) == "+21%"


def test_a_price_that_a_list_prints_with_fewer_digits_did_not_move():
    found = moved(gpu_seen([gpu("2026-07-01", 21.957642), gpu("2026-09-01", 21.9576)]), since=SINCE)
    assert (found.moves, len(found.unchanged)) == ((), 1)


def test_each_price_of_an_api_moves_by_itself():
    found = moved(api_seen([api("2026-07-01", 1.0, 2.0), api("2026-09-01", 1.0, 1.0)]), since=SINCE)
    (move,) = found.moves
    assert (move.unit, move.change_fraction, found.moved_count) == ("USD per million output tokens", -0.5, 1)


def test_an_offer_is_gone_only_if_its_list_was_read_again_without_it():
    old, other = gpu("2026-07-01", 1), gpu("2026-07-01", 1, gpu_id="h200")
    found = moved(gpu_seen([old, other]), since=SINCE)
    assert (len(found.gone), len(found.not_read_again)) == (0, 2)
    found = moved(gpu_seen([old, other, gpu("2026-09-01", 1, gpu_id="h200")]), since=SINCE)
    assert ([row.subject for row in found.gone], len(found.not_read_again)) == (["h100"], 0)


def test_an_offer_that_another_list_still_has_is_not_gone():
    rows = [gpu("2026-07-01", 1), gpu("2026-09-01", 1, gpu_id="h200"),
            gpu("2026-09-01", 4, "quite another name", source=PAGE)]  # fmt: skip
    found = moved(gpu_seen(rows), since=SINCE)
    assert (found.gone, len(found.not_read_again)) == ((), 1)


def test_an_offer_is_new_only_if_its_list_was_read_before_without_it():
    later = gpu("2026-09-01", 1)
    assert len(moved(gpu_seen([later]), since=SINCE).first_read) == 1
    found = moved(gpu_seen([later, gpu("2026-07-01", 1, gpu_id="h200")]), since=SINCE)
    assert [row.subject for row in found.new] == ["h100"]


def test_nothing_read_again_is_said_to_be_unknown_and_not_unchanged():
    found = moved(gpu_seen([gpu("2026-07-01", 1)]), since=SINCE)
    assert words.headline(found, "price") == (
        "No price was read again after 2026-08-01: whether one moved is not known."
    )


days = st.dates(date(2026, 1, 1), date(2026, 12, 31)).map(date.isoformat)
offers = st.builds(
    gpu,
    days,
    st.floats(0.05, 50),
    st.sampled_from(["H100", "H100 SXM secure", "Pods H100 SXM", "(cheapest listed)", "median of 3 offers"]),
    provider=st.sampled_from(["alpha", "beta"]),
    gpu_id=st.sampled_from(["h100", "h200"]),
    source=st.sampled_from([FEED, PAGE]),
)


@settings(max_examples=60)
@given(rows=st.lists(offers, max_size=25), since=st.dates(date(2025, 12, 31), date(2027, 1, 1)), seed=st.integers())
def test_every_offer_is_in_one_place_and_the_order_of_the_rows_does_not_matter(rows, since, seed):
    # The key of the table: one row of an offer, a day and a source.
    unique = list({(r.provider, r.offer_name, r.gpu_id, r.as_of): r for r in rows}.values())
    found = moved(gpu_seen(unique), since=since)
    assert found.moved_count + sum(len(getattr(found, place)) for place in PLACES) == len(series(gpu_seen(unique)))
    shuffled = unique[:]
    Random(seed).shuffle(shuffled)
    assert moved(gpu_seen(shuffled), since=since) == found
    for move in found.moves:
        assert move.usd_before * (1 + move.change_fraction) == pytest.approx(move.usd_after)
        assert move.before.as_of < move.after.as_of
        assert move.size == max(one.size for one in found.moves[found.moves.index(move) :])
    if since >= date(2026, 12, 31):
        assert found.read_again_count == 0
    if since < date(2026, 1, 1):
        assert not found.gone + found.new + found.not_read_again


@settings(max_examples=40)
@given(rows=st.lists(offers, max_size=15))
def test_reading_the_same_prices_again_moves_nothing(rows):
    unique = list({(r.provider, r.offer_name, r.gpu_id, r.as_of): r for r in rows}.values())
    newest = {}
    for row in sorted(unique, key=lambda r: r.as_of):
        newest[(row.provider, row.offer_name, row.gpu_id)] = row
    again = [gpu("2027-02-01", r.usd_per_gpu_hour, r.offer_name, provider=r.provider, gpu_id=r.gpu_id, source=r.source)
             for r in newest.values()]  # fmt: skip
    found = moved(gpu_seen([*newest.values(), *again]), since=date(2027, 1, 1))
    assert (found.moves, found.gone, found.new) == ((), (), ())


def test_the_real_moves_since_august_lead_to_their_rows(real_facts):
    found = moved(gpu_seen(real_facts.gpu_price_history), since=SINCE)
    rows = {row.row_id: row for row in real_facts.gpu_price_history}
    assert len(found.moves) >= 60
    for move in found.moves:
        assert rows[move.before.row_id].usd_per_gpu_hour == move.usd_before
        assert rows[move.after.row_id].usd_per_gpu_hour == move.usd_after
    said = " ".join(words.largest(found, names(real_facts), most=len(found.moves)))
    assert "H100 SXM5 80GB at runpod (on-demand): $3.29 → $3.49 → $3.99 per GPU-hour, +21%" in said
    assert "A10 24GB at lambda (on-demand): $0.86 → $1.29 per GPU-hour, +50%" in said
