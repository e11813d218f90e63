"""Lines of a sweep, the cheapest first, and what is out of it with the reason of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge

import numpy as np

from llmcompare.core import sweep_words
from llmcompare.core.cost import Band, exactly
from llmcompare.core.fleet import Out
from llmcompare.core.options import today_option
from llmcompare.core.quality import score_band
from llmcompare.core.records import ApiOffer, Gpu, GpuOffer, ScoreCell
from llmcompare.core.scenario import Scenario
from llmcompare.core.sweep import saving
from llmcompare.core.sweep_words import Line, cannot_be_told_apart
from llmcompare.core.tables import Table
from llmcompare.services import doubts
from llmcompare.services.books import book
from llmcompare.services.calibration import OUTPUT
from llmcompare.services.catalogue import Facts
from llmcompare.services.sweep import Swept
from llmcompare.services.sweep_others import Others, others
from llmcompare.store import queries

UNQUANTISED = ("bf16", "fp16")
NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every line needs besides its own figures."""

    today: str
    today_usd_per_month: float
    quality: Mapping[str, Band]
    """Score by model, of the unquantised weights."""
    losses: Mapping[tuple[str, str], str]
    """Measured loss by model and format."""
    doubts: Mapping[str, str]
    """What is odd about an API price, by its row."""


def context(facts: Facts, scenario: Scenario, cell: ScoreCell | None) -> Context:
    """Today's bill, the scores of a cell, and the losses that were measured."""
    today = today_option(book(facts, scenario.model), scenario)
    scores: dict[str, list[float]] = {}
    for score in queries.scores(facts.catalog, cell) if cell is not None else ():
        scores.setdefault(score.model_id, []).append(score.score)
    return Context(
        today=today.label,
        today_usd_per_month=today.usd_per_month,
        quality={name: score_band(runs) for name, runs in scores.items()},
        losses=measured_losses(facts),
        doubts=doubts.by_row(facts),
    )


def measured_losses(facts: Facts) -> dict[tuple[str, str], str]:
    """What was measured of a model in a format, without an importance matrix where there is such a row."""
    found: dict[tuple[str, str], str] = {}
    for row in facts.format_losses:
        same = f", same top token {row.same_top_token_percent:.1f}%" if row.same_top_token_percent is not None else ""
        said = f"perplexity {row.delta_perplexity:+.3g} ({row.delta_kind}){same}"
        found.setdefault((row.model, f"gguf-{row.quantization}"), said)
    return found


def lines(
    facts: Facts, found: Swept, known: Context, besides: Others | None = None, *, most: int | None = None
) -> list[Line]:
    """The cheapest deployments at middle prices, of all kinds, at most so many."""
    rented_lines = (_rented(facts, found, known, place) for place in range(len(found.mid)))
    api = (_api(facts, found, offer, usd, known) for offer, usd in found.api)
    merged = merge(rented_lines, api, besides or (), key=lambda line: line.usd_per_month.mid)
    return [line for line, _ in zip(merged, range(most if most is not None else 10**9), strict=False)]


def _rented(facts: Facts, found: Swept, known: Context, place: int) -> Line:
    axes = found.found.fleet.axes
    gpu = axes.gpus[found.gpu[place]]
    model = facts.models[found.found.model_ids[found.model[place]]]
    engine, weight_format = found.engine[found.engine_at[place]], found.weight_format[found.format_at[place]]
    count, usd = int(found.gpu_count[place]), found.band(place)
    measured = int(found.measured_at[place])
    row = found.found.measured[measured][1] if measured >= 0 else None
    name = f"{count} × {gpu.name_without_vendor}, {weight_format or 'format not stated'}, {engine}"
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
        filled_replicas=float(found.filled[place]) if found.filled_is_exact else None,
        spare_replicas=found.scenario.spare_replicas,
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
    cost = exactly(usd)
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
        spare_replicas=0,
        requests_per_s=None,
        basis="list price; how fast it answers is not in the data"
        if found.scenario.has_latency_limit
        else "list price",
        quality=known.quality.get(model.model_id),
        format_loss=_loss(known, model.model_id, None),
        as_of=offer.as_of,
        source=offer.source,
        row_id=offer.row_id,
        doubt=known.doubts.get(offer.row_id),
    )


def beside(facts: Facts, found: Swept, known: Context) -> Others:
    """Every deployment on serverless GPUs, and on the machine that the scenario buys, cheapest first."""

    def line(
        *,
        kind: str,
        parts: tuple[str, str, int, str, str],
        usd: Band,
        billing: str,
        provider_count: int,
        row: GpuOffer | Gpu,
        basis: str,
    ) -> Line:
        model_id, gpu_id, gpu_count, engine, weight_format = parts
        model, where = facts.models[model_id], "serverless" if kind == "serverless" else "own"
        return Line(
            kind=kind,
            model_id=model_id,
            model_name=model.display_name,
            family=model.family,
            deployment=f"{where} {gpu_count} × {facts.gpus[gpu_id].name_without_vendor}, {weight_format}, {engine}",
            gpu_id=gpu_id,
            gpu_count=gpu_count,
            engine=engine,
            weight_format=weight_format,
            billing=billing,
            provider=None,
            provider_count=provider_count,
            usd_per_month=usd,
            saving_usd_per_month=saving(known.today_usd_per_month, usd),
            replicas=None,
            filled_replicas=None,
            spare_replicas=0,
            requests_per_s=None,
            basis=basis,
            quality=known.quality.get(model_id),
            format_loss=_loss(known, model_id, weight_format),
            as_of=row.as_of,
            source=row.source,
            row_id=row.row_id,
        )

    names = (*found.found.model_ids, *found.found.without_shape)
    most = found.limits.max_usd_per_month
    return others(facts, found.scenario, names, max_usd_per_month=most, line=line)


def best_of_models(facts: Facts, found: Swept, known: Context) -> list[Line]:
    """The cheapest rented deployment of unquantised weights and the cheapest API of every model.

    A quantised format never stands at the score of the unquantised weights.
    """
    whole = np.array([name in UNQUANTISED for name in found.weight_format], dtype=bool)
    places = np.nonzero(whole[found.format_at])[0] if len(found.format_at) else found.format_at
    _, first = np.unique(found.model[places], return_index=True)
    rented_lines = [_rented(facts, found, known, place) for place in places[first].tolist()]
    cheapest: dict[str | None, tuple[ApiOffer, float]] = {}
    for offer, usd in found.api:
        cheapest.setdefault(offer.model_id, (offer, usd))
    return [*rented_lines, *(_api(facts, found, offer, usd, known) for offer, usd in cheapest.values())]


def answer(found: Swept, listed: Sequence[Line], known: Context, besides: Others | None = None) -> str:
    """How many deployments beat today's bill at middle prices."""
    bill = known.today_usd_per_month
    cheaper = int((found.mid < bill).sum()) + sum(usd < bill for _, usd in found.api)
    cheaper += 0 if besides is None else int((besides.mid < bill).sum())
    return sweep_words.answer(
        listed,
        count=deployment_count(found, besides),
        cheaper_count=cheaper,
        today=known.today,
        today_usd=bill,
    )


def deployment_count(found: Swept, besides: Others | None = None) -> int:
    """Deployments of all kinds that are in."""
    return len(found.mid) + len(found.api) + (0 if besides is None else len(besides))


def alike_count(found: Swept, best: Line, besides: Others | None = None) -> int:
    """Deployments that cannot be told from the cheapest, itself left out."""
    high = best.usd_per_month.high
    more = 0 if besides is None else int((besides.low <= high).sum())
    return int((found.low <= high).sum()) + sum(usd <= high for _, usd in found.api) + more - 1


def changes(found: Swept, listed: Sequence[Line], known: Context, besides: Others | None = None) -> Iterator[str]:
    """What would change the answer."""
    yield from sweep_words.doubt_sentences(listed)
    if listed:
        yield from sweep_words.what_would_change(
            listed,
            today=known.today,
            today_usd=known.today_usd_per_month,
            requests_per_month=found.scenario.requests_per_month,
            alike_count=alike_count(found, listed[0], besides),
        )


def limit_sentences(found: Swept) -> Iterator[str]:
    """Why no GPU serves the model, where none does: too large, or slower than the limits with a single request."""
    fleet, rates = found.found.fleet, found.found.rates
    if len(found.mid):
        return
    if not len(fleet.model):
        if (fleet.out == Out.TOO_LARGE).any():
            yield "No GPU of the price list holds it in a format above the quality floor, not even eight of one kind."
        return
    if (rates.out != Out.NOT).all():
        ttft, tpot = np.nanmin(rates.ttft_ms), rates.tpot_ms.min()
        yield (
            f"No GPU keeps the limits with a single request: the quickest first token takes {ttft:,.0f} ms, the "
            f"quickest further token {tpot:,.1f} ms. Give more time, or a shorter request."
        )


def lines_table(found: list[Line]) -> Table:
    """The lines with their bands, bases and sources."""
    apart = cannot_be_told_apart(found)
    return Table(
        name="every-deployment",
        title="Every deployment, cheapest first",
        columns=(
            "kind", "model", "family", "deployment", "billing", "usd_per_month_low", "usd_per_month_mid",
            "usd_per_month_high", "saving_usd_per_month_low", "saving_usd_per_month_mid", "saving_usd_per_month_high",
            "like_the_cheapest", "score_of_unquantised_weights", "format_loss", "replicas",
            "requests_per_s_per_replica", "providers", "basis", "price_looks_wrong", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                one.kind, one.model_name, one.family, one.deployment, one.billing, one.usd_per_month.low,
                one.usd_per_month.mid, one.usd_per_month.high, one.saving_usd_per_month.low,
                one.saving_usd_per_month.mid, one.saving_usd_per_month.high, "yes" if same else "no",
                None if one.quality is None else one.quality.mid, one.format_loss, one.replicas, one.requests_per_s,
                one.provider_count, one.basis, one.doubt, one.as_of, one.source, one.row_id,
            )
            for one, same in zip(found, apart, strict=True)
        ),
    )  # fmt: skip
