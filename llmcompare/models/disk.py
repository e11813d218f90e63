"""The disk that models lie on."""

import shutil
from pathlib import Path


def free_disk_bytes(folder: Path) -> int:
    """Of the disk that a folder lies on, or would lie on."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free
