"""Other formats of the models at hand, made as jobs."""

from llmcompare.engines.machine import usable_cores
from llmcompare.models import quantise
from llmcompare.models.library import LocalModel, demo_model_path
from llmcompare.services import runs
from llmcompare.services.jobs import Job, registry
from llmcompare.store.paths import folders

SECOND_FORMAT = "Q8_0"
"""Of the demo model, so that there are two to compare without a download: made in seconds, and no smaller file."""


def start_making(model: LocalModel, target: str) -> Job:
    """Begin to write a model in another format, unless that is under way. Raises InputError for an unknown format."""
    quantise.require_known_format(target)
    models_folder = folders().models

    def work(job: Job) -> None:
        # It takes every core: a reply whose speed is to be compared must not run beside it.
        with runs.pool().turns.held(job.job_id, given_up=job.stopping.is_set):
            quantise.quantise(model.path, target, models_folder, threads=usable_cores(), cancelled=job.stopping.is_set)

    return registry.start(f"{model.name} as {target}", work, job_id=job_id(model, target))


def job_id(model: LocalModel, target: str) -> str:
    """One job at a time for a file and a format."""
    return f"format {target} of {model.path}"


def second_format(models: list[LocalModel]) -> Job | None:
    """The job that makes a second model when the demo model is the only one; tried once."""
    usable = [model for model in models if model.problem is None]
    # Never of a person's own file: that may take an hour and fill the disk.
    if len(usable) != 1 or usable[0].path != demo_model_path():
        return None
    return registry.get(job_id(usable[0], SECOND_FORMAT)) or start_making(usable[0], SECOND_FORMAT)
