"""Checks of what the guide says on sizes and contexts of models."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

from llmcompare.core.claims_known import (
    Check,
    Known,
    Verdict,
    Version,
    equal,
    given,
    nothing,
    over_versions,
    printed,
    row,
)
from llmcompare.core.claims_words import grouped, listed, number, said
from llmcompare.core.records import Claim, Model
from llmcompare.core.units import count_text

NOMINAL = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)B\b")
"""A size as a part of a name: 72B, not the 3B of A3B and not the 7B of 8x7B."""
ROWS_SHOWN = 6


def sizes_billion(model: Model) -> list[str]:
    """What may be called the size of a model: the published count of parameters, and the size in its name.

    >>> NOMINAL.findall("Qwen3 30B-A3B"), NOMINAL.findall("Mixtral 8x7B")
    (['30'], [])
    """
    published = [] if model.params_total_billion is None else [f"{model.params_total_billion:g}"]
    return [*published, *NOMINAL.findall(model.display_name)]


def _has_size(model: Model, claimed: str) -> bool:
    return any(equal(claimed, float(size)) for size in sizes_billion(model))


def size(known: Known, claim: Claim) -> Verdict:
    """One size for every version of a model."""
    models = known.named(claim.subject)
    if not models:
        return nothing(f"No row of the models table fits {claim.subject}.")
    (claimed,) = printed(claim)
    versions = [
        Version(
            released_on=model.released_on,
            is_true=_has_size(model, claimed) if sizes_billion(model) else None,
        )
        for model in models
    ]  # fmt: skip
    verdict, changed_on = over_versions(versions, asked_on=claim.as_of)
    sized = [model for model in models if sizes_billion(model)]
    unsized = [model.display_name for model in models if not sizes_billion(model)]
    parts = [f"Published sizes: {_sizes_in_words(sized)}." if sized else "No size is published."]
    if unsized:
        parts.append(f"Not published for {listed(unsized)}.")
    if verdict in ("contradicted", "no-evidence"):
        parts.append(_who_has(known, models[0].family, claimed))
    if verdict == "no-evidence" and sized:
        parts.append("What came after the guide does not say whether it was right.")
    return Verdict(
        verdict=verdict,
        explanation=" ".join(filter(None, parts)),
        figures={
            "claimed_params_total_billion": float(claimed),
            "published_params_total_billion": sorted({float(sizes_billion(model)[0]) for model in sized}),
            "changed_on": changed_on,
        },
        evidence=tuple(row(model, _size_in_words(model)) for model in models),
    )


def _who_has(known: Known, family: str, claimed: str) -> str:
    others = [model for model in known.named(family) if _has_size(model, claimed)]
    names = list(dict.fromkeys(model.generation for model in others))
    return f"{said_size(claimed)} is the size of {listed(names)}." if names else ""


def said_size(claimed: str) -> str:
    """A size as one writes it."""
    return f"{claimed}B"


def _size_in_words(model: Model) -> str:
    size = model.params_total_billion
    return f"{model.display_name}: {'size not published' if size is None else f'{size:g} billion parameters'}"


def _sizes_in_words(models: Sequence[Model]) -> str:
    return grouped((f"{float(sizes_billion(model)[0]):g}B", model.display_name) for model in models)


# --- which sizes there are --------------------------------------------------------------------------------------------


def _generations(models: Sequence[Model]) -> Mapping[str, list[Model]]:
    ordered = sorted(models, key=lambda model: model.generation)
    return {name: list(group) for name, group in groupby(ordered, key=lambda model: model.generation)}


def all_sizes(known: Known, claim: Claim) -> Verdict:
    """A list of sizes, and no other ones."""
    models = known.named(claim.subject)
    if not models:
        return nothing(f"No row of the models table fits {claim.subject}.")
    claimed = printed(claim)
    missing = given(claim, "missing_size_billion")
    found = sorted({float(sizes_billion(model)[0]) for model in models if sizes_billion(model)})
    are_there = [text for text in claimed if any(_has_size(model, text) for model in models)]
    others = [model for model in models if not any(_has_size(model, text) for text in claimed)]
    against = [model for model in models if missing is not None and _has_size(model, f"{missing:g}")]
    is_exact = len(are_there) == len(claimed) and not others and not against
    extra = f" Besides: {_sizes_in_words(others)}." if others else " There is no other size."
    return Verdict(
        verdict="holds" if is_exact else "partly" if are_there else "contradicted",
        explanation=(
            f"{len(are_there)} of the {len(claimed)} sizes that the guide names are published ({listed(are_there)} "
            f"billion).{extra}"
        ),
        figures={
            "claimed_params_total_billion": [float(text) for text in claimed],
            "published_params_total_billion": found,
        },
        evidence=tuple(row(model, _size_in_words(model)) for model in models),
    )


def sizes_of_generations(known: Known, claim: Claim) -> Verdict:
    """A list of sizes for a family whose generations come in different ones."""
    generations = _generations(known.named(claim.subject))
    if not generations:
        return nothing(f"No row of the models table fits {claim.subject}.")
    claimed = printed(claim)

    def has(models: Sequence[Model], text: str) -> bool:
        return any(_has_size(model, text) for model in models)

    complete = [name for name, models in generations.items() if all(has(models, text) for text in claimed)]
    exact = [
        name
        for name in complete
        if all(any(_has_size(model, text) for text in claimed) for model in generations[name])
    ]  # fmt: skip
    some = any(has(models, text) for models in generations.values() for text in claimed)
    is_exact = len(exact) == len(generations)
    more = {
        name: len({sizes_billion(model)[0] for model in generations[name] if sizes_billion(model)}) for name in complete
    }
    sizes = listed(f"{name} in {count} sizes" for name, count in more.items())
    shown = [model for name in complete for model in generations[name]] or [
        model for models in generations.values() for model in models
    ]
    return Verdict(
        verdict="holds" if is_exact else "partly" if some else "contradicted",
        explanation=(
            f"All of {said(claim)} billion came in {len(complete)} of {len(generations)} generations"
            f"{f': {sizes}' if complete else ''}. {len(exact)} came in these sizes alone."
        ),
        figures={
            "claimed_params_total_billion": [float(text) for text in claimed],
            "generations_with_all_of_them": complete,
            "generation_count": len(generations),
        },
        evidence=tuple(row(model, _size_in_words(model)) for model in shown),
    )


# --- context ----------------------------------------------------------------------------------------------------------


def _context_in_words(model: Model) -> str:
    native, extended = model.context_native_tokens, model.context_extended_tokens
    if native is None:
        return f"{model.display_name}: context not published"
    longer = f", {extended:,} extended" if extended else ""
    return f"{model.display_name}: {native:,} tokens{longer}"


def _contexts_in_words(models: Sequence[Model]) -> str:
    known = [model for model in models if model.context_native_tokens is not None]
    return grouped((f"{model.context_native_tokens:,} tokens", model.display_name) for model in known)


def native_context(known: Known, claim: Claim) -> Verdict:
    """One native context for every version of a model."""
    models = known.named(claim.subject)
    (claimed,) = printed(claim)
    versions = [
        Version(
            released_on=model.released_on,
            is_true=None if model.context_native_tokens is None else equal(claimed, model.context_native_tokens),
        )
        for model in models
    ]
    verdict, changed_on = over_versions(versions, asked_on=claim.as_of)
    if verdict == "no-evidence":
        return nothing(f"No row of the models table says how long a context {claim.subject} takes.")
    since = f" No longer since {changed_on}." if changed_on else ""
    return Verdict(
        verdict=verdict,
        explanation=f"Native contexts: {_contexts_in_words(models)}.{since}",
        figures={
            "claimed_tokens": int(float(claimed)),
            "published_tokens": [float(m.context_native_tokens) for m in models if m.context_native_tokens],
            "changed_on": changed_on,
        },
        evidence=tuple(row(model, _context_in_words(model)) for model in models),
    )


def reached_context(known: Known, claim: Claim) -> Verdict:
    """A context that versions of a family reach."""
    models = [model for model in known.named(claim.subject) if model.context_tokens is not None]
    if not models:
        return nothing(f"No row of the models table says how long a context {claim.subject} takes.")
    (claimed,) = printed(claim)
    limits = {model.model_id: float(model.context_tokens or 0) for model in models}
    exactly = [model for model in models if equal(claimed, limits[model.model_id])]
    beyond = [model for model in models if limits[model.model_id] >= float(claimed)]
    first = min(beyond, key=lambda model: model.released_on or "9", default=None)
    explanation = f"{len(exactly)} of {len(models)} models have this limit."
    if first is not None:
        explanation += (
            f" {len(beyond)} go beyond it, the first was {first.display_name} ({first.released_on}) with "
            f"{first.context_tokens or 0:,} tokens; the others end at {_longest_below(limits, float(claimed))} or less."
        )
    shown = exactly or ([first] if first else []) + models[:ROWS_SHOWN]
    return Verdict(
        verdict="holds" if exactly else "partly" if beyond else "contradicted",
        explanation=explanation,
        figures={
            "claimed_tokens": int(float(claimed)),
            "models_with_this_limit": len(exactly),
            "models_beyond_it": len(beyond),
            "model_count": len(models),
            "published_limits_tokens": sorted(set(limits.values())),
        },
        evidence=tuple(row(model, _context_in_words(model)) for model in shown),
    )


def _longest_below(limits: Mapping[str, float], claimed: float) -> str:
    return number(max((limit for limit in limits.values() if limit < claimed), default=0))


def no_long_context(known: Known, claim: Claim) -> Verdict:
    """That the vendor published no version with a longer context."""
    models = known.named(claim.subject)
    if not models:
        return nothing(f"No row of the models table fits {claim.subject}.")
    limit = float(printed(claim)[0])
    own = [model for model in models if (model.context_tokens or 0) >= limit]
    last = max(model.released_on or "" for model in models)
    later = [
        model
        for model in known.named(models[0].family)
        if (model.context_tokens or 0) >= limit and (model.released_on or "") > last
    ]
    first = later[0] if later else None
    explanation = f"{models[0].generation} itself takes {count_text(models[0].context_tokens or 0)} tokens."
    if first is not None:
        explanation += (
            f" {first.generation} came on {first.released_on} from the same vendor with {first.context_tokens or 0:,} "
            f"tokens, and {len({model.generation for model in later})} generations with such a context since."
        )
    return Verdict(
        verdict="contradicted" if own else "outdated" if first else "holds",
        explanation=explanation,
        figures={
            "claimed_tokens": int(limit),
            "published_tokens": [float(m.context_tokens) for m in models if m.context_tokens],
            "later_tokens": float(first.context_tokens) if first and first.context_tokens else None,
            "changed_on": None if first is None else first.released_on,
        },
        evidence=tuple(row(model, _context_in_words(model)) for model in [*models, *later[:ROWS_SHOWN]]),
    )


CHECKS: dict[str, Check] = {
    "mistral-large-34b": size,
    "mistral-large-72b": size,
    "mistral-small-12b": size,
    "mistral-medium-35b": size,
    "llama-3-two-sizes": all_sizes,
    "qwen-sizes": sizes_of_generations,
    "llama-3-context-8k": native_context,
    "mistral-large-context-32k": native_context,
    "qwen-context-200k": reached_context,
    "llama-no-official-long-context": no_long_context,
}
"""By statement."""
