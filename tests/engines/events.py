"""What tests look for among the events of a reply."""

from llmcompare.engines.base import Started


def start_of(events):
    """How it started; on a busy machine signs of life may come before."""
    return next(event for event in events if isinstance(event, Started))
