"""A handset that doesn't trust this computer yet: it asks for a proof, and takes none.

Debian's adbd is built without authentication, so while nobody has allowed the computer on the
handset's screen, this stands in its place. Source of the messages: AOSP, adb's protocol.txt.
"""

from __future__ import annotations

import secrets
import struct
from typing import Final

import anyio
from anyio.abc import SocketStream, TaskStatus
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.lab.simulator.addresses import adbd_port

_HEADER: Final = struct.Struct("<6I")
_AUTH: Final = int.from_bytes(b"AUTH", "little")
_TOKEN: Final = 1
_PUBLIC_KEY: Final = 3
_TOKEN_BYTES: Final = 20
_LARGEST_PAYLOAD: Final = 1 << 20


class AuthFront:
    """Stands at a slot's adb address and refuses everybody."""

    def __init__(self) -> None:
        self._scope = anyio.CancelScope()
        self._gone = anyio.Event()

    async def run(
        self, slot: int, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Refuse until stopped; started once it listens."""
        try:
            listener = await anyio.create_tcp_listener(
                local_host="127.0.0.1", local_port=adbd_port(slot)
            )
            async with listener:
                task_status.started()
                with self._scope:
                    await listener.serve(_refuse)
        finally:
            self._gone.set()

    async def stop(self) -> None:
        """Returns when the address is free again."""
        self._scope.cancel()
        await self._gone.wait()


async def _refuse(stream: SocketStream) -> None:
    """Every message is answered with a new riddle; a public key waits for a tap on the screen."""
    lines = BufferedByteReceiveStream(stream)
    async with stream:
        try:
            while True:
                command, kind, _, length, _, _ = _HEADER.unpack(
                    await lines.receive_exactly(_HEADER.size)
                )
                if length > _LARGEST_PAYLOAD:
                    return
                if length:
                    await lines.receive_exactly(length)
                if (command, kind) != (_AUTH, _PUBLIC_KEY):
                    await stream.send(_riddle())
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
            return


def _riddle() -> bytes:
    token = secrets.token_bytes(_TOKEN_BYTES)
    return _HEADER.pack(_AUTH, _TOKEN, 0, len(token), sum(token), _AUTH ^ 0xFFFFFFFF) + token
