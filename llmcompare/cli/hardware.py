"""Memory and speed of deployments: fit, predict."""

from pathlib import Path
from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.core.memory import Use
from llmcompare.services import fit, predict


@app.command(name="fit")
def fit_command(
    name: Annotated[str, typer.Argument(help="Model id or alias, a GGUF file, or owner/repository:file.gguf.")],
    *,
    context: Annotated[int, typer.Option(help="Tokens of prompt and reply together.")],
    weight_format: Annotated[
        str | None, typer.Option("--format", help="bf16, fp8, awq-int4, gguf-q4_k_m, …; a file's own by default.")
    ] = None,
    kv_format: Annotated[str, typer.Option(help="Of the KV cache: fp16, fp8, q8_0, q4_0, …")] = "fp16",
    sequences: Annotated[int, typer.Option(help="Sequences held at the same time.")] = 1,
    gpu: Annotated[str | None, typer.Option(help="Only this GPU id.")] = None,
    as_json: Json = False,
) -> None:
    """What a model needs in memory, and which GPUs hold it."""
    known = facts()
    use = Use(context_tokens=context, sequences=sequences, kv_format=kv_format)
    found = fit.fit(known, fit.subject(known, name), use, format_name=weight_format, gpu_id=gpu)
    if as_json:
        print_json(fit.fit_json(found))
        return
    for sentence in fit.sentences(found):
        print(sentence)


@app.command(name="predict")
def predict_command(
    *,
    csv_file: Annotated[Path, typer.Option("--csv", help="Rows in the columns of data/throughput.csv.")],
    out: Annotated[Path, typer.Option(help="CSV file to write: the same rows with predictions beside them.")],
    as_json: Json = False,
) -> None:
    """Predict the speed of every row of a file, each with a low and a high figure (10th and 90th percentile)."""
    row_count, predicted_count = predict.predict_file(facts(), csv_file, out)
    if as_json:
        print_json({"file": str(out), "rows": row_count, "predicted": predicted_count})
        return
    print(f"{out}: {predicted_count:,} of {row_count:,} rows predicted; the column reason says why not.")
