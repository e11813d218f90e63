"""The statements of the buying guide on the real facts: what must come out, and that each verdict follows its data."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from llmcompare.core import claims
from llmcompare.core.claims import CHECKS, cannot_both_be_true, examine, verdict
from llmcompare.core.claims_known import Known
from llmcompare.core.claims_open import opinion
from llmcompare.core.records import Finding
from llmcompare.services import claims as checks
from llmcompare.store.db import Catalog

Change = Callable[[Known], Known]


@pytest.fixture(scope="module")
def known(real_facts) -> Known:
    return checks.known(real_facts)


@pytest.fixture(scope="module")
def found(known):
    return {one.claim.claim_id: one.found for one in examine(known)}


# --- what must come out -----------------------------------------------------------------------------------------------


def test_every_statement_has_a_check_and_every_check_a_statement(known):
    assert set(CHECKS) == set(known.claims)
    assert len(CHECKS) == 69


def test_each_verdict_is_one_of_the_seven_and_has_an_explanation_and_its_rows(found):
    for claim_id, one in found.items():
        assert one.verdict in claims.VERDICTS, claim_id
        assert one.explanation.endswith("."), claim_id
        assert one.row_ids or one.verdict in ("no-evidence", "opinion"), claim_id
    assert {one.verdict for one in found.values()} == set(claims.VERDICTS)


def test_every_row_behind_a_verdict_is_a_row_of_the_catalogue(found, real_catalog: Catalog):
    for one in found.values():
        for row_id in one.row_ids:
            table = row_id.split(":")[0]
            _, rows = real_catalog.table(f"SELECT source FROM {table} WHERE row_id = $row_id", row_id=row_id)
            assert len(rows) == 1, row_id


def test_self_hosting_at_the_guides_own_figures_is_13_5_times_dearer_than_its_api(found):
    one = found["self-hosting-pays-at-once"]
    assert one.verdict == "contradicted"
    assert one.figures["self_hosted_usd_per_request"] == 0.0135
    assert one.figures["times_the_api_ratio"] == 13.5
    assert one.figures["breakeven_requests_per_hour"] == 2_700
    assert found["self-host-00135-per-request"].verdict == "holds"


def test_86_0_on_mmlu_belongs_to_llama_3_1_70b_and_llama_3_70b_has_82_0(found):
    one = found["mmlu-llama-3-70b"]
    assert one.verdict == "contradicted"
    assert max(one.figures["published_accuracy_percent"]) == 82.0
    assert "llama-3.1-70b-instruct" in one.figures["models_that_have_it"]


def test_mistral_large_2_has_123_billion_parameters_neither_34_nor_72(found):
    for claim_id in ("mistral-large-34b", "mistral-large-72b"):
        one = found[claim_id]
        assert one.verdict == "self-contradicting"
        assert one.figures["verdict_by_sources"] == "contradicted"
        assert 123.0 in one.figures["published_params_total_billion"]


def test_the_l40s_has_48_gb(found):
    assert found["l40s-is-8gb"].verdict == "contradicted"
    assert found["l40s-is-8gb"].figures["published_memory_gb"] == 48


def test_what_lora_costs_contradicts_itself_within_the_guide(found):
    for claim_id in ("lora-8-gpu-hours", "lora-200-500", "lora-9-50"):
        assert found[claim_id].verdict == "self-contradicting"
    assert "9.52" in found["lora-200-500"].explanation
    assert "200 to 500" in found["lora-8-gpu-hours"].explanation


def test_no_long_context_llama_was_true_until_3_1_came(found):
    one = found["llama-no-official-long-context"]
    assert one.verdict == "outdated"
    assert one.figures["changed_on"] == "2024-07-23"


@pytest.mark.parametrize(
    ("claim_id", "name"),
    [
        ("runpod-h100-269", "holds"), ("runpod-a100-119", "holds"), ("llama-licence-no-competing", "holds"),
        ("qwen-licence-cc", "contradicted"), ("mistral-licence-unrestricted", "partly"),
        ("qwen-context-200k", "partly"), ("mmlu-qwen-72b", "contradicted"), ("mistral-small-12b", "contradicted"),
        ("llama-3-two-sizes", "holds"), ("mistral-medium-35b", "no-evidence"), ("cost-per-token-api", "contradicted"),
        ("production-ready-2026", "opinion"), ("volume-tier-api-100m", "self-contradicting"),
    ],
)  # fmt: skip
def test_what_the_notes_on_the_data_say_comes_out(found, claim_id, name):
    assert found[claim_id].verdict == name


def test_the_headline_counts_every_statement_once(known, found):
    checked = examine(known)
    counted = claims.counts(checked)
    assert sum(counted.values()) == 69
    text = claims.headline(checked)
    assert text.startswith("Of 69 statements ")
    assert all(str(count) in text for count in counted.values())


def test_the_guides_sentences_stand_nowhere_as_evidence_but_for_their_own_arithmetic(known, found):
    """A statement rests on rows of claims.csv only where it is arithmetic on its own figures, or contradicts itself."""
    arithmetic = {
        claim_id for claim_id, one in found.items() if any(row_id.startswith("claims:") for row_id in one.row_ids)
    }
    own = {claim_id for claim_id, one in found.items() if one.verdict == "self-contradicting"}
    assert arithmetic - own == ARITHMETIC


ARITHMETIC = {
    "self-host-00135-per-request", "self-hosting-pays-at-once", "monthly-850-vs-1930", "lora-4-6-hours",
}  # fmt: skip


# --- a changed row changes the verdict --------------------------------------------------------------------------------


def models(like: str, **fields: object) -> Change:
    """Every model whose id begins so gets these cells."""

    def change(known: Known) -> Known:
        changed = {
            name: replace(model, **fields) if name.startswith(like) else model for name, model in known.models.items()
        }
        return replace(known, models=changed)

    return change


def scores(like: str, value: float | Callable[[float], float], *, benchmarks: Iterable[str] = ()) -> Change:
    """Scores of models whose id begins so; of these benchmarks, or of all."""

    def change(known: Known) -> Known:
        changed = [
            replace(one, score=value(one.score) if callable(value) else value)
            if one.model_id.startswith(like) and (not benchmarks or one.benchmark in benchmarks)
            else one
            for one in known.scores
        ]
        return replace(known, scores=changed)

    return change


def claim(claim_id: str, **fields: object) -> Change:
    """Another statement than the guide's."""
    return lambda known: replace(
        known, claims={**known.claims, claim_id: replace(known.claims[claim_id], **fields)}
    )  # fmt: skip


def licences(**fields: object) -> Change:
    """Every licence gets these cells."""
    return lambda known: replace(
        known, licences={name: replace(one, **fields) for name, one in known.licences.items()}
    )  # fmt: skip


def gpu(gpu_id: str, **fields: object) -> Change:
    return lambda known: replace(known, gpus={**known.gpus, gpu_id: replace(known.gpus[gpu_id], **fields)})


def prices(provider: str, factor: float) -> Change:
    """Every GPU price of a provider, now and before."""

    def changed(rows):
        return [
            replace(one, usd_per_gpu_hour=factor * one.usd_per_gpu_hour) if provider in ("", one.provider) else one
            for one in rows
        ]

    return lambda known: replace(
        known, gpu_price_history=changed(known.gpu_price_history), gpu_offers=changed(known.gpu_offers)
    )


def api_prices(factor: float, *, like: str = "") -> Change:
    def changed(one):
        if not one.api_model_name.startswith(like):
            return one
        return replace(
            one,
            input_usd_per_mtok=factor * one.input_usd_per_mtok,
            output_usd_per_mtok=factor * one.output_usd_per_mtok,
        )

    return lambda known: replace(known, api_offers=[changed(one) for one in known.api_offers])


def speeds(like: str, factor: float) -> Change:
    """Rates of models whose id begins so, measured and predicted."""
    return lambda known: replace(
        known,
        speeds=[
            replace(one, tokens_per_s=factor * one.tokens_per_s)
            if one.model_id.startswith(like) and one.tokens_per_s
            else one
            for one in known.speeds
        ],
        predicted_rates=[
            replace(one, tokens_per_s=factor * one.tokens_per_s) if one.model_id.startswith(like) else one
            for one in known.predicted_rates
        ],
    )


def alone(claim_id: str) -> Change:
    """Without the statements that it is compared with."""
    return claim(claim_id, compare_with=None)


def all_of(*changes: Change) -> Change:
    def change(known: Known) -> Known:
        for one in changes:
            known = one(known)
        return known

    return change


def finding(claim_id: str, supports: str) -> Change:
    """Another finding on a statement."""
    new = Finding(
        claim_id=claim_id, part="a part", finding="somebody looked", supports=supports, figure=None, against=None,
        unit=None, row_id="findings:new", as_of="2026-11-25", source="https://s.example",
    )  # fmt: skip
    return lambda known: replace(known, findings=[*known.findings, new])


def without_findings(claim_id: str) -> Change:
    return lambda known: replace(known, findings=[one for one in known.findings if one.claim_id != claim_id])


def shapes(like: str, **fields: object) -> Change:
    return lambda known: replace(
        known,
        shapes={name: replace(one, **fields) if name.startswith(like) else one for name, one in known.shapes.items()},
    )


def formats(**factors: float) -> Change:
    """Cells of llama.cpp's formats but F16, times a factor."""
    return lambda known: replace(
        known,
        formats=[
            one
            if one.quantization == "F16"
            else replace(one, **{name: factor * getattr(one, name) for name, factor in factors.items()})
            for one in known.formats
        ],
    )


CHANGES: dict[str, list[tuple[Change, str]]] = {
    "mmlu-llama-3-70b": [(scores("llama-3-70b-instruct", 86.0, benchmarks=["mmlu"]), "holds")],
    "mmlu-mistral-large": [(scores("mistral-large", 81.5), "holds"), (scores("mistral-large-1", 70.0), "contradicted")],
    "mmlu-qwen-72b": [(scores("qwen2-72b", 83.2, benchmarks=["mmlu"]), "partly")],
    "qwen-trails-llama-english": [
        (scores("llama-3-70b", lambda score: score + 40), "holds"),
        (scores("llama-3-70b", 0.0), "contradicted"),
    ],
    "mistral-large-34b": [
        (claim("mistral-large-72b", claimed="34"), "contradicted"),
        (all_of(alone("mistral-large-34b"), models("mistral-large", params_total_billion=34.0)), "holds"),
    ],
    "mistral-large-72b": [
        (claim("mistral-large-34b", claimed="72"), "contradicted"),
        (all_of(alone("mistral-large-72b"), models("mistral-large", params_total_billion=72.0)), "holds"),
    ],
    "mistral-small-12b": [(models("mistral-small-2409", params_total_billion=12.0), "outdated")],
    "mistral-medium-35b": [
        (models("mistral-medium-1", params_total_billion=35.0), "outdated"),
        (models("mistral-medium-1", params_total_billion=70.0), "contradicted"),
    ],
    "mistral-large-beats-llama-2-70b": [
        (scores("mistral-large", 0.0), "contradicted"),
        (models("mistral-large", params_active_billion=12.0), "holds"),
    ],
    "llama-3-two-sizes": [(models("llama-3-8b-instruct", params_total_billion=13.0), "partly")],
    "llama-3-8b-beats-llama-2-13b": [(scores("llama-3-8b", 1.0), "contradicted")],
    "qwen-sizes": [(models("qwen", params_total_billion=3.0, display_name="Qwen"), "contradicted")],
    "llama-3-context-8k": [(models("llama-3-", context_native_tokens=16_384), "contradicted")],
    "llama-no-official-long-context": [
        (models("llama-3-70b", context_native_tokens=131_072), "contradicted"),
        (all_of(models("llama-3.", context_native_tokens=8_192), models("llama-4", context_native_tokens=8_192)),
         "holds"),
    ],
    "mistral-large-context-32k": [(models("mistral-large", context_native_tokens=32_768), "holds")],
    "qwen-context-200k": [
        (models("qwen3-next", context_native_tokens=200_000, context_extended_tokens=None), "holds"),
        (models("qwen", context_native_tokens=32_768, context_extended_tokens=None), "contradicted"),
    ],
    "context-cost-linear": [
        (lambda known: replace(known, context_speeds=[
            replace(one, tpot_ms=one.context_tokens / 100, usd_per_mtok=one.context_tokens / 1e5)
            for one in known.context_speeds
        ]), "holds"),
    ],
    "llama-licence-no-competing": [(licences(training_others="yes"), "contradicted")],
    "llama-licence-military": [(licences(excluded_fields="none"), "contradicted")],
    "mistral-licence-unrestricted": [
        (licences(commercial_use="yes"), "holds"), (licences(commercial_use="no"), "contradicted"),
    ],
    "qwen-licence-cc": [(licences(name="Creative Commons Attribution 4.0"), "holds")],
    "all-free-commercial": [
        (licences(commercial_use="yes"), "holds"), (licences(commercial_use="no"), "contradicted"),
    ],
    "self-hosting-zero-licence": [
        (licences(commercial_use="yes"), "holds"), (licences(commercial_use="no"), "contradicted"),
    ],
    "runpod-h100-269": [
        (prices("runpod", 1.5), "contradicted"),
        (lambda known: replace(known, gpu_price_history=[
            replace(one, usd_per_gpu_hour=3.5) if one.provider == "runpod" and one.as_of == "2026-11-09" else one
            for one in known.gpu_price_history
        ]), "outdated"),
    ],
    "runpod-a100-119": [(prices("runpod", 1.5), "contradicted")],
    "replicate-gpu-second": [(prices("replicate", 10.0), "contradicted")],
    "modal-gpu-second": [(prices("modal", 10.0), "contradicted")],
    "llama-8b-270-per-hour": [(prices("", 100.0), "contradicted")],
    "mistral-large-190-per-hour": [
        (alone("mistral-large-190-per-hour"), "contradicted"),
        (claim("mistral-large-a100", claimed="1.90"), "contradicted"),
        (all_of(alone("mistral-large-190-per-hour"), claim("mistral-large-190-per-hour", claimed="0.32",
                                                           compare_with=None)), "holds"),
    ],
    "mistral-large-a100": [
        (alone("mistral-large-a100"), "partly"),
        (all_of(alone("mistral-large-a100"), gpu("a100-pcie-80gb", memory_gb=40.0)), "contradicted"),
        (all_of(alone("mistral-large-a100"), gpu("a100-pcie-80gb", memory_gb=400.0)), "holds"),
    ],
    "monthly-850-vs-1930": [
        (claim("monthly-850-vs-1930", claimed="700;1930"), "contradicted"),
        (gpu("h100-sxm-80gb", memory_gb=160.0), "holds"),
    ],
    "qwen-72b-one-h100": [
        (gpu("h100-sxm-80gb", memory_gb=192.0), "holds"), (gpu("h100-sxm-80gb", memory_gb=24.0), "contradicted"),
    ],
    "api-0001-per-request": [(api_prices(3.0), "holds"), (api_prices(0.001), "contradicted")],
    "self-host-00135-per-request": [
        (claim("self-host-00135-per-request", given="usd_per_hour=2.70;requests_per_hour=400"), "contradicted"),
    ],
    "self-hosting-pays-at-once": [
        (claim("self-hosting-pays-at-once",
               given="usd_per_hour=2.70;requests_per_hour=2800;api_usd_per_request=0.001"), "holds"),
    ],
    "occasional-api-dearer": [
        (alone("occasional-api-dearer"), "contradicted"),
        (claim("volume-tier-api-100m", answer="self-hosting"), "contradicted"),
    ],
    "volume-tier-selfhost-1b": [(claim("volume-tier-selfhost-1b", answer="serverless"), "contradicted")],
    "volume-tier-serverless": [(claim("volume-tier-serverless", answer="api", claimed="1e6;1e7"), "holds")],
    "volume-tier-api-100m": [
        (alone("volume-tier-api-100m"), "holds"),
        (claim("occasional-api-dearer", answer="api"), "holds"),
        (all_of(alone("volume-tier-api-100m"), claim("volume-tier-api-100m", claimed="1e11", compare_with=None)),
         "partly"),
    ],
    "cost-per-token-selfhost": [(claim("cost-per-token-selfhost", claimed="1e-8;1e-4"), "holds")],
    "cost-per-token-api": [(api_prices(1e6), "holds")],
    "finetune-hardware-8b": [
        (all_of(gpu("rtx-4090-24gb", memory_gb=4.0), gpu("a100-sxm-80gb", memory_gb=8.0)), "contradicted"),
    ],
    "lora-memory-share": [(claim("lora-memory-share", claimed="1;2"), "contradicted")],
    "lora-8-gpu-hours": [
        (alone("lora-8-gpu-hours"), "partly"),
        (all_of(alone("lora-8-gpu-hours"), gpu("a100-sxm-80gb", matmul_tflop_per_s=18.6)), "holds"),
        (all_of(alone("lora-8-gpu-hours"), claim("lora-8-gpu-hours", claimed="12.00", compare_with=None)),
         "contradicted"),
    ],
    "lora-4-6-hours": [
        (claim("lora-4-6-hours", claimed="5;6"), "contradicted"),
        (all_of(claim("lora-4-6-hours", claimed="4;8"), gpu("a100-sxm-80gb", matmul_tflop_per_s=18.6)), "holds"),
    ],
    "lora-200-500": [
        (alone("lora-200-500"), "contradicted"),
        (all_of(alone("lora-200-500"), prices("", 200.0)), "partly"),
    ],
    "lora-9-50": [
        (claim("lora-200-500", claimed="20;500"), "contradicted"),
        (all_of(alone("lora-9-50"), claim("lora-9-50", claimed="0.1;50", compare_with=None)), "holds"),
    ],
    "full-tuning-5-10x": [(claim("full-tuning-5-10x", claimed="1;2"), "holds")],
    "mistral-finetune-15-20-less": [(shapes("mistral-7b", params_active=6.6e9), "holds")],
    "mistral-10-15-faster": [
        (speeds("mistral", 1.09), "holds"), (speeds("mistral", 0.5), "contradicted"),
    ],
    "qwen-speed-equal": [(speeds("qwen", 0.5), "contradicted")],
    "int4-75-percent": [(claim("int4-75-percent", claimed="50"), "contradicted")],
    "llama-8b-q4-8gb": [
        (shapes("llama-3-8b", layer_count=80, full_kv_layer_count=80), "contradicted"),
        (claim("llama-8b-q4-8gb", claimed="6"), "contradicted"),
    ],
    "l40s-is-8gb": [(gpu("l40s-48gb", memory_gb=8.0), "holds")],
    "quant-latency": [
        (formats(prompt_tokens_per_s=3.0), "holds"),
        (formats(size_gib=20.0, generation_tokens_per_s=0.1), "contradicted"),
    ],
    "qwen-quant-multilingual": [
        (lambda known: replace(known, scores=[
            replace(one, score=one.score - 30)
            if one.benchmark == "c-eval" and any(mark in one.setting for mark in ("Int4", "AWQ", "Int8")) else one
            for one in known.scores if "GPTQ" not in one.setting and "AWQ" not in one.setting
        ]), "holds"),
    ],
    "qwen-best-chinese": [
        (scores("qwen", 1.0), "contradicted"), (scores("qwen", 1.0, benchmarks=["cmmlu"]), "partly"),
    ],
    "testing-10-20-tasks": [
        (scores("qwen", 0.5), "partly"), (claim("testing-10-20-tasks", claimed="400;1000"), "holds"),
    ],
    "llama-code-best": [(scores("llama-3-", 100.0), "holds"), (scores("llama-3-", 0.0), "contradicted")],
    "openai-thousands-monthly": [
        (api_prices(2.0, like="gpt-4"), "holds"), (api_prices(0.1, like="gpt-4"), "contradicted"),
    ],
    "frameworks-all": [
        (without_findings("frameworks-all"), "partly"),
        (all_of(without_findings("frameworks-all"), lambda known: replace(known, speeds=[])), "no-evidence"),
    ],
    "qwen-no-support": [
        (without_findings("qwen-no-support"), "no-evidence"), (finding("qwen-no-support", "yes"), "partly"),
    ],
    "production-ready-2026": [
        (finding("production-ready-2026", "yes"), "holds"), (finding("production-ready-2026", "no"), "contradicted"),
    ],
    "retrain-quarterly": [(finding("retrain-quarterly", "no"), "contradicted")],
    "hundred-good-examples": [(finding("hundred-good-examples", "yes"), "holds")],
    "offline-after-download": [
        (without_findings("offline-after-download"), "no-evidence"),
        (finding("offline-after-download", "no"), "partly"),
    ],
    "llm-serving-frameworks-guided": [
        (without_findings("llm-serving-frameworks-guided"), "no-evidence"),
        (finding("llm-serving-frameworks-guided", "no"), "partly"),
    ],
    "translate-first": [
        (all_of(without_findings("translate-first"), finding("translate-first", "yes")), "holds"),
        (all_of(without_findings("translate-first"), lambda known: replace(known, api_offers=[])), "no-evidence"),
    ],
    "llama-70b-matches-gpt-4": [
        (lambda known: replace(known, findings=[
            replace(one, figure=99.0) if one.figure is not None else one for one in known.findings
        ]), "holds"),
        (lambda known: replace(known, findings=[
            replace(one, figure=1.0) if one.figure is not None else one for one in known.findings
        ]), "contradicted"),
    ],
}  # fmt: skip
"""For each statement a change of rows, or of its own figure where it is arithmetic, and the verdict that follows."""


def test_there_is_a_change_for_every_statement(known):
    assert set(CHANGES) == set(known.claims)


@pytest.mark.parametrize(
    ("claim_id", "number"), [(claim_id, number) for claim_id, ways in CHANGES.items() for number in range(len(ways))]
)
def test_a_changed_row_changes_the_verdict(known, found, claim_id, number):
    change, expected = CHANGES[claim_id][number]
    changed = change(known)
    now = verdict(changed, changed.claims[claim_id]).verdict
    assert now == expected
    assert now != found[claim_id].verdict


def test_without_any_row_nothing_is_claimed_to_be_known(known):
    """Only the arithmetic on the guide's own figures, its contradictions and opinions are left."""
    empty = Known(claims=known.claims)
    for one in examine(empty):
        claim_id = one.claim.claim_id
        if claim_id in ARITHMETIC or one.found.verdict == "self-contradicting":
            continue
        expected = "opinion" if CHECKS[claim_id] is opinion else "no-evidence"
        assert one.found.verdict == expected, claim_id


def test_a_contradiction_is_mutual(known):
    for one in known.claims.values():
        for other in known.claims.values():
            assert cannot_both_be_true(one, other) == cannot_both_be_true(other, one)
    for one in known.claims.values():
        for name in (one.compare_with or "").split(";"):
            if name:
                assert one.claim_id in (known.claims[name].compare_with or "").split(";")


# --- the command line -------------------------------------------------------------------------------------------------


def test_the_command_prints_every_statement_as_strict_json(command, found):
    ran = command("claims", "--json")
    listed = json.loads(ran.out, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert ran.exit_code == 0
    assert len(listed) == 69
    for one in listed:
        assert set(one) == {"claim_id", "verdict", "explanation", "figures", "row_ids"}
        assert one["verdict"] == found[one["claim_id"]].verdict
        assert one["row_ids"] == found[one["claim_id"]].row_ids


def test_the_command_says_the_headline_and_every_statement_in_words(command, known):
    ran = command("claims")
    checked = examine(known)
    assert ran.out.splitlines()[0] == claims.headline(checked)
    assert all(one.claim.statement in ran.out and one.found.explanation in ran.out for one in checked)


def test_a_small_catalogue_is_checked_with_what_it_has(small_facts):
    (one,) = checks.checked(small_facts)
    assert (one.claim.claim_id, one.found.verdict) == ("l40s-is-8gb", "no-evidence")
    assert checks.checked(small_facts) is checks.checked(small_facts)
