"""The user's own rows, prices, GPUs, models and scores: typed in one by one, uploaded as a file, listed, deleted."""

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

GPU_PRICES, API_PRICES, GPUS, MODELS, SCORES = "gpu_prices", "api_prices", "gpus", "models", "scores"
PRICES = {GPU_PRICES: "GPU prices", API_PRICES: "API prices"}
TABLES = PRICES | {GPUS: "GPUs", MODELS: "models", SCORES: "scores"}
"""Tables that take own rows, with their names for a reader."""
MAX_UPLOAD_MB = 5
SHOWN = {
    GPU_PRICES: ("provider", "gpu_id", "billing", "gpu_count", "usd_per_hour", "as_of", "source"),
    API_PRICES: (
        "provider", "model_id", "variant", "input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok",
        "batch_discount_fraction", "as_of", "source",
    ),
    GPUS: ("gpu_id", "name", "vendor", "class", "memory_gb", "memory_bandwidth_gb_per_s", "board_power_w", "as_of",
           "source"),
    MODELS: ("model_id", "display_name", "family", "params_total_billion", "context_native_tokens", "license_id",
             "as_of", "source"),
    SCORES: ("model_id", "benchmark", "score", "metric", "shots", "setting", "published_by", "as_of", "source"),
}  # fmt: skip


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


def upload(new: bytes, *, today: date, replace: bool = True, where: Folders | None = None) -> str:
    """Put a file in the place of the own rows of its table, or add its rows to them, and return the table's name.

    Raises InputError for what is no such file, DataError with every cell that is refused; nothing is changed then.
    """
    if len(new) > MAX_UPLOAD_MB * 1_000_000:
        raise InputError(
            f"the file has {len(new) / 1e6:.1f} MB: give one of at most {MAX_UPLOAD_MB} MB, with your own rows only."
        )
    header = _header(new)
    table = overrides.table_of(header)
    if table is None:
        raise InputError(
            f"the file's first line is {','.join(header)[:60]!r}, which names no column of {' or '.join(TABLES)}: "
            "download a file here, fill it in and upload it again."
        )
    write = overrides.put if replace else overrides.add_all
    write(where or folders(), table, new, today=today)
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
    numbers = {column.name for column in overrides.columns_of(table) if column.type != "VARCHAR"}
    return Table(
        name=f"your-{table.replace('_', '-')}",
        title=f"Your {TABLES[table]}",
        columns=(*columns, "in_use"),
        rows=tuple(
            (
                *(_cell(row[name], is_number=name in numbers) for name in columns),
                "yes" if _identity(table, row) in counting else "no",
            )
            for row in rows
        ),
    )


def _counting(facts: Facts, table: str) -> set[tuple[str, ...]]:
    """The own rows that figures may use: of something that the catalogue knows, and of prices the newest."""
    if table == GPU_PRICES:
        offers = [*facts.gpu_offers, *facts.serverless_offers]
        return {
            (o.provider, o.offer_name, str(o.gpu_count), o.gpu_id, o.billing, o.as_of or "")
            for o in offers
            if o.is_own and o.gpu_id in facts.gpus
        }
    if table == API_PRICES:
        usable = [o for o in facts.api_offers if o.is_own and (o.model_id is not None or o.family == "proprietary")]
        return {(o.provider, o.api_model_name, o.as_of or "") for o in usable}
    if table == SCORES:
        return {
            (s.model_id, s.benchmark, s.setting, s.published_by) for s in facts.published_scores if _is_own(s.row_id)
        }
    things = {**facts.gpus} if table == GPUS else {**facts.models}
    return {(name,) for name, thing in things.items() if _is_own(thing.row_id)}


def _is_own(row_id: str) -> bool:
    return row_id.split(":")[1] == YOURS


IDENTITY = {
    GPU_PRICES: ("provider", "offer_name", "gpu_count", "gpu_id", "billing", "as_of"),
    API_PRICES: ("provider", "api_model_name", "as_of"),
    GPUS: ("gpu_id",),
    MODELS: ("model_id",),
    SCORES: ("model_id", "benchmark", "setting", "published_by"),
}


def _identity(table: str, row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in IDENTITY[table])


def _cell(text: str, *, is_number: bool) -> Cell:
    """A number where the column holds one and the file too; the text of the file else."""
    if not text:
        return None
    try:
        return float(text) if is_number else text
    except ValueError:
        return text


def row_text(table: str, row: Row) -> str:
    """One row in a line, for a list to choose from."""
    match table:
        case "gpu_prices":
            parts = [row["gpu_id"], row["billing"], f"{row['gpu_count']} GPU", f"{row['usd_per_hour']} USD/h"]
        case "api_prices":
            parts = [row["model_id"], row["variant"], f"{row['input_usd_per_mtok']} / {row['output_usd_per_mtok']} USD"]
        case "scores":
            parts = [row["model_id"], row["benchmark"], f"{row['score']} {row['metric']}", row["setting"]]
            return " · ".join([*parts, row["published_by"], row.get("as_of") or "undated"])
        case _:
            return " · ".join([row["gpu_id" if table == GPUS else "model_id"], row.get("as_of") or "undated"])
    return " · ".join([*parts, row["provider"], row["as_of"] or "undated"])
