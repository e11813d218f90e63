"""An end to what the Hub says about itself: its client reads an answer whole, however long that is."""

import time
from collections.abc import Iterator

import httpx2
from huggingface_hub import get_session

ANSWER_LIMIT_BYTES = 32_000_000
"""Of a list of files: a hundred times those of the largest repositories. Assumption."""
PACKED_LIMIT_BYTES = 320_000
"""Of one that is compressed although that was not asked for: it may become a thousand times as long."""
ANSWER_LIMIT_S = 60.0


class EndlessAnswerError(httpx2.HTTPError):
    """It was longer, or took longer, than any list does."""


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, limit_bytes: int) -> None:
        self._stream = stream
        self._limit_bytes = limit_bytes
        self._until_s = time.monotonic() + ANSWER_LIMIT_S

    def __iter__(self) -> Iterator[bytes]:
        came = 0
        for chunk in self._stream:
            came += len(chunk)
            if came > self._limit_bytes or time.monotonic() > self._until_s:
                raise EndlessAnswerError("the answer does not end")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def bound_answers() -> None:
    """From now on, for the client as it is: it makes a new one after some errors."""
    hooks = get_session().event_hooks
    for name, hook in (("request", _ask_plain), ("response", _bound)):
        if hook not in hooks[name]:
            hooks[name].append(hook)


def _ask_plain(request: httpx2.Request) -> None:
    if _is_about(request.url):
        request.headers["accept-encoding"] = "identity"


def _bound(response: httpx2.Response) -> None:
    if response.request.url.path.endswith("/api/models"):
        # One page is all that a search asks for; empty ones that name another would be followed without an end.
        response.headers.pop("link", None)
    is_content = not _is_about(response.request.url) and response.is_success
    if not is_content and isinstance(response.stream, httpx2.SyncByteStream):
        is_packed = "content-encoding" in response.headers
        response.stream = _Bounded(response.stream, PACKED_LIMIT_BYTES if is_packed else ANSWER_LIMIT_BYTES)


def _is_about(url: httpx2.URL) -> bool:
    """Whether it asks for lists and not for the bytes of a file."""
    return "/api/" in url.path
