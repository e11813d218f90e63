"""What tests look for among the events of a reply."""

from llmcompare.engines.base import Started, Token


def start_of(events):
    """How it started; on a busy machine signs of life may come before."""
    return next(event for event in events if isinstance(event, Started))


def text_of(events):
    """Everything that was written."""
    return "".join(event.text for event in events if isinstance(event, Token))
