"""Who looks: a random mark that the browser keeps, so that a reload or a second tab finds the person's own runs."""

import secrets
import time
from typing import Any

import streamlit as st

from llmcompare.ui.at_once import chart_library_header

COOKIE = "llmcompare_person"
YEAR_S = 365 * 24 * 3600
PICTURES = (b"content-security-policy", b"img-src 'self' data: blob:")
"""Whatever a model writes and however it is parsed, the browser asks nobody else for a picture."""


class PageHeaders:
    """ASGI middleware for pages: a mark for a browser that has none, no picture from another host, charts early."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - an ASGI application
        self._app = app
        self._early = [header for header in (chart_library_header(),) if header is not None]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI has them
        """Adds headers to an HTML answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        new = [PICTURES, *self._early]
        if not _mark(dict(scope["headers"]).get(b"cookie", b"")):
            new.append(_new_cookie())

        async def send_more(message: Any) -> None:  # noqa: ANN401
            if message["type"] == "http.response.start" and _is_html(message):
                message = message | {"headers": [*message["headers"], *new]}
            await send(message)

        await self._app(scope, receive, send_more)


def _is_html(message: Any) -> bool:  # noqa: ANN401
    headers = message.get("headers", [])
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)


def _mark(header: bytes) -> str | None:
    # By hand: the standard library drops every cookie after one that it cannot read, of any program on this host.
    pairs = (part.strip().partition("=") for part in header.decode("latin-1").split(";"))
    return next((value for name, _, value in pairs if name == COOKIE and value), None)


def _new_cookie() -> tuple[bytes, bytes]:
    mark = f"{COOKIE}={secrets.token_urlsafe(16)}; Path=/; Max-Age={YEAR_S}; HttpOnly; SameSite=Lax"
    return b"set-cookie", mark.encode()


def person() -> str:
    """The mark of this browser; of this tab alone where cookies are refused."""
    if "person" not in st.session_state:
        st.session_state["person"] = st.context.cookies.get(COOKIE) or secrets.token_urlsafe(16)
    mark: str = st.session_state["person"]
    return mark


def watcher() -> str:
    """A mark of this tab, for the registry of jobs: one person may look from several."""
    if "watcher" not in st.session_state:
        st.session_state["watcher"] = f"{person()} {time.monotonic_ns()}"
    mark: str = st.session_state["watcher"]
    return mark
