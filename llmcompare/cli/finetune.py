"""What fine-tuning takes: finetune."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.cli.scenario import takes_scenario
from llmcompare.core.finetune import METHODS, Tuning
from llmcompare.core.scenario import Scenario
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import finetune, fit
from llmcompare.services.finetune import Plan


@app.command(name="finetune")
@takes_scenario
def finetune_command(
    scenario: Scenario,
    *,
    examples: Annotated[int, typer.Option(help="Training examples.")] = 1_000,
    tokens_per_example: Annotated[int, typer.Option(help="Prompt and answer together.")] = 500,
    epochs: Annotated[float, typer.Option(help="Times that each example is read.")] = 3.0,
    rank: Annotated[int, typer.Option(help="Of LoRA and QLoRA.")] = 16,
    sequences: Annotated[int, typer.Option(help="At once on each GPU.")] = 1,
    keep_activations: Annotated[
        bool, typer.Option("--keep-activations", help="Keep them instead of computing them again.")
    ] = False,
    few_shots: Annotated[int, typer.Option(help="Examples in the longer prompt that tuning is set against.")] = 5,
    larger: Annotated[str | None, typer.Option(help="Larger model that tuning is set against.")] = None,
    as_json: Json = False,
) -> None:
    """Memory, hours and USD of full tuning, LoRA and QLoRA, next to a longer prompt or a larger model."""
    known = facts()
    model = fit.subject(known, scenario.model)
    run = Tuning(
        method=METHODS[0],
        examples=examples,
        tokens_per_example=tokens_per_example,
        epochs=epochs,
        rank=rank,
        sequences_per_step=sequences,
        recomputes=not keep_activations,
    )
    found = finetune.plans(known, model, run, billing=scenario.billing)
    once = min((one.sites[0].usd for one in found if one.sites), key=lambda usd: usd.mid, default=None)
    if few_shots < 0:
        raise InputError(f"few_shots is {few_shots}: give 0 or more.")
    if larger is not None and larger not in known.names:
        raise UnknownIdError("model", larger, known.names)
    larger_models = finetune.larger_models(known, model.shape.name) if larger is None else [known.names[larger]]
    others = None
    if once is not None:
        others = finetune.alternatives(
            known, scenario, once=once, example_tokens=tokens_per_example, few_shots=few_shots,
            larger=larger_models[0] if larger_models else None,
        )  # fmt: skip
    sentences = [] if others is None else list(finetune.alternative_sentences(others))
    if as_json:
        print_json(
            {
                "model": model.name,
                "answer": finetune.answer(model, found),
                "methods": [_json(one) for one in found],
                "alternatives": None if others is None else asdict(others),
                "sentences": sentences,
                "assumptions": [asdict(assumption) for assumption in finetune.assumptions(run)],
                "catalogue": known.catalog.fingerprint,
            }
        )
        return
    print(finetune.answer(model, found))
    for sentence in sentences:
        print(f"  {sentence}")
    print("Assumptions:")
    for assumption in finetune.assumptions(run):
        print(f"  {assumption.name}: {assumption.value} — {assumption.meaning}")


def _json(one: Plan) -> dict[str, Any]:
    return {
        "method": one.run.method,
        "memory_bytes": asdict(one.memory) | {"total_bytes": one.memory.total_bytes},
        "sites": [
            {
                "gpu_id": site.gpu.gpu_id,
                "gpu_count": site.gpu_count,
                "bytes_per_gpu": site.memory.total_bytes,
                "hours": asdict(site.hours),
                "usd": asdict(site.usd),
                "usd_per_gpu_hour": asdict(site.usd_per_gpu_hour),
                "row_ids": [site.gpu.row_id, *(offer.row_id for offer in site.offers)],
            }
            for site in one.sites
        ],
        "too_small": list(one.too_small),
    }
