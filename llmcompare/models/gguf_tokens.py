"""The text of a few tokens of a GGUF file: its vocabulary is passed over, what is asked for is kept."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from llmcompare.errors import ModelRefusedError
from llmcompare.models.gguf import read_bytes
from llmcompare.models.gguf_bytes import HeaderBytes

TOKENS = "'tokenizer.ggml.tokens'"


class _PickingBytes(HeaderBytes):
    """Keeps some texts of the vocabulary."""

    wanted: frozenset[int] = frozenset()

    def skip_texts(self, count: int, what: str) -> None:
        if what != TOKENS:
            super().skip_texts(count, what)
            return
        self.found: dict[int, str] = {}
        at = 0
        for number in sorted(one for one in self.wanted if 0 <= one < count):
            super().skip_texts(number - at, what)
            self.found[number] = self.text(what)
            at = number + 1
        super().skip_texts(count - at, what)


def token_texts(path: Path, ids: Iterable[int]) -> dict[int, str]:
    """Texts by id; of ids that the vocabulary has. Raises ModelRefusedError."""
    try:
        found = path.stat()
    except OSError as error:
        raise ModelRefusedError(f"{path} cannot be read ({error.strerror}): name another file.") from error
    return _remembered(path, frozenset(ids), found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)
def _remembered(path: Path, ids: frozenset[int], size: int, _mtime_ns: int) -> dict[int, str]:
    try:
        with path.open("rb") as stream:
            source = _PickingBytes(stream, path.name, size)
            source.wanted = ids
            source.found = {}
            read_bytes(source, path)
    except OSError as error:
        raise ModelRefusedError(f"{path} cannot be read ({error.strerror}): name another file.") from error
    return source.found
