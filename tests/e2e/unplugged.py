"""A dashboard without any network: it runs in a network namespace of its own, and a socket made outside leads in.

A socket belongs to the namespace that it was made in, so one that listens outside and is handed to a process inside
lets the browser in and nothing out. `unshare -rn` needs no privileges where the system allows it; where it does not
(many containers), every proxy and the Hub are set to a closed port instead, which holds for programs that heed them.
"""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

PIECE_BYTES = 65_536
CLOSED = "http://127.0.0.1:9"
INSIDE = "--inside"
OUTSIDE = ("192.0.2.1", 80)
"""An address that is nobody's (RFC 5737): without a network it is refused at once."""
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 0x1
"""Of Linux's ioctl for interfaces."""
CLOSED_PROXIES = {
    name: CLOSED
    for kind in ("http_proxy", "https_proxy", "all_proxy")
    for name in (kind, kind.upper())
} | {"no_proxy": "127.0.0.1,localhost", "HF_ENDPOINT": CLOSED}  # fmt: skip


@cache
def can_unplug() -> bool:
    """Whether this system gives a process a network of its own."""
    try:
        return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def unplugged(command: list[str]) -> list[str]:
    """The command without a network of its own, or the command itself."""
    return ["unshare", "-rn", *command] if can_unplug() else command


def environment_of(environment: dict[str, str]) -> dict[str, str]:
    """The environment of such a command."""
    return environment if can_unplug() else environment | CLOSED_PROXIES


def start(command: list[str], port: int, *, environment: dict[str, str], folder: Path, log: object) -> subprocess.Popen:
    """The server without a network, reached from here through the port as before."""
    if not can_unplug():
        return subprocess.Popen(
            command, cwd=folder, env=environment_of(environment), stdout=log, stderr=subprocess.STDOUT
        )
    with socket.create_server(("127.0.0.1", port)) as door:
        inside = ["unshare", "-rn", sys.executable, __file__, INSIDE, str(door.fileno()), str(port), *command]
        return subprocess.Popen(
            inside, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, pass_fds=[door.fileno()]
        )


# --- inside -----------------------------------------------------------------------------------------------------------


def main(door: socket.socket, port: int, command: list[str]) -> int:
    """Run the server, and lead every visitor of the door to it."""
    bring_loopback_up()
    require_no_way_out()
    server = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    threading.Thread(target=lead_in, args=(door, port), daemon=True).start()
    return server.wait()


def bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        said = fcntl.ioctl(any_socket, GET_FLAGS, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack("16sH14x", said)[1]
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", flags | UP))


def require_no_way_out() -> None:
    interfaces = [name for _, name in socket.if_nameindex()]
    assert interfaces == ["lo"], interfaces
    try:
        socket.create_connection(OUTSIDE, timeout=5).close()
    except OSError:
        return
    raise AssertionError(f"{OUTSIDE} was reached")


def lead_in(door: socket.socket, port: int) -> None:
    while True:
        visitor, _ = door.accept()
        threading.Thread(target=lead, args=(visitor, port), daemon=True).start()


def lead(visitor: socket.socket, port: int) -> None:
    try:
        server = socket.create_connection(("127.0.0.1", port))
    except OSError:
        visitor.close()
        return
    threading.Thread(target=pump, args=(server, visitor), daemon=True).start()
    pump(visitor, server)


def pump(one: socket.socket, other: socket.socket) -> None:
    """Until one of them ends, then both."""
    with suppress(OSError):
        while piece := one.recv(PIECE_BYTES):
            other.sendall(piece)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    at = sys.argv.index(INSIDE)
    handed, where, *rest = sys.argv[at + 1 :]
    os.set_inheritable(int(handed), False)
    sys.exit(main(socket.socket(fileno=int(handed)), int(where), rest))
