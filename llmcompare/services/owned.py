"""An own machine for a scenario: which GPU, which replica it holds, what it costs beside the other options."""

from dataclasses import dataclass, replace

from llmcompare.core.comparison import Comparison, Option
from llmcompare.core.energy import Modelled
from llmcompare.core.owned import OwnedOption, best_replica, owned_option, watts
from llmcompare.core.payback import Payback, payback
from llmcompare.core.records import Gpu
from llmcompare.core.rented import Deployment, deployments
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.core.units import TOKENS_PER_MTOK, rounded
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import books, fit
from llmcompare.services.catalogue import Facts
from llmcompare.services.energy import AtTheMeter, EnergyCurve, at_the_meter, energy_curve

ANY_PRICE = 1.0
"""Stands for the price of renting, which an own machine does not pay."""


def replicas_on(facts: Facts, scenario: Scenario, gpu_id: str) -> tuple[list[Deployment], str | None]:
    """Every deployment of the model on a GPU whose rate is known or predicted, rented out or not; or why none is."""
    # A rate or a measurement of another GPU says nothing about this one.
    measured_on = _measured_on(facts, scenario)
    holds_here = gpu_id in (scenario.gpu, measured_on)
    asked = replace(
        scenario,
        gpu=gpu_id,
        own_usd_per_gpu_hour=ANY_PRICE,
        throughput_record=scenario.throughput_record if measured_on == gpu_id else None,
        own_output_tokens_per_s=scenario.own_output_tokens_per_s if holds_here else None,
    )
    return deployments(books.priced_book(facts, asked), asked)


def _measured_on(facts: Facts, scenario: Scenario) -> str | None:
    if scenario.throughput_record is None:
        return None
    rows = facts.capacities.get(facts.model(scenario.model).model_id, [])
    return next((row.gpu_id for row in rows if row.record_id == scenario.throughput_record), None)


def gpu_of(facts: Facts, scenario: Scenario, rented: Deployment | None) -> Gpu | None:
    """The GPU of the own machine: the one chosen, else that of what is rented; None where neither is known."""
    if scenario.owned_gpu is None:
        return facts.gpus.get(scenario.gpu or "") or (rented.gpu if rented is not None else None)
    if scenario.owned_gpu not in facts.gpus:
        raise UnknownIdError("GPU", scenario.owned_gpu, facts.gpus)
    return facts.gpus[scenario.owned_gpu]


def option(facts: Facts, scenario: Scenario, rented: Deployment | None) -> tuple[OwnedOption | None, str | None]:
    """Own machines for a scenario, or why there is no such option. Raises UnknownIdError for its GPU.

    A machine that cannot be is a reason too: it must not take the other options with it.
    """
    gpu = gpu_of(facts, scenario, rented)
    if gpu is None:
        return None, "choose the GPU of the own machine: there is no rented deployment to take it from"
    if scenario.purchase_usd is None:
        return owned_option(scenario, gpu=gpu, replicas=())
    found, missing = replicas_on(facts, scenario, gpu.gpu_id)
    if missing:
        return None, missing
    try:
        return owned_option(scenario, gpu=gpu, replicas=found)
    except InputError as problem:
        return None, str(problem).rstrip(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another option at the same volume, and when a purchase has paid itself against it."""

    option: Option
    payback: Payback


def rivals(found: OwnedOption, comparison: Comparison) -> list[Rival]:
    """Every other option of the comparison."""
    requests = comparison.workload.requests_per_month
    return [
        Rival(option=other, payback=payback(found, other_usd_per_month=other.curves.usd_per_month(requests)))
        for other in comparison.options
        if str(other.key) != "owned"
    ]


def energy_of(facts: Facts, scenario: Scenario, rented: Deployment | None) -> tuple[EnergyCurve | None, str | None]:
    """Modelled energy of the replica that the own machine holds, or why there is none."""
    gpu = gpu_of(facts, scenario, rented)
    if gpu is None:
        return None, "choose the GPU of the own machine: there is no rented deployment to take it from"
    found, missing = replicas_on(facts, scenario, gpu.gpu_id)
    replica = best_replica(found, gpu=gpu, gpu_count=scenario.owned_gpu_count) or best_replica(found, gpu=gpu)
    if replica is None:
        return None, missing or f"no serving rate of the model is known or predicted on {gpu.name}"
    if replica.weight_format is None:
        return None, f"the rate on {gpu.name} does not say its weight format, from which the load follows"
    input_tokens, output_tokens = scenario.workload.whole_tokens
    return energy_curve(
        facts,
        fit.subject(facts, scenario.model),
        gpu=gpu,
        gpu_count=replica.gpus_per_replica,
        engine=replica.engine,
        weight_format=replica.weight_format,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    ), None


def meter(scenario: Scenario, curve: EnergyCurve, *, grams_per_kwh: float) -> AtTheMeter | None:
    """A million output tokens at the largest load that fits; None where nothing is modelled."""
    if not curve.points:
        return None
    # A machine with fewer GPUs than the replica takes: as many machines as hold it.
    share = curve.gpu_count / scenario.owned_gpu_count
    load_w, _ = watts(scenario, board_power_w=curve.gpu.board_power_w)
    return at_the_meter(
        point_for(scenario, curve),
        machine_w=load_w.mid * share,
        pue=scenario.pue,
        usd_per_kwh=scenario.usd_per_kwh,
        grams_per_kwh=grams_per_kwh,
    )


def point_for(scenario: Scenario, curve: EnergyCurve) -> Modelled:
    """The load asked for, or the nearest below it; the largest that fits where none is asked for."""
    asked = scenario.concurrency
    below = [point for point in curve.points if asked is None or point.concurrency <= asked]
    return below[-1] if below else curve.points[0]


def rival_table(found: OwnedOption, others: list[Rival]) -> Table:
    """The own machine beside every other option, at the volume."""
    requests = found.workload.requests_per_month
    rows = [
        (found.name, found.usd_per_month, None),
        *((r.option.name, r.option.curves.usd_per_month(requests), r.payback) for r in others),
    ]
    return Table(
        name="own-machine",
        title="The own machine beside the other options",
        columns=(
            "option", "usd_per_month_low", "usd_per_month_mid", "usd_per_month_high", "usd_per_mtok_in_and_out",
            "pays_after_months_earliest", "pays_after_months", "pays_after_months_latest", "why_never",
        ),
        rows=tuple(
            (
                name, usd.low, usd.mid, usd.high,
                rounded(usd.mid / requests / found.workload.tokens_per_request * TOKENS_PER_MTOK),
                *(_months(paid)), None if paid is None else paid.reason,
            )
            for name, usd, paid in rows
        ),
    )  # fmt: skip


def _months(paid: Payback | None) -> tuple[float | None, float | None, float | None]:
    if paid is None:
        return None, None, None
    earliest, middle, latest = (None if m is None else rounded(m) for m in (paid.earliest, paid.months, paid.latest))
    return earliest, middle, latest
