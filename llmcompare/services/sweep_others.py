"""What a sweep ranks beside rented GPUs and APIs: serverless GPUs, and the machine that the scenario buys."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.comparison import STAYS_HERE
from llmcompare.core.cost import ENDS, Band
from llmcompare.core.fleet import Floats, Out, Places
from llmcompare.core.records import SERVERLESS_BILLING
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_words import share_text
from llmcompare.core.sweep_words import REASONS, Line
from llmcompare.services.advice_serverless import field_of, is_in, out_of_limits, parts_at, usd_bands
from llmcompare.services.catalogue import Facts
from llmcompare.services.contenders import Block, owned_block

NEAR = "cost read from a table, in 19 of 20 cases within 7% of the curve of this deployment alone"
"""Why the Costs page may give another figure (docs/methodology.md)."""
OutRow = tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Deployments of one kind, each with its cost; a line is made when it is asked for."""

    low: Floats
    mid: Floats
    high: Floats
    reasons: NDArray[np.object_]
    """Why each is out, None where it is in."""
    line: Callable[[int, Band], Line]
    out_row: Callable[[int, str], OutRow]


class Others(Sequence[Line]):
    """Those that are in, cheapest first."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        number = np.repeat(np.arange(len(parts)), [len(one.mid) for one in parts])
        place = np.concatenate([np.arange(len(one.mid)) for one in parts])
        mid, reasons = np.concatenate([one.mid for one in parts]), np.concatenate([one.reasons for one in parts])
        kept = np.nonzero(is_in(reasons))[0]
        order = kept[np.argsort(mid[kept], kind="stable")]
        self._number, self._place = number[order], place[order]
        self.mid: Floats = mid[order]
        self.low: Floats = np.concatenate([one.low for one in parts])[order]

    def __len__(self) -> int:
        return len(self.mid)

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> list[Line]: ...
    def __getitem__(self, at: int | slice) -> Line | list[Line]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        part, place = self._parts[int(self._number[at])], int(self._place[at])
        usd = Band(low=float(part.low[place]), mid=float(part.mid[place]), high=float(part.high[place]))
        found: Line = part.line(place, usd)
        return found

    @property
    def counts_out(self) -> dict[str, int]:
        """How many are out for each reason."""
        return dict(Counter(str(one) for part in self._parts for one in part.reasons.tolist() if one is not None))

    def out_rows(self) -> Iterator[OutRow]:
        """Every one that is out, in the order of a sweep's columns."""
        for part in self._parts:
            for place, reason in enumerate(part.reasons.tolist()):
                if reason is not None:
                    yield part.out_row(place, str(reason))


LineOf = Callable[..., Line]
"""Makes a line of a kind, model, deployment and band."""


def others(
    facts: Facts, scenario: Scenario, models: Sequence[str], *, max_usd_per_month: float | None, line: LineOf
) -> Others:
    """Both kinds for these models. Raises UnknownIdError for an unknown GPU or provider."""
    bought, _ = owned_block(facts, scenario, models)
    parts = [_serverless(facts, scenario, models, line)]
    if bought is not None:
        parts.append(_owned(facts, scenario, bought, line))
    if max_usd_per_month is not None:
        for part in parts:
            dear = is_in(part.reasons) & (part.mid > max_usd_per_month)
            part.reasons[dear] = REASONS[Out.OVER_BUDGET]
    return Others(parts)


def _serverless(facts: Facts, scenario: Scenario, models: Sequence[str], line: LineOf) -> Part:
    field, kept, found, times = field_of(facts, scenario, models)
    everyone, volume = np.arange(len(kept)), scenario.requests_per_month
    cold, _ = field.cold(everyone, volume)
    low, mid, high = usd_bands(field, kept, times, everyone, volume)
    reasons = out_of_limits(scenario, field, kept, times)
    if scenario.data_stays_here:
        reasons[:] = STAYS_HERE

    def parts_of(place: int) -> tuple[str, str, int, str, str]:
        return parts_at(found, int(kept[place]))

    def made(place: int, usd: Band) -> Line:
        plans = field.offered[field.of[place]]
        return line(
            kind="serverless", parts=parts_of(place), usd=usd, billing=SERVERLESS_BILLING,
            provider_count=len(plans), row=plans[0].offer,
            basis=f"predicted speed; at most {share_text(float(cold[place]))} of the requests meet a cold start of "
            f"{scenario.cold_start_s:g} s, {scenario.requests_per_worker} at once in a worker; {NEAR}",
        )  # fmt: skip

    return Part(low=low, mid=mid, high=high, reasons=reasons, line=made, out_row=_out_row(parts_of, SERVERLESS_BILLING))


def _owned(facts: Facts, scenario: Scenario, block: Block, line: LineOf) -> Part:
    everyone: Places = np.arange(block.count)
    assert block.cost_at is not None
    ones = np.ones(block.count)
    speeds = {"low": block.rate.high, "mid": ones, "high": block.rate.low}
    low, mid, high = (
        block.cost_at(scenario.requests_per_month, end)(everyone, ones[None], speeds[end][None])[0] for end in ENDS
    )

    def parts_of(place: int) -> tuple[str, str, int, str, str]:
        return (
            block.model_ids[place], str(block.gpu_ids[place]), int(block.gpu_counts[place] or 0),
            str(block.engines[place]), str(block.weight_formats[place]),
        )  # fmt: skip

    def made(place: int, usd: Band) -> Line:
        parts = parts_of(place)
        return line(
            kind="owned", parts=parts, usd=usd, billing="bought", provider_count=0, row=facts.gpus[parts[1]],
            basis=f"{'measured' if block.measured[place] else 'predicted'} rate; purchase at the price you gave",
        )  # fmt: skip

    reasons = np.full(block.count, None, dtype=object)
    return Part(low=low, mid=mid, high=high, reasons=reasons, line=made, out_row=_out_row(parts_of, "bought"))


def _out_row(parts_of: Callable[[int], tuple[str, str, int, str, str]], billing: str) -> Callable[[int, str], OutRow]:
    def row(place: int, reason: str) -> OutRow:
        model_id, gpu_id, gpu_count, engine, weight_format = parts_of(place)
        return model_id, weight_format, gpu_id, gpu_count, engine, billing, reason

    return row
