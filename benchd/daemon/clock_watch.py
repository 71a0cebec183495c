"""Watches the machine's clock: set back it goes on record, and kept right by nobody on the wall."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import anyio
import structlog

from benchd.daemon.timekeeping import Timekeeping
from benchd.ports import Clock
from benchd.proof.clock import STEP_S
from benchd.proof.evidence.clock import ClockStepEvidence
from benchd.proof.evidence.forms import to_json
from benchd.words.ids import JobId
from benchd.words.record import Entry, EntryKind, StoredEntry

LOOK_EVERY_S: Final = 5.0
RUNNING: Final = "running"
AT_START: Final = "at_start"

_log = structlog.get_logger()


class ClockWatch:
    """Looks every few seconds, as long as the daemon lives."""

    def __init__(
        self,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        is_synchronised: Callable[[], bool | None],
        record: Callable[[Entry], Awaitable[object]],
        running_jobs: Callable[[], Iterable[JobId]],
        sink: Timekeeping,
        unsynchronised_s: float,
    ) -> None:
        """`monotonic` is a clock that nobody sets; `record` keeps an entry."""
        self._clock = clock
        self._monotonic = monotonic
        self._is_synchronised = is_synchronised
        self._record = record
        self._running_jobs = running_jobs
        self._sink = sink
        self._unsynchronised_s = unsynchronised_s
        self._offset = self._now_offset()
        """The furthest ahead that the clock has been since the last step on record: many small ones
        add up, as long as nothing sets it forward again."""
        self._wrong_since: float | None = None

    async def compare_with(self, newest: StoredEntry | None) -> None:
        """At start: a clock that is behind the ledger's newest record was set back meanwhile."""
        if newest is not None:
            behind_s = (newest.entry.at - self._clock.now()).total_seconds()
            await self._keep_step(behind_s, AT_START, ())

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await anyio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Compare both clocks, and see whether anything keeps the wall clock right."""
        now = self._now_offset()
        set_back_s = self._offset - now
        if set_back_s >= STEP_S or set_back_s < 0:
            self._offset = now
        self._tell_synchronised()
        await self._keep_step(set_back_s, RUNNING, self._running_jobs())
        self._sink.looked()

    def _now_offset(self) -> float:
        return self._clock.now().timestamp() - self._monotonic()

    async def _keep_step(self, seconds: float, noticed: str, jobs: Iterable[JobId]) -> None:
        """Once for the rack, and once for each job whose times it has spoilt."""
        if seconds < STEP_S:
            return
        _log.warning("clock_stepped_back", seconds=round(seconds, 1), noticed=noticed)
        self._sink.stepped_back(seconds)
        data = to_json(ClockStepEvidence(set_back_s=seconds, noticed=noticed))
        for job in (None, *jobs):
            await self._record(
                Entry(kind=EntryKind.CLOCK_STEPPED, at=self._clock.now(), job=job, data=data)
            )

    def _tell_synchronised(self) -> None:
        if self._is_synchronised():
            self._wrong_since = None
            self._sink.synchronised()
            return
        now = self._monotonic()
        self._wrong_since = now if self._wrong_since is None else self._wrong_since
        too_long = now - self._wrong_since >= self._unsynchronised_s
        self._sink.unsynchronised(too_long=too_long)
