"""Many threads and processes on one catalogue, and a catalogue that changes under them."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmcompare.services import catalogue
from llmcompare.store import queries
from llmcompare.store.db import POINTER_NAME, Catalog, current_path
from llmcompare.store.paths import Folders
from llmcompare.store.schema import schema_hash
from llmcompare.store.seed import seed

THREADS = 8
HOLD_OPEN = """
import sys
from pathlib import Path
from llmcompare.store import queries
from llmcompare.store.db import Catalog
catalog = Catalog(Path(sys.argv[1]))
print(len(queries.models(catalog)), flush=True)
sys.stdin.readline()
print(len(queries.models(catalog)), flush=True)
"""
SEED = """
import sys
from datetime import date
from pathlib import Path
from llmcompare.store import queries
from llmcompare.store.db import Catalog
from llmcompare.store.seed import seed
sys.stdin.readline()
built = seed(Path(sys.argv[1]), Path(sys.argv[2]), today=date(2026, 11, 25))
print(built.path.name, len(queries.models(Catalog(built.path))))
"""


def python(project: Path, program: str, *arguments: object) -> subprocess.Popen:
    """Starts a process of its own that waits for a line before it goes on."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def catalogues(var: Path) -> set[str]:
    return {path.name for path in var.glob("catalog-*.duckdb")}


def test_eight_threads_with_different_questions_never_get_a_foreign_row(real_catalog):
    asked = {
        model.model_id: f"SELECT '{model.model_id}' AS asked, model_id, line FROM models WHERE model_id = $name"
        for model in queries.models(real_catalog)
    }
    names = list(asked) * 4
    assert len(names) > 700

    def foreign(name: str) -> list[object]:
        columns, rows = real_catalog.table(asked[name], name=name)
        right = columns == ["asked", "model_id", "line"] and [row[:2] for row in rows] == [(name, name)]
        return [] if right else [name, columns, rows]

    with ThreadPoolExecutor(THREADS) as pool:
        assert [wrong for wrong in pool.map(foreign, names) if wrong] == []


def test_eight_threads_get_whole_tables_of_different_shapes(real_catalog):
    expected = {name: queries.table_rows(real_catalog, name) for name in queries.table_names()}
    jobs = list(expected) * 6
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda name: queries.table_rows(real_catalog, name) == expected[name], jobs))
    assert all(found)


def test_readers_see_wholly_old_or_wholly_new_facts_while_the_catalogue_is_swapped(data, var, today):
    where = Folders(data=data.path, var=var)
    ended, wrong, seen = threading.Event(), [], set()

    def price(edition: int) -> str:
        return str(1 + edition / 10)

    def edition(facts: catalogue.Facts) -> tuple[set[float], set[float]]:
        gpu = {o.usd_per_gpu_hour for o in queries.gpu_offers(facts.catalog) if o.provider in ("alpha", "beta")}
        api = {o.output_usd_per_mtok for o in queries.api_offers(facts.catalog) if o.provider in ("alpha", "beta")}
        return gpu, api

    def publish(number: int) -> None:
        # Both tables carry the edition; a reader that mixes two catalogues sees two numbers.
        for row in data.rows["gpu_prices"]:
            row["usd_per_hour"] = price(number)
        for row in data.rows["api_prices"]:
            row["output_usd_per_mtok"] = price(number)
        data.save("gpu_prices")
        data.save("api_prices")

    def read() -> None:
        while not ended.wait(0.1):
            try:
                gpu, api = edition(facts[0])
                seen.add(frozenset(gpu))
                if len(gpu) != 1 or gpu != api:
                    wrong.append((gpu, api))
            except Exception as error:
                wrong.append(error)

    publish(0)
    facts = [catalogue.current(today, where).usable()]
    threads = [threading.Thread(target=read) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for number in range(1, 4):
        publish(number)
        facts[0] = catalogue.current(today, where).usable()
    ended.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(seen) > 1
    assert edition(facts[0])[0] == {1.3}


def test_two_processes_that_seed_at_once_agree_and_leave_one_catalogue(data, var, project):
    both = [python(project, SEED, data.path, var) for _ in range(2)]
    answers = [process.communicate("go\n", timeout=60)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert answers[0] == answers[1]
    assert answers[0][1] == "3"
    assert catalogues(var) == {answers[0][0]}
    assert {path.name for path in var.iterdir()} == {answers[0][0], POINTER_NAME}


def test_an_old_catalogue_stays_while_another_process_reads_it_and_goes_afterwards(data, var, today, project):
    old = seed(data.path, var, today=today).path
    reader = python(project, HOLD_OPEN, old)
    assert reader.stdout.readline() == "3\n"
    data.add("models", model_id="fourth-1b")
    new = seed(data.path, var, today=today).path
    assert catalogues(var) == {old.name, new.name}
    assert reader.communicate("go\n", timeout=60)[0] == "3\n"
    data.add("models", model_id="fifth-1b")
    newest = seed(data.path, var, today=today).path
    assert catalogues(var) == {newest.name}


def test_an_old_catalogue_stays_while_this_process_reads_it_and_goes_afterwards(data, var, today):
    old = Catalog(seed(data.path, var, today=today).path)
    data.add("models", model_id="fourth-1b")
    new = seed(data.path, var, today=today).path
    assert old.path.exists()
    assert len(queries.models(old)) == 3
    old.close()
    seed(data.path, var, today=today)
    assert catalogues(var) == {new.name}


def test_the_pointer_names_the_newest_catalogue(data, var, today):
    first = seed(data.path, var, today=today).path
    assert current_path(var, schema_hash()) == first
    data.add("models", model_id="fourth-1b")
    second = seed(data.path, var, today=today).path
    assert current_path(var, schema_hash()) == second != first


def test_the_same_facts_are_built_once(data, var, today):
    first, second = seed(data.path, var, today=today), seed(data.path, var, today=today)
    assert (first.built, second.built) == (True, False)
    assert first.path == second.path


def test_a_catalogue_of_another_version_of_the_schema_is_not_current(data, var, today):
    seed(data.path, var, today=today)
    assert current_path(var, "00000000") is None


def test_ids_of_rows_stay_when_rows_are_added_before_them_and_figures_change(data, var, today):
    def ids() -> dict[str, str]:
        columns, rows = queries.table_rows(Catalog(seed(data.path, var, today=today).path), "throughput")
        cells = [dict(zip(columns, row, strict=True)) for row in rows]
        return {cell["record_id"]: cell["row_id"] for cell in cells}

    before = ids()
    data.rows["throughput"].insert(0, data.rows["throughput"][0] | {"record_id": "them-0"})
    data.set("throughput", "output_tokens_per_s", "4500", row=1)
    after = ids()
    assert len(set(after.values())) == len(after) == 2
    assert after["them-1"] == before["them-1"]


def test_an_unknown_table_is_a_mistake_of_the_caller(real_catalog):
    with pytest.raises(KeyError):
        queries.table_rows(real_catalog, "models; DROP TABLE models")
