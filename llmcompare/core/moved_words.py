"""What moved, in sentences: how many prices, the largest moves, what came, went or was not read again."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from llmcompare.core.moved import ROUNDING_FRACTION, Move, Moved
from llmcompare.core.price_series import Seen
from llmcompare.core.units import counted, usd_text

TOLD = 5
"""Moves that are said in words; the table has all of them."""


def change_text(fraction: float) -> str:
    """A change in percent, with its sign.

    >>> change_text(0.2128), change_text(-0.004)
    ('+21%', '−0.4%')
    """
    digits = 1 if abs(fraction) < 0.1 else 0
    return f"{fraction:+.{digits}%}".replace("-", "−")


def headline(found: Moved, noun: str) -> str:
    """How many prices changed of those that were read again, and by how much."""
    if not found.read_again_count:
        return f"No {noun} was read again after {found.since}: whether one moved is not known."
    of = counted(found.read_again_count, noun)
    if not found.moves:
        return f"Of {of} that were read again since {found.since} none changed."
    up = sum(move.change_usd > 0 for move in found.moves)
    down = len(found.moves) - up
    ways = [text for count, text in ((up, f"{counted(up, 'price')} rose"), (down, f"{down} fell")) if count]
    half = median(abs(move.change_fraction) for move in found.moves)
    return (
        f"Of {of} that were read again since {found.since}, {found.moved_count} changed: {' and '.join(ways)}, half of "
        f"them by more than {half:.0%}."
    )


def largest(found: Moved, names: Mapping[str, str], *, most: int = TOLD) -> Iterator[str]:
    """The largest moves first, one sentence each."""
    for move in found.moves[:most]:
        yield move_sentence(move, names)


def move_sentence(move: Move, names: Mapping[str, str]) -> str:
    """One move with every price on its way."""
    lists = "" if move.same_list else ", as two lists have it"
    return (
        f"{subject(move.after, names)}: {steps_text(move)} per {short_unit(move.unit)}, "
        f"{change_text(move.change_fraction)} ({move.before.as_of} to {move.after.as_of}{lists})."
    )


def steps_text(move: Move) -> str:
    """The prices from the old one to the new one; one that was only confirmed is not repeated."""
    prices: list[float] = []
    for point in move.path:
        usd = point.usd[move.place]
        if not prices or abs(usd / prices[-1] - 1) > ROUNDING_FRACTION:
            prices.append(usd)
    return " → ".join(map(usd_text, prices))


def short_unit(unit: str) -> str:
    """A unit behind an amount in dollars.

    >>> short_unit("USD per GPU-hour"), short_unit("USD per million input tokens")
    ('GPU-hour', 'million input tokens')
    """
    return unit.removeprefix("USD per ")


def subject(seen: Seen, names: Mapping[str, str]) -> str:
    """What is offered, by whom and on which terms."""
    what = names.get(seen.subject, seen.subject)
    chosen = seen.apart[-1] if seen.kind == "gpu" else ""
    figure = {"price": "", "cheapest": ", cheapest offer", "": ""}.get(chosen, ", median of offers")
    terms = "" if seen.terms == "standard" else seen.terms
    inside = f"{terms}{figure}".removeprefix(", ")
    return f"{what} at {seen.provider}{f' ({inside})' if inside else ''}"


def others(found: Moved, noun: str) -> Iterator[str]:
    """What came, what went, and of what neither is known."""
    if found.new:
        yield f"New in lists that had been read before: {_offers(found.new)}."
    if found.gone:
        yield f"Without a row when their list was read again: {_offers(found.gone)}."
    if found.first_read:
        yield (
            f"Read once, in lists that had not been read before: {counted(len(found.first_read), noun)}. Whether they "
            "are new is not known."
        )
    if found.not_read_again:
        yield (
            f"Not read again: {counted(len(found.not_read_again), noun)}. Whether they moved is not known; they are "
            "used as they were."
        )


def _offers(rows: Sequence[Seen]) -> str:
    providers: dict[str, int] = {}
    for row in rows:
        providers[row.provider] = providers.get(row.provider, 0) + 1
    return ", ".join(f"{count} at {name}" for name, count in sorted(providers.items(), key=lambda p: (-p[1], p[0])))
