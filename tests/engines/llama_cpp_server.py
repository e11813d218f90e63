"""A real OpenAI-compatible server: the one that llama-cpp-python brings, on loopback, with a model file."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_LIMIT_S = 90


@contextmanager
def serving_model(
    path: Path, *, context_tokens: int = 1024, key: str | None = None, name: str = "demo"
) -> Iterator[str]:
    """Its base URL, once it answers. With a key it answers nobody without it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"model": path, "model_alias": name, "host": "127.0.0.1", "port": port, "n_ctx": context_tokens}
    options |= {"n_threads": 1, "interrupt_requests": "false"} | ({} if key is None else {"api_key": key})
    command = [sys.executable, "-m", "llama_cpp.server"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        _wait_until_ready(server, base_url, key)
        yield base_url
    finally:
        server.kill()
        server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], base_url: str, key: str | None) -> None:
    asked = urllib.request.Request(f"{base_url}/models", headers={"Authorization": f"Bearer {key}"} if key else {})
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        assert server.poll() is None, f"the server ended with code {server.returncode}"
        try:
            with urllib.request.urlopen(asked, timeout=2) as answer:
                json.load(answer)
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the server was not ready within {START_LIMIT_S} s")
