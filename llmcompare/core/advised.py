"""An advice as a value: deployments in the order of their worth, who is out and why, and what would change it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from llmcompare.core.advice_flips import Flip, Span
from llmcompare.core.capability_ranking import Ranking
from llmcompare.core.cost import Band
from llmcompare.core.needs import Need
from llmcompare.core.records import Model
from llmcompare.core.scenario import Scenario

OUT_COLUMNS = ("model_id", "kind", "gpu_id", "gpu_count", "engine", "weight_format", "limit", "reason")
API, SERVERLESS, RENTED, AT_HAND, OWNED = "api", "serverless", "rented", "at hand", "owned"
HERE = (AT_HAND, OWNED)
"""Kinds where no data leaves."""
PUBLISHED_FORMATS = ("bf16", "fp16")
"""What scores are published of; what any other format loses was not measured in points."""
NOWHERE = "deployment"
"""The limit of a model that nobody serves and no GPU holds."""
LIMITS = (
    "licence", "answers", "context", "languages", "score", "evidence", "ability", "data stays here", "hardware at hand",
    "weight format", "latency", "budget",
)  # fmt: skip
"""In the order in which they are asked: the first one that a deployment breaks is the reason why it is out."""


def is_base(model: Model) -> bool:
    """Whether a model only continues a text: its name says so, and it was not taught to answer."""
    return re.search(r"\bbase\b", model.display_name, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One deployment of the advice."""

    place: int
    kind: str
    model: Model
    gpu_id: str | None
    gpu_count: int | None
    engine: str | None
    weight_format: str | None
    provider_count: int
    measured: bool
    points: float
    """Altogether, at the middle of everything."""
    parts: Mapping[str, float]
    """Points of each criterion at a weight of 1."""
    ability: Band
    """Percent that is expected in the middle cell of the index."""
    usd_per_month: float
    tokens_per_s: float | None
    """Of a single request; None where it is not known and the assumption stands for it."""
    support_fraction: Band
    chance: float | None
    """Share of the draws in which it is the best; None where it is so far down that it was not drawn."""
    cold_fraction: float | None = None
    """Share of the requests that meet a cold start, on serverless GPUs; for several workers the most it can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutModel:
    """A model without a place in the ranking, and the first limit that the last of its deployments breaks."""

    model: Model
    limit: str
    reason: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFlip:
    """What would be first if one limit were not there."""

    limit: str
    line: Line
    gain_points: float
    """Over the first place of now."""
    loss_points: float | None
    """Of ability, that it may lose and still be first; None where ability counts nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Everything that was found."""

    need: Need
    scenario: Scenario
    ranking: Ranking | None
    """The index that abilities are taken from."""
    lines: tuple[Line, ...]
    """Deployments within all limits, those worth most first."""
    best_of_kinds: tuple[Line, ...]
    """The best deployment of each way to serve that is within all limits, the best way first."""
    deployment_count: int
    """That were looked at."""
    out_counts: Mapping[str, int]
    """Deployments by the first limit that they break."""
    out_models: tuple[OutModel, ...]
    flips: tuple[tuple[Flip, Line | None], ...]
    limit_flips: tuple[LimitFlip, ...]
    family_spans: Mapping[str, tuple[Span, ...]]
    """For each family, the nearest weights of each criterion at which it is first."""
    left: tuple[tuple[str, Mapping[str, int]], ...]
    """Models by family that are left after each limit in turn."""
    out_rows: Callable[[], Iterator[tuple[str | int | None, ...]]]
    """Every deployment that is out, in the order of OUT_COLUMNS."""

    @property
    def winner(self) -> Line | None:
        """The first place."""
        return self.lines[0] if self.lines else None

    def chance_by(self, key: str) -> dict[str, float]:
        """Probability of being best, of families or of models, the largest first."""
        found: Counter[str] = Counter()
        for line in self.lines:
            found[str(getattr(line.model, key))] += line.chance or 0.0  # type: ignore[assignment]
        return dict(found.most_common())

    def best_of(self, family: str) -> Line | None:
        """The best deployment of a family within the limits."""
        return next((line for line in self.lines if line.model.family == family), None)
