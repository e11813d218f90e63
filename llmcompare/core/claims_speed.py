"""Checks of what the guide says on speed, of one family against another and over the length of the context."""

from collections.abc import Sequence
from statistics import median

from llmcompare.core.claims_known import (
    Check,
    Evidence,
    Known,
    PredictedRate,
    Verdict,
    VerdictName,
    combined,
    equal,
    nothing,
    printed,
    row,
    subjects,
    within,
)
from llmcompare.core.claims_words import listed, said
from llmcompare.core.published import PublishedSpeed
from llmcompare.core.records import Claim, Model

SAME_SIZE_RATIO = 1.15
"""Models whose parameters differ by less than this factor are each other's equivalents. Assumption."""
ROWS_SHOWN = 60

Pair = tuple[PublishedSpeed, PublishedSpeed]


def _measured(known: Known, ours: Sequence[Model], theirs: Sequence[Model]) -> list[Pair]:
    """Rates of two models of like size, measured by the same people on the same machine with the same requests."""
    size = {model.model_id: model.params_total_billion for model in (*ours, *theirs)}
    ids = {model.model_id for model in theirs}
    by_setting: dict[tuple[object, ...], list[PublishedSpeed]] = {}
    for one in known.speeds:
        if one.model_id in ids and one.tokens_per_s is not None:
            by_setting.setdefault(one.setting, []).append(one)
    own = {model.model_id for model in ours}
    return [
        (one, other)
        for one in known.speeds
        if one.model_id in own and one.tokens_per_s is not None
        for other in by_setting.get(one.setting, [])
        if _alike(size[one.model_id], size[other.model_id])
    ]


def _alike(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and max(one, other) <= SAME_SIZE_RATIO * min(one, other)


def _predicted(known: Known, ours: Sequence[Model], theirs: Sequence[Model]) -> list[tuple[str, float]]:
    """Ratios of predicted rates of one stream, of models of like size on the same GPUs."""
    by_id = {model.model_id: model for model in (*ours, *theirs)}
    own, other = ({model.model_id for model in side} for side in (ours, theirs))
    found = []
    for one in known.predicted_rates:
        for against in known.predicted_rates:
            same = (one.gpu_id, one.gpu_count) == (against.gpu_id, against.gpu_count)
            if same and one.model_id in own and against.model_id in other and _of_like_size(by_id, one, against):
                name = f"{known.name(one.model_id)} against {known.name(against.model_id)}"
                found.append((name, one.tokens_per_s / against.tokens_per_s))
    return found


def _of_like_size(by_id: dict[str, Model], one: PredictedRate, other: PredictedRate) -> bool:
    return _alike(by_id[one.model_id].params_total_billion, by_id[other.model_id].params_total_billion)


def _ratio(pair: Pair) -> float:
    return (pair[0].tokens_per_s or 0) / (pair[1].tokens_per_s or 1)


def _pair_rows(pairs: Sequence[Pair]) -> tuple[Evidence, ...]:
    rows = {one.row_id: one for pair in pairs for one in pair}
    return tuple(
        row(one, f"{one.model_id} on {one.gpu_id}, {one.engine}: {one.tokens_per_s:,.1f} tokens/s")
        for one in list(rows.values())[:ROWS_SHOWN]
    )


def faster_by(known: Known, claim: Claim) -> Verdict:
    """That the first side is so many percent faster than the second."""
    ours, theirs = (known.named(side) for side in subjects(claim))
    pairs = _measured(known, ours, theirs)
    guessed = _predicted(known, ours, theirs)
    percent = [100 * (_ratio(pair) - 1) for pair in pairs] or [100 * (ratio - 1) for _, ratio in guessed]
    if not percent:
        return nothing(f"Nobody measured {claim.subject} on the same machine, and nothing is predicted.")
    true = [one for one in percent if within(claim, one)]
    middle = median(percent)
    expected = f" Predicted: {'; '.join(f'{name} {100 * (r - 1):+.1f}%' for name, r in guessed)}." if guessed else ""
    return Verdict(
        verdict="holds" if within(claim, middle) else "partly" if true else "contradicted",
        explanation=(
            f"{len(pairs)} pairs measured by the same people on the same machine: {middle:+.1f}% in the median, "
            f"{min(percent):+.1f} to {max(percent):+.1f}%. {len(true)} are {said(claim)}% faster.{expected}"
        ),
        figures={
            "claimed_percent": [float(text) for text in printed(claim)],
            "median_percent": round(middle, 2),
            "least_percent": round(min(percent), 2),
            "most_percent": round(max(percent), 2),
            "pairs_in_the_claimed_range": len(true),
            "pair_count": len(pairs),
        },
        evidence=_pair_rows(pairs),
    )


def as_fast_as(known: Known, claim: Claim) -> Verdict:
    """That two families are as fast as each other at like sizes."""
    ours, theirs = (known.named(side) for side in subjects(claim))
    pairs, guessed = _measured(known, ours, theirs), _predicted(known, ours, theirs)
    ratios = [_ratio(pair) for pair in pairs] + [ratio for _, ratio in guessed]
    if not ratios:
        return nothing(f"Nobody measured {claim.subject} of like size on the same machine, and nothing is predicted.")
    same = [ratio for ratio in ratios if equal("1", ratio) and abs(ratio - 1) <= 0.01]
    low, high = min(ratios), max(ratios)
    both = low < 1 < high
    measured = listed(
        f"{known.name(a.model_id)} at {_ratio((a, b)):.2f} of {known.name(b.model_id)}" for a, b in pairs[:3]
    )
    expected = "; ".join(f"{name} {ratio:.2f}" for name, ratio in guessed)
    return Verdict(
        verdict="holds" if len(same) == len(ratios) else "partly" if both or same else "contradicted",
        explanation=(
            f"Measured on the same machine: {measured if pairs else 'none'}. Predicted for one stream: "
            f"{expected or 'none'}. So {low:.2f} to {high:.2f} of the speed, by the size of the model."
        ),
        figures={
            "lowest_ratio": round(low, 3),
            "highest_ratio": round(high, 3),
            "pairs_measured": len(pairs),
            "pairs_predicted": len(guessed),
        },
        evidence=_pair_rows(pairs),
    )


def in_proportion(known: Known, claim: Claim) -> Verdict:
    """That the cost per token grows as the context does."""
    found = sorted(known.context_speeds, key=lambda one: one.context_tokens)
    if len(found) < 2:
        return nothing("Nothing is predicted for several lengths of context.")
    first, last = found[0], found[-1]
    longer = last.context_tokens / first.context_tokens
    dearer, slower = last.usd_per_mtok / first.usd_per_mtok, last.tpot_ms / first.tpot_ms
    waits = last.ttft_ms / first.ttft_ms
    parts: list[VerdictName] = [
        "holds" if equal(f"{longer:g}", ratio) else "contradicted" for ratio in (dearer, slower)
    ]  # fmt: skip
    words = "; ".join(
        f"{one.context_tokens // 1024}K: {one.tpot_ms:.1f} ms per token, {one.ttft_ms:,.0f} ms to the first, "
        f"{one.usd_per_mtok:.3f} USD per million"
        for one in found
    )
    return Verdict(
        verdict=combined(parts),
        explanation=(
            f"Predicted, with as many streams as fit: {words}. A context {longer:.0f} times as long makes a token of "
            f"one stream {slower:.1f} times slower, the first token {waits:,.0f} times later, and a token, input and "
            f"output together, {dearer:.1f} times dearer."
        ),
        figures={
            "context_tokens": [float(one.context_tokens) for one in found],
            "tpot_ms": [round(one.tpot_ms, 2) for one in found],
            "ttft_ms": [round(one.ttft_ms, 1) for one in found],
            "usd_per_mtok": [round(one.usd_per_mtok, 4) for one in found],
            "longer_ratio": longer,
            "dearer_ratio": round(dearer, 2),
        },
        evidence=known.context_evidence,
    )


CHECKS: dict[str, Check] = {
    "context-cost-linear": in_proportion,
    "mistral-10-15-faster": faster_by,
    "qwen-speed-equal": as_fast_as,
}
"""By statement."""
