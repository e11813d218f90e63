"""What a sweep says: what beats today's bill, what would change that, why the others are out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor

from llmcompare.core.breakeven import crossings
from llmcompare.core.cost import Band
from llmcompare.core.curves import CostCurve, ReplicaGroup
from llmcompare.core.fleet import Out
from llmcompare.core.pareto import on_front
from llmcompare.core.phrases import band_text, sentence_start
from llmcompare.core.units import count_text, counted, usd_text

REASONS = {
    Out.UNDER_FLOOR: "fewer bits per weight than the quality floor",
    Out.BEYOND_CONTEXT: "the request is longer than the model's context",
    Out.NOT_SERVED: "the engine does not serve the format",
    Out.NOT_ON_VENDOR: "the engine does not run on this maker's hardware",
    Out.NO_KERNELS: "the engine has no kernels for the format on this generation of cards",
    Out.NOT_CALIBRATED: "no measurements carry a prediction of its speed",
    Out.TOO_LARGE: "does not fit, not even on eight",
    Out.TTFT: "breaks the limit on the time to first token with a single request",
    Out.TPOT: "breaks the limit on the time per token with a single request",
    Out.NO_PRICE: "nobody lists a price of this billing class",
    Out.OVER_BUDGET: "over the budget",
    Out.NOT_HERE: "the data must stay here",
}
ALIKE = 1.005
"""Ratio below which two costs are the same to a reader."""
TIMES_FROM = 3.0
"""Ratio from which a rise is told as so many times instead of per cent."""
WITHOUT_SHAPE = "no source gives the model's layers and heads, so nothing is predicted"
WITHOUT_SCORE = "no score of the model is published in the chosen cell"
UNDER_SCORE = "the model's score is under the floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One deployment of a sweep, rented, serverless or through an API."""

    kind: str
    """rented, serverless or api."""
    model_id: str
    model_name: str
    family: str
    deployment: str
    gpu_id: str | None
    gpu_count: int | None
    engine: str | None
    weight_format: str | None
    """None where nobody states it, as for most APIs."""
    billing: str
    provider: str | None
    """Of an API; None for a band over providers."""
    provider_count: int
    usd_per_month: Band
    saving_usd_per_month: Band
    """Against today's bill; below 0 where it is dearer."""
    replicas: int | None
    filled_replicas: float | None
    """Before rounding up: what the busiest time fills at the planned share of capacity."""
    spare_replicas: int
    requests_per_s: float | None
    """Of one replica."""
    basis: str
    quality: Band | None
    """Score of the unquantised model in the chosen cell; None where none is published."""
    format_loss: str
    """Measured loss of this very model in this format, or that it is not measured."""
    as_of: str | None
    source: str
    row_id: str | None
    doubt: str | None = None
    """What is odd about its price beside those of other providers."""

    @property
    def name(self) -> str:
        """In a sentence."""
        return f"{self.model_name} {'through' if self.kind == 'api' else 'on'} {self.deployment}"


def cannot_be_told_apart(lines: Sequence[Line]) -> list[bool]:
    """Of each line, whether its low cost lies below the high cost of the cheapest at middle prices."""
    if not lines:
        return []
    high = min(lines, key=lambda line: line.usd_per_month.mid).usd_per_month.high
    return [line.usd_per_month.low <= high for line in lines]


def answer(lines: Sequence[Line], *, count: int, cheaper_count: int, today: str, today_usd: float) -> str:
    """How many deployments beat today's bill, and the cheapest of them with its saving."""
    if not count:
        return "No deployment keeps all limits: loosen one of them, or take another model."
    best, bill = lines[0], f"today's {usd_text(today_usd)} a month ({today})"
    if cheaper_count == 0:
        return (
            f"None of {counted(count, 'open deployment')} is cheaper than {bill} at middle prices. The nearest is "
            f"{best.name}: {band_text(best.usd_per_month)} a month."
        )
    saved = best.saving_usd_per_month
    sure = "" if saved.low > 0 else " At the dear end of its range it saves nothing."
    return (
        f"{cheaper_count:,} of {counted(count, 'open deployment')} would be cheaper than {bill}. The cheapest is "
        f"{best.name}: {band_text(best.usd_per_month)} a month, which saves {band_text(saved)}.{sure}"
    )


def front(lines: Sequence[Line]) -> list[Line]:
    """Those with a score of which no other one is better and costs no more, the cheapest first."""
    scored = [(line, line.quality) for line in lines if line.quality is not None]
    best = on_front([line.usd_per_month.mid for line, _ in scored], [score.mid for _, score in scored])
    found = [line for (line, _), is_best in zip(scored, best, strict=True) if is_best]
    return sorted(found, key=lambda line: line.usd_per_month.mid)


def front_sentence(lines: Sequence[Line]) -> str:
    """The front in words, with the numbers that it has in the picture."""
    found = [
        f"({number}) {line.model_name}, {usd_text(line.usd_per_month.mid)} a month, score {line.quality.mid:.1f}"
        for number, line in enumerate(front(lines), start=1)
        if line.quality
    ]
    return f"No other one has a higher score for the same money or less: {'; '.join(found)}."


def doubt_sentences(lines: Sequence[Line]) -> Iterator[str]:
    """That the price of the cheapest looks wrong, and which deployment is the cheapest without such a price."""
    if not lines or lines[0].doubt is None:
        return
    yield f"The price of the cheapest looks wrong: {lines[0].doubt}."
    sound = next((line for line in lines if line.doubt is None), None)
    if sound is not None:
        yield f"The cheapest without such a doubt is {sound.name}: {band_text(sound.usd_per_month)} a month."


def what_would_change(
    lines: Sequence[Line], *, today: str, today_usd: float, requests_per_month: float, alike_count: int
) -> Iterator[str]:
    """How far price, rate or volume must move until another one than the cheapest deployment is cheaper."""
    if not lines:
        return
    best = lines[0]
    other = next((line for line in lines[1:] if _kind(line) != _kind(best)), None)
    if other is not None:
        yield _until(best, other.usd_per_month.mid, other.name)
        yield from _volume(best, other, requests_per_month)
    if today_usd >= best.usd_per_month.mid:
        yield _until(best, today_usd, f"today's bill ({today})")
    if alike_count:
        yield f"{counted(alike_count, 'other deployment')} cannot be told from it: their ranges overlap with its own."


def _kind(line: Line) -> tuple[str, str, str | None]:
    """What makes a deployment another one to a reader: the model, and the GPU or the provider of the API."""
    return line.model_id, line.kind, line.gpu_id or line.provider


def _until(best: Line, usd: float, name: str) -> str:
    ratio = usd / best.usd_per_month.mid
    if ratio < ALIKE:
        return f"{sentence_start(name)} costs as much."
    rise = f"rises {ratio - 1:.0%}" if ratio < TIMES_FROM else f"is {ratio:,.0f} times as high"
    text = f"{sentence_start(name)} ({usd_text(usd)}) is cheaper once the price of {best.deployment} {rise}"
    fall = _fall_of_rate(best, usd)
    return text + ("." if fall is None else f", or once it serves {fall:.0%} less than reckoned.")


def _fall_of_rate(best: Line, usd: float) -> float | None:
    """Share of its rate that a rented deployment may lose before it needs so many replicas that it costs more."""
    if best.replicas is None or best.filled_replicas is None:
        return None
    affordable = floor(usd / (best.usd_per_month.mid / best.replicas) * (1 + 1e-9)) - best.spare_replicas
    return max(0.0, 1 - best.filled_replicas / affordable) if affordable > 0 else 0.0


def _volume(best: Line, other: Line, requests_per_month: float) -> Iterator[str]:
    """The nearest volume on either side at which the other one becomes cheaper."""
    one, two = _curve(best, requests_per_month), _curve(other, requests_per_month)
    if one is None or two is None:
        return
    turns = [
        point.requests_per_month for point in crossings(one, two).points if point.cheaper_after in ("first", "second")
    ]
    below = max((volume for volume in turns if volume < requests_per_month), default=None)
    above = min((volume for volume in turns if volume > requests_per_month), default=None)
    said = [f"{word} {count_text(volume)}" for word, volume in (("below", below), ("above", above)) if volume]
    if said:
        yield f"{sentence_start(other.name)} is cheaper {' and '.join(said)} requests a month."


def _curve(line: Line, requests_per_month: float) -> CostCurve | None:
    """Monthly cost over volume at middle prices; None where it does not follow from the line."""
    if line.kind == "api":
        return CostCurve(usd_per_request=line.usd_per_month.mid / requests_per_month)
    if line.replicas is None or not line.filled_replicas:
        return None
    group = ReplicaGroup(
        usd_per_replica_month=line.usd_per_month.mid / line.replicas,
        requests_per_replica_month=requests_per_month / line.filled_replicas,
    )
    return CostCurve(groups=(group,), spare_replicas=line.spare_replicas)
