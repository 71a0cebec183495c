"""benchd's fill program on a handset's user storage without benchd, where no recipe gets so far."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.devices.android.filler import built_path
from benchd.lab.simulator.lines.child import RackBroken
from benchd.lab.simulator.sandbox import SHELL_UID

from .plan import MEBIBYTE

FOLDER: Final = Path("local/tmp/benchd")
FILE_BYTES: Final = 16 * MEBIBYTE
HEADROOM_BYTES: Final = 4 * MEBIBYTE
"""Both as in the machine's recipe."""
PROGRESS_S: Final = 0.1
LINE_MAXIMUM_BYTES: Final = 1 << 20

_ARGV: Final = (
    *("setpriv", "--reuid", SHELL_UID, "--regid", SHELL_UID, "--clear-groups"),
    *(str(built_path("amd64")), "fill"),
)

Event = Mapping[str, Any]


async def fill_without_benchd(data: Path, *, pulled_at: float | None) -> Event:
    """Fill it and return what the program said at its end.

    With `pulled_at` it is broken off once this share of the room is written, as by a cable that is
    pulled, and goes on as after it was put back.
    """
    request = {
        "directory": str(data / FOLDER),
        "key": secrets.token_hex(16),
        "file_bytes": FILE_BYTES,
        "headroom_bytes": HEADROOM_BYTES,
        "progress_s": PROGRESS_S,
    }
    if pulled_at is not None:
        told = await _run(request, pulled_at)
        request |= {"resume": True, "prior_bytes": told["bytes"]}
    return await _run(request, None)


async def _run(request: Mapping[str, object], pulled_at: float | None) -> Event:
    """The last that it says; RackBroken if it ended another way than it should."""
    async with await anyio.open_process(
        _ARGV, stdin=subprocess.PIPE, start_new_session=True
    ) as run:
        assert run.stdin is not None
        await run.stdin.send(json.dumps(request).encode() + b"\n")
        said = await _listen(run, pulled_at)
    if said.get("event") != ("done" if pulled_at is None else "progress"):
        raise RackBroken(f"the fill program: {said}")
    return said


async def _listen(run: Process, pulled_at: float | None) -> Event:
    assert run.stdout is not None
    lines = BufferedByteReceiveStream(run.stdout)
    room, said = 0, {}
    while True:
        try:
            said = json.loads(await lines.receive_until(b"\n", LINE_MAXIMUM_BYTES))
        except (anyio.EndOfStream, anyio.IncompleteRead):
            return said
        room = said.get("free_bytes", room)
        if pulled_at and said["event"] == "progress" and said["bytes"] >= pulled_at * room:
            run.send_signal(signal.SIGHUP)
            await run.wait()
            return said
