"""Makes another format of a model file, in a child program that ends when its parent does.

llama.cpp reads and writes the weights; only the child imports it. The file appears under its name when it is whole:
failure, Stop and a kill leave nothing that anybody lists.
"""

import ctypes
import fcntl
import importlib.metadata
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from llmcompare.core.ggml_types import FILE_TYPES
from llmcompare.errors import InputError, ModelRefusedError
from llmcompare.models.disk import free_disk_bytes
from llmcompare.models.gguf import read_header
from llmcompare.models.gguf_header import TensorInfo
from llmcompare.models.library import display_name, model_at, parts
from llmcompare.models.origin import Origin, origin_of, write_origin

FORMATS = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_1", "Q4_0", "Q3_K_M", "Q2_K", "F16")
"""What is offered, best first; their numbers are in ggml_types, a test compares them with llama.cpp."""
NUMBER_OF_FORMAT = {name: number for number, name in FILE_TYPES.items()}
MOST_BITS = {"F16": 16.0, "Q8_0": 8.5}
"""Per weight. The other formats keep some tensors as Q6_K, and as Q8_0 where a row is no multiple of 256 weights."""
Q6_K_BITS, Q8_0_BITS, K_ROW = 6.5625, 8.5, 256
SPARE_FRACTION = 0.03
"""Metadata, padding, and the few tensors of a mixture of experts that are kept better. Assumption."""
POLL_S = 0.05
LEFTOVER_AGE_S = 60.0
"""A younger file may be about to be locked by its maker."""
REASON_LINES = 3
LOG_ERROR = 4
"""ggml_log_level of ggml.h; the bindings do not name it."""


def require_known_format(name: str) -> None:
    """Raises InputError that lists what can be made."""
    if name not in FORMATS:
        raise InputError(f"the format is {name!r}: give one of {', '.join(FORMATS)}.")


def quantise(
    source: Path,
    target_format: str,
    models_folder: Path,
    *,
    threads: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path | None:
    """The new file below the folder, None when it was cancelled. Raises ModelRefusedError with the reason."""
    require_known_format(target_format)
    source = source.absolute()
    source_format = _format_of(source, target_format)
    output = models_folder.absolute() / made_name(source, source_format, target_format)
    origin = _origin(source, source_format, target_format)
    _require_same_source(output, origin)
    _require_room(source, target_format, models_folder)
    models_folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(models_folder)
    with _own_file(output.parent) as unfinished:
        arguments = [str(source), str(unfinished), str(NUMBER_OF_FORMAT[target_format]), str(threads)]
        reason = _run_child(arguments, cancelled)
        if reason is not None:
            raise ModelRefusedError(f"{source.name} cannot be made into {target_format}: {reason}.")
        if cancelled():
            return None
        # The note first: whoever lists the model finds out where it is from.
        write_origin(output, origin)
        unfinished.rename(output)
    return output


def made_name(source: Path, source_format: str, target_format: str) -> str:
    """File name of a made model.

    >>> made_name(Path("SmolLM2-135M-Instruct.Q4_1.gguf"), "Q4_1", "Q8_0")
    'SmolLM2-135M-Instruct.Q8_0-from-Q4_1.gguf'
    """
    stem = re.sub(rf"[-._]{re.escape(source_format)}$", "", display_name(source), flags=re.IGNORECASE)
    return f"{stem}.{target_format}-from-{source_format}.gguf"


# --- before -------------------------------------------------------------------------------------------------------


def _format_of(source: Path, target_format: str) -> str:
    model = model_at(source)
    if model.problem is not None:
        raise ModelRefusedError(model.problem)
    if model.quantization == target_format:
        raise ModelRefusedError(f"{source.name} is in the format {target_format} already: choose another one.")
    return model.quantization or "unknown"


def _origin(source: Path, source_format: str, target_format: str) -> Origin:
    found = source.stat()
    return Origin(
        source_file=source.name,
        source_bytes=found.st_size,
        source_mtime_ns=found.st_mtime_ns,
        source_format=source_format,
        target_format=target_format,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        engine=_engine(),
    )


def _engine() -> str:
    try:
        return f"llama-cpp-python {importlib.metadata.version('llama-cpp-python')}"
    except importlib.metadata.PackageNotFoundError:
        raise ModelRefusedError(
            "other formats cannot be made: llama-cpp-python is not installed, `make install` compiles it."
        ) from None


def _require_same_source(output: Path, origin: Origin) -> None:
    """Made again from the same file is no loss; two files of one name must not replace each other's models."""
    there = origin_of(output) if output.exists() else None
    if there is not None and (there.source_file, there.source_bytes) != (origin.source_file, origin.source_bytes):
        raise ModelRefusedError(
            f"{output.name} is there already and was made from another file: give it another name first."
        )


def _require_room(source: Path, target_format: str, folder: Path) -> None:
    needed = most_bytes(source, target_format)
    free = free_disk_bytes(folder)
    if needed > free:
        raise ModelRefusedError(
            f"there is no room for {source.name} as {target_format}: it may need {needed / 1e6:,.0f} MB, and "
            f"{free / 1e6:,.0f} MB are free on the disk of {folder.name}."
        )


def most_bytes(source: Path, target_format: str) -> int:
    """The most that a model may need in another format."""
    tensors = [tensor for part in parts(source) for tensor in read_header(part).tensors]
    weights = sum(_most_bytes_of(tensor, target_format) for tensor in tensors)
    metadata = sum(part.stat().st_size for part in parts(source)) - sum(tensor.size_bytes for tensor in tensors)
    return int(weights * (1 + SPARE_FRACTION)) + metadata


def _most_bytes_of(tensor: TensorInfo, target_format: str) -> int:
    if len(tensor.shape) < 2 or tensor.type_name == "F32":
        # Norms stay; a matrix of F32 is made smaller, unless llama.cpp keeps it as it is.
        return tensor.size_bytes
    mixed = Q8_0_BITS if tensor.shape[0] % K_ROW else Q6_K_BITS
    return int(tensor.elements * MOST_BITS.get(target_format, mixed) / 8)


# --- meanwhile ----------------------------------------------------------------------------------------------------


@contextmanager
def _own_file(folder: Path) -> Iterator[Path]:
    """A file that no other process takes for a leftover, gone at the end unless it was renamed."""
    path = folder / f".making-{uuid.uuid4().hex}.part"
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def _remove_leftovers(folder: Path) -> None:
    """Of processes that were killed."""
    for path in folder.glob(".making-*.part"):
        with suppress(OSError), path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - path.stat().st_mtime > LEFTOVER_AGE_S:
                path.unlink()


def _run_child(arguments: list[str], cancelled: Callable[[], bool]) -> str | None:
    """Why it failed; None when it did not, or was cancelled."""
    lines: deque[str] = deque(maxlen=REASON_LINES)
    with _start_child(arguments) as process:
        reader = threading.Thread(target=_keep_lines, args=(process.stderr, lines), daemon=True)
        reader.start()
        try:
            while process.poll() is None and not cancelled():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_S)
            stopped = process.poll() is None
        finally:
            process.kill()
            process.wait()
            reader.join()
    return None if stopped or process.returncode == 0 else _reason(process.returncode, lines)


def _start_child(arguments: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "llmcompare.models.quantise", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        cwd=Path(__file__).resolve().parents[2],
    )


def _keep_lines(stream: IO[str] | None, lines: deque[str]) -> None:
    for line in stream or ():
        if line.strip():
            lines.append(line.strip())


def _reason(code: int, lines: deque[str]) -> str:
    how = f"the program that makes it ended with code {code}" if code > 0 else f"it was ended by signal {-code}"
    killed = " (memory may have run out)" if code == -9 else ""
    return "; ".join(lines).rstrip(".") or f"{how}{killed}"


# --- the child program --------------------------------------------------------------------------------------------


def main() -> None:
    """Entry of `python -m llmcompare.models.quantise SOURCE OUTPUT NUMBER THREADS`."""
    source, output, number, threads = sys.argv[1:]
    threading.Thread(target=_end_with_parent, args=(Path(output),), daemon=True).start()
    sys.exit(_make(os.fsencode(source), os.fsencode(output), int(number), int(threads)))


def _end_with_parent(unfinished: Path) -> None:
    """Standard input closes when the parent is gone; then nobody wants the file."""
    sys.stdin.read()
    unfinished.unlink(missing_ok=True)
    os._exit(1)


def _make(source: bytes, output: bytes, number: int, threads: int) -> int:
    import llama_cpp

    def show_errors(level: int, text: bytes, _: object) -> None:
        if level == LOG_ERROR:
            print(text.decode("utf-8", errors="replace"), end="", file=sys.stderr, flush=True)

    callback = llama_cpp.llama_log_callback(show_errors)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = number
    parameters.nthread = threads
    parameters.allow_requantize = True
    return int(llama_cpp.llama_model_quantize(source, output, ctypes.byref(parameters)))


if __name__ == "__main__":
    main()
