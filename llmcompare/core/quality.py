"""Quality against cost: one comparable score per model beside what the workload costs with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from llmcompare.core.cost import Band
from llmcompare.core.options import PriceBook, PricedApiOffer, api_option
from llmcompare.core.pareto import on_front
from llmcompare.core.records import Model, Score, ScoreCell
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table, api_offer_table
from llmcompare.core.units import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPoint:
    """One model of the chart."""

    model: Model
    score: Band
    """Mean of the runs that the publisher lists, with the lowest and the highest."""
    usd_per_month: Band
    provider_count: int
    on_front: bool
    """Nothing is at least as cheap and at least as good."""
    scores: tuple[Score, ...]
    offers: tuple[PricedApiOffer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityAgainstCost:
    """All models that have both a score in the cell and a price, cheapest first."""

    cell: ScoreCell
    scenario: Scenario
    points: tuple[ModelPoint, ...]
    without_price: tuple[str, ...]
    """Names of models with a score that no provider lists."""


def score_band(runs: Sequence[float]) -> Band:
    """The mean of the runs that a publisher lists, with the lowest and the highest."""
    return Band(low=min(runs), mid=mean(runs), high=max(runs))


def quality_against_cost(
    cell: ScoreCell,
    scenario: Scenario,
    scored: Sequence[tuple[PriceBook, Sequence[Score]]],
    *,
    counted: Mapping[str, Scenario] | None = None,
) -> QualityAgainstCost:
    """Points for the models of the three families; each comes with its price book and its scores.

    Prices are those of standard listings of all providers, whatever the scenario says of one model's price.
    counted: the scenario in tokens of a model, by model id, where they differ from those typed.
    """
    priced, without_price = [], []
    for book, scores in scored:
        option, _ = api_option(book, (counted or {}).get(book.model.model_id, scenario).at_standard_listings)
        if option is None:
            without_price.append(book.model.display_name)
        else:
            priced.append((book.model, tuple(scores), option))
    values = [[score.score for score in scores] for _, scores, _ in priced]
    front = on_front([option.usd_per_month.mid for *_, option in priced], [mean(runs) for runs in values])
    points = [
        ModelPoint(
            model=model,
            score=score_band(runs),
            usd_per_month=option.usd_per_month,
            provider_count=len(option.offers),
            on_front=best,
            scores=scores,
            offers=option.offers,
        )
        for (model, scores, option), runs, best in zip(priced, values, front, strict=True)
    ]
    return QualityAgainstCost(
        cell=cell,
        scenario=scenario.at_standard_listings,
        points=tuple(sorted(points, key=lambda point: point.usd_per_month.mid)),
        without_price=tuple(sorted(without_price)),
    )


def sentences(result: QualityAgainstCost) -> Iterator[str]:
    """What the chart says."""
    if not result.points:
        yield "No model with a score here is priced for this workload."
        return
    front = [f"{p.model.display_name} ({p.model.family.capitalize()})" for p in result.points if p.on_front]
    yield (
        f"{len(front)} of {counted(len(result.points), 'model')} stand out at median prices: no other is both cheaper "
        f"and better than {', '.join(front)}."
    )
    yield (
        f"Quality: {result.cell.benchmark} as published by {result.cell.published_by}, {result.cell.setting}. "
        "Other settings are not comparable with it. Bars show the spread of prices over providers and of scores "
        "over runs; the sampling error of the scores is not published."
    )
    if result.without_price:
        yield f"{counted(len(result.without_price), 'more model')} with a score cannot be priced for this workload."


def price_table(result: QualityAgainstCost) -> Table:
    """The API prices behind the points."""
    return api_offer_table(
        [offer for point in result.points for offer in point.offers], title="Prices behind the chart"
    )


def quality_table(result: QualityAgainstCost) -> Table:
    """The points as a table."""
    return Table(
        name="quality-against-cost",
        title="Quality against cost",
        columns=(
            "model", "family", "score", "score_low", "score_high", "usd_per_month_low", "usd_per_month_median",
            "usd_per_month_high", "provider_count", "on_pareto_front", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                p.model.display_name, p.model.family, p.score.mid, p.score.low, p.score.high, p.usd_per_month.low,
                p.usd_per_month.mid, p.usd_per_month.high, p.provider_count, "yes" if p.on_front else "no",
                p.scores[0].as_of, p.scores[0].source, p.scores[0].row_id,
            )
            for p in result.points
        ),
    )  # fmt: skip
