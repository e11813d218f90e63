"""JSON schemas: what is refused before it is asked for, and what is said of a reply that does not follow one."""

import json
import re

import pytest

from llmcompare.errors import InputError
from llmcompare.services.structured import checked_schema, verdict

COLOUR = json.dumps({"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{colour}", "the JSON schema is no JSON: .* at line 1, column 2"),
        ("5", "the JSON schema is '5'"),
        ('{"type": "strange"}', "the JSON schema is wrong at .*'strange' is not valid"),
        ('{"$ref": "http://elsewhere.example/schema.json"}', "refers to 'http://elsewhere.example/schema.json'"),
        ("false", "no reply can follow the JSON schema: the reply is forbidden"),
        ('{"enum": []}', "has no value to choose from"),
        ('{"type": "integer", "minimum": 5, "maximum": 3}', "minimum 5 is above maximum 3"),
        (
            '{"type": "object", "properties": {"a": {"minLength": 2, "maxLength": 1}}, "required": ["a"]}',
            "minLength 2 is above maxLength 1 for 'a'",
        ),
        ("[" * 100_000, "the JSON schema"),
        ("{" + " " * 200_000 + "}", "has 200,002 characters"),
    ],
)
def test_a_schema_that_cannot_be_asked_for_is_refused_with_the_reason(text, says):
    with pytest.raises(InputError, match=says):
        checked_schema(text)


def test_no_text_is_no_schema_and_what_is_optional_may_be_impossible():
    assert checked_schema("  ") is None
    assert checked_schema('{"properties": {"a": false}}') is not None


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("The sky is blue.", "the reply is no JSON"),
        ('{"colour": "bl', "the reply is no JSON"),
        ('{"colour": 5}', r"does not follow the schema at \$.colour: 5 is not of type 'string'"),
        ("{}", "'colour' is a required property"),
    ],
)
def test_a_reply_that_does_not_follow_the_schema_is_told_where(reply, says):
    problem = verdict(reply, COLOUR).problem
    assert problem is not None
    assert re.search(says, problem)


def test_thinking_before_the_json_does_not_count():
    found = verdict('<think>blue?</think>{"colour": "blue"}', COLOUR)
    assert found.problem is None
    assert found.value == {"colour": "blue"}
