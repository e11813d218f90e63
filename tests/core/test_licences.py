"""Licence texts against needs: what the real texts say, and laws that hold for every text and need."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.licences import STATES, LicenceNeed, LicenceVerdict, verdict
from llmcompare.core.published import Licence
from llmcompare.core.records import Model

MODEL = Model(
    model_id="m", family="llama", generation="M", display_name="Model M", params_total_billion=8.0, released_on=None,
    license_id="l", context_native_tokens=None, context_extended_tokens=None, modalities="text", row_id="models:1",
    as_of=None, source="them",
)  # fmt: skip
PICTURES = replace(MODEL, modalities="text+image")
OPEN = Licence(
    license_id="l", name="Open", text_read="yes", weights_published="yes", commercial_use="yes",
    redistribution="yes", giving_away="yes", modification="yes", changing="yes", may_train_other_models="yes",
    training_others="yes", training_condition_binds=None, monthly_active_user_cap="none", user_cap_count=None,
    user_cap_counted=None, revenue_cap_usd_per_month=None, separate_licence_for="none", attribution_required="a file",
    visible_notice="none", notice_above_users_count=None, notice_above_usd_per_month=None, field_of_use_limits="none",
    excluded_fields="none", eu_excluded="none", url="https://l.example", row_id="licenses:1", as_of=None,
    source="the text",
)  # fmt: skip
PRODUCT = LicenceNeed(commercial_use=True)
TRAINS = LicenceNeed(commercial_use=True, monthly_active_users=10e6, trains_other_models=True)


def state(licence: Licence | None, need: LicenceNeed, model: Model = MODEL) -> str:
    return verdict(licence, need, model).state


def subjects(found: LicenceVerdict) -> list[str]:
    return [clause.subject for clause in found.deciding]


def test_an_open_licence_allows_everything_that_can_be_asked():
    everything = LicenceNeed(
        commercial_use=True, monthly_active_users=5e9, revenue_usd_per_month=1e11, trains_other_models=True,
        accepts_attribution=False, changes_weights=True, gives_weights_away=True, sells_model_access=True,
        based_in_eu=True, fields=frozenset({"military"}),
    )  # fmt: skip
    found = verdict(OPEN, everything, PICTURES)
    assert (found.state, found.is_usable, found.url) == ("allowed", True, "https://l.example")
    assert {clause.subject for clause in found.clauses} >= {"users", "training other models", "European Union"}


def test_a_model_without_a_licence_is_unknown_and_not_usable():
    found = verdict(None, LicenceNeed(), MODEL)
    assert (found.state, found.is_usable, found.url) == ("unknown", False, None)
    assert found.reason == "The licence of Model M was not read."


@pytest.mark.parametrize(
    ("cells", "need", "expected"),
    [
        ({"commercial_use": None}, LicenceNeed(), "unknown"),
        ({"commercial_use": "no"}, LicenceNeed(), "conditional"),
        ({"commercial_use": "no"}, PRODUCT, "forbidden"),
        ({"training_others": None, "may_train_other_models": None}, TRAINS, "unknown"),
        ({"training_others": None, "may_train_other_models": None}, PRODUCT, "allowed"),
        ({"monthly_active_user_cap": None}, PRODUCT, "unknown"),
        ({"eu_excluded": None}, PRODUCT, "allowed"),
        ({"eu_excluded": None}, LicenceNeed(based_in_eu=True), "unknown"),
        ({"excluded_fields": None}, LicenceNeed(fields=frozenset({"military"})), "unknown"),
        ({"excluded_fields": "military;nuclear"}, LicenceNeed(fields=frozenset({"military"})), "forbidden"),
        ({"excluded_fields": "nuclear"}, LicenceNeed(fields=frozenset({"military"})), "allowed"),
        ({"changing": None}, LicenceNeed(changes_weights=True), "unknown"),
        ({"changing": "no"}, LicenceNeed(changes_weights=True), "forbidden"),
        ({"giving_away": "conditional"}, LicenceNeed(gives_weights_away=True), "conditional"),
        ({"weights_published": "no"}, LicenceNeed(), "forbidden"),
        ({"weights_published": "no"}, LicenceNeed(runs_weights=False), "allowed"),
        ({"text_read": "no"}, LicenceNeed(), "unknown"),
        ({"text_read": None}, LicenceNeed(), "unknown"),
        ({"text_read": "partly"}, LicenceNeed(), "conditional"),
        ({"separate_licence_for": "selling"}, PRODUCT, "conditional"),
        ({"separate_licence_for": "selling"}, replace(PRODUCT, sells_model_access=True), "forbidden"),
    ],
)
def test_one_cell_decides_the_state(cells, need, expected):
    assert state(replace(OPEN, **cells), need) == expected


def test_a_cap_of_users_binds_above_it_and_is_a_condition_where_nobody_says_how_many():
    capped = replace(OPEN, monthly_active_user_cap="100 million", user_cap_count=100_000_000)
    users = {None: "conditional", 1e6: "allowed", 1e8: "allowed", 100_000_001: "forbidden"}
    assert {n: state(capped, LicenceNeed(monthly_active_users=n)) for n in users} == users


def test_a_cap_on_the_release_date_says_that_the_users_were_taken_to_be_those_of_that_day():
    capped = replace(
        OPEN, monthly_active_user_cap="700 million", user_cap_count=700_000_000, user_cap_counted="release date"
    )
    found = verdict(capped, LicenceNeed(monthly_active_users=1e9), MODEL)
    assert found.reason == "1B users (taken to be those of that day) are too many: up to 700 million."


def test_a_cap_of_revenue_is_a_condition_until_the_revenue_is_known():
    capped = replace(OPEN, revenue_cap_usd_per_month=20e6)
    revenues = {None: "conditional", 20e6: "allowed", 21e6: "forbidden"}
    assert {usd: state(capped, LicenceNeed(revenue_usd_per_month=usd)) for usd in revenues} == revenues


def test_a_condition_on_trained_models_falls_away_where_they_are_not_offered_and_bars_where_no_name_is_shown():
    named = replace(
        OPEN, training_others="conditional", training_condition_binds="offered", may_train_other_models="conditional: X"
    )
    assert state(named, TRAINS) == "conditional"
    assert state(named, replace(TRAINS, offers_trained_models=False)) == "allowed"
    assert state(named, replace(TRAINS, accepts_attribution=False)) == "forbidden"
    always = replace(named, training_condition_binds="always")
    assert state(always, replace(TRAINS, offers_trained_models=False)) == "conditional"


def test_a_visible_notice_binds_products_and_bars_who_will_not_show_it():
    marked = replace(OPEN, visible_notice="always")
    assert state(marked, LicenceNeed()) == "allowed"
    assert state(marked, PRODUCT) == "conditional"
    assert state(marked, replace(PRODUCT, accepts_attribution=False)) == "forbidden"


def test_a_notice_above_a_size_is_not_asked_of_small_products_whose_figures_are_known():
    sized = replace(
        OPEN, visible_notice="above a size", notice_above_users_count=100_000_000, notice_above_usd_per_month=20e6
    )
    silent = replace(PRODUCT, accepts_attribution=False)
    small = replace(silent, monthly_active_users=1e6, revenue_usd_per_month=1e6)
    assert state(sized, small) == "allowed"
    assert state(sized, replace(small, revenue_usd_per_month=None)) == "conditional"
    assert state(sized, replace(small, revenue_usd_per_month=3e7)) == "forbidden"
    assert state(sized, replace(small, monthly_active_users=2e8)) == "forbidden"


def test_the_european_union_is_excluded_from_models_that_take_pictures_alone():
    barred = replace(OPEN, eu_excluded="multimodal")
    there = LicenceNeed(based_in_eu=True)
    assert [state(barred, there, model) for model in (MODEL, PICTURES, replace(MODEL, modalities=None))] == [
        "allowed", "forbidden", "unknown",
    ]  # fmt: skip
    assert state(replace(OPEN, eu_excluded="all"), there) == "forbidden"


def test_a_ban_counts_more_than_what_was_not_read_and_that_more_than_a_condition():
    partly = replace(OPEN, text_read="partly")
    assert state(partly, TRAINS) == "conditional"
    unread = replace(partly, training_others=None, may_train_other_models=None)
    assert state(unread, TRAINS) == "unknown"
    assert subjects(verdict(replace(unread, commercial_use="no"), TRAINS, MODEL)) == ["commercial use"]


# --- laws -------------------------------------------------------------------------------------------------------------

ANSWERS = st.sampled_from([None, "yes", "conditional", "no"])
COUNTS = st.none() | st.integers(1_000, 10**10)


@st.composite
def licences(draw: st.DrawFn) -> Licence:
    training = draw(ANSWERS)
    cap = draw(COUNTS)
    size = draw(st.none() | st.integers(1_000, 10**10))
    return replace(
        OPEN,
        text_read=draw(st.sampled_from(["yes", "partly", "no", None])),
        weights_published=draw(st.sampled_from(["yes", "no"])),
        commercial_use=draw(ANSWERS),
        giving_away=draw(ANSWERS),
        changing=draw(ANSWERS),
        training_others=training,
        may_train_other_models=training and f"{training}: some words",
        training_condition_binds=draw(st.sampled_from(["always", "offered"])) if training == "conditional" else None,
        monthly_active_user_cap="so many" if cap else draw(st.sampled_from(["none", None])),
        user_cap_count=cap,
        revenue_cap_usd_per_month=draw(st.none() | st.floats(1e3, 1e12)),
        separate_licence_for=draw(st.sampled_from([None, "none", "selling"])),
        visible_notice="above a size" if size else draw(st.sampled_from([None, "none", "always"])),
        notice_above_users_count=size,
        eu_excluded=draw(st.sampled_from([None, "none", "multimodal", "all"])),
        excluded_fields=draw(st.sampled_from([None, "none", "military", "military;nuclear"])),
    )


FLAGS = (
    "commercial_use", "trains_other_models", "changes_weights", "gives_weights_away", "sells_model_access",
    "based_in_eu", "runs_weights", "offers_trained_models",
)  # fmt: skip
NEEDS = st.builds(
    LicenceNeed,
    **{name: st.booleans() for name in (*FLAGS, "accepts_attribution")},
    monthly_active_users=st.none() | st.floats(0, 1e10),
    revenue_usd_per_month=st.none() | st.floats(0, 1e12),
    fields=st.frozensets(st.sampled_from(["military", "nuclear", "espionage"])),
)
MODELS = st.sampled_from([MODEL, PICTURES, replace(MODEL, modalities=None)])


@st.composite
def stricter(draw: st.DrawFn, need: LicenceNeed) -> LicenceNeed:
    """The same need with one thing more asked."""
    change = draw(st.sampled_from([*FLAGS, "accepts_attribution", "users", "revenue", "fields"]))
    if change == "users" and need.monthly_active_users is not None:
        return replace(need, monthly_active_users=need.monthly_active_users + draw(st.floats(0, 1e10)))
    if change == "revenue" and need.revenue_usd_per_month is not None:
        return replace(need, revenue_usd_per_month=need.revenue_usd_per_month + draw(st.floats(0, 1e12)))
    if change == "fields":
        return replace(need, fields=need.fields | {draw(st.sampled_from(["military", "nuclear", "espionage"]))})
    if change == "accepts_attribution":
        return replace(need, accepts_attribution=False)
    return replace(need, **{change: True}) if change in FLAGS else need


@given(licence=licences(), need=NEEDS, model=MODELS, data=st.data())
def test_a_stricter_need_never_lets_a_model_in(licence, need, model, data):
    harder = data.draw(stricter(need))
    before, after = verdict(licence, need, model), verdict(licence, harder, model)
    assert STATES.index(after.state) >= STATES.index(before.state)


@given(licence=licences(), need=NEEDS, model=MODELS)
def test_a_text_that_was_not_read_is_never_usable_and_one_read_in_part_never_plainly_allowed(licence, need, model):
    assert not verdict(replace(licence, text_read=None), need, model).is_usable
    assert verdict(replace(licence, text_read="partly"), need, model).state != "allowed"


@given(licence=licences(), need=NEEDS, model=MODELS)
def test_every_verdict_has_a_clause_that_makes_it_and_says_why(licence, need, model):
    found = verdict(licence, need, model)
    assert found.deciding
    assert all(clause.text and clause.text[0].islower() or clause.text[0].isdigit() for clause in found.deciding)
    assert found.reason.endswith(".")
