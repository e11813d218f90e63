"""What the Hugging Face Hub has: the files of a repository with size and checksum, and a search. Asked at the time."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from huggingface_hub import HfApi, ModelInfo
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.errors import OfflineModeIsEnabled

from llmcompare.core.ggml_types import FILE_TYPES
from llmcompare.errors import InputError, ModelRefusedError
from llmcompare.models.hub import hub_errors
from llmcompare.models.library import PART_NAME, PARTS_LIMIT, parts

REPOSITORY_NAME = re.compile(r"^[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}$")
SHA256 = re.compile(r"^[0-9a-f]{64}$")
SHA1 = re.compile(r"^[0-9a-f]{40}$")
TIMEOUT_S = 10.0
HITS_LIMIT = 20
FILES_LIMIT = 5_000
"""Of a repository. Those with models have tens, the largest some hundreds. Assumption."""
LICENCE_LETTERS = 60
SIZE_LIMIT_BYTES = 2**50
"""A size above it is no size."""
NAME_OF_FORMAT = re.compile(
    r"(?<![A-Za-z0-9])(" + "|".join(sorted(FILE_TYPES.values(), key=len, reverse=True)) + r")(?![A-Za-z0-9])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """One file, as the Hub lists it."""

    path: str
    """Inside the repository."""
    size_bytes: int | None
    sha256: str | None
    """Of large files."""
    git_sha1: str | None
    """Of small ones."""

    @property
    def checksum(self) -> str | None:
        """What its content is checked against."""
        return self.sha256 or self.git_sha1


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRepository:
    """A repository at one commit."""

    name: str
    commit: str
    gated: bool
    """Its owner asks for an agreement before files can be fetched."""
    licence: str | None
    """As its owner writes it."""
    changed_on: str | None
    files: tuple[HubFile, ...]
    is_cached: bool = False
    """Read from the cache of the Hub's client, which knows neither licence nor gate; the Hub was not asked."""

    def file(self, path: str) -> HubFile:
        """Raises ModelRefusedError that names files which are there."""
        found = next((one for one in self.files if one.path == path), None)
        if found is None:
            known = [one.path for one in self.files if one.path.lower().endswith(".gguf")]
            hint = f"it has {', '.join(known[:3])}{' and others' if len(known) > 3 else ''}" if known else "it has none"
            raise ModelRefusedError(f"{self.name} has no file {path!r}: of GGUF files {hint}.")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """A model of a repository: one GGUF file, or all files of a split one."""

    path: str
    """Of the first file."""
    files: tuple[HubFile, ...]
    missing: tuple[str, ...]
    """Parts that the repository lacks."""

    @property
    def size_bytes(self) -> int | None:
        """Of all files; None where the Hub does not say one of them."""
        sizes = [one.size_bytes for one in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def format_name(self) -> str | None:
        """What the file name says: nobody has read the file yet."""
        return format_in_name(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubHit:
    """A repository that a search found."""

    name: str
    downloads: int | None
    gated: bool


def format_in_name(path: str) -> str | None:
    """The format of weights that a file name says.

    >>> format_in_name("folder/Qwen3-4B-Q4_K_M.gguf"), format_in_name("notes.gguf")
    ('Q4_K_M', None)
    """
    found = NAME_OF_FORMAT.findall(PurePosixPath(path).name)
    return found[-1].upper() if found else None


def api() -> HfApi:
    """The client. The environment is read now: huggingface_hub reads it once, when it is imported."""
    require_online()
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)


def require_online() -> None:
    """Raises OfflineModeIsEnabled where the user wants no network."""
    if any(os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE") for name in OFFLINE):
        raise OfflineModeIsEnabled("the environment says offline")


OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def cache_folder() -> Path:
    """Where other programs keep what they fetched from the Hub."""
    if folder := os.environ.get("HF_HUB_CACHE"):
        return Path(folder)
    home = os.environ.get("HF_HOME")
    return Path(home) / "hub" if home else Path(HF_HUB_CACHE)


def require_name(repository: str) -> str:
    """Raises InputError for what cannot be a repository."""
    if not REPOSITORY_NAME.fullmatch(repository) or ".." in repository:
        raise InputError(f"{repository!r} is no repository of the Hub: write owner/name, as in Qwen/Qwen3-4B-GGUF.")
    return repository


def repository(name: str, *, revision: str | None = None) -> HubRepository:
    """Its files now. Raises InputError for a name that cannot be, ModelRefusedError where the Hub does not answer."""
    require_name(name)
    with hub_errors(name):
        found = api().model_info(name, revision=revision, files_metadata=True, timeout=TIMEOUT_S)
    return _repository(name, found)


def _repository(name: str, found: ModelInfo) -> HubRepository:
    if not SHA1.match(found.sha or ""):
        raise ModelRefusedError(f"{name} cannot be read from the Hub: its answer names no commit; try again later.")
    files = found.siblings or ()
    count = max(len(files), _parts_named(one.rfilename for one in files))
    if count > FILES_LIMIT:
        raise ModelRefusedError(
            f"{name} cannot be read from the Hub: it lists {count:,} files, more than the {FILES_LIMIT:,} that "
            "are looked at; choose another repository."
        )
    return HubRepository(
        name=name,
        commit=str(found.sha),
        gated=bool(found.gated),
        licence=_licence(found),
        changed_on=None if found.last_modified is None else found.last_modified.date().isoformat(),
        files=tuple(_file(one) for one in files),
    )


def _parts_named(paths: Iterable[str]) -> int:
    """Files that there would be if every split model were whole; one name may say that it is one of a thousand."""
    names = (PART_NAME.match(path.removesuffix(".gguf")) for path in paths)
    splits = {(found["stem"], found["count"]) for found in names if found}
    return sum(int(count) for _, count in splits if int(count) <= PARTS_LIMIT)


def _file(one: object) -> HubFile:
    lfs = getattr(one, "lfs", None)
    sha256, sha1 = getattr(lfs, "sha256", None), getattr(one, "blob_id", None)
    size = getattr(lfs, "size", None) or getattr(one, "size", None)
    is_size = isinstance(size, int) and 0 <= size < SIZE_LIMIT_BYTES
    return HubFile(
        path=str(getattr(one, "rfilename", "")),
        size_bytes=size if is_size else None,
        sha256=sha256 if SHA256.match(str(sha256)) else None,
        git_sha1=sha1 if lfs is None and SHA1.match(str(sha1)) else None,
    )


def _licence(found: ModelInfo) -> str | None:
    """Of the card, else of the tags."""
    card = found.card_data
    named = getattr(card, "license", None) if card is not None else None
    tagged = next((tag.removeprefix("license:") for tag in found.tags or () if tag.startswith("license:")), None)
    licence = named if isinstance(named, str) else tagged
    return None if licence is None else licence[:LICENCE_LETTERS]


def models_of(found: HubRepository) -> list[HubModel]:
    """The models of a repository, the smallest first; parts of one model are one, eyes and the like are left out."""
    by_path = {one.path: one for one in found.files}
    firsts = sorted({_first(path) for path in by_path if path.lower().endswith(".gguf") and is_safe(path)})
    models = [_model(by_path, path) for path in firsts if not PurePosixPath(path).name.lower().startswith("mmproj")]
    return sorted(models, key=lambda one: (one.size_bytes is None, one.size_bytes or 0, one.path))


def model_of(found: HubRepository, path: str) -> HubModel:
    """The model whose file, or one of whose parts, this is. Raises ModelRefusedError for a name nobody has."""
    model = _model({one.path: one for one in found.files}, path)
    if not model.files:
        found.file(path)
    return model


def _model(by_path: Mapping[str, HubFile], path: str) -> HubModel:
    names = [Path(part).as_posix() for part in parts(Path(path))]
    return HubModel(
        path=names[0],
        files=tuple(by_path[name] for name in names if name in by_path),
        missing=tuple(name for name in names if name not in by_path),
    )


def is_safe(path: str) -> bool:
    """Whether a path of a repository stays inside the folder that it is fetched into, and reads as it is.

    >>> is_safe("Q8_0/model.gguf"), is_safe("../model.gguf"), is_safe("/model.gguf"), is_safe("model.gguf\\n.gguf")
    (True, False, False, False)
    """
    pieces = path.split("/")
    is_inside = all(piece not in ("", ".", "..") and not set(piece) & set("\\:") for piece in pieces)
    return is_inside and path.isprintable() and len(path) < 300


def _first(path: str) -> str:
    split = PART_NAME.match(PurePosixPath(path).stem)
    return Path(parts(Path(path))[0]).as_posix() if split else path


def search(text: str) -> list[HubHit]:
    """Repositories with GGUF files whose name holds these words, the most fetched first."""
    if not text.strip():
        raise InputError("the search is empty: write a part of a model's name.")
    with hub_errors(f"search for {text!r}"):
        found: Sequence[ModelInfo] = list(
            api().list_models(
                search=text.strip(), filter="gguf", sort="downloads", limit=HITS_LIMIT,
                expand=["downloads", "gated"],
            )
        )  # fmt: skip
    return [
        HubHit(name=one.id, downloads=one.downloads, gated=bool(one.gated))
        for one in found
        if REPOSITORY_NAME.fullmatch(one.id)
    ]
