"""What a model thought before it answered: text between marks at the start of a reply."""

from dataclasses import dataclass

OPEN, CLOSE = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Parts:
    """A reply, taken apart."""

    thinking: str
    answer: str


def parts(text: str) -> Parts:
    """Thinking and answer of a reply. A reply that breaks off while it thinks has no answer.

    Some chat templates write the opening mark themselves, so the closing mark alone ends the thinking, too.

    >>> parts("<think>Light scatters.</think>Blue.")
    Parts(thinking='Light scatters.', answer='Blue.')
    >>> parts("<think>Light"), parts("Blue.")
    (Parts(thinking='Light', answer=''), Parts(thinking='', answer='Blue.'))
    """
    begins = text.lstrip().startswith(OPEN)
    head, mark, tail = text.partition(CLOSE)
    if not begins and not mark:
        return Parts("", text)
    thinking = head.lstrip().removeprefix(OPEN)
    return Parts(thinking.strip(), tail.lstrip())


def has_answer(text: str) -> bool:
    """Whether the answer has begun.

    >>> has_answer("<think>Light"), has_answer("  <thi"), has_answer("Blue")
    (False, False, True)
    """
    start = text.lstrip()
    return not OPEN.startswith(start) and bool(parts(text).answer.strip())
