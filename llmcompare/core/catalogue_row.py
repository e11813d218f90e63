"""What every row of the catalogue has, for what only names the rows it rests on."""

from typing import Protocol


class CatalogueRow(Protocol):
    """A row of the catalogue, whatever it is about."""

    @property
    def row_id(self) -> str:
        """Table and key."""

    @property
    def as_of(self) -> str | None:
        """ISO date, None for an undated row."""

    @property
    def source(self) -> str:
        """Where it was read."""
