"""What the speed tests of the worker say beside a bare llama_decode loop, and how well one model predicts the others.

python benchmarks/bench_measure.py             measures everything
python benchmarks/bench_measure.py --bare …    is the bare loop, in a process of its own like the worker
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from measuring import PROJECT, Results, Target, project_on_path, say_load

project_on_path()
sys.path.insert(0, str(PROJECT / "tests"))

import tiny_models  # noqa: E402

from llmcompare.core.bench import speed, speed_tests  # noqa: E402
from llmcompare.core.placement import Placement  # noqa: E402
from llmcompare.core.this_machine import ModelInFormat, Observation, predicted_from  # noqa: E402
from llmcompare.engines.base import Sampled  # noqa: E402
from llmcompare.engines.child_process import POLITENESS  # noqa: E402
from llmcompare.engines.local import LocalEngine  # noqa: E402
from llmcompare.models import gguf_shape, quantise  # noqa: E402
from llmcompare.models.library import demo_model_path, model_at  # noqa: E402

MODEL = demo_model_path()
PAIRS = 7
PROMPT_TOKENS, GENERATED_TOKENS, CONTEXT_TOKENS = 512, 128, 1024
FORMATS = ("F16", "Q8_0", "Q6_K", "Q4_K_M", "Q4_0")
LARGER = {"WIDTH": 1536, "HEADS": 24, "KV_HEADS": 8, "HEAD_WIDTH": 64, "FFN_WIDTH": 4096, "CONTEXT_TOKENS": 1024}
"""Of a model of 504 million weights by chance: what it says is noise, how fast it says it is not."""
LARGER_LAYERS = 20
QUICK = {"prompt_tokens": 128, "generated_tokens": 32}


def main() -> None:
    """Measure and write down."""
    if MODEL is None:
        sys.exit("The demo model is missing: run `make install`.")
    say_load()
    results = Results(__file__)
    for part in (beside_a_bare_loop, other_models):
        if part.__name__ in (sys.argv[1:] or part.__name__):
            part(results)
    say_load()


# --- against the bare loop --------------------------------------------------------------------------------------------


def bare_loop(path: str, threads: int) -> None:
    """For every line of standard input: seconds of a prompt, and of tokens one by one, after a warm-up of each."""
    import llama_cpp

    # Other work is to disturb both alike.
    os.nice(POLITENESS)
    silent = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx, settings.n_batch, settings.n_ubatch = CONTEXT_TOKENS, 512, 512
    settings.n_threads = settings.n_threads_batch = threads
    settings.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = llama_cpp.llama_init_from_model(model, settings)
    prompt = (llama_cpp.llama_token * PROMPT_TOKENS)(*range(1000, 1000 + PROMPT_TOKENS))
    one = (llama_cpp.llama_token * 1)(1000)

    def seconds(tokens: object, size: int, times: int) -> float:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        began = time.monotonic()
        for _ in range(times):
            llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(tokens, size))
        return time.monotonic() - began

    seconds(prompt, PROMPT_TOKENS, 1)
    for _ in sys.stdin:
        print(json.dumps([seconds(prompt, PROMPT_TOKENS, 1), seconds(one, 1, GENERATED_TOKENS)]), flush=True)


@contextmanager
def bare(threads: int) -> Iterator[subprocess.Popen]:
    """The bare loop as a process."""
    command = [sys.executable, __file__, "--bare", str(MODEL), str(threads)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def beside_a_bare_loop(results: Results) -> None:
    """Tokens/s of the worker's tests over those of the bare loop, pair by pair, with one thread."""
    tests = speed_tests(prompt_tokens=PROMPT_TOKENS, generated_tokens=GENERATED_TOKENS)
    placement = Placement(context_tokens=CONTEXT_TOKENS, threads=1, gpu_layers=0)
    ratios: dict[str, list[float]] = {test.name: [] for test in tests}
    rates: dict[str, list[float]] = {test.name: [] for test in tests}
    with closing(LocalEngine(MODEL, placement)) as engine, bare(1) as loop:
        for _ in range(PAIRS):
            ours = measured(engine, tests, repetitions=1)
            loop.stdin.write("again\n")
            loop.stdin.flush()
            for test, ours_per_s, bare_s in zip(tests, ours, json.loads(loop.stdout.readline()), strict=True):
                rates[test.name].append(ours_per_s)
                ratios[test.name].append(ours_per_s * bare_s / test.tokens)
    for test in tests:
        results.add(f"{test.name} of the demo model, 1 thread", rates[test.name], unit="tokens/s")
        name = f"{test.name}: speed test / bare loop"
        results.add(name, ratios[test.name], unit="ratio", target=Target(at_least=0.95))


def measured(engine: LocalEngine, tests: tuple, *, repetitions: int) -> list[float]:
    """Tokens/s of each test."""
    durations: list[list[int]] = [[] for _ in tests]
    for event in engine.bench(tests, repetitions=repetitions, threads=1):
        if isinstance(event, Sampled):
            durations[event.test].append(event.duration_ns)
    return [
        speed(tokens=test.tokens, durations_ns=found).tokens_per_s for test, found in zip(tests, durations, strict=True)
    ]


# --- one model predicts the others ------------------------------------------------------------------------------------


def other_models(results: Results) -> None:
    """Measured over predicted of five formats of a model with 504 million weights, after the demo model alone."""
    with tempfile.TemporaryDirectory() as folder:
        before = observed(MODEL)
        after = [one for path in larger_models(Path(folder)) for one in observed(path)]
    for one in after:
        results.add(
            f"{one.test.name} of 504 million weights, {one.model.quantization}, 1 thread",
            [one.tokens_per_s],
            unit="tokens/s",
        )
    for kind in ("decode", "prefill"):
        pairs = [(one, predicted_from(before, one)) for one in after if one.test.kind == kind]
        ratios = [one.tokens_per_s / predicted for one, predicted in pairs if predicted]
        results.add(f"{kind}: measured / predicted from the demo model alone", ratios, unit="ratio")


def larger_models(folder: Path) -> Iterator[Path]:
    """The larger model in each format; one file at a time."""
    for name, value in LARGER.items():
        setattr(tiny_models, name, value)
    source = tiny_models.write_tiny(folder / "larger-F16.gguf", layers=LARGER_LAYERS)
    yield source
    for name in FORMATS[1:]:
        made = quantise.quantise(source, name, folder, threads=1)
        yield made
        made.unlink()


def observed(path: Path) -> list[Observation]:
    """Speed tests of one file."""
    headers = gguf_shape.local_headers(path)
    model = ModelInFormat(
        shape=gguf_shape.shape_of(headers),
        weights_bytes=gguf_shape.weights_bytes(headers),
        quantization=model_at(path).quantization,
    )
    tests = speed_tests(**QUICK)
    with closing(LocalEngine(path, Placement(context_tokens=512, threads=1, gpu_layers=0))) as engine:
        found = measured(engine, tests, repetitions=3)
    return [
        Observation(bench_id=path.name, model=model, test=test, tokens_per_s=rate)
        for test, rate in zip(tests, found, strict=True)
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        bare_loop(sys.argv[2], int(sys.argv[3]))
    else:
        main()
