"""A price list against the catalogue: what is new, changed, gone, confirmed, known or held back."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from llmcompare.core import refresh_words as words
from llmcompare.core.refresh import Known, Quote, compared, held_back

LIST = "PyPI package prices 2.0: data.py"
OLD = "PyPI package prices 1.0: data.py"


def quote(name: str = "m", given_usd: float = 1.0, made_usd: float = 2.0, *, provider: str = "alpha", **cells) -> Quote:
    asked = {"thing": "m", "as_of": "2026-11-20"} | cells
    return Quote(kind="api", offer=(provider, name), usd=(given_usd, made_usd), cells={"x": name}, **asked)


def row(name: str = "m", given_usd: float = 1.0, made_usd: float = 2.0, *, provider: str = "alpha", **cells) -> Known:
    asked = {"thing": "m", "as_of": "2026-11-10", "source": OLD, "row_id": f"api_prices:{provider}-{name}"} | cells
    return Known(kind="api", offer=(provider, name), usd=(given_usd, made_usd), **asked)


def against(quotes, rows):
    return compared(quotes, rows, list_source=LIST, listed={one.offer for one in quotes})


def states(found):
    return {one.quote.offer[1]: one.state for one in found.findings}


def test_every_state_has_its_reason():
    quotes = [quote("same"), quote("dearer", 1.5), quote("new"), quote("seen", as_of="2026-11-10"), quote("wild", 9.0)]
    rows = [row("same"), row("dearer"), row("seen", 4.0), row("wild"), row("left")]
    found = against(quotes, rows)
    assert states(found) == {
        "same": "confirmed", "dearer": "changed", "new": "new", "seen": "known", "wild": "held",
    }  # fmt: skip
    assert [one.offer for one in found.gone] == [("alpha", "left")]
    assert {one.quote.offer[1] for one in found.to_save} == {"same", "dearer", "new"}


def test_an_offer_of_another_list_is_not_gone_and_neither_is_one_that_is_listed_without_a_price():
    rows = [row("theirs", source="https://other.example"), row("hourly"), row("left")]
    found = compared([], rows, list_source=LIST, listed={("alpha", "hourly")})
    assert [one.offer[1] for one in found.gone] == ["left"]


def test_an_undated_row_is_older_than_any_reading():
    assert states(against([quote()], [row(as_of=None)])) == {"m": "confirmed"}


def test_a_new_offer_is_held_against_one_price_of_each_other_provider():
    rows = [row(f"{provider}-{n}", provider=provider) for provider in ("a", "b", "c") for n in range(3)]
    found = against([quote("far", 25.0, 50.0, provider="d")], rows)
    (one,) = found.findings
    assert one.state == "held"
    assert all("the median of 3 other providers" in doubt for doubt in one.doubts)
    (near,) = against([quote("near", provider="d")], rows).findings
    assert (near.state, near.is_compared) == ("new", True)
    (alone,) = against([quote("alone", provider="d", thing="another")], rows).findings
    assert (alone.state, alone.is_compared) == ("new", False)


def test_rows_of_the_same_provider_are_no_other_providers():
    rows = [row(f"n{number}", 100.0, 200.0) for number in range(5)]
    (one,) = against([quote("m")], rows).findings
    assert (one.state, one.is_compared) == ("new", False)


def test_a_rule_of_the_table_holds_a_price_back_with_its_reason():
    found = against([quote("good"), quote("bad")], [])
    checked = held_back(found, lambda candidates: {
        place: ["too small"] for place, one in enumerate(candidates) if one.quote.offer[1] == "bad"
    })  # fmt: skip
    assert states(checked) == {"good": "new", "bad": "held"}
    assert checked.of("held")[0].doubts == ("too small",)


def test_the_words_show_old_and_new_prices_the_largest_change_first_and_every_doubt():
    quotes = [quote("a", 1.1, 2.0), quote("b", 1.0, 4.0), quote("wild", 1e-6, 2e-6)]
    found = against(quotes, [row("a"), row("b"), row("wild"), row("left")])
    said = list(words.lines(found))
    assert said[0] == (
        "changed: alpha · b: $1.00 / $2.00 per million tokens (2026-11-10) → $1.00 / $4.00 per million tokens, "
        "the same / +100%"
    )
    assert said[1].startswith("changed: alpha · a: ")
    assert said[2] == "gone: alpha · left: $1.00 / $2.00 per million tokens (2026-11-10)"
    assert said[3].startswith("held back: alpha · wild: ")
    assert said[3].count("it reads like USD per token") == 2
    assert words.summary(found) == "3 prices read: 2 changed, 1 not listed any more, 1 held back as doubtful."


prices = st.floats(0.001, 100)
names = st.sampled_from("abcdef")
quotes = st.lists(
    st.builds(quote, names, prices, prices, provider=st.sampled_from(["alpha", "beta"])),
    max_size=8,
    unique_by=lambda one: one.offer,
)
rows = st.lists(
    st.builds(row, names, prices, prices, provider=st.sampled_from(["alpha", "beta", "gamma", "delta"]),
              as_of=st.sampled_from([None, "2026-11", "2026-11-10", "2026-11-20", "2026-11-21"])),
    max_size=12,
    unique_by=lambda one: one.offer,
)  # fmt: skip


@settings(max_examples=150)
@given(quotes=quotes, rows=rows)
def test_what_passes_is_never_changed_and_every_quote_has_one_state(quotes, rows):
    found = against(quotes, rows)
    assert sorted(one.quote.offer for one in found.findings) == sorted(one.offer for one in quotes)
    for one in found.findings:
        # The very quote that was read, and not a copy that somebody could have corrected.
        assert any(one.quote is read for read in quotes)
        assert bool(one.doubts) == (one.state == "held")
    assert all(one.state != "held" for one in found.to_save)


@settings(max_examples=100)
@given(quotes=quotes, rows=rows)
def test_a_list_that_was_saved_adds_nothing_the_second_time(quotes, rows):
    first = against(quotes, rows)
    saved = {one.quote.offer: one.quote for one in first.to_save}
    kept = [one for one in rows if one.offer not in saved]
    kept += [
        replace(row(offer[1], *saved[offer].usd, provider=offer[0]), as_of=saved[offer].as_of, source=LIST)
        for offer in saved
    ]
    again = against(quotes, kept)
    assert {one.state for one in again.findings if one.quote.offer in saved} <= {"known"}
    assert {one.quote.offer for one in again.to_save} <= {one.quote.offer for one in first.of("held")}
