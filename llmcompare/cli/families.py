"""Who may be used for a need, by licence: families."""

from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.core import families_words as words
from llmcompare.core.families import grounds
from llmcompare.core.licences import LicenceNeed
from llmcompare.errors import InputError
from llmcompare.services import families


@app.command(name="families")
def families_command(
    *,
    commercial: Annotated[bool, typer.Option("--commercial", help="Use with a commercial aim.")] = False,
    users: Annotated[float | None, typer.Option(help="Active users a month of all products of the company.")] = None,
    revenue: Annotated[float | None, typer.Option(help="USD a month, worldwide, of the company and its group.")] = None,
    trains_other_models: Annotated[
        bool, typer.Option("--trains-other-models", help="Models of other families are trained on its outputs.")
    ] = False,
    keeps_trained_models: Annotated[
        bool, typer.Option("--keeps-trained-models", help="Those models are not given or offered to others.")
    ] = False,
    no_notice: Annotated[bool, typer.Option("--no-notice", help="No visible notice is acceptable.")] = False,
    changes_weights: Annotated[bool, typer.Option("--changes-weights", help="Fine-tuning, merging.")] = False,
    gives_weights_away: Annotated[bool, typer.Option("--gives-weights-away", help="To others.")] = False,
    sells_access: Annotated[
        bool, typer.Option("--sells-access", help="To the model, or as an assistant for coding or office work.")
    ] = False,
    in_eu: Annotated[bool, typer.Option("--in-eu", help="A seat in the European Union.")] = False,
    fields: Annotated[str, typer.Option(help="Fields of use after commas that licences name, e.g. military.")] = "",
    as_json: Json = False,
) -> None:
    """Say which models are left for a need, and the clause that removes each other one. This is no legal advice."""
    known = facts()
    found = families.assessed(
        known,
        LicenceNeed(
            commercial_use=commercial,
            monthly_active_users=users,
            revenue_usd_per_month=revenue,
            trains_other_models=trains_other_models,
            offers_trained_models=not keeps_trained_models,
            accepts_attribution=not no_notice,
            changes_weights=changes_weights,
            gives_weights_away=gives_weights_away,
            sells_model_access=sells_access,
            based_in_eu=in_eu,
            fields=_fields(fields, families.fields_of_use(known)),
        ),
    )
    if as_json:
        print_json(families.families_json(known, found))
        return
    print(words.asked(found.need))
    print(words.answer(found))
    for ground in grounds(found.groups):
        print(f"  {words.ground_sentence(ground)}")
        for licence in ground.licences:
            print(f"    {licence.name}: {licence.url}")
    print(words.NO_ADVICE)


def _fields(text: str, known: list[str]) -> frozenset[str]:
    found = [name for part in text.split(",") if (name := part.strip())]
    for name in found:
        if name not in known:
            raise InputError(f"{name!r} is no field of use that a licence excludes: choose of {', '.join(known)}.")
    return frozenset(found)
