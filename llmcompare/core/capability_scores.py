"""Which published scores may be compared: one value per model and cell, as a logit, and why the others are left out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from llmcompare.core.capability_settings import reading
from llmcompare.core.published import PublishedScore

CATEGORIES = (
    "knowledge", "reasoning", "mathematics", "code", "multilingual", "instruction following", "long context",
    "tool use",
)  # fmt: skip
CLIPPED_PERCENT = 1.0
"""A logit of 0 or 100% is endless, and near them a tenth of a point is a leap: scores count as 1 to 99%."""
PERCENT_SIGN = "%"
NO_PERCENTAGE = "the metric is no percentage"
NO_CATEGORY = "the benchmark belongs to none of the eight categories"
THINKING_UNKNOWN = "the source does not say whether this model thought before it answered"


class Subject(NamedTuple):
    """What was tested: a model, and whether it thought first. One model with both modes is two subjects."""

    model_id: str
    thinks: bool


class PublishedCell(NamedTuple):
    """Scores in one cell may be compared. A tuple: it is looked up a hundred thousand times for one ranking."""

    benchmark: str
    metric: str
    shots: str | None
    test: str
    """The setting: as read, or as printed."""
    thinks: bool
    published_by: str

    @property
    def label(self) -> str:
        """The benchmark with what sets this cell apart."""
        return f"{self.benchmark}, {self.conditions}"

    @property
    def conditions(self) -> str:
        """What sets this cell apart from others of its benchmark, the publisher first."""
        shots = "" if self.shots is None else f"{self.shots}-shot"
        return ", ".join(part for part in (self.published_by, shots, self.test) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellScore:
    """What was published of one subject in one cell."""

    subject: Subject
    family: str
    cell: PublishedCell
    category: str
    percent: float
    """The mean where several figures were published."""
    rows: tuple[PublishedScore, ...]

    @property
    def range_percent(self) -> tuple[float, float]:
        """Lowest and highest published figure."""
        scores = [row.score for row in self.rows]
        return min(scores), max(scores)

    @property
    def conflicts(self) -> bool:
        """Whether the published figures differ."""
        low, high = self.range_percent
        return low != high


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A published score that stands in no index, and why."""

    row: PublishedScore
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedScores:
    """All published scores: those that can be compared with others, and the rest."""

    scores: tuple[CellScore, ...]
    left_out: tuple[LeftOut, ...]


def sorted_scores(
    rows: Iterable[PublishedScore],
    *,
    families: Mapping[str, str],
    categories: Mapping[str, str | None],
    as_printed: bool = False,
) -> SortedScores:
    """One value for each subject and cell. With `as_printed` two settings are one only where their words are the same.

    A subject that is known to think in one score is left out of cells that do not say whether it did.
    """
    listed = list(rows)
    thinkers = {row.model_id for row in listed if reading(row.setting).thinks}
    found: dict[tuple[Subject, PublishedCell], list[PublishedScore]] = {}
    left_out = []
    for row in listed:
        reason = _left_out(row, categories, thinkers)
        if reason is not None:
            left_out.append(LeftOut(row=row, reason=reason))
            continue
        thinks = bool(reading(row.setting).thinks)
        subject = Subject(model_id=row.model_id, thinks=thinks)
        found.setdefault((subject, _cell(row, thinks=thinks, as_printed=as_printed)), []).append(row)
    scores = tuple(
        CellScore(
            subject=subject,
            family=families[subject.model_id],
            cell=cell,
            category=categories[cell.benchmark] or "",
            percent=fmean(row.score for row in published),
            rows=tuple(published),
        )
        for (subject, cell), published in found.items()
    )
    return SortedScores(scores=scores, left_out=tuple(left_out))


def _left_out(row: PublishedScore, categories: Mapping[str, str | None], thinkers: set[str]) -> str | None:
    read = reading(row.setting)
    if not is_percentage(row.metric):
        return NO_PERCENTAGE
    if read.left_out is not None:
        return read.left_out
    if categories.get(row.benchmark) is None:
        return NO_CATEGORY
    if read.thinks is None and row.model_id in thinkers:
        return THINKING_UNKNOWN
    return None


def _cell(row: PublishedScore, *, thinks: bool, as_printed: bool) -> PublishedCell:
    return PublishedCell(
        benchmark=row.benchmark,
        metric=row.metric,
        shots=row.shots,
        test=row.setting if as_printed else reading(row.setting).test,
        thinks=thinks,
        published_by=row.published_by,
    )


def is_percentage(metric: str) -> bool:
    """Whether a metric counts percent of 0 to 100: no Elo, no marks of 1 to 10, no BLEU.

    >>> is_percentage("accuracy %"), is_percentage("Elo rating"), is_percentage("score (1-10)")
    (True, False, False)
    """
    return PERCENT_SIGN in metric
