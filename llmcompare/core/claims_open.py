"""Checks of statements that no price, score or formula decides: what sources say, else no evidence or opinion."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from llmcompare.core.claims_costs import REQUEST, REQUEST_IN_WORDS
from llmcompare.core.claims_known import (
    EQUAL_FRACTION,
    Check,
    Evidence,
    Known,
    Verdict,
    VerdictName,
    combined,
    nothing,
    row,
    share_verdict,
)
from llmcompare.core.claims_words import listed, number
from llmcompare.core.cost import api_usd_per_request
from llmcompare.core.options import token_prices
from llmcompare.core.phrases import sentence_start
from llmcompare.core.records import Claim, Finding

FRAMEWORKS = {"vLLM": "vllm", "TensorRT-LLM": "tensorrt-llm", "Ray Serve": "ray-serve"}
"""With the names that speed measurements give them."""
FAMILIES = ("llama", "mistral", "qwen")
TRANSLATED_MODEL = "llama-3-8b-instruct"
GAIN = "gain"


def _about(known: Known, claim: Claim) -> list[Finding]:
    return [finding for finding in known.findings if finding.claim_id == claim.claim_id]


def supports(finding: Finding) -> bool:
    """Whether a finding backs its statement: it says so, or its figure reaches the other one within 1%."""
    if finding.figure is not None and finding.against is not None:
        return finding.figure >= finding.against * (1 - EQUAL_FRACTION)
    return finding.supports == "yes"


def _says(finding: Finding) -> str:
    figures = f": {finding.figure:g} against {finding.against:g}" if finding.figure is not None else ""
    return f"{finding.part}: {finding.finding}{figures}"


def _rows(findings: Iterable[Finding]) -> tuple[Evidence, ...]:
    return tuple(row(finding, _says(finding)) for finding in findings)


def _words(findings: Sequence[Finding]) -> str:
    for_it = [_says(finding) for finding in findings if supports(finding)]
    against = [_says(finding) for finding in findings if not supports(finding)]
    parts = [f"For it: {'; '.join(for_it)}." if for_it else "", f"Against it: {'; '.join(against)}." if against else ""]
    return " ".join(part for part in parts if part)


def by_findings(known: Known, claim: Claim) -> Verdict:
    """What sources say, all for it, all against it, or both."""
    found = _about(known, claim)
    if not found:
        return nothing(f"No source that was read speaks of it. To check: {claim.how_to_check}.")
    for_it = sum(map(supports, found))
    return Verdict(
        verdict=share_verdict(for_it, len(found)),
        explanation=_words(found),
        figures={"findings_for_it": for_it, "finding_count": len(found)},
        evidence=_rows(found),
    )


def opinion(known: Known, claim: Claim) -> Verdict:
    """An opinion, unless a source that was read measured it."""
    if _about(known, claim):
        return by_findings(known, claim)
    return Verdict(
        verdict="opinion",
        explanation="A judgement that no row of the catalogue measures. A row in findings.csv would make it checkable.",
    )


def on_many(known: Known, claim: Claim) -> Verdict:
    """That a model reaches another one on many benchmarks: on most of those that were compared."""
    found = _about(known, claim)
    if not found:
        return nothing("No table that was read has both models in the same setting.")
    reached = [finding for finding in found if supports(finding)]
    named = listed(finding.part for finding in reached)
    verdict: VerdictName = (
        "holds" if len(reached) > len(found) / 2 else "partly" if reached else "contradicted"
    )  # fmt: skip
    return Verdict(
        verdict=verdict,
        explanation=(
            f"In the same harness it matches (within 1%) or exceeds the other in {len(reached)} of {len(found)} "
            f"comparisons{f' ({named})' if reached else ''}."
        ),
        figures={"comparisons_reached": len(reached), "comparison_count": len(found)},
        evidence=_rows(found),
    )


# --- frameworks -------------------------------------------------------------------------------------------------------


def frameworks(known: Known, claim: Claim) -> Verdict:
    """That each framework serves all three families: its documentation says so, or all three were measured on it."""
    found = _about(known, claim)
    parts = [_framework(known, name, [one for one in found if one.part == name]) for name in FRAMEWORKS]
    return Verdict(
        verdict=combined(verdict for verdict, _, _ in parts),
        explanation=" ".join(words for _, words, _ in parts),
        figures={
            f"{name.lower().replace(' ', '_').replace('-', '_')}": verdict
            for name, (verdict, _, _) in zip(FRAMEWORKS, parts, strict=True)
        },
        evidence=tuple(one for _, _, rows in parts for one in rows),
    )


def _framework(
    known: Known, name: str, documented: Sequence[Finding]
) -> tuple[VerdictName, str, tuple[Evidence, ...]]:  # fmt: skip
    measured = {
        known.models[one.model_id].family: one
        for one in known.speeds
        if one.engine == FRAMEWORKS[name] and known.models[one.model_id].family in FAMILIES
    }
    rows = (
        *_rows(documented),
        *(row(one, f"{one.model_id} measured on {one.engine}") for one in measured.values()),
    )  # fmt: skip
    families = listed(family.capitalize() for family in FAMILIES if family in measured)
    words = f"{name}: {'; '.join(one.finding for one in documented) or 'no documentation was read'}"
    words += f" (measured here: {families})." if measured else " (no measurement)."
    if documented:
        return share_verdict(sum(map(supports, documented)), len(documented)), words, rows
    verdict: VerdictName = "holds" if len(measured) == len(FAMILIES) else "no-evidence"
    return verdict, words, rows


# --- translating ------------------------------------------------------------------------------------------------------


def translate_first(known: Known, claim: Claim) -> Verdict:
    """That translating to English gains quality, and that it costs more tokens: there and back by the same model."""
    found = _about(known, claim)
    offers = [one for one in known.api_offers if one.model_id == TRANSLATED_MODEL and one.variant == "standard"]
    gain: VerdictName = share_verdict(sum(map(supports, found)), len(found))
    # The prompt is read and written once more, and so is the reply.
    there_and_back = replace(
        REQUEST,
        input_tokens=2 * REQUEST.input_tokens + REQUEST.output_tokens,
        output_tokens=REQUEST.input_tokens + 2 * REQUEST.output_tokens,
    )
    ratios = [
        api_usd_per_request(token_prices(one), there_and_back) / api_usd_per_request(token_prices(one), REQUEST)
        for one in offers
    ]
    cost: VerdictName = "no-evidence" if not ratios else "holds" if min(ratios) > 1 else "contradicted"
    written = there_and_back.output_tokens / REQUEST.output_tokens
    price = (
        f"{REQUEST_IN_WORDS} becomes one of {there_and_back.input_tokens:,.0f} + {there_and_back.output_tokens:,.0f}: "
        f"{number(round(min(ratios), 2))} to {number(round(max(ratios), 2))} times the price at {len(ratios)} offers "
        f"of {known.name(TRANSLATED_MODEL)}, and {written:.1f} times the tokens to wait for."
        if ratios
        else f"No API lists {TRANSLATED_MODEL}."
    )
    return Verdict(
        verdict=combined([gain, cost]),
        explanation=f"Gain. {_words(found) or 'no source that was read measured it.'} Cost. {sentence_start(price)}",
        figures={
            "findings_for_a_gain": sum(map(supports, found)),
            "finding_count": len(found),
            "least_dearer_ratio": round(min(ratios), 3) if ratios else None,
            "most_dearer_ratio": round(max(ratios), 3) if ratios else None,
            "output_tokens_ratio": round(written, 3),
        },
        evidence=(*_rows(found), *(row(one, f"{one.offer_id}, token prices") for one in offers)),
    )


CHECKS: dict[str, Check] = {
    "frameworks-all": frameworks,
    "qwen-no-support": by_findings,
    "production-ready-2026": opinion,
    "retrain-quarterly": opinion,
    "hundred-good-examples": opinion,
    "offline-after-download": by_findings,
    "llm-serving-frameworks-guided": by_findings,
    "translate-first": translate_first,
    "llama-70b-matches-gpt-4": on_many,
}
"""By statement."""
