"""One text in every family: measured rows to sentences, prices and what makers say."""

import json

import pytest

from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import languages

WALK = ("llama-3.3-70b-instruct", "mistral-small-3.2-24b-instruct-2506", "qwen3-32b")


def asked(facts, code, characters=None):
    return languages.question(facts, code, characters)


def test_the_chinese_page_in_each_family(real_facts):
    # Of the rows: 2,308, 2,518 and 1,714 tokens of 2,795 characters.
    found = languages.of_models(real_facts, asked(real_facts, "zh"), WALK)
    assert [round(one.tokens.mid) for one in found] == [2_308, 2_518, 1_714]
    for one in found:
        cheapest = one.api.offers[0]
        expected = one.tokens.mid * cheapest.offer.input_usd_per_mtok / 1e6 * 1_000
        assert cheapest.usd_per_month == pytest.approx(expected)
        assert one.api.usd_per_month.low == pytest.approx(expected)


def test_tokenizers_are_sorted_and_the_fewest_is_1(real_facts):
    for code in real_facts.token_table.languages:
        found = languages.counted(real_facts, asked(real_facts, code))
        middle = [one.tokens.mid for one in found]
        assert middle == sorted(middle)
        assert found[0].times_fewest.mid == 1
        assert found[-1].times_fewest.mid == pytest.approx(middle[-1] / middle[0])
        assert {one.tokenizer.family for one in found} == {"llama", "mistral", "qwen"}


def test_english_against_english_is_1(real_facts):
    assert {one.times_english for one in languages.counted(real_facts, asked(real_facts, "en"))} == {1.0}


def test_a_longer_text_takes_tokens_in_proportion(real_facts):
    one, two = (languages.counted(real_facts, asked(real_facts, "ko", length)) for length in (1_000, 3_000))
    for short, long in zip(one, two, strict=True):
        assert long.tokens.mid == pytest.approx(3 * short.tokens.mid)
        assert long.times_fewest == short.times_fewest


def test_a_language_is_named_by_code_or_name(real_facts):
    assert languages.question(real_facts, "German").code == languages.question(real_facts, " DE ").code == "de"
    with pytest.raises(UnknownIdError, match="language 'Germn' is not in the catalogue: did you mean German"):
        languages.question(real_facts, "Germn")


@pytest.mark.parametrize("characters", [-5, 1e12])
def test_a_length_that_cannot_be_is_refused(real_facts, characters):
    with pytest.raises(InputError, match="give 0 or more"):
        languages.counted(real_facts, asked(real_facts, "de", characters))


@pytest.mark.parametrize(
    ("model_id", "code", "said"),
    [
        # github.com/meta-llama/llama-models: the card of Llama 3.3 names eight languages, German and not Chinese.
        ("llama-3.3-70b-instruct", "de", "yes: German (Meta)"),
        ("llama-3.3-70b-instruct", "zh", "not among the 8 that are named (Meta)"),
        ("llama-2-70b-chat", "de", "only English is named (Meta)"),
        # The card of Mistral Small 3.1 says nothing of 3.2, and no generation of the table is Mixtral.
        ("mistral-small-3.1-24b-instruct-2503", "de", "named (card: dozens): German (Mistral AI)"),
        ("mistral-small-24b-instruct-2501", "de", "named as examples (card: dozens): German (Mistral AI)"),
        ("mistral-small-3.2-24b-instruct-2506", "de", None),
        ("mixtral-8x7b-instruct-v0.1", "de", None),
        ("qwen3.5-397b-a17b", "de", "only a number is given: 201 languages and dialects (Alibaba Qwen)"),
    ],
)
def test_what_makers_say_of_a_language(real_facts, model_id, code, said):
    found = languages.supported(real_facts, real_facts.models[model_id], asked(real_facts, code))
    assert found.text == said
    assert bool(found.rows) == (said is not None)


def test_dialects_and_scripts_count_under_the_names_that_the_maker_gives(real_facts):
    found = languages.supported(real_facts, real_facts.models["qwen3-32b"], asked(real_facts, "zh"))
    assert found.text == "yes (named): Simplified Chinese, Traditional Chinese, Chinese (Cantonese) (Alibaba Qwen)"


def test_the_models_shown_first_have_a_price_and_one_tokenizer_each(real_facts):
    for code in ("zh", "de", "sw"):
        found = languages.default_models(real_facts, asked(real_facts, code))
        known = [real_facts.token_table.of_model[name].tokenizer_id for name in found]
        assert len(set(known)) == len(known) == 7
        assert {offer.model_id for offer in real_facts.api_offers} >= set(found)


def test_scores_of_a_language_are_those_of_its_rows_and_of_tests_made_in_it(real_facts):
    german = languages.scores(real_facts, asked(real_facts, "de"))
    rows = [row for row in real_facts.language_facts if row.language_code == "de" and row.record_type == "score"]
    assert sorted(row.row_id for row in german) == sorted(row.row_id for row in rows)
    chinese = {row.benchmark for row in languages.scores(real_facts, asked(real_facts, "zh"))}
    assert {"c-eval", "cmmlu"} <= chinese


def test_the_command_prints_the_answer_and_the_same_as_json(command, real_facts):
    ran = command("languages", "--language", "sw")
    assert ran.exit_code == 0, ran.err
    question = asked(real_facts, "sw")
    assert languages.answer(question, languages.counted(real_facts, question)) in ran.out
    ran = command("languages", "--language", "zh", "--characters", "1000", "--models", ",".join(WALK), "--json")
    found = json.loads(ran.out)
    assert (found["language"], found["characters"], found["is_measured_text"]) == ("Chinese", 1000.0, False)
    assert [one["model_id"] for one in found["models"]] == list(WALK)
    assert found["models"][2]["tokens"]["mid"] == pytest.approx(1714 / 2795 * 1000)
    assert all(one["row_id"].startswith("tokenizer_rates:") for one in found["tokenizers"])
    assert {row["model_id"] for row in found["scores"]} <= set(WALK)


def test_an_unknown_language_is_one_sentence_and_exit_code_2(command):
    ran = command("languages", "--language", "xx")
    assert ran.exit_code == 2
    assert "language 'xx' is not in the catalogue" in ran.err
