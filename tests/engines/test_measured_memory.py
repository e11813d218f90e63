"""What a worker process takes is what its file's header says it will take, within 5%."""

import pytest

from llmcompare.core.memory import worker_peak_bytes
from llmcompare.engines.base import Message, Request, Sampling
from llmcompare.models import gguf_shape
from llmcompare.models.quantise import quantise


@pytest.fixture(scope="module")
def repacked(demo_model, tmp_path_factory):
    """A format that llama.cpp holds a second time in another order."""
    return quantise(demo_model, "Q4_0", tmp_path_factory.mktemp("formats"), threads=1, cancelled=lambda: False)


@pytest.mark.parametrize(("kind", "context", "words"), [("demo", 2_048, 20), ("demo", 8_192, 600), ("Q4_0", 4_096, 20)])
def test_the_peak_of_a_worker_is_computed_within_five_percent(load, demo_model, repacked, kind, context, words):
    file = demo_model if kind == "demo" else repacked
    request = Request(
        messages=(Message(role="user", content="word " * words),), sampling=Sampling(max_tokens=2, temperature=0.0)
    )
    measured = list(load(file, context_tokens=context).stream(request))[-1].measured
    headers = gguf_shape.local_headers(file)
    computed = worker_peak_bytes(
        gguf_shape.shape_of(headers),
        file_weights_bytes=gguf_shape.weights_bytes(headers),
        repacked_bytes=gguf_shape.repacked_bytes(headers),
        context_tokens=context,
        prompt_tokens=measured.prompt_tokens,
    )
    assert computed == pytest.approx(measured.peak_memory_bytes, rel=0.05)
