"""The sweep with the real catalogue: the same money as one deployment at a time, limits, reasons, ranking."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from llmcompare import figures
from llmcompare.core import sweep_words, words
from llmcompare.core.fleet import Axes, Out, fleet
from llmcompare.core.memory import Use
from llmcompare.core.rented import deployments
from llmcompare.core.scenario import Scenario
from llmcompare.core.speed import Deployment, stacked, taken, traits
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import candidates, costs, doubts, hardware, overview, sweep, sweep_lines, sweep_out
from llmcompare.services.books import priced_book
from llmcompare.services.fit import FORMATS_BEST_FIRST
from llmcompare.services.sweep import Limits

MODEL = "llama-3.3-70b-instruct"
ON_DEMAND = Limits(billings=("on-demand",))
PREDICTED = Scenario(capacity_basis="predicted")


def rented_of(found):
    """GPU, count, engine and format of each rented deployment, with its band and its replicas."""
    axes = found.found.fleet.axes
    return {
        (
            axes.gpus[found.gpu[at]].gpu_id,
            int(found.gpu_count[at]),
            found.engine[found.engine_at[at]],
            found.weight_format[found.format_at[at]],
        ): found.band(at)
        for at in range(len(found.mid))
    }


ASKED_OF_BOTH = [
    Scenario(),
    Scenario(model="llama-3.1-8b-instruct", requests_per_month=50_000_000, input_tokens=800, output_tokens=20),
    Scenario(model="mistral-7b-instruct-v0.2", requests_per_month=10_000, idle_timeout_s=120),
    Scenario(model="qwen3-32b", requests_per_month=2_000_000, traffic="business-hours", billing="spot"),
    Scenario(model="qwen3-8b", requests_per_month=20_000_000, input_tokens=512, output_tokens=256, tpot_limit_ms=40),
]


@pytest.mark.parametrize("scenario", ASKED_OF_BOTH, ids=lambda scenario: scenario.model)
def test_what_a_sweep_puts_first_is_an_option_of_the_comparison_or_named_beside_it(real_facts, scenario):
    """The default: 2,650 USD a month on A100s that were measured, and 438 on four A4000 that nobody measured."""
    comparison = costs.compare(real_facts, scenario)
    found = sweep.sweep(real_facts, scenario, (scenario.model,), sweep.Limits(billings=(scenario.billing,)))
    besides = sweep_lines.beside(real_facts, found, sweep_lines.context(real_facts, scenario, None))
    named = {one.kind: one for one in comparison.elsewhere}
    rented = named.get("rented", comparison.rented).usd_per_month.mid
    assert rented == pytest.approx(found.mid[0], rel=1e-9)
    serverless = next(line for line in besides if line.kind == "serverless").usd_per_month.mid
    if "serverless" in named:
        assert named["serverless"].usd_per_month.mid == pytest.approx(serverless, rel=1e-9)
    else:
        assert comparison.serverless.usd_per_month.mid < 1.03 * serverless
    said = " ".join(words.option_sentences(comparison))
    for one in comparison.elsewhere:
        assert one.name.removeprefix("serverless ") in said
    best = min(option.curves.usd_per_month(scenario.requests_per_month).mid for option in comparison.options)
    assert ("compared here" in words.headline(comparison)) == (min([rented, serverless]) < best)


def test_a_serverless_option_keeps_the_latency_limit_that_a_sweep_asks_of_it(real_facts):
    scenario = ASKED_OF_BOTH[-1]
    found = sweep.sweep(real_facts, scenario, (scenario.model,), ON_DEMAND)
    besides = sweep_lines.beside(real_facts, found, sweep_lines.context(real_facts, scenario, None))
    out = {(row[2], row[3], row[4], row[1]) for row in besides.out_rows()}
    option = costs.compare(real_facts, scenario).serverless
    assert out
    assert (option.gpu.gpu_id, option.gpus_per_worker, option.engine, option.weight_format) not in out


def test_a_model_whose_layers_no_source_gives_is_swept_through_its_apis_alone(real_facts):
    scenario = Scenario(model="mistral-medium-1-2312")
    found = sweep.sweep(real_facts, scenario, (scenario.model,), ON_DEMAND)
    besides = sweep_lines.beside(real_facts, found, sweep_lines.context(real_facts, scenario, None))
    assert found.found.without_shape == (scenario.model,)
    assert (len(found.mid), len(besides)) == (0, 0)
    assert found.api


WRONG = "fireworks_ai/accounts/fireworks/models/llama-v3p1-405b-instruct-long"


def test_a_price_that_looks_wrong_is_no_cheapest_one_and_the_list_of_what_is_out_says_why(real_facts):
    """A listing of Llama 3.1 405B at 0.1 USD, where others ask 1 to 16 and the same provider 3 under another name."""
    scenario = Scenario(model="llama-3.1-405b-instruct")
    found = sweep.sweep(real_facts, scenario, (scenario.model,), ON_DEMAND)
    context = sweep_lines.context(real_facts, scenario, None)
    listed = sweep_lines.lines(real_facts, found, context, most=50)
    assert all(line.doubt is None for line in listed)
    reasons = {offer.api_model_name: why for offer, why in found.api_out}
    assert "its price looks wrong: input at 0.1 USD is 1/25 of the median of 14 other providers" in reasons[WRONG]


def test_a_price_that_looks_wrong_counts_where_its_provider_is_chosen_and_is_said_to(real_facts):
    scenario = Scenario(model="llama-3.1-405b-instruct", api_provider="fireworks")
    found = sweep.sweep(real_facts, scenario, (scenario.model,), ON_DEMAND)
    context = sweep_lines.context(real_facts, scenario, None)
    listed = sweep_lines.lines(real_facts, found, context, most=50)
    assert "fireworks" in listed[0].name
    said = list(sweep_lines.changes(found, listed, context))
    assert said[0] == f"The price of the cheapest looks wrong: {listed[0].doubt}."
    sound = next(line for line in listed if line.doubt is None)
    assert f"The cheapest without such a doubt is {sound.name}" in said[1]


def test_the_front_is_told_in_words_from_the_cheapest_to_the_best(real_facts):
    cell = next(iter(overview.score_cells(real_facts).values()))
    scenario = Scenario()
    found = sweep.sweep(real_facts, scenario, candidates.models_named(real_facts, "all"), ON_DEMAND)
    best = sweep_lines.best_of_models(real_facts, found, sweep_lines.context(real_facts, scenario, cell))
    front = sweep_words.front(best)
    assert len(front) > 2
    for cheaper, dearer in pairwise(front):
        assert cheaper.usd_per_month.mid < dearer.usd_per_month.mid
        assert cheaper.quality.mid < dearer.quality.mid
    top = max(line.quality.mid for line in best if line.quality)
    assert front[-1].quality.mid == top
    said = sweep_words.front_sentence(best)
    assert f"(1) {front[0].model_name}, " in said
    assert f"({len(front)}) {front[-1].model_name}, " in said
    figure = figures.quality_of_deployments(best, quality_title="score", today_usd=1.0)
    assert [str(number) for number in range(1, len(front) + 1)] in [list(trace.text or ()) for trace in figure.data]


def test_no_range_starts_or_ends_at_a_price_that_looks_wrong(real_facts):
    """Every option of the six models whose listings are doubted, one by one, and the sentence that names them."""
    odd = doubts.by_row(real_facts)
    assert odd
    for model in {offer.model_id for offer in real_facts.api_offers if offer.row_id in odd}:
        comparison = costs.compare(real_facts, Scenario(model=model))
        api = comparison.api
        assert not {priced.offer.row_id for priced in api.offers} & odd.keys()
        standard = [o for o in real_facts.api_offers if (o.model_id, o.variant) == (model, "standard")]
        named = {o.offer_id for o in standard if o.row_id in odd}
        assert named == set(api.doubted)
        for name in named:
            assert f"The price of {name} looks wrong and is left out" in words.api_sentence(api)


def test_a_chosen_provider_uses_its_price_though_it_looks_wrong(real_facts):
    found = costs.compare(real_facts, Scenario(model="llama-3.1-405b-instruct", api_provider="fireworks")).api
    assert [priced.offer.api_model_name for priced in found.offers] == [WRONG]
    assert "looks wrong and is used because its provider is chosen" in words.api_sentence(found)


@pytest.mark.parametrize(
    "scenario",
    [
        PREDICTED,
        replace(PREDICTED, model="mixtral-8x7b-instruct-v0.1"),
        replace(PREDICTED, billing="spot"),
        replace(PREDICTED, ttft_limit_ms=800.0),
        replace(PREDICTED, tpot_limit_ms=25.0, concurrency=16.0),
        replace(PREDICTED, traffic="business-hours", running="profile", peak_to_mean=2.0, spare_replicas=1),
        replace(PREDICTED, input_tokens=9_000.0, output_tokens=1_500.0, thinking_tokens=500.0, min_replicas=0),
        replace(PREDICTED, input_tokens=0.0),
        replace(PREDICTED, output_tokens=0.0),
    ],
)
def test_a_sweep_gives_each_deployment_the_cost_that_it_has_alone(real_facts, scenario):
    found = rented_of(sweep.sweep(real_facts, scenario, (scenario.model,), Limits(billings=(scenario.billing,))))
    alone, _ = deployments(priced_book(real_facts, scenario), scenario)
    assert len(alone) > 20
    for one in alone:
        band = found[one.gpu.gpu_id, one.gpus_per_replica, one.engine, one.weight_format]
        for end in ("low", "mid", "high"):
            assert getattr(band, end) == pytest.approx(getattr(one.usd_per_month, end), rel=1e-9)


def test_where_a_deployment_was_measured_its_published_rate_counts(real_facts):
    scenario = Scenario()
    found = rented_of(sweep.sweep(real_facts, scenario, (MODEL,), ON_DEMAND))
    alone, _ = deployments(priced_book(real_facts, scenario), scenario)
    for one in alone:
        band = found[one.gpu.gpu_id, one.gpus_per_replica, one.engine, one.weight_format]
        assert band.mid == pytest.approx(one.usd_per_month.mid, rel=1e-9)


def test_a_fleet_says_of_each_deployment_what_is_said_of_it_alone(real_facts):
    shapes = tuple(
        real_facts.shapes[name]
        for name in (MODEL, "mixtral-8x7b-instruct-v0.1", "qwen3-8b", "mistral-7b-instruct-v0.1")
    )
    axes = Axes(
        models=shapes,
        formats=FORMATS_BEST_FIRST,
        gpus=tuple(hardware.known_gpus(real_facts)),
        engines=hardware.ENGINES,
    )
    found = fleet(axes, Use(context_tokens=2_000), min_bits_per_weight=4)
    places = np.arange(0, len(found.model), 7)
    listed = [
        Deployment(
            shape=shapes[found.model[at]],
            gpu=axes.gpus[found.gpu[at]],
            gpu_count=int(found.gpu_count[at]),
            tensor_parallel=1 if axes.engines[found.engine[at]] in ("llama.cpp", "mlx") else int(found.gpu_count[at]),
            engine=axes.engines[found.engine[at]],
            weight_format=axes.formats[found.weight_format[at]],
        )
        for at in places
    ]
    alone, together = stacked(listed), taken(found.stack, places)
    for part in ("hardware", "work"):
        for name in getattr(alone, part).__dataclass_fields__:
            expected, got = getattr(getattr(alone, part), name), getattr(getattr(together, part), name)
            np.testing.assert_allclose(
                np.broadcast_to(got, len(listed)), np.broadcast_to(expected, len(listed)), rtol=1e-12
            )
    np.testing.assert_allclose(together.free_bytes, alone.free_bytes, rtol=1e-12)
    assert [found.traits[found.trait[at]] for at in places] == [traits(one) for one in listed]


@pytest.mark.parametrize(
    ("loose", "tight"),
    [
        ({}, {"tpot_limit_ms": 30.0}),
        ({"tpot_limit_ms": 30.0}, {"tpot_limit_ms": 15.0}),
        ({"ttft_limit_ms": 900.0}, {"ttft_limit_ms": 300.0}),
        ({"min_bits_per_weight": 4.0}, {"min_bits_per_weight": 8.0}),
    ],
)
def test_a_tighter_limit_never_adds_a_deployment(real_facts, loose, tight):
    many, few = (
        set(rented_of(sweep.sweep(real_facts, replace(PREDICTED, **limits), (MODEL,), ON_DEMAND)))
        for limits in (loose, tight)
    )
    assert few < many


def test_deployments_are_ranked_and_those_in_overlap_with_the_first_are_marked(real_facts):
    found = sweep.sweep(real_facts, Scenario(), (MODEL,), ON_DEMAND)
    known = sweep_lines.context(real_facts, Scenario(), None)
    listed = sweep_lines.lines(real_facts, found, known)
    costs = [line.usd_per_month.mid for line in listed]
    assert costs == sorted(costs)
    assert len(listed) == len(found.mid) + len(found.api)
    assert all(line.saving_usd_per_month.mid == pytest.approx(5_500 - line.usd_per_month.mid) for line in listed)


def test_a_format_under_the_floor_is_out_and_says_its_bits(real_facts):
    found = sweep.sweep(real_facts, Scenario(), (MODEL,), ON_DEMAND)
    reasons = {row[1]: row[-1] for row in sweep_out.out_rows(found) if row[1] == "gguf-q2_k" and row[0] == MODEL}
    assert reasons["gguf-q2_k"].startswith("2.99 bits per weight")
    assert "quality floor" in reasons["gguf-q2_k"]
    assert "gguf-q2_k" not in {key[3] for key in rented_of(found)}


def test_every_combination_is_either_in_or_listed_as_out(real_facts):
    found = sweep.sweep(real_facts, replace(PREDICTED, tpot_limit_ms=20.0), (MODEL,), ON_DEMAND)
    out, axes = found.found.fleet.out, found.found.fleet.axes
    rows = list(sweep_out.out_rows(found))
    never = sum(row[2] is None for row in rows)
    listed = len(rows) - never + never * len(axes.gpus)
    assert listed + len(found.mid) == out.size
    assert all(row[-1] for row in rows)
    assert (out == Out.NOT).sum() == len(found.found.fleet.model)


def test_a_quantised_format_has_its_own_measured_loss_or_none_at_all(real_facts):
    losses = sweep_lines.measured_losses(real_facts)
    found = sweep.sweep(real_facts, Scenario(), ("llama-3-8b", MODEL), ON_DEMAND)
    known = sweep_lines.context(real_facts, Scenario(), None)
    for line in sweep_lines.lines(real_facts, found, known):
        if line.kind == "rented" and line.weight_format not in ("bf16", "fp16"):
            assert line.format_loss == losses.get((line.model_id, line.weight_format), "not measured")
    assert "perplexity +" in losses["llama-3-8b", "gguf-q4_k_m"]
    best = sweep_lines.best_of_models(real_facts, found, known)
    assert {line.weight_format for line in best if line.kind == "rented"} == {"bf16"}


def test_a_budget_holds_for_gpus_and_apis_alike(real_facts):
    found = sweep.sweep(real_facts, Scenario(), (MODEL,), Limits(billings=("on-demand",), max_usd_per_month=600))
    known = sweep_lines.context(real_facts, Scenario(), None)
    besides = sweep_lines.beside(real_facts, found, known)
    assert all(line.usd_per_month.mid <= 600 for line in sweep_lines.lines(real_facts, found, known, besides))
    assert sum("over the budget" in reason for _, reason in found.api_out) > 0
    assert len(found.over_budget[0]) > 0


def test_limits_that_nothing_keeps_are_answered_with_what_is_quickest(real_facts):
    found = sweep.sweep(real_facts, replace(PREDICTED, ttft_limit_ms=1.0), (MODEL,), ON_DEMAND)
    (said,) = sweep_lines.limit_sentences(found)
    assert "No GPU keeps the limits with a single request: the quickest first token takes" in said


def test_a_price_of_ones_own_replaces_the_list_of_its_gpu(real_facts):
    scenario = replace(PREDICTED, own_usd_per_gpu_hour=2.0, gpu="h100-sxm-80gb")
    found = sweep.sweep(real_facts, scenario, (MODEL,), Limits())
    assert set(found.usd_per_gpu_hour.tolist()) == {2.0}
    alone, _ = deployments(priced_book(real_facts, scenario), scenario)
    assert len(found.mid) == len(alone)


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"engine": "foo"}, UnknownIdError, "foo"),
        ({"gpu": "foo"}, UnknownIdError, "foo"),
        ({"api_provider": "foo"}, UnknownIdError, "foo"),
        ({"own_usd_per_gpu_hour": 2.0}, InputError, "holds for one GPU: choose which"),
        ({"own_output_tokens_per_s": 100.0, "gpu": "h100-sxm-80gb"}, InputError, "holds for one deployment"),
        ({"min_bits_per_weight": 32.0}, None, None),
    ],
)
def test_what_cannot_be_swept_is_refused_in_one_sentence(real_facts, fields, error, said):
    scenario = replace(Scenario(), **fields)
    if error is None:
        found = sweep.sweep(real_facts, scenario, (MODEL,), ON_DEMAND)
        assert len(found.mid) == 0
        return
    with pytest.raises(error, match=said):
        sweep.sweep(real_facts, scenario, (MODEL,), ON_DEMAND)


def test_models_are_named_by_id_family_or_all(real_facts):
    assert candidates.models_named(real_facts, "qwen3-8b, llama-3.3-70b-instruct") == ("qwen3-8b", MODEL)
    assert all(real_facts.models[name].family == "mistral" for name in candidates.models_named(real_facts, "mistral"))
    assert len(candidates.models_named(real_facts, "all")) > 150
    with pytest.raises(InputError, match="no model is named"):
        candidates.models_named(real_facts, " , ")


def test_the_command_ranks_and_lists_what_is_out(command):
    ran = command("sweep", "--today-usd-per-month", "4000", "--json")
    found = json.loads(ran.out)
    assert ran.exit_code == 0
    assert found["deployments"][0]["rank"] == 1
    assert found["deployment_count"] == len(found["deployments"])
    assert "would be cheaper than today's $4,000 a month (your bill)" in found["answer"]
    assert all(len(row) == len(found["out_columns"]) for row in found["out"])
    assert sum(found["out_counts"].values()) > 1_000
    assert {one["kind"] for one in found["deployments"]} == {"api", "rented", "serverless"}


def test_every_deployment_of_all_models_on_serverless_gpus_is_ranked_with_its_cold_starts(real_facts):
    models = candidates.models_named(real_facts, "all")
    scenario = Scenario(requests_per_month=50_000)
    found = sweep.sweep(real_facts, scenario, models, ON_DEMAND)
    besides = sweep_lines.beside(real_facts, found, sweep_lines.context(real_facts, scenario, None))
    assert len(besides) > 10_000
    assert (np.diff(besides.mid) >= 0).all()
    for line in besides[:: len(besides) // 20]:
        assert (line.kind, line.billing) == ("serverless", "serverless-per-second")
        assert line.usd_per_month.low <= line.usd_per_month.mid <= line.usd_per_month.high
        assert "of the requests meet a cold start of 60 s" in line.basis
        assert line.source
    assert len({line.model_id for line in besides[:]}) > 50


def test_a_machine_to_buy_is_ranked_at_what_it_costs_alone(real_facts):
    scenario = Scenario(purchase_usd=250_000, owned_gpu="h100-sxm-80gb", owned_gpu_count=8, capacity_basis="predicted")
    found = sweep.sweep(real_facts, scenario, (MODEL,), ON_DEMAND)
    besides = sweep_lines.beside(real_facts, found, sweep_lines.context(real_facts, scenario, None))
    owned = [line for line in besides if line.kind == "owned"]
    assert owned
    for line in owned[::4]:
        alone = costs.compare(real_facts, replace(scenario, engine=line.engine, weight_format=line.weight_format)).owned
        for end in ("low", "mid", "high"):
            assert getattr(line.usd_per_month, end) == pytest.approx(getattr(alone.usd_per_month, end), rel=1e-6)


def test_where_the_data_must_stay_here_only_the_own_machine_is_left_and_the_others_say_why(real_facts):
    scenario = Scenario(purchase_usd=0, owned_gpu="h100-sxm-80gb", owned_gpu_count=8, data_place="here")
    found = sweep.sweep(real_facts, scenario, (MODEL,), ON_DEMAND)
    known = sweep_lines.context(real_facts, scenario, None)
    besides = sweep_lines.beside(real_facts, found, known)
    listed = sweep_lines.lines(real_facts, found, known, besides)
    assert {line.kind for line in listed} == {"owned"}
    counts = sweep_out.counts_out(found, besides)
    assert counts["the data must stay here"] > 100
    assert counts["API: the data must stay here"] > 5
    assert counts["serverless or own: the data must stay here"] > 50


def test_with_a_latency_limit_workers_that_sleep_too_often_are_out_with_the_reason(real_facts):
    scenario = Scenario(requests_per_month=20_000, ttft_limit_ms=3_000, requests_per_worker=4)
    found = sweep.sweep(real_facts, scenario, (MODEL,), ON_DEMAND)
    besides = sweep_lines.beside(real_facts, found, sweep_lines.context(real_facts, scenario, None))
    assert len(besides) == 0
    assert any("may meet a cold start" in str(row[-1]) for row in besides.out_rows())
