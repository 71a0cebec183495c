"""A printer on a USB cable, as a file of the kernel's usblp driver."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from benchd.domain.label import PrinterFault, PrinterTrouble

SEND_S = 20.0


class UsbWire:
    """Writes without ever blocking: a printer that takes nothing holds no thread."""

    def __init__(self, device: Path) -> None:
        self._device = device

    async def send(self, label: bytes) -> None:
        """Returns once the driver has taken all of it; raises PrinterFault."""
        async with self._opened() as file:
            rest = memoryview(label)
            try:
                with anyio.fail_after(SEND_S):
                    while rest:
                        await anyio.wait_writable(file)
                        rest = rest[_write(file, rest) :]
                    # To close it throws away what the driver still holds.
                    await anyio.wait_writable(file)
            except TimeoutError as error:
                begun = len(rest) < len(label)
                raise PrinterFault(PrinterTrouble.NO_ANSWER, begun=begun) from error
            except OSError as error:
                raise PrinterFault(PrinterTrouble.BROKE_OFF, begun=True) from error

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[int, None]:
        try:
            # Never made where it isn't, never a terminal, and nobody waits for a reader.
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            file = os.open(self._device, flags)
        except OSError as error:
            raise PrinterFault(PrinterTrouble.UNREACHABLE) from error
        try:
            yield file
        finally:
            os.close(file)


def _write(file: int, rest: memoryview) -> int:
    try:
        return os.write(file, rest)
    except BlockingIOError:
        return 0
