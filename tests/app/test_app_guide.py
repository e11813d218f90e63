"""The page on the buying guide without a browser: filters, rows to open, and what the service computes."""

import csv

import pytest

from llmcompare.core import claims
from llmcompare.services import claims as checks

PAGE = "explore/guide"
MMLU = "mmlu-llama-3-70b"


def labels(app):
    """Of the statements that are listed."""
    return [one.label for one in app.run_of.main.expander]


@pytest.fixture
def found(facts):
    return {one.claim.claim_id: one for one in checks.checked(facts)}


def test_the_answer_and_every_statement_stand_on_the_page(open_app, facts, found):
    app = open_app(PAGE)
    assert claims.headline(checks.checked(facts)) in app.text
    assert len(labels(app)) == 69
    for one, label in zip(found.values(), labels(app), strict=True):
        assert f"**{one.found.verdict}**" in label


@pytest.mark.parametrize("verdict", claims.VERDICTS)
def test_a_chosen_verdict_leaves_its_statements(open_app, found, verdict):
    app = open_app(PAGE, verdict=verdict)
    assert len(labels(app)) == sum(one.found.verdict == verdict for one in found.values())
    assert all(f"**{verdict}**" in label for label in labels(app))
    assert claims.MEANINGS[verdict] in app.text


def test_a_chosen_topic_leaves_its_statements(open_app, found):
    app = open_app(PAGE).set("topic", "licences")
    assert len(labels(app)) == sum(one.claim.topic == "licences" for one in found.values()) == 6


def test_a_choice_that_nothing_fits_says_so(open_app):
    app = open_app(PAGE, verdict="opinion", topic="prices")
    assert labels(app) == []
    assert "No statement has this verdict and this topic." in app.text


def test_a_verdict_that_does_not_exist_is_explained(open_app):
    app = open_app(PAGE, verdict="maybe")
    assert "verdict 'maybe' is not to be had here" in app.warnings
    assert len(labels(app)) == 69


def test_an_opened_statement_shows_its_explanation_its_figures_and_its_rows_with_links(open_app, found):
    one = found[MMLU]
    app = open_app(PAGE)
    assert one.found.explanation not in app.text
    app.reveal(f"open-{MMLU}")
    assert app.tracebacks == []
    assert one.found.explanation in app.text
    assert "published accuracy percent: 80.9, 82" in app.text
    rows = app.table(f"Rows behind {MMLU}")
    assert list(rows["row_id"]) == one.found.row_ids
    assert rows["source_link"].str.startswith("https://").all()
    assert rows["as_of"].notna().all()
    assert app.has(f"rows_{MMLU}_csv")


def test_every_statement_can_be_opened(open_app, found):
    app = open_app(PAGE)
    for claim_id in found:
        app.run_of.session_state[f"open-{claim_id}"] = True
    app.again()
    assert app.tracebacks == []
    for claim_id, one in found.items():
        assert one.found.explanation in app.text, claim_id


def test_a_link_opens_a_statement(open_app, found):
    app = open_app(PAGE, **{f"open-{MMLU}": "true"})
    assert found[MMLU].found.explanation in app.text


def test_the_table_can_be_downloaded(open_app, facts):
    assert open_app(PAGE).has("guide_table_csv")
    table = checks.table(checks.checked(facts))
    assert len(table.rows) == 69
    assert {"claim_id", "verdict", "explanation", "row_ids", "source"} <= set(table.columns)


def test_an_edited_row_changes_the_verdict_on_the_page(open_app, own_data):
    path = own_data / "gpus.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if row["gpu_id"] == "l40s-48gb":
            row["memory_gb"] = "8"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    app = open_app(PAGE, verdict="holds")
    assert any("L40S" in label for label in labels(app))


def test_markup_in_a_statement_is_shown_as_it_is_written(open_app, own_data):
    path = own_data / "claims.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Llama 3 70B scores 86.0 on MMLU", "<b>x</b> :red[y] $z$"), encoding="utf-8")
    app = open_app(PAGE)
    assert app.tracebacks == []
    assert any(r"\<b\>x\<\/b\> \:red\[y\] \$z\$" in label for label in labels(app))
