"""The parts of the Languages page: which text, its tokens with every tokenizer, its price, scores in the language."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from llmcompare import figures
from llmcompare.core import tokens
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import counted
from llmcompare.figures.languages import LanguageDot, TokenBar
from llmcompare.services import languages, languages_out
from llmcompare.services.catalogue import Facts
from llmcompare.services.languages import ENGLISH, Counted, LanguageScore, OfModel, Question
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.inputs import explain_choice
from llmcompare.ui.safe import plain

PER_CHARACTERS, AGAINST_ENGLISH = MEASURES = ("Per 1,000 characters", "Against the English text")
OFTEN_ASKED = (
    "en", "zh", "ja", "ko", "ar", "hi", "bn", "ta", "th", "vi", "id", "ru", "tr", "he", "de", "fr", "es", "it", "pt",
    "pl", "nl", "sw",
)  # fmt: skip
"""Drawn until all are asked for."""
MOST_MODELS = 12


def pick_text(facts: Facts, scenario: Scenario) -> Question:
    """A language, and a length where it is not the measured text."""
    named = facts.token_table.languages
    names = list(named.values())
    explain_choice("text_language", (*named, *names))
    first = facts.token_table.language_code(scenario.language or "") or languages.FIRST_SHOWN
    left, right = st.columns(2, vertical_alignment="bottom")
    language = left.selectbox(
        "Language", names, index=names.index(named[first]), key="text_language", bind=BOUND,
        help=f"{len(names)} languages were measured.",
    )  # fmt: skip
    characters = right.number_input(
        "Characters", min_value=1, max_value=tokens.MAX_CHARACTERS, value=None, key="characters", bind=BOUND,
        placeholder="the measured text", help="Length of your text. Empty: the text that was measured.",
    )  # fmt: skip
    return languages.question(facts, language, None if characters is None else float(characters))


def pick_models(facts: Facts, asked: Question) -> Sequence[str]:
    """Models for price and scores."""
    ids = languages.choices(facts)
    explain_choice("text_models", ids)
    st.subheader("What it costs, and whose makers name the language")
    chosen: list[str] = st.multiselect(
        "Models", ids, key="text_models", bind=BOUND, max_selections=MOST_MODELS,
        placeholder="one of every tokenizer",
        help="Until you choose: of every tokenizer a model with a price, with scores in the language if there is one.",
    )  # fmt: skip
    return chosen or languages.default_models(facts, asked)


def show_answer(asked: Question, found: Sequence[Counted], models: Sequence[OfModel]) -> None:
    """The answer in words, and the way to count costs in this language."""
    st.markdown(f"#### {plain(languages.answer(asked, found))}")
    show.sentences(*languages.sentences(asked, found, models))
    st.button(
        f"Compare costs on the same {asked.language} text", key="language_to_costs", icon=":material/translate:",
        on_click=partial(_hand_over, asked.language),
        help="Sets the language of your workload: every page then counts the same text with each model's tokenizer.",
    )  # fmt: skip


def _hand_over(language: str) -> None:
    st.session_state["language"] = language


def show_tokens(found: Sequence[Counted], asked: Question) -> None:
    """A bar a tokenizer."""
    bars = [
        TokenBar(
            name=one.tokenizer.name,
            family=one.tokenizer.family,
            age=one.age,
            tokens=one.tokens,
            times_fewest=one.times_fewest.mid,
        )
        for one in found
    ]
    st.subheader(f"Tokens of the {asked.language} text")
    show.chart(figures.token_bars(bars), key="token_bars", description=languages.answer(asked, found))
    st.caption(
        "Tokens, and how many times the fewest. Lines: 10th to 90th percentile of the rates of its articles. The "
        "paler, the older a tokenizer of its family. Measured on the Universal Declaration of Human Rights: chat, "
        "code or tables may take more or fewer. Each count was made by two implementations."
    )


def show_models(facts: Facts, asked: Question, models: Sequence[OfModel]) -> None:
    """Price and support, then scores with their gaps."""
    show.table(languages_out.model_table(models), key="language_models")
    st.caption(
        "USD: input of a thousand such texts through token-priced APIs, standard listings. An empty cell was not read; "
        "a language that its maker does not name may work all the same."
    )
    scored = languages.scores(facts, asked)
    st.subheader(f"Published scores in {asked.language}")
    _show_scores(asked, models, scored)


def _show_scores(asked: Question, models: Sequence[OfModel], scored: Sequence[LanguageScore]) -> None:
    scored_ids = {row.model_id for row in scored}
    with_scores = [one for one in models if one.model.model_id in scored_ids]
    shown = languages_out.score_table(asked, scored, with_scores)
    without = [one.model.display_name for one in models if one not in with_scores]
    others = scored_ids - {one.model.model_id for one in models}
    if shown.rows:
        show.table(shown, key="language_scores")
        st.caption(
            "Scores compare along a row only: one benchmark, setting and publisher. An empty cell: no score published."
        )
        if without:
            st.caption(plain(f"No score in {asked.language} was published of {', '.join(without)}."))
    else:
        st.info(f"No score of these models in {asked.language} was published.", icon=":material/info:")
    if others:
        st.caption(plain(f"{counted(len(others), 'other model')} have scores in {asked.language}: see the rows below."))


def show_every_language(facts: Facts, asked: Question) -> None:
    """All languages with all tokenizers, by one of two measures."""
    st.subheader("Other languages")
    explain_choice("language_measure", MEASURES)
    left, right = st.columns(2, vertical_alignment="bottom")
    measure = left.segmented_control(
        "Measure", MEASURES, default=AGAINST_ENGLISH, key="language_measure", bind=BOUND, required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    everything = right.toggle("All languages", key="all_languages", bind=BOUND)
    codes = [code for code in facts.token_table.languages if everything or code in {*OFTEN_ASKED, asked.code}]
    dots = _dots(facts, codes, against_english=measure == AGAINST_ENGLISH)
    x_title = (
        "times the English text (log scale)"
        if measure == AGAINST_ENGLISH
        else "tokens per 1,000 characters (log scale)"
    )
    show.chart(
        figures.language_dots(dots, x_title=x_title, marked=asked.language), key="language_dots",
        description=f"{x_title}, of {len(codes)} languages with every tokenizer; the table below has the figures.",
    )  # fmt: skip
    st.caption(
        "Filled: the newest tokenizer of a family; with a dot: the one before; empty: older. Fewest on the left."
    )


def _dots(facts: Facts, codes: Sequence[str], *, against_english: bool) -> list[LanguageDot]:
    table = facts.token_table
    shown = languages.measured(facts, codes)
    older = languages.ages(shown)

    def value(name: str, code: str) -> float:
        rate = table.rates[name, code]
        if against_english:
            return tokens.against_english(rate, table.rates[name, ENGLISH])
        return rate.tokens_per_1000_characters

    best = {code: min(value(one.tokenizer_id, code) for one in shown) for code in codes}
    return [
        LanguageDot(
            language=table.languages[code],
            tokenizer=one.name,
            family=one.family,
            age=older[one.tokenizer_id],
            value=value(one.tokenizer_id, code),
        )
        for one in shown
        for code in sorted(codes, key=lambda code: best[code])
    ]


def show_rows(facts: Facts, asked: Question, found: Sequence[Counted], models: Sequence[OfModel]) -> None:
    """The rows behind the page."""
    st.subheader("Behind the figures")
    tables = (
        languages_out.tokenizer_table(found),
        languages_out.price_table(models),
        languages_out.all_scores_table(asked, languages.scores(facts, asked)),
        languages_out.every_language_table(facts),
    )
    tabs = st.tabs(["Tokenizers", "API prices", "Scores", "All languages"], key="language_rows", bind=BOUND)
    for tab, shown in zip(tabs, tables, strict=True):
        if tab.open:
            with tab:
                show.table(shown, key=f"rows_{shown.name}")
                st.caption(show.as_of(shown))
