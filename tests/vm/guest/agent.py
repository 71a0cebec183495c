"""Runs what the host asks for: one JSON object a line, over a virtual serial port, both ways.

`{"id": 1, "argv": ["id", "-u"], "input": ""}` is answered, in whichever order commands end, by
`{"id": 1, "status": 0, "output": "0", "error": ""}`, and so is `{"id": 2, "say_to": "/run/x.sock",
"line": "…"}`, a line for a Unix socket that answers by one; `{"hello": N}` by itself. With the
system's own Python and nothing else.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import subprocess
import sys
import threading
from typing import Any

LONGEST_OUTPUT_BYTES = 8 << 20
HOME = pwd.getpwuid(0).pw_dir


class Agent:
    """Reads requests from one port and answers on it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._turn = threading.Lock()

    def serve(self) -> None:
        """Until the port ends, which it doesn't while the machine runs."""
        pending = b""
        while data := os.read(self._port, 1 << 16):
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                request = json.loads(line)
                if "hello" in request:
                    self._say(request)
                else:
                    threading.Thread(target=self._obey, args=(request,), daemon=True).start()

    def _obey(self, request: dict[str, Any]) -> None:
        do = say_to if "say_to" in request else run
        try:
            answer = do(request)
        except OSError as error:
            answer = {"status": 127, "output": "", "error": str(error)}
        self._say({"id": request["id"], **answer})

    def _say(self, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode() + b"\n"
        with self._turn:
            while data:
                data = data[os.write(self._port, data) :]


def run(request: dict[str, Any]) -> dict[str, Any]:
    """A command to its end; OSError if there is none of that name."""
    ended = subprocess.run(
        request["argv"],
        input=request.get("input", "").encode(),
        capture_output=True,
        check=False,
        cwd=HOME,
        env={**os.environ, "HOME": HOME, "LANG": "C.UTF-8"},
    )
    return {
        "status": ended.returncode,
        "output": ended.stdout[-LONGEST_OUTPUT_BYTES:].decode(errors="replace"),
        "error": ended.stderr[-LONGEST_OUTPUT_BYTES:].decode(errors="replace"),
    }


def say_to(request: dict[str, Any]) -> dict[str, Any]:
    """A line to a socket, and its answer; OSError if nobody listens or answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(request["say_to"])
        connection.sendall(request["line"].encode() + b"\n")
        with connection.makefile("rb") as stream:
            answered = stream.readline()
    if not answered:
        raise ConnectionResetError(f"{request['say_to']} closed without an answer")
    return {"status": 0, "output": answered.decode(), "error": ""}


if __name__ == "__main__":
    Agent(os.open(sys.argv[1], os.O_RDWR)).serve()
