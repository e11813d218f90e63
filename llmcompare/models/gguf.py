"""What a GGUF file says of itself: metadata and the table of its tensors, versions 2 and 3, little-endian.

A file from anywhere is read here before llama.cpp maps it into memory, so nothing in it is believed: every length is
compared with the bytes left, every count has a limit, and whatever is wrong is one ModelRefusedError. Large arrays,
such as the tokens of the vocabulary, are counted and not kept.
"""

import math
import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from llmcompare.core.ggml_types import TENSOR_TYPES
from llmcompare.errors import ModelRefusedError
from llmcompare.models.gguf_bytes import U64, HeaderBytes
from llmcompare.models.gguf_header import ITEMS_KEPT, ArrayInfo, GgufHeader, Scalar, TensorInfo

MAGIC = b"GGUF"
VERSIONS = (2, 3)
METADATA_LIMIT = 65_536
TENSOR_LIMIT = 65_536
"""A mixture of 160 experts over 60 layers, one tensor for each matrix of each, has 30,000."""
DIMENSION_LIMIT = 4
"""GGML_MAX_DIMS of ggml.h."""
ELEMENT_LIMIT = 2**63
ITEM_BYTES = 32
"""Of a number in memory."""
DEFAULT_ALIGNMENT = 32

NUMBERS = {
    kind: struct.Struct(f"<{code}")
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
}
"""Types of metadata values, gguf_type of gguf.h."""
TEXT, ARRAY = 8, 9
U32 = NUMBERS[4]


def read_header(path: Path) -> GgufHeader:
    """Raises ModelRefusedError with the reason for whatever is no whole GGUF file."""
    try:
        file_bytes = _size_of_file(path)
        with path.open("rb") as stream:
            return read_stream(stream, path, file_bytes)
    except OSError as error:
        raise ModelRefusedError(f"{path} cannot be read ({error.strerror}): name another file.") from error


def read_stream(stream: BinaryIO, path: Path, file_bytes: int) -> GgufHeader:
    """The header of a file that is open already, here or far away; path is what it is called."""
    return read_bytes(HeaderBytes(stream, path.name, file_bytes), path)


def _size_of_file(path: Path) -> int:
    found = os.stat(path)
    # A named pipe would be waited for without end.
    if not stat.S_ISREG(found.st_mode):
        raise ModelRefusedError(f"{path} is no file that can be read: name another one.")
    return found.st_size


def read_bytes(source: HeaderBytes, path: Path) -> GgufHeader:
    """The header from bytes that somebody else also looks at; path is what the file is called."""
    version = _version(source)
    tensor_count = _limited_count(source, "tensors", TENSOR_LIMIT)
    metadata_count = _limited_count(source, "entries of metadata", METADATA_LIMIT)
    metadata: dict[str, Scalar] = {}
    arrays: dict[str, ArrayInfo] = {}
    for number in range(metadata_count):
        key = source.text(f"the name of metadata {number + 1}")
        if key in metadata or key in arrays:
            source.refuse(f"it says {_shown(key)} twice")
        value = _value(source, key)
        if isinstance(value, ArrayInfo):
            arrays[key] = value
        else:
            metadata[key] = value
    tensors = _tensors(source, tensor_count, _alignment(source, metadata))
    return GgufHeader(
        path=path, file_bytes=source.file_bytes, version=version, metadata=metadata, arrays=arrays, tensors=tensors
    )


def _version(source: HeaderBytes) -> int:
    magic = source.raw(min(len(MAGIC), source.left), "the magic number")
    if magic != MAGIC:
        raise ModelRefusedError(f"{source.name} is no GGUF file: it begins with {magic!r}, not {MAGIC!r}.")
    version = int(source.number(U32, "the version"))
    if version and version & 0xFFFF == 0:
        source.refuse("its numbers are big-endian: take the little-endian file")
    if version not in VERSIONS:
        source.refuse(f"its GGUF version is {version}, and versions 2 and 3 can be read")
    return version


def _limited_count(source: HeaderBytes, what: str, limit: int) -> int:
    count = int(source.number(U64, f"the number of {what}"))
    if count > limit:
        source.refuse(f"it says that it has {count:,} {what}, and {limit:,} are the most that is read")
    return count


def _value(source: HeaderBytes, key: str) -> Scalar | ArrayInfo:
    what = _shown(key)
    kind = int(source.number(U32, f"the type of {what}"))
    if kind == TEXT:
        return source.text(what)
    if kind == ARRAY:
        return _array(source, what)
    return source.number(_layout(source, kind, what), what)


def _layout(source: HeaderBytes, kind: int, what: str) -> struct.Struct:
    layout = NUMBERS.get(kind)
    if layout is None:
        source.refuse(f"{what} has the type {kind}, which is none")
    return layout


def _array(source: HeaderBytes, what: str) -> ArrayInfo:
    kind = int(source.number(U32, f"the type of the items of {what}"))
    count = int(source.number(U64, f"the number of items of {what}"))
    if kind == ARRAY:
        source.refuse(f"{what} holds arrays in an array, which llama.cpp does not read")
    if kind == TEXT:
        source.skip_texts(count, what)
        return ArrayInfo(count=count, items=None)
    return _numbers(source, _layout(source, kind, what), count, what)


def _numbers(source: HeaderBytes, layout: struct.Struct, count: int, what: str) -> ArrayInfo:
    if count > ITEMS_KEPT:
        source.skip(count * layout.size, what)
        return ArrayInfo(count=count, items=None)
    source.keep(count * ITEM_BYTES)
    items = layout.iter_unpack(source.raw(count * layout.size, what))
    return ArrayInfo(count=count, items=tuple(item for (item,) in items))


def _alignment(source: HeaderBytes, metadata: Mapping[str, Scalar]) -> int:
    value = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(value, int) or value <= 0 or value & (value - 1):
        source.refuse(f"general.alignment is {value!r}, which is no power of two")
    return value


def _tensors(source: HeaderBytes, count: int, alignment: int) -> tuple[TensorInfo, ...]:
    tensors: dict[str, TensorInfo] = {}
    offset = end = 0
    for number in range(count):
        tensor, stated = _tensor(source, number)
        if tensor.name in tensors:
            source.refuse(f"it has two tensors {_shown(tensor.name)}")
        # llama.cpp wants them one after the other, without a gap.
        if stated != offset:
            source.refuse(f"tensor {_shown(tensor.name)} begins at byte {stated:,} of the weights, not {offset:,}")
        tensors[tensor.name] = tensor
        end = offset + tensor.size_bytes
        offset = _padded(end, alignment)
    needed = _padded(source.place, alignment) + end
    if tensors and needed > source.file_bytes:
        source.refuse(f"it is cut off: its table of tensors needs {needed:,} bytes, and it has {source.file_bytes:,}")
    return tuple(tensors.values())


def _tensor(source: HeaderBytes, number: int) -> tuple[TensorInfo, int]:
    name = source.text(f"the name of tensor {number + 1}")
    what = f"tensor {_shown(name)}"
    dimensions = int(source.number(U32, f"the dimensions of {what}"))
    if dimensions > DIMENSION_LIMIT:
        source.refuse(f"{what} has {dimensions:,} dimensions, and {DIMENSION_LIMIT} are the most")
    shape = tuple(int(source.number(U64, f"the shape of {what}")) for _ in range(dimensions))
    kind = int(source.number(U32, f"the type of {what}"))
    if kind not in TENSOR_TYPES:
        source.refuse(f"{what} has the type {kind}, which this version does not know")
    type_name, block, block_bytes = TENSOR_TYPES[kind]
    elements = math.prod(shape)
    if max((*shape, elements)) >= ELEMENT_LIMIT or (*shape, 1)[0] % block:
        source.refuse(f"{what} of type {type_name} has the impossible shape {shape}")
    tensor = TensorInfo(name=name, shape=shape, type_name=type_name, size_bytes=elements // block * block_bytes)
    return tensor, int(source.number(U64, f"the place of {what}"))


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def _shown(name: str) -> str:
    """A name from a file, short and without control characters."""
    return repr(name if len(name) <= 80 else f"{name[:80]}…")
