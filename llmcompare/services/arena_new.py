"""A new prompt for the Arena: who can take part, which two are drawn, and the question that a person has open."""

import secrets
import threading
from collections.abc import Iterable, Sequence

from llmcompare.core.facts import RunFact
from llmcompare.core.ratings import pair_values
from llmcompare.core.votes import counts_of, once_per_pair
from llmcompare.engines.base import Sampling
from llmcompare.engines.endpoints import Endpoint
from llmcompare.errors import InputError
from llmcompare.services import playground, runs
from llmcompare.services.arena import ALIKE_DIGITS
from llmcompare.services.jobs import registry
from llmcompare.services.plans import Answerer, Plan, endpoints_of, shown_name
from llmcompare.services.playground import RunView, RunWork

ENDPOINTS_OFFERED = 12
_asking = threading.Lock()
"""Two clicks on one button are one question."""


def endpoints_asked(person: str) -> list[Endpoint]:
    """Those that a person's runs went to, the newest first."""
    found = (endpoint for run in playground.history(person) for endpoint in endpoints_of(run))
    return list(dict.fromkeys(found))[:ENDPOINTS_OFFERED]


def by_name(models: Iterable[Answerer]) -> dict[str, Answerer]:
    """What can be asked, by the name under which votes are counted."""
    return {shown_name(one): one for one in models if isinstance(one, Endpoint) or one.problem is None}


def draw_models(models: Sequence[Answerer]) -> tuple[Answerer, Answerer]:
    """Two models between which a vote tells most, in random order. Raises InputError where there are no two."""
    known = by_name(models)
    if len(known) < 2:
        raise InputError(
            "two different models are needed: put another .gguf file into var/models, or let an endpoint take part."
        )
    worth = pair_values(counts_of(once_per_pair(runs.log().votes())), list(known))
    best = round(max(worth.values()), ALIKE_DIGITS)
    drawn = list(secrets.choice([pair for pair, value in worth.items() if round(value, ALIKE_DIGITS) == best]))
    secrets.SystemRandom().shuffle(drawn)
    return known[drawn[0]], known[drawn[1]]


def ask(prompt: str, models: Sequence[Answerer], *, max_tokens: int, person: str) -> str:
    """Send a prompt to two models drawn; the id of the run. One question at a time. Raises InputError."""
    with _asking:
        if (before := at_work(person)) is not None:
            if before.prompt == prompt:
                return before.run_id
            raise InputError("two models are still at work on your last prompt: wait for them, or stop them.")
        plan = Plan(prompt=prompt, models=draw_models(models), sampling=Sampling(max_tokens=max_tokens), blind=True)
        return playground.start(plan, person=person)


def at_work(person: str) -> RunFact | None:
    """The question of a person that models of this process answer now."""
    works = [job.work for job in registry.titled("run") if not job.ended.is_set()]
    facts = [work.live.fact for work in works if isinstance(work, RunWork)]
    return next((fact for fact in facts if fact.blind and fact.person == person), None)


def newest_question(person: str) -> RunView | None:
    """The last prompt that a person asked here, also after a reload, in another tab, or after a restart."""
    running = at_work(person)
    asked = (one.run.run_id for one in runs.log().runs() if one.run.blind and one.run.person == person)
    run_id = running.run_id if running else next(asked, None)
    return playground.view(run_id) if run_id else None
