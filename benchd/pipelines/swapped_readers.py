"""Whether another slot's reader hears this handset: two readers that were exchanged."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol

import anyio

from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import HandsetFault, StageFailed
from benchd.domain.ids import SlotName
from benchd.domain.job import Reason
from benchd.domain.ports import Entropy
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.chip_ownership import THERE, is_pattern, pattern_of, tied_chip

MOST_PATTERNS: Final = 3
"""Whoever looks elsewhere at the same moments may have drawn the same one by chance."""
LOOK_WITHIN_S: Final = 10.0
LOOKS: Final = 3
LOOK_EVERY_S: Final = 1.0
SEARCH_WITHIN_S: Final = 60.0


class Switched(Protocol):
    """Switches the NFC of this job's handset."""

    async def __call__(self, *, on: bool) -> bool:
        """Whether the handset says that it's so."""
        ...


def drawn_pattern(entropy: Entropy) -> tuple[bool, ...]:
    """One of those that a proof takes, each as likely as the other."""
    while True:
        pattern = pattern_of(entropy.token(1))
        if is_pattern(pattern):
            return pattern


async def slot_that_hears(context: JobContext, switched: Switched) -> SlotName | None:
    """The slot whose reader follows this handset's NFC; None where none does, or can be looked at.

    Asked only where the handset's own reader didn't follow. An older handset whose chip is one of
    its own beside the NFC controller looks the same there: nobody follows it, and its job goes on.
    """
    found = None
    async with context.readers.search:
        with anyio.move_on_after(SEARCH_WITHIN_S):
            found = await _Search(context, switched).run()
    if found is not None:
        context.readers.note_misread(context.slot, found)
    return found


def refuse_misread(context: JobContext) -> None:
    """StageFailed where another slot's job has seen that this reader hears that handset.

    A chip that was tied here is this handset's all the same.
    """
    tied = tied_chip(context.evidence.felica_check)
    if context.readers.is_misread(context.slot, context.job) and not tied:
        raise StageFailed(
            Reason.FELICA_INCONSISTENT,
            "the readers may be exchanged: this one was seen to hear another slot's handset",
        )


class _Search:
    """Looks at the readers of all other slots that have a handset and are free."""

    def __init__(self, context: JobContext, switched: Switched) -> None:
        self._context = context
        self._switched = switched
        self._chips: dict[SlotName, str] = {}
        """Those that follow so far, with the chip that does."""
        self._contradict: set[SlotName] = set()
        """Those whose own handset can't have been the one heard."""

    async def run(self) -> SlotName | None:
        readers, chips = self._context.readers, self._context.chips
        slots = [s for s in readers.others(self._context.slot) if chips.reader(s) is not None]
        if not slots or not await self._switched(on=True):
            return None
        await self._look(slots, on=True)
        for _ in range(MOST_PATTERNS):
            for on in drawn_pattern(self._context.entropy):
                if not self._chips or not await self._switched(on=on):
                    return None
                await self._look(list(self._chips), on=on)
            if found := self._contradict & self._chips.keys():
                return min(found)
        return None

    async def _look(self, slots: Collection[SlotName], *, on: bool) -> None:
        """Keep those of these slots whose readers see what this handset's NFC is."""
        left = set(slots)
        for more in reversed(range(LOOKS if on else 1)):
            async with anyio.create_task_group() as group:
                for slot in tuple(left):
                    group.start_soon(self._look_at, slot, on, left)
            if not left or not more:
                break
            await anyio.sleep(LOOK_EVERY_S)
        for slot in left:
            self._chips.pop(slot, None)

    async def _look_at(self, slot: SlotName, on: bool, left: set[SlotName]) -> None:  # noqa: FBT001 - of a task
        """Take it from those that are left if it follows; its own job may want its reader."""
        began_s = anyio.current_time()
        with anyio.move_on_after(LOOK_WITHIN_S):
            try:
                scan = await self._context.chips.scan(slot, passes=1, power_cycle=True)
            except HandsetFault:
                # Whatever it is, it's that slot's own; here it's one that doesn't follow.
                return
            if on:
                chip = scan.chip if scan.verdict in THERE else None
                follows = chip is not None and self._chips.setdefault(slot, chip) == chip
            else:
                follows = scan.verdict is ChipVerdict.SILENT
            if follows:
                left.discard(slot)
                own = self._context.readers.surely(slot, began_s, anyio.current_time())
                if own is (not on):
                    self._contradict.add(slot)
