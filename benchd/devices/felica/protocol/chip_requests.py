"""Asking one chip again and again until it answers, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from benchd.devices.felica.protocol.chip_errors import (
    AnotherChip,
    ChipFellSilent,
    NotHandsetChip,
    ScanTooLong,
)
from benchd.devices.felica.protocol.chip_frames import Command
from benchd.devices.felica.protocol.codes import WILDCARD, system_text
from benchd.devices.felica.protocol.generation import is_handset_chip
from benchd.devices.felica.protocol.polling import BARE, WITH_SYSTEM_CODE, Poll, Polling

TRIES: Final = 3
"""How often a chip is asked before its silence counts."""
LONGEST_LOOK_S: Final = 60.0
"""For one look at a whole chip; a full one takes a few seconds."""
_POLL_FORMS: Final = (WITH_SYSTEM_CODE, BARE) * 2
"""Handsets restrict which forms of Polling they answer, so that absence needs both."""
Reply = TypeVar("Reply")


class ChipTransport(Protocol):
    """One reader with at most one chip in its field; called from the reader's own thread.

    Both methods raise ReaderGone while the reader or its pcscd is away and ReaderFault when
    the reader failed or hung: the reader's failures are never silence.
    """

    def exchange(self, frame: bytes, timeout_s: float) -> bytes | None:
        """Send one frame from its length byte on; the answer from its length byte on.

        None when no chip answered in time. Polling goes through here like any other frame.
        """
        ...

    def power_cycle(self) -> None:
        """Switch the field off until every chip in it has lost its power, then on again."""
        ...


class Talk:
    """One look's exchanges with whatever is in the field: always the same handset's chip."""

    def __init__(self, transport: ChipTransport, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._clock = clock
        self._until = clock() + LONGEST_LOOK_S
        self._first: Poll | None = None
        self.polled: list[int] = []
        """System codes that were asked for, in order."""

    def find(self, system: int) -> Poll | None:
        """Who has this system; None only if nobody has while a chip that was found still answers.

        Raises AnotherChip when it isn't the chip that answered before, NotHandsetChip when it is
        a card, ChipFellSilent when a chip has left.
        """
        poll = self._poll(system)
        if poll is None and self._first is not None:
            self.still_there()
        return poll

    def still_there(self) -> None:
        """Raise ChipFellSilent unless the chip that was found answers the wildcard."""
        if self._poll(WILDCARD) is None:
            raise ChipFellSilent("the chip fell silent in the middle of its scan")

    def ask(self, poll: Poll, command: Command[Reply]) -> Reply:
        """The answer of a system that was found; ChipFellSilent when there is none."""
        if (frame := self._exchange(poll, command)) is None:
            raise ChipFellSilent(f"the chip fell silent at command {command.code:02X}")
        return command.decode(frame)

    def ask_if_known(self, poll: Poll, command: Command[Reply]) -> Reply | None:
        """The answer, or None for the silence of a chip that doesn't know the command."""
        frame = self._exchange(poll, command)
        return None if frame is None else command.decode(frame)

    def _exchange(self, poll: Poll, command: Command[Reply]) -> bytes | None:
        timeout_s = command.timeout_s(poll.pmm)
        for _ in range(TRIES):
            if (frame := self._send(command.encode(), timeout_s)) is not None:
                return frame
        return None

    def _poll(self, system: int) -> Poll | None:
        if system not in self.polled:
            self.polled.append(system)
        for request in _POLL_FORMS:
            polling = Polling(system=system, request=request)
            if (frame := self._send(polling.encode(), polling.timeout_s)) is not None:
                return self._same_chip(polling.decode(frame))
        return None

    def _same_chip(self, poll: Poll) -> Poll:
        if self._first is None:
            self._first = poll
        if (poll.chip, poll.ic_type) != (self._first.chip, self._first.ic_type):
            raise AnotherChip("two chips answer, or the chip has changed")
        if not is_handset_chip(poll.ic_type):
            raise NotHandsetChip(f"a card, not a handset's chip (IC type {poll.ic_type:02X})")
        return poll

    def _send(self, frame: bytes, timeout_s: float) -> bytes | None:
        if self._clock() > self._until:
            raise ScanTooLong(f"the scan took more than {LONGEST_LOOK_S:.0f} s")
        return self._transport.exchange(frame, timeout_s)


def listed_but_silent(system: int) -> ChipFellSilent:
    """A system that the chip lists and that doesn't answer when it is asked for."""
    return ChipFellSilent(f"system {system_text(system)} is listed but doesn't answer")
