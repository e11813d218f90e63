"""Names beside marks: only where they have room; the others stand in the hover boxes and in the table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log10

from llmcompare.core.cost import Band

WIDTH_PX, HEIGHT_PX = 280.0, 330.0
"""Of the plot on a telephone. A wider one moves marks apart and leaves names as they are: what has room here has it
there."""
LETTER_PX, LINE_PX, MARK_PX = 6.5, 15.0, 9.0
"""Of a name in the usual font, and half of a mark."""
SIDES = ("top left", "top right", "bottom right")
"""Where a name may stand, as plotly calls it. Nothing is better and cheaper than a mark of a Pareto front, so there is
most room at its top left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark that wants its name beside it: its place from 0 to 1 from left to right and from bottom to top."""

    across: float
    up: float
    name: str


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is drawn, in pixels from the lower left corner."""

    anchor: float
    """Of its mark, from left to right: a wider plot moves marks apart, and what belongs to them with them."""
    left: float
    right: float
    bottom: float
    top: float

    def meets(self, other: "Box") -> bool:
        """Whether the two overlap, here or in a wider plot."""
        if self.top <= other.bottom or other.top <= self.bottom:
            return False
        first, last = (self, other) if self.right <= other.left else (other, self)
        return not (first.right <= last.left and first.anchor <= last.anchor)


MOST_COVERED = 3
"""Marks without a name under a name: more, and it cannot be read."""
MARGIN_FRACTION = 0.05
"""That plotly leaves free at each end of an axis."""


def sides_over_cost(
    costs: Sequence[Band], scores: Sequence[Band], names: Sequence[str], *, named: Sequence[bool], until_usd: float = 0
) -> list[str | None]:
    """Of marks of scores over costs on a logarithmic axis, for those that are to be named: `sides`, in their order.

    The axes reach from end to end of all bands, and to `until_usd`.
    """
    ends = [log10(end) for band in costs for end in (band.low, band.high)]
    across = _fractions([log10(band.mid) for band in costs], [*ends, *([log10(until_usd)] if until_usd > 0 else [])])
    up = _fractions([band.mid for band in scores], [end for band in scores for end in (band.low, band.high)])
    marks = [Mark(across=x, up=y, name=name) for x, y, name in zip(across, up, names, strict=True)]
    at = [number for number, is_named in enumerate(named) if is_named]
    others = [mark for mark, is_named in zip(marks, named, strict=True) if not is_named]
    found = dict(zip(at, sides([marks[one] for one in at], others), strict=True))
    return [found.get(number) for number in range(len(names))]


def _fractions(values: Sequence[float], ends: Sequence[float]) -> list[float]:
    low, high = (min(ends), max(ends)) if ends else (0.0, 0.0)
    span = (high - low) or 1.0
    return [MARGIN_FRACTION + (1 - 2 * MARGIN_FRACTION) * (value - low) / span for value in values]


def sides(marks: Sequence[Mark], others: Sequence[Mark] = ()) -> list[str | None]:
    """For each mark the side on which its name stands, None where it has no room.

    The best and the cheapest choose first. A name meets no other name and no mark of these, no edge cuts it, and it
    covers as few of the others as can be, three at most.

    >>> sides([Mark(across=0.1, up=0.5, name="a model"), Mark(across=0.11, up=0.5, name="its neighbour")])
    ['top right', 'bottom right']
    """
    taken = [_drawn(mark) for mark in marks]
    besides = [_drawn(mark) for mark in others]
    found: list[str | None] = [None] * len(marks)
    for at in _first_choice(marks):
        free = {side: box for side in SIDES if _is_free(box := _box(marks[at], side), taken)}
        covered = {side: sum(map(box.meets, besides)) for side, box in free.items()}
        side = min(covered, key=covered.__getitem__, default=None)
        if side is not None and covered[side] <= MOST_COVERED:
            found[at] = side
            taken.append(free[side])
    return found


def _is_free(box: Box, taken: Sequence[Box]) -> bool:
    return box.left >= 0 and box.right <= WIDTH_PX and not any(map(box.meets, taken))


def _drawn(mark: Mark) -> Box:
    x, y = mark.across * WIDTH_PX, mark.up * HEIGHT_PX
    return Box(x, x - MARK_PX, x + MARK_PX, y - MARK_PX, y + MARK_PX)


def _first_choice(marks: Sequence[Mark]) -> Iterator[int]:
    best_first = sorted(range(len(marks)), key=lambda at: -marks[at].up)
    cheapest = min(best_first, key=lambda at: marks[at].across, default=None)
    yield from best_first[:1]
    yield from (at for at in (cheapest,) if at is not None and at != best_first[0])
    yield from (at for at in best_first[1:] if at != cheapest)


def _box(mark: Mark, side: str) -> Box:
    """Of the name on one side of its mark."""
    x, y, width = mark.across * WIDTH_PX, mark.up * HEIGHT_PX, LETTER_PX * len(mark.name)
    left = x - width - MARK_PX if side.endswith("left") else x + MARK_PX
    bottom = y + MARK_PX if side.startswith("top") else y - MARK_PX - LINE_PX
    return Box(x, left, left + width, bottom, bottom + LINE_PX)
