"""What a machine runs: a card of the catalogue, or this machine before and after it was measured."""

from dataclasses import replace

import pytest

from llmcompare.core.memory import Use
from llmcompare.services import fit, machine, runs, what_runs
from tests.services.test_bench_files import FACT, SHAPE

GIB = 1024**3
AT_8K = Use(context_tokens=8_192)
RTX_4090 = "rtx-4090-24gb"


def on(facts, gpu_id, use=AT_8K, *, gpu_count=1, formats=None):
    gpu = facts.gpus[gpu_id]
    asked = formats or what_runs.formats_for(gpu)
    return what_runs.what_runs(facts, use, gpu=gpu, gpu_count=gpu_count, formats=asked, output_tokens=300)


def here(facts, use=AT_8K):
    return what_runs.what_runs(facts, use, gpu=None, formats=what_runs.formats_for(None), output_tokens=300)


def by_id(found):
    return {one.runnable.model.model_id: one for one in found.models}


@pytest.fixture(scope="module")
def card(real_facts):
    return on(real_facts, RTX_4090)


@pytest.fixture
def own_var(monkeypatch, tmp_path):
    """A results log of its own."""
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "var"))


# --- which models are asked about -------------------------------------------------------------------------------------


def test_of_each_size_of_a_generation_one_model_stands_for_all(real_facts):
    kept = what_runs.one_per_size(real_facts.models)
    sizes = [(one.family, one.generation, one.params_total_billion) for one in kept]
    assert len(set(sizes)) == len(sizes)
    assert set(sizes) == {(one.family, one.generation, one.params_total_billion) for one in real_facts.models.values()}
    released = [one.released_on or "" for one in kept]
    assert released == sorted(released, reverse=True)


@pytest.mark.parametrize(
    ("kept", "left_out"),
    [
        ("llama-3.1-8b-instruct", "llama-3.1-8b"),
        ("qwen3-8b", "qwen3-8b-base"),
        ("qwen2.5-7b-instruct", "qwen2.5-7b-instruct-1m"),
        ("ministral-3-8b-instruct", "ministral-3-8b-reasoning"),
        ("mistral-7b-instruct-v0.3", "mistral-7b-instruct-v0.1"),
    ],
)
def test_the_newest_that_chats_is_the_one(real_facts, kept, left_out):
    names = {one.model_id for one in what_runs.one_per_size(real_facts.models)}
    assert kept in names
    assert left_out in real_facts.models
    assert left_out not in names


# --- a card -----------------------------------------------------------------------------------------------------------


def test_an_rtx_4090_runs_8b_in_16_bits_and_32b_in_fewer(card):
    found = by_id(card)
    assert card.name == "NVIDIA GeForce RTX 4090 24GB"
    # Of 24 GB 21.6 GiB can be used: 8.03 billion weights take 15.0 GiB in two bytes, 32.8 billion 18.5 in 4.85 bits.
    assert found["llama-3.1-8b-instruct"].runnable.format_name == "bf16"
    assert found["qwen3-32b"].runnable.format_name == "gguf-q4_k_m"
    assert found["qwen3-32b"].engine == "llama.cpp"


@pytest.mark.parametrize("name", ["llama-3.3-70b-instruct", "llama-3.1-405b-instruct", "qwen3-235b-a22b"])
def test_what_is_too_large_is_refused_with_what_it_needs_and_what_there_is(real_facts, card, name):
    one = by_id(card)[name]
    assert one.runnable.format_name is None
    assert one.decode_tokens_per_s is None
    model = fit.subject(real_facts, name)
    least = fit.need_of(model, AT_8K, format_name="gguf-q2_k").total_bytes / GIB
    assert one.runnable.reason == f"does not fit: it needs {least:,.1f} GiB as gguf-q2_k, and 21.6 GiB can be used"
    assert least > 21.6


def test_a_model_whose_context_ends_sooner_says_where(real_facts, card):
    assert by_id(card)["llama-2-7b-chat"].runnable.reason == "its context ends at 4,096 tokens"
    at_4k = on(real_facts, RTX_4090, Use(context_tokens=4_096))
    assert by_id(at_4k)["llama-2-7b-chat"].runnable.reason is None
    at_128k = on(real_facts, RTX_4090, Use(context_tokens=131_072))
    assert by_id(at_128k)["llama-3-8b-instruct"].runnable.reason == "its context ends at 8,192 tokens"


def test_a_model_without_layers_in_the_catalogue_says_so(card):
    assert by_id(card)["mistral-large-3"].runnable.reason == "no source gives its layers and heads"


def test_every_model_either_runs_with_a_speed_or_says_why_not(card):
    for one in card.models:
        if one.runnable.reason is not None:
            assert (one.engine, one.decode_tokens_per_s, one.runnable.format_name) == (None, None, None)
            continue
        assert one.runnable.need.total_bytes <= 21.6 * GIB
        assert one.runnable.largest_context_tokens >= 8_192
        rate = one.decode_tokens_per_s
        assert 0 < rate.low <= rate.high
        assert one.engine


def test_the_answer_counts_them_and_names_the_largest(card):
    running = [one.runnable for one in card.models if one.runnable.reason is None]
    largest = max(running, key=lambda one: one.model.params_total_billion)
    assert card.answer == (
        f"NVIDIA GeForce RTX 4090 24GB holds {len(running)} of {len(card.models)} models with 8,192 tokens of context; "
        f"the largest is {largest.model.display_name} as {largest.format_name}."
    )


def test_a_longer_context_lets_fewer_models_run_and_none_in_more_bits(real_facts, card):
    order = what_runs.formats_for(real_facts.gpus[RTX_4090])
    longer = by_id(on(real_facts, RTX_4090, Use(context_tokens=32_768)))
    before = {name for name, one in by_id(card).items() if one.runnable.reason is None}
    after = {name for name, one in longer.items() if one.runnable.reason is None}
    assert after < before
    for name in after:
        assert order.index(longer[name].runnable.format_name) >= order.index(by_id(card)[name].runnable.format_name)


def test_more_gpus_hold_what_one_does_not(real_facts, card):
    four = on(real_facts, RTX_4090, gpu_count=4)
    assert four.name == "4 × NVIDIA GeForce RTX 4090 24GB"
    assert by_id(card)["llama-3.3-70b-instruct"].runnable.reason
    assert by_id(four)["llama-3.3-70b-instruct"].runnable.format_name
    sixteen = on(real_facts, RTX_4090, gpu_count=16)
    assert by_id(sixteen)["qwen2.5-0.5b-instruct"].runnable.reason == "16 GPUs cannot share its 14 heads"


def test_a_format_that_is_asked_for_is_the_only_one_tried(real_facts):
    found = on(real_facts, RTX_4090, formats=("bf16",))
    assert {one.runnable.format_name for one in found.models} == {"bf16", None}
    assert "GiB as bf16" in by_id(found)["qwen3-32b"].runnable.reason


def test_formats_are_those_that_some_engine_serves_there(real_facts):
    assert "fp8" in what_runs.formats_for(real_facts.gpus["h100-sxm-80gb"])
    on_a_mac = what_runs.formats_for(real_facts.gpus["apple-m3-ultra-60c"])
    assert {"bf16", "gguf-q4_k_m"} <= set(on_a_mac)
    assert {"fp8", "awq-int4"}.isdisjoint(on_a_mac)
    assert all(name.startswith("gguf-") for name in what_runs.formats_for(None))


def test_a_machine_that_holds_nothing_says_so(real_facts):
    found = on(real_facts, "gtx-1050-ti-4gb", Use(context_tokens=8_192, sequences=4_096))
    assert (
        found.answer == f"gtx 1050 ti 4gb holds none of these {len(found.models)} models with 8,192 tokens of context."
    )


def test_the_table_has_a_row_per_model_with_a_speed_or_a_reason(card):
    table = what_runs.what_runs_table(card)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [row["model_id"] for row in rows] == [one.runnable.model.model_id for one in card.models]
    for row in rows:
        assert (row["reason"] is None) == (row["tokens_per_s_one_stream"] is not None)
        assert (row["reason"] is None) == (row["basis"] is not None)
        assert row["source"]


# --- this machine -----------------------------------------------------------------------------------------------------


def measured(**cells):
    """64 tokens written by a tiny model with 50 tokens/s, as this machine's log keeps it."""
    there = {"machine_id": machine.facts().machine_id, "shape": machine.shape_json(SHAPE)}
    return replace(FACT, **(there | cells))


def test_before_a_measurement_this_machine_has_no_speeds(own_var, real_facts):
    found = here(real_facts)
    assert not found.is_calibrated
    assert found.name == "This machine"
    running = [one for one in found.models if one.runnable.reason is None]
    assert "smollm2-135m-instruct" in {one.runnable.model.model_id for one in running}
    assert {one.engine for one in running} == {"llama.cpp"}
    assert all(one.runnable.format_name.startswith("gguf-") for one in running)
    assert {one.decode_tokens_per_s for one in found.models} == {None}


def test_after_a_measurement_every_model_that_runs_has_a_speed_and_its_band(own_var, real_facts):
    runs.log().append(measured())
    found = here(real_facts)
    assert found.is_calibrated
    for one in found.models:
        rate = one.decode_tokens_per_s
        assert (rate is None) == (one.runnable.reason is not None)
        if rate is not None:
            assert 0 < rate.low < rate.value < rate.high
            assert rate.basis == "predicted, corrected on this machine"
            assert rate.n == 1
    # Reading 1.2 GB a token takes longer than reading 0.14.
    rates = {name: one.decode_tokens_per_s for name, one in by_id(found).items()}
    assert rates["llama-3.2-1b-instruct"].value < rates["smollm2-135m-instruct"].value


def test_a_machine_that_writes_twice_as_fast_is_predicted_twice_as_fast(monkeypatch, tmp_path, real_facts):
    rates = {}
    for tokens_per_s in (50.0, 100.0):
        monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / f"at {tokens_per_s}"))
        runs.log().append(measured(tokens_per_s=tokens_per_s))
        rates[tokens_per_s] = by_id(here(real_facts))["smollm2-135m-instruct"].decode_tokens_per_s.value
    assert rates[100.0] == pytest.approx(2 * rates[50.0])


def test_measurements_of_another_machine_and_of_prompts_alone_predict_nothing_here(own_var, real_facts):
    runs.log().append(measured(machine_id="elsewhere"))
    assert not here(real_facts).is_calibrated
    runs.log().append(measured(measurement_id="m2", test="prefill", prompt_tokens=64, generated_tokens=0))
    assert {one.decode_tokens_per_s for one in here(real_facts).models} == {None}


def test_this_machine_holds_what_its_free_memory_holds(own_var, real_facts):
    free = machine.facts().available_memory_bytes
    found = here(real_facts)
    for one in found.models:
        if one.runnable.need is not None:
            # What is free changes from one look to the next.
            assert one.runnable.need.total_bytes <= 1.25 * free
    refused = by_id(found)["llama-3.1-405b-instruct"].runnable.reason
    assert refused.startswith("does not fit: it needs ")
    assert refused.endswith(" GiB can be used")
