"""What is out of a sweep, with the reason of each, and the whole sweep as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from llmcompare.core.fleet import Out
from llmcompare.core.sweep_words import REASONS, WITHOUT_SHAPE, Line, cannot_be_told_apart
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.core.weights import weights_bytes
from llmcompare.services.catalogue import Facts
from llmcompare.services.sweep import Swept
from llmcompare.services.sweep_lines import Context, answer, deployment_count
from llmcompare.services.sweep_others import Others


def counts_out(found: Swept, besides: Others | None = None) -> dict[str, int]:
    """How many deployments are out for each reason, the commonest first."""
    counts: Counter[str] = Counter()
    codes, sizes = np.unique(found.found.fleet.out, return_counts=True)
    for code, size in zip(codes.tolist(), sizes.tolist(), strict=True):
        if code != Out.NOT:
            counts[REASONS[Out(code)]] += size
    for code in (Out.TTFT, Out.TPOT):
        counts[REASONS[code]] += int((found.found.rates.out == code).sum())
    _, _, of_class = found.unpriced
    for at, billing in enumerate(found.limits.billings):
        counts[f"{REASONS[Out.NO_PRICE]}: {billing}"] += int((of_class == at).sum())
    counts[REASONS[Out.OVER_BUDGET]] += len(found.over_budget[0])
    counts[REASONS[Out.NOT_HERE]] += len(found.not_here[0])
    for reason, size in ({} if besides is None else besides.counts_out).items():
        counts[f"serverless or own: {reason}"] += size
    for _, reason in found.api_out:
        counts[f"API: {reason}"] += 1
    counts[WITHOUT_SHAPE] += len(found.found.without_shape)
    for _, reason in found.models_out:
        counts[reason] += 1
    return {reason: size for reason, size in counts.most_common() if size}


OUT_COLUMNS = ("model_id", "weight_format", "gpu_id", "gpu_count", "engine", "billing", "reason")


def out_rows(found: Swept, besides: Others | None = None) -> Iterator[tuple[str | int | None, ...]]:
    """Every deployment that is out, in the order of OUT_COLUMNS, with the value behind the reason.

    What an engine serves on no GPU stands there once for all GPUs.
    """
    fleet = found.found.fleet
    axes, ids = fleet.axes, found.found.model_ids
    never = np.all(fleet.out == Out.NOT_SERVED, axis=(0, 2)) if fleet.out.size else np.zeros((0, 0), dtype=bool)
    for form, engine in zip(*(part.tolist() for part in np.nonzero(never)), strict=True):
        yield None, axes.formats[form], None, None, axes.engines[engine], None, REASONS[Out.NOT_SERVED]
    for model, form, gpu, engine in zip(*(part.tolist() for part in np.nonzero(fleet.out)), strict=True):
        if never[form, engine]:
            continue
        code = Out(int(fleet.out[model, form, gpu, engine]))
        reason = _reason(found, code, model, form, gpu)
        yield ids[model], axes.formats[form], axes.gpus[gpu].gpu_id, None, axes.engines[engine], None, reason
    yield from _slow_rows(found)
    yield from _unpriced_rows(found)
    if besides is not None:
        yield from besides.out_rows()


def _reason(found: Swept, code: Out, model: int, form: int, gpu: int) -> str:
    fleet = found.found.fleet
    shape, name = fleet.axes.models[model], fleet.axes.formats[form]
    if code == Out.UNDER_FLOOR:
        return f"{fleet.bits[model, form]:.2f} bits per weight: {REASONS[code]}"
    if code == Out.TOO_LARGE:
        held = weights_bytes(shape, format_name=name) / BYTES_PER_GIB
        return f"{held:,.0f} GiB of weights, {fleet.axes.gpus[gpu].memory_gb:g} GB a GPU: {REASONS[code]}"
    if code == Out.BEYOND_CONTEXT:
        longest = shape.context_extended_tokens or shape.context_native_tokens or 0
        return f"{found.found.request_tokens[model]:,} tokens of {longest:,}: {REASONS[code]}"
    return REASONS[code]


def _slow_rows(found: Swept) -> Iterator[tuple[str | int | None, ...]]:
    fleet, rates = found.found.fleet, found.found.rates
    axes, ids = fleet.axes, found.found.model_ids
    for place in np.nonzero(rates.out)[0].tolist():
        code = Out(int(rates.out[place]))
        value = rates.ttft_ms[place] if code == Out.TTFT else rates.tpot_ms[place]
        yield (
            ids[fleet.model[place]], axes.formats[fleet.weight_format[place]], axes.gpus[fleet.gpu[place]].gpu_id,
            int(fleet.gpu_count[place]), axes.engines[fleet.engine[place]], None, f"{value:,.0f} ms: {REASONS[code]}",
        )  # fmt: skip


def _unpriced_rows(found: Swept) -> Iterator[tuple[str | int | None, ...]]:
    columns, without, of_class = found.unpriced
    over, over_class = found.over_budget
    axes, ids = found.found.fleet.axes, found.found.model_ids
    left_out = (
        (Out.NO_PRICE, without, of_class),
        (Out.OVER_BUDGET, over, over_class),
        (Out.NOT_HERE, *found.not_here),
    )
    for code, places, classes in left_out:
        for place, billing in zip(places.tolist(), classes.tolist(), strict=True):
            yield (
                ids[int(columns["model"][place])], found.weight_format[int(columns["format"][place])],
                axes.gpus[int(columns["gpu"][place])].gpu_id, int(columns["gpu_count"][place]),
                found.engine[int(columns["engine"][place])], found.limits.billings[billing], REASONS[code],
            )  # fmt: skip


def sweep_json(facts: Facts, found: Swept, known: Context, listed: Sequence[Line], besides: Others) -> dict[str, Any]:
    """Ranked deployments, and each one that is out with its reason, as rows under their columns."""
    return {
        "answer": answer(found, listed, known, besides),
        "today": {"label": known.today, "usd_per_month": known.today_usd_per_month},
        "deployment_count": deployment_count(found, besides),
        "deployments": [
            {"rank": rank, "cannot_be_told_from_the_cheapest": same, **_line_json(line)}
            for rank, (line, same) in enumerate(zip(listed, cannot_be_told_apart(listed), strict=True), start=1)
        ],
        "out_counts": counts_out(found, besides),
        "out_columns": OUT_COLUMNS,
        "out": list(out_rows(found, besides)),
        "out_apis": [
            {"api": offer.offer_id, "model_id": offer.model_id, "reason": why} for offer, why in found.api_out
        ],
        "out_models": [
            *({"model_id": name, "reason": WITHOUT_SHAPE} for name in found.found.without_shape),
            *({"model_id": name, "reason": reason} for name, reason in found.models_out),
        ],
        "catalogue": facts.catalog.fingerprint,
    }


def _line_json(line: Line) -> dict[str, Any]:
    found = {name: getattr(line, name) for name in line.__dataclass_fields__}
    for name in ("usd_per_month", "saving_usd_per_month", "quality"):
        band = found[name]
        found[name] = None if band is None else {"low": band.low, "mid": band.mid, "high": band.high}
    found["score_of_unquantised_weights"] = found.pop("quality")
    return found
