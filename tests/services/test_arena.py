"""Blind votes: which pairs, once per pair, by lot, as a file and back, and the ratings of the command line."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.facts import ReplyFact, RunFact, VoteFact
from llmcompare.core.votes import once_per_pair
from llmcompare.errors import InputError
from llmcompare.models import library
from llmcompare.services import arena, arena_files, arena_new, playground, runs

WHEN = "2026-11-25T12:00:00.000000+00:00"
MODELS = ("alpha.gguf", "beta.gguf", "gamma.gguf")
VOTE = VoteFact(
    vote_id="v", voter="ada", voted_at=WHEN, left_model="alpha.gguf", right_model="beta.gguf", vote="left",
    prompt="Why?", run_id="run-0", left_reply_id="a", right_reply_id="b",
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_var(monkeypatch, var):
    monkeypatch.setenv("LLMCOMPARE_VAR", str(var))


def finished_run(number=0, person="me", models=MODELS, prompt=None, **changed):
    """A run of the log with a reply of each model; its id."""
    run_id = f"run-{number}"
    runs.log().append(
        RunFact(
            run_id=run_id, person=person, asked_at=WHEN, prompt=prompt or f"Question {number}?", system=None, seed=0,
            scheduling="in-turn", temperature=0.0, top_p=1.0, max_tokens=64, context_tokens=4096, models=models,
        )
    )  # fmt: skip
    for slot, model in enumerate(models):
        cells = {"text": f"Reply {slot} to {number}.", "end": "end", "error": None} | changed.get(model, {})
        runs.log().append(
            ReplyFact(reply_id=f"{run_id}-{slot}", run_id=run_id, slot=slot, model=model, ended_at=WHEN, **cells)
        )
    return run_id


def judge_all(person, choice="left"):
    count = 0
    while pairs := arena.waiting(person).pairs:
        assert arena.vote(person, pairs[0], choice)
        count += 1
    return count


# --- pairs ------------------------------------------------------------------------------------------------------------


def test_every_pair_of_a_finished_run_is_offered_and_judged_once():
    finished_run(models=MODELS[:2])
    assert len(arena.waiting("me").pairs) == 1
    assert judge_all("me") == 1
    assert arena.waiting("me") == arena.Waiting(pairs=(), judged_count=1)


def test_a_pair_with_a_reply_whose_model_was_told_is_not_blind_any_more():
    """Of six pairs of four replies two share no reply: after these, every reply is known."""
    finished_run(models=(*MODELS, "delta.gguf"))
    first, *others = arena.waiting("me").pairs
    assert len(others) == 5
    (rest,) = (pair for pair in others if pair.replies.isdisjoint(first.replies))
    assert arena.vote("me", first, "left")
    assert arena.waiting("me") == arena.Waiting(pairs=(rest,), judged_count=1, known_count=4)
    assert not any(arena.vote("me", pair, "left") for pair in others if pair is not rest)
    assert judge_all("me") == 1
    assert len(arena.waiting("you", run_id="run-0").pairs) == 6


def test_a_run_of_the_same_prompt_with_the_same_words_is_not_blind_either():
    words = {name: {"text": f"I am {name[0]}."} for name in MODELS}
    for number in range(2):
        finished_run(number, models=MODELS[:2], prompt="Who are you?", **words)
    finished_run(2, models=MODELS[:2], prompt="Who were you?", **words)
    finished_run(3, models=MODELS[:2], prompt="Who are you?", **(words | {"alpha.gguf": {"text": "A."}}))
    finished_run(4, models=MODELS[:2], prompt="Who are you?")
    (pair,) = arena.waiting("me", run_id="run-0").pairs
    assert arena.vote("me", pair, "left")
    assert {pair.run_id for pair in arena.waiting("me").pairs} == {"run-2", "run-4"}


def test_replies_that_failed_or_were_stopped_or_are_empty_or_of_one_model_are_no_pair():
    finished_run(0, **{"alpha.gguf": {"end": None, "error": "crashed", "text": ""}})
    finished_run(1, **{"alpha.gguf": {"end": "cancelled"}, "beta.gguf": {"text": "  "}})
    finished_run(2, models=("alpha.gguf", "alpha.gguf"))
    assert [pair.models for pair in arena.waiting("me").pairs] == [("beta.gguf", "gamma.gguf")]


def test_later_turns_and_slots_with_settings_of_their_own_are_no_pair():
    """There the vote would also be on what was read before, or on the settings."""
    finished_run(0)
    logged = runs.log().run("run-0")
    settings = [json.dumps({"model": name, "system": None, "sampling": {"temperature": 0}}) for name in MODELS]
    warmer = json.dumps({"model": MODELS[2], "system": None, "sampling": {"temperature": 1}})

    def pairs(**changed):
        return list(arena.pairs_of(replace(logged, run=replace(logged.run, **changed)), "me"))

    assert len(pairs(slots=tuple(settings))) == 3
    assert pairs(slots=(*settings[:2], warmer)) == []
    assert pairs(parent_run_id="before") == []


def test_thinking_is_not_shown_because_it_would_give_the_model_away():
    finished_run(
        models=MODELS[:2], **{"alpha.gguf": {"text": "<think>Hmm.</think>Yes."}, "beta.gguf": {"text": "Yes."}}
    )
    (pair,) = arena.waiting("me").pairs
    assert arena.answer_of(pair.left) == arena.answer_of(pair.right) == "Yes."
    assert pair.is_same_text


def test_a_reply_that_says_whose_it_is_is_not_offered_unless_the_prompt_had_the_word():
    models = ("SmolLM2-135M.gguf", "Qwen2.5-0.5B.gguf")
    words = {models[0]: {"text": "A model."}, models[1]: {"text": "I am Qwen, created by Alibaba Cloud."}}
    finished_run(0, models=models, prompt="Who are you?", **words)
    assert arena.waiting("me") == arena.Waiting(pairs=(), judged_count=0, named_count=1)
    finished_run(1, models=models, prompt="Are you Qwen of Alibaba?", **words)
    assert [pair.run_id for pair in arena.waiting("me").pairs] == ["run-1"]


def test_runs_of_others_are_not_offered_unless_they_are_opened_by_their_link():
    run_id = finished_run(person="somebody else")
    assert arena.waiting("me").pairs == ()
    assert len(arena.waiting("me", run_id=run_id).pairs) == 3
    with pytest.raises(InputError, match="there is no run 'nope' here"):
        arena.waiting("me", run_id="nope")


def test_left_and_right_are_drawn_by_lot_and_stay_while_the_page_is_drawn_again():
    for number in range(40):
        finished_run(number, models=MODELS[:2])
    first, again = arena.waiting("me").pairs, arena.waiting("me").pairs
    assert first == again
    left = sum(pair.left.model == "alpha.gguf" for pair in first)
    assert 8 <= left <= 32
    other = {pair.run_id: pair.left.model for pair in arena.waiting("you", run_id="run-0").pairs}
    assert set(other) == {"run-0"}


def test_the_next_pair_is_of_models_that_were_compared_least():
    for number in range(10):
        finished_run(number)
    for _ in range(6):
        pair = arena.waiting("me").pairs[0]
        arena.vote("me", pair, "tie")
    votes = [frozenset((vote.left_model, vote.right_model)) for vote in arena.kept_votes()]
    assert {votes.count(models) for models in votes} == {2}


def test_two_models_are_drawn_of_those_at_hand_and_a_single_one_is_refused(var):
    demo = library.demo_model_path()
    with pytest.raises(InputError, match="two different models are needed"):
        arena_new.draw_models(runs.local_models())
    (var / "models").mkdir(parents=True)
    for name in ("second.gguf", "third.gguf"):
        (var / "models" / name).symlink_to(demo)
    drawn = [arena_new.draw_models(runs.local_models()) for _ in range(60)]
    assert all(one != other for one, other in drawn)
    assert len({frozenset(model.path.name for model in pair) for pair in drawn}) == 3
    assert len({pair[0].path.name for pair in drawn}) == 3


# --- votes ------------------------------------------------------------------------------------------------------------


def test_a_voter_counts_once_for_a_pair_and_the_first_vote_stands():
    finished_run(models=MODELS[:2])
    (pair,) = arena.waiting("me").pairs
    assert arena.vote("me", pair, "right")
    assert not arena.vote("me", pair, "left")
    assert arena.vote("you", pair, "left")
    assert [vote.vote for vote in arena.kept_votes()] == ["right", "left"]
    assert [vote.vote for vote in arena.kept_votes(of="you")] == ["left"]


def test_votes_given_one_right_after_the_other_keep_their_order():
    finished_run(models=MODELS[:2])
    (pair,) = arena.waiting("me").pairs
    given = ["left", "right"] * 20
    for number, vote in enumerate(given):
        arena.vote(f"person {number}", pair, vote)
    assert [vote.vote for vote in arena.kept_votes()] == given


def test_a_vote_says_who_stood_where_and_does_not_give_the_voter_away():
    finished_run(models=MODELS[:2])
    (pair,) = arena.waiting("me").pairs
    arena.vote("me", pair, "both bad")
    (vote,) = arena.kept_votes()
    assert (vote.left_model, vote.right_model) == (pair.left.model, pair.right.model)
    assert (vote.run_id, vote.prompt, vote.vote) == ("run-0", "Question 0?", "both bad")
    assert playground.history(vote.voter) == []
    assert "me" not in vote.voter


def test_a_pair_with_its_sides_swapped_is_the_same_pair():
    swapped = replace(
        VOTE, vote_id="w", left_model="beta.gguf", right_model="alpha.gguf", left_reply_id="b", right_reply_id="a"
    )
    assert once_per_pair([VOTE, swapped, replace(swapped, voter="bob")]) == [VOTE, replace(swapped, voter="bob")]
    found = arena.standings([VOTE, swapped])
    assert found.repeated_count == 1
    assert "1 more vote did not count" in " ".join(found.sentences)


def test_ratings_name_the_leader_when_every_vote_went_one_way():
    for number in range(12):
        finished_run(number, models=MODELS[:2])
    while pairs := arena.waiting("me").pairs:
        arena.vote("me", pairs[0], "left" if pairs[0].left.model == "beta.gguf" else "right")
    found = arena.standings(arena.kept_votes())
    assert found.answer.startswith("beta.gguf is first: after 12 votes")
    assert "12 votes by 1 voter on 12 prompts" in " ".join(found.sentences)


def test_without_votes_the_answer_says_so():
    assert arena.standings([]).answer.startswith("No vote yet.")
    assert arena.standings([]).tables == []


# --- files ------------------------------------------------------------------------------------------------------------


def test_an_export_is_imported_elsewhere_as_it_was_and_a_second_time_changes_nothing(monkeypatch, tmp_path):
    for number in range(3):
        finished_run(number)
    judge_all("me")
    before = arena.kept_votes()
    content = arena_files.votes_csv(before)
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "elsewhere"))
    votes = arena_files.read_votes(content, name="votes.csv")
    assert arena_files.keep(votes) == arena_files.Imported(new_count=3, known_count=0)
    assert arena_files.keep(votes) == arena_files.Imported(new_count=0, known_count=3)
    after = arena.kept_votes()
    assert sorted(tuple(getattr(one, name) for name in arena_files.COLUMNS) for one in before) == sorted(
        tuple(getattr(one, name) for name in arena_files.COLUMNS) for one in after
    )
    assert {vote.imported_from for vote in after} == {"votes.csv"}


def test_votes_that_were_given_here_are_known_when_their_export_comes_back():
    for number in range(3):
        finished_run(number)
    judge_all("me")
    votes = arena_files.read_votes(arena_files.votes_csv(arena.kept_votes()), name="votes.csv")
    assert arena_files.keep(votes) == arena_files.Imported(new_count=0, known_count=3)


@given(
    prompt=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
        lambda text: text == text.strip() and "\0" not in text and not text.startswith("'")
    )
)
def test_any_prompt_survives_the_file(prompt):
    vote = replace(VOTE, prompt=prompt)
    (back,) = arena_files.read_votes(arena_files.votes_csv([vote]), name="votes.csv")
    assert replace(back, vote_id="v", imported_from=None) == vote


def test_a_wrong_file_is_refused_whole_with_every_cell_at_fault():
    content = b"voter,left_model,right_model,vote\nada,a,b,left\n,a,b,left\nada,a,a,tie\nada,a,b,better\nada,a,b\n"
    with pytest.raises(InputError) as problem:
        arena_files.read_votes(content, name="mine.csv")
    said = str(problem.value)
    for expected in (
        "mine.csv is refused whole", "line 3 has no voter", "line 4 compares 'a' with itself",
        "line 5 has the vote 'better': write left, right, tie, both bad", "line 6 has 3 cells, the header 4",
    ):  # fmt: skip
        assert expected in said
    assert "line 2" not in said
    assert arena.kept_votes() == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column voter"),
        (b"voter,left_model,right_model,vote\n", "a header and no vote"),
        (b"voter;left_model;right_model;vote\nada;a;b;tie\n", "parted by ';': save it with commas"),
        (b"voter,voter,left_model,right_model,vote\n", "column voter twice"),
        (b"voter,left_model,right_model,vote\n\xff,a,b,tie\n", "no text in UTF-8"),
        (b'voter,left_model,right_model,vote\n"ada,a,b,tie\n', "cannot be read as CSV"),
        (b"voter,left_model,right_model,vote,voted_at\nada,a,b,tie,yesterday\n", "voted at 'yesterday'"),
        (b"voter,left_model,right_model,vote,left_reply_id\nada,a,b,tie,x\n", "one reply of two"),
    ],
)
def test_what_is_no_file_of_votes_is_refused_with_a_sentence(content, said):
    with pytest.raises(InputError, match=said):
        arena_files.read_votes(content, name="mine.csv")


# --- command line -----------------------------------------------------------------------------------------------------


def test_the_command_rates_a_file_of_the_published_games(command_line, tmp_path):
    """Winner and loser of 22 games: en.wikipedia.org/wiki/Bradley-Terry_model."""
    games = {"AB": 2, "AD": 1, "BA": 3, "BC": 5, "CB": 3, "CD": 1, "DA": 4, "DC": 3}
    played = [pair for pair, count in games.items() for _ in range(count)]
    rows = [f"ada,game {number},{pair[0]},{pair[1]},left" for number, pair in enumerate(played)]
    path = tmp_path / "games.csv"
    path.write_text("voter,prompt,left_model,right_model,vote\n" + "\n".join(rows) + "\n", encoding="utf-8")
    ran = command_line("ratings", "--votes", path, "--json")
    assert ran.exit_code == 0, ran.err
    found = json.loads(ran.out)
    assert found["vote_count"] == 22
    # Elo points of strengths 2.270 and 0.640: 400 points for odds of 10.
    points = {row["model"]: row["elo"] for row in found["ratings"]}
    assert points["D"] - points["A"] == pytest.approx(220, abs=1)
    assert found["first_place"]["leader"] == "D"
    assert found["first_place"]["votes_needed"] > 10
    assert found["bootstrap"] is None
    assert arena.kept_votes() == []
    checked = json.loads(command_line("ratings", "--votes", path, "--check", "--json").out)["bootstrap"]
    assert checked["table_count"] + checked["left_out_count"] == 500
    assert "rawing the votes again" in command_line("ratings", "--votes", path, "--check").out
    words = command_line("ratings", "--votes", path).out
    assert words.startswith("D leads after 22 votes, but cannot be told apart from B, C and A yet")


def test_the_command_says_what_is_wrong_with_a_file_and_that_there_are_no_votes(command_line, tmp_path):
    assert "No vote yet" in command_line("ratings").out
    missing = command_line("ratings", "--votes", tmp_path / "nothing.csv")
    assert missing.exit_code == 2
    assert "cannot be read" in missing.err
