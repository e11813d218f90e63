"""What is measured, and the figures of repetitions."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.bench import speed, speed_tests
from llmcompare.errors import InputError

DURATIONS_NS = st.lists(st.integers(1, 10**13), min_size=1, max_size=12)


def test_the_figures_are_those_that_llama_bench_prints_for_the_same_repetitions():
    # From the README of llama-bench, tg128 of Qwen2.5-7B Q4_K_M on an RTX 4080.
    found = speed(tokens=128, durations_ns=[1075361300, 1065089400, 1071761200, 1081934900, 1089692600])
    assert found.tokens_per_s == pytest.approx(118.881588, rel=1e-5)
    assert found.tokens_per_s_sd == pytest.approx(1.041811, rel=1e-3)
    assert round(found.duration_ns) == 1076767880
    assert found.duration_ns_sd == pytest.approx(9449585, rel=1e-4)


@given(tokens=st.integers(1, 10**6), durations=DURATIONS_NS)
def test_mean_and_deviation_are_those_of_the_rates(tokens, durations):
    found = speed(tokens=tokens, durations_ns=durations)
    rates = [tokens * 1e9 / duration for duration in durations]
    assert found.repetition_count == len(durations)
    assert found.tokens_per_s == pytest.approx(statistics.fmean(rates), rel=1e-9)
    expected = statistics.stdev(rates) if len(rates) > 1 else 0.0
    assert found.tokens_per_s_sd == pytest.approx(expected, rel=1e-6, abs=1e-9 * max(rates))


@given(tokens=st.integers(1, 10**6), durations=DURATIONS_NS)
def test_twice_the_time_is_half_the_rate(tokens, durations):
    one, slower = (speed(tokens=tokens, durations_ns=[factor * each for each in durations]) for factor in (1, 2))
    assert slower.tokens_per_s == pytest.approx(one.tokens_per_s / 2, rel=1e-9)
    assert math.isclose(slower.duration_ns, 2 * one.duration_ns, rel_tol=1e-9)


def test_each_depth_is_measured_once_with_reading_and_writing():
    tests = speed_tests(prompt_tokens=512, generated_tokens=0, depths=(0, 256, 0))
    assert [(test.name, test.kind, test.context_tokens) for test in tests] == [
        ("pp512", "prefill", 512),
        ("pp512 @ d256", "prefill", 768),
    ]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"prompt_tokens": 0, "generated_tokens": 0}, "prompt and generate are both 0"),
        ({"prompt_tokens": -1, "generated_tokens": 8}, "prompt is -1 tokens: give a number from 0 to 1,000,000"),
        ({"prompt_tokens": 8, "generated_tokens": 8, "depths": (-5,)}, "depth is -5 tokens"),
        ({"prompt_tokens": 8, "generated_tokens": 8, "depths": ()}, "no depth is given"),
        (
            {"prompt_tokens": 0, "generated_tokens": 128, "depths": (0, 8100), "context_limit_tokens": 8192},
            r"tg128 @ d8100 needs a context of 8,228 tokens, and the model was trained for 8,192",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_limit(asked, sentence):
    with pytest.raises(InputError, match=sentence):
        speed_tests(**asked)
