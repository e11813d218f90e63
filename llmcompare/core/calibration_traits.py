"""What of a deployment its efficiency follows from: kinds of memory, of engine and of format, not single cards.

A constant of its own per card or per source would fit the measurements and say nothing about the next card.
"""

from dataclasses import dataclass

from llmcompare.core.records import SpeedGpu

FAMILIES = {
    "vllm": "serving", "sglang": "serving", "tensorrt-llm": "serving", "lmdeploy-turbomind": "serving",
    "tgi": "serving", "deepspeed-mii": "serving", "optimum-nvidia": "serving", "ctranslate2": "serving",
    "optimum-habana": "serving", "llama.cpp": "ggml", "ollama": "ggml", "ctransformers": "ggml", "mlx": "mlx",
    "exllamav2": "packed", "mlc-llm": "packed", "transformers": "eager", "autoawq": "eager", "autogptq": "eager",
    "lightning": "eager", "onnxruntime": "eager",
}  # fmt: skip
"""Engines that work alike: serving engines replay recorded steps, eager ones launch each operation from Python."""
SPLITS_LAYERS = frozenset({"transformers", "exllamav2"})
"""Engines that give each GPU its own layers, whatever a row calls tensor parallel."""

_GGUF = ("gguf-",)
_SAFETENSORS = ("fp16", "bf16", "fp8", "awq-int4", "gptq-int4", "gptq-int8")
SUPPORTED = {
    "vllm": (*_SAFETENSORS, "int8", "int4", "bnb-int4", "nvfp4", "mxfp4"),
    "sglang": (*_SAFETENSORS, "int8", "int4", "nvfp4", "mxfp4"),
    "tensorrt-llm": (*_SAFETENSORS, "int8", "int4", "nvfp4"),
    "lmdeploy-turbomind": ("fp16", "bf16", "fp8", "awq-int4", "gptq-int4"),
    "tgi": (*_SAFETENSORS, "int8", "bnb-int4"),
    "deepspeed-mii": ("fp16", "bf16"),
    "optimum-nvidia": ("fp16", "bf16", "fp8"),
    "ctranslate2": ("fp16", "bf16", "int8", "awq-int4"),
    "optimum-habana": ("bf16", "fp16", "fp8"),
    "llama.cpp": (*_GGUF, "fp16", "bf16"),
    "ollama": (*_GGUF, "fp16"),
    "ctransformers": _GGUF,
    "mlx": ("mlx-", "fp16", "bf16"),
    "exllamav2": ("exl2-", "gptq-int4", "fp16", "bf16"),
    "mlc-llm": ("mlc-", "fp16"),
    "transformers": (*_SAFETENSORS, "int8", "int4", "bnb-int4", "fp32"),
    "autoawq": ("awq-int4", "int4", "fp16"),
    "autogptq": ("gptq-int4", "gptq-int8", "fp16", "int4"),
    "lightning": ("fp16", "bf16", "int8", "bnb-int4"),
    "onnxruntime": ("fp16", "bf16", "int8", "int4"),
}
"""Formats that an engine serves; one that ends in a dash stands for all that begin with it."""
VENDORS = {"mlx": ("Apple",), "tensorrt-llm": ("NVIDIA",), "optimum-nvidia": ("NVIDIA",), "optimum-habana": ("Intel",),
           "exllamav2": ("NVIDIA", "AMD"), "lmdeploy-turbomind": ("NVIDIA",)}  # fmt: skip
"""Engines that run on these vendors' hardware only."""
ON_GAUDI = frozenset({"optimum-habana", "vllm"})
GENERATIONS = ("Pascal", "Volta", "Turing", "Ampere", "Ada", "Hopper", "Blackwell")
OLDEST = {"awq-int4": "Turing", "int8": "Turing", "fp8": "Turing", "bf16": "Ampere", "nvfp4": "Blackwell"}
OLDEST_OTHERWISE = "Volta"
"""NVIDIA generations from which on serving engines have kernels for a format: the tables of vLLM
(docs.vllm.ai/en/v0.14.0/features/quantization, docs.vllm.ai/en/v0.32.0/features/quantization/llm_compressor/fp8).
Assumptions: other serving engines are alike; bf16 needs Ampere, NVFP4 needs Blackwell."""
NOT_ON_AMD = {"vllm": ("awq-int4", "gptq-int4", "gptq-int8")}
"""By the same table."""
NOT_ON_APPLE = frozenset({"vllm", "sglang", "tgi"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """One deployment, in the words in which constants are kept."""

    engine: str
    family: str
    memory_class: str
    architecture: str
    format_kind: str
    experts: str
    """dense, or experts: small matrices for many kernels."""
    era: str
    """Of the engine, where it changed much: llama.cpp before its flash attention, serving before recorded steps."""

    def level(self, kind: str) -> str:
        """The value of a trait, or of several joined by a cross."""
        return " × ".join(getattr(self, part) for part in kind.split(" × "))


def serves(engine: str, format_name: str) -> bool:
    """Whether an engine takes weights of this format.

    >>> serves("llama.cpp", "gguf-q4_k_m"), serves("vllm", "mlx-q4")
    (True, False)
    """
    return any(
        format_name.startswith(one) if one.endswith("-") else format_name == one for one in SUPPORTED.get(engine, ())
    )


def runs_on(engine: str, *, vendor: str, gpu_id: str) -> bool:
    """Whether an engine runs on this hardware."""
    if gpu_id.startswith("gaudi"):
        return engine in ON_GAUDI
    return vendor in VENDORS.get(engine, (vendor,)) and not (vendor == "Apple" and engine in NOT_ON_APPLE)


def has_kernels(engine: str, format_name: str, *, vendor: str, generation: str) -> bool:
    """Whether a serving engine runs a format on a card's generation; others are not restricted here."""
    if FAMILIES.get(engine) != "serving":
        return True
    if vendor == "AMD":
        return format_name not in NOT_ON_AMD.get(engine, ())
    if generation not in GENERATIONS:
        return True
    oldest = OLDEST.get(format_name, OLDEST_OTHERWISE)
    return GENERATIONS.index(generation) >= GENERATIONS.index(oldest)


def format_kind(format_name: str) -> str:
    """The group of formats whose kernels are alike."""
    if format_name in ("bf16", "fp16"):
        return "16-bit"
    if format_name.startswith("gguf-"):
        return "gguf-8" if format_name.startswith("gguf-q8") else "gguf"
    for start in ("exl2", "mlx"):
        if format_name.startswith(f"{start}-"):
            return start
    return format_name


def memory_class(gpu: SpeedGpu) -> str:
    """HBM, GDDR of cards for desks, GDDR of cards for servers (with error correction), memory shared with a CPU."""
    kind = gpu.memory_type or ""
    if gpu.vendor == "Apple":
        return "Apple"
    if gpu.vendor in ("AMD", "Intel") and kind.startswith("HBM"):
        return f"{gpu.vendor} HBM"
    if kind.startswith("HBM"):
        return "HBM"
    if kind.startswith("LPDDR") or gpu.gpu_id.startswith("strix-halo"):
        return "shared"
    if gpu.vendor == "AMD":
        return "AMD GDDR"
    return "server GDDR" if gpu.gpu_class == "datacenter" else "GDDR"


def shares_memory(gpu: SpeedGpu) -> bool:
    """Whether the processor uses the same memory."""
    return memory_class(gpu) in ("Apple", "shared")


_GEFORCE = {"1": "Pascal", "2": "Turing", "3": "Ampere", "4": "Ada", "5": "Blackwell"}


def architecture(gpu: SpeedGpu) -> str:
    """The generation of the chip; read from the name where the catalogue has none.

    >>> architecture(SpeedGpu(gpu_id="rtx-4070-12gb", vendor="NVIDIA", gpu_class="consumer", memory_gb=12))
    'Ada'
    """
    if gpu.vendor == "Apple":
        return gpu.gpu_id.removeprefix("apple-")[:2].upper()
    if gpu.architecture:
        return gpu.architecture.split()[0]
    series, _, number = gpu.gpu_id.partition("-")
    if series in ("rtx", "gtx") and number[1:2] in "0567":
        return _GEFORCE.get(number[:1], "unknown")
    return "RDNA" if gpu.vendor == "AMD" else "Ada" if "ada" in gpu.gpu_id else "unknown"


def era(*, engine: str, as_of: str | None, gpu_count: float) -> str:
    """When an engine was measured, where that matters; without a date it is taken as it is today.

    >>> era(engine="vllm", as_of="2023-11-02", gpu_count=2)
    'serving to 2023, several GPUs'
    """
    family = FAMILIES.get(engine, "serving")
    if family == "serving" and as_of and as_of < "2024" and gpu_count > 1:
        return "serving to 2023, several GPUs"
    if family == "ggml":
        return "llama.cpp to 2024" if as_of and as_of < "2025" else "llama.cpp since 2025"
    return "now"
