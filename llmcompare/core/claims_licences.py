"""Checks of what the guide says on licences."""

from collections.abc import Callable, Sequence

from llmcompare.core.claims_known import (
    Check,
    Evidence,
    Known,
    Verdict,
    VerdictName,
    combined,
    nothing,
    printed,
    row,
    share_verdict,
)
from llmcompare.core.claims_words import listed
from llmcompare.core.licences import excluded_fields
from llmcompare.core.published import Licence
from llmcompare.core.records import Claim, Model

FAMILIES = ("llama", "mistral", "qwen")
MARKS_OF_CREATIVE_COMMONS = ("creative commons", "cc-by", "cc by", "cc0")
MILITARY = "military"
NOT_READ = "The licence of {} was not read."


def _licences(known: Known, models: Sequence[Model]) -> list[Licence]:
    """Of these models, each once."""
    ids = dict.fromkeys(model.license_id for model in models if model.license_id in known.licences)
    return [known.licences[name] for name in ids if name is not None]


def _clause(
    known: Known, claim: Claim, field: Callable[[Licence], str | None], is_so: Callable[[Licence], bool]
) -> Verdict:
    """Whether a clause stands in every licence of the subject."""
    found = [licence for licence in _licences(known, known.named(claim.subject)) if field(licence) is not None]
    if not found:
        return nothing(NOT_READ.format(claim.subject))
    true = [licence for licence in found if is_so(licence)]
    return Verdict(
        verdict=share_verdict(len(true), len(found)),
        explanation=" ".join(f"{licence.name}: {field(licence)}." for licence in found),
        figures={"licences_with_the_clause": len(true), "licence_count": len(found)},
        evidence=tuple(row(licence, f"{licence.name}: {field(licence)}") for licence in found),
    )


def no_competing_models(known: Known, claim: Claim) -> Verdict:
    """That a licence bans training other models."""
    verdict = _clause(known, claim, lambda one: one.may_train_other_models, lambda one: one.training_others == "no")
    own = known.named(claim.subject)
    later = [
        model
        for model in (known.named(own[0].family) if own else [])
        if (model.released_on or "") > max(one.released_on or "" for one in own)
    ]
    changed = [
        (model, licence)
        for model in later
        for licence in _licences(known, [model])
        if licence.training_others not in (None, "no")
    ]
    if verdict.verdict != "holds" or not changed:
        return verdict
    model, licence = changed[0]
    return Verdict(
        verdict=verdict.verdict,
        explanation=(
            f"{verdict.explanation} The ban is gone since {model.generation} ({model.released_on}): "
            f"{licence.may_train_other_models}."
        ),
        figures={**verdict.figures, "later_licence_without_it": licence.name},
        evidence=(*verdict.evidence, row(licence, f"{licence.name}: {licence.may_train_other_models}")),
    )


def military(known: Known, claim: Claim) -> Verdict:
    """That a licence excludes military use."""
    return _clause(known, claim, lambda one: one.field_of_use_limits, _excludes_military)


def _excludes_military(licence: Licence) -> bool:
    return MILITARY in (excluded_fields(licence) or ())


def creative_commons(known: Known, claim: Claim) -> Verdict:
    """That a family's licence is a Creative Commons one."""
    models = known.named(claim.subject)
    found = _licences(known, models)
    if not found:
        return nothing(NOT_READ.format(claim.subject))
    true = [one for one in found if any(mark in one.name.lower() for mark in MARKS_OF_CREATIVE_COMMONS)]
    counts = [(one, sum(model.license_id == one.license_id for model in models)) for one in found]
    named = listed(f"{one.name} ({count} models)" for one, count in counts)
    return Verdict(
        verdict=share_verdict(len(true), len(found)),
        explanation=f"The licences of its models: {named}. {len(true)} of them are Creative Commons.",
        figures={"creative_commons_licences": len(true), "licence_count": len(found)},
        evidence=tuple(row(one, f"{one.name}: {count} models") for one, count in counts),
    )


# --- commercial use ---------------------------------------------------------------------------------------------------


def _by_use(known: Known, models: Sequence[Model]) -> dict[str, list[Model]]:
    """Models by what their licence says on commercial use; 'not read' where no row says it."""
    found: dict[str, list[Model]] = {"yes": [], "conditional": [], "no": [], "not read": []}
    for model in models:
        licence = known.licences.get(model.license_id or "")
        found[(licence and licence.commercial_use) or "not read"].append(model)
    return found


def _uses_in_words(by_use: dict[str, list[Model]]) -> str:
    return listed(f"{len(models)} {use}" for use, models in by_use.items() if models)


def _terms(licence: Licence) -> str:
    use = licence.commercial_use or "not read"
    limits = [licence.monthly_active_user_cap, licence.field_of_use_limits if use != "yes" else None]
    return "; ".join([f"{licence.name}: commercial use {use}", *(text for text in limits if text and text != "none")])


def _terms_of(known: Known, models: Sequence[Model]) -> tuple[Evidence, ...]:
    return tuple(row(licence, _terms(licence)) for licence in _licences(known, models))


def unrestricted(known: Known, claim: Claim) -> Verdict:
    """That every model of a family may be used commercially without restriction."""
    models = known.named(claim.subject)
    by_use = _by_use(known, models)
    read = len(models) - len(by_use["not read"])
    last = max((model.released_on or "" for model in by_use["no"]), default=None)
    return Verdict(
        verdict=share_verdict(len(by_use["yes"]), read),
        explanation=(
            f"Commercial use by the licences of {len(models)} models: {_uses_in_words(by_use)}. Without restriction: "
            f"{_licence_names(known, by_use['yes'])}. With one: "
            f"{_licence_names(known, [*by_use['conditional'], *by_use['no']])}."
        ),
        figures={
            "models_without_restriction": len(by_use["yes"]),
            "models_with_conditions": len(by_use["conditional"]),
            "models_without_commercial_use": len(by_use["no"]),
            "models_whose_licence_was_not_read": len(by_use["not read"]),
            "newest_model_without_commercial_use_released_on": last,
        },
        evidence=_terms_of(known, models),
    )


def _licence_names(known: Known, models: Sequence[Model]) -> str:
    return listed(licence.name for licence in _licences(known, models))


def _free(by_use: dict[str, list[Model]]) -> VerdictName:
    read = sum(len(models) for use, models in by_use.items() if use != "not read")
    if read and by_use["conditional"] and not by_use["no"]:
        return "partly"
    return share_verdict(len(by_use["yes"]), read)


def all_free(known: Known, claim: Claim) -> Verdict:
    """That every model of all three families may be used commercially without a fee."""
    uses = {family: _by_use(known, known.named(family)) for family in FAMILIES}
    words = ". ".join(f"{family.capitalize()}: {_uses_in_words(by_use)}" for family, by_use in uses.items())
    read = [by_use for by_use in uses.values() if any(models for use, models in by_use.items() if use != "not read")]
    figures = {
        f"{family}_models_{use.replace(' ', '_')}": len(models)
        for family, by_use in uses.items()
        for use, models in by_use.items()
    }
    return Verdict(
        verdict=combined(map(_free, read)) if read else "no-evidence",
        explanation=(
            f"Commercial use, models by what their licence says: {words}. Conditional is: up to a number of users, "
            "or with notices; no is: research alone, or on request and then against a fee."
        ),
        figures=figures,
        evidence=_terms_of(known, [model for family in FAMILIES for model in known.named(family)]),
    )


def costs_nothing(known: Known, claim: Claim) -> Verdict:
    """That serving a model to customers costs nothing in licences."""
    found = _licences(known, known.named(claim.subject))
    uses = [licence.commercial_use for licence in found if licence.commercial_use is not None]
    if not uses:
        return nothing(NOT_READ.format(claim.subject))
    verdict: VerdictName = "contradicted" if "no" in uses else "partly" if "conditional" in uses else "holds"
    conditions = [
        f"{licence.name}: commercial use {licence.commercial_use or 'not read'}; cap of monthly users: "
        f"{licence.monthly_active_user_cap or 'not read'}; attribution: {licence.attribution_required or 'not read'}. "
        "No row names a fee below the cap."
        for licence in found
    ]
    return Verdict(
        verdict=verdict,
        explanation=" ".join(conditions),
        figures={"claimed_usd": float(printed(claim)[0]), "commercial_use": listed(uses)},
        evidence=tuple(row(licence, _terms(licence)) for licence in found),
    )


CHECKS: dict[str, Check] = {
    "llama-licence-no-competing": no_competing_models,
    "llama-licence-military": military,
    "mistral-licence-unrestricted": unrestricted,
    "qwen-licence-cc": creative_commons,
    "all-free-commercial": all_free,
    "self-hosting-zero-licence": costs_nothing,
}
"""By statement."""
