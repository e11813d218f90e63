"""Where two texts differ, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

WORD = re.compile(r"\s+|\w+|[^\w\s]")
LONGEST = 20_000
"""Characters of each text that are compared: the comparison takes time with their product."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the second text."""

    text: str
    is_new: bool
    """Whether the first text does not have it there."""


def differences(first: str, second: str) -> list[Piece]:
    """The second text in pieces, each either as in the first or not.

    >>> [piece for piece in differences("The sky is blue.", "The sky is deep blue.") if piece.is_new]
    [Piece(text='deep ', is_new=True)]
    """
    return [piece for piece in _pieces(first[:LONGEST], second[:LONGEST]) if piece.text] + (
        [Piece(second[LONGEST:], False)] if len(second) > LONGEST else []
    )


def _pieces(first: str, second: str) -> Iterator[Piece]:
    ours, theirs = WORD.findall(first), WORD.findall(second)
    for kind, _, _, start, end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        yield Piece("".join(theirs[start:end]), kind != "equal")
