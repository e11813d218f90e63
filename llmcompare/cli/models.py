"""Models for this machine: models, download."""

import sys
from typing import Annotated

import typer

from llmcompare.cli.app import EXIT_REFUSED, Json, app, facts, print_json
from llmcompare.core.memory import Use
from llmcompare.services import at_hand, downloads, models, models_out, plans
from llmcompare.services.downloads import DownloadWork
from llmcompare.services.here import look_here, unused_gpu_text
from llmcompare.services.jobs import Job

SAY_AGAIN_S = 2.0


@app.command(name="models")
def models_command(
    *,
    installed: Annotated[bool, typer.Option("--installed", help="The files at hand instead of the catalogue.")] = False,
    fits: Annotated[bool, typer.Option("--fits", help="Only models that this machine holds.")] = False,
    context: Annotated[int, typer.Option(min=32, help="Tokens of context that they must hold.")] = (
        plans.DEFAULT_CONTEXT_TOKENS
    ),
    as_json: Json = False,
) -> None:
    """Models that a person can run: which fit this machine, in which format, how fast; or the files at hand."""
    if installed:
        _installed(as_json=as_json)
        return
    machine_here = look_here(Use(context_tokens=context))
    found = models.entries(facts(), machine_here)
    shown = [one for one in found if one.best is not None or not fits]
    answer = models_out.answer(found, machine_here)
    if as_json:
        print_json({"answer": answer, **models_out.library_json(shown, machine_here)})
        return
    print(answer)
    if said := unused_gpu_text(machine_here):
        print(f"  {said}")
    for one in shown:
        print(f"  {models_out.entry_answer(one, machine_here)}")


def _installed(*, as_json: bool) -> None:
    found, cached = at_hand.at_hand(), at_hand.in_cache()
    if as_json:
        shown = [at_hand.as_json(one) for one in found]
        print_json({"models": shown, "in_hub_cache": [at_hand.cache_json(one) for one in cached]})
        return
    print(at_hand.answer(found))
    for one in found:
        print("\n".join(at_hand.lines(one)))
    for other in cached:
        print(f"In the cache of the Hub, used after: download {other.repository} {other.model.path}")


@app.command(name="download")
def download_command(
    repository: Annotated[str, typer.Argument(help="Of the Hugging Face Hub, as Qwen/Qwen3-4B-GGUF.")],
    file: Annotated[str, typer.Argument(help="Of the repository, as Qwen3-4B-Q4_K_M.gguf; one part stands for all.")],
    *,
    as_json: Json = False,
) -> None:
    """Fetch a GGUF file into var/models, checked by its SHA-256. After Ctrl+C or a lost connection it goes on there."""
    job = downloads.start(repository, file)
    work = downloads.work_of(job)
    _follow(job, work)
    if job.bug is not None:
        raise job.bug
    if job.error is not None:
        print(f"llmcompare: {job.error}", file=sys.stderr)
        raise typer.Exit(EXIT_REFUSED)
    if as_json:
        print_json(downloads.as_json(work))
    else:
        print(f"{downloads.in_words(work, job.state)}\n{work.path or ''}".rstrip())


def _follow(job: Job, work: DownloadWork) -> None:
    """A line every two seconds on a terminal."""
    try:
        while not job.ended.wait(SAY_AGAIN_S):
            if sys.stderr.isatty():
                print(downloads.in_words(work, job.state), file=sys.stderr)
    except KeyboardInterrupt:
        job.stop()
        job.ended.wait()
