"""The Hardware page without a browser: what each question shows, and that the page says what the services compute."""

import json
from dataclasses import replace

import pytest

from llmcompare.core.memory import Use
from llmcompare.models.library import demo_model_path
from llmcompare.services import accuracy, calibration, fit, hardware, machine, runs, what_runs
from tests.services.test_bench_files import FACT, SHAPE, TG
from tests.tiny_models import write_tiny

PAGE = "explore/hardware"
LLAMA = "llama-3.3-70b-instruct"
WHERE, WHAT, ACCURACY, HERE = (
    "Which hardware", "What runs on it", "Predicted against measured", "This machine",
)  # fmt: skip
DEPLOYMENTS = "Deployments, cheapest per token first"
POINTS = "Predicted against measured"


@pytest.fixture(autouse=True)
def own_var(monkeypatch, tmp_path, own_folders):
    """Measurements of this test alone."""
    monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "var"))
    return tmp_path / "var"


def measured(**cells):
    """64 tokens written by a tiny model with 50 tokens/s, as this machine's log keeps it."""
    there = {"machine_id": machine.facts().machine_id, "shape": machine.shape_json(SHAPE)}
    return replace(FACT, **(there | cells))


def placed(facts, *, model=LLAMA, gpus=None, **use):
    return hardware.places(
        facts,
        fit.subject(facts, model),
        Use(**use),
        gpus=gpus or hardware.priced_gpus(facts, "on-demand"),
        billing="on-demand",
    )


def answered(facts, *, model=LLAMA, **use):
    """The sentence for a workload of 300 tokens written."""
    subject, asked = fit.subject(facts, model), Use(**use)
    found = hardware.served(
        facts, subject, asked, placed(facts, model=model, **use), output_tokens=300, streams=use.get("sequences")
    )
    return hardware.answer(subject, asked, found)


def grid(app):
    """GPU, format and the number in their cell, as the chart is sent to the browser."""
    drawn = json.loads(app.run_of.get_by_key("fit_grid").proto.spec)["data"]
    return {
        (gpu, name): int(text)
        for heat in drawn
        if heat["type"] == "heatmap"
        for gpu, row in zip(heat["y"], heat["text"], strict=True)
        for name, text in zip(heat["x"], row, strict=True)
        if text
    }


def computed_grid(found):
    return {
        (hardware.short_name(place.gpu), place.format_name.removeprefix("gguf-")): place.gpu_count
        for place in found
        if place.gpu_count
    }


@pytest.mark.parametrize(
    ("view", "key"),
    [
        (WHERE, "fit_grid"),
        (WHERE, "memory_parts"),
        (WHERE, "speed_ranges"),
        (WHAT, "what_runs_speeds"),
        (ACCURACY, "predicted_against_measured"),
        (HERE, "bench_start"),
    ],
)
def test_every_question_is_answered_without_a_traceback(open_app, view, key):
    app = open_app(PAGE, view=view)
    assert app.tracebacks == []
    assert app.errors == ""
    assert app.warnings == ""
    assert app.value("view") == view
    assert app.has(key)


def test_views_change_within_a_session_and_the_model_stays(open_app, facts):
    app = open_app(PAGE, model="qwen3-8b")
    for view in (WHAT, ACCURACY, HERE, WHERE):
        app.set("view", view)
        assert app.tracebacks == []
    assert answered(facts, model="qwen3-8b", context_tokens=8_192) in app.text


# --- which hardware ---------------------------------------------------------------------------------------------------


def test_walk_1_the_context_changes_answer_and_grid_as_the_services_compute_them(open_app, facts):
    app = open_app(PAGE)
    assert app.value("context") == 8_192
    assert answered(facts, context_tokens=8_192) in app.text
    before = grid(app)
    assert before == computed_grid(placed(facts, context_tokens=8_192))
    app.set("context", 131_072)
    assert answered(facts, context_tokens=131_072) in app.text
    after = grid(app)
    assert after == computed_grid(placed(facts, context_tokens=131_072))
    assert sum(count == 1 for count in after.values()) < sum(count == 1 for count in before.values())


def test_sequences_and_the_format_of_the_cache_count_too(open_app, facts):
    app = open_app(PAGE).set("sequences", 8).set("kv_format", "fp8")
    asked = {"context_tokens": 8_192, "sequences": 8, "kv_format": "fp8"}
    assert answered(facts, **asked) in app.text
    assert grid(app) == computed_grid(placed(facts, **asked))


def test_gpus_without_a_price_can_be_shown_too(open_app, facts):
    app = open_app(PAGE)
    priced = {gpu for gpu, _ in grid(app)}
    app.set("all_gpus", True)
    assert grid(app) == computed_grid(placed(facts, context_tokens=8_192, gpus=hardware.known_gpus(facts)))
    assert priced < {gpu for gpu, _ in grid(app)}


def test_the_billing_of_the_sidebar_chooses_the_prices(open_app, facts):
    app = open_app(PAGE, billing="community")
    names = {hardware.short_name(gpu) for gpu in hardware.priced_gpus(facts, "community")}
    assert {gpu for gpu, _ in grid(app)} <= names
    assert len(app.table(DEPLOYMENTS)) > 0
    assert app.table(DEPLOYMENTS)["usd_per_gpu_hour_median"].notna().any()


def test_every_deployment_of_the_table_has_a_source_and_a_basis(open_app):
    frame = open_app(PAGE).table(DEPLOYMENTS)
    assert len(frame) > 100
    assert frame["source"].str.len().min() > 0
    assert frame["basis"].str.len().min() > 0
    known = frame["usd_per_mtok_mid"].dropna()
    assert known.is_monotonic_increasing


def test_where_nothing_is_large_enough_the_page_says_so(open_app, facts):
    app = open_app(PAGE, context="131072", sequences="4096")
    assert app.tracebacks == []
    assert "fits on none of these GPUs, not even on 8 of them" in app.text
    assert grid(app) == {}


def test_a_context_beyond_the_native_one_is_noted(open_app):
    app = open_app(PAGE, model="qwen2.5-7b-instruct", context="131072")
    assert "131,072 tokens are beyond the native 32,768 of qwen2.5-7b-instruct" in app.text


def test_a_model_with_a_shorter_context_is_asked_for_one_that_it_takes(open_app, facts):
    app = open_app(PAGE).set("context", 131_072).set("model", "llama-3-8b-instruct")
    assert app.tracebacks == []
    assert app.value("context") == 8_192
    assert answered(facts, model="llama-3-8b-instruct", context_tokens=8_192) in app.text


def test_a_model_without_layers_in_the_catalogue_is_one_sentence_and_the_inputs_stay(open_app):
    app = open_app(PAGE, model="mistral-large-3")
    assert app.tracebacks == []
    assert app.errors == (
        "no source gives the layers and heads of mistral-large-3: `python -m llmcompare fit FILE.gguf` reads them from "
        "a file of it."
    )
    assert app.value("view") == WHERE
    assert app.value("model") == "mistral-large-3"
    assert app.set("model", LLAMA).errors == ""
    assert app.has("fit_grid")


# --- links ------------------------------------------------------------------------------------------------------------


def test_a_link_opens_context_sequences_and_format(open_app, facts):
    app = open_app(PAGE, model="qwen3-8b", context="32768", sequences="2", kv_format="fp8", all_gpus="true")
    assert app.warnings == ""
    shown = [app.value(name) for name in ("context", "sequences", "kv_format", "all_gpus")]
    assert shown == [32_768, 2, "fp8", True]
    asked = {"context_tokens": 32_768, "sequences": 2, "kv_format": "fp8", "model": "qwen3-8b"}
    assert grid(app) == computed_grid(placed(facts, gpus=hardware.known_gpus(facts), **asked))


def test_a_link_opens_a_machine_with_its_context_and_format(open_app, facts):
    app = open_app(PAGE, view=WHAT, machine="l40s-48gb", gpus="2", context_there="32768", format_there="gguf-q4_k_m")
    assert app.warnings == ""
    expected = what_runs.what_runs(
        facts, Use(context_tokens=32_768), gpu=facts.gpus["l40s-48gb"], gpu_count=2, formats=["gguf-q4_k_m"],
        output_tokens=300,
    )  # fmt: skip
    assert expected.answer in app.text
    assert expected.answer.startswith("2 × NVIDIA L40S 48GB holds ")


def test_a_link_opens_the_filters_of_the_points(open_app):
    app = open_app(PAGE, view=ACCURACY, figure="decode", only_engine="llama.cpp", only_gpu_id="rtx-4090-24gb")
    assert app.warnings == ""
    frame = app.table(POINTS)
    assert set(frame["figure"]) == {"decode"}
    assert set(frame["engine"]) == {"llama.cpp"}
    assert set(frame["gpu_id"]) == {"rtx-4090-24gb"}


NOT_TAKEN = {
    WHERE: {"context": "131073", "sequences": "0", "kv_format": "fp1"},
    WHAT: {"machine": "rtx-9999", "gpus": "3", "context_there": "5", "format_there": "fp1"},
    ACCURACY: {"figure": "luck", "only_engine": "nobody's", "only_gpu_id": "<b>x</b>", "only_measured_by": "me"},
    "What is this": {"view": "What is this"},
}


@pytest.mark.parametrize("view", NOT_TAKEN)
def test_every_value_of_the_link_that_no_input_takes_is_named(open_app, view):
    app = open_app(PAGE, **({"view": view} | NOT_TAKEN[view]))
    assert app.tracebacks == []
    for name, value in NOT_TAKEN[view].items():
        assert f"{name} {value!r} is not to be had here" in app.warnings
    assert "is not to be had here" not in app.again().warnings


# --- what runs on it --------------------------------------------------------------------------------------------------


def test_walk_1_turned_round_an_rtx_4090_says_what_it_runs_and_why_the_rest_does_not(open_app, facts):
    app = open_app(PAGE).set("view", WHAT)
    assert app.value("machine") == "rtx-4090-24gb"
    frame = app.table("What NVIDIA GeForce RTX 4090 24GB runs").set_index("model_id")
    assert frame.loc["llama-3.1-8b-instruct", "tokens_per_s_one_stream"] > 0
    assert "GiB as gguf-q2_k, and 21.6 GiB can be used" in frame.loc[LLAMA, "reason"]
    assert (frame["reason"].isna() == frame["tokens_per_s_one_stream"].notna()).all()
    app.set("gpus", 4)
    assert app.table("What 4 × NVIDIA GeForce RTX 4090 24GB runs").set_index("model_id").loc[LLAMA, "engine"]


@pytest.mark.parametrize("gpu_id", ["apple-m3-ultra-60c", "gaudi2-96gb", "mi300x-192gb", "gtx-1050-ti-4gb"])
def test_cards_of_every_maker_are_answered(open_app, facts, gpu_id):
    app = open_app(PAGE, view=WHAT, machine=gpu_id)
    assert app.tracebacks == []
    assert app.errors == ""
    assert facts.gpus[gpu_id].name in app.text


def test_a_format_that_another_machine_does_not_take_is_not_kept(open_app):
    app = open_app(PAGE, view=WHAT).set("format_there", "fp8").set("machine", "apple-m3-ultra-60c")
    assert app.tracebacks == []
    assert app.value("format_there") == "best that fits"


def test_this_machine_has_no_speeds_before_it_was_measured_and_has_them_after(open_app):
    app = open_app(PAGE, view=WHAT, machine="this machine")
    assert app.tracebacks == []
    assert "No speed is predicted for this machine before one model was measured" in app.text
    assert not app.has("what_runs_speeds")
    assert app.table("What This machine runs")["tokens_per_s_one_stream"].isna().all()
    runs.log().append(measured())
    app.again()
    assert "No speed is predicted" not in app.text
    assert app.has("what_runs_speeds")
    frame = app.table("What This machine runs").set_index("model_id")
    assert frame.loc["smollm2-135m-instruct", "basis"].startswith("predicted")


# --- predicted against measured ---------------------------------------------------------------------------------------


def test_all_measured_speeds_are_shown_first_with_their_error_in_words(open_app, facts):
    app = open_app(PAGE, view=ACCURACY)
    found, _ = accuracy.of_quantity(calibration.scatter_rows(facts), accuracy.RATES)
    assert len(app.table(POINTS)) == len(found)
    assert accuracy.accuracy_sentence(found) in app.text
    assert app.table(POINTS)["source_link"].str.startswith("https://").all()
    assert app.table("Error by figure and engine, GPU and source")["measurements"].sum() == 3 * len(found)


def test_each_filter_narrows_the_table_and_the_sentence(open_app, facts):
    app = open_app(PAGE, view=ACCURACY)
    left = accuracy.of_quantity(calibration.scatter_rows(facts), accuracy.RATES)[0]
    for key, value in {"figure": "decode", "only_engine": "llama.cpp", "only_measured_by": "Xiongjie Dai"}.items():
        before = len(left)
        name = "quantity" if key == "figure" else key.removeprefix("only_")
        left = [one for one in left if getattr(one, name) == value]
        app.set(key, value)
        assert 0 < len(left) < before
        assert len(app.table(POINTS)) == len(left)
        assert accuracy.accuracy_sentence(left) in app.text


def test_filters_that_no_measurement_matches_are_one_sentence(open_app):
    app = open_app(PAGE, view=ACCURACY, only_engine="mlx", only_gpu_id="h100-sxm-80gb")
    assert app.tracebacks == []
    assert "No measurement matches all of these filters" in app.text
    assert app.tables() == []


# --- this machine -----------------------------------------------------------------------------------------------------


def test_before_a_measurement_this_machine_says_that_nothing_is_known(open_app):
    app = open_app(PAGE, view=HERE)
    assert "Nothing was measured here yet, so nothing is predicted for this machine" in app.text
    assert app.value("bench_model") == demo_model_path().name
    assert app.tables() == []


def test_a_measurement_calibrates_it_and_the_next_one_shows_how_far_it_was_predicted(open_app):
    runs.log().append(measured())
    app = open_app(PAGE, view=HERE)
    # 64 tokens at 50 a second, each reading the 1,000 bytes of its weights and its cache.
    assert "This machine is calibrated: on 2 threads it reads 0.0 GB/s while it writes tokens." in app.text
    assert list(app.table("What was measured here")["tokens_per_s"]) == [50.0]
    assert not app.has("residuals_2")

    later = "2026-11-26T08:30:00.000+00:00"
    second = measured(measurement_id="m2", bench_id="b2", model="two.gguf", weights_bytes=2_000, measured_at=later)
    runs.log().append(second)
    app.again()
    assert "Measured over predicted, 1 prediction, each made before its measurement was known: p10 " in app.text
    assert "Predicted against measured on 2 threads" in app.text
    assert app.has("residuals_2")
    assert len(app.table("What was measured here")) == 2
    assert app.tracebacks == []


def test_measurements_of_another_machine_are_not_this_ones(open_app):
    runs.log().append(measured(machine_id="elsewhere"))
    app = open_app(PAGE, view=HERE)
    assert "Nothing was measured here yet" in app.text
    assert app.tables() == []


def test_a_model_whose_context_is_too_short_to_measure_with_is_one_sentence(open_app, own_var):
    (own_var / "models").mkdir(parents=True)
    tiny = write_tiny(own_var / "models" / "tiny.gguf")
    app = open_app(PAGE, view=HERE).set("bench_model", tiny.name)
    app.run_of.get_by_key("bench_start").click().run()
    assert "needs a context of 512 tokens" in app.errors
    assert app.tracebacks == []
    assert runs.log().measurements() == []


def upload(app, content, name="theirs.jsonl"):
    app.run_of.get_by_key("bench_file").set_value((name, content, "application/json")).run()
    app.run_of.get_by_key("bench_import").click().run()
    return app


def test_a_file_of_llama_bench_is_imported(open_app):
    app = upload(open_app(PAGE, view=HERE), json.dumps(TG).encode())
    assert app.tracebacks == []
    assert [element.value for element in app.run_of.success] == ["1 measurement of theirs\\.jsonl imported\\."]
    (fact,) = runs.log().measurements()
    assert fact.imported_from == "theirs.jsonl"


@pytest.mark.parametrize("content", [b"no JSON", b"", b"\xff\xfe", b"[{}]"])
def test_a_file_that_is_none_is_one_sentence(open_app, content):
    app = upload(open_app(PAGE, view=HERE), content)
    assert app.tracebacks == []
    assert "theirs.jsonl" in app.errors
    assert runs.log().measurements() == []
