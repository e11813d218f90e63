"""A machine with one GPU: what lies there, what in memory, and the longest context."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcompare.core import memory, offload
from llmcompare.core.memory import Use
from llmcompare.core.offload import Room
from llmcompare.core.shapes import LLAMA_3_8B

GIB = 2**30
USE = Use(context_tokens=8192)
NEEDED = memory.need(LLAMA_3_8B, USE, format_name="gguf-q4_k_m")
rooms = st.builds(Room, ram_bytes=st.integers(0, 64 * GIB), gpu_bytes=st.integers(0, 64 * GIB))


def test_eight_billion_parameters_in_four_bits_go_wholly_onto_a_card_of_24_gib():
    split = offload.shared(LLAMA_3_8B, NEEDED, Room(ram_bytes=GIB, gpu_bytes=24 * GIB))
    assert split.gpu_layers == LLAMA_3_8B.layer_count
    assert split.gpu_bytes == NEEDED.total_bytes
    assert split.ram_bytes == NEEDED.buffers_bytes


def test_a_card_of_4_gib_takes_some_layers_and_the_rest_stays_in_memory():
    room = Room(ram_bytes=4 * GIB, gpu_bytes=4 * GIB)
    split = offload.shared(LLAMA_3_8B, NEEDED, room)
    # 0.9 × 4 GiB without 0.65 GiB of buffers, over layers of 5.6 GiB / 32.
    layer_bytes = (NEEDED.weights_bytes + NEEDED.kv_cache_bytes) // 32
    assert split.gpu_layers == (int(0.9 * 4 * GIB) - NEEDED.buffers_bytes) // layer_bytes
    assert offload.fits(LLAMA_3_8B, NEEDED, room)
    assert not offload.fits(LLAMA_3_8B, NEEDED, Room(ram_bytes=4 * GIB))


def test_without_a_gpu_it_is_the_rule_of_memory_alone():
    room = Room(ram_bytes=NEEDED.total_bytes)
    assert offload.shared(LLAMA_3_8B, NEEDED, room).gpu_bytes == 0
    assert offload.fits(LLAMA_3_8B, NEEDED, room)
    assert not offload.fits(LLAMA_3_8B, NEEDED, Room(ram_bytes=NEEDED.total_bytes - 1))


@given(room=rooms)
def test_a_gpu_that_shares_the_memory_adds_none(room):
    one_memory = replace(room, is_shared=True)
    assert offload.fits(LLAMA_3_8B, NEEDED, one_memory) == (NEEDED.total_bytes <= room.ram_bytes)
    with_it, without = (
        offload.largest_context_tokens(LLAMA_3_8B, USE, needed=NEEDED, room=one)
        for one in (one_memory, Room(ram_bytes=room.ram_bytes))
    )
    assert with_it == without


@given(room=rooms)
def test_every_byte_lies_somewhere_and_the_gpu_never_holds_more_than_it_has(room):
    split = offload.shared(LLAMA_3_8B, NEEDED, room)
    extra = NEEDED.buffers_bytes if split.gpu_layers else 0
    assert split.gpu_bytes + split.ram_bytes == NEEDED.total_bytes + extra
    assert split.gpu_bytes <= room.usable_gpu_bytes or split.gpu_bytes == 0


@given(room=rooms)
def test_the_longest_context_fits_and_one_more_token_does_not(room):
    longest = offload.largest_context_tokens(LLAMA_3_8B, USE, needed=NEEDED, room=room)

    def holds(tokens):
        cache = memory.kv_cache_bytes(LLAMA_3_8B, replace(USE, context_tokens=tokens))
        return offload.fits(LLAMA_3_8B, replace(NEEDED, kv_cache_bytes=cache), room)

    assert longest is None or holds(longest)
    assert (longest or 0) == LLAMA_3_8B.context_native_tokens or not holds((longest or 0) + 1)


@pytest.mark.parametrize("gpu_gib", [0, 1, 4, 8, 24])
def test_more_memory_on_the_gpu_never_shortens_the_context(gpu_gib):
    less, more = (Room(ram_bytes=6 * GIB, gpu_bytes=gib * GIB) for gib in (gpu_gib, gpu_gib + 1))
    found = [offload.largest_context_tokens(LLAMA_3_8B, USE, needed=NEEDED, room=one) or 0 for one in (less, more)]
    assert found[0] <= found[1]
