"""What the view of serverless GPUs shows: what it is compared with, lines, tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from llmcompare.core import breakeven, serverless_words
from llmcompare.core.comparison import Comparison, Option
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_curve import ServerlessPlan, plan_usd_per_month
from llmcompare.core.serverless_option import ServerlessOption
from llmcompare.core.tables import DECADES_SHOWN, Cell, Table, drawn_volumes
from llmcompare.core.units import SECONDS_PER_HOUR, rounded
from llmcompare.figures.serverless import ColdLine, ColdPoint
from llmcompare.services import serverless
from llmcompare.services.catalogue import Facts
from llmcompare.services.serverless import Month

AT_ONCE = Scenario().requests_per_worker
"""Requests at once that the answer for one at a time is compared with."""
LINE_POINTS, SIMULATED_POINTS = 60, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bursty:
    """A serverless option beside the same deployment always on."""

    comparison: Comparison
    found: ServerlessOption
    always_on: Deployment | None
    """None where nobody rents the same out under the chosen billing class."""
    together: ServerlessOption | None
    """The same with several requests at once in a worker; None where that is so already."""

    @property
    def options(self) -> list[Option]:
        """Serverless, and always on."""
        rented = self.always_on
        options = [one for one in self.comparison.options if one.key in ("serverless", "today")]
        if rented is not None:
            label = f"always on, {rented.label}"
            options.append(Option(key="rented", name=f"renting {rented.short}", label=label, curves=rented.curves))
        return options

    @property
    def volumes(self) -> list[float]:
        """Monthly requests at which the curves are drawn."""
        middle, reach = self.comparison.workload.requests_per_month, 10**DECADES_SHOWN
        steps = self.found.curves.mid.steps()
        return drawn_volumes(
            [option.curves for option in self.options], low=middle / reach, high=middle * reach, marked=[middle, *steps]
        )

    @property
    def crossing(self) -> tuple[float, float] | None:
        """Volume from which always on is no dearer, and what both cost there; None for none."""
        if self.always_on is None:
            return None
        volume = breakeven.first_volume_where_no_dearer(self.always_on.curves.mid, self.found.curves.mid)
        return (volume, self.always_on.curves.mid.usd_per_month(volume)) if volume else None


def bursty(facts: Facts, comparison: Comparison) -> tuple[Bursty | None, str | None]:
    """What the view shows, or why it cannot."""
    scenario, deployments, found = comparison.scenario, comparison.deployments, comparison.serverless
    if found is None:
        return None, comparison.serverless_missing
    same = [one for one in deployments if (one.gpu, one.gpus_per_replica) == (found.gpu, found.gpus_per_worker)]
    together = None
    if scenario.requests_per_worker == 1:
        together, _ = serverless.option(facts, replace(scenario, requests_per_worker=AT_ONCE), same)
    return Bursty(comparison=comparison, found=found, always_on=same[0] if same else None, together=together), None


def active_usd_per_gpu_hour(facts: Facts, found: ServerlessOption) -> float | None:
    """Price of the middle provider's worker that is always on; None where it sells none."""
    provider = found.middle.offer.provider
    names = {row.offer_name for row in facts.serverless_terms if row.provider == provider and row.use_as == "always on"}
    prices = [
        offer.usd_per_gpu_hour
        for offer in facts.serverless_offers
        if (offer.provider, offer.gpu_id) == (provider, found.gpu.gpu_id) and offer.offer_name in names
    ]
    return min(prices, default=None)


def cold_lines(found: ServerlessOption, volumes: Sequence[float]) -> list[ColdLine]:
    """By formula, one line per idle timeout, while one worker is enough and all hours have the same rate."""
    curve = found.curves.mid
    end = min(curve.requests_per_worker_month, volumes[-1])
    if end <= volumes[0]:
        return []
    grid = np.geomspace(volumes[0], end * (1 - 1e-9), LINE_POINTS).tolist()
    providers: dict[float, list[ServerlessPlan]] = {}
    for plan in found.plans:
        providers.setdefault(plan.idle_timeout_s, []).append(plan)
    return [
        ColdLine(
            label=f"{timeout_s:g} s idle ({', '.join(plan.offer.provider for plan in plans)})",
            requests_per_month=grid,
            fraction=[serverless.cold_starts(found, plans[0], requests_per_month=v).fraction for v in grid],
        )
        for timeout_s, plans in sorted(providers.items())
    ]


def cold_points(found: ServerlessOption, plan: ServerlessPlan, volumes: Sequence[float]) -> list[ColdPoint]:
    """As simulated, beyond the volume that one worker is enough for."""
    points: list[ColdPoint] = []
    start = max(volumes[0], found.curves.mid.requests_per_worker_month * 1.01)
    if start >= volumes[-1]:
        return points
    for volume in np.geomspace(start, volumes[-1], SIMULATED_POINTS).tolist():
        met = serverless.cold_starts(found, plan, requests_per_month=volume)
        wait = "nobody waits" if not met.wait_s else f"{rounded(met.wait_s, 2):g} s on average"
        points.append(
            ColdPoint(
                requests_per_month=volume, fraction=met.fraction, fraction_se=met.fraction_se or 0.0,
                detail=f"{wait}, up to {found.curves.mid.max_workers(volume):,} workers",
            )
        )  # fmt: skip
    return points


def providers_table(found: ServerlessOption, *, requests_per_month: float) -> Table:
    """What each provider charges and bills, cheapest first at this workload."""
    ends = found.curves.low, found.curves.mid, found.curves.high
    return Table(
        name="serverless-providers",
        title="Serverless providers",
        columns=(
            "provider", "offer_name", "usd_per_worker_hour", "usd_per_month_low", "usd_per_month_mid",
            "usd_per_month_high", "cold_start_s", "idle_timeout_s", "idle_timeout_from", "what_is_billed", "note",
            "price_as_of", "as_of", "source", "price_source", "row_id",
        ),
        rows=tuple(
            (
                plan.offer.provider, plan.offer.offer_name, plan.usd_per_worker_hour,
                *(plan_usd_per_month(curve, plan, requests_per_month) for curve in ends),
                plan.cold_start_s, plan.idle_timeout_s,
                "assumption" if plan.idle_timeout_is_assumed else "you or the provider",
                serverless_words.terms_text(plan.terms), plan.terms.note if plan.terms else None,
                plan.offer.as_of, plan.terms.as_of if plan.terms else None,
                plan.terms.source if plan.terms else None, plan.offer.source, plan.offer.row_id,
            )
            for plan in found.plans
        ),
    )  # fmt: skip


def month_table(month: Month) -> Table:
    """A simulated month in figures."""
    seen = month.simulated
    hours = {name: seconds / SECONDS_PER_HOUR for name, seconds in (
        ("starting", seen.setup_s), ("busy", seen.busy_s), ("idle", seen.idle_s))}  # fmt: skip
    rows: tuple[tuple[Cell, ...], ...] = (
        ("simulated", "hours", seen.hours),
        ("requests", "number", seen.requests),
        ("most workers allowed", "number", month.max_workers),
        ("most workers at once", "number", seen.peak_workers),
        ("starts of workers", "number", seen.starts),
        *((f"workers {name}", "hours", value) for name, value in hours.items()),
        ("workers billed in a month", "hours", month.billed_hours),
        ("cost of a month, simulated", "USD", month.usd_per_month),
        ("cost of a month, by the curve", "USD", month.formula_usd_per_month),
        ("requests that met a cold start", "share", seen.cold_fraction),
        ("standard error of that", "share", seen.cold_fraction_se),
        ("wait at a cold start, mean", "s", seen.wait_mean_s),
        ("wait at a cold start, median", "s", seen.wait_p50_s),
        ("wait at a cold start, 95th percentile", "s", seen.wait_p95_s),
        ("requests that waited in line for a slot", "share", seen.queued_fraction),
        ("seed", "number", seen.seed),
    )
    title = "The simulated month"
    return Table(name="serverless-month", title=title, columns=("figure", "unit", "value"), rows=rows)
