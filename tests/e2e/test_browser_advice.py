"""What each family can do and which to take, in a real Chromium: the walks of Capability and of the Advisor."""

import pandas as pd
import pytest
from browsing import CHART
from playwright.sync_api import expect
from test_browser_walks import show, squeezed

from llmcompare.core import advice_words
from llmcompare.core.advised import AT_HAND, LIMITS, NOWHERE
from llmcompare.core.capability_scores import CATEGORIES
from llmcompare.core.needs import PRESETS, Need
from llmcompare.core.scenario import Scenario
from llmcompare.services import advice, advice_out, capability
from llmcompare.ui.capability import VIEWS

CARD = "rtx-4090-24gb"
RAG = PRESETS["RAG"]
GO_ON = {
    "What it costs on every option": "Costs",
    "Where it fits and how fast it is": "Hardware",
    "Try it": "Playground",
    "Report of it": "Report",
}


@pytest.fixture
def found(facts):
    scenario = Scenario(requests_per_month=50_000, input_tokens=RAG.input_tokens, output_tokens=RAG.output_tokens)
    categories = RAG.categories_of_all(CATEGORIES)
    need = Need(languages=("German",), data_stays_here=True, hardware=CARD, weights=RAG.weights, categories=categories)
    return advice.advise(facts, scenario, need)


def choose(tab, label, text):
    """Type into a list of the page and take what it finds."""
    box = tab.page.get_by_test_id("stMain").get_by_role("combobox", name=label)
    box.click()
    box.fill(text)
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Escape")
    return tab.rerun_settled()


def test_rag_in_german_on_one_card_is_answered_and_handed_on_to_four_pages(shared_server, tab, facts, found, tmp_path):
    main = tab.open(shared_server.address("advisor", requests_per_month=50_000)).page.get_by_test_id("stMain")
    main.get_by_role("button", name="RAG", exact=True).or_(
        main.get_by_role("radio", name="RAG", exact=True)
    ).first.click()
    tab.rerun_settled()
    choose(tab, "Languages that the maker must name", "German")
    choose(tab, "GPU at hand", CARD)
    main.get_by_text("Data must stay here", exact=True).click()
    tab.rerun_settled()

    names, text = advice_out.gpu_names(facts), squeezed(tab.text)
    best = found.winner
    assert best.kind == AT_HAND
    for sentence in [advice_words.headline(found, names), *advice_words.reasons(found, names)]:
        assert squeezed(sentence) in text
    for flip, line in found.flips:
        assert squeezed(advice_words.flip_sentence(flip, line, names)) in text
    expect(main.locator(f"{CHART} .barlayer .point").first).to_be_visible()
    lit = main.locator("g.edge:has(path[stroke-width='3'])")
    expect(lit).to_have_count(1)
    assert best.model.family in lit.locator("title").text_content()

    show(tab, "Models that are out", "advice-out_csv")
    tab.download("advice-out_csv").save_as(tmp_path / "out.csv")
    out = pd.read_csv(tmp_path / "out.csv")
    assert set(out["model"]) == {one.model.display_name for one in found.out_models}
    assert set(out["limit"]) <= {advice_words.LIMIT_WORDS[limit] for limit in (*LIMITS, NOWHERE)}
    assert out["reason"].notna().all()

    for label, title in GO_ON.items():
        main.get_by_role("button", name="Go on with the first place").click()
        tab.rerun_settled()
        main.get_by_role("link", name=label).click()
        expect(main.locator("h1").first).to_have_text(title)
        tab.settled()
        assert tab.input("Model").input_value() == best.model.model_id
        assert (tab.tracebacks, tab.errors) == ([], "")
        tab.go_to("advisor")
        assert squeezed(advice_words.headline(found, names)) in squeezed(tab.text), "the need is still the same"
    assert tab.complaints == []


def test_three_models_on_code_are_ranked_with_what_is_sure_and_every_view_draws(shared_server, tab, facts, tmp_path):
    chosen = capability.WALK
    main = tab.open(shared_server.address("capability")).page.get_by_test_id("stMain")
    choose(tab, "Category", "code")
    assert "category=code" in tab.page.url
    question = capability.asked(facts, "code")
    ranking = capability.shown(capability.ranked(facts, question), chosen)
    text = squeezed(tab.text)
    assert squeezed(capability.answer(facts, question, ranking, chosen)) in text

    for view in VIEWS:
        main.get_by_role("radiogroup", name="View").get_by_role("radio", name=view, exact=True).click()
        tab.rerun_settled()
        expect(main.locator(CHART).first).to_be_visible()
        assert (tab.tracebacks, tab.errors) == ([], ""), view
    count = len(capability.checked(facts, question).hidden)
    expect(main.get_by_text(f"Check: {count} real scores hidden").first).to_be_visible()

    show(tab, "Every score", "capability-scores_csv")
    tab.download("capability-scores_csv").save_as(tmp_path / "scores.csv")
    scores = pd.read_csv(tmp_path / "scores.csv")
    for column in ("setting", "published_by", "as_of", "source"):
        assert scores[column].notna().all(), column
    assert tab.complaints == []
