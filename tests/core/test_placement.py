"""Where a model goes: the GPU when it fits, as many layers as fit, else the CPU; never more threads than free cores."""

from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core.placement import DoesNotFit, Machine, ModelSize, Placement, place

GIB = 1024**3
EIGHT_B = ModelSize(weights_bytes=int(4.58 * GIB), layers=32, kv_bytes_per_token=131_072)
"""Llama 3 8B in Q4_K_M: 4.58 GiB of weights; 1.00 GiB of KV cache at 8,192 tokens."""

sizes = st.builds(
    ModelSize,
    weights_bytes=st.integers(1_000_000, 500 * GIB),
    layers=st.integers(1, 200),
    kv_bytes_per_token=st.integers(0, 2_000_000),
)
machines = st.builds(
    Machine,
    free_cores=st.integers(1, 256),
    available_memory_bytes=st.integers(0, 4096 * GIB),
    gpu_free_bytes=st.integers(0, 200 * GIB),
)


def test_all_layers_go_to_a_gpu_that_holds_them():
    machine = Machine(free_cores=8, available_memory_bytes=16 * GIB, gpu_free_bytes=24 * GIB)
    assert place(EIGHT_B, machine, context_tokens=8192) == Placement(context_tokens=8192, threads=8, gpu_layers=32)


def test_a_small_gpu_gets_as_many_layers_as_fit():
    machine = Machine(free_cores=8, available_memory_bytes=16 * GIB, gpu_free_bytes=4 * GIB)
    placed = place(EIGHT_B, machine, context_tokens=8192)
    # 4 GiB less a tenth, over (4.58 + 1.00) GiB / 32 layers, is 20.6 layers.
    assert placed == Placement(context_tokens=8192, threads=8, gpu_layers=20)


def test_a_model_larger_than_memory_is_refused_with_both_figures():
    refused = place(EIGHT_B, Machine(free_cores=8, available_memory_bytes=4 * GIB), context_tokens=8192)
    assert isinstance(refused, DoesNotFit)
    assert "5.7 GiB" in refused.reason
    assert "4.0 GiB" in refused.reason


@given(size=sizes, machine=machines, context=st.integers(1, 200_000), sharing=st.integers(1, 8))
def test_models_that_run_at_once_never_get_more_threads_than_free_cores(size, machine, context, sharing):
    placed = place(size, machine, context_tokens=context, sharing=sharing)
    if isinstance(placed, Placement):
        assert placed.threads >= 1
        assert placed.threads * sharing <= max(machine.free_cores, sharing)
        assert 0 <= placed.gpu_layers <= size.layers


@given(size=sizes, machine=machines, context=st.integers(1, 100_000))
def test_a_longer_context_never_fits_where_a_shorter_one_does_not(size, machine, context):
    if isinstance(place(size, machine, context_tokens=context), DoesNotFit):
        assert isinstance(place(size, machine, context_tokens=2 * context), DoesNotFit)
