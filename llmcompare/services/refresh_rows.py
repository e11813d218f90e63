"""The newest rows of both price tables as cells: what a refreshed row is compared with, and what it takes over."""

from collections.abc import Iterator, Mapping

from llmcompare.core.refresh import Known
from llmcompare.services.catalogue import Facts
from llmcompare.store import queries

PRICES = ("api_prices", "gpu_prices")
Row = dict[str, str]


class Rows:
    """Rows of data/, without the user's own; the newest of each offer."""

    def __init__(self, facts: Facts) -> None:
        self._names = facts.names
        self._rows = {table: list(_cells(facts, table)) for table in PRICES}
        self._api = {(row["provider"], row["api_model_name"]): row for row in self.of("api_prices")}
        self._gpu = {gpu_offer(row): row for row in self.of("gpu_prices")}

    def of(self, table: str) -> list[Row]:
        """All rows, the oldest first, undated ones before them."""
        return self._rows[table]

    def api(self, provider: str, name: str) -> Row | None:
        """The columns of the newest row of an offer that a new one takes over: what it is, and its batch prices."""
        row = self._api.get((provider, name))
        return None if row is None else _without_id(row)

    def gpus(self, provider: str, name: str, count: str, billing: str) -> Iterator[Row]:
        """The newest rows of a machine, one per region."""
        for offer, row in self._gpu.items():
            if offer[:4] == (provider, name, count, billing):
                yield _without_id(row)

    def thing(self, model_id: str) -> str:
        """The model that a row is of; the name it gives where the catalogue does not know it."""
        return self._names.get(model_id, model_id)

    def known(self, table: str) -> list[Known]:
        """The newest row of every offer."""
        return [self._known(table, row) for row in (self._api if table == "api_prices" else self._gpu).values()]

    def price(self, table: str, row: Mapping[str, str]) -> tuple[str, tuple[float, ...]]:
        """What a row prices, and its prices: input and output per million tokens, or a GPU-hour.

        Raises KeyError or ValueError for cells that hold none.
        """
        if table == "api_prices":
            prices = (float(row["input_usd_per_mtok"]), float(row["output_usd_per_mtok"]))
            return self.thing(row["model_id"]), prices
        return f"{row['gpu_id']}, {row['billing']}", (float(row["usd_per_hour"]) / int(row["gpu_count"]),)

    def _known(self, table: str, row: Row) -> Known:
        thing, usd = self.price(table, row)
        return Known(
            kind="api" if table == "api_prices" else "gpu",
            offer=(row["provider"], row["api_model_name"]) if table == "api_prices" else gpu_offer(row),
            thing=thing,
            usd=usd,
            as_of=row["as_of"] or None,
            source=row["source"],
            row_id=row["row_id"],
        )


def gpu_offer(row: Row) -> tuple[str, ...]:
    """What tells offers of machines apart."""
    return tuple(row[name] for name in ("provider", "offer_name", "gpu_count", "billing", "region"))


def _without_id(row: Row) -> Row:
    return {name: cell for name, cell in row.items() if name != "row_id"}


def _cells(facts: Facts, table: str) -> Iterator[Row]:
    columns, rows = queries.table_rows(facts.catalog, table)
    left_out = {"line", "is_own", "usd_per_gpu_hour"}
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    for row in sorted(found, key=lambda row: row["as_of"] or ""):
        if not row["is_own"]:
            yield {name: _text(cell) for name, cell in row.items() if name not in left_out}


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)
