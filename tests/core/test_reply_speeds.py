"""Which reply was written fastest, in words and as a mark, and what other work on the machine does to both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.facts import ReplyFact
from llmcompare.core.reply_speeds import fastest, speed_caveats, speed_sentence, speeds


def reply(slot, characters=None, *, tokens=None, model=None, others=0.0, threads=2, end="end"):
    return ReplyFact(
        reply_id=f"r{slot}", run_id="r", slot=slot, model=model or f"model {slot}", ended_at="", text="x", end=end,
        error=None, characters_per_s=characters, generation_tokens_per_s=tokens, others_busy_cores=others,
        threads=threads,
    )  # fmt: skip


def said(*replies):
    return speed_sentence(replies, "in-turn")


def test_two_replies_are_compared_in_characters_because_a_token_is_not_the_same_for_both():
    # 26.6 tokens/s of short tokens are slower than 19.5 tokens/s of long ones.
    one, other = reply(0, 133.0, tokens=26.6), reply(1, 144.0, tokens=19.5)
    assert said(one, other) == (
        "model 1 generated 1.08 times as fast as model 0 (144.0 against 133.0 characters/s, one after the other, one "
        "prompt)."
    )
    assert fastest(speeds([one, other]), "in-turn") is other


def test_runs_of_older_versions_are_compared_in_tokens():
    assert "(50.0 against 20.0 tokens/s" in said(reply(0, tokens=20.0), reply(1, tokens=50.0))


def test_of_three_the_fastest_is_set_against_the_next_and_the_slowest():
    assert said(reply(0, 100.0), reply(1, 240.0), reply(2, 120.0)).startswith(
        "model 1 generated 2.00 times as fast as model 2, the next, and 2.40 times as fast as model 0, the slowest "
        "(240.0, 120.0 and 100.0 characters/s"
    )


def test_replies_that_one_prompt_cannot_tell_apart_are_named_together_and_none_is_the_fastest():
    replies = [reply(0, 100.0), reply(1, 204.0), reply(2, 200.0)]
    assert said(*replies).startswith(
        "One prompt shows no difference in speed between model 1 and model 2; model 1 generated 2.04 times as fast as "
        "model 0, the slowest"
    )
    assert fastest(speeds(replies), "in-turn") is None


def test_two_slots_of_one_model_are_told_apart_by_their_number():
    assert said(reply(0, 10.0, model="m"), reply(1, 20.0, model="m")).startswith(
        "m (reply 2) generated 2.00 times as fast as m (reply 1)"
    )


@pytest.mark.parametrize(("others", "is_said"), [(0.4, False), (0.5, True), (1.7, True), (None, False)])
def test_other_work_that_takes_half_a_core_is_said_beside_the_speeds(others, is_said):
    replies = [reply(0, 100.0, others=others), reply(1, 590.0)]
    caveats = speed_caveats(replies, "in-turn")
    assert any(f"kept up to {others} cores of this machine busy meanwhile" in said for said in caveats) == is_said
    assert speeds(replies).disturbed == is_said
    assert speed_caveats(replies, "together") == speed_caveats(replies[:1], "in-turn") == []


@pytest.mark.parametrize(
    ("one", "other", "is_said"), [(1, 2, True), (2, 2, False), (None, 2, False), (None, None, False)]
)
def test_replies_that_had_other_numbers_of_threads_are_compared_with_that_caveat(one, other, is_said):
    replies = [reply(0, 100.0, threads=one), reply(1, 101.0, threads=other)]
    sentence = "They had 1 and 2 threads, as many as other work left: run them again to compare their speeds."
    assert (sentence in speed_caveats(replies, "in-turn")) == is_said
    assert speeds(replies).disturbed == is_said


def test_what_a_server_did_besides_is_said_to_be_unknown():
    assert speed_caveats([reply(0, 100.0), reply(1, 50.0)], "in-turn") == []
    assert speed_caveats([reply(0, 100.0), reply(1, 50.0, threads=None, others=None)], "in-turn") == [
        "What a server had to do besides is not known here."
    ]


def test_replies_that_were_stopped_or_failed_are_not_compared():
    assert said(reply(0, 100.0), reply(1, 50.0, end="cancelled"), reply(2, 9.0, end=None)) == (
        "There is no speed to compare."
    )


@given(st.lists(st.floats(0.1, 1e4), min_size=2, max_size=6))
def test_the_one_that_is_called_fastest_is_named_first_and_no_other_is_as_fast(per_s):
    replies = [reply(slot, speed) for slot, speed in enumerate(per_s)]
    first = fastest(speeds(replies), "in-turn")
    others = sorted(per_s)[:-1]
    assert (first is None) == (others[-1] * 1.05 > max(per_s))
    assert first is None or said(*replies).startswith(f"{first.model} generated ")
    assert fastest(speeds(replies), "together") is None
