"""What is no whole GGUF file: one refusal with place and value, quickly and in little memory."""

import os
import random
import struct
import time
import tracemalloc
from pathlib import Path

import gguf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.errors import ModelRefusedError
from llmcompare.models import gguf_bytes
from llmcompare.models.gguf import TENSOR_LIMIT, read_header
from tests.models.raw_gguf import ARRAY, TEXT, U32, entry, header, number, tensor, text
from tests.tiny_models import write_tiny

GIB = 1024**3

LONG = (1 << 63) + 5
REFUSED = {
    "is no GGUF file: it begins with b'', not b'GGUF'": b"",
    "is no GGUF file: it begins with b'thes', not b'GGUF'": b"these are notes",
    "its GGUF version is 1, and versions 2 and 3": header(version=1),
    "its numbers are big-endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "it says that it has 9,223,372,036,854,775,813 tensors": b"GGUF" + struct.pack("<IQQ", 3, LONG, 0),
    "it says that it has 65,537 entries of metadata": b"GGUF" + struct.pack("<IQQ", 3, 0, 65_537),
    "the length of the name of metadata 1 needs 8 bytes, and 0 are left": b"GGUF" + struct.pack("<IQQ", 3, 0, 1),
    "the name of metadata 1 needs 9,223,372,036,854,775,813 bytes, and 0": header(struct.pack("<Q", LONG)),
    "it says 'x.a' twice": header(number("x.a", 1), number("x.a", 2)),
    "'x.a' has the type 77, which is none": header(entry("x.a", 77, b"")),
    "'x.a' holds arrays in an array": header(entry("x.a", ARRAY, struct.pack("<IQ", ARRAY, 1))),
    "'x.a' has 40,000,000,000 items": header(entry("x.a", ARRAY, struct.pack("<IQ", TEXT, 40_000_000_000))),
    "'x.a' needs 320,000,000,000 bytes, and 0 are": header(entry("x.a", ARRAY, struct.pack("<IQ", 10, 40_000_000_000))),
    "'x.a' would end 9,223,372,036,854,775,813 bytes after the end": header(
        entry("x.a", ARRAY, struct.pack("<IQQ", TEXT, 1, LONG))
    ),
    "general.alignment is 0, which": header(number("general.alignment", 0)),
    "general.alignment is 33, which": header(number("general.alignment", 33)),
    "general.alignment is '32', which": header(entry("general.alignment", TEXT, text("32"))),
    "tensor 'a' has 5 dimensions, and 4": header(tensors=(tensor("a", (1,) * 5),)),
    "tensor 'a' has the type 31, which this version": header(tensors=(tensor("a", (32,), 31),)),
    "tensor 'a' of type Q8_0 has the impossible shape (33,)": header(tensors=(tensor("a", (33,), 8),)),
    "tensor 'a' of type F32 has the impossible shape (4294967296, 4294967296)": header(
        tensors=(tensor("a", (1 << 32, 1 << 32)),)
    ),
    "tensor 'a' begins at byte 7 of the weights, not 0": header(tensors=(tensor("a", (8,), 0, 7),)),
    "it has two tensors 'a'": header(tensors=(tensor("a", (8,)), tensor("a", (8,), 0, 32))),
    "it is cut off: its table of tensors needs 4,096,064 bytes, and it has 58": header(
        tensors=(tensor("aa", (1_024_000,)),)
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_each_fault_is_refused_with_file_place_and_value(written, sentence):
    with pytest.raises(ModelRefusedError) as refusal:
        read_header(written(REFUSED[sentence]))
    assert str(refusal.value).startswith("made.gguf is ")
    assert sentence in str(refusal.value)


def test_texts_that_fill_memory_are_refused(written):
    limit = gguf_bytes.TEXT_LIMIT_BYTES
    with pytest.raises(ModelRefusedError, match="1,048,576 are the most"):
        read_header(written(header(entry("x", TEXT, text(b"a" * (limit + 1))))))
    many = header(*(entry(f"x{place}", TEXT, text(b"a" * limit)) for place in range(20)))
    with pytest.raises(ModelRefusedError, match="more than 16,777,216 bytes"):
        read_header(written(many))
    arrays = header(*(entry(f"x{place}", ARRAY, struct.pack("<IQ", 0, 1024) + bytes(1024)) for place in range(2_000)))
    with pytest.raises(ModelRefusedError, match="short arrays have more than 16,777,216 bytes"):
        read_header(written(arrays))


def test_a_header_of_gigabytes_is_refused_before_it_is_read(written):
    endless = struct.pack("<IQQ", TEXT, 1_000, 1 << 29)
    began = time.thread_time()
    with pytest.raises(ModelRefusedError, match="more than 268,435,456 bytes"):
        read_header(written(header(entry("x", ARRAY, endless)), size=64 * GIB))
    assert time.thread_time() - began < 0.5


def test_no_more_tensors_than_any_model_has(written):
    many = header(tensors=(tensor("a", (1,)),) * (TENSOR_LIMIT + 1))
    with pytest.raises(ModelRefusedError, match="65,537 tensors"):
        read_header(written(many))


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path, kind):
    path = tmp_path / "odd.gguf"
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(ModelRefusedError, match="No such file" if kind == "missing" else "is no file"):
        read_header(path)


def test_names_that_are_no_text_are_shown_short_and_without_control_characters(written):
    raw = header(entry("\x1b[31m" + "a" * 500, 77, b""))
    with pytest.raises(ModelRefusedError) as refusal:
        read_header(written(raw))
    assert "\x1b" not in str(refusal.value)
    assert len(str(refusal.value)) < 200


def needed_bytes(path: Path) -> int:
    last = gguf.GGUFReader(path).tensors[-1]
    return int(last.data_offset + last.n_bytes)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("tiny") / "tiny.gguf", layers=1)


@pytest.fixture(scope="module")
def whole(tiny) -> bytes:
    return tiny.read_bytes()[: needed_bytes(tiny)]


@pytest.fixture(scope="module")
def cut_file(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cut") / "cut.gguf"


@given(data=st.data())
def test_a_file_cut_anywhere_is_refused(whole, cut_file, data):
    cut = data.draw(st.integers(0, len(whole) - 1))
    cut_file.write_bytes(whole[:cut])
    with pytest.raises(ModelRefusedError, match=r"cut\.gguf is "):
        read_header(cut_file)


def test_a_file_cut_at_any_byte_of_its_header_is_refused(tiny, whole, cut_file):
    cut_file.write_bytes(whole)
    for cut in range(header_bytes(tiny), -1, -1):
        os.truncate(cut_file, cut)
        with pytest.raises(ModelRefusedError, match=r"cut\.gguf is "):
            read_header(cut_file)


def header_bytes(path: Path) -> int:
    return int(gguf.GGUFReader(path).data_offset)


def damage(random_source: random.Random, size: int) -> list[tuple[int, bytes]]:
    """Some places and what stands there now: any bytes, or the numbers that break readers."""
    worst = [b"\xff" * 8, b"\0" * 8, b"\xff" * 7 + b"\x7f", b"\0\0\0\0\x01\0\0\0", b"\t\0\0\0"]
    count = random_source.choice([1, 1, 1, 2, 4, 16])
    places = [random_source.randrange(size) for _ in range(count)]
    return [
        (place, random_source.choice([random_source.randbytes(1), random_source.randbytes(4), *worst]))
        for place in places
    ]


def is_refused(path: Path) -> bool:
    try:
        read_header(path)
    except ModelRefusedError as refusal:
        return str(refusal).startswith("cut.gguf is ") or pytest.fail(str(refusal))
    return False


def every_kind_of_entry() -> bytes:
    """A header of half a kilobyte, nearly all of it lengths, types and counts."""
    numbers = [
        entry(f"x.{kind}", kind, struct.pack(f"<{code}", 1))
        for kind, code in {
            0: "B",
            1: "b",
            2: "H",
            3: "h",
            4: "I",
            5: "i",
            6: "f",
            7: "?",
            10: "Q",
            11: "q",
            12: "d",
        }.items()
    ]
    texts = entry("x.texts", ARRAY, struct.pack("<IQ", TEXT, 3) + text("a") + text("") + text("bc"))
    counts = entry("x.counts", ARRAY, struct.pack("<IQ3I", U32, 3, 1, 2, 3))
    names = (entry("general.architecture", TEXT, text("x")), number("general.alignment", 32))
    tensors = (tensor("a", (32, 4), 8), tensor("b", (4, 4, 2), 1, 160), tensor("c", (8,), 0, 224))
    return header(*names, *numbers, texts, counts, tensors=tensors)


@pytest.mark.parametrize(("kind", "times"), [("made", 9_000), ("real", 1_000)])
def test_damaged_headers_are_read_or_refused_quickly_and_in_little_memory(whole, tiny, cut_file, kind, times):
    sound = every_kind_of_entry() if kind == "made" else whole[: header_bytes(tiny)]
    rest = bytes(1_000) if kind == "made" else whole[header_bytes(tiny) :]
    cut_file.write_bytes(sound + rest)
    assert not is_refused(cut_file)
    chance, refused, slowest_s = random.Random(20_261_125), 0, 0.0
    tracemalloc.start()
    try:
        with cut_file.open("r+b", buffering=0) as stream:
            for _ in range(times):
                write_damaged(stream, sound, chance)
                began = time.thread_time()
                refused += is_refused(cut_file)
                slowest_s = max(slowest_s, time.thread_time() - began)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert slowest_s < 0.05
    # A damaged token or name is no fault of the header; a damaged length is.
    assert times * 0.1 < refused < times * 0.95


def write_damaged(stream, sound: bytes, chance: random.Random) -> None:
    raw = bytearray(sound)
    for place, what in damage(chance, len(sound) - 8):
        raw[place : place + len(what)] = what
    stream.seek(0)
    stream.write(raw)
