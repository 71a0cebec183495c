"""Asks the rack to do to this handset what only its system could do; says its answer."""

from __future__ import annotations

import json
import socket
import sys

SOCKET = "/system/state/ask.sock"


def main() -> int:
    """Send the request named on the command line; the answer has a text and an exit status."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(SOCKET)
        connection.sendall(json.dumps({"do": sys.argv[1]}).encode() + b"\n")
        with connection.makefile("rb") as stream:
            answer = json.loads(stream.readline())
    sys.stderr.write(answer["error_text"])
    return answer["status"]


if __name__ == "__main__":
    sys.exit(main())
