"""The results log: nothing acknowledged is lost, nothing is doubled, whoever is killed and whatever is damaged."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from llmcompare.core.facts import (
    ActualMonthFact,
    MachineFact,
    MeasurementFact,
    OpeningFact,
    ReplyFact,
    RunFact,
    VoteFact,
)
from llmcompare.errors import StoreError
from llmcompare.store.results import ResultsLog
from llmcompare.store.results_lines import VERSION, fact_id, from_line, log_tables, to_line

WHEN = "2026-11-23T10:00:00+00:00"
RUN = RunFact(
    run_id="run-1", person="ada", asked_at=WHEN, prompt="Why?", system=None, scheduling="in-turn", temperature=0.7,
    top_p=0.9, max_tokens=64, seed=1, context_tokens=4096, models=("a.gguf", "b.gguf"),
)  # fmt: skip
REPLY = ReplyFact(
    reply_id="reply-1", run_id="run-1", slot=0, model="a.gguf", ended_at=WHEN, text="Because.", end="end", error=None,
    ttft_ms=12.5, generated_tokens=3, cold=True,
)  # fmt: skip
OPENING = OpeningFact(opening_id="opening-1", run_id="run-1", person="bob", opened_at=WHEN)

IMPORTS = """
import os, random, resource, signal, sys, time
from pathlib import Path
from llmcompare.core.facts import OpeningFact, ReplyFact, RunFact
from llmcompare.errors import StoreError
from llmcompare.store.results import ResultsLog

def opening(name):
    return OpeningFact(opening_id=name, run_id="r", person="bob", opened_at="2026-11-23T10:00:00+00:00")
"""
WRITE_MANY = """
log = ResultsLog(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    log.append(opening(f"{sys.argv[2]}-{number}"))
"""
WRITE_AND_WAIT = """
log = ResultsLog(Path(sys.argv[1]))
for line in sys.stdin:
    log.append(eval(line))
    print("written", flush=True)
"""
# A process that forks: 20 interpreters that each import everything would take most of a minute.
KILL_AT_RANDOM = """
folder, acknowledged = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
with_compaction = sys.argv[3] == "compacting"
random.seed(int(sys.argv[4]))

def write(name):
    log = ResultsLog(folder)
    for number in range(1_000_000):
        log.append(opening(f"{name}-{number}"))
        os.write(acknowledged, f"{name}-{number}\\n".encode())
        if with_compaction and number % 3 == 2:
            log.close()
            time.sleep(0.01)

def compact(name):
    while True:
        ResultsLog(folder).compact()

def child(work, name):
    pid = os.fork()
    if pid == 0:
        try:
            work(name)
        finally:
            os._exit(1)
    return pid

# What is slow the first time is done before the fork, or every compaction would be killed before it begins.
warm = ResultsLog(folder.with_name("warm"))
warm.append(opening("warm"))
warm.close()
assert warm.compact() == 1

for number in range(20):
    children = [child(write, f"w{number}")]
    if with_compaction:
        children += [child(compact, ""), child(compact, "")]
    random.shuffle(children)
    for pid in children:
        time.sleep(random.uniform(0, 0.1))
        os.kill(pid, signal.SIGKILL)
    ended = [os.waitpid(pid, 0)[1] for pid in children]
    assert ended == [signal.SIGKILL] * len(children), ended
"""
FILL_THE_DISK = """
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

log, written = ResultsLog(Path(sys.argv[1])), []
for size in (int(sys.argv[2]), 0, 1_000_000):
    limit(size)
    for number in range(30):
        try:
            log.append(opening(f"{size}-{number}"))
            written.append(f"{size}-{number}")
        except StoreError as error:
            print(error, file=sys.stderr)
print(*written)
"""


def start(code: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", IMPORTS + code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def writer(folder: Path):
    """A process that writes the facts it is sent, until it is killed."""
    with start(WRITE_AND_WAIT, folder) as process:
        yield process
        process.kill()


def send(process: subprocess.Popen, *facts) -> None:
    for fact in facts:
        process.stdin.write(f"{fact!r}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "written\n"


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def run_to_its_end(code: str, *arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", IMPORTS + code, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran


def openings(count: int, start: int = 0) -> list[OpeningFact]:
    return [replace(OPENING, opening_id=f"opening-{number:04}") for number in range(start, start + count)]


def write(folder: Path, *facts) -> Path:
    """Facts of a writer that is gone, and its segment."""
    before = set(folder.glob("*.jsonl"))
    with closing(ResultsLog(folder)) as log:
        for fact in facts:
            log.append(fact)
    (segment,) = set(folder.glob("*.jsonl")) - before
    return segment


def ids(folder: Path) -> list[str]:
    return [opening.opening_id for opening in ResultsLog(folder).openings("bob")]


def rows_of_parts(folder: Path, column: str = "opening_id") -> list[str]:
    """What the Parquet files hold, without our own reader."""
    tables = [parquet.read_table(path) for path in folder.glob("*.parquet")]
    return sorted(cell for table in tables if column in table.column_names for cell in table[column].to_pylist())


@pytest.fixture
def folder(var) -> Path:
    return var / "results"


# Values


def nullable(strategy):
    return st.none() | strategy


TEXT = st.text(st.characters() | st.sampled_from("\ud83d\ude00\udfff\0\u2028\x85\r\n\\\"'"), max_size=30)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(-(2**63), 2**63 - 1)
RUNS = st.builds(
    RunFact, run_id=TEXT, person=nullable(TEXT), asked_at=TEXT, prompt=TEXT, system=nullable(TEXT),
    scheduling=st.sampled_from(["in-turn", "together"]), temperature=NUMBER, top_p=NUMBER, max_tokens=COUNT, seed=COUNT,
    context_tokens=COUNT, models=st.lists(TEXT, max_size=3).map(tuple),
)  # fmt: skip
REPLIES = st.builds(
    ReplyFact, reply_id=TEXT, run_id=TEXT, slot=COUNT, model=TEXT, ended_at=TEXT, text=TEXT,
    end=nullable(st.sampled_from(["end", "stop", "length", "cancelled"])), error=nullable(TEXT),
    prompt_text=nullable(TEXT), generated_tokens=nullable(COUNT), ttft_ms=nullable(NUMBER),
    cold=nullable(st.booleans()),
)  # fmt: skip
OPENINGS = st.builds(OpeningFact, opening_id=TEXT, run_id=TEXT, person=TEXT, opened_at=TEXT)
NAMES = st.lists(TEXT, max_size=3).map(tuple)
MEASUREMENTS = st.builds(
    MeasurementFact, measurement_id=TEXT, bench_id=TEXT, machine_id=TEXT, cpu=TEXT, core_count=nullable(COUNT),
    memory_bytes=nullable(COUNT), gpus=NAMES, model=TEXT, quantization=nullable(TEXT), description=TEXT,
    weights_bytes=COUNT, parameters=COUNT, shape=nullable(TEXT), test=st.sampled_from(["prefill", "decode"]),
    prompt_tokens=COUNT, generated_tokens=COUNT, depth_tokens=COUNT, tokens_per_s=NUMBER, tokens_per_s_sd=NUMBER,
    repetition_count=nullable(COUNT), threads=COUNT, gpu_layers=COUNT, kv_format=TEXT,
    flash_attention=nullable(st.booleans()), engine=TEXT, measured_at=TEXT, imported_from=nullable(TEXT),
)  # fmt: skip
MACHINES = st.builds(
    MachineFact, machine_fact_id=TEXT, machine_id=TEXT, looked_at=TEXT, cpu=TEXT, core_count=COUNT,
    instruction_sets=NAMES, memory_bytes=nullable(COUNT), gpus=NAMES, bandwidth_bytes_per_s=nullable(NUMBER),
    bandwidth_threads=nullable(COUNT),
)  # fmt: skip

ACTUAL_MONTHS = st.builds(
    ActualMonthFact, month_fact_id=TEXT, person=TEXT, typed_at=TEXT, month=TEXT, usd=NUMBER, requests=nullable(NUMBER),
    input_tokens=nullable(NUMBER), output_tokens=nullable(NUMBER), cached_tokens=nullable(NUMBER),
    gpu_hours=nullable(NUMBER), is_withdrawn=st.booleans(),
)  # fmt: skip

VOTES = st.builds(
    VoteFact, vote_id=TEXT, voter=TEXT, voted_at=TEXT, left_model=TEXT, right_model=TEXT,
    vote=st.sampled_from(["left", "right", "tie", "both bad"]), prompt=nullable(TEXT), run_id=nullable(TEXT),
    left_reply_id=nullable(TEXT), right_reply_id=nullable(TEXT), imported_from=nullable(TEXT),
)  # fmt: skip


@given(fact=RUNS | REPLIES | OPENINGS | MEASUREMENTS | MACHINES | ACTUAL_MONTHS | VOTES)
def test_a_fact_is_read_back_from_its_line_as_it_was(fact):
    line = to_line(fact)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert from_line(line) == (fact, [])


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(RUNS, unique_by=fact_id, max_size=4), replies=st.lists(REPLIES, unique_by=fact_id, max_size=4))
def test_facts_are_read_back_from_a_segment_and_from_parquet_as_they_were(tmp_path_factory, runs, replies):
    folder = tmp_path_factory.mktemp("log")
    replies = [replace(reply, run_id=runs[0].run_id) for reply in replies] if runs else []
    with closing(ResultsLog(folder)) as log:
        for fact in [*runs, *replies]:
            log.append(fact)

    def found(log):
        logged = log.runs()
        return sorted((entry.run for entry in logged), key=fact_id), {r for entry in logged for r in entry.replies}

    wanted = sorted(runs, key=fact_id), set(replies)
    reader = ResultsLog(folder)
    assert found(reader) == wanted
    assert reader.query("SELECT count(*) FROM replies")[1] == [(len(replies),)]
    assert ResultsLog(folder).compact() == len(runs) + len(replies)
    assert list(folder.glob("*.jsonl")) == []
    assert found(reader) == found(ResultsLog(folder)) == wanted
    assert reader.query("SELECT count(*) FROM replies")[1] == [(len(replies),)]
    assert reader.problems() == []


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    measured=st.lists(MEASUREMENTS, unique_by=fact_id, max_size=3),
    looked=st.lists(MACHINES, unique_by=fact_id, max_size=3),
)
def test_measurements_and_machines_are_read_back_from_a_segment_and_from_parquet(tmp_path_factory, measured, looked):
    folder = tmp_path_factory.mktemp("log")
    with closing(ResultsLog(folder)) as log:
        for fact in [*measured, *looked]:
            log.append(fact)
    for _ in ("segment", "parquet"):
        reader = ResultsLog(folder)
        assert {*reader.measurements()} == {*measured}
        assert {*reader.machines()} == {*looked}
        assert reader.query("SELECT count(*) FROM measurements")[1] == [(len(measured),)]
        assert reader.query("SELECT count(*) FROM machines")[1] == [(len(looked),)]
        reader.compact()
    assert reader.problems() == []


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.lists(ACTUAL_MONTHS, unique_by=fact_id, max_size=4))
def test_real_months_are_read_back_by_person_from_a_segment_and_from_parquet(tmp_path_factory, typed):
    folder = tmp_path_factory.mktemp("log")
    with closing(ResultsLog(folder)) as log:
        for fact in typed:
            log.append(fact)
    for _ in ("segment", "parquet"):
        reader = ResultsLog(folder)
        for person in {fact.person for fact in typed}:
            assert {*reader.actual_months(person)} == {fact for fact in typed if fact.person == person}
        assert reader.query("SELECT count(*) FROM actual_months")[1] == [(len(typed),)]
        assert reader.actual_months("nobody else") == []
        reader.compact()
    assert reader.problems() == []


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_votes=st.lists(VOTES, unique_by=fact_id, min_size=1, max_size=4))
def test_votes_that_are_appended_together_are_read_back_oldest_first(tmp_path_factory, given_votes):
    folder = tmp_path_factory.mktemp("log")
    with closing(ResultsLog(folder)) as log:
        log.append_all(given_votes)
    for _ in ("segment", "parquet"):
        reader = ResultsLog(folder)
        assert reader.votes() == sorted(given_votes, key=lambda fact: (fact.voted_at, fact.vote_id))
        assert reader.query("SELECT count(*) FROM votes")[1] == [(len(given_votes),)]
        reader.compact()
    assert reader.problems() == []


def test_where_one_of_many_facts_cannot_be_written_none_is(folder):
    log = ResultsLog(folder)
    with pytest.raises(ValueError, match=r"RunFact\.seed"):
        log.append_all([REPLY, replace(RUN, seed=2**63)])
    assert log.runs() == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "12", True, 10**400])
def test_what_a_column_cannot_hold_is_refused_by_name_and_nothing_is_written(folder, value):
    with pytest.raises(ValueError, match=r"ReplyFact\.ttft_ms is .*: give a finite number or nothing"):
        ResultsLog(folder).append(replace(REPLY, ttft_ms=value))
    assert not folder.exists()


def test_a_whole_number_that_parquet_cannot_hold_is_refused(folder):
    with pytest.raises(ValueError, match=r"RunFact\.seed is 9223372036854775808"):
        ResultsLog(folder).append(replace(RUN, seed=2**63))


def test_a_changed_column_needs_a_new_version():
    columns = {
        name: " ".join(f"{c.name}:{c.type}{'' if c.required else '?'}" for c in table.columns)
        for name, table in log_tables().items()
    }
    assert VERSION == 1
    assert columns["runs"] == (
        "run_id:VARCHAR person:VARCHAR? asked_at:VARCHAR prompt:VARCHAR system:VARCHAR? scheduling:VARCHAR"
        " temperature:DOUBLE top_p:DOUBLE max_tokens:BIGINT seed:BIGINT context_tokens:BIGINT models:VARCHAR[]"
        # Without a new version: an older one leaves them out, and says that there is more than it knows.
        " slots:VARCHAR[]? parent_run_id:VARCHAR? goes_on:BOOLEAN? blind:BOOLEAN?"
    )
    assert columns["replies"] == (
        "reply_id:VARCHAR run_id:VARCHAR slot:BIGINT model:VARCHAR ended_at:VARCHAR text:VARCHAR end:VARCHAR?"
        " error:VARCHAR? prompt_text:VARCHAR? quantization:VARCHAR? engine:VARCHAR? context_tokens:BIGINT?"
        " prompt_tokens:BIGINT? reused_tokens:BIGINT? generated_tokens:BIGINT? ttft_ms:DOUBLE?"
        " prompt_tokens_per_s:DOUBLE? generation_tokens_per_s:DOUBLE? peak_memory_bytes:BIGINT? threads:BIGINT?"
        " gpu_layers:BIGINT? cold:BOOLEAN? wait_ms:DOUBLE? answer_ms:DOUBLE? thinking_tokens:BIGINT?"
        " characters_per_s:DOUBLE? energy_j:DOUBLE? reply_ms:DOUBLE? gpu_energy_j:DOUBLE? recounted:BOOLEAN?"
        " others_busy_cores:DOUBLE?"
    )
    assert columns["openings"] == "opening_id:VARCHAR run_id:VARCHAR person:VARCHAR opened_at:VARCHAR"
    assert columns["stars"] == "star_id:VARCHAR run_id:VARCHAR person:VARCHAR starred_at:VARCHAR is_starred:BOOLEAN"
    assert columns["measurements"] == (
        "measurement_id:VARCHAR bench_id:VARCHAR machine_id:VARCHAR cpu:VARCHAR core_count:BIGINT? memory_bytes:BIGINT?"
        " gpus:VARCHAR[] model:VARCHAR quantization:VARCHAR? description:VARCHAR weights_bytes:BIGINT"
        " parameters:BIGINT shape:VARCHAR? test:VARCHAR prompt_tokens:BIGINT generated_tokens:BIGINT"
        " depth_tokens:BIGINT tokens_per_s:DOUBLE tokens_per_s_sd:DOUBLE repetition_count:BIGINT? threads:BIGINT"
        " gpu_layers:BIGINT kv_format:VARCHAR flash_attention:BOOLEAN? engine:VARCHAR measured_at:VARCHAR"
        " imported_from:VARCHAR?"
    )
    assert columns["actual_months"] == (
        "month_fact_id:VARCHAR person:VARCHAR typed_at:VARCHAR month:VARCHAR usd:DOUBLE requests:DOUBLE?"
        " input_tokens:DOUBLE? output_tokens:DOUBLE? cached_tokens:DOUBLE? gpu_hours:DOUBLE? is_withdrawn:BOOLEAN"
    )
    assert columns["votes"] == (
        "vote_id:VARCHAR voter:VARCHAR voted_at:VARCHAR left_model:VARCHAR right_model:VARCHAR vote:VARCHAR"
        " prompt:VARCHAR? run_id:VARCHAR? left_reply_id:VARCHAR? right_reply_id:VARCHAR? imported_from:VARCHAR?"
    )
    assert columns["machines"] == (
        "machine_fact_id:VARCHAR machine_id:VARCHAR looked_at:VARCHAR cpu:VARCHAR core_count:BIGINT"
        " instruction_sets:VARCHAR[] memory_bytes:BIGINT? gpus:VARCHAR[] bandwidth_bytes_per_s:DOUBLE?"
        " bandwidth_threads:BIGINT?"
    )


def test_lines_of_before_a_column_was_added_are_read_with_nothing_in_it(folder):
    line = json.loads(to_line(replace(RUN, slots=("a",), parent_run_id="before", goes_on=True, blind=True)))
    for name in ("slots", "parent_run_id", "goes_on", "blind"):
        del line["fact"][name]
    assert from_line(json.dumps(line).encode()) == (RUN, [])


# Reading


@pytest.mark.parametrize("exists", [False, True])
def test_an_empty_log_is_valid_and_reading_creates_nothing(folder, exists):
    if exists:
        folder.mkdir(parents=True)
    log = ResultsLog(folder)
    assert (log.runs(), log.run("run-1"), log.openings("bob"), log.problems(), log.compact()) == ([], None, [], [], 0)
    assert log.query("SELECT count(*) AS n FROM runs") == (["n"], [(0,)])
    log.close()
    assert folder.exists() == exists
    assert {path.name for path in folder.glob("*")} <= {"compact.lock"}


def test_runs_come_newest_first_by_the_clock_with_replies_by_slot(folder):
    early = replace(RUN, run_id="early", asked_at="2026-11-23T11:30:00+02:00")
    late = replace(RUN, run_id="late", asked_at="2026-11-23T09:31:00+00:00")
    second = replace(REPLY, reply_id="reply-2", run_id="late", slot=1)
    with closing(ResultsLog(folder)) as log:
        for fact in (late, second, replace(REPLY, run_id="late"), early):
            log.append(fact)
        assert [entry.run for entry in log.runs()] == [late, early]
        assert [reply.slot for reply in log.run("late").replies] == [0, 1]
        assert log.run("early").replies == ()


def test_a_fact_written_twice_counts_once(folder):
    write(folder, RUN, REPLY, OPENING)
    write(folder, RUN, REPLY, OPENING)
    log = ResultsLog(folder)
    for _ in range(2):
        assert log.run("run-1").replies == (REPLY,)
        assert log.query("SELECT count(*) FROM runs UNION ALL SELECT count(*) FROM replies")[1] == [(1,), (1,)]
        assert log.openings("bob") == [OPENING]
        log.compact()
    assert rows_of_parts(folder) == ["opening-1"]


def test_a_reader_sees_what_another_writes_and_compacts_meanwhile(folder):
    reader, log = ResultsLog(folder), ResultsLog(folder)
    for number in range(1, 30):
        log.append(openings(1, number)[0])
        assert len(reader.openings("bob")) == number
        assert reader.query("SELECT count(*) FROM openings WHERE person = $who", who="bob")[1] == [(number,)]
        if number % 7 == 0:
            log.close()
            assert log.compact() == 7
    log.close()


def test_a_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "a [x] *?'é"
    write(folder, *openings(3))
    ResultsLog(folder).compact()
    write(folder, *openings(2, 3))
    assert ResultsLog(folder).query("SELECT count(*) FROM openings")[1] == [(5,)]


# Damage


def test_a_torn_last_line_is_skipped_and_named_and_a_new_writer_goes_on(folder):
    segment = write(folder, *openings(2))
    with segment.open("ab") as stream:
        stream.write(to_line(openings(1, 2)[0])[:-20])
    write(folder, *openings(2, 3))
    log = ResultsLog(folder)
    wanted = ["opening-0000", "opening-0001", "opening-0003", "opening-0004"]
    assert ids(folder) == wanted
    assert log.problems() == [f"{segment}, line 3 is not used: its writer ended in the middle of it."]
    assert log.query("SELECT count(*) FROM openings")[1] == [(4,)]
    assert log.compact() == 4
    assert ids(folder) == wanted == rows_of_parts(folder)
    (problem,) = log.problems()
    assert str(folder / "set-aside" / segment.name) in problem


def test_a_line_that_a_living_writer_has_not_finished_is_no_problem(folder):
    with closing(ResultsLog(folder)) as log:
        log.append(OPENING)
        (segment,) = folder.glob("*.jsonl")
        line = to_line(openings(1, 7)[0])
        reader = ResultsLog(folder)
        for part, count in ((line[:9], 1), (line[9:-1], 1), (line[-1:], 2)):
            with segment.open("ab") as stream:
                stream.write(part)
            assert len(reader.openings("bob")) == count
            assert reader.problems() == []


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (b"\xff\xfe\0\0", "it is no JSON"),
        (b"[]", "it holds no fact"),
        (b'{"fact":{}}', "it is of table 'None', version None"),
        (b'{"table":"openings","version":1,"fact":{"opening_id":1}}', "opening_id is '1', not text"),
        (to_line(REPLY).replace(b"12.5", b"NaN").strip(), "ttft_ms is 'nan', not a finite number or nothing"),
        (b"[" * 100_000, "it is no JSON"),
    ],
)
def test_a_damaged_line_is_named_and_all_others_are_used(folder, damage, reason):
    segment = write(folder, *openings(3))
    lines = segment.read_bytes().split(b"\n")
    segment.write_bytes(b"\n".join([lines[0], damage, *lines[2:]]))
    log = ResultsLog(folder)
    assert ids(folder) == ["opening-0000", "opening-0002"]
    assert log.query("SELECT count(*) FROM openings")[1] == [(2,)]
    (problem,) = log.problems()
    assert problem.startswith(f"{segment}, line 2 is not used: {reason}")
    log.compact()
    assert ids(folder) == ["opening-0000", "opening-0002"]


def test_what_a_newer_version_wrote_is_named_and_never_rewritten(folder):
    segment = write(folder, *openings(2))
    newer = to_line(OPENING).replace(b'"fact":{', b'"fact":{"mood":"good",')
    segment.write_bytes(segment.read_bytes() + newer + to_line(RUN).replace(b'"version":1', b'"version":2'))
    content = segment.read_bytes()
    write(folder, *openings(2, 2))
    log = ResultsLog(folder)
    assert len(ids(folder)) == 5
    later, unknown = log.problems()
    assert f"{segment}, line 4 is not used: it is of table 'runs', version 2" in later
    assert "(openings.mood)" in unknown
    assert log.compact() == 2
    assert segment.read_bytes() == content
    assert len(ids(folder)) == 5


def test_a_field_that_an_older_version_did_not_write_is_none(folder):
    segment = write(folder, RUN, REPLY)
    segment.write_bytes(segment.read_bytes().replace(b'"cold":true', b'"cold":null').replace(b'"ttft_ms":12.5,', b""))
    log = ResultsLog(folder)
    assert log.run("run-1").replies == (replace(REPLY, ttft_ms=None, cold=None),)
    assert log.problems() == []


@pytest.mark.parametrize("damage", [b"", b"PAR1 and no more", b"\0" * 3000])
def test_a_damaged_part_is_set_aside_and_named_and_the_rest_is_used(folder, damage):
    write(folder, RUN, *openings(2))
    ResultsLog(folder).compact()
    write(folder, *openings(2, 2))
    (part,) = folder.glob("openings-*.parquet")
    part.write_bytes(damage)
    log = ResultsLog(folder)
    for _ in range(2):
        assert ids(folder) == ["opening-0002", "opening-0003"]
        assert log.run("run-1").run == RUN
        assert log.query("SELECT count(*) FROM openings")[1] == [(2,)]
        (problem,) = log.problems()
        assert str(folder / "set-aside" / part.name) in problem
        assert (folder / "set-aside" / part.name).read_bytes() == damage
        log.compact()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"parts": [{}], "segments": []}', b"\xff"])
def test_without_a_readable_manifest_every_part_counts(folder, damage):
    write(folder, RUN, *openings(2))
    ResultsLog(folder).compact()
    (folder / "manifest.json").write_bytes(damage)
    write(folder, *openings(2, 2))
    assert len(ids(folder)) == 4
    log = ResultsLog(folder)
    assert log.run("run-1").run == RUN
    (problem,) = log.problems()
    assert str(folder / "set-aside" / "manifest.json") in problem
    assert log.compact() == 2
    assert rows_of_parts(folder) == ids(folder)


def test_a_part_that_went_missing_is_named(folder):
    write(folder, *openings(2))
    ResultsLog(folder).compact()
    (part,) = folder.glob("*.parquet")
    part.unlink()
    assert ResultsLog(folder).problems() == [f"{part} cannot be read (No such file or directory): put the file back."]


# Writing


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file" / "results", Path("/proc/llmcompare/results")):
        log = ResultsLog(folder)
        with pytest.raises(StoreError) as error:
            log.append(OPENING)
        assert str(folder) in str(error.value)
        assert "LLMCOMPARE_VAR" in str(error.value)
        assert log.runs() == []


@pytest.mark.parametrize("limit", [0, 100, 1000, 2000])
def test_on_a_full_disk_a_write_says_so_and_the_log_goes_on_when_there_is_space(folder, limit):
    ran = run_to_its_end(FILL_THE_DISK, folder, limit)
    assert "free some space" in ran.stderr
    assert str(folder) in ran.stderr
    written = ran.stdout.split()
    assert len(written) == 30 + limit // len(to_line(replace(OPENING, opening_id="1000-00", run_id="r")))
    assert sorted(ids(folder)) == sorted(written)
    assert ResultsLog(folder).problems() == []


def test_threads_share_a_log(folder):
    with closing(ResultsLog(folder)) as log:

        def work(mine):
            for fact in mine:
                log.append(fact)
                assert fact in log.openings("bob")

        threads = [threading.Thread(target=work, args=(openings(40, 100 * number),)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ids(folder)) == 240
        assert len(list(folder.glob("*.jsonl"))) == 1


def test_processes_that_write_at_once_lose_nothing(folder):
    writers = [start(WRITE_MANY, folder, name, 300) for name in ("x", "y")]
    for process in writers:
        assert process.stdout.readline() == "ready\n"
    for process in writers:
        process.stdin.write("go\n")
        process.stdin.flush()
    with closing(ResultsLog(folder)) as log:
        for fact in openings(300):
            log.append(fact)
            log.openings("bob")
        for process in writers:
            with process:
                assert process.wait() == 0
        assert len(log.openings("bob")) == 900
        assert log.compact() == 600
        assert log.problems() == []
    assert len(set(ids(folder))) == 900


def test_a_large_segment_is_followed_by_another_and_its_runs_keep_their_writer(folder):
    reader = ResultsLog(folder)
    with closing(ResultsLog(folder)) as log:
        log.append(RUN)
        for number in range(5):
            log.append(replace(REPLY, reply_id=f"reply-{number}", text="x" * 3_000_000))
        sizes = sorted(path.stat().st_size for path in folder.glob("*.jsonl"))
        assert len(sizes) == 3
        assert max(sizes) < 8_000_000
        assert reader.compact() == 0
        assert reader.run("run-1").writer_alive
        assert len(reader.run("run-1").replies) == 5
    assert not reader.run("run-1").writer_alive


def test_a_log_whose_folder_is_deleted_starts_a_new_one(folder):
    with closing(ResultsLog(folder)) as log:
        log.append(openings(1)[0])
        shutil.rmtree(folder)
        log.append(openings(1, 1)[0])
        assert ids(folder) == [opening.opening_id for opening in log.openings("bob")] == ["opening-0001"]


# Killed


def test_a_run_is_unfinished_only_after_its_writer_died(folder):
    log = ResultsLog(folder)
    with writer(folder) as process:
        send(
            process,
            RUN,
            REPLY,
            replace(RUN, run_id="whole", models=("a.gguf",)),
            replace(REPLY, reply_id="w", run_id="whole"),
        )
        logged = log.run("run-1")
        assert (logged.writer_alive, logged.unfinished, logged.replies) == (True, False, (REPLY,))
        assert log.compact() == 0
        kill(process)
    for _ in range(2):
        assert log.run("run-1").unfinished
        assert not log.run("whole").unfinished
        assert not log.run("whole").writer_alive
        log.compact()


def test_another_reader_that_looks_at_the_same_moment_is_not_taken_for_the_writer(folder):
    fcntl = pytest.importorskip("fcntl")
    with write(folder, RUN).open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)
        assert ResultsLog(folder).run("run-1").unfinished


@pytest.mark.parametrize("how", ["writing", "compacting"])
def test_of_twenty_killed_writers_nothing_acknowledged_is_lost_and_nothing_is_doubled(folder, tmp_path, how):
    acknowledged = tmp_path / "acknowledged"
    run_to_its_end(KILL_AT_RANDOM, folder, acknowledged, how, 20261123)
    wanted = acknowledged.read_text().split()
    assert len(wanted) > 100
    if how == "compacting":
        assert len(rows_of_parts(folder)) > 100
    found = ids(folder)
    assert set(wanted) <= set(found)
    # Each writer may have been killed between the write and its word about it.
    assert len(found) <= len(wanted) + 20
    log = ResultsLog(folder)
    count = "SELECT count(*), count(DISTINCT opening_id) FROM openings"
    assert log.query(count)[1] == [(len(found), len(found))]
    write(folder, *openings(1))
    log.compact()
    assert rows_of_parts(folder) == sorted([*found, "opening-0000"])
    assert log.query(count)[1] == [(len(found) + 1, len(found) + 1)]
    assert list(folder.glob("*.tmp")) == []


def test_a_compaction_that_stopped_at_any_step_is_finished_by_the_next(folder, tmp_path):
    write(folder, *openings(5))
    ResultsLog(folder).compact()
    write(folder, *openings(5, 5))
    before = shutil.copytree(folder, tmp_path / "before")
    assert ResultsLog(folder).compact() == 5
    after = shutil.copytree(folder, tmp_path / "after")
    old, new = ({path.name for path in state.glob("*-*")} for state in (before, after))
    assert old.isdisjoint(new)
    (old_part,) = (name for name in old if name.endswith("parquet"))
    (segment,) = old - {old_part}
    steps = [
        (before, [], "a part is half written", {"0.tmp": b"PAR1"}),
        (before, new, "the part is there", {}),
        (after, old, "the manifest names it", {}),
        (after, [segment], "the old part is gone", {}),
        (after, [], "the segment is gone", {}),
    ]
    for number, (state, more, step, files) in enumerate(steps):
        stopped = shutil.copytree(state, tmp_path / str(number))
        for name in more:
            shutil.copy((before if name in old else after) / name, stopped / name)
        for name, content in files.items():
            (stopped / name).write_bytes(content)
        for _ in range(2):
            assert len(ids(stopped)) == len(set(ids(stopped))) == 10, step
            assert ResultsLog(stopped).query("SELECT count(*) FROM openings")[1] == [(10,)], step
            ResultsLog(stopped).compact()
        write(stopped, *openings(1, 10))
        assert ResultsLog(stopped).compact() == 1, step
        assert rows_of_parts(stopped) == [fact.opening_id for fact in openings(11)], step
        assert {path.suffix for path in stopped.iterdir()} == {".json", ".parquet", ".lock"}, step
        assert ResultsLog(stopped).problems() == []


def test_what_killed_processes_began_is_cleared_and_what_is_being_made_stays(folder):
    write(folder, *openings(2))
    for name in ("abandoned.new", "begun.new", "half.tmp"):
        (folder / name).write_bytes(b"")
    os.utime(folder / "abandoned.new", (0, 0))
    assert ResultsLog(folder).compact() == 2
    assert {path.name for path in folder.iterdir() if path.suffix in (".new", ".tmp")} == {"begun.new"}


def test_a_compaction_on_a_full_disk_leaves_everything_as_it_is(folder):
    write(folder, *openings(50))
    before = {path.name for path in folder.iterdir()}
    ran = run_to_its_end(
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
        "try:\n    ResultsLog(Path(sys.argv[1])).compact()\nexcept StoreError as error:\n    print(error)",
        folder,
    )
    assert "free some space" in ran.stdout
    assert {path.name for path in folder.iterdir()} == before | {"compact.lock"}
    assert len(ids(folder)) == 50


def test_while_one_process_compacts_another_does_nothing(folder):
    fcntl = pytest.importorskip("fcntl")
    write(folder, *openings(2))
    descriptor = os.open(folder / "compact.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert ResultsLog(folder).compact() == 0
    os.close(descriptor)
    assert ResultsLog(folder).compact() == 2
