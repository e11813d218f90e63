"""Several turns: each is a run of its own that names the one before, and every slot remembers its own replies."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from llmcompare.core.facts import ReplyFact
from llmcompare.core.thinking import parts
from llmcompare.engines.base import Message
from llmcompare.engines.endpoints import preset
from llmcompare.errors import InputError
from llmcompare.models.library import LocalModel
from llmcompare.services import playground
from llmcompare.services.plans import Plan, plan_again, with_seed
from llmcompare.services.playground import RunView

MOST_TURNS = 50
LARGEST_SEED = 2**32 - 2


@dataclass(frozen=True, slots=True)
class _Exchange:
    """What was asked, and the whole reply of one slot, continuations included."""

    prompt: str
    text: str


def turns(run_id: str) -> list[RunView]:
    """The turns of a conversation up to a run, the first one first."""
    found: list[RunView] = []
    seen: set[str] = set()
    wanted: str | None = run_id
    while wanted is not None and wanted not in seen and len(found) < MOST_TURNS:
        seen.add(wanted)
        view = playground.view(wanted)
        if view is None:
            break
        found.append(view)
        wanted = view.fact.parent_run_id
    return found[::-1]


def text_before(found: Sequence[RunView], slot: int) -> str:
    """What the last turn's reply of a slot continues; empty where it stands for itself."""
    if not found or not found[-1].fact.goes_on:
        return ""
    exchanges = _exchanges(found[:-1], slot)
    return exchanges[-1].text if exchanges else ""


def said_before(found: Sequence[RunView]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Prompts of the turns before the last, each with the models and their whole replies."""
    models = found[-1].fact.models if found else ()
    each = [_exchanges(found, slot)[:-1] for slot in range(len(models))]
    return [
        (turn[0].prompt, [(model, one.text) for model, one in zip(models, turn, strict=True)])
        for turn in zip(*each, strict=True)
    ]


def follow_up(run_id: str, prompt: str, models: Sequence[LocalModel]) -> Plan:
    """The next turn: the same slots, with what each of them said so far. Raises InputError."""
    found = _ended(run_id)
    plan = plan_again(found[-1].fact, models)
    return replace(plan, prompt=prompt, before=_before(found, plan), parent_run_id=run_id)


def again(run_id: str, models: Sequence[LocalModel]) -> Plan:
    """The same turn with the next seed. Raises InputError where every slot would say the same again."""
    found = _ended(run_id)
    plan = plan_again(found[-1].fact, models)
    settings = [plan.settings(slot) for slot in range(len(plan.models))]
    if all(one.sampling.temperature == 0 for one in settings):
        raise InputError("at temperature 0 the replies would be the same: raise the temperature to get others.")
    own = tuple(with_seed(one, (one.sampling.seed + 1) % (LARGEST_SEED + 1)) for one in settings)
    return replace(_instead(found, plan), own=own)


def edited(run_id: str, prompt: str, models: Sequence[LocalModel]) -> Plan:
    """The same turn with another prompt. Raises InputError."""
    found = _ended(run_id)
    return replace(_instead(found, plan_again(found[-1].fact, models)), prompt=prompt)


def go_on(run_id: str, models: Sequence[LocalModel]) -> Plan:
    """The replies of a turn continued where they stopped; complete ones stay as they are. Raises InputError."""
    found = _ended(run_id)
    plan = plan_again(found[-1].fact, models)
    complete = tuple(_complete_end(slot.reply) for slot in found[-1].slots)
    if all(complete):
        raise InputError("every reply is complete: there is nothing to go on with.")
    before = tuple(_unfinished(found, slot) for slot in range(len(plan.models)))
    return replace(plan, before=before, parent_run_id=run_id, goes_on=True, complete=complete)


def _complete_end(reply: ReplyFact) -> Literal["end", "stop"] | None:
    return reply.end if reply.end == "end" or reply.end == "stop" else None


def begin_anew(view: RunView) -> list[str]:
    """Slots whose servers are not known to go on with a reply, by the names that they are shown by."""
    return [
        name
        for name, slot, state in zip(view.fact.models, view.fact.slots or (), view.slots, strict=False)
        if _complete_end(state.reply) is None
        and (asked := json.loads(slot).get("endpoint"))
        and preset(asked["preset_id"]).dialect.continues is None
    ]


def _ended(run_id: str) -> list[RunView]:
    found = turns(run_id)
    if not found:
        raise InputError(f"there is no run {run_id!r} here to go on with.")
    if found[-1].job is not None:
        raise InputError("the replies are still being written: wait for them, or stop them.")
    return found


def _instead(found: Sequence[RunView], plan: Plan) -> Plan:
    """A turn that takes the place of the last one, and of those that it continues."""
    kept = list(found)
    while kept[-1].fact.goes_on and len(kept) > 1:
        kept.pop()
    return replace(plan, before=_before(kept[:-1], plan), parent_run_id=kept[-1].fact.parent_run_id, goes_on=False)


def _before(found: Sequence[RunView], plan: Plan) -> tuple[tuple[Message, ...], ...]:
    return tuple(_said(_exchanges(found, slot)) for slot in range(len(plan.models)))


def _unfinished(found: Sequence[RunView], slot: int) -> tuple[Message, ...]:
    *earlier, last = _exchanges(found, slot)
    asked = Message(role="user", content=last.prompt)
    begun = (Message(role="assistant", content=last.text),) if last.text else ()
    return (*_said(earlier), asked, *begun)


def _said(exchanges: Sequence[_Exchange]) -> tuple[Message, ...]:
    """As messages. A turn that a slot failed to answer is left out: it has nothing to remember.

    Thinking is left out too, as the makers of such models ask for.
    """
    messages: list[Message] = []
    for one in exchanges:
        if answer := parts(one.text).answer.strip():
            messages += [Message(role="user", content=one.prompt), Message(role="assistant", content=answer)]
    return tuple(messages)


def _exchanges(found: Sequence[RunView], slot: int) -> list[_Exchange]:
    exchanges: list[_Exchange] = []
    for view in found:
        text = view.slots[slot].reply.text if slot < len(view.slots) else ""
        if view.fact.goes_on and exchanges:
            exchanges[-1] = replace(exchanges[-1], text=exchanges[-1].text + text)
        else:
            exchanges.append(_Exchange(view.fact.prompt, text))
    return exchanges
