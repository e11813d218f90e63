"""What all tests share: the settings of hypothesis, the real facts built once, and a small set of facts to break."""

import contextlib
import csv
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from llmcompare import cli
from llmcompare.services import catalogue
from llmcompare.services.catalogue import Facts
from llmcompare.store import schema
from llmcompare.store.db import Catalog
from llmcompare.store.paths import Folders
from llmcompare.store.seed import seed

# A slow machine is no failure. In CI the same examples run every time, so that a red run can be run again.
# The phase that explains a failure runs the test hundreds of times more: not worth the wait.
PHASES = set(Phase) - {Phase.explain}
settings.register_profile("here", deadline=None, phases=PHASES)
settings.register_profile("ci", deadline=None, phases=PHASES, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

PROJECT = Path(__file__).resolve().parents[1]
TODAY = date(2026, 11, 25)
"""The day the facts were put together."""

Row = dict[str, str]

GPU_PRICE = {
    "offer_name": "one GPU",
    "gpu_id": "h100-sxm-80gb",
    "form_factor_stated": "yes",
    "gpu_count": "1",
    "billing": "on-demand",
    "region": "global",
    "as_of": "2026-11-01",
}
API_PRICE = {"model_id": "tiny-7b", "family": "qwen", "variant": "standard", "as_of": "2026-11-10"}
ARCHITECTURE = {
    "params_total_billion": "7.6",
    "layer_count": "28",
    "hidden_size": "3584",
    "head_count": "28",
    "kv_head_count": "4",
    "ffn_hidden_size": "18944",
    "vocabulary_size": "152064",
    "modalities": "text",
}
SMALL_FACTS: dict[str, list[Row]] = {
    "licenses": [{"license_id": "apache-2.0", "name": "Apache", "applies_to": "tiny", "url": "https://l.example"}],
    "models": [
        {"model_id": "tiny-7b", "family": "qwen", "generation": "Tiny", "display_name": "Tiny 7B", **ARCHITECTURE},
        {"model_id": "twin-7b", "family": "qwen", "generation": "Tiny", "display_name": "Twin 7B", **ARCHITECTURE},
        {"model_id": "big-70b", "family": "llama", "generation": "Big", "display_name": "Big 70B",
         "modalities": "text"},
    ],
    "model_aliases": [{"alias": "tiny", "model_id": "tiny-7b", "relation": "same model"}],
    "scores": [
        {"model_id": "tiny-7b", "benchmark": "exam", "score": "61.5", "metric": "accuracy %", "setting": "chat",
         "run": "1", "published_by": "them"},
    ],
    "benchmark_categories": [{"benchmark": "exam", "category": "knowledge", "reason": "questions of an exam"}],
    "languages": [
        {"record_type": "coverage", "family": "qwen", "generation": "Tiny", "language": "English",
         "published_by": "them"},
    ],
    "tokenizers": [
        {"tokenizer_id": "tiny", "name": "Tiny", "family": "qwen", "kind": "byte-level BPE",
         "vocabulary_size": "151643", "file_sha256": "0" * 64},
    ],
    "model_tokenizers": [{"model_id": "tiny-7b", "tokenizer_id": "tiny"}],
    "tokenizer_rates": [
        {"tokenizer_id": "tiny", "language_code": "en", "language": "English", "characters": "400", "bytes": "404",
         "tokens": "100", "tokens_per_1000_characters": "250", "article_characters": "100;300",
         "article_tokens": "30;70", "method": "counted"},
    ],
    "gpus": [
        {"gpu_id": "h100-sxm-80gb", "name": "NVIDIA H100 SXM5 80GB", "vendor": "NVIDIA", "memory_gb": "80",
         "memory_bandwidth_gb_per_s": "3350", "class": "datacenter"},
        {"gpu_id": "rtx-4090", "name": "NVIDIA RTX 4090", "vendor": "NVIDIA", "memory_gb": "24",
         "memory_bandwidth_gb_per_s": "1008", "class": "consumer"},
    ],
    "gpu_prices": [
        {**GPU_PRICE, "provider": "alpha", "usd_per_hour": "2"},
        {**GPU_PRICE, "provider": "beta", "usd_per_hour": "3"},
        {**GPU_PRICE, "provider": "gamma", "usd_per_hour": "32", "gpu_count": "8"},
        {**GPU_PRICE, "provider": "beta", "usd_per_hour": "9", "as_of": "2025-01-01"},
        {**GPU_PRICE, "provider": "alpha", "usd_per_hour": "0.4", "gpu_id": "rtx-4090", "billing": "community"},
    ],
    "serverless_terms": [
        {"provider": "alpha", "offer_kind": "worker", "use_as": "scales to zero", "bills_setup": "yes",
         "bills_idle": "yes", "bills_execution": "yes", "idle_timeout_default_s": "5", "rounding_s": "1"},
    ],
    "api_prices": [
        {**API_PRICE, "provider": "alpha", "api_model_name": "tiny", "input_usd_per_mtok": "0.1",
         "output_usd_per_mtok": "0.3"},
        {**API_PRICE, "provider": "beta", "api_model_name": "tiny", "input_usd_per_mtok": "0.2",
         "output_usd_per_mtok": "0.6", "cached_input_usd_per_mtok": "0.05"},
        {**API_PRICE, "provider": "gamma", "api_model_name": "tiny", "input_usd_per_mtok": "0.4",
         "output_usd_per_mtok": "0.9"},
        {**API_PRICE, "provider": "openai", "api_model_name": "gpt-4o", "model_id": "gpt-4o",
         "family": "proprietary", "input_usd_per_mtok": "2.5", "output_usd_per_mtok": "10"},
    ],
    "quantizations": [{"quantization": "Q4_K_M", "bits_per_weight": "4.9", "size_gib": "4.6"}],
    "quantization_quality": [
        {"model": "tiny-7b", "quantization": "q4_k_m", "perplexity": "6.4", "delta_perplexity": "0.17",
         "delta_kind": "absolute"},
    ],
    "throughput": [
        {"record_id": "them-1", "model_id": "tiny-7b", "gpu_id": "h100-sxm-80gb", "gpu_count": "1", "engine": "vllm",
         "scenario": "offline-max-throughput", "input_tokens": "1000", "output_tokens": "1000",
         "output_tokens_per_s": "4000", "measured_by": "them"},
    ],
    "energy": [
        {"record_id": "them-e1", "model_id": "tiny-7b", "gpu_id": "h100-sxm-80gb", "gpu_count": "1", "engine": "vllm",
         "weight_format": "bf16", "task": "chat", "concurrency_limit": "8", "concurrency": "8", "output_tokens": "400",
         "joules_per_output_token": "0.5", "output_tokens_per_s": "1000", "mean_power_w": "500",
         "method": "GPU energy counters", "measured_by": "them"},
    ],
    "claims": [
        {"claim_id": "l40s-is-8gb", "topic": "quantisation", "statement": "A GPU has 8 GB", "subject": "l40s-48gb",
         "claimed": "8", "claimed_as": "exact", "unit": "memory_gb", "how_to_check": "gpu row: memory_gb"},
    ],
    "findings": [
        {"claim_id": "l40s-is-8gb", "part": "memory", "finding": "it has more", "supports": "no"},
    ],
    "framework_support": [
        {"framework": "vLLM", "purpose": "serving", "feature": "runs", "family": "qwen", "generation": "Tiny",
         "support": "yes"},
    ],
    "ecosystem": [
        {"family": "qwen", "kind": "size", "metric": "copies", "figure": "12", "unit": "models", "statement": "made"},
    ],
    "calibration": [
        {"record_type": "error", "quantity": name, "trait": "all", "level": "all", "left_out": "either",
         "median_error_fraction": "0.1", "error_90th_fraction": "0.3", "low_ratio": "0.8", "high_ratio": "1.3",
         "n": "50"}
        for name in ("prefill", "decode", "output, one stream", "output, many streams", "decode, many streams",
                     "ttft", "ttft, many streams")
    ],
    "calibration_residuals": [
        {"record_id": "them-1", "quantity": "output, many streams", "measured": "4000", "predicted": "3600",
         "predicted_without_source": "3700"},
    ],
}  # fmt: skip
"""A dozen rows that build; every row below without an as_of gets one, every row gets a source."""


class DataFolder:
    """A data folder whose cells a test changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns = {table.name: [column.name for column in table.columns] for table in schema.tables()}
        self.rows = {
            name: [{"as_of": "2026-11-01", "source": "https://s.example"} | row for row in rows]
            for name, rows in SMALL_FACTS.items()
        }
        path.mkdir(parents=True, exist_ok=True)
        for name in self.rows:
            self.save(name)

    def file(self, table: str) -> Path:
        return self.path / f"{table}.csv"

    def save(self, table: str) -> None:
        """Write the rows of a table, one line each."""
        with self.file(table).open("w", newline="", encoding="utf-8") as stream:
            stream.write(",".join(self.columns[table]) + "\n")
            # All quoted: a carriage return in a cell is no line end.
            writer = csv.DictWriter(stream, self.columns[table], lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writerows(self.rows[table])

    def set(self, table: str, column: str, value: str, *, row: int = 0) -> int:
        """Put a value into a cell and return its line; row counts from 0."""
        self.rows[table][row][column] = value
        self.save(table)
        return row + 2

    def add(self, table: str, **cells: str) -> int:
        """Append a row that is like the first one but for these cells, and return its line."""
        self.rows[table].append(self.rows[table][0] | cells)
        self.save(table)
        return len(self.rows[table]) + 1

    def write(self, table: str, content: bytes) -> None:
        """Put these very bytes into a file."""
        self.file(table).write_bytes(content)


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    exit_code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def today() -> date:
    return TODAY


@pytest.fixture(scope="session")
def real_folders(tmp_path_factory) -> Folders:
    """The real facts, and a folder in which their catalogue is built already."""
    folders = Folders(data=PROJECT / "data", var=tmp_path_factory.mktemp("real") / "var")
    seed(folders.data, folders.var, today=TODAY)
    return folders


@pytest.fixture(scope="session")
def real_catalog(real_folders) -> Iterator[Catalog]:
    catalog = Catalog(seed(real_folders.data, real_folders.var, today=TODAY).path)
    yield catalog
    catalog.close()


@pytest.fixture(scope="session")
def real_facts(real_catalog) -> Facts:
    return Facts(real_catalog)


@pytest.fixture(scope="session")
def data_folder():
    """Makes further small sets of facts."""
    return DataFolder


@pytest.fixture
def data(tmp_path) -> DataFolder:
    """A small set of facts of its own for each test."""
    return DataFolder(tmp_path / "data")


@pytest.fixture
def var(tmp_path) -> Path:
    """A folder for run-time files that does not exist yet."""
    return tmp_path / "var"


@pytest.fixture
def small_facts(data, var) -> Facts:
    """The small set of facts, built."""
    return catalogue.current(TODAY, Folders(data=data.path, var=var)).usable()


@pytest.fixture
def command(monkeypatch, real_folders):
    """Runs `python -m llmcompare …` on the real facts, in this process, to its exit code."""
    monkeypatch.setenv("LLMCOMPARE_DATA", str(real_folders.data))
    monkeypatch.setenv("LLMCOMPARE_VAR", str(real_folders.var))
    return _run_command


@pytest.fixture
def command_line():
    """Runs a command that needs no facts, in the folders that the environment names."""
    return _run_command


def _run_command(*arguments: object) -> Outcome:
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["llmcompare", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.argv = before
    return Outcome(exit_code=code, out=out.getvalue(), err=err.getvalue())
