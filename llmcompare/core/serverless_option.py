"""Serverless GPUs as an option of a comparison: which providers' offers count for a deployment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from llmcompare.core.cost import Band, End
from llmcompare.core.curves import CurveBand
from llmcompare.core.records import Gpu, GpuOffer, ServerlessTerms
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_curve import (
    ServerlessCurve,
    ServerlessPlan,
    levels,
    plan_usd_per_month,
)
from llmcompare.errors import UnknownIdError

ASSUMED_IDLE_TIMEOUT_S = 60.0
"""Assumption, where neither the user nor the provider says it: what two of the providers set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessOption:
    """A model on serverless workers that go down when nobody asks."""

    gpu: Gpu
    gpus_per_worker: int
    engine: str
    weight_format: str | None
    service_s: Band
    """Of one request at this workload."""
    alone_s: Band
    """Of a request that has a worker for itself."""
    full_s: Band
    """Of a request in a worker whose slots are all taken."""
    service_basis: str
    """Where that comes from."""
    plans: tuple[ServerlessPlan, ...]
    """One per provider, cheapest first at this workload."""
    curves: CurveBand[ServerlessCurve]
    usd_per_month: Band
    max_workers: int
    """At this workload, in the middle."""
    doubted: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Prices of this GPU that look wrong, with what is odd; left out unless their provider was chosen."""

    @property
    def offers(self) -> tuple[GpuOffer, ...]:
        """The price rows used."""
        return tuple(plan.offer for plan in self.plans)

    @property
    def terms(self) -> tuple[ServerlessTerms, ...]:
        """The rows with terms used."""
        return tuple(plan.terms for plan in self.plans if plan.terms is not None)

    @property
    def middle(self) -> ServerlessPlan:
        """The provider in the middle at this workload, the cheaper one of two."""
        return self.plans[(len(self.plans) - 1) // 2]

    @property
    def label(self) -> str:
        """As the table and the chart name it."""
        form = f" · {self.weight_format}" if self.weight_format else ""
        return f"{self.gpus_per_worker} × {self.gpu.name} · {self.engine}{form}"

    @property
    def short(self) -> str:
        """GPUs alone, for sentences."""
        return f"{self.gpus_per_worker} × {self.gpu.name_without_vendor}"

    @property
    def basis(self) -> str:
        """How the cost comes about."""
        plan = self.middle
        at_once = "one request at a time" if plan.requests_per_worker == 1 else f"{plan.requests_per_worker} at once"
        workers = "one worker" if self.max_workers == 1 else f"up to {self.max_workers} workers"
        how = "a formula" if self.max_workers == 1 else "an approximation between bounds"
        return (
            f"{workers}, {at_once}, {self.service_s.mid:.3g} s a request ({self.service_basis}), cold start "
            f"{plan.cold_start_s:g} s; the workers' time is from {how}"
        )


def serverless_option(
    scenario: Scenario,
    *,
    gpu: Gpu,
    gpus_per_worker: int,
    engine: str,
    weight_format: str | None,
    alone_s: Band,
    full_s: Band,
    service_basis: str,
    offers: Sequence[GpuOffer],
    terms: Sequence[ServerlessTerms],
    doubts: Mapping[str, str] | None = None,
) -> tuple[ServerlessOption | None, str | None]:
    """The deployment on serverless GPUs of every provider that lists them, or why there is none.

    alone_s and full_s: seconds of a request that has a worker for itself, and in one whose slots are all taken. offers
    and terms: all rows of the catalogue. doubts: what looks wrong, by row. Raises UnknownIdError for a provider that
    has none.
    """
    chosen, providers = scenario.serverless_provider, sorted({offer.provider for offer in offers})
    if chosen is not None and chosen not in providers:
        raise UnknownIdError("provider of serverless GPUs", chosen, providers)
    odd = doubts or {}
    here = [o for o in offers if o.gpu_id == gpu.gpu_id and o.gpu_count <= gpus_per_worker]
    doubted = {f"{o.provider}/{o.offer_name}": odd[o.row_id] for o in here if o.row_id in odd}
    fitting = [o for o in here if o.row_id not in odd or o.provider == chosen]
    plans = plans_of(scenario, fitting, terms, gpus_per_worker=gpus_per_worker)
    if not plans:
        who = chosen or "no provider"
        verb = "does not list" if chosen else "lists"
        if doubted:
            name, doubt = next(iter(doubted.items()))
            return None, f"only {name} has a price, and it looks wrong: {doubt}; choose the provider to use it"
        return None, f"{who} {verb} serverless workers with {gpu.name} that go down when idle"

    def curve(end: End, alone: float, full: float) -> ServerlessCurve:
        return ServerlessCurve(
            plans=plans,
            end=end,
            alone_s=alone,
            full_s=full,
            hours=levels(scenario.spread.levels),
            peak=scenario.spread.peak,
            target_utilisation_fraction=scenario.target_utilisation_fraction,
        )

    curves = CurveBand(
        low=curve("low", alone_s.low, full_s.low),
        mid=curve("mid", alone_s.mid, full_s.mid),
        high=curve("high", alone_s.high, full_s.high),
    )
    requests = scenario.requests_per_month

    def cost(plan: ServerlessPlan) -> tuple[float, str]:
        return plan_usd_per_month(curves.mid, plan, requests), plan.offer.row_id

    return ServerlessOption(
        gpu=gpu,
        gpus_per_worker=gpus_per_worker,
        engine=engine,
        weight_format=weight_format,
        service_s=_service_s(curves, requests),
        alone_s=alone_s,
        full_s=full_s,
        service_basis=service_basis,
        plans=tuple(
            sorted(plans, key=lambda plan: (plan_usd_per_month(curves.mid, plan, requests), plan.offer.row_id))
        ),
        curves=curves,
        usd_per_month=curves.usd_per_month(requests),
        max_workers=curves.mid.max_workers(requests),
        doubted=doubted,
    ), None


def _service_s(curves: CurveBand[ServerlessCurve], requests_per_month: float) -> Band:
    low, mid, high = (
        float(curve.service_s(np.array([curve.busy_rate(requests_per_month)]))[0])
        for curve in (curves.low, curves.mid, curves.high)
    )
    return Band(low=low, mid=mid, high=high)


def plans_of(
    scenario: Scenario, offers: Iterable[GpuOffer], terms: Sequence[ServerlessTerms], *, gpus_per_worker: int
) -> tuple[ServerlessPlan, ...]:
    """The cheapest offer of each provider whose workers go down when idle; its terms, where there are any."""
    found: dict[str, ServerlessPlan] = {}
    for offer in sorted(offers, key=lambda offer: (offer.usd_per_gpu_hour, offer.row_id)):
        known = [row for row in terms if row.provider == offer.provider]
        own = [row for row in known if row.use_as == "scales to zero" and row.offer_name in (None, offer.offer_name)]
        if (known and not own) or offer.provider in found or scenario.serverless_provider not in (None, offer.provider):
            continue
        read = own[0].idle_timeout_default_s if own else None
        asked = scenario.idle_timeout_s
        timeout_s = next(seconds for seconds in (asked, read, ASSUMED_IDLE_TIMEOUT_S) if seconds is not None)
        found[offer.provider] = ServerlessPlan(
            offer=offer,
            terms=own[0] if own else None,
            usd_per_worker_hour=offer.usd_per_gpu_hour * gpus_per_worker,
            cold_start_s=scenario.cold_start_s,
            idle_timeout_s=timeout_s,
            idle_timeout_is_assumed=asked is None and read is None,
            requests_per_worker=scenario.requests_per_worker,
        )
    return tuple(found.values())
