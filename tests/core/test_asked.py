"""What a run asked of its slots, in words."""

import json

from llmcompare.core.asked import asked
from llmcompare.core.facts import RunFact

SAMPLING = {
    "temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0, "seed": 0, "max_tokens": 48,
    "stop": [], "grammar": None, "json_schema": None,
}  # fmt: skip
HERE = {"model": "a.gguf", "system": None, "sampling": SAMPLING, "context_tokens": 4096, "gpu_layers": None}
THERE = HERE | {"endpoint": {"preset_id": "vllm", "base_url": "http://h/v1", "model": "b"}}
PLAIN = "temperature 0, top-p 1, at most 48 tokens"


def run(*slots):
    return RunFact(
        run_id="r", person=None, asked_at="", prompt="Why?", system=None, scheduling="in-turn", temperature=0.0,
        top_p=1.0, max_tokens=48, seed=0, context_tokens=4096, models=("a",) * max(1, len(slots)),
        slots=tuple(map(json.dumps, slots)) or None,
    )  # fmt: skip


def test_the_same_settings_are_said_once_also_where_a_server_has_its_own_context():
    assert asked(run(HERE, THERE)).common == f"{PLAIN}, 4,096 tokens of context"
    assert asked(run(THERE, THERE)).common == PLAIN
    assert asked(run()).common == f"{PLAIN}, 4,096 tokens of context"


def test_settings_of_a_slot_that_differ_are_said_of_each():
    own = {"temperature": 0.8, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "repeat_penalty": 1.1, "seed": 7}
    other = HERE | {
        "system": "Answer like a pirate.", "context_tokens": 2048, "gpu_layers": 0,
        "sampling": SAMPLING | own | {"max_tokens": 40, "stop": ["zzz", "\n\n"], "json_schema": "{}"},
    }  # fmt: skip
    found = asked(run(other, THERE))
    assert found.common is None
    assert found.own == (
        "system prompt “Answer like a pirate.”, temperature 0.8, top-p 0.9, top-k 40, min-p 0.05, repeat penalty 1.1, "
        "at most 40 tokens, seed 7, until 'zzz' or '\\n\\n', JSON after a schema, 2,048 tokens of context, at most 0 "
        "layers on the GPU",
        PLAIN,
    )
