"""The whole comparison over price books that are made up: what may and what may not change its figures."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from llmcompare.core.breakeven import first_volume_where_no_dearer
from llmcompare.core.comparison import Comparison, compare
from llmcompare.core.options import PriceBook, api_option
from llmcompare.core.quality import quality_against_cost
from llmcompare.core.records import ApiOffer, Capacity, Gpu, GpuOffer, Model, Score, ScoreCell
from llmcompare.core.rented import Deployment, deployments
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import curve_table, gpu_price_table
from llmcompare.errors import InputError, UnknownIdError

FROM = {"as_of": "2026-11-01", "source": "https://s.example"}
MODEL = Model(
    model_id="tiny-7b",
    family="qwen",
    generation="Tiny",
    display_name="Tiny 7B",
    params_total_billion=7.6,
    released_on=None,
    license_id=None,
    context_native_tokens=None,
    context_extended_tokens=None,
    row_id="models:1",
    **FROM,
)
GPUS = {
    name: Gpu(
        gpu_id=name,
        name=f"NVIDIA {name}",
        vendor="NVIDIA",
        gpu_class="datacenter",
        memory_gb=80.0,
        row_id=f"gpus:{name}",
        **FROM,
    )  # fmt: skip
    for name in ("h100", "l40s")
}
TODAY = ApiOffer(
    provider="openai",
    api_model_name="gpt-4o",
    model_id=None,
    family="proprietary",
    variant="standard",
    input_usd_per_mtok=2.5,
    cached_input_usd_per_mtok=1.25,
    output_usd_per_mtok=10.0,
    context_tokens=None,
    row_id="api_prices:today",
    **FROM,
)

usd = st.floats(0.01, 50)
providers = st.sampled_from(["alpha", "beta", "gamma", "delta"])


@st.composite
def api_offers(draw) -> list[ApiOffer]:
    """Several listings of a provider may compete; each has its own row."""
    count = draw(st.integers(1, 6))
    return [
        ApiOffer(
            provider=draw(providers),
            api_model_name=f"tiny-{number}",
            model_id="tiny-7b",
            family="qwen",
            variant=draw(st.sampled_from(["standard", "standard", "fp8"])),
            input_usd_per_mtok=draw(usd),
            cached_input_usd_per_mtok=draw(st.none() | st.just(0.005)),
            output_usd_per_mtok=draw(usd),
            context_tokens=draw(st.sampled_from([None, None, 8_192, 131_072])),
            row_id=f"api_prices:{number}",
            **FROM,
        )
        for number in range(count)
    ]


@st.composite
def gpu_offers(draw) -> list[GpuOffer]:
    """Machines of several sizes; a provider may list the same one twice."""
    keys = draw(
        st.lists(
            st.tuples(
                providers,
                st.sampled_from(sorted(GPUS)),
                st.sampled_from(["on-demand", "on-demand", "spot"]),
                st.sampled_from([1, 1, 2, 8]),
            ),
            min_size=1,
            max_size=10,
        )
    )
    return [
        GpuOffer(
            provider=provider,
            offer_name="one",
            gpu_id=gpu_id,
            gpu_count=gpu_count,
            billing=billing,
            region="global",
            usd_per_gpu_hour=draw(usd),
            row_id=f"gpu_prices:{number}",
            **FROM,
        )
        for number, (provider, gpu_id, billing, gpu_count) in enumerate(keys)
    ]


@st.composite
def capacities(draw) -> list[Capacity]:
    return [
        Capacity(
            record_id=f"them-{number}",
            model_id="tiny-7b",
            measured_model_id="tiny-7b",
            gpu_id=draw(st.sampled_from(sorted(GPUS))),
            gpu_count=draw(st.sampled_from([1, 2, 8])),
            engine=draw(st.sampled_from(["vllm", "sglang"])),
            engine_version=None,
            weight_format=draw(st.sampled_from(["bf16", "fp8", None])),
            scenario="offline-max-throughput",
            concurrency=None,
            input_tokens=draw(st.sampled_from([128.0, 1_000.0, 2_048.0])),
            output_tokens=draw(st.sampled_from([128.0, 1_000.0, 2_048.0])),
            output_tokens_per_s=draw(st.floats(10, 20_000)),
            measured_by="them",
            row_id=f"throughput:{number}",
            **FROM,
        )
        for number in range(draw(st.integers(1, 6)))
    ]


@st.composite
def books(draw) -> PriceBook:
    return PriceBook(
        model=MODEL,
        api_offers=[*draw(api_offers()), TODAY],
        gpu_offers=draw(gpu_offers()),
        gpus=GPUS,
        capacities=draw(capacities()),
    )


scenarios = st.builds(
    Scenario,
    model=st.just("tiny-7b"),
    requests_per_month=st.floats(1, 1e11),
    input_tokens=st.floats(1, 1e5),
    output_tokens=st.floats(1, 1e4),
    cached_input_fraction=st.floats(0, 1),
    thinking_tokens=st.floats(0, 1e4),
    billing=st.sampled_from(["on-demand", "spot"]),
    target_utilisation_fraction=st.floats(0.05, 1),
    traffic=st.sampled_from(["flat", "business-hours"]),
    peak_to_mean=st.floats(1, 5),
    running=st.sampled_from(["always-on", "scheduled", "profile"]),
    min_replicas=st.integers(1, 3),
    spare_replicas=st.integers(0, 2),
)
# Books are large: making a failing one smaller takes a minute and helps little.
thoroughly = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def compared(book: PriceBook, scenario: Scenario) -> Comparison:
    return compare(book, scenario, fingerprint="made up")


def shuffled(rows, order):
    found = list(rows)
    order.shuffle(found)
    return found


@thoroughly
@given(book=books(), scenario=scenarios, order=st.randoms())
def test_the_order_of_providers_gpus_and_measurements_never_matters(book, scenario, order):
    mixed = replace(
        book,
        api_offers=shuffled(book.api_offers, order),
        gpu_offers=shuffled(book.gpu_offers, order),
        gpus=dict(shuffled(book.gpus.items(), order)),
        capacities=shuffled(book.capacities, order),
    )
    assert compared(mixed, scenario) == compared(book, scenario)


@thoroughly
@given(book=books(), scenario=scenarios)
def test_every_band_of_a_comparison_is_ordered_at_every_volume(book, scenario):
    for option in compared(book, scenario).options:
        for requests in (1e-3, scenario.requests_per_month, 1e12):
            band = option.curves.usd_per_month(requests)
            assert band.low <= band.mid * (1 + 1e-9)
            assert band.mid <= band.high * (1 + 1e-9)


@thoroughly
@given(book=books(), scenario=scenarios)
def test_the_cheapest_deployment_comes_first_and_none_pays_earlier_than_the_two_that_are_shown(book, scenario):
    comparison = compared(book, scenario)
    costs = [d.usd_per_month.mid for d in comparison.deployments]
    assert costs == sorted(costs)
    assert comparison.rented == next(iter(comparison.deployments), None)
    if comparison.rented is None or comparison.api is None:
        return

    def pays_from(deployment: Deployment) -> float:
        volume = first_volume_where_no_dearer(deployment.curves.mid, comparison.api.curves.mid)
        return inf if volume is None else volume

    shown = comparison.rented_at_scale or comparison.rented
    assert pays_from(shown) == min(map(pays_from, comparison.deployments))


@thoroughly
@given(book=books(), scenario=scenarios)
def test_each_provider_of_gpus_counts_once_with_its_cheapest_machine_that_is_no_larger_than_a_replica(book, scenario):
    for deployment in compared(book, scenario).deployments:
        listed = [o for o in book.gpu_offers if (o.gpu_id, o.billing) == (deployment.gpu.gpu_id, scenario.billing)]
        fitting: dict[str, float] = {}
        for offer in listed:
            if offer.gpu_count <= deployment.gpus_per_replica:
                fitting[offer.provider] = min(offer.usd_per_gpu_hour, fitting.get(offer.provider, inf))
        assert {offer.provider: offer.usd_per_gpu_hour for offer in deployment.offers} == fitting
        assert len(deployment.offers) == len(fitting)
        assert deployment.larger_only_count == len({o.provider for o in listed} - set(fitting))
        assert (deployment.usd_per_gpu_hour.low, deployment.usd_per_gpu_hour.high) == (
            min(fitting.values()),
            max(fitting.values()),
        )


@thoroughly
@given(book=books(), scenario=scenarios, context=st.sampled_from([512, 8_192]))
def test_a_request_longer_than_the_context_is_answered_with_both_numbers(book, scenario, context):
    short = replace(book, model=replace(MODEL, context_native_tokens=context))
    comparison = compared(short, scenario)
    if scenario.workload.tokens_per_request > context:
        assert comparison.api is None
        assert comparison.rented is None
        assert f"{context:,} tokens" in comparison.api_missing
    elif comparison.api is not None:
        contexts = [priced.offer.context_tokens for priced in comparison.api.offers]
        assert all(known is None or known >= scenario.workload.tokens_per_request for known in contexts)


@thoroughly
@given(book=books(), scenario=scenarios)
def test_a_rented_option_is_never_free_and_never_planned_beyond_its_share(book, scenario):
    for deployment in compared(book, scenario).deployments:
        interrupted = 1 + scenario.spot_allowance_fraction if scenario.billing == "spot" else 1
        replica_month = deployment.usd_per_gpu_hour.low * deployment.gpus_per_replica * 730 * interrupted
        fewest = scenario.min_replicas + scenario.spare_replicas
        assert deployment.curves.low.usd_per_month(1e-9) == pytest.approx(fewest * replica_month, rel=1e-9)
        assert 0 < deployment.utilisation_fraction <= scenario.target_utilisation_fraction * (1 + 1e-9)


@thoroughly
@given(book=books(), scenario=scenarios, power=st.integers(-4, 4))
def test_scaling_all_prices_alike_moves_no_crossing_of_a_comparison(book, scenario, power):
    factor = 2.0**power
    dearer = replace(
        book,
        api_offers=[
            replace(
                offer,
                input_usd_per_mtok=offer.input_usd_per_mtok * factor,
                output_usd_per_mtok=offer.output_usd_per_mtok * factor,
                cached_input_usd_per_mtok=None
                if offer.cached_input_usd_per_mtok is None
                else offer.cached_input_usd_per_mtok * factor,
            )
            for offer in book.api_offers
        ],
        gpu_offers=[replace(offer, usd_per_gpu_hour=offer.usd_per_gpu_hour * factor) for offer in book.gpu_offers],
    )
    assert crossing_volumes(compared(dearer, scenario)) == crossing_volumes(compared(book, scenario))


def crossing_volumes(comparison: Comparison) -> list[object]:
    return [
        (pair.first, pair.second, pair.earliest, pair.latest, [p.requests_per_month for p in pair.crossings.points])
        for pair in comparison.pairs
    ]


@thoroughly
@given(book=books(), scenario=scenarios)
def test_the_best_prices_never_make_renting_pay_later_than_the_worst(book, scenario):
    for pair in compared(book, scenario).pairs:
        earliest = inf if pair.earliest is None else pair.earliest
        latest = inf if pair.latest is None else pair.latest
        assert earliest <= latest * (1 + 1e-9)


@thoroughly
@given(book=books(), scenario=scenarios, share=st.floats(0, 1))
def test_the_cached_share_changes_the_api_bill_alone(book, scenario, share):
    before, after = compared(book, scenario), compared(book, replace(scenario, cached_input_fraction=share))
    assert [d.usd_per_month for d in after.deployments] == [d.usd_per_month for d in before.deployments]
    assert [d.requests_per_s for d in after.deployments] == [d.requests_per_s for d in before.deployments]
    listed = [o for o in book.api_offers if o.cached_input_usd_per_mtok is not None and o.family != "proprietary"]
    assert after.api is None or listed or after.api.usd_per_month.mid == pytest.approx(before.api.usd_per_month.mid)


@thoroughly
@given(book=books(), scenario=scenarios)
def test_a_higher_cached_share_never_raises_a_bill_with_a_listed_cached_price(book, scenario):
    # TODAY lists cached input at half the input price.
    none, all_of_it = (
        compared(book, replace(scenario, cached_input_fraction=share)).today.usd_per_month for share in (0.0, 1.0)
    )
    saved = scenario.requests_per_month * scenario.input_tokens * 1.25 / 1e6
    assert none - all_of_it == pytest.approx(saved, rel=1e-6)


@thoroughly
@given(book=books(), scenario=scenarios)
def test_billing_classes_and_variants_are_never_mixed(book, scenario):
    comparison = compared(book, scenario)
    for deployment in comparison.deployments:
        assert {offer.billing for offer in deployment.offers} == {scenario.billing}
        assert {offer.gpu_id for offer in deployment.offers} == {deployment.gpu.gpu_id}
    if comparison.api is not None:
        assert {priced.offer.variant for priced in comparison.api.offers} == {"standard"}


@thoroughly
@given(book=books(), scenario=scenarios)
def test_each_provider_counts_once_with_its_cheapest_listing(book, scenario):
    option, reason = api_option(book, scenario)
    assert (option is None) != (reason is None)
    if option is not None:
        counted = [priced.offer.provider for priced in option.offers]
        assert len(counted) == len(set(counted))
        costs = [priced.usd_per_request for priced in option.offers]
        assert costs == sorted(costs)
        assert (option.curves.low.usd_per_request, option.curves.high.usd_per_request) == (costs[0], costs[-1])


@thoroughly
@given(book=books(), scenario=scenarios)
def test_every_row_behind_a_figure_is_named_once(book, scenario):
    comparison = compared(book, scenario)
    ids = [row.row_id for row in comparison.rows_used]
    assert len(ids) == len(set(ids))
    assert MODEL.row_id in ids
    assert {row[-1] for row in gpu_price_table(comparison).rows} <= set(ids)


@thoroughly
@given(book=books(), scenario=scenarios)
def test_the_table_of_curves_holds_the_workload_and_rises_with_volume(book, scenario):
    table = curve_table(compared(book, scenario))
    volumes = [row[0] for row in table.rows]
    assert volumes == sorted(set(volumes))
    assert scenario.requests_per_month in volumes
    for column in list(zip(*table.rows, strict=True))[1:]:
        assert all(one <= other * (1 + 1e-12) for one, other in zip(column, column[1:], strict=False))


@thoroughly
@given(book=books(), scenario=scenarios, rate=st.floats(1, 1e5), price=st.floats(0.01, 100))
def test_an_own_rate_and_price_are_taken_as_they_are(book, scenario, rate, price):
    own = replace(scenario, own_output_tokens_per_s=rate, own_usd_per_gpu_hour=price, gpu="h100", gpus_per_replica=2)
    own = replace(own, spot_allowance_fraction=0.0)
    (only,), _ = deployments(book, own)
    workload = own.workload
    expected = rate / workload.billed_output_tokens
    assert [only.requests_per_s.low, only.requests_per_s.mid, only.requests_per_s.high] == [expected] * 3
    assert only.curves.mid.usd_of_one_each == pytest.approx(price * 2 * 730, rel=1e-9)
    assert only.offers == ()
    assert only.capacity is None
    assert "given by you" in only.basis


def bare_book() -> PriceBook:
    return PriceBook(model=MODEL, api_offers=[TODAY], gpu_offers=[], gpus=GPUS, capacities=[])


def test_a_model_without_any_price_is_answered_with_reasons_and_todays_bill():
    comparison = compared(bare_book(), Scenario(model="tiny-7b"))
    assert comparison.api is None
    assert comparison.api_missing == "no provider in the price table lists Tiny 7B"
    assert comparison.rented is None
    assert "no serving rate of Tiny 7B is measured or can be predicted" in comparison.rented_missing
    assert [option.key for option in comparison.options] == ["today"]
    assert comparison.pairs == ()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"gpu": "h10"}, "GPU 'h10' .* did you mean h100"),
        ({"throughput_record": "them-77"}, "throughput record of tiny-7b 'them-77'"),
        ({"today": "openai/gpt-4"}, "API offer 'openai/gpt-4' .* did you mean openai/gpt-4o"),
    ],
)
def test_an_id_that_nobody_knows_is_named_with_close_ones(changes, kind):
    with pytest.raises(UnknownIdError, match=kind):
        compared(bare_book(), replace(Scenario(model="tiny-7b"), **changes))


def test_an_own_rate_says_nothing_about_requests_without_output():
    scenario = Scenario(model="tiny-7b", output_tokens=0, own_output_tokens_per_s=100, gpu="h100")
    with pytest.raises(InputError, match="own_output_tokens_per_s"):
        compared(bare_book(), scenario)


@thoroughly
@given(
    book=books(),
    scenario=scenarios,
    runs=st.lists(st.lists(st.floats(0, 100), min_size=1, max_size=4), min_size=1, max_size=5),
)
def test_the_band_of_a_score_runs_from_its_lowest_to_its_highest_run(book, scenario, runs):
    assume(any(offer.variant == "standard" and offer.model_id for offer in book.api_offers))
    cell = ScoreCell(
        benchmark="exam",
        metric="accuracy %",
        shots=None,
        setting="chat",
        published_by="them",
        model_count=1,
        family_count=1,
    )
    scored = [
        (
            replace(book, model=replace(MODEL, display_name=f"Model {number}")),
            [
                Score(model_id="tiny-7b", score=score, run=run, row_id=f"scores:{number}-{run}", **FROM)
                for run, score in enumerate(scores)
            ],
        )
        for number, scores in enumerate(runs)
    ]
    result = quality_against_cost(cell, scenario, scored)
    assert len(result.points) + len(result.without_price) == len(runs)
    for point in result.points:
        values = [score.score for score in point.scores]
        assert (point.score.low, point.score.high) == (min(values), max(values))
        assert point.score.low <= point.score.mid * (1 + 1e-12)
        assert point.score.mid <= point.score.high * (1 + 1e-12)
    if not result.points:
        return
    # All cost the same here, so only the best mean is on the front.
    best = max(point.score.mid for point in result.points)
    assert {point.on_front for point in result.points if point.score.mid == best} == {True}
    assert {point.on_front for point in result.points if point.score.mid < best} <= {False}
