"""What else comes through the pipes of a worker: words of libraries, lines without an end, lines that were cut off.

The noise is made inside the real worker, by a module that Python loads at its start.
"""

import textwrap

import pytest

from llmcompare.engines.base import Done, Failed, Message, Request, Sampling, Token
from tests.tiny_models import write_tiny

REQUEST = Request(messages=(Message(role="user", content="why is the sky blue"),), sampling=Sampling(max_tokens=12))
AT_A_QUESTION = """
import json
read = json.loads
def loads(text, *more, **options):
    found = read(text, *more, **options)
    if isinstance(found, dict) and found.get("do") == "generate":
        end()
    return found
json.loads = loads
"""
"""The first command loads the model, the second one asks it."""


@pytest.fixture
def noisy(load, tmp_path, monkeypatch):
    """Loads the tiny model in a worker that runs these lines first."""

    def load_noisy(*parts):
        folder = tmp_path / "at_start"
        folder.mkdir()
        # Of the worker alone: other programs of Python start with the same environment.
        begin = "import os, signal, sys, threading, time\nif 'llmcompare.engines.worker' in sys.orig_argv:\n"
        (folder / "sitecustomize.py").write_text(
            begin + "".join(textwrap.indent(textwrap.dedent(part), "    ") for part in parts)
        )
        monkeypatch.setenv("PYTHONPATH", str(folder))
        return load(write_tiny(tmp_path / "tiny.gguf"), context_tokens=256)

    return load_noisy


def reply(engine):
    events = list(engine.stream(REQUEST))
    return "".join(event.text for event in events if isinstance(event, Token)), events[-1]


@pytest.fixture
def quiet_text(load, tmp_path):
    return reply(load(write_tiny(tmp_path / "quiet.gguf"), context_tokens=256))[0]


@pytest.mark.parametrize(
    "lines",
    [
        """
        os.write(1, b"ggml_init: found 1 device\\n[1, 2]\\n5\\n\\n\\xff\\xfe\\n{\\n")
        """,
        """
        os.write(1, b"loading 100%, and no end of the line")
        """,
        """
        os.write(2, b"x" * 3_000_000 + b"\\n" + b"y" * 3_000_000)
        """,
        """
        def print_on():
            while True:
                os.write(1, b"a library prints\\n")
                time.sleep(0.001)
        threading.Thread(target=print_on, daemon=True).start()
        """,
    ],
    ids=["lines at the start", "a line without an end", "megabytes of errors", "a library that never stops"],
)
def test_what_a_library_prints_disturbs_no_reply(noisy, quiet_text, lines):
    text, last = reply(noisy(lines))
    assert isinstance(last, Done)
    assert text == quiet_text != ""


CUT_LINES = """
pipe = os.dup(1)
def cut():
    while True:
        os.write(pipe, LINE)
        time.sleep(0.001)
threading.Thread(target=cut, daemon=True).start()
"""


def test_lines_that_were_cut_off_are_left_out_and_the_others_count(noisy, quiet_text):
    cut = b'\n{"event": "token", "te\n{"event": 5}\n["event"]\n'
    text, last = reply(noisy(CUT_LINES.replace("LINE", repr(cut))))
    assert isinstance(last, Done)
    assert text == quiet_text != ""


def test_half_a_line_of_a_worker_that_was_killed_is_no_part_of_the_reason(noisy):
    engine = noisy(
        """
        pipe = os.dup(1)
        def end():
            os.write(pipe, b'\\n{"event": "token", "text": "half of')
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        AT_A_QUESTION,
    )
    _, last = reply(engine)
    assert isinstance(last, Failed)
    assert last.crashed
    assert "signal 9" in last.error
    assert "half of" not in last.error


def test_the_last_words_of_a_worker_are_its_reason_though_they_are_long_and_many(noisy):
    engine = noisy(
        """
        def end():
            os.write(2, b"many words\\n" * 50_000 + b"the reason " + b"z" * 100_000)
            os._exit(3)
        """,
        AT_A_QUESTION,
    )
    _, last = reply(engine)
    assert last.error.startswith("the worker process ended with code 3: the reason zzz")
    assert len(last.error) < 1_000


def test_an_abort_of_llama_cpp_ends_with_its_own_reason_not_with_that_of_a_debugger(noisy):
    engine = noisy(
        """
        def end():
            import ctypes, llama_cpp, pathlib
            library, *_ = sorted((pathlib.Path(llama_cpp.__file__).parent / "lib").glob("libggml-base.*"))
            ctypes.CDLL(str(library)).ggml_abort(b"ggml.c", 1, b"the tensors do not match")
        """,
        AT_A_QUESTION,
    )
    _, last = reply(engine)
    assert isinstance(last, Failed)
    assert last.crashed
    assert "signal 6: " in last.error
    assert last.error.endswith("the tensors do not match")
