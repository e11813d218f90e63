"""What the engine costs over a bare loop on llama.cpp, what its memory and its cache are worth, how cores are shared.

python benchmarks/bench_engine.py           measures everything
python benchmarks/bench_engine.py --bare …  is the bare loop, in a process of its own like the worker
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path

from measuring import PROJECT, Results, Target, project_on_path, say_load

project_on_path()

from llmcompare.core.placement import ModelSize, Placement  # noqa: E402
from llmcompare.engines.base import Done, Message, Request, Sampling, Started, Token  # noqa: E402
from llmcompare.engines.local import LocalEngine  # noqa: E402
from llmcompare.engines.pool import ModelFile, Pool  # noqa: E402
from llmcompare.models.library import demo_model_path, model_at  # noqa: E402

CONTEXT_TOKENS = 2048
STORY = "Write a very long story about a lighthouse keeper and the sea."
"""The demo model does not end it within 1,500 tokens, so both loops write the same number."""
LENGTHS = {128: 7, 512: 5, 1500: 3}
"""Tokens to generate, and how many pairs of runs."""
TTFT_PAIRS = 9
SHARED_TOKENS = 1_000
PREFIX_PAIRS = 3
SHARING_S = 4.0
SHARING_ROUNDS = 5
SPINS = {"300000": "libgomp's default", "30000": "ours", "10000": "shorter", "1000": "short", "0": "passive"}
"""GOMP_SPINCOUNT: turns of a loop for which a thread of a worker waits before it sleeps."""
WAITING_S = 2.0
WAITING_ROUNDS = 3
WHOLE_CORE = "while True: pass"
FIFTH_OF_A_CORE = """
import time
while True:
    end = time.monotonic() + 0.02
    while time.monotonic() < end:
        pass
    time.sleep(0.08)
"""
MODEL = demo_model_path()


def main() -> None:
    """Measure and write down."""
    if MODEL is None:
        sys.exit("The demo model is missing: run `make install`.")
    say_load()
    results = Results(__file__)
    for part in (generation, first_token, shared_prefix, memory, cores, waiting):
        if part.__name__ in (sys.argv[1:] or part.__name__):
            part(results)
    say_load()


# --- against the bare loop --------------------------------------------------------------------------------------------


class Bare:
    """The bare loop in a process of its own."""

    def __init__(self, threads: int) -> None:
        command = [sys.executable, __file__, "--bare", str(MODEL), str(threads)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT)

    def run(self, text: str, count: int) -> tuple[float, float]:
        """Seconds to the first token, and tokens/s after it."""
        self._process.stdin.write(json.dumps([text, count]) + "\n")
        self._process.stdin.flush()
        ttft_s, rate = json.loads(self._process.stdout.readline())
        return ttft_s, rate

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def bare_loop(path: str, threads: int) -> None:
    """Reads texts and counts from standard input; writes seconds to the first token and tokens/s."""
    import llama_cpp

    silent = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx, settings.n_batch, settings.n_ubatch = CONTEXT_TOKENS, 512, 512
    settings.n_threads = settings.n_threads_batch = threads
    settings.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = llama_cpp.llama_init_from_model(model, settings)
    vocabulary = llama_cpp.llama_model_get_vocab(model)
    sampler = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    llama_cpp.llama_sampler_chain_add(sampler, llama_cpp.llama_sampler_init_greedy())
    one = (llama_cpp.llama_token * 1)()
    for line in sys.stdin:
        text, count = json.loads(line)
        raw = text.encode()
        tokens = (llama_cpp.llama_token * (len(raw) + 8))()
        size = llama_cpp.llama_tokenize(vocabulary, raw, len(raw), tokens, len(tokens), False, True)
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        began = time.monotonic()
        for start in range(0, size, 512):
            chunk = (llama_cpp.llama_token * min(512, size - start))(*tokens[start : min(start + 512, size)])
            llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(chunk, len(chunk)))
        one[0] = llama_cpp.llama_sampler_sample(sampler, context, -1)
        first = time.monotonic()
        for _ in range(count - 1):
            llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(one, 1))
            one[0] = llama_cpp.llama_sampler_sample(sampler, context, -1)
        rate = (count - 1) / (time.monotonic() - first) if count > 1 else 0.0
        print(json.dumps([first - began, rate]), flush=True)


def request(text: str, count: int, *, system: str | None = None) -> Request:
    """A greedy request for so many tokens."""
    messages = [Message(role="system", content=system)] if system else []
    return Request(messages=(*messages, Message(role="user", content=text)), sampling=Sampling(max_tokens=count))


@contextmanager
def engine(threads: int, context_tokens: int = CONTEXT_TOKENS) -> Iterator[LocalEngine]:
    """The demo model through the engine."""
    placement = Placement(context_tokens=context_tokens, threads=threads, gpu_layers=0)
    with closing(LocalEngine(MODEL, placement)) as loaded:
        yield loaded


def through_engine(loaded: LocalEngine, asked: Request) -> tuple[float, float, str, int, float]:
    """Seconds to the first token and tokens/s after it as the asker sees them; the prompt's text; tokens reused; and
    the worker's own milliseconds to the first token."""
    began, times, started = time.monotonic(), [], None
    for event in loaded.stream(asked):
        if isinstance(event, Token) and (not times or event.generated_tokens > len(times)):
            times.append(time.monotonic())
        elif isinstance(event, Started):
            started = event
        elif isinstance(event, Done):
            measured = event.measured
    assert measured.generated_tokens == asked.sampling.max_tokens, "the reply ended early"
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
    return times[0] - began, rate, started.prompt_text, started.reused_tokens, measured.ttft_ms


def generation(results: Results) -> None:
    """Tokens/s of the engine over those of the bare loop, pair by pair."""
    for threads in (1, 2):
        generation_with(results, threads)


def generation_with(results: Results, threads: int) -> None:
    """The same with so many threads."""
    with engine(threads) as loaded, closing(Bare(threads)) as bare:
        text = through_engine(loaded, request(STORY, 8))[2]
        bare.run(text, 8)
        for count, pairs in LENGTHS.items():
            ratios, rates = [], []
            for _ in range(pairs):
                rate = through_engine(loaded, request(STORY, count))[1]
                ratios.append(rate / bare.run(text, count)[1])
                rates.append(rate)
            name = f"{count} tokens, {threads} thread{'s' if threads > 1 else ''}"
            results.add(f"generation through the engine, {name}", rates, unit="tokens/s")
            results.add(f"engine / bare loop, {name}", ratios, unit="ratio", target=Target(at_least=0.97))


def first_token(results: Results) -> None:
    """Milliseconds to the first token as the asker sees it, less what a bare loop needs for the same prompt.

    For the long prompt the worker's own time around llama_decode stands for the bare loop: ten per cent of noise in
    two separate runs of seconds would be more than what is measured.
    """
    with engine(2) as loaded, closing(Bare(2)) as bare:
        for words in (2, 440):
            more, beside = [], []
            for number in range(TTFT_PAIRS):
                asked = request("sky " * words, 1, system=f"{number} is the number of this run.")
                ttft_s, _, text, reused, own_ttft_ms = through_engine(loaded, asked)
                assert reused < 8, "the prompt was in the cache"
                more.append(ttft_s * 1e3 - own_ttft_ms)
                beside.append((ttft_s - bare.run(text, 1)[0]) * 1e3)
            name = f"first token through the engine, prompt of {words} words"
            results.add(f"{name}, less its decoding", more, unit="ms", target=Target(30))
            results.add(f"{name}, less a bare loop", beside, unit="ms", target=Target(30) if words == 2 else None)


def shared_prefix(results: Results) -> None:
    """How many times sooner the first token comes when 1,000 tokens of the prompt are in the cache."""
    with engine(2) as loaded:
        ratios = []
        for number in range(PREFIX_PAIRS):
            system = f"{number} is the number. " + "The sea is blue and wide. " * (SHARED_TOKENS // 6)
            fresh_s, *_ = through_engine(loaded, request("Why is the sky blue?", 1, system=system))
            cached_s, _, _, reused, _ = through_engine(loaded, request("Why is grass green?", 1, system=system))
            assert reused >= SHARED_TOKENS, reused
            ratios.append(fresh_s / cached_s)
        results.add("first token: fresh / with 1,000 tokens cached", ratios, unit="ratio", target=Target(at_least=5))


# --- memory -----------------------------------------------------------------------------------------------------------


def memory(results: Results) -> None:
    """Resident memory of a worker after a full context over 110% of the file, 150 MB and the KV cache."""
    facts = model_at(MODEL)
    allowed = 1.1 * facts.size_bytes + 150e6 + facts.kv_bytes_per_token * CONTEXT_TOKENS
    with engine(1) as loaded:
        through_engine(loaded, request(STORY, 1500))
        used = resident_bytes(loaded.process_id)
        process_id = loaded.process_id
    results.add("worker's resident memory / allowed", [used / allowed], unit="ratio", target=Target(1))
    results.add("worker's resident memory", [used / 1e6], unit="MB")
    results.add(
        "processes left after unloading", [float(Path(f"/proc/{process_id}").exists())], unit="", target=Target(1)
    )


def resident_bytes(process_id: int) -> float:
    """Of a process, mapped file included."""
    lines = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024.0


# --- cores ------------------------------------------------------------------------------------------------------------


def cores(results: Results) -> None:
    """The pool on 2 cores: alone, two models at once, beside a busy process; against one model with 1 or 2 threads."""
    facts = model_at(MODEL)
    size = ModelSize(weights_bytes=facts.size_bytes, layers=facts.layers, kv_bytes_per_token=facts.kv_bytes_per_token)
    alone, together, beside = [], [], []
    with tempfile.TemporaryDirectory() as folder, closing(Pool(cores=2)) as pool, engine(1) as one, engine(2) as two:
        other = Path(folder) / "other.gguf"
        other.symlink_to(MODEL)
        models = [ModelFile(path=path, size=size) for path in (MODEL, other)]
        engines = [pool.engine(model, context_tokens=CONTEXT_TOKENS) for model in models]
        for each in (*engines, one, two):
            rate_of(each, 1.0)
        for _ in range(SHARING_ROUNDS):
            one_thread, two_threads = rate_of(one), rate_of(two)
            # For the pool those two were other work, until its next look at the machine.
            time.sleep(2.2)
            alone.append(rate_of(engines[0]) / max(one_thread, two_threads))
            both = at_once([lambda e=each: rate_of(e) for each in engines])
            together.append(sum(both) / (2 * one_thread))
            with busy_process():
                time.sleep(1.5)
                beside.append(rate_of(engines[0]) / one_thread)
    results.add("pool, one alone / best thread setting", alone, unit="ratio", target=Target(at_least=0.95))
    results.add("pool, two at once / twice one thread", together, unit="ratio", target=Target(at_least=0.9))
    results.add("pool, beside a busy process / one thread", beside, unit="ratio", target=Target(at_least=0.7))


def waiting(results: Results) -> None:
    """Tokens/s of workers whose threads wait in different ways: undisturbed, and with more threads than cores."""
    found: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        workers = {spins: [stack.enter_context(spinning(spins)) for _ in range(2)] for spins in SPINS}
        for one, other in workers.values():
            rate_of(one, 0.5)
            rate_of(other, 0.5)
        for _ in range(WAITING_ROUNDS):
            for scenario, threads, busy, count in (
                ("alone, 1 thread", 1, None, 1),
                ("alone, 2 threads", 2, None, 1),
                ("2 threads beside a fifth of a core", 2, FIFTH_OF_A_CORE, 1),
                ("2 threads beside a busy process", 2, WHOLE_CORE, 1),
                ("1 thread beside a busy process", 1, WHOLE_CORE, 1),
                ("two at once, 1 thread each, sum", 1, None, 2),
                ("two at once, 2 threads each, sum", 2, None, 2),
            ):
                for spins, pair in workers.items():
                    for worker in pair:
                        worker.set_threads(threads)
                    with busy_process(busy) if busy else nullcontext():
                        rates = at_once([lambda e=each: rate_of(e, WAITING_S) for each in pair[:count]])
                    found.setdefault((scenario, spins), []).append(sum(rates))
    for (scenario, spins), rates in found.items():
        results.add(f"waiting {spins} turns ({SPINS[spins]}), {scenario}", rates, unit="tokens/s")


@contextmanager
def spinning(turns: str) -> Iterator[LocalEngine]:
    """A worker whose threads wait so many turns before they sleep."""
    os.environ["GOMP_SPINCOUNT"] = turns
    try:
        with engine(2) as loaded:
            del os.environ["GOMP_SPINCOUNT"]
            yield loaded
    finally:
        os.environ.pop("GOMP_SPINCOUNT", None)


def rate_of(source: object, seconds: float = SHARING_S) -> float:
    """Tokens/s over some seconds after the first 8 tokens; 0 when fewer come in three times that time."""
    times, began = [], time.monotonic()
    with closing(source.stream(request(STORY, 1500))) as events:
        for event in events:
            if isinstance(event, Token):
                times.append(time.monotonic())
            if (len(times) > 8 and times[-1] - times[8] > seconds) or time.monotonic() - began > 3 * seconds + 2:
                break
    return (len(times) - 9) / (times[-1] - times[8]) if len(times) > 9 else 0.0


def at_once(works: list[Callable[[], float]]) -> list[float]:
    """Results of functions that run at the same time."""
    found = [0.0] * len(works)

    def run(number: int) -> None:
        found[number] = works[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@contextmanager
def busy_process(program: str = WHOLE_CORE) -> Iterator[None]:
    """Another process that takes a whole core, or what its program takes."""
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        bare_loop(sys.argv[2], int(sys.argv[3]))
    else:
        main()
