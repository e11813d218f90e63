"""Who may use which model: a licence text against a need, clause by clause. This is no legal advice.

A clause is allowed, allowed on a condition, forbidden, or unknown because nobody read it here. The worst of them is the
verdict, and unknown is worse than a condition: what was not read never counts as allowed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from llmcompare.core.phrases import sentence_start
from llmcompare.core.published import Answer, Licence
from llmcompare.core.records import Model
from llmcompare.core.units import count_text
from llmcompare.errors import InputError

State = Literal["allowed", "conditional", "unknown", "forbidden"]
STATES: tuple[State, ...] = ("allowed", "conditional", "unknown", "forbidden")
"""From best to worst."""
USABLE: tuple[State, ...] = ("allowed", "conditional")
NONE = "none"
NOTICE = "the notice that it asks for must be seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceNeed:
    """What somebody wants to do with a model. The defaults ask for as little as possible."""

    commercial_use: bool = False
    monthly_active_users: float | None = None
    """Of all products of the company; None where it is not said."""
    revenue_usd_per_month: float | None = None
    """Worldwide, of the company and its group; None where it is not said."""
    trains_other_models: bool = False
    """Whether models of other families are trained with its weights or outputs."""
    offers_trained_models: bool = True
    """Whether the models trained so are given or offered to others."""
    accepts_attribution: bool = True
    """Whether products may say, and names of models may show, what they are made from."""
    changes_weights: bool = False
    """Fine-tuning, merging, quantising."""
    gives_weights_away: bool = False
    sells_model_access: bool = False
    """Whether others get inference or fine-tuning, or an assistant for coding or office work, as a product."""
    based_in_eu: bool = False
    fields: frozenset[str] = frozenset()
    """Fields of use that licences name, as 'military'."""
    runs_weights: bool = True
    """False where only an API is used: the weights need not be published then."""

    def __post_init__(self) -> None:
        for what, value in (
            ("the number of users a month", self.monthly_active_users),
            ("the revenue in USD a month", self.revenue_usd_per_month),
        ):
            if value is not None and not (isfinite(value) and value >= 0):
                raise InputError(f"{what} is {value}: give a number from 0 on, or none.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What a licence says on one point of a need."""

    subject: str
    state: State
    text: str
    """The clause in our words, or the condition; begins with a small letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceVerdict:
    """Whether a model may be used for a need, and the clauses that say so."""

    state: State
    clauses: tuple[Clause, ...]
    """Every point of the need, in the order in which they are asked."""
    url: str | None
    """Of the licence text; None where it is not known which licence holds."""

    @property
    def is_usable(self) -> bool:
        """Whether it may be used, be it on conditions."""
        return self.state in USABLE

    @property
    def deciding(self) -> tuple[Clause, ...]:
        """The clauses that make the state what it is."""
        return tuple(clause for clause in self.clauses if clause.state == self.state)

    @property
    def reason(self) -> str:
        """Why, in a sentence or two."""
        if self.state == "allowed":
            return "No clause of its licence stands against it."
        return " ".join(f"{sentence_start(clause.text)}." for clause in self.deciding)


def verdict(licence: Licence | None, need: LicenceNeed, model: Model) -> LicenceVerdict:
    """What the licence of a model says on a need; without a licence the answer is unknown."""
    if licence is None:
        clause = Clause(subject="licence", state="unknown", text=f"the licence of {model.display_name} was not read")
        return LicenceVerdict(state="unknown", clauses=(clause,), url=None)
    clauses = tuple(_clauses(licence, need, model))
    return LicenceVerdict(
        state=max((clause.state for clause in clauses), key=STATES.index), clauses=clauses, url=licence.url
    )


def excluded_fields(licence: Licence) -> frozenset[str] | None:
    """Fields in which a licence excludes use; None where that was not read."""
    if licence.excluded_fields is None:
        return None
    return frozenset(licence.excluded_fields.split(";")) - {NONE}


def _clauses(licence: Licence, need: LicenceNeed, model: Model) -> Iterator[Clause]:
    yield _text_read(licence)
    if need.runs_weights and licence.weights_published == "no":
        yield Clause(subject="weights", state="forbidden", text="the weights are not published")
    yield _commercial_use(licence, need)
    yield _users(licence, need)
    yield from _revenue(licence, need)
    yield from _model_access(licence, need)
    yield from _training(licence, need)
    yield from _notice(licence, need)
    if need.changes_weights:
        yield _right("changing the weights", licence.changing, licence.modification)
    if need.gives_weights_away:
        yield _right("giving the weights away", licence.giving_away, licence.redistribution)
    yield from _eu(licence, need, model)
    yield from _fields(licence, need)


def _text_read(licence: Licence) -> Clause:
    if licence.text_read == "yes":
        return Clause(subject="text", state="allowed", text="the whole text was read")
    if licence.text_read == "partly":
        return Clause(
            subject="text", state="conditional", text="the text was read in part, and the rest may ask for more"
        )
    return Clause(subject="text", state="unknown", text=f"the text of the {licence.name} was not read")


def _commercial_use(licence: Licence, need: LicenceNeed) -> Clause:
    subject = "commercial use"
    limits = licence.field_of_use_limits or "it is for research alone"
    match licence.commercial_use:
        case None:
            return Clause(subject=subject, state="unknown", text="whether it allows commercial use was not read")
        case "no" if need.commercial_use:
            return Clause(subject=subject, state="forbidden", text=f"no commercial use: {limits}")
        case "no":
            return Clause(subject=subject, state="conditional", text=f"without commercial use: {limits}")
    return Clause(subject=subject, state="allowed", text="commercial use is allowed")


def _users(licence: Licence, need: LicenceNeed) -> Clause:
    subject, cap, users = "users", licence.user_cap_count, need.monthly_active_users
    if licence.monthly_active_user_cap is None:
        return Clause(subject=subject, state="unknown", text="whether it limits the number of users was not read")
    if cap is None:
        return Clause(subject=subject, state="allowed", text="it does not limit the number of users")
    limit = f"up to {licence.monthly_active_user_cap}"
    if users is None:
        return Clause(subject=subject, state="conditional", text=limit)
    if users <= cap:
        return Clause(subject=subject, state="allowed", text=f"{count_text(users)} users are within its limit: {limit}")
    taken = " (taken to be those of that day)" if licence.user_cap_counted == "release date" else ""
    return Clause(subject=subject, state="forbidden", text=f"{count_text(users)} users{taken} are too many: {limit}")


def _revenue(licence: Licence, need: LicenceNeed) -> Iterator[Clause]:
    cap, revenue = licence.revenue_cap_usd_per_month, need.revenue_usd_per_month
    if cap is None:
        return
    limits = licence.field_of_use_limits or f"up to {count_text(cap)} USD a month"
    if revenue is None:
        text = f"only with a revenue of at most {count_text(cap)} USD a month: {limits}"
        yield Clause(subject="revenue", state="conditional", text=text)
    elif revenue > cap:
        text = f"a revenue of {count_text(revenue)} USD a month is too much: {limits}"
        yield Clause(subject="revenue", state="forbidden", text=text)
    else:
        yield Clause(
            subject="revenue", state="allowed", text=f"the revenue is within its limit of {count_text(cap)} USD"
        )


def _model_access(licence: Licence, need: LicenceNeed) -> Iterator[Clause]:
    if licence.separate_licence_for is None or licence.separate_licence_for == NONE or not need.commercial_use:
        return
    limits = licence.field_of_use_limits or licence.separate_licence_for
    if need.sells_model_access:
        yield Clause(subject="kind of business", state="forbidden", text=f"a separate licence is needed: {limits}")
    else:
        text = f"a separate licence is needed for some kinds of business: {limits}"
        yield Clause(subject="kind of business", state="conditional", text=text)


def _training(licence: Licence, need: LicenceNeed) -> Iterator[Clause]:
    if not need.trains_other_models:
        return
    subject, terms = "training other models", _terms(licence.may_train_other_models)
    match licence.training_others:
        case None:
            yield Clause(subject=subject, state="unknown", text="whether it allows training other models was not read")
        case "no":
            yield Clause(subject=subject, state="forbidden", text=f"no training of other models: {terms}")
        case "yes":
            yield Clause(subject=subject, state="allowed", text="training other models is allowed")
        case "conditional" if licence.training_condition_binds == "offered" and not need.offers_trained_models:
            text = "training other models is allowed where they are not offered to others"
            yield Clause(subject=subject, state="allowed", text=text)
        case "conditional" if licence.training_condition_binds == "offered" and not need.accepts_attribution:
            yield Clause(subject=subject, state="forbidden", text=f"training other models asks for a name: {terms}")
        case "conditional":
            yield Clause(subject=subject, state="conditional", text=f"training other models on a condition: {terms}")


def _notice(licence: Licence, need: LicenceNeed) -> Iterator[Clause]:
    if licence.visible_notice in (None, NONE) or not (need.commercial_use or need.gives_weights_away):
        return
    asked = licence.attribution_required or NOTICE
    if licence.visible_notice == "above a size":
        bound = _above_its_size(licence, need)
        if bound is False:
            yield Clause(subject="visible notice", state="allowed", text="no visible notice is asked for at this size")
            return
    else:
        bound = True
    if need.accepts_attribution or bound is None:
        yield Clause(subject="visible notice", state="conditional", text=f"with a notice: {asked}")
    else:
        yield Clause(subject="visible notice", state="forbidden", text=f"a notice is asked for: {asked}")


def _above_its_size(licence: Licence, need: LicenceNeed) -> bool | None:
    """Whether a company is so large that it must show the notice; None where a figure is missing that decides it."""
    pairs = (
        (need.monthly_active_users, licence.notice_above_users_count),
        (need.revenue_usd_per_month, licence.notice_above_usd_per_month),
    )
    above = [value > limit for value, limit in pairs if value is not None and limit is not None]
    missing = any(value is None and limit is not None for value, limit in pairs)
    return True if any(above) else None if missing else False


def _right(subject: str, answer: Answer | None, words: str | None) -> Clause:
    match answer:
        case None:
            return Clause(subject=subject, state="unknown", text=f"whether it allows {subject} was not read")
        case "no":
            return Clause(subject=subject, state="forbidden", text=f"no {subject}: {_terms(words)}")
        case "conditional":
            return Clause(subject=subject, state="conditional", text=f"{subject} on a condition: {_terms(words)}")
    return Clause(subject=subject, state="allowed", text=f"{subject} is allowed: {words}")


def _eu(licence: Licence, need: LicenceNeed, model: Model) -> Iterator[Clause]:
    if not need.based_in_eu:
        return
    subject = "European Union"
    match licence.eu_excluded:
        case None:
            yield Clause(subject=subject, state="unknown", text="whether it excludes the European Union was not read")
        case "none":
            yield Clause(subject=subject, state="allowed", text="the European Union is not excluded")
        case "multimodal" if model.modalities == "text":
            text = "the European Union is excluded from its multimodal models alone, and this one takes text"
            yield Clause(subject=subject, state="allowed", text=text)
        case "multimodal" if model.modalities is None:
            text = "it excludes the European Union from multimodal models; whether this is one is not known"
            yield Clause(subject=subject, state="unknown", text=text)
        case _:
            text = "no rights in this model for people who live in, or companies that are based in, the European Union"
            yield Clause(subject=subject, state="forbidden", text=text)


def _fields(licence: Licence, need: LicenceNeed) -> Iterator[Clause]:
    if not need.fields:
        return
    subject, excluded = "field of use", excluded_fields(licence)
    if excluded is None:
        yield Clause(subject=subject, state="unknown", text="which fields of use it excludes was not read")
    elif excluded & need.fields:
        named = ", ".join(sorted(excluded & need.fields))
        yield Clause(subject=subject, state="forbidden", text=f"its use policy excludes: {named}")
    else:
        yield Clause(subject=subject, state="allowed", text="it does not exclude this field of use")


def _terms(words: str | None) -> str:
    """A cell in words without its answer.

    >>> _terms("no: neither weights nor outputs")
    'neither weights nor outputs'
    """
    return (words or "").partition(":")[2].strip() or words or "not said"
