"""Which of several replies was written fastest, whether one prompt can show it, and what else the machine did."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmcompare.core.facts import ReplyFact, Scheduling
from llmcompare.core.phrases import listed

SPEEDS_DIFFER_FROM = 1.05
"""Two runs of one model differ by a few per cent: below this ratio neither is called faster. Assumption."""
OTHERS_MATTER_FROM_CORES = 0.5
"""From here on models get a core less; so much of other work is said beside a comparison of speeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """Replies that can be compared, the fastest first."""

    replies: tuple[ReplyFact, ...]
    per_s: tuple[float, ...]
    unit: str

    @property
    def leaders(self) -> int:
        """How many one prompt cannot tell from the fastest, itself included."""
        return sum(speed * SPEEDS_DIFFER_FROM > self.per_s[0] for speed in self.per_s)

    @property
    def others_busy_cores(self) -> float:
        """The most that other work took while one of them was written, as far as that was measured."""
        return max((reply.others_busy_cores or 0.0 for reply in self.replies), default=0.0)

    @property
    def thread_counts(self) -> list[int]:
        """The numbers of threads that they had on this machine, each once, the smallest first."""
        return sorted({reply.threads for reply in self.replies if reply.threads is not None})

    @property
    def disturbed(self) -> bool:
        """Whether other work took so much that a difference, or that there is none, may be its doing."""
        return self.others_busy_cores >= OTHERS_MATTER_FROM_CORES or len(self.thread_counts) > 1


def speeds(replies: Sequence[ReplyFact]) -> Speeds:
    """Of replies that ended by themselves. In characters, because tokenizers differ; in tokens for runs of older
    versions, which counted no characters."""
    ended = [reply for reply in replies if reply.ended_by_itself]
    found = _ordered(ended, [reply.characters_per_s for reply in ended], "characters/s")
    if len(found.replies) > 1:
        return found
    return _ordered(ended, [reply.generation_tokens_per_s for reply in ended], "tokens/s")


def _ordered(replies: Sequence[ReplyFact], per_s: Sequence[float | None], unit: str) -> Speeds:
    known = [(reply, speed) for reply, speed in zip(replies, per_s, strict=True) if speed]
    known.sort(key=lambda one: -one[1])
    return Speeds(replies=tuple(one for one, _ in known), per_s=tuple(speed for _, speed in known), unit=unit)


def fastest(found: Speeds, scheduling: Scheduling) -> ReplyFact | None:
    """The one that can be called so; None where one prompt does not show it, and where they slowed each other."""
    return found.replies[0] if scheduling == "in-turn" and len(found.per_s) > 1 and found.leaders == 1 else None


def speed_sentence(replies: Sequence[ReplyFact], scheduling: Scheduling) -> str:
    """Which model wrote faster, or why that cannot be said.

    >>> speed_sentence([], "in-turn")
    'There is no speed to compare.'
    """
    found = speeds(replies)
    if len(found.replies) < 2:
        return "There is no speed to compare."
    if scheduling == "together":
        return "They ran together and slowed each other: to compare speeds, run them in turn."
    return _compared(found)


def speed_caveats(replies: Sequence[ReplyFact], scheduling: Scheduling) -> list[str]:
    """What stands in the way of reading more into that: one sentence each."""
    found, said = speeds(replies), []
    if len(found.replies) < 2 or scheduling == "together":
        return []
    if len(found.thread_counts) > 1:
        counts = listed([str(count) for count in found.thread_counts])
        said.append(f"They had {counts} threads, as many as other work left: run them again to compare their speeds.")
    if found.others_busy_cores >= OTHERS_MATTER_FROM_CORES:
        said.append(
            f"Other work kept up to {found.others_busy_cores:.1f} cores of this machine busy meanwhile, so the speeds "
            "may mislead: run them again when it is quiet."
        )
    # A worker of this machine tells its threads, a server does not.
    if any(reply.threads is None for reply in found.replies) and found.unit == "characters/s":
        said.append("What a server had to do besides is not known here.")
    return said


def _compared(found: Speeds) -> str:
    names, (first, last) = _names(found.replies), (found.per_s[0], found.per_s[-1])
    what = "one after the other, one prompt"
    figures = f"({first:,.1f} against {last:,.1f} {found.unit}, {what})"
    if found.leaders == len(names):
        return f"No difference in speed that one prompt could show {figures}."
    if len(names) == 2:
        return f"{names[0]} generated {first / last:.2f} times as fast as {names[1]} {figures}."
    slowest = f"{first / last:.2f} times as fast as {names[-1]}, the slowest"
    if found.leaders > 1:
        level = listed(names[: found.leaders])
        return f"One prompt shows no difference in speed between {level}; {names[0]} generated {slowest} {figures}."
    lead = f"{first / found.per_s[1]:.2f} times as fast as {names[1]}, the next"
    figures = f"({first:,.1f}, {found.per_s[1]:,.1f} and {last:,.1f} {found.unit}, {what})"
    return f"{names[0]} generated {lead}, and {slowest} {figures}."


def _names(replies: Sequence[ReplyFact]) -> list[str]:
    """With the number of the slot where one name stands for several."""
    names = [reply.model for reply in replies]
    return [
        reply.model if names.count(reply.model) == 1 else f"{reply.model} (reply {reply.slot + 1})" for reply in replies
    ]
