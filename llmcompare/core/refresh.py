"""Prices that lists ask now, against those of the catalogue: what is new, changed, gone, confirmed, held back."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from llmcompare.core.price_checks import Compared, api_doubts, gpu_doubts
from llmcompare.core.price_series import Kind, list_name

State = Literal["new", "changed", "confirmed", "known", "held"]
"""confirmed: the same on a later day. known: the catalogue has this reading, or a later one. held: doubtful."""
SAME_FRACTION = 1e-9
"""Lists compute prices in floats; more than this is another price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a list asks for one offer on a day, as cells for its table."""

    kind: Kind
    offer: tuple[str, ...]
    """What tells offers apart: provider and name, of GPUs their number, billing class and region too."""
    thing: str
    """Model or GPU, with its terms, within which providers are compared."""
    usd: tuple[float, ...]
    """Input and output per million tokens, or a GPU-hour."""
    as_of: str
    cells: Mapping[str, str]

    @property
    def provider(self) -> str:
        """Who asks it."""
        return self.offer[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The newest row of an offer in the catalogue."""

    kind: Kind
    offer: tuple[str, ...]
    thing: str
    usd: tuple[float, ...]
    as_of: str | None
    source: str
    row_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One quote and what the catalogue says of its offer."""

    quote: Quote
    known: Known | None
    state: State
    doubts: tuple[str, ...] = ()
    is_compared: bool = True
    """False where there is neither an earlier price nor enough other providers to hold it against."""

    @property
    def ratio(self) -> float | None:
        """Of its largest change: the new price over the old one."""
        if self.known is None:
            return None
        ratios = [new / old for new, old in zip(self.quote.usd, self.known.usd, strict=True)]
        return max(ratios, key=lambda ratio: max(ratio, 1 / ratio))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """A list against the catalogue."""

    findings: tuple[Finding, ...]
    gone: tuple[Known, ...]
    """Offers whose newest row is of this list, which does not name them any more."""

    def of(self, *states: State) -> tuple[Finding, ...]:
        """The findings in these states."""
        return tuple(one for one in self.findings if one.state in states)

    @property
    def to_save(self) -> tuple[Finding, ...]:
        """What would become rows: prices that changed, are new, or were seen again on a later day."""
        return self.of("new", "changed", "confirmed")


def compared(
    quotes: Iterable[Quote], known: Iterable[Known], *, list_source: str, listed: Container[tuple[str, ...]]
) -> Refresh:
    """Every quote of one list against the newest row of its offer and against other providers.

    `listed` holds every offer that the list names, those that give no quote too.
    """
    rows = list(known)
    newest = {row.offer: row for row in rows}
    things: dict[str, list[Known]] = {}
    for row in rows:
        things.setdefault(row.thing, []).append(row)
    found = [_finding(quote, newest.get(quote.offer), things.get(quote.thing, ())) for quote in quotes]
    return Refresh(
        findings=tuple(sorted(found, key=lambda one: one.quote.offer)),
        gone=tuple(
            sorted(
                (row for row in rows if list_name(row.source) == list_name(list_source) and row.offer not in listed),
                key=lambda row: row.offer,
            )
        ),
    )


def _finding(quote: Quote, known: Known | None, others: Sequence[Known]) -> Finding:
    if known is not None and known.as_of is not None and known.as_of >= quote.as_of:
        return Finding(quote=quote, known=known, state="known")
    against = [_against(place, quote, known, others) for place in range(len(quote.usd))]
    doubts = _doubts(quote, against)
    is_compared = all(one.is_comparable for one in against)
    if doubts:
        return Finding(quote=quote, known=known, state="held", doubts=doubts, is_compared=is_compared)
    if known is None:
        return Finding(quote=quote, known=None, state="new", is_compared=is_compared)
    same = all(abs(new / old - 1) <= SAME_FRACTION for new, old in zip(quote.usd, known.usd, strict=True))
    return Finding(quote=quote, known=known, state="confirmed" if same else "changed", is_compared=is_compared)


def _against(place: int, quote: Quote, known: Known | None, others: Sequence[Known]) -> Compared:
    by_provider: dict[str, list[float]] = {}
    for row in others:
        if row.offer[0] != quote.provider:
            by_provider.setdefault(row.offer[0], []).append(row.usd[place])
    return Compared(
        before=None if known is None else known.usd[place], others=[median(usd) for usd in by_provider.values()]
    )


def _doubts(quote: Quote, against: Sequence[Compared]) -> tuple[str, ...]:
    if quote.kind == "gpu":
        return gpu_doubts(usd_per_gpu_hour=quote.usd[0], against=against[0])
    return api_doubts(
        input_usd_per_mtok=quote.usd[0],
        output_usd_per_mtok=quote.usd[1],
        input_against=against[0],
        output_against=against[1],
    )


def held_back(found: Refresh, refused: Callable[[Sequence[Finding]], Mapping[int, Sequence[str]]]) -> Refresh:
    """The same with those held back that break a rule of the table; `refused` says why, by their place."""
    candidates = found.to_save
    reasons = refused(candidates)
    doubted = {candidates[place].quote.offer: tuple(texts) for place, texts in reasons.items()}
    return Refresh(
        findings=tuple(
            Finding(
                quote=one.quote, known=one.known, state="held", doubts=doubted[one.quote.offer],
                is_compared=one.is_compared,
            )
            if one in candidates and one.quote.offer in doubted
            else one
            for one in found.findings
        ),
        gone=found.gone,
    )  # fmt: skip
