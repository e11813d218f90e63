"""An advice as tables and as JSON."""

from typing import Any

from llmcompare.core import advice_words as words
from llmcompare.core.advice_assumptions import assumptions
from llmcompare.core.advised import OUT_COLUMNS, Advice, Line
from llmcompare.core.tables import Table
from llmcompare.core.units import rounded
from llmcompare.services.catalogue import Facts
from llmcompare.services.overview import FAMILIES


def gpu_names(facts: Facts) -> dict[str, str]:
    """Names of GPUs without their vendor, by id."""
    return {gpu.gpu_id: gpu.name_without_vendor for gpu in facts.gpus.values()}


def line_table(facts: Facts, found: Advice, *, most: int | None = None) -> Table:
    """Deployments within all limits, those worth most first."""
    names = gpu_names(facts)
    return Table(
        name="advice",
        title="Deployments by worth",
        columns=(
            "rank", "model", "family", "deployment", "points", "chance_fraction", "ability_percent_low",
            "ability_percent_mid", "ability_percent_high", "usd_per_month", "tokens_per_s_of_one_request",
            "cold_start_fraction", "quality_in_this_format", "basis", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                rank, line.model.display_name, line.model.family,
                words.deployment_text(line, names.get(line.gpu_id or "")), rounded(line.points), line.chance,
                rounded(line.ability.low), rounded(line.ability.mid), rounded(line.ability.high),
                rounded(line.usd_per_month), None if line.tokens_per_s is None else rounded(line.tokens_per_s),
                None if line.cold_fraction is None else rounded(line.cold_fraction),
                words.format_text(line, found.need), words.basis_text(line), line.model.as_of, line.model.source,
                line.model.row_id,
            )
            for rank, line in enumerate(found.lines[:most], start=1)
        ),
    )  # fmt: skip


def out_table(found: Advice) -> Table:
    """Every model that is out, and the limit that removes it."""
    return Table(
        name="advice-out",
        title="Models that are out, and why",
        columns=("model", "family", "limit", "reason", "text_url", "as_of", "source", "row_id"),
        rows=tuple(
            (
                one.model.display_name, one.model.family, words.LIMIT_WORDS[one.limit], one.reason, one.url,
                one.model.as_of, one.model.source, one.model.row_id,
            )
            for one in found.out_models
        ),
    )  # fmt: skip


def advice_json(facts: Facts, found: Advice, *, most: int = 50) -> dict[str, Any]:
    """The whole advice, and every deployment that is out with the first limit that it breaks."""
    names = gpu_names(facts)
    return {
        "answer": words.headline(found, names),
        "reasons": list(words.reasons(found, names)),
        "families": {family: words.family_sentence(found, family) for family in FAMILIES},
        "chance_of_family": found.chance_by("family"),
        "chance_of_model": found.chance_by("model_id"),
        "deployments": [{"rank": rank, **_line_json(line)} for rank, line in enumerate(found.lines[:most], start=1)],
        "best_of_each_way": [_line_json(line) for line in found.best_of_kinds],
        "deployment_count": found.deployment_count,
        "changes": [
            {"input": flip.input, "now": flip.now, "then": flip.then, "first": line and _line_json(line)}
            for flip, line in found.flips
        ],
        "without_limit": [
            {
                "limit": one.limit, "first": _line_json(one.line), "gain_points": one.gain_points,
                "loss_points": one.loss_points,
            }
            for one in found.limit_flips
        ],
        "left": [{"limit": limit, "models": dict(counts)} for limit, counts in found.left],
        "out_models": [
            {"model_id": one.model.model_id, "limit": one.limit, "reason": one.reason, "url": one.url}
            for one in found.out_models
        ],
        "out_counts": dict(found.out_counts),
        "out_columns": OUT_COLUMNS,
        "out": list(found.out_rows()),
        "assumptions": [
            {"name": one.name, "value": one.value, "meaning": one.meaning}
            for one in assumptions(found.need, found.scenario)
        ],
        "catalogue": facts.catalog.fingerprint,
    }  # fmt: skip


def _line_json(line: Line) -> dict[str, Any]:
    ability = {"low": line.ability.low, "mid": line.ability.mid, "high": line.ability.high}
    return {
        "model_id": line.model.model_id, "family": line.model.family, "kind": line.kind, "gpu_id": line.gpu_id,
        "gpu_count": line.gpu_count, "engine": line.engine, "weight_format": line.weight_format,
        "points": line.points, "parts": dict(line.parts), "ability_percent": ability,
        "usd_per_month": line.usd_per_month, "tokens_per_s_of_one_request": line.tokens_per_s,
        "chance_fraction": line.chance, "rate_is_measured": line.measured,
        "cold_start_fraction": line.cold_fraction,
    }  # fmt: skip
