"""Downloads against a server that speaks the Hub's protocol, and everything that goes wrong on the way."""

import fcntl
import hashlib
import json
import os
import shutil
import threading

import pytest

from llmcompare.errors import InputError, ModelRefusedError
from llmcompare.models import hub_files
from llmcompare.models.downloads import Progress, Watch, download
from llmcompare.models.fetched import fetched_of, fetched_path
from llmcompare.models.library import local_models
from llmcompare.models.part_files import source_of_part, unfinished
from tests.models.hub_server import COMMIT, PIECE_BYTES, serving
from tests.tiny_models import write_tiny

REPOSITORY = "maker/tiny-GGUF"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with serving() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        monkeypatch.setenv("HF_TOKEN", "")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        monkeypatch.delenv("HF_HUB_CACHE", raising=False)
        monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "0.5")
        yield running


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("tiny") / "tiny-F16.gguf")


@pytest.fixture
def served(hub, tiny):
    hub.files[REPOSITORY] = {tiny.name: tiny}
    return hub


@pytest.fixture
def models(tmp_path):
    return tmp_path / "var" / "models"


def fetched(models, tiny, *, watch=None, file=None):
    return download(REPOSITORY, file or tiny.name, models, watch or Watch())


def refusal(models, tiny, **more):
    with pytest.raises(ModelRefusedError) as caught:
        fetched(models, tiny, **more)
    return str(caught.value)


def seen():
    """A watch that keeps what it is told."""
    said: list[Progress] = []
    return said, Watch(note=said.append)


def test_a_file_is_fetched_checked_and_listed_with_where_it_is_from(served, tiny, models):
    said, watch = seen()
    path = fetched(models, tiny, watch=watch)
    assert path == models / REPOSITORY / tiny.name
    assert path.read_bytes() == tiny.read_bytes()
    assert list(dict.fromkeys(one.phase for one in said)) == [
        "asking the Hub", "fetching", "checking", "done",
    ]  # fmt: skip
    size = tiny.stat().st_size
    assert (said[-1].done_bytes, said[-1].total_bytes, said[-1].kept_bytes, said[-1].cuts) == (size, size, 0, 0)
    assert [one.done_bytes for one in said] == sorted(one.done_bytes for one in said)
    note = fetched_of(path)
    assert (note.repository, note.commit, note.size_bytes) == (REPOSITORY, COMMIT, size)
    assert note.checksum == hashlib.sha256(tiny.read_bytes()).hexdigest()
    (model,) = local_models(models, None)
    assert model.problem is None
    assert model.origin.startswith("from maker/tiny-GGUF on the Hub @ 0000000, checked on 20")
    assert unfinished(models) == []


def test_the_list_of_a_repository_has_sizes_checksums_licence_and_gate(served, tiny):
    served.gated.add(REPOSITORY)
    found = hub_files.repository(REPOSITORY)
    assert (found.commit, found.gated, found.licence, found.changed_on) == (COMMIT, True, "apache-2.0", "2026-05-01")
    (model,) = hub_files.models_of(found)
    assert (model.path, model.size_bytes, model.format_name) == (tiny.name, tiny.stat().st_size, "F16")
    assert model.files[0].sha256 == hashlib.sha256(tiny.read_bytes()).hexdigest()


def test_a_connection_that_is_cut_is_taken_up_where_it_ended(served, tiny, models):
    served.cuts = [3 * PIECE_BYTES, PIECE_BYTES]
    said, watch = seen()
    path = fetched(models, tiny, watch=watch)
    assert path.read_bytes() == tiny.read_bytes()
    assert said[-1].cuts == 2
    ranges = [request.rpartition(" ")[2] for request in served.requests if "/resolve/" in request]
    assert ranges[1:] == [f"bytes={3 * PIECE_BYTES}-", f"bytes={4 * PIECE_BYTES}-"]
    assert served.sent_bytes == tiny.stat().st_size


def test_a_large_file_is_asked_for_in_ranges_as_the_hub_sends_no_other(served, tiny, models):
    size, piece = tiny.stat().st_size, 3 * PIECE_BYTES
    assert size > 2 * piece
    served.cuts = [piece, PIECE_BYTES]
    said, watch = seen()
    path = download(REPOSITORY, tiny.name, models, watch, request_bytes=piece)
    assert path.read_bytes() == tiny.read_bytes()
    ranges = [request.rpartition(" ")[2] for request in served.requests if "/resolve/" in request]
    # The second one is cut after a piece of 8 kB, and gone on with from there.
    starts = [0, piece, piece + PIECE_BYTES, *range(2 * piece + PIECE_BYTES, size, piece)]
    assert ranges == [f"bytes={at}-{at + piece - 1}" if at + piece < size else f"bytes={at}-" for at in starts]
    assert (said[-1].cuts, served.sent_bytes) == (1, size)


def test_ranges_of_a_server_that_knows_none_are_the_whole_file(served, tiny, models):
    served.knows_ranges = False
    path = download(REPOSITORY, tiny.name, models, Watch(), request_bytes=3 * PIECE_BYTES)
    assert path.read_bytes() == tiny.read_bytes()
    assert served.sent_bytes == tiny.stat().st_size


def test_a_file_too_large_for_the_hub_to_send_says_what_fetches_it_and_keeps_what_came(served, tiny, models):
    size = served.listed_sizes[tiny.name] = 464_600_000_000
    served.status = 400
    part = models / REPOSITORY / f"{tiny.name}.{served.checksum(tiny)[:12]}.part"
    part.parent.mkdir(parents=True)
    part.touch()
    # All but a thousand bytes, that take no room.
    os.truncate(part, size - 1000)
    sentence = refusal(models, tiny)
    assert "the Hub does not send a file of 465 GB" in sentence
    assert "`hf download`" in sentence
    assert part.stat().st_size == size - 1000


def test_a_connection_that_is_lost_for_good_keeps_what_came_and_the_next_start_goes_on(served, tiny, models):
    served.cuts = [5 * PIECE_BYTES, *[0] * 6]
    sentence = refusal(models, tiny)
    assert "the connection was lost 6 times in a row" in sentence
    assert "are kept: start again to go on from there" in sentence
    (part,) = unfinished(models)
    assert part.stat().st_size == 5 * PIECE_BYTES
    assert source_of_part(part, models) == (REPOSITORY, tiny.name)
    assert local_models(models, None) == []
    said, watch = seen()
    assert fetched(models, tiny, watch=watch).read_bytes() == tiny.read_bytes()
    assert said[-1].kept_bytes == 5 * PIECE_BYTES
    assert served.sent_bytes == tiny.stat().st_size


def test_a_cancelled_download_keeps_what_came(served, tiny, models):
    said, watch = seen()
    watch.cancelled = lambda: bool(said) and said[-1].done_bytes >= 2 * PIECE_BYTES
    assert fetched(models, tiny, watch=watch) is None
    (part,) = unfinished(models)
    assert 2 * PIECE_BYTES <= part.stat().st_size < tiny.stat().st_size
    assert fetched(models, tiny).read_bytes() == tiny.read_bytes()
    assert served.sent_bytes < 2 * tiny.stat().st_size


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(served, tiny, models):
    served.listed_checksums[tiny.name] = "a" * 64
    sentence = refusal(models, tiny)
    real = hashlib.sha256(tiny.read_bytes()).hexdigest()
    assert f"its checksum is {real[:16]}… and the Hub lists aaaaaaaaaaaaaaaa…" in sentence
    assert [path for path in models.rglob("*") if path.is_file()] == []


def test_a_file_without_a_checksum_is_not_fetched(served, tiny, models):
    served.without_checksum.add(tiny.name)
    assert "the Hub names no checksum of it" in refusal(models, tiny)
    assert not models.exists()


@pytest.mark.parametrize("difference", [-1000, 1000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_hub_that_lies_about_a_size_is_refused(served, tiny, models, difference, chunked):
    served.chunked = chunked
    served.listed_sizes[tiny.name] = tiny.stat().st_size + difference
    sentence = refusal(models, tiny)
    assert f"the Hub lists {tiny.stat().st_size + difference:,} bytes of it" in sentence
    assert "Nothing was kept" in sentence
    assert unfinished(models) == []
    assert local_models(models, None) == []


def test_a_hub_that_never_stops_sending_is_left_and_nothing_is_kept(served, tiny, models):
    served.chunked = served.endless = True
    assert "sends more. Nothing was kept" in refusal(models, tiny)
    assert served.left_alone.wait(60)
    assert unfinished(models) == []
    assert local_models(models, None) == []


def test_a_list_without_an_end_is_left(served, tiny, models):
    served.endless_lists = True
    asked = (lambda: hub_files.repository(REPOSITORY), lambda: hub_files.search("tiny"), lambda: fetched(models, tiny))
    for ask in asked:
        served.left_alone.clear()
        with pytest.raises(ModelRefusedError, match="its answer does not end; try another repository"):
            ask()
        assert served.left_alone.wait(60)


def test_a_list_with_more_files_than_any_repository_has_is_refused(served, tiny):
    served.files[REPOSITORY] = {f"{number}.gguf": tiny for number in range(hub_files.FILES_LIMIT)}
    assert len(hub_files.models_of(hub_files.repository(REPOSITORY))) == 5_000
    served.files[REPOSITORY]["one-more.gguf"] = tiny
    with pytest.raises(ModelRefusedError, match="it lists 5,001 files, more than the 5,000 that are looked at"):
        hub_files.repository(REPOSITORY)


def test_names_that_promise_thousands_of_parts_are_refused_before_they_are_counted_out(served, tiny):
    served.files[REPOSITORY] = {f"{number}-00001-of-01000.gguf": tiny for number in range(5)}
    assert [len(one.missing) for one in hub_files.models_of(hub_files.repository(REPOSITORY))] == [999] * 5
    served.files[REPOSITORY]["one-more-00001-of-00002.gguf"] = tiny
    with pytest.raises(ModelRefusedError, match="it lists 5,002 files"):
        hub_files.repository(REPOSITORY)


def test_a_search_whose_pages_have_no_end_is_one_page(served):
    served.pages_on = True
    assert hub_files.search("nothing of the kind") == []


def test_names_that_read_as_others_are_no_files_and_a_long_licence_is_cut(served, tiny):
    served.files[REPOSITORY] = dict.fromkeys(("a\n.gguf", "a\u202efugg.gguf", "a\x1b[2J.gguf", "good one.gguf"), tiny)
    served.licence = "very long " * 1_000
    found = hub_files.repository(REPOSITORY)
    assert [one.path for one in hub_files.models_of(found)] == ["good one.gguf"]
    assert len(found.licence) == 60


@pytest.mark.parametrize("size", [-5, 2**60, 10**30])
def test_a_size_that_is_no_size_is_refused(served, tiny, models, size):
    served.listed_sizes[tiny.name] = size
    assert "the Hub names no size of it" in refusal(models, tiny)


def test_a_gated_file_says_what_to_do(served, tiny, models):
    served.gated.add(REPOSITORY)
    assert "its owner asks for an agreement; accept it on the Hub and set HF_TOKEN" in refusal(models, tiny)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (403, "it does not let this token in; ask its owner"),
        (404, "the file is no longer there; look at the repository again"),
        (429, "the Hub gets too many requests from here; wait some minutes"),
    ],
)
def test_a_refused_file_is_one_sentence_at_once(served, tiny, models, status, sentence):
    served.status = status
    assert sentence in refusal(models, tiny)
    assert sum("/resolve/" in request for request in served.requests) == 1


def test_a_server_in_trouble_is_tried_again(served, tiny, models):
    served.status = 503
    watch = Watch(wait=lambda _: setattr(served, "status", None))
    assert fetched(models, tiny, watch=watch).read_bytes() == tiny.read_bytes()
    assert watch.progress.cuts == 1


def test_a_silent_connection_is_given_up_and_taken_up_again(served, tiny, models):
    served.stalls_s = 1.5
    watch = Watch(wait=lambda _: setattr(served, "stalls_s", 0.0))
    assert fetched(models, tiny, watch=watch).read_bytes() == tiny.read_bytes()
    assert watch.progress.cuts == 1


def test_a_slow_connection_is_only_slow(served, tiny, models):
    served.pause_s = 0.02
    assert fetched(models, tiny).read_bytes() == tiny.read_bytes()


def test_a_server_without_ranges_sends_everything_again(served, tiny, models):
    served.cuts, served.knows_ranges = [2 * PIECE_BYTES], False
    assert fetched(models, tiny).read_bytes() == tiny.read_bytes()
    assert served.sent_bytes == tiny.stat().st_size + 2 * PIECE_BYTES


def test_nothing_is_fetched_twice(served, tiny, models):
    fetched(models, tiny)
    sent = served.sent_bytes
    assert fetched(models, tiny) == models / REPOSITORY / tiny.name
    assert served.sent_bytes == sent


def test_a_size_that_the_hub_lists_for_a_file_that_is_here_is_not_believed_either(served, tiny, models):
    fetched(models, tiny)
    served.listed_sizes[tiny.name] = 4_280_000_000
    assert "is there already and is not what the Hub has now" in refusal(models, tiny)


def test_a_file_of_that_name_which_is_another_one_is_not_overwritten(served, tiny, models):
    mine = write_tiny_at(models / REPOSITORY / tiny.name, seed=1)
    before = mine.read_bytes()
    assert "is there already and is not what the Hub has now" in refusal(models, tiny)
    assert mine.read_bytes() == before


def write_tiny_at(path, *, seed):
    path.parent.mkdir(parents=True)
    return write_tiny(path, seed=seed)


def test_the_same_file_put_there_by_hand_is_known_by_its_checksum(served, tiny, models):
    (models / REPOSITORY).mkdir(parents=True)
    shutil.copyfile(tiny, models / REPOSITORY / tiny.name)
    assert fetched(models, tiny) == models / REPOSITORY / tiny.name
    assert served.sent_bytes == 0


def test_what_another_program_fetched_is_linked_and_not_fetched_again(served, tiny, models, tmp_path):
    snapshot = tmp_path / "home" / "hub" / "models--maker--tiny-GGUF" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    shutil.copyfile(tiny, snapshot / tiny.name)
    path = fetched(models, tiny)
    assert path.is_symlink()
    assert path.read_bytes() == tiny.read_bytes()
    assert served.sent_bytes == 0


def test_a_damaged_copy_in_the_cache_is_not_taken(served, tiny, models, tmp_path):
    snapshot = tmp_path / "home" / "hub" / "models--maker--tiny-GGUF" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / tiny.name).write_bytes(bytes(tiny.stat().st_size))
    assert fetched(models, tiny).read_bytes() == tiny.read_bytes()
    assert served.sent_bytes == tiny.stat().st_size


def test_a_part_that_another_process_writes_is_left_alone(served, tiny, models):
    served.cuts = [PIECE_BYTES, *[0] * 6]
    refusal(models, tiny)
    (part,) = unfinished(models)
    with part.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert "is being fetched by another process" in refusal(models, tiny)
    assert fetched(models, tiny).is_file()


def test_the_room_on_the_disk_is_looked_at_before_a_byte_comes(served, tiny, models):
    served.listed_sizes[tiny.name] = 10**15
    sentence = refusal(models, tiny)
    assert "there is no room for tiny-F16.gguf of maker/tiny-GGUF: 1,000,000,000 MB are to come" in sentence
    assert not any("/resolve/" in request for request in served.requests)


def test_all_parts_of_a_split_model_are_fetched(hub, models, tmp_path):
    write_tiny(tmp_path / "split.gguf", "llama", split_tensors=8)
    hub.files[REPOSITORY] = {f"Q8/{path.name}": path for path in tmp_path.glob("split*.gguf")}
    first = min(hub.files[REPOSITORY])
    (listed,) = hub_files.models_of(hub_files.repository(REPOSITORY))
    assert (listed.path, listed.missing) == (first, ())
    path = download(REPOSITORY, max(hub.files[REPOSITORY]), models, Watch())
    assert path == models / REPOSITORY / first
    (model,) = local_models(models, None)
    assert model.problem is None
    assert model.size_bytes == listed.size_bytes


def test_a_split_model_with_a_missing_part_is_refused_with_its_name(hub, models, tmp_path):
    write_tiny(tmp_path / "split.gguf", "llama", split_tensors=8)
    files = {path.name: path for path in tmp_path.glob("split*.gguf")}
    gone = max(files)
    hub.files[REPOSITORY] = {name: path for name, path in files.items() if name != gone}
    with pytest.raises(ModelRefusedError, match=f"{gone} is missing: choose another file"):
        download(REPOSITORY, min(files), models, Watch())
    assert hub.sent_bytes == 0


@pytest.mark.parametrize("path", ["../up.gguf", "/etc/x.gguf", "a/../../x.gguf", "notes.txt", "a\\b.gguf", "a//b.gguf"])
def test_a_path_that_leaves_its_folder_is_refused(served, tiny, models, path):
    served.files[REPOSITORY][path] = tiny
    with pytest.raises(InputError, match="is no GGUF file of a repository"):
        download(REPOSITORY, path, models, Watch())
    assert path not in [one.path for one in hub_files.models_of(hub_files.repository(REPOSITORY))]


@pytest.mark.parametrize("name", ["", "tiny", "a/b/c", "../x/y", "a/..", "hf://a/b", "a b/c"])
def test_a_name_that_cannot_be_a_repository_is_refused_with_the_form(hub, models, name):
    with pytest.raises(InputError, match="write owner/name"):
        download(name, "x.gguf", models, Watch())
    assert hub.requests == []


def test_a_file_that_is_not_there_names_those_that_are(served, tiny, models):
    assert "has no file 'other.gguf': of GGUF files it has tiny-F16.gguf" in refusal(models, tiny, file="other.gguf")


def test_offline_is_one_sentence_and_nothing_is_asked(served, tiny, models, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set; unset it, or use a file that is here" in refusal(models, tiny)
    with pytest.raises(ModelRefusedError, match="HF_HUB_OFFLINE is set"):
        hub_files.search("tiny")
    assert served.requests == []


def test_a_hub_that_is_not_there_is_one_sentence(models, tiny, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "the Hub cannot be reached (ConnectError); check the network; files that are here do without" in refusal(
        models, tiny
    )


def test_the_token_goes_to_the_hub_and_into_no_file(served, tiny, models, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    path = fetched(models, tiny)
    assert served.tokens == ["Bearer hf_secretsecretsecret"]
    assert "secret" not in fetched_path(path).read_text()


def test_a_search_finds_repositories_by_a_part_of_their_name(served, tiny):
    served.files["other/Thing-GGUF"] = {tiny.name: tiny}
    assert [hit.name for hit in hub_files.search("tiny")] == [REPOSITORY]
    assert hub_files.search("nothing of the kind") == []
    with pytest.raises(InputError, match="the search is empty"):
        hub_files.search("  ")


def test_a_damaged_note_is_no_note(served, tiny, models):
    path = fetched(models, tiny)
    note = json.loads(fetched_path(path).read_text())
    for content in ("{", "[]", json.dumps(note | {"size_bytes": 5}), json.dumps(note | {"commit": 1}), "[" * 10_000):
        fetched_path(path).write_text(content)
        assert fetched_of(path) is None


def test_two_at_once_for_one_file_do_not_mix_their_bytes(served, tiny, models):
    served.pause_s = 0.01
    found, refused = [], []

    def one():
        try:
            found.append(fetched(models, tiny))
        except ModelRefusedError as problem:
            refused.append(str(problem))

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found
    assert all("another process" in text for text in refused)
    assert (models / REPOSITORY / tiny.name).read_bytes() == tiny.read_bytes()
