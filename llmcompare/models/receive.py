"""One request for the bytes of a file of the Hub: a range at most, compared with what was listed while it comes."""

import os
from collections.abc import Callable
from typing import BinaryIO

import httpx2
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    build_hf_headers,
    hf_raise_for_status,
    http_stream_backoff,
)

from llmcompare.errors import ModelRefusedError
from llmcompare.models.hub_files import HubFile

REQUEST_BYTES = 10_000_000_000
"""Most that one request asks for. The servers of the Hub refuse to send very large files in one piece, and send them
in ranges (docs/adr/0010)."""
WHOLE_LIMIT_BYTES = 50_000_000_000
"""Above it the Hub's client fetches by its own protocol alone (MAX_HTTP_DOWNLOAD_SIZE of huggingface_hub 2.4)."""


def receive(url: str, one: HubFile, stream: BinaryIO, request_bytes: int, came: Callable[[int], None]) -> None:
    """One request, from where the stream stands; `came` hears how many bytes there are.

    Raises TransportError where the connection ends early, ModelRefusedError for an answer that is not this file.
    """
    have, size = stream.tell(), one.size_bytes or 0
    end = min(size, have + request_bytes)
    is_all = (have, end) == (0, size)
    asked = {} if is_all else {"Range": _range(have, end, size)}
    headers = build_hf_headers() | {"Accept-Encoding": "identity"} | asked
    with http_stream_backoff(
        "GET", url, headers=headers, timeout=_patience_s(), max_retries=0, retry_on_exceptions=(),
        retry_on_status_codes=(),
    ) as response:  # fmt: skip
        if response.status_code in (500, 502, 503, 504):
            raise httpx2.RemoteProtocolError(f"status {response.status_code}")
        if response.status_code == 416:
            _refuse_size(one, stream, "has fewer")
        if response.status_code == 400 and size > WHOLE_LIMIT_BYTES:
            _refuse_large(one)
        hf_raise_for_status(response)
        if response.status_code == 200 and not is_all:
            # A server that knows no ranges sends all of it.
            have, end = stream.seek(0), size
            stream.truncate(0)
        _require_said_size(response, have, end, one, stream)
        for chunk in response.iter_bytes():
            if have + len(chunk) > end:
                _refuse_size(one, stream, "sends more")
            _write(stream, chunk, one)
            have += len(chunk)
            came(have)
    if have < end:
        raise httpx2.RemoteProtocolError("the answer ended early")


def _range(have: int, end: int, size: int) -> str:
    """The rest is left open, as every server knows it."""
    return f"bytes={have}-" if end == size else f"bytes={have}-{end - 1}"


def _refuse_large(one: HubFile) -> None:
    size = one.size_bytes or 0
    raise ModelRefusedError(
        f"{one.path} is not fetched: the Hub does not send a file of {size / 1e9:,.0f} GB to a program that asks "
        "for its bytes. Fetch it with the Hub's own `hf download`, whose cache is looked into here, or choose a file "
        "in parts."
    )


def _write(stream: BinaryIO, chunk: bytes, one: HubFile) -> None:
    # Here and not around the request: the same kind of error means something else from the network.
    try:
        stream.write(chunk)
        stream.flush()
    except OSError as error:
        raise ModelRefusedError(
            f"{one.path} cannot be written ({error.strerror}): make room and start again; what came so far is kept."
        ) from error


def _patience_s() -> float:
    """How long a silent connection is waited for."""
    try:
        return max(0.1, float(os.environ.get("HF_HUB_DOWNLOAD_TIMEOUT", "10")))
    except ValueError:
        return 10.0


def _require_said_size(response: httpx2.Response, have: int, end: int, one: HubFile, stream: BinaryIO) -> None:
    """Before a byte is taken: what comes must end where it was asked to, which the list said."""
    length = response.headers.get("content-length", "")
    if length.isdigit() and have + int(length) != end:
        _refuse_size(one, stream, f"sends {have + int(length):,}")


def _refuse_size(one: HubFile, stream: BinaryIO, how: str) -> None:
    stream.truncate(0)
    raise ModelRefusedError(
        f"{one.path} is refused: the Hub lists {one.size_bytes:,} bytes of it and {how}. Nothing was kept; try another "
        "repository."
    )
