"""A comparison as JSON: what the command line prints."""

from dataclasses import asdict
from datetime import date
from typing import Any

from llmcompare.core import freshness, stack, tiers, words
from llmcompare.core.comparison import Comparison, Pair
from llmcompare.core.cost import ENDS
from llmcompare.core.curves import CostCurve, CurveBand
from llmcompare.core.options import ApiOption
from llmcompare.core.owned import OwnedOption
from llmcompare.core.rented import Deployment
from llmcompare.core.serverless_option import ServerlessOption


def comparison_json(comparison: Comparison, *, today: date) -> dict[str, Any]:
    """The figures of the Costs page; units are in the keys, row ids lead to the catalogue, prices have an age."""
    bill = comparison.today
    no_second = comparison.rented_missing or "`rented` serves growth best too"
    return {
        "model": comparison.model.model_id,
        "scenario": asdict(comparison.scenario),
        "answer": words.headline(comparison),
        "price_warning": freshness.stale_sentence(comparison, today=today),
        "sentences": [
            *words.option_sentences(comparison),
            *tiers.growth_sentences(comparison),
            *map(words.crossing_sentences, comparison.pairs),
        ],
        "api": _api_json(comparison.api, comparison.api_missing, today),
        "rented": _rented_json(comparison.rented, comparison.rented_missing, today),
        "rented_at_scale": _rented_json(comparison.rented_at_scale, no_second, today),
        "serverless": _serverless_json(comparison.serverless, comparison.serverless_missing, today),
        "owned": _owned_json(comparison.owned, comparison.owned_missing),
        "today": {
            "label": bill.label,
            "usd_per_month": bill.usd_per_month,
            "usd_per_request": bill.curve.usd_per_request,
            "price_age": freshness.offer_freshness(bill.offer, today=today) if bill.offer else None,
            "row_id": bill.offer.row_id if bill.offer else None,
        },
        "cheaper_elsewhere": [asdict(one) for one in comparison.elsewhere],
        "parts": [
            {"option": name, "usd_per_month": {part.name: part.usd_per_month for part in parts}}
            for _, name, parts in stack.stacks(comparison)
        ],
        "tiers": [
            asdict(tier)
            for tier in tiers.tiers(tiers.ways(comparison), tokens_per_request=comparison.workload.tokens_per_request)
        ],
        "crossings": [_pair_json(pair) for pair in comparison.pairs],
        "assumptions": [asdict(assumption) for assumption in words.assumptions(comparison)],
        "row_ids": [row.row_id for row in comparison.rows_used],
        "catalogue": comparison.fingerprint,
    }


def _api_json(api: ApiOption | None, missing: str | None, today: date) -> dict[str, Any]:
    if api is None:
        return {"reason": missing}
    return {
        "variant": api.variant,
        "provider_count": len(api.offers),
        "usd_per_month": asdict(api.usd_per_month),
        "usd_per_request": {end: getattr(api.curves, end).usd_per_request for end in ENDS},
        "offers": [
            {
                "provider": priced.offer.provider,
                "api_model_name": priced.offer.api_model_name,
                "usd_per_request": priced.usd_per_request,
                "usd_per_month": priced.usd_per_month,
                "cached_price_missing": priced.cached_price_missing,
                "as_of": priced.offer.as_of,
                "price_age": freshness.offer_freshness(priced.offer, today=today),
                "source": priced.offer.source,
                "row_id": priced.offer.row_id,
            }
            for priced in api.offers
        ],
    }


def _rented_json(rented: Deployment | None, missing: str | None, today: date) -> dict[str, Any]:
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
                "price_age": freshness.offer_freshness(offer, today=today),
                "source": offer.source,
                "row_id": offer.row_id,
            }
            for offer in rented.offers
        ],
    }


def _curves_json(curves: CurveBand[CostCurve]) -> dict[str, Any]:
    return {end: asdict(getattr(curves, end)) for end in ENDS}


def _pair_json(pair: Pair) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "points": [asdict(point) for point in pair.crossings.points],
        "reason": pair.crossings.reason,
        "searched_to_requests_per_month": pair.crossings.searched_to_requests_per_month,
        "first_pays_from_requests_per_month": {"earliest": pair.earliest, "latest": pair.latest},
    }


def _owned_json(owned: OwnedOption | None, missing: str | None) -> dict[str, Any]:
    if owned is None:
        return {"reason": missing}
    return {
        "machine": owned.label,
        "gpu_id": owned.gpu.gpu_id,
        "gpu_count": owned.gpu_count,
        "capacity_basis": owned.basis,
        "requests_per_s_per_machine": asdict(owned.requests_per_s),
        "machine_count": owned.machines,
        "busy_fraction": owned.busy_fraction,
        "usd_per_month": asdict(owned.usd_per_month),
        "usd_per_month_by_part": dict(owned.parts),
        "full_usd_per_request": asdict(owned.full_usd_per_request),
        "marginal_usd_per_request": asdict(owned.marginal_usd_per_request),
        "curves": _curves_json(owned.curves),
    }


def _serverless_json(serverless: ServerlessOption | None, missing: str | None, today: date) -> dict[str, Any]:
    if serverless is None:
        return {"reason": missing}
    return {
        "deployment": serverless.label,
        "gpu_id": serverless.gpu.gpu_id,
        "gpus_per_worker": serverless.gpus_per_worker,
        "basis": serverless.basis,
        "service_s_per_request": asdict(serverless.service_s),
        "worker_count_at_most": serverless.max_workers,
        "usd_per_month": asdict(serverless.usd_per_month),
        "offers": [
            {
                "provider": plan.offer.provider,
                "usd_per_worker_hour": plan.usd_per_worker_hour,
                "cold_start_s": plan.cold_start_s,
                "idle_timeout_s": plan.idle_timeout_s,
                "idle_timeout_is_assumed": plan.idle_timeout_is_assumed,
                "as_of": plan.offer.as_of,
                "price_age": freshness.offer_freshness(plan.offer, today=today),
                "source": plan.offer.source,
                "row_id": plan.offer.row_id,
            }
            for plan in serverless.plans
        ],
    }
