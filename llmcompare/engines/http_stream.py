"""One streamed answer over HTTP, read line by line in a thread of its own, so that whoever waits can stop waiting.

Every exception of sockets, TLS and HTTP becomes an EndpointError here. A redirect is not followed: it would take the
key along. HTTPS goes through the proxy of the environment, if there is one.
"""

import http.client
import queue
import socket
import ssl
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from llmcompare.core.units import counted
from llmcompare.engines.openai_reply import LONGEST_QUOTE, error_text
from llmcompare.engines.untrusted import parsed
from llmcompare.errors import EndpointError

LONGEST_ERROR_BYTES = 20_000
LONGEST_LINE_BYTES = 4_000_000
ATTEMPT_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}


@dataclass(frozen=True, slots=True)
class Sent:
    """The request is on its way."""

    time_s: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer, without its end."""

    text: str
    time_s: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The server has closed the stream."""

    time_s: float


Heard = Sent | Line | Closed


class StreamedAnswer:
    """A request that is sent at once; what is heard of it can be asked for until it is closed."""

    def __init__(self, address: SplitResult, body: str, *, key: str | None, connect_limit_s: float) -> None:
        self._address = address
        self._body = body.encode("ascii")
        self._key = key
        self._heard: queue.Queue[Heard | BaseException] = queue.Queue()
        self._closed = False
        self._connection = connection(address, connect_limit_s)
        self._socket: socket.socket | None = None
        """Of its own: the connection forgets it once an answer without a length has begun."""
        threading.Thread(target=self._ask, daemon=True).start()

    def next(self, wait_s: float) -> Heard | None:
        """What was heard next, None when it is still silent. Raises EndpointError for what is no answer."""
        try:
            heard = self._heard.get(timeout=wait_s)
        except queue.Empty:
            return None
        if isinstance(heard, BaseException):
            raise heard
        return heard

    def close(self) -> None:
        """End the connection, whatever it does: a server that is still writing stops soon."""
        self._closed = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _ask(self) -> None:
        try:
            self._exchange()
        except (OSError, http.client.HTTPException) as error:
            self._heard.put(self._translated(error))
        except BaseException as error:
            # An EndpointError, or a bug: raised where the reply is waited for.
            self._heard.put(error)
        finally:
            self._connection.close()

    def _exchange(self) -> None:
        self._connection.connect()
        self._socket = self._connection.sock
        if self._closed:
            return
        # From here on whoever waits counts the silence.
        self._socket.settimeout(None)
        self._heard.put(Sent(time.monotonic()))
        path = self._address.path.rstrip("/") + "/chat/completions"
        self._connection.request("POST", path, self._body, headers(self._key))
        with self._connection.getresponse() as response:
            self._require_stream(response)
            with suppress(http.client.IncompleteRead, ConnectionResetError):
                # What is missing then is found out by whoever knows how a reply ends.
                while line := response.readline(LONGEST_LINE_BYTES):
                    self._heard.put(Line(line.decode("utf-8", errors="replace").rstrip("\r\n"), time.monotonic()))
        self._heard.put(Closed(time.monotonic()))

    def _require_stream(self, response: http.client.HTTPResponse) -> None:
        kind = response.headers.get_content_type()
        if response.status == 200 and kind == "text/event-stream":
            return
        text = response.read(LONGEST_ERROR_BYTES).decode("utf-8", errors="replace")
        if response.status == 200:
            raise EndpointError(_said(text) or f"it answers with {kind} instead of a stream of events: {_BASE_URL}")
        raise EndpointError(_refusal(response.status, _said(text), response.headers, key_sent=self._key is not None))

    def _translated(self, error: Exception) -> EndpointError:
        where = f"{self._address.scheme}://{self._address.netloc}"
        if isinstance(error, ssl.SSLError):
            return EndpointError(f"no safe connection to {where} ({error.reason or error}): check http or https.")
        if isinstance(error, http.client.IncompleteRead | ConnectionResetError | BrokenPipeError):
            return EndpointError("the connection broke off before the end of the reply.")
        if isinstance(error, socket.gaierror):
            why = error.strerror or error
            return EndpointError(f"{where} cannot be reached ({why}): check the name, or whether there is a network.")
        if isinstance(error, OSError):
            reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
            return EndpointError(f"{where} cannot be reached ({reason}): is the server running there?")
        return EndpointError(f"what listens at {where} does not speak HTTP as it should ({type(error).__name__}).")


_BASE_URL = "is it the base URL of an OpenAI-compatible server, which often ends in /v1?"


def connection(address: SplitResult, limit_s: float) -> http.client.HTTPConnection:
    """Not connected yet; HTTPS through the proxy of the environment, if there is one."""
    host = address.hostname or ""
    if address.scheme == "http":
        return http.client.HTTPConnection(host, address.port, timeout=limit_s)
    context = ssl.create_default_context()
    proxy = None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get("https")
    if proxy is None:
        return http.client.HTTPSConnection(host, address.port, timeout=limit_s, context=context)
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    tunnel = http.client.HTTPSConnection(through.hostname or "", through.port, timeout=limit_s, context=context)
    tunnel.set_tunnel(host, address.port or 443)
    return tunnel


def headers(key: str | None) -> dict[str, str]:
    """Of a request, with the key where there is one."""
    plain = {"Content-Type": "application/json", "Accept": "text/event-stream", "User-Agent": "llmcompare"}
    return plain | ({"Authorization": f"Bearer {key}"} if key else {})


def _said(text: str) -> str | None:
    """What the body of an error says, without HTML."""
    try:
        body = parsed(text)
    except ValueError:
        return None if "<" in text else " ".join(text.split())[:LONGEST_QUOTE] or None
    return error_text(body) or error_text({"error": body})


def _refusal(status: int, said: str | None, sent_back: http.client.HTTPMessage, *, key_sent: bool) -> str:
    reason = f"{status}: {said}" if said else str(status)
    match status:
        case 401 | 403 if key_sent:
            return f"the server refuses the key ({reason})."
        case 401 | 403:
            return f"the server wants a key ({reason}), and none is set for it."
        case 404:
            return f"the server knows no such address or model ({reason}): {_BASE_URL}"
        case 429:
            wait = sent_back.get("Retry-After", "")
            when = f"in {counted(int(wait), 'second')}" if wait.isdigit() else "later"
            return f"too many requests, or the account is at its limit ({reason}): try again {when}."
        case _ if 300 <= status < 400:
            return f"the server sends on to another address ({status}): give that one as the base URL."
        case _ if status in ATTEMPT_AGAIN:
            return f"the server cannot answer now ({reason}): try again later."
        case _:
            return f"the server refuses the request ({reason})."
