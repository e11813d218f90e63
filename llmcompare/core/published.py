"""What vendors and others published, row by row: licences, scores, speeds, weight formats. Unknown is None."""

from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "conditional", "no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """One licence text. None where it was not read."""

    license_id: str
    name: str
    text_read: Literal["yes", "partly", "no"] | None
    """Where it is yes, a limit that is None is not in the text."""
    weights_published: Literal["yes", "no"] | None
    commercial_use: Answer | None
    redistribution: str | None
    giving_away: Answer | None
    modification: str | None
    changing: Answer | None
    may_train_other_models: str | None
    training_others: Answer | None
    training_condition_binds: Literal["always", "offered"] | None
    """Of a conditional answer: always, or only where the trained model is offered to others."""
    monthly_active_user_cap: str | None
    """In words; 'none' where the text has no cap."""
    user_cap_count: int | None
    user_cap_counted: Literal["release date", "any month"] | None
    revenue_cap_usd_per_month: float | None
    separate_licence_for: str | None
    attribution_required: str | None
    visible_notice: Literal["none", "above a size", "always"] | None
    notice_above_users_count: int | None
    notice_above_usd_per_month: float | None
    field_of_use_limits: str | None
    excluded_fields: str | None
    """Several after semicolons, or 'none'."""
    eu_excluded: Literal["none", "multimodal", "all"] | None
    url: str
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedScore:
    """One published score of a model of the catalogue."""

    model_id: str
    benchmark: str
    score: float
    metric: str
    shots: str | None
    setting: str
    run: int
    published_by: str
    row_id: str
    as_of: str | None
    source: str

    @property
    def cell(self) -> tuple[str, ...]:
        """Scores of one cell may be compared: the same benchmark, metric, shots, setting and publisher."""
        return self.benchmark, self.metric, self.shots or "", self.setting, self.published_by


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageFact:
    """A language that a vendor names for a generation, or a score of a model in a language."""

    record_type: Literal["coverage", "coverage-count", "score"]
    family: str
    generation: str
    model_id: str | None
    """None where it holds for the generation."""
    language: str
    language_code: str | None
    """None for dialects without a code, and for groups."""
    benchmark: str | None
    score: float | None
    metric: str | None
    setting: str | None
    officially_supported: str | None
    published_by: str
    row_id: str
    as_of: str | None
    source: str

    @property
    def cell(self) -> tuple[str, ...]:
        """Scores of one cell may be compared: the same benchmark, metric, setting and publisher, in one language."""
        return self.benchmark or "", self.metric or "", self.setting or "", self.published_by


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkCategory:
    """What a benchmark tests."""

    benchmark: str
    category: str | None
    """None where it is none of the eight, or a mean of other rows."""
    reason: str
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatQuality:
    """What a weight format costs one model in quality, measured on one text."""

    model: str
    quantization: str
    importance_matrix: str | None
    size_gib: float | None
    perplexity: float
    perplexity_error: float | None
    delta_perplexity: float
    delta_kind: str
    """Whether delta_perplexity is a difference or percent, and of what."""
    kl_divergence: float | None
    same_top_token_percent: float | None
    note: str | None
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSpeed:
    """One published rate of a model of the catalogue on GPUs of the catalogue."""

    model_id: str
    """A model that is built like the measured one."""
    gpu_id: str
    gpu_count: int
    tensor_parallel: int | None
    engine: str
    weight_format: str | None
    scenario: str
    concurrency: float | None
    input_tokens: float | None
    output_tokens: float | None
    tokens_per_s: float | None
    """Output tokens per second: of one stream where only that was measured, else of all. None for a prefill."""
    measured_by: str
    row_id: str
    as_of: str | None
    source: str

    @property
    def setting(self) -> tuple[object, ...]:
        """Rates of one setting may be compared: the same machine, engine, format and request, by the same hands."""
        return (
            self.gpu_id, self.gpu_count, self.tensor_parallel, self.engine, self.weight_format, self.scenario,
            self.concurrency, self.input_tokens, self.output_tokens, self.measured_by, self.source,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFormat:
    """One weight format in the list of llama.cpp's quantize tool, all of one 8B model on one machine."""

    quantization: str
    bits_per_weight: float
    size_gib: float
    prompt_tokens_per_s: float | None
    generation_tokens_per_s: float | None
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkSupport:
    """What the documents or the code of a framework say on a generation of models."""

    framework: str
    purpose: Literal["serving", "training"]
    feature: Literal["runs", "trains", "tool calling", "structured output"]
    family: str
    """Or 'all', where it is said of every model."""
    generation: str | None
    """None where it is said of the whole family."""
    support: Literal["yes", "partly", "no"]
    note: str | None
    row_id: str
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredEngine:
    """An engine with which speeds of a generation were published."""

    engine: str
    family: str
    generation: str
    measurement_count: int
    row_id: str
    """Of the newest of them, as are the date and the source."""
    as_of: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EcosystemFact:
    """How large the community of a family is, or what support its vendor offers."""

    family: str
    kind: Literal["size", "support"]
    metric: str
    figure: float | None
    """None for an offer of support."""
    unit: str | None
    statement: str
    row_id: str
    as_of: str | None
    source: str
