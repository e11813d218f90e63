"""The energy counters of the processor (RAPL), as Linux shows them. Not verified on a processor that has them.

They count the whole processor with everything that runs on it, and only the administrator may read them unless told
otherwise: then nothing was measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
MICROJOULES_PER_J = 1e6


@dataclass(frozen=True, slots=True)
class Zone:
    """One processor package."""

    energy_uj: int
    range_uj: int
    """Where the counter starts again at 0."""


def reading(powercap: Path = POWERCAP) -> Mapping[str, Zone] | None:
    """Every package by its folder; None where there is none or one of them cannot be read."""
    try:
        # A package has one colon in its name; its parts have two, and intel-rapl-mmio counts the same package again.
        folders = [path for path in powercap.glob("intel-rapl:*") if path.name.count(":") == 1]
        packages = [path for path in folders if (path / "name").read_text("ascii").startswith("package")]
        zones = {path.name: _zone(path) for path in packages}
    except (OSError, ValueError):
        return None
    return zones or None


def joules(first: Mapping[str, Zone] | None, last: Mapping[str, Zone] | None) -> float | None:
    """Between two readings; None where one is missing. A counter may have started again once.

    >>> joules({"a": Zone(900_000, 1_000_000)}, {"a": Zone(400_000, 1_000_000)})
    0.5
    """
    if first is None or last is None or first.keys() != last.keys():
        return None
    used = 0
    for name, zone in last.items():
        difference = zone.energy_uj - first[name].energy_uj
        used += difference if difference >= 0 else difference + zone.range_uj
    return used / MICROJOULES_PER_J


def _zone(folder: Path) -> Zone:
    return Zone(_number(folder / "energy_uj"), _number(folder / "max_energy_range_uj"))


def _number(path: Path) -> int:
    return int(path.read_text("ascii"))
