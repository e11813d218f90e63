"""Licence texts side by side: what each says on each point, in a word or two, whatever is asked."""

from dataclasses import dataclass
from typing import Literal

from llmcompare.core.licences import NONE, State
from llmcompare.core.published import Answer, Licence
from llmcompare.core.units import count_text

Point = Literal[
    "commercial use", "monthly users", "monthly revenue", "training other models", "visible notice", "changing",
    "giving away", "European Union", "excluded fields",
]  # fmt: skip
POINTS: tuple[Point, ...] = (
    "commercial use", "monthly users", "monthly revenue", "training other models", "visible notice", "changing",
    "giving away", "European Union", "excluded fields",
)  # fmt: skip
UNKNOWN = "unknown"
ANSWERS: dict[Answer, State] = {"yes": "allowed", "conditional": "conditional", "no": "forbidden"}
ANSWER_WORDS: dict[Answer, str] = {"yes": "yes", "conditional": "on a condition", "no": "no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a text says on one point."""

    word: str
    state: State
    """allowed where it leaves the point free, conditional where it limits it."""


def points(licence: Licence) -> dict[Point, Said]:
    """What a licence says on every point; unknown where that was not read."""
    return {
        "commercial use": _answer(licence.commercial_use),
        "monthly users": _limit(licence.user_cap_count, licence.monthly_active_user_cap),
        "monthly revenue": _limit(
            licence.revenue_cap_usd_per_month, NONE if licence.text_read == "yes" else None, unit=" USD"
        ),
        "training other models": _answer(licence.training_others),
        "visible notice": _word(licence.visible_notice),
        "changing": _answer(licence.changing),
        "giving away": _answer(licence.giving_away),
        "European Union": _european_union(licence.eu_excluded),
        "excluded fields": _word(licence.excluded_fields),
    }


def _unread() -> Said:
    return Said(word=UNKNOWN, state="unknown")


def _answer(answer: Answer | None) -> Said:
    return Said(word=ANSWER_WORDS[answer], state=ANSWERS[answer]) if answer else _unread()


def _limit(limit: float | None, words: str | None, *, unit: str = "") -> Said:
    if limit is not None:
        return Said(word=f"up to {count_text(limit)}{unit}", state="conditional")
    return Said(word="no limit", state="allowed") if words is not None else _unread()


def _word(words: str | None) -> Said:
    if words is None:
        return _unread()
    return Said(word=words.replace(";", ", "), state="allowed" if words == NONE else "conditional")


def _european_union(excluded: str | None) -> Said:
    match excluded:
        case None:
            return _unread()
        case "none":
            return Said(word="not excluded", state="allowed")
        case "multimodal":
            return Said(word="multimodal models excluded", state="conditional")
    return Said(word="excluded", state="forbidden")
