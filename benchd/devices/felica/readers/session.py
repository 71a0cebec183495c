"""One reader taken for one look at its chip: bare frames in, bare frames out.

Implements `benchd.devices.felica.protocol.chip_requests.ChipTransport`. Belongs to the thread of
its context.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from benchd.devices.felica.readers.pcsc import Connection, Context, NoChip, Taken
from benchd.devices.felica.readers.reader_frames import Wrapping
from benchd.domain.errors import ReaderFault, ReaderGone

CHIP_WITHIN_S: Final = 2.0
"""Readers look for a chip two or three times a second, and anew after each power cycle."""
FIELD_OFF_S: Final = 0.05
FIELD_ON_S: Final = 0.03
"""How long the field stays off, and how long a chip has to wake up; Sony's own driver waits 20
to 30 ms (source: FRS)."""
TAKEN_FOR_S: Final = 2.0
TAKEN_EVERY_S: Final = 0.1
"""How long pcscd may take to notice that a program which had the reader has ended."""
CHIP_LEFT: Final = "the chip left the reader in the middle of a look"


class ReaderSession:
    """A reader without a chip is silent.

    One whose chip leaves in between is a fault: nobody can tell whether what was read before and
    after is of one chip.
    """

    def __init__(
        self,
        context: Context,
        reader: str,
        wrapping: Wrapping,
        *,
        calling: Callable[[float], None],
        is_meant: Callable[[Context, Connection], bool],
    ) -> None:
        """Takes the reader at its first use; `calling` hears how long each call may take.

        `is_meant` looks at each connection whether it leads to the reader that is meant: after a
        replug another one may have its name.
        """
        self._context = context
        self._reader = reader
        self._wrapping = wrapping
        self._calling = calling
        self._is_meant = is_meant
        self._connection: Connection | None = None
        self._seen = False
        """Whether the reader had a chip already."""
        self._empty = False
        """Whether the reader was found without a chip; stays so until the field is off and on."""

    def exchange(self, frame: bytes, timeout_s: float) -> bytes | None:
        """The chip's answer, None where it is silent or not there."""
        if self._connection is None and (self._empty or not self._connect()):
            return None
        return self._wrapping.unwrap(self._call(self._wrapping.wrap(frame, timeout_s), timeout_s))

    def power_cycle(self) -> None:
        """Switch the field off and on again."""
        self.field_off()
        time.sleep(FIELD_OFF_S)
        self._empty = False
        self._connect()

    def field_off(self) -> None:
        """Switch the field off and let go of the reader, so that another program may have it."""
        if self._connection is None and not self._empty:
            self._connect(wait_s=0.0)
        if self._connection is not None:
            self._tell(self._wrapping.field_off)
        self._let_go()

    def close(self) -> None:
        """End the session and let go of the reader; never raises."""
        try:
            if self._connection is not None:
                self._tell((*self._wrapping.field_off, *self._wrapping.end))
        except (ReaderFault, ReaderGone):
            pass
        finally:
            self._let_go()

    def _connect(self, wait_s: float = CHIP_WITHIN_S) -> bool:
        self._calling(wait_s + 2 * TAKEN_FOR_S)
        try:
            try:
                connection = self._take()
            except NoChip:
                self._context.wait_for_chip(self._reader, wait_s)
                connection = self._take()
        except NoChip:
            if self._seen:
                raise ReaderFault(CHIP_LEFT) from None
            self._empty = True
            return False
        self._connection = connection
        if not self._is_meant(self._context, connection):
            self._let_go()
            raise ReaderGone("another reader has its name now")
        self._seen, self._empty = True, False
        self._tell(self._wrapping.begin)
        time.sleep(FIELD_ON_S)
        return True

    def _take(self) -> Connection:
        for _ in range(round(TAKEN_FOR_S / TAKEN_EVERY_S)):
            try:
                return self._context.connect(self._reader, self._wrapping.channel)
            except Taken:
                time.sleep(TAKEN_EVERY_S)
        return self._context.connect(self._reader, self._wrapping.channel)

    def _tell(self, commands: tuple[bytes, ...]) -> None:
        for command in commands:
            self._wrapping.acknowledge(self._call(command, 0.0))

    def _call(self, command: bytes, timeout_s: float) -> bytes:
        connection = self._connection
        if connection is None:
            raise ReaderFault("the reader isn't taken")
        self._calling(timeout_s)
        try:
            return self._context.call(connection, command)
        except NoChip:
            self._let_go()
            raise ReaderFault(CHIP_LEFT) from None
        except (ReaderFault, ReaderGone):
            self._let_go()
            raise

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._context.disconnect(connection)
