"""The adb server's own question-and-answer protocol, on the event loop.

A request is four hex digits of length and a text; the answer is OKAY or FAIL, and what
follows is a text with its length in front, or a stream. Source: AOSP adb, SERVICES.TXT.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.server.loop_stream import LoopStream

MAXIMUM_REQUEST_BYTES: Final = 0xFFFF
SERVER_DEADLINE_S: Final = 5.0
FULL_QUEUE_PAUSE_S: Final = 0.02
_CREDENTIALS: Final = struct.Struct("3i")
"""struct ucred of unix(7): process, user and group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlace:
    """Where an adb server is reached, and who has to be there."""

    path: Path
    """A Unix socket."""
    made_by: int | None = None
    """The process that made it listen, where that is known; else any trusted user's may be it."""


class RequestRefused(Exception):
    """Raised when the adb server answers FAIL; the text is its reason."""


class SmartSocket:
    """One connection to the adb server; raises AdbServerLost when it ends early."""

    def __init__(self, stream: LoopStream) -> None:
        self.stream = stream
        """What comes after the answers belongs to whoever reads it from there on."""

    async def request(self, text: str) -> None:
        """Ask and wait for OKAY; raises RequestRefused on FAIL."""
        encoded = text.encode()
        if len(encoded) > MAXIMUM_REQUEST_BYTES:
            raise ValueError(f"a request of {len(encoded)} bytes is too long for adb")
        try:
            await self.stream.send(b"%04x" % len(encoded) + encoded)
        except (anyio.BrokenResourceError, OSError) as broken:
            raise AdbServerLost("the adb server closed the connection") from broken
        status = await self.read_exactly(4)
        if status == b"FAIL":
            raise RequestRefused(await self.block())
        if status != b"OKAY":
            raise AdbServerLost("what answers on the adb server's socket is no adb server")

    async def block(self) -> str:
        """Read one text with its length in front."""
        return (await self.message()).decode(errors="replace")

    async def message(self) -> bytes:
        """Read the bytes of one answer with its length in front."""
        header = await self.read_exactly(4)
        try:
            size_bytes = int(header, 16)
        except ValueError as garbled:
            raise AdbServerLost("the adb server's answer is garbled") from garbled
        return await self.read_exactly(size_bytes)

    async def read_exactly(self, size_bytes: int) -> bytes:
        """Read that many bytes, however they arrive."""
        try:
            return await self.stream.receive_exactly(size_bytes)
        except (anyio.IncompleteRead, anyio.BrokenResourceError, OSError) as ended:
            raise AdbServerLost("the adb server closed the connection") from ended


@asynccontextmanager
async def connect(place: ServerPlace) -> AsyncGenerator[SmartSocket, None]:
    """A connection to the adb server that listens here; it never starts one."""
    link = await connected(place)
    try:
        yield link
    finally:
        link.stream.close()


async def connected(place: ServerPlace) -> SmartSocket:
    """The same for whoever closes it himself; where this raises, nothing is left open."""
    opened = await opened_socket(place)
    try:
        return SmartSocket(await LoopStream.over(opened))
    except BaseException as failure:
        opened.close()
        if isinstance(failure, OSError):
            raise AdbServerLost("no adb server is listening") from failure
        raise


async def opened_socket(place: ServerPlace) -> socket.socket:
    """The same before a word is said over it: a socket that doesn't block."""
    try:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as refused:
        raise AdbServerLost("no socket is left to reach the adb server with") from refused
    try:
        opened.setblocking(False)  # noqa: FBT003 - the socket's own method
        with anyio.fail_after(SERVER_DEADLINE_S):
            await _reach(opened, place.path)
        _require_trusted(opened, place)
    except TimeoutError as late:
        opened.close()
        raise AdbServerLost("the adb server takes no connection") from late
    except (ConnectionRefusedError, FileNotFoundError) as refused:
        opened.close()
        raise AdbServerLost("no adb server is listening") from refused
    except OSError as refused:
        opened.close()
        raise AdbServerLost(f"no way to the adb server: {refused.strerror or refused}") from refused
    except BaseException:
        opened.close()
        raise
    return opened


async def _reach(opened: socket.socket, path: Path) -> None:
    """There at once, or refused, unless too many wait to be taken in already.

    Nothing tells when there is room again, and asyncio takes "try again" for a connection.
    """
    while True:
        try:
            opened.connect(os.fspath(path))
        except BlockingIOError:
            await anyio.sleep(FULL_QUEUE_PAUSE_S)
        else:
            return


def _require_trusted(opened: socket.socket, place: ServerPlace) -> None:
    """What answers says what handsets say, and the ids of one server mean others at another.

    So it has to be the one that is known; else it's believed of root, who is systemd, of this user,
    and of whoever decides what lies in that folder.
    """
    kept = opened.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, user, _ = _CREDENTIALS.unpack(kept)
    if place.made_by is not None:
        if process != place.made_by:
            raise AdbServerLost(f"process {process} has taken the adb server's socket")
    elif user not in (0, os.geteuid()) and user != place.path.parent.stat().st_uid:
        raise AdbServerLost(f"user {user}, who isn't trusted, has the adb server's socket")


async def server_version(place: ServerPlace, deadline_s: float = SERVER_DEADLINE_S) -> int:
    """The protocol version that the adb server speaks; proves that it answers."""
    try:
        with anyio.fail_after(deadline_s):
            async with connect(place) as link:
                await link.request("host:version")
                return int(await link.block(), 16)
    except TimeoutError as late:
        raise AdbServerLost("the adb server doesn't answer") from late
    except (RequestRefused, ValueError) as strange:
        raise AdbServerLost("what answers on the adb server's socket is no adb server") from strange
