"""A printer in the network that takes ZPL on a TCP port, as a rule 9100."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios

import anyio
from anyio.abc import SocketAttribute, SocketStream

from benchd.domain.label import PrinterFault, PrinterTrouble
from benchd.papers.labels import zpl

CONNECT_S = 5.0
ANSWER_S = 3.0
SEND_S = 20.0
CLOSE_S = 2.0
"""How long it is waited for the printer to hang up; not all of them do."""
LOOK_EVERY_S = 0.02
"""At whether all has arrived, which nothing tells."""


class RawWire:
    """Sends each label over a connection of its own."""

    def __init__(self, host: str, port: int, *, asks_status: bool) -> None:
        self._host = host
        self._port = port
        self._asks_status = asks_status

    async def send(self, label: bytes) -> None:
        """Returns once all has arrived at the printer; raises PrinterFault."""
        try:
            with anyio.fail_after(CONNECT_S):
                stream = await anyio.connect_tcp(self._host, self._port)
        except (OSError, TimeoutError) as error:
            raise PrinterFault(PrinterTrouble.UNREACHABLE) from error
        async with stream:
            if self._asks_status:
                await self._ask(stream)
            try:
                with anyio.fail_after(SEND_S):
                    await stream.send(label)
                    if self._asks_status:
                        # One that has gone away, or has run out of paper with it, says so here.
                        _refuse_unless_well(await _status(stream), begun=True)
                    await _deliver(stream)
            except TimeoutError as error:
                raise PrinterFault(PrinterTrouble.NO_ANSWER, begun=True) from error
            except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
                raise PrinterFault(PrinterTrouble.BROKE_OFF, begun=True) from error

    @staticmethod
    async def _ask(stream: SocketStream) -> None:
        """Raise PrinterFault unless it says that it can print."""
        try:
            with anyio.fail_after(ANSWER_S):
                answer = await _status(stream)
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
            raise PrinterFault(PrinterTrouble.NO_ANSWER) from error
        _refuse_unless_well(answer, begun=False)


async def _status(stream: SocketStream) -> bytes:
    await stream.send(zpl.ASK_STATUS)
    answer = b""
    while not zpl.is_whole_status(answer) and len(answer) < zpl.LONGEST_STATUS:
        answer += await stream.receive(zpl.LONGEST_STATUS)
    return answer


def _refuse_unless_well(answer: bytes, *, begun: bool) -> None:
    told = zpl.read_status(answer)
    if told is None:
        raise PrinterFault(PrinterTrouble.NO_ANSWER, begun=begun)
    if told.needs_a_person:
        raise PrinterFault(PrinterTrouble.ATTENTION, begun=begun)


async def _deliver(stream: SocketStream) -> None:
    """A send that returns has only reached the kernel; what counts is what the printer has."""
    await stream.send_eof()
    with anyio.move_on_after(CLOSE_S):
        try:
            while True:
                await stream.receive()
        except anyio.EndOfStream:
            pass
    raw: socket.socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - not Django's
    while _unsent(raw):
        _raise_broken(raw)
        await anyio.sleep(LOOK_EVERY_S)
    _raise_broken(raw)


def _unsent(raw: socket.socket) -> int:
    """How many bytes the printer's side hasn't acknowledged."""
    if raw.fileno() < 0:
        message = "the printer broke off"
        raise ConnectionResetError(message)
    held = fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", held)[0])


def _raise_broken(raw: socket.socket) -> None:
    code = raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, "the printer broke off")
