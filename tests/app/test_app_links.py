"""A link opens the same question; what in it cannot be used is named, and the rest is used."""

import pytest

from llmcompare.core import words
from llmcompare.core.scenario import Scenario
from llmcompare.services import costs


def test_a_link_opens_the_question_it_was_copied_from(open_app, facts):
    asked = Scenario(
        model="qwen2.5-7b-instruct",
        requests_per_month=123_456,
        cached_input_fraction=0.35,
        thinking_tokens=40,
        target_utilisation_fraction=0.33,
        today="anthropic/claude-haiku-4-5",
        own_usd_per_gpu_hour=2.25,
    )
    app = open_app("decide/costs", **asked.query())
    assert app.warnings == ""
    assert words.headline(costs.compare(facts, asked)) in app.text


def test_an_alias_opens_the_model_it_stands_for(open_app, facts):
    alias, model_id = next((name, known) for name, known in facts.names.items() if name not in facts.models)
    app = open_app("decide/costs", model=alias)
    assert app.warnings == ""
    assert app.value("model") == model_id
    assert facts.models[model_id].display_name in app.text


UNUSABLE = [
    ("model", "no-such-model"),
    ("today", "openai/no-such-api"),
    ("gpu", "no-such-gpu"),
    ("gpu", "<script>alert(1)</script>"),
    ("throughput_record", "no-such-record"),
    ("api_variant", "no-such-variant"),
    ("billing", "weekly"),
    ("requests_per_month", "0"),
    ("requests_per_month", "-5"),
    ("requests_per_month", "nan"),
    ("requests_per_month", "1e999"),
    ("requests_per_month", "lots"),
    ("requests_per_month", ""),
    ("input_tokens", "-1"),
    ("output_tokens", "three"),
    ("thinking_tokens", "-200"),
    ("cached_input_fraction", "1.5"),
    ("cached_input_fraction", "-0.1"),
    ("target_utilisation_fraction", "0"),
    ("target_utilisation_fraction", "7"),
    ("own_usd_per_gpu_hour", "0"),
    ("own_output_tokens_per_s", "-3"),
    ("today_usd_per_month", "-1"),
    ("gpus_per_replica", "0"),
    ("gpus_per_replica", "1.5"),
]


@pytest.mark.parametrize(("name", "value"), UNUSABLE)
def test_a_warning_names_the_parameter_and_the_value_that_cannot_be_used(open_app, facts, name, value):
    rest = {"model": "qwen2.5-7b-instruct"} if name != "model" else {"input_tokens": "2000"}
    app = open_app(**{name: value}, **rest)
    assert app.tracebacks == []
    assert name in app.warnings
    assert said(value) in app.warnings
    expected = Scenario(**{key: float(text) if text.isdigit() else text for key, text in rest.items()})
    assert words.headline(costs.compare(facts, expected)) in app.text


def said(value: str) -> str:
    """How a sentence writes the value: a number in six digits, anything else as it came."""
    try:
        return f"{float(value):g}"
    except ValueError:
        return value


def of_another_model(facts):
    return next(row.record_id for row in facts.capacities["llama-3.3-70b-instruct"])


def without_offer(facts):
    return next(gpu_id for gpu_id in facts.gpus if gpu_id not in {offer.gpu_id for offer in facts.gpu_offers})


NOT_TAKEN = {
    "a fraction of a request": lambda facts: ("requests_per_month", "1.5"),
    "more requests than the input takes": lambda facts: ("requests_per_month", "1e13"),
    "more tokens than the input takes": lambda facts: ("input_tokens", "20000000"),
    "a share under the slider's least": lambda facts: ("target_utilisation_fraction", "0.01"),
    "more GPUs than the input takes": lambda facts: ("gpus_per_replica", "2000"),
    "a price under the input's least": lambda facts: ("own_usd_per_gpu_hour", "0.0001"),
    "a bill under the input's least": lambda facts: ("today_usd_per_month", "0.001"),
    "a measurement of another model": lambda facts: ("throughput_record", of_another_model(facts)),
    "a GPU that nobody offers": lambda facts: ("gpu", without_offer(facts)),
    "a variant that this model is not sold as": lambda facts: ("api_variant", "turbo"),
    "a quality measure that does not exist": lambda facts: ("quality", "no-such-measure"),
    "a table that does not exist": lambda facts: ("table", "no_such_table"),
}


@pytest.mark.parametrize("case", NOT_TAKEN)
def test_a_value_that_no_input_takes_is_named_not_dropped_in_silence(open_app, facts, case):
    name, value = NOT_TAKEN[case](facts)
    page = "share/data" if name == "table" else "decide/overview"
    app = open_app(page, model="qwen3-8b", **{name: value})
    assert app.tracebacks == []
    if str(app.value(name)) != value:
        assert name in app.warnings
        assert said(value) in app.warnings


def test_several_mistakes_are_all_named(open_app):
    app = open_app("decide/costs", model="nope", input_tokens="-1", billing="weekly", output_tokens="77")
    for part in ["model", "nope", "input_tokens", "-1", "billing", "weekly"]:
        assert part in app.warnings
    assert app.value("output_tokens") == 77


def test_a_warning_of_the_link_goes_when_the_input_is_set(open_app):
    app = open_app("decide/costs", model="nope")
    assert "nope" in app.warnings
    assert "nope" not in app.set("model", "qwen3-8b").warnings


def test_a_parameter_of_somebody_else_is_ignored(open_app):
    app = open_app("decide/costs", utm_source="mail")
    assert app.tracebacks == []
    assert app.warnings == ""


@pytest.mark.parametrize("given", ["zh", "Chinese"])
@pytest.mark.parametrize("page", ["decide/costs", "decide/overview"])
def test_a_language_is_taken_from_a_link_by_its_code_or_its_name(open_app, facts, page, given):
    asked = Scenario(model="qwen3-32b", language="zh", tokens_of="llama-3.3-70b-instruct")
    app = open_app(page, **(asked.query() | {"language": given}))
    assert app.warnings == ""
    assert app.value("language") == "Chinese"
    assert words.workload_text(costs.compare(facts, asked)) in app.text
    assert "the Chinese text of 1,000 → 300 tokens of Llama 3.3 70B" in app.text


def test_a_language_that_was_not_measured_is_named(open_app):
    app = open_app("decide/costs", language="Klingon")
    assert "Klingon" in app.warnings
    assert app.tracebacks == []
