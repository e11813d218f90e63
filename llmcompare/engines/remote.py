"""A model on a server that speaks OpenAI's protocol: streamed, measured by our own clock, cancelled by closing."""

import json
import time
from collections.abc import Generator, Iterator
from contextlib import closing

from llmcompare.engines.base import (
    HEARTBEAT_S,
    LONGEST_TOKEN_CHARACTERS,
    Event,
    Failed,
    Request,
    Started,
    Tick,
    Token,
    Waiting,
)
from llmcompare.engines.endpoints import Endpoint, is_private, key_for
from llmcompare.engines.http_stream import Closed, Line, Sent, StreamedAnswer
from llmcompare.engines.openai_reply import LONGEST_QUOTE, ChunkReader, body_of, error_text
from llmcompare.engines.recount import Recount
from llmcompare.engines.sse import EventLines, ServerEvent
from llmcompare.engines.untrusted import parsed
from llmcompare.errors import EndpointError, InputError

CONNECT_LIMIT_S = 10.0
SILENCE_LIMIT_S = 120.0
"""A server may load a model or have a queue before the first token."""
CONNECT_LIMITS = 3
"""Looking a name up has no limit of its own, and each address of a name has one."""
KEEP_ALIVE_LIMITS = 10
"""Times the limit of silence: so long a server may send nothing but signs of life."""
END = "[DONE]"
_BROKEN_OFF = "the connection broke off in the middle of the reply."
_CLOSED_AT_ONCE = (
    "the server closed the connection before any text: a prompt that is longer than its context ends like that on some "
    "servers, its own log says why."
)


class RemoteEngine:
    """One model of one endpoint. Several threads may ask at once; the server decides who waits."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        silence_limit_s: float = SILENCE_LIMIT_S,
        connect_limit_s: float = CONNECT_LIMIT_S,
    ) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._silence_limit_s = silence_limit_s
        self._connect_limit_s = connect_limit_s

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """Events of one reply; see base.Engine. Whatever goes wrong is a Failed with a sentence."""
        key = None
        try:
            key = self._key()
            body = body_of(request, model=self._endpoint.model, dialect=self._endpoint.kind.dialect)
            yield Waiting(reason=f"connecting to {self._endpoint.address.netloc}", place=0, time_s=time.monotonic())
            limit_s = self._connect_limit_s
            answer = StreamedAnswer(self._endpoint.address, json.dumps(body), key=key, connect_limit_s=limit_s)
            with closing(answer):
                yield from self._events(answer, request, key)
        except (EndpointError, InputError) as error:
            # A server may quote the key that it refuses.
            said = str(error).replace(key, "(the key)") if key else str(error)
            hint = "" if key or "wants a key" not in said else f" Set {self._endpoint.key_variable} in the environment."
            yield Failed(error=f"{self.name}: {said}{hint}", crashed=False, time_s=time.monotonic())

    def close(self) -> None:
        """Nothing to release: each reply has a connection of its own."""

    def _key(self) -> str | None:
        key, address = key_for(self._endpoint), self._endpoint.address
        if key and address.scheme == "http" and not is_private(address.hostname or ""):
            raise EndpointError(f"the key would be sent to {address.hostname} for everybody to read: use https://.")
        return key

    def _events(self, answer: StreamedAnswer, request: Request, key: str | None) -> Iterator[Event]:
        heard_s, written = time.monotonic(), ""
        while not isinstance(sent := answer.next(HEARTBEAT_S), Sent):
            if time.monotonic() - heard_s > CONNECT_LIMITS * self._connect_limit_s:
                where = self._endpoint.address.netloc
                raise EndpointError(f"{where} cannot be reached: no connection came about, check the address.")
            yield Tick(time_s=heard_s)
        yield Started(prompt_text=None, prompt_tokens=None, reused_tokens=None, time_s=sent.time_s)
        reader, lines, heard_s = ChunkReader(sent_s=sent.time_s), EventLines(), sent.time_s
        is_over, event_s = False, sent.time_s
        while not is_over:
            match answer.next(HEARTBEAT_S):
                case Line(text=text, time_s=heard_s):
                    event = lines.push(text)
                case Closed(time_s=heard_s):
                    event, is_over = lines.finish(), True
                case _:
                    event, is_over = None, self._has_gone_silent(reader, since_s=heard_s)
                    # Not now: a token that came before now may still be on its way.
                    yield Tick(time_s=heard_s)
            event_s = heard_s if event is not None else event_s
            if heard_s - event_s > KEEP_ALIVE_LIMITS * self._silence_limit_s:
                raise EndpointError("the server sends signs of life and no reply: it was given up.")
            is_over = is_over or (event is not None and event.data == END)
            token = None if event is None or event.data == END else _token(reader, event, heard_s)
            if token is not None:
                written += token.text
                yield token
            if len(written) > LONGEST_TOKEN_CHARACTERS * request.sampling.max_tokens:
                raise EndpointError(
                    f"the server writes on after {request.sampling.max_tokens:,} tokens: it was cut off."
                )
        if reader.finish is None:
            raise EndpointError(_BROKEN_OFF if reader.has_begun else _CLOSED_AT_ONCE)
        yield from self._counted(reader, request, written, key)
        yield reader.done(server=self._endpoint.kind.name, time_s=time.monotonic())

    def _counted(self, reader: ChunkReader, request: Request, text: str, key: str | None) -> Iterator[Event]:
        if reader.has_counts or not self._endpoint.kind.dialect.counts_afterwards:
            return
        asked = Recount(self._endpoint, request, text, key=key)
        for _ in asked.wait(HEARTBEAT_S, limit_s=self._silence_limit_s):
            yield Tick(time_s=time.monotonic())
        if None not in asked.found:
            reader.note_counts(**asked.found._asdict())

    def _has_gone_silent(self, reader: ChunkReader, *, since_s: float) -> bool:
        """Whether the reply is over although the server keeps the connection. Raises EndpointError when it is not."""
        if time.monotonic() - since_s < self._silence_limit_s:
            return False
        if reader.finish is None:
            raise EndpointError(f"nothing was heard for {self._silence_limit_s:g} s: the reply was given up.")
        return True


def _token(reader: ChunkReader, event: ServerEvent, time_s: float) -> Token | None:
    """The text of an event. Raises EndpointError for one that is none."""
    try:
        chunk = parsed(event.data)
    except ValueError as error:
        raise EndpointError(f"the server sent what is no JSON: {event.data[:LONGEST_QUOTE]!r}") from error
    if event.kind == "error":
        raise EndpointError(f"the server broke the reply off with an error: {error_text({'error': chunk})}")
    if not isinstance(chunk, dict):
        raise EndpointError(f"the server sent what is no part of a reply: {event.data[:LONGEST_QUOTE]!r}")
    return reader.take(chunk, time_s)
