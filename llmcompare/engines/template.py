"""Writes a conversation as the chat template of a model writes it: in a child process, with its time and memory held.

A template is a program from a file of anybody, so it never runs in the process that asks.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from llmcompare.engines.child_process import RefusedError, template_limits

SHOWN_LIMIT = 20_000
"""Characters; a template may write without end."""
WAIT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A conversation after the template, or why there is none."""

    text: str | None
    problem: str | None


def written(
    template: str, messages: list[dict[str, str]], *, bos: str, eos: str, asks_for_reply: bool = True
) -> Written:
    """The text that the model would read."""
    asked = {"template": template, "messages": messages, "bos": bos, "eos": eos, "asks_for_reply": asks_for_reply}
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "llmcompare.engines.template"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=WAIT_S,
            check=False,
            cwd=Path(__file__).resolve().parents[2],
        )
        return Written(**json.loads(ran.stdout))
    except subprocess.TimeoutExpired:
        return Written(text=None, problem=f"the chat template did not end within {WAIT_S:.0f} s.")
    except OSError as error:
        return Written(text=None, problem=f"the program that writes it cannot be started ({error.strerror}).")
    except (ValueError, TypeError):
        return Written(text=None, problem=f"the program that writes it ended with code {ran.returncode}.")


def main() -> None:
    """Entry of the child: a question as JSON on standard input, the answer on standard output."""
    asked = json.load(sys.stdin)
    try:
        with template_limits("the chat template fails on these messages"):
            text, problem = _render(asked), None
    except RefusedError as refusal:
        text, problem = None, str(refusal)
    json.dump({"text": text, "problem": problem}, sys.stdout)


def _render(asked: dict[str, Any]) -> str:
    # Here: the parent must not wait for it, nor load it.
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = _to_json
    template = environment.from_string(asked["template"])
    written_out: list[str] = []
    length = 0
    for piece in template.generate(
        messages=asked["messages"],
        bos_token=asked["bos"],
        eos_token=asked["eos"],
        add_generation_prompt=asked["asks_for_reply"],
        raise_exception=_raise,
        strftime_now=lambda pattern: datetime.now().strftime(pattern),
    ):
        written_out.append(piece)
        length += len(piece)
        if length > SHOWN_LIMIT:
            raise RefusedError(f"the chat template writes more than {SHOWN_LIMIT:,} characters for an example.")
    return "".join(written_out)


def _to_json(value: object, indent: int | None = None, **_: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> None:
    raise ValueError(message)


if __name__ == "__main__":
    main()
