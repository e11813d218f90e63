"""Files as part of a prompt, and whether what is asked has room in a context."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmcompare.core.units import counted
from llmcompare.core.workload import CHARACTERS_PER_TOKEN, tokens_of_characters
from llmcompare.errors import InputError

LARGEST_BYTES = 4_000_000
"""A million tokens of English text: the largest context that can be asked for."""
WORTH_SAYING_FRACTION = 0.25
"""A prompt that takes less of the context needs no sentence. Assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file as text."""

    name: str
    text: str


def attached(name: str, content: bytes) -> Attached:
    """Raises InputError for a file that is no text or too large."""
    shown = " ".join(name.split())[:100]
    if len(content) > LARGEST_BYTES:
        raise InputError(
            f"{shown} has {len(content) / 1e6:,.1f} MB: give at most {LARGEST_BYTES / 1e6:g} MB of text, "
            "more than that no context holds."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{shown} is no UTF-8 text (byte {error.start:,}): save it as plain text, a PDF or a Word file is none."
        ) from error
    if "\0" in text:
        raise InputError(f"{shown} holds bytes of value 0, so it is no text: save it as plain text.")
    if not text.strip():
        raise InputError(f"{shown} is empty: leave it out.")
    return Attached(name=shown, text=text)


def with_files(prompt: str, files: Sequence[Attached]) -> str:
    """The prompt with every file behind it, each between lines that name it.

    >>> print(with_files("Sum up.", [Attached(name="a.txt", text="One.\\n")]))
    Sum up.
    <BLANKLINE>
    --- a.txt ---
    One.
    --- end of a.txt ---
    """
    parts = [f"--- {one.name} ---\n{one.text.rstrip()}\n--- end of {one.name} ---" for one in files]
    return "\n\n".join([prompt, *parts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much of a context a prompt takes, about."""

    sentence: str
    fits: bool


def room(prompt: str, *, context_tokens: int, max_tokens: int) -> Room | None:
    """Whether a prompt has room beside its reply; None where it takes so little that nothing needs to be said.

    The tokens are an estimate: each model counts with its own tokenizer, and refuses with both numbers.
    """
    tokens = tokens_of_characters(len(prompt))
    if tokens < WORTH_SAYING_FRACTION * context_tokens:
        return None
    about = (
        f"The prompt has {counted(len(prompt), 'character')}, about {tokens:,.0f} tokens ({CHARACTERS_PER_TOKEN:g} "
        f"characters a token, an assumption), of {context_tokens:,} tokens of context"
    )
    if tokens + max_tokens <= context_tokens:
        return Room(sentence=f"{about}; the reply may take {max_tokens:,} more: it fits.", fits=True)
    if tokens < context_tokens:
        left = context_tokens - tokens
        return Room(sentence=f"{about}: the reply can have about {left:,.0f} tokens and then ends.", fits=True)
    return Room(
        sentence=f"{about}: it does not fit. Give more “Context tokens” among the settings, or less text.",
        fits=False,
    )
