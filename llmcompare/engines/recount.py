"""Tokens of a reply from a server that counts none while it streams: asked for afterwards.

llama-cpp-python's server says how long a prompt is when it is asked for one token without a stream (the prompt is still
in its cache), and counts a text with the model's tokenizer.
"""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

from llmcompare.engines.base import Request
from llmcompare.engines.endpoints import Endpoint
from llmcompare.engines.http_stream import connection, headers

LIMIT_S = 30.0
"""Another request may be before this one."""
COUNT_PATH = "/extras/tokenize/count"


class Counts(NamedTuple):
    """None where the server did not say it."""

    prompt_tokens: int | None
    generated_tokens: int | None


class Recount:
    """Asks at once, in a thread of its own, so that whoever waits can stop waiting."""

    def __init__(self, endpoint: Endpoint, request: Request, text: str, *, key: str | None) -> None:
        self.found = Counts(None, None)
        self._endpoint, self._key = endpoint, key
        self._prompt = {
            "model": endpoint.model,
            "messages": [{"role": one.role, "content": one.content} for one in request.messages],
            "max_tokens": 1,
        }
        self._text = {"model": endpoint.model, "input": text}
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def wait(self, tick_s: float) -> Iterator[None]:
        """Comes back every so often until the counts are there, or will not come."""
        while self._thread.is_alive():
            self._thread.join(tick_s)
            yield

    def _ask(self) -> None:
        path = self._endpoint.address.path.rstrip("/")
        usage = self._posted(f"{path}/chat/completions", self._prompt).get("usage")
        counted = self._posted(path.removesuffix("/v1") + COUNT_PATH, self._text).get("count")
        prompt = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        self.found = Counts(_whole(prompt), _whole(counted))

    def _posted(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        link = connection(self._endpoint.address, LIMIT_S)
        try:
            link.request("POST", path, json.dumps(body).encode("ascii"), headers(self._key))
            with link.getresponse() as answer:
                said = json.loads(answer.read()) if answer.status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError):
            # The reply is there and stays: only its tokens are unknown then.
            said = {}
        finally:
            link.close()
        return said if isinstance(said, dict) else {}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
