"""Checks of what the guide says on languages, and of how many tasks a comparison needs."""

import re
from collections.abc import Iterable, Sequence
from statistics import mean, median

from llmcompare.core.claims_benchmarks import GENERAL, cells, cells_of, score_in_words
from llmcompare.core.claims_known import Check, Evidence, Known, Verdict, nothing, row, share_verdict, span
from llmcompare.core.claims_words import listed, number, said
from llmcompare.core.published import PublishedScore
from llmcompare.core.records import Claim

ASIAN = {
    "c-eval": "Chinese", "cmmlu": "Chinese",
    "jmmlu-japanese": "Japanese", "kmmlu-korean": "Korean", "indommlu-indonesian": "Indonesian",
}  # fmt: skip
"""Benchmarks in Asian languages, with the language."""
FULL_FIRST = ("BF16", "Int8", "Int4", "AWQ")
"""Formats that scores of quantised models name, most bits first."""
WEIGHTS = re.compile(r"(?:GPTQ-)?(BF16|Int8|Int4|AWQ) weights")
CHINESE, ENGLISH = "c-eval", "mmlu"
SIGNIFICANCE = 0.05
ROWS_SHOWN = 40


def leads_in_asia(known: Known, claim: Claim) -> Verdict:
    """That the best model of a family is ahead of every other family's in each Asian cell."""
    family_of = {model.model_id: model.family for model in known.models.values()}
    compared: list[tuple[str, PublishedScore, PublishedScore]] = []
    for cell, scores in cells(known.scores, ASIAN).items():
        ours = [score for score in scores if family_of[score.model_id] == claim.subject]
        theirs = [score for score in scores if family_of[score.model_id] not in (claim.subject, "other")]
        if ours and theirs:
            compared.append((ASIAN[cell[0]], _best(ours), _best(theirs)))
    if not compared:
        return nothing("No published table in an Asian language has models of two families.")
    ahead = [one for one in compared if one[1].score > one[2].score]
    words = [
        f"{language}: ahead in {sum(one[0] == language for one in ahead)} of "
        f"{sum(one[0] == language for one in compared)} cells"
        for language in dict.fromkeys(one[0] for one in compared)
    ]
    publishers = listed(dict.fromkeys(one[1].published_by for one in compared))
    return Verdict(
        verdict=share_verdict(len(ahead), len(compared)),
        explanation=(
            f"Best model of each family in the same setting. {'; '.join(words)}. Publishers: {publishers}."
        ),
        figures={
            "cells_ahead": len(ahead),
            "cell_count": len(compared),
            "mean_lead_points": round(mean(one[1].score - one[2].score for one in compared), 2),
        },
        evidence=tuple(row(score, score_in_words(score)) for one in compared for score in one[1:]),
    )  # fmt: skip


def _best(scores: Iterable[PublishedScore]) -> PublishedScore:
    return max(scores, key=lambda score: score.score)


# --- what quantisation costs per language -----------------------------------------------------------------------------


def quantised_more_in_chinese(known: Known, claim: Claim) -> Verdict:
    """That weights in fewer bits lose more points in Chinese than in English."""
    models = {model.model_id for model in known.named(claim.subject)}
    scores = [s for s in known.scores if s.model_id in models and s.benchmark in (CHINESE, ENGLISH)]
    losses = []
    for name in sorted({score.model_id for score in scores}):
        losses += _losses([score for score in scores if score.model_id == name])
    if not losses:
        return nothing("No published table has a quantised model of the family in English and in another language.")
    more = [one for one in losses if one[0] > one[1]]
    chinese, english = mean(one[0] for one in losses), mean(one[1] for one in losses)
    return Verdict(
        verdict=share_verdict(len(more), len(losses)),
        explanation=(
            f"Chinese (C-Eval) lost more points than English (MMLU) in {len(more)} of {len(losses)} cases of the same "
            f"model in fewer bits: {chinese:.1f} against {english:.1f} points on average. Other languages are not "
            "published."
        ),
        figures={
            "cases_with_more_loss_in_chinese": len(more),
            "case_count": len(losses),
            "mean_loss_chinese_points": round(chinese, 2),
            "mean_loss_english_points": round(english, 2),
        },
        evidence=tuple(row(score, score_in_words(score)) for one in losses for score in one[2]),
    )


def _losses(scores: Sequence[PublishedScore]) -> list[tuple[float, float, list[PublishedScore]]]:
    """Points lost in Chinese and in English, of one model: every format against the one with most bits."""
    by_place: dict[tuple[str, str, str], PublishedScore] = {}
    for score in scores:
        if found := WEIGHTS.search(score.setting):
            by_place[score.setting[: found.start()], found[1], score.benchmark] = score
    found_losses = []
    for kind in dict.fromkeys(place[0] for place in by_place):
        both = [name for name in FULL_FIRST if (kind, name, CHINESE) in by_place and (kind, name, ENGLISH) in by_place]
        for name in both[1:]:
            rows = [by_place[kind, one, benchmark] for benchmark in (CHINESE, ENGLISH) for one in (both[0], name)]
            found_losses.append((rows[0].score - rows[1].score, rows[2].score - rows[3].score, rows))
    return found_losses


# --- how many tasks ---------------------------------------------------------------------------------------------------


def fewest_discordant(*, significance: float = SIGNIFICANCE) -> int:
    """Tasks that one model solves and the other does not, all one way, before a sign test calls them different.

    With k such tasks the two-sided probability by chance is 2 x 0.5^k.

    >>> fewest_discordant(), 2 * 0.5**6, 2 * 0.5**5
    (6, 0.03125, 0.0625)
    """
    count = 1
    while 2 * 0.5**count > significance:
        count += 1
    return count


def enough_tasks(known: Known, claim: Claim) -> Verdict:
    """That so many tasks tell models apart that differ as much as the families do."""
    asked = span(claim)
    if asked is None:
        return nothing("The statement names no number of tasks.")
    fewest, most = asked
    leads = _leads_between_families(known)
    if not leads:
        return nothing("No published table has models of two families, so the usual distance is not known.")
    needed = fewest_discordant()
    smallest = {count: 100 * needed / count if needed <= count else None for count in (fewest, most)}
    usual = median(lead for lead, _ in leads)
    seen = [lead for lead, _ in leads if smallest[most] is not None and lead >= (smallest[most] or 0)]
    rows: list[Evidence] = [
        row(score, score_in_words(score)) for _, pair in sorted(leads, key=lambda one: -one[0]) for score in pair
    ]  # fmt: skip
    return Verdict(
        verdict="holds" if len(seen) > len(leads) / 2 else "partly" if 2 * len(seen) > len(leads) / 2
        else "contradicted",
        explanation=(
            f"A sign test at 5% needs {needed} tasks that one model solves and the other does not, all one way: of "
            f"{said(claim)} tasks that is a difference of {number(smallest[most] or 100)} points at the best. The best "
            f"models of two families lie {number(round(usual, 1))} points apart in the median of {len(leads)} cells, "
            f"of which {len(seen)} could be seen so."
        ),
        figures={
            "claimed_tasks": [fewest, most],
            "tasks_needed_one_way": needed,
            "smallest_difference_points": smallest[most],
            "smallest_difference_of_fewest_tasks_points": smallest[fewest],
            "usual_difference_points": round(usual, 2),
            "differences_that_could_be_seen": len(seen),
            "difference_count": len(leads),
        },
        evidence=tuple(rows[:ROWS_SHOWN]),
    )  # fmt: skip


def _leads_between_families(known: Known) -> list[tuple[float, tuple[PublishedScore, PublishedScore]]]:
    """Points between the best models of the two best families in a cell."""
    family_of = {model.model_id: model.family for model in known.models.values()}
    found = []
    for scores in cells_of(known, GENERAL).values():
        best: dict[str, PublishedScore] = {}
        for score in scores:
            family = family_of[score.model_id]
            if family != "other" and (family not in best or score.score > best[family].score):
                best[family] = score
        if len(best) > 1:
            first, second = sorted(best.values(), key=lambda score: -score.score)[:2]
            found.append((first.score - second.score, (first, second)))
    return found


CHECKS: dict[str, Check] = {
    "qwen-best-chinese": leads_in_asia,
    "qwen-quant-multilingual": quantised_more_in_chinese,
    "testing-10-20-tasks": enough_tasks,
}
"""By statement."""
