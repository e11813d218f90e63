"""A scenario as a link and as flags."""

import shlex
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.records import RENTED_BILLINGS
from llmcompare.core.scenario import CHOICES, RANGES, Scenario, from_query
from llmcompare.errors import InputError

ids = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30)
volumes = st.floats(1e-3, 1e12)
counts = st.floats(0, 1e7)


def within(name):
    """Numbers that the field may hold."""
    kind = str(Scenario.__dataclass_fields__[name].type)
    low, high = RANGES[name]
    numbers = st.integers(int(low), int(high)) if "int" in kind else st.floats(low, high)
    return st.none() | numbers if "None" in kind else numbers


LATER = {name: within(name) for name in RANGES if name != "target_utilisation_fraction"} | {
    name: st.none() | ids
    for name in (
        "throughput_record",
        "gpu",
        "api_provider",
        "engine",
        "weight_format",
        "serverless_provider",
        "owned_gpu",
        "language",
        "tokens_of",
    )
}  # fmt: skip
profiles = st.lists(st.floats(0.01, 1e6), min_size=24, max_size=24).map(lambda rates: ",".join(map(str, rates)))


scenarios = st.builds(
    Scenario,
    model=ids,
    requests_per_month=volumes,
    input_tokens=st.floats(1, 1e7),
    output_tokens=counts,
    cached_input_fraction=st.floats(0, 1),
    thinking_tokens=counts,
    api_variant=ids,
    today=ids,
    billing=st.sampled_from(RENTED_BILLINGS),
    target_utilisation_fraction=st.floats(0.01, 1),
    traffic=st.sampled_from(CHOICES["traffic"]),
    hourly_profile=profiles,
    capacity_basis=st.sampled_from(CHOICES["capacity_basis"]),
    running=st.sampled_from(CHOICES["running"]),
    **LATER,
)


@given(scenario=scenarios)
def test_the_link_of_a_scenario_opens_that_very_scenario(scenario):
    assert from_query(scenario.query()) == scenario


@given(scenario=scenarios)
def test_the_flags_of_a_scenario_name_what_its_link_names(scenario):
    words = shlex.split(scenario.flags())
    names = [name.removeprefix("--").replace("-", "_") for name in words[::2]]
    assert dict(zip(names, words[1::2], strict=True)) == scenario.query()


def test_a_link_holds_model_and_workload_and_what_differs_from_the_defaults():
    assert set(Scenario().query()) == {"model", "requests_per_month", "input_tokens", "output_tokens"}
    assert Scenario(billing="spot").query()["billing"] == "spot"


def test_a_round_number_stays_readable_in_a_link():
    assert Scenario(requests_per_month=5_000_000.0, cached_input_fraction=0.3).query() == {
        "model": "llama-3.3-70b-instruct",
        "requests_per_month": "5000000",
        "input_tokens": "1000",
        "output_tokens": "300",
        "cached_input_fraction": "0.3",
    }


def test_names_that_no_scenario_has_are_ignored():
    assert from_query({"utm_source": "mail", "table": "gpus"}) == Scenario()


numbers = [field.name for field in fields(Scenario) if "float" in str(field.type) or "int" in str(field.type)]
JUNK = ["", "many", "1,5", "1e", "0x10", "--5", "1 2", "½", "None", "<b>"]


@pytest.mark.parametrize("name", numbers)
@pytest.mark.parametrize("text", JUNK)
def test_junk_in_a_link_is_refused_by_name_and_value(name, text):
    with pytest.raises(InputError) as refused:
        from_query({name: text})
    assert name in str(refused.value)
    assert repr(text) in str(refused.value)


MAY_SHRINK = "growth_fraction_per_month"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (name, text)
        for name in numbers
        for text in ("nan", "inf", "-inf", "-1", "1e999", "-1e-9")
        if (name, text) != (MAY_SHRINK, "-1e-9")
    ],
)
def test_numbers_that_no_field_can_hold_are_refused_by_name(name, text):
    with pytest.raises(InputError, match=name):
        from_query({name: text})


ZERO_MEANS_NONE = {"cached_input_fraction", "thinking_tokens", "input_tokens", "output_tokens"} | {
    name for name, (low, _) in RANGES.items() if low <= 0
}


@pytest.mark.parametrize("name", sorted(set(numbers) - ZERO_MEANS_NONE))
def test_zero_is_refused_where_there_must_be_something(name):
    with pytest.raises(InputError, match=f"{name} is 0"):
        from_query({name: "0"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gpus_per_replica", "1" + "0" * 400),
        ("gpus_per_replica", "9" * 5_000),
        ("target_utilisation_fraction", "1e-320"),
        ("own_output_tokens_per_s", "1e-320"),
        ("own_usd_per_gpu_hour", "1e308"),
    ],
)
def test_absurd_sizes_are_refused_by_name_before_they_overflow(name, text):
    with pytest.raises(InputError, match=name):
        from_query({name: text})


@pytest.mark.parametrize("billing", ["", "On-Demand", "serverless-per-second", "reserved"])
def test_a_billing_class_that_keeps_no_machine_is_refused_with_those_that_do(billing):
    with pytest.raises(InputError) as refused:
        from_query({"billing": billing})
    assert repr(billing) in str(refused.value)
    assert all(name in str(refused.value) for name in RENTED_BILLINGS)


@given(text=st.text(max_size=20), name=st.sampled_from([field.name for field in fields(Scenario)]))
def test_any_text_in_a_link_gives_a_scenario_or_a_refusal_that_names_the_field(text, name):
    scenario, refusal = opened({name: text})
    assert name in refusal if scenario is None else from_query(scenario.query()) == scenario


def opened(link: dict[str, str]) -> tuple[Scenario | None, str]:
    try:
        return from_query(link), ""
    except InputError as refused:
        return None, str(refused)


@pytest.mark.parametrize("name", CHOICES)
def test_a_word_that_a_field_does_not_know_is_refused_with_those_it_knows(name):
    with pytest.raises(InputError) as refused:
        from_query({name: "sometimes"})
    assert "'sometimes'" in str(refused.value)
    assert all(word in str(refused.value) for word in CHOICES[name])
