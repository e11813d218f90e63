"""The same text with every tokenizer: languages."""

from typing import Annotated

import typer

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.core.units import usd_text
from llmcompare.services import languages
from llmcompare.services.candidates import models_named
from llmcompare.services.languages_out import languages_json


@app.command(name="languages")
def languages_command(
    *,
    language: Annotated[str, typer.Option(help="Code or name of a measured language.")] = languages.FIRST_SHOWN,
    characters: Annotated[
        float | None, typer.Option(help="Length of the text; the measured text where none is given.")
    ] = None,
    models: Annotated[
        str, typer.Option(help="Ids or aliases after commas, or a family; one of each tokenizer where none is given.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Tokens of the same text with every tokenizer, its price with models, and published scores in the language."""
    known = facts()
    asked = languages.question(known, language, characters)
    found = languages.counted(known, asked)
    chosen = models_named(known, models) if models else languages.default_models(known, asked)
    of_models, scored = languages.of_models(known, asked, chosen), languages.scores(known, asked)
    if as_json:
        print_json(languages_json(asked, found, of_models, scored))
        return
    print(languages.answer(asked, found))
    for sentence in languages.sentences(asked, found, of_models):
        print(f"  {sentence}")
    for one in found:
        print(f"  {one.tokenizer.name}: {one.tokens.mid:,.0f} tokens, {one.times_fewest.mid:.2f} times the fewest")
    for of in of_models:
        usd = of.api_missing or (of.api and f"{usd_text(of.api.usd_per_month.mid)} for input of a thousand texts")
        print(f"  {of.model.display_name}: {usd}; language: {of.support.text or 'nothing read'}")
