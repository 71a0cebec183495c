"""A connection's bytes on the event loop, whose reading isn't switched on and off for each answer.

anyio's own stream tells the selector twice for each piece that it waits for, two system calls of
which a handset's small answers cost as much again. Here it stays switched on, and is switched off
only when something comes that nobody waits for: whoever isn't read has to wait, as there.
docs/adr/0053-shells-on-the-loop.md.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Final, cast

import anyio
import anyio.lowlevel

READ_BYTES: Final = 72 << 10
"""adb passes on 64 KiB of an output at once, with a header for each of its packets: that is one
piece, not a full one and another of some bytes that costs as much."""
SMALL_BYTES: Final = 4 << 10
"""What is sent of so many bytes lets nobody else wait."""


class LoopStream(asyncio.Protocol):
    """One reader and one writer at a time; made by `over`."""

    def __init__(self) -> None:
        self._pieces = deque[bytes]()
        self._ended = False
        self._closed = False
        self._fault: Exception | None = None
        self._reads = True
        self._reader: asyncio.Future[None] | None = None
        self._writes = asyncio.Event()
        self._writes.set()

    @classmethod
    async def over(cls, opened: socket.socket) -> LoopStream:
        """The stream of a connected socket that doesn't block; it belongs to the stream then."""
        _, stream = await asyncio.get_running_loop().create_connection(cls, sock=opened)
        return stream

    async def receive(self, max_bytes: int = READ_BYTES) -> bytes:
        """What came in one piece, at most so many bytes of it.

        All that came is given before the end is told: anyio.EndOfStream, BrokenResourceError
        where it is no orderly one, ClosedResourceError for one's own.
        """
        if self._pieces or self._ended:
            await anyio.lowlevel.checkpoint()
        else:
            await self._more()
        if not self._pieces:
            raise self._end()
        piece = self._pieces.popleft()
        if len(piece) > max_bytes:
            self._pieces.appendleft(piece[max_bytes:])
            return piece[:max_bytes]
        return piece

    async def receive_exactly(self, size_bytes: int) -> bytes:
        """That many bytes, however they come; anyio.IncompleteRead where the stream ends before."""
        taken = bytearray()
        while len(taken) < size_bytes:
            try:
                taken += await self.receive(size_bytes - len(taken))
            except anyio.EndOfStream as ended:
                raise anyio.IncompleteRead from ended
        return bytes(taken)

    async def send(self, data: bytes) -> None:
        """Write, and wait until the system has taken it all; raises as `receive` does."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        await self._writes.wait()
        self._require_writable()
        self._transport.write(data)
        if not self._writes.is_set():
            await self._writes.wait()
            self._require_writable()
        elif len(data) > SMALL_BYTES:
            await anyio.lowlevel.cancel_shielded_checkpoint()

    def close(self) -> None:
        """Give the socket back at once, whatever hasn't been sent; twice is as good as once."""
        self._closed = True
        self._transport.abort()

    @property
    def raw_socket(self) -> socket.socket:
        """The socket, to be asked about its state."""
        return cast("socket.socket", self._transport.get_extra_info("socket"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: the socket is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        """asyncio's: kept until it is asked for."""
        self._pieces.append(bytes(data))
        if not self._wake():
            self._reads = False
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """asyncio's: nothing more comes; what is still to be sent is sent."""
        self._ended = True
        self._wake()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: nothing more can come, nor go."""
        self._ended = True
        self._fault = exc
        self._wake()
        self._writes.set()

    def pause_writing(self) -> None:
        """asyncio's: the system takes no more for now."""
        self._writes.clear()

    def resume_writing(self) -> None:
        """asyncio's: it has taken all."""
        self._writes.set()

    async def _more(self) -> None:
        if self._reader is not None:
            raise anyio.BusyResourceError("reading from")
        if not self._reads:
            self._reads = True
            self._transport.resume_reading()
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _wake(self) -> bool:
        """Whether somebody waits, who is told."""
        if self._reader is None or self._reader.done():
            return False
        self._reader.set_result(None)
        return True

    def _end(self) -> Exception:
        if self._closed:
            return anyio.ClosedResourceError()
        if self._fault is not None:
            broken = anyio.BrokenResourceError()
            broken.__cause__ = self._fault
            return broken
        return anyio.EndOfStream()

    def _require_writable(self) -> None:
        if self._closed:
            raise anyio.ClosedResourceError
        if self._fault is not None or self._transport.is_closing():
            raise anyio.BrokenResourceError from self._fault
