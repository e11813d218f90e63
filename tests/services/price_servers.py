"""Servers on this machine that speak as the sources of genai-prices and gpuhunt do."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gpuhunt._internal.catalog import OFFLINE_PROVIDERS

CATALOGUE_COLUMNS = (
    "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor,flags,cpu_arch,"
    "provider_data"
)


@contextmanager
def serving(pages: dict[str, bytes]) -> Iterator[str]:
    """The address of a server that has these pages and no other."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Nothing on the screen."""

        def do_GET(self) -> None:  # noqa: N802 - the name of the base class
            page = pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.end_headers()
            self.wfile.write(page or b"")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def token_prices(providers: dict[str, dict[str, dict[str, float]]]) -> bytes:
    """A file of genai-prices: prices per million tokens by provider and model."""
    return json.dumps(
        [
            {
                "id": provider,
                "name": provider,
                "api_pattern": f"https://{provider}\\.example",
                "models": [
                    {"id": model, "match": {"equals": model}, "prices": prices} for model, prices in models.items()
                ],
            }
            for provider, models in providers.items()
        ]
    ).encode()


def machines(version: str, rows: dict[str, list[str]]) -> dict[str, bytes]:
    """The pages of gpuhunt's store: a version and a zipped catalogue per provider, empty where no row is given."""
    pages = {}
    for provider, lines in (dict.fromkeys(OFFLINE_PROVIDERS, []) | rows).items():
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(f"{provider}.csv", "\n".join([CATALOGUE_COLUMNS, *lines]) + "\n")
        pages[f"/{provider}/version"] = version.encode()
        pages[f"/{provider}/{version}/catalog.zip"] = packed.getvalue()
    return pages


def machine(
    name: str, price: float, *, location: str = "us-east-1", gpus: int = 8, gpu: str = "H100", spot: bool = False
) -> str:
    """One line of such a catalogue."""
    return f"{name},{location},{price},192,2048,{gpus},{gpu},80,{spot},,nvidia,,x86,{{}}"
