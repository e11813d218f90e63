"""Headers of files on the Hub: read by range from a server that speaks its protocol, split files too."""

import os

import pytest

from llmcompare.errors import InputError, ModelRefusedError
from llmcompare.models import gguf_shape
from llmcompare.models.gguf import read_header
from llmcompare.models.hub import BLOCK_BYTES, remote_headers
from llmcompare.models.remote_name import is_remote
from tests.models.hub_server import serving
from tests.tiny_models import write_tiny

GIB = 1024**3


@pytest.fixture
def hub(monkeypatch):
    with serving() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        monkeypatch.setenv("HF_TOKEN", "")
        yield running


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("tiny") / "tiny.gguf", "qwen3moe")


@pytest.mark.parametrize(
    "name", ["hf://maker/tiny-GGUF/tiny.gguf", "maker/tiny-GGUF:tiny.gguf", "maker/tiny-GGUF@main:tiny.gguf"]
)
def test_a_remote_header_is_the_header_of_the_same_file_here(hub, tiny, name):
    hub.files["maker/tiny-GGUF"] = {"tiny.gguf": tiny}
    assert is_remote(name)
    (far,) = remote_headers(name)
    here = read_header(tiny)
    assert (far.metadata, far.tensors, far.file_bytes) == (here.metadata, here.tensors, here.file_bytes)
    assert gguf_shape.shape_of([far]) == gguf_shape.shape_of([here])


def test_of_a_file_of_gigabytes_a_few_megabytes_are_fetched(hub, tmp_path, tiny):
    large = tmp_path / "large.gguf"
    large.write_bytes(tiny.read_bytes())
    os.truncate(large, 3 * GIB)
    hub.files["maker/large"] = {"folder/large.gguf": large}
    (header,) = remote_headers("maker/large:folder/large.gguf")
    assert header.file_bytes == 3 * GIB
    assert 0 < hub.sent_bytes <= 2 * BLOCK_BYTES
    ranged = [request for request in hub.requests if "/resolve/" in request]
    assert all("bytes=" in request for request in ranged)
    assert len(ranged) <= 2


def test_all_parts_of_a_split_model_are_read(hub, tmp_path):
    write_tiny(tmp_path / "split.gguf", "llama", split_tensors=8)
    files = {path.name: path for path in tmp_path.glob("*.gguf")}
    assert len(files) > 1
    hub.files["maker/split"] = files
    headers = remote_headers(f"maker/split:{min(files)}")
    whole = read_header(write_tiny(tmp_path / "whole.gguf", "llama"))
    assert len(headers) == len(files)
    assert gguf_shape.weights_bytes(headers) == whole.weights_bytes
    assert gguf_shape.shape_of(headers).params_total == whole.parameters


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody/none:x.gguf", "no such repository, or it is private"),
        ("maker/tiny:other.gguf", "the repository has no such file"),
        ("maker/tiny:folder/other.gguf", "the repository has no such file"),
        ("maker/tiny@elsewhere:tiny.gguf", "the repository has no such revision"),
        ("maker/closed:tiny.gguf", "its owner asks for an agreement"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence_with_the_name(hub, tiny, name, sentence):
    hub.files |= {"maker/tiny": {"tiny.gguf": tiny}, "maker/closed": {"tiny.gguf": tiny}}
    hub.gated.add("maker/closed")
    with pytest.raises(ModelRefusedError, match=sentence) as refusal:
        remote_headers(name)
    assert str(refusal.value).startswith(f"{name} cannot be read from the Hub: ")


def test_a_hub_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelRefusedError, match="the Hub cannot be reached"):
        remote_headers("maker/tiny:tiny.gguf")


def test_what_is_no_gguf_file_is_refused_as_here(hub, tmp_path):
    notes = tmp_path / "notes.gguf"
    notes.write_text("these are notes, not weights")
    hub.files["maker/notes"] = {"notes.gguf": notes}
    with pytest.raises(ModelRefusedError, match=r"notes\.gguf is no GGUF file: it begins with b'thes'"):
        remote_headers("maker/notes:notes.gguf")


def test_an_answer_that_breaks_off_is_refused(hub, tiny):
    hub.files["maker/tiny"] = {"tiny.gguf": tiny}
    hub.broken_ranges = True
    with pytest.raises(ModelRefusedError, match=r"tiny\.gguf is refused|cannot be read from the Hub"):
        remote_headers("maker/tiny:tiny.gguf")


@pytest.mark.parametrize("name", ["models/x.gguf", "x.gguf", "owner/repository", "C:\\models\\x.gguf"])
def test_other_names_are_no_remote_files(name):
    assert not is_remote(name)


def test_a_name_of_no_form_is_refused_with_the_form():
    with pytest.raises(InputError, match=r"write owner/repository:file\.gguf"):
        remote_headers("somewhere")
