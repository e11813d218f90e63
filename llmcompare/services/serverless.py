"""A model on serverless GPUs: which deployment, how long a request takes there, who meets a cold start."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from llmcompare.core.calibration_traits import FAMILIES
from llmcompare.core.cost import Band, added, scaled
from llmcompare.core.records import Gpu
from llmcompare.core.rented import Deployment
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless import billed_workers
from llmcompare.core.serverless_curve import ServerlessPlan, plan_usd_per_month
from llmcompare.core.serverless_option import ServerlessOption, serverless_option
from llmcompare.core.serverless_simulation import Simulated, simulate
from llmcompare.core.serverless_words import ColdStarts
from llmcompare.core.units import HOURS_PER_MONTH, SECONDS_PER_HOUR, SECONDS_PER_MONTH, rounded
from llmcompare.errors import InputError
from llmcompare.services import doubts, fit
from llmcompare.services.advice_serverless import out_by_deployment
from llmcompare.services.catalogue import Facts
from llmcompare.services.cold_starts import cold_starts as hourly_cold_starts
from llmcompare.services.predict import MS_PER_S, Choice, speeds

ENGINE, WEIGHT_FORMAT = "vllm", "bf16"
"""Assumed for a deployment whose engine or format the prediction does not know."""
MONTH_REQUESTS = 30_000_000
"""Simulated at most; of a larger month so many of its first hours."""


def option(
    facts: Facts, scenario: Scenario, deployments: Sequence[Deployment]
) -> tuple[ServerlessOption | None, str | None]:
    """The first of the deployments that some provider lists as serverless, or why there is none.

    deployments: those that could be rented, cheapest first. With a latency limit, those that break it as serverless
    ones are none. Raises UnknownIdError for an unknown provider.
    """
    if not deployments:
        return None, "there is no deployment of the model that could run on serverless GPUs"
    first_missing = None
    seen = set()
    late = out_by_deployment(facts, scenario) if scenario.has_latency_limit else {}
    for deployment in deployments:
        key = (deployment.gpu.gpu_id, deployment.gpus_per_replica)
        if key in seen:
            continue
        if reason := late.get((*key, deployment.engine, deployment.weight_format or WEIGHT_FORMAT)):
            first_missing = first_missing or f"serverless {deployment.short} is out: {reason}"
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
    return hourly_cold_starts(
        lambda requests_per_s: curve.fleet(plan, requests_per_s=requests_per_s),
        curve.hours,
        max_workers=curve.max_workers(requests_per_month),
        requests_per_month=requests_per_month,
    )


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
