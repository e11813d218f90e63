"""Measuring this machine as a job, so that no click or reload ends it."""

from dataclasses import dataclass, field

from llmcompare.core.bench import Speed, SpeedTest
from llmcompare.services import bench, machine, runs
from llmcompare.services.bench import Bench, BenchPlan
from llmcompare.services.jobs import Job, registry

JOB_ID = "bench"
"""One at a time: two would disturb each other."""


@dataclass(slots=True)
class BenchWork:
    """A measurement and what of it is there."""

    wanted: BenchPlan
    done: list[str] = field(default_factory=list)
    """A sentence per test that was measured."""
    result: Bench | None = None

    def __call__(self, job: Job) -> None:
        """Until every test is measured or somebody stops it."""
        machine.looked_at(runs.log())
        self.result = bench.run(self.wanted, stopping=job.stopping, done=self._note)

    def _note(self, test: SpeedTest, found: Speed) -> None:
        self.done.append(f"{test.name}: {found.tokens_per_s:,.1f} ± {found.tokens_per_s_sd:.1f} tokens/s")


def start(model: str) -> Job:
    """Begin to measure with a model at hand; the one that runs where one does. Raises InputError."""
    return registry.start("bench", BenchWork(bench.plan(model)), job_id=JOB_ID)


def current() -> Job | None:
    """The last one, running or ended; None before the first."""
    return registry.get(JOB_ID)
