"""What a run asks: a prompt, the models in its slots, how each samples, and what was said before."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from llmcompare.core.facts import RunFact, Scheduling
from llmcompare.engines.base import Message, Request, Sampling
from llmcompare.engines.endpoints import Endpoint
from llmcompare.errors import InputError
from llmcompare.models import library
from llmcompare.models.library import LocalModel

DEFAULT_CONTEXT_TOKENS = 4096
FEWEST_CONTEXT_TOKENS = 32
MOST_SLOTS = 6
Answerer = LocalModel | Endpoint
"""What stands in a slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a slot answers. Raises InputError for what cannot be."""

    system: str | None = None
    sampling: Sampling = Sampling()
    context_tokens: int = DEFAULT_CONTEXT_TOKENS
    """Of a local model; a server has its own."""
    gpu_layers: int | None = None
    """Of a local model at most; None for as many as fit."""

    def __post_init__(self) -> None:
        if not is_text(self.system or ""):
            raise InputError(f"the system prompt {_no_text(self.system or '')}")
        if self.context_tokens < FEWEST_CONTEXT_TOKENS:
            raise InputError(f"the context is {self.context_tokens} tokens: give at least {FEWEST_CONTEXT_TOKENS}.")
        if self.gpu_layers is not None and self.gpu_layers < 0:
            raise InputError(f"GPU layers are {self.gpu_layers}: give 0 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A prompt, how to sample, and which models answer. Raises InputError for what cannot be asked."""

    prompt: str
    models: tuple[Answerer, ...]
    system: str | None = None
    sampling: Sampling = Sampling()
    scheduling: Scheduling = "together"
    context_tokens: int = DEFAULT_CONTEXT_TOKENS
    own: tuple[Settings | None, ...] = ()
    """Of slots that do not do as all others."""
    before: tuple[tuple[Message, ...], ...] = ()
    """What was said before, for each slot; without the system prompt."""
    parent_run_id: str | None = None
    """The run before this one in a conversation."""
    goes_on: bool = False
    """The last reply of each slot is continued; the prompt is the one that it answers."""
    complete: tuple[Literal["end", "stop"] | None, ...] = ()
    """How the replies of slots ended that say nothing more when a run goes on."""
    blind: bool = False
    """Nobody is to see who answers until there is a vote."""

    def __post_init__(self) -> None:
        if not self.prompt.strip():
            raise InputError("the prompt is empty: write what the models should answer.")
        if not is_text(self.prompt):
            raise InputError(f"the prompt {_no_text(self.prompt)}")
        if not self.models:
            raise InputError("no model is chosen: choose at least one.")
        _ = self.common

    @property
    def common(self) -> Settings:
        """Of every slot that has none of its own."""
        return Settings(system=self.system, sampling=self.sampling, context_tokens=self.context_tokens)

    def settings(self, slot: int) -> Settings:
        """How a slot answers."""
        return (self.own[slot] if slot < len(self.own) else None) or self.common

    def is_complete(self, slot: int) -> Literal["end", "stop"] | None:
        """How the reply of a slot ended that is left as it is; None for one that is asked."""
        return self.complete[slot] if slot < len(self.complete) else None

    def request(self, slot: int) -> Request:
        """As the engine of a slot takes it."""
        settings = self.settings(slot)
        system = [Message(role="system", content=settings.system)] if settings.system else []
        before = self.before[slot] if slot < len(self.before) else ()
        asked = () if self.goes_on else (Message(role="user", content=self.prompt),)
        return Request(messages=(*system, *before, *asked), sampling=settings.sampling)

    def fact(self, run_id: str, person: str | None) -> RunFact:
        """As the log keeps it."""
        sampling = self.sampling
        return RunFact(
            run_id=run_id,
            person=person,
            asked_at=now(),
            prompt=self.prompt,
            system=self.system,
            scheduling=self.scheduling,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens,
            seed=sampling.seed,
            context_tokens=self.context_tokens,
            models=tuple(shown_name(model) for model in self.models),
            slots=tuple(_as_json(model, self.settings(slot)) for slot, model in enumerate(self.models)),
            parent_run_id=self.parent_run_id,
            goes_on=self.goes_on,
            blind=self.blind,
        )


def shown_name(model: Answerer) -> str:
    """What a slot is called: the file, or the model and its server."""
    return model.name if isinstance(model, Endpoint) else library.readable(model.path.name)


def plan_again(fact: RunFact, models: Sequence[LocalModel]) -> Plan:
    """What a logged run asked, without what was said before. Raises InputError for a model that has gone."""
    common = Sampling(
        temperature=fact.temperature, top_p=fact.top_p, max_tokens=fact.max_tokens, seed=fact.seed
    )  # fmt: skip
    plain = Settings(system=fact.system, sampling=common, context_tokens=fact.context_tokens)
    read = [_from_json(text, models) for text in fact.slots or ()]
    read = read or [(library.find(models, name), plain) for name in fact.models]
    same = all(settings == read[0][1] for _, settings in read)
    first = read[0][1]
    return Plan(
        prompt=fact.prompt,
        models=tuple(model for model, _ in read),
        system=first.system if same else fact.system,
        sampling=first.sampling if same else common,
        context_tokens=first.context_tokens if same else fact.context_tokens,
        scheduling=fact.scheduling,
        own=tuple(settings for _, settings in read),
        parent_run_id=fact.parent_run_id,
    )


def endpoints_of(fact: RunFact) -> Iterator[Endpoint]:
    """Those in the slots of a logged run; none that this version would refuse to ask."""
    for text in fact.slots or ():
        try:
            if asked := json.loads(text).get("endpoint"):
                yield Endpoint(**asked)
        except (ValueError, TypeError, AttributeError, InputError):
            continue


def schema_of(fact: RunFact, slot: int) -> str | None:
    """The JSON schema that a slot of a logged run was to follow."""
    try:
        found = json.loads(fact.slots[slot])["sampling"]["json_schema"] if fact.slots else None
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return found if isinstance(found, str) else None


def _as_json(model: Answerer, settings: Settings) -> str:
    where: dict[str, Any] = {"endpoint": asdict(model)} if isinstance(model, Endpoint) else {"model": model.model_id}
    return json.dumps(where | asdict(settings))


def _from_json(text: str, models: Sequence[LocalModel]) -> tuple[Answerer, Settings]:
    try:
        found = json.loads(text)
        endpoint, name = found.pop("endpoint", None), found.pop("model", None)
        settings = _settings(found)
        model: Answerer = Endpoint(**endpoint) if endpoint else library.find(models, str(name))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError("the settings of this run cannot be read: ask anew.") from error
    return model, settings


def _settings(found: dict[str, Any]) -> Settings:
    sampling = found["sampling"]
    return Settings(**found | {"sampling": Sampling(**(sampling | {"stop": tuple(sampling["stop"])}))})


def settings_of(fact: RunFact) -> Settings:
    """How the first slot of a logged run answered, whether its model is still there or not. Raises InputError."""
    if not fact.slots:
        sampling = Sampling(
            temperature=fact.temperature, top_p=fact.top_p, max_tokens=fact.max_tokens, seed=fact.seed
        )  # fmt: skip
        return Settings(system=fact.system, sampling=sampling, context_tokens=fact.context_tokens)
    try:
        found = json.loads(fact.slots[0])
        return _settings({name: value for name, value in found.items() if name not in ("endpoint", "model")})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError("the settings of this run cannot be read: ask anew.") from error


def with_seed(settings: Settings, seed: int) -> Settings:
    """The same with another seed."""
    return replace(settings, sampling=replace(settings.sampling, seed=seed))


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: an argument of a command line may hold any bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_text(text: str) -> str:
    return f"holds bytes that are no text: {ascii(text[:60])}. Write it in UTF-8."


def now() -> str:
    """The time as facts write it: so fine that two facts written one after the other keep their order."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
