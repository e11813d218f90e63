"""A model on serverless GPUs: which deployment, how long a request takes there, who meets a cold start."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from llmcompare.core.calibration_traits import FAMILIES
from llmcompare.core.cost import Band, added, scaled
from llmcompare.core.records import Gpu
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless import Fleet, billed_workers, one_worker
from llmcompare.core.serverless_curve import ServerlessPlan, plan_usd_per_month
from llmcompare.core.serverless_option import ServerlessOption, serverless_option
from llmcompare.core.serverless_simulation import Simulated, simulate
from llmcompare.core.serverless_words import ColdStarts
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR, SECONDS_PER_MONTH, rounded
from llmcompare.errors import InputError
from llmcompare.services import doubts, fit
from llmcompare.services.catalogue import Facts
from llmcompare.services.predict import MS_PER_S, Choice, speeds

ENGINE, WEIGHT_FORMAT = "vllm", "bf16"
"""Assumed for a deployment whose engine or format the prediction does not know."""
MONTH_REQUESTS = 30_000_000
"""Simulated at most; of a larger month so many of its first hours."""
GLANCE_REQUESTS = 60_000
"""Simulated for each rate of the day to see the cold starts of several workers."""
SETTLE_FRACTION = 0.2
"""Of a short simulation that is not counted: it begins with every worker down."""


def option(
    facts: Facts, scenario: Scenario, deployments: Sequence[Deployment]
) -> tuple[ServerlessOption | None, str | None]:
    """The first of the deployments that some provider lists as serverless, or why there is none.

    deployments: those that could be rented, cheapest first. Raises UnknownIdError for an unknown provider.
    """
    if not deployments:
        return None, "there is no deployment of the model that could run on serverless GPUs"
    first_missing = None
    seen = set()
    for deployment in deployments:
        key = (deployment.gpu.gpu_id, deployment.gpus_per_replica)
        if key in seen:
            continue
        seen.add(key)
        found, missing = _on(facts, scenario, deployment)
        if found is not None:
            return found, None
        first_missing = first_missing or missing
    return None, first_missing


def _on(facts: Facts, scenario: Scenario, deployment: Deployment) -> tuple[ServerlessOption | None, str | None]:
    gpu, gpus = deployment.gpu, deployment.gpus_per_replica
    engine = deployment.engine if deployment.engine in FAMILIES else ENGINE
    weight_format = deployment.weight_format or WEIGHT_FORMAT
    if all(offer.gpu_id != gpu.gpu_id for offer in facts.serverless_offers):
        return None, f"no provider lists {gpu.name} as a serverless GPU"
    try:
        alone_s, full_s, basis = request_s(facts, scenario, gpu, gpus, engine=engine, weight_format=weight_format)
    except InputError as problem:
        return None, str(problem).rstrip(".")
    return serverless_option(
        scenario,
        gpu=gpu,
        gpus_per_worker=gpus,
        engine=engine,
        weight_format=weight_format,
        alone_s=alone_s,
        full_s=full_s,
        service_basis=basis,
        offers=facts.serverless_offers,
        terms=facts.serverless_terms,
        doubts=doubts.by_row(facts),
    )


def request_s(
    facts: Facts, scenario: Scenario, gpu: Gpu, gpu_count: int, *, engine: str, weight_format: str
) -> tuple[Band, Band, str]:
    """Seconds that a request takes alone in a worker and with all slots taken, as predicted, and for what.

    Alone: time to first token and time per token times the output. Full: as long as the rate of all together leaves
    each of them. Raises InputError where no speed is predicted.
    """
    input_tokens, output_tokens = scenario.workload.whole_tokens
    at_once = scenario.requests_per_worker
    choice = Choice(
        gpu_id=gpu.gpu_id, gpu_count=gpu_count, engine=engine, weight_format=weight_format, concurrency=float(at_once)
    )
    (speed,) = speeds(
        facts,
        fit.subject(facts, scenario.model).shape,
        [choice],
        context_tokens=input_tokens + output_tokens,
        output_tokens=output_tokens,
    )
    if speed.ttft_ms is None or speed.tpot_ms is None or speed.output_tokens_per_s is None:
        raise InputError(f"no speed of one request on {gpu.name} is predicted: {speed.reason or 'its rate is unknown'}")
    alone = scaled(added(speed.ttft_ms.as_band, scaled(speed.tpot_ms.as_band, output_tokens)), 1 / MS_PER_S)
    if at_once == 1:
        return alone, alone, f"predicted for {gpu_count} × {gpu.name}, {engine}, {weight_format}"
    rate, tokens = speed.output_tokens_per_s, at_once * output_tokens
    together = Band(
        low=max(alone.low, tokens / rate.high), mid=max(alone.mid, tokens / rate.value),
        high=max(alone.high, tokens / rate.low),
    )  # fmt: skip
    basis = (
        f"predicted for {gpu_count} × {gpu.name}, {engine}, {weight_format}; {rounded(together.mid):g} s with {at_once}"
    )
    return alone, together, f"{basis} at once"


# --- cold starts ------------------------------------------------------------------------------------------------------


def cold_starts(found: ServerlessOption, plan: ServerlessPlan, *, requests_per_month: float) -> ColdStarts:
    """By formula for one worker, from short simulations of each rate of the day for several."""
    curve = found.curves.mid
    most = curve.max_workers(requests_per_month)
    parts = []
    for share, rate in curve.hours:
        requests_per_s = rounded(rate * requests_per_month / SECONDS_PER_MONTH, 6)
        if requests_per_s > 0:
            fleet = curve.fleet(plan, requests_per_s=requests_per_s)
            parts.append((share * rate, _met(fleet, requests_per_s, most)))
    weight = sum(share for share, _ in parts)
    fraction = sum(share * met.fraction for share, met in parts) / weight
    waited = [(share * met.fraction, met.wait_s) for share, met in parts if met.wait_s is not None and met.fraction]
    errors = [share * met.fraction_se for share, met in parts if met.fraction_se is not None]
    return ColdStarts(
        fraction=fraction,
        fraction_se=sum(error**2 for error in errors) ** 0.5 / weight if errors else None,
        wait_s=sum(share * wait for share, wait in waited) / sum(share for share, _ in waited) if waited else None,
    )


@lru_cache(maxsize=2_048)
def _met(fleet: Fleet, requests_per_s: float, max_workers: int) -> ColdStarts:
    if max_workers == 1:
        worker = one_worker(fleet, requests_per_s=requests_per_s)
        return ColdStarts(fraction=worker.cold_fraction, fraction_se=None, wait_s=worker.cold_wait_s)
    hours = GLANCE_REQUESTS / requests_per_s / SECONDS_PER_HOUR
    seen = simulate(
        fleet,
        requests_per_s=[requests_per_s],
        hours=min(10 * HOURS_PER_MONTH, hours),
        max_workers=max_workers,
        settle_fraction=SETTLE_FRACTION,
    )
    return ColdStarts(fraction=seen.cold_fraction, fraction_se=seen.cold_fraction_se, wait_s=seen.wait_mean_s)


# --- a simulated month ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One provider's month request by request, beside what the curve says."""

    plan: ServerlessPlan
    simulated: Simulated
    max_workers: int
    billed_hours: float
    usd_per_month: float
    formula_usd_per_month: float


@lru_cache(maxsize=16)
def simulated_month(
    found: ServerlessOption, plan: ServerlessPlan, hourly: tuple[float, ...], *, requests_per_month: float, seed: int
) -> Month:
    """The month as it may go at one provider, hour by hour of the week. Raises InputError where it is too large."""
    curve = found.curves.mid
    mean = requests_per_month / SECONDS_PER_MONTH
    most, billed = curve.max_workers(requests_per_month), plan.billed("mid")
    # All requests take what the mean one takes.
    fleet = curve.fleet(plan, requests_per_s=curve.busy_rate(requests_per_month))
    hours = min(HOURS_PER_MONTH, MONTH_REQUESTS / mean / SECONDS_PER_HOUR)
    seen = simulate(
        fleet,
        requests_per_s=tuple(mean * weight for weight in hourly),
        hours=hours,
        max_workers=most,
        minimum_s=billed.minimum_s,
        rounding_s=billed.rounding_s,
        seed=seed,
    )
    # Rounded life by life where all of a life is billed, by the formula otherwise.
    whole = billed.idle and billed.execution and billed.setup_fraction == 1
    workers = (
        seen.rounded_life_s / (hours * SECONDS_PER_HOUR)
        if whole
        else billed_workers(seen.time, billed, fleet=fleet, requests_per_s=mean)
    )
    return Month(
        plan=plan,
        simulated=seen,
        max_workers=most,
        billed_hours=workers * HOURS_PER_MONTH,
        usd_per_month=workers * HOURS_PER_MONTH * plan.usd_per_worker_hour,
        formula_usd_per_month=plan_usd_per_month(curve, plan, requests_per_month),
    )
