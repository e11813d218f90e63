"""Which machines hold a model, what it costs there, and how far predictions were off: the rows of the Hardware page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core import memory
from llmcompare.core.calibration_traits import shares_memory
from llmcompare.core.memory import GPU_COUNTS, Use
from llmcompare.core.records import Residual, source_url
from llmcompare.errors import InputError
from llmcompare.figures.hardware import SCENARIO_COLOURS
from llmcompare.services import accuracy, calibration, fit, hardware
from llmcompare.services.fit import FORMATS_BEST_FIRST

GIB = 1024**3
AT_8K, AT_128K = Use(context_tokens=8_192), Use(context_tokens=131_072)
LLAMA = "llama-3.3-70b-instruct"


@pytest.fixture(scope="module")
def llama(real_facts):
    return fit.subject(real_facts, LLAMA)


def placed(facts, model, use, billing="on-demand"):
    """On every GPU whose memory is known."""
    return hardware.places(facts, model, use, gpus=hardware.known_gpus(facts), billing=billing)


@pytest.fixture(scope="module")
def places(real_facts, llama):
    return placed(real_facts, llama, AT_8K)


@pytest.fixture(scope="module")
def served(real_facts, llama, places):
    return hardware.served(real_facts, llama, AT_8K, places, output_tokens=300)


@pytest.fixture(scope="module")
def known(real_facts):
    return real_facts.calibration


def engines(place):
    return hardware.engines_on(place.gpu, place.format_name)


# --- where it fits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [LLAMA, "qwen3-30b-a3b", "llama-3.1-405b-instruct", "smollm2-135m-instruct"])
def test_every_gpu_and_format_agree_with_the_answer_of_fit(real_facts, name):
    model = fit.subject(real_facts, name)
    counts = fit.gpu_counts(real_facts, model, AT_8K)
    found = placed(real_facts, model, AT_8K)
    assert {(one.gpu.gpu_id, one.format_name): one.gpu_count for one in found} == counts
    assert len(found) == len(counts) == 91 * len(FORMATS_BEST_FIRST)


def test_the_count_is_the_fewest_that_hold_it(llama, places):
    for place in places:
        usable = fit.usable_bytes(place.gpu)
        for count in GPU_COUNTS:
            need = memory.need(llama.shape, AT_8K, format_name=place.format_name, gpu_count=count)
            holds = need.total_bytes <= count * usable
            if count in fit.possible_counts(
                llama.shape, format_name=place.format_name, unified=shares_memory(place.gpu)
            ):
                assert holds == (place.gpu_count is not None and count >= place.gpu_count), (place.gpu.gpu_id, count)


def test_llama_3_3_70b_keeps_2_5_gib_at_8k_and_40_gib_at_128k_and_fewer_gpus_hold_it_alone(real_facts, llama, places):
    # 80 layers × 8 KV heads × (128 + 128) × 2 bytes × 8,192 tokens.
    assert {one.need.kv_cache_bytes for one in places if one.gpu_count == 1} == {2.5 * GIB}
    longer = placed(real_facts, llama, AT_128K)
    assert {one.need.kv_cache_bytes for one in longer if one.gpu_count == 1} == {40 * GIB}
    before, after = (
        {(one.gpu.gpu_id, one.format_name) for one in found if one.gpu_count == 1} for found in (places, longer)
    )
    assert after < before
    # Four to five bits per weight are 40 GiB of 72 that an H100 can hold; 40 GiB more are too many.
    assert ("h100-sxm-80gb", "gguf-q4_k_m") in before - after


def test_a_place_states_the_longest_context_and_at_that_context_it_still_fits(real_facts, llama, places):
    for place in places:
        if place.gpu_count is None or place.format_name != "gguf-q4_k_m":
            continue
        assert place.largest_context_tokens >= AT_8K.context_tokens
        assert place.largest_context_tokens <= 131_072
        longest = Use(context_tokens=place.largest_context_tokens)
        need = fit.need_of(llama, longest, format_name=place.format_name, gpu_count=place.gpu_count)
        assert need.total_bytes <= place.gpu_count * fit.usable_bytes(place.gpu)


def test_a_price_is_the_least_the_median_and_the_most_of_one_machine_per_provider(real_facts, places):
    (place,) = [one for one in places if (one.gpu.gpu_id, one.format_name) == ("h100-sxm-80gb", "bf16")]
    assert place.gpu_count == 2
    asked = {}
    for offer in real_facts.gpu_offers:
        if (offer.gpu_id, offer.billing) == ("h100-sxm-80gb", "on-demand") and offer.gpu_count <= 2:
            asked[offer.provider] = min(offer.usd_per_gpu_hour, asked.get(offer.provider, 1e9))
    found = place.price.usd_per_gpu_hour
    assert len(place.price.offers) == len(asked) > 5
    assert (found.low, found.high) == (min(asked.values()), max(asked.values()))
    assert sorted(offer.usd_per_gpu_hour for offer in place.price.offers) == sorted(asked.values())
    assert found.low <= found.mid <= found.high


@pytest.mark.parametrize("billing", ["on-demand", "community", "spot", "reserved-1y"])
def test_gpus_with_a_price_are_those_that_somebody_offers_under_this_billing(real_facts, billing):
    found = hardware.priced_gpus(real_facts, billing)
    offered = {offer.gpu_id for offer in real_facts.gpu_offers if offer.billing == billing}
    assert {gpu.gpu_id for gpu in found} == {gpu_id for gpu_id in offered if real_facts.gpus[gpu_id].memory_gb}
    assert [gpu.memory_gb for gpu in found] == sorted(gpu.memory_gb for gpu in found)


def test_no_two_gpus_share_a_name_on_the_axis(real_facts):
    names = [hardware.short_name(gpu) for gpu in hardware.known_gpus(real_facts)]
    assert len(set(names)) == len(names)
    assert hardware.short_name(real_facts.gpus["rtx-4090-24gb"]) == "RTX 4090 24GB"


def test_a_context_beyond_the_model_is_refused_with_the_limit(real_facts, llama):
    with pytest.raises(InputError, match=r"131,073 tokens is longer than the 131,072"):
        placed(real_facts, llama, Use(context_tokens=131_073))


# --- how fast and at what price ---------------------------------------------------------------------------------------


def test_deployments_are_sorted_by_usd_per_million_tokens_those_without_a_price_last(served):
    costs = [None if one.usd_per_mtok is None else one.usd_per_mtok.mid for one in served]
    known = [cost for cost in costs if cost is not None]
    assert known == sorted(known)
    assert costs == known + [None] * (len(costs) - len(known))
    assert 0 < len(known) < len(costs)


def test_the_lowest_cost_is_the_lowest_price_with_the_fastest_prediction_and_the_highest_the_other_way(served):
    for one in served:
        if one.usd_per_mtok is None:
            assert one.place.price is None or one.speeds.output_tokens_per_s is None
            continue
        price, rate = one.place.price.usd_per_gpu_hour, one.speeds.output_tokens_per_s
        for cost, usd, tokens_per_s in (
            (one.usd_per_mtok.low, price.low, rate.high),
            (one.usd_per_mtok.mid, price.mid, rate.value),
            (one.usd_per_mtok.high, price.high, rate.low),
        ):
            mtok_per_hour = tokens_per_s * 3_600 / 1e6
            assert cost == pytest.approx(usd * one.place.gpu_count / mtok_per_hour)


def test_an_engine_serves_only_its_formats_on_its_cards(served):
    pairs = {(one.engine, one.place.format_name, one.place.gpu.vendor) for one in served}
    assert {engine for engine, name, _ in pairs if name.startswith("gguf-")} == {"llama.cpp"}
    assert {engine for engine, name, _ in pairs if name in ("fp8", "awq-int4")}.isdisjoint({"llama.cpp", "mlx"})
    assert {vendor for engine, _, vendor in pairs if engine == "tensorrt-llm"} == {"NVIDIA"}
    assert {vendor for engine, _, vendor in pairs if engine == "mlx"} == {"Apple"}
    assert {engine for engine, _, vendor in pairs if vendor == "Apple"} == {"llama.cpp", "mlx"}


def test_every_place_that_holds_the_model_is_served_as_often_as_it_has_engines(places, served):
    held = [one for one in places if one.gpu_count]
    possible = {(one.gpu.gpu_id, one.format_name, name) for one in held for name in engines(one)}
    shown = {(one.place.gpu.gpu_id, one.place.format_name, one.engine) for one in served}
    # Some cards are too old for a format: those are left out.
    assert shown < possible
    assert {("t4-16gb", "bf16"), ("v100-pcie-32gb", "awq-int4")} & {
        key[:2] for key in shown if key[2] == "vllm"
    } == set()
    assert all(one.place.gpu_count for one in served)
    without = [one for one in held if not hardware.engines_on(one.gpu, one.format_name)]
    assert {one.gpu.vendor for one in without} == {"Apple", "Intel"}
    assert {one.format_name for one in without if one.gpu.vendor == "Apple"} == {"fp8", "awq-int4"}
    # A Gaudi is no GPU that llama.cpp knows.
    gaudi = {one.format_name for one in without if one.gpu.vendor == "Intel"}
    assert gaudi == {name for name in FORMATS_BEST_FIRST if name.startswith("gguf-")}


def test_every_prediction_has_a_band_and_says_on_what_it_rests(served):
    for one in served:
        for rate in (one.speeds.decode_tokens_per_s, one.speeds.output_tokens_per_s):
            assert rate.low <= rate.value <= rate.high
        for found in (one.speeds.decode_tokens_per_s, one.speeds.output_tokens_per_s, one.speeds.ttft_ms):
            if found is None:
                assert one.speeds.reason
                continue
            assert 0 < found.low <= found.high
            assert found.basis
            assert found.error_sentence


def test_streams_that_are_asked_for_run_and_else_as_many_as_the_memory_holds(real_facts, llama, served):
    use = Use(context_tokens=8_192, sequences=4)
    found = hardware.served(real_facts, llama, use, placed(real_facts, llama, use), output_tokens=300, streams=4)
    assert {one.speeds.sequences for one in found} == {4.0}
    for one in served:
        usable = fit.usable_bytes(one.place.gpu)
        held = memory.largest_sequences(llama.shape, AT_8K, needed=one.place.need, usable_bytes_per_gpu=usable)
        assert 1 <= one.speeds.sequences <= max(1, held)


def test_a_smaller_cache_holds_more_streams(real_facts, llama, served):
    use = Use(context_tokens=8_192, kv_format="q4_0")
    small = hardware.served(real_facts, llama, use, placed(real_facts, llama, use), output_tokens=300)
    streams = {hardware.label(one): one.speeds.sequences for one in small}
    more = [streams[name] - one.speeds.sequences for one in served if (name := hardware.label(one)) in streams]
    assert min(more) >= 0 < max(more)


def test_where_nothing_holds_the_model_the_answer_says_so(real_facts, llama):
    use = Use(context_tokens=131_072, sequences=4_096)
    found = hardware.served(real_facts, llama, use, placed(real_facts, llama, use), output_tokens=300)
    assert found == []
    assert hardware.answer(llama, use, found) == (
        "Llama 3.3 70B Instruct with 131,072 tokens of context fits on none of these GPUs, not even on 8 of them."
    )


def test_the_answer_is_the_first_deployment_in_words(llama, served):
    said, best = hardware.answer(llama, AT_8K, served), served[0]
    assert said.startswith("Llama 3.3 70B Instruct with 8,192 tokens of context costs least per token on ")
    assert hardware.label(best) in said
    assert best.engine in said
    assert "per million output tokens" in said
    assert "for one stream." in said


def test_the_answer_without_any_price_says_that_nobody_lists_one(real_facts, llama):
    macs = [gpu for gpu in hardware.known_gpus(real_facts) if gpu.gpu_id.startswith("apple-m3-ultra")]
    found = hardware.places(real_facts, llama, AT_8K, gpus=macs, billing="on-demand")
    served = hardware.served(real_facts, llama, AT_8K, found, output_tokens=300)
    assert hardware.answer(llama, AT_8K, served).endswith("; nobody lists a price of this class.")


def test_the_table_has_a_row_per_deployment_in_the_same_order(served):
    table = hardware.served_table(served)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [row["engine"] for row in rows] == [one.engine for one in served]
    assert [row["gpu_count"] for row in rows] == [one.place.gpu_count for one in served]
    assert all(row["source"] and row["row_id"] and row["basis"] for row in rows)
    first = rows[0]
    assert first["usd_per_mtok_low"] <= first["usd_per_mtok_mid"] <= first["usd_per_mtok_high"]
    assert first["usd_per_mtok_mid"] == pytest.approx(served[0].usd_per_mtok.mid, rel=0.01)


@given(context=st.integers(1, 10 * 2**20), wanted=st.floats(0, 1e7))
def test_a_reply_has_at_least_a_token_and_leaves_the_prompt_half_the_context(context, wanted):
    written = hardware.written_tokens(Use(context_tokens=context), wanted)
    assert 1 <= written <= max(1, context / 2)
    assert written <= max(1, round(wanted))


# --- how wrong predictions were ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def residuals(real_facts):
    return calibration.scatter_rows(real_facts)


def residual(measured, predicted=100.0, **cells):
    given = {"record_id": f"r{measured}", "quantity": calibration.DECODE, "engine": "vllm", "gpu_id": "h100"}
    rest = {"weight_format": "bf16", "model_id": "m", "scenario": "s", "measured_by": "them", "source": "s.example"}
    return Residual(
        **(given | rest | cells), measured=measured, predicted=predicted, predicted_without_source=predicted
    )


def test_the_error_in_words_is_that_of_the_points_shown():
    # Predicted 100: a tenth too high, right, and a quarter too low.
    said = accuracy.accuracy_sentence([residual(90.0), residual(100.0), residual(125.0)])
    assert said.startswith("Half of these 3 measurements are within 11% of what is predicted")
    # 10th and 90th percentile of 0.90, 1.00, 1.25 by linear interpolation.
    assert said.endswith("four of five are 0.92 to 1.20 times the prediction.")


def test_speeds_and_times_are_not_mixed():
    found = [residual(1.0, quantity=name) for name in calibration.QUANTITIES]
    speeds, unit = accuracy.of_quantity(found, accuracy.RATES)
    assert unit == "tokens/s"
    assert {one.quantity for one in found} - {one.quantity for one in speeds} == {"ttft", "ttft, many streams"}
    assert accuracy.of_quantity(found, calibration.TTFT) == ([found[calibration.QUANTITIES.index("ttft")]], "s")
    assert accuracy.of_quantity(found, calibration.DECODE)[1] == "tokens/s"


def test_every_figure_that_is_measured_has_a_colour():
    assert set(accuracy.GROUPS) == set(calibration.QUANTITIES)
    assert set(accuracy.GROUPS.values()) <= set(SCENARIO_COLOURS)


def test_every_point_has_an_id_of_its_own_and_a_source_to_open(residuals):
    assert len(residuals) > 1_000
    assert len({(one.record_id, one.quantity) for one in residuals}) == len(residuals)
    assert [one.record_id for one in residuals if source_url(one.source) is None] == []


def test_the_table_of_points_begins_with_the_worst_too_high_or_too_low():
    found = accuracy.residual_table([residual(110.0), residual(25.0), residual(900.0), residual(100.0)])
    measured = [row[found.columns.index("measured")] for row in found.rows]
    assert measured == [900.0, 25.0, 110.0, 100.0]


def test_the_table_of_errors_counts_every_point_once_and_says_where_the_band_fails(residuals, known):
    table = accuracy.accuracy_table(residuals, known)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    for kind in accuracy.GROUPED_BY:
        assert sum(row["measurements"] for row in rows if row["grouped_by"] == kind) == len(residuals)
    assert len({row[:3] for row in table.rows}) == len(table.rows)
    large = [row for row in rows if row["measurements"] >= 30]
    for row in large:
        assert (row["verdict"] == "the band holds") == (0.72 <= row["held_by_band_fraction"] <= 0.88), row
    # Cards whose rows come from one list: said, not hidden.
    assert any("too narrow" in row["verdict"] for row in large if row["grouped_by"] == "gpu_id")


def test_limits_on_the_medians_lower_the_rate_and_raise_the_cost(real_facts, llama, places):
    use = Use(context_tokens=8_192)

    def by_label(limits):
        found = hardware.served(real_facts, llama, use, places, output_tokens=300, limits=limits)
        return {hardware.label(one): one for one in found}

    free, limited = by_label(hardware.NO_LIMITS), by_label(hardware.Limits(ttft_ms=5_000, tpot_ms=60))
    assert free.keys() == limited.keys()
    kept = [name for name, one in limited.items() if one.speeds.output_tokens_per_s is not None]
    assert 0 < len(kept) < len(free)
    for name in kept:
        assert limited[name].speeds.output_tokens_per_s.value <= free[name].speeds.output_tokens_per_s.value * 1.001
        assert limited[name].speeds.sequences <= free[name].speeds.sequences
    for name in limited.keys() - set(kept):
        assert limited[name].usd_per_mtok is None
        assert "within the limits" in hardware.cost_in_words(limited[name]) or limited[name].place.price is None
