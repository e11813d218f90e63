"""A refresh in sentences: what changed, what is new or gone, what is held back and why."""

from collections.abc import Iterator

from llmcompare.core.moved_words import change_text
from llmcompare.core.refresh import Finding, Known, Quote, Refresh
from llmcompare.core.units import counted, usd_text

TOLD = 20
"""Of each kind, in words; the JSON has all."""


def summary(found: Refresh) -> str:
    """How many of each state."""
    counts = [(len(found.of("changed")), "changed"), (len(found.of("new")), "new"),
              (len(found.of("confirmed")), "seen again unchanged"), (len(found.of("known")), "known already"),
              (len(found.gone), "not listed any more"), (len(found.of("held")), "held back as doubtful")]  # fmt: skip
    said = [f"{count:,} {name}" for count, name in counts if count]
    return f"{counted(len(found.findings), 'price')} read: {', '.join(said)}." if said else "No price was read."


def lines(found: Refresh, *, most: int = TOLD) -> Iterator[str]:
    """The prices that differ, the largest change first, then what is new, gone and held back."""
    changed = sorted(found.of("changed"), key=lambda one: -_size(one))
    yield from _cut((changed_line(one) for one in changed), len(changed), most)
    new = found.of("new")
    yield from _cut((f"new: {quote_line(one.quote)}{_unchecked(one)}" for one in new), len(new), most)
    yield from _cut((f"gone: {_known_line(one)}" for one in found.gone), len(found.gone), most)
    held = found.of("held")
    # All of them: nothing is held back silently.
    for one in held:
        yield f"held back: {quote_line(one.quote)}: {'; '.join(one.doubts)}"


def changed_line(one: Finding) -> str:
    """The old prices, the new ones and how far they moved."""
    assert one.known is not None
    ratios = [new / old - 1 for new, old in zip(one.quote.usd, one.known.usd, strict=True)]
    moves = " / ".join(change_text(ratio) if ratio else "the same" for ratio in ratios)
    before = f"{_usd(one.known.usd)} ({one.known.as_of or 'undated'})"
    return f"changed: {_offer(one.quote)}: {before} → {_usd(one.quote.usd)}, {moves}"


def quote_line(quote: Quote) -> str:
    """An offer with its prices."""
    return f"{_offer(quote)}: {_usd(quote.usd)}"


def _known_line(row: Known) -> str:
    return f"{' · '.join(row.offer)}: {_usd(row.usd)} ({row.as_of or 'undated'})"


def _offer(quote: Quote) -> str:
    return " · ".join(quote.offer)


def _usd(prices: tuple[float, ...]) -> str:
    unit = " per million tokens" if len(prices) == 2 else " per GPU-hour"
    return " / ".join(map(usd_text, prices)) + unit


def _unchecked(one: Finding) -> str:
    return "" if one.is_compared else " (fewer than 3 other providers to hold it against)"


def _size(one: Finding) -> float:
    ratio = one.ratio or 1.0
    return max(ratio, 1 / ratio)


def _cut(texts: Iterator[str], count: int, most: int) -> Iterator[str]:
    for _, text in zip(range(most), texts, strict=False):
        yield text
    if count > most:
        yield f"… and {count - most:,} more of these"
