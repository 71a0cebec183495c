"""What the slots of one rack know of each other's readers: in memory, for as long as it runs."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Final

import anyio

from benchd.domain.ids import JobId, SlotName

MOST_SWITCHES: Final = 64
"""How many are kept for each slot: a tie has a tenth of them."""
UNKNOWN_FOR_S: Final = 75.0
"""A handset whose NFC was left off switches it on by itself a minute later."""


class RackReaders:
    """Whose NFC is switched when, whose reader may be looked at."""

    def __init__(self) -> None:
        self.search = anyio.Lock()
        """Held by the one slot that looks at the readers of the others."""
        self._slots: tuple[SlotName, ...] = ()
        self._jobs: dict[SlotName, JobId] = {}
        self._left_alone: Counter[SlotName] = Counter()
        self._switches: dict[SlotName, deque[tuple[float, bool | None]]] = {}
        self._misread: dict[SlotName, JobId] = {}

    def arrange(self, slots: Iterable[SlotName]) -> None:
        """The rack has these slots: an empty one's reader may hear a handset too."""
        self._slots = tuple(sorted(slots))

    def began(self, slot: SlotName, job: JobId) -> None:
        """From now on a handset of this job lies there."""
        self._jobs[slot] = job

    # Neighbours

    def others(self, slot: SlotName) -> list[SlotName]:
        """All other slots, less those whose reader is to be left alone."""
        return [each for each in self._slots if each != slot and not self._left_alone[each]]

    @contextmanager
    def left_alone(self, slot: SlotName) -> Generator[None]:
        """A block in which nobody but the slot's own job uses its reader: a chip is cleared."""
        self._left_alone[slot] += 1
        try:
            yield
        finally:
            self._left_alone[slot] -= 1

    # Switches

    def switched(self, slot: SlotName, at_s: float, *, on: bool | None) -> None:
        """The NFC of the handset there is on or off since then; None: it's being switched."""
        self._switches.setdefault(slot, deque(maxlen=MOST_SWITCHES)).append((at_s, on))

    def surely(self, slot: SlotName, from_s: float, to_s: float) -> bool | None:
        """What the NFC of the handset there was all that time; None where that isn't certain.

        One that nobody switches is on.
        """
        state: bool | None = True
        since_s = float("-inf")
        for at_s, on in self._switches.get(slot, ()):
            if at_s > to_s:
                break
            if at_s > from_s and on is not state:
                return None
            state, since_s = on, at_s
        if state is None and from_s - since_s > UNKNOWN_FOR_S:
            return True
        return state

    # Readers that hear the wrong handset

    def note_misread(self, *slots: SlotName) -> None:
        """What the readers of these slots hear isn't the handset of the job there."""
        for slot in slots:
            if slot in self._jobs:
                self._misread[slot] = self._jobs[slot]

    def is_misread(self, slot: SlotName, job: JobId) -> bool:
        """Whether another job has seen that the reader there hears another slot's handset."""
        return self._misread.get(slot) == job
