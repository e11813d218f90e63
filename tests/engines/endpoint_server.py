"""A server that answers what a test tells it to, right or wrong, and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Script:
    """What the server answers and what it heard."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.kind = "text/event-stream"
        self.parts: list[str | float] = []
        """Texts that are sent, and seconds of silence between them."""
        self.asked: list[dict] = []
        self.authorization: list[str | None] = []
        self.disconnected = threading.Event()
        self.address = ""

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://{self.address}/v1"

    def say(self, *parts: str | float) -> None:
        """Answer with these parts from now on."""
        self.parts = list(parts)


def chunk(text: str | None = None, **more: object) -> str:
    """A chunk with this text, as an event."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta | more.pop("delta", {}), "finish_reason": more.pop("finish", None)}
    return event({"object": "chat.completion.chunk", "choices": [choice | more.pop("choice", {})]} | more)


def usage(prompt: int, completion: int, cached: int | None = None) -> str:
    """The last chunk, which counts tokens."""
    found: dict = {"prompt_tokens": prompt, "completion_tokens": completion}
    if cached is not None:
        found["prompt_tokens_details"] = {"cached_tokens": cached}
    return event({"choices": [], "usage": found})


def event(data: object) -> str:
    """One event of the stream."""
    return f"data: {json.dumps(data)}\n\n"


DONE = "data: [DONE]\n\n"


class _Handler(BaseHTTPRequestHandler):
    script: Script

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing on the screen."""

    def do_POST(self) -> None:  # noqa: N802 - the name of the base class
        script = self.script
        script.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))) | {"path": self.path})
        script.authorization.append(self.headers.get("Authorization"))
        self.send_response(script.status)
        self.send_header("Content-Type", script.kind)
        for name, value in script.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for part in script.parts:
                if isinstance(part, str):
                    self.wfile.write(part.encode())
                    self.wfile.flush()
                else:
                    time.sleep(part)
        except OSError:
            script.disconnected.set()


@contextmanager
def serving() -> Iterator[Script]:
    """A server of its own for a test."""
    script = Script()
    handler: Callable = type("Handler", (_Handler,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    script.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
