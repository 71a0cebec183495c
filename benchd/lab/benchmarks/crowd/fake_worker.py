"""A FAKE reader worker: hands each line on to the crowd, and each answer back.

`python -m benchd.lab.benchmarks.crowd.fake_worker`; where the crowd listens it finds where a real
one finds its pcscd. It is a part of the crowd, so it runs where the crowd does.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys

PIECE_BYTES = 1 << 16
_PEER = struct.Struct("3i")
"""Its process, user and group: unix(7), SO_PEERCRED."""


def main() -> None:
    """Ends when either side does."""
    with socket.socket(socket.AF_UNIX) as crowd:
        crowd.connect(os.environ["PCSCLITE_CSOCK_NAME"])
        _stay_with(crowd)
        daemon_in, daemon_out = sys.stdin.fileno(), sys.stdout.fileno()
        while True:
            for ready in select.select([daemon_in, crowd], [], [])[0]:
                if ready is crowd:
                    data = crowd.recv(PIECE_BYTES)
                    while data:
                        data = data[os.write(daemon_out, data) :]
                        if not data:
                            break
                    else:
                        return
                else:
                    data = os.read(daemon_in, PIECE_BYTES)
                    if not data:
                        return
                    crowd.sendall(data)


def _stay_with(crowd: socket.socket) -> None:
    """On the cores of the process at the other end."""
    peer = crowd.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    os.sched_setaffinity(0, os.sched_getaffinity(_PEER.unpack(peer)[0]))


if __name__ == "__main__":
    main()
