"""Files that other programs fetched from the Hub: found and taken over while the Hub does not answer."""

import hashlib

import pytest

from llmcompare.errors import ModelRefusedError
from llmcompare.models.downloads import Progress, Watch, download
from llmcompare.models.fetched import fetched_of
from llmcompare.models.hub_cache import cached_repositories, cached_repository
from llmcompare.models.hub_files import models_of
from tests.tiny_models import write_tiny

REPOSITORY = "maker/tiny-GGUF"
OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture
def keep(tmp_path):
    """Puts files into the cache as huggingface_hub lays them out: blobs by checksum, and a link for each commit."""

    def put(*paths, commit=NEW, repository=REPOSITORY, folder=""):
        place = tmp_path / "home" / "hub" / f"models--{repository.replace('/', '--')}"
        snapshot = place / "snapshots" / commit / folder
        for made in (snapshot, place / "blobs"):
            made.mkdir(parents=True, exist_ok=True)
        for path in paths:
            blob = place / "blobs" / hashlib.sha256(path.read_bytes()).hexdigest()
            blob.write_bytes(path.read_bytes())
            (snapshot / path.name).symlink_to(
                "../" * (2 + len(folder.split("/")) * bool(folder)) + f"blobs/{blob.name}"
            )
        return place

    return put


@pytest.fixture
def tiny(tmp_path):
    return write_tiny(tmp_path / "tiny-Q8_0.gguf", "qwen3")


def test_what_is_cached_is_found_with_sizes_and_checksums_without_asking_anybody(keep, tiny):
    keep(tiny)
    (found,) = cached_repositories()
    assert (found.name, found.commit, found.is_cached) == (REPOSITORY, NEW, True)
    (model,) = models_of(found)
    assert (model.path, model.format_name, model.size_bytes) == (tiny.name, "Q8_0", tiny.stat().st_size)
    assert model.files[0].sha256 == hashlib.sha256(tiny.read_bytes()).hexdigest()


@pytest.mark.parametrize("switch", ["closed", "offline"])
def test_a_cached_file_is_taken_over_without_a_network_and_checked(keep, tiny, tmp_path, monkeypatch, switch):
    if switch == "offline":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    keep(tiny, folder="Q8_0")
    steps: list[Progress] = []
    taken = download(REPOSITORY, f"Q8_0/{tiny.name}", tmp_path / "models", Watch(note=steps.append))
    assert taken.is_symlink()
    assert taken.read_bytes() == tiny.read_bytes()
    assert fetched_of(taken).checksum == hashlib.sha256(tiny.read_bytes()).hexdigest()
    assert [step.phase for step in steps][-1] == "done"
    assert "checking" in {step.phase for step in steps}


def test_a_damaged_copy_is_refused(keep, tiny, tmp_path):
    place = keep(tiny)
    (blob,) = (place / "blobs").iterdir()
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelRefusedError, match="its copy in the cache of the Hub is damaged"):
        download(REPOSITORY, tiny.name, tmp_path / "models", Watch())
    assert not list((tmp_path / "models").rglob("*.gguf"))


def test_a_split_model_is_taken_whole_or_not_at_all(keep, tmp_path):
    write_tiny(tmp_path / "split.gguf", "llama", split_tensors=8)
    parts = sorted(tmp_path.glob("split-*.gguf"))
    assert len(parts) > 2
    keep(*parts[:-1], commit=OLD)
    with pytest.raises(ModelRefusedError, match=f"{parts[-1].name} is missing"):
        download(REPOSITORY, parts[0].name, tmp_path / "models", Watch())
    keep(*parts, commit=NEW)
    first = download(REPOSITORY, parts[1].name, tmp_path / "models", Watch())
    assert first.name == parts[0].name
    assert sorted(path.name for path in first.parent.glob("*.gguf")) == [part.name for part in parts]


def test_of_two_commits_the_newest_that_has_the_file_counts(keep, tiny, tmp_path):
    other = write_tiny(tmp_path / "other-Q8_0.gguf", "llama")
    keep(tiny, commit=OLD)
    keep(other, commit=NEW)
    assert cached_repository(REPOSITORY, tiny.name).commit == OLD
    assert cached_repository(REPOSITORY, other.name).commit == NEW


def test_other_files_and_half_fetched_ones_are_no_models(keep, tmp_path):
    notes = tmp_path / "README.md"
    notes.write_text("notes")
    place = keep(notes, repository="maker/notes")
    (place / "blobs" / f"{'c' * 64}.incomplete").write_bytes(b"GGUF")
    (place.parent / "models--a--b" / "snapshots" / "main").mkdir(parents=True)
    strange = place.parent / "models--a--b--c" / "snapshots" / NEW
    strange.mkdir(parents=True)
    write_tiny(strange / "x.gguf")
    assert cached_repositories() == []


def test_what_is_not_cached_says_that_the_hub_cannot_be_reached(tmp_path):
    with pytest.raises(ModelRefusedError, match=r"cannot be read from the Hub: the Hub cannot be reached"):
        download(REPOSITORY, "tiny.gguf", tmp_path / "models", Watch())
