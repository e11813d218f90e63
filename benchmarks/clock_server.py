"""A server that speaks OpenAI's protocol and whose words are the time at which it said them, at a known rate."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Clock(BaseHTTPRequestHandler):
    words_per_s = 30.0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing on the screen."""

    def do_POST(self) -> None:  # noqa: N802 - the name of the base class
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        began = time.time()
        try:
            for number in range(1, 1 + asked["max_tokens"]):
                time.sleep(max(0.0, began + number / self.words_per_s - time.time()))
                self._say({"index": 0, "delta": {"content": f"{time.time():.3f} "}, "finish_reason": None})
            self._say({"index": 0, "delta": {}, "finish_reason": "length"})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            # The asker has gone.
            return

    def _say(self, choice: dict[str, object]) -> None:
        chunk = {"object": "chat.completion.chunk", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()


@contextmanager
def telling_the_time(words_per_s: float) -> Iterator[str]:
    """The base URL of a server that says so many words a second to everybody who asks."""
    handler = type("_Clock", (_Clock,), {"words_per_s": words_per_s})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
