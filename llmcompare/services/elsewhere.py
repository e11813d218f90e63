"""Whether a sweep knows a cheaper deployment of the model than those that a comparison holds against each other."""

from collections.abc import Iterator

import numpy as np

from llmcompare.core.comparison import Comparison
from llmcompare.core.cost import Band
from llmcompare.core.elsewhere import Elsewhere
from llmcompare.core.scenario import Scenario
from llmcompare.services import sweep
from llmcompare.services.advice_serverless import field_of, is_in, out_of_limits, parts_at, usd_bands
from llmcompare.services.catalogue import Facts

ALIKE = 1.02
"""The sweep reads serverless GPUs from a table: what is nearer than this is the same (docs/methodology.md)."""


def elsewhere(facts: Facts, scenario: Scenario, found: Comparison) -> tuple[Elsewhere, ...]:
    """The cheapest rented and the cheapest serverless deployment, where each costs less than the one compared.

    Nothing where a measurement or a rate of the user's own says which deployment is meant.
    """
    if scenario.own_output_tokens_per_s is not None or scenario.throughput_record is not None:
        return ()
    return (*_rented(facts, scenario, found), *_serverless(facts, scenario, found))


def _rented(facts: Facts, scenario: Scenario, found: Comparison) -> Iterator[Elsewhere]:
    if found.rented is None or found.rented.predicted is not None:
        return
    swept = sweep.sweep(facts, scenario, (found.model.model_id,), sweep.Limits(billings=(scenario.billing,)))
    if not len(swept.mid) or swept.measured_at[0] >= 0 or swept.mid[0] >= found.rented.usd_per_month.mid:
        return
    gpu = swept.found.fleet.axes.gpus[swept.gpu[0]]
    yield Elsewhere(
        kind="rented",
        gpu_id=gpu.gpu_id,
        gpu_name=gpu.name_without_vendor,
        gpu_count=int(swept.gpu_count[0]),
        engine=swept.engine[swept.engine_at[0]],
        weight_format=swept.weight_format[swept.format_at[0]],
        usd_per_month=swept.band(0),
    )


def _serverless(facts: Facts, scenario: Scenario, found: Comparison) -> Iterator[Elsewhere]:
    if found.serverless is None:
        return
    field, kept, deployments, times = field_of(facts, scenario, (found.model.model_id,))
    everyone, volume = np.arange(len(kept)), scenario.requests_per_month
    usd = field.usd(everyone, volume)
    usd[~is_in(out_of_limits(scenario, field, kept, times))] = np.inf
    best = int(usd.argmin()) if len(usd) else 0
    if not len(usd) or usd[best] * ALIKE >= found.serverless.usd_per_month.mid:
        return
    low, mid, high = (float(end[0]) for end in usd_bands(field, kept, times, np.array([best]), volume))
    _, gpu_id, gpu_count, engine, weight_format = parts_at(deployments, int(kept[best]))
    yield Elsewhere(
        kind="serverless",
        gpu_id=gpu_id,
        gpu_name=facts.gpus[gpu_id].name_without_vendor,
        gpu_count=gpu_count,
        engine=engine,
        weight_format=weight_format,
        usd_per_month=Band(low=low, mid=mid, high=high),
    )
