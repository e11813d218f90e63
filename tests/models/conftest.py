"""A file of made bytes."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def written(tmp_path):
    """Writes these bytes, and zeros behind them up to a size."""

    def write(raw: bytes, *, size: int | None = None) -> Path:
        path = tmp_path / "made.gguf"
        path.write_bytes(raw)
        if size is not None:
            os.truncate(path, size)
        return path

    return write
