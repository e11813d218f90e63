"""The figures of a reply, from times that are known."""

from hypothesis import given
from hypothesis import strategies as st

from llmcompare.engines.tally import FEWEST_TIMED_TOKENS, Tally


def tally_of(times, **prompt):
    """A tally whose clock tells these times, one after the other."""
    clock = iter(times)
    return Tally(**({"prompt_tokens": 100, "reused_tokens": 0} | prompt), clock=lambda: next(clock))


@given(rate=st.integers(1, 1000), count=st.integers(2, 50), wait=st.floats(0.001, 100))
def test_tokens_that_come_evenly_give_their_rate_whatever_the_wait_before_the_first(rate, count, wait):
    times = [0.0, wait, *(wait + number / rate for number in range(count))]
    tally = tally_of(times)
    tally.prompt_was_read()
    for _ in range(count):
        tally.add_token(threads=1)
    figures = tally.figures()
    assert abs(figures["generation_tokens_per_s"] / rate - 1) < 1e-6
    assert abs(figures["ttft_ms"] - wait * 1000) < 1e-6 * wait * 1000
    assert figures["generated_tokens"] == count


def test_a_reply_without_tokens_has_no_times():
    tally = tally_of([0.0, 1.0])
    tally.prompt_was_read()
    figures = tally.figures()
    assert (figures["ttft_ms"], figures["generation_tokens_per_s"]) == (None, None)
    assert figures["prompt_tokens_per_s"] == 100


def test_a_prompt_that_was_not_read_to_its_end_has_no_rate():
    assert tally_of([0.0]).figures()["prompt_tokens_per_s"] is None


def test_a_prompt_that_was_in_the_cache_says_nothing_about_the_speed_of_reading():
    for fresh, told in ((FEWEST_TIMED_TOKENS - 1, False), (FEWEST_TIMED_TOKENS, True)):
        tally = tally_of([0.0, 1.0], reused_tokens=100 - fresh)
        tally.prompt_was_read()
        assert (tally.figures()["prompt_tokens_per_s"] is not None) == told


def test_the_threads_are_those_with_which_most_tokens_were_made():
    tally = tally_of([0.0, 1.0, 2.0, 3.0, 4.0])
    assert tally.most_used_threads(7) == 7
    for threads in (1, 1, 2):
        tally.add_token(threads=threads)
    assert tally.most_used_threads(7) == 1
