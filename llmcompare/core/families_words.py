"""Who is left for a need and who is out, in sentences."""

from collections.abc import Iterable, Iterator, Sequence

from llmcompare.core.families import FAMILIES, FAMILY_NAMES, Assessment, Generation, Ground, Group
from llmcompare.core.licences import USABLE, LicenceNeed, State
from llmcompare.core.phrases import sentence_start
from llmcompare.core.published import EcosystemFact
from llmcompare.core.units import count_text, counted

NO_ADVICE = (
    "This is a reading of the licence texts in our words and no legal advice: before you rely on it, read the text or "
    "ask a lawyer."
)
NAMED_ONE_BY_ONE = 4
STATE_WORDS: dict[State, str] = {
    "allowed": "allowed", "conditional": "on a condition", "unknown": "not known", "forbidden": "out",
}  # fmt: skip

STATE_VERBS: dict[State, str] = {
    "allowed": "is left", "conditional": "is left on a condition", "unknown": "does not count as left",
    "forbidden": "is out",
}  # fmt: skip


def asked(need: LicenceNeed) -> str:
    """The need in a sentence.

    >>> asked(LicenceNeed(commercial_use=True, monthly_active_users=1e7, trains_other_models=True))
    'Asked: commercial use, 10M monthly users, training other models that are offered to others.'
    """
    users, revenue = need.monthly_active_users, need.revenue_usd_per_month
    training = "training other models that are " + ("offered to others" if need.offers_trained_models else "kept")
    parts = (
        ("commercial use" if need.commercial_use else "use without a commercial aim", True),
        (f"{count_text(users or 0)} monthly users", users is not None),
        (f"a revenue of {count_text(revenue or 0)} USD a month", revenue is not None),
        (training, need.trains_other_models),
        ("no visible notice", not need.accepts_attribution),
        ("changing the weights", need.changes_weights),
        ("giving the weights away", need.gives_weights_away),
        ("selling access to the model or an assistant for work", need.sells_model_access),
        ("a seat in the European Union", need.based_in_eu),
        (f"use for: {', '.join(sorted(need.fields))}", bool(need.fields)),
        ("through an API alone", not need.runs_weights),
    )
    return f"Asked: {', '.join(text for text, holds in parts if holds)}."


def headline(found: Assessment) -> str:
    """How many models are left, and how many of them on a condition."""
    left, of = found.count(*USABLE), f"{counted(found.model_count, 'model')} of the three families"
    if not left:
        return f"None of {of} is left."
    free, bound = found.count("allowed"), found.count("conditional")
    how = (
        "all of them on conditions" if not free
        else "none of them on a condition" if not bound
        else f"{free} without a condition and {bound} on conditions"
    )  # fmt: skip
    return f"{left} of {of} {'is' if left == 1 else 'are'} left: {how}."


def families_sentence(found: Assessment) -> str:
    """Who is left of each family, and how many are unknown."""
    of = ", ".join(
        f"{found.count(*USABLE, family=family)} of {found.count(*STATE_WORDS, family=family)} {FAMILY_NAMES[family]}"
        for family in FAMILIES
    )
    unknown = found.count("unknown")
    text = f" Of {counted(unknown, 'model')} it is not known: they do not count as left." if unknown else ""
    return f"By family: {of} models.{text}"


def answer(found: Assessment) -> str:
    """The headline with the families."""
    return f"{headline(found)} {families_sentence(found)}"


def ground_sentence(ground: Ground) -> str:
    """Whom a reason holds for, and the reason."""
    found = names(ground.groups)
    named = listed(found)
    match ground.state:
        case "allowed":
            return f"{named}: no clause of the licence stands against it."
        case "conditional":
            return f"{named} {'is' if len(found) == 1 else 'are'} left on a condition. {ground.reason}"
        case "forbidden":
            return f"{named} {'is' if len(found) == 1 else 'are'} out. {ground.reason}"
    return f"{named} {'does' if len(found) == 1 else 'do'} not count as left. {ground.reason}"


def names(groups: Sequence[Group]) -> list[str]:
    """Generations, or the models where a group is not the whole of its generation."""
    found: dict[str, None] = {}
    for group in groups:
        if len(group.models) == group.generation_count:
            found[group.generation] = None
        elif len(group.models) <= NAMED_ONE_BY_ONE:
            found |= dict.fromkeys(short_name(model.display_name) for model in group.models)
        else:
            found[f"{group.generation} ({len(group.models)} of {group.generation_count} models)"] = None
    return list(found)


def listed(found: Sequence[str]) -> str:
    """Names in a row.

    >>> listed(["Llama 3", "Llama 4"]), listed(["QwQ"])
    ('Llama 3 and Llama 4', 'QwQ')
    """
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def short_name(display_name: str) -> str:
    """A model without what stands in brackets.

    >>> short_name("Ministral 3B (2410, weights not released)")
    'Ministral 3B'
    """
    return display_name.partition(" (")[0]


def community_sentences(rows: Sequence[EcosystemFact]) -> Iterator[str]:
    """One measure after the other: the figure of each family with its day, and the families without one."""
    for kind, metric in dict.fromkeys((row.kind, row.metric) for row in rows):
        by_family = {row.family: row for row in rows if (row.kind, row.metric) == (kind, metric)}
        parts = [
            f"{FAMILY_NAMES[family]}: {_figure(by_family[family])} ({by_family[family].as_of or 'undated'})."
            for family in FAMILIES
            if family in by_family
        ]
        unknown = [FAMILY_NAMES[family] for family in FAMILIES if family not in by_family]
        parts += [f"{listed(unknown)}: unknown."] if unknown else []
        yield f"{sentence_start(metric)}. {' '.join(parts)}"


def useful_sentence(generations: Iterable[Generation]) -> str:
    """In how many models the useful context was shorter than the stated one."""
    found = [useful for generation in generations for useful in generation.useful]
    shorter = [useful for useful in found if useful.is_shorter]
    if not shorter:
        return f"A useful context was measured for {counted(len(found), 'model')}."
    furthest = max(shorter, key=lambda useful: (useful.model.context_tokens or 0) / useful.tokens)
    return (
        f"A useful context was measured for {counted(len(found), 'model')}: in {len(shorter)} it is shorter than what "
        f"the vendor states, most of all in {furthest.model.display_name}, {furthest.tokens:,} of "
        f"{furthest.model.context_tokens or 0:,} tokens."
    )


def _figure(row: EcosystemFact) -> str:
    return row.statement if row.figure is None else f"{count_text(row.figure)} {row.unit}, {row.statement}"
