"""The GPUs that the libraries of llama.cpp see. Not verified on a GPU.

llama_cpp does not bind these functions; the worker names the folder of its libraries.
"""

import ctypes
from pathlib import Path
from typing import Any

GPU, INTEGRATED_GPU = 1, 2
"""ggml_backend_dev_type of ggml-backend.h of ggml 0.25 (CPU 0, GPU 1, IGPU 2, ACCEL 3, META 4)."""
APPLE_NAMES = ("Metal", "MTL")
"""How ggml names the GPU of an Apple machine, which it counts among those with memory of their own (ggml-metal.cpp)."""


def gpu_devices(library_folder: Path) -> list[dict[str, Any]]:
    """Name, free and whole memory of every GPU, those with memory of their own first, as llama.cpp prefers them."""
    ggml = _library(library_folder)
    found = [ggml.ggml_backend_dev_get(at) for at in range(ggml.ggml_backend_dev_count())]
    kinds = [(ggml.ggml_backend_dev_type(device), device) for device in found]
    return [_facts(ggml, device, kind) for wanted in (GPU, INTEGRATED_GPU) for kind, device in kinds if kind == wanted]


def _facts(ggml: ctypes.CDLL, device: int, kind: int) -> dict[str, Any]:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    ggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
    name = ggml.ggml_backend_dev_name(device).decode("utf-8", errors="replace")
    shares = kind == INTEGRATED_GPU or name.startswith(APPLE_NAMES)
    return {"name": name, "free_bytes": free.value, "total_bytes": total.value, "shares_memory": shares}


def _library(folder: Path) -> ctypes.CDLL:
    # Some of the functions are in libggml-base: a library is searched together with those that it needs.
    path = next(path for name in ("libggml.so", "libggml.dylib") if (path := folder / name).exists())
    ggml = ctypes.CDLL(str(path))
    size_pointer = ctypes.POINTER(ctypes.c_size_t)
    signatures: tuple[tuple[str, Any, list[Any]], ...] = (
        ("count", ctypes.c_size_t, []),
        ("get", ctypes.c_void_p, [ctypes.c_size_t]),
        ("type", ctypes.c_int, [ctypes.c_void_p]),
        ("name", ctypes.c_char_p, [ctypes.c_void_p]),
        ("memory", None, [ctypes.c_void_p, size_pointer, size_pointer]),
    )
    for name, result, arguments in signatures:
        function = ggml[f"ggml_backend_dev_{name}"]
        function.restype, function.argtypes = result, arguments
        # The attribute keeps the function with its types; ggml[...] alone makes a new one each time.
        setattr(ggml, f"ggml_backend_dev_{name}", function)
    return ggml
