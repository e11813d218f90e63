"""Rows of the catalogue as frozen values. Unknown is None. Every row knows its id, its date and its source."""

import re
from dataclasses import dataclass
from typing import Literal

Billing = Literal["on-demand", "spot", "reserved-1y", "reserved-3y", "community", "serverless-per-second"]
RENTED_BILLINGS: tuple[Billing, ...] = ("on-demand", "community", "spot", "reserved-1y", "reserved-3y")
"""Billing classes that keep a machine for as long as it is paid; serverless is another thing."""
SERVERLESS_BILLING: Billing = "serverless-per-second"

CachedInBatch = Literal["both", "cached", "batch"]
YOURS = "yours"
"""Source of every price that the user gave, and provider where no other is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An open-weight model."""

    model_id: str
    family: str
    generation: str
    display_name: str
    params_total_billion: float | None
    params_active_billion: float | None = None
    """Used per token."""
    released_on: str | None
    license_id: str | None
    context_native_tokens: int | None
    context_extended_tokens: int | None
    modalities: str | None = None
    """What it takes in, as text+image."""
    official_language_count: int | None = None
    """Languages that its vendor names."""
    language_note: str | None = None
    gguf_repo: str | None = None
    """A repository with weight files for llama.cpp; None where none is known here."""
    row_id: str
    as_of: str | None
    source: str

    @property
    def context_tokens(self) -> int | None:
        """Longest context, with the extension where there is one; None where unknown."""
        return self.context_extended_tokens or self.context_native_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedGpu:
    """What the speed of a GPU follows from."""

    gpu_id: str
    vendor: str
    gpu_class: str
    memory_gb: float | None
    """Nominal GB as the vendor prints it."""
    architecture: str | None = None
    memory_type: str | None = None
    memory_bandwidth_gb_per_s: float = 0.0
    matmul_tflop_per_s: float | None = None
    fp8_dense_tflop_per_s: float | None = None
    nvlink_gb_per_s: float | None = None
    gpu_to_gpu_gb_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu(SpeedGpu):
    """A GPU, or a whole machine where the vendor sells memory and processor as one."""

    name: str
    board_power_w: float | None = None
    """Of one GPU, as its vendor states it."""
    row_id: str
    as_of: str | None
    source: str

    @property
    def name_without_vendor(self) -> str:
        """For sentences, where the vendor says nothing new."""
        return self.name.removeprefix(f"{self.vendor} ")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyMeasurement:
    """Measured energy of a deployment at one load."""

    record_id: str
    model_id: str
    gpu_id: str
    gpu_count: int
    engine: str
    engine_version: str | None
    weight_format: str | None
    task: str
    concurrency_limit: int | None
    concurrency: float
    """Requests that ran at once, mean."""
    input_tokens: float | None
    """None where the source does not say."""
    output_tokens: float
    joules_per_output_token: float
    """Of all GPUs, the prompts included, the rest of the machine not."""
    output_tokens_per_s: float | None
    mean_power_w: float | None
    """Of all GPUs together."""
    method: str
    measured_by: str
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """One measurement, and what was predicted for it without its GPU and without its source."""

    record_id: str
    quantity: str
    measured: float
    predicted: float
    """With its GPU left out."""
    predicted_without_source: float
    engine: str
    gpu_id: str
    weight_format: str
    model_id: str
    scenario: str
    measured_by: str
    source: str

    @property
    def ratio(self) -> float:
        """Predicted over measured."""
        return self.predicted / self.measured


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuOffer:
    """What one provider asks for a machine with GPUs under one billing class, on the newest day that was seen."""

    provider: str
    offer_name: str
    gpu_id: str
    gpu_count: int
    """GPUs in the machine that is offered."""
    billing: Billing
    region: str
    usd_per_gpu_hour: float
    """List price of one GPU for one hour, without tax."""
    is_own: bool = False
    """Whether the user gave it."""
    form_factor_stated: Literal["yes", "no"] = "yes"
    """no: the list does not say which form of the GPU it means."""
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessTerms:
    """What one provider bills of its serverless workers. None where it was not read."""

    provider: str
    offer_kind: str
    """As the provider calls it: flex worker, function, private model, ..."""
    offer_name: str | None
    """Name of its price rows; None for all rows of the provider."""
    use_as: Literal["scales to zero", "always on", "shared"]
    bills_setup: Literal["yes", "partly", "no"] | None
    """Seconds of a start. partly: the machine's are free, those that load the model are billed."""
    bills_idle: Literal["yes", "no"] | None
    bills_execution: Literal["yes", "no"] | None
    idle_timeout_default_s: float | None
    minimum_s: float | None
    """Of a worker's life, or of a request where idle time is free."""
    rounding_s: float | None
    cold_start_low_s: float | None
    """Shortest and longest cold start that the provider published."""
    cold_start_high_s: float | None
    cold_start_note: str | None
    note: str | None
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOffer:
    """Token prices of one provider for one model."""

    provider: str
    api_model_name: str
    model_id: str | None
    """None for a model outside the catalogue, a proprietary one for example."""
    family: str
    variant: str
    """standard, or what the offer name says: turbo, fp8, ..."""
    input_usd_per_mtok: float
    cached_input_usd_per_mtok: float | None
    output_usd_per_mtok: float
    context_tokens: int | None
    """Longest request that the provider takes; None where the list does not say."""
    batch_discount_fraction: float | None = None
    """Off the prices of requests that can wait; None where no batch price was read."""
    cached_in_batch: CachedInBatch | None = None
    """Discounts that cached input gets in a batch; None where that was not read."""
    base_price_max_input_tokens: int | None = None
    """Longest input that the prices hold for, cached input included; None where the list has no such step."""
    is_own: bool = False
    """Whether the user gave it."""
    row_id: str
    as_of: str | None
    source: str

    @property
    def offer_id(self) -> str:
        """Provider and API model name, readable in a link."""
        return f"{self.provider}/{self.api_model_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """A published output rate of one replica serving many requests."""

    record_id: str
    model_id: str
    """The model it is used for."""
    measured_model_id: str
    """The model it was measured on: the same one, or one of the same architecture."""
    gpu_id: str
    gpu_count: int
    engine: str
    engine_version: str | None
    weight_format: str | None
    scenario: str
    concurrency: float | None
    input_tokens: float
    output_tokens: float
    output_tokens_per_s: float
    measured_by: str
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpeed:
    """A published speed of a single stream."""

    record_id: str
    model_id: str
    gpu_id: str
    gpu_count: int
    engine: str
    weight_format: str
    context_tokens: float
    """In the middle of the reply: the prompt and half of what was written."""
    decode_tokens_per_s: float
    measured_by: str
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatLoss:
    """What one model was measured to lose in one of llama.cpp's weight formats."""

    model: str
    quantization: str
    importance_matrix: str | None
    delta_perplexity: float
    delta_kind: str
    """What the difference is taken to, and whether it is absolute."""
    kl_divergence: float | None
    same_top_token_percent: float | None
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCell:
    """Scores that may be compared with each other: one benchmark, metric, shots, setting and publisher."""

    benchmark: str
    metric: str
    shots: str | None
    setting: str
    published_by: str
    model_count: int
    """Models with a price that have a score here."""
    family_count: int

    @property
    def cell_id(self) -> str:
        """Readable in a link."""
        shots = f"{self.shots} shots" if self.shots is not None else "shots not stated"
        return f"{self.benchmark} · {self.setting} · {shots} · {self.metric} · {self.published_by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One published score."""

    model_id: str
    score: float
    run: int
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement of the buying guide, in our words. It is what is checked, and never evidence."""

    claim_id: str
    topic: str
    statement: str
    subject: str
    """Ids of models or GPUs that it speaks of, * for any ending, several joined by ` vs `; or a family."""
    claimed: str | None
    """Its figures as the guide prints them, several after semicolons."""
    claimed_as: Literal["exact", "range", "list", "at least", "at most"] | None
    unit: str | None
    given: str | None
    """Figures that it starts from, as name=number after semicolons."""
    answer: str | None
    """The way to serve that it recommends."""
    compare_with: str | None
    """Ids of statements about the same thing, after semicolons."""
    how_to_check: str
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a source, or a measurement of ours, says on a statement that no other table has rows for."""

    claim_id: str
    part: str
    finding: str
    supports: Literal["yes", "no"] | None
    """None where two figures say it."""
    figure: float | None
    """Of what the statement praises, in `unit`."""
    against: float | None
    unit: str | None
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSummary:
    """One table of the catalogue."""

    table_name: str
    row_count: int
    undated_count: int
    source_count: int
    oldest_as_of: str | None
    newest_as_of: str | None
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjoined:
    """Rows that name a model, GPU or licence which the catalogue does not hold."""

    table_name: str
    column_name: str
    value: str
    row_count: int


_GITHUB_FILE = re.compile(r"github\.com/([\w.-]+/[\w.-]+): (\S+?)(?: \(.*?\))? @ ([0-9a-f]{6,40})")
_GITHUB_REPOSITORY = re.compile(r"github\.com/([\w.-]+/[\w.-]+)")
_ADDRESS = re.compile(r"https?://[^\s;,)]+")


def source_url(source: str) -> str | None:
    """Web address of the first source in a source cell, None where it names none.

    >>> source_url("github.com/meta-llama/llama-models: models/llama3/MODEL_CARD.md @ a9c89c4")
    'https://github.com/meta-llama/llama-models/blob/a9c89c4/models/llama3/MODEL_CARD.md'
    """
    for part in source.split(" ; "):
        if file := _GITHUB_FILE.search(part):
            repository, path, commit = file.groups()
            return f"https://github.com/{repository}/blob/{commit}/{path}"
        if address := _ADDRESS.search(part):
            return address.group()
        if repository_only := _GITHUB_REPOSITORY.search(part):
            return f"https://github.com/{repository_only.group(1)}"
    return None
