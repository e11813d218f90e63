"""Inputs of a comparison that can be turned: their ranges, in words, and where the ranges come from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llmcompare.core.cost import Band
from llmcompare.core.scenario import RANGES, Scenario
from llmcompare.core.sensitivity import Input
from llmcompare.core.units import count_text, rounded, usd_text
from llmcompare.core.workload import MAX_REQUESTS_PER_MONTH, MAX_TOKENS_PER_REQUEST

DEFAULT_SPREAD_FRACTION = 0.25
"""To both sides, for inputs of which the data has no band. Assumption, editable."""
LEAST_UTILISATION = 0.05
TOKENS = ("input_tokens", "output_tokens", "thinking_tokens")
SHARES = ("cached_input_fraction", "batch_fraction", "target_utilisation_fraction")
"""Fields that run from 0 to 1: their spread is in points, not in proportion."""
LEAST = {"peak_to_mean": 1.0, "pue": 1.0}
MOST = dict.fromkeys(TOKENS, MAX_TOKENS_PER_REQUEST) | {"requests_per_month": MAX_REQUESTS_PER_MONTH}
FIELDS = {
    "input_tokens": ("Input tokens", "per request"),
    "output_tokens": ("Output tokens", "per request"),
    "thinking_tokens": ("Thinking tokens", "per request"),
    "cached_input_fraction": ("Input read from cache", "share"),
    "batch_fraction": ("Requests that can wait", "share"),
    "target_utilisation_fraction": ("Target utilisation", "share of capacity"),
    "peak_to_mean": ("Peak within an hour", "over its mean"),
    "spot_allowance_fraction": ("Spot allowance", "of the hours"),
    "cold_start_s": ("Cold start", "s"),
    "idle_timeout_s": ("Idle timeout", "s"),
    "purchase_usd": ("Purchase of a machine", "USD"),
    "owned_months": ("Months of use", "months"),
    "resale_usd": ("Resale", "USD"),
    "pue": ("PUE", "ratio"),
    "usd_per_kwh": ("Electricity", "USD per kWh"),
    "hosting_usd_per_month": ("Hosting", "USD a month"),
    "staff_hours_per_month": ("Staff", "hours a month"),
    "requests_per_month": ("Volume", "requests a month"),
}
"""Fields of a scenario that can be turned, with label and unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """An input that can be turned, with its range, in words."""

    name: str
    label: str
    unit: str
    band: Band
    basis: str
    """Where the range comes from."""
    is_assumption: bool = False

    def text(self, value: float) -> str:
        """A value of it in a sentence, with its unit.

        >>> Knob(name="x", label="X", unit="USD per hour", band=Band(low=1, mid=2, high=3), basis="").text(2.5)
        '$2.50 per hour'
        """
        if self.name in SHARES:
            return f"{value:.0%}"
        if self.unit.startswith("USD"):
            return f"{usd_text(value)} {self.unit.removeprefix('USD').strip()}".strip()
        return f"{count_text(value) if value >= 1_000 else f'{rounded(value):g}'} {self.unit}"

    @property
    def input(self) -> Input:
        """For a tornado."""
        return Input(name=self.name, low=self.band.low, mid=self.band.mid, high=self.band.high)


def field_knobs(scenario: Scenario, names: Iterable[str], *, spread_fraction: float) -> Iterator[Knob]:
    """Inputs of which the data has no band, with the spread to both sides; none where there is nothing to spread."""
    for name in dict.fromkeys(names):
        band = _spread(name, getattr(scenario, name), spread_fraction)
        if band is not None and band.low < band.high:
            label, unit = FIELDS[name]
            points = f"{spread_fraction * 100:g} points" if name in SHARES else f"{spread_fraction:.0%}"
            yield Knob(
                name=name, label=label, unit=unit, band=band, basis=f"assumption: {points} to both sides",
                is_assumption=True,
            )  # fmt: skip


def _spread(name: str, value: float | None, spread_fraction: float) -> Band | None:
    if value is None:
        return None
    if name in SHARES:
        least = LEAST_UTILISATION if name == "target_utilisation_fraction" else 0.0
        return Band(
            low=min(value, max(least, value - spread_fraction)), mid=value, high=min(1.0, value + spread_fraction)
        )
    least = LEAST.get(name, 0.0)
    _, most = RANGES.get(name, (0, float("inf")))
    return Band(low=max(least, value * (1 - spread_fraction)), mid=value, high=min(most, value * (1 + spread_fraction)))
