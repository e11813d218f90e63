"""The shape of the model in a GGUF file: from metadata and tensors, never from a name."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from llmcompare.core.shapes import ModelShape
from llmcompare.errors import ModelRefusedError
from llmcompare.models.gguf import read_header
from llmcompare.models.gguf_header import ITEMS_KEPT, GgufHeader, TensorInfo
from llmcompare.models.library import parts

EXPERT_TENSOR = re.compile(r"^blk\.(\d+)\.ffn_(?:gate|up|down|gate_up)_exps\.weight$")
REPACKED_TYPES = {"Q4_0", "Q4_K", "Q2_K", "IQ4_NL"}
"""Types that llama.cpp copies into another order on a CPU with AVX2, beside the mapped file: CPU_REPACK of its log."""
LLAMA_4_WINDOW_TOKENS, LLAMA_4_FULL_EVERY = 8_192, 4
"""Chunked attention that a llama4 file does not spell out: one layer in four keeps the whole context
(configuration_llama4.py of transformers @ 008e574)."""


def local_headers(path: Path) -> list[GgufHeader]:
    """The headers of all files of a local model, one unless it was split. Raises ModelRefusedError."""
    return [read_header(part) for part in parts(path)]


def weights_bytes(headers: Sequence[GgufHeader]) -> int:
    """Of all tensors in all files of a model."""
    return sum(header.weights_bytes for header in headers)


def repacked_bytes(headers: Sequence[GgufHeader]) -> int:
    """Of the tensors that llama.cpp holds a second time on an x86 CPU; embeddings are only looked up in."""
    return sum(
        tensor.size_bytes
        for tensor in _tensors(headers)
        if tensor.type_name in REPACKED_TYPES and len(tensor.shape) > 1 and tensor.name != "token_embd.weight"
    )


def shape_of(headers: Sequence[GgufHeader]) -> ModelShape:
    """The shape, from the metadata of the first file and the tensors of all. Raises ModelRefusedError for gaps."""
    facts = _Facts(headers[0])
    layers, width, heads = facts.required("block_count"), facts.required("embedding_length"), facts.heads()
    kv_heads = facts.kv_heads(layers) or [heads] * layers
    head_size = facts.count("attention.key_length") or width // heads
    if head_size == 0:
        raise ModelRefusedError(f"{headers[0].path.name} says {heads:,} heads for a width of {width:,}: too many.")
    experts = facts.count("expert_count")
    names = {tensor.name for tensor in _tensors(headers)}
    full, windowed, window = _cache_layers(facts, kv_heads)
    return ModelShape(
        name=headers[0].path.name,
        params_total=sum(header.parameters for header in headers),
        params_active=_active_parameters(headers, facts),
        layer_count=layers,
        hidden_size=width,
        head_count=heads,
        kv_head_count=max(kv_heads),
        key_size=head_size,
        value_size=facts.count("attention.value_length") or head_size,
        full_kv_layer_count=full,
        window_kv_layer_count=windowed,
        window_tokens=window,
        vocabulary_size=_vocabulary_size(headers),
        ffn_hidden_size=facts.count("expert_feed_forward_length") or facts.count("feed_forward_length"),
        expert_count=experts or None,
        active_expert_count=facts.count("expert_used_count") if experts else None,
        shared_expert_count=_shared_experts(facts) if experts else 0,
        moe_layer_count=len({match[1] for match in map(EXPERT_TENSOR.match, names) if match}) if experts else None,
        tied_embeddings="output.weight" not in names,
        kv_is_upper_bound=window is None and bool(facts.count("attention.sliding_window")),
        context_native_tokens=headers[0].trained_context_tokens,
    )


def _cache_layers(facts: "_Facts", kv_heads: list[int]) -> tuple[int, int, int | None]:
    """Layers that keep the whole context, layers with a window, and the window."""
    layers = len(kv_heads)
    with_kv = sum(1 for heads in kv_heads if heads)
    if (interval := facts.count("full_attention_interval")) and with_kv == layers:
        return layers // interval, 0, None
    if facts.architecture == "llama4" and layers >= LLAMA_4_FULL_EVERY:
        full = layers // LLAMA_4_FULL_EVERY
        return full, layers - full, facts.count("attention.chunk_size") or LLAMA_4_WINDOW_TOKENS
    window = facts.count("attention.sliding_window")
    if window and (pattern := facts.window_pattern(layers)) is not None:
        return with_kv - pattern, pattern, window
    return with_kv, 0, None


def _active_parameters(headers: Sequence[GgufHeader], facts: "_Facts") -> float:
    """All but the experts that the router leaves out."""
    total = sum(header.parameters for header in headers)
    experts, used = facts.count("expert_count"), facts.count("expert_used_count")
    if not experts or not used:
        return total
    in_experts = sum(tensor.elements for tensor in _tensors(headers) if EXPERT_TENSOR.match(tensor.name))
    return total - in_experts * max(0.0, 1 - used / experts)


def _shared_experts(facts: "_Facts") -> int:
    """Their width in widths of one expert."""
    width, one = facts.count("expert_shared_feed_forward_length"), facts.count("expert_feed_forward_length")
    if width and one:
        return width // one
    return facts.count("expert_shared_count") or 0


def _vocabulary_size(headers: Sequence[GgufHeader]) -> int | None:
    """Rows of the embeddings, which may be more than the tokens."""
    table = next((tensor for tensor in _tensors(headers) if tensor.name == "token_embd.weight"), None)
    return table.shape[1] if table is not None and len(table.shape) > 1 else None


def _tensors(headers: Sequence[GgufHeader]) -> Iterator[TensorInfo]:
    return (tensor for header in headers for tensor in header.tensors)


class _Facts:
    """Counts in the metadata of a file, by their names without the architecture."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        self.architecture = header.architecture
        self.count = header.count

    def required(self, key: str) -> int:
        value = self.count(key)
        if not value or (key == "block_count" and value > ITEMS_KEPT):
            raise ModelRefusedError(
                f"{self._header.path.name} does not say its {self.architecture}.{key}, or no usable one: its memory "
                "cannot be computed."
            )
        return value

    def heads(self) -> int:
        counts = self._array("attention.head_count")
        return max(counts) if any(counts) else self.required("attention.head_count")

    def kv_heads(self, layers: int) -> list[int] | None:
        counts = self._array("attention.head_count_kv")
        if any(counts):
            return counts[:layers] + [0] * (layers - len(counts))
        one = self.count("attention.head_count_kv")
        return [one] * layers if one else None

    def window_pattern(self, layers: int) -> int | None:
        """Layers with a window: a list says which, a number n says all but every n-th."""
        listed = self._array("attention.sliding_window_pattern")
        if listed:
            return sum(1 for item in listed[:layers] if item)
        every = self.count("attention.sliding_window_pattern")
        return layers - layers // every if every else None

    def _array(self, key: str) -> list[int]:
        found = self._header.arrays.get(f"{self.architecture}.{key}")
        if found is None or found.items is None:
            return []
        return [int(item) for item in found.items if isinstance(item, int) and item >= 0]
