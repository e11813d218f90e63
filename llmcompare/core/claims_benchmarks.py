"""Checks of what the guide says on benchmark scores: of one model, and of one against another in the same setting."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean

from llmcompare.core.claims_known import (
    Check,
    Evidence,
    Known,
    Verdict,
    VerdictName,
    Version,
    combined,
    equal,
    nothing,
    over_versions,
    printed,
    row,
    subjects,
)
from llmcompare.core.claims_words import listed
from llmcompare.core.phrases import sentence_start
from llmcompare.core.published import PublishedScore
from llmcompare.core.records import Claim, Model

ENGLISH = ("knowledge", "reasoning")
"""Categories of the benchmarks whose questions are in English; those in other languages have one of their own."""
CODE = ("code",)
REASONING = ("reasoning", "mathematics")
GENERAL = ("knowledge", "reasoning", "mathematics", "code")
MMLU = "mmlu"
FAR_LESS = 0.5
"""Half the active parameters or fewer. Assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """Two sides in one cell: the same benchmark, metric, shots, setting and publisher."""

    cell: tuple[str, ...]
    ours: float
    """Of the better one of our models."""
    theirs: float
    rows: tuple[PublishedScore, ...]
    """The better row of each side."""

    @property
    def lead(self) -> float:
        """Ours less theirs, in points."""
        return self.ours - self.theirs


Cells = Mapping[tuple[str, ...], Sequence[PublishedScore]]


def cells(scores: Iterable[PublishedScore], benchmarks: Collection[str]) -> Cells:
    """Scores of these benchmarks in percent, by the cell in which they may be compared."""
    found: dict[tuple[str, ...], list[PublishedScore]] = {}
    for score in scores:
        if score.benchmark in benchmarks and "%" in score.metric:
            found.setdefault(score.cell, []).append(score)
    return found


def cells_of(known: Known, categories: Collection[str]) -> Cells:
    """The same for every benchmark that tests one of these."""
    return cells(known.scores, {name for name, category in known.categories.items() if category in categories})


def duels(by_cell: Cells, ours: Iterable[Model], theirs: Iterable[Model]) -> list[Duel]:
    """Every cell in which both sides have a score; each side is its best model there."""
    our_ids, their_ids = ({model.model_id for model in models} for models in (ours, theirs))
    found = []
    for cell, scores in by_cell.items():
        best = [
            max((one for one in scores if one.model_id in ids), key=lambda one: one.score, default=None)
            for ids in (our_ids, their_ids)
        ]
        if best[0] is not None and best[1] is not None:
            found.append(Duel(cell=cell, ours=best[0].score, theirs=best[1].score, rows=(best[0], best[1])))
    return found


def _rows(found: Iterable[Duel]) -> tuple[Evidence, ...]:
    return tuple(row(score, score_in_words(score)) for duel in found for score in duel.rows)


def score_in_words(score: PublishedScore) -> str:
    """A score with what makes it comparable."""
    shots = f", {score.shots} shots" if score.shots is not None else ""
    return f"{score.model_id} {score.benchmark} {score.score:g} ({score.setting}{shots}; {score.published_by})"


# --- one score --------------------------------------------------------------------------------------------------------


def one_score(known: Known, claim: Claim) -> Verdict:
    """One MMLU score for every version of a model; any published setting will do."""
    (claimed,) = printed(claim)
    models = known.named(claim.subject)
    of_model = {
        model.model_id: [s for s in known.scores if s.benchmark == MMLU and s.model_id == model.model_id]
        for model in models
    }
    versions = [
        Version(
            released_on=model.released_on,
            is_true=any(equal(claimed, score.score) for score in of_model[model.model_id])
            if of_model[model.model_id]
            else None,
        )
        for model in models
    ]
    verdict, changed_on = over_versions(versions, asked_on=claim.as_of)
    found = [score for scores in of_model.values() for score in scores]
    if not found:
        return nothing(f"No published MMLU score of {claim.subject} is in the scores table.")
    parts = [f"Published: {_scores_in_words(known, found)}."]
    if changed_on is not None:
        parts.append(f"No longer since {changed_on}, when the next version came.")
    others = [] if verdict in ("holds", "outdated") else _with_score(known, models, claimed)
    if others:
        names = dict.fromkeys(known.models[one.model_id].display_name for one in others)
        parts.append(f"{claimed} belongs to {listed(names)}.")
    return Verdict(
        verdict=verdict,
        explanation=" ".join(parts),
        figures={
            "claimed_accuracy_percent": float(claimed),
            "published_accuracy_percent": sorted({score.score for score in found}),
            "models_that_have_it": list(dict.fromkeys(one.model_id for one in others)),
            "changed_on": changed_on,
        },
        evidence=tuple(row(score, score_in_words(score)) for score in [*found, *others]),
    )


def _scores_in_words(known: Known, found: Sequence[PublishedScore]) -> str:
    by_model: dict[str, list[str]] = {}
    for score in sorted(found, key=lambda one: -one.score):
        by_model.setdefault(score.model_id, []).append(f"{score.score:.1f}")
    return ", ".join(
        f"{known.models[score.model_id].display_name} {' or '.join(dict.fromkeys(by_model.pop(score.model_id)))}"
        for score in found
        if score.model_id in by_model
    )


def _with_score(known: Known, models: Sequence[Model], claimed: str) -> list[PublishedScore]:
    """Scores of other models of the family that are the claimed one in its own digits."""
    decimals = len(claimed.partition(".")[2])
    family, own = models[0].family, {model.model_id for model in models}
    siblings = {model.model_id for model in known.named(family)} - own
    return [
        score
        for score in known.scores
        if score.benchmark == MMLU and score.model_id in siblings and round(score.score, decimals) == float(claimed)
    ]


# --- one against another ----------------------------------------------------------------------------------------------


def beats(known: Known, claim: Claim) -> Verdict:
    """That the first side is ahead of the second in most cells that both have."""
    ours, theirs = (known.named(side) for side in subjects(claim))
    found = duels(cells_of(known, GENERAL), ours, theirs)
    if not found:
        return nothing(f"No published table has both, {claim.subject}, in the same setting.")
    ahead = [duel for duel in found if duel.lead > 0]
    return Verdict(
        verdict="holds" if len(ahead) > len(found) / 2 else "contradicted",
        explanation=f"{_ahead_in_words(found)} Publishers: {_publishers(found)}.",
        figures=_lead_figures(found),
        evidence=_rows(found),
    )


def _ahead_in_words(found: Sequence[Duel]) -> str:
    ahead = sum(duel.lead > 0 for duel in found)
    return (
        f"Ahead in {ahead} of {len(found)} cells of the same benchmark, setting and publisher, with a mean lead of "
        f"{mean(duel.lead for duel in found):.1f} points."
    )


def _publishers(found: Iterable[Duel]) -> str:
    return listed(dict.fromkeys(duel.cell[-1] for duel in found))


def _lead_figures(found: Sequence[Duel]) -> dict[str, float | int]:
    return {
        "cells_ahead": sum(duel.lead > 0 for duel in found),
        "cell_count": len(found),
        "mean_lead_points": round(mean(duel.lead for duel in found), 2),
    }


def behind(known: Known, claim: Claim, *, categories: Sequence[str], what: str) -> Verdict:
    """That every generation of the first side is behind the second in most cells of these categories.

    Subjects come in pairs of like size: ours, theirs, ours, theirs.
    """
    sides = [known.named(side) for side in subjects(claim)]
    by_cell = cells_of(known, categories)
    by_generation: dict[str, list[Duel]] = {}
    released: dict[str, str] = {}
    for ours, theirs in zip(sides[::2], sides[1::2], strict=False):
        for name in dict.fromkeys(model.generation for model in ours):
            own = [model for model in ours if model.generation == name]
            by_generation.setdefault(name, []).extend(duels(by_cell, own, theirs))
            released[name] = min(released.get(name, "9"), *(model.released_on or "9" for model in own))
    compared = {name: found for name, found in by_generation.items() if found}
    if not compared:
        return nothing(f"No published table has both sides of {claim.subject} {what} in the same setting.")
    versions = [
        Version(released_on=released[name], is_true=sum(duel.lead < 0 for duel in found) > len(found) / 2)
        for name, found in compared.items()
    ]
    verdict, changed_on = over_versions(versions, asked_on=claim.as_of)
    parts = [
        f"{name} ({released[name]}) is behind in {sum(duel.lead < 0 for duel in found)} of {len(found)} cells "
        f"({mean(duel.lead for duel in found):+.1f} points on average)"
        for name, found in compared.items()
    ]
    every = [duel for found in compared.values() for duel in found]
    return Verdict(
        verdict=verdict,
        explanation=f"{sentence_start(what)}, in the same setting by the same publisher: {'; '.join(parts)}. "
        f"Publishers: {_publishers(every)}.",
        figures={
            **{
                f"{name.lower()}_mean_lead_points": round(mean(duel.lead for duel in found), 2)
                for name, found in compared.items()
            },
            "cell_count": len(every),
            "changed_on": changed_on,
        },
        evidence=_rows(every),
    )


def beats_with_less(known: Known, claim: Claim) -> Verdict:
    """That the first side is ahead at reasoning, and needs far fewer parameters per token."""
    ours, theirs = (known.named(side) for side in subjects(claim))
    found = duels(cells_of(known, REASONING), ours, theirs)
    ahead = sum(duel.lead > 0 for duel in found)
    better: VerdictName = "no-evidence" if not found else "holds" if ahead > len(found) / 2 else "contradicted"
    sizes = [
        {model.params_active_billion for model in models if model.params_active_billion is not None}
        for models in (ours, theirs)
    ]
    less = _far_less(sizes[0], sizes[1])
    words = [_ahead_in_words(found) if found else "No published table has both at reasoning in the same setting."]
    if sizes[0] and sizes[1]:
        words.append(
            f"Active parameters: {listed(f'{size:g}B' for size in sorted(sizes[0]))} against "
            f"{listed(f'{size:g}B' for size in sorted(sizes[1]))}; the first version's are not published."
            if any(model.params_active_billion is None for model in ours)
            else f"Active parameters: {min(sizes[0]):g}B or more against {max(sizes[1]):g}B."
        )
    return Verdict(
        verdict=combined([better, less]),
        explanation=" ".join(words),
        figures={
            **(_lead_figures(found) if found else {}),
            "active_params_billion": sorted(sizes[0]),
            "active_params_of_the_other_billion": sorted(sizes[1]),
        },
        evidence=(
            *_rows(found),
            *(
                row(model, f"{model.display_name}: {model.params_active_billion or 'no published'} B active")
                for model in [*ours, *theirs]
            ),
        ),
    )


def _far_less(ours: set[float], theirs: set[float]) -> VerdictName:
    if not ours or not theirs:
        return "no-evidence"
    less = [size <= FAR_LESS * min(theirs) for size in ours]
    return "holds" if all(less) else "partly" if any(less) else "contradicted"


CHECKS: dict[str, Check] = {
    "mmlu-llama-3-70b": one_score,
    "mmlu-mistral-large": one_score,
    "mmlu-qwen-72b": one_score,
    "llama-3-8b-beats-llama-2-13b": beats,
    "mistral-large-beats-llama-2-70b": beats_with_less,
    "qwen-trails-llama-english": partial(behind, categories=ENGLISH, what="in English"),
    "llama-code-best": partial(behind, categories=CODE, what="at code"),
}
"""By statement."""
