"""Dated prices of one offer as a series: which rows of several lists are the same offer, and which only look so."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from llmcompare.core.records import ApiOffer, GpuOffer

Kind = Literal["gpu", "api"]
SAME_OFFER_SHARE = 0.5
"""Of their words two names of one offer share at least this much."""
GPU_UNITS = ("USD per GPU-hour",)
API_UNITS = ("USD per million input tokens", "USD per million output tokens")

_WORD = re.compile(r"[a-z0-9]+")
_MEMORY = re.compile(r"\d+gb")
_REPOSITORY = re.compile(r"github\.com/[\w.-]+/[\w.-]+")
_PACKAGE = re.compile(r"PyPI package [\w.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one list asked for an offer on one day."""

    kind: Kind
    provider: str
    subject: str
    """Id of the GPU, or of the model; the name that the API gives it where the catalogue has no id."""
    terms: str
    """Billing class and machine, or the variant."""
    apart: tuple[str, ...]
    """Rows that differ in any of these are never one offer."""
    name: str
    usd: tuple[float, ...]
    """In the order of the units of its kind."""
    as_of: str
    source: str
    row_id: str

    @property
    def list_name(self) -> str:
        """The list that it was read in, whatever its day."""
        return list_name(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One offer over time, one row a day, the oldest first."""

    points: tuple[Seen, ...]

    @property
    def last(self) -> Seen:
        """The newest row."""
        return self.points[-1]

    @property
    def units(self) -> tuple[str, ...]:
        """What its figures are."""
        return GPU_UNITS if self.last.kind == "gpu" else API_UNITS


def gpu_seen(offers: Iterable[GpuOffer]) -> list[Seen]:
    """Dated rows of GPU prices that are not the user's own."""
    return [
        Seen(
            kind="gpu",
            provider=offer.provider,
            subject=offer.gpu_id,
            terms=_terms(offer),
            apart=(
                offer.provider, offer.gpu_id, offer.billing, str(offer.gpu_count), offer.region,
                offer.form_factor_stated, statistic(offer.offer_name, offer.source),
            ),
            name=offer.offer_name,
            usd=(offer.usd_per_gpu_hour,),
            as_of=offer.as_of,
            source=offer.source,
            row_id=offer.row_id,
        )
        for offer in offers
        if offer.as_of is not None and not offer.is_own
    ]  # fmt: skip


def api_seen(offers: Iterable[ApiOffer]) -> list[Seen]:
    """Dated rows of API prices that are not the user's own."""
    return [
        Seen(
            kind="api",
            provider=offer.provider,
            subject=offer.model_id or offer.api_model_name,
            terms=offer.variant,
            apart=(offer.provider, offer.model_id or offer.api_model_name, offer.variant),
            name=offer.api_model_name,
            usd=(offer.input_usd_per_mtok, offer.output_usd_per_mtok),
            as_of=offer.as_of,
            source=offer.source,
            row_id=offer.row_id,
        )
        for offer in offers
        if offer.as_of is not None and not offer.is_own
    ]


def _terms(offer: GpuOffer) -> str:
    machine = "" if offer.gpu_count == 1 else f", {offer.gpu_count} GPUs"
    return f"{offer.billing}{machine}{'' if offer.region == 'global' else f', {offer.region}'}"


def statistic(name: str, source: str) -> str:
    """What the figure of a row is: the price of a named machine, the cheapest of many, or the median of a list's own
    choice of offers. None of these is compared with another.

    >>> statistic("gpu_1x_h100_sxm", "s"), statistic("H100 (cheapest listed config)", "s")
    ('price', 'cheapest')
    """
    if "median" in name:
        return f"median, {list_name(source)}"
    return "cheapest" if "cheapest" in name else "price"


def list_name(source: str) -> str:
    """The list behind a source cell without its version and path: a repository, a package or a web page.

    >>> list_name("github.com/ewyluda/gpu-price-index: data/observations/2026/2026-10-10.csv @ ab49c80")
    'github.com/ewyluda/gpu-price-index'
    >>> list_name("PyPI package genai-prices 0.2.3: genai_prices/data.py (upstream github.com/pydantic/genai-prices)")
    'PyPI package genai-prices'
    """
    for pattern in (_PACKAGE, _REPOSITORY):
        if found := pattern.search(source):
            return found.group()
    return source.split(" ")[0]


def likeness(first: str, second: str) -> float:
    """Share of all words of two names that both have; sizes of memory do not count.

    >>> likeness("H100 SXM secure", "H100 80GB HBM3 (SXM) secure")
    0.75
    """
    one, other = _words(first), _words(second)
    return len(one & other) / len(one | other) if one | other else 0.0


def _words(name: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(name.lower()) if not _MEMORY.fullmatch(word))


def series(rows: Iterable[Seen]) -> list[Series]:
    """Rows of the same offer together, in the order of provider and subject.

    Rows of one name are one offer. Another name at the same provider for the same GPU and terms is the same offer in
    another list's words if the names are alike, and never if both were listed on the same day.
    """
    groups: dict[tuple[str, ...], dict[str, dict[str, Seen]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        groups[row.apart][row.name][row.as_of] = row
    return [
        Series(points=tuple(points[day] for day in sorted(points)))
        for _, by_name in sorted(groups.items())
        for points in _joined([by_name[name] for name in sorted(by_name)])
    ]


def _joined(parts: list[dict[str, Seen]]) -> list[dict[str, Seen]]:
    """Points by day, those of the names that are most alike put together first."""
    while True:
        pairs = [
            (share, first, second)
            for first, second in combinations(range(len(parts)), 2)
            if not parts[first].keys() & parts[second].keys()
            and (share := _best_likeness(parts[first], parts[second])) >= SAME_OFFER_SHARE
        ]
        if not pairs:
            return parts
        _, first, second = max(pairs, key=lambda pair: (pair[0], -pair[1], -pair[2]))
        parts = [part for place, part in enumerate(parts) if place not in (first, second)] + [
            parts[first] | parts[second]
        ]


def _best_likeness(first: dict[str, Seen], second: dict[str, Seen]) -> float:
    return max(likeness(one.name, other.name) for one in first.values() for other in second.values())


def readings(rows: Iterable[Seen]) -> dict[tuple[str, ...], Sequence[str]]:
    """Days on which a list was read for a provider and, of GPUs, a billing class."""
    days: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in rows:
        days[reading_of(row)].add(row.as_of)
    return {key: sorted(found) for key, found in days.items()}


def reading_of(row: Seen) -> tuple[str, ...]:
    """What a list must have been read for to say that an offer is not there."""
    return row.list_name, row.provider, row.apart[2] if row.kind == "gpu" else ""
