"""The real demo model in a real worker process and behind a real server, and the fake that keeps the same contract."""

import pytest

from llmcompare.core.placement import Placement
from llmcompare.engines.endpoints import Endpoint
from llmcompare.engines.fake import FakeEngine
from llmcompare.engines.local import LocalEngine
from llmcompare.engines.remote import RemoteEngine
from llmcompare.models.library import demo_model_path
from tests.engines.llama_cpp_server import serving_model

CONTEXT_TOKENS = 1024


@pytest.fixture(scope="session")
def demo_model():
    path = demo_model_path()
    assert path is not None, "The demo model is missing: run `make install`."
    return path


@pytest.fixture
def load(demo_model):
    """Loads a model file, the demo model by default; ends every worker."""
    loaded = []

    def load_one(path=demo_model, *, context_tokens=CONTEXT_TOKENS, threads=1, **options):
        placement = Placement(context_tokens=context_tokens, threads=threads, gpu_layers=0)
        loaded.append(LocalEngine(path, placement, **options))
        return loaded[-1]

    yield load_one
    for engine in loaded:
        engine.close()


@pytest.fixture(scope="session")
def shared_engine(demo_model):
    """One worker for tests that leave it as it was."""
    engine = LocalEngine(demo_model, Placement(context_tokens=CONTEXT_TOKENS, threads=1, gpu_layers=0))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def remote_engine(demo_model):
    """The demo model behind llama-cpp-python's own server."""
    with serving_model(demo_model) as base_url:
        yield RemoteEngine(Endpoint(preset_id="llama-cpp-python", base_url=base_url, model="demo"))


@pytest.fixture(params=["fake", "llama.cpp", "remote"])
def engine(request):
    fixtures = {"llama.cpp": "shared_engine", "remote": "remote_engine"}
    return request.getfixturevalue(fixtures[request.param]) if request.param in fixtures else FakeEngine()
