"""The fine-tuning run that the statements of the guide are checked with; memory and time are core.finetune's."""

from llmcompare.core import finetune
from llmcompare.core.claims_costs import REQUEST
from llmcompare.core.cost import Band
from llmcompare.core.finetune import Method, Tuning
from llmcompare.core.shapes import ModelShape

EXAMPLES = 1_000
"""What the guide reckons with."""
RUN = Tuning(method="LoRA", examples=EXAMPLES, tokens_per_example=round(REQUEST.tokens_per_request), epochs=3, rank=16)
"""Assumption: the guide says neither tokens nor epochs nor rank."""
FULL_FORMAT = "bf16"


def run(method: Method, *, examples: float = EXAMPLES) -> Tuning:
    """The same run with another method, or with other examples."""
    return Tuning(
        method=method,
        examples=round(examples),
        tokens_per_example=RUN.tokens_per_example,
        epochs=RUN.epochs,
        rank=RUN.rank,
    )


def tuning_bytes(shape: ModelShape, method: Method) -> float:
    """Memory on one GPU with one sequence at a time and activations computed again."""
    return finetune.memory(shape, run(method)).total_bytes


def gpu_hours(shape: ModelShape, *, flop_per_s: float, examples: float = EXAMPLES, is_full: bool = False) -> Band:
    """GPU hours of the run at the best, the middle and the worst utilisation."""
    return finetune.gpu_hours(shape, run("full" if is_full else "LoRA", examples=examples), flop_per_s=flop_per_s)
