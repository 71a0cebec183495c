"""`python -m benchd.devices.felica.readers.card_watch`: on which readers of one pcscd a card lies.

A process of its own, since pcscd's client library reads PCSCLITE_CSOCK_NAME once. It writes one
JSON object a line, at first and after every change, and ends when standard input does.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

from benchd.devices.felica.readers.card_readers import CardSeen, CardsSeen, line_of
from benchd.devices.felica.readers.pcsc import Context
from benchd.devices.felica.readers.reader_watch import ReadersSeen, ReaderWatch
from benchd.devices.felica.readers.usb_ports import SYSFS_USB, look_up_port
from benchd.domain.errors import BenchdError

LOOK_EVERY_S: Final = 0.2
"""How long a card lies there unseen: a person is slower. Waiting for each of the readers instead
would take as many threads, with pcscd's older than 2.5."""


class CardLook:
    """Looks at all readers of a pcscd; a context that was lost is made anew."""

    def __init__(self, sysfs: Path = SYSFS_USB) -> None:
        self._sysfs = sysfs
        self._context: Context | None = None
        self._ports: dict[str, str | None] = {}
        self._listed_anew = threading.Event()

    def listed(self, _seen: ReadersSeen) -> None:
        """Hear that readers came or went; may be called from any thread."""
        self._listed_anew.set()

    def now(self) -> CardsSeen:
        """Every reader, with or without a card; none, and why, where pcscd is away."""
        try:
            if self._context is None:
                self._context = Context()
            return self._seen(self._context)
        except BenchdError as lost:
            self._close()
            return CardsSeen(readers=(), trouble=str(lost))

    def _seen(self, context: Context) -> CardsSeen:
        if self._listed_anew.is_set():
            self._listed_anew.clear()
            # Another reader may have got the name of one that went.
            self._ports.clear()
        names = context.readers()
        laid = context.with_chip(names)
        return CardsSeen(
            readers=tuple(
                CardSeen(name=name, usb_port=self._port(context, name), card=name in laid)
                for name in names
            )
        )

    def _port(self, context: Context, name: str) -> str | None:
        if name not in self._ports:
            try:
                self._ports[name] = look_up_port(context, name, self._sysfs)
            except BenchdError:
                # Taken by another program for a moment, or gone: asked again at the next look.
                return None
        return self._ports[name]

    def _close(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.close()


def main() -> None:
    """Look until standard input ends."""

    def end_with_input() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=end_with_input, name="end", daemon=True).start()
    look = CardLook()
    ReaderWatch(look.listed).start()
    told: CardsSeen | None = None
    while True:
        seen = look.now()
        if seen != told:
            told = seen
            sys.stdout.buffer.write(line_of(seen))
            sys.stdout.buffer.flush()
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
