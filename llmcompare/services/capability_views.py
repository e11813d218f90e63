"""A ranking against something else: size, day of release, price, memory; by category; and what formats cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from llmcompare.core.capability_ranking import Ranking
from llmcompare.core.capability_scores import CATEGORIES, Subject
from llmcompare.core.cost import Band, exactly, scaled
from llmcompare.core.format_quality import MeasuredFormat, bigger_in_fewer_bits, measured_formats, with_front
from llmcompare.core.memory import Use
from llmcompare.core.options import api_option
from llmcompare.core.pareto import on_front
from llmcompare.core.records import Model
from llmcompare.core.scenario import Scenario
from llmcompare.core.tables import Table
from llmcompare.core.units import BYTES_PER_GIB, TOKENS_PER_MTOK
from llmcompare.errors import InputError
from llmcompare.services import fit
from llmcompare.services.books import book
from llmcompare.services.capability import Asked, Named, ranked, shown, subjects
from llmcompare.services.catalogue import Facts
from llmcompare.services.counting import for_models

PUBLISHED_FORMAT = "bf16"
"""Scores are those of the weights as published; another format would need scores of its own."""
SHORTEST_CONTEXT_TOKENS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A subject with its expected percent, against one other figure."""

    name: str
    subject: Subject
    model: Model
    percent: Band
    against: Band
    on_front: bool = False
    """No other is at most as dear (or large) and at least as good."""


def by_size(facts: Facts, ranking: Ranking) -> list[Placed]:
    """Against billions of parameters, those of unknown size left out."""
    return _placed(facts, ranking, {one: model.params_total_billion for one, model in _models(facts, ranking)})


def by_day(facts: Facts, ranking: Ranking) -> list[Placed]:
    """Against the day of release, as a proleptic number; a short date counts from its first day."""
    return _placed(facts, ranking, {one: _day(model.released_on) for one, model in _models(facts, ranking)})


def _day(released_on: str | None) -> float | None:
    if released_on is None:
        return None
    year, month, day = [*map(int, released_on.split("-")), 1, 1][:3]
    return float(date(year, month, day).toordinal())


def _models(facts: Facts, ranking: Ranking) -> list[tuple[Subject, Model]]:
    return [(place.subject, facts.models[place.subject.model_id]) for place in ranking.places]


def _placed(
    facts: Facts, ranking: Ranking, against: dict[Subject, float | None] | dict[Subject, Band | None]
) -> list[Placed]:
    named, found = Named(facts), []
    for place in ranking.places:
        value = against[place.subject]
        if value is None:
            continue
        band = value if isinstance(value, Band) else exactly(value)
        found.append(
            Placed(
                name=named(place.subject),
                subject=place.subject,
                model=facts.models[place.subject.model_id],
                percent=place.band,
                against=band,
            )
        )
    best = on_front([one.against.mid for one in found], [one.percent.mid for one in found])
    return [replace(one, on_front=is_best) for one, is_best in zip(found, best, strict=True)]


def by_price(facts: Facts, ranking: Ranking, scenario: Scenario) -> list[Placed]:
    """Against USD per million tokens of the workload's mix, over providers; models without a price are left out.

    Prices are those of standard listings of all providers, whatever the scenario says of one model's price.
    """
    priced = _prices(facts, replace(scenario.at_standard_listings, requests_per_month=1.0))
    return _placed(facts, ranking, {one: priced.get(one.model_id) for one, _ in _models(facts, ranking)})


@lru_cache(maxsize=8)
def _prices(facts: Facts, scenario: Scenario) -> dict[str, Band]:
    mtok = scenario.workload.tokens_per_request / TOKENS_PER_MTOK
    found = {}
    listed = {offer.model_id for offer in facts.api_offers if offer.model_id is not None}
    for model_id, counted in for_models(facts, scenario, listed).items():
        option, _ = api_option(book(facts, model_id), counted)
        if option is not None:
            found[model_id] = scaled(option.usd_per_month, 1 / mtok)
    return found


def by_memory(facts: Facts, ranking: Ranking, scenario: Scenario) -> list[Placed]:
    """Against GiB for the published weights and one request of the workload; models of unknown shape are left out."""
    models = [one.model_id for one, _ in _models(facts, ranking)]
    tokens = {
        model_id: max(SHORTEST_CONTEXT_TOKENS, round(one.workload.tokens_per_request))
        for model_id, one in for_models(facts, scenario, models).items()
    }
    found = {one: _gib(facts, one.model_id, tokens[one.model_id]) for one, _ in _models(facts, ranking)}
    return _placed(facts, ranking, found)


@lru_cache(maxsize=1024)
def _gib(facts: Facts, model_id: str, context_tokens: int) -> float | None:
    try:
        need = fit.need_of(
            fit.subject(facts, model_id), Use(context_tokens=context_tokens), format_name=PUBLISHED_FORMAT
        )
    except InputError:
        # No source gives its layers, or its context is shorter than the request.
        return None
    return need.total_bytes / BYTES_PER_GIB


def by_category(facts: Facts, question: Asked, chosen: Sequence[str]) -> dict[Subject, dict[str, Band]]:
    """Of each chosen subject, the expected percent in the categories where it stands in the shown group."""
    found: dict[Subject, dict[str, Band]] = {}
    for category in CATEGORIES:
        ranking = shown(ranked(facts, replace(question, category=category, weights=())), chosen)
        for subject in subjects(chosen):
            place = None if ranking is None else ranking.place(subject)
            if place is not None:
                found.setdefault(subject, {})[category] = place.band
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatGroup:
    """Measured formats of the models of one generation, whose perplexities compare."""

    generation: str
    by_model: dict[str, tuple[MeasuredFormat, ...]]
    """Those of known size, by the name of the model, smallest model first."""


def formats(facts: Facts) -> tuple[list[MeasuredFormat], list[FormatGroup]]:
    """All measured formats, and those of known size by generation."""
    every = measured_formats(facts.format_qualities)
    known = [one for one in every if one.row.model in facts.names]
    groups = []
    for generation in dict.fromkeys(facts.model(one.row.model).generation for one in known):
        group = with_front([one for one in known if facts.model(one.row.model).generation == generation])
        names = sorted({one.row.model for one in group}, key=lambda name: _size(facts, name))
        groups.append(
            FormatGroup(
                generation=generation,
                by_model={
                    facts.model(name).display_name: tuple(one for one in group if one.row.model == name)
                    for name in names
                },
            )
        )
    return every, [group for group in groups if group.by_model]


def _size(facts: Facts, name: str) -> float:
    return facts.model(name).params_total_billion or 0.0


def format_sentences(facts: Facts, groups: Sequence[FormatGroup], chosen: Sequence[str]) -> list[str]:
    """A bigger model in fewer bits against a smaller one in more, and who of the chosen was never measured."""
    found = []
    for group in groups:
        names = list(group.by_model)
        for smaller, bigger in zip(names, names[1:], strict=False):
            found.append(_trade(smaller, bigger, group))
    measured = {facts.model(row.model).model_id for row in facts.format_qualities if row.model in facts.names}
    found += [
        f"{facts.models[model_id].display_name}: not measured in any format; other models' losses are not lent to it."
        for model_id in chosen
        if model_id not in measured
    ]
    return found


def _trade(smaller: str, bigger: str, group: FormatGroup) -> str:
    small, big = group.by_model[smaller], group.by_model[bigger]
    best = min(small, key=lambda one: one.perplexity)
    better = bigger_in_fewer_bits(small, big)
    if better is None:
        return f"No measured format of {bigger} is better than {smaller} as {best.label}."
    worse = [one for one in big if one.perplexity >= best.perplexity]
    last = "" if not worse else f"; as {worse[-1].label} ({worse[-1].row.size_gib:g} GiB) it is not"
    return (
        f"{bigger} in {better.row.size_gib:g} GiB ({better.label}, perplexity {better.perplexity:.2f}) is better than "
        f"{smaller} in {best.row.size_gib:g} GiB ({best.label}, {best.perplexity:.2f}){last}."
    )


def format_table(every: Sequence[MeasuredFormat]) -> Table:
    """Every measured format with its loss."""
    return Table(
        name="format-quality",
        title="Quality of weight formats, as measured",
        columns=(
            "model", "quantization", "importance_matrix", "size_gib", "perplexity", "perplexity_of_16_bits",
            "loss_percent", "same_top_token_percent", "perplexity_as_printed", "note", "as_of", "source", "row_id",
        ),
        rows=tuple(
            (
                one.row.model, one.row.quantization, one.row.importance_matrix, one.row.size_gib,
                round(one.perplexity, 4), round(one.reference, 4), round(100 * one.loss_fraction, 2),
                one.row.same_top_token_percent, one.row.perplexity if one.is_printed_otherwise else None,
                one.row.note, one.row.as_of, one.row.source, one.row.row_id,
            )
            for one in every
        ),
    )  # fmt: skip
