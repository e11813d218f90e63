"""What makes the server answer without waiting, and the browser ask early."""

import asyncio
import socket
from pathlib import Path

import streamlit

from llmcompare.ui.at_once import chart_library_header, send_at_once
from llmcompare.ui.person import PageHeaders


def is_sent_at_once(connection: socket.socket) -> bool:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def accepted(listening: socket.socket) -> socket.socket:
    with socket.create_connection(listening.getsockname()):
        return listening.accept()[0]


def test_connections_of_a_socket_that_listens_already_send_at_once():
    # As Streamlit makes it: without a protocol number, for which asyncio does nothing.
    with socket.socket(family=socket.AF_INET) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with accepted(listening) as before:
            assert not is_sent_at_once(before)
        assert send_at_once() >= 1
        with accepted(listening) as after:
            assert is_sent_at_once(after)


def test_a_socket_that_does_not_listen_is_left_as_it_is():
    with socket.socket(family=socket.AF_INET) as other:
        send_at_once()
        assert not is_sent_at_once(other)


def answered(content_type: bytes) -> dict[bytes, bytes]:
    """Headers of an answer behind the middleware."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]})

    async def send(message):
        sent.append(message)

    asyncio.run(PageHeaders(app)({"type": "http", "headers": []}, None, send))
    return dict(sent[0]["headers"])


def test_a_page_names_the_chart_library_that_streamlit_serves():
    name, value = chart_library_header()
    path, relation = value.decode().split("; ")
    assert relation == "rel=modulepreload"
    static = Path(streamlit.__file__).parent / "static"
    assert (static / path.strip("<>")).stat().st_size > 1_000_000
    assert answered(b"text/html; charset=utf-8")[name] == value


def test_a_file_names_nothing():
    assert answered(b"application/javascript").keys() == {b"content-type"}
