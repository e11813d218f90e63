"""Two options as functions of their inputs: what each costs when one price, capacity, share or token count changes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from llmcompare.core.breakeven import first_volume_where_no_dearer
from llmcompare.core.curves import Curve
from llmcompare.core.knobs import FIELDS, Knob, field_knobs
from llmcompare.core.scenario import Scenario
from llmcompare.core.ways import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Two options and everything that can be turned."""

    scenario: Scenario
    first: Way
    second: Way
    knobs: tuple[Knob, ...]

    def curves(self, values: Mapping[str, float]) -> tuple[Curve, Curve] | None:
        """Both curves at some values, all other inputs at their middle; None where one is not to be had there."""
        every = {knob.name: knob.band.mid for knob in self.knobs} | dict(values)
        changed = self._scenario(every)
        first, second = self.first.curve(changed, every), self.second.curve(changed, every)
        return None if first is None or second is None else (first, second)

    def saving_usd_per_month(self, values: Mapping[str, float]) -> float | None:
        """What the first option saves against the second at the volume; below 0 where it costs more."""
        curves = self.curves(values)
        if curves is None:
            return None
        requests = values.get("requests_per_month", self.scenario.requests_per_month)
        return curves[1].usd_per_month(requests) - curves[0].usd_per_month(requests)

    def pays_from(self, values: Mapping[str, float]) -> float | None:
        """First volume at which the first option is no dearer; None where it never is."""
        curves = self.curves(values)
        return None if curves is None else first_volume_where_no_dearer(*curves)

    def _scenario(self, every: Mapping[str, float]) -> Scenario:
        held = self.scenario
        return _moved(held, tuple((n, v) for n, v in every.items() if n in FIELDS and v != getattr(held, n)))


@lru_cache(maxsize=256)
def _moved(scenario: Scenario, values: tuple[tuple[str, float], ...]) -> Scenario:
    """Remembered, because the columns of a map differ in a price alone."""
    return replace(scenario, **dict(values)) if values else scenario  # type: ignore[arg-type]


def what_if(scenario: Scenario, first: Way, second: Way, *, spread_fraction: float) -> WhatIf:
    """Two options with the knobs of both: bands of the data first, then the fields of the scenario."""
    fields = (*first.fields, *second.fields, "requests_per_month")
    shared = (*first.knobs, *second.knobs, *field_knobs(scenario, fields, spread_fraction=spread_fraction))
    return WhatIf(scenario=scenario, first=first, second=second, knobs=shared)
