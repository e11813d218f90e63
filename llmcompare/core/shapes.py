"""The shape of a model: what its memory and its speed follow from. Unknown is None."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """Layers, widths and experts of a model, of the catalogue or of a GGUF file."""

    name: str
    params_total: float
    """Parameters, all experts counted: what memory holds."""
    params_active: float
    """Parameters that one token uses: what a step of one sequence reads and computes with."""
    layer_count: int
    hidden_size: int
    head_count: int
    kv_head_count: int
    key_size: int
    """Elements of one head's key."""
    value_size: int
    """Elements of one head's value."""
    full_kv_layer_count: int
    """Layers that keep keys and values of the whole context; a hybrid model has fewer than it has layers."""
    window_kv_layer_count: int = 0
    """Layers that keep keys and values of the last window_tokens only."""
    window_tokens: int | None = None
    vocabulary_size: int | None = None
    ffn_hidden_size: int | None = None
    """Of one expert in a mixture of experts."""
    expert_count: int | None = None
    """None for a dense model. Shared experts are not counted."""
    active_expert_count: int | None = None
    """Experts that the router picks per token, without shared ones."""
    shared_expert_count: int = 0
    moe_layer_count: int | None = None
    """Layers that hold experts; the rest are dense."""
    tied_embeddings: bool | None = None
    """One matrix is both the embeddings and the output."""
    kv_is_upper_bound: bool = False
    """No source says which layers keep less than the whole context, so all are counted."""
    context_native_tokens: int | None = None
    context_extended_tokens: int | None = None


LLAMA_3_8B = ModelShape(
    name="llama-3-8b",
    params_total=8.03e9,
    params_active=8.03e9,
    layer_count=32,
    hidden_size=4096,
    head_count=32,
    kv_head_count=8,
    key_size=128,
    value_size=128,
    full_kv_layer_count=32,
    vocabulary_size=128_256,
    ffn_hidden_size=14_336,
    tied_embeddings=False,
)
"""For examples in docstrings."""
