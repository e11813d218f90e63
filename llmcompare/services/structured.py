"""Replies as JSON that follow a schema: the schema checked before it is asked for, the reply after it came."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from llmcompare.core.facts import ReplyFact
from llmcompare.core.thinking import parts
from llmcompare.engines.base import Sampling
from llmcompare.errors import InputError

LONGEST_SCHEMA = 100_000
BOUNDS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)
"""Of a schema: where the first is above the second, nothing fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reply is as JSON."""

    value: Any = None
    problem: str | None = None
    """Why it is no JSON, or does not follow the schema."""


def checked_schema(text: str) -> str | None:
    """The schema as it is asked for; None for an empty text. Raises InputError for one that cannot be used."""
    if not text.strip():
        return None
    if len(text) > LONGEST_SCHEMA:
        raise InputError(f"the JSON schema has {len(text):,} characters: give {LONGEST_SCHEMA:,} at most.")
    schema = _json(text, "the JSON schema")
    if not isinstance(schema, dict | bool):
        raise InputError(f'the JSON schema is {text.strip()[:60]!r}: give an object such as {{"type": "object"}}.')
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise InputError(f"the JSON schema is wrong at {_path(error)}: {error.message[:200]}.") from error
    except RecursionError as error:
        raise InputError("the JSON schema is nested too deeply: flatten it.") from error
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise InputError(f"the JSON schema refers to {reference!r}: only what begins with # is looked up.")
    if why := _impossible(schema, "the reply"):
        raise InputError(f"no reply can follow the JSON schema: {why}.")
    return json.dumps(schema, ensure_ascii=False)


def schema_file(path: Path) -> str | None:
    """The schema of a file. Raises InputError for one that cannot be read or used."""
    try:
        return checked_schema(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the JSON schema {path} cannot be read ({error}): name a text file.") from error


def as_json(reply: ReplyFact, sampling: Sampling) -> dict[str, Any]:
    """What a reply is as JSON, where a schema was asked for: nothing where none was."""
    if sampling.json_schema is None:
        return {}
    found = Verdict(problem="there is no reply") if reply.error else verdict(reply.text, sampling.json_schema)
    return {"json": found.value, "json_problem": found.problem}


def verdict(reply: str, schema: str) -> Verdict:
    """A reply, without its thinking, against the schema that it was to follow."""
    try:
        value = _json(parts(reply).answer.strip(), "the reply")
        error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(json.loads(schema)).iter_errors(value))
    except InputError as problem:
        return Verdict(problem=str(problem))
    except (RecursionError, jsonschema.exceptions._WrappedReferencingError) as problem:
        return Verdict(problem=f"the reply cannot be checked against the schema ({type(problem).__name__}).")
    if error is not None:
        return Verdict(
            value=value, problem=f"the reply does not follow the schema at {_path(error)}: {error.message[:200]}."
        )
    return Verdict(value=value)


def _json(text: str, what: str) -> Any:  # noqa: ANN401 any JSON
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{what} is no JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is no JSON that can be read ({type(error).__name__}).") from error


def _path(error: jsonschema.ValidationError) -> str:
    return str(error.json_path)


def _references(schema: Any) -> Iterator[str]:  # noqa: ANN401 any JSON
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _impossible(schema: Any, where: str) -> str | None:  # noqa: ANN401 any JSON
    """Why nothing follows a schema, where that is plain to see; None says only that it is not."""
    if schema is False or (isinstance(schema, dict) and schema.get("not") in (True, {})):
        return f"{where} is forbidden"
    if not isinstance(schema, dict):
        return None
    if schema.get("enum") == [] or schema.get("anyOf") == []:
        return f"{where} has no value to choose from"
    for low, high in BOUNDS:
        if low in schema and high in schema and schema[low] > schema[high]:
            return f"{low} {schema[low]} is above {high} {schema[high]} for {where}"
    properties = schema.get("properties", {})
    needed = [name for name in schema.get("required", []) if name in properties]
    inside = [(properties[name], f"{name!r}") for name in needed]
    inside += [(one, where) for one in schema.get("allOf", [])]
    return next((why for one, place in inside if (why := _impossible(one, place))), None)
