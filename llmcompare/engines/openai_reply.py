"""One reply in OpenAI's protocol: what is asked, what its chunks say, and what follows from them. No network."""

import json
from typing import Any

from llmcompare.engines.base import Done, Measured, Request, Token
from llmcompare.engines.endpoints import Dialect
from llmcompare.engines.untrusted import as_count, as_dict, as_rate, as_text, parsed
from llmcompare.errors import EndpointError

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
ENDED = {"stop", "eos", "eos_token", "end_turn"}
LONGEST_QUOTE = 300
CANNOT_GO_ON = (
    "this kind of server is not known to go on with a reply: it would begin a new one. Ask again with more tokens."
)


def body_of(request: Request, *, model: str, dialect: Dialect) -> dict[str, Any]:
    """The request as JSON. Raises EndpointError for what this kind of server cannot be asked."""
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": messages_of(request),
        "stream": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        dialect.seed: sampling.seed,
    }
    if dialect.usage_on_request:
        body["stream_options"] = {"include_usage": True}
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    body |= _beyond(request, dialect)
    if request.messages and request.messages[-1].role == "assistant":
        if dialect.continues is None:
            raise EndpointError(CANNOT_GO_ON)
        body |= dict(dialect.continues)
    if sampling.grammar is not None:
        raise EndpointError("a grammar cannot be sent to an endpoint: give a JSON schema instead.")
    if sampling.json_schema is not None:
        body["response_format"] = _response_format(sampling.json_schema, dialect)
    return body


def messages_of(request: Request) -> list[dict[str, str]]:
    """The conversation, as the protocol has it."""
    return [{"role": message.role, "content": message.content} for message in request.messages]


def _beyond(request: Request, dialect: Dialect) -> dict[str, Any]:
    """Settings beyond OpenAI's protocol. Sent even where they change nothing: a server's own defaults would."""
    sampling = request.sampling
    top_k = sampling.top_k or dialect.keep_all_top_k
    asked = (
        ("top-k", dialect.top_k, top_k, sampling.top_k != 0),
        ("min-p", dialect.min_p, sampling.min_p, sampling.min_p != 0),
        ("the repeat penalty", dialect.repeat_penalty, sampling.repeat_penalty, sampling.repeat_penalty != 1),
    )
    body = {}
    for words, name, value, matters in asked:
        if name is not None:
            body[name] = value
        elif matters:
            raise EndpointError(f"this kind of server is not known to take {words}: leave it at its default here.")
    return body


def _response_format(written: str, dialect: Dialect) -> dict[str, Any]:
    try:
        schema = parsed(written)
    except ValueError as error:
        raise EndpointError(f"the JSON schema is no JSON ({error}): correct it.") from error
    if dialect.schema == "json_object":
        return {"type": "json_object", "schema": schema}
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}


class ChunkReader:
    """Takes the chunks of a stream in their order. Its clock runs from the first to the last chunk with text."""

    def __init__(self, *, sent_s: float) -> None:
        self.finish: str | None = None
        """Why the server says that the reply has ended."""
        self._sent_s = sent_s
        self._first_s: float | None = None
        self._last_s = sent_s
        self._thinking = False
        self._matched_stop = False
        self._usage: dict[str, Any] = {}
        self._recounted: bool | None = None
        self._timings: dict[str, Any] = {}
        self._fingerprint = ""

    @property
    def has_begun(self) -> bool:
        """Whether there was any text."""
        return self._first_s is not None

    @property
    def has_counts(self) -> bool:
        """Whether the server said how many tokens there were."""
        return bool(self._usage)

    def note_counts(self, *, prompt_tokens: int | None, generated_tokens: int | None) -> None:
        """What the server said when it was asked afterwards."""
        self._usage = {"prompt_tokens": prompt_tokens, "completion_tokens": generated_tokens}
        self._recounted = True

    def take(self, chunk: dict[str, Any], time_s: float) -> Token | None:
        """New text of a chunk. Raises EndpointError for a chunk that is an error."""
        _raise_error(chunk)
        self._usage = as_dict(chunk.get("usage")) or self._usage
        self._timings = as_dict(chunk.get("timings")) or self._timings
        self._fingerprint = as_text(chunk.get("system_fingerprint")) or self._fingerprint
        text = ""
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            choice = as_dict(choice)
            _raise_error(choice)
            text += self._text(as_dict(choice.get("delta")))
            self._note_finish(choice)
        if not text:
            return None
        self._first_s = time_s if self._first_s is None else self._first_s
        self._last_s = time_s
        return Token(
            text=text, generated_tokens=as_count(as_dict(chunk.get("usage")).get("completion_tokens")), time_s=time_s
        )

    def _text(self, delta: dict[str, Any]) -> str:
        # Thinking comes as a field of its own from some servers and between marks from others: from here on, as marks.
        thought = as_text(delta.get("reasoning_content")) or as_text(delta.get("reasoning"))
        answer = as_text(delta.get("content"))
        text = ""
        if thought:
            text += thought if self._thinking else THINK_OPEN + thought
            self._thinking = True
        if answer:
            text += (THINK_CLOSE if self._thinking else "") + answer
            self._thinking = False
        return text

    def _note_finish(self, choice: dict[str, Any]) -> None:
        if (finish := choice.get("finish_reason")) is not None:
            self.finish = str(finish)
            # vLLM and SGLang tell which stop string it was; others do not tell it from the end of the reply.
            self._matched_stop = any(isinstance(choice.get(name), str) for name in ("stop_reason", "matched_stop"))

    def done(self, *, server: str, time_s: float) -> Done:
        """The end of the reply. Raises EndpointError for a reason that is none."""
        reason = "length" if self.finish == "length" else "end" if self.finish in ENDED else None
        if reason is None:
            raise EndpointError(f"the server ended the reply because of {self.finish!r}.")
        matched = reason == "end" and self._matched_stop
        measured = self._measured(server)
        return Done(reason="stop" if matched else reason, measured=measured, time_s=time_s)  # type: ignore[arg-type]

    def _measured(self, server: str) -> Measured:
        count = as_count(self._usage.get("completion_tokens"))
        span_s = self._last_s - (self._last_s if self._first_s is None else self._first_s)
        rate = (count - 1) / span_s if count is not None and count > 1 and span_s > 0 else None
        cached = as_dict(self._usage.get("prompt_tokens_details"))
        return Measured(
            prompt_tokens=as_count(self._usage.get("prompt_tokens")),
            reused_tokens=as_count(cached.get("cached_tokens")),
            generated_tokens=count,
            ttft_ms=None if self._first_s is None else (self._first_s - self._sent_s) * 1000,
            prompt_tokens_per_s=as_rate(self._timings.get("prompt_per_second")),
            generation_tokens_per_s=rate,
            peak_memory_bytes=None,
            threads=None,
            gpu_layers=None,
            cold=None,
            context_tokens=None,
            thinking_tokens=as_count(as_dict(self._usage.get("completion_tokens_details")).get("reasoning_tokens")),
            recounted=self._recounted,
            engine=f"{server} ({self._fingerprint})" if self._fingerprint else server,
        )


def error_text(body: Any) -> str | None:  # noqa: ANN401 whatever a server sends
    """What a server says of an error, in any of the forms that are about; None where it is none.

    >>> error_text({"error": {"message": "no room", "code": 500}}), error_text({"choices": []})
    ('no room', None)
    """
    if not isinstance(body, dict):
        return None
    is_error = body.get("object") == "error" or body.get("type") == "error"
    found = body.get("error") or body.get("detail") or (body.get("message") if is_error else None)
    if isinstance(found, dict):
        found = found.get("message") or found.get("detail") or json.dumps(found)
    return None if not found else (as_text(found) or json.dumps(found))[:LONGEST_QUOTE]


def _raise_error(body: dict[str, Any]) -> None:
    if said := error_text(body):
        raise EndpointError(f"the server broke the reply off with an error: {said}")
