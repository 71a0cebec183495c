"""A FAKE reader worker: hands each line on to the crowd, and each answer back.

`python -m benchd.lab.benchmarks.crowd.fake_worker`; where the crowd listens it finds where a real
one finds its pcscd.
"""

from __future__ import annotations

import os
import select
import socket
import sys

PIECE_BYTES = 1 << 16


def main() -> None:
    """Ends when either side does."""
    with socket.socket(socket.AF_UNIX) as crowd:
        crowd.connect(os.environ["PCSCLITE_CSOCK_NAME"])
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


if __name__ == "__main__":
    main()
