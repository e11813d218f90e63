"""Tables behind a comparison: plain columns and rows, ready for a screen or a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10

import numpy as np

from llmcompare.core.calibration import Estimate
from llmcompare.core.comparison import Comparison
from llmcompare.core.cost import Band
from llmcompare.core.curves import CostCurve, Curve, CurveBand
from llmcompare.core.options import PricedApiOffer
from llmcompare.core.rented import Deployment
from llmcompare.core.units import rounded

Cell = str | float | int | None

DECADES_SHOWN = 2
"""Volumes from a hundredth to a hundred times the workload's."""
POINTS_PER_DECADE = 20
STEPS_DRAWN = 40
"""Replica steps with exact edges; beyond them the steps are finer than a pixel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A named table; column names carry units."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def band_cells(band: Band | None) -> tuple[Cell, Cell, Cell]:
    """Low, mid and high to three digits; empty where there is no band."""
    return (None, None, None) if band is None else (rounded(band.low), rounded(band.mid), rounded(band.high))


def estimate_cells(found: Estimate | None) -> tuple[Cell, Cell, Cell]:
    """A prediction in three digits, then its 10th and 90th percentile; empty where there is none."""
    return (None, None, None) if found is None else (rounded(found.value), rounded(found.low), rounded(found.high))


def volumes(comparison: Comparison) -> list[float]:
    """Monthly requests at which the curves are drawn: a hundredth to a hundred times the workload's."""
    middle = comparison.workload.requests_per_month
    reach = 10**DECADES_SHOWN
    bands = [option.curves for option in comparison.options]
    return drawn_volumes(bands, low=middle / reach, high=middle * reach, marked=[middle])


def drawn_volumes(
    bands: Iterable[CurveBand[Curve]], *, low: float, high: float, marked: Iterable[float]
) -> list[float]:
    """Monthly requests between two: a logarithmic grid, some that must be there, and both sides of steps."""
    grid = set(np.geomspace(low, high, round(log10(high / low) * POINTS_PER_DECADE) + 1).tolist())
    edges = {edge for band in bands for curve in (band.low, band.mid, band.high) for edge in _edges(curve)}
    return sorted(grid | {volume for volume in (*marked, *edges) if low < volume < high})


def _edges(curve: Curve) -> list[float]:
    if not isinstance(curve, CostCurve) or not curve.groups:
        return []
    smallest = min(group.requests_per_replica_month for group in curve.groups)
    steps = curve.edges(end=(STEPS_DRAWN + curve.first_step - 1) * smallest)[:STEPS_DRAWN]
    # A point just past the full replica makes the step upright.
    return [edge for full in steps.tolist() for edge in (full, full * (1 + 1e-9))]


def curve_table(comparison: Comparison) -> Table:
    """Monthly cost of every option over volume."""
    requests = np.array(volumes(comparison))
    columns = {"requests_per_month": requests}
    for option in comparison.options:
        low, mid, high = option.curves.usd_at(requests)
        spread = {"": mid} if option.key == "today" else {"_low": low, "_median": mid, "_high": high}
        columns |= {f"{option.key}_usd_per_month{part}": usd for part, usd in spread.items()}
    rows = np.column_stack(list(columns.values())).tolist()
    return Table(
        name="cost-over-volume", title="Monthly cost over volume", columns=tuple(columns), rows=tuple(map(tuple, rows))
    )


def api_price_table(comparison: Comparison) -> Table:
    """The API prices used, cheapest first."""
    return api_offer_table(comparison.api.offers if comparison.api else (), title="API prices used")


def api_offer_table(offers: Sequence[PricedApiOffer], *, title: str) -> Table:
    """API offers with what they cost for the workload."""
    return Table(
        name="api-prices",
        title=title,
        columns=(
            "provider", "model_id", "api_model_name", "variant", "input_usd_per_mtok", "cached_input_usd_per_mtok",
            "output_usd_per_mtok", "usd_per_month", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                o.offer.provider, o.offer.model_id, o.offer.api_model_name, o.offer.variant,
                o.offer.input_usd_per_mtok, o.offer.cached_input_usd_per_mtok, o.offer.output_usd_per_mtok,
                o.usd_per_month, o.offer.as_of, o.offer.source, o.offer.row_id,
            )
            for o in offers
        ),
    )  # fmt: skip


def gpu_price_table(comparison: Comparison) -> Table:
    """The GPU prices used, cheapest per GPU first for each deployment."""
    drawn: list[Deployment | None] = [comparison.rented, comparison.rented_at_scale]
    offers = dict.fromkeys(offer for deployment in drawn if deployment for offer in deployment.offers)
    return Table(
        name="gpu-prices",
        title="GPU prices used",
        columns=(
            "provider", "offer_name", "gpu_id", "gpu_count", "billing", "region", "usd_per_gpu_hour", "as_of",
            "source", "row_id",
        ),
        rows=tuple(
            (
                o.provider, o.offer_name, o.gpu_id, o.gpu_count, o.billing, o.region, o.usd_per_gpu_hour, o.as_of,
                o.source, o.row_id,
            )
            for o in offers
        ),
    )  # fmt: skip


def deployment_table(comparison: Comparison) -> Table:
    """Everything that could be rented, cheapest first at this workload."""
    return Table(
        name="deployments",
        title="What could be rented",
        columns=(
            "deployment", "usd_per_month_low", "usd_per_month_median", "usd_per_month_high", "replicas",
            "utilisation_fraction", "requests_per_s_low", "requests_per_s_mid", "requests_per_s_high",
            "usd_per_gpu_hour_median", "provider_count", "throughput_record", "basis", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                d.label, d.usd_per_month.low, d.usd_per_month.mid, d.usd_per_month.high, d.replicas,
                d.utilisation_fraction, d.requests_per_s.low, d.requests_per_s.mid, d.requests_per_s.high,
                d.usd_per_gpu_hour.mid, len(d.offers), d.capacity.record_id if d.capacity else None, d.basis,
                d.capacity.as_of if d.capacity else None, d.capacity.source if d.capacity else "given by you",
                d.capacity.row_id if d.capacity else None,
            )
            for d in comparison.deployments
        ),
    )  # fmt: skip


def today_table(comparison: Comparison) -> Table:
    """Today's API prices; no row for a bill that was typed in."""
    offer = comparison.today.offer
    rows: Sequence[tuple[Cell, ...]] = ()
    if offer is not None:
        rows = (
            (
                offer.provider, offer.api_model_name, offer.input_usd_per_mtok, offer.cached_input_usd_per_mtok,
                offer.output_usd_per_mtok, comparison.today.usd_per_month, offer.as_of, offer.source, offer.row_id,
            ),
        )  # fmt: skip
    return Table(
        name="todays-api",
        title="Today's API",
        columns=(
            "provider", "api_model_name", "input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok",
            "usd_per_month", "as_of", "source", "row_id",
        ),
        rows=tuple(rows),
    )  # fmt: skip
