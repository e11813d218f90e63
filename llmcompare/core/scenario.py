"""What a person asked for: model, workload and options. The same names in links, flags, JSON and code."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from llmcompare.core.records import RENTED_BILLINGS, Billing
from llmcompare.core.workload import Workload
from llmcompare.errors import InputError

RANGES: dict[str, tuple[float, float]] = {
    "target_utilisation_fraction": (0.001, 1),
    "gpus_per_replica": (1, 10_000),
    "own_output_tokens_per_s": (0.001, 1e9),
    "own_usd_per_gpu_hour": (0.001, 10_000),
    "today_usd_per_month": (0.01, 1e12),
}
"""What a field may hold, None apart; beyond it a figure is a slip of the pen. The workload has its own ranges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One question about cost. Defaults that no source backs are listed by `words.assumptions`."""

    model: str = "llama-3.3-70b-instruct"
    requests_per_month: float = 1_000_000
    input_tokens: float = 1_000
    output_tokens: float = 300
    cached_input_fraction: float = 0.0
    thinking_tokens: float = 0.0
    api_variant: str = "standard"
    today: str = "openai/gpt-4o"
    """Offer id of the API that is paid today."""
    today_usd_per_month: float | None = None
    """The bill of today for this workload; overrides `today`."""
    billing: Billing = "on-demand"
    throughput_record: str | None = None
    """Id of the measurement that says what a replica serves; None chooses the cheapest deployment."""
    target_utilisation_fraction: float = 0.7
    own_output_tokens_per_s: float | None = None
    """Output rate that the user measured on one replica with this workload; needs `gpu` or `throughput_record`."""
    own_usd_per_gpu_hour: float | None = None
    """The user's own price; replaces the price list, needs `gpu` or `throughput_record`."""
    gpu: str | None = None
    """Only deployments on this GPU."""
    gpus_per_replica: int = 1
    """Counts with an own rate and no chosen measurement."""

    def __post_init__(self) -> None:
        if self.billing not in RENTED_BILLINGS:
            raise InputError(f"billing is {self.billing!r}: give one of {', '.join(RENTED_BILLINGS)}.")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"{name} is {_text(value)[:30]}: give a number from {low:g} to {high:g}.")
        self.workload  # noqa: B018 - raises InputError for a workload that cannot be

    @property
    def workload(self) -> Workload:
        """The workload part. Raises InputError."""
        return Workload(**{name: getattr(self, name) for name in Workload.__dataclass_fields__})

    def query(self, *, every_field: bool = False) -> dict[str, str]:
        """Parameters of a link that opens this scenario: model, workload, and what differs from the defaults.

        With every_field, all fields that hold a value.
        """
        always = {"model", "requests_per_month", "input_tokens", "output_tokens"}
        return {
            field.name: _text(value)
            for field in fields(self)
            if (value := getattr(self, field.name)) is not None
            and (every_field or field.name in always or value != field.default)
        }

    def flags(self) -> str:
        """Options of the command line that reproduce this scenario."""
        return " ".join(f"--{name.replace('_', '-')} {shlex.quote(text)}" for name, text in self.query().items())


def _text(value: float | int | str) -> str:
    """Shortest text that reads back as the very same value."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # A whole number of thousands of digits cannot be printed, nor be meant.
    return "too large" if isinstance(value, int) and value.bit_length() > 1000 else str(value)


def is_number(name: str) -> bool:
    """Whether a field holds a number."""
    return any(kind in str(_KINDS[name]) for kind in ("float", "int"))


def from_query(parameters: Mapping[str, str]) -> Scenario:
    """The scenario of a link. Unknown names are ignored. Raises InputError with the name and value at fault."""
    values: dict[str, Any] = {name: _parsed(name, text) for name, text in parameters.items() if name in _KINDS}
    return Scenario(**values)


def _parsed(name: str, text: str) -> float | int | str:
    try:
        if "float" in _KINDS[name]:
            return float(text)
        if "int" in _KINDS[name]:
            return int(text[:1000])
    except ValueError:
        raise InputError(f"{name} is {text!r}: give a number.") from None
    return text


_KINDS = {field.name: str(field.type) for field in fields(Scenario)}
"""Fields with their types as written."""
