"""What other programs fetched from the Hub and keep in its cache (HF_HOME): found without a network, checked like
everything else, since the cache names each file's content by its checksum."""

import os
from pathlib import Path

from llmcompare.models.hub_files import REPOSITORY_NAME, SHA1, SHA256, HubFile, HubRepository, cache_folder

REPOSITORY_FOLDER = "models--"
"""Before owner--name, as the client names folders of repositories with models."""


def cached_repositories() -> list[HubRepository]:
    """Repositories with GGUF files in the cache, each at its newest commit that has some; none where there is none."""
    folders = sorted(cache_folder().glob(f"{REPOSITORY_FOLDER}*"))
    found = [cached_repository(_name(folder)) for folder in folders]
    return [one for one in found if one is not None]


def cached_repository(name: str, path: str | None = None) -> HubRepository | None:
    """What the cache has of one, at the newest commit with GGUF files, or with this file; None without any."""
    if not REPOSITORY_NAME.fullmatch(name) or "--" in name:
        return None
    folder = cache_folder() / f"{REPOSITORY_FOLDER}{name.replace('/', '--')}" / "snapshots"
    for commit in _newest_first(folder):
        files = tuple(_file(file, commit) for file in sorted(commit.rglob("*")) if file.is_file())
        if any(_is_wanted(one.path, path) for one in files):
            return HubRepository(
                name=name, commit=commit.name, gated=False, licence=None, changed_on=None, files=files, is_cached=True
            )
    return None


def _name(folder: Path) -> str:
    return folder.name.removeprefix(REPOSITORY_FOLDER).replace("--", "/", 1)


def _newest_first(folder: Path) -> list[Path]:
    try:
        commits = [one for one in folder.iterdir() if SHA1.match(one.name) and one.is_dir()]
        return sorted(commits, key=lambda one: (one.stat().st_mtime_ns, one.name), reverse=True)
    except OSError:
        return []


def _is_wanted(path: str, wanted: str | None) -> bool:
    return path.lower().endswith(".gguf") if wanted is None else path == wanted


def _file(file: Path, commit: Path) -> HubFile:
    """The link in the snapshot leads to a file that is named by its checksum; without links it is not known."""
    content = Path(os.readlink(file)).name if file.is_symlink() else ""
    return HubFile(
        path=file.relative_to(commit).as_posix(),
        size_bytes=file.stat().st_size,
        sha256=content if SHA256.match(content) else None,
        git_sha1=content if SHA1.match(content) else None,
    )
