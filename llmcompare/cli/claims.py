"""The buying guide, checked: claims."""

from llmcompare.cli.app import Json, app, facts, print_json
from llmcompare.core.claims import headline
from llmcompare.services import claims


@app.command(name="claims")
def claims_command(*, as_json: Json = False) -> None:
    """Check the statements of a popular buying guide against the catalogue."""
    found = claims.checked(facts())
    if as_json:
        print_json(claims.as_json(found))
        return
    print(headline(found))
    for one in found:
        print(f"  [{one.found.verdict}] {one.claim.statement} ({one.claim.claim_id})\n      {one.found.explanation}")
