"""Runs what the host asks for: one JSON object a line, over a virtual serial port, both ways.

`{"id": 1, "argv": ["id", "-u"], "input": ""}` is answered, in whichever order commands end, by
`{"id": 1, "status": 0, "output": "0", "error": ""}`; `{"hello": N}` by itself. With the
system's own Python and nothing else.
"""

from __future__ import annotations

import json
import os
import pwd
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
                    threading.Thread(target=self._run, args=(request,), daemon=True).start()

    def _run(self, request: dict[str, Any]) -> None:
        try:
            ended = subprocess.run(
                request["argv"],
                input=request.get("input", "").encode(),
                capture_output=True,
                check=False,
                cwd=HOME,
                env={**os.environ, "HOME": HOME, "LANG": "C.UTF-8"},
            )
        except OSError as error:
            self._say({"id": request["id"], "status": 127, "output": "", "error": str(error)})
            return
        self._say(
            {
                "id": request["id"],
                "status": ended.returncode,
                "output": ended.stdout[-LONGEST_OUTPUT_BYTES:].decode(errors="replace"),
                "error": ended.stderr[-LONGEST_OUTPUT_BYTES:].decode(errors="replace"),
            }
        )

    def _say(self, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode() + b"\n"
        with self._turn:
            while data:
                data = data[os.write(self._port, data) :]


if __name__ == "__main__":
    Agent(os.open(sys.argv[1], os.O_RDWR)).serve()
