"""The statements of a buying guide, each with a verdict computed from the rows and formulas of this catalogue."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from llmcompare.core import (
    claims_benchmarks,
    claims_costs,
    claims_finetuning,
    claims_hardware,
    claims_languages,
    claims_licences,
    claims_models,
    claims_open,
    claims_prices,
    claims_speed,
    claims_volumes,
)
from llmcompare.core.claims_known import EQUAL_FRACTION, Check, Figure, Known, Verdict, VerdictName, nothing, row, span
from llmcompare.core.claims_words import listed, said
from llmcompare.core.records import Claim

GROUPS = (
    claims_benchmarks, claims_models, claims_languages, claims_licences, claims_finetuning, claims_prices,
    claims_costs, claims_volumes, claims_speed, claims_hardware, claims_open,
)  # fmt: skip
CHECKS: Mapping[str, Check] = {claim_id: check for group in GROUPS for claim_id, check in group.CHECKS.items()}
"""How each statement is checked, by its id."""
VERDICTS: tuple[VerdictName, ...] = get_args(VerdictName)
MEANINGS: Mapping[str, str] = {
    "holds": "Sources and arithmetic agree with all of it.",
    "partly": "A part of it holds; the rest does not, or has no evidence.",
    "contradicted": "Sources or arithmetic say otherwise.",
    "self-contradicting": "The guide says otherwise in another place.",
    "outdated": "It was true once, and a later version or price changed it.",
    "no-evidence": "No row of the catalogue speaks of it.",
    "opinion": "A judgement that nothing here measures.",
}
COUNTED: Mapping[VerdictName, tuple[str, str]] = {
    "holds": ("holds", "hold"),
    "partly": ("holds in part", "hold in part"),
    "contradicted": ("is contradicted by sources or arithmetic", "are contradicted by sources or arithmetic"),
    "self-contradicting": ("contradicts another of them", "contradict each other"),
    "outdated": ("was true once", "were true once"),
    "no-evidence": ("has no evidence", "have no evidence"),
    "opinion": ("is an opinion", "are opinions"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A statement with its verdict."""

    claim: Claim
    found: Verdict


def examine(known: Known) -> list[Checked]:
    """Every statement, checked, in the order of its table."""
    return [Checked(claim=claim, found=verdict(known, claim)) for claim in known.claims.values()]


def verdict(known: Known, claim: Claim) -> Verdict:
    """The verdict on one statement. That the guide contradicts itself wins over everything else."""
    check = CHECKS.get(claim.claim_id)
    found = nothing("No check is written for this statement.") if check is None else check(known, claim)
    others = [other for other in _others(known, claim) if cannot_both_be_true(claim, other)]
    return _self_contradicting(claim, others, found) if others else found


def _others(known: Known, claim: Claim) -> list[Claim]:
    return [known.claims[name] for name in (claim.compare_with or "").split(";") if name in known.claims]


def cannot_both_be_true(one: Claim, other: Claim) -> bool:
    """Whether two statements exclude each other.

    Their figures are of one unit and no figure is within both, 1% apart at least; or they recommend different ways to
    serve at volumes that both speak of.
    """
    first, second = span(one), span(other)
    if one.answer is not None and other.answer is not None:
        return one.answer != other.answer and (first is None or second is None or _overlap(first, second, margin=0.0))
    if first is None or second is None or one.unit != other.unit:
        return False
    return not _overlap(first, second, margin=EQUAL_FRACTION)


def _overlap(one: tuple[float, float], other: tuple[float, float], *, margin: float) -> bool:
    return one[0] <= other[1] * (1 + margin) and other[0] <= one[1] * (1 + margin)


def _self_contradicting(claim: Claim, others: Sequence[Claim], found: Verdict) -> Verdict:
    figures: dict[str, Figure] = {}
    for one in (claim, *others):
        if limits := span(one):
            figures[f"{one.claim_id}_claimed_{one.unit}"] = [limit for limit in dict.fromkeys(limits) if limit < 1e300]
        if one.answer is not None:
            figures[f"{one.claim_id}_recommends"] = one.answer
    several = len(others) > 1
    return Verdict(
        verdict="self-contradicting",
        explanation=(
            f"{listed(f'“{other.statement}”' for other in others)} {'stand' if several else 'stands'} in the same "
            f"guide, and {'not all' if several else 'not both'} can be true{_figures_apart(claim, others)}. By sources "
            f"and arithmetic: {found.verdict}. {found.explanation}"
        ),
        figures={**figures, **found.figures, "verdict_by_sources": found.verdict},
        evidence=(*(row(one, one.statement) for one in (claim, *others)), *found.evidence),
    )


def _figures_apart(claim: Claim, others: Sequence[Claim]) -> str:
    apart = [other for other in others if other.claimed is not None]
    if claim.claimed is None or claim.unit is None or not apart:
        return ""
    unit = claim.unit.replace("_", " ").replace("usd", "USD")
    return f" ({said(claim)} against {listed(said(other) for other in apart)} {unit})"


# --- the answer in words ----------------------------------------------------------------------------------------------


def counts(checked: Iterable[Checked]) -> dict[VerdictName, int]:
    """How many statements have each verdict, in the order of the verdicts."""
    found = Counter(one.found.verdict for one in checked)
    return {name: found[name] for name in VERDICTS}


def headline(checked: Sequence[Checked]) -> str:
    """How many of the statements hold, and what is wrong with the others."""
    if not checked:
        return "No statement of the guide is in the catalogue."
    parts = [
        f"{count} {COUNTED[name][count != 1]}" for name, count in counts(checked).items() if count
    ]  # fmt: skip
    return f"Of {len(checked)} statements {listed(parts)}."
