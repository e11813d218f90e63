"""Laws of the whole money model with the real catalogue, and published arithmetic."""

from dataclasses import replace

import numpy as np
import pytest

from llmcompare.core.calibration import known_efficiency
from llmcompare.core.fleet import Axes, fleet
from llmcompare.core.memory import Use
from llmcompare.core.scenario import Scenario
from llmcompare.core.serving import CLOSED_LOOP, Demand, figures
from llmcompare.core.speed import taken
from llmcompare.services import costs, hardware

MODELS = ("llama-3.1-8b-instruct", "llama-3.3-70b-instruct", "mixtral-8x7b-instruct-v0.1")


def test_five_seconds_on_a_serverless_a100_of_runpod_cost_0_0038_dollars(real_facts):
    (offer,) = [
        one
        for one in real_facts.serverless_offers
        if one.provider == "runpod" and one.gpu_id == "a100-sxm-80gb" and "flex" in one.offer_name
    ]
    assert round(offer.usd_per_gpu_hour / 3_600 * 5, 4) == 0.0038


@pytest.mark.parametrize("requests_at_once", [2, 12, 48, 200])
def test_one_replica_more_never_raises_latency(real_facts, requests_at_once):
    """Requests at once are shared out over the replicas; medians of the time to first token and per token."""
    axes = Axes(
        models=tuple(real_facts.shapes[name] for name in MODELS),
        formats=("bf16", "fp8", "awq-int4", "gguf-q4_k_m"),
        gpus=tuple(hardware.known_gpus(real_facts)),
        engines=hardware.ENGINES,
    )
    found = fleet(axes, Use(context_tokens=1_300), min_bits_per_weight=4)
    constants, kept = known_efficiency(real_facts.calibration, found.traits)
    count = len(found.model)

    def latency(replica_count: int) -> tuple[np.ndarray, np.ndarray]:
        demand = Demand(
            kind=np.full(count, CLOSED_LOOP),
            sequences=np.full(count, requests_at_once / replica_count),
            input_tokens=np.full(count, 1_000.0),
            output_tokens=np.full(count, 300.0),
            earlier_tokens=np.zeros(count),
            most_sequences=np.full(count, 256.0),
            decode_only=np.zeros(count, dtype=bool),
        )
        seen = figures(found.stack, taken(constants, found.trait), demand, kept_fraction=kept[found.trait])
        return seen.ttft_s, seen.tpot_s

    for replica_count in (1, 2, 3, 7):
        fewer, more = latency(replica_count), latency(replica_count + 1)
        for one, other in zip(fewer, more, strict=True):
            assert (other <= one * (1 + 1e-9)).all()


def test_the_cached_share_changes_the_api_bill_alone(real_facts):
    scenario = Scenario(purchase_usd=20_000, owned_gpu="h100-sxm-80gb")
    without, much = (costs.compare(real_facts, replace(scenario, cached_input_fraction=share)) for share in (0.0, 0.8))
    volume = scenario.requests_per_month
    for one, other in zip(without.options, much.options, strict=True):
        before, after = one.curves.usd_per_month(volume), other.curves.usd_per_month(volume)
        if one.key == "api":
            # The provider in the middle may list no price for cached input.
            assert after.low <= before.low
            assert after.mid <= before.mid
            assert after.high <= before.high
        elif one.key == "today":
            assert after.mid < before.mid
        else:
            assert after == before
