"""What a person needs of a model beside the workload: hard limits, and how much each criterion counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite

from llmcompare.core.advice import Weights
from llmcompare.core.capability_ranking import checked_weights
from llmcompare.core.licences import LicenceNeed
from llmcompare.errors import InputError

Categories = tuple[tuple[str, float], ...]

NEED_RANGES: dict[str, tuple[float, float]] = {
    "monthly_active_users": (1, 1e10),
    "context_tokens": (1, 1e8),
    "hardware_count": (1, 8),
    "max_usd_per_month": (0.01, 1e12),
    "min_ability_percent": (0, 100),
    "format_loss_points": (0, 50),
    "min_evidence_fraction": (0, 1),
    "max_cold_fraction": (0, 1),
    "api_tokens_per_s_low": (0.1, 1e5),
    "api_tokens_per_s_high": (0.1, 1e5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Limits that no deployment may break, and weights. Raises InputError for what cannot be."""

    commercial_use: bool = True
    monthly_active_users: float | None = None
    trains_other_models: bool = False
    based_in_eu: bool = False
    languages: tuple[str, ...] = ()
    """Codes or names; the maker must name each of them for the model."""
    context_tokens: float | None = None
    """The model must take so many; None for the tokens of one request."""
    data_stays_here: bool = False
    """Nothing may leave for an API or a rented machine: only the hardware at hand, or bought, is left."""
    hardware: str | None = None
    """Id of the GPU that is at hand and paid."""
    hardware_count: int = 1
    """Of them, in one machine."""
    max_usd_per_month: float | None = None
    min_evidence_fraction: float = 0.5
    """Of the weights of the categories, those in which a model must have a comparable score. Assumption."""
    min_ability_percent: float | None = None
    """Of the ability index, at its middle."""
    format_loss_points: float | None = None
    """The most that a format other than the published one may lose: nobody measured it in points, so this is an
    assumption; None leaves such formats out."""
    max_cold_fraction: float = 0.05
    """With a latency limit, the largest share of the requests that may meet a cold start of a serverless GPU.
    Assumption: a limit on a median would let nearly half of them wait for minutes."""
    api_tokens_per_s_low: float = 20.0
    """Assumption: how fast an API answers is not in the data."""
    api_tokens_per_s_high: float = 150.0
    weights: Weights = field(default_factory=Weights)
    categories: Categories = ()
    """Weights of the categories of ability; 1 for those that are not named."""

    def __post_init__(self) -> None:
        for name, (low, high) in NEED_RANGES.items():
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and low <= value <= high):
                raise InputError(f"{name} is {value:g}: give a number from {low:g} to {high:g}.")
        if self.api_tokens_per_s_low > self.api_tokens_per_s_high:
            raise InputError(
                f"api_tokens_per_s_low is {self.api_tokens_per_s_low:g}, above api_tokens_per_s_high of "
                f"{self.api_tokens_per_s_high:g}: swap them."
            )
        checked_weights(dict(self.categories))

    @property
    def licence(self) -> LicenceNeed:
        """What the licence must allow."""
        return LicenceNeed(
            commercial_use=self.commercial_use,
            monthly_active_users=self.monthly_active_users,
            trains_other_models=self.trains_other_models,
            based_in_eu=self.based_in_eu,
        )


NEED_FIELDS = tuple(one.name for one in fields(Need) if one.name not in ("weights", "categories"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A usual need: a shape of requests, and what counts. Every figure is an assumption and can be changed."""

    input_tokens: float
    output_tokens: float
    weights: Weights
    categories: Mapping[str, float]
    """Weights of the categories that matter; 0 for all others."""

    def categories_of_all(self, known: tuple[str, ...]) -> Categories:
        """A weight for every category."""
        return tuple((name, float(self.categories.get(name, 0.0))) for name in known)


PRESETS: dict[str, Preset] = {
    "support chat": Preset(
        input_tokens=1_000, output_tokens=300, weights=Weights(speed=2),
        categories={"instruction following": 2, "multilingual": 1, "knowledge": 1, "tool use": 1},
    ),
    "RAG": Preset(
        input_tokens=4_096, output_tokens=512, weights=Weights(),
        categories={"knowledge": 2, "instruction following": 1, "long context": 1, "reasoning": 1},
    ),
    "code assistant": Preset(
        input_tokens=2_000, output_tokens=500, weights=Weights(ability=2, speed=2),
        categories={"code": 3, "reasoning": 1, "tool use": 1},
    ),
    "extraction to JSON": Preset(
        input_tokens=800, output_tokens=200, weights=Weights(cost=2),
        categories={"instruction following": 2, "knowledge": 1, "tool use": 1},
    ),
    "multilingual": Preset(
        input_tokens=1_000, output_tokens=500, weights=Weights(),
        categories={"multilingual": 3, "knowledge": 1, "instruction following": 1},
    ),
    "edge device": Preset(
        input_tokens=512, output_tokens=128, weights=Weights(cost=2, speed=2),
        categories={"instruction following": 1, "knowledge": 1, "reasoning": 1},
    ),
    "long documents": Preset(
        input_tokens=10_240, output_tokens=1_536, weights=Weights(),
        categories={"long context": 2, "knowledge": 1, "reasoning": 1},
    ),
    "batch": Preset(
        input_tokens=1_024, output_tokens=1_024, weights=Weights(cost=3, speed=0),
        categories={"knowledge": 1, "instruction following": 1, "reasoning": 1},
    ),
}  # fmt: skip
"""By name. Shapes of chat, documents and retrieval are those of the workload's own presets."""
