"""What goes wrong inside a worker: it says so, ends in time, and the next prompt is served as if nothing had been."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import llama_cpp
import pytest

from llmcompare.engines.base import Done, Failed, Message, Request, Sampling, Started
from llmcompare.engines.template import written
from llmcompare.errors import ModelRefusedError
from tests.engines.events import start_of, text_of
from tests.tiny_models import write_tiny

TINY_CONTEXT = 256
BAD = "{% if messages[0]['content'] == 'bad' %}"
PLAIN = "{% endif %}{{ messages[0]['content'] }}"


def asked(text="why is the sky blue", **sampling):
    return Request(messages=(Message(role="user", content=text),), sampling=Sampling(**({"max_tokens": 6} | sampling)))


def last_of(engine, request):
    return list(engine.stream(request))[-1]


@pytest.fixture
def tiny(load, tmp_path):
    """Loads a tiny model with this chat template."""

    def load_tiny(name="tiny.gguf", *, context_tokens=TINY_CONTEXT, **options):
        return load(write_tiny(tmp_path / name, "llama", **options), context_tokens=context_tokens)

    return load_tiny


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{{ raise_exception('no system role') }}", "no system role"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "longer than 2 s"),
        ("{{ messages[0]['content'] * 2000000000 }}", "MemoryError"),
        ("{{ messages[0]['content'] * 20000000 }}", "60,000,003 characters"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "recursion"),
    ],
    ids=["raises", "loops", "gigantic", "too long to tokenize", "recursive"],
)
def test_a_chat_template_that_misbehaves_is_refused_in_time_and_the_worker_serves_on(tiny, body, reason):
    engine = tiny(chat_template=BAD + body + PLAIN)
    began = time.monotonic()
    failed = last_of(engine, asked("bad"))
    assert time.monotonic() - began < 15
    assert isinstance(failed, Failed)
    assert reason in failed.error
    assert not failed.crashed
    assert last_of(engine, asked()).reason in ("length", "end")


ATTACKS = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.system('touch MARK') }}",
    "{{ lipsum.__globals__['os'].system('touch MARK') }}",
    "{{ raise_exception.__globals__ }}",
    "{{ strftime_now.__func__.__globals__ }}",
    "{{ (lipsum|attr('__globals__'))['os'].system('touch MARK') }}",
    "{{ '{0.__class__}'.format(messages) }}",
    "{{ ('{0.__class__}'|attr('format'))(messages) }}",
    "{{ messages.append(messages[0]) }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os.system('touch MARK') }}",
]
"""What templates of strangers try: to reach Python, the shell, files, and the messages that others see."""


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_chat_template_that_reaches_for_more_than_its_messages_gets_nothing(tiny, tmp_path, attack):
    mark = tmp_path / "mark"
    engine = tiny(chat_template=BAD + attack.replace("MARK", str(mark)) + "x" + PLAIN)
    events = list(engine.stream(asked("bad")))
    # Refused, or read as nothing: Jinja shows some of what it does not give out as an empty text.
    shown = [event.prompt_text for event in events if isinstance(event, Started)]
    assert shown in ([], ["xbad"])
    assert isinstance(events[-1], Done) if shown else "the chat template fails on these messages" in events[-1].error
    assert not mark.exists()
    assert isinstance(last_of(engine, asked()), Done)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_example_of_a_template_that_attacks_gets_nothing_either(tmp_path, attack):
    mark = tmp_path / "mark"
    messages = [{"role": "user", "content": "bad"}]
    found = written(attack.replace("MARK", str(mark)) + "x", messages, bos="", eos="")
    assert found.text in (None, "x")
    assert (found.problem is None) == (found.text is not None)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("body", "reason"),
    [("{{ 'a' * 3000000000 }}", "MemoryError"), ("{% set n = 7 ** 40000000%}{{ n }}", "longer than 2 s")],
    ids=["gigantic", "slow"],
)
def test_constants_of_a_chat_template_are_computed_within_the_same_limits(tiny, body, reason):
    # Jinja computes them while it reads the template, and swallows every ordinary exception of that.
    began = time.monotonic()
    try:
        said = last_of(tiny(chat_template=body), asked()).error
    except ModelRefusedError as refusal:
        said = str(refusal)
    assert time.monotonic() - began < 15
    assert reason in said


def test_a_prompt_stopped_in_the_middle_of_a_chunk_leaves_nothing_behind(load):
    engine = load()
    request = asked("The sky is blue because of scattering. " * 40, max_tokens=8)
    stream = engine.stream(request)
    start_of(stream)
    time.sleep(0.3)
    stream.close()
    events = list(engine.stream(request))
    assert start_of(events).prompt_tokens > 250
    assert start_of(events).reused_tokens == 0
    assert text_of(events) == text_of(load().stream(request)) != ""


def test_an_unforeseen_exception_fails_the_reply_with_its_name_and_the_worker_serves_on(tiny):
    engine = tiny()
    before = text_of(engine.stream(asked()))
    failed = last_of(engine, asked(grammar='root ::= "\ud800"'))
    assert isinstance(failed, Failed)
    assert "UnicodeEncodeError" in failed.error
    assert not failed.crashed
    assert text_of(engine.stream(asked())) == before != ""


def test_a_prompt_with_half_a_character_is_refused(tiny):
    engine = tiny()
    failed = last_of(engine, asked("half of a pair: \ud83d"))
    assert "the prompt is no text" in failed.error
    assert not failed.crashed
    assert isinstance(last_of(engine, asked()), Done)


def test_a_file_whose_name_is_not_utf_8_is_loaded(tiny):
    assert isinstance(last_of(tiny(os.fsdecode(b"caf\xe9.gguf")), asked()), Done)


@pytest.mark.parametrize(
    ("bound", "says"),
    [
        ({"grammar": 'root ::= "\\x00"'}, "no token that the grammar allows next"),
        ({"json_schema": '{"const": "\\u0000"}'}, "no token that the JSON schema allows next"),
        (
            {"json_schema": '{"type": "string", "pattern": "^ab\\\\u0000$"}'},
            "no token that the JSON schema allows next",
        ),
        ({"json_schema": '{"$ref": "#"}'}, "write out what its $ref stand for"),
        ({"json_schema": '{"$ref": "https://elsewhere.example/s.json"}'}, "write out what its $ref stand for"),
        ({"json_schema": json.dumps({"properties": {f"p{n}": {} for n in range(4_000)}})}, "cannot be made a grammar"),
    ],
    ids=["grammar", "const", "in the middle", "itself", "elsewhere", "thousands of properties"],
)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_schema_that_no_reply_can_satisfy_ends_with_a_sentence_and_the_worker_serves_on(
    tiny, bound, says, temperature
):
    engine = tiny()
    failed = last_of(engine, asked(**bound, temperature=temperature, max_tokens=60))
    assert isinstance(failed, Failed)
    assert says in failed.error
    assert not failed.crashed
    assert isinstance(last_of(engine, asked()), Done)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 1_000_000},
        {"type": "array", "minItems": 1_000, "items": {"type": "array", "minItems": 1_000}},
        {"type": "string", "pattern": "^(a{1000}){1000}$"},
    ],
    ids=["a long string", "many parts", "many letters"],
)
def test_a_schema_whose_replies_never_end_ends_at_the_token_limit(tiny, schema):
    done = last_of(tiny(), asked(json_schema=json.dumps(schema), max_tokens=30))
    assert isinstance(done, Done)
    assert (done.reason, done.measured.generated_tokens) == ("length", 30)


def test_a_reply_bound_by_a_grammar_is_what_the_library_gives(load, demo_model):
    grammar = 'root ::= "The " [a-z ]+ "." [a-zA-Z ]* "."'
    ours = text_of(load().stream(asked("Why is the sky blue?", grammar=grammar, max_tokens=24)))
    library = llama_cpp.Llama(str(demo_model), n_ctx=1024, n_threads=1, verbose=False)
    try:
        theirs = library.create_chat_completion(
            [{"role": "user", "content": "Why is the sky blue?"}], max_tokens=24, temperature=0,
            grammar=llama_cpp.LlamaGrammar.from_string(grammar, verbose=False),
        )  # fmt: skip
    finally:
        library.close()
    assert ours == theirs["choices"][0]["message"]["content"] != ""


def test_a_repeat_penalty_gives_what_the_library_gives(load, demo_model):
    # A worker of its own: what a cached prefix was computed together with moves the last digits of its numbers.
    engine = load()
    ours = text_of(engine.stream(asked("Why is the sky blue?", repeat_penalty=1.3, max_tokens=24)))
    without = text_of(engine.stream(asked("Why is the sky blue?", max_tokens=24)))
    library = llama_cpp.Llama(str(demo_model), n_ctx=1024, n_threads=1, verbose=False)
    try:
        theirs = library.create_chat_completion(
            [{"role": "user", "content": "Why is the sky blue?"}], max_tokens=24, temperature=0, repeat_penalty=1.3
        )
    finally:
        library.close()
    assert ours == theirs["choices"][0]["message"]["content"] != without


def test_the_same_seed_gives_the_same_text_whether_or_not_the_prefix_is_cached(shared_engine):
    request = asked("Why is the sky blue?", temperature=1.0, seed=3, max_tokens=16)
    list(shared_engine.stream(asked("Why is grass green?", max_tokens=1)))
    first, again = list(shared_engine.stream(request)), list(shared_engine.stream(request))
    assert start_of(first).reused_tokens < start_of(again).reused_tokens == start_of(again).prompt_tokens - 1
    assert text_of(first) == text_of(again) != ""


def test_the_context_is_reported_as_llama_cpp_made_it_not_as_it_was_asked_for(tiny):
    # llama.cpp rounds up to a multiple of 256.
    engine = tiny(context_tokens=300)
    assert engine.facts.context_tokens == 512
    events = list(engine.stream(asked("the sky is blue " * 60, max_tokens=1000)))
    assert start_of(events).prompt_tokens > 300 - 64
    assert events[-1].measured.context_tokens == 512
    assert start_of(events).prompt_tokens + events[-1].measured.generated_tokens <= 512


@pytest.fixture
def raw_worker(project):
    """The program itself, with nobody between its pipes and the test."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "llmcompare.engines.worker"],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with worker:
        yield worker
        worker.kill()


def commands(path: Path, *others):
    load = {"do": "load", "path": str(path), "context": TINY_CONTEXT, "threads": 1, "gpu_layers": 0}
    return "".join(json.dumps(command) + "\n" for command in (load, *others))


def test_a_reply_cancelled_before_its_prompt_began_ends_without_a_token(raw_worker, tmp_path):
    sampling = {"temperature": 0, "repeat_penalty": 1.0, "grammar": None, "stop": [], "max_tokens": 4}
    generate = {"do": "generate", "id": "a", "messages": [{"role": "user", "content": "why"}], "sampling": sampling}
    # Stop is heard while the model still loads.
    path = write_tiny(tmp_path / "tiny.gguf")
    raw_worker.stdin.write(commands(path, generate, {"do": "stop", "id": "a"}, generate | {"id": "b"}))
    raw_worker.stdin.flush()
    events = []
    while sum(event["event"] == "done" for event in events) < 2:
        if line := raw_worker.stdout.readline().strip():
            events.append(json.loads(line))
    done = [event for event in events if event["event"] == "done"]
    assert [event["event"] for event in events[:3]] == ["loaded", "started", "done"]
    assert done[0]["reason"] == "cancelled"
    assert done[0]["measured"]["generated_tokens"] == 0
    assert done[0]["measured"]["ttft_ms"] is None
    assert done[1]["reason"] == "length"


def test_a_worker_whose_parent_died_in_the_middle_of_a_command_ends(raw_worker, tmp_path):
    raw_worker.stdin.write(commands(write_tiny(tmp_path / "tiny.gguf")) + '{"do": "generate", "id"')
    raw_worker.stdin.close()
    raw_worker.wait(timeout=60)
