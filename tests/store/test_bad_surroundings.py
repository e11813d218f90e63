"""Folders that cannot be written, disks that are full, files that are missing or damaged."""

import subprocess
import sys
from pathlib import Path

import pytest

from llmcompare.errors import StoreError
from llmcompare.store import queries
from llmcompare.store.db import POINTER_NAME, Catalog, current_path
from llmcompare.store.schema import schema_hash
from llmcompare.store.seed import seed

SEED_WITH_LIMIT = """
import resource, sys
from datetime import date
from pathlib import Path
from llmcompare.errors import LlmCompareError
from llmcompare.store import queries, schema
from llmcompare.store.db import Catalog
from llmcompare.store.seed import seed

schema.tables()
size = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    built = seed(Path(sys.argv[1]), Path(sys.argv[2]), today=date(2026, 11, 23))
except LlmCompareError as problem:
    print(problem)
    sys.exit(2)
print([summary.row_count for summary in queries.table_summaries(Catalog(built.path))])
"""


def seed_with_limit(project: Path, data: Path, var: Path, size: int) -> subprocess.CompletedProcess:
    """Seeds in a process whose files cannot grow beyond a size: a disk that fills up, for root too."""
    return subprocess.run(
        [sys.executable, "-c", SEED_WITH_LIMIT, str(data), str(var), str(size)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def files(var: Path) -> set[str]:
    return {str(path.relative_to(var)) for path in var.rglob("*")}


@pytest.mark.parametrize("part", [0, 0.02, 0.9])
def test_on_a_full_disk_seeding_says_so_and_the_old_catalogue_stays(data, var, today, project, part):
    old = seed(data.path, var, today=today).path
    before = files(var)
    data.add("models", model_id="fourth-1b")
    ran = seed_with_limit(project, data.path, var, int(old.stat().st_size * part))
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "free some space" in ran.stdout
    assert str(var) in ran.stdout
    assert files(var) == before
    assert current_path(var, schema_hash()) == old
    assert len(queries.models(Catalog(old))) == 3


@pytest.mark.parametrize("part", [0.7, 0.97])
def test_a_catalogue_that_does_not_fit_is_never_taken_for_a_whole_one(real_folders, tmp_path, project, part):
    whole = current_path(real_folders.var, schema_hash())
    limit = int(whole.stat().st_size * part)
    ran = seed_with_limit(project, real_folders.data, tmp_path / "var", limit)
    if ran.returncode == 0:
        assert ran.stdout.strip() == "[16, 188, 37, 4559, 1804, 94, 713, 852, 24, 88, 2442]"
    else:
        assert ran.returncode == 2, ran.stdout + ran.stderr
        assert files(tmp_path / "var") == set()


@pytest.mark.parametrize("where", ["/proc/llmcompare/var", "below a file"])
def test_a_var_folder_that_cannot_be_made_is_named_with_what_to_do(data, tmp_path, today, where):
    (tmp_path / "file").write_text("in the way")
    var = tmp_path / "file" / "var" if where == "below a file" else Path(where)
    with pytest.raises(StoreError) as error:
        seed(data.path, var, today=today)
    assert str(var) in str(error.value)
    assert "LLMCOMPARE_VAR" in str(error.value)


def test_a_missing_file_is_named_and_the_old_catalogue_stays(data, var, today):
    old = seed(data.path, var, today=today).path
    before = files(var)
    data.file("gpus").unlink()
    with pytest.raises(StoreError) as error:
        seed(data.path, var, today=today)
    assert str(data.file("gpus")) in str(error.value)
    assert "put the file back" in str(error.value)
    assert files(var) == before
    assert current_path(var, schema_hash()) == old


def test_a_folder_in_place_of_a_file_is_named(data, var, today):
    data.file("gpus").unlink()
    data.file("gpus").mkdir()
    with pytest.raises(StoreError, match="gpus.csv cannot be read"):
        seed(data.path, var, today=today)


def test_a_refused_cell_leaves_nothing_behind(data, var, today):
    old = seed(data.path, var, today=today).path
    before = files(var)
    assert before == {old.name, POINTER_NAME}
    data.set("gpu_prices", "usd_per_hour", "$2")
    with pytest.raises(Exception, match="cannot be used"):
        seed(data.path, var, today=today)
    assert files(var) == before
    assert current_path(var, schema_hash()) == old


@pytest.mark.parametrize("content", [b"", b"not a catalogue", b"\0" * 20_000])
def test_a_damaged_catalogue_is_named_with_what_to_do(data, var, today, content):
    path = seed(data.path, var, today=today).path
    path.write_bytes(content)
    with pytest.raises(StoreError) as error:
        queries.models(Catalog(path))
    assert str(path) in str(error.value)
    assert "delete it" in str(error.value)


def test_a_missing_catalogue_is_named(var):
    with pytest.raises(StoreError, match="is not a readable catalogue"):
        Catalog(var / "catalog-none.duckdb")
