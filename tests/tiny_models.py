"""Writes tiny models with random weights as GGUF files that llama.cpp loads and generates with.

They answer with noise, in milliseconds: for what must hold for every family, not only for the demo model.
"""

from pathlib import Path

import gguf
import numpy as np

FAMILIES = ("llama", "qwen2", "qwen3", "qwen3moe", "mixtral")
LAYERS = 2
WIDTH = 64
HEADS, KV_HEADS, HEAD_WIDTH = 4, 2, 16
FFN_WIDTH = 128
EXPERTS, EXPERTS_USED = 4, 2
CONTEXT_TOKENS = 256
WORDS = ["the", "sky", "is", "blue", "why", "and", "one", "two", "user", "assistant"]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n"
)


def write_tiny(
    path: Path,
    architecture: str = "llama",
    *,
    seed: int = 0,
    tensor_format: str = "F16",
    layers: int = LAYERS,
    chat_template: str | None = CHAT_TEMPLATE,
    split_tensors: int = 0,
    name: str | None = None,
) -> Path:
    """A model of one of FAMILIES; mixtral is a llama with experts. With split_tensors, in files of so many tensors."""
    writer = gguf.GGUFWriter(
        path, "llama" if architecture == "mixtral" else architecture, split_max_tensors=split_tensors
    )
    _write_metadata(writer, architecture, layers, tensor_format)
    writer.add_name(name or f"Tiny {architecture}")
    tokens = _write_llama_tokens(writer) if architecture in ("llama", "mixtral") else _write_qwen_tokens(writer)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    noise = np.random.default_rng(seed)
    for name, shape in _shapes(architecture, layers, tokens).items():
        _write_tensor(writer, name, shape, noise, tensor_format)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_metadata(writer: gguf.GGUFWriter, architecture: str, layers: int, tensor_format: str) -> None:
    writer.add_type("model")
    writer.add_file_type(gguf.LlamaFileType[_file_type(tensor_format)])
    writer.add_block_count(layers)
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FFN_WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-6)
    if architecture.startswith("qwen3"):
        writer.add_key_length(HEAD_WIDTH)
        writer.add_value_length(HEAD_WIDTH)
    if architecture in ("qwen3moe", "mixtral"):
        writer.add_expert_count(EXPERTS)
        writer.add_expert_used_count(EXPERTS_USED)
        writer.add_expert_feed_forward_length(FFN_WIDTH)


def _file_type(tensor_format: str) -> str:
    return "ALL_F32" if tensor_format == "F32" else f"MOSTLY_{tensor_format}"


def _write_llama_tokens(writer: gguf.GGUFWriter) -> int:
    """As SentencePiece makes them: control tokens, all bytes, then pieces with scores."""
    kinds = gguf.TokenType
    letters = [*"abcdefghijklmnopqrstuvwxyz", "▁"]
    pieces = {f"▁{word}"[:end] for word in WORDS for end in range(2, len(word) + 2)}
    # In the same order every time: a set has none, and the same numbers would mean another text.
    pieces = sorted(pieces, key=lambda one: (-len(one), one))
    tokens = ["<unk>", "<s>", "</s>", *SPECIAL[1:], *(f"<0x{byte:02X}>" for byte in range(256)), *pieces, *letters]
    types = [kinds.UNKNOWN, *[kinds.CONTROL] * 4, *[kinds.BYTE] * 256, *[kinds.NORMAL] * (len(pieces) + len(letters))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * 261 + [float(-place) for place in range(len(tokens) - 261)])
    writer.add_token_types(types)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    return len(tokens)


def _write_qwen_tokens(writer: gguf.GGUFWriter) -> int:
    """As byte-level BPE makes them: a letter for each byte, then what merges make, then control tokens."""
    merged, merges = _merges()
    tokens = [*_byte_letters(), *merged, *SPECIAL]
    types = [gguf.TokenType.NORMAL] * (256 + len(merged)) + [gguf.TokenType.CONTROL] * len(SPECIAL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    return len(tokens)


def _byte_letters() -> list[str]:
    """Printable bytes stand for themselves, the others for letters from 256 on, as in GPT-2."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def _merges() -> tuple[list[str], list[str]]:
    merged: dict[str, str] = {}
    for word in WORDS:
        for end in range(2, len(word) + 1):
            merged.setdefault(word[:end], f"{word[: end - 1]} {word[end - 1]}")
    return list(merged), list(merged.values())


def _shapes(architecture: str, layers: int, tokens: int) -> dict[str, tuple[int, ...]]:
    """Shapes as numpy counts: the length of a row comes last."""
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (tokens, WIDTH)}
    for layer in range(layers):
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in _layer_shapes(architecture).items()}
    return shapes | {"output_norm.weight": (WIDTH,), "output.weight": (tokens, WIDTH)}


def _layer_shapes(architecture: str) -> dict[str, tuple[int, ...]]:
    kv_width = KV_HEADS * HEAD_WIDTH
    shapes: dict[str, tuple[int, ...]] = {
        "attn_norm.weight": (WIDTH,),
        "attn_q.weight": (WIDTH, WIDTH),
        "attn_k.weight": (kv_width, WIDTH),
        "attn_v.weight": (kv_width, WIDTH),
        "attn_output.weight": (WIDTH, WIDTH),
        "ffn_norm.weight": (WIDTH,),
    }
    if architecture == "qwen2":
        shapes |= {"attn_q.bias": (WIDTH,), "attn_k.bias": (kv_width,), "attn_v.bias": (kv_width,)}
    if architecture.startswith("qwen3"):
        shapes |= {"attn_q_norm.weight": (HEAD_WIDTH,), "attn_k_norm.weight": (HEAD_WIDTH,)}
    if architecture in ("qwen3moe", "mixtral"):
        return shapes | {
            "ffn_gate_inp.weight": (EXPERTS, WIDTH),
            "ffn_gate_exps.weight": (EXPERTS, FFN_WIDTH, WIDTH),
            "ffn_up_exps.weight": (EXPERTS, FFN_WIDTH, WIDTH),
            "ffn_down_exps.weight": (EXPERTS, WIDTH, FFN_WIDTH),
        }
    return shapes | {
        "ffn_gate.weight": (FFN_WIDTH, WIDTH),
        "ffn_up.weight": (FFN_WIDTH, WIDTH),
        "ffn_down.weight": (WIDTH, FFN_WIDTH),
    }


def _write_tensor(
    writer: gguf.GGUFWriter, name: str, shape: tuple[int, ...], noise: np.random.Generator, tensor_format: str
) -> None:
    values = noise.normal(0, shape[-1] ** -0.5, shape).astype(np.float32)
    if len(shape) == 1:
        # Norms near one, so that the numbers neither vanish nor explode.
        writer.add_tensor(name, values + (0 if name.endswith(".bias") else 1))
        return
    # llama.cpp keeps the choice of experts in full.
    kind = gguf.GGMLQuantizationType["F32" if "gate_inp" in name else tensor_format]
    writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
