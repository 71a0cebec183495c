"""A listening socket in a virtual rack's own network, for a program outside of it."""

from __future__ import annotations

import socket
import sys
from subprocess import DEVNULL

import anyio

from benchd.lab.simulator.virtual_house import RackHouse


async def listener_inside(house: RackHouse, port: int) -> socket.socket:
    """One on the rack's loopback: whoever has it answers there, wherever they run themselves."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-m", "benchd.lab.demo.lent_listener"]
        await anyio.run_process(
            house.command(*command, str(port), str(theirs.fileno())),
            stdin=DEVNULL,
            stderr=None,
            pass_fds=(theirs.fileno(),),
        )
        _, [descriptor], _, _ = socket.recv_fds(ours, 1, 1)
    return socket.socket(fileno=descriptor)


def main() -> None:
    """`python -m benchd.lab.demo.lent_listener PORT DESCRIPTOR`, inside the rack."""
    port, descriptor = map(int, sys.argv[1:])
    with (
        socket.create_server(("127.0.0.1", port)) as listener,
        socket.socket(fileno=descriptor) as line,
    ):
        socket.send_fds(line, [b"."], [listener.fileno()])


if __name__ == "__main__":
    main()
