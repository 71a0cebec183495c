"""Follows the ledger as one of its subscribers, and has what is new sent, beside the jobs."""

from __future__ import annotations

from typing import Final

import anyio
import structlog

from benchd.errors import LedgerFault
from benchd.traces.exporting import TraceExport
from benchd.wakeup import Bell
from benchd.words.record import Entry, EntryKind

AFTER_FAULT_S: Final = 5.0
PAUSE_S: Final = 0.005
"""Between two steps: a rack that works goes first."""

_log = structlog.get_logger()


class TraceFollower:
    """Wakes the export at each end of a job; `run` it."""

    def __init__(self) -> None:
        self._bell = Bell()

    def stored(self, entry: Entry) -> None:
        """The ledger has another record; returns at once."""
        if entry.kind is EntryKind.JOB_ENDED:
            self._bell.ring()

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open: it has no trace yet."""
        del entry

    async def run(self, export: TraceExport) -> None:
        """Send until cancelled."""
        while True:
            try:
                rest_s = await export.step()
            except (LedgerFault, OSError) as fault:
                _log.warning("traces_fault", detail=str(fault))
                rest_s = AFTER_FAULT_S
            await anyio.sleep(PAUSE_S)
            if rest_s > 0:
                with anyio.move_on_after(rest_s):
                    await self._bell.wait()
