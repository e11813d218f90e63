"""Tokens of a reply from a server that counts none while it streams: asked for afterwards.

llama-cpp-python's server says how long a prompt is when it is asked for one token without a stream (the prompt is still
in its cache), and counts a text with the model's tokenizer.
"""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from llmcompare.engines.base import Request
from llmcompare.engines.endpoints import Endpoint
from llmcompare.engines.http_stream import connection, headers
from llmcompare.engines.openai_reply import messages_of
from llmcompare.engines.untrusted import as_count, as_dict, parsed

LIMIT_S = 30.0
"""Of silence. Another request may be before this one."""
LONGEST_ANSWER_BYTES = 1_000_000
"""One token, or a number, and what is said around it."""
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
            "messages": messages_of(request),
            "max_tokens": 1,
        }
        self._text = {"model": endpoint.model, "input": text}
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def wait(self, tick_s: float, *, limit_s: float) -> Iterator[None]:
        """Comes back every so often until the counts are there, or are given up."""
        until_s = time.monotonic() + limit_s
        while self._thread.is_alive() and time.monotonic() < until_s:
            self._thread.join(tick_s)
            yield

    def _ask(self) -> None:
        path = self._endpoint.address.path.rstrip("/")
        usage = as_dict(self._posted(f"{path}/chat/completions", self._prompt).get("usage"))
        counted = self._posted(path.removesuffix("/v1") + COUNT_PATH, self._text).get("count")
        self.found = Counts(as_count(usage.get("prompt_tokens")), as_count(counted))

    def _posted(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        link = connection(self._endpoint.address, LIMIT_S)
        try:
            link.request("POST", path, json.dumps(body).encode("ascii"), headers(self._key))
            with link.getresponse() as answer:
                return as_dict(parsed(answer.read(LONGEST_ANSWER_BYTES))) if answer.status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError):
            # The reply is there and stays: only its tokens are unknown then.
            return {}
        finally:
            link.close()
