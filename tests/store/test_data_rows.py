"""Rows put behind those of a file in data/: the old bytes stay, a refusal or a cut changes nothing."""

import csv
import io
import os
import signal
import subprocess
import sys
import time

import pytest

from llmcompare.errors import DataError, StoreError
from llmcompare.store import data_rows, queries
from llmcompare.store.db import Catalog
from llmcompare.store.paths import Folders
from llmcompare.store.seed import seed


@pytest.fixture
def where(data, var) -> Folders:
    return Folders(data=data.path, var=var)


def price(data, **cells: str) -> dict[str, str]:
    blank = dict.fromkeys(data.columns["api_prices"], "")
    return blank | data.rows["api_prices"][0] | {"as_of": "2026-11-20", "source": "a list, of 20 November"} | cells


def test_new_rows_stand_behind_the_old_ones_which_keep_every_byte(where, data, today):
    before = data.file("api_prices").read_bytes()
    data_rows.append(where, "api_prices", [price(data), price(data, provider="delta")], today=today)
    after = data.file("api_prices").read_bytes()
    assert after.startswith(before)
    added = list(csv.reader(io.StringIO(after[len(before) :].decode())))
    assert [row[0] for row in added] == ["alpha", "delta"]
    offers = queries.api_offers(Catalog(seed(where.data, where.var, today=today).path))
    assert {(o.provider, o.as_of) for o in offers if o.provider in ("alpha", "delta")} == {
        ("alpha", "2026-11-20"), ("delta", "2026-11-20"),
    }  # fmt: skip


def test_a_file_without_a_last_line_end_gets_one(where, data, today):
    path = data.file("api_prices")
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    data_rows.append(where, "api_prices", [price(data)], today=today)
    assert seed(where.data, where.var, today=today).built in (True, False)
    assert len(path.read_text().splitlines()) == len(data.rows["api_prices"]) + 2


def test_each_refused_row_is_told_by_its_place_and_nothing_is_written(where, data, today):
    before = data.file("api_prices").read_bytes()
    rows = [price(data), price(data, provider="per-token", input_usd_per_mtok="0.0000006"),
            price(data, provider="late", as_of="2031-01-01"), price(data)]  # fmt: skip
    found = data_rows.refused(where, "api_prices", rows, today=today)
    assert {place: [cell.column for cell in cells] for place, cells in found.items()} == {
        1: ["input_usd_per_mtok"], 2: ["as_of"], 3: ["provider"],
    }  # fmt: skip
    with pytest.raises(DataError) as error:
        data_rows.append(where, "api_prices", rows, today=today)
    assert len(error.value.cells) == 3
    assert data.file("api_prices").read_bytes() == before
    assert sorted(path.name for path in where.data.iterdir() if not path.name.endswith(".csv")) == []


def test_a_file_that_is_bad_already_is_not_added_to(where, data, today):
    data.set("api_prices", "input_usd_per_mtok", "$1")
    with pytest.raises(DataError, match=r"\$1"):
        data_rows.refused(where, "api_prices", [price(data)], today=today)


def test_a_folder_that_cannot_be_written_is_named_with_the_variable_that_names_another(where, data, today):
    before = data.file("api_prices").read_bytes()
    program = (
        "import sys; from datetime import date; from pathlib import Path\n"
        "from llmcompare.errors import StoreError\n"
        "from llmcompare.store import data_rows; from llmcompare.store.paths import Folders\n"
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        "from llmcompare.store.whole_files import put_in_place\n"
        "try:\n"
        "    put_in_place(Path(sys.argv[1]), b'x' * 5000)\n"
        "except OSError as error:\n"
        "    print(type(error).__name__, error.errno)\n"
    )
    # A limit on the size of files is a disk that is full in the middle of a write.
    ran = subprocess.run(
        [sys.executable, "-c", program, str(data.file("api_prices"))],
        capture_output=True, text=True, check=False, preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )  # fmt: skip
    assert ran.stdout.startswith("OSError"), ran.stderr
    assert data.file("api_prices").read_bytes() == before
    assert not list(where.data.glob("*.new"))
    (where.data / "api_prices.csv").unlink()
    with pytest.raises(StoreError, match="api_prices.csv cannot be read"):
        data_rows.append(where, "api_prices", [price(data)], today=today)


APPEND = """
import sys
from datetime import date
from pathlib import Path
from llmcompare.store import data_rows
from llmcompare.store.paths import Folders
where = Folders(data=Path(sys.argv[1]), var=Path(sys.argv[2]))
for number in range(1000):
    row = dict(provider=f"{sys.argv[3]}-{number}", api_model_name="tiny", model_id="tiny-7b", family="qwen",
        variant="standard", input_usd_per_mtok="0.1", output_usd_per_mtok="0.3", as_of="2026-11-20", source="list")
    data_rows.append(where, "api_prices", [row], today=date(2026, 11, 25))
    print(number, flush=True)
"""


def providers(data) -> list[str]:
    with data.file("api_prices").open(newline="") as stream:
        return [row["provider"] for row in csv.DictReader(stream)]


def test_a_writer_that_is_killed_leaves_a_whole_file_with_everything_it_said_it_wrote(where, data, today, project):
    old = providers(data)
    for name, pause_s in (("first", 0.0), ("second", 0.013), ("third", 0.031)):
        process = subprocess.Popen(
            [sys.executable, "-c", APPEND, str(where.data), str(where.var), name],
            cwd=project, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        said = [process.stdout.readline().strip() for _ in range(2)]
        time.sleep(pause_s)
        os.kill(process.pid, signal.SIGKILL)
        said += process.stdout.read().split()
        process.stdout.close()
        process.wait(timeout=30)
        found = providers(data)
        assert found[: len(old)] == old
        # One more may have been put in place before it could be said.
        assert len(found) - len(old) - len(said) in (0, 1)
        seed(where.data, where.var, today=today)
        old = found


def test_two_processes_that_add_rows_at_once_lose_none(where, data, project):
    once = APPEND.replace("range(1000)", "range(4)")
    both = [
        subprocess.Popen([sys.executable, "-c", once, str(where.data), str(where.var), name], cwd=project)
        for name in ("left", "right")
    ]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert {f"{name}-{number}" for name in ("left", "right") for number in range(4)} <= set(providers(data))
