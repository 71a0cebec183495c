"""Looks at a reader whose handset is in somebody's hand: what answers then is another's chip."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import anyio

from benchd.domain.errors import ReaderFault, ReaderGone, StageFailed
from benchd.domain.job import Reason
from benchd.pipelines.ports import AbsenceWindow
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.chip_ownership import THERE, tied_chip
from benchd.proof.evidence.chip_evidence import AwayEvidence

FIRST_LOOK_S: Final = 60.0
"""The cable is out before the handset is lifted."""
LOOK_EVERY_S: Final = 30.0


class LooksWhileAway:
    """Counts them, until the first silence: the chip was carried away with its handset.

    Only what isn't tied is looked at: a tied chip is its handset's, wherever that lies.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context
        check = context.evidence.felica_check
        reader = context.chips.reader(context.slot)
        self._chip = check.chip if check and reader and not tied_chip(check) else None
        self._looks = self._answers = 0

    @property
    def evidence(self) -> AwayEvidence | None:
        """What was seen; None where nobody looked."""
        if not self._looks:
            return None
        return AwayEvidence(looks=self._looks, answers=self._answers)

    def refuse_another(self) -> None:
        """StageFailed where the chip has stayed on the reader all the time."""
        away = self.evidence
        if away is not None and away.is_of_another:
            raise StageFailed(
                Reason.FELICA_INCONSISTENT,
                "the chip answered while the handset had been carried away: a card or another"
                " handset lies on the reader",
            )

    @asynccontextmanager
    async def watching(self, window: AbsenceWindow) -> AsyncGenerator[None]:
        """A block in which the handset may leave."""
        failure: StageFailed | None = None
        async with anyio.create_task_group() as group:
            if self._chip is not None:
                group.start_soon(self._watch, window)
            try:
                yield
            except StageFailed as failed:
                # Told as it is, not inside the group's.
                failure = failed
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _watch(self, window: AbsenceWindow) -> None:
        await window.departed()
        port = self._context.station.port
        left = port().attachment
        await anyio.sleep(FIRST_LOOK_S)
        while port().attachment == left:
            answers = await self._answers_now()
            if answers is not None and port().attachment == left:
                self._looks += 1
                self._answers += answers
                if not answers:
                    return
            await anyio.sleep(LOOK_EVERY_S)

    async def _answers_now(self) -> bool | None:
        """Whether the chip of the check answers; None where the reader can't tell."""
        try:
            scan = await self._context.chips.scan(self._context.slot, passes=1, power_cycle=True)
        except (ReaderFault, ReaderGone):
            return None
        return scan.verdict in THERE and scan.chip == self._chip
