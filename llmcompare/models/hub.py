"""GGUF files on the Hugging Face Hub: their headers, by HTTP range, a few megabytes of files of any size.

The only place where errors of huggingface_hub and of its HTTP client become sentences.
"""

import os
import re
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
from llmcompare.models.library import parts

REMOTE_NAME = re.compile(
    r"^(?:hf://)?(?P<repository>[\w.-]+/[\w.-]+?)(?:@(?P<revision>[\w./-]+?))?[:/](?P<file>[^:]+\.gguf)$", re.IGNORECASE
)
"""hf://owner/repository/folder/file.gguf or owner/repository:folder/file.gguf, with @revision after the repository."""
BLOCK_BYTES = 4 << 20
"""One request: a header with a large vocabulary takes two or three."""


def is_remote(name: str) -> bool:
    """Whether a name means a file on the Hub and not one here.

    >>> is_remote("hf://unsloth/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf"), is_remote("var/models/x.gguf")
    (True, False)
    """
    return REMOTE_NAME.match(name) is not None and (name.startswith("hf://") or ":" in name)


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
    """Turns what the Hub's client raises into a ModelRefusedError with a sentence."""
    try:
        yield
    except GatedRepoError as error:
        raise _refused(name, "its owner asks for an agreement", "accept it on the Hub and set HF_TOKEN") from error
    except RepositoryNotFoundError as error:
        raise _refused(name, "there is no such repository, or it is private", "check the name or HF_TOKEN") from error
    except RevisionNotFoundError as error:
        raise _refused(name, "the repository has no such revision", "check what stands after @") from error
    except HFValidationError as error:
        raise _refused(name, "the repository cannot have this name", "write owner/repository:file.gguf") from error
    except OfflineModeIsEnabled as error:
        raise _refused(name, "HF_HUB_OFFLINE is set", "unset it or name a local file") from error
    except (EntryNotFoundError, FileNotFoundError) as error:
        raise _refused(name, "the repository has no such file", "check its name, capital letters too") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no"
        raise _refused(name, f"the Hub answered with status {status}", "try again later") from error
    except (httpx2.HTTPError, OSError, EOFError) as error:
        raise _refused(name, f"the Hub cannot be reached ({type(error).__name__})", "check the network") from error


def _refused(name: str, reason: str, advice: str) -> ModelRefusedError:
    return ModelRefusedError(f"{name} cannot be read from the Hub: {reason}; {advice}.")
