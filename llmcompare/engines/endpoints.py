"""Servers that speak OpenAI's protocol: where they listen, what they take beyond it, and which key is theirs.

A key belongs to a host. A preset's variable is read for the preset's own host alone; any other host has a variable of
its own, named after it. So whoever types an address into the page cannot have a key sent there.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from llmcompare.errors import InputError

LONGEST_URL = 300
OWN_KEY_PREFIX = "LLMCOMPARE_KEY_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a server takes beyond OpenAI's own fields; a setting without a name here cannot be sent to it."""

    top_k: str | None = None
    keep_all_top_k: int = 0
    """What stands for "all tokens"."""
    min_p: str | None = None
    repeat_penalty: str | None = None
    seed: str = "seed"
    schema: Literal["json_schema", "json_object"] = "json_schema"
    """json_object: the schema stands inside the response format, without a name."""
    usage_on_request: bool = True
    """Whether the counts of tokens must be asked for; otherwise they come by themselves, or never."""
    counts_afterwards: bool = False
    """Whether it can be asked for the counts of tokens once the reply is there; it says none while it streams."""
    continues: tuple[tuple[str, bool], ...] | None = None
    """Fields that tell it to go on with the last message, none where it does so by itself; None where that is not known
    of it: such a server begins a new reply instead."""


PLAIN = Dialect()
VLLM = Dialect(
    top_k="top_k", keep_all_top_k=-1, min_p="min_p", repeat_penalty="repetition_penalty",
    continues=(("continue_final_message", True), ("add_generation_prompt", False)),
)  # fmt: skip
SGLANG = Dialect(
    top_k="top_k", keep_all_top_k=-1, min_p="min_p", repeat_penalty="repetition_penalty",
    continues=(("continue_final_message", True),),
)  # fmt: skip
LLAMA_SERVER = Dialect(top_k="top_k", min_p="min_p", repeat_penalty="repeat_penalty", continues=())
"""It goes on by itself unless it was started with --no-prefill-assistant."""
LLAMA_CPP_PYTHON = Dialect(
    top_k="top_k", min_p="min_p", repeat_penalty="repeat_penalty", schema="json_object", usage_on_request=False,
    counts_afterwards=True,
)  # fmt: skip
MISTRAL = Dialect(seed="random_seed", usage_on_request=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A known kind of server or provider."""

    preset_id: str
    name: str
    base_url: str
    key_variable: str | None
    """Of the environment, for this address alone."""
    source: str
    as_of: str = "2026-11-25"
    dialect: Dialect = PLAIN
    provider: str | None = None
    """As the price list names it."""


_LITELLM = (
    "github.com/BerriAI/litellm: litellm/litellm_core_utils/get_llm_provider_logic.py"
    " @ 001a933c1c90b218cff873c8849ae192bf456cda"
)
PRESETS: tuple[Preset, ...] = (
    Preset(
        preset_id="vllm", name="vLLM", base_url="http://localhost:8000/v1", key_variable="VLLM_API_KEY", dialect=VLLM,
        source="https://docs.vllm.ai/en/v0.6.4.post1/serving/openai_compatible_server.html; key: "
        "github.com/vllm-project/vllm: vllm/envs.py @ f218f9c24d224800e0ea4488aa71bd8215c8bdcd",
    ),
    Preset(
        preset_id="sglang", name="SGLang", base_url="http://127.0.0.1:30000/v1", key_variable="SGLANG_API_KEY",
        dialect=SGLANG,
        source="https://docs.openclaw.ai/providers/sglang; github.com/sgl-project/sglang: "
        "docs/basic_usage/sampling_params.md @ 0a0dd3590799de5344ff8db9b1886105d4c18af9; continuing: "
        "python/sglang/srt/entrypoints/openai/protocol.py @ 004c82e07d876f6e4a0ad6e15325706b0f478f1a",
    ),
    Preset(
        preset_id="llama-server", name="llama-server (llama.cpp)", base_url="http://localhost:8080/v1",
        key_variable="LLAMA_API_KEY", dialect=LLAMA_SERVER,
        source="https://www.mintlify.com/ggml-org/llama.cpp/inference/server; key, settings and continuing: "
        "github.com/ggml-org/llama.cpp: tools/server/README.md @ 00dc8057ab28c9cb4c79a6dd6dfce07fe779f63b",
    ),
    Preset(
        preset_id="llama-cpp-python", name="llama-cpp-python server", base_url="http://localhost:8000/v1",
        key_variable=None, dialect=LLAMA_CPP_PYTHON,
        source="llama-cpp-python 0.3.36, llama_cpp/server/types.py, settings.py and app.py of the package",
    ),
    Preset(
        preset_id="ollama", name="Ollama", base_url="http://localhost:11434/v1", key_variable=None,
        source="github.com/ollama/ollama: docs/api/openai-compatibility.mdx @ fb30760996871fa9460115c753afd2c60d4ab0f7",
    ),
    Preset(
        preset_id="lm-studio", name="LM Studio", base_url="http://localhost:1234/v1", key_variable=None,
        source="https://lmstudio.ai/docs/api/openai-api",
    ),
    Preset(
        preset_id="mistral", name="Mistral", base_url="https://api.mistral.ai/v1", key_variable="MISTRAL_API_KEY",
        dialect=MISTRAL, provider="mistral",
        source=f"{_LITELLM}; seed: github.com/mistralai/platform-docs-public: public/llms-full.txt "
        "@ 222f4ba9114f84ce9f2d718b9a12fbac1e527f4b",
    ),
    Preset(
        preset_id="groq", name="Groq", base_url="https://api.groq.com/openai/v1", key_variable="GROQ_API_KEY",
        provider="groq", source=_LITELLM,
    ),
    Preset(
        preset_id="together", name="Together", base_url="https://api.together.xyz/v1", key_variable="TOGETHER_API_KEY",
        provider="together", source=_LITELLM,
    ),
    Preset(
        preset_id="deepinfra", name="DeepInfra", base_url="https://api.deepinfra.com/v1/openai",
        key_variable="DEEPINFRA_API_KEY", provider="deepinfra", source=_LITELLM,
    ),
    Preset(
        preset_id="fireworks", name="Fireworks", base_url="https://api.fireworks.ai/inference/v1",
        key_variable="FIREWORKS_API_KEY", provider="fireworks",
        source="https://docs.pipecat.ai/server/services/llm/fireworks",
    ),
    Preset(
        preset_id="cerebras", name="Cerebras", base_url="https://api.cerebras.ai/v1", key_variable="CEREBRAS_API_KEY",
        provider="cerebras", source=_LITELLM,
    ),
    Preset(
        preset_id="openrouter", name="OpenRouter", base_url="https://openrouter.ai/api/v1",
        key_variable="OPENROUTER_API_KEY", provider="openrouter",
        source="github.com/mistralai/platform-docs-public: public/vibe/code/cli/api-keys-profiles.md "
        "@ 222f4ba9114f84ce9f2d718b9a12fbac1e527f4b",
    ),
    Preset(
        preset_id="other", name="Another OpenAI-compatible server", base_url="", key_variable=None,
        source="the address is typed in",
    ),
)  # fmt: skip


def preset(preset_id: str) -> Preset:
    """Raises InputError for an id that is none."""
    for one in PRESETS:
        if one.preset_id == preset_id:
            return one
    raise InputError(
        f"endpoint kind {preset_id!r} is not known: give one of {', '.join(one.preset_id for one in PRESETS)}."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model on a server. Raises InputError for an address that cannot be used."""

    preset_id: str
    base_url: str
    model: str

    def __post_init__(self) -> None:
        preset(self.preset_id)
        _checked(self.base_url)
        if not self.model.strip():
            raise InputError("no model is named for the endpoint: give the name by which the server knows it.")

    @property
    def kind(self) -> Preset:
        """What is known of such servers."""
        return preset(self.preset_id)

    @property
    def address(self) -> SplitResult:
        """The parts of the base URL."""
        return urlsplit(self.base_url)

    @property
    def name(self) -> str:
        """For a person: the model and where it runs."""
        return f"{self.model} @ {self.address.netloc}"

    @property
    def key_variable(self) -> str:
        """Where the key for this host is looked for.

        >>> Endpoint(preset_id="other", base_url="https://llm.example.com:8443/v1", model="m").key_variable
        'LLMCOMPARE_KEY_LLM_EXAMPLE_COM_8443'
        """
        known = self.kind
        if known.key_variable is not None and self.address.netloc == urlsplit(known.base_url).netloc:
            return known.key_variable
        return OWN_KEY_PREFIX + re.sub(r"[^A-Z0-9]+", "_", self.address.netloc.upper())


def endpoint_from(text: str) -> Endpoint:
    """An endpoint as it is typed: KIND:MODEL@BASE_URL, without the address where its kind has one. Raises InputError.

    >>> endpoint_from("ollama:llama3.2:1b").base_url, endpoint_from("vllm:@cf/qwen@http://10.0.0.7:8000/v1").model
    ('http://localhost:11434/v1', '@cf/qwen')
    """
    kind, _, rest = text.partition(":")
    model, scheme, address = rest.rpartition("@http")
    if not scheme:
        return Endpoint(preset_id=kind, base_url=preset(kind).base_url, model=rest.strip())
    return Endpoint(preset_id=kind, base_url=f"http{address}", model=model.strip())


def _checked(base_url: str) -> None:
    if not base_url.strip():
        raise InputError("no base URL is given: write where the server listens, for example http://localhost:8000/v1.")
    shown = base_url[:LONGEST_URL]
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"the base URL {shown!r} cannot be read ({error}).") from error
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"the base URL {shown!r} is no web address: it must begin with http:// or https://.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        # Not shown: what stands there may be a key.
        raise InputError(
            f"the base URL of {host} holds more than an address: no user, password or question mark; a key belongs "
            "into the environment or into .streamlit/secrets.toml."
        )
    if len(base_url) > LONGEST_URL or not base_url.isascii() or not base_url.isprintable() or " " in base_url:
        raise InputError(f"the base URL {shown!r} holds characters that no address has, or is too long.")


def secrets_files() -> tuple[Path, ...]:
    """Where keys may stand besides the environment, as Streamlit has it."""
    return tuple(folder / ".streamlit" / "secrets.toml" for folder in (Path.cwd(), Path.home()))


def key_for(endpoint: Endpoint, *, files: Sequence[Path] | None = None) -> str | None:
    """The key of an endpoint's host; None where there is none. Raises InputError for a file that is no TOML."""
    variable = endpoint.key_variable
    if found := os.environ.get(variable, "").strip():
        return _sendable(found, variable)
    for path in secrets_files() if files is None else files:
        try:
            known = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            # Without the text of the error: it may quote a line, and so a key.
            raise InputError(f"{path.name} in {path.parent.name} cannot be read as TOML: correct it.") from error
        if isinstance(value := known.get(variable), str) and value.strip():
            return _sendable(value.strip(), variable)
    return None


def _sendable(key: str, variable: str) -> str:
    if not key.isascii() or not key.isprintable():
        raise InputError(f"the key in {variable} holds characters that cannot be sent: copy it anew.")
    return key


def is_private(host: str) -> bool:
    """Whether a host is this machine or stands in a private network, so that no stranger reads what is sent to it.

    >>> is_private("localhost"), is_private("192.168.1.7"), is_private("api.groq.com")
    (True, True, False)
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
