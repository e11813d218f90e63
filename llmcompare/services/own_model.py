"""Which model of the catalogue a slot of a run asked, or a file holds: by its name at its server or as a file."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from llmcompare.core.facts import RunFact
from llmcompare.core.records import Model
from llmcompare.engines.endpoints import preset
from llmcompare.errors import InputError
from llmcompare.models.library import LocalModel, display_name
from llmcompare.services.catalogue import Facts

FORMAT = re.compile(r"[-._](?:ud-)?(?:i?q\d\w*|tq\d\w*|b?f16|fp16|f32|mxfp4\w*)$", re.IGNORECASE)
"""At the end of a file's name: the format of its weights."""
MADE_HERE = re.compile(r"-from-[A-Z0-9_]+$")
FORMER_PREFIX = "meta-"
"""Of Llama's repositories until version 3.2, where their files still carry it."""


def model_asked(facts: Facts, run: RunFact, slot: int) -> Model | None:
    """The model of a slot; None where the catalogue has none of exactly that name."""
    asked = json.loads(run.slots[slot]) if run.slots else {}
    if endpoint := asked.get("endpoint"):
        return _of_listing(facts, endpoint) or _named(facts, endpoint["model"])
    return model_of_file(facts, asked.get("model") or run.models[slot])


def model_of_file(facts: Facts, file_name: str) -> Model | None:
    """The model whose weights a file holds, by its name; None where the catalogue has none of exactly that name."""
    name = MADE_HERE.sub("", display_name(Path(file_name)))
    return _named(facts, name) or _named(facts, FORMAT.sub("", name))


def file_of(facts: Facts, model_id: str, files: Sequence[LocalModel]) -> LocalModel | None:
    """The first of these files that holds a model of the catalogue."""
    of_model = (one for one in files if (found := model_of_file(facts, one.path.name)) and found.model_id == model_id)
    return next(of_model, None)


def name_asked(run: RunFact, slot: int) -> str:
    """The name that was looked for."""
    endpoint = json.loads(run.slots[slot]).get("endpoint") if run.slots else None
    return str(endpoint["model"]) if endpoint else run.models[slot]


def _of_listing(facts: Facts, endpoint: dict[str, str]) -> Model | None:
    """As the price list has it, for a provider at its own address."""
    try:
        provider = preset(endpoint["preset_id"]).provider
    except InputError:
        return None
    ids = [
        offer.model_id
        for offer in facts.api_offers
        if provider is not None and offer.offer_id == f"{provider}/{endpoint['model']}"
    ]
    return facts.models.get(ids[0] or "") if ids else None


def _named(facts: Facts, name: str) -> Model | None:
    """By id, alias or repository, or by the last part of a repository."""
    known, last = _names(facts), name.lower().rsplit("/", 1)[-1]
    found = known.get(name.lower()) or known.get(last) or known.get(last.removeprefix(FORMER_PREFIX))
    return None if found is None else facts.models[found]


@lru_cache(maxsize=2)
def _names(facts: Facts) -> dict[str, str]:
    last = {name.lower().rsplit("/", 1)[-1]: model_id for name, model_id in facts.names.items()}
    return last | {name.lower(): model_id for name, model_id in facts.names.items()}
