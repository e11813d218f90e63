"""The Arena without a browser: blind pairs, votes that count once, ratings, votes as a file."""

import time

import pytest

from llmcompare.core.facts import ReplyFact, RunFact
from llmcompare.services import arena, runs
from llmcompare.ui.arena import READING_S

PAGE = "try/arena"
WHEN = "2026-11-25T12:00:00.000+00:00"


@pytest.fixture(autouse=True)
def own_var(monkeypatch, tmp_path):
    """Two formats are there already, so that no test makes one."""
    var = tmp_path / "var"
    (var / "models").mkdir(parents=True)
    demo = runs.local_models()[0].path
    (var / "models" / "second.gguf").symlink_to(demo)
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))
    return var


def finished_run(number=0, person="tester", texts=("Blue.", "Red <b>!"), prompt=None):
    run_id = f"run-{number}"
    models = ("good.gguf", "poor.gguf")
    runs.log().append(
        RunFact(
            run_id=run_id, person=person, asked_at=WHEN, prompt=prompt or f"Question {number}?", system=None, seed=0,
            scheduling="in-turn", temperature=0.0, top_p=1.0, max_tokens=64, context_tokens=4096, models=models,
        )
    )  # fmt: skip
    for slot, (model, text) in enumerate(zip(models, texts, strict=True)):
        runs.log().append(
            ReplyFact(
                reply_id=f"{run_id}-{slot}", run_id=run_id, slot=slot, model=model, ended_at=WHEN, text=text,
                end="end", error=None,
            )
        )  # fmt: skip
    return run_id


def words(app):
    """All words, also of code blocks and buttons."""
    return "\n".join([app.text, *(code.value for code in app.run_of.code), *(one.label for one in app.run_of.button)])


def press(app, vote):
    next(one for one in app.run_of.button if (one.key or "").startswith(f"vote_{vote}_")).click().run()
    return app


def sides(app):
    """The texts of the left and the right reply on the screen."""
    codes = [code.value for code in app.run_of.code]
    at = next(number for number, text in enumerate(codes) if text.startswith("Question"))
    return codes[at + 1 : at + 3]


def test_before_any_vote_the_page_says_so_and_offers_a_prompt(open_app):
    app = open_app(PAGE)
    assert app.tracebacks == []
    assert "No vote yet." in app.text
    assert app.value("arena_prompt")


def test_a_pair_shows_both_replies_and_no_name_until_the_vote(open_app):
    finished_run()
    app = open_app(PAGE, judge="finished runs")
    assert app.tracebacks == []
    assert sorted(sides(app)) == ["Blue.", "Red <b>!"]
    assert "good.gguf" not in words(app)
    assert "poor.gguf" not in words(app)
    side = "left" if sides(app)[0] == "Blue." else "right"
    press(app, side)
    assert f"You preferred good.gguf, on the {side}, to poor.gguf." in app.text.replace("**", "")
    assert [vote.vote for vote in arena.kept_votes()] == [side]
    assert "Every pair is judged" in app.text
    assert app.tracebacks == []


def test_twenty_votes_give_ratings_with_intervals_and_the_votes_still_needed(open_app):
    for number in range(20):
        finished_run(number)
    for number in range(19):
        pair = arena.waiting("tester").pairs[0]
        good, poor = ("left", "right") if pair.left.text == "Blue." else ("right", "left")
        assert arena.vote("tester", pair, good if number % 10 < 7 else poor)
    app = open_app(PAGE, judge="finished runs")
    press(app, "right" if sides(app)[0] == "Blue." else "left")
    assert app.tracebacks == []
    assert "good.gguf leads after 20 votes, but cannot be told apart from poor.gguf yet: 7 more votes would" in app.text
    assert "20 votes by 1 voter on 20 prompts" in app.text
    app.set("arena_behind", "Ratings")
    rows = app.table("Ratings").set_index("model")
    assert rows.loc["good.gguf", "share_percent"] == pytest.approx(70)
    assert rows.loc["good.gguf", "share_percent_low"] < 50 < rows.loc["good.gguf", "share_percent_high"]
    assert list(rows["votes"]) == [20, 20]


def test_votes_for_neither_are_revealed_too_and_counted_apart(open_app):
    for number in range(2):
        finished_run(number)
    app = press(open_app(PAGE, judge="finished runs"), "both_bad")
    assert "Your vote: both bad. Left was" in app.text
    time.sleep(READING_S)
    app = press(app, "tie")
    assert "2 of 2 votes were for neither, 1 of them because both were bad" in app.text


def test_a_key_that_is_held_down_judges_one_pair(open_app):
    for number in range(5):
        finished_run(number)
    app = open_app(PAGE, judge="finished runs")
    for _ in range(4):
        press(app, "left")
    assert len(arena.kept_votes()) == 1
    assert app.tracebacks == []


def test_a_reload_shows_the_last_vote_again_and_never_a_second_pair_of_buttons(open_app):
    finished_run()
    press(open_app(PAGE, judge="finished runs"), "tie")
    app = open_app(PAGE)
    assert "Your vote: a tie. Left was" in app.text
    assert not [one for one in app.run_of.button if (one.key or "").startswith("vote_")]


def test_a_press_that_comes_late_does_not_vote_on_the_next_pair(open_app):
    """The browser names the button that was on its screen; the next pair has others."""
    for number in range(2):
        finished_run(number)
    app = open_app(PAGE, judge="finished runs")
    keys = {one.key for one in app.run_of.button if (one.key or "").startswith("vote_")}
    press(app, "left")
    after = {one.key for one in app.run_of.button if (one.key or "").startswith("vote_")}
    assert len(keys) == len(after) == 4
    assert keys.isdisjoint(after)


def test_votes_are_a_report_with_their_ratings(open_app):
    finished_run()
    press(open_app(PAGE, judge="finished runs"), "left")
    report = open_app("share/report", votes="everyone")
    assert report.tracebacks == []
    assert "Blind votes on 2 models" in report.text
    assert "1 vote by 1 voter on 1 prompt" in report.text
    assert "Blind votes" not in open_app("share/report", votes="nobody").text


def test_an_endpoint_is_let_in_and_a_wrong_one_is_refused_with_a_sentence(open_app):
    app = open_app(PAGE)
    assert "second.gguf" not in words(app)
    app.reveal("arena_who_open")
    app.run_of.get_by_key("arena_add").click().run()
    assert "no model is named for the endpoint" in app.errors
    app.set("name_arena", "some-model")
    app.run_of.get_by_key("arena_add").click().run()
    assert app.tracebacks == []
    assert app.value("arena_who")[-1] == "some-model @ localhost:8000"
    assert len(app.value("arena_who")) == 3


def test_a_colleague_judges_a_run_by_its_link_and_counts_as_another_voter(open_app):
    run_id = finished_run(person="somebody else")
    app = press(open_app(PAGE, run=run_id), "tie")
    assert "The address of this page lets everybody who uses this server judge the run without names." in app.text
    assert "1 vote by 1 voter" in app.text
    (vote,) = arena.kept_votes()
    assert vote.voter == arena.voter_mark("tester")
    assert "there is no run 'nobody' here" in open_app(PAGE, run="nobody").warnings


def test_what_is_left_out_is_said(open_app):
    for number in range(2):
        finished_run(number, prompt="Who?")
    app = press(open_app(PAGE, judge="finished runs"), "tie")
    (progress,) = [one.proto.text for one in app.run_of.main if one.type == "progress"]
    assert progress == "1 of 1 pair judged; 1 pair left out: you were told who wrote one of the replies"


def test_an_empty_prompt_is_refused_with_a_sentence_and_nothing_runs(open_app):
    app = open_app(PAGE)
    app.run_of.get_by_key("arena_prompt").set_value("  ")
    next(one for one in app.run_of.button if one.label == "Ask two models").click().run()
    assert "the prompt is empty" in app.errors
    assert runs.log().runs() == []


def test_votes_of_others_can_be_left_out(open_app):
    finished_run()
    (pair,) = arena.waiting("tester").pairs
    for person in ("tester", "somebody else"):
        assert arena.vote(person, pair, "left")
    app = open_app(PAGE)
    assert "2 votes by 2 voters" in app.text
    assert "1 vote by 1 voter" in app.set("votes_of", "me").text


def test_html_of_a_reply_is_text(open_app):
    finished_run(texts=("<script>alert(1)</script>", "![cat](http://host/cat.png)"))
    app = open_app(PAGE, judge="finished runs")
    app.set("arena_shown_as", "as Markdown")
    assert app.tracebacks == []
    assert not any(getattr(element.proto, "allow_html", False) for element in app.run_of.markdown)
    assert any(r"\![cat]" in text for text in app.raw_texts)
