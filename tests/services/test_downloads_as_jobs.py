"""Downloads as jobs and on the command line: attached to, stopped, gone on with, told in words."""

import json

import pytest

from llmcompare.errors import InputError
from llmcompare.models.downloads import Progress
from llmcompare.services import downloads, runs
from llmcompare.services.downloads import DownloadWork, pace
from llmcompare.services.jobs import registry
from tests.models.hub_server import PIECE_BYTES, serving
from tests.tiny_models import write_tiny

REPOSITORY = "maker/tiny-GGUF"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with serving() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        monkeypatch.setenv("HF_TOKEN", "")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("LLMCOMPARE_VAR", str(tmp_path / "var"))
        yield running


@pytest.fixture
def tiny(hub, tmp_path, request):
    # A name of its own for each test: a job is known by it.
    path = write_tiny(tmp_path / f"{request.node.name[:40]}-F16.gguf")
    hub.files[REPOSITORY] = {path.name: path}
    return path


def test_a_download_is_a_job_that_ends_with_the_model_at_hand(hub, tiny):
    job = downloads.start(REPOSITORY, tiny.name)
    assert job.ended.wait(20)
    assert (job.state, job.error) == ("done", None)
    assert [model.name for model in runs.local_models() if model.origin.startswith(f"from {REPOSITORY}")] == [tiny.stem]
    assert downloads.in_words(job.work, job.state).startswith(f"{tiny.name} is here and checked: ")


def test_whoever_asks_for_the_same_file_gets_the_job_that_runs(hub, tiny):
    hub.pause_s = 0.05
    job = downloads.start(REPOSITORY, tiny.name)
    assert downloads.start(f" {REPOSITORY} ", tiny.name) is job
    assert downloads.running(REPOSITORY, tiny.name) is job
    assert job in downloads.every()
    job.stop()
    assert job.ended.wait(20)


def test_a_stopped_download_is_listed_and_goes_on_where_it_ended(hub, tiny):
    hub.pause_s = 0.05
    job = downloads.start(REPOSITORY, tiny.name)
    while job.work.progress.done_bytes < 2 * PIECE_BYTES:
        assert not job.ended.wait(0.01), job.error
    assert downloads.unfinished() == []
    job.stop()
    assert job.ended.wait(20)
    assert job.state == "stopped"
    assert "was stopped" in downloads.in_words(job.work, job.state)
    (left,) = downloads.unfinished()
    assert (left.repository, left.file) == (REPOSITORY, tiny.name)
    assert left.size_bytes >= 2 * PIECE_BYTES
    hub.pause_s = 0.0
    again = downloads.start(left.repository, left.file)
    assert again.ended.wait(20)
    assert again.work.progress.kept_bytes == left.size_bytes
    assert "were here already" in downloads.in_words(again.work, again.state)
    assert downloads.unfinished() == []


def test_a_download_that_fails_has_its_sentence(hub, tiny):
    hub.listed_checksums[tiny.name] = "b" * 64
    job = downloads.start(REPOSITORY, tiny.name)
    assert job.ended.wait(20)
    assert (job.state, job.bug) == ("failed", None)
    assert "is refused: its checksum is" in job.error


def test_a_name_that_cannot_be_starts_nothing(hub):
    with pytest.raises(InputError, match="write owner/name"):
        downloads.start("nowhere", "x.gguf")
    assert registry.get(downloads.job_id("nowhere", "x.gguf")) is None


def test_the_speed_is_that_of_the_last_seconds_and_none_where_nothing_comes():
    at = Progress(phase="fetching", done_bytes=90, total_bytes=100)
    assert pace([(0.0, 0), (95.0, 50), (100.0, 90)], at, now_s=100.0) == downloads.Pace(
        bytes_per_s=8.0, remaining_s=1.25
    )
    assert pace([(0.0, 0), (1.0, 90)], at, now_s=100.0).bytes_per_s is None
    assert pace([(95.0, 90), (96.0, 90)], at, now_s=100.0) == downloads.Pace(bytes_per_s=0.0, remaining_s=None)


@pytest.mark.parametrize(
    ("progress", "state", "sentence"),
    [
        (Progress(), "running", "Asking the Hub for x.gguf."),
        (Progress(phase="checking"), "running", "x.gguf has come; its checksum is being compared."),
        (
            Progress(phase="fetching", done_bytes=20_000_000, total_bytes=2_497_280_256, kept_bytes=9_000_000, cuts=1),
            "running",
            "x.gguf: 20 MB of 2,497 MB; 9.0 MB were here already; the connection was lost 1 time and taken up again.",
        ),
    ],
)
def test_progress_is_a_sentence(tmp_path, progress, state, sentence):
    work = DownloadWork(REPOSITORY, "folder/x.gguf", tmp_path, progress=progress)
    assert downloads.in_words(work, state) == sentence


def test_the_command_fetches_a_file_and_prints_where_it_is(hub, tiny, command_line):
    done = command_line("download", REPOSITORY, tiny.name, "--json")
    assert (done.exit_code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["done_bytes"] == found["total_bytes"] == tiny.stat().st_size
    assert found["path"].endswith(f"models/{REPOSITORY}/{tiny.name}")


def test_the_command_says_in_one_sentence_what_went_wrong(hub, tiny, command_line):
    done = command_line("download", REPOSITORY, "other.gguf")
    assert done.exit_code == 2
    assert done.err.startswith("llmcompare: maker/tiny-GGUF has no file 'other.gguf'")
