"""The Languages page without a browser: the same answers as the services give, gaps with their reasons."""

import pytest

from llmcompare.services import languages

PAGE = "explore/languages"


@pytest.mark.parametrize("code", ["zh", "de", "sw", "en"])
def test_the_page_says_what_the_service_computes(open_app, facts, code):
    app = open_app(PAGE, text_language=code)
    asked = languages.question(facts, code)
    found = languages.counted(facts, asked)
    models = languages.of_models(facts, asked, languages.default_models(facts, asked))
    assert app.tracebacks == []
    assert app.warnings == ""
    assert languages.answer(asked, found) in app.text
    for sentence in languages.sentences(asked, found, models):
        assert sentence in app.text
    assert app.has("token_bars")
    assert app.has("language_dots")


def test_a_text_of_ones_own_length_is_counted(open_app, facts):
    app = open_app(PAGE, text_language="ja", characters="1000")
    found = languages.counted(facts, languages.question(facts, "ja", 1_000))
    assert languages.answer(languages.question(facts, "ja", 1_000), found) in app.text
    assert f"{found[0].rate.tokens_per_1000_characters:,.0f}" in app.text


def test_the_models_of_a_link_stand_in_the_table_with_price_and_source(open_app):
    app = open_app(PAGE, text_language="zh").set(
        "text_models", ["llama-3.3-70b-instruct", "mistral-small-3.2-24b-instruct-2506", "qwen3-32b"]
    )
    frame = app.table("The same text with these models")
    assert frame["model"].tolist()[0].startswith("Llama 3.3 70B")
    assert frame["tokens"].tolist() == [2308, 2518, 1714]
    assert frame["usd_of_1000_texts_median"].gt(0).all()
    assert frame["source"].str.len().min() > 0
    assert frame["language_named_by_its_maker"][0].startswith("not among the 8 that are named")
    assert "Simplified Chinese" in frame["language_named_by_its_maker"][2]


def test_scores_stand_beside_each_other_only_within_a_cell_and_gaps_are_empty(open_app, facts):
    app = open_app(PAGE, text_language="de").set("text_models", ["llama-3.1-70b-instruct", "qwen3-32b", "qwen3-8b"])
    frame = app.table("Published scores in German")
    assert not frame.duplicated(["benchmark", "setting", "published_by", "metric", "shots"]).any()
    llama = next(name for name in frame.columns if name.startswith("Llama 3.1 70B"))
    qwen = next(name for name in frame.columns if name.startswith("Qwen3 32B"))
    assert frame[llama].notna().any()
    assert frame[qwen].notna().any()
    assert not (frame[llama].notna() & frame[qwen].notna()).any()


def test_a_language_without_scores_and_a_model_without_tokenizer_say_so(open_app):
    app = open_app(PAGE, text_language="sw").set("text_models", ["qwen3.8-27b"])
    assert app.tracebacks == []
    assert any("No score of these models in Swahili" in str(info.value) for info in app.run_of.info)
    frame = app.table("The same text with these models")
    assert "no source was read that says which tokenizer qwen3.8-27b has" in frame["why_missing"][0]


def test_a_text_longer_than_the_context_has_the_reason_in_place_of_a_price(open_app):
    app = open_app(PAGE, text_language="sw").set("text_models", ["llama-2-70b-chat"])
    frame = app.table("The same text with these models")
    assert "longer than the context of Llama 2 70B Chat" in frame["why_missing"][0]


def test_a_language_or_model_that_is_not_to_be_had_is_explained(open_app):
    app = open_app(PAGE, text_language="Klingon", text_models="qwen3-33b")
    assert "Klingon" in app.warnings
    assert "qwen3-33b" in app.warnings
    assert app.tracebacks == []


def test_the_button_makes_the_language_that_of_the_workload(open_app):
    app = open_app(PAGE, text_language="th")
    app.run_of.get_by_key("language_to_costs").click().run()
    assert app.value("language") == "Thai"
    assert app.tracebacks == []


@pytest.mark.parametrize("tab", ["Tokenizers", "API prices", "Scores", "All languages"])
def test_every_tab_behind_the_figures_has_rows_with_sources(open_app, tab):
    app = open_app(PAGE, text_language="zh").reveal("language_rows", tab)
    assert app.tracebacks == []
    frame = app.run_of.dataframe[-1].value
    assert len(frame) > 5
    assert frame["source"].str.len().min() > 0


@pytest.mark.parametrize("measure", ["Per 1,000 characters", "Against the English text"])
def test_both_measures_draw_every_family(open_app, measure):
    app = open_app(PAGE, language_measure=measure, all_languages="true")
    drawn = app.run_of.get_by_key("language_dots").proto.spec
    for name in ("Llama 4", "Mistral Tekken", "Qwen3.5 and Qwen3.6", "Zulu"):
        assert name in drawn
