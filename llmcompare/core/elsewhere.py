"""What costs less than the options of a comparison, on other GPUs, and why it is none of them."""

from dataclasses import dataclass
from typing import Literal

from llmcompare.core.cost import Band
from llmcompare.core.phrases import band_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The deployment that a sweep puts first of its kind, where it costs less than the one of the comparison."""

    kind: Literal["rented", "serverless"]
    gpu_id: str
    gpu_name: str
    """Without its vendor."""
    gpu_count: int
    engine: str
    weight_format: str | None
    usd_per_month: Band

    @property
    def name(self) -> str:
        """In a sentence."""
        verb = "renting" if self.kind == "rented" else "serverless"
        form = f"{self.weight_format}, " if self.weight_format else ""
        return f"{verb} {self.gpu_count} × {self.gpu_name} ({form}{self.engine})"


def sentence(one: Elsewhere) -> str:
    """What it costs, and where it is compared with everything else."""
    usd = band_text(one.usd_per_month)
    if one.kind == "rented":
        return (
            f"Predicted to cost less, but measured by nobody: {one.name}, {usd} a month. It is compared here too where "
            "“Capacity” is “predicted”."
        )
    return (
        f"On other GPUs serverless costs less: {one.name.removeprefix('serverless ')}, {usd} a month. Choose that GPU "
        "to compare it here."
    )
