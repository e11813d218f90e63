"""What a person asked for: model, workload and options. The same names in links, flags, JSON and code."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from llmcompare.core.catalogue_row import CatalogueRow
from llmcompare.core.records import RENTED_BILLINGS, Billing
from llmcompare.core.traffic import TRAFFIC_SHAPES, Traffic, TrafficShape, traffic
from llmcompare.core.workload import Workload
from llmcompare.errors import InputError

CapacityBasis = Literal["measured-first", "predicted"]
Running = Literal["always-on", "scheduled", "profile"]
DataPlace = Literal["anywhere", "here"]

RANGES: dict[str, tuple[float, float]] = {
    "target_utilisation_fraction": (0.001, 1),
    "gpus_per_replica": (1, 10_000),
    "own_output_tokens_per_s": (0.001, 1e9),
    "own_usd_per_gpu_hour": (0.001, 10_000),
    "today_usd_per_month": (0.01, 1e12),
    "peak_to_mean": (1, 1_000),
    "growth_fraction_per_month": (-0.9, 10),
    "ttft_limit_ms": (1, 1e7),
    "tpot_limit_ms": (0.01, 1e6),
    "concurrency": (1, 100_000),
    "own_input_usd_per_mtok": (0, 100_000),
    "own_cached_input_usd_per_mtok": (0, 100_000),
    "own_output_usd_per_mtok": (0, 100_000),
    "batch_fraction": (0, 1),
    "min_replicas": (0, 10_000),
    "spare_replicas": (0, 10_000),
    "spot_allowance_fraction": (0, 10),
    "cold_start_s": (0, 3_600),
    "idle_timeout_s": (0, 86_400),
    "requests_per_worker": (1, 10_000),
    "purchase_usd": (0, 1e9),
    "owned_gpu_count": (1, 10_000),
    "owned_months": (1, 240),
    "resale_usd": (0, 1e9),
    "load_w": (1, 1e7),
    "idle_w": (0, 1e7),
    "pue": (1, 5),
    "usd_per_kwh": (0, 100),
    "hosting_usd_per_month": (0, 1e9),
    "staff_hours_per_month": (0, 100_000),
    "staff_usd_per_hour": (0, 10_000),
    "min_bits_per_weight": (1, 32),
}
"""What a field may hold, None apart; beyond it a figure is a slip of the pen. The workload has its own ranges."""
CHOICES: dict[str, tuple[str, ...]] = {
    "traffic": TRAFFIC_SHAPES,
    "capacity_basis": get_args(CapacityBasis),
    "running": get_args(Running),
    "data_place": get_args(DataPlace),
}
"""Words that a field may hold."""


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
    traffic: TrafficShape = "flat"
    """How the month's requests are spread over its hours."""
    hourly_profile: str | None = None
    """24 or 168 relative rates after commas, Monday 0 h first; counts with the traffic 'own'."""
    peak_to_mean: float = 1.0
    """Busiest minutes of an hour over that hour's mean."""
    growth_fraction_per_month: float = 0.0
    """Of the requests; 0.1 for 10% more each month."""
    ttft_limit_ms: float | None = None
    """Most that the median time to first token may be."""
    tpot_limit_ms: float | None = None
    """Most that the median time per output token may be."""
    concurrency: float | None = None
    """Requests at once on one replica; None for as many as fit and keep the limits."""
    api_provider: str | None = None
    """Only this provider's API listings."""
    own_input_usd_per_mtok: float | None = None
    """The user's own API prices; they replace the listings, and the output price is needed too."""
    own_cached_input_usd_per_mtok: float | None = None
    own_output_usd_per_mtok: float | None = None
    batch_fraction: float = 0.0
    """Share of the requests that can wait for a provider's batch price, 0 to 1."""
    capacity_basis: CapacityBasis = "measured-first"
    """Whether published serving rates come before predicted ones; a latency limit always needs predicted ones."""
    engine: str | None = None
    """Only deployments with this engine."""
    weight_format: str | None = None
    """Only deployments in this weight format."""
    running: Running = "always-on"
    """always-on: replicas for the peak all month. scheduled: one number in busy hours, one in the others.
    profile: each hour of the week its own number."""
    min_replicas: int = 1
    spare_replicas: int = 0
    """Beyond what the peak needs, in case one fails."""
    spot_allowance_fraction: float = 0.1
    """Hours paid beyond those used, for interruptions of spot machines."""
    serverless_provider: str | None = None
    """Only this provider's serverless GPUs."""
    cold_start_s: float = 60.0
    """Until a new serverless worker answers: machine, image, weights, engine."""
    idle_timeout_s: float | None = None
    """A serverless worker stays after its last request; None for the provider's default."""
    requests_per_worker: int = 30
    """At once in one serverless worker: the default of RunPod's vLLM worker
    (github.com/runpod-workers/worker-vllm: docs/configuration.md @ 0d00735)."""
    purchase_usd: float | None = None
    """Of one own machine, 0 for one that is paid; None for no such option."""
    owned_gpu: str | None = None
    """In the own machine; None for the GPU of the rented deployment."""
    owned_gpu_count: int = 1
    owned_months: float = 36
    """From purchase to resale."""
    resale_usd: float = 0.0
    load_w: float | None = None
    """Of one machine under load; None for its GPUs' board power and an allowance for the rest."""
    idle_w: float | None = None
    pue: float = 1.54
    """Power of the building over power of its machines."""
    usd_per_kwh: float = 0.15
    hosting_usd_per_month: float = 0.0
    """Per machine: rack, network, space."""
    staff_hours_per_month: float = 10.0
    staff_usd_per_hour: float = 80.0
    min_bits_per_weight: float = 4.0
    """Quality floor: formats with fewer bits per weight are out."""
    language: str | None = None
    """Code of the language that requests are in; None counts the same tokens with every model."""
    tokens_of: str | None = None
    """Model whose tokenizer counted the tokens above; None for the chosen model's own. Counts with a language."""
    data_place: DataPlace = "anywhere"
    """here: nothing may leave for an API or a rented machine, so that an own machine is the only way."""

    def __post_init__(self) -> None:
        if self.billing not in RENTED_BILLINGS:
            raise InputError(f"billing is {self.billing!r}: give one of {', '.join(RENTED_BILLINGS)}.")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(f"{name} is {str(getattr(self, name))[:30]!r}: give one of {', '.join(choices)}.")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"{name} is {_text(value)[:30]}: give a number from {low:g} to {high:g}.")
        self.workload  # noqa: B018 - raises InputError for a workload that cannot be
        self.spread  # noqa: B018 - raises InputError for a profile that cannot be

    @property
    def workload(self) -> Workload:
        """The workload part, in tokens of the model. Raises InputError."""
        typed = Workload(**{name: getattr(self, name) for name in Workload.__dataclass_fields__})
        if self.counting is None or self.counting.factor == 1:
            return typed
        factor = self.counting.factor
        return replace(
            typed,
            input_tokens=typed.input_tokens * factor,
            output_tokens=typed.output_tokens * factor,
            thinking_tokens=typed.thinking_tokens * factor,
        )

    @property
    def counting(self) -> "Counting | None":
        """What a typed token is in tokens of the model; None where tokens are taken as typed."""
        return None

    @property
    def as_typed(self) -> "Scenario":
        """The same question before its tokens were counted with the model's tokenizer."""
        return self if type(self) is Scenario else Scenario(**{f.name: getattr(self, f.name) for f in fields(Scenario)})

    @property
    def at_standard_listings(self) -> "Scenario":
        """At the standard API listings of all providers, whatever it says of one model's price."""
        return replace(
            self,
            api_variant="standard",
            api_provider=None,
            own_input_usd_per_mtok=None,
            own_cached_input_usd_per_mtok=None,
            own_output_usd_per_mtok=None,
        )

    def about(self, model_id: str) -> "Scenario":
        """The question for a model, without prices and measurements that are another one's."""
        if model_id == self.model:
            return self
        return replace(
            self,
            model=model_id,
            throughput_record=None,
            own_output_tokens_per_s=None,
            own_input_usd_per_mtok=None,
            own_cached_input_usd_per_mtok=None,
            own_output_usd_per_mtok=None,
        )

    @property
    def spread(self) -> Traffic:
        """The requests over the hours of a week. Raises InputError."""
        return traffic(self.traffic, hourly_profile=self.hourly_profile, peak_to_mean=self.peak_to_mean)

    @property
    def has_latency_limit(self) -> bool:
        """Whether a median time may not be exceeded."""
        return self.ttft_limit_ms is not None or self.tpot_limit_ms is not None

    @property
    def data_stays_here(self) -> bool:
        """Whether nothing may leave for others' machines."""
        return self.data_place == "here"

    def query(self, *, every_field: bool = False) -> dict[str, str]:
        """Parameters of a link that opens this scenario: model, workload, and what differs from the defaults.

        With every_field, all fields that hold a value.
        """
        always = {"model", "requests_per_month", "input_tokens", "output_tokens"}
        return {
            field.name: _text(value)
            for field in fields(Scenario)
            if (value := getattr(self, field.name)) is not None
            and (every_field or field.name in always or value != field.default)
        }

    def flags(self) -> str:
        """Options of the command line that reproduce this scenario."""
        return " ".join(f"--{name.replace('_', '-')} {shlex.quote(text)}" for name, text in self.query().items())


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedRow:
    """A row of the catalogue that a figure rests on."""

    row_id: str
    source: str
    as_of: str | None

    @classmethod
    def of(cls, row: CatalogueRow) -> "UsedRow":
        """What of any row is kept."""
        return cls(row_id=row.row_id, source=row.source, as_of=row.as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """The same text with another tokenizer than the one whose tokens were typed."""

    factor: float
    """Tokens of the model per typed token; 1 where that is not known."""
    low_factor: float
    high_factor: float
    """10th and 90th percentile over the articles of the measured text."""
    typed_with: str
    """Name of the model whose tokens were typed."""
    language: str
    missing: str | None
    """Why the factor is not known."""
    rows: tuple[UsedRow, ...]
    """The rates, and what says whose they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedScenario(Scenario):
    """A scenario whose workload is in tokens of its model: made by a service, which knows the tokenizers."""

    counting: Counting


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
