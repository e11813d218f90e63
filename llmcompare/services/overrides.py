"""The user's own prices: typed in as one row, uploaded as a file, listed, deleted."""

import csv
from collections import Counter
from datetime import date

from llmcompare.core.options import proprietary_offers
from llmcompare.core.records import YOURS, Billing
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Cell, Table
from llmcompare.errors import InputError
from llmcompare.services.catalogue import Facts
from llmcompare.store import overrides
from llmcompare.store.overrides import Row
from llmcompare.store.paths import Folders, folders

GPU_PRICES = "gpu_prices"
API_PRICES = "api_prices"
TABLES = {GPU_PRICES: "GPU prices", API_PRICES: "API prices"}
"""Tables that take own rows, with their names for a reader."""
MAX_UPLOAD_MB = 5
SHOWN = {
    GPU_PRICES: ("provider", "gpu_id", "billing", "gpu_count", "usd_per_hour", "as_of", "source"),
    API_PRICES: (
        "provider", "model_id", "variant", "input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok",
        "batch_discount_fraction", "as_of", "source",
    ),
}  # fmt: skip
NUMBERS = (
    "gpu_count", "usd_per_hour", "input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok",
    "batch_discount_fraction",
)  # fmt: skip


def gpu_price(
    *,
    gpu_id: str,
    billing: Billing,
    gpu_count: int,
    usd_per_gpu_hour: float,
    valid_from: date,
    provider: str = "",
) -> Row:
    """A row of gpu_prices for a machine with this many GPUs."""
    return {
        "provider": provider.strip() or YOURS,
        "offer_name": "your price",
        "gpu_id": gpu_id,
        "form_factor_stated": "yes",
        "gpu_count": str(gpu_count),
        "billing": billing,
        "region": "global",
        "usd_per_hour": _text(usd_per_gpu_hour * gpu_count),
        "as_of": valid_from.isoformat(),
        "source": YOURS,
    }


def api_price(
    facts: Facts,
    *,
    model: str,
    variant: str = "standard",
    input_usd_per_mtok: float,
    output_usd_per_mtok: float,
    cached_input_usd_per_mtok: float | None = None,
    batch_discount_fraction: float | None = None,
    valid_from: date,
    provider: str = "",
) -> Row:
    """A row of api_prices for a model of the catalogue, or for one of the APIs that may be today's.

    Raises UnknownIdError.
    """
    todays = proprietary_offers(facts.api_offers).get(model)
    if todays is not None:
        # The same provider and name: it is then the price of that choice, in links too.
        named = {
            "provider": todays.provider, "api_model_name": todays.api_model_name, "model_id": todays.api_model_name,
            "family": todays.family, "variant": todays.variant,
        }  # fmt: skip
    else:
        found = facts.model(model)
        named = {
            "provider": provider.strip() or YOURS, "api_model_name": found.model_id, "model_id": found.model_id,
            "family": found.family, "variant": variant.strip() or "standard",
        }  # fmt: skip
    return named | {
        "input_usd_per_mtok": _text(input_usd_per_mtok),
        "cached_input_usd_per_mtok": _text(cached_input_usd_per_mtok),
        "output_usd_per_mtok": _text(output_usd_per_mtok),
        "batch_discount_fraction": _text(batch_discount_fraction),
        "cached_in_batch": "" if batch_discount_fraction is None else "both",
        "batch_source": "" if batch_discount_fraction is None else YOURS,
        "as_of": valid_from.isoformat(),
        "source": YOURS,
    }


def _text(value: float | None) -> str:
    """Shortest text that reads back as the same value; a product of two decimals ends where they do."""
    return "" if value is None else f"{value:.12g}"


def usual_gpu(facts: Facts, scenario: Scenario) -> str:
    """The GPU that the scenario names, else the one that most offers are for."""
    if scenario.gpu in facts.gpus:
        return str(scenario.gpu)
    counted = Counter(offer.gpu_id for offer in facts.gpu_offers if offer.gpu_id in facts.gpus)
    return max(facts.gpus, key=lambda gpu_id: counted[gpu_id])


def priced_names(facts: Facts) -> list[str]:
    """What an API price can be typed in for: models of the catalogue, then the APIs that may be today's."""
    return [*facts.models, *proprietary_offers(facts.api_offers)]


def save(table: str, row: Row, *, today: date, where: Folders | None = None) -> None:
    """Keep one row; it replaces one of the same offer and day. Raises DataError with every cell that is refused."""
    overrides.add(where or folders(), table, row, today=today)


def delete(table: str, rows: list[Row], *, where: Folders | None = None) -> None:
    """Take rows out; where none is left the list of prices is back."""
    overrides.remove(where or folders(), table, rows)


def delete_file(table: str, *, where: Folders | None = None) -> None:
    """Take all own rows of a table out."""
    overrides.forget(where or folders(), table)


def present(table: str, *, where: Folders | None = None) -> list[Row]:
    """The rows of a table, as they stand in the file. Raises DataError where its form is broken."""
    return overrides.rows(where or folders(), table)


def file_bytes(table: str, *, where: Folders | None = None) -> bytes:
    """The file of a table, for a download; without rows its header alone, a form to fill in."""
    found = overrides.content(where or folders(), table)
    return found if found is not None else (",".join(overrides.columns(table)) + "\n").encode()


def upload(new: bytes, *, today: date, where: Folders | None = None) -> str:
    """Put a file in the place of the own rows of its table, and return the table's name.

    Raises InputError for what is no such file, DataError with every cell that is refused; nothing is changed then.
    """
    if len(new) > MAX_UPLOAD_MB * 1_000_000:
        raise InputError(
            f"the file has {len(new) / 1e6:.1f} MB: give one of at most {MAX_UPLOAD_MB} MB, with your own prices only."
        )
    header = _header(new)
    table = overrides.table_of(header)
    if table is None:
        raise InputError(
            f"the file's first line is {','.join(header)[:60]!r}, which names no column of {' or '.join(TABLES)}: "
            "download a file here, fill it in and upload it again."
        )
    overrides.put(where or folders(), table, new, today=today)
    return table


def _header(new: bytes) -> list[str]:
    first = new.decode("utf-8-sig", errors="replace").split("\n", 1)[0]
    try:
        return [cell.strip() for cell in next(csv.reader([first]), [])]
    except csv.Error:
        return [first]


def shown(facts: Facts, table: str, rows: list[Row]) -> Table:
    """Own rows for a reader, with whether each counts now."""
    columns, counting = SHOWN[table], _counting(facts, table)
    return Table(
        name=f"your-{table.replace('_', '-')}",
        title=f"Your {TABLES[table]}",
        columns=(*columns, "in_use"),
        rows=tuple(
            (*(_cell(name, row[name]) for name in columns), "yes" if _identity(table, row) in counting else "no")
            for row in rows
        ),
    )


def _counting(facts: Facts, table: str) -> set[tuple[str, ...]]:
    """The own rows that figures may use: newest of their offer, and of something that the catalogue knows."""
    if table == GPU_PRICES:
        offers = [*facts.gpu_offers, *facts.serverless_offers]
        return {
            (o.provider, o.offer_name, str(o.gpu_count), o.gpu_id, o.billing, o.as_of or "")
            for o in offers
            if o.is_own and o.gpu_id in facts.gpus
        }
    usable = [o for o in facts.api_offers if o.is_own and (o.model_id is not None or o.family == "proprietary")]
    return {(o.provider, o.api_model_name, o.as_of or "") for o in usable}


def _identity(table: str, row: Row) -> tuple[str, ...]:
    offer = ("offer_name", "gpu_count", "gpu_id", "billing") if table == GPU_PRICES else ("api_model_name",)
    return tuple(row[name] for name in ("provider", *offer, "as_of"))


def _cell(name: str, text: str) -> Cell:
    """A number where the column holds one and the file too; the text of the file else."""
    if not text:
        return None
    try:
        return float(text) if name in NUMBERS else text
    except ValueError:
        return text


def row_text(table: str, row: Row) -> str:
    """One row in a line, for a list to choose from."""
    if table == GPU_PRICES:
        parts = [row["gpu_id"], row["billing"], f"{row['gpu_count']} GPU", f"{row['usd_per_hour']} USD/h"]
    else:
        parts = [row["model_id"], row["variant"], f"{row['input_usd_per_mtok']} / {row['output_usd_per_mtok']} USD"]
    return " · ".join([*parts, row["provider"], row["as_of"] or "undated"])
