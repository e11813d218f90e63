"""Which deployment fits a need best: advise."""

from dataclasses import replace
from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_rows
from llmcompare.cli.scenario import takes_scenario
from llmcompare.core import advice_words as words
from llmcompare.core.advice import CRITERIA, Weights
from llmcompare.core.capability_scores import CATEGORIES
from llmcompare.core.needs import PRESETS, Need
from llmcompare.core.scenario import Scenario
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.services import advice, advice_out
from llmcompare.services.overview import FAMILIES

SHOWN = 10


@app.command(name="advise")
@takes_scenario
def advise_command(
    scenario: Scenario,
    *,
    preset: Annotated[
        str | None, typer.Option(help=f"Shape of a request, weights and categories: {', '.join(PRESETS)}.")
    ] = None,
    languages: Annotated[
        str, typer.Option(help="Limit: codes or names that the maker must name; --language is that of the requests.")
    ] = "",
    hardware: Annotated[str | None, typer.Option(help="Id of the GPU at hand: only power and staff count.")] = None,
    hardware_count: Annotated[int, typer.Option(help="GPUs at hand, in one machine.")] = 1,
    data_stays_here: Annotated[bool, typer.Option("--data-stays-here", help="No API, no rented machine.")] = False,
    no_commercial_use: Annotated[bool, typer.Option("--no-commercial-use", help="Research or private.")] = False,
    users: Annotated[float | None, typer.Option(help="Active users a month of all products.")] = None,
    trains_other_models: Annotated[bool, typer.Option("--trains-other-models", help="With its outputs.")] = False,
    in_eu: Annotated[bool, typer.Option("--in-eu", help="A seat in the European Union.")] = False,
    context_tokens: Annotated[float | None, typer.Option(help="The model must take so many.")] = None,
    max_usd_per_month: Annotated[float | None, typer.Option(help="Budget in USD a month.")] = None,
    min_evidence_fraction: Annotated[
        float, typer.Option(help="Share of the weights of the categories in which a model must have a score.")
    ] = Need().min_evidence_fraction,
    min_ability_percent: Annotated[float | None, typer.Option(help="Floor of the ability index.")] = None,
    format_loss_points: Annotated[
        float | None, typer.Option(help="Assumption: most that a quantised format may lose; without it they are out.")
    ] = None,
    max_cold_fraction: Annotated[
        float, typer.Option(help="With a latency limit: share of requests that may meet a cold start. Assumption.")
    ] = Need().max_cold_fraction,
    weights: Annotated[str, typer.Option(help=f"As cost=2,speed=0; of {', '.join(CRITERIA)}.")] = "",
    categories: Annotated[str, typer.Option(help=f"As code=3,reasoning=1; of {', '.join(CATEGORIES)}.")] = "",
    as_json: Json = False,
) -> None:
    """Rank deployments for a need, and say how sure that is, why each other one is out, and what would change it."""
    known = facts()
    if preset is not None and preset not in PRESETS:
        raise UnknownIdError("preset", preset, PRESETS)
    chosen = PRESETS.get(preset or "")
    usual = chosen.weights if chosen else Weights()
    mixed = dict(chosen.categories_of_all(CATEGORIES)) if chosen else {}
    need = Need(
        commercial_use=not no_commercial_use,
        monthly_active_users=users,
        trains_other_models=trains_other_models,
        based_in_eu=in_eu,
        languages=tuple(part.strip() for part in languages.split(",") if part.strip()),
        context_tokens=context_tokens,
        data_stays_here=data_stays_here or scenario.data_stays_here,
        hardware=hardware,
        hardware_count=hardware_count,
        max_usd_per_month=max_usd_per_month,
        min_evidence_fraction=min_evidence_fraction,
        min_ability_percent=min_ability_percent,
        format_loss_points=format_loss_points,
        max_cold_fraction=max_cold_fraction,
        weights=replace(usual, **_pairs(weights, CRITERIA, "weights")),
        categories=tuple((mixed | _pairs(categories, CATEGORIES, "categories")).items()),
    )
    if chosen is not None:
        scenario = _shaped(scenario, chosen.input_tokens, chosen.output_tokens)
    found = advice.advise(known, scenario, need)
    if as_json:
        print_rows(advice_out.advice_json(known, found))
        return
    names = advice_out.gpu_names(known)
    print(words.headline(found, names))
    for sentence in words.reasons(found, names):
        print(f"  {sentence}")
    for line in found.lines[:SHOWN]:
        chance = "" if line.chance is None else f", best in {words.share_text(line.chance)}"
        where = words.deployment_text(line, names.get(line.gpu_id or ""))
        print(f"  {line.points:.1f} points: {line.model.display_name} {where}{chance}")
    print("The best of each way to serve:")
    for sentence in words.kind_sentences(found, names):
        print(f"  {sentence}")
    for family in FAMILIES:
        print(words.family_sentence(found, family))
    for flip, then in found.flips:
        print(f"  {words.flip_sentence(flip, then, names)}")
    for one in found.limit_flips:
        print(f"  {words.limit_sentence(one, names)}")
    print("Out, by the first limit that a deployment breaks:")
    for limit, count in found.out_counts.items():
        print(f"  {count:,}: {words.LIMIT_WORDS[limit]}")


def _shaped(scenario: Scenario, input_tokens: float, output_tokens: float) -> Scenario:
    """The preset's shape of a request, unless the flags say another one."""
    plain = Scenario()
    if (scenario.input_tokens, scenario.output_tokens) != (plain.input_tokens, plain.output_tokens):
        return scenario
    return replace(scenario, input_tokens=input_tokens, output_tokens=output_tokens)


def _pairs(text: str, known: tuple[str, ...], option: str) -> dict[str, float]:
    """Weights by name. Raises InputError for a name or a number that cannot be."""
    found = {}
    for part in (part.strip() for part in text.split(",") if part.strip()):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in known:
            raise InputError(f"--{option}: {name!r} is not known: choose of {', '.join(known)}.")
        try:
            found[name] = float(value)
        except ValueError:
            raise InputError(f"--{option}: {part!r} gives no number: write {name}=2.") from None
    return found
