"""The same text with another model: a scenario whose tokens are counted with that model's tokenizer."""

from collections.abc import Iterable
from dataclasses import fields, replace

from llmcompare.core.scenario import CountedScenario, Counting, Scenario, UsedRow
from llmcompare.core.tokens import ratio
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services.catalogue import Facts


def for_model(facts: Facts, scenario: Scenario, model_name: str | None = None) -> Scenario:
    """The scenario for a model, the scenario's own by default, its workload in tokens of that model.

    Without a language tokens stay as typed. Raises UnknownIdError for a model or a language that is not known.
    """
    typed = scenario.as_typed
    asked = typed if model_name is None else replace(typed, model=model_name, tokens_of=typed.tokens_of or typed.model)
    if asked.language is None:
        return asked
    table, code = facts.token_table, language_code(facts, asked.language)
    model, typed_with = facts.model(asked.model), facts.model(asked.tokens_of or asked.model)
    if model.model_id == typed_with.model_id:
        return asked
    rate, missing = table.rate(model.model_id, code)
    other, other_missing = table.rate(typed_with.model_id, code)
    how = {"typed_with": typed_with.display_name, "language": table.languages[code]}
    if rate is None or other is None:
        unknown = Counting(
            factor=1, low_factor=1, high_factor=1, missing=missing or other_missing, rows=(), **how
        )  # fmt: skip
        return _with(asked, unknown)
    band = ratio(rate, other)
    known = (rate, other, table.of_model[model.model_id], table.of_model[typed_with.model_id])
    rows = tuple(dict.fromkeys(UsedRow.of(row) for row in known))
    return _with(
        asked,
        Counting(factor=band.mid, low_factor=band.low, high_factor=band.high, missing=None, rows=rows, **how),
    )


def for_models(facts: Facts, scenario: Scenario, model_ids: Iterable[str]) -> dict[str, Scenario]:
    """The same for several models, by id: the scenario itself where no language is named."""
    if scenario.language is None:
        return dict.fromkeys(model_ids, scenario)
    return {model_id: for_model(facts, scenario, model_id) for model_id in model_ids}


def same_text(facts: Facts, scenario: Scenario) -> tuple[str, ...]:
    """What several models are asked for, in a sentence; nothing where all are asked for the same tokens."""
    if scenario.language is None:
        return ()
    typed, language = scenario.as_typed, facts.token_table.languages[language_code(facts, scenario.language)]
    model = facts.model(typed.tokens_of or typed.model)
    return (
        f"Every model is asked for the same {language} text: {typed.input_tokens:,.0f} → {typed.output_tokens:,.0f} "
        f"tokens of {model.display_name}, in tokens of its own; one whose tokenizer is not known, for as many tokens.",
    )


def language_code(facts: Facts, language: str) -> str:
    """The code of a measured language that is given by code or name. Raises UnknownIdError."""
    code = facts.token_table.language_code(language)
    if code is None:
        known = facts.token_table.languages
        raise UnknownIdError("language", language, (*known, *known.values()))
    return code


def characters_per_token(facts: Facts, model_name: str, language: str) -> float | None:
    """Measured for a model's tokenizer in a language; None where it is not known. Raises UnknownIdError."""
    rate, _ = facts.token_table.rate(facts.model(model_name).model_id, language_code(facts, language))
    return None if rate is None else rate.characters / rate.tokens


def measured_characters_per_token(facts: Facts, model_name: str, language: str) -> float:
    """The same. Raises UnknownIdError, or InputError with the reason where it is not known."""
    found = characters_per_token(facts, model_name, language)
    if found is None:
        _, missing = facts.token_table.rate(facts.model(model_name).model_id, language_code(facts, language))
        raise InputError(f"{missing}: give characters_per_token.")
    return found


def _with(asked: Scenario, counting: Counting) -> CountedScenario:
    given = {field.name: getattr(asked, field.name) for field in fields(Scenario)}
    return CountedScenario(**given, counting=counting)
