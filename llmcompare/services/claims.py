"""The statements of the buying guide, checked against the catalogue as it is now."""

from collections.abc import Sequence
from statistics import median
from typing import Any
from weakref import WeakKeyDictionary

from llmcompare.core import claims, tiers
from llmcompare.core.claims import Checked
from llmcompare.core.claims_costs import REQUEST
from llmcompare.core.claims_known import ContextSpeed, Evidence, Known, PredictedRate, row
from llmcompare.core.comparison import Comparison
from llmcompare.core.cost import usd_per_mtok
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.errors import LlmCompareError
from llmcompare.services import costs, doubts, hardware
from llmcompare.services.catalogue import Facts
from llmcompare.services.predict import Choice, speeds

COMPARED_MODELS = (
    "llama-3-8b-instruct", "llama-3-70b-instruct", "mixtral-8x7b-instruct-v0.1", "qwen2.5-7b-instruct",
)  # fmt: skip
"""What statements on volumes are checked with: of each family one whose serving rate was published, and a large one."""
GPU, ENGINE, WEIGHT_FORMAT = "h100-sxm-80gb", "vllm", "bf16"
"""Of the predicted deployments."""
RATED_MODELS = {
    1: ("llama-3-8b-instruct", "mistral-7b-instruct-v0.3", "qwen2.5-7b-instruct", "qwen3-8b"),
    4: ("llama-3-70b-instruct", "qwen2.5-72b-instruct"),
}
"""By the GPUs that they are predicted on: models that are each other's equivalents."""
RATED_CONTEXT_TOKENS = 2_048
LONG_MODEL = "llama-3.1-8b-instruct"
CONTEXTS_TOKENS = (1_024, 8_192, 32_768, 131_072)
OUTPUT_TOKENS = 256

_checked: WeakKeyDictionary[Facts, list[Checked]] = WeakKeyDictionary()
"""Facts never change, so neither do the verdicts on them."""


def checked(facts: Facts) -> list[Checked]:
    """Every statement with its verdict, in the order of its table."""
    if facts not in _checked:
        _checked[facts] = claims.examine(known(facts))
    return _checked[facts]


def known(facts: Facts) -> Known:
    """Everything that the checks may look at."""
    context_speeds, context_evidence = _context_speeds(facts)
    comparisons = _comparisons(facts)
    return Known(
        claims=facts.claims,
        findings=facts.findings,
        models=facts.models,
        shapes=facts.shapes,
        licences=facts.licences,
        scores=facts.published_scores,
        categories={name: found.category for name, found in facts.benchmark_categories.items()},
        speeds=facts.published_speeds,
        gpus=facts.gpus,
        gpu_offers=doubts.sound_gpu_offers(facts),
        gpu_price_history=facts.gpu_price_history,
        api_offers=doubts.sound_api_offers(facts),
        formats=facts.listed_formats,
        comparisons=comparisons,
        tiers={
            name: tiers.tiers(tiers.ways(one), tokens_per_request=one.workload.tokens_per_request)
            for name, one in comparisons.items()
        },
        context_speeds=context_speeds,
        context_evidence=context_evidence,
        predicted_rates=_predicted_rates(facts),
    )


def _comparisons(facts: Facts) -> dict[str, Comparison]:
    found = {}
    for name in COMPARED_MODELS:
        if name in facts.names:
            scenario = Scenario(model=name, input_tokens=REQUEST.input_tokens, output_tokens=REQUEST.output_tokens)
            try:
                found[name] = costs.compare(facts, scenario)
            except LlmCompareError:
                # A catalogue without today's API, for example: the statements on volumes then have no evidence.
                continue
    return found


def _predicted_rates(facts: Facts) -> list[PredictedRate]:
    found = []
    for gpu_count, names in RATED_MODELS.items():
        choice = Choice(gpu_id=GPU, gpu_count=gpu_count, engine=ENGINE, weight_format=WEIGHT_FORMAT)
        for name in names:
            if name not in facts.shapes or GPU not in facts.gpus:
                continue
            (one,) = speeds(facts, facts.shapes[name], [choice], context_tokens=RATED_CONTEXT_TOKENS)
            if one.decode_tokens_per_s is not None:
                rate = one.decode_tokens_per_s.value
                found.append(PredictedRate(model_id=name, gpu_id=GPU, gpu_count=gpu_count, tokens_per_s=rate))
    return found


def _context_speeds(facts: Facts) -> tuple[list[ContextSpeed], tuple[Evidence, ...]]:
    """Of one deployment at several lengths, with the rows that the figures rest on."""
    shape, price = facts.shapes.get(LONG_MODEL), hardware.price(facts, GPU, billing="on-demand", gpu_count=1)
    if shape is None or price is None or GPU not in facts.gpus:
        return [], ()
    choice = Choice(gpu_id=GPU, gpu_count=1, engine=ENGINE, weight_format=WEIGHT_FORMAT)
    usd_per_hour = median(offer.usd_per_gpu_hour for offer in price.offers)
    found = []
    for context_tokens in CONTEXTS_TOKENS:
        (one,) = speeds(facts, shape, [choice], context_tokens=context_tokens, output_tokens=OUTPUT_TOKENS)
        if one.tpot_ms is None or one.ttft_ms is None or one.output_tokens_per_s is None:
            continue
        all_tokens_per_s = one.output_tokens_per_s.value * context_tokens / OUTPUT_TOKENS
        found.append(
            ContextSpeed(
                context_tokens=context_tokens,
                tpot_ms=one.tpot_ms.value,
                ttft_ms=one.ttft_ms.value,
                usd_per_mtok=usd_per_mtok(usd_per_hour=usd_per_hour, tokens_per_s=all_tokens_per_s),
            )
        )
    gpu, model = facts.gpus[GPU], facts.models.get(LONG_MODEL)
    evidence = [row(gpu, f"{gpu.name}, its memory, bandwidth and arithmetic")]
    if model is not None:
        evidence.append(row(model, f"{model.display_name}, its layers"))
    prices = (row(one, f"{one.provider}: {one.usd_per_gpu_hour:g} USD per GPU-hour") for one in price.offers)
    return found, (*evidence, *prices)


# --- shown ------------------------------------------------------------------------------------------------------------


def as_json(found: Sequence[Checked]) -> list[dict[str, Any]]:
    """Plain values, units in the keys of the figures."""
    return [
        {
            "claim_id": one.claim.claim_id,
            "verdict": one.found.verdict,
            "explanation": one.found.explanation,
            "figures": dict(one.found.figures),
            "row_ids": one.found.row_ids,
        }
        for one in found
    ]


def table(found: Sequence[Checked]) -> Table:
    """One row per statement."""
    return Table(
        name="guide-checked",
        title="Statements of the guide with their verdicts",
        columns=("claim_id", "topic", "statement", "verdict", "explanation", "row_count", "row_ids", "as_of", "source"),
        rows=tuple(
            (
                one.claim.claim_id, one.claim.topic, one.claim.statement, one.found.verdict, one.found.explanation,
                len(one.found.row_ids), " ".join(one.found.row_ids), one.claim.as_of, one.claim.source,
            )
            for one in found
        ),
    )  # fmt: skip


def rows_table(one: Checked) -> Table:
    """The rows that a verdict rests on, each once."""
    rows = {evidence.row_id: evidence for evidence in one.found.evidence}
    return Table(
        name=f"guide-{one.claim.claim_id}",
        title=f"Rows behind {one.claim.claim_id}",
        columns=("says", "as_of", "source", "row_id"),
        rows=tuple((found.says, found.as_of, found.source, found.row_id) for found in rows.values()),
    )


def topics(found: Sequence[Checked]) -> list[str]:
    """Topics of the statements, in their order."""
    return list(dict.fromkeys(one.claim.topic for one in found))
