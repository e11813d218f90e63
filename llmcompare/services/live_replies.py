"""What replies say while they are written, piece by piece: for a page that asks many times a second."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llmcompare.core.thinking import has_answer, parts
from llmcompare.services import conversation, playground
from llmcompare.services.jobs import registry
from llmcompare.services.playground import RunView

LOOK_S = 0.1
"""How often one page asks."""
LOOKS_PER_S = 40
"""Of all pages together: each costs 0.002 s of a core."""


@dataclass(frozen=True, slots=True)
class Said:
    """The whole text of a reply, with what it continues, taken apart."""

    thinking: str
    answer: str


def said(view: RunView, slot: int) -> Said:
    """What a slot has said so far."""
    text = view.slots[slot].reply.text
    if view.fact.goes_on:
        text = _before(view.fact.run_id)[slot] + text
    found = parts(text)
    return Said(found.thinking, found.answer)


@lru_cache(maxsize=64)
def _before(run_id: str) -> tuple[str, ...]:
    """What the replies continue: those of runs that have ended, so it never changes."""
    found = conversation.turns(run_id)
    return tuple(conversation.text_before(found, slot) for slot in range(len(found[-1].slots)))


def news(run_id: str, known: Sequence[int]) -> dict[str, Any] | None:
    """What is new in the answers of a run, to who knows so many characters of each; None for a run that is not here.

    `thinks` tells whether there is thinking text before the answer: when it changes, the answer begins anew.
    """
    view = playground.view(run_id)
    if view is None:
        return None
    return {
        "ended": view.job is None,
        "again_in_s": registry.pause_s(at_least_s=LOOK_S, per_s=LOOKS_PER_S),
        "slots": [
            _piece(view, slot, known[slot] if slot < len(known) else 0) for slot in range(len(view.slots))
        ],
    }  # fmt: skip


def _piece(view: RunView, slot: int, known: int) -> dict[str, Any]:
    found = said(view, slot)
    # Until it is sure that a "<" begins no thinking, it is not shown.
    answer = found.answer if has_answer(found.answer) else ""
    start = known if 0 <= known <= len(answer) else 0
    return {"thinks": bool(found.thinking), "from": start, "to": len(answer), "text": answer[start:]}
