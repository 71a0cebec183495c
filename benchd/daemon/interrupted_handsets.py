"""Shows on the wall what was taken out in the middle of its job, as the read model has it."""

from __future__ import annotations

from typing import Final

import anyio

from benchd.domain.disposal import DisposalState
from benchd.domain.errand import TrayItem
from benchd.domain.errors import RecordsUnavailable
from benchd.domain.handset_file import DisposalLine
from benchd.domain.plain_text import printable
from benchd.ledger.records.records_access import Records
from benchd.slots.board import RackBoard

MOST_SHOWN: Final = 200
"""The newest, which somebody may still remember; the rest is on the page of disposal."""
LOOK_AGAIN_S: Final = 1.0
"""After the read model couldn't be asked."""
PAUSE_S: Final = 0.2
"""Between two looks: a rack at work adds records all the time."""


class TrayWatch:
    """Keeps the board's tray as the ledger has it, over restarts of the daemon too."""

    def __init__(self, records: Records, board: RackBoard) -> None:
        self._records = records
        self._board = board

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            before = self._records.upto
            if await self._look():
                await anyio.sleep(PAUSE_S)
                await self._records.until(lambda seen=before: self._records.upto != seen)
            else:
                await anyio.sleep(LOOK_AGAIN_S)

    async def _look(self) -> bool:
        try:
            lines = await self._records.items((DisposalState.TRAY,))
        except RecordsUnavailable:
            # The read model has said so itself.
            return False
        self._board.show_tray([_item(line) for line in lines[-MOST_SHOWN:]])
        return True


def _item(line: DisposalLine) -> TrayItem:
    job = line.job
    return TrayItem(
        job=job.job,
        slot=job.slot,
        since=job.since or job.opened_at,
        manufacturer=printable(job.manufacturer or ""),
        model=printable(job.model or ""),
        serial=printable(job.serial or ""),
    )
