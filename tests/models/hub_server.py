"""A server that speaks as much of the Hugging Face Hub as reading a file by range needs, and counts bytes."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0" * 40


class Hub:
    """What the server has and what it was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Path]] = {}
        self.gated: set[str] = set()
        self.sent_bytes = 0
        self.requests: list[str] = []
        self.address = ""
        self.broken_ranges = False
        """Answers a range with its first bytes only, as a connection that breaks off."""


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing on the screen."""

    def do_HEAD(self) -> None:  # noqa: N802 - the name of the base class
        self._answer(body=False)

    def do_GET(self) -> None:  # noqa: N802
        self._answer(body=True)

    def do_POST(self) -> None:  # noqa: N802
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path} {self.headers.get('range', '')}".strip())
        if found := re.match(r"^/api/models/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(?:/(.*))?)?$", path):
            self._api(found[1], found[2] or "revision", found[3] or "main", found[4] or "", body)
        elif found := re.match(r"^/([^/]+/[^/]+)/resolve/([^/]+)/(.+)$", path):
            self._file(found[1], found[3], body)
        else:
            self._refuse(404, "EntryNotFound", body)

    def _api(self, repository: str, kind: str, revision: str, folder: str, body: bool) -> None:
        files = self.hub.files.get(repository)
        if repository in self.hub.gated:
            self._refuse(403, "GatedRepo", body)
        elif files is None:
            self._refuse(401, "RepoNotFound", body)
        elif revision not in ("main", COMMIT):
            self._refuse(404, "RevisionNotFound", body)
        elif kind == "revision":
            self._send_json({"id": repository, "sha": COMMIT, "siblings": []}, body)
        else:
            entries = [
                {"type": "file", "oid": COMMIT, "size": path.stat().st_size, "path": name}
                for name, path in files.items()
                if name.rpartition("/")[0] == folder.strip("/") or kind == "paths-info"
            ]
            if not entries:
                self._refuse(404, "EntryNotFound", body)
            else:
                self._send_json(entries, body)

    def _file(self, repository: str, name: str, body: bool) -> None:
        path = self.hub.files.get(repository, {}).get(name)
        if path is None:
            self._refuse(404, "EntryNotFound", body)
            return
        size = path.stat().st_size
        wanted = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        start, end = (int(wanted[1]), min(int(wanted[2]), size - 1)) if wanted else (0, size - 1)
        with path.open("rb") as stream:
            stream.seek(start)
            raw = stream.read(end - start + 1)
        if self.hub.broken_ranges:
            raw = raw[:10]
        self.send_response(206 if wanted else 200)
        self.send_header("content-range", f"bytes {start}-{end}/{size}")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        if body:
            self.hub.sent_bytes += len(raw)
            self.wfile.write(raw)

    def _send_json(self, value: object, body: bool) -> None:
        raw = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        if body:
            self.wfile.write(raw)

    def _refuse(self, status: int, code: str, body: bool) -> None:
        raw = b'{"error": "no"}'
        self.send_response(status)
        self.send_header("x-error-code", code)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        if body:
            self.wfile.write(raw)


@contextmanager
def serving():
    """A Hub on this machine, until the end of the block."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
