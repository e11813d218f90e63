"""What a model needs in memory: weights, KV cache and buffers; what fits where, and how far it can be stretched."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from llmcompare.core.shapes import ModelShape
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.core.weights import expert_weights_bytes, weight_format, weights_bytes
from llmcompare.errors import InputError

KV_BYTES_PER_ELEMENT = {
    "fp32": 4.0, "fp16": 2.0, "f16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "q8_0": 34 / 32, "q5_1": 24 / 32,
    "q5_0": 22 / 32, "q4_1": 20 / 32, "q4_0": 18 / 32, "iq4_nl": 18 / 32,
}  # fmt: skip
"""Formats of the cache in vLLM and llama.cpp (--kv-cache-dtype, --cache-type-k); blocks of 32 carry their scales."""
USABLE_FRACTION = 0.9
"""Of a GPU's memory, for weights, cache and buffers: vLLM's default gpu_memory_utilization. The rest is left to
the driver, a display and fragmentation."""
UNIFIED_USABLE_FRACTION = 0.75
"""Of memory that processor and GPU share. Assumption."""
LLAMA_CPP_BATCH_TOKENS = 512
"""llama.cpp's n_ubatch, the tokens that pass through the layers at once."""
SERVER_BATCH_TOKENS = 8_192
"""Tokens in one step of a serving engine's prefill (max_num_batched_tokens). Assumption."""
FLOAT_BYTES = 4
HALF_BYTES = 2
RUNTIME_BYTES_PER_GPU = {"llama.cpp": 400_000_000, "mlx": 400_000_000}
SERVER_RUNTIME_BYTES_PER_GPU = 1_500_000_000
"""CUDA context, libraries, graphs and workspaces. Assumptions: no source was read."""
GPU_COUNTS = (1, 2, 4, 8)
WORKER_BYTES = 48_000_000
"""Python and llama.cpp in a worker process on the CPU: measured with models of 300 tokens, 45 to 47 MiB."""
WORKER_BYTES_PER_TOKEN_OF_VOCABULARY = 400
"""Measured: 19.5 MiB more with a vocabulary of 49,152 tokens."""
CELLS_PADDING = 256
"""llama.cpp computes attention over whole multiples of 256 cells of the cache."""
MORE_THAN_BATCHES, MORE_SCORES = 4, 1.25
"""Beyond four batches a quarter more than one batch's scores is touched: measured with prompts of 2,795 to 5,560 tokens
(25% to 27%; nothing more at 952 and 1,874)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a deployment needs, over all its GPUs together."""

    weights_bytes: int
    kv_cache_bytes: int
    buffers_bytes: int
    """Activations, logits and the engine's own memory, once per GPU."""
    gpu_count: int
    warnings: tuple[str, ...]

    @property
    def total_bytes(self) -> int:
        """Weights, cache and buffers."""
        return self.weights_bytes + self.kv_cache_bytes + self.buffers_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How a model is to be used. Raises InputError for what no machine could do."""

    context_tokens: int
    """Of one sequence, prompt and reply together."""
    sequences: int = 1
    """Held at the same time, each with a full context."""
    kv_format: str = "fp16"

    def __post_init__(self) -> None:
        if self.context_tokens < 1:
            raise InputError(f"a context of {self.context_tokens:,} tokens holds nothing: give at least 1.")
        if self.sequences < 1:
            raise InputError(f"{self.sequences:,} sequences are none: give at least 1.")
        if self.kv_format not in KV_BYTES_PER_ELEMENT:
            known = ", ".join(KV_BYTES_PER_ELEMENT)
            raise InputError(f"{self.kv_format!r} is no format of a KV cache that is known here: take one of {known}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What lies where when a model is shared between a GPU and RAM."""

    gpu_layers: int
    gpu_bytes: int
    ram_bytes: int


def context_warnings(shape: ModelShape, *, context_tokens: int) -> tuple[str, ...]:
    """What to know of this context. Raises InputError beyond the longest one that the model takes."""
    native, longest = shape.context_native_tokens, shape.context_extended_tokens or shape.context_native_tokens
    if native is None or longest is None:
        return (f"no source says how long a context {shape.name} takes.",)
    if context_tokens > longest:
        raise InputError(
            f"a context of {context_tokens:,} tokens is longer than the {longest:,} that {shape.name} takes: "
            f"give {longest:,} or less."
        )
    if context_tokens > native:
        return (
            f"{context_tokens:,} tokens are beyond the native {native:,} of {shape.name}: the extension (up to "
            f"{longest:,}) must be switched on and may cost quality.",
        )
    return ()


def shape_warnings(shape: ModelShape) -> tuple[str, ...]:
    """What the KV cache of this model leaves open."""
    found = []
    if shape.kv_is_upper_bound:
        found.append(f"no source says which layers of {shape.name} keep a shorter cache: an upper bound.")
    without_kv = shape.layer_count - shape.full_kv_layer_count - shape.window_kv_layer_count
    if without_kv > 0:
        found.append(f"{without_kv} layers of {shape.name} keep a state of fixed size, which is not counted.")
    if shape.window_kv_layer_count:
        found.append(f"an engine that does not use the window of {shape.window_tokens:,} tokens needs a larger cache.")
    return tuple(found)


# --- the parts --------------------------------------------------------------------------------------------------------


def kv_cache_bytes(shape: ModelShape, use: Use) -> int:
    """Bytes of the keys and values of all sequences.

    Layers that keep the whole context times its tokens, and layers with a window times the tokens of the window, each
    times KV heads, key and value size, and bytes per element.

    >>> from llmcompare.core.shapes import LLAMA_3_8B
    >>> kv_cache_bytes(LLAMA_3_8B, Use(context_tokens=8192)) / 2**30
    1.0
    """
    windowed_tokens = min(use.context_tokens, shape.window_tokens or use.context_tokens)
    tokens = shape.full_kv_layer_count * use.context_tokens + shape.window_kv_layer_count * windowed_tokens
    return round(tokens * use.sequences * kv_bytes_per_token_and_layer(shape, kv_format=use.kv_format))


def kv_bytes_per_token_and_layer(shape: ModelShape, *, kv_format: str) -> float:
    """Bytes that one token adds to the cache of one layer."""
    return shape.kv_head_count * (shape.key_size + shape.value_size) * KV_BYTES_PER_ELEMENT[kv_format]


def buffers_bytes(shape: ModelShape, *, engine: str, sequences: int = 1) -> int:
    """Bytes of activations, logits and the engine's own memory on each GPU.

    llama.cpp reserves the logits of a batch of 512 tokens and its hidden vectors, in 4-byte floats (seen in its log).
    Serving engines: an assumption of 8,192 tokens with two feed-forward and four hidden vectors in 2 bytes, the logits
    of the running sequences, and 1.5 GB of runtime.
    """
    vocabulary = shape.vocabulary_size or 0
    runtime = RUNTIME_BYTES_PER_GPU.get(engine, SERVER_RUNTIME_BYTES_PER_GPU)
    if engine in RUNTIME_BYTES_PER_GPU:
        return runtime + LLAMA_CPP_BATCH_TOKENS * (vocabulary + 2 * shape.hidden_size) * FLOAT_BYTES
    activations = SERVER_BATCH_TOKENS * (2 * _inner_size(shape) + 4 * shape.hidden_size) * HALF_BYTES
    return runtime + activations + sequences * vocabulary * FLOAT_BYTES


def _inner_size(shape: ModelShape) -> int:
    used = (shape.active_expert_count or 1) + shape.shared_expert_count
    return (shape.ffn_hidden_size or 4 * shape.hidden_size) * used


def usual_engine(format_name: str) -> str:
    """The engine whose buffers are counted for a format."""
    maker = weight_format(format_name).maker
    return {"llama.cpp": "llama.cpp", "mlx": "mlx"}.get(maker, "vllm")


# --- the whole --------------------------------------------------------------------------------------------------------


def need(
    shape: ModelShape, use: Use, *, format_name: str, gpu_count: int = 1, file_weights_bytes: int | None = None
) -> Need:
    """What a model needs in a format, over this many GPUs. The bytes of a file's tensors replace the computed weights.

    Raises InputError for a context beyond the model's limit, and for more GPUs than it has heads.
    """
    if not 1 <= gpu_count <= shape.head_count:
        raise InputError(f"{gpu_count} GPUs cannot share {shape.head_count} heads: give 1 to {shape.head_count}.")
    warnings = context_warnings(shape, context_tokens=use.context_tokens) + shape_warnings(shape)
    per_gpu = buffers_bytes(shape, engine=usual_engine(format_name), sequences=use.sequences)
    return Need(
        weights_bytes=weights_bytes(shape, format_name=format_name)
        if file_weights_bytes is None
        else file_weights_bytes,
        kv_cache_bytes=round(kv_cache_bytes(shape, use) * kv_copies(shape, gpu_count)),
        buffers_bytes=per_gpu * gpu_count,
        gpu_count=gpu_count,
        warnings=warnings,
    )


def kv_copies(shape: ModelShape, gpu_count: int) -> float:
    """Tensor parallelism shares out whole KV heads: beyond their number each GPU keeps a copy of one."""
    heads_each = -(-shape.kv_head_count // gpu_count)
    return heads_each * gpu_count / shape.kv_head_count


def usable_bytes(memory_gb: float, *, unified: bool = False) -> int:
    """Bytes of one GPU that a deployment may fill.

    Assumption: the vendor's GB are GiB, and nine tenths of them can be used; three quarters where processor and GPU
    share the memory. aiconfigurator's systems/*.yaml @ 095f58a give 80 GiB for 80 GB, 141 for 141 and 180 for 180, but
    269 for the 288 GB of a B300 and 278 for those of a GB300.

    >>> round(usable_bytes(24) / 2**30, 2)
    21.6
    """
    return round(memory_gb * BYTES_PER_GIB * (UNIFIED_USABLE_FRACTION if unified else USABLE_FRACTION))


def fits(needed: Need, *, usable_bytes_per_gpu: int) -> bool:
    """Whether the GPUs hold it, each its share."""
    return needed.total_bytes <= usable_bytes_per_gpu * needed.gpu_count


def gpus_needed(
    shape: ModelShape,
    use: Use,
    *,
    format_name: str,
    usable_bytes_per_gpu: int,
    file_weights_bytes: int | None = None,
    counts: Iterable[int] = GPU_COUNTS,
) -> int | None:
    """The smallest of these counts of equal GPUs that holds it; None when none does."""
    for count in counts:
        if count > shape.head_count:
            continue
        needed = need(shape, use, format_name=format_name, gpu_count=count, file_weights_bytes=file_weights_bytes)
        if fits(needed, usable_bytes_per_gpu=usable_bytes_per_gpu):
            return count
    return None


def largest_context_tokens(shape: ModelShape, use: Use, *, needed: Need, usable_bytes_per_gpu: int) -> int | None:
    """The longest context that fits beside weights and buffers, at most what the model takes; None when not one token.

    The use gives sequences and cache format; its own context does not matter.
    """
    free = usable_bytes_per_gpu * needed.gpu_count - needed.weights_bytes - needed.buffers_bytes
    per_layer = kv_bytes_per_token_and_layer(shape, kv_format=use.kv_format) * use.sequences
    per_layer *= kv_copies(shape, needed.gpu_count)
    limit = shape.context_extended_tokens or shape.context_native_tokens
    longest = _longest(shape, layer_tokens=free / per_layer)
    if longest is None or (limit is not None and longest > limit):
        longest = limit
    return longest if longest is not None and longest >= 1 else None


def _longest(shape: ModelShape, *, layer_tokens: float) -> int | None:
    """Tokens of context that this many tokens in single layers make; None where a window bounds them."""
    if layer_tokens < 0:
        return 0
    full, windowed, window = shape.full_kv_layer_count, shape.window_kv_layer_count, shape.window_tokens or 0
    if not windowed:
        return int(layer_tokens // full) if full else None
    if layer_tokens < (full + windowed) * window:
        return int(layer_tokens // (full + windowed))
    return int((layer_tokens - windowed * window) // full) if full else None


def largest_sequences(shape: ModelShape, use: Use, *, needed: Need, usable_bytes_per_gpu: int) -> int:
    """How many sequences of this context fit beside weights and buffers; 0 when not one."""
    logits = (shape.vocabulary_size or 0) * FLOAT_BYTES * needed.gpu_count
    one = kv_cache_bytes(shape, replace(use, sequences=1)) * kv_copies(shape, needed.gpu_count)
    fixed = needed.weights_bytes + needed.buffers_bytes - use.sequences * logits
    return max(0, int((usable_bytes_per_gpu * needed.gpu_count - fixed) // max(1, one + logits)))


def best_format(
    shape: ModelShape, use: Use, *, formats: Iterable[str], usable_bytes_per_gpu: int, gpu_count: int = 1
) -> str | None:
    """The first of these formats, best first, with which the model fits; None when none does."""
    for name in formats:
        needed = need(shape, use, format_name=name, gpu_count=gpu_count)
        if fits(needed, usable_bytes_per_gpu=usable_bytes_per_gpu):
            return name
    return None


# --- a GPU and RAM together -------------------------------------------------------------------------------------------


def layers_that_fit(*, layers: int, layer_bytes: int, usable_gpu_bytes: int) -> int:
    """How many of a model's layers a GPU holds, weights and cache spread evenly over them.

    >>> layers_that_fit(layers=32, layer_bytes=187_000_000, usable_gpu_bytes=3_865_470_566)
    20
    """
    return max(0, min(layers, usable_gpu_bytes // max(1, layer_bytes)))


def split_by_layers(shape: ModelShape, needed: Need, *, gpu_layers: int) -> Split:
    """Weights and cache of the first layers in RAM, of the last gpu_layers on the GPU, with the buffers there.

    Raises InputError for more layers than the model has.
    """
    if not 0 <= gpu_layers <= shape.layer_count:
        raise InputError(
            f"{gpu_layers:,} layers cannot go to the GPU: {shape.name} has {shape.layer_count}, give 0 to "
            f"{shape.layer_count}."
        )
    spread = needed.weights_bytes + needed.kv_cache_bytes
    moved = spread * gpu_layers // shape.layer_count
    return Split(gpu_layers=gpu_layers, gpu_bytes=moved + needed.buffers_bytes, ram_bytes=spread - moved)


def split_experts(shape: ModelShape, needed: Need, *, format_name: str) -> Split:
    """The routed experts in RAM, everything else on the GPU. Raises InputError for a dense model.

    The share of the experts in the weights is that of the computed weights, also where a file gives the total.
    """
    if shape.expert_count is None:
        raise InputError(f"{shape.name} has no experts that RAM could hold: split it by layers.")
    share = expert_weights_bytes(shape, format_name=format_name) / weights_bytes(shape, format_name=format_name)
    ram_bytes = round(needed.weights_bytes * min(1.0, share))
    return Split(gpu_layers=shape.layer_count, gpu_bytes=needed.total_bytes - ram_bytes, ram_bytes=ram_bytes)


# --- a worker of this application -------------------------------------------------------------------------------------


def worker_peak_bytes(
    shape: ModelShape, *, file_weights_bytes: int, repacked_bytes: int, context_tokens: int, prompt_tokens: int
) -> int:
    """Most memory that a worker process on the CPU takes, after a prompt of this length.

    The mapped file, the tensors that llama.cpp keeps a second time in another order, the whole cache in f16, attention
    scores of a batch against the cells in use in 4-byte floats (flash attention is off on the CPU), two feed-forward
    and two hidden vectors of the batch, and the process itself.
    """
    batch = min(LLAMA_CPP_BATCH_TOKENS, prompt_tokens)
    cells = min(context_tokens, -(-prompt_tokens // CELLS_PADDING) * CELLS_PADDING)
    scores = batch * cells * (shape.head_count + 1) * FLOAT_BYTES
    if prompt_tokens > MORE_THAN_BATCHES * LLAMA_CPP_BATCH_TOKENS:
        scores = round(scores * MORE_SCORES)
    vectors = batch * 2 * (_inner_size(shape) + shape.hidden_size) * FLOAT_BYTES
    process = WORKER_BYTES + WORKER_BYTES_PER_TOKEN_OF_VOCABULARY * (shape.vocabulary_size or 0)
    cache = kv_cache_bytes(shape, Use(context_tokens=context_tokens))
    return file_weights_bytes + repacked_bytes + cache + scores + vectors + process
