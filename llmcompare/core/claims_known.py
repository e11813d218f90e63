"""What the statements of a buying guide are checked with, what a check returns, and the rules that all checks share.

The guide is never evidence: its figures come in with the statement, everything else from other tables and from the
formulas of the core.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from llmcompare.core.catalogue_row import CatalogueRow
from llmcompare.core.comparison import Comparison
from llmcompare.core.published import Licence, ListedFormat, PublishedScore, PublishedSpeed
from llmcompare.core.records import ApiOffer, Claim, Finding, Gpu, GpuOffer, Model
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tiers import Tier

VerdictName = Literal[
    "holds", "partly", "contradicted", "self-contradicting", "outdated", "no-evidence", "opinion"
]  # fmt: skip
EQUAL_FRACTION = 0.01
"""A figure within 1% of another is equal to it."""
Figure = float | int | str | list[float] | list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A row that a verdict rests on, and what it says."""

    row_id: str
    says: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check found."""

    verdict: VerdictName
    explanation: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """Units are in the keys."""
    evidence: tuple[Evidence, ...] = ()

    @property
    def row_ids(self) -> list[str]:
        """Of the rows that it rests on, each once."""
        return list(dict.fromkeys(row.row_id for row in self.evidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSpeed:
    """How fast one deployment is with one length of context, and what a million tokens cost there."""

    context_tokens: int
    tpot_ms: float
    """Of one stream."""
    ttft_ms: float
    usd_per_mtok: float
    """Input and output tokens together, with as many streams as fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedRate:
    """Predicted rate of one stream of a model on a GPU."""

    model_id: str
    gpu_id: str
    gpu_count: int
    tokens_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that a check may look at."""

    claims: Mapping[str, Claim] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    models: Mapping[str, Model] = field(default_factory=dict)
    shapes: Mapping[str, ModelShape] = field(default_factory=dict)
    licences: Mapping[str, Licence] = field(default_factory=dict)
    scores: Sequence[PublishedScore] = ()
    categories: Mapping[str, str | None] = field(default_factory=dict)
    """What each benchmark tests."""
    speeds: Sequence[PublishedSpeed] = ()
    gpus: Mapping[str, Gpu] = field(default_factory=dict)
    gpu_offers: Sequence[GpuOffer] = ()
    """Today's prices."""
    gpu_price_history: Sequence[GpuOffer] = ()
    """Every price that was seen."""
    api_offers: Sequence[ApiOffer] = ()
    formats: Sequence[ListedFormat] = ()
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    """Costs of every way to serve a model, by model id."""
    tiers: Mapping[str, Sequence[Tier]] = field(default_factory=dict)
    """The cheapest way at every volume, of the same models."""
    context_speeds: Sequence[ContextSpeed] = ()
    """Of one deployment, at several lengths."""
    context_evidence: tuple[Evidence, ...] = ()
    """The rows behind them."""
    predicted_rates: Sequence[PredictedRate] = ()

    def named(self, pattern: str) -> list[Model]:
        """Models of a family, or whose id fits a pattern with *; the oldest first."""
        found = [
            model
            for model in self.models.values()
            if model.family == pattern or fnmatchcase(model.model_id, pattern)
        ]  # fmt: skip
        return sorted(found, key=lambda model: (model.released_on or "9", model.model_id))

    def name(self, of_id: str) -> str:
        """Of a model or a GPU, for a sentence."""
        if of_id in self.models:
            return self.models[of_id].display_name
        return self.gpus[of_id].name if of_id in self.gpus else of_id


Check = Callable[[Known, Claim], Verdict]


# --- the statement ----------------------------------------------------------------------------------------------------


def subjects(claim: Claim) -> list[str]:
    """The sides that a statement speaks of."""
    return claim.subject.split(" vs ")


def printed(claim: Claim) -> list[str]:
    """Its figures in the digits of the guide."""
    return claim.claimed.split(";") if claim.claimed else []


def given(claim: Claim, name: str) -> float | None:
    """A figure that it starts from."""
    pairs = dict(pair.split("=") for pair in (claim.given or "").split(";") if pair)
    return float(pairs[name]) if name in pairs else None


def span(claim: Claim) -> tuple[float, float] | None:
    """Lowest and highest value that the statement allows; None for a list and where it names no figure."""
    figures = [float(text) for text in printed(claim)]
    if not figures or claim.claimed_as == "list":
        return None
    if claim.claimed_as == "at least":
        return figures[0], float("inf")
    if claim.claimed_as == "at most":
        return 0.0, figures[0]
    return figures[0], figures[-1]


# --- equal, and within ------------------------------------------------------------------------------------------------


def equal(claimed: str, found: float) -> bool:
    """Whether a figure is the claimed one: within 1%, or the same in the digits of the guide.

    >>> equal("86.0", 82.0), equal("81.5", 81.2), equal("12", 12.2), equal("0.001", 0.000975)
    (False, True, True, True)
    """
    value = float(claimed)
    if abs(value - found) <= EQUAL_FRACTION * abs(found):
        return True
    decimals = len(claimed.partition(".")[2]) if "e" not in claimed else None
    return decimals is not None and round(found, decimals) == value


def within(claim: Claim, found: float) -> bool:
    """Whether a figure is one that the statement allows."""
    allowed = span(claim)
    if allowed is None:
        return False
    low, high = allowed
    return low <= found <= high or any(equal(text, found) for text in printed(claim))


# --- versions of one model --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Whether a statement is true of one version of what it speaks of."""

    released_on: str | None
    is_true: bool | None
    """None where nothing is known of it."""


def over_versions(versions: Iterable[Version], *, asked_on: str | None) -> tuple[VerdictName, str | None]:
    """The verdict on a statement that names several versions at once, and the day on which it stopped to be true.

    True of every version: holds. Of none: contradicted. Of the older ones alone: outdated, since the first version of
    which it is not true. Of others: partly. A version that came after the statement was made can make it outdated, and
    nothing else; one of which nothing is known counts for nothing.

    >>> old, new = Version(released_on="2024-02", is_true=True), Version(released_on="2024-07-24", is_true=False)
    >>> over_versions([old, new], asked_on="2026-03"), over_versions([new], asked_on="2024-03")
    (('outdated', '2024-07-24'), ('no-evidence', None))
    """
    known = sorted((one for one in versions if one.is_true is not None), key=_day)
    seen = [one for one in known if asked_on is None or _day(one)[: len(asked_on)] <= asked_on]
    later_false = [one for one in known[len(seen) :] if not one.is_true]
    false = [one for one in seen if not one.is_true]
    if not seen:
        return "no-evidence", None
    if len(false) == len(seen):
        return "contradicted", None
    if not false:
        return ("outdated", later_false[0].released_on) if later_false else ("holds", None)
    if all(_day(one) < _day(false[0]) for one in seen if one.is_true):
        return "outdated", false[0].released_on
    return "partly", None


def _day(one: Version) -> str:
    """For sorting; a version without a day comes last."""
    return one.released_on or "9"


def combined(parts: Iterable[VerdictName]) -> VerdictName:
    """The verdict on a statement of several parts.

    All hold: holds. One holds and another does not, or has no evidence: partly. None holds: contradicted where one is,
    else no evidence.

    >>> combined(["holds", "no-evidence"]), combined(["contradicted", "no-evidence"]), combined(["outdated", "holds"])
    ('partly', 'contradicted', 'partly')
    """
    found = set(parts)
    if len(found) == 1:
        return found.pop()
    if found & {"holds", "partly", "outdated"}:
        return "partly"
    return "contradicted" if "contradicted" in found else "no-evidence"


def share_verdict(true_count: int, count: int) -> VerdictName:
    """All of so many: holds. None of them: contradicted. Some: partly. There are none: no evidence."""
    if count == 0:
        return "no-evidence"
    if true_count == count:
        return "holds"
    return "partly" if true_count else "contradicted"


# --- rows ------------------------------------------------------------------------------------------------------------


def row(found: CatalogueRow, says: str) -> Evidence:
    """A row with what it says."""
    return Evidence(row_id=found.row_id, says=says, as_of=found.as_of, source=found.source)


def nothing(reason: str) -> Verdict:
    """No row speaks of it."""
    return Verdict(verdict="no-evidence", explanation=reason)
