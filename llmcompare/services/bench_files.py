"""Files of measurements in the fields of llama-bench: ours are written so, and those of either tool are read.

One JSON object per test, in lines (`llama-bench -o jsonl`) or in one array (`-o json`). What llama-bench does not know
of a machine and a model stands in one field more, `llmcompare`; its own tools leave such a field out.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from llmcompare.core.bench import SpeedTest, speed
from llmcompare.core.facts import MeasurementFact
from llmcompare.core.this_machine import machine_id
from llmcompare.engines.speed import BATCH_TOKENS
from llmcompare.errors import InputError

FILE_LIMIT_BYTES = 64_000_000
LINES_SHOWN = 20
SAMPLES_TOLERANCE_FRACTION = 0.02
"""Between avg_ts and what the samples give; llama-bench prints rounded figures."""
COUNT_LIMIT = 2**62
PROCESSOR_BACKENDS = {"CPU", "BLAS", "Accelerate"}
OURS = "llmcompare"
OUR_FIELDS = ("measurement_id", "bench_id", "machine_id", "core_count", "memory_bytes", "quantization", "shape")
FORMAT_OF_TYPE = re.compile(r"\b(Q\d)_K - (Small|Medium|Large)\b")
PLAIN_FORMAT = re.compile(r"\b(?:I?Q\d_(?:\d|K|NL|XS|XXS|S|M)|BF16|F16|F32|MXFP4)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredTest:
    """A test with all its repetitions."""

    fact: MeasurementFact
    durations_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """What a file holds."""

    facts: tuple[MeasurementFact, ...]
    combined_count: int
    """Tests that read and write in one figure (`-pg`), which says how fast neither is; left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which machine a file without ours fields is of."""

    machine_id: str
    cpu: str
    core_count: int | None
    memory_bytes: int | None


# --- writing ----------------------------------------------------------------------------------------------------------


def row_of(measured: MeasuredTest) -> dict[str, Any]:
    """The fields of llama-bench, and ours."""
    fact, durations = measured.fact, measured.durations_ns
    test = fact.speed_test
    found = speed(tokens=test.tokens, durations_ns=durations)
    on_gpu = fact.gpu_layers != 0
    return {
        "build_commit": fact.engine,
        "build_number": 0,
        "cpu_info": fact.cpu,
        "gpu_info": ", ".join(fact.gpus),
        "backends": "GPU" if on_gpu else "CPU",
        "model_filename": fact.model,
        "model_type": fact.description,
        "model_size": fact.weights_bytes,
        "model_n_params": fact.parameters,
        "n_batch": BATCH_TOKENS,
        "n_ubatch": BATCH_TOKENS,
        "n_threads": fact.threads,
        "cpu_mask": "0x0",
        "cpu_strict": False,
        "poll": 0,
        "type_k": fact.kv_format,
        "type_v": fact.kv_format,
        "n_gpu_layers": fact.gpu_layers,
        "split_mode": "layer",
        "main_gpu": 0,
        "no_kv_offload": False,
        "flash_attn": -1 if fact.flash_attention is None else fact.flash_attention,
        "tensor_split": "0.00",
        "tensor_buft_overrides": "none",
        "use_mmap": True,
        "embeddings": False,
        "no_op_offload": 0,
        "n_prompt": test.prompt_tokens,
        "n_gen": test.generated_tokens,
        "n_depth": test.depth_tokens,
        "test_time": datetime.fromisoformat(fact.measured_at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "avg_ns": round(found.duration_ns),
        "stddev_ns": round(found.duration_ns_sd),
        "avg_ts": round(found.tokens_per_s, 6),
        "stddev_ts": round(found.tokens_per_s_sd, 6),
        "samples_ns": list(durations),
        "samples_ts": [round(test.tokens * 1e9 / duration, 4) for duration in durations],
        OURS: {name: value for name, value in asdict(fact).items() if name in OUR_FIELDS},
    }


def json_lines(rows: Sequence[dict[str, Any]]) -> str:
    """One object a line."""
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_file(path: Path, *, here: Origin | None = None) -> ReadFile:
    """All measurements of a file; with `here`, those of llama-bench are of that machine.

    Raises InputError that lists every refused line with field and value: nothing of such a file is used.
    """
    rows = list(_rows(path, _text(path)))
    facts, refusals, combined = [], [], 0
    for line, row in rows:
        try:
            fact = _fact(row, path, here)
        except _RefusedError as refusal:
            refusals.append(f"{path.name} line {line}, {refusal}")
            continue
        combined += fact is None
        facts += [] if fact is None else [fact]
    if refusals:
        more = f"\n  … and {len(refusals) - LINES_SHOWN} more" if len(refusals) > LINES_SHOWN else ""
        listed = "\n  ".join(refusals[:LINES_SHOWN])
        raise InputError(f"nothing of {path.name} is imported, correct or remove these lines:\n  {listed}{more}")
    if not rows:
        raise InputError(f"{path.name} holds no measurement: give a file of `llama-bench -o jsonl` or `bench --jsonl`.")
    return ReadFile(facts=tuple(facts), combined_count=combined)


class _RefusedError(Exception):
    """A field cannot be used; the message names it."""


def _refuse(field: str, value: object, rule: str) -> NoReturn:
    shown = repr(value)
    raise _RefusedError(f"{field}: {shown if len(shown) <= 80 else shown[:80] + '…'} is refused: {rule}")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            raise InputError(
                f"{path} is larger than {FILE_LIMIT_BYTES // 1_000_000} MB: this is no file of measurements."
            )
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): name another file.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8: write it with `llama-bench -o jsonl`.") from error


def _rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Line and object of each entry."""
    if text.lstrip().startswith("["):
        yield from _entries(path, text)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, line


def _entries(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Of an array over many lines; each with the line on which it begins."""
    decoder, place = json.JSONDecoder(), text.index("[") + 1
    while True:
        place += len(text[place:]) - len(text[place:].lstrip(", \t\r\n"))
        if text[place : place + 1] == "]":
            return
        line = text.count("\n", 0, place) + 1
        try:
            row, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{path.name} line {line} begins no JSON object ({error}): the file is cut off."
            ) from error
        yield line, row


def _fact(row: object, path: Path, here: Origin | None) -> MeasurementFact | None:
    """None for a test of both kinds at once."""
    if not isinstance(row, dict):
        _refuse("the whole line", row, "it is no JSON object")
    prompt, generated = _count(row, "n_prompt"), _count(row, "n_gen")
    if prompt and generated:
        return None
    if not prompt and not generated:
        _refuse("n_prompt", prompt, "n_gen is 0 too, so nothing was measured")
    test = SpeedTest(prompt_tokens=prompt, generated_tokens=generated, depth_tokens=_count(row, "n_depth", default=0))
    rate = _number(row, "avg_ts", above=0)
    samples = _samples(row, test, rate)
    cpu = _name(row, "cpu_info")
    gpus = tuple(filter(None, _name(row, "gpu_info", default="").split(", ")))
    kv_formats = {_name(row, name, default="f16") for name in ("type_k", "type_v")}
    ours = _ours(row)
    machine = _machine(row, ours, cpu, gpus, here)
    description = _name(row, "model_type", default="")
    return MeasurementFact(
        measurement_id=ours.get("measurement_id") or _id(row, machine.machine_id),
        bench_id=ours.get("bench_id") or _id({"file": path.name, "time": row.get("test_time")}, machine.machine_id),
        machine_id=machine.machine_id,
        cpu=cpu,
        core_count=machine.core_count,
        memory_bytes=machine.memory_bytes,
        gpus=gpus,
        model=_name(row, "model_filename").replace("\\", "/").rsplit("/", 1)[-1],
        quantization=ours.get("quantization") or format_of_type(description),
        description=description,
        weights_bytes=_count(row, "model_size", least=1),
        parameters=_count(row, "model_n_params", least=1),
        shape=ours.get("shape"),
        test=test.kind,
        prompt_tokens=prompt,
        generated_tokens=generated,
        depth_tokens=test.depth_tokens,
        tokens_per_s=rate,
        tokens_per_s_sd=_number(row, "stddev_ts", at_least=0),
        repetition_count=samples,
        threads=_count(row, "n_threads", least=1),
        gpu_layers=_gpu_layers(row),
        kv_format="/".join(sorted(kv_formats)),
        flash_attention=_flash(row),
        engine=_engine(row, ours),
        measured_at=_time(row),
        imported_from=path.name,
    )


def _ours(row: dict[str, Any]) -> dict[str, Any]:
    ours = row.get(OURS, {})
    if not isinstance(ours, dict):
        _refuse(OURS, ours, "leave it as `bench --jsonl` wrote it")
    return ours


def _machine(row: dict[str, Any], ours: dict[str, Any], cpu: str, gpus: tuple[str, ...], here: Origin | None) -> Origin:
    for name in ("measurement_id", "bench_id", "machine_id", "quantization", "shape"):
        if ours.get(name) is not None and not isinstance(ours[name], str):
            _refuse(f"{OURS}.{name}", ours[name], "give text, or leave it out")
    for name in ("core_count", "memory_bytes"):
        if ours.get(name) is not None:
            _count(ours, name, least=1)
    if ours.get("machine_id"):
        cores, memory_bytes = ours.get("core_count"), ours.get("memory_bytes")
        return Origin(machine_id=ours["machine_id"], cpu=cpu, core_count=cores, memory_bytes=memory_bytes)
    if here is None:
        made = machine_id(cpu=cpu, core_count=None, memory_bytes=None, gpus=gpus)
        return Origin(machine_id=made, cpu=cpu, core_count=None, memory_bytes=None)
    if here.cpu != cpu:
        _refuse("cpu_info", row.get("cpu_info"), f"this machine is {here.cpu!r}; import it without --measured-here")
    return here


def format_of_type(description: str) -> str | None:
    """The format in what llama.cpp calls a model.

    >>> format_of_type("qwen2 7B Q4_K - Medium"), format_of_type("llama 8B Q8_0"), format_of_type("llama 8B")
    ('Q4_K_M', 'Q8_0', None)
    """
    if found := FORMAT_OF_TYPE.search(description):
        return f"{found[1]}_K_{found[2][0]}"
    plain = PLAIN_FORMAT.search(description)
    return plain[0] if plain else None


def _samples(row: dict[str, Any], test: SpeedTest, rate: float) -> int | None:
    """How many repetitions there were; refused where they do not give the rate."""
    samples = row.get("samples_ns")
    if samples is None:
        return None
    if not isinstance(samples, list) or not samples or not all(_is_whole(one) and one > 0 for one in samples):
        _refuse("samples_ns", samples, "give a list of nanoseconds")
    given = speed(tokens=test.tokens, durations_ns=samples).tokens_per_s
    if abs(given / rate - 1) > SAMPLES_TOLERANCE_FRACTION:
        _refuse("avg_ts", rate, f"samples_ns give {given:.6g} tokens/s")
    return len(samples)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < COUNT_LIMIT


def _count(row: dict[str, Any], field: str, *, least: int = 0, default: int | None = None) -> int:
    value = row.get(field, default)
    if value is None or not _is_whole(value) or value < least:
        _refuse(field, value, f"give a whole number of at least {least}")
    return int(value)


def _number(row: dict[str, Any], field: str, *, above: float = -math.inf, at_least: float = -math.inf) -> float:
    value = row.get(field)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or not is_number or not at_least <= value < COUNT_LIMIT or not value > above:
        least = f"above {above:g}" if above > -math.inf else f"of at least {at_least:g}"
        _refuse(field, value, f"give a number {least}")
    return float(value)


def _name(row: dict[str, Any], field: str, *, default: str | None = None) -> str:
    value = row.get(field, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        _refuse(field, value, "give text")
    return str(value)


def _gpu_layers(row: dict[str, Any]) -> int:
    """llama-bench writes what it was asked for, 99 unless told otherwise, though there is no GPU."""
    layers = _count(row, "n_gpu_layers", least=-1)
    backends = {name.strip() for name in _name(row, "backends", default="unknown").split(",")}
    return 0 if backends <= PROCESSOR_BACKENDS else layers


def _flash(row: dict[str, Any]) -> bool | None:
    value = row.get("flash_attn")
    if value in (None, -1, "auto"):
        return None
    if value not in (True, False):
        _refuse("flash_attn", value, "give true, false or -1")
    return bool(value)


def _engine(row: dict[str, Any], ours: dict[str, Any]) -> str:
    build = _name(row, "build_commit", default="unknown")
    return build if ours else f"llama.cpp {build} (llama-bench)"


def _time(row: dict[str, Any]) -> str:
    value = _name(row, "test_time")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        _refuse("test_time", value, "give a time such as 2026-11-25T08:30:00Z")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat(timespec="milliseconds")


def _id(row: dict[str, Any], machine: str) -> str:
    """The same for the same line, so that a file that is imported twice counts once."""
    content = json.dumps([machine, row], sort_keys=True)
    return sha256(content.encode("utf-8", errors="surrogatepass")).hexdigest()[:32]
