"""How fast speeds are predicted: 100,000 rows of a file, and the grid of the Hardware page.

python benchmarks/bench_predict.py
"""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import PROJECT, Results, Target  # noqa: E402

from llmcompare.services import calibration, catalogue, predict  # noqa: E402
from llmcompare.services.predict import Choice  # noqa: E402

ROW_COUNT = 100_000
REPETITIONS = 7
FORMATS = {
    "vllm": ("bf16", "fp8", "awq-int4", "gptq-int8"),
    "llama.cpp": ("gguf-q4_k_m", "gguf-q5_k_m", "gguf-q6_k", "gguf-q8_0"),
    "tensorrt-llm": ("bf16", "fp8", "nvfp4"),
}


def main() -> None:
    facts = catalogue.current(datetime.now(UTC).date()).usable()
    results = Results(__file__)
    measured = (PROJECT / "data" / "throughput.csv").read_text(encoding="utf-8").splitlines()
    lines = [measured[1 + at % (len(measured) - 1)] for at in range(ROW_COUNT)]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.csv", Path(folder) / "out.csv"
        source.write_text("\n".join([measured[0], *lines, ""]), encoding="utf-8")
        names, cells = predict.read_table(source)
        rows = predict.in_our_words(names, cells)
        known = facts.calibration
        times, whole = [], []
        for _ in range(REPETITIONS):
            started = time.perf_counter()
            predict.predict_rows(rows, reader=calibration.reader(facts), known=known)
            times.append(time.perf_counter() - started)
            started = time.perf_counter()
            predict.predict_file(facts, source, target)
            whole.append(time.perf_counter() - started)
    results.add("100,000 rows predicted", times, target=Target(below=1.0))
    results.add("100,000 rows read, predicted and written as a file", whole)
    shape = facts.shapes["llama-3.3-70b-instruct"]
    choices = [
        Choice(gpu_id=gpu_id, gpu_count=2, engine=engine, weight_format=name)
        for gpu_id in facts.gpus
        for engine, formats in FORMATS.items()
        for name in formats
    ]
    times = []
    for context_tokens in (8_192, 16_384, 32_768, 65_536, 131_072, 4_096, 2_048):
        started = time.perf_counter()
        predict.speeds(facts, shape, choices, context_tokens=context_tokens)
        times.append(time.perf_counter() - started)
    results.add(f"grid of {len(choices)} deployments", times, target=Target(below=0.3))


if __name__ == "__main__":
    main()
