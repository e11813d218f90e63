"""Who looks: a random mark that the browser keeps, so that a reload or a second tab finds the person's own runs."""

import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Any

import streamlit as st

COOKIE = "llmcompare_person"
YEAR_S = 365 * 24 * 3600


class PersonCookie:
    """ASGI middleware: gives a browser without a mark a new one, with its first page."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - an ASGI application
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI has them
        """Adds a Set-Cookie header to an HTML answer."""
        if scope["type"] != "http" or _mark(dict(scope["headers"]).get(b"cookie", b"")) is not None:
            await self._app(scope, receive, send)
            return

        async def send_marked(message: Any) -> None:  # noqa: ANN401
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                if any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers):
                    headers.append((b"set-cookie", _new_cookie().encode()))
                    message = message | {"headers": headers}
            await send(message)

        await self._app(scope, receive, send_marked)


def _mark(header: bytes) -> str | None:
    try:
        found = SimpleCookie(header.decode("latin-1")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found is not None and found.value else None


def _new_cookie() -> str:
    return f"{COOKIE}={secrets.token_urlsafe(16)}; Path=/; Max-Age={YEAR_S}; HttpOnly; SameSite=Lax"


def person() -> str:
    """The mark of this browser; of this tab alone where cookies are refused."""
    if "person" not in st.session_state:
        st.session_state["person"] = st.context.cookies.get(COOKIE) or secrets.token_urlsafe(16)
    mark: str = st.session_state["person"]
    return mark
