"""What moved since a day: the service and its command."""

import json
from datetime import date

import pytest

from llmcompare.errors import InputError
from llmcompare.services import moved
from llmcompare.services.moved import APIS, KINDS, LISTS, MARKETPLACES

SINCE = date(2026, 8, 1)


@pytest.fixture(scope="module")
def found(real_facts, today):
    return moved.news(real_facts, SINCE, today=today)


def test_marketplaces_and_lists_are_told_apart(found, real_facts):
    billing = {row.row_id: row.billing for row in real_facts.gpu_price_history}
    classes = {kind: {billing[m.after.row_id] for m in found.prices[kind].moves} for kind in (LISTS, MARKETPLACES)}
    assert classes[MARKETPLACES] == {"community"}
    assert "community" not in classes[LISTS]
    assert "on-demand" in classes[LISTS]


def test_every_table_names_the_source_of_both_prices(found):
    table = moved.moves_table(found.prices[LISTS], found.names, kind=LISTS)
    for row in table.rows:
        cells = dict(zip(table.columns, row, strict=True))
        assert cells["source"]
        assert cells["source_before"]
        assert cells["usd_before"] + cells["change_usd"] == pytest.approx(cells["usd_after"])
        assert cells["row_id"] != cells["row_id_before"]
    others = moved.offers_table(found.prices[APIS], found.names, kind=APIS)
    assert {row[0] for row in others.rows} == {"read once"}


def test_models_and_scores_after_the_day_are_those_of_the_catalogue(real_facts, today):
    day = date(2025, 4, 1)
    found = moved.news(real_facts, day, today=today)
    assert {m.model_id for m in found.models} == {
        m.model_id for m in real_facts.models.values() if (m.released_on or "") > "2025-04-01"
    }
    assert "qwen3-32b" in {m.model_id for m in found.models}
    assert found.scores
    assert min(row.as_of for row in found.scores) > "2025-04-01"
    first, second = moved.catalogue_sentences(found)
    assert f"{len(found.models)} models of the catalogue came out after 2025-04-01" in first
    assert f"{len(found.scores):,} scores were published after it" in second


@pytest.mark.parametrize("day", [date(2026, 11, 25), date(2030, 1, 1)])
def test_a_day_that_is_not_past_is_refused_in_a_sentence(real_facts, today, day):
    with pytest.raises(InputError, match="give a day before 2026-11-25"):
        moved.news(real_facts, day, today=today)


def test_a_new_row_of_an_old_offer_is_a_move(data, var, today):
    from llmcompare.services import catalogue
    from llmcompare.store.paths import Folders

    data.add("gpu_prices", as_of="2026-11-20", usd_per_hour="2.5")
    facts = catalogue.current(today, Folders(data=data.path, var=var)).usable()
    (move,) = moved.news(facts, date(2026, 11, 10), today=today).prices[LISTS].moves
    assert (move.usd_before, move.usd_after, move.after.as_of) == (2.0, 2.5, "2026-11-20")


def test_the_command_prints_the_same_as_strict_json(command, found):
    ran = command("moved", "--since", SINCE.isoformat(), "--json")
    printed = json.loads(ran.out, parse_constant=lambda name: pytest.fail(name))
    assert ran.exit_code == 0
    assert printed == json.loads(json.dumps(moved.news_json(found)))
    for kind in KINDS:
        part = printed[kind.lower().replace(" ", "_")]
        assert part["changed_count"] == found.prices[kind].moved_count
    (h100,) = [
        m for m in printed["gpu_list_prices"]["moves"] if (m["provider"], m["id"]) == ("runpod", "h100-sxm-80gb")
    ]
    assert [point["usd"] for point in h100["points"]] == [3.29, 3.49, 3.99, 3.99]
    assert h100["change_fraction"] == pytest.approx(3.99 / 3.29 - 1)
    assert all(point["source"] for point in h100["points"])


def test_the_command_says_the_largest_moves_first(command):
    ran = command("moved", "--since", SINCE.isoformat(), "--most", 2)
    lines = ran.out.splitlines()
    assert "GPU list prices that were read again since 2026-08-01" in lines[0]
    assert "A10 24GB at lambda" in lines[1]
    assert ran.out.count("per GPU-hour") == 4


@pytest.mark.parametrize("text", ["yesterday", "01.08.2026", "2026-13-01"])
def test_a_day_that_is_none_is_named(command, text):
    ran = command("moved", "--since", text)
    assert ran.exit_code == 2
    assert f"since is '{text}'" in ran.err
