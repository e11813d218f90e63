"""Families: who is left for a need, what each generation is, which frameworks know it, how large its community is."""

from collections.abc import Iterator, Sequence
from typing import Any

from llmcompare.core import families_words as words
from llmcompare.core.families import (
    FAMILIES,
    FAMILY_NAMES,
    Assessment,
    Generation,
    Group,
    assess,
    generations,
    span_text,
)
from llmcompare.core.frameworks import FEATURES, Feature, SupportCell, support_cells
from llmcompare.core.licence_matrix import POINTS, points
from llmcompare.core.licences import LicenceNeed, excluded_fields
from llmcompare.core.published import Licence
from llmcompare.core.tables import Cell, Table
from llmcompare.core.units import counted
from llmcompare.services.catalogue import Facts

USERS = 10_000_000
NEED = LicenceNeed(commercial_use=True, monthly_active_users=USERS, trains_other_models=True)
"""What is asked until something else is."""
PROSE = {
    "commercial use": "commercial_use", "monthly users": "monthly_active_user_cap",
    "training other models": "may_train_other_models", "visible notice": "attribution_required",
    "changing": "modification", "giving away": "redistribution", "fields": "field_of_use_limits",
}  # fmt: skip
"""Points of a licence by the column that says them in words."""


def assessed(facts: Facts, need: LicenceNeed) -> Assessment:
    """Every model of the three families against a need."""
    return assess(facts.models.values(), facts.licences, need)


def known_generations(facts: Facts) -> list[Generation]:
    """Generations with the useful contexts that were measured."""
    return generations(facts.models.values(), facts.published_scores)


def fields_of_use(facts: Facts) -> list[str]:
    """Fields that some licence excludes."""
    return sorted(frozenset().union(*(excluded_fields(one) or frozenset() for one in facts.licences.values())))


def cells(facts: Facts, feature: Feature) -> list[SupportCell]:
    """Every generation against every framework of which the feature may be asked."""
    return support_cells(known_generations(facts), facts.framework_support, facts.measured_engines, feature)


def model_sentence(found: Assessment, model_id: str) -> str | None:
    """The verdict on one model; None where it is of another family."""
    group = found.group_of(model_id)
    if group is None:
        return None
    model = next(model for model in group.models if model.model_id == model_id)
    return f"{model.display_name}, the model chosen beside, {words.STATE_VERBS[group.state]}."


# --- tables -----------------------------------------------------------------------------------------------------------


def verdict_table(found: Assessment) -> Table:
    """Licence by generation with the verdict, the clause and the address of the text."""
    return Table(
        name="licence-verdicts",
        title="Verdict for each licence and generation",
        columns=(
            "family", "generation", "verdict", "clause", "models", "licence", "text_url", "model_ids", "as_of",
            "source", "row_id",
        ),
        rows=tuple(
            (
                FAMILY_NAMES[group.family], group.generation, words.STATE_WORDS[group.state], group.reason,
                len(group.models), *_licence_cells(group),
            )
            for group in found.groups
        ),
    )  # fmt: skip


def _licence_cells(group: Group) -> tuple[Cell, ...]:
    ids = ", ".join(model.model_id for model in group.models)
    if group.licence is None:
        first = group.models[0]
        return (None, None, ids, first.as_of, first.source, first.row_id)
    one = group.licence
    return (one.name, one.url, ids, one.as_of, one.source, one.row_id)


def licence_table(facts: Facts) -> Table:
    """What each text says on each point, in our words."""
    return Table(
        name="licences",
        title="Licence texts in our words",
        columns=("licence", "text_url", "text_read", *PROSE, "as_of", "source", "row_id"),
        rows=tuple(
            (
                one.name, one.url, one.text_read, *(getattr(one, column) for column in PROSE.values()), one.as_of,
                one.source, one.row_id,
            )
            for one in licences(facts)
        ),
    )  # fmt: skip


def licences(facts: Facts) -> Iterator[Licence]:
    """Licences of the families."""
    used = {model.license_id for model in facts.models.values() if model.family in FAMILIES}
    return (one for one in facts.licences.values() if one.license_id in used)


def generation_table(facts: Facts, found: Assessment) -> Table:
    """Sizes, contexts, languages, files for llama.cpp and licences of each generation."""
    return Table(
        name="generations",
        title="Generations",
        columns=(
            "family", "generation", "released_on", "models", "params_total_billion", "context_native_tokens",
            "context_extended_tokens", "useful_context_tokens", "official_languages", "models_with_gguf",
            "licences", "verdicts",
        ),
        rows=tuple(_generation_cells(one, found) for one in known_generations(facts)),
    )  # fmt: skip


def _generation_cells(one: Generation, found: Assessment) -> tuple[Cell, ...]:
    groups = [group for group in found.groups if (group.family, group.generation) == (one.family, one.name)]
    extended = [model.context_extended_tokens for model in one.models if model.context_extended_tokens]
    return (
        FAMILY_NAMES[one.family], one.name, one.released_on, len(one.models),
        span_text([model.params_total_billion for model in one.models]),
        span_text([model.context_native_tokens for model in one.models]),
        _of_models(extended), _of_models([useful.tokens for useful in one.useful]),
        span_text([model.official_language_count for model in one.models]), one.gguf_count,
        "; ".join(dict.fromkeys(group.licence.name if group.licence else "not read" for group in groups)),
        "; ".join(dict.fromkeys(words.STATE_WORDS[group.state] for group in groups)),
    )  # fmt: skip


def _of_models(values: Sequence[float]) -> str | None:
    return f"{span_text(values)} ({counted(len(values), 'model')})" if values else None


def model_table(facts: Facts, found: Assessment) -> Table:
    """Every model with what is known of it and the verdict."""
    useful = {row.model.model_id: row.tokens for one in known_generations(facts) for row in one.useful}
    return Table(
        name="family-models",
        title="Models of the families",
        columns=(
            "family", "generation", "name", "verdict", "params_total_billion", "params_active_billion",
            "context_native_tokens", "context_extended_tokens", "useful_context_tokens", "official_languages",
            "languages", "gguf_repo", "licence", "released_on", "model_id", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                FAMILY_NAMES[group.family], group.generation, m.display_name, words.STATE_WORDS[group.state],
                m.params_total_billion, m.params_active_billion, m.context_native_tokens, m.context_extended_tokens,
                useful.get(m.model_id), m.official_language_count,
                m.language_note, m.gguf_repo, group.licence.name if group.licence else None, m.released_on, m.model_id,
                m.as_of, m.source, m.row_id,
            )
            for group in found.groups
            for m in group.models
        ),
    )  # fmt: skip


def useful_table(facts: Facts) -> Table:
    """The measured useful contexts with who measured them."""
    return Table(
        name="useful-contexts",
        title="Useful contexts, measured",
        columns=(
            "model_id", "useful_context_tokens", "meaning", "context_native_tokens", "context_extended_tokens",
            "setting", "published_by", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                r.model_id, useful.tokens, "at least" if useful.is_lower_bound else "longest",
                useful.model.context_native_tokens, useful.model.context_extended_tokens, r.setting, r.published_by,
                r.as_of, r.source, r.row_id,
            )
            for one in known_generations(facts)
            for useful in one.useful
            for r in (useful.row,)
        ),
    )  # fmt: skip


def support_table(facts: Facts, feature: Feature) -> Table:
    """Every cell of the matrix with the row that answers."""
    return Table(
        name=f"frameworks-{feature.replace(' ', '-')}",
        title=f"Frameworks: {feature}",
        columns=(
            "framework", "family", "generation", "feature", "support", "said_of", "note", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                c.framework, FAMILY_NAMES[c.family], c.generation, c.feature, c.support, c.said_of, c.note,
                *((c.row.as_of, c.row.source, c.row.row_id) if c.row else (None, "no source read", None)),
            )
            for c in cells(facts, feature)
        ),
    )  # fmt: skip


def community_table(facts: Facts) -> Table:
    """Sizes of communities and offers of support; a family without a figure that another has is unknown there."""
    named = dict.fromkeys((row.kind, row.metric) for row in facts.ecosystem)
    found = {(row.kind, row.metric, row.family): row for row in facts.ecosystem}
    rows: list[tuple[Cell, ...]] = []
    for kind, metric in named:
        for family in FAMILIES:
            row = found.get((kind, metric, family))
            rows.append(
                (metric, FAMILY_NAMES[family], row.figure, row.unit, row.statement, row.as_of, row.source, row.row_id)
                if row
                else (metric, FAMILY_NAMES[family], None, None, "unknown", None, "no source read", None)
            )
    return Table(
        name="community",
        title="Community and support",
        columns=("what", "family", "figure", "unit", "statement", "as_of", "source", "row_id"),
        rows=tuple(rows),
    )


# --- JSON -------------------------------------------------------------------------------------------------------------


def families_json(facts: Facts, found: Assessment) -> dict[str, Any]:
    """The answer of the page as plain values."""
    return {
        "asked": words.asked(found.need),
        "answer": words.answer(found),
        "no_advice": words.NO_ADVICE,
        "model_count": found.model_count,
        "left_count": found.count("allowed", "conditional"),
        "count_by_verdict": {state: found.count(state) for state in words.STATE_WORDS},
        "groups": [_group_json(group) for group in found.groups],
        "licences": [
            {"license_id": one.license_id, "name": one.name, "text_url": one.url,
             "points": {point: points(one)[point].word for point in POINTS}, "as_of": one.as_of, "source": one.source,
             "row_id": one.row_id}
            for one in licences(facts)
        ],
        "generations": _rows_json(generation_table(facts, found)),
        "useful_contexts": _rows_json(useful_table(facts)),
        "frameworks": [row for feature in FEATURES for row in _rows_json(support_table(facts, feature))],
        "community": _rows_json(community_table(facts)),
    }  # fmt: skip


def _group_json(group: Group) -> dict[str, Any]:
    one = group.licence
    return {
        "family": group.family,
        "generation": group.generation,
        "model_ids": [model.model_id for model in group.models],
        "state": group.state,
        "reason": group.reason,
        "clauses": [{"subject": c.subject, "state": c.state, "text": c.text} for c in group.verdict.clauses],
        "license_id": one.license_id if one else None,
        "licence": one.name if one else None,
        "text_url": one.url if one else None,
        "source": one.source if one else None,
        "row_id": one.row_id if one else None,
    }


def _rows_json(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]
