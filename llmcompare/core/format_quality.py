"""What weight formats cost in quality, as measured: perplexity on one text, against the same file's own full precision.

A bigger model in fewer bits against a smaller one in more: perplexities of two models compare where they split the
text into the same tokens, which models of one generation do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from llmcompare.core.pareto import on_front
from llmcompare.core.published import FormatQuality

PERCENT_KIND = "percent"
ABSOLUTE_KIND = "absolute"
PRINTED_ALIKE = 0.001
"""A printed perplexity that is further than this share from reference + difference is not the one meant."""
BOTH_NAMES = "-vs-"
"""In the name of a row that compares two full precisions: no weight format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredFormat:
    """One model in one weight format."""

    row: FormatQuality
    perplexity: float
    """Lower is better."""
    reference: float
    """Of the same model at 16 bits, in the same table."""
    on_front: bool = False
    """No other model or format of its group is at most as large and at least as good."""

    @property
    def loss_fraction(self) -> float:
        """How much the perplexity rises over that of 16 bits."""
        return self.perplexity / self.reference - 1

    @property
    def label(self) -> str:
        """Format, with the importance matrix where one was used."""
        matrix = "" if self.row.importance_matrix is None else f", importance matrix {self.row.importance_matrix}"
        return f"{self.row.quantization.upper()}{matrix}"

    @property
    def is_printed_otherwise(self) -> bool:
        """Whether the row prints another perplexity than its reference and its difference add up to."""
        return abs(self.row.perplexity / self.perplexity - 1) > PRINTED_ALIKE


def measured_formats(rows: Iterable[FormatQuality]) -> list[MeasuredFormat]:
    """Every measured format whose table says what 16 bits had; formats of one model and table share the reference."""
    tables: dict[tuple[str, str, str], list[FormatQuality]] = {}
    for row in rows:
        if BOTH_NAMES not in row.quantization:
            tables.setdefault((row.model, row.source, row.delta_kind), []).append(row)
    found = []
    for table in tables.values():
        reference = reference_perplexity(table)
        if reference is not None:
            found += [
                MeasuredFormat(row=row, perplexity=_perplexity(row, reference), reference=reference) for row in table
            ]
    return found


def reference_perplexity(table: Sequence[FormatQuality]) -> float | None:
    """What 16 bits had: of differences the median of figure less difference, of percentages the row that rises by 0."""
    if table[0].delta_kind.startswith(ABSOLUTE_KIND):
        return median(row.perplexity - row.delta_perplexity for row in table)
    if table[0].delta_kind.startswith(PERCENT_KIND):
        return next((row.perplexity for row in table if row.delta_perplexity == 0), None)
    return None


def _perplexity(row: FormatQuality, reference: float) -> float:
    """The difference is taken, not the printed figure: one row of llama.cpp's table prints the reference there."""
    if row.delta_kind.startswith(ABSOLUTE_KIND):
        return reference + row.delta_perplexity
    return row.perplexity


def with_front(group: Sequence[MeasuredFormat]) -> list[MeasuredFormat]:
    """Those of known size, smallest first, with those that no other is at most as large and at least as good as."""
    sized = [(size, one) for one in group if (size := one.row.size_gib) is not None]
    best = on_front([size for size, _ in sized], [-one.perplexity for _, one in sized])
    marked = [
        (size, MeasuredFormat(row=one.row, perplexity=one.perplexity, reference=one.reference, on_front=is_best))
        for (size, one), is_best in zip(sized, best, strict=True)
    ]
    return [one for _, one in sorted(marked, key=lambda pair: (pair[0], pair[1].perplexity))]


def bigger_in_fewer_bits(smaller: Sequence[MeasuredFormat], bigger: Sequence[MeasuredFormat]) -> MeasuredFormat | None:
    """The smallest file of the bigger model that is better than every format of the smaller one; None where none is."""
    best = min(one.perplexity for one in smaller)
    better = [(one.row.size_gib, one) for one in bigger if one.row.size_gib is not None and one.perplexity < best]
    return min(better, key=lambda pair: (pair[0], pair[1].perplexity), default=(None, None))[1]
