"""A server that speaks as much of the Hugging Face Hub as listing, searching and fetching needs, counts bytes, and
can do what goes wrong on the way: cut, stall, refuse, lie."""

import hashlib
import json
import re
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0" * 40
PIECE_BYTES = 8192


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
        self.cuts: list[int] = []
        """After how many bytes of each coming answer the connection is cut; whole ones once it is empty."""
        self.stalls_s = 0.0
        """How long it is silent in the middle of a file."""
        self.pause_s = 0.0
        """Between pieces of 8 kB."""
        self.status: int | None = None
        """That a file is answered with."""
        self.knows_ranges = True
        self.chunked = False
        """Sends without saying how much."""
        self.endless = False
        """Sends on after the end of a file, until nobody listens."""
        self.endless_lists = False
        """The same of a list, or of what a search finds."""
        self.pages_on = False
        """Says of each page of a search that there is another one."""
        self.left_alone = threading.Event()
        """Set when nobody listened any more."""
        self.listed_sizes: dict[str, int] = {}
        self.listed_checksums: dict[str, str] = {}
        self.without_checksum: set[str] = set()
        self.licence = "apache-2.0"
        self.tokens: list[str] = []
        """Of the requests for files."""
        self._checksums: dict[Path, str] = {}

    def checksum(self, path: Path) -> str:
        """SHA-256 of a file."""
        if path not in self._checksums:
            self._checksums[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._checksums[path]

    def sibling(self, name: str, path: Path) -> dict[str, object]:
        """A file as the list of a repository has it."""
        size = self.listed_sizes.get(name, path.stat().st_size)
        checksum = self.listed_checksums.get(name) or self.checksum(path)
        lfs = {} if name in self.without_checksum else {"lfs": {"sha256": checksum, "size": size, "pointerSize": 134}}
        return {"rfilename": name, "size": size, **lfs}


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
        if path == "/api/models":
            self._search(body)
            return
        self.hub.requests.append(f"{self.command} {path} {self.headers.get('range', '')}".strip())
        asked_for_files = "blobs=" in urlsplit(self.path).query
        if found := re.match(r"^/api/models/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(?:/(.*))?)?$", path):
            if asked_for_files and found[1] in self.hub.files:
                self._repository(found[1], body)
            else:
                self._api(found[1], found[2] or "revision", found[3] or "main", found[4] or "", body)
        elif found := re.match(r"^/([^/]+/[^/]+)/resolve/([^/]+)/(.+)$", path):
            self._file(found[1], found[3], body)
        else:
            self._refuse(404, "EntryNotFound", body)

    def _repository(self, repository: str, body: bool) -> None:
        """As a list of files with sizes and checksums; that of a gated one can be read by everybody."""
        value = {
            "id": repository, "sha": COMMIT, "gated": "auto" if repository in self.hub.gated else False,
            "lastModified": "2026-05-01T12:00:00.000Z", "tags": [f"license:{self.hub.licence}"],
            "siblings": [self.hub.sibling(name, path) for name, path in self.hub.files[repository].items()],
        }  # fmt: skip
        self._send_json(value, body)

    def _search(self, body: bool) -> None:
        wanted = parse_qs(urlsplit(self.path).query).get("search", [""])[0].lower()
        found = [
            {"id": name, "downloads": 1000 - number, "gated": name in self.hub.gated}
            for number, name in enumerate(self.hub.files)
            if wanted in name.lower()
        ]
        self._send_json(found, body)

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
        self.hub.tokens.append(self.headers.get("authorization", ""))
        if self.hub.status is not None:
            self._refuse(self.hub.status, "", body)
        elif repository in self.hub.gated:
            self._refuse(401, "GatedRepo", body)
        elif path is None:
            self._refuse(404, "EntryNotFound", body)
        else:
            self._send_file(path, body)

    def _send_file(self, path: Path, body: bool) -> None:
        size = path.stat().st_size
        wanted = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("range", "")) if self.hub.knows_ranges else None
        start = int(wanted[1]) if wanted else 0
        end = min(int(wanted[2]), size - 1) if wanted and wanted[2] else size - 1
        if start >= size:
            self._refuse(416, "", body)
            return
        with path.open("rb") as stream:
            stream.seek(start)
            raw = stream.read(end - start + 1)
        if self.hub.broken_ranges:
            raw = raw[:10]
        self.send_response(206 if wanted else 200)
        self.send_header("content-range", f"bytes {start}-{end}/{size}")
        if self.hub.chunked:
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("content-length", str(len(raw)))
        self.end_headers()
        if body:
            self._send_pieces(raw)

    def _send_pieces(self, raw: bytes) -> None:
        cut = self.hub.cuts.pop(0) if self.hub.cuts else len(raw)
        for at in range(0, min(cut, len(raw)), PIECE_BYTES):
            piece = raw[at : min(at + PIECE_BYTES, cut)]
            self.hub.sent_bytes += len(piece)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if self.hub.chunked else piece)
            self.wfile.flush()
            time.sleep(self.hub.pause_s)
            if self.hub.stalls_s and at == 0:
                time.sleep(self.hub.stalls_s)
        if self.hub.endless:
            self._send_on()
        elif cut < len(raw):
            self.close_connection = True
        elif self.hub.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _send_on(self) -> None:
        """Chunks, until nobody listens."""
        self.close_connection = True
        with suppress(OSError):
            while True:
                self.wfile.write(b"%x\r\n%s\r\n" % (PIECE_BYTES, b" " * PIECE_BYTES))
        self.hub.left_alone.set()

    def _send_json(self, value: object, body: bool) -> None:
        raw = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        if self.hub.pages_on:
            self.send_header("link", f'<{self.hub.address}{self.path}>; rel="next"')
        if self.hub.endless_lists:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self._send_on()
            return
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
