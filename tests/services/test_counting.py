"""The same text with another model: what costs are then, and that nothing changes where no language is named."""

from dataclasses import replace

import pytest

from llmcompare.core import stack, two_options, ways, words
from llmcompare.core.cost import api_usd_per_request
from llmcompare.core.options import token_prices
from llmcompare.core.scenario import Scenario, from_query
from llmcompare.errors import UnknownIdError
from llmcompare.services import actuals, books, breakeven, costs, overview, sweep
from llmcompare.services.counting import characters_per_token, for_model, for_models, same_text

LLAMA, QWEN, MISTRAL = "llama-3.3-70b-instruct", "qwen3-32b", "mistral-small-3.2-24b-instruct-2506"
CHINESE = Scenario(model=QWEN, language="zh", tokens_of=LLAMA)


def rate(facts, name, code):
    return facts.token_table.rates[name, code]


def test_without_a_language_every_figure_stays_as_it_was(real_facts):
    for scenario in (Scenario(), Scenario(model=QWEN), Scenario(model=QWEN, tokens_of=LLAMA)):
        assert for_model(real_facts, scenario) == scenario
        assert for_model(real_facts, scenario).workload == scenario.workload
    before = costs.compare(real_facts, Scenario(model=QWEN))
    after = costs.compare(real_facts, Scenario(model=QWEN, tokens_of=LLAMA))
    assert (before.api, before.rented, before.today) == (after.api, after.rented, after.today)


def test_tokens_of_the_chosen_model_itself_are_taken_as_typed(real_facts):
    for scenario in (Scenario(model=QWEN, language="zh"), Scenario(model=QWEN, language="zh", tokens_of=QWEN)):
        assert for_model(real_facts, scenario) == scenario


def test_the_same_chinese_text_is_as_many_tokens_as_the_two_tokenizers_were_measured_to_make(real_facts):
    counted = for_model(real_facts, CHINESE)
    factor = rate(real_facts, "qwen", "zh").tokens / rate(real_facts, "llama-3", "zh").tokens
    assert factor < 0.8
    assert counted.workload.input_tokens == pytest.approx(1_000 * factor)
    assert counted.workload.output_tokens == pytest.approx(300 * factor)
    assert counted.counting.low_factor < factor < counted.counting.high_factor
    assert counted.as_typed == CHINESE


def test_models_with_one_tokenizer_count_alike(real_facts):
    counted = for_model(real_facts, Scenario(model="llama-3.1-8b-instruct", language="th", tokens_of=LLAMA))
    assert counted.workload == Scenario().workload
    assert (counted.counting.low_factor, counted.counting.factor, counted.counting.high_factor) == (1, 1, 1)


def test_an_api_is_paid_for_the_tokens_of_the_model(real_facts):
    typed, counted = (costs.compare(real_facts, one) for one in (replace(CHINESE, language=None), CHINESE))
    factor = counted.scenario.counting.factor
    assert counted.api.usd_per_month.mid == pytest.approx(factor * typed.api.usd_per_month.mid)
    assert counted.rented.usd_per_month.mid <= typed.rented.usd_per_month.mid


def test_todays_api_is_paid_for_the_tokens_as_typed(real_facts):
    for model in (LLAMA, QWEN, MISTRAL):
        found = costs.compare(real_facts, replace(CHINESE, model=model))
        assert found.today.usd_per_month == costs.compare(real_facts, Scenario()).today.usd_per_month


def test_the_assumption_says_what_a_token_is_and_the_rows_stand_among_the_sources(real_facts):
    found = costs.compare(real_facts, CHINESE)
    (tokens,) = (one for one in words.assumptions(found) if one.name == "tokens")
    assert tokens.value.startswith(f"{found.scenario.counting.factor:.3g} for each token of Llama 3.3 70B")
    assert "one legal text in Chinese" in tokens.meaning
    used = {row.row_id for row in found.rows_used}
    assert {rate(real_facts, name, "zh").row_id for name in ("qwen", "llama-3")} <= used
    assert "the Chinese text of 1,000 → 300 tokens of Llama 3.3 70B" in words.workload_text(found)


def test_a_tokenizer_that_nobody_named_counts_as_typed_and_says_so(real_facts):
    found = costs.compare(real_facts, replace(CHINESE, model="mistral-small-4"))
    assert found.workload == Scenario().workload
    (tokens,) = (one for one in words.assumptions(found) if one.name == "tokens")
    assert tokens.value == "as typed"
    assert "no source was read that says which tokenizer mistral-small-4 has" in tokens.meaning


def test_the_link_and_the_flags_of_a_counted_scenario_are_those_of_the_typed_one(real_facts):
    counted = for_model(real_facts, CHINESE)
    assert counted.query() == CHINESE.query()
    assert from_query(counted.query()) == CHINESE
    assert for_model(real_facts, counted) == counted


def test_a_question_that_is_changed_afterwards_stays_in_tokens_of_the_model(real_facts):
    counted = for_model(real_facts, CHINESE)
    twice = replace(counted, input_tokens=2_000)
    assert twice.workload.input_tokens == pytest.approx(2 * counted.workload.input_tokens)


@pytest.mark.parametrize(("fields", "kind"), [({"language": "xx"}, "language"), ({"tokens_of": "nobody"}, "model")])
def test_an_unknown_language_or_model_is_refused_with_its_name(real_facts, fields, kind):
    with pytest.raises(UnknownIdError, match=f"{kind} '(xx|nobody)'"):
        costs.compare(real_facts, replace(CHINESE, **fields))


def test_quality_against_cost_asks_every_model_for_the_same_text(real_facts):
    cell = next(iter(overview.score_cells(real_facts).values()))
    plain = overview.quality_against_cost(real_facts, Scenario(), cell)
    thai = overview.quality_against_cost(real_facts, Scenario(language="th"), cell)
    usd = {point.model.model_id: point.usd_per_month.mid for point in plain.points}
    changed = 0
    for point in thai.points:
        counted = for_model(real_facts, Scenario(language="th"), point.model.model_id)
        factor = counted.workload.input_tokens / 1_000
        assert point.usd_per_month.mid == pytest.approx(factor * usd[point.model.model_id])
        changed += factor != 1
    assert changed > 3


MODELS = (LLAMA, QWEN, MISTRAL, "qwen3-8b")


def test_a_sweep_asks_every_model_for_the_same_text(real_facts):
    asked = Scenario(model=LLAMA, language="th")
    found = sweep.sweep(real_facts, asked, MODELS)
    counted = for_models(real_facts, asked, MODELS)
    assert len({one.workload.input_tokens for one in counted.values()}) == 3
    for offer, usd in found.api:
        one = api_usd_per_request(token_prices(offer), counted[offer.model_id].workload)
        assert usd == pytest.approx(one * asked.requests_per_month)
    for name in MODELS:
        # A sweep over one model whose tokens were typed in directly must say the same.
        workload = counted[name].workload
        alone = sweep.sweep(
            real_facts,
            Scenario(
                model=name, input_tokens=round(workload.input_tokens), output_tokens=round(workload.output_tokens)
            ),
            [name],
        )
        ours = [float(usd) for usd, at in zip(found.mid, found.model, strict=True) if found.found.model_ids[at] == name]
        assert sorted(ours) == pytest.approx(sorted(alone.mid.tolist()), rel=0.01)


def test_a_sweep_without_a_language_is_the_one_it_was(real_facts):
    plain, typed = (sweep.sweep(real_facts, Scenario(tokens_of=name), MODELS) for name in (None, QWEN))
    assert plain.mid.tolist() == typed.mid.tolist()
    assert plain.api == typed.api


def test_characters_of_a_log_are_as_many_tokens_as_was_measured(real_facts):
    measured = rate(real_facts, "llama-3", "de")
    assert characters_per_token(real_facts, LLAMA, "de") == measured.characters / measured.tokens
    assert characters_per_token(real_facts, "mistral-small-4", "de") is None


def test_the_command_takes_characters_as_measured(command, tmp_path, real_facts):
    log = tmp_path / "log.csv"
    log.write_text(
        "time,input_characters,output_characters\n2026-11-01T10:00:00Z,4000,400\n2026-11-02T10:00:00Z,4000,400\n"
    )
    ran = command("workload", log, "--language", "zh", "--model", QWEN, "--json")
    assert ran.exit_code == 0, ran.err
    assert f'"characters_per_token": {characters_per_token(real_facts, QWEN, "zh")!r}' in ran.out
    ran = command("workload", log, "--language", "zh", "--model", "mistral-small-4")
    assert ran.exit_code == 2
    assert "no source was read that says which tokenizer mistral-small-4 has" in ran.err


def test_the_command_counts_the_same_text(command, real_facts):
    ran = command("costs", "--model", QWEN, "--language", "zh", "--tokens-of", LLAMA)
    assert ran.exit_code == 0, ran.err
    assert "for each token of Llama 3.3 70B" in ran.out


def test_the_parts_of_every_option_are_those_of_its_own_tokens(real_facts):
    found = costs.compare(real_facts, CHINESE)
    parts = {key: {part.name: part.usd_per_month for part in listed} for key, _, listed in stack.stacks(found)}
    assert set(parts["api"]) == set(parts["today"]) == {"input", "output"}
    assert sum(parts["today"].values()) == pytest.approx(found.today.usd_per_month)


def test_turning_an_input_starts_from_the_counted_figures(real_facts):
    found = breakeven.breakeven(real_facts, costs.compare(real_facts, CHINESE), "api", "today", spread_fraction=0.25)
    assert found.comparison.workload.input_tokens < 1_000
    numbers = [step for _, steps in two_options.arithmetic(found.pair) for step in steps]
    for step in numbers:
        if step.unit == "USD per request" and set(step.numbers) <= set("0123456789.,()+/× "):
            assert eval(step.numbers.replace("×", "*").replace(",", "")) == pytest.approx(step.result, rel=1e-3)  # noqa: S307


@pytest.mark.parametrize("input_tokens", [1_000, 1_500])
def test_a_way_that_follows_its_inputs_ends_where_a_new_comparison_does(real_facts, input_tokens):
    start, moved = CHINESE, replace(CHINESE, input_tokens=input_tokens)
    first, second = (costs.compare(real_facts, one) for one in (start, moved))
    book = books.book(real_facts, QWEN)
    scenario, changed = first.scenario, second.scenario
    api = ways.api_way(book, scenario, first.api).curve(changed, {"api_price": first.api.curves.mid.usd_per_request})
    assert api.usd_per_request == pytest.approx(second.api.curves.mid.usd_per_request)
    today = ways.today_way(book, scenario, first.today).curve(changed, {})
    assert today.usd_per_request == pytest.approx(second.today.curve.usd_per_request)


def test_a_forecast_at_todays_api_is_in_the_tokens_as_typed(real_facts):
    today, *others = actuals.forecasts(real_facts, costs.compare(real_facts, CHINESE))
    assert today.workload.input_tokens == 1_000
    assert others[0].workload.input_tokens < 800


def test_a_sweep_says_that_every_model_is_asked_for_the_same_text(command, real_facts):
    ran = command("sweep", "--models", f"{LLAMA},{QWEN}", "--model", LLAMA, "--language", "th", "--most", "3")
    assert ran.exit_code == 0, ran.err
    assert "Every model is asked for the same Thai text: 1,000 → 300 tokens of Llama 3.3 70B" in ran.out
    assert same_text(real_facts, Scenario()) == ()
