"""What moved since a day: prices that changed, offers that came and went, and what was not read again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import log

from llmcompare.core.price_series import Seen, Series, reading_of, readings, series
from llmcompare.core.units import first_day

ROUNDING_FRACTION = 0.001
"""Lists print 21.9576 or 21.957642 for one price: less than this is no move."""
PLACES = ("unchanged", "new", "gone", "first_read", "not_read_again")
"""Of an offer without a move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One price of an offer that is another one now."""

    series: Series
    unit: str
    place: int
    """Of the price among those of its rows."""
    before: Seen
    """What held on the day that is compared with, or what was read first after it."""
    after: Seen

    @property
    def usd_before(self) -> float:
        """USD in its unit."""
        return self.before.usd[self.place]

    @property
    def usd_after(self) -> float:
        """USD in its unit."""
        return self.after.usd[self.place]

    @property
    def change_usd(self) -> float:
        """Above 0 where it is dearer now."""
        return self.usd_after - self.usd_before

    @property
    def change_fraction(self) -> float:
        """Of the old price."""
        return self.usd_after / self.usd_before - 1

    @property
    def size(self) -> float:
        """Alike for a price that doubles and one that halves."""
        return abs(log(self.usd_after / self.usd_before))

    @property
    def same_list(self) -> bool:
        """Whether one list says both prices."""
        return self.before.list_name == self.after.list_name

    @property
    def path(self) -> tuple[Seen, ...]:
        """The rows from the old price to the new one."""
        return tuple(point for point in self.series.points if self.before.as_of <= point.as_of <= self.after.as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The offers of one kind, each in one place. All but the moves are told by their newest row."""

    since: date
    moves: tuple[Move, ...]
    """The largest first."""
    moved_count: int
    """Offers with a move; one of two prices may have stayed."""
    unchanged: tuple[Seen, ...]
    """Read again, and the same."""
    new: tuple[Seen, ...]
    """In a list that had been read before the day without them."""
    gone: tuple[Seen, ...]
    """Without a row when their list was read again."""
    first_read: tuple[Seen, ...]
    """Read once, in lists that were not read before the day: whether they are new is not known."""
    not_read_again: tuple[Seen, ...]
    """Their list was not read after the day: whether they moved is not known."""

    @property
    def read_again_count(self) -> int:
        """Offers of which both an old and a new price are known."""
        return self.moved_count + len(self.unchanged)


def moved(rows: Iterable[Seen], *, since: date) -> Moved:
    """Every offer of these rows: what held on the day against the newest price."""
    seen = list(rows)
    read = readings(seen)
    things = {after: {_thing(row) for row in seen if _is_after(row, since) == after} for after in (True, False)}

    def was_listed_without(row: Seen, *, after: bool) -> bool:
        """Whether its list was read on the other side of the day, and nobody lists the same under another name."""
        days = read[reading_of(row)]
        return any((first_day(day) > since) == after for day in days) and _thing(row) not in things[after]

    moves: list[Move] = []
    places: dict[str, list[Seen]] = {name: [] for name in ("moved", *PLACES)}
    for one in series(seen):
        held = [point for point in one.points if not _is_after(point, since)]
        before, last = held[-1] if held else one.points[0], one.last
        if held and last is before:
            place = "gone" if was_listed_without(last, after=True) else "not_read_again"
        elif not held and was_listed_without(before, after=False):
            place = "new"
        elif last is before:
            place = "first_read"
        else:
            found = _moves(one, before)
            moves += found
            place = "moved" if found else "unchanged"
        places[place].append(last)
    return Moved(
        since=since,
        moves=tuple(sorted(moves, key=lambda move: (-move.size, move.after.row_id, move.place))),
        moved_count=len(places["moved"]),
        **{name: tuple(places[name]) for name in PLACES},
    )


def _is_after(row: Seen, since: date) -> bool:
    return first_day(row.as_of) > since


def _thing(row: Seen) -> tuple[str, str, str]:
    """Provider and GPU with its billing class, or provider and model."""
    return row.provider, row.subject, row.apart[2]


def _moves(one: Series, before: Seen) -> list[Move]:
    return [
        Move(series=one, unit=unit, place=place, before=before, after=one.last)
        for place, unit in enumerate(one.units)
        if abs(one.last.usd[place] / before.usd[place] - 1) > ROUNDING_FRACTION
    ]
