"""Runs as the Playground has them: jobs that go on by themselves, and those of the log."""

from dataclasses import dataclass

from llmcompare.core.facts import OpeningFact, ReplyFact, RunFact, StarFact
from llmcompare.services import runs
from llmcompare.services.jobs import Job, new_id, registry
from llmcompare.services.plans import Plan, now
from llmcompare.services.runs import LiveRun, Slot
from llmcompare.store.results import LoggedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as a page shows it, whether it happens now, has ended, or was interrupted."""

    fact: RunFact
    slots: tuple[Slot, ...]
    job: Job | None
    """While it goes on in this process."""
    problem: str | None = None
    """Why not every reply is there."""
    bugs: tuple[BaseException, ...] = ()
    """What was not raised on purpose, in a slot or in the run, while this process knows it."""

    @property
    def replies(self) -> tuple[ReplyFact, ...]:
        """Those that have ended."""
        return tuple(slot.reply for slot in self.slots if slot.ended)


@dataclass(frozen=True, slots=True)
class RunWork:
    """A run as the work of a job."""

    live: LiveRun

    def __call__(self, job: Job) -> None:
        """Until every reply has ended or somebody stops it."""
        self.live.execute(runs.log(), runs.pool(), stopping=job.stopping)


def start(plan: Plan, *, person: str | None) -> str:
    """Begin a run that goes on by itself; its id."""
    live = LiveRun(plan, person=person)
    registry.start("run", RunWork(live), job_id=live.fact.run_id)
    return live.fact.run_id


def view(run_id: str) -> RunView | None:
    """The run with this id, None when there is none."""
    job = registry.get(run_id)
    if job is not None and isinstance(job.work, RunWork):
        live, running = job.work.live, None if job.ended.is_set() else job
        bugs = (*live.bugs, *(() if job.bug is None else (job.bug,)))
        return RunView(fact=live.fact, slots=live.slots, job=running, problem=job.error, bugs=bugs)
    logged = runs.log().run(run_id)
    return None if logged is None else _logged_view(logged)


def _logged_view(logged: LoggedRun) -> RunView:
    replies = {reply.slot: reply for reply in logged.replies}
    status = "interrupted" if logged.unfinished else "runs in another process"
    slots = tuple(
        Slot(reply=replies[slot], ended=True, status="ended")
        if slot in replies
        else Slot(reply=_missing(logged.run, slot), status=status)
        for slot in range(len(logged.run.models))
    )
    problem = "The run was interrupted: its process ended before every reply did. What had ended was kept."
    return RunView(fact=logged.run, slots=slots, job=None, problem=problem if logged.unfinished else None)


def _missing(run: RunFact, slot: int) -> ReplyFact:
    return ReplyFact(
        reply_id="", run_id=run.run_id, slot=slot, model=run.models[slot], ended_at="", text="", end=None, error=None
    )


def note_opening(run: RunFact, person: str) -> None:
    """Put a run that was opened by its link into the person's list."""
    log = runs.log()
    if run.person != person and run.run_id not in {fact.run_id for fact in log.openings(person)}:
        log.append(OpeningFact(opening_id=new_id(), run_id=run.run_id, person=person, opened_at=now()))


def history(person: str, *, search: str = "", starred_only: bool = False) -> list[RunFact]:
    """A person's own runs and those opened by link, newest first; every word of the search occurs in what was asked,
    who answered or what was said."""
    log, words = runs.log(), search.casefold().split()
    opened = {fact.run_id for fact in log.openings(person)}
    starred = log.starred(person) if starred_only else set()
    return [
        one.run
        for one in log.runs()
        if (one.run.person == person or one.run.run_id in opened)
        and (not starred_only or one.run.run_id in starred)
        and (not words or _holds(one, words))
    ]


def _holds(one: LoggedRun, words: list[str]) -> bool:
    texts = [one.run.prompt, one.run.system or "", *one.run.models, *(reply.text for reply in one.replies)]
    whole = "\n".join(texts).casefold()
    return all(word in whole for word in words)


def starred(person: str) -> set[str]:
    """Ids of the runs that a person marked."""
    return runs.log().starred(person)


def star(run_id: str, person: str, *, is_starred: bool) -> None:
    """Mark a run, or take the mark away."""
    fact = StarFact(star_id=new_id(), run_id=run_id, person=person, starred_at=now(), is_starred=is_starred)
    runs.log().append(fact)
