"""Results as files: JSON of a comparison, CSV and Parquet of a table, the HTML report."""

import csv
import io
import os
import uuid
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from llmcompare.core import words
from llmcompare.core.comparison import Comparison, Pair
from llmcompare.core.options import ApiOption, CurveBand
from llmcompare.core.rented import Deployment
from llmcompare.core.tables import Table
from llmcompare.errors import StoreError
from llmcompare.reports.html import html
from llmcompare.reports.report import cost_report


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The figures of the Costs page; units are in the keys, row ids lead to the catalogue."""
    today = comparison.today
    no_second = comparison.rented_missing or "`rented` serves growth best too"
    return {
        "model": comparison.model.model_id,
        "scenario": asdict(comparison.scenario),
        "answer": words.headline(comparison),
        "sentences": [*words.option_sentences(comparison), *map(words.crossing_sentences, comparison.pairs)],
        "api": _api_json(comparison.api, comparison.api_missing),
        "rented": _rented_json(comparison.rented, comparison.rented_missing),
        "rented_at_scale": _rented_json(comparison.rented_at_scale, no_second),
        "today": {
            "label": today.label,
            "usd_per_month": today.usd_per_month,
            "usd_per_request": today.curve.usd_per_request,
            "row_id": today.offer.row_id if today.offer else None,
        },
        "crossings": [_pair_json(pair) for pair in comparison.pairs],
        "assumptions": [asdict(assumption) for assumption in words.assumptions(comparison)],
        "row_ids": [row.row_id for row in comparison.rows_used],
        "catalogue": comparison.fingerprint,
    }


def _api_json(api: ApiOption | None, missing: str | None) -> dict[str, Any]:
    if api is None:
        return {"reason": missing}
    return {
        "variant": api.variant,
        "provider_count": len(api.offers),
        "usd_per_month": asdict(api.usd_per_month),
        "usd_per_request": {end: getattr(api.curves, end).usd_per_request for end in ("low", "mid", "high")},
        "offers": [
            {
                "provider": priced.offer.provider,
                "api_model_name": priced.offer.api_model_name,
                "usd_per_request": priced.usd_per_request,
                "usd_per_month": priced.usd_per_month,
                "cached_price_missing": priced.cached_price_missing,
                "as_of": priced.offer.as_of,
                "source": priced.offer.source,
                "row_id": priced.offer.row_id,
            }
            for priced in api.offers
        ],
    }


def _rented_json(rented: Deployment | None, missing: str | None) -> dict[str, Any]:
    if rented is None:
        return {"reason": missing}
    return {
        "deployment": rented.label,
        "gpu_id": rented.gpu.gpu_id,
        "gpus_per_replica": rented.gpus_per_replica,
        "capacity_basis": rented.basis,
        "throughput_record": rented.capacity.record_id if rented.capacity else None,
        "requests_per_s_per_replica": asdict(rented.requests_per_s),
        "usd_per_gpu_hour": asdict(rented.usd_per_gpu_hour),
        "replica_count": rented.replicas,
        "utilisation_fraction": rented.utilisation_fraction,
        "usd_per_month": asdict(rented.usd_per_month),
        "curves": _curves_json(rented.curves),
        "offers": [
            {
                "provider": offer.provider,
                "usd_per_gpu_hour": offer.usd_per_gpu_hour,
                "as_of": offer.as_of,
                "source": offer.source,
                "row_id": offer.row_id,
            }
            for offer in rented.offers
        ],
    }


def _curves_json(curves: CurveBand) -> dict[str, Any]:
    return {end: asdict(getattr(curves, end)) for end in ("low", "mid", "high")}


def _pair_json(pair: Pair) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "points": [asdict(point) for point in pair.crossings.points],
        "reason": pair.crossings.reason,
        "searched_to_requests_per_month": pair.crossings.searched_to_requests_per_month,
        "first_pays_from_requests_per_month": {"earliest": pair.earliest, "latest": pair.latest},
    }


def table_csv(table: Table) -> bytes:
    """UTF-8 CSV after RFC 4180; an unknown cell is empty. Text that a spreadsheet would run gets an apostrophe."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([_inert(cell) for cell in row] for row in table.rows)
    return stream.getvalue().encode()


def _inert(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def table_parquet(table: Table) -> bytes:
    """Parquet with the column names of the table; an unknown cell is null."""
    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
    arrays = {name: pa.array(list(column)) for name, column in zip(table.columns, columns, strict=True)}
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(arrays), stream)
    return stream.getvalue()


def report_html(comparison: Comparison, *, made_on: date) -> str:
    """The cost report as one HTML file."""
    return html(cost_report(comparison, made_on=made_on))


def write_file(path: Path, text: str) -> None:
    """Write a whole file or nothing. Raises StoreError."""
    try:
        if path.exists() and not path.is_file():
            # A pipe or a terminal is written to, never replaced.
            path.write_text(text, encoding="utf-8")
        else:
            _replace_whole(path, text)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror or error}): name another file or free some space."
        ) from error


def _replace_whole(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
