"""What weight formats cost in quality, as llama.cpp's tables have it."""

import pytest

from llmcompare.core.format_quality import bigger_in_fewer_bits, measured_formats, with_front


@pytest.fixture(scope="module")
def measured(real_facts):
    return measured_formats(real_facts.format_qualities)


def of(measured, model):
    return [one for one in measured if one.row.model == model]


def loss(measured, model, label):
    (found,) = [one.loss_fraction for one in of(measured, model) if one.label == label]
    return found


def test_losses_are_those_of_the_table_over_its_own_16_bits(measured):
    # Llama 3 8B: 6.407115 against 6.231633, and 70B: 2.9674 against 2.8308, printed as 4.83%.
    assert loss(measured, "llama-3-8b", "Q4_K_M") == pytest.approx(0.175482 / 6.231633, rel=1e-3)
    assert loss(measured, "llama-3-70b", "Q4_K_M") == pytest.approx(0.0483, abs=1e-4)
    assert loss(measured, "llama-2-70b", "Q4_K_M") == pytest.approx(0.0120, abs=1e-4)


def test_a_row_that_prints_the_reference_for_its_figure_is_mended_by_its_difference_and_marked(measured):
    (odd,) = [one for one in measured if one.is_printed_otherwise]
    assert (odd.row.model, odd.label) == ("llama-2-7b", "Q2_K")
    assert odd.row.perplexity == pytest.approx(odd.reference)
    assert odd.perplexity == pytest.approx(5.794552 + 0.625552)


def test_no_format_is_drawn_without_a_measurement(measured, real_facts):
    assert {one.row.row_id for one in measured} <= {row.row_id for row in real_facts.format_qualities}
    assert all("-vs-" not in one.row.quantization for one in measured)


def test_a_bigger_model_in_two_bits_beats_a_smaller_one_in_sixteen_only_from_iq2_xs_on(measured):
    # 8B at 16 bits has 6.23 in 15.0 GiB; 70B has 6.67 in 17.8 GiB (IQ2_XXS) and 5.75 in 19.7 GiB (IQ2_XS).
    found = bigger_in_fewer_bits(of(measured, "llama-3-8b"), of(measured, "llama-3-70b"))
    assert (found.label, found.row.size_gib) == ("IQ2_XS", 19.69)
    assert bigger_in_fewer_bits(of(measured, "llama-3-70b"), of(measured, "llama-3-8b")) is None


def test_the_front_holds_what_nothing_smaller_beats(measured):
    group = with_front([*of(measured, "llama-3-8b"), *of(measured, "llama-3-70b")])
    front = [one for one in group if one.on_front]
    assert [one.row.size_gib for one in front] == sorted(one.row.size_gib for one in front)
    assert [one.perplexity for one in front] == sorted((one.perplexity for one in front), reverse=True)
    assert front[0].row.size_gib == min(one.row.size_gib for one in group)
