"""Which framework serves or trains which generation: what its documents say, else what was measured, else unknown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from llmcompare.core.families import Generation
from llmcompare.core.published import FrameworkSupport, MeasuredEngine

Feature = Literal["runs", "trains", "tool calling", "structured output"]
FEATURES: tuple[Feature, ...] = ("runs", "trains", "tool calling", "structured output")
SERVING = ("vLLM", "SGLang", "TensorRT-LLM", "llama.cpp", "Ollama", "TGI", "Ray Serve")
TRAINING = ("TRL", "Axolotl", "LLaMA-Factory", "Unsloth")
ALL_FAMILIES = "all"

Support = Literal["yes", "partly", "no", "measured", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportCell:
    """One framework and one generation."""

    framework: str
    feature: Feature
    family: str
    generation: str
    support: Support
    """measured: no document read here says it, but speeds were published with it. unknown: neither."""
    said_of: str | None
    """What the row that answers is about: the generation, the family, or all models."""
    row: FrameworkSupport | MeasuredEngine | None

    @property
    def note(self) -> str | None:
        """What limits it, or how often it was measured."""
        if isinstance(self.row, MeasuredEngine):
            return f"{self.row.measurement_count:,} published speeds"
        return self.row.note if self.row else None


def frameworks_with(feature: Feature) -> tuple[str, ...]:
    """The frameworks of which a feature may be asked."""
    return TRAINING if feature == "trains" else SERVING


def support_cells(
    generations: Iterable[Generation],
    rows: Iterable[FrameworkSupport],
    measured: Iterable[MeasuredEngine],
    feature: Feature,
) -> list[SupportCell]:
    """Every generation against every framework; the closest row answers, and none is made up."""
    said = {(row.framework, row.family, row.generation): row for row in rows if row.feature == feature}
    ran = {(row.engine, row.family, row.generation): row for row in measured} if feature == "runs" else {}
    cells = []
    for generation in generations:
        for framework in frameworks_with(feature):
            places = (
                ("the generation", said.get((framework, generation.family, generation.name))),
                ("the family", said.get((framework, generation.family, None))),
                ("the generation", ran.get((framework.lower(), generation.family, generation.name))),
                ("all models", said.get((framework, ALL_FAMILIES, None))),
            )
            said_of, row = next(((place, row) for place, row in places if row is not None), (None, None))
            cells.append(
                SupportCell(
                    framework=framework,
                    feature=feature,
                    family=generation.family,
                    generation=generation.name,
                    support=_support(row),
                    said_of=said_of,
                    row=row,
                )
            )
    return cells


def _support(row: FrameworkSupport | MeasuredEngine | None) -> Support:
    if row is None:
        return "unknown"
    return "measured" if isinstance(row, MeasuredEngine) else row.support
