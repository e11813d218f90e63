"""Quality against cost of every priced model, and how old the data are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from llmcompare.core import freshness, quality
from llmcompare.core.quality import QualityAgainstCost
from llmcompare.core.records import ApiOffer, GpuOffer, Score, ScoreCell
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import age_days
from llmcompare.services.books import book
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import for_models
from llmcompare.store import queries

FAMILIES = ("llama", "mistral", "qwen")


def score_cells(facts: Facts) -> dict[str, ScoreCell]:
    """Comparable cells by id, those that cover most families and models first."""
    return {cell.cell_id: cell for cell in queries.priced_score_cells(facts.catalog)}


def quality_against_cost(facts: Facts, scenario: Scenario, cell: ScoreCell) -> QualityAgainstCost:
    """Every model of the three families with a score in the cell."""
    by_model: dict[str, list[Score]] = {}
    for score in queries.scores(facts.catalog, cell):
        by_model.setdefault(score.model_id, []).append(score)
    scored = [
        (book(facts, model_id), scores)
        for model_id, scores in by_model.items()
        if model_id in facts.models and facts.models[model_id].family in FAMILIES
    ]
    counted = for_models(facts, scenario, [book.model.model_id for book, _ in scored])
    return quality.quality_against_cost(cell, scenario, scored, counted=counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """Age of the prices of one kind that are in use."""

    kind: str
    row_count: int
    newest_as_of: str | None
    median_days: float | None
    stale_count: int
    """Rows that are too old for their billing class."""
    undated_count: int

    @property
    def median_text(self) -> str:
        """Age that half of the rows exceed."""
        return "undated" if self.median_days is None else f"{self.median_days:.0f} days old"

    @property
    def detail(self) -> str:
        """Date of the newest row and how many rows are old or undated."""
        return (
            f"Median of {self.row_count} rows in use; the newest is of {self.newest_as_of or 'an unknown date'}. "
            f"{self.stale_count} are older than {freshness.STALE_AFTER_DAYS} days "
            f"(marketplaces {freshness.MARKETPLACE_STALE_AFTER_DAYS}), {self.undated_count} are undated."
        )


def ages(facts: Facts, today: date) -> list[Age]:
    """Ages of API and GPU prices."""
    kinds: dict[str, list[ApiOffer] | list[GpuOffer]] = {"API prices": facts.api_offers, "GPU prices": facts.gpu_offers}
    return [_age(kind, offers, today) for kind, offers in kinds.items()]


def _age(kind: str, offers: Sequence[ApiOffer | GpuOffer], today: date) -> Age:
    dated = [offer.as_of for offer in offers if offer.as_of is not None]
    days = [age_days(as_of, today=today) for as_of in dated]
    return Age(
        kind=kind,
        row_count=len(offers),
        newest_as_of=max(dated, default=None),
        median_days=median(days) if days else None,
        stale_count=sum(freshness.offer_freshness(offer, today=today) == "stale" for offer in offers),
        undated_count=len(offers) - len(dated),
    )
