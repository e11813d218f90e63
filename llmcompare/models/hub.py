"""GGUF files on the Hugging Face Hub: their headers, by HTTP range, a few megabytes of files of any size.

The only place where errors of huggingface_hub and of its HTTP client become sentences.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from huggingface_hub import HfFileSystem
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from llmcompare.errors import InputError, ModelRefusedError
from llmcompare.models.gguf import read_stream
from llmcompare.models.gguf_header import GgufHeader
from llmcompare.models.hub_bounds import EndlessAnswerError, bound_answers
from llmcompare.models.library import parts
from llmcompare.models.remote_name import REMOTE_NAME

BLOCK_BYTES = 4 << 20
"""One request: a header with a large vocabulary takes two or three."""

REASONS: tuple[tuple[type[Exception], tuple[str, str]], ...] = (
    (GatedRepoError, ("its owner asks for an agreement", "accept it on the Hub and set HF_TOKEN")),
    (RepositoryNotFoundError, ("there is no such repository, or it is private", "check the name or set HF_TOKEN")),
    (RevisionNotFoundError, ("the repository has no such revision", "check what stands after @")),
    (HFValidationError, ("the repository cannot have this name", "write owner/repository:file.gguf")),
    (OfflineModeIsEnabled, ("HF_HUB_OFFLINE is set", "unset it, or use a file that is here")),
    (EntryNotFoundError, ("the repository has no such file", "check its name, capital letters too")),
    (FileNotFoundError, ("the repository has no such file", "check its name, capital letters too")),
    (EndlessAnswerError, ("its answer does not end", "try another repository, or check HF_ENDPOINT")),
    (HfHubHTTPError, ("the Hub answers with an error", "try again later")),
    (ValueError, ("what the Hub answers is no answer", "check HF_ENDPOINT")),
)
"""Special ones first: what is wrong and what to do."""
CLIENT_ERRORS = (
    HfHubHTTPError,
    HFValidationError,
    EntryNotFoundError,
    OfflineModeIsEnabled,
    httpx2.HTTPError,
    OSError,
    EOFError,
    ValueError,
)
STATUS_REASONS = {
    401: ("it wants to know who asks", "set HF_TOKEN"),
    404: ("the file is no longer there", "look at the repository again"),
    403: ("it does not let this token in", "ask its owner, or set another HF_TOKEN"),
    429: ("the Hub gets too many requests from here", "wait some minutes, or set HF_TOKEN"),
}
"""Of answers that the client has no exception of its own for."""


def remote_headers(name: str) -> list[GgufHeader]:
    """The headers of all files of a remote model, one unless it was split; no weights are fetched.

    Raises InputError for a name of another form, ModelRefusedError for what cannot be reached or is no GGUF file.
    """
    found = REMOTE_NAME.match(name)
    if found is None:
        raise InputError(f"{name!r} names no file on the Hub: write owner/repository:file.gguf.")
    with hub_errors(name):
        # The address is read now: huggingface_hub reads it once, when it is imported.
        files = HfFileSystem(endpoint=os.environ.get("HF_ENDPOINT"), use_listings_cache=True, skip_instance_cache=True)
        revision = f"@{found['revision']}" if found["revision"] else ""
        folder = f"{found['repository']}{revision}"
        return [_header(files, f"{folder}/{part}") for part in parts(Path(found["file"]))]


def _header(files: HfFileSystem, path: str) -> GgufHeader:
    with files.open(path, "rb", block_size=BLOCK_BYTES, cache_type="readahead") as stream:
        return read_stream(stream, Path(path), int(stream.size))


@contextmanager
def hub_errors(name: str) -> Iterator[None]:
    """Turns what the Hub's client raises into a ModelRefusedError with a sentence, also an answer without an end."""
    bound_answers()
    try:
        yield
    except CLIENT_ERRORS as error:
        # The file system of the client says FileNotFoundError; what stands behind it says more.
        behind = error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error
        reason, advice = _said(behind)
        raise ModelRefusedError(f"{name} cannot be read from the Hub: {reason}; {advice}.") from error


def _said(error: BaseException) -> tuple[str, str]:
    if type(error) is HfHubHTTPError:
        status = error.response.status_code
        return STATUS_REASONS.get(status, (f"the Hub answers with an error ({status})", "try again later"))
    return next(
        (said for kind, said in REASONS if isinstance(error, kind)),
        (f"the Hub cannot be reached ({type(error).__name__})", "check the network; files that are here do without"),
    )
