"""Advice on the real catalogue: limits hold, every other deployment has its reason, formats lend each other nothing."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from llmcompare.core import advice_words as words
from llmcompare.core.advice import POINTS_FOR_HALF_THE_COST, Weights
from llmcompare.core.advice_assumptions import assumptions
from llmcompare.core.advised import API, AT_HAND, LIMITS, OWNED, PUBLISHED_FORMATS, SERVERLESS, is_base
from llmcompare.core.capability_scores import CATEGORIES
from llmcompare.core.licences import verdict
from llmcompare.core.needs import PRESETS, Need
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_option import serverless_option
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import advice, advice_out, costs
from llmcompare.services.overview import FAMILIES
from llmcompare.services.serverless import request_s

RAG = PRESETS["RAG"]
CARD = "rtx-4090-24gb"
ASKED = Scenario(requests_per_month=50_000, input_tokens=RAG.input_tokens, output_tokens=RAG.output_tokens)
OF_RAG = {"weights": RAG.weights, "categories": RAG.categories_of_all(CATEGORIES)}
WALK = Need(languages=("de",), data_stays_here=True, hardware=CARD, **OF_RAG)


@pytest.fixture(scope="module")
def walk(real_facts):
    return advice.advise(real_facts, ASKED, WALK)


def test_rag_in_german_on_one_card_stays_on_the_card(real_facts, walk):
    assert walk.lines
    for line in walk.lines:
        assert line.kind == AT_HAND
        assert (line.gpu_id, line.gpu_count) == (CARD, 1)
        assert line.weight_format in PUBLISHED_FORMATS
        assert verdict(real_facts.licences.get(line.model.license_id), WALK.licence, line.model).is_usable
        assert not is_base(line.model)
    said = [row for row in real_facts.language_facts if row.record_type == "coverage"]
    named = {row.generation for row in said if row.language_code == "de"}
    assert {line.model.generation for line in walk.lines} <= named


def test_ranks_are_by_worth_and_chances_add_up_to_one(walk):
    points = [line.points for line in walk.lines]
    assert points == sorted(points, reverse=True)
    assert sum(line.chance or 0 for line in walk.lines) == pytest.approx(1)
    assert sum(walk.chance_by("family").values()) == pytest.approx(1)
    for line in walk.lines:
        weights = RAG.weights
        assert sum(getattr(weights, name) * part for name, part in line.parts.items()) == pytest.approx(line.points)


def named_after(words_before, headline):
    """The models that a headline lists after these words, without their chances."""
    text = headline.partition(words_before)[2].partition(". As likely")[0].rstrip(".")
    return {re.sub(r" \(\d+%\)$", "", name) for name in re.split(", | and ", text) if name}


@pytest.mark.parametrize(
    ("scenario", "need", "said"),
    [
        (ASKED, WALK, "As likely"),
        (Scenario(), Need(), "More often"),
        (ASKED, replace(WALK, weights=Weights(ability=10.0, cost=0.0, speed=0.0)), "difficulty."),
    ],
)
def test_models_that_are_the_best_as_often_or_more_often_stand_beside_the_first_in_the_headline(
    real_facts, scenario, need, said
):
    """Within 2 points of 100, which is what another 2,000 draws move."""
    found = advice.advise(real_facts, scenario, need)
    chances, headline = found.chance_by("display_name"), words.headline(found, {})
    own = chances.pop(found.winner.model.display_name)
    more = {name for name, chance in chances.items() if chance > own + 0.02}
    level = {name for name, chance in chances.items() if chance >= 0.02 and abs(chance - own) <= 0.02}
    assert named_after("More often the best when every uncertain figure is drawn: ", headline) == more
    assert named_after("As likely the best: ", headline) == level
    assert said in headline


def test_every_model_is_ranked_or_out_for_a_reason(real_facts, walk):
    ranked = {line.model.model_id for line in walk.lines}
    out = {one.model.model_id for one in walk.out_models}
    assert not ranked & out
    assert ranked | out == {one.model_id for one in real_facts.models.values() if one.family in FAMILIES}
    for one in walk.out_models:
        assert one.limit in words.LIMIT_WORDS
        assert one.reason
    reasons = {one.model.model_id: one for one in walk.out_models}
    llama = reasons["llama-3.1-405b-instruct"]
    assert (llama.limit, "does not fit on 1 × GeForce RTX 4090 24GB" in llama.reason) == ("data stays here", True)


def test_a_model_with_a_score_in_one_category_of_eight_is_no_winner_over_all(real_facts):
    """Ministral 3 8B had one comparable score, in one category, and was first on it."""
    found = advice.advise(real_facts, Scenario(), Need(hardware=CARD))
    reasons = {one.model.model_id: one for one in found.out_models}
    assert reasons["ministral-3-8b-instruct"].limit == "evidence"
    assert "12% of what counts" in reasons["ministral-3-8b-instruct"].reason
    everybody = advice.advise(real_facts, Scenario(), Need(hardware=CARD, min_evidence_fraction=0))
    assert "ministral-3-8b-instruct" in {line.model.model_id for line in everybody.lines}


def test_every_deployment_that_is_out_names_the_first_limit_it_breaks(real_facts, walk):
    rows = list(walk.out_rows())
    assert len(rows) + len(walk.lines) == walk.deployment_count
    for model_id, kind, gpu_id, _, _, weight_format, limit, reason in rows[:: max(1, len(rows) // 500)]:
        assert reason
        before = LIMITS[: LIMITS.index(limit)]
        if limit == "data stays here":
            assert kind != AT_HAND
        if limit == "weight format":
            assert weight_format not in PUBLISHED_FORMATS
            assert gpu_id == CARD
        if "licence" in before:
            model = real_facts.models[model_id]
            assert verdict(real_facts.licences.get(model.license_id), WALK.licence, model).is_usable


def test_a_quantised_format_is_out_or_loses_what_is_assumed_and_never_has_the_published_score(real_facts, walk):
    by_format = [one for one in walk.limit_flips if one.limit == "weight format"]
    assert len(by_format) == 1
    flip = by_format[0]
    assert "nobody measured that" in words.limit_sentence(flip, advice_out.gpu_names(real_facts))
    assumed = advice.advise(real_facts, ASKED, replace(WALK, format_loss_points=6.0))
    quantised = [line for line in assumed.lines if line.weight_format not in PUBLISHED_FORMATS]
    assert quantised
    for line in quantised[:20]:
        assert line.parts["ability"] == pytest.approx(line.ability.mid - 3)
        assert words.format_text(line, assumed.need).startswith("not measured")
    # It comes first when it may lose less than the sentence says, and not when it surely loses more.
    little = advice.advise(real_facts, ASKED, replace(WALK, format_loss_points=flip.loss_points))
    assert little.winner.model == flip.line.model


@pytest.mark.parametrize(
    "limit",
    [
        {"max_usd_per_month": 30.0}, {"min_ability_percent": 80.0}, {"context_tokens": 200_000},
        {"languages": ("th", "de")}, {"monthly_active_users": 1e9}, {"trains_other_models": True},
    ],
)  # fmt: skip
def test_a_hard_limit_lets_no_violator_in_and_keeps_who_keeps_it(real_facts, limit):
    free = advice.advise(real_facts, ASKED, Need(**OF_RAG))
    bound = advice.advise(real_facts, ASKED, Need(**OF_RAG, **limit))
    assert {line.place for line in bound.lines} or bound.out_models
    for line in bound.lines:
        assert line.usd_per_month <= limit.get("max_usd_per_month", np.inf)
        assert line.ability.mid >= limit.get("min_ability_percent", 0)
        assert (line.model.context_tokens or 0) >= limit.get("context_tokens", 0)
        assert verdict(real_facts.licences.get(line.model.license_id), bound.need.licence, line.model).is_usable
    points = {line.place: line.points for line in free.lines}
    for line in bound.lines:
        if line.place in points:
            assert points[line.place] == pytest.approx(line.points)


@pytest.mark.parametrize("scenario", [ASKED, Scenario(requests_per_month=20_000_000)])
def test_more_weight_on_cost_never_makes_the_first_place_dearer(real_facts, scenario):
    costs = [
        advice.advise(real_facts, scenario, Need(weights=Weights(cost=cost)), draws=10).winner.usd_per_month
        for cost in (0, 0.5, 1, 2, 5, 10)
    ]
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in zip(costs, costs[1:], strict=False))


def test_what_a_flip_says_comes_true(real_facts):
    found = advice.advise(real_facts, ASKED, Need(**OF_RAG))
    weights = {flip.input: (flip, line) for flip, line in found.flips if flip.input.startswith("weight of")}
    assert weights
    for name, (flip, line) in weights.items():
        criterion = name.removeprefix("weight of ")
        beyond = flip.then + (1e-4 if flip.then > flip.now else -1e-4)
        changed = replace(RAG.weights, **{criterion: min(10, max(0, beyond))})
        again = advice.advise(real_facts, ASKED, Need(weights=changed, categories=OF_RAG["categories"]), draws=10)
        assert (again.winner.model, again.winner.kind) == (line.model, line.kind)


def asked_again(real_facts, name, then, *, beyond):
    """The same question with one limit or the volume a little beyond a flip."""
    value = then * beyond
    if name == "requests a month":
        return advice.advise(real_facts, replace(BUSY, requests_per_month=value), ON_A_BUDGET, draws=10)
    limit = {"budget": "max_usd_per_month", "floor o": "min_ability_percent", "context": "context_tokens"}[
        name[:7].rstrip(",")
    ]
    return advice.advise(real_facts, BUSY, replace(ON_A_BUDGET, **{limit: value}), draws=10)


BUSY = Scenario(requests_per_month=3_000_000, ttft_limit_ms=500)
ON_A_BUDGET = Need(max_usd_per_month=5_000)


def test_a_flip_of_volume_or_limit_is_the_first_one_on_the_way(real_facts):
    """Just beyond it the deployment it names is first, and just before it the one of now still is, budget and all."""
    found = advice.advise(real_facts, BUSY, ON_A_BUDGET)
    flips = [
        (flip, line) for flip, line in found.flips if flip.input.startswith(("requests", "budget", "floor", "context"))
    ]
    assert {flip.input[:6] for flip, _ in flips} >= {"reques", "budget"}
    for flip, line in flips:
        outward = (
            0.999 if flip.then < (flip.now or np.inf) and not flip.input.startswith(("floor", "context")) else 1.001
        )
        after = asked_again(real_facts, flip.input, flip.then, beyond=outward).winner
        assert (after.model, after.kind) == (line.model, line.kind), flip.input
        before = asked_again(real_facts, flip.input, flip.then, beyond=1 / outward**5).winner
        assert (before.model, before.kind) == (found.winner.model, found.winner.kind), flip.input


def test_when_its_gpu_gets_dearer_the_same_model_on_another_gpu_comes_first(real_facts):
    found = advice.advise(real_facts, Scenario(requests_per_month=50_000_000), Need(weights=PRESETS["batch"].weights))
    flip, line = next((one, line) for one, line in found.flips if one.input.startswith("USD a month"))
    assert line.gpu_id != found.winner.gpu_id
    rivals = [one for one in found.lines if one.gpu_id != found.winner.gpu_id]
    assert (line.place, line.points) == (rivals[0].place, rivals[0].points)
    lead = 3 * POINTS_FOR_HALF_THE_COST * np.log2(flip.then / flip.now)
    assert found.winner.points - lead == pytest.approx(line.points)


def test_hardware_that_may_turn_out_too_slow_says_how_often_nothing_serves_the_volume(real_facts):
    plenty = Scenario(requests_per_month=60_000_000)
    found = advice.advise(real_facts, plenty, Need(hardware=CARD, data_stays_here=True, weights=Weights(cost=0)))
    assert found.lines
    total = sum(found.chance_by("family").values())
    assert 0.5 < total < 0.999
    assert f"in {words.share_text(1 - total)} nothing serves the volume" in words.reasons(found, {})[1]


def test_a_model_that_is_best_more_often_than_the_first_place_is_named(real_facts, walk):
    def said(found):
        (often, chance), *_ = found.chance_by("display_name").items()
        sentence = words.reasons(found, {})[1]
        return often, f"{often}, behind at the middle of the figures, is the best more often" in sentence, chance

    answers = [advice.advise(real_facts, Scenario(), Need()), walk]
    for found in answers:
        often, is_named, chance = said(found)
        first = found.chance_by("display_name")[found.winner.model.display_name]
        assert is_named == (chance > first)
    assert any(said(found)[1] for found in answers)


def test_every_input_of_the_answer_has_its_smallest_change(walk):
    inputs = {flip.input for flip, _ in walk.flips}
    assert {"weight of ability", "weight of speed", "ability of the first, percent", "requests a month"} <= inputs
    assert {one.limit for one in walk.limit_flips} >= {"data stays here", "weight format"}


def test_a_volume_beyond_the_hardware_at_hand_is_out_with_its_reason(real_facts):
    found = advice.advise(
        real_facts, Scenario(requests_per_month=500_000_000), Need(hardware=CARD, data_stays_here=True)
    )
    assert found.lines == ()
    assert words.headline(found, {}).startswith("No deployment keeps every limit")
    reasons = [one.reason for one in found.out_models if one.limit == "hardware at hand"]
    assert reasons
    assert all("500M requests a month" in reason for reason in reasons)


def test_with_a_latency_limit_an_api_is_out_because_its_speed_is_not_known(real_facts):
    found = advice.advise(real_facts, Scenario(ttft_limit_ms=500), Need())
    assert found.lines
    assert all(line.kind != API for line in found.lines)
    assert found.out_counts["latency"] > 0


def test_nobody_wins_by_a_price_that_is_not_there(real_facts):
    found = advice.advise(real_facts, ASKED, Need(**OF_RAG))
    offered = {offer.model_id for offer in real_facts.api_offers}
    for line in found.lines:
        assert line.usd_per_month > 0
        assert line.kind != API or line.model.model_id in offered
        assert line.kind != API or line.tokens_per_s is None


@pytest.mark.parametrize(
    ("need", "message"),
    [(Need(hardware="rtx-9999"), "rtx-9999"), (Need(languages=("klingon",)), "klingon")],
)
def test_an_unknown_name_is_refused(real_facts, need, message):
    with pytest.raises(UnknownIdError, match=message):
        advice.advise(real_facts, ASKED, need)


def test_a_rate_of_ones_own_cannot_be_asked_of_all_models(real_facts):
    with pytest.raises(InputError, match="own_output_tokens_per_s holds for one deployment"):
        advice.advise(real_facts, Scenario(own_output_tokens_per_s=500, gpu=CARD), Need())


def test_the_same_question_has_the_same_answer_twice_and_as_json(real_facts, walk):
    first, second = (
        advice_out.advice_json(real_facts, walk),
        advice_out.advice_json(real_facts, advice.advise(real_facts, ASKED, WALK)),
    )
    assert json.dumps(first) == json.dumps(second)
    assert first["deployments"][0]["kind"] == AT_HAND
    assert len(first["families"]) == 3
    assert len(first["out"][0]) == len(first["out_columns"])


# --- serverless GPUs and own machines ---------------------------------------------------------------------------------

QUIET = Scenario(requests_per_month=20_000)


def alone(real_facts, scenario, line):
    """The comparison of the Costs page for the very deployment of a line."""
    return costs.compare(
        real_facts,
        replace(
            scenario, model=line.model.model_id, gpu=line.gpu_id, engine=line.engine, weight_format=line.weight_format,
            capacity_basis="predicted",
        ),
    )  # fmt: skip


def of_kind(found, kind):
    return [line for line in found.lines if line.kind == kind]


@pytest.mark.parametrize(
    "scenario", [QUIET, replace(QUIET, requests_per_month=300_000, traffic="business-hours", requests_per_worker=8)]
)
def test_a_serverless_deployment_costs_here_what_it_costs_on_the_costs_page(real_facts, scenario):
    found = of_kind(advice.advise(real_facts, scenario, Need()), SERVERLESS)
    assert len(found) > 20
    ratios = []
    for line in found[:: len(found) // 12]:
        gpu, of_model = real_facts.gpus[line.gpu_id], replace(scenario, model=line.model.model_id)
        place = {"engine": line.engine, "weight_format": line.weight_format}
        alone_s, full_s, basis = request_s(real_facts, of_model, gpu, line.gpu_count, **place)
        option, _ = serverless_option(
            of_model, gpu=gpu, gpus_per_worker=line.gpu_count, **place, alone_s=alone_s, full_s=full_s,
            service_basis=basis, offers=real_facts.serverless_offers, terms=real_facts.serverless_terms,
        )  # fmt: skip
        ratios.append(line.usd_per_month / option.usd_per_month.mid)
        assert line.provider_count == len(option.plans)
    # The table goes over the steps of the curve, where one more worker is just allowed.
    assert np.median(ratios) == pytest.approx(1, abs=0.02)
    assert np.array(ratios) == pytest.approx(1, abs=0.4)


def test_the_wait_for_cold_starts_counts_in_the_speed_of_a_serverless_request(real_facts):
    """The same model on the same GPU answers quicker where it always runs."""
    found = advice.advise(real_facts, QUIET, Need())
    rented = {
        (line.model.model_id, line.gpu_id, line.engine, line.weight_format): line for line in of_kind(found, "rented")
    }
    pairs = [
        (line, rented[key])
        for line in of_kind(found, SERVERLESS)
        if (key := (line.model.model_id, line.gpu_id, line.engine, line.weight_format)) in rented
    ]
    assert pairs
    for serverless, always_on in pairs:
        assert 0.5 < serverless.cold_fraction < 1
        assert serverless.tokens_per_s < always_on.tokens_per_s


@pytest.mark.parametrize("most", [0.02, 0.3])
def test_with_a_latency_limit_no_deployment_is_in_where_more_requests_meet_a_cold_start(real_facts, most):
    scenario = Scenario(requests_per_month=2_000_000, ttft_limit_ms=2_000, requests_per_worker=4)
    found = advice.advise(real_facts, scenario, Need(max_cold_fraction=most))
    assert of_kind(found, SERVERLESS)
    assert all(line.cold_fraction <= most for line in of_kind(found, SERVERLESS))
    out = [row for row in found.out_rows() if row[1] == SERVERLESS and row[6] == "latency"]
    assert any("meet a cold start of 60 s, over the" in row[7] for row in out)


def test_a_quiet_service_with_a_latency_limit_is_not_served_by_workers_that_sleep(real_facts):
    found = advice.advise(real_facts, replace(QUIET, ttft_limit_ms=2_000), Need())
    assert found.lines
    assert not of_kind(found, SERVERLESS)
    assert of_kind(advice.advise(real_facts, QUIET, Need()), SERVERLESS)


def test_a_longer_cold_start_makes_every_serverless_deployment_worth_less_and_no_other(real_facts):
    need = Need(weights=Weights(speed=2))
    quick, slow = (
        advice.advise(real_facts, replace(QUIET, cold_start_s=seconds), need, draws=10) for seconds in (10, 120)
    )
    points = {(line.kind, line.model.model_id, line.gpu_id, line.engine): line.points for line in quick.lines}
    compared = [
        (line, points[key])
        for line in slow.lines
        if (key := (line.kind, line.model.model_id, line.gpu_id, line.engine)) in points
    ]
    assert {line.kind for line, _ in compared} >= {API, SERVERLESS, "rented"}
    for line, before in compared:
        assert line.points < before if line.kind == SERVERLESS else line.points == pytest.approx(before)


def test_a_machine_to_buy_is_ranked_at_what_the_costs_page_says(real_facts):
    scenario = Scenario(requests_per_month=3_000_000, purchase_usd=30_000, owned_gpu="h100-sxm-80gb")
    found = of_kind(advice.advise(real_facts, scenario, Need()), OWNED)
    assert found
    assert {line.gpu_id for line in found} == {"h100-sxm-80gb"}
    for line in found[:: max(1, len(found) // 6)]:
        if not line.measured:
            owned = alone(real_facts, scenario, line).owned
            assert line.usd_per_month == pytest.approx(owned.usd_per_month.mid, rel=1e-6)


def test_data_that_stays_here_is_served_by_a_machine_that_is_bought_and_by_no_other(real_facts):
    scenario = Scenario(requests_per_month=100_000, purchase_usd=30_000, owned_gpu="h100-sxm-80gb")
    found = advice.advise(real_facts, scenario, Need(data_stays_here=True))
    assert {line.kind for line in found.lines} == {OWNED}
    with pytest.raises(InputError, match="no hardware is at hand: name its GPU"):
        advice.advise(real_facts, Scenario(), Need(data_stays_here=True))


def test_a_paid_machine_that_is_at_hand_stands_in_the_ranking_once(real_facts, walk):
    handed_over = advice.advise(real_facts, replace(ASKED, purchase_usd=0.0, owned_gpu=CARD), WALK)
    assert {line.kind for line in handed_over.lines} == {AT_HAND}
    assert [line.place for line in handed_over.lines] == [line.place for line in walk.lines]
    another = advice.advise(real_facts, replace(ASKED, purchase_usd=0.0, owned_gpu="h100-sxm-80gb"), WALK)
    assert {line.kind for line in another.lines} == {AT_HAND, OWNED}


def test_every_assumption_on_serverless_workers_is_listed_with_its_value(real_facts):
    listed = {one.name: one for one in assumptions(Need(), replace(QUIET, cold_start_s=45, idle_timeout_s=10))}
    assert (listed["cold start"].value, listed["cold start"].editable_as) == ("45 s", "cold_start_s")
    assert listed["idle timeout"].value == "10 s"
    assert "5%" in listed["cold starts within a latency limit"].value


def test_the_best_of_each_way_to_serve_is_said_and_what_has_nothing_left(real_facts, walk):
    found = advice.advise(real_facts, replace(QUIET, purchase_usd=9_000, owned_gpu=CARD), Need(hardware=CARD))
    assert {line.kind for line in found.best_of_kinds} == {API, SERVERLESS, "rented", AT_HAND, OWNED}
    assert found.best_of_kinds[0].place == found.winner.place
    for line in found.best_of_kinds:
        listed = of_kind(found, line.kind)
        assert not listed or listed[0].place == line.place
    assert len(list(words.kind_sentences(found, {}))) == 5
    assert list(words.kind_sentences(walk, {}))[-1] == (
        "Nothing within the limits: Token-priced API, Serverless GPUs, Rented GPUs."
    )
