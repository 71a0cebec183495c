"""Somebody who looks at wall and API once the ledger's file was changed."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import anyio

from benchd.domain.errors import LedgerFault
from benchd.domain.job import Disposition
from benchd.lab.adversity.daemon_life import Daemon
from benchd.lab.adversity.forger import Forger
from benchd.lab.adversity.referee import Referee
from benchd.proof.job_history import fold_job

LOOKS_AFTER_S: Final = (1.0, 60.0, 1200.0, 7200.0, 40_000.0)
MOST_JOBS: Final = 50


class Walls:
    """What a daemon shows as sellable, held against what was sold."""

    def __init__(self, daemon: Daemon, referee: Referee, forger: Forger) -> None:
        self._daemon = daemon
        self._referee = referee
        self._forger = forger

    async def look(self) -> None:
        """Again and again, in longer and longer breaks, after the file was changed."""
        await self._forger.strikes.until(lambda: self._forger.struck)
        for seconds in LOOKS_AFTER_S:
            await anyio.sleep(seconds)
            self._look_at_the_wall()
            with suppress(LedgerFault):
                await self._look_at_the_api()

    def _look_at_the_wall(self) -> None:
        for view in self._daemon.board.views().values():
            if view.disposition is Disposition.SELLABLE:
                self._referee.shown(view.job, view.slot, "on the wall")

    async def _look_at_the_api(self) -> None:
        ledger, issuer = self._daemon.ledger, self._daemon.parts.issuer
        for job in await ledger.job_ids(MOST_JOBS):
            told = fold_job(await ledger.entries(job), issuer)
            if told.disposition is Disposition.SELLABLE:
                self._referee.shown(job, told.slot, "by the API")
