"""Answers leave the server at once, and the browser fetches the chart library while it waits for the first answer."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from stat import S_ISSOCK

import streamlit

FIRST_FILE, FILES_LOOKED_AT = 3, 256
CHART_LIBRARY = "PlotlyChart.*.js"
"""In Streamlit's folder of scripts."""


def send_at_once() -> int:
    """Turns Nagle's algorithm off for every connection to come; how many sockets listen.

    Streamlit makes the listening socket without a protocol number, and asyncio leaves Nagle's algorithm on for such
    ones: behind the header of every file, and behind every message to a page, the next packet waited 40 ms for the
    browser to confirm the one before. Connections inherit the setting from the socket that listens.
    """
    count = 0
    for number in range(FIRST_FILE, FILES_LOOKED_AT):
        # Most numbers are not open.
        with suppress(OSError):
            count += _is_told(number) if S_ISSOCK(os.fstat(number).st_mode) else 0
    return count


def _is_told(number: int) -> bool:
    with socket.socket(fileno=os.dup(number)) as found:
        if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return False
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return True


def chart_library_header() -> tuple[bytes, bytes] | None:
    """Makes the browser fetch 4.7 MB of script with the page, and not when the first chart arrives; None where this
    version of Streamlit keeps it elsewhere."""
    scripts = Path(streamlit.__file__).parent / "static/static/js"
    found = sorted(scripts.glob(CHART_LIBRARY))
    # Relative to the page, like the page's own scripts: the server may stand behind a path.
    return (b"link", f"<./static/js/{found[0].name}>; rel=modulepreload".encode()) if found else None
