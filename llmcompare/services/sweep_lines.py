"""Lines of a sweep, the cheapest first, and what is out of it with the reason of each."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from heapq import merge
from statistics import mean
from typing import Any

import numpy as np

from llmcompare.core import rented, sweep_words
from llmcompare.core.cost import Band
from llmcompare.core.fleet import Out
from llmcompare.core.options import today_option
from llmcompare.core.records import ApiOffer, ScoreCell
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_option import ServerlessOption
from llmcompare.core.sweep import saving
from llmcompare.core.sweep_words import REASONS, WITHOUT_SHAPE, Line, cannot_be_told_apart
from llmcompare.core.tables import Table
from llmcompare.services import serverless
from llmcompare.services.books import book, priced_book
from llmcompare.services.calibration import OUTPUT
from llmcompare.services.catalogue import Facts
from llmcompare.services.sweep import Swept
from llmcompare.store import queries

UNQUANTISED = ("bf16", "fp16")
NOT_MEASURED = "not measured"
SERVERLESS_MODELS = 3
"""Up to so many models a sweep looks at serverless GPUs too: their cost takes a simulation of starts for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every line needs besides its own figures."""

    today: str
    today_usd_per_month: float
    quality: Mapping[str, Band]
    """Score by model, of the unquantised weights."""
    losses: Mapping[tuple[str, str], str]
    """Measured loss by model and format."""


def context(facts: Facts, scenario: Scenario, cell: ScoreCell | None) -> Context:
    """Today's bill, the scores of a cell, and the losses that were measured."""
    today = today_option(book(facts, scenario.model), scenario)
    scores: dict[str, list[float]] = {}
    for score in queries.scores(facts.catalog, cell) if cell is not None else ():
        scores.setdefault(score.model_id, []).append(score.score)
    return Context(
        today=today.label,
        today_usd_per_month=today.usd_per_month,
        quality={name: Band(low=min(runs), mid=mean(runs), high=max(runs)) for name, runs in scores.items()},
        losses=measured_losses(facts),
    )


def measured_losses(facts: Facts) -> dict[tuple[str, str], str]:
    """What was measured of a model in a format, without an importance matrix where there is such a row."""
    found: dict[tuple[str, str], str] = {}
    for row in facts.format_losses:
        same = f", same top token {row.same_top_token_percent:.1f} %" if row.same_top_token_percent is not None else ""
        said = f"perplexity {row.delta_perplexity:+.3g} ({row.delta_kind}){same}"
        found.setdefault((row.model, f"gguf-{row.quantization}"), said)
    return found


def lines(facts: Facts, found: Swept, known: Context, *, most: int | None = None) -> list[Line]:
    """The cheapest deployments at middle prices, of all kinds, at most so many."""
    rented = (_rented(facts, found, known, place) for place in range(len(found.mid)))
    api = (_api(facts, found, offer, usd, known) for offer, usd in found.api)
    merged = merge(rented, api, _serverless(facts, found, known), key=lambda line: line.usd_per_month.mid)
    return [line for line, _ in zip(merged, range(most if most is not None else 10**9), strict=False)]


def _rented(facts: Facts, found: Swept, known: Context, place: int) -> Line:
    axes = found.found.fleet.axes
    gpu = axes.gpus[found.gpu[place]]
    model = facts.models[found.found.model_ids[found.model[place]]]
    engine, weight_format = found.engine[found.engine_at[place]], found.weight_format[found.format_at[place]]
    count, usd = int(found.gpu_count[place]), found.band(place)
    measured = int(found.measured_at[place])
    row = found.found.measured[measured][1] if measured >= 0 else None
    name = f"{count} × {gpu.name.removeprefix(f'{gpu.vendor} ')}, {weight_format or 'format not stated'}, {engine}"
    return Line(
        kind="rented",
        model_id=model.model_id,
        model_name=model.display_name,
        family=model.family,
        deployment=name,
        gpu_id=gpu.gpu_id,
        gpu_count=count,
        engine=engine,
        weight_format=weight_format,
        billing=found.limits.billings[found.billing_at[place]],
        provider=None,
        provider_count=int(found.providers[place]),
        usd_per_month=usd,
        saving_usd_per_month=saving(known.today_usd_per_month, usd),
        replicas=int(found.replicas[place]),
        filled_replicas=float(found.filled[place]),
        requests_per_s=float(found.requests_per_s[place]),
        basis=f"measured by {row.measured_by} ({row.record_id})" if row else _predicted_basis(facts, engine),
        quality=known.quality.get(model.model_id),
        format_loss=_loss(known, model.model_id, weight_format),
        as_of=row.as_of if row else gpu.as_of,
        source=row.source if row else gpu.source,
        row_id=row.row_id if row else gpu.row_id,
    )


def _predicted_basis(facts: Facts, engine: str) -> str:
    band = facts.calibration.band(OUTPUT, engine)
    return f"predicted, four of five within {band.low_ratio:.2f} to {band.high_ratio:.2f} times ({band.group})"


def _loss(known: Context, model_id: str, weight_format: str | None) -> str:
    if weight_format in UNQUANTISED:
        return "none: the published weights"
    if weight_format is None:
        return "format not stated"
    return known.losses.get((model_id, weight_format), NOT_MEASURED)


def _api(facts: Facts, found: Swept, offer: ApiOffer, usd: float, known: Context) -> Line:
    model = facts.models[str(offer.model_id)]
    cost = Band(low=usd, mid=usd, high=usd)
    return Line(
        kind="api",
        model_id=model.model_id,
        model_name=model.display_name,
        family=model.family,
        deployment=f"{offer.provider}'s API" + ("" if offer.variant == "standard" else f" ({offer.variant})"),
        gpu_id=None,
        gpu_count=None,
        engine=None,
        weight_format=None,
        billing="per token",
        provider=offer.provider,
        provider_count=1,
        usd_per_month=cost,
        saving_usd_per_month=saving(known.today_usd_per_month, cost),
        replicas=None,
        filled_replicas=None,
        requests_per_s=None,
        basis="list price; how fast it answers is not in the data"
        if found.scenario.has_latency_limit
        else "list price",
        quality=known.quality.get(model.model_id),
        format_loss=_loss(known, model.model_id, None),
        as_of=offer.as_of,
        source=offer.source,
        row_id=offer.row_id,
    )


def _serverless(facts: Facts, found: Swept, known: Context) -> Iterator[Line]:
    """Every GPU that is offered serverless, with what is cheapest to rent there."""
    if len(found.found.model_ids) > SERVERLESS_MODELS:
        return
    listed = []
    for model_id in found.found.model_ids:
        scenario = replace(found.scenario, model=model_id)
        deployments, _ = rented.deployments(priced_book(facts, scenario), scenario)
        by_gpu = {one.gpu.gpu_id: one for one in reversed(deployments)}
        for deployment in by_gpu.values():
            option, _ = serverless.option(facts, scenario, [deployment])
            if option is not None:
                listed.append(_serverless_line(facts, model_id, option, known))
    yield from sorted(listed, key=lambda line: line.usd_per_month.mid)


def _serverless_line(facts: Facts, model_id: str, option: ServerlessOption, known: Context) -> Line:
    model, offer = facts.models[model_id], option.offers[0]
    return Line(
        kind="serverless",
        model_id=model_id,
        model_name=model.display_name,
        family=model.family,
        deployment=f"serverless {option.short}, {option.weight_format or 'format not stated'}, {option.engine}",
        gpu_id=option.gpu.gpu_id,
        gpu_count=option.gpus_per_worker,
        engine=option.engine,
        weight_format=option.weight_format,
        billing="serverless-per-second",
        provider=None,
        provider_count=len(option.plans),
        usd_per_month=option.usd_per_month,
        saving_usd_per_month=saving(known.today_usd_per_month, option.usd_per_month),
        replicas=None,
        filled_replicas=None,
        requests_per_s=None,
        basis=option.basis,
        quality=known.quality.get(model_id),
        format_loss=_loss(known, model_id, option.weight_format),
        as_of=offer.as_of,
        source=offer.source,
        row_id=offer.row_id,
    )


def best_of_models(facts: Facts, found: Swept, known: Context) -> list[Line]:
    """The cheapest rented deployment and the cheapest API of every model."""
    _, first = np.unique(found.model, return_index=True)
    rented_lines = [_rented(facts, found, known, place) for place in first.tolist()]
    cheapest: dict[str | None, tuple[ApiOffer, float]] = {}
    for offer, usd in found.api:
        cheapest.setdefault(offer.model_id, (offer, usd))
    return [*rented_lines, *(_api(facts, found, offer, usd, known) for offer, usd in cheapest.values())]


def answer(found: Swept, listed: list[Line], known: Context) -> str:
    """How many deployments beat today's bill at middle prices."""
    bill = known.today_usd_per_month
    cheaper = int((found.mid < bill).sum()) + sum(usd < bill for _, usd in found.api)
    count = len(found.mid) + len(found.api)
    return sweep_words.answer(listed, count=count, cheaper_count=cheaper, today=known.today, today_usd=bill)


# --- what is out ------------------------------------------------------------------------------------------------------


def counts_out(found: Swept) -> dict[str, int]:
    """How many deployments are out for each reason, the commonest first."""
    counts: Counter[str] = Counter()
    codes, sizes = np.unique(found.found.fleet.out, return_counts=True)
    for code, size in zip(codes.tolist(), sizes.tolist(), strict=True):
        if code != Out.NOT:
            counts[REASONS[Out(code)]] += size
    for code in (Out.TTFT, Out.TPOT):
        counts[REASONS[code]] += int((found.found.rates.out == code).sum())
    for billing, size in found.out_of_price.items():
        counts[f"{REASONS[Out.NO_PRICE]}: {billing}"] += size
    counts[REASONS[Out.OVER_BUDGET]] += found.over_budget_count
    for _, reason in found.api_out:
        counts[f"API: {reason}"] += 1
    counts[WITHOUT_SHAPE] += len(found.found.without_shape)
    for _, reason in found.models_out:
        counts[reason] += 1
    return {reason: size for reason, size in counts.most_common() if size}


def out_rows(found: Swept) -> Iterator[tuple[str, str, str, str, str]]:
    """Model, format, GPU and engine of each deployment that is out, with its reason and the value behind it."""
    fleet, rates = found.found.fleet, found.found.rates
    axes, ids = fleet.axes, found.found.model_ids
    for model, form, gpu, engine in zip(*(part.tolist() for part in np.nonzero(fleet.out)), strict=True):
        code = Out(int(fleet.out[model, form, gpu, engine]))
        reason = REASONS[code]
        if code == Out.UNDER_FLOOR:
            reason = f"{fleet.bits[model, form]:.2f} bits per weight: {reason}"
        yield ids[model], axes.formats[form], axes.gpus[gpu].gpu_id, axes.engines[engine], reason
    for place in np.nonzero(rates.out)[0].tolist():
        code = Out(int(rates.out[place]))
        value = rates.ttft_ms[place] if code == Out.TTFT else rates.tpot_ms[place]
        yield (
            ids[fleet.model[place]],
            axes.formats[fleet.weight_format[place]],
            axes.gpus[fleet.gpu[place]].gpu_id,
            axes.engines[fleet.engine[place]],
            f"{value:,.0f} ms: {REASONS[code]}",
        )


# --- as a table and as JSON -------------------------------------------------------------------------------------------


def lines_table(found: list[Line]) -> Table:
    """The lines with their bands, bases and sources."""
    apart = cannot_be_told_apart(found)
    return Table(
        name="every-deployment",
        title="Every deployment, cheapest first",
        columns=(
            "kind", "model", "family", "deployment", "billing", "usd_per_month_low", "usd_per_month_mid",
            "usd_per_month_high", "saving_usd_per_month_low", "saving_usd_per_month_mid", "saving_usd_per_month_high",
            "like_the_cheapest", "score", "format_loss", "replicas", "requests_per_s_per_replica", "providers", "basis",
            "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                one.kind, one.model_name, one.family, one.deployment, one.billing, one.usd_per_month.low,
                one.usd_per_month.mid, one.usd_per_month.high, one.saving_usd_per_month.low,
                one.saving_usd_per_month.mid, one.saving_usd_per_month.high, "yes" if same else "no",
                None if one.quality is None else one.quality.mid, one.format_loss, one.replicas, one.requests_per_s,
                one.provider_count, one.basis, one.as_of, one.source, one.row_id,
            )
            for one, same in zip(found, apart, strict=True)
        ),
    )  # fmt: skip


def sweep_json(facts: Facts, found: Swept, known: Context, listed: list[Line], *, answer: str) -> dict[str, Any]:
    """Ranked deployments, and each one that is out with its reason."""
    return {
        "answer": answer,
        "today": {"label": known.today, "usd_per_month": known.today_usd_per_month},
        "deployment_count": len(found.mid) + len(found.api),
        "deployments": [
            {"rank": rank, "cannot_be_told_from_the_cheapest": same, **asdict(line)}
            for rank, (line, same) in enumerate(zip(listed, cannot_be_told_apart(listed), strict=True), start=1)
        ],
        "out_counts": counts_out(found),
        "out": [
            dict(zip(("model_id", "weight_format", "gpu_id", "engine", "reason"), row, strict=True))
            for row in out_rows(found)
        ]
        + [{"model_id": offer.model_id, "api": offer.offer_id, "reason": reason} for offer, reason in found.api_out]
        + [{"model_id": name, "reason": WITHOUT_SHAPE} for name in found.found.without_shape]
        + [{"model_id": name, "reason": reason} for name, reason in found.models_out],
        "out_without_price": found.out_of_price,
        "catalogue": facts.catalog.fingerprint,
    }
