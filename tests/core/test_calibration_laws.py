"""Priors, bands and corrections: what must hold before any measurement is read, and after."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.calibration import (
    CONSTANTS,
    FEW_ROWS_WIDENED,
    Band,
    Calibration,
    Factor,
    MachineCorrection,
    band_of,
    corrected,
    known_efficiency,
    measured,
    predicted,
    start,
)
from llmcompare.core.calibration_fit import Problem
from llmcompare.core.calibration_traits import Traits, architecture, era, memory_class, runs_on, serves
from llmcompare.core.records import SpeedGpu
from llmcompare.errors import InputError

VLLM = Traits(
    engine="vllm",
    family="serving",
    memory_class="HBM",
    architecture="Hopper",
    format_kind="16-bit",
    experts="dense",
    era="now",
)
BAND = Band(quantity="decode", group="vllm", median_error=0.1, low_ratio=0.8, high_ratio=1.3, n=50)
ratios = st.lists(st.floats(0.1, 10), min_size=1, max_size=50)


def test_an_engine_serves_only_its_own_formats():
    assert serves("llama.cpp", "gguf-q4_k_m")
    assert serves("exllamav2", "exl2-4.0bpw")
    assert not serves("llama.cpp", "awq-int4")
    assert not serves("vllm", "mlx-q4")
    assert not serves("no such engine", "fp16")


def test_an_engine_runs_only_on_its_vendors_hardware():
    assert runs_on("mlx", vendor="Apple", gpu_id="apple-m4-max")
    assert not runs_on("mlx", vendor="NVIDIA", gpu_id="h100-sxm-80gb")
    assert not runs_on("tensorrt-llm", vendor="AMD", gpu_id="mi300x-192gb")
    assert runs_on("vllm", vendor="AMD", gpu_id="mi300x-192gb")
    assert not runs_on("llama.cpp", vendor="Intel", gpu_id="gaudi3-128gb")
    assert runs_on("llama.cpp", vendor="Intel", gpu_id="arc-pro-b60-dual")


def test_cards_fall_into_kinds_by_memory_and_generation():
    a100 = SpeedGpu(
        gpu_id="a100-sxm-80gb", vendor="NVIDIA", gpu_class="datacenter", memory_gb=80, memory_type="HBM2e",
        architecture="Ampere",
    )  # fmt: skip
    geforce = SpeedGpu(gpu_id="rtx-5070-12gb", vendor="NVIDIA", gpu_class="consumer", memory_gb=12)
    apple = SpeedGpu(gpu_id="apple-m4-max", vendor="Apple", gpu_class="workstation", memory_gb=128)
    assert (memory_class(a100), architecture(a100)) == ("HBM", "Ampere")
    assert (memory_class(geforce), architecture(geforce)) == ("GDDR", "Blackwell")
    assert (memory_class(apple), architecture(apple)) == ("Apple", "M4")


def test_engines_are_taken_as_of_today_where_no_date_is_given():
    assert era(engine="llama.cpp", as_of=None, gpu_count=1) == "llama.cpp since 2025"
    assert era(engine="llama.cpp", as_of="2024-05-12", gpu_count=1) == "llama.cpp to 2024"


def test_what_was_never_measured_has_its_prior():
    nothing = Calibration([], [BAND])
    assert nothing.constant("bandwidth_fraction", VLLM) == CONSTANTS["bandwidth_fraction"].value
    assert start("host_layer_s", "family", "eager") > start("host_layer_s", "family", "serving")


def test_factors_multiply():
    known = Calibration(
        [
            Factor(constant="layer_s", trait="all", level="all", value=1e-4, n=9),
            Factor(constant="layer_s", trait="memory_class", level="HBM", value=1.5, n=9),
            Factor(constant="layer_s", trait="engine", level="vllm", value=0.8, n=9),
            Factor(constant="layer_s", trait="engine", level="sglang", value=3.0, n=9),
        ],
        [],
    )
    assert known.constant("layer_s", VLLM) == pytest.approx(1.2e-4)
    found, kept = known_efficiency(known, [VLLM])
    assert found.layer_s.tolist() == [pytest.approx(1.2e-4)]
    assert kept.shape == (1,)


def test_a_group_with_few_rows_takes_the_error_of_all_widened():
    every = Band(quantity="decode", group="all", median_error=0.2, low_ratio=0.5, high_ratio=2.0, n=900)
    few = Band(quantity="decode", group="tgi", median_error=0.01, low_ratio=0.99, high_ratio=1.01, n=3)
    known = Calibration([], [every, few, BAND])
    assert known.band("decode", "vllm") == BAND
    assert known.band("decode", "tgi").low_ratio == 0.5 / FEW_ROWS_WIDENED
    assert known.band("decode", "never seen").high_ratio == 2.0 * FEW_ROWS_WIDENED
    assert "3 measurements" in known.band("decode", "tgi").group
    with pytest.raises(InputError, match="calibrate"):
        known.band("prefill", "vllm")


def test_every_estimate_says_its_basis_and_its_error():
    found = predicted(100.0, BAND)
    assert (found.low, found.high, found.basis) == (80.0, 130.0, "predicted")
    assert "half of 50 measurements (vllm) are within 10%" in found.error_sentence
    assert measured(5.0, source="x", here=True).basis == "measured here"
    assert measured(5.0, source="x", here=False).source == "x"


@given(found=ratios)
def test_a_band_holds_about_four_of_five_of_its_rows(found):
    band = band_of("decode", "vllm", found)
    inside = sum(band.low_ratio <= ratio <= band.high_ratio for ratio in found)
    assert inside >= 0.8 * len(found) - 2
    assert band.low_ratio <= np.median(found) <= band.high_ratio


@given(found=ratios)
def test_a_correction_moves_towards_the_measurements_and_narrows_the_band(found):
    before = predicted(100.0, BAND)
    after = corrected(before, MachineCorrection(ratios=tuple(found)))
    middle = float(np.median(found))
    assert min(1, middle) * 100 * (1 - 1e-9) <= after.value <= max(1, middle) * 100 * (1 + 1e-9)
    assert after.high / after.low < before.high / before.low
    assert after.basis == "predicted, corrected on this machine"


def test_no_measurement_corrects_nothing():
    before = predicted(100.0, BAND)
    assert corrected(before, MachineCorrection(ratios=())) == before


def synthetic_problem(true_fraction, *, count):
    """Rows whose rate is the bandwidth fraction alone."""
    rows = [VLLM] * count
    return Problem(
        rows,
        lambda constants: np.log(constants["bandwidth_fraction"]),
        np.full(count, np.log(true_fraction)),
        np.ones(count),
    )


def test_few_rows_move_a_constant_less_than_many():
    fractions = []
    for count in (1, 1000):
        problem = synthetic_problem(0.5, count=count)
        unknowns = problem.fit(np.ones(count, dtype=bool))
        fractions.append(float(problem.constants(unknowns)["bandwidth_fraction"][0]))
    prior = CONSTANTS["bandwidth_fraction"].value
    assert 0.5 < fractions[1] < fractions[0] < prior


def test_a_group_that_is_left_out_does_not_teach():
    problem = synthetic_problem(0.5, count=50)
    fitted = problem.fit(np.ones(50, dtype=bool))
    alone = problem.left_out(["only"] * 50, fitted)["only"]
    assert float(problem.constants(alone)["bandwidth_fraction"][0]) == pytest.approx(
        CONSTANTS["bandwidth_fraction"].value, rel=0.02
    )
