"""Models for this machine: models, download."""

import sys
from typing import Annotated

import typer

from llmcompare.cli.app import EXIT_REFUSED, Json, app, print_json
from llmcompare.services import downloads
from llmcompare.services.downloads import DownloadWork
from llmcompare.services.jobs import Job

SAY_AGAIN_S = 2.0


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
