"""Two options against each other: middle, ends and map agree with whole comparisons; the arithmetic can be redone."""

from dataclasses import replace
from math import ceil

import pytest

from llmcompare.core import two_options as words
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import count_text
from llmcompare.errors import InputError
from llmcompare.services import breakeven, costs

SMALL = Scenario(model="llama-3.1-8b-instruct", gpu="h100-sxm-80gb", requests_per_month=30e6)
SCENARIOS = {
    "default": Scenario(),
    "one H100": replace(SMALL, capacity_basis="predicted"),
    "cached and batched": replace(SMALL, cached_input_fraction=0.4, batch_fraction=0.3, thinking_tokens=200),
    "office hours, scheduled": replace(SMALL, traffic="business-hours", running="scheduled", peak_to_mean=1.5),
    "office hours, followed": replace(SMALL, traffic="business-hours", running="profile", min_replicas=0),
    "spot with a spare": replace(SMALL, billing="spot", spare_replicas=1),
    "own machine": Scenario(purchase_usd=60_000, owned_gpu_count=2, resale_usd=5_000, hosting_usd_per_month=100),
    "own bill": Scenario(today_usd_per_month=4_000, requests_per_month=3e6),
    "own prices": Scenario(
        own_input_usd_per_mtok=0.3, own_output_usd_per_mtok=0.6, own_usd_per_gpu_hour=2,
        own_output_tokens_per_s=2_000, gpu="h100-sxm-80gb",
    ),
}  # fmt: skip

MOVE_ONE = {
    "cached_input_fraction", "batch_fraction", "target_utilisation_fraction", "peak_to_mean", "spot_allowance_fraction",
}  # fmt: skip


@pytest.fixture(scope="module")
def compared(real_facts):
    return {name: costs.compare(real_facts, scenario) for name, scenario in SCENARIOS.items()}


def every_pair(comparison):
    keys = [option.key for option in comparison.options]
    return [(one, other) for index, one in enumerate(keys) for other in keys[index + 1 :]]


def found(real_facts, comparison, first="api", second="rented", **more):
    return breakeven.breakeven(real_facts, comparison, first, second, **more)


def calculated(numbers: str) -> float:
    """What a calculator makes of a line."""
    typed = numbers.replace("×", "*").replace("−", "-").replace("⌈", "ceil(").replace("⌉", ")")
    return eval(typed, {"ceil": ceil})  # noqa: S307 - the line that a reader is told to type


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_line_of_the_arithmetic_gives_its_result_on_a_calculator(compared, name):
    lines = 0
    for first, second in every_pair(compared[name]):
        for _, steps in words.arithmetic(words.two_options(compared[name], first, second)):
            for step in steps:
                assert calculated(step.numbers) == pytest.approx(step.result, rel=2e-6), step
                lines += 1
    assert lines > 5


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_arithmetic_ends_at_the_cost_that_the_comparison_has(compared, name):
    requests = compared[name].scenario.requests_per_month
    for first, second in every_pair(compared[name]):
        pair = words.two_options(compared[name], first, second)
        results = [[step.result for step in steps] for _, steps in words.arithmetic(pair)]
        for option, found_there in ((pair.early, results[0]), (pair.late, results[1])):
            # The curve of serverless GPUs runs through a grid of volumes, the arithmetic is of the volume itself.
            near_enough = 2e-2 if option.key == "serverless" else 1e-12
            assert found_there[-1] == pytest.approx(option.curves.mid.usd_per_month(requests), rel=near_enough)


@pytest.mark.parametrize("name", SCENARIOS)
def test_with_every_input_at_its_middle_the_options_cost_what_they_do_in_the_comparison(real_facts, compared, name):
    requests = compared[name].scenario.requests_per_month
    for first, second in every_pair(compared[name]):
        pair = found(real_facts, compared[name], first, second)
        late, early = pair.turned.curves({})
        for volume in (requests / 7, requests, requests * 31):
            assert late.usd_per_month(volume) == pytest.approx(pair.pair.late.curves.mid.usd_per_month(volume))
            assert early.usd_per_month(volume) == pytest.approx(pair.pair.early.curves.mid.usd_per_month(volume))
        points = pair.pair.bands.middle.points
        assert pair.turned.pays_from({}) == near(points[0].requests_per_month if points else None)


def test_the_order_of_the_options_changes_nothing(compared):
    one = words.two_options(compared["one H100"], "api", "rented")
    other = words.two_options(compared["one H100"], "rented", "api")
    assert one == other
    assert (one.late.key, one.early.key) == ("rented", "api")


def near(value: float | None):
    """To a billionth; None is None."""
    return None if value is None else pytest.approx(value, rel=1e-9)


def bar_of(bars, name):
    return next(bar for bar in bars if bar.input.name == name)


def pinned(comparison, **changes):
    """The same question about the same deployment."""
    deployment = comparison.rented
    asked = {"throughput_record": deployment.capacity.record_id} if deployment.capacity else {
        "gpu": deployment.gpu.gpu_id, "engine": deployment.engine, "weight_format": deployment.weight_format,
    }  # fmt: skip
    return replace(comparison.scenario, **asked, **changes)


@pytest.mark.parametrize("name", ["default", "one H100", "office hours, scheduled"])
@pytest.mark.parametrize(
    "field", ["input_tokens", "output_tokens", "cached_input_fraction", "target_utilisation_fraction"]
)
def test_the_ends_of_a_field_are_those_of_a_whole_comparison_with_that_field_changed(real_facts, compared, name, field):
    pair = found(real_facts, compared[name])
    bar = bar_of(pair.saving, field)
    for value, saving in ((bar.input.low, bar.at_low), (bar.input.high, bar.at_high)):
        again = costs.compare(real_facts, pinned(compared[name], **{field: value}))
        usd = {key: getattr(again, key).usd_per_month.mid for key in ("api", "rented")}
        assert saving == pytest.approx(usd["api"] - usd["rented"], rel=1e-9)


@pytest.mark.parametrize("name", ["default", "one H100"])
def test_the_ends_of_the_gpu_price_are_the_cheapest_and_the_dearest_provider(real_facts, compared, name):
    pair = found(real_facts, compared[name])
    for bar, of in ((bar_of(pair.saving, "rented_usd_per_gpu_hour"), "saving"),
                    (bar_of(pair.pays_from, "rented_usd_per_gpu_hour"), "crossing")):  # fmt: skip
        for value, result in ((bar.input.low, bar.at_low), (bar.input.high, bar.at_high)):
            again = costs.compare(real_facts, pinned(compared[name], own_usd_per_gpu_hour=value))
            both = words.two_options(again, "api", "rented")
            points = both.bands.middle.points
            first = points[0].requests_per_month if points else None
            assert result == near(both.saving_usd_per_month if of == "saving" else first)


def test_the_ends_of_the_api_price_are_the_cheapest_and_the_dearest_provider(real_facts, compared):
    comparison = compared["default"]
    bar = bar_of(found(real_facts, comparison).saving, "api_price")
    rented = comparison.rented.usd_per_month.mid
    assert bar.at_low == pytest.approx(comparison.api.usd_per_month.low - rented)
    assert bar.at_high == pytest.approx(comparison.api.usd_per_month.high - rented)


def test_a_field_of_the_map_is_a_whole_comparison_at_that_price_and_utilisation(real_facts, compared):
    pair = found(real_facts, compared["one H100"])
    grid = breakeven.saving_map(pair, *breakeven.map_names(pair))
    assert (grid.x.name, grid.y.name) == ("rented_usd_per_gpu_hour", "target_utilisation_fraction")
    for row, column in ((0, 0), (7, 20), (len(grid.ys) - 1, len(grid.xs) - 1)):
        asked = pinned(
            compared["one H100"],
            own_usd_per_gpu_hour=grid.xs[column],
            target_utilisation_fraction=grid.ys[row],
        )
        both = words.two_options(costs.compare(real_facts, asked), "api", "rented")
        assert grid.saving_usd_per_month[row][column] == pytest.approx(both.saving_usd_per_month, rel=1e-9)
    assert grid.xs[0] <= pair.knob(grid.x.name).band.low <= pair.knob(grid.x.name).band.high <= grid.xs[-1]


@pytest.mark.parametrize("name", SCENARIOS)
def test_more_spread_never_narrows_the_bar_of_an_input_that_moves_one_option_one_way(real_facts, compared, name):
    # Volume and tokens move both options, with the steps of whole replicas between: their ends can come nearer again.
    narrow, wide = (found(real_facts, compared[name], spread_fraction=spread) for spread in (0.1, 0.3))
    for bar in (bar for bar in narrow.saving if bar.input.name in MOVE_ONE):
        wider = bar_of(wide.saving, bar.input.name)
        assert wider.input.low <= bar.input.low <= bar.input.high <= wider.input.high
        if bar.swing is not None and wider.swing is not None:
            assert wider.swing >= bar.swing - 1e-6


def test_own_machines_turn_with_purchase_months_power_and_staff(real_facts, compared):
    bars = {bar.input.name: bar for bar in found(real_facts, compared["own machine"], "owned", "today").saving}
    assert {"purchase_usd", "owned_months", "usd_per_kwh", "pue", "staff_hours_per_month"} <= set(bars)
    # Straight line: (60,000 - 5,000) / 36 months; a quarter off the purchase saves 15,000 / 36 a month.
    assert bars["purchase_usd"].at_low - bars["purchase_usd"].at_mid == pytest.approx(15_000 / 36)
    assert bars["staff_hours_per_month"].at_low - bars["staff_hours_per_month"].at_mid == pytest.approx(2.5 * 80)


def test_a_bill_that_was_typed_in_hangs_on_nothing(real_facts, compared):
    pair = found(real_facts, compared["own bill"], "api", "today")
    assert {knob.name for knob in pair.turned.knobs if knob.name.startswith("today")} == set()
    assert bar_of(pair.saving, "input_tokens").swing > 0


# --- words ------------------------------------------------------------------------------------------------------------


def test_the_answer_says_in_one_sentence_who_is_cheaper_and_where_they_cross_with_the_interval(compared):
    pair = words.two_options(compared["one H100"], "api", "rented")
    text = words.answer(pair)
    assert text.startswith("At 30M requests a month ")
    assert text.count(". ") == 0
    crossing = pair.bands.middle.points[0].requests_per_month
    assert f"they cross at {count_text(crossing)} requests a month" in text
    assert f"({count_text(pair.bands.earliest)} at best, never at worst)" in text
    assert pair.bands.latest is None


def test_never_is_said_with_both_costs_of_a_full_request_and_what_would_have_to_change(compared):
    pair = words.two_options(compared["default"], "api", "rented")
    assert pair.bands.middle.points == ()
    text = " ".join(words.details(pair))
    assert "never pays: even with every replica full" in text
    price, rate = compared["default"].rented.usd_per_gpu_hour.mid, compared["default"].rented.requests_per_s.mid
    ratio = pair.late.curves.mid.usd_per_request_at_scale / pair.early.curves.mid.usd_per_request
    assert f"${price / ratio:.2f} instead of" in text
    assert f"serve {rate * ratio:.3g} requests/s instead of {rate:.3g}" in text
    heading, steps = words.arithmetic(pair)[-1]
    assert heading == "Why they never cross"
    assert steps[-1].result == pytest.approx(ratio)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_pair_of_options_has_an_answer_in_whole_sentences(compared, name):
    for first, second in every_pair(compared[name]):
        pair = words.two_options(compared[name], first, second)
        for text in (words.answer(pair), *words.details(pair), *words.crossing_sentences(pair)):
            assert text[0].isupper() or text[0].isdigit()
            assert text.endswith(".")
            assert not [odd for odd in ("None", "nan", "inf ", "  ", "..") if odd in text], text


def test_an_option_that_is_not_there_is_refused_with_the_reason_and_those_that_are(compared):
    with pytest.raises(InputError, match=r"'owned' is no option .*purchase price.*Choose among api, rented"):
        words.two_options(compared["default"], "owned", "api")
    with pytest.raises(InputError, match="both options are 'api'"):
        words.two_options(compared["default"], "api", "api")


def test_where_there_is_one_option_alone_there_is_no_pair(compared):
    assert words.default_pair(compared["default"]) == ("api", "rented")
